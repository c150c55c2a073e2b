/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/rng.h"
#include "plan/payload.h"
#include "plan/text.h"
#include "scenario/feeds/feed.h"
#include "support/unit.h"

#include <inttypes.h>

/* A scenario with two feeds and a payload of each kind. */
struct fixture {
    struct arena arena;
    struct scenario scenario;
    struct feed_config feeds[3];
    struct payload_config configs[3];
    struct plan_payload *payloads[3];
    struct plan plan;
    struct rows rows[3];
    struct buf out;
};

static const struct plan_identity identity = {"run_1", "exe_1", "wrk_1"};
static const struct plan_values values = {
    .stage_id = "stg_1", .vu = 17, .op_seq = 4, .draw = 99, .ordinal = 5, .wall_ms = 1700000000123};

static const char users[] = "{\"name\":\"Zo\\u00eb \\\"Z\\\"\",\"age\":30,\"tags\":[1,\"x\"]}\n"
                            "{\"name\":\"Al\",\"age\":1.50,\"tags\":null}\n"
                            "{\"name\":\"\",\"age\":true,\"tags\":{}}\n";

static void begin(struct fixture *f)
{
    static const char *const names[] = {"seq", "rnd", "own"};

    *f = (struct fixture){.plan = {.uuid_seed = 1, .nonce_tag = 0xabcd}};
    f->scenario.scenario_id = "say \"hi\"";
    for (uint32_t i = 0; i < 3; i++) {
        f->feeds[i] = (struct feed_config){.name = names[i], .mode = (enum feed_mode)i};
        assert_int_equal(feed_parse(str_c(users), FEED_JSONL, &f->feeds[i].feed, NULL), 0);
        f->configs[i] = (struct payload_config){.profile_id = (const char *[]){"t", "j", "b"}[i],
                                                .kind = (enum payload_kind)i,
                                                .min_bytes = 12,
                                                .max_bytes = 12};
        f->payloads[i] = payload_new(&f->configs[i], 1);
        f->rows[i] = rows_make(3, 20, false);
    }
    f->scenario.workload.feeds = f->feeds;
    f->scenario.workload.feed_count = 3;
    f->scenario.workload.payloads = f->configs;
    f->scenario.workload.payload_count = 3;
    f->plan.rows = f->rows;
    buf_init(&f->out, 1 << 20);
}

static void end(struct fixture *f)
{
    for (size_t i = 0; i < 3; i++) {
        feed_free(f->feeds[i].feed);
        payload_free(f->payloads[i]);
    }
    arena_clear(&f->arena);
    buf_clear(&f->out);
}

static struct plan_text build(struct fixture *f, struct str template, bool header)
{
    struct text_builder b;

    text_builder_init(&b, &f->arena, &identity, &f->scenario, f->payloads);
    text_template(&b, template, header);
    struct plan_text text = text_finish(&b);
    text_builder_clear(&b);
    return text;
}

static const char *
written(struct fixture *f, const struct plan_text *text, const struct plan_values *v)
{
    f->out.len = 0;
    assert_int_equal(plan_text_write(&f->plan, text, v, &f->out), 0);
    return buf_c(&f->out);
}

static const char *filled(struct fixture *f, const char *template, bool header)
{
    struct plan_text text = build(f, str_c(template), header);

    return written(f, &text, &values);
}

static void what_stands_for_what(void **state)
{
    static const struct {
        const char *template, *expected;
        bool header;
    } cases[] = {
        {"{\"a\":\"${stage_id} ${vu_id} ${op_seq}\"}", "{\"a\":\"stg_1 vu_17 4\"}", false},
        {"{\"a\":\"${scenario_id}\"}", "{\"a\":\"say \\\"hi\\\"\"}", false},
        {"a ${scenario_id} {{run_id}}", "a say \"hi\" run_1", true},
        {"{\"a\":\"$${uuid}\"}", "{\"a\":\"${uuid}\"}", false},
        {"{\"a\":\"${nonce}\"}", "{\"a\":\"mcpd-0000abcd-00000011-000000000004\"}", false},
        {"{\"a\":\"${timestamp_ms}\"}", "{\"a\":1700000000123}", false},
        {"{\"a\":\"at ${timestamp_ms}\"}", "{\"a\":\"at 1700000000123\"}", false},
        {"[\"${timestamp_ms}\",\"${timestamp_ms}\"]", "[1700000000123,1700000000123]", false},
        {"{\"${timestamp_ms}\":\"${timestamp_ms}\"}", "{\"1700000000123\":1700000000123}", false},
        {"{\"a\":1,\"${timestamp_ms}\":2}", "{\"a\":1,\"1700000000123\":2}", false},
        {"{\"a\":\"\\\"${timestamp_ms}\\\",\"}", "{\"a\":\"\\\"1700000000123\\\",\"}", false},
        {"{\"a\":\",\\\"${timestamp_ms}\"}", "{\"a\":\",\\\"1700000000123\"}", false},
        {"{\"a\":\"${timestamp_ms}${timestamp_ms}\"}", "{\"a\":\"17000000001231700000000123\"}",
         false},
        {"\"${timestamp_ms}\"", "\"1700000000123\"", false},
        {"t=\"${timestamp_ms}\", x", "t=\"1700000000123\", x", true},
        {":\"${timestamp_ms}\",", ":\"1700000000123\",", true},
        {"{\"a\":\"${random_int:7:7}\"}", "{\"a\":7}", false},
        {"{\"a\":\"${random_int:-7:-7}\"}", "{\"a\":-7}", false},
        {"{\"a\":\"${random_choice:x y}\"}", "{\"a\":\"x y\"}", false},
        {"{\"a\":\"${random_choice:|}\"}", "{\"a\":\"\"}", false},
        {"${random_choice:x}", "x", true},
        /* Row 5 % 3 of the sequential feed, row 17 % 3 of the one with a row per VU. */
        {"{\"a\":\"${data:seq.age}\"}", "{\"a\":true}", false},
        {"{\"a\":\"${data:seq.tags}\"}", "{\"a\":{}}", false},
        {"{\"a\":\"${data:seq.name}\"}", "{\"a\":\"\"}", false},
        {"{\"a\":\"<${data:seq.tags}>\"}", "{\"a\":\"<{}>\"}", false},
        {"{\"a\":\"${data:own.name}/${data:own.age}\"}", "{\"a\":\"/true\"}", false},
        /* What validation refuses stays as it is. */
        {"{\"a\":\"${data:seq.none}\"}", "{\"a\":\"${data:seq.none}\"}", false},
        {"{\"a\":\"${payload:none}\"}", "{\"a\":\"${payload:none}\"}", false},
        {"${nonce} ${data:seq.age} ${payload:t}", "${nonce} ${data:seq.age} ${payload:t}", true},
        {"${random_int:9:1}${else}", "${random_int:9:1}${else}", true},
    };
    struct fixture f;

    (void)state;
    begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(filled(&f, cases[i].template, cases[i].header), cases[i].expected);
    }
    end(&f);
}

static void data_keep_their_json(void **state)
{
    static const char *const expected[] = {
        ("{\"n\":\"Zo\\u00eb \\\"Z\\\"\",\"a\":30,\"t\":[1,\"x\"],"
         "\"l\":\"Zo\\u00eb \\\"Z\\\" is 30: [1,\\\"x\\\"]\"}"),
        "{\"n\":\"Al\",\"a\":1.50,\"t\":null,\"l\":\"Al is 1.50: null\"}",
        "{\"n\":\"\",\"a\":true,\"t\":{},\"l\":\" is true: {}\"}",
    };
    struct fixture f;
    struct plan_values v = values;

    (void)state;
    begin(&f);
    struct plan_text text = build(
        &f,
        STR("{\"n\":\"${data:seq.name}\",\"a\":\"${data:seq.age}\",\"t\":\"${data:seq.tags}\","
            "\"l\":\"${data:seq.name} is ${data:seq.age}: ${data:seq.tags}\"}"),
        false);
    for (v.ordinal = 0; v.ordinal < 9; v.ordinal++) {
        assert_string_equal(written(&f, &text, &v), expected[v.ordinal % 3]);
    }
    end(&f);
}

/* The fields of a random feed are always of one row; each row gets its share. */
static void rows_stay_together(void **state)
{
    static const char *const rows[] = {"\"30[1,\\\"x\\\"]\"", "\"1.50null\"", "\"true{}\""};
    struct fixture f;
    struct plan_values v = values;
    unsigned seen[3] = {0};

    (void)state;
    begin(&f);
    struct plan_text text = build(&f, STR("\"${data:rnd.age}${data:rnd.tags}\""), false);
    for (uint64_t i = 0; i < 3000; i++) {
        bool found = false;

        v.draw = rng_at(3, i);
        const char *now = written(&f, &text, &v);
        for (size_t r = 0; r < 3; r++) {
            seen[r] += strcmp(now, rows[r]) == 0;
            found = found || strcmp(now, rows[r]) == 0;
        }
        assert_true(found);
    }
    for (size_t r = 0; r < 3; r++) {
        assert_in_range(seen[r], 900, 1100);
    }
    end(&f);
}

static void payloads_are_values_or_text(void **state)
{
    struct fixture f;
    json_t *m = NULL;

    (void)state;
    begin(&f);
    filled(&f,
           "{\"t\":\"${payload:t}\",\"j\":\"${payload:j}\",\"b\":\"${payload:b}\","
           "\"l\":\"${payload:t}${payload:j}${payload:b}\"}",
           false);
    assert_int_equal(json_parse(buf_str(&f.out), 1 << 20, &m, NULL), 0);
    assert_int_equal(json_string_length(json_object_get(m, "t")), 12);
    assert_int_equal(json_object_size(json_object_get(m, "j")), 1);
    assert_int_equal(json_string_length(json_object_get(m, "b")), 16);
    assert_int_equal(json_string_length(json_object_get(m, "l")), 12 + 12 + 16);
    json_decref(m);
    end(&f);
}

static void random_values_are_in_range_and_repeat(void **state)
{
    struct fixture f;
    struct plan_values v = values;
    unsigned ints[6] = {0}, letters[3] = {0}, equal = 0;

    (void)state;
    begin(&f);
    struct plan_text text =
        build(&f, STR("${random_int:-2:3} ${random_int:-2:3} ${random_choice:a|b|c}"), true);
    for (uint64_t i = 0; i < 6000; i++) {
        char again[100], letter;
        int a, b;

        v.draw = rng_at(9, i);
        snprintf(again, sizeof again, "%s", written(&f, &text, &v));
        assert_string_equal(written(&f, &text, &v), again);
        char *rest;
        a = (int)strtol(again, &rest, 10);
        b = (int)strtol(rest, &rest, 10);
        letter = rest[1];
        assert_true(a >= -2 && a <= 3 && b >= -2 && b <= 3 && letter >= 'a' && letter <= 'c');
        ints[a + 2]++;
        letters[letter - 'a']++;
        equal += a == b;
    }
    for (size_t i = 0; i < 6; i++) {
        assert_in_range(ints[i], 850, 1150);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_in_range(letters[i], 1850, 2150);
    }
    assert_in_range(equal, 850, 1150);
    end(&f);
}

static void the_widest_range(void **state)
{
    struct fixture f;
    struct plan_values v = values;
    bool negative = false, positive = false;

    (void)state;
    begin(&f);
    struct plan_text text =
        build(&f, STR("${random_int:-9223372036854775808:9223372036854775807}"), true);
    for (v.draw = 0; v.draw < 100; v.draw++) {
        bool minus = written(&f, &text, &v)[0] == '-';

        negative = negative || minus;
        positive = positive || !minus;
    }
    assert_true(negative && positive);
    assert_string_equal(filled(&f, "${random_int:-9223372036854775808:-9223372036854775808}", true),
                        "-9223372036854775808");
    end(&f);
}

static void uuids_are_well_formed_and_differ(void **state)
{
    enum { COUNT = 2000 };
    static char seen[COUNT][37];
    struct fixture f;
    struct plan_values v = values;

    (void)state;
    begin(&f);
    struct plan_text text = build(&f, STR("${uuid}"), true);
    for (size_t i = 0; i < COUNT; i++) {
        /* Four runs; the same random bits for all. */
        f.plan.uuid_seed = i % 4;
        v.vu = i / 4 % 50;
        v.op_seq = i / 200;
        memcpy(seen[i], written(&f, &text, &v), 37);
        assert_int_equal(strspn(seen[i], "0123456789abcdef-"), 36);
        assert_int_equal(seen[i][14], '4');
        assert_non_null(strchr("89ab", seen[i][19]));
        assert_true(seen[i][8] == '-' && seen[i][13] == '-' && seen[i][18] == '-');
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(seen[k], seen[i]);
        }
    }
    struct plan_text two = build(&f, STR("${uuid}${uuid}"), true);
    const char *both = written(&f, &two, &v);
    assert_int_not_equal(memcmp(both, both + 36, 36), 0);
    end(&f);
}

static void the_environment_is_literal(void **state)
{
    const char *declared[] = {"MCPDRILL_TEST_KEY", "MCPDRILL_TEST_NONE"};
    struct fixture f;

    (void)state;
    begin(&f);
    f.scenario.environment.variables = declared;
    f.scenario.environment.variable_count = 2;
    assert_string_equal(filled(&f, "<${env:PATH}>", true), "<${env:PATH}>");
    setenv("MCPDRILL_TEST_KEY", "a\"b\\c\r\nX: y", 1); /* NOLINT(concurrency-mt-unsafe) */
    unsetenv("MCPDRILL_TEST_NONE");                    /* NOLINT(concurrency-mt-unsafe) */
    assert_string_equal(filled(&f, "{\"k\":\"${env:MCPDRILL_TEST_KEY}\"}", false),
                        "{\"k\":\"a\\\"b\\\\c\\r\\nX: y\"}");
    assert_string_equal(filled(&f, "Bearer ${env:MCPDRILL_TEST_KEY}", true), "Bearer a\"b\\cX: y");
    assert_string_equal(filled(&f, "<${env:MCPDRILL_TEST_NONE}>", true), "<>");
    assert_true(build(&f, STR("${env:MCPDRILL_TEST_KEY} ${run_id}"), true).is_static);
    unsetenv("MCPDRILL_TEST_KEY"); /* NOLINT(concurrency-mt-unsafe) */
    end(&f);
}

static void what_varies(void **state)
{
    static const struct {
        const char *template;
        bool varies;
    } cases[] = {
        {"plain ${run_id}", false}, {"${vu_id}", false},
        {"${op_seq}", true},        {"${stage_id}", true},
        {"${uuid}", true},          {"${random_int:1:2}", true},
        {"${timestamp_ms}", true},  {"${random_choice:a}", true},
    };
    struct fixture f;

    (void)state;
    begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct plan_text text = build(&f, str_c(cases[i].template), true);

        assert_int_equal(plan_text_varies(&text), cases[i].varies);
    }
    end(&f);
}

static void what_does_not_fit_is_said(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    struct plan_text text = build(
        &f,
        STR("{\"a\":\"${uuid}\",\"b\":\"${data:seq.age} ${data:seq.name}\",\"c\":\"${payload:j}\","
            "\"d\":\"${nonce}${random_int:-5:-5}\"}"),
        false);
    size_t len = strlen(written(&f, &text, &values));
    for (size_t max = 0; max < len; max++) {
        struct buf small;

        buf_init(&small, max);
        assert_int_equal(plan_text_write(&f.plan, &text, &values, &small), ERR_LIMIT);
        buf_clear(&small);
    }
    end(&f);
}

/* Ten megabytes of placeholders are built and written in linear time. */
static void a_large_text_is_linear(void **state)
{
    enum { COUNT = 400 * 1000 };
    struct fixture f;
    struct buf text;

    (void)state;
    begin(&f);
    buf_init(&text, 1 << 24);
    buf_init(&f.out, 1 << 25);
    buf_add_c(&text, "[");
    for (size_t i = 0; i < COUNT; i++) {
        buf_add_c(&text, i > 0 ? ",\"${timestamp_ms} ${run_id}\"" : "\"${timestamp_ms}\"");
    }
    buf_add_c(&text, "]");
    struct plan_text built = build(&f, buf_str(&text), false);
    assert_int_equal(built.count, 2 * COUNT + 1);
    written(&f, &built, &values);
    assert_int_equal(f.out.len, 15 + (COUNT - 1) * (3 + 13 + 1 + 5));
    buf_clear(&text);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_for_what),
        cmocka_unit_test(data_keep_their_json),
        cmocka_unit_test(rows_stay_together),
        cmocka_unit_test(payloads_are_values_or_text),
        cmocka_unit_test(random_values_are_in_range_and_repeat),
        cmocka_unit_test(the_widest_range),
        cmocka_unit_test(uuids_are_well_formed_and_differ),
        cmocka_unit_test(the_environment_is_literal),
        cmocka_unit_test(what_varies),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(a_large_text_is_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
