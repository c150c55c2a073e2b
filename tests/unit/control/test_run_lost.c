/* SPDX-License-Identifier: MIT */
/* Workers that are lost, or cannot take the run. */
#include "unit/control/run_world.h"

static void lose(struct world *w, uint32_t source)
{
    w->silent[source] = true;
    run_on_worker_lost(w->run, sources[source].worker_id, 7);
}

static void a_lost_worker_ends_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    lose(&w, 1);
    lose(&w, 1);                                          /* it is told once */
    run_on_worker_lost(w.run, "wkr_ffffffffffffffff", 1); /* it has no part in the run */
    run_for(&w, 2 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_string_equal(run_stop_name(w.run->stop.kind), "worker_capacity_lost");
    assert_string_equal(w.run->stop.reason, "worker_failure: worker wkr_0000000000000002 lost");
    assert_string_equal(w.run->stop.sentence,
                        "worker wkr_0000000000000002 was lost, and 7 virtual users with it");
    assert_non_null(strstr(w.events, "SCHEDULER_TARGET_SET WORKER_CAPACITY_LOST STAGE_COMPLETED "
                                     "stopping analyzing failed"));
    assert_null(strstr(w.events, "SYSTEM_WARNING"));
    assert_int_equal(w.run->stop.mode, STOP_IMMEDIATE);
    assert_int_equal(w.stops, 1);
    assert_int_equal(w.run->verdict, RUN_VERDICT_FAILED);
    assert_string_equal(w.run->validity, "lost_data");
    assert_non_null(strstr(buf_c(&w.run->evidence), "wkr_0000000000000002"));
    tear_down(&w);
}

/* Nobody is there who could answer an order. */
static void the_loss_of_all_workers_ends_the_run_at_once(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    lose(&w, 0);
    assert_int_equal(w.run->state, RUN_STOPPING);
    lose(&w, 1);
    expect_end(&w, RUN_FAILED, 5);
    assert_string_equal(w.run->stop.reason, "worker_failure: worker wkr_0000000000000001 lost");
    tear_down(&w);
}

static void a_loss_while_the_run_ends_changes_no_reason(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    w.drain_ns = 5 * NS_PER_S;
    run_stop_request(w.run, STOP_DRAIN, 0, "user");
    run_for(&w, NS_PER_S);
    lose(&w, 0);
    assert_int_equal(w.run->state, RUN_STOPPING);
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 130);
    assert_string_equal(run_stop_name(w.run->stop.kind), "stop_requested");
    assert_string_equal(w.run->validity, "lost_data");
    assert_non_null(strstr(w.events, "WORKER_CAPACITY_LOST"));
    lose(&w, 1); /* after the end nothing changes */
    assert_int_equal(w.ends, 1);
    tear_down(&w);
}

static void a_worker_lost_before_the_load_has_lost_no_data(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    loop_defer_cancel(&w.answer_checks);
    run_for(&w, 2500 * MS);
    lose(&w, 0);
    run_for(&w, NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_string_equal(w.run->validity, "valid");
    tear_down(&w);
}

/* Who was only cut off, and has brought everything before the others have ended, lacks nothing. */
static void a_worker_that_comes_back_in_time_has_lost_nothing(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    run_on_worker_lost(w.run, sources[1].worker_id, 1);
    run_for(&w, NS_PER_S); /* source 1 answers the order like the other */
    expect_end(&w, RUN_FAILED, 5);
    assert_string_equal(w.run->validity, "lost_data");
    tear_down(&w);
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    w.silent[0] = true; /* still busy */
    run_on_worker_lost(w.run, sources[1].worker_id, 1);
    run_for(&w, NS_PER_S);
    assert_int_equal(w.run->state, RUN_STOPPING);
    run_on_drained(w.run, 0);
    expect_end(&w, RUN_FAILED, 5);
    assert_string_equal(w.run->validity, "valid");
    assert_int_equal(run_count_workers(w.run).workers, 2);
    assert_int_equal(run_count_workers(w.run).whole, 2);
    tear_down(&w);
}

/* ---- totals -----------------------------------------------------------------------------------
 */

static void the_totals_of_all_workers_are_waited_for(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.workers.totals = true;
    run_for(&w, 20 * NS_PER_S);
    assert_int_equal(w.run->state, RUN_STOPPING);
    run_on_totals(w.run, sources[0].worker_id, true, NULL);
    assert_int_equal(w.run->state, RUN_STOPPING);
    assert_int_equal(run_count_workers(w.run).whole, 1);
    run_on_totals(w.run, sources[1].worker_id, true, NULL);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_string_equal(w.run->validity, "valid");
    tear_down(&w);
}

static void totals_that_differ_are_lost_data(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.workers.totals = true;
    run_for(&w, 20 * NS_PER_S);
    run_on_totals(w.run, sources[0].worker_id, false, "started: 110, in windows 100");
    run_on_totals(w.run, sources[1].worker_id, true, NULL);
    expect_end(&w, RUN_COMPLETED, 6);
    assert_string_equal(w.run->validity, "lost_data");
    assert_non_null(strstr(buf_c(&w.run->evidence), "wkr_0000000000000001"));
    assert_non_null(strstr(buf_c(&w.run->evidence), "started: 110, in windows 100"));
    tear_down(&w);
}

/* Its windows are there, but nobody can say that they are all. */
static void a_worker_lost_before_its_totals_is_lost_data(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.workers.totals = true;
    run_for(&w, 20 * NS_PER_S);
    run_on_totals(w.run, sources[0].worker_id, true, NULL);
    run_on_worker_lost(w.run, sources[1].worker_id, 3);
    expect_end(&w, RUN_COMPLETED, 6);
    assert_string_equal(w.run->validity, "lost_data");
    tear_down(&w);
}

static void other_policies_act_like_fail_fast_and_say_so(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'worker_failure_policy': 'best_effort'", BASELINE);
    run_for(&w, 2500 * MS);
    lose(&w, 1);
    run_for(&w, 2 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_non_null(strstr(w.events, "WORKER_CAPACITY_LOST SYSTEM_WARNING STAGE_COMPLETED"));
    assert_non_null(strstr(buf_c(&w.run->warnings), "best_effort"));
    tear_down(&w);
}

static void workers_that_cannot_take_it_fail_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    loop_defer_cancel(&w.answer_checks);
    run_for(&w, 500 * MS);
    run_on_allocation_failed(w.run, "worker wkr_0000000000000001 has no file feeds.csv");
    run_for(&w, 2 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_string_equal(run_stop_name(w.run->stop.kind), "allocation_failed");
    assert_string_equal(w.run->stop.reason,
                        "allocation_failed: worker wkr_0000000000000001 has no file feeds.csv");
    assert_string_equal(w.events, "RUN_CREATED preflight_running ALLOCATION_FAILED stopping "
                                  "analyzing failed");
    assert_int_equal(w.stages, 0);
    assert_string_equal(w.run->validity, "valid");
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_worker_ends_the_run),
        cmocka_unit_test(the_loss_of_all_workers_ends_the_run_at_once),
        cmocka_unit_test(a_loss_while_the_run_ends_changes_no_reason),
        cmocka_unit_test(a_worker_lost_before_the_load_has_lost_no_data),
        cmocka_unit_test(a_worker_that_comes_back_in_time_has_lost_nothing),
        cmocka_unit_test(the_totals_of_all_workers_are_waited_for),
        cmocka_unit_test(totals_that_differ_are_lost_data),
        cmocka_unit_test(a_worker_lost_before_its_totals_is_lost_data),
        cmocka_unit_test(other_policies_act_like_fail_fast_and_say_so),
        cmocka_unit_test(workers_that_cannot_take_it_fail_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
