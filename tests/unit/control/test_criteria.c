/* SPDX-License-Identifier: MIT */
#include "control/criteria.h"
#include "support/unit.h"

#define MS UINT64_C(1000000)
#define S  (UINT64_C(1000) * MS)

enum { KEYS = 3, STAGES = 2 };

static const struct aggregate_key keys[KEYS] = {
    {.stage_index = 0, .operation = "tools/call", .tool_name = "echo"},
    {.stage_index = 1, .operation = "tools/call", .tool_name = "echo"},
    {.stage_index = 1, .operation = "tools/call", .tool_name = "search"},
};

struct books {
    struct aggregate *a;
    struct window *w;
};

static struct books books_open(void)
{
    struct books b = {.a = aggregate_new(keys, KEYS, STAGES, 1, 0, 9), .w = window_new(KEYS, 0, 0)};

    window_reset(b.w, 0, 0, S);
    return b;
}

static void end_operations(
    struct books *b, int count, uint32_t key, enum outcome_class cls, uint64_t service_ns)
{
    for (int i = 0; i < count; i++) {
        struct outcome o = {.key = key,
                            .cls = cls,
                            .t_due = 1,
                            .t_free = 1,
                            .t_ready = 1,
                            .t_send = 1,
                            .t_end = 1 + service_ns};
        if (cls != OUTCOME_OK) {
            o.error_type = ERROR_TYPE_TIMEOUT;
            o.error_code = ERROR_CODE_REQUEST_TIMEOUT;
        }
        window_started(b->w, key);
        window_outcome(b->w, &o);
    }
}

static struct criterion_spec
spec(const char *metric, enum stop_comparator comparator, double threshold)
{
    const struct metric *m = metric_find(str_c(metric));

    assert_non_null(m);
    return (struct criterion_spec){.id = "c",
                                   .metric = m,
                                   .comparator = comparator,
                                   .threshold = threshold,
                                   .stage_index = -1};
}

static struct criterion_result judge(const struct books *b, const struct criterion_spec *s)
{
    struct criterion_result r;

    criterion_judge(b->a, s, &r);
    assert_ptr_equal(r.spec, s);
    return r;
}

static void books_close(struct books *b)
{
    window_free(b->w);
    aggregate_free(b->a);
}

static void test_met_and_failed(void **state)
{
    static const struct {
        const char *metric;
        enum stop_comparator comparator;
        double threshold;
        enum criterion_state state;
        const char *sentence;
    } rows[] = {
        {"latency_p99_ms", STOP_LT, 5000, CRITERION_MET, "latency_p99_ms was 4.9 s, wanted < 5 s"},
        {"latency_p99_ms", STOP_LT, 4900, CRITERION_FAILED,
         "latency_p99_ms was 4.9 s, wanted < 4.9 s"},
        {"latency_p99_ms", STOP_LE, 4900, CRITERION_MET,
         "latency_p99_ms was 4.9 s, wanted <= 4.9 s"},
        {"error_rate", STOP_LE, 0, CRITERION_MET, "error_rate was 0 %, wanted <= 0 %"},
        {"operations_total", STOP_GE, 300, CRITERION_MET,
         "operations_total was 300, wanted >= 300"},
        {"operations_total", STOP_GT, 300, CRITERION_FAILED,
         "operations_total was 300, wanted > 300"},
        {"stream_completion_rate", STOP_GE, 1, CRITERION_NO_VALUE,
         "stream_completion_rate has no value, wanted >= 100 %: nothing was measured"},
        {"latency_p999_ms", STOP_LT, 9000, CRITERION_UNDECIDED,
         "latency_p999_ms was 4.9 s, wanted < 9 s: undecided, 300 samples are fewer than the "
         "2995 it needs"},
    };
    struct books b = books_open();

    (void)state;
    end_operations(&b, 300, 0, OUTCOME_OK, 4900 * MS);
    assert_true(aggregate_add(b.a, 0, b.w));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct criterion_spec s = spec(rows[i].metric, rows[i].comparator, rows[i].threshold);
        struct criterion_result r = judge(&b, &s);
        assert_string_equal(r.sentence, rows[i].sentence);
        assert_int_equal(r.state, rows[i].state);
        assert_int_equal(r.has_value, r.state != CRITERION_NO_VALUE);
    }
    books_close(&b);
}

static void test_a_stage_and_keys(void **state)
{
    static const uint64_t search[] = {4};
    struct books b = books_open();
    struct criterion_spec s = spec("operations_total", STOP_LE, 1);

    (void)state;
    end_operations(&b, 1, 0, OUTCOME_OK, MS);
    end_operations(&b, 2, 1, OUTCOME_OK, MS);
    end_operations(&b, 4, 2, OUTCOME_OK, MS);
    b.w->stage_index = 1;
    assert_true(aggregate_add(b.a, 0, b.w));
    window_reset(b.w, 1, S, 2 * S);
    assert_true(aggregate_add(b.a, 0, b.w));
    assert_true(judge(&b, &s).value == 7);
    s.stage_index = 0;
    assert_int_equal(judge(&b, &s).state, CRITERION_MET);
    s.stage_index = 1;
    assert_true(judge(&b, &s).value == 6);
    s.keys = search;
    s.scope_text = "tool_name=search";
    assert_string_equal(judge(&b, &s).sentence,
                        "operations_total{tool_name=search} was 4, wanted <= 1");
    s.stage_index = 0;
    assert_true(judge(&b, &s).value == 0);
    books_close(&b);
}

static void test_what_was_cut_proves_no_upper_limit(void **state)
{
    struct books b = books_open();
    struct criterion_spec below = spec("latency_p99_ms", STOP_LT, 20000);
    struct criterion_spec above = spec("latency_p99_ms", STOP_GT, 5000);

    (void)state;
    end_operations(&b, 290, 0, OUTCOME_OK, MS);
    end_operations(&b, 10, 0, OUTCOME_CUT, 10 * S);
    assert_true(aggregate_add(b.a, 0, b.w));
    struct criterion_result r = judge(&b, &below);
    assert_int_equal(r.state, CRITERION_FAILED);
    assert_true(r.lower_bound);
    assert_string_equal(r.sentence, "latency_p99_ms was at least 10 s, wanted < 20 s: operations "
                                    "that were cut or dropped reach into it");
    r = judge(&b, &above);
    assert_int_equal(r.state, CRITERION_MET);
    assert_string_equal(r.sentence, "latency_p99_ms was at least 10 s, wanted > 5 s");
    books_close(&b);
}

static void test_what_was_dropped_fails_an_upper_limit(void **state)
{
    struct books b = books_open();
    struct criterion_spec s[] = {
        spec("latency_p99_ms", STOP_LT, 20000), spec("service_p99_ms", STOP_LT, 20000),
        spec("response_max_ms", STOP_LT, 20000), spec("dropped_operations", STOP_LT, 10)};

    (void)state;
    aggregate_set_open_model(b.a, 0, true);
    end_operations(&b, 300, 0, OUTCOME_OK, MS);
    window_key(b.w, 0)->count[COUNT_DROPPED_NO_SLOT] = 10;
    assert_true(aggregate_add(b.a, 0, b.w));
    struct criterion_result r = judge(&b, &s[0]);
    assert_int_equal(r.state, CRITERION_FAILED);
    assert_true(r.shed && !r.has_value && r.value == 0);
    assert_string_equal(r.sentence, "latency_p99_ms was above all samples, wanted < 20 s: 10 due "
                                    "operations were dropped");
    assert_int_equal(judge(&b, &s[1]).state, CRITERION_MET);
    r = judge(&b, &s[2]);
    assert_int_equal(r.state, CRITERION_FAILED);
    assert_true(r.has_value && r.lower_bound);
    assert_int_equal(judge(&b, &s[3]).state, CRITERION_FAILED);
    books_close(&b);
}

static void test_an_empty_run_meets_nothing(void **state)
{
    struct books b = books_open();

    (void)state;
    for (size_t i = 0; i < metric_count(); i++) {
        struct criterion_spec s = spec(metric_at(i)->name, STOP_GE, 0);
        assert_int_equal(judge(&b, &s).state, CRITERION_NO_VALUE);
    }
    books_close(&b);
}

static void test_the_short_form(void **state)
{
    static const struct {
        const char *text, *metric;
        enum stop_comparator comparator;
        double threshold;
        size_t pairs;
    } rows[] = {
        {"latency_p99_ms < 5000", "latency_p99_ms", STOP_LT, 5000, 0},
        {"latency_p99_ms<5000", "latency_p99_ms", STOP_LT, 5000, 0},
        {"  error_rate  <=  1 % ", "error_rate", STOP_LE, 0.01, 0},
        {"error_rate<0.5%", "error_rate", STOP_LT, 0.005, 0},
        {"ops_per_second > 1e3", "ops_per_second", STOP_GT, 1000, 0},
        {"custom.hits.p95 >= -2.5", "custom.hits.p95", STOP_GE, -2.5, 0},
        {"latency_p95_ms{tool_name=search} < 500", "latency_p95_ms", STOP_LT, 500, 1},
        {"latency_p95_ms { tool_name = search , stage_id=a=b } < 500", "latency_p95_ms", STOP_LT,
         500, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct criterion_text t;
        struct err err = {.code = 0};
        if (criterion_parse(rows[i].text, &t, &err) != 0) {
            fail_msg("%s: %s", rows[i].text, err.msg);
        }
        assert_true(str_eq(t.metric, str_c(rows[i].metric)));
        assert_int_equal(t.comparator, rows[i].comparator);
        assert_true(t.threshold == rows[i].threshold);
        assert_int_equal(t.pair_count, rows[i].pairs);
        if (t.pair_count > 0) {
            assert_true(str_eq(t.pairs[0].key, STR("tool_name")));
            assert_true(str_eq(t.pairs[0].value, STR("search")));
        }
        if (t.pair_count > 1) {
            assert_true(str_eq(t.pairs[1].value, STR("a=b")));
        }
    }
}

static void test_what_the_short_form_refuses(void **state)
{
    static const struct {
        const char *text, *message;
        unsigned col;
    } rows[] = {
        {"", "the name of a metric expected at the end of \"\"", 1},
        {"< 5", "the name of a metric expected at character 1, not \"< 5\"", 1},
        {"error_rate", ">, >=, < or <= expected at the end of \"error_rate\"", 11},
        {"error_rate = 5", ">, >=, < or <= expected at character 12, not \"= 5\"", 12},
        {"error rate < 5", ">, >=, < or <= expected at character 7, not \"rate < 5\"", 7},
        {"error_rate <", "a number expected at the end of \"error_rate <\"", 13},
        {"error_rate < five", "a number expected at character 14, not \"five\"", 14},
        {"error_rate < 1..2", "a number expected at character 14, not \"1..2\"", 14},
        {"error_rate < 1e999", "a number expected at character 14, not \"1e999\"", 14},
        {"error_rate < 0x10", "\"%\" or the end expected at character 15, not \"x10\"", 15},
        {"error_rate < 5 s", "\"%\" or the end expected at character 16, not \"s\"", 16},
        {"a{} < 5", "key=value expected at character 3, not \"} < 5\"", 3},
        {"a{tool} < 5", "key=value expected at character 3, not \"tool} < 5\"", 3},
        {"a{tool=} < 5", "a value expected at character 8, not \"} < 5\"", 8},
        {"a{tool=x < 5", "\"}\" expected at the end of \"a{tool=x < 5\"", 13},
        {"a{tool=x,tool=y} < 5", "\"tool\" is given twice", 10},
        {"a{tool=x}{b=c} < 5", ">, >=, < or <= expected at character 10, not \"{b=c} < 5\"", 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct criterion_text t = {.pair_count = 77};
        struct err err = {.code = 0};
        assert_int_equal(criterion_parse(rows[i].text, &t, &err), ERR_USAGE);
        assert_string_equal(err.msg, rows[i].message);
        assert_int_equal(t.pair_count, 77);
        assert_int_equal(criterion_parse(rows[i].text, &t, NULL), ERR_USAGE);
        assert_int_equal(err.col, rows[i].col);
    }
}

static void test_long_texts_are_refused(void **state)
{
    char text[CRITERION_TEXT_MAX + 10];
    struct criterion_text t;
    struct err err;

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(criterion_parse(text, &t, &err), ERR_USAGE);
    assert_int_equal(criterion_parse("a{b=c,d=e,f=g,h=i,j=k,l=m,n=o,p=q,r=s} < 5", &t, &err),
                     ERR_USAGE);
    assert_string_equal(err.msg, "more than 8 pairs in braces");
    memset(text, '1', sizeof text);
    memcpy(text, "a < ", 4);
    text[200] = '\0';
    assert_int_equal(criterion_parse(text, &t, &err), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_met_and_failed),
        cmocka_unit_test(test_a_stage_and_keys),
        cmocka_unit_test(test_what_was_cut_proves_no_upper_limit),
        cmocka_unit_test(test_what_was_dropped_fails_an_upper_limit),
        cmocka_unit_test(test_an_empty_run_meets_nothing),
        cmocka_unit_test(test_the_short_form),
        cmocka_unit_test(test_what_the_short_form_refuses),
        cmocka_unit_test(test_long_texts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
