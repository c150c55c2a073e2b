/* SPDX-License-Identifier: MIT */
#include "unit/control/stop_fixture.h"

static void test_comparators(void **state)
{
    static const struct {
        const char *text;
        enum stop_comparator c;
        bool below, equal, above;
    } rows[] = {
        {">", STOP_GT, false, false, true},
        {">=", STOP_GE, false, true, true},
        {"<", STOP_LT, true, false, false},
        {"<=", STOP_LE, true, true, false},
    };
    enum stop_comparator c = STOP_LE;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(stop_comparator_parse(str_c(rows[i].text), &c));
        assert_int_equal(c, rows[i].c);
        assert_string_equal(stop_comparator_name(c), rows[i].text);
        assert_int_equal(stop_compare(1, c, 2), rows[i].below);
        assert_int_equal(stop_compare(2, c, 2), rows[i].equal);
        assert_int_equal(stop_compare(3, c, 2), rows[i].above);
    }
    assert_false(stop_comparator_parse(STR("=="), &c));
    assert_false(stop_comparator_parse(STR(""), &c));
}

static void test_a_whole_window_is_needed(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.5, 5000, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.failed = 4}, 20), 5);
    assert_int_equal(f.trigger.second, 4);
    assert_false(f.trigger.early || f.trigger.partial);
    assert_int_equal(f.trigger.window_count, 1);
    assert_true(f.trigger.windows[0].value == 1.0);
    assert_int_equal(f.trigger.windows[0].samples, 20);
    assert_int_equal(f.trigger.windows[0].failed, 20);
    assert_string_equal(f.trigger.sentence,
                        "error_rate was 100 % (n=20), limit 50 %, in a window of 5 s");
    assert_int_equal(f.trigger.signature_count, 1);
    assert_string_equal(f.trigger.signatures[0], "tool_error TOOL_ERROR: went wrong");
    tear_down(&f);
}

static void test_the_window_slides(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.5, 4000, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.ok = 1, .service_ms = 1}, 30), 31);
    /* More than half of the last four seconds: the third bad one decides. */
    assert_int_equal(ticks_until(&f, (struct second){.failed = 1}, 9), 3);
    tear_down(&f);
}

static void test_equal_to_the_limit_does_not_breach(void **state)
{
    struct stop_spec s[] = {spec("error_rate", STOP_GT, 0.5, 2000, 1),
                            spec("error_rate", STOP_GE, 0.5, 4000, 1)};
    struct fixture f = set_up(s, 2);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.ok = 1, .failed = 1, .service_ms = 1}, 9), 4);
    assert_int_equal(f.trigger.index, 1);
    assert_int_equal(f.trigger.also_count, 0);
    tear_down(&f);
}

static void test_sustained_windows_are_adjacent(void **state)
{
    struct stop_spec s = spec("latency_p99_ms", STOP_GT, 10000, 15000, 3);
    struct fixture f = set_up(&s, 1);

    (void)state;
    /* 45 seconds, not 17. */
    assert_int_equal(ticks_until(&f, (struct second){.ok = 18, .service_ms = 12430}, 99), 45);
    assert_int_equal(f.trigger.window_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f.trigger.windows[i].samples, 270);
    }
    assert_string_equal(f.trigger.sentence, "latency_p99_ms was 12.4 s (n=270), limit 10 s, for "
                                            "45 s: 3 windows of 15 s");
    tear_down(&f);
}

static void test_a_good_window_breaks_the_row(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0, 2000, 3);
    struct fixture f = set_up(&s, 1);
    const struct second good = {.ok = 1, .service_ms = 1}, bad = {.failed = 1};

    (void)state;
    /* Three bad seconds touch two windows of each phase, and a good one follows. */
    for (int round = 0; round < 5; round++) {
        assert_int_equal(ticks_until(&f, bad, 3), 4);
        assert_int_equal(ticks_until(&f, good, 3), 4);
    }
    assert_int_equal(ticks_until(&f, bad, 20), 5);
    tear_down(&f);
}

static void test_a_window_without_a_value_breaks_the_row(void **state)
{
    struct stop_spec s = spec("latency_p50_ms", STOP_GT, 5, 1000, 3);
    struct fixture f = set_up(&s, 1);
    const struct second slow = {.ok = 1, .service_ms = 9};

    (void)state;
    assert_int_equal(ticks_until(&f, slow, 2), 3);
    assert_false(tick(&f, (struct second){.ok = 0}));
    assert_int_equal(ticks_until(&f, slow, 9), 3);
    tear_down(&f);
}

static void test_silence_is_zero_only_when_busy(void **state)
{
    struct stop_spec s = spec("events_per_second", STOP_LT, 10, 3000, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.idle = true}, 9), 10);
    /* The window that holds a busy second is a busy window. */
    assert_int_equal(ticks_until(&f, (struct second){.events = 0}, 9), 1);
    assert_string_equal(f.trigger.sentence,
                        "events_per_second was 0/s, minimum 10/s, in a window of 3 s");
    tear_down(&f);
}

static void test_minimum_that_is_kept(void **state)
{
    struct stop_spec s = spec("events_per_second", STOP_LT, 10, 2000, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.events = 10}, 9), 10);
    assert_int_equal(ticks_until(&f, (struct second){.events = 9}, 9), 1);
    tear_down(&f);
}

static void test_a_count_fires_inside_its_first_window(void **state)
{
    struct stop_spec s = spec("stream_stall_count", STOP_GE, 5, 30000, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.ok = 1, .service_ms = 1}, 10), 11);
    assert_true(tick(&f, (struct second){.stalled = 10}));
    assert_true(f.trigger.early);
    assert_int_equal(f.trigger.window_s, 11);
    assert_string_equal(f.trigger.sentence, "stream_stall_count reached 10, limit 5, within 11 s");
    tear_down(&f);
}

static void test_only_counts_fire_early(void **state)
{
    static const struct {
        const char *metric;
        enum stop_comparator comparator;
        double threshold;
        uint32_t sustain;
        int ticks;
    } rows[] = {
        {"stream_stall_count", STOP_GT, 0, 1, 1},
        /* Two windows have to hold. */
        {"stream_stall_count", STOP_GT, 0, 2, 10},
        /* It will not stay below. */
        {"stream_stall_count", STOP_LT, 100, 1, 5},
        /* Not monotone. */
        {"stream_error_rate", STOP_GT, 0.5, 1, 5},
        {"stream_stalls_per_sec", STOP_GT, 0.5, 1, 5},
        {"active_vus", STOP_GT, 0, 1, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stop_spec s =
            spec(rows[i].metric, rows[i].comparator, rows[i].threshold, 5000, rows[i].sustain);
        struct fixture f = set_up(&s, 1);
        assert_int_equal(ticks_until(&f, (struct second){.stalled = 1}, 20), rows[i].ticks);
        tear_down(&f);
    }
}

static void test_a_windowed_count_forgets(void **state)
{
    struct stop_spec s = spec("stream_stall_count", STOP_GT, 2, 3000, 1);
    struct fixture f = set_up(&s, 1);
    const struct second quiet = {.ok = 1, .service_ms = 1};

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_false(tick(&f, (struct second){.stalled = 2}));
        assert_false(tick(&f, quiet));
        assert_false(tick(&f, quiet));
    }
    assert_false(tick(&f, (struct second){.stalled = 2}));
    assert_true(tick(&f, (struct second){.stalled = 1}));
    assert_false(f.trigger.early);
    assert_string_equal(f.trigger.sentence,
                        "stream_stall_count was 3, limit 2, in a window of 3 s");
    tear_down(&f);
}

static void test_a_total_counts_from_the_beginning(void **state)
{
    struct stop_spec s = spec("events_received_total", STOP_GE, 100, 3000, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.events = 7}, 50), 15);
    assert_true(f.trigger.windows[0].value == 105);
    assert_string_equal(f.trigger.sentence,
                        "events_received_total reached 105, limit 100, within 15 s");
    tear_down(&f);
}

static void test_a_total_of_a_stage(void **state)
{
    struct stop_spec s = spec("operations_failed", STOP_GE, 10, 10000, 1);
    s.stage_index = 1;
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.stage = 0, .failed = 50}, 5), 6);
    stop_stage_begin(f.s, 1, f.next);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .failed = 3}, 9), 4);
    assert_true(f.trigger.windows[0].value == 12);
    assert_int_equal(f.trigger.windows[0].failed, 12);
    tear_down(&f);
}

static void test_a_stage_begins_with_nothing(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.1, 5000, 1);
    s.stage_index = 1;
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.stage = 0, .failed = 9}, 20), 21);
    stop_stage_begin(f.s, 1, f.next);
    /* Failures of the stage before that end now are not its own. */
    assert_int_equal(ticks_until(&f, (struct second){.stage = 0, .failed = 9}, 6), 7);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .failed = 1}, 9), 1);
    tear_down(&f);
}

static void test_a_stage_waits_for_its_own_whole_window(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.1, 5000, 2);
    s.stage_index = 1;
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .failed = 9}, 20), 21);
    stop_stage_begin(f.s, 1, f.next);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .failed = 1}, 20), 10);
    /* The same stage again, as a repeated one would be. */
    stop_stage_begin(f.s, 1, f.next);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .failed = 1}, 20), 10);
    tear_down(&f);
}

static void test_a_stage_that_ended_is_not_evaluated(void **state)
{
    struct stop_spec s[] = {spec("error_rate", STOP_GT, 0.1, 3000, 1),
                            spec("error_rate", STOP_GT, 0.1, 50000, 1)};
    s[0].stage_index = 1;
    struct fixture f = set_up(s, 2);
    struct stop_state st;

    (void)state;
    stop_stage_begin(f.s, 1, 0);
    /* No condition there: nothing to remember. */
    stop_stage_begin(f.s, 9, 0);
    stop_stage_end(f.s, 9, 1);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .ok = 1}, 4), 5);
    stop_stage_end(f.s, 1, f.next);
    assert_int_equal(ticks_until(&f, (struct second){.stage = 1, .failed = 5}, 10), 11);
    stop_state(f.s, 0, &st);
    assert_false(st.active || st.breached || st.triggered);
    stop_state(f.s, 1, &st);
    assert_true(st.active);
    tear_down(&f);
}

static void test_the_end_is_respected_by_a_late_evaluation(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.1, 2000, 1);
    s.stage_index = 0;
    struct fixture f = set_up(&s, 1);

    (void)state;
    stop_stage_begin(f.s, 0, 1);
    stop_stage_end(f.s, 0, 4);
    /* Seconds 1..3 are the stage's; only second 4 and later are bad. */
    for (uint64_t i = 0; i < 8; i++) {
        assert_false(tick(&f, (struct second){.ok = 1, .failed = i < 1 || i > 3, .service_ms = 1}));
    }
    tear_down(&f);
}

static void test_all_that_hold_are_named(void **state)
{
    struct stop_spec s[] = {spec("latency_p50_ms", STOP_GT, 99, 2000, 1),
                            spec("error_rate", STOP_GT, 0.1, 3000, 1),
                            spec("stream_stall_count", STOP_GT, 9999, 3000, 1),
                            spec("operations_failed", STOP_GE, 9, 3000, 1)};
    struct fixture f = set_up(s, 4);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.ok = 3, .failed = 3, .service_ms = 5}, 9), 3);
    /* The first of the file is the reason. */
    assert_int_equal(f.trigger.index, 1);
    assert_ptr_equal(f.trigger.spec->metric, s[1].metric);
    assert_int_equal(f.trigger.also_count, 1);
    assert_int_equal(f.trigger.also[0], 3);
    tear_down(&f);
}

static void test_parts_of_a_second_are_rounded_up(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.1, 2001, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.failed = 1}, 9), 3);
    assert_int_equal(f.trigger.window_s, 3);
    /* … and the one that the stage shares with its forerunner. */
    assert_int_equal(stop_history_seconds(&s, 1), 4);
    assert_int_equal(stop_history_seconds(NULL, 0), 2);
    tear_down(&f);
}

/* The result does not depend on how often it is asked. */
static void test_seconds_are_looked_at_in_order(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.5, 2000, 2);
    struct fixture f = set_up(&s, 1), late = set_up(&s, 1);
    struct stop_trigger t;

    (void)state;
    for (int i = 0; i < 30; i++) {
        bool bad = i == 7 || (i > 12 && i < 18);
        struct second c = {.ok = !bad, .failed = bad, .service_ms = 1};
        tick(&f, c);
        struct stop *kept = late.s;
        late.s = stop_new(NULL, 0);
        assert_false(tick(&late, c));
        stop_free(late.s);
        late.s = kept;
    }
    /* Bad are 13..17: windows (13, 14) and (15, 16) decide at 16. */
    assert_true(stop_evaluate(late.s, late.a, 30, &t));
    assert_int_equal(t.second, 16);
    assert_true(stop_evaluate(late.s, late.a, 30, &t));
    assert_int_equal(t.second, 17);
    assert_false(stop_evaluate(late.s, late.a, 30, &t));
    assert_int_equal(f.trigger.second, 17);
    tear_down(&f);
    tear_down(&late);
}

static void test_partial_seconds_are_marked(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.5, 1000, 1);
    struct fixture f = set_up(&s, 1);
    struct stop_trigger t;

    (void)state;
    aggregate_free(f.a);
    f.a = aggregate_new(keys, KEYS, STAGES, 2, CUSTOMS, HISTORY);
    assert_false(tick(&f, (struct second){.failed = 1}));
    assert_true(stop_evaluate(f.s, f.a, aggregate_newest(f.a), &t));
    assert_true(t.partial);
    tear_down(&f);
}

/* What the missing source could only make worse may decide, and shares may; what it could be the
 * cause of may not. */
static void test_partial_windows_decide_what_they_can(void **state)
{
    static const struct {
        const char *metric;
        enum stop_comparator comparator;
        double threshold;
        bool fires;
    } cases[] = {
        {"operations_failed", STOP_GT, 1, true}, {"operations_failed", STOP_LT, 100, false},
        {"ops_per_second", STOP_GE, 1, true},    {"ops_per_second", STOP_LE, 100, false},
        {"error_rate", STOP_GT, 0.1, true},      {"error_rate", STOP_LT, 0.9, true},
        {"service_p50_ms", STOP_GT, 0.1, true},  {"service_p50_ms", STOP_LT, 100, true},
        {"service_max_ms", STOP_GT, 0.1, true},  {"service_max_ms", STOP_LT, 1000, false},
        {"active_vus", STOP_GE, 1, true},        {"active_vus", STOP_LT, 100, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stop_spec s =
            spec(cases[i].metric, cases[i].comparator, cases[i].threshold, 1000, 1);
        struct fixture f = set_up(&s, 1);
        struct stop_trigger t;

        aggregate_free(f.a);
        f.a = aggregate_new(keys, KEYS, STAGES, 2, CUSTOMS, HISTORY);
        assert_false(tick(&f, (struct second){.ok = 4, .failed = 2, .service_ms = 5}));
        if (stop_evaluate(f.s, f.a, 1, &t) != cases[i].fires) {
            fail_msg("%s %s", cases[i].metric, stop_comparator_name(cases[i].comparator));
        }
        assert_true(!cases[i].fires || t.windows[0].partial);
        /* The same is decided when nothing is missing. */
        stop_free(f.s);
        f.s = stop_new(&s, 1);
        aggregate_finish_source(f.a, 1);
        assert_true(stop_evaluate(f.s, f.a, 1, &t));
        assert_false(t.partial);
        assert_null(strstr(t.sentence, "partial"));
        tear_down(&f);
    }
}

static void test_a_lower_bound_says_so(void **state)
{
    struct stop_spec s = spec("service_p99_ms", STOP_GE, 10000, 1000, 1);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_true(tick(&f, (struct second){.stalled = 3}));
    assert_string_equal(f.trigger.sentence,
                        "service_p99_ms was at least 10 s (n=3), limit 10 s, in a window of 1 s");
    tear_down(&f);
}

static void test_state_for_panel_and_result(void **state)
{
    struct stop_spec s[] = {spec("error_rate", STOP_GT, 0.5, 2000, 2),
                            spec("ops_per_second", STOP_LT, 1, 2000, 1)};
    struct fixture f = set_up(s, 2);
    struct stop_state st;

    (void)state;
    stop_state(f.s, 0, &st);
    assert_false(st.active || st.has_worst || st.has_margin);
    assert_false(tick(&f, (struct second){.failed = 4}));
    stop_state(f.s, 0, &st);
    /* Shown, but it does not count yet. */
    assert_true(st.active && st.has_margin && st.margin == -0.5);
    assert_false(st.has_worst || st.breached);
    assert_false(tick(&f, (struct second){.failed = 4}));
    assert_false(tick(&f, (struct second){.ok = 4, .service_ms = 1}));
    assert_false(tick(&f, (struct second){.ok = 12, .service_ms = 1}));
    stop_state(f.s, 0, &st);
    assert_true(st.has_worst && st.worst == 1.0 && st.breached);
    assert_false(st.triggered);
    assert_true(st.last.value == 0 && st.margin == 0.5);
    assert_int_equal(st.row, 0);
    assert_int_equal(st.last_second, 3);
    stop_state(f.s, 1, &st);
    assert_true(st.worst == 4 && st.last.value == 8 && st.margin == 7);
    assert_false(st.breached);
    assert_int_equal(stop_count(f.s), 2);
    tear_down(&f);
}

static void test_no_conditions(void **state)
{
    struct fixture f = set_up(NULL, 0);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.failed = 1}, 3), 4);
    tear_down(&f);
    stop_free(NULL);
    aggregate_free(NULL);
}

/* Windows longer than what was shown, rows longer than what is kept. */
static void test_a_long_row(void **state)
{
    struct stop_spec s = spec("error_rate", STOP_GT, 0.5, 2000, 12);
    struct fixture f = set_up(&s, 1);

    (void)state;
    assert_int_equal(ticks_until(&f, (struct second){.failed = 1}, 99), 24);
    assert_int_equal(f.trigger.window_count, STOP_WINDOWS_SHOWN);
    assert_string_equal(f.trigger.sentence,
                        "error_rate was 100 % (n=2), limit 50 %, for 24 s: 12 windows of 2 s");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparators),
        cmocka_unit_test(test_a_whole_window_is_needed),
        cmocka_unit_test(test_the_window_slides),
        cmocka_unit_test(test_equal_to_the_limit_does_not_breach),
        cmocka_unit_test(test_sustained_windows_are_adjacent),
        cmocka_unit_test(test_a_good_window_breaks_the_row),
        cmocka_unit_test(test_a_window_without_a_value_breaks_the_row),
        cmocka_unit_test(test_silence_is_zero_only_when_busy),
        cmocka_unit_test(test_minimum_that_is_kept),
        cmocka_unit_test(test_a_count_fires_inside_its_first_window),
        cmocka_unit_test(test_only_counts_fire_early),
        cmocka_unit_test(test_a_windowed_count_forgets),
        cmocka_unit_test(test_a_total_counts_from_the_beginning),
        cmocka_unit_test(test_a_total_of_a_stage),
        cmocka_unit_test(test_a_stage_begins_with_nothing),
        cmocka_unit_test(test_a_stage_waits_for_its_own_whole_window),
        cmocka_unit_test(test_a_stage_that_ended_is_not_evaluated),
        cmocka_unit_test(test_the_end_is_respected_by_a_late_evaluation),
        cmocka_unit_test(test_all_that_hold_are_named),
        cmocka_unit_test(test_parts_of_a_second_are_rounded_up),
        cmocka_unit_test(test_seconds_are_looked_at_in_order),
        cmocka_unit_test(test_partial_seconds_are_marked),
        cmocka_unit_test(test_partial_windows_decide_what_they_can),
        cmocka_unit_test(test_a_lower_bound_says_so),
        cmocka_unit_test(test_state_for_panel_and_result),
        cmocka_unit_test(test_no_conditions),
        cmocka_unit_test(test_a_long_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
