/* SPDX-License-Identifier: MIT */
#include "engine/shard_priv.h"
#include "unit/engine/stages.h"

/* ---- both sides count the same -----------------------------------------------------------------
 */

static void books_agree_with_the_peer(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [{'operation': 'tools_list', 'weight': 1}, "
                                   "{'operation': 'tools_call', 'weight': 5, 'tool_name': 'echo'}, "
                                   "{'operation': 'ping', 'weight': 2}]",
                                   "", 7, 7, 7));
    begin_stage(&w, 0, 5 * NS_PER_S);
    run_for(&w, 5 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.count[0][COUNT_ENDED_OK], peer_count_of(&w.peer, "tools/list"));
    assert_int_equal(w.count[1][COUNT_ENDED_OK], peer_count_of(&w.peer, "tools/call"));
    assert_int_equal(w.count[2][COUNT_ENDED_OK], peer_count_of(&w.peer, "ping"));
    /* 7 VUs, 10 ms each, 5 s less the 20 ms of the set-up. */
    assert_in_range(total(&w, COUNT_STARTED), 7 * 497, 7 * 499);
    assert_int_equal(total(&w, COUNT_STARTED), total(&w, COUNT_REQUESTS_SENT));
    assert_int_equal(w.peer.sessions, 7);
    assert_int_equal(peer_count_of(&w.peer, "notifications/initialized"), 7);
    assert_int_equal(peer_count_of(&w.peer, "DELETE"), 7);
    assert_int_equal(w.run[COUNT_SESSIONS_CREATED], 7);
    assert_int_equal(w.run[COUNT_SESSIONS_CLOSED], 7);
    assert_int_equal(w.run[COUNT_CONNECT_ATTEMPTS], 7);
    assert_int_equal(total(&w, COUNT_SESSION_REUSED), total(&w, COUNT_STARTED) - 7);
    assert_int_equal(w.gauges[2].active_vus, 7);
    assert_int_equal(w.gauges[2].active_sessions, 7);
    assert_int_equal(w.gauges[2].open_connections, 7);
    assert_int_equal(w.gauges[2].in_flight, 7);
    world_clear(&w);
}

static void events_of_streams_are_counted(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, calls_scenario(3));
    w.peer.sse = true;
    begin_stage(&w, 0, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    assert_true(total(&w, COUNT_STARTED) > 500);
    assert_int_equal(total(&w, COUNT_STREAMS_COMPLETED), total(&w, COUNT_STARTED));
    assert_int_equal(total(&w, COUNT_EVENTS), total(&w, COUNT_STARTED));
    assert_int_equal(w.dist[DIST_FIRST_EVENT].min, 10 * MS);
    assert_int_equal(w.dist[DIST_FIRST_EVENT].max, 10 * MS);
    world_clear(&w);
}

/* ---- pace -------------------------------------------------------------------------------------
 */

static void think_time_spaces_operations(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "],"
                                   "'think_time': {'mode': 'fixed', 'base_ms': 100}",
                                   "", 1, 1, 1));
    w.peer.on_request = note_arrival;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 10 * NS_PER_S);
    finish(&w);
    /* The first goes out when the session is there, each further one 100 ms after an answer. */
    assert_int_equal(w.arrivals[0], w.start_ns + 20 * MS);
    for (uint32_t i = 1; i < w.arrival_count; i++) {
        assert_int_equal(w.arrivals[i], w.arrivals[i - 1] + 110 * MS);
    }
    assert_int_equal(w.arrival_count, 91);
    world_clear(&w);
}

static void slots_share_a_session_and_run_side_by_side(void **state)
{
    struct world w;

    (void)state;
    world_init(&w,
               stages_scenario("'operation_mix': [" CALL "], 'in_flight_per_vu': 4", "", 2, 2, 2));
    begin_stage(&w, 0, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    assert_int_equal(w.gauges[0].in_flight, 8);
    finish(&w);
    assert_int_equal(w.peer.sessions, 2);
    assert_int_equal(w.peer.peak_connections, 8);
    assert_in_range(total(&w, COUNT_STARTED), 8 * 196, 8 * 200);
    world_clear(&w);
}

static void the_cap_is_not_exceeded_in_any_second(void **state)
{
    static const char *const safety[] = {
        "'hard_caps': {'max_rps': 10}", "'hard_caps': {'max_rps': 3}",
        "'hard_caps': {'max_rps': 1}", "'hard_caps': {'max_rps': 1200}"};
    static const uint32_t rates[] = {10, 3, 1, 1200};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world w;

        world_init(&w, stages_scenario("'operation_mix': [" CALL "], 'in_flight_per_vu': 20",
                                       safety[i], 1, 1, 1));
        w.peer.on_request = note_arrival;
        w.peer.delay_ns = 1 * MS;
        begin_stage(&w, 0, 3 * NS_PER_S);
        run_for(&w, 3 * NS_PER_S);
        finish(&w);
        /* Of any R + 1 starts in a row, the last is a second after the first. (What started while
         * the session was being made was sent later.) */
        for (uint32_t k = rates[i] + 5; k < w.arrival_count; k++) {
            assert_true(w.arrivals[k] - w.arrivals[k - rates[i]] >= NS_PER_S);
        }
        /* … and it is used: at least 98 of 100. The first waits for its session, not for us. */
        assert_true(w.arrival_count >= rates[i] * 3 * 98 / 100 - 1);
        world_clear(&w);
    }
}

static void what_the_cap_holds_back_does_not_outlive_its_stage(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "], 'in_flight_per_vu': 20",
                                   "'hard_caps': {'max_rps': 5}", 1, 1, 1));
    w.peer.on_request = note_arrival;
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, 4 * NS_PER_S);
    assert_int_equal(w.arrival_count, 3); /* and two of the session's set-up */
    begin_stage(&w, 1, NS_PER_S);
    run_for(&w, 4 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.count[0][COUNT_STARTED], 3);
    assert_int_equal(w.count[1][COUNT_STARTED], 5);
    world_clear(&w);
}

/* ---- stages -----------------------------------------------------------------------------------
 */

static void a_stage_ends_and_the_next_one_resumes(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, calls_scenario(2));
    w.peer.on_request = note_arrival;
    begin_stage(&w, 0, 1 * NS_PER_S);
    run_for(&w, 3 * NS_PER_S);
    uint32_t first = w.arrival_count;
    for (uint32_t i = 0; i < first; i++) {
        assert_true(w.arrivals[i] < w.start_ns + NS_PER_S);
    }
    begin_stage(&w, 1, 1 * NS_PER_S);
    uint64_t second_start = now_ns + MS;
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.arrivals[first], second_start); /* the sessions were kept */
    assert_int_equal(w.peer.sessions, 2);
    assert_int_equal(w.count[0][COUNT_STARTED], first);
    assert_int_equal(w.count[1][COUNT_STARTED], w.arrival_count - first);
    assert_int_equal(w.arrival_count - first, 200); /* 2 VUs, 10 ms each, one second */
    world_clear(&w);
}

static void a_stage_that_was_ordered_ahead_follows_without_a_gap(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, calls_scenario(1));
    w.peer.on_request = note_arrival;
    begin_stage(&w, 0, 1 * NS_PER_S);
    run_for(&w, 500 * MS);
    give(&w, (struct message){.kind = ORDER_STAGE,
                              .stage = 1,
                              .grid_ns = w.start_ns,
                              .start_ns = w.start_ns + NS_PER_S,
                              .end_ns = w.start_ns + 2 * NS_PER_S});
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    for (uint32_t i = 1; i < w.arrival_count; i++) {
        assert_int_equal(w.arrivals[i], w.arrivals[i - 1] + 10 * MS);
    }
    assert_int_equal(w.count[0][COUNT_STARTED], 98);
    assert_int_equal(w.count[1][COUNT_STARTED], 100);
    world_clear(&w);
}

static void users_come_and_go_with_the_level(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "]", "", 2, 5, 1));
    begin_stage(&w, 0, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    assert_int_equal(w.gauges[0].active_vus, 2);
    begin_stage(&w, 1, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    assert_int_equal(w.gauges[2].active_vus, 5);
    begin_stage(&w, 2, 3 * NS_PER_S);
    run_for(&w, 3 * NS_PER_S);
    assert_int_equal(w.gauges[5].active_vus, 1);
    assert_int_equal(w.gauges[5].active_sessions, 1);
    assert_int_equal(w.peer.sessions, 5);
    assert_int_equal(peer_count_of(&w.peer, "DELETE"), 4);
    finish(&w);
    assert_int_equal(peer_count_of(&w.peer, "DELETE"), 5);
    assert_int_equal(total(&w, COUNT_ENDED_FAILED) + total(&w, COUNT_UNFINISHED), 0);
    world_clear(&w);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void a_drain_lets_operations_end(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, calls_scenario(3));
    w.peer.delay_ns = 700 * MS;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 3 * NS_PER_S);
    finish(&w);
    assert_int_equal(total(&w, COUNT_UNFINISHED), 0);
    assert_int_equal(total(&w, COUNT_ENDED_OK), peer_count_of(&w.peer, "tools/call"));
    assert_int_equal(peer_count_of(&w.peer, "DELETE"), 3);
    assert_int_equal(w.peer.open_connections, 0);
    world_clear(&w);
}

static void a_drain_before_anything_ran(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, calls_scenario(3));
    finish(&w);
    assert_int_equal(w.windows, 0);
    world_clear(&w);
}

static void a_drain_at_any_moment_balances(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 60; at++) {
        struct world w;

        world_init(
            &w, stages_scenario("'operation_mix': [" CALL "], 'in_flight_per_vu': 2", "", 2, 2, 2));
        begin_stage(&w, 0, 10 * NS_PER_S);
        run_for(&w, at * MS + 1);
        finish(&w);
        assert_int_equal(total(&w, COUNT_ENDED_FAILED), 0);
        assert_int_equal(w.peer.open_connections, 0);
        world_clear(&w);
    }
}

static void a_stop_cuts_what_runs(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 60; at++) {
        struct world w;

        world_init(
            &w, stages_scenario("'operation_mix': [" CALL "], 'in_flight_per_vu': 2", "", 2, 2, 2));
        begin_stage(&w, 0, 10 * NS_PER_S);
        run_for(&w, at * MS + 1);
        give(&w, (struct message){.kind = ORDER_STOP});
        assert_int_equal(w.drained_reports, 1); /* load is zero now */
        run_for(&w, MS);
        assert_int_equal(w.peer.open_connections, 0);
        if (at > 25) {
            assert_int_equal(total(&w, COUNT_UNFINISHED), 4);
        }
        finish(&w); /* a drain after the stop changes nothing */
        world_clear(&w);
    }
}

static void a_stop_cuts_a_drain_short(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, calls_scenario(2));
    w.peer.delay_ns = 5 * NS_PER_S;
    begin_stage(&w, 0, 20 * NS_PER_S);
    run_for(&w, 12 * NS_PER_S);
    give(&w, (struct message){.kind = ORDER_DRAIN});
    run_for(&w, NS_PER_S);
    assert_int_equal(w.drained_reports, 0);
    give(&w, (struct message){.kind = ORDER_STOP});
    assert_int_equal(w.drained_reports, 1);
    assert_int_equal(total(&w, COUNT_UNFINISHED), 2);
    assert_int_equal(total(&w, COUNT_STARTED), 2);
    world_clear(&w);
}

/* Each operation that started has a line in the log or is counted as left out: also those that
 * nobody waited for, with the reason. */
static void what_is_not_finished_has_a_line(void **state)
{
    struct world w;

    (void)state;
    log_successes = 100000;
    /* Stopped at once. */
    world_init(&w,
               stages_scenario("'operation_mix': [" CALL "], 'in_flight_per_vu': 1", "", 30, 2, 2));
    w.peer.delay_ns = 400 * MS;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 3 * NS_PER_S);
    give(&w, (struct message){.kind = ORDER_STOP});
    assert_in_range(total(&w, COUNT_UNFINISHED), 21, 30);
    assert_int_equal(w.unfinished[UNFINISHED_STOPPED], WINDOW_FAILURE_SAMPLES);
    assert_int_equal(w.lines_left_out, total(&w, COUNT_UNFINISHED) - WINDOW_FAILURE_SAMPLES);
    assert_int_equal(w.lines + w.lines_left_out, total(&w, COUNT_STARTED));
    world_clear(&w);
    /* Draining takes too long. */
    world_init(&w, calls_scenario(2));
    w.peer.delay_ns = 5 * NS_PER_S;
    begin_stage(&w, 0, 20 * NS_PER_S);
    run_for(&w, 12 * NS_PER_S);
    give(&w, (struct message){.kind = ORDER_DRAIN});
    run_for(&w, NS_PER_S);
    give(&w, (struct message){.kind = ORDER_STOP});
    assert_int_equal(w.unfinished[UNFINISHED_DRAIN_OVER], 2);
    assert_int_equal(w.lines, total(&w, COUNT_STARTED));
    world_clear(&w);
    /* Stopped while its session is being made. */
    world_init(&w, calls_scenario(2));
    w.peer.delay_ns = 5 * NS_PER_S;
    begin_stage(&w, 0, 20 * NS_PER_S);
    run_for(&w, NS_PER_S);
    give(&w, (struct message){.kind = ORDER_STOP});
    assert_int_equal(w.unfinished[UNFINISHED_WAITED], 2);
    assert_int_equal(w.lines, total(&w, COUNT_STARTED));
    world_clear(&w);
    log_successes = 0;
}

/* ---- L, S and R ---------------------------------------------------------------------------------
 */

static void set_up_counts_as_lag_and_not_as_service(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "],"
                                   "'think_time': {'mode': 'fixed', 'base_ms': 60000}",
                                   "", 1, 1, 1));
    begin_stage(&w, 0, 5 * NS_PER_S);
    run_for(&w, 5 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.dist[DIST_LAG].count, 1);
    assert_int_equal(w.dist[DIST_LAG].sum, 20 * MS); /* initialize and initialized */
    assert_int_equal(w.dist[DIST_QUEUE].sum, 0);
    assert_int_equal(w.dist[DIST_SERVICE].sum, 10 * MS);
    assert_int_equal(w.dist[DIST_RESPONSE].sum, 30 * MS);
    assert_int_equal(w.run_dist[DIST_TOOL_LAG].sum, 0);
    assert_int_equal(w.run_dist[DIST_SESSION].sum, 20 * MS);
    assert_int_equal(w.run_dist[DIST_INITIALIZE].sum, 10 * MS);
    world_clear(&w);
}

static void waiting_for_a_connection_counts_as_queueing(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "], 'in_flight_per_vu': 2,"
                                   "'think_time': {'mode': 'fixed', 'base_ms': 60000}",
                                   "'hard_caps': {'max_connections': 1}", 1, 1, 1));
    begin_stage(&w, 0, 5 * NS_PER_S);
    run_for(&w, 5 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.peer.peak_connections, 1);
    assert_int_equal(total(&w, COUNT_ENDED_OK), 2);
    assert_int_equal(w.limits[LIMIT_MAX_CONNECTIONS], 1);
    /* Both are due at 0. The session is there at 20 ms, its one connection is free at 30 ms. */
    assert_int_equal(w.dist[DIST_SETUP].sum, (20 + 20) * MS);
    assert_int_equal(w.dist[DIST_QUEUE].sum, 10 * MS);
    assert_int_equal(w.dist[DIST_LAG].sum, (20 + 30) * MS);
    assert_int_equal(w.dist[DIST_SERVICE].sum, (10 + 10) * MS);
    assert_int_equal(w.dist[DIST_RESPONSE].sum, (30 + 40) * MS);
    assert_int_equal(w.run_dist[DIST_TOOL_LAG].sum, 0);
    world_clear(&w);
}

static void slots_that_share_a_connection_take_turns(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "], 'in_flight_per_vu': 4",
                                   "'hard_caps': {'max_connections': 1}", 1, 1, 1));
    begin_stage(&w, 0, 5 * NS_PER_S);
    run_for(&w, 5 * NS_PER_S);
    finish(&w);
    /* Four slots, one after the other: nobody waits for more than three others. */
    assert_in_range(total(&w, COUNT_ENDED_OK), 495, 503);
    assert_in_range(w.dist[DIST_LAG].max, 30 * MS, 50 * MS);
    assert_int_equal(w.dist[DIST_SERVICE].max, 10 * MS);
    world_clear(&w);
}

/* Users beyond the cap wait for a connection until the others have gone. */
static void a_drain_serves_those_that_waited(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "]",
                                   "'hard_caps': {'max_connections': 2}", 5, 5, 5));
    begin_stage(&w, 0, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.peer.peak_connections, 2);
    assert_int_equal(total(&w, COUNT_ENDED_FAILED) + total(&w, COUNT_UNFINISHED), 0);
    assert_int_equal(w.peer.sessions, 5);
    assert_int_equal(peer_count_of(&w.peer, "DELETE"), 5);
    world_clear(&w);
}

static void a_cut_operation_is_a_censored_sample(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, "{'target': {'url': 'http://localhost/mcp', 'timeouts': "
                   "{'request_timeout_ms': 1000}}, 'workload': {'operation_mix': [" CALL "]},"
                   "'stages': [{'stage': 'baseline', 'duration_ms': 10000,"
                   "'load': {'target_vus': 1, 'start_spread_ms': 0}}]}");
    w.peer.delay_ns = 10000;
    begin_stage(&w, 0, 10 * NS_PER_S);
    w.peer.on_request = NULL;
    run_for(&w, 2 * MS);
    w.peer.delay_ns = 60 * NS_PER_S;
    run_for(&w, 100 * MS);
    give(&w, (struct message){.kind = ORDER_DRAIN});
    run_for(&w, 10 * NS_PER_S);
    assert_int_equal(w.drained_reports, 1);
    assert_int_equal(w.failures[ERROR_CODE_REQUEST_TIMEOUT], 1);
    assert_in_range(w.dist[DIST_SERVICE].max, NS_PER_S, NS_PER_S + TICK_NS);
    world_clear(&w);
}

/* ---- stalls -----------------------------------------------------------------------------------
 */

static bool stall(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    peer_sse_begin(r->conn, 0, NULL);
    peer_sse(r->conn, 500 * MS, "data: {\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n\n");
    return true;
}

static void a_stall_is_a_failed_stream_with_its_silence(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, "{'target': {'url': 'http://localhost/mcp', 'timeouts': "
                   "{'stream_stall_timeout_ms': 2000}}, 'workload': {'operation_mix': [" CALL "]},"
                   "'stages': [{'stage': 'baseline', 'duration_ms': 10000,"
                   "'load': {'target_vus': 1, 'start_spread_ms': 0}}]}");
    w.peer.on_request = stall;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 9 * NS_PER_S);
    assert_int_equal(w.gauges[1].active_streams, 1);
    assert_in_range(w.gauges[1].oldest_event_age_ns, 1480 * MS, 1481 * MS);
    finish(&w);
    assert_int_equal(total(&w, COUNT_STREAMS_STALLED), 4);
    assert_int_equal(total(&w, COUNT_STREAMS_FAILED), 4);
    assert_int_equal(total(&w, COUNT_EVENTS), 4);
    assert_int_equal(w.peer.sessions, 1); /* it lives on */
    assert_int_equal(w.failures[ERROR_CODE_STREAM_STALL_TIMEOUT], 4);
    world_clear(&w);
}

/* ---- pages ------------------------------------------------------------------------------------
 */

static bool three_pages(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    static const char *const next[] = {",\"nextCursor\":\"two\"", ",\"nextCursor\":\"a\\\"b\"", ""};
    static const char *const asked[] = {"{}", "{\"cursor\":\"two\"}", "{\"cursor\":\"a\\\"b\"}"};
    char body[200];

    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    int page = w->script++ % 3;
    assert_non_null(memmem(r->body.p, r->body.len, asked[page], strlen(asked[page])));
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[]%s}}",
             (long long)r->id, next[page]);
    peer_respond(r->conn, 10 * MS, 200, "application/json", NULL, body);
    return true;
}

static void pages_belong_to_one_operation(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [{'operation': 'tools_list'}]", "", 1, 1, 1));
    w.peer.on_request = three_pages;
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, NS_PER_S);
    finish(&w);
    assert_int_equal(total(&w, COUNT_REQUESTS_SENT), 3 * total(&w, COUNT_STARTED));
    assert_int_equal(total(&w, COUNT_ENDED_OK), total(&w, COUNT_STARTED));
    assert_int_equal(w.dist[DIST_SERVICE].min, 30 * MS);
    assert_int_equal(w.dist[DIST_SERVICE].max, 30 * MS);
    world_clear(&w);
}

static bool pages_without_end(void *owner, const struct peer_request *r)
{
    const struct world *w = owner;
    char body[JSONRPC_CURSOR_MAX + 300];
    size_t width = w->script == 0 ? 20 : JSONRPC_CURSOR_MAX + 1;

    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[],\"nextCursor\":\"%0*d\"}}",
             (long long)r->id, (int)width, (int)r->number);
    peer_respond(r->conn, MS, 200, "application/json", NULL, body);
    return true;
}

static void a_list_without_an_end_is_a_failure(void **state)
{
    static const unsigned pages[] = {1000, 1}; /* a short cursor for ever; one that is too long */
    struct world w;

    (void)state;
    for (int way = 0; way < 2; way++) {
        world_init(&w,
                   stages_scenario("'operation_mix': [{'operation': 'tools_list'}]", "", 1, 1, 1));
        w.peer.on_request = pages_without_end;
        w.script = way;
        begin_stage(&w, 0, 500 * MS);
        run_for(&w, NS_PER_S);
        finish(&w);
        assert_int_equal(total(&w, COUNT_ENDED_OK), 0);
        assert_int_equal(w.failures[ERROR_CODE_RESPONSE_TOO_LARGE], total(&w, COUNT_STARTED));
        assert_int_equal(total(&w, COUNT_REQUESTS_SENT), pages[way] * total(&w, COUNT_STARTED));
        world_clear(&w);
    }
}

/* The cursor of each page, as the script says; pages of one list come in the same order. */
static const char *const *circle;

static bool pages_in_a_circle(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    char body[300];

    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    bool first = memmem(r->body.p, r->body.len, "cursor", 6) == NULL;
    w->script = first ? 0 : w->script + 1;
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[],\"nextCursor\":\"%s\"}}",
             (long long)r->id, circle[w->script]);
    peer_respond(r->conn, MS, 200, "application/json", NULL, body);
    return true;
}

/* A list that comes back to where it was ends there, and says so. */
static void a_list_in_a_circle_is_left(void **state)
{
    static const char *const same[] = {"a", "a", "a"};
    static const char *const back[] = {"a", "b", "c", "b", "c"};
    static const char *const empty[] = {"", "", ""}; /* a cursor like any other */
    static const struct {
        const char *const *cursors;
        unsigned requests;
    } cases[] = {{same, 2}, {back, 4}, {empty, 2}};
    struct world w;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        circle = cases[i].cursors;
        world_init(&w,
                   stages_scenario("'operation_mix': [{'operation': 'tools_list'}]", "", 1, 1, 1));
        w.peer.on_request = pages_in_a_circle;
        begin_stage(&w, 0, 500 * MS);
        run_for(&w, NS_PER_S);
        finish(&w);
        assert_true(total(&w, COUNT_STARTED) > 10);
        assert_int_equal(w.failures[ERROR_CODE_CURSOR_REPEATED], total(&w, COUNT_STARTED));
        assert_int_equal(total(&w, COUNT_REQUESTS_SENT),
                         cases[i].requests * total(&w, COUNT_STARTED));
        world_clear(&w);
    }
}

/* ---- headers that differ from request to request ------------------------------------------------
 */

static bool check_headers(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    char want[64];

    if (strcmp(r->method, "tools/call") == 0) {
        snprintf(want, sizeof want, "%s/%u", w->script == 0 ? "a" : "b", w->arrival_count++);
        assert_true(str_eq(peer_header(r, "X-Op"), str_c(want)));
    }
    assert_true(str_eq(peer_header(r, "X-Vu"), STR("vu_0")));
    return false;
}

static void headers_are_filled_in_for_each_request(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, "{'target': {'url': 'http://localhost/mcp', 'headers': {'X-Vu': '${vu_id}', "
                   "'X-Op': '${stage_id}/${op_seq}'}}, 'workload': {'operation_mix': [" CALL "]}, "
                   "'stages': ["
                   "{'stage': 'baseline', 'stage_id': 'a', 'duration_ms': 10000, 'load': "
                   "{'target_vus': 1}}, {'stage': 'baseline', 'stage_id': 'b', 'duration_ms': "
                   "10000, 'load': {'target_vus': 1}}]}");
    w.peer.on_request = check_headers;
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    w.script = 1;
    begin_stage(&w, 1, NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    assert_true(w.arrival_count > 150);
    world_clear(&w);
}

/* Two shards of one plan: each user lives in exactly one of them. */
static void segments_share_the_users(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct world w;

        world_init(&w, stages_scenario("'operation_mix': [" CALL "]", "", 5, 2, 7));
        shard_free(w.shard);
        struct shard_config config = {
            .plan = w.planned.plan,
            .target = &w.target,
            .segment = {.index = i, .count = 2},
            .opener = peer_open,
            .opener_owner = &w.peer,
            .post = world_post,
            .owner = &w,
        };
        w.shard = shard_new(w.loop, &config);
        begin_stage(&w, 0, NS_PER_S);
        run_for(&w, 2 * NS_PER_S);
        assert_int_equal(w.gauges[0].active_vus, i == 0 ? 3 : 2);
        begin_stage(&w, 1, NS_PER_S);
        run_for(&w, 2 * NS_PER_S);
        assert_int_equal(w.gauges[2].active_vus, 1);
        begin_stage(&w, 2, NS_PER_S);
        run_for(&w, 2 * NS_PER_S);
        assert_int_equal(w.gauges[4].active_vus, i == 0 ? 4 : 3);
        finish(&w);
        world_clear(&w);
    }
}

/* ---- memory -----------------------------------------------------------------------------------
 */

/* What one idle streaming session holds, but for its socket's own struct in net/tcp.c. */
static void structs_stay_small(void **state)
{
    static const struct {
        const char *name;
        size_t bytes;
    } parts[] = {
        {"slot", sizeof(struct slot)},
        {"virtual user", sizeof(struct vu)},
        {"session", sizeof(struct vu_session)},
        {"connection", sizeof(struct http_conn)},
        {"stream",
         sizeof(struct stream) + sizeof(struct io) + sizeof(struct defer) + sizeof(void *)},
    };
    size_t sum = 0;

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        print_message("%-12s %5zu bytes\n", parts[i].name, parts[i].bytes);
        sum += parts[i].bytes;
    }
    print_message("%-12s %5zu bytes\n", "together", sum);
    assert_true(sum <= 1600);
}

static void a_stage_may_be_ordered_before_its_forerunner_begins(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, calls_scenario(2));
    uint64_t start = now_ns + MS;
    for (uint32_t i = 0; i < 3; i++) {
        give(&w, (struct message){.kind = ORDER_STAGE,
                                  .stage = i,
                                  .grid_ns = start,
                                  .start_ns = start + i * 2 * NS_PER_S,
                                  .end_ns = start + (i + 1) * 2 * NS_PER_S});
    }
    run_for(&w, 7 * NS_PER_S);
    finish(&w);
    for (int i = 0; i < 3; i++) {
        assert_in_range(w.count[i][COUNT_STARTED], 390, 402);
    }
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_may_be_ordered_before_its_forerunner_begins),
        cmocka_unit_test(books_agree_with_the_peer),
        cmocka_unit_test(events_of_streams_are_counted),
        cmocka_unit_test(think_time_spaces_operations),
        cmocka_unit_test(slots_share_a_session_and_run_side_by_side),
        cmocka_unit_test(the_cap_is_not_exceeded_in_any_second),
        cmocka_unit_test(what_the_cap_holds_back_does_not_outlive_its_stage),
        cmocka_unit_test(a_stage_ends_and_the_next_one_resumes),
        cmocka_unit_test(a_stage_that_was_ordered_ahead_follows_without_a_gap),
        cmocka_unit_test(users_come_and_go_with_the_level),
        cmocka_unit_test(a_drain_lets_operations_end),
        cmocka_unit_test(a_drain_before_anything_ran),
        cmocka_unit_test(a_drain_at_any_moment_balances),
        cmocka_unit_test(a_stop_cuts_what_runs),
        cmocka_unit_test(a_stop_cuts_a_drain_short),
        cmocka_unit_test(what_is_not_finished_has_a_line),
        cmocka_unit_test(set_up_counts_as_lag_and_not_as_service),
        cmocka_unit_test(waiting_for_a_connection_counts_as_queueing),
        cmocka_unit_test(slots_that_share_a_connection_take_turns),
        cmocka_unit_test(a_drain_serves_those_that_waited),
        cmocka_unit_test(a_cut_operation_is_a_censored_sample),
        cmocka_unit_test(a_stall_is_a_failed_stream_with_its_silence),
        cmocka_unit_test(pages_belong_to_one_operation),
        cmocka_unit_test(a_list_without_an_end_is_a_failure),
        cmocka_unit_test(a_list_in_a_circle_is_left),
        cmocka_unit_test(headers_are_filled_in_for_each_request),
        cmocka_unit_test(segments_share_the_users),
        cmocka_unit_test(structs_stay_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
