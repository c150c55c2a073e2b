/* SPDX-License-Identifier: MIT */
/* Arguments with any placeholders stay JSON, whatever stands in them; a header stays one line. */
#include "base/json.h"
#include "fuzz/fuzz.h"
#include "plan/payload.h"
#include "plan/text.h"
#include "scenario/feeds/feed.h"

enum { FEEDS = 3, PROFILES = 3 };

struct world {
    struct scenario scenario;
    struct feed_config feeds[FEEDS];
    struct payload_config configs[PROFILES];
    struct plan_payload *payloads[PROFILES];
    struct plan plan;
    struct rows rows[FEEDS];
};

static const struct plan_identity identity = {"run \"1\"\r\n", "exe\\1", "wrk\xff"};

static void make_world(struct world *w)
{
    static const char *const feeds[] = {"s", "r", "u"}, *const profiles[] = {"t", "j", "b"};
    static const char *variables[] = {"PATH"};
    static const char rows[] =
        "{\"f\":\"a\\\"\\\\\\u0001\\n\",\"g\":[1,{\"x\":\"\\\"\"}]}\n{\"f\":-1.5}";

    *w = (struct world){.scenario = {.scenario_id = "id"}};
    for (size_t i = 0; i < FEEDS; i++) {
        w->feeds[i] = (struct feed_config){.name = feeds[i], .mode = (enum feed_mode)i};
        fuzz_require(feed_parse(STR(rows), FEED_JSONL, &w->feeds[i].feed, NULL) == 0, "feed");
        w->rows[i] = rows_make(2, 3, false);
    }
    w->plan.rows = w->rows;
    for (size_t i = 0; i < PROFILES; i++) {
        w->configs[i] = (struct payload_config){
            .profile_id = profiles[i], .kind = (enum payload_kind)i, .max_bytes = 20};
        w->payloads[i] = payload_new(&w->configs[i], i);
    }
    w->scenario.workload = (struct workload_config){
        .feeds = w->feeds, .feed_count = FEEDS, .payloads = w->configs, .payload_count = PROFILES};
    w->scenario.environment.variables = variables;
    w->scenario.environment.variable_count = 1;
}

static void write_text(const struct world *w, struct str template, bool header, struct buf *out)
{
    struct arena arena = {0};
    struct text_builder b;
    const struct plan_values values = {.stage_id = "stg",
                                       .vu = template.len,
                                       .op_seq = 3,
                                       .draw = template.len * 7919,
                                       .ordinal = template.len,
                                       .wall_ms = INT64_MAX};

    text_builder_init(&b, &arena, &identity, &w->scenario, w->payloads);
    text_template(&b, template, header);
    struct plan_text text = text_finish(&b);
    out->len = 0;
    fuzz_require(plan_text_write(&w->plan, &text, &values, out) == 0, "no room");
    text_builder_clear(&b);
    arena_clear(&arena);
}

static void check_json(const struct world *w, struct str input, struct buf *out)
{
    json_t *value = NULL, *written = NULL;
    struct buf compact;

    if (json_parse(input, SIZE_MAX, &value, NULL) != 0) {
        return;
    }
    buf_init(&compact, SIZE_MAX / 2);
    json_write(value, &compact);
    write_text(w, buf_str(&compact), false, out);
    /* Not json_parse(): two keys may have become one. */
    written = json_loadb(out->p, out->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    fuzz_require(written != NULL, "the text is no JSON any more");
    json_decref(written);
    json_decref(value);
    buf_clear(&compact);
}

/* Validation has refused values with control characters. */
static void check_header(const struct world *w, struct str input, struct buf *out)
{
    for (size_t i = 0; i < input.len; i++) {
        if ((unsigned char)input.p[i] < 0x20) {
            return;
        }
    }
    write_text(w, input, true, out);
    for (size_t i = 0; i < out->len; i++) {
        fuzz_require(strchr("\r\n", out->p[i]) == NULL, "the header's line is broken");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    struct str input = {(const char *)data, size};
    struct buf out;

    if (world.scenario.scenario_id == NULL) {
        make_world(&world);
    }
    buf_init(&out, SIZE_MAX / 2);
    check_json(&world, input, &out);
    check_header(&world, input, &out);
    buf_clear(&out);
    return 0;
}
