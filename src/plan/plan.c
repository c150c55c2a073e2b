/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "plan/levels.h"
#include "plan/masking.h"
#include "plan/payload.h"
#include "plan/text.h"
#include "scenario/config/redaction.h"
#include "scenario/feeds/feed.h"

#include <stdio.h>

/* Sub-streams of the random numbers. */
#define THINK_STREAM   UINT64_C(0x7468696e)
#define TEXT_STREAM    UINT64_C(0x74657874)
#define PAYLOAD_STREAM UINT64_C(0x7061796c)
#define LOG_STREAM     UINT64_C(0x6c6f6773)
#define ARRIVAL_STREAM UINT64_C(0xffffffff61727276) /* in the place of a VU's number */

static const char *const methods[OPERATION_KIND_COUNT] = {
    [OPERATION_TOOLS_LIST] = "tools/list",
    [OPERATION_TOOLS_CALL] = "tools/call",
    [OPERATION_RESOURCES_LIST] = "resources/list",
    [OPERATION_RESOURCES_READ] = "resources/read",
    [OPERATION_PROMPTS_LIST] = "prompts/list",
    [OPERATION_PROMPTS_GET] = "prompts/get",
    [OPERATION_PING] = "ping",
};

/* ---- operations ----------------------------------------------------------------------------- */

static void json_member(struct text_builder *b, const char *key, const char *value)
{
    struct buf quoted;

    buf_init(&quoted, JSON_TEXT_MAX);
    json_add_string(&quoted, str_c(value));
    text_literal(b, "\"%s\":", key);
    text_template(b, buf_str(&quoted), false);
    buf_clear(&quoted);
}

/* `params` of a call or a prompt: its name, its arguments, and the token that asks for progress. */
static void
named_params(struct text_builder *b, const char *name, struct str arguments, bool streaming)
{
    text_literal(b, ",\"params\":{");
    json_member(b, "name", name);
    text_literal(b, ",\"arguments\":");
    text_template(b, arguments, false);
    if (streaming) {
        text_literal(b, ",\"_meta\":{\"progressToken\":");
        text_part(b, PLAN_PROGRESS_TOKEN);
        text_literal(b, "}");
    }
    text_literal(b, "}");
}

static void build_tail(struct text_builder *b, struct plan_operation *op, struct str arguments)
{
    text_literal(b, ",\"method\":\"%s\"", methods[op->kind]);
    switch (op->kind) {
    case OPERATION_TOOLS_CALL:
        named_params(b, op->tool_name, arguments, op->expects_streaming);
        break;
    case OPERATION_PROMPTS_GET:
        named_params(b, op->prompt_name, arguments, false);
        break;
    case OPERATION_RESOURCES_READ:
        text_literal(b, ",\"params\":{");
        json_member(b, "uri", op->uri);
        text_literal(b, "}");
        break;
    case OPERATION_TOOLS_LIST:
    case OPERATION_RESOURCES_LIST:
    case OPERATION_PROMPTS_LIST:
        op->paged = true;
        text_literal(b, ",\"params\":{");
        text_part(b, PLAN_CURSOR);
        text_literal(b, "}");
        break;
    case OPERATION_PING:
    case OPERATION_KIND_COUNT:
        break;
    }
    text_literal(b, "}");
    op->tail = text_finish(b);
}

static struct str or_empty_object(struct str arguments)
{
    return arguments.len == 0 ? STR("{}") : arguments;
}

/* ---- what is looked for in answers ------------------------------------------------------------
 */

static const char nonce_text[] = "${nonce}";

static bool has_nonce(struct str text)
{
    return memmem(text.p, text.len, nonce_text, sizeof nonce_text - 1) != NULL;
}

/* The argument that a nonce may be added to, when the file names no place for it. */
static const char *nonce_argument(const json_t *arguments)
{
    static const char *const names[] = {"message", "text", "input"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_is_string(json_object_get(arguments, names[i]))) {
            return names[i];
        }
    }
    return NULL;
}

/* The arguments as they are sent: with integrity they carry a nonce where that is possible. The
 * text lives in the plan's arena or in the scenario. */
static struct str
arguments_text(struct plan *p, const struct json_text *arguments, struct plan_operation *op)
{
    const char *place = nonce_argument(arguments->json);

    if (has_nonce(arguments->text)) {
        op->has_nonce = true;
    } else if (op->kind == OPERATION_TOOLS_CALL && p->scenario->workload.integrity &&
               place != NULL) {
        json_t *copy = json_copy(arguments->json);
        const char *old = json_string_value(json_object_get(arguments->json, place));
        json_object_set_new(copy, place,
                            json_string(arena_printf(&p->arena_, "%s %s", old, nonce_text)));
        struct buf text;
        buf_init(&text, JSON_TEXT_MAX);
        (void)json_write(copy, &text); /* hardly longer than the file, which was read */
        struct str out = {arena_copy(&p->arena_, buf_str(&text)), text.len};
        buf_clear(&text);
        json_decref(copy);
        op->has_nonce = true;
        return out;
    }
    return or_empty_object(arguments->text);
}

/* Is the metric about results of this operation? */
static bool is_about(const struct custom_config *c, const struct plan_operation *op)
{
    if (op->kind != OPERATION_TOOLS_CALL) {
        return false;
    }
    return (c->tool_name == NULL || strcmp(c->tool_name, op->tool_name) == 0) &&
           (c->template_id == NULL ||
            (op->template_id != NULL && strcmp(c->template_id, op->template_id) == 0));
}

static void add_verifier(struct plan *p,
                         struct plan_operation *op,
                         const struct check_config *checks,
                         size_t check_count)
{
    const struct workload_config *w = &p->scenario->workload;
    uint64_t wanted = 0;

    for (size_t i = 0; i < w->custom_count; i++) {
        wanted |= is_about(&w->customs[i], op) ? UINT64_C(1) << i : 0;
    }
    if (check_count > 0 || wanted != 0 || op->has_nonce) {
        op->verifier = verifier_new(checks, check_count, w->customs, wanted, op->has_nonce);
    }
}

/* ---- the mix --------------------------------------------------------------------------------- */

static uint32_t add_templates(struct plan *p, struct text_builder *b, uint32_t at)
{
    const struct workload_config *w = &p->scenario->workload;

    for (size_t i = 0; i < w->template_count; i++) {
        const struct template_config *t = &w->templates[i];
        struct plan_operation *op = &p->operations[at];

        if (w->selection == SELECTION_SINGLE &&
            strcmp(t->template_id, w->single_template_id) != 0) {
            continue;
        }
        at++;
        op->kind = OPERATION_TOOLS_CALL;
        op->tool_name = t->tool_name;
        op->template_id = t->template_id;
        op->expects_streaming = t->expects_streaming;
        build_tail(b, op, arguments_text(p, &t->arguments, op));
        add_verifier(p, op, t->checks, t->check_count);
    }
    return at;
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Do both entries call one thing, whatever they send? */
static bool is_namesake(const struct mix_config *a, const struct mix_config *b)
{
    return a->operation == b->operation && is_same(a->tool_name, b->tool_name) &&
           is_same(a->prompt_name, b->prompt_name) && is_same(a->uri, b->uri);
}

/* The first entry that makes the same requests: one before it, or itself. */
static uint32_t same_entry(const struct plan *p, uint32_t entry)
{
    const struct mix_config *all = p->scenario->workload.mix;

    for (uint32_t i = 0; i < entry; i++) {
        if (is_namesake(&all[i], &all[entry]) &&
            str_eq(all[i].arguments.text, all[entry].arguments.text)) {
            return i;
        }
    }
    return entry;
}

/* What tells an entry from others that differ in their arguments only; NULL: nothing has to. */
static const char *entry_label(struct plan *p, uint32_t entry)
{
    const struct workload_config *w = &p->scenario->workload;

    for (uint32_t i = 0; i < p->mix_count; i++) {
        if (is_namesake(&w->mix[i], &w->mix[entry]) &&
            !str_eq(w->mix[i].arguments.text, w->mix[entry].arguments.text)) {
            return arena_printf(&p->arena_, "operation_mix[%u]", entry);
        }
    }
    return NULL;
}

/* Returns the number of operations that it adds. */
static uint32_t add_entry(struct plan *p, struct text_builder *b, uint32_t entry)
{
    const struct mix_config *m = &p->scenario->workload.mix[entry];
    struct plan_operation *op = &p->operations[p->operation_count];

    if (m->operation == OPERATION_TOOLS_CALL && m->tool_name == NULL) {
        return add_templates(p, b, p->operation_count) - p->operation_count;
    }
    op->kind = m->operation;
    op->tool_name = m->tool_name;
    op->template_id = entry_label(p, entry);
    op->prompt_name = m->prompt_name;
    op->uri = m->uri;
    build_tail(b, op, arguments_text(p, &m->arguments, op));
    add_verifier(p, op, NULL, 0);
    return 1;
}

static void template_weights(struct plan *p, struct plan_mix *mix)
{
    const struct workload_config *w = &p->scenario->workload;
    uint64_t *weights = xcalloc(mix->operation_count, sizeof *weights);

    for (uint32_t i = 0; i < mix->operation_count; i++) {
        /* One operation needs no choice; several are always the templates. */
        weights[i] = mix->operation_count == 1 ? 1 : w->templates[i].weight;
    }
    alias_init(&mix->templates, &p->arena_, weights, mix->operation_count);
    if (w->selection == SELECTION_ROUND_ROBIN && mix->operation_count > 1) {
        rotation_init(&mix->rotation, &p->arena_, weights, mix->operation_count);
    }
    xfree(weights);
}

static void compile_mix(struct plan *p, struct text_builder *b)
{
    const struct workload_config *w = &p->scenario->workload;
    size_t most = w->mix_count * (w->template_count > 0 ? w->template_count : 1);
    uint64_t *weights = xcalloc(w->mix_count, sizeof *weights);

    p->operations = arena_array(&p->arena_, most, sizeof *p->operations);
    p->mix_count = (uint32_t)w->mix_count;
    p->mix = arena_array(&p->arena_, p->mix_count, sizeof *p->mix);
    for (uint32_t i = 0; i < p->mix_count; i++) {
        uint32_t same = same_entry(p, i);
        struct plan_mix *mix = &p->mix[i];

        weights[i] = w->mix[i].weight;
        if (same != i) { /* one thing with one row in the books */
            *mix = p->mix[same];
            continue;
        }
        mix->first_operation = p->operation_count;
        mix->operation_count = add_entry(p, b, i);
        p->operation_count += mix->operation_count;
        template_weights(p, mix);
    }
    alias_init(&p->mix_alias, &p->arena_, weights, p->mix_count);
    xfree(weights);
}

/* VUs list the tools beside a workload that uses tools. */
static void compile_journey(struct plan *p, struct text_builder *b)
{
    const struct journey_config *j = &p->scenario->workload.journey;
    bool wanted = j->list_on_start || j->list_interval_ns > 0 || j->list_after_errors > 0;

    for (uint32_t i = 0; wanted && i < p->operation_count; i++) {
        enum operation_kind kind = p->operations[i].kind;
        p->journey = p->journey || kind == OPERATION_TOOLS_CALL || kind == OPERATION_TOOLS_LIST;
    }
    p->journey_list.kind = OPERATION_TOOLS_LIST;
    build_tail(b, &p->journey_list, STR("{}"));
}

/* ---- the request head ------------------------------------------------------------------------ */

static bool names(struct named_text header, const char *name)
{
    return strcasecmp(header.name, name) == 0;
}

static bool given(const struct target_config *t, const char *name)
{
    for (size_t i = 0; i < t->header_count; i++) {
        if (names(t->headers[i], name)) {
            return true;
        }
    }
    return false;
}

static void header_line(struct text_builder *b, const char *name, const char *value)
{
    text_literal(b, "%s: ", name);
    text_template(b, str_c(value), true);
    text_literal(b, "\r\n");
}

static void
compile_head(struct plan *p, struct text_builder *b, const char *authority, const char *target)
{
    const struct target_config *t = &p->scenario->target;
    const struct {
        const char *name, *value;
    } ours[] = {
        {"Host", authority},
        {"Accept", "application/json, text/event-stream"},
        {"Content-Type", "application/json"},
        {"User-Agent", t->identification.user_agent},
        {t->identification.header_name, t->identification.header_template},
    };

    text_literal(b, " %s HTTP/1.1\r\n", target);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        /* The file's own headers override ours. */
        if (!given(t, ours[i].name)) {
            header_line(b, ours[i].name, ours[i].value);
        }
    }
    for (size_t i = 0; i < t->header_count; i++) {
        header_line(b, t->headers[i].name, t->headers[i].value);
    }
    p->head = text_finish(b);
}

/* What of a header's value is the same in each request that has it: its literal texts, and each of
 * those that are drawn from. What else a header may have, numbers and names of ours, is no secret
 * (data feeds and payloads are none of a header). */
static void add_secrets(const struct plan_part *part, struct secrets_list *list)
{
    if (part->kind == PLAN_LITERAL) {
        secrets_add(list, part->text);
    }
    for (uint32_t i = 0; part->kind == PLAN_RANDOM_CHOICE && i < part->choice_count; i++) {
        secrets_add(list, part->choice[i]);
    }
}

/* Once more as values: in the head they stand among other literal text. */
static void find_secrets(struct plan *p, struct text_builder *b)
{
    const struct target_config *t = &p->scenario->target;
    struct secrets_list list = {.arena = &p->arena_};

    for (size_t i = 0; i < t->header_count; i++) {
        if (!redacts_header(&p->scenario->reporting, t->headers[i].name)) {
            continue;
        }
        text_template(b, str_c(t->headers[i].value), true);
        struct plan_text value = text_finish(b);
        for (uint32_t k = 0; k < value.count; k++) {
            add_secrets(&value.parts[k], &list);
        }
    }
    masking_url_secrets(str_c(t->url), &list);
    p->secrets = secrets_keep(&list);
}

static void make_payloads(struct plan *p)
{
    const struct workload_config *w = &p->scenario->workload;

    p->payloads = arena_array(&p->arena_, w->payload_count, sizeof(struct plan_payload *));
    for (size_t i = 0; i < w->payload_count; i++) {
        p->payloads[i] = payload_new(&w->payloads[i], rng_sub(p->seed ^ PAYLOAD_STREAM, i));
    }
}

/* A feed without rows is one that nobody loaded; nothing refers to it. */
static void make_rows(struct plan *p)
{
    const struct workload_config *w = &p->scenario->workload;

    p->rows = arena_array(&p->arena_, w->feed_count, sizeof *p->rows);
    for (size_t i = 0; i < w->feed_count; i++) {
        uint64_t count = w->feeds[i].feed != NULL ? feed_rows(w->feeds[i].feed) : 1;
        p->rows[i] = rows_make(count, p->max_vus, p->both_models);
    }
}

static uint64_t hash_text(const char *s)
{
    return rng_mix64(str_hash(STR_HASH_BEGIN, str_c(s)));
}

struct plan *plan_new(const struct scenario *scenario,
                      const struct plan_identity *identity,
                      const char *authority,
                      const char *target)
{
    struct plan *p = xcalloc(1, sizeof *p);
    struct text_builder b;

    p->scenario = scenario;
    p->seed = scenario->workload.seed;
    p->slots = (uint32_t)scenario->workload.in_flight_per_vu;
    make_payloads(p);
    text_builder_init(&b, &p->arena_, identity, scenario, p->payloads);
    /* What has to differ between runs, whatever the seed. */
    p->uuid_seed = hash_text(identity->run_id) ^ hash_text(identity->execution_id);
    p->nonce_tag = (uint32_t)rng_mix64(p->uuid_seed);
    plan_compile_stages(p);
    make_rows(p);
    compile_mix(p, &b);
    compile_journey(p, &b);
    compile_head(p, &b, authority, target);
    find_secrets(p, &b);
    text_builder_clear(&b);
    p->key_count = p->stage_count * p->operation_count;
    return p;
}

void plan_free(struct plan *plan)
{
    if (plan != NULL) {
        schedule_clear(&plan->schedule);
        for (uint32_t i = 0; i < plan->operation_count; i++) {
            verifier_free(plan->operations[i].verifier);
        }
        for (size_t i = 0; i < plan->scenario->workload.payload_count; i++) {
            payload_free(plan->payloads[i]);
        }
        arena_clear(&plan->arena_);
        xfree(plan);
    }
}

/* ---- choices and times ----------------------------------------------------------------------- */

/* `turn` of a cycle; `cycle` is the cycle's length when it was used, else left as it is. */
static uint32_t pick(const struct plan *p, uint64_t x, uint64_t turn, uint32_t *cycle)
{
    const struct plan_mix *mix = &p->mix[p->mix_count == 1 ? 0 : alias_pick(&p->mix_alias, x)];

    if (mix->operation_count == 1) {
        return mix->first_operation;
    }
    if (p->scenario->workload.selection == SELECTION_ROUND_ROBIN) {
        *cycle = mix->rotation.length;
        return mix->first_operation + mix->rotation.turns[turn % mix->rotation.length];
    }
    return mix->first_operation + alias_pick(&mix->templates, rng_mix64(x + 1));
}

uint32_t plan_pick(const struct plan *p, uint64_t vu, uint64_t n, uint32_t *turn)
{
    uint32_t cycle = 0;

    if (p->operation_count == 1) {
        return 0;
    }
    /* VUs begin with different templates, so that they do not go in step. */
    uint32_t operation = pick(p, rng_at(rng_sub(p->seed, vu), n), vu + *turn, &cycle);
    *turn = cycle > 0 ? (*turn + 1) % cycle : *turn;
    return operation;
}

uint32_t plan_pick_arrival(const struct plan *p, uint64_t arrival)
{
    uint32_t cycle;

    return p->operation_count == 1
               ? 0
               : pick(p, rng_at(rng_sub(p->seed, ARRIVAL_STREAM), arrival), arrival, &cycle);
}

uint64_t plan_draw(const struct plan *p, uint64_t vu, uint64_t n)
{
    return rng_at(rng_sub(p->seed ^ TEXT_STREAM, vu), n);
}

uint64_t plan_draw_arrival(const struct plan *p, uint64_t arrival)
{
    return plan_draw(p, ARRIVAL_STREAM, arrival);
}

uint32_t plan_log_rank(const struct plan *p, uint64_t draw)
{
    const struct telemetry_config *t = &p->scenario->telemetry;
    uint64_t x = rng_mix64(draw ^ LOG_STREAM);

    if (t->log_sample_rate_given && rng_unit(x) >= t->log_sample_rate) {
        return 0;
    }
    /* Of the low half: the other one has been looked at. */
    uint32_t rank = (uint32_t)x;
    return rank > 0 ? rank : 1;
}

uint32_t plan_log_successes(const struct plan *p)
{
    const struct telemetry_config *t = &p->scenario->telemetry;

    if (!t->log_enabled) {
        return 0;
    }
    return t->log_sample_rate_given ? PLAN_LOG_SUCCESSES_IN_FULL : PLAN_LOG_SUCCESSES_SHARD;
}

uint64_t plan_think_ns(const struct plan *p, uint64_t vu, uint64_t n)
{
    const struct think_config *t = &p->scenario->workload.think;

    switch (t->mode) {
    case THINK_NONE:
        return 0;
    case THINK_FIXED:
        return t->base_ns;
    case THINK_JITTER:
        break;
    }
    uint64_t x = rng_at(rng_sub(p->seed ^ THINK_STREAM, vu), n);
    return t->base_ns + (t->jitter_ns > 0 ? rng_below(x, t->jitter_ns) : 0);
}
