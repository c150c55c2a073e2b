/* SPDX-License-Identifier: MIT */
/* Sources that report late, or not for a while. */
#include "unit/control/run_world.h"

/* As fill() starts them. */
static uint64_t started(const struct world *w)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    filter.dists = 0;
    aggregate_view_total(w->run->books, &filter, &view);
    uint64_t n = view.count[COUNT_STARTED];
    metric_view_clear(&view);
    return n;
}

/* Half of a tick, so that what happens at a second's end has happened. */
static void run_to(struct world *w, uint64_t second, uint64_t more_ms)
{
    uint64_t until = w->grid_ns + second * NS_PER_S + more_ms * MS;

    assert_true(until > now_ns);
    loop_run_virtual(w->loop, &now_ns, until);
}

static void a_silent_source_is_waited_for_three_seconds(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE ", " SECOND_BASELINE);
    run_for(&w, LEAD_NS + 2500 * MS);
    assert_int_equal(w.seconds, 2);
    w.silent[1] = true;
    run_to(&w, 5, 900); /* second 2 ended at 3 */
    assert_int_equal(w.seconds, 2);
    assert_null(strstr(w.events, "SYSTEM_WARNING"));
    run_to(&w, 6, 100);
    assert_int_equal(w.seconds, 3);
    assert_non_null(
        strstr(buf_c(&w.run->warnings),
               "second 2 is looked at without what worker wkr_0000000000000002 has to"));
    run_to(&w, 7, 100);
    assert_int_equal(w.seconds, 4);
    uint64_t before = started(&w);
    w.silent[1] = false;
    catch_up(&w, 1, 2, 7);
    assert_int_equal(w.seconds, 7); /* nothing is missing any more */
    assert_int_equal(started(&w), before + 5 * w.ok);
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_string_equal(w.run->validity, "valid");
    assert_int_equal(w.seconds, w.second);
    assert_int_equal(w.run->lacking_ns_, 0);
    const char *told = strstr(buf_c(&w.run->warnings), "is looked at without");
    assert_null(strstr(told + 1, "is looked at without")); /* once */
    tear_down(&w);
}

/* A window that never comes holds up its own second, not all that follow. */
static void a_gap_is_jumped_once(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", "{'stage': 'baseline', 'duration_ms': 12000, 'load': {'target_vus': 2}}");
    run_for(&w, LEAD_NS + 2500 * MS);
    w.silent[1] = true;
    run_to(&w, 3, 100); /* second 2 is not reported */
    w.silent[1] = false;
    run_to(&w, 5, 100);
    assert_int_equal(w.seconds, 2);
    run_to(&w, 6, 100);
    assert_int_equal(w.seconds, 6); /* those behind it are whole */
    run_to(&w, 9, 100);
    assert_int_equal(w.seconds, 9);
    run_for(&w, 20 * NS_PER_S);
    assert_string_equal(w.run->validity, "lost_data");
    tear_down(&w);
}

/* After a halt of this process the reports of one source come before those of another. */
static void reports_that_all_come_late_are_waited_for(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, LEAD_NS + 500 * MS);
    w.silent[0] = w.silent[1] = true;
    run_to(&w, 4, 500);
    catch_up(&w, 0, 0, 4);
    assert_int_equal(w.seconds, 0);
    catch_up(&w, 1, 0, 4);
    assert_int_equal(w.seconds, 4);
    w.silent[0] = w.silent[1] = false;
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_null(strstr(w.events, "SYSTEM_WARNING"));
    tear_down(&w);
}

static void a_condition_may_fire_without_a_source(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'stop_policy': {'mode': 'immediate'}", GUARDED(""));
    run_for(&w, LEAD_NS + 2500 * MS);
    w.silent[1] = true;
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    assert_int_equal(w.run->stop.kind, RUN_STOP_CONDITION);
    assert_true(w.partial);
    assert_true(w.run->trigger.partial);
    assert_non_null(strstr(w.run->stop.sentence, "3 s (partial: not all workers had reported)"));
    run_on_worker_lost(w.run, sources[1].worker_id, 1);
    assert_int_equal(w.ends, 1);
    uint64_t at_end = started(&w);
    catch_up(&w, 1, 2, 4); /* figures that have been judged stay */
    assert_int_equal(started(&w), at_end);
    tear_down(&w);
}

/* What a report says is so, whenever it comes: the verdict and the warnings know of it. */
static void what_comes_late_is_judged_as_well(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", "{'stage': 'baseline', 'duration_ms': 9000, 'load': {'target_vus': 8}}");
    w.vus = 4;
    run_for(&w, LEAD_NS + 500 * MS);
    w.silent[1] = true;
    run_to(&w, 6, 100);
    assert_int_equal(w.run->stages[0].max_vus, 4);
    w.silent[1] = false;
    w.mismatches = 3; /* of second 0, which has been looked at */
    w.gave_up = 2;
    catch_up(&w, 1, 0, 6);
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 4);
    assert_int_equal(w.run->verdict, RUN_VERDICT_FAILED);
    assert_int_equal(w.run->stages[0].max_vus, 4 * SOURCES);
    assert_non_null(strstr(buf_c(&w.run->warnings),
                           "in seconds that were reported late the answers to 3 calls went to"));
    assert_non_null(strstr(buf_c(&w.run->warnings), "2 virtual users ended for want of a session"));
    tear_down(&w);
}

static void what_comes_in_time_is_told_once(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.mismatches = 3;
    w.gave_up = 2;
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 4);
    const char *told = strstr(buf_c(&w.run->warnings), "went to another caller");
    assert_non_null(told);
    assert_null(strstr(told + 1, "went to another caller"));
    assert_int_equal(w.run->gave_up_, 2);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_source_is_waited_for_three_seconds),
        cmocka_unit_test(a_gap_is_jumped_once),
        cmocka_unit_test(reports_that_all_come_late_are_waited_for),
        cmocka_unit_test(a_condition_may_fire_without_a_source),
        cmocka_unit_test(what_comes_late_is_judged_as_well),
        cmocka_unit_test(what_comes_in_time_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
