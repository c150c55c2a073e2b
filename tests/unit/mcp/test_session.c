/* SPDX-License-Identifier: MIT */
#include "unit/mcp/world.h"

/* ---- opening ----------------------------------------------------------------------------------
 */

static void initialize_is_answered_in_json_or_sse(void **state)
{
    (void)state;
    for (int sse = 0; sse < 2; sse++) {
        struct world w;

        world_init(&w);
        w.peer.sse = sse != 0;
        w.peer.delay_ns = 3 * MS;
        uint64_t start = now_ns;
        world_open(&w);
        assert_true(w.open_ok);
        assert_int_equal(w.session.state, MCP_SESSION_READY);
        assert_true(str_eq(mcp_session_id(&w.session), STR("session-1")));
        assert_int_equal(peer_count_of(&w.peer, "initialize"), 1);
        assert_int_equal(peer_count_of(&w.peer, "notifications/initialized"), 1);
        assert_int_equal(w.peer.connections, 1); /* both on one */
        assert_int_equal(w.connects, 1);
        assert_int_equal(w.session.t_begin, start);
        assert_int_equal(w.session.t_initialized, start + 3 * MS);
        assert_int_equal(w.session.opened_ns, start + 6 * MS);
        world_clear(&w);
    }
}

static struct {
    unsigned count;
    bool session[8], version[8];
    char versions[8][16];
} headers;

static bool record_headers(void *owner, const struct peer_request *r)
{
    struct str session = peer_header(r, "Mcp-Session-Id");
    struct str version = peer_header(r, "MCP-Protocol-Version");

    (void)owner;
    assert_true(headers.count < 8);
    assert_true(str_eq(peer_header(r, "Host"), STR("peer")));
    headers.session[headers.count] = str_eq(session, STR("session-1"));
    headers.version[headers.count] = version.p != NULL;
    copy_message(version, headers.versions[headers.count], sizeof headers.versions[0]);
    headers.count++;
    return false;
}

static void each_request_but_the_first_says_session_and_version(void **state)
{
    struct world w;

    (void)state;
    memset(&headers, 0, sizeof headers);
    world_init(&w);
    w.peer.on_request = record_headers;
    w.peer.owner = &w;
    world_open(&w);
    start_call(&w);
    run_for(&w, NS_PER_S);
    assert_true(mcp_session_close(&w.session));
    run_for(&w, NS_PER_S);
    assert_int_equal(headers.count, 4); /* initialize, initialized, the call, DELETE */
    assert_false(headers.session[0]);
    assert_false(headers.version[0]);
    for (int i = 1; i < 4; i++) {
        assert_true(headers.session[i]);
        assert_string_equal(headers.versions[i], "2025-11-25");
    }
    world_clear(&w);
}

static void version_policy(void **state)
{
    static const struct {
        const char *answered;
        bool strict, any, ok;
    } cases[] = {
        {"2025-11-25", true, false, true},
        {"2025-06-18", false, false, true},
        {"2025-03-26", false, false, true},
        {"2025-06-18", true, false, false},
        {"2024-11-05", false, false, false},
        {"2024-11-05", false, true, true},
        {"draft", false, true, true},
        {"1.0 beta", false, true, false},
        {"", false, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        world_init(&w);
        w.target.version_strict = cases[i].strict;
        w.target.version_any = cases[i].any;
        w.peer.version = cases[i].answered;
        world_open(&w);
        assert_int_equal(w.open_ok, cases[i].ok);
        assert_int_equal(peer_count_of(&w.peer, "notifications/initialized"), cases[i].ok);
        if (!cases[i].ok) {
            assert_int_equal(w.open_failure.code, ERROR_CODE_VERSION_MISMATCH);
            assert_int_equal(w.session.state, MCP_SESSION_CLOSED);
            assert_int_equal(w.client.http.open_conns, 0);
        }
        world_clear(&w);
    }
}

static const char *given_id;

static bool give_id(void *owner, const struct peer_request *r)
{
    char more[600];

    (void)owner;
    if (strcmp(r->method, "initialize") != 0) {
        return false;
    }
    snprintf(more, sizeof more, "Mcp-Session-Id: %s\r\n", given_id);
    peer_respond(r->conn, 0, 200, "application/json", more,
                 "{\"result\":{\"protocolVersion\":\"2025-11-25\"},\"id\":1,\"jsonrpc\":\"2.0\"}");
    return true;
}

static void session_ids_are_visible_ascii(void **state)
{
    static char longest[257], too_long[258];
    const struct {
        const char *id;
        bool ok;
    } cases[] = {
        {"5b1e7c", true},    {"!~", true},    {"a b", false},    {"", false},
        {"\xc3\xa4", false}, {longest, true}, {too_long, false},
    };

    (void)state;
    memset(longest, 'x', 256);
    memset(too_long, 'x', 257);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        world_init(&w);
        given_id = cases[i].id;
        w.peer.on_request = give_id;
        world_open(&w);
        assert_int_equal(w.open_ok, cases[i].ok);
        if (cases[i].ok) {
            assert_true(str_eq(mcp_session_id(&w.session), str_c(given_id)));
        } else {
            assert_int_equal(w.open_failure.code, ERROR_CODE_INVALID_HTTP);
        }
        world_clear(&w);
    }
}

static const char *refused_method;
static int status_of_refusal;
static const char *body_of_refusal;

static bool refuse(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (strcmp(r->method, refused_method) != 0) {
        return false;
    }
    peer_respond(r->conn, 0, status_of_refusal, "application/json", NULL, body_of_refusal);
    return true;
}

static void a_refused_initialize_says_why(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
        int number;
        const char *message;
    } cases[] = {
        {200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"no\"}}",
         ERROR_CODE_JSONRPC_INVALID_PARAMS, -32602, "no"},
        {401, "who are you", ERROR_CODE_HTTP_STATUS, 401, "who are you"},
        {404, "nothing here", ERROR_CODE_HTTP_STATUS, 404, "nothing here"},
        {503, "", ERROR_CODE_HTTP_5XX, 503, ""},
        {429, "slower", ERROR_CODE_HTTP_429, 429, "slower"},
        {200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", ERROR_CODE_VERSION_MISMATCH, 0,
         "the answer to initialize has no protocolVersion"},
        {200, "<html>", ERROR_CODE_JSON_PARSE_ERROR, 0, NULL},
    };

    (void)state;
    refused_method = "initialize";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        world_init(&w);
        status_of_refusal = cases[i].status;
        body_of_refusal = cases[i].body;
        w.peer.on_request = refuse;
        world_open(&w);
        assert_false(w.open_ok);
        assert_int_equal(w.open_failure.code, cases[i].code);
        assert_int_equal(w.open_failure.number, cases[i].number);
        assert_false(w.open_failure.session_lost);
        if (cases[i].message != NULL) {
            assert_string_equal(w.open_message, cases[i].message);
        }
        world_clear(&w);
    }
}

static void any_2xx_accepts_initialized(void **state)
{
    static const struct {
        int status;
        bool ok;
    } cases[] = {{202, true}, {204, true}, {200, true}, {400, false}, {500, false}};

    (void)state;
    refused_method = "notifications/initialized";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        world_init(&w);
        status_of_refusal = cases[i].status;
        body_of_refusal = cases[i].status == 204 ? "" : "{}";
        w.peer.on_request = refuse;
        world_open(&w);
        assert_int_equal(w.open_ok, cases[i].ok);
        assert_true(w.session.said_initialized);
        world_clear(&w);
    }
}

static void a_refused_connection_ends_the_opening(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    w.peer.refuse = ECONNREFUSED;
    world_open(&w);
    assert_false(w.open_ok);
    assert_int_equal(w.open_failure.code, ERROR_CODE_CONNECTION_REFUSED);
    assert_int_equal(w.open_failure.number, ECONNREFUSED);
    assert_true(w.open_failure.connect_failed);
    assert_int_equal(w.connect_failures, 1);
    world_clear(&w);
}

/* ---- closing ----------------------------------------------------------------------------------
 */

static void delete_is_judged_by_its_status(void **state)
{
    static const struct {
        int status;
        enum error_code code;
    } cases[] = {
        {200, ERROR_CODE_NONE}, {202, ERROR_CODE_NONE},         {204, ERROR_CODE_NONE},
        {405, ERROR_CODE_NONE}, {404, ERROR_CODE_SESSION_LOST}, {500, ERROR_CODE_HTTP_5XX},
    };

    (void)state;
    refused_method = "DELETE";
    body_of_refusal = "";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        world_ready(&w, refuse);
        status_of_refusal = cases[i].status;
        assert_true(mcp_session_close(&w.session));
        assert_int_equal(w.session.state, MCP_SESSION_CLOSING);
        run_for(&w, NS_PER_S);
        assert_int_equal(w.closes, 1);
        assert_int_equal(w.close_answer.code, cases[i].code);
        assert_int_equal(w.session.state, MCP_SESSION_CLOSED);
        assert_int_equal(w.client.http.open_conns, 0);
        world_clear(&w);
    }
}

static void without_an_id_there_is_nothing_to_delete(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    w.peer.no_session_ids = true;
    world_open(&w);
    assert_true(w.open_ok);
    assert_int_equal(mcp_session_id(&w.session).len, 0);
    assert_false(mcp_session_close(&w.session));
    run_for(&w, NS_PER_S);
    assert_int_equal(w.closes, 0);
    assert_int_equal(peer_count_of(&w.peer, "DELETE"), 0);
    assert_int_equal(w.client.http.open_conns, 0);
    world_clear(&w);
}

static bool say_nothing(void *owner, const struct peer_request *r)
{
    (void)owner;
    (void)r;
    return true;
}

static void a_delete_without_answer_is_not_waited_for_long(void **state)
{
    struct world w;

    (void)state;
    world_ready(&w, say_nothing);
    assert_true(mcp_session_close(&w.session));
    run_for(&w, MCP_CLOSE_TIMEOUT_NS - MS);
    assert_int_equal(w.closes, 0);
    run_for(&w, 2 * MS);
    assert_int_equal(w.closes, 1);
    assert_int_equal(w.close_answer.code, ERROR_CODE_REQUEST_TIMEOUT);
    world_clear(&w);
}

static void a_session_may_be_dropped_in_every_state(void **state)
{
    (void)state;
    for (uint64_t after = 0; after < 14; after++) {
        struct world w;

        world_init(&w);
        w.peer.delay_ns = 5 * MS;
        mcp_session_open(&w.session, NULL);
        run_for(&w, after * MS);
        if (w.session.state == MCP_SESSION_READY) {
            mcp_session_close(&w.session);
            run_for(&w, MS);
        }
        unsigned before = w.opens;
        mcp_session_drop(&w.session);
        run_for(&w, NS_PER_S);
        assert_int_equal(w.opens, before);
        assert_int_equal(w.closes, 0);
        assert_int_equal(w.session.state, MCP_SESSION_CLOSED);
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(initialize_is_answered_in_json_or_sse),
        cmocka_unit_test(each_request_but_the_first_says_session_and_version),
        cmocka_unit_test(version_policy),
        cmocka_unit_test(session_ids_are_visible_ascii),
        cmocka_unit_test(a_refused_initialize_says_why),
        cmocka_unit_test(any_2xx_accepts_initialized),
        cmocka_unit_test(a_refused_connection_ends_the_opening),
        cmocka_unit_test(delete_is_judged_by_its_status),
        cmocka_unit_test(without_an_id_there_is_nothing_to_delete),
        cmocka_unit_test(a_delete_without_answer_is_not_waited_for_long),
        cmocka_unit_test(a_session_may_be_dropped_in_every_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
