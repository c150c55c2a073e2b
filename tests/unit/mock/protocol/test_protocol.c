/* SPDX-License-Identifier: MIT */
/* HTTP statuses, JSON-RPC errors, sessions, lists, and the counters of all of it. */
#include "unit/mock/rig.h"

#define INIT(version)                                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":" \
    "\"" version "\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define CT   "Content-Type: application/json\r\n"

static const struct {
    const char *method, *path, *headers, *body;
    int status;
    const char *text; /* part of the body, or NULL */
} cases[] = {
    {"POST", "/mcp", JSON_ONLY, PING, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"},
    {"POST", "/", JSON_ONLY, PING, 200, "\"result\":{}"},
    {"POST", "/notifications/subscribe", JSON_ONLY, PING, 200, "\"result\":{}"},
    {"POST", "/mcp?x=y", JSON_ONLY, PING, 200, NULL},
    {"POST", "/other", JSON_ONLY, PING, 404, NULL},
    {"POST", "/mcp", CT, PING, 200, NULL},
    {"POST", "/mcp", CT "Accept: */*\r\n", PING, 200, "{\"jsonrpc\""},
    {"POST", "/mcp", CT "Accept: text/event-stream\r\n", PING, 200,
     "event: message\ndata: {\"jsonrpc\""},
    {"POST", "/mcp", CT "Accept: text/html, application/json;q=0\r\n", PING, 406, NULL},
    {"POST", "/mcp", "Accept: */*\r\n", PING, 415, NULL},
    {"POST", "/mcp", "Content-Type: text/plain\r\n", PING, 415, NULL},
    {"POST", "/mcp", "Content-Type: application/json; charset=utf-8\r\n", PING, 200, NULL},
    {"PUT", "/mcp", JSON_ONLY, PING, 405, NULL},
    {"GET", "/mcp", "Accept: application/json\r\n", NULL, 406, NULL},
    {"DELETE", "/mcp", "", NULL, 400, NULL},
    {"DELETE", "/mcp", "Mcp-Session-Id: 0123\r\n", NULL, 404, NULL},
    {"DELETE", "/notifications/subscribe", "", NULL, 405, NULL},
    {"POST", "/mcp", JSON_ONLY "MCP-Protocol-Version: 2025-06-18\r\n", PING, 200, NULL},
    {"POST", "/mcp", JSON_ONLY "MCP-Protocol-Version: 1999-01-01\r\n", PING, 400, "-32000"},
    {"POST", "/mcp", JSON_ONLY "Origin: http://localhost:5173\r\n", PING, 200, NULL},
    {"POST", "/mcp", JSON_ONLY "Origin: http://[::1]:1\r\n", PING, 200, NULL},
    {"POST", "/mcp", JSON_ONLY "Origin: https://example.com\r\n", PING, 403, NULL},
    {"POST", "/mcp", JSON_ONLY "Origin: http://localhost.example.com\r\n", PING, 403, NULL},
    {"POST", "/mcp", JSON_ONLY "Origin: null\r\n", PING, 403, NULL},
    {"POST", "/mcp", JSON_ONLY "Origin: http://127.0.0.1.example.com\r\n", PING, 403, NULL},
    {"POST", "/mcp", JSON_ONLY "Origin: http://127.0.0.1:5173\r\n", PING, 200, NULL},
    {"GET", "/stats", "Origin: https://example.com\r\n", NULL, 403, NULL},
    {"POST", "/stats", "", NULL, 405, NULL},
    {"POST", "/mcp", JSON_ONLY, "{", 400, "-32700"},
    {"POST", "/mcp", JSON_ONLY, "[]", 400, "-32600"},
    {"POST", "/mcp", JSON_ONLY, "{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"ping\"}", 400,
     "\"id\":5,"},
    {"POST", "/mcp", JSON_ONLY, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no\"}", 200, "-32601"},
    {"POST", "/mcp", JSON_ONLY, "{\"jsonrpc\":\"2.0\",\"method\":\"no\"}", 202, NULL},
    {"POST", "/mcp", JSON_ONLY, "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}", 202, NULL},
    {"POST", "/mcp", JSON_ONLY, INIT("2025-03-26"), 200, "\"protocolVersion\":\"2025-03-26\""},
    {"POST", "/mcp", JSON_ONLY, INIT("2025-06-18"), 200, "\"protocolVersion\":\"2025-06-18\""},
    {"POST", "/mcp", JSON_ONLY, INIT("2999-01-01"), 200, "\"protocolVersion\":\"2025-11-25\""},
    {"POST", "/mcp", JSON_ONLY, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}", 200,
     "-32602"},
    {"POST", "/mcp", JSON_ONLY, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", 200,
     "\"text\":\"invalid params\"}],\"isError\":true"},
    {"POST", "/mcp", JSON_ONLY, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}", 200,
     "\"uri\":\"file:///data/sample.csv\",\"name\":\"Sample Data\",\"mimeType\":\"text/csv\""},
    {"POST", "/mcp", JSON_ONLY,
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":"
     "\"file:\\/\\/\\/data\\/sample.csv\"}}",
     200, "\"mimeType\":\"text/csv\",\"text\":\"id,value"},
    {"POST", "/mcp", JSON_ONLY,
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/"
     "read\",\"params\":{\"uri\":\"x:\\\"y\"}}",
     200, "\"text\":\"content of x:\\\"y\""},
    {"POST", "/mcp", JSON_ONLY,
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"\"}}", 200,
     "-32602"},
    {"POST", "/mcp", JSON_ONLY, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/list\"}", 200,
     "\"name\":\"target_language\",\"required\":true"},
    {"POST", "/mcp", JSON_ONLY,
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\",\"params\":{\"name\":\"translate\","
     "\"arguments\":{\"text\":\"q\\\"\"}}}",
     200, "{\\\"text\\\":\\\"q\\\\\\\"\\\"}"},
    {"POST", "/mcp", JSON_ONLY,
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\",\"params\":{\"name\":\"no\"}}", 200,
     "-32602"},
    {"GET", "/notifications/subscribe?event_count=0", "", NULL, 400, "event_count"},
    {"GET", "/notifications/subscribe?interval_ms=x", "", NULL, 400, "interval_ms"},
    {"POST", "/faults", "", "{\"http_50\":1}", 400, "http_50"},
    {"POST", "/faults", "", "{\"latency\":{\"kind\":\"odd\"}}", 400, "latency.kind"},
    {"POST", "/faults", "", "{\"cut\":1.5}", 400, "cut"},
    {"POST", "/faults", "", "{\"cut\":0.6,\"reset\":0.6}", 400, "sum"},
    {"POST", "/faults", "", "[", 400, NULL},
};

static void test_statuses(void **state)
{
    struct rig r;
    char body[16384];

    (void)state;
    rig_start(&r, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status = rig_ask(&r, cases[i].method, cases[i].path, cases[i].headers, cases[i].body,
                             body, sizeof body);

        if (status != cases[i].status ||
            (cases[i].text != NULL && strstr(body, cases[i].text) == NULL)) {
            fail_msg("case %zu, %s %s %s: %d %s", i, cases[i].method, cases[i].path, cases[i].body,
                     status, body);
        }
        json_t *doc;
        if (body[0] == '{') { /* whatever JSON we send can be read */
            assert_int_equal(json_parse(str_c(body), sizeof body, &doc, NULL), 0);
            json_decref(doc);
        }
    }
    rig_stop(&r);
}

static void open_session(struct rig *r, char line[128])
{
    struct peer p;
    char id[128];

    peer_open(&p, r, NULL);
    peer_post(&p, JSON_ONLY, INIT("2025-11-25"));
    rig_run(r, 0);
    peer_header(&p, "Mcp-Session-Id", id);
    assert_int_equal(strlen(id), 32);
    snprintf(line, 128, "Mcp-Session-Id: %.32s\r\n", id);
    peer_close(&p);
}

static int ask_in(
    struct rig *r, const char *method, const char *session, const char *headers, const char *body)
{
    char all[512];

    snprintf(all, sizeof all, "%s%s", session, headers);
    return rig_ask(r, method, "/mcp", all, body, NULL, 0);
}

static void test_session_life(void **state)
{
    struct rig r;
    char a[128], b[128];

    (void)state;
    rig_start(&r, NULL);
    open_session(&r, a);
    open_session(&r, b);
    assert_string_not_equal(a, b);
    assert_int_equal(ask_in(&r, "POST", a, JSON_ONLY, PING), 200);
    assert_int_equal(ask_in(&r, "POST", a, JSON_ONLY, INIT("2025-11-25")), 400);
    assert_int_equal(rig_stat(&r, "sessions_open", NULL), 2);
    assert_int_equal(ask_in(&r, "DELETE", a, "", NULL), 200);
    assert_int_equal(ask_in(&r, "DELETE", a, "", NULL), 404);
    assert_int_equal(ask_in(&r, "POST", a, JSON_ONLY, PING), 404);
    assert_int_equal(ask_in(&r, "POST", b, JSON_ONLY, PING), 200);
    assert_int_equal(rig_stat(&r, "sessions_opened", NULL), 2);
    assert_int_equal(rig_stat(&r, "sessions_open", NULL), 1);
    assert_int_equal(rig_stat(&r, "sessions_deleted", NULL), 1);
    rig_stop(&r);
}

static void test_session_rules(void **state)
{
    struct mock_config config = mock_config_default();
    struct rig r;
    char a[128], again[128];

    (void)state;
    config.require_session = true;
    config.session_ttl_ns = 100 * NS_PER_MS;
    config.seed = 77;
    rig_start(&r, &config);
    assert_int_equal(rig_ask(&r, "POST", "/mcp", JSON_ONLY, PING, NULL, 0), 400);
    open_session(&r, a);
    assert_int_equal(ask_in(&r, "POST", a, JSON_ONLY, PING), 200);
    rig_run(&r, 101);
    assert_int_equal(ask_in(&r, "POST", a, JSON_ONLY, PING), 404);
    assert_int_equal(rig_stat(&r, "sessions_expired", NULL), 1);
    assert_int_equal(rig_stat(&r, "sessions_open", NULL), 0);
    rig_stop(&r);
    rig_start(&r, &config); /* the same seed: the same ids */
    open_session(&r, again);
    assert_string_equal(a, again);
    rig_stop(&r);
}

/* The server stream: one for a session, and it ends with the session. */
static void test_server_stream(void **state)
{
    struct rig r;
    struct peer p;
    char a[128], headers[256];

    (void)state;
    rig_start(&r, NULL);
    open_session(&r, a);
    snprintf(headers, sizeof headers, "%sAccept: text/event-stream\r\n", a);
    peer_open(&p, &r, NULL);
    peer_request(&p, "GET", "/mcp", headers, NULL);
    rig_run(&r, 60000);
    assert_int_equal(peer_status(&p), 200);
    assert_string_equal(peer_body(&p), "");
    assert_int_equal(rig_stat(&r, "streams_open", NULL), 1);
    assert_int_equal(rig_ask(&r, "GET", "/mcp", headers, NULL, NULL, 0), 409);
    assert_int_equal(ask_in(&r, "DELETE", a, "", NULL), 200);
    rig_run(&r, 200);
    assert_string_equal(peer_body(&p), "0\r\n\r\n");
    assert_int_equal(rig_stat(&r, "streams_open", NULL), 0);
    peer_close(&p);
    open_session(&r, a); /* a client that left may come again */
    snprintf(headers, sizeof headers, "%sAccept: text/event-stream\r\n", a);
    for (int i = 0; i < 2; i++) {
        peer_open(&p, &r, NULL);
        peer_request(&p, "GET", "/mcp", headers, NULL);
        rig_run(&r, 0);
        assert_int_equal(peer_status(&p), 200);
        peer_close(&p);
    }
    rig_stop(&r);
}

static void test_pages(void **state)
{
    static const unsigned sizes[] = {1, 5, 27, 28, 100};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct mock_config config = mock_config_default();
        struct rig r;
        char body[32768], request[256], cursor[64] = "";
        size_t tools = 0, pages = 0;

        config.page_size = sizes[i];
        rig_start(&r, &config);
        do {
            json_t *doc;

            snprintf(request, sizeof request,
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{%s%s%s}}",
                     cursor[0] ? "\"cursor\":\"" : "", cursor, cursor[0] ? "\"" : "");
            assert_int_equal(rig_ask(&r, "POST", "/mcp", JSON_ONLY, request, body, sizeof body),
                             200);
            assert_int_equal(json_parse(str_c(body), sizeof body, &doc, NULL), 0);
            const json_t *result = json_object_get(doc, "result");
            const json_t *next = json_object_get(result, "nextCursor");
            tools += json_array_size(json_object_get(result, "tools"));
            pages++;
            snprintf(cursor, sizeof cursor, "%s", next != NULL ? json_string_value(next) : "");
            json_decref(doc);
        } while (cursor[0] != '\0');
        assert_int_equal(tools, 28);
        assert_int_equal(pages, (28 + sizes[i] - 1) / sizes[i]);
        static const char *const bad[] = {"\"x\"", "\"29\"", "5", "\"\""};
        for (size_t k = 0; k < 4; k++) {
            snprintf(request, sizeof request,
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
                     "list\",\"params\":{\"cursor\":%s}}",
                     bad[k]);
            rig_ask(&r, "POST", "/mcp", JSON_ONLY, request, body, sizeof body);
            assert_non_null(strstr(body, "-32602"));
        }
        rig_stop(&r);
    }
}

static void test_strict(void **state)
{
    struct mock_config config = mock_config_default();
    struct rig r;
    char body[1024];

    (void)state;
    config.strict_protocol = true;
    rig_start(&r, &config);
    assert_int_equal(rig_ask(&r, "POST", "/mcp", JSON_ONLY, PING, NULL, 0), 406);
    assert_int_equal(rig_ask(&r, "POST", "/mcp", BOTH,
                             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                             "\"name\":\"no\"}}",
                             body, sizeof body),
                     200);
    assert_non_null(strstr(body, "-32602"));
    rig_stop(&r);
}

static void test_styles(void **state)
{
    struct mock_config config = mock_config_default();
    struct rig r;
    char body[1024];

    (void)state;
    config.style = MOCK_STYLE_SSE;
    rig_start(&r, &config);
    rig_ask(&r, "POST", "/mcp", BOTH, PING, body, sizeof body);
    assert_string_equal(body,
                        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n");
    assert_int_equal(rig_stat(&r, "events_sent", NULL), 1);
    assert_int_equal(rig_stat(&r, "streams_opened", NULL), 1);
    assert_int_equal(rig_stat(&r, "streams_open", NULL), 0);
    rig_stop(&r);
    config.style = MOCK_STYLE_JSON;
    rig_start(&r, &config);
    rig_ask(&r, "POST", "/mcp", BOTH,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
            "\"streaming_tool\"}}",
            body, sizeof body);
    assert_non_null(strstr(body, "streaming complete"));
    rig_stop(&r);
}

static void test_counters(void **state)
{
    struct rig r;

    (void)state;
    rig_start(&r, NULL);
    for (int i = 0; i < 7; i++) {
        rig_ask(&r, "POST", "/mcp", JSON_ONLY, PING, NULL, 0);
        rig_ask(&r, "POST", "/mcp", JSON_ONLY,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                "\"fast_echo\"}}",
                NULL, 0);
    }
    rig_ask(&r, "POST", "/mcp", JSON_ONLY, "{", NULL, 0);
    assert_int_equal(rig_stat(&r, "requests", "ping"), 7);
    assert_int_equal(rig_stat(&r, "requests", "tools/call"), 7);
    assert_int_equal(rig_stat(&r, "tools", "fast_echo"), 7);
    assert_int_equal(rig_stat(&r, "http_requests", NULL), 15);
    assert_int_equal(rig_stat(&r, "responses", NULL), 14);
    assert_int_equal(rig_stat(&r, "connections_open", NULL), 1);
    assert_int_equal(rig_ask(&r, "POST", "/stats/reset", "", NULL, NULL, 0), 200);
    assert_int_equal(rig_stat(&r, "requests", "ping"), 0);
    assert_int_equal(rig_stat(&r, "http_requests", NULL), 0);
    assert_int_equal(rig_stat(&r, "connections_open", NULL), 1);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),      cmocka_unit_test(test_session_life),
        cmocka_unit_test(test_session_rules), cmocka_unit_test(test_server_stream),
        cmocka_unit_test(test_pages),         cmocka_unit_test(test_strict),
        cmocka_unit_test(test_styles),        cmocka_unit_test(test_counters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
