/* SPDX-License-Identifier: MIT */
/* Stop conditions: scopes, first streams, dropped operations, metrics of the scenario. */
#include "unit/control/stop_fixture.h"

static const uint64_t only_search[] = {UINT64_C(0xC)};

static void test_ten_seconds_twice_are_twenty(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.05, 10000, 2);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.failed = 1}, 60), 20);
    assert_string_equal(f.trigger.sentence,
                        "error_rate was 100 % (n=10), limit 5 %, for 20 s: 2 windows of 10 s");
    tear_down(&f);
}

static void test_windows_that_differ_are_told_apart(void **state)
{
    struct stop_spec s = spec("latency_p50_ms", STOP_GT, 9, 1000, 3);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_false(tick(&f, (struct second){.ok = 1, .service_ms = 10}));
    assert_false(tick(&f, (struct second){.ok = 1, .service_ms = 20}));
    assert_true(tick(&f, (struct second){.ok = 1, .service_ms = 30}));
    assert_string_equal(
        f.trigger.sentence,
        "latency_p50_ms was 30 ms (n=1), limit 9 ms, for 3 s: 3 windows of 1 s (10 ms, "
        "20 ms, 30 ms)");
    tear_down(&f);
}

static void test_a_scope_narrows_to_keys(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.5, 2000, 1);
    s.keys = only_search;
    s.scope_text = "tool_name=search";
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.failed = 9}, 5), 6);
    /* Only of the other tool: no value, no breach. */
    assert_false(f.s == NULL);
    assert_int_equal(ticks_until(&f, (struct second){.failed = 1, .search = true}, 5), 1);
    assert_int_equal(f.trigger.windows[0].failed, 1);
    assert_string_equal(
        f.trigger.sentence,
        "error_rate{tool_name=search} was 100 % (n=1), limit 50 %, in a window of 2 s");
    tear_down(&f);
}

static void test_keys_and_stage_narrow_together(void **state)
{
    struct stop_spec s = spec("operations_failed", STOP_GE, 4, 9000, 1);
    s.keys = only_search;
    s.stage_index = 1;
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.failed = 9, .search = true}, 3), 4);
    stop_stage_begin(f.s, 1, f.next);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .failed = 9}, 3), 4);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .failed = 2, .search = true}, 9),
                     2);
    assert_true(f.trigger.early);
    tear_down(&f);
}

/* All connections of a stage are made when it begins, inside a second that it shares. */
static void test_connections_of_the_first_fragment(void **state)
{
    struct stop_spec s[] = {spec("connection_error_rate", STOP_GT, 0.5, 2000, 1),
                            spec("session_creation_failures", STOP_GE, 1, 2000, 1)};
    struct fixture f;
    struct stop_state st;

    (void)state;
    s[0].stage_index = s[1].stage_index = 1;
    f = set_up(s, 2);
    assert_false(tick(&f, (struct second){.ok = 1}));
    window_reset(f.w, f.next, f.next * NS_PER_S, (f.next + 1) * NS_PER_S);
    window_connect(f.w, MS, ERROR_CODE_NONE);
    window_connect(f.w, MS, ERROR_CODE_NONE);
    window_enter_stage(f.w, 1, f.next * NS_PER_S + MS);
    stop_stage_begin(f.s, 1, f.next + 1);
    window_connect(f.w, MS, ERROR_CODE_NONE);
    window_connect(f.w, MS, ERROR_CODE_CONNECTION_REFUSED);
    window_connect(f.w, MS, ERROR_CODE_CONNECTION_REFUSED);
    window_session(f.w, MS, MS, false);
    assert_true(aggregate_add(f.a, 0, f.w));
    f.next++;
    assert_false(stop_evaluate(f.s, f.a, f.next, &f.trigger));
    assert_false(tick(&f, (struct second){.stage = 1, .ok = 1}));
    assert_true(tick(&f, (struct second){.stage = 1, .ok = 1}));
    assert_int_equal(f.trigger.index, 0);
    assert_int_equal(f.trigger.windows[0].samples, 3);
    /* A count per window stays within its window. */
    stop_state(f.s, 1, &st);
    assert_false(st.breached);
    tear_down(&f);
}

static void test_silence_before_the_first_stream_is_no_silence(void **state)
{
    struct stop_spec s = spec("events_per_second", STOP_LT, 10, 3000, 1);
    s.stage_index = 1;
    s.after_first_stream = true;
    struct fixture f = set_up(&s, 1);
    struct stop_state st;

    (void)state;
    /* A stream of the stage before does not count. */
    assert_int_equal(ticks_until(&f, (struct second){.streams = 1, .events = 99}, 2), 3);
    stop_stage_begin(f.s, 1, f.next);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .ok = 1, .service_ms = 1}, 9), 10);
    stop_state(f.s, 0, &st);
    assert_true(st.active && st.waiting);
    assert_false(st.has_margin || st.breached);
    /* The window begins with the first stream's second. */
    assert_false(tick(&f, (struct second){.stage = 1, .streams = 1, .events = 2}));
    stop_state(f.s, 0, &st);
    assert_true(st.active && !st.waiting);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1}, 9), 2);
    assert_int_equal(f.trigger.window_s, 3);
    assert_true(f.trigger.windows[0].value > 0.6 && f.trigger.windows[0].value < 0.7);
    /* Another beginning of the stage waits again. */
    stop_stage_begin(f.s, 1, f.next);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1}, 9), 10);
    tear_down(&f);
}

static void test_the_first_stream_of_a_scope(void **state)
{
    struct stop_spec s = spec("events_per_second", STOP_LT, 1, 2000, 1);
    s.keys = only_search;
    s.after_first_stream = true;
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.streams = 1}, 5), 6);
    assert_false(tick(&f, (struct second){.streams = 1, .search = true}));
    assert_true(tick(&f, (struct second){.streams = 1}));
    tear_down(&f);
}

static void test_dropped_operations_are_above_any_limit(void **state)
{
    struct stop_spec s[] = {spec("latency_p99_ms", STOP_GT, 5000, 2000, 1),
                            spec("service_p99_ms", STOP_GT, 5000, 2000, 1),
                            spec("latency_p99_ms", STOP_LT, 100, 2000, 1)};
    struct fixture f = set_up(s, 3);
    const struct second good = {.ok = 99, .service_ms = 200};

    (void)state;
    aggregate_set_open_model(f.a, 0, true);
    assert_int_equal(ticks_until(&f, good, 5), 6);
    /* One of a hundred: p99 is still a sample. Two: it is not. */
    assert_false(tick(&f, (struct second){.ok = 99, .service_ms = 200, .dropped = 1}));
    assert_true(tick(&f, (struct second){.ok = 99, .service_ms = 200, .dropped = 2}));
    assert_int_equal(f.trigger.index, 0);
    assert_int_equal(f.trigger.also_count, 0);
    assert_true(f.trigger.windows[0].shed && f.trigger.windows[0].lower_bound);
    assert_true(f.trigger.windows[0].value == 200);
    struct stop_state st;
    stop_state(f.s, 0, &st);
    assert_true(st.breached && st.worst_lower_bound && !st.has_margin);
    stop_state(f.s, 1, &st);
    assert_true(st.has_margin && !st.breached && !st.worst_lower_bound);
    assert_int_equal(f.trigger.windows[0].dropped, 3);
    assert_string_equal(f.trigger.sentence,
                        "latency_p99_ms was at least 200 ms (n=198, 3 due operations were "
                        "dropped), limit 5 s, in a window of 2 s");
    tear_down(&f);
}

static void test_nothing_but_dropped_operations(void **state)
{
    struct stop_spec s = spec("latency_p50_ms", STOP_GE, 1, 1000, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    aggregate_set_open_model(f.a, 0, true);
    assert_true(tick(&f, (struct second){.dropped = 4}));
    assert_string_equal(f.trigger.sentence, "latency_p50_ms was at least 0 ms (n=0, 4 due "
                                            "operations were dropped), limit 1 ms, in a window "
                                            "of 1 s");
    tear_down(&f);
}

static void test_a_metric_of_the_scenario(void **state)
{
    const struct metric_custom_def def = {.name = "your_metric", .kind = METRIC_TREND};
    struct metric_set *set = metric_set_new(&def, 1);
    struct stop_spec s[] = {spec("error_rate", STOP_GT, 0.9, 2000, 1),
                            spec("error_rate", STOP_GT, 0.9, 2000, 1)};

    (void)state;
    s[0].metric = metric_set_find(set, STR("your_metric"));
    s[1].metric = metric_set_find(set, STR("custom.your_metric.max"));
    s[0].threshold = 100;
    s[1].threshold = 199;
    struct fixture f = set_up(s, 2);
    assert_int_equal(ticks_until(&f, (struct second){.ok = 1}, 5), 6);
    assert_int_equal(ticks_until(&f, (struct second){.number = 100}, 5), 6);
    assert_int_equal(ticks_until(&f, (struct second){.number = 100.5}, 5), 1);
    assert_string_equal(f.trigger.sentence,
                        "custom.your_metric was 100, limit 100, in a window of 2 s");
    assert_true(tick(&f, (struct second){.number = 200}));
    assert_int_equal(f.trigger.also_count, 1);
    tear_down(&f);
    metric_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_seconds_twice_are_twenty),
        cmocka_unit_test(test_windows_that_differ_are_told_apart),
        cmocka_unit_test(test_a_scope_narrows_to_keys),
        cmocka_unit_test(test_keys_and_stage_narrow_together),
        cmocka_unit_test(test_connections_of_the_first_fragment),
        cmocka_unit_test(test_silence_before_the_first_stream_is_no_silence),
        cmocka_unit_test(test_the_first_stream_of_a_scope),
        cmocka_unit_test(test_dropped_operations_are_above_any_limit),
        cmocka_unit_test(test_nothing_but_dropped_operations),
        cmocka_unit_test(test_a_metric_of_the_scenario),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
