/* SPDX-License-Identifier: MIT */
/* What goes wrong between clients and sessions: exchanged answers, forgotten sessions; and the
 * history in which a test looks it up. */
#include "unit/mock/rig.h"

#define INIT                                                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"" \
    "2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
#define ECHO(id, text)                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{" \
    "\"name\":\"fast_echo\",\"arguments\":{\"message\":\"" text "\"}}}"

static void set_faults(struct rig *r, const char *json)
{
    assert_int_equal(
        rig_ask(r, "POST", "/faults", "Content-Type: application/json\r\n", json, NULL, 0), 200);
}

/* Opens a session; `headers` (256 bytes) are those of its requests. */
static void open_session(struct rig *r, char headers[256])
{
    struct peer p;
    char id[128];

    peer_open(&p, r, NULL);
    peer_post(&p, JSON_ONLY, INIT);
    rig_run(r, 0);
    assert_int_equal(peer_status(&p), 200);
    peer_header(&p, "Mcp-Session-Id", id);
    snprintf(headers, 256, "%sMcp-Session-Id: %s\r\n", JSON_ONLY, id);
    peer_close(&p);
}

static void test_swap(void **state)
{
    struct rig r;
    struct peer a, b;
    char first[256], second[256];

    (void)state;
    rig_start(&r, NULL);
    open_session(&r, first);
    open_session(&r, second);
    set_faults(&r, "{\"swap_answers\":1}");
    peer_open(&a, &r, NULL);
    peer_open(&b, &r, NULL);
    peer_post(&a, first, ECHO("7", "from a"));
    rig_run(&r, 20);
    assert_int_equal(a.in.len, 0); /* it waits for somebody */
    assert_int_equal(rig_stat(&r, "calls_open", NULL), 1);
    peer_post(&b, second, ECHO("8", "from b"));
    rig_run(&r, 0);
    assert_non_null(strstr(peer_body(&a), "\"id\":7,"));
    assert_non_null(strstr(peer_body(&a), "echo: from b"));
    assert_non_null(strstr(peer_body(&b), "\"id\":8,"));
    assert_non_null(strstr(peer_body(&b), "echo: from a"));
    assert_int_equal(rig_stat(&r, "answers_swapped", NULL), 2);
    assert_int_equal(rig_stat(&r, "errors_injected", NULL), 2);
    assert_int_equal(rig_stat(&r, "responses", NULL), 4);
    assert_int_equal(rig_stat(&r, "calls_open", NULL), 0);
    peer_close(&a);
    peer_close(&b);
    rig_stop(&r);
}

/* The same client's answers are never exchanged, and without a second client nothing is. */
static void test_nobody_to_swap_with(void **state)
{
    struct rig r;
    struct peer a, b;
    char headers[256];

    (void)state;
    rig_start(&r, NULL);
    open_session(&r, headers);
    set_faults(&r, "{\"swap_answers\":1}");
    uint64_t began = r.now_ns;
    peer_open(&a, &r, NULL);
    peer_open(&b, &r, NULL);
    peer_post(&a, headers, ECHO("1", "one"));
    peer_post(&b, headers, ECHO("2", "two"));
    rig_run(&r, 500);
    assert_non_null(strstr(peer_body(&a), "echo: one"));
    assert_non_null(strstr(peer_body(&b), "echo: two"));
    assert_int_equal(b.last_ns, began);
    assert_int_equal(a.last_ns, began + 100 * NS_PER_MS);
    assert_int_equal(rig_stat(&r, "answers_swapped", NULL), 0);
    assert_int_equal(rig_stat(&r, "errors_injected", NULL), 0);
    peer_close(&a);
    peer_close(&b);
    rig_stop(&r);
}

/* A client leaves while its answer is held, and the mock ends while another one's is. */
static void test_held_client_leaves(void **state)
{
    struct rig r;
    struct peer a, b;

    (void)state;
    rig_start(&r, NULL);
    set_faults(&r, "{\"swap_answers\":1,\"latency\":{\"kind\":\"fixed\",\"ms\":30}}");
    peer_open(&a, &r, NULL);
    peer_post(&a, JSON_ONLY, ECHO("1", "one"));
    rig_run(&r, 1);
    peer_close(&a);
    peer_open(&a, &r, NULL);
    peer_open(&b, &r, NULL);
    uint64_t began = r.now_ns;
    peer_post(&a, JSON_ONLY, ECHO("2", "two"));
    rig_run(&r, 10);
    peer_post(&b, JSON_ONLY, ECHO("3", "three"));
    rig_run(&r, 100);
    assert_non_null(strstr(peer_body(&a), "echo: three"));
    assert_non_null(strstr(peer_body(&b), "echo: two"));
    assert_int_equal(a.last_ns, began + 30 * NS_PER_MS); /* each at the time of its own latency */
    assert_int_equal(b.last_ns, began + 40 * NS_PER_MS);
    peer_post(&a, JSON_ONLY, ECHO("4", "four"));
    rig_run(&r, 1);
    mock_free(r.mock);
    r.mock = NULL;
    rig_run(&r, 0);
    stream_close(a.stream);
    buf_clear(&a.in);
    stream_close(b.stream);
    buf_clear(&b.in);
    rig_stop(&r);
}

static void test_lose_sessions(void **state)
{
    struct rig r;
    char headers[256], other[256], text[256];

    (void)state;
    rig_start(&r, NULL);
    open_session(&r, headers);
    open_session(&r, other);
    set_faults(&r, "{\"lose_sessions\":1}");
    assert_int_equal(rig_ask(&r, "POST", "/mcp", headers, ECHO("1", "x"), NULL, 0), 404);
    set_faults(&r, "{\"lose_sessions\":0}");
    assert_int_equal(rig_ask(&r, "POST", "/mcp", headers, ECHO("1", "x"), NULL, 0), 404);
    assert_int_equal(rig_ask(&r, "POST", "/mcp", other, ECHO("1", "x"), NULL, 0), 200);
    assert_int_equal(rig_stat(&r, "sessions_lost", NULL), 1);
    assert_int_equal(rig_stat(&r, "sessions_open", NULL), 1);
    assert_int_equal(rig_stat(&r, "sessions_max_open", NULL), 2);
    assert_int_equal(rig_stat(&r, "errors_injected", NULL), 1);
    assert_int_equal(rig_ask(&r, "POST", "/sessions/forget", "", NULL, text, sizeof text), 200);
    assert_non_null(strstr(text, "{\"forgotten\":1}"));
    assert_int_equal(rig_ask(&r, "POST", "/mcp", other, ECHO("1", "x"), NULL, 0), 404);
    rig_ask(&r, "POST", "/stats/reset", "", NULL, NULL, 0);
    assert_int_equal(rig_stat(&r, "sessions_max_open", NULL), 0);
    assert_int_equal(rig_stat(&r, "sessions_lost", NULL), 0);
    assert_int_equal(rig_ask(&r, "GET", "/sessions/forget", "", NULL, NULL, 0), 405);
    rig_stop(&r);
}

/* Two threads of a mock agree about when the port is closed: it is a function of the time. */
static void test_refuses(void **state)
{
    struct rig r;
    uint64_t look, closed = 0;

    (void)state;
    rig_start(&r, NULL);
    assert_false(mock_refuses(r.shared, r.now_ns, &look));
    set_faults(&r, "{\"refuse_connections_ms\":60}");
    assert_true(mock_refuses(r.shared, r.now_ns, &look));
    assert_true(mock_refuses(r.shared, r.now_ns + 59 * NS_PER_MS, &look));
    assert_int_equal(look, r.now_ns + 60 * NS_PER_MS);
    assert_false(mock_refuses(r.shared, r.now_ns + 60 * NS_PER_MS, &look));
    set_faults(&r, "{\"refuse_connections_ms\":0,\"refuse_connections\":0.25}");
    for (uint64_t ms = 0; ms < 1000; ms++) {
        closed += mock_refuses(r.shared, r.now_ns + ms * NS_PER_MS, &look);
        assert_true(look > r.now_ns + ms * NS_PER_MS);
    }
    assert_int_equal(closed, 250);
    rig_stop(&r);
}

static void test_history(void **state)
{
    struct rig r;
    struct peer p;
    char headers[256], text[1024];

    (void)state;
    rig_start(&r, NULL);
    open_session(&r, headers);
    mock_sample(r.shared, r.now_ns);
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH,
              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
              "\"streaming_tool\",\"arguments\":{\"chunks\":9,\"delay_ms\":100}}}");
    rig_run(&r, 50);
    mock_sample(r.shared, r.now_ns);
    assert_int_equal(rig_ask(&r, "GET", "/stats/history", "", NULL, text, sizeof text), 200);
    assert_non_null(strstr(text, "\"tick_ms\":50,\"columns\":[\"ts_ms\",\"http_requests\","));
    assert_non_null(strstr(text, ",1,0,1,0,1,0,0],\n["));
    assert_non_null(strstr(text, ",2,1,1,1,1,1,1]]}\n"));
    assert_int_equal(
        rig_ask(&r, "GET", "/stats/history?since_ms=9000000000000", "", NULL, text, sizeof text),
        200);
    assert_non_null(strstr(text, "\"samples\":[]}"));
    assert_int_equal(rig_ask(&r, "GET", "/stats/history?since=1", "", NULL, NULL, 0), 400);
    peer_close(&p);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swap),
        cmocka_unit_test(test_nobody_to_swap_with),
        cmocka_unit_test(test_held_client_leaves),
        cmocka_unit_test(test_lose_sessions),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
