/* SPDX-License-Identifier: MIT */
#include "unit/control/run_world.h"

#include <signal.h>

/* ---- natural ends ------------------------------------------------------------------------------
 */

static void the_plan_is_played_to_its_end(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", PREFLIGHT ", " BASELINE ", " SECOND_BASELINE);
    uint64_t start = now_ns;
    run_for(&w, 30 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_string_equal(w.events,
                        "RUN_CREATED preflight_running STAGE_STARTED SCHEDULER_TARGET_SET "
                        "STAGE_COMPLETED preflight_passed baseline_running STAGE_STARTED "
                        "SCHEDULER_TARGET_SET STAGE_COMPLETED STAGE_STARTED "
                        "SCHEDULER_TARGET_SET STAGE_COMPLETED stopping analyzing completed");
    assert_int_equal(w.stages, 3);
    assert_int_equal(w.checks, 1);
    assert_int_equal(w.drains, 1);
    assert_int_equal(w.natural_drains, 1);
    assert_int_equal(w.stops, 0);
    assert_int_equal(w.stage_start[0], start + LEAD_NS);
    assert_int_equal(w.stage_end[0] - w.stage_start[0], 2 * NS_PER_S);
    assert_in_range(w.stage_start[1] - w.stage_end[0], 0, 1200 * MS); /* it was judged between */
    assert_int_equal(w.stage_end[1] - w.stage_start[1], 5 * NS_PER_S);
    assert_int_equal(w.stage_start[2], w.stage_end[1]); /* no gap without a judgement */
    assert_int_equal(w.run->verdict, RUN_PASSED);
    assert_string_equal(w.run->validity, "valid");
    assert_string_equal(run_stop_name(w.run->stop.kind), "completed");
    assert_int_equal(w.run->stop_latency_ns, 0);
    assert_int_equal(w.seconds, w.second);
    tear_down(&w);
}

/* Workers go on by the plan alone; what somebody has to decide is not ordered before. */
static void stages_are_ordered_as_far_as_no_judgement_lies_between(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE ", " SECOND_BASELINE ", " PREFLIGHT ", " LAST_BASELINE);
    run_for(&w, 100 * MS);
    assert_int_equal(w.stages, 3);
    assert_int_equal(w.stage_start[1], w.stage_end[0]);
    assert_int_equal(w.stage_start[2], w.stage_end[1]);
    run_for(&w, 9900 * MS);
    assert_int_equal(w.run->stage, 2);
    assert_int_equal(w.stages, 3);
    run_for(&w, 20 * NS_PER_S);
    assert_int_equal(w.stages, 4);
    expect_end(&w, RUN_COMPLETED, 0);
    tear_down(&w);
}

/* A ramp that needs longer than its stage may take ends the run there. */
static void nothing_is_ordered_behind_a_ramp_that_overruns(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "",
           BASELINE ", {'stage': 'ramp', 'duration_ms': 60000, 'max_duration_ms': 60000, "
                    "'load': {'target_vus': 50}, 'ramp': {'mode': 'step', 'step_vus': 10, "
                    "'step_every_ms': 20000}}, " SECOND_BASELINE);
    run_for(&w, 100 * MS);
    assert_int_equal(w.stages, 2);
    run_for(&w, 90 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_int_equal(w.stages, 2);
    tear_down(&w);
}

static void a_stage_that_was_ordered_and_never_began_leaves_no_trace(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE ", " SECOND_BASELINE);
    run_for(&w, 2500 * MS);
    assert_int_equal(w.stages, 2);
    run_stop_request(w.run, STOP_DRAIN, 0, "user");
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 130);
    assert_int_equal(w.run->verdict, RUN_VERDICT_NONE); /* a part says nothing of the whole */
    assert_false(w.run->stages[1].started);
    assert_false(w.run->stages[1].ended);
    assert_int_equal(w.run->stages[1].max_vus, 0);
    tear_down(&w);
}

/* The second that ends with a stage is looked at when the next one has begun. */
static void users_are_counted_for_the_stage_in_which_they_were(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "",
           "{'stage': 'spike', 'duration_ms': 1000, 'load': {'target_vus': 30}}, "
           "{'stage': 'soak', 'duration_ms': 2000, 'load': {'target_vus': 3}}");
    w.vus = 15;
    run_for(&w, 1200 * MS);
    assert_int_equal(w.run->stage, 1);
    w.vus = 1;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_int_equal(w.run->stages[0].max_vus, 15 * SOURCES);
    assert_int_equal(w.run->stages[1].max_vus, 1 * SOURCES);
    tear_down(&w);
}

static void names_of_states_are_the_interface(void **state)
{
    (void)state;
    assert_string_equal(run_state_name(RUN_PREFLIGHT_PASSED), "preflight_passed");
    assert_string_equal(run_stop_name(RUN_STOP_CONDITION), "stop_condition_met");
    assert_string_equal(run_verdict_name(RUN_INVALID), "invalid");
    assert_false(run_state_terminal(RUN_ANALYZING));
    assert_true(run_state_terminal(RUN_ABORTED));
}

/* ---- preflight --------------------------------------------------------------------------------
 */

static void failed_checks_end_the_run_before_any_load(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.check_fails = true;
    run_for(&w, 5 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_int_equal(w.stages, 0);
    assert_string_equal(w.run->stop.sentence, "no MCP server");
    assert_string_equal(w.run->stop.reason, "preflight_failed: handshake");
    json_t *check = json_array_get(json_object_get(w.stage_failed, "checks"), 0);
    assert_string_equal(json_string_value(json_object_get(check, "name")), "handshake");
    assert_true(json_is_false(json_object_get(check, "ok")));
    assert_string_equal(json_string_value(json_object_get(check, "message")), "no MCP server");
    assert_true(json_is_string(json_object_get(check, "error_code")));
    assert_string_equal(w.events, "RUN_CREATED preflight_running STAGE_FAILED preflight_failed "
                                  "stopping analyzing failed");
    assert_int_equal(w.run->verdict, RUN_VERDICT_FAILED);
    tear_down(&w);
}

static void failed_operations_fail_preflight(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", PREFLIGHT ", " BASELINE);
    w.failed = 1;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_int_equal(w.stages, 1);
    assert_non_null(strstr(w.run->stop.sentence, "4 of 44 operations failed"));
    assert_non_null(strstr(w.run->stop.sentence, "boom"));
    tear_down(&w);
}

static void a_tools_own_errors_do_not_fail_preflight(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", PREFLIGHT ", " BASELINE);
    w.failed = 1;
    w.code = ERROR_CODE_TOOL_ERROR;
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    tear_down(&w);
}

/* "Passed" is what the file asked for; that nothing succeeded is said beside it. */
static void a_run_of_failures_that_nothing_forbids_says_so(void **state)
{
    (void)state;
    for (unsigned ok = 0; ok < 2; ok++) {
        struct world w;

        set_up(&w, "", BASELINE);
        w.ok = ok;
        w.failed = 1;
        w.code = ERROR_CODE_TOOL_ERROR;
        run_for(&w, 20 * NS_PER_S);
        expect_end(&w, RUN_COMPLETED, 0);
        assert_int_equal(w.run->verdict, RUN_PASSED);
        bool told = strstr(buf_c(&w.run->warnings), "every operation failed") != NULL;
        assert_int_equal(told, ok == 0);
        assert_null(strstr(buf_c(&w.run->warnings), "never succeeded"));
        tear_down(&w);
    }
}

/* ---- stop conditions and caps -------------------------------------------------------------------
 */

static void a_condition_stops_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", GUARDED(""));
    run_for(&w, 4500 * MS);
    assert_int_equal(w.run->state, RUN_BASELINE_RUNNING);
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_true(w.run->triggered);
    assert_string_equal(w.run->trigger.spec->id, "c");
    assert_int_equal(w.drains, 1);
    assert_non_null(strstr(w.run->stop.reason, "stop_condition_triggered: error_rate > 0.1"));
    assert_true(w.run->stop.sentence[0] != '\0');
    assert_non_null(strstr(w.events, "STOP_CONDITION_TRIGGERED STAGE_COMPLETED stopping"));
    assert_string_equal(w.triggered_in, "baseline stg_0000000000000001");
    assert_int_equal(w.run->verdict, RUN_VERDICT_FAILED);
    /* From the deciding second's end: our decision and the drain of 300 ms. */
    assert_in_range(w.run->stop_latency_ns, 300 * MS, 400 * MS);
    tear_down(&w);
}

static void a_condition_may_mean_success(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", GUARDED(", 'on_trigger': 'pass'"));
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 0);
    assert_int_equal(w.run->verdict, RUN_PASSED);
    tear_down(&w);
}

static void a_condition_of_preflight_fails_it(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "",
           "{'stage': 'preflight', 'duration_ms': 20000, 'load': {'target_vus': 1}, "
           "'stop_conditions': [{'id': 'c', 'metric': 'error_rate', 'comparator': '>', "
           "'threshold': 0.1, 'window_ms': 2000, 'sustain_windows': 1}]}, " BASELINE);
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_int_equal(w.stages, 1);
    tear_down(&w);
}

static void a_condition_of_the_whole_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w,
           "'stop_conditions': [{'id': 'all', 'metric': 'latency_p99_ms', 'comparator': '>', "
           "'threshold': 1, 'window_ms': 2000, 'sustain_windows': 2}]",
           BASELINE);
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_string_equal(w.run->trigger.spec->id, "all");
    assert_int_equal(w.run->trigger.second, 3);
    assert_string_equal(w.triggered_in, " "); /* of no stage */
    tear_down(&w);
}

static void stop_policy_immediate_cuts(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'stop_policy': {'mode': 'immediate'}", GUARDED(""));
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_int_equal(w.drains, 0);
    assert_int_equal(w.stops, 1);
    tear_down(&w);
}

static void max_duration_ends_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'hard_caps': {'max_duration_ms': 6000}", BASELINE ", " SECOND_BASELINE);
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_string_equal(run_stop_name(w.run->stop.kind), "max_duration_reached");
    tear_down(&w);
}

static void max_errors_ends_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'hard_caps': {'max_errors': 9}", BASELINE);
    w.failed = 2; /* of each of two sources, each second: 8 after two, 12 after three */
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_string_equal(run_stop_name(w.run->stop.kind), "max_errors_reached");
    assert_in_range(w.seconds, 3, 4);
    tear_down(&w);
}

/* ---- people and signals -------------------------------------------------------------------------
 */

static void an_interrupt_drains(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
    assert_int_equal(w.run->state, RUN_STOPPING);
    run_for(&w, 5 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 130);
    assert_int_equal(w.drains, 1);
    assert_int_equal(w.stops, 0);
    assert_int_equal(w.run->verdict, RUN_VERDICT_NONE);
    assert_string_equal(w.run->stop.sentence, "interrupted");
    assert_non_null(strstr(w.events, "STOP_REQUESTED"));
    tear_down(&w);
}

static void a_second_interrupt_cuts(void **state)
{
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        struct world w;

        set_up(&w, "", BASELINE);
        w.never_drains = true;
        run_for(&w, 2500 * MS);
        run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
        run_for(&w, 100 * MS);
        run_stop_request(w.run, mode == 0 ? STOP_DRAIN : STOP_IMMEDIATE, SIGINT, "user");
        run_for(&w, 10 * MS);
        expect_end(&w, RUN_STOPPED, 130);
        assert_int_equal(w.stops, 1);
        /* Whoever reads the events learns why operations are unfinished. */
        assert_non_null(strstr(w.events, "stopping DECISION analyzing"));
        run_stop_request(w.run, STOP_IMMEDIATE, SIGINT, "user"); /* too late for anything */
        expect_end(&w, RUN_STOPPED, 130);
        tear_down(&w);
    }
}

static void sigterm_has_its_own_code(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    run_stop_request(w.run, STOP_DRAIN, SIGTERM, "system");
    run_for(&w, 5 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 143);
    tear_down(&w);
}

static void an_interrupt_at_any_moment_ends_the_run(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 9000; at += 130) {
        struct world w;

        set_up(&w, "", PREFLIGHT ", " BASELINE);
        run_for(&w, at * MS);
        if (w.run->state == RUN_STOPPING || run_state_terminal(w.run->state)) {
            tear_down(&w);
            continue;
        }
        run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
        run_for(&w, 5 * NS_PER_S);
        expect_end(&w, RUN_STOPPED, 130);
        tear_down(&w);
    }
}

static void an_interrupt_during_the_checks(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.silent_checks = true;
    loop_defer_cancel(&w.answer_checks);
    run_for(&w, NS_PER_S);
    run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
    run_for(&w, 5 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 130);
    tear_down(&w);
}

static void a_drain_after_the_last_stage_may_be_cut_short(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.never_drains = true;
    run_for(&w, 6 * NS_PER_S);
    assert_int_equal(w.run->state, RUN_STOPPING);
    run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
    run_for(&w, 10 * MS);
    expect_end(&w, RUN_COMPLETED, 0); /* the load was played; its verdict stands */
    tear_down(&w);
}

static void an_emergency_stop_aborts(void **state)
{
    (void)state;
    for (int draining = 0; draining < 2; draining++) {
        struct world w;

        set_up(&w, "", BASELINE);
        w.never_drains = true;
        run_for(&w, 2500 * MS);
        if (draining) {
            run_stop_request(w.run, STOP_DRAIN, 0, "user");
            run_for(&w, 100 * MS);
        }
        run_emergency_stop(w.run, "user");
        run_for(&w, 10 * MS);
        expect_end(&w, RUN_ABORTED, 7);
        assert_int_equal(w.stops, 1);
        assert_int_equal(w.run->stop.mode, STOP_IMMEDIATE);
        assert_string_equal(run_stop_name(w.run->stop.kind), "emergency_stop");
        run_emergency_stop(w.run, "user");
        expect_end(&w, RUN_ABORTED, 7);
        assert_string_equal(w.events + strlen(w.events) - 7, "aborted"); /* the last event */
        tear_down(&w);
    }
}

static void a_drain_that_takes_too_long_is_cut(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'stop_policy': {'mode': 'drain', 'drain_timeout_ms': 2000}", BASELINE);
    w.never_drains = true;
    run_for(&w, 6 * NS_PER_S);
    assert_int_equal(w.run->state, RUN_STOPPING);
    assert_int_equal(w.stops, 0);
    run_for(&w, 2 * NS_PER_S);
    assert_int_equal(w.stops, 1);
    assert_true(w.run->drain_timed_out);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_non_null(strstr(w.events, "SYSTEM_WARNING"));
    tear_down(&w);
}

/* ---- our own failures ---------------------------------------------------------------------------
 */

static void our_failure_ends_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    run_on_failure(w.run, "a thread could not be started");
    run_for(&w, NS_PER_S);
    expect_end(&w, RUN_FAILED, 1);
    assert_int_equal(w.stops, 1);
    assert_string_equal(w.run->stop.sentence, "a thread could not be started");
    tear_down(&w);
}

static void books_that_do_not_balance_are_lost_data(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.lose_one_outcome = true;
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 6);
    assert_string_equal(w.run->validity, "lost_data");
    assert_int_equal(w.run->verdict, RUN_INVALID);
    assert_non_null(strstr(buf_c(&w.run->evidence), "operations started"));
    tear_down(&w);
}

static void failures_of_our_own_make_the_run_invalid(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.failed = 1;
    w.code = ERROR_CODE_OUT_OF_FILES;
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 6);
    assert_string_equal(w.run->validity, "generator_bound");
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_is_played_to_its_end),
        cmocka_unit_test(stages_are_ordered_as_far_as_no_judgement_lies_between),
        cmocka_unit_test(nothing_is_ordered_behind_a_ramp_that_overruns),
        cmocka_unit_test(a_stage_that_was_ordered_and_never_began_leaves_no_trace),
        cmocka_unit_test(users_are_counted_for_the_stage_in_which_they_were),
        cmocka_unit_test(names_of_states_are_the_interface),
        cmocka_unit_test(failed_checks_end_the_run_before_any_load),
        cmocka_unit_test(failed_operations_fail_preflight),
        cmocka_unit_test(a_tools_own_errors_do_not_fail_preflight),
        cmocka_unit_test(a_run_of_failures_that_nothing_forbids_says_so),
        cmocka_unit_test(a_condition_stops_the_run),
        cmocka_unit_test(a_condition_may_mean_success),
        cmocka_unit_test(a_condition_of_preflight_fails_it),
        cmocka_unit_test(a_condition_of_the_whole_run),
        cmocka_unit_test(stop_policy_immediate_cuts),
        cmocka_unit_test(max_duration_ends_the_run),
        cmocka_unit_test(max_errors_ends_the_run),
        cmocka_unit_test(an_interrupt_drains),
        cmocka_unit_test(a_second_interrupt_cuts),
        cmocka_unit_test(sigterm_has_its_own_code),
        cmocka_unit_test(an_interrupt_at_any_moment_ends_the_run),
        cmocka_unit_test(an_interrupt_during_the_checks),
        cmocka_unit_test(a_drain_after_the_last_stage_may_be_cut_short),
        cmocka_unit_test(an_emergency_stop_aborts),
        cmocka_unit_test(a_drain_that_takes_too_long_is_cut),
        cmocka_unit_test(our_failure_ends_the_run),
        cmocka_unit_test(books_that_do_not_balance_are_lost_data),
        cmocka_unit_test(failures_of_our_own_make_the_run_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
