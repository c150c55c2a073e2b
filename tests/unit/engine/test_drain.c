/* SPDX-License-Identifier: MIT */
/* The end of the load, for users that a limit of ours kept from working: they begin nothing. */
#include "engine/shard_priv.h"
#include "unit/engine/stages.h"

static const char *scenario_of(const char *session, const char *caps, const char *workload)
{
    static char text[2048];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'}, 'session_policy': {%s},"
             " 'workload': {'operation_mix': [" CALL "], 'user_journey': {'startup_sequence': "
             "{'run_tools_list_on_start': true}, 'periodic_ops': null}%s},"
             " 'safety': {'hard_caps': {%s}}, 'stages': ["
             "{'stage': 'baseline', 'stage_id': 'a', 'duration_ms': 2000,"
             "  'load': {'target_vus': 60, 'start_spread_ms': 0}},"
             "{'stage': 'baseline', 'stage_id': 'b', 'duration_ms': 2000,"
             "  'load': {'target_vus': 1, 'start_spread_ms': 0}}]}",
             session, workload, caps);
    return text;
}

/* What the target saw that begins something. */
static uint64_t begun(const struct world *w)
{
    return w->peer.connections + peer_count_of(&w->peer, "initialize") +
           peer_count_of(&w->peer, "tools/list");
}

static void expect_balance(const struct world *w)
{
    assert_int_equal(w->run[COUNT_JOURNEY_STARTED], w->run[COUNT_JOURNEY_OK] +
                                                        w->run[COUNT_JOURNEY_FAILED] +
                                                        w->run[COUNT_JOURNEY_UNFINISHED]);
    assert_int_equal(w->run[COUNT_JOURNEY_FAILED], 0);
    assert_int_equal(w->run[COUNT_JOURNEY_OK], peer_count_of(&w->peer, "tools/list"));
    assert_int_equal(w->run[COUNT_JOURNEY_REQUESTS], peer_count_of(&w->peer, "tools/list"));
    assert_int_equal(w->run[COUNT_SESSIONS_CREATED], peer_count_of(&w->peer, "initialize"));
    assert_int_equal(w->run[COUNT_SESSIONS_CREATED], peer_count_of(&w->peer, "DELETE"));
    assert_int_equal(w->run[COUNT_SESSIONS_FAILED], 0);
    assert_int_equal(w->run[COUNT_CONNECT_ATTEMPTS], w->peer.connections);
    assert_int_equal(total(w, COUNT_ENDED_OK), total(w, COUNT_STARTED));
}

/* Plays the first stage; nothing begins after it, and what has begun says goodbye. */
static void play_and_drain(struct world *w, const char *scenario, uint64_t drain_max_ns)
{
    world_init(w, scenario);
    begin_stage(w, 0, 2 * NS_PER_S);
    run_for(w, 2 * NS_PER_S);
    uint64_t before = begun(w);
    uint64_t drain_ns = now_ns;
    finish(w);
    assert_true(before > 0);
    assert_int_equal(begun(w), before);
    assert_in_range(now_ns - drain_ns, 0, drain_max_ns);
    expect_balance(w);
}

static void who_never_got_a_connection_makes_no_session(void **state)
{
    static const char *const sessions[] = {
        "'mode': 'reuse'",
        "'mode': 'pool', 'pool_size': 20",
        "'mode': 'pool', 'pool_size': 20, 'max_in_flight_per_session': 1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++) {
        struct world w;

        play_and_drain(&w, scenario_of(sessions[i], "'max_connections': 3", ""), NS_PER_S);
        assert_int_equal(w.peer.sessions, 3);
        if (i == 0) {
            assert_int_equal(w.run[COUNT_JOURNEY_UNFINISHED], 57);
        }
        assert_true(total(&w, COUNT_ENDED_OK) > 300);
        world_clear(&w);
    }
}

static void who_waits_for_max_rps_sends_no_list(void **state)
{
    struct world w;

    (void)state;
    play_and_drain(&w, scenario_of("'mode': 'reuse'", "'max_rps': 20", ""), 5 * NS_PER_S);
    world_clear(&w);
}

/* Its stage is over, not the run. */
static void who_leaves_with_its_stage_makes_no_session(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, scenario_of("'mode': 'reuse'", "'max_connections': 3", ""));
    begin_stage(&w, 0, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    begin_stage(&w, 1, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    assert_int_equal(w.gauges[2].active_vus, 1);
    finish(&w);
    assert_int_equal(w.peer.sessions, 3);
    expect_balance(&w);
    world_clear(&w);
}

/* What a window says has to travel: its second does not end before it begins. */
static void a_load_that_ends_before_it_begins_reports_an_empty_second(void **state)
{
    static const enum message_kind ends[] = {ORDER_DRAIN, ORDER_STOP};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct world w;

        world_init(&w, calls_scenario(4));
        give(&w, (struct message){.kind = ORDER_STAGE,
                                  .grid_ns = now_ns + NS_PER_S,
                                  .start_ns = now_ns + NS_PER_S,
                                  .end_ns = now_ns + 11 * NS_PER_S});
        run_for(&w, 400 * MS);
        give(&w, (struct message){.kind = ends[i]});
        run_for(&w, 2 * NS_PER_S);
        assert_int_equal(w.drained_reports, 1);
        assert_int_equal(w.windows, 1);
        assert_int_equal(w.peer.connections, 0);
        world_clear(&w);
    }
}

/* The first call is answered after the load has ended. */
static bool answer_late(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    char body[80];
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}",
             (long long)r->id);
    peer_respond(r->conn, 3 * NS_PER_S, 200, "application/json", NULL, body);
    return true;
}

static void a_list_behind_a_busy_connection_is_not_sent_after_the_load(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, "{'target': {'url': 'http://localhost/mcp'}, 'workload': {'operation_mix': "
                   "[" CALL "], 'user_journey': {'startup_sequence': null, 'periodic_ops': "
                   "{'tools_list_interval_ms': 500}}}, 'safety': {'hard_caps': {'max_connections': "
                   "1}}, 'stages': [{'stage': 'baseline', 'duration_ms': 2000, 'load': "
                   "{'target_vus': 1, 'start_spread_ms': 0}}]}");
    w.peer.on_request = answer_late;
    begin_stage(&w, 0, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    assert_int_equal(w.run[COUNT_JOURNEY_STARTED], 1);
    finish(&w);
    assert_int_equal(peer_count_of(&w.peer, "tools/list"), 0);
    assert_int_equal(w.run[COUNT_JOURNEY_UNFINISHED], 1);
    assert_int_equal(total(&w, COUNT_ENDED_OK), 1);
    expect_balance(&w);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_never_got_a_connection_makes_no_session),
        cmocka_unit_test(who_waits_for_max_rps_sends_no_list),
        cmocka_unit_test(who_leaves_with_its_stage_makes_no_session),
        cmocka_unit_test(a_load_that_ends_before_it_begins_reports_an_empty_second),
        cmocka_unit_test(a_list_behind_a_busy_connection_is_not_sent_after_the_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
