/* SPDX-License-Identifier: MIT */
/* The open model on a virtual clock: what is due starts on time, waits, or is dropped, and every
 * arrival is in the books once. */
#include "unit/engine/world.h"

#define CALL "'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]"

static const char *open_scenario(const char *target, const char *workload, const char *stages)
{
    static char text[4096];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp' %s}, 'workload': {" CALL
             " %s}, 'stages': [%s]}",
             target, workload, stages);
    return text;
}

#define STAGE(id, vus, rps)                                                                       \
    "{'stage': 'custom', 'stage_id': '" id "', 'duration_ms': 10000, 'load': {'target_vus': " vus \
    ", 'target_rps': " rps ", 'start_spread_ms': 0}}"

static uint64_t dropped(const struct world *w)
{
    return total(w, COUNT_DROPPED_DEADLINE) + total(w, COUNT_DROPPED_NO_SLOT) +
           total(w, COUNT_DROPPED_STOPPED);
}

/* Of the stages of the open model. */
static void expect_balance(const struct world *w)
{
    for (int k = 0; k < WORLD_KEYS_MAX; k++) {
        const uint64_t *c = w->count[k];

        if (c[COUNT_DUE] > 0) {
            assert_int_equal(c[COUNT_DUE], c[COUNT_STARTED] + c[COUNT_DROPPED_DEADLINE] +
                                               c[COUNT_DROPPED_NO_SLOT] + c[COUNT_DROPPED_STOPPED]);
        }
    }
}

/* Ends as the plan does by itself. */
static void finish_naturally(struct world *w)
{
    give(w, (struct message){.kind = ORDER_DRAIN, .natural = true});
    finish(w);
    expect_balance(w);
}

static void arrivals_are_sent_when_they_are_due(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, open_scenario("", "", STAGE("a", "10", "100")));
    w.peer.on_request = note_arrival;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 11 * NS_PER_S);
    finish_naturally(&w);
    assert_int_equal(total(&w, COUNT_DUE), 1000);
    assert_int_equal(total(&w, COUNT_ENDED_OK), 1000);
    assert_int_equal(w.arrival_count, 1000);
    for (uint32_t i = 20; i < 1000; i++) { /* all slots have their session by then */
        assert_int_equal(w.arrivals[i] - w.start_ns, i * 10 * MS);
    }
    world_clear(&w);
}

static void what_waits_for_a_slot_is_queued_and_felt(void **state)
{
    struct world w;

    (void)state;
    /* Two slots of 100 ms carry 20/s; 40/s are due. */
    world_init(&w, open_scenario("", "", STAGE("a", "2", "40")));
    w.peer.delay_ns = 100 * MS;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 10 * NS_PER_S + 2 * MS);
    finish_naturally(&w);
    assert_int_equal(total(&w, COUNT_DUE), 400);
    assert_in_range(total(&w, COUNT_STARTED), 190, 200);
    assert_int_equal(total(&w, COUNT_DROPPED_NO_SLOT), dropped(&w));
    assert_in_range(w.dist[DIST_SERVICE].max, 100 * MS, 101 * MS);
    assert_in_range(w.dist[DIST_QUEUE].max, 4500 * MS, 5200 * MS);
    assert_in_range(w.dist[DIST_RESPONSE].max, 4600 * MS, 5300 * MS);
    assert_in_range(w.run_dist[DIST_TOOL_LAG].max, 0, MS); /* we were never late ourselves */
    world_clear(&w);
}

static void a_stop_drops_what_waits(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, open_scenario("", "", STAGE("a", "2", "40")));
    w.peer.delay_ns = 100 * MS;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 5 * NS_PER_S);
    finish(&w);
    expect_balance(&w);
    assert_in_range(total(&w, COUNT_DUE), 199, 201);
    assert_int_equal(total(&w, COUNT_DROPPED_STOPPED), dropped(&w));
    assert_in_range(dropped(&w), 90, 110);
    world_clear(&w);
}

static void a_deadline_ends_what_waited_too_long(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, open_scenario(", 'timeouts': {'deadline_ms': 500}", "", STAGE("a", "2", "40")));
    w.peer.delay_ns = 100 * MS;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 11 * NS_PER_S);
    finish_naturally(&w);
    assert_int_equal(total(&w, COUNT_DUE), 400);
    assert_true(total(&w, COUNT_ENDED_FAILED) > 100);
    /* What was in flight at its deadline ended there. */
    assert_in_range(w.dist[DIST_RESPONSE].max, 490 * MS, 501 * MS);
    assert_int_equal(w.failures[ERROR_CODE_DEADLINE_EXCEEDED], total(&w, COUNT_ENDED_FAILED));
    world_clear(&w);
}

static void a_sized_stage_has_as_many_users_as_it_needs(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, open_scenario("", "", STAGE("a", "0", "100")));
    w.peer.delay_ns = 500 * MS;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 11 * NS_PER_S);
    finish_naturally(&w);
    assert_int_equal(total(&w, COUNT_STARTED), 1000);
    /* 100/s · (0.5 s and, at first, a set-up of 1 s). */
    assert_in_range(w.gauges[8].active_vus, 50, 260);
    world_clear(&w);
}

static bool never_answer(void *owner, const struct peer_request *r)
{
    (void)owner;
    return strcmp(r->method, "tools/call") == 0;
}

static void a_target_that_hangs_does_not_stop_the_arrivals(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, open_scenario("", "", STAGE("a", "0", "100")));
    w.peer.on_request = never_answer;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 5 * NS_PER_S + 2 * MS);
    /* Independent users do not wait for each other. */
    assert_in_range(w.gauges[4].in_flight, 495, 500);
    give(&w, (struct message){.kind = ORDER_STOP});
    finish(&w);
    assert_in_range(total(&w, COUNT_STARTED), 495, 505);
    assert_in_range(w.run_dist[DIST_TOOL_LAG].max, 0, MS);
    world_clear(&w);
}

static void stages_of_both_models_follow_each_other(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, open_scenario("", ", 'think_time': {'mode': 'fixed', 'base_ms': 90}",
                                 STAGE("a", "5", "null") "," STAGE("b", "5", "20") "," STAGE(
                                     "c", "5", "null")));
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 10 * NS_PER_S);
    begin_stage(&w, 1, 10 * NS_PER_S);
    run_for(&w, 10 * NS_PER_S);
    begin_stage(&w, 2, 10 * NS_PER_S);
    run_for(&w, 11 * NS_PER_S);
    finish_naturally(&w);
    assert_in_range(w.count[0][COUNT_STARTED], 490, 505); /* 5 users, 100 ms each */
    assert_int_equal(w.count[1][COUNT_DUE], 200);
    assert_int_equal(w.count[1][COUNT_STARTED], 200);
    assert_in_range(w.count[2][COUNT_STARTED], 490, 505);
    assert_int_equal(w.count[0][COUNT_DUE] + w.count[2][COUNT_DUE], 0);
    assert_int_equal(w.gauges[25].active_vus, 5);
    world_clear(&w);
}

static void the_cap_holds_in_the_open_model_too(void **state)
{
    struct world w;
    uint32_t in_second = 0;

    (void)state;
    world_init(&w, "{'target': {'url': 'http://localhost/mcp'}, 'workload': {" CALL
                   "}, 'safety': {'hard_caps': {'max_rps': 50}}, 'stages': [" STAGE("a", "10",
                                                                                    "100") "]}");
    w.peer.on_request = note_arrival;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 11 * NS_PER_S);
    finish_naturally(&w);
    assert_int_equal(total(&w, COUNT_DUE), 500); /* the plan is cut to the cap */
    for (uint32_t i = 0; i < w.arrival_count; i++) {
        uint64_t since = w.arrivals[i] - w.start_ns;
        in_second += since >= 5 * NS_PER_S && since < 6 * NS_PER_S;
    }
    assert_in_range(in_second, 48, 50);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrivals_are_sent_when_they_are_due),
        cmocka_unit_test(what_waits_for_a_slot_is_queued_and_felt),
        cmocka_unit_test(a_stop_drops_what_waits),
        cmocka_unit_test(a_deadline_ends_what_waited_too_long),
        cmocka_unit_test(a_sized_stage_has_as_many_users_as_it_needs),
        cmocka_unit_test(a_target_that_hangs_does_not_stop_the_arrivals),
        cmocka_unit_test(stages_of_both_models_follow_each_other),
        cmocka_unit_test(the_cap_holds_in_the_open_model_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
