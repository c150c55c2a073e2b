/* SPDX-License-Identifier: MIT */
/*
 * A target that does anything at all, for many seeds: whatever it does, and whenever we stop, every
 * operation that was started has exactly one end, both sides agree on the requests, and nothing
 * leaks or hangs.
 */
#include "base/rng.h"
#include "unit/engine/world.h"

#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}"

static uint64_t seed, draws;

static uint64_t draw(uint64_t n)
{
    return rng_below(rng_at(seed, draws++), n);
}

static void half_an_answer(const struct peer_request *r, uint64_t after)
{
    peer_bytes(r->conn, after, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s",
               draw(2) == 0 ? "Content-Le" : "Content-Length: 50\r\n\r\n{\"jsonrpc\"");
    peer_close(r->conn, after + draw(20) * MS);
}

static void stream_of(const struct peer_request *r, uint64_t after, bool ends)
{
    peer_sse_begin(r->conn, after, NULL);
    for (uint64_t n = draw(6); n > 0; n--) {
        after += draw(400) * MS;
        peer_sse(r->conn, after, draw(3) == 0 ? ": %s\n\n" : "data: %s\n\n", NOTE);
    }
    if (ends) {
        peer_sse(r->conn, after, "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}\n\n",
                 (long long)r->id);
    }
    switch (draw(4)) {
    case 0:
        peer_sse_end(r->conn, after + draw(500) * MS);
        break;
    case 1:
        peer_close(r->conn, after);
        break;
    case 2:
        peer_reset(r->conn, after);
        break;
    default:
        break; /* it stays open, silent */
    }
}

static bool misbehave(void *owner, const struct peer_request *r)
{
    static const int statuses[] = {400, 404, 404, 429, 500, 503, 302, 204};
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "{}",
        "session",
        "{\"jsonrpc\":\"2.0\",\"id\":999999,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32603,\"message\":\"x\"}}"};
    uint64_t after = draw(30) * MS;

    (void)owner;
    switch (draw(14)) {
    case 0:
        peer_respond(r->conn, after, statuses[draw(8)], "text/plain", NULL, "");
        return true;
    case 1:
        peer_respond(r->conn, after, statuses[draw(7)], "application/json", NULL, bodies[draw(7)]);
        return true;
    case 2:
        peer_respond(r->conn, after, 200, "application/json", NULL, bodies[draw(7)]);
        return true;
    case 3:
        half_an_answer(r, after);
        return true;
    case 4:
        stream_of(r, after, draw(2) == 0);
        return true;
    case 5:
        peer_close(r->conn, after);
        return true;
    case 6:
        peer_reset(r->conn, after);
        return true;
    case 7:
        return draw(4) == 0; /* silence, now and then */
    case 8:
        peer_respond(r->conn, after, 200, "text/html", "Connection: close\r\n", "<html>");
        return true;
    case 9:
        peer_respond(r->conn, after, 404, "text/plain", NULL, "no such session");
        return true;
    default:
        return false;
    }
}

static const char *session_policy_of(char *text, size_t size)
{
    static const char *const modes[] = {
        "'reuse'",
        "'per_request'",
        "'churn', 'churn_interval_ops': 3",
        "'pool', 'pool_size': 2",
        "'pool', 'pool_size': 5, 'max_in_flight_per_session': 1",
        "'reuse', 'max_in_flight_per_session': 1",
    };
    static const char *const ways[] = {"delete", "fin", "rst", "vanish"};

    snprintf(text, size, "{'mode': %s, 'ttl_ms': %u, 'max_idle_ms': %u, 'abandon': '%s'}",
             modes[draw(6)], (unsigned)draw(3) * 200, (unsigned)draw(3) * 40, ways[draw(4)]);
    return text;
}

static const char *scenario_of(char *text, size_t size)
{
    char policy[200];

    snprintf(text, size,
             "{'session_policy': %s, 'target': {'url': 'http://localhost/mcp', 'timeouts': "
             "{'request_timeout_ms': 1500, "
             "'stream_stall_timeout_ms': 1000}%s}, 'safety': {'hard_caps': {'max_rps': %s%s}}, "
             "'workload': {'in_flight_per_vu': %u, 'think_time': {'mode': 'jitter', 'base_ms': %u, "
             "'jitter_ms': 20}, 'operation_mix': [{'operation': 'tools_list'}, {'operation': "
             "'ping'}, {'operation': 'tools_call', 'weight': 3}], 'tools': {'templates': ["
             "{'template_id': 'a', 'tool_name': 'echo', 'expects_streaming': true}]}, "
             "'user_journey': {'reconnect_policy': {'enabled': %s, 'initial_delay_ms': 50, "
             "'max_delay_ms': 500, 'max_retries': 4}}}, 'stages': ["
             "{'stage': 'baseline', 'stage_id': 'a', 'duration_ms': 3000, 'load': {'target_vus': "
             "%u}}, {'stage': 'baseline', 'stage_id': 'b', 'duration_ms': 3000, 'load': "
             "{'target_vus': %u}}]}",
             session_policy_of(policy, sizeof policy),
             draw(2) == 0 ? ", 'headers': {'X-Vu': '${vu_id}', 'X-Op': '${stage_id}/${op_seq}'}"
                          : "",
             draw(3) == 0 ? "40" : "0", draw(3) == 0 ? ", 'max_connections': 4" : "",
             (unsigned)(1 + draw(3)), (unsigned)draw(3) * 10, draw(4) == 0 ? "false" : "true",
             (unsigned)(1 + draw(8)), (unsigned)(1 + draw(8)));
    return text;
}

static void check_books(struct world *w)
{
    static const char *const methods[] = {"tools/list", "ping", "tools/call"};

    for (uint32_t op = 0; op < 3; op++) {
        uint64_t sent = w->count[op][COUNT_REQUESTS_SENT] + w->count[op + 3][COUNT_REQUESTS_SENT];
        assert_int_equal(sent, peer_count_of(&w->peer, methods[op]));
    }
    assert_int_equal(w->run[COUNT_CONNECT_ATTEMPTS], w->peer.connections);
}

static void play(uint64_t s)
{
    struct world w;
    char text[3000];

    seed = s;
    draws = 0;
    world_init(&w, scenario_of(text, sizeof text));
    w.planned.scenario->target.timeouts.deadline_ns = draw(3) == 0 ? 150 * MS : 0;
    w.peer.on_request = misbehave;
    w.peer.sse = draw(3) == 0;
    w.peer.faults.read_max = draw(3) == 0 ? 1 + draw(50) : 0;
    begin_stage(&w, 0, 3 * NS_PER_S);
    run_for(&w, draw(5000) * MS);
    if (draw(2) == 0) {
        begin_stage(&w, 1, 3 * NS_PER_S);
        run_for(&w, draw(4000) * MS);
    }
    if (draw(2) == 0) {
        give(&w, (struct message){.kind = ORDER_STOP});
        assert_int_equal(w.drained_reports, 1);
    }
    finish(&w);
    run_for(&w, MS);
    assert_int_equal(w.peer.open_connections, 0);
    check_books(&w);
    world_clear(&w);
}

static void every_start_has_one_end(void **state)
{
    (void)state;
    for (uint64_t s = 0; s < 300; s++) {
        play(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_start_has_one_end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
