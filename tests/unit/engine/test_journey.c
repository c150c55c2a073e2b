/* SPDX-License-Identifier: MIT */
/* What VUs do beside the workload: it happens when it should, and is never in the workload's books.
 */
#include "unit/engine/world.h"

static const char *journey_scenario(const char *journey, const char *workload)
{
    static char text[4096];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'}, 'workload': {'think_time': {'mode': "
             "'fixed', 'base_ms': 100}, 'user_journey': {%s}, %s}, 'stages': [{'stage': "
             "'baseline', 'duration_ms': 60000, 'load': {'target_vus': 4, 'start_spread_ms': 0}}]}",
             journey, workload);
    return text;
}

#define CALLS "'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]"

static bool count_requests(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    uint32_t *lists = &w->arrival_count;

    if (strcmp(r->method, "tools/list") == 0) {
        w->arrivals[*lists % 4096] = r->at_ns;
        ++*lists;
    }
    return false;
}

static void play(struct world *w, uint64_t seconds)
{
    w->peer.on_request = count_requests;
    begin_stage(w, 0, 60 * NS_PER_S);
    run_for(w, seconds * NS_PER_S);
}

static void expect_lists(const struct world *w, uint64_t from, uint64_t to)
{
    assert_in_range(w->arrival_count, from, to);
    assert_int_equal(w->run[COUNT_JOURNEY_STARTED], w->arrival_count);
    assert_int_equal(w->run[COUNT_JOURNEY_OK], w->arrival_count);
    assert_int_equal(w->run[COUNT_JOURNEY_REQUESTS], w->arrival_count);
    assert_int_equal(w->run_dist[DIST_JOURNEY].count, w->arrival_count);
}

static void each_user_lists_the_tools_first(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, journey_scenario("'startup_sequence': {'run_tools_list_on_start': true}, "
                                    "'periodic_ops': null",
                                    CALLS));
    play(&w, 5);
    finish(&w);
    expect_lists(&w, 4, 4);
    assert_true(total(&w, COUNT_ENDED_OK) > 100);
    assert_int_equal(w.run[COUNT_SESSIONS_CREATED], 4);
    /* The first operation is the first that its session serves. */
    assert_int_equal(total(&w, COUNT_SESSION_REUSED), total(&w, COUNT_ENDED_OK) - 4);
    world_clear(&w);
}

static void lists_come_again_after_the_interval(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, journey_scenario("'startup_sequence': null, 'periodic_ops': "
                                    "{'tools_list_interval_ms': 5000}",
                                    CALLS));
    play(&w, 50);
    finish(&w);
    expect_lists(&w, 38, 40);
    world_clear(&w);
}

static bool fail_calls(void *owner, const struct peer_request *r)
{
    if (strcmp(r->method, "tools/call") == 0) {
        peer_respond(r->conn, 5 * MS, 500, "text/plain", "", "no");
        return true;
    }
    return count_requests(owner, r);
}

static void failures_in_a_row_lead_to_a_list(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, journey_scenario("'startup_sequence': null, 'periodic_ops': "
                                    "{'tools_list_interval_ms': 0, 'tools_list_after_errors': 3}",
                                    CALLS));
    w.peer.on_request = fail_calls;
    begin_stage(&w, 0, 60 * NS_PER_S);
    run_for(&w, 10 * NS_PER_S);
    finish(&w);
    assert_int_equal(total(&w, COUNT_ENDED_OK), 0);
    assert_true(total(&w, COUNT_ENDED_FAILED) > 300);
    /* Each of four users after 0.3 s, and then ever more rarely: 1 s, 2 s and 4 s later. */
    expect_lists(&w, 16, 16);
    world_clear(&w);
}

/* One of ten calls of a user is answered well. */
static bool fail_nine_of_ten(void *owner, const struct peer_request *r)
{
    return r->id % 10 == 0 ? count_requests(owner, r) : fail_calls(owner, r);
}

#define AFTER_THREE                              \
    "'startup_sequence': null, 'periodic_ops': " \
    "{'tools_list_interval_ms': 0, 'tools_list_after_errors': 3}"

static void a_success_among_failures_does_not_end_the_quiet_time(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, journey_scenario(AFTER_THREE, CALLS));
    w.peer.on_request = fail_nine_of_ten;
    begin_stage(&w, 0, 60 * NS_PER_S);
    run_for(&w, 60 * NS_PER_S);
    finish(&w);
    assert_in_range(total(&w, COUNT_ENDED_OK), 200, 300);
    assert_in_range(total(&w, COUNT_ENDED_FAILED), 1900, 2200);
    /* Each of four users: 0.3 s, 1.3 s, 3.3 s, 7.3 s, 15.3 s, 31.3 s. */
    expect_lists(&w, 24, 24);
    world_clear(&w);
}

/* It is well from the 8th second to the 12th. */
static bool fail_twice(void *owner, const struct peer_request *r)
{
    const struct world *w = owner;
    uint64_t at_ns = r->at_ns - w->start_ns;
    bool well = at_ns >= 8 * NS_PER_S && at_ns < 12 * NS_PER_S;

    return well ? count_requests(owner, r) : fail_calls(owner, r);
}

static void a_target_that_is_well_again_ends_the_quiet_time(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, journey_scenario(AFTER_THREE, CALLS));
    w.peer.on_request = fail_twice;
    begin_stage(&w, 0, 60 * NS_PER_S);
    run_for(&w, 12 * NS_PER_S);
    assert_int_equal(w.arrival_count, 16); /* the last at 7.3 s, with a quiet time of 8 s */
    run_for(&w, NS_PER_S);
    finish(&w);
    expect_lists(&w, 20, 20);
    world_clear(&w);
}

static void a_workload_without_tools_lists_none(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, journey_scenario("'startup_sequence': {'run_tools_list_on_start': true}",
                                    "'operation_mix': [{'operation': 'ping'}]"));
    play(&w, 3);
    finish(&w);
    expect_lists(&w, 0, 0);
    world_clear(&w);
}

static bool silent_lists(void *owner, const struct peer_request *r)
{
    (void)owner;
    return strcmp(r->method, "tools/list") == 0; /* never answered */
}

static void a_list_that_never_ends_holds_up_its_user_only_until_its_time_out(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, journey_scenario("'startup_sequence': {'run_tools_list_on_start': true}, "
                                    "'periodic_ops': null",
                                    CALLS));
    w.peer.on_request = silent_lists;
    begin_stage(&w, 0, 60 * NS_PER_S);
    run_for(&w, 20 * NS_PER_S);
    assert_int_equal(total(&w, COUNT_STARTED), 0);
    run_for(&w, 15 * NS_PER_S); /* request_timeout_ms is 30 s */
    finish(&w);
    assert_int_equal(w.run[COUNT_JOURNEY_FAILED], 4);
    assert_int_equal(w.failures[ERROR_CODE_REQUEST_TIMEOUT], 4); /* why */
    assert_true(total(&w, COUNT_ENDED_OK) > 100);
    world_clear(&w);
}

static void a_cut_run_has_unfinished_lists(void **state)
{
    struct world w;

    (void)state;
    world_init(&w,
               journey_scenario("'startup_sequence': {'run_tools_list_on_start': true}", CALLS));
    w.peer.on_request = silent_lists;
    begin_stage(&w, 0, 60 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    give(&w, (struct message){.kind = ORDER_STOP});
    finish(&w);
    assert_int_equal(w.run[COUNT_JOURNEY_UNFINISHED], 4);
    assert_int_equal(total(&w, COUNT_STARTED), 0);
    world_clear(&w);
}

/* Else nobody would serve the arrivals of an open load while the target hangs. */
static void users_of_a_sized_stage_do_not_wait_for_their_list(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, "{'target': {'url': 'http://localhost/mcp'}, 'workload': {'user_journey': "
                   "{'startup_sequence': {'run_tools_list_on_start': true}}, " CALLS
                   "}, 'stages': [{'stage': 'baseline', 'duration_ms': 10000, 'load': "
                   "{'target_vus': 0, 'target_rps': 50}}]}");
    w.peer.on_request = silent_lists;
    w.peer.delay_ns = 100 * MS;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 10 * NS_PER_S);
    give(&w, (struct message){.kind = ORDER_STOP});
    finish(&w);
    assert_in_range(total(&w, COUNT_ENDED_OK), 470, 500);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_user_lists_the_tools_first),
        cmocka_unit_test(lists_come_again_after_the_interval),
        cmocka_unit_test(failures_in_a_row_lead_to_a_list),
        cmocka_unit_test(a_success_among_failures_does_not_end_the_quiet_time),
        cmocka_unit_test(a_target_that_is_well_again_ends_the_quiet_time),
        cmocka_unit_test(a_workload_without_tools_lists_none),
        cmocka_unit_test(a_list_that_never_ends_holds_up_its_user_only_until_its_time_out),
        cmocka_unit_test(users_of_a_sized_stage_do_not_wait_for_their_list),
        cmocka_unit_test(a_cut_run_has_unfinished_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
