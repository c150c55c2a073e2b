/* SPDX-License-Identifier: MIT */
/* hard_caps.max_rps in the engine: every request counts, and what it holds back costs nothing. */
#include "engine/shard_priv.h"
#include "unit/engine/stages.h"

enum { REQUESTS_MAX = 4096 };

static bool note_request(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    assert_true(w->arrival_count < REQUESTS_MAX);
    w->arrivals[w->arrival_count++] = r->at_ns;
    return false;
}

static void expect_cap(const struct world *w, uint32_t cap)
{
    for (uint32_t i = cap; i < w->arrival_count; i++) {
        assert_true(w->arrivals[i] - w->arrivals[i - cap] >= NS_PER_S);
    }
}

/* Sessions for each operation, lists beside the workload, goodbyes: all of it is within the cap. */
static void every_request_counts(void **state)
{
    static const char *const scenario =
        "{'target': {'url': 'http://localhost/mcp'}, 'session_policy': {'mode': 'per_request'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
        "  'user_journey': {'startup_sequence': {'run_tools_list_on_start': true}}},"
        " 'safety': {'hard_caps': {'max_rps': 100}},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 10000,"
        "             'load': {'target_vus': 10, 'start_spread_ms': 0}}]}";
    struct world w;

    (void)state;
    world_init(&w, scenario);
    w.peer.on_request = note_request;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 10 * NS_PER_S);
    finish(&w);
    expect_cap(&w, 100);
    assert_true(w.arrival_count >= 990); /* and it is used */
    assert_true(w.limits[LIMIT_MAX_RPS] > 500);
    /* What the cap does is queueing: neither the target's time nor our lateness. */
    assert_in_range(w.dist[DIST_SERVICE].max, 10 * MS, 11 * MS);
    assert_in_range(w.run_dist[DIST_TOOL_LAG].max, 0, MS);
    assert_in_range(w.run_dist[DIST_SESSION].max, 20 * MS, 21 * MS);
    assert_in_range(w.run_dist[DIST_INITIALIZE].max, 10 * MS, 11 * MS);
    world_clear(&w);
}

static void users_who_wait_have_no_timers(void **state)
{
    struct world w;
    uint32_t held = 0;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "]", "'hard_caps': {'max_rps': 50}",
                                   1000, 1000, 1000));
    begin_stage(&w, 0, 5 * NS_PER_S);
    run_for(&w, NS_PER_S);
    list_foreach (node, &w.shard->vus) {
        const struct slot *slot = &list_entry(node, struct vu, node)->slots[0];

        held += slot->state == SLOT_HELD;
        assert_false(send_armed(&slot->due));
    }
    assert_in_range(held, 900, 1000);
    assert_true(send_armed(&w.shard->client.gate.timer));
    finish(&w);
    assert_in_range(total(&w, COUNT_STARTED), 10, 50);
    world_clear(&w);
}

/* A list of three pages is three requests; its service time is the target's alone. */
static bool paged(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    note_request(owner, r);
    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    bool last = w->script++ % 3 == 2;
    char body[200];
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[]%s}}",
             (long long)r->id, last ? "" : ",\"nextCursor\":\"more\"");
    if (!last) {
        snprintf(
            body, sizeof body,
            "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[],\"nextCursor\":\"c%d\"}}",
            (long long)r->id, w->script);
    }
    peer_respond(r->conn, 10 * MS, 200, "application/json", NULL, body);
    return true;
}

static void pages_count(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [{'operation': 'tools_list'}]",
                                   "'hard_caps': {'max_rps': 10}", 1, 1, 1));
    w.peer.on_request = paged;
    begin_stage(&w, 0, 9 * NS_PER_S);
    run_for(&w, 9 * NS_PER_S);
    finish(&w);
    expect_cap(&w, 10);
    assert_in_range(w.arrival_count, 85, 95);
    assert_in_range(total(&w, COUNT_ENDED_OK), 27, 31);
    assert_in_range(w.dist[DIST_SERVICE].max, 30 * MS, 31 * MS);
    assert_in_range(w.run_dist[DIST_TOOL_LAG].max, 0, MS);
    world_clear(&w);
}

/* Each fifth call finds its session lost. */
static bool lose_some(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    if (strcmp(r->method, "tools/call") != 0 || ++w->script % 5 != 0) {
        return false;
    }
    peer_respond(r->conn, 10 * MS, 404, "text/plain", NULL, "session not found");
    return true;
}

/* The first try, the set-up of another session and the second try are service; its holds are not.
 */
static void what_the_cap_holds_of_a_second_try_is_no_service(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "], 'user_journey': null",
                                   "'hard_caps': {'max_rps': 10}", 1, 1, 1));
    w.peer.on_request = lose_some;
    begin_stage(&w, 0, 9 * NS_PER_S);
    run_for(&w, 9 * NS_PER_S);
    finish(&w);
    assert_in_range(total(&w, COUNT_SESSION_RETRIES), 8, 20);
    assert_in_range(w.dist[DIST_SERVICE].max, 40 * MS, 41 * MS);
    assert_in_range(w.run_dist[DIST_SESSION].max, 20 * MS, 21 * MS);
    world_clear(&w);
}

/* ---- max_connections ------------------------------------------------------------------------- */

static const char *few_connections(const char *mode)
{
    static char text[1024];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'}, 'session_policy': {'mode': '%s'},"
             " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
             "  'user_journey': null},"
             " 'safety': {'hard_caps': {'max_connections': 3}},"
             " 'stages': [{'stage': 'baseline', 'duration_ms': 5000,"
             "             'load': {'target_vus': 30, 'start_spread_ms': 0}}]}",
             mode);
    return text;
}

/* A set-up is the target's time: it begins when one may connect. */
static void waiting_to_connect_is_no_part_of_the_set_up(void **state)
{
    (void)state;
    for (int own = 0; own < 2; own++) {
        struct world w;

        world_init(&w, few_connections(own == 1 ? "per_request" : "reuse"));
        begin_stage(&w, 0, 5 * NS_PER_S);
        run_for(&w, 5 * NS_PER_S);
        finish(&w);
        assert_int_equal(w.peer.peak_connections, 3);
        assert_true(w.limits[LIMIT_MAX_CONNECTIONS] >= 27);
        assert_in_range(w.run_dist[DIST_SESSION].max, 20 * MS, 21 * MS);
        assert_in_range(w.run_dist[DIST_INITIALIZE].max, 10 * MS, 11 * MS);
        assert_in_range(w.dist[DIST_SETUP].max, 20 * MS, 21 * MS);
        assert_in_range(w.dist[DIST_SERVICE].max, 10 * MS, 11 * MS);
        assert_in_range(w.run_dist[DIST_TOOL_LAG].max, 0, MS);
        /* Each turn of 30 users takes 40 ms (with the goodbye), and three are served at a time. */
        assert_true(w.dist[DIST_QUEUE].max > (own == 1 ? 300 * MS : 4 * NS_PER_S));
        world_clear(&w);
    }
}

/* A list of three pages, by the cursors that come. */
static bool three_pages(void *owner, const struct peer_request *r)
{
    char body[200];

    (void)owner;
    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    bool second = memmem(r->body.p, r->body.len, "\"c1\"", 4) != NULL;
    bool last = memmem(r->body.p, r->body.len, "\"c2\"", 4) != NULL;
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[]%s}}",
             (long long)r->id,
             last     ? ""
             : second ? ",\"nextCursor\":\"c2\""
                      : ",\"nextCursor\":\"c1\"");
    peer_respond(r->conn, 10 * MS, 200, "application/json", NULL, body);
    return true;
}

static void waiting_for_a_connection_between_pages_is_no_service(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [{'operation': 'tools_list'}],"
                                   "'in_flight_per_vu': 2, 'user_journey': null",
                                   "'hard_caps': {'max_connections': 1}", 1, 1, 1));
    w.peer.on_request = three_pages;
    begin_stage(&w, 0, 5 * NS_PER_S);
    run_for(&w, 5 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.peer.peak_connections, 1);
    assert_in_range(total(&w, COUNT_ENDED_OK), 160, 170);
    assert_in_range(w.dist[DIST_SERVICE].max, 30 * MS, 31 * MS);
    assert_in_range(w.dist[DIST_RESPONSE].max, 60 * MS, 90 * MS);
    assert_in_range(w.run_dist[DIST_TOOL_LAG].max, 0, MS);
    world_clear(&w);
}

/* Each answer ends its connection. */
static bool close_after_each(void *owner, const struct peer_request *r)
{
    char body[80];

    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}",
             (long long)r->id);
    peer_respond(r->conn, 10 * MS, 200, "application/json", "Connection: close\r\n", body);
    peer_close(r->conn, 10 * MS);
    return true;
}

/* Who has just been served may not connect again before those that wait. */
static void a_connection_that_ends_is_for_who_waits(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "], 'user_journey': null",
                                   "'hard_caps': {'max_connections': 3}", 12, 12, 12));
    w.peer.on_request = close_after_each;
    begin_stage(&w, 0, 5 * NS_PER_S);
    run_for(&w, 5 * NS_PER_S);
    assert_int_equal(w.peer.sessions, 12);
    finish(&w);
    assert_int_equal(w.peer.peak_connections, 3);
    assert_true(total(&w, COUNT_ENDED_OK) > 1400);
    /* At first all of them make a session, too. */
    assert_in_range(w.dist[DIST_LAG].max, 30 * MS, 130 * MS);
    assert_in_range(w.dist[DIST_SERVICE].max, 10 * MS, 11 * MS);
    world_clear(&w);
}

static bool slow_at_first(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    note_request(owner, r);
    w->peer.delay_ns = w->arrival_count < 40 ? 1200 * MS : MS;
    return false;
}

/* A permission is for its moment: who then waits for a connection needs another one. */
static void who_waits_for_a_connection_keeps_to_the_cap(void **state)
{
    static const char *const modes[] = {"reuse", "per_request"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        char text[1024];
        struct world w;

        snprintf(
            text, sizeof text,
            "{'target': {'url': 'http://localhost/mcp'}, 'session_policy': {'mode': '%s'},"
            " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
            "  'in_flight_per_vu': 60, 'user_journey': null},"
            " 'safety': {'hard_caps': {'max_rps': 40, 'max_connections': 2,"
            "   'max_in_flight_per_vu': 60}},"
            " 'stages': [{'stage': 'baseline', 'duration_ms': 6000,"
            "             'load': {'target_vus': 3, 'start_spread_ms': 0}}]}",
            modes[i]);
        world_init(&w, text);
        w.peer.on_request = slow_at_first;
        begin_stage(&w, 0, 6 * NS_PER_S);
        run_for(&w, 6 * NS_PER_S);
        finish(&w);
        expect_cap(&w, 40);
        assert_true(w.arrival_count > 20);
        assert_int_equal(w.peer.peak_connections, 2);
        assert_int_equal(w.shard->client.dialing_, 0);
        world_clear(&w);
    }
}

/* A list begins something new as an operation does: they take turns. */
static void lists_leave_room_for_operations(void **state)
{
    static const char *const scenario =
        "{'target': {'url': 'http://localhost/mcp'}, 'session_policy': {'mode': 'reuse'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
        "  'user_journey': {'startup_sequence': {'run_tools_list_on_start': true},"
        "                   'periodic_ops': {'tools_list_interval_ms': 100}}},"
        " 'safety': {'hard_caps': {'max_rps': 30}},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 10000,"
        "             'load': {'target_vus': 5, 'start_spread_ms': 0}}]}";
    struct world w;

    (void)state;
    world_init(&w, scenario);
    w.peer.on_request = note_request;
    begin_stage(&w, 0, 10 * NS_PER_S);
    run_for(&w, 10 * NS_PER_S);
    finish(&w);
    expect_cap(&w, 30);
    uint64_t calls = peer_count_of(&w.peer, "tools/call"),
             lists = peer_count_of(&w.peer, "tools/list");
    assert_in_range(calls, 120, 200);
    assert_in_range(lists, 80, 180);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_counts),
        cmocka_unit_test(users_who_wait_have_no_timers),
        cmocka_unit_test(pages_count),
        cmocka_unit_test(what_the_cap_holds_of_a_second_try_is_no_service),
        cmocka_unit_test(waiting_to_connect_is_no_part_of_the_set_up),
        cmocka_unit_test(a_connection_that_ends_is_for_who_waits),
        cmocka_unit_test(waiting_for_a_connection_between_pages_is_no_service),
        cmocka_unit_test(who_waits_for_a_connection_keeps_to_the_cap),
        cmocka_unit_test(lists_leave_room_for_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
