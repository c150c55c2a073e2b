/* SPDX-License-Identifier: MIT */
#include "engine/preflight.h"
#include "unit/engine/world.h"

static const char *scenario_of(const char *mix)
{
    static char text[2048];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'}, 'workload': {'operation_mix': [%s]},"
             " 'stages': [{'stage': 'baseline', 'duration_ms': 10000, 'load': {'target_vus': 1}}]}",
             mix);
    return text;
}

#define CALL(tool) "{'operation': 'tools_call', 'tool_name': '" tool "'}"

static void check_with(struct world *w, bool lists)
{
    give(w, (struct message){.kind = ORDER_CHECK, .lists = lists});
    run_for(w, 60 * NS_PER_S);
    assert_non_null(w->checks);
    /* Every request is accounted for, so that both sides' books agree. */
    uint64_t sum = 0;
    for (uint32_t i = 0; i < w->checks->request_count; i++) {
        const struct check_request *r = &w->checks->requests[i];
        assert_int_equal(r->count, peer_count_of(&w->peer, r->method));
        sum += r->count;
    }
    assert_int_equal(sum, w->peer.requests);
    assert_int_equal(w->peer.open_connections, 0);
}

static void check(struct world *w)
{
    check_with(w, true);
}

static void a_good_target_passes(void **state)
{
    struct world w;

    (void)state;
    for (int sse = 0; sse < 2; sse++) {
        static const char *const names[] = {"network", "handshake", "capabilities", "names"};

        world_init(&w, scenario_of(CALL("echo") ", " CALL(
                           "add") ", {'operation': 'prompts_get', "
                                  "'prompt_name': 'greet'}, {'operation': 'resources_read', "
                                  "'uri': 'mem://a'}, {'operation': 'ping'}"));
        w.peer.sse = sse != 0;
        check(&w);
        assert_int_equal(w.checks->count, 4);
        for (uint32_t i = 0; i < 4; i++) {
            assert_true(w.checks->items[i].ok);
            assert_string_equal(w.checks->items[i].name, names[i]);
            assert_string_equal(w.checks->items[i].remediation, "");
        }
        assert_int_equal(w.checks->warning_count, 0);
        assert_string_equal(w.checks->protocol_version, "2025-11-25");
        assert_string_equal(w.checks->server_name, "peer");
        assert_int_equal(peer_count_of(&w.peer, "tools/list"), 1);
        assert_int_equal(peer_count_of(&w.peer, "DELETE"), 1);
        world_clear(&w);
    }
}

/* One of several sources: what the target lists is another's business. */
static void without_lists_only_the_way_is_tried(void **state)
{
    static const char *const names[] = {"network", "handshake", "capabilities"};
    struct world w;

    (void)state;
    world_init(&w, scenario_of(CALL("misspelt")));
    check_with(&w, false);
    assert_int_equal(w.checks->count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(w.checks->items[i].ok);
        assert_string_equal(w.checks->items[i].name, names[i]);
    }
    assert_int_equal(peer_count_of(&w.peer, "tools/list"), 0);
    assert_int_equal(peer_count_of(&w.peer, "DELETE"), 1);
    world_clear(&w);
}

/* A target that answers this method in an odd way. */
static const char *odd_method, *odd_type, *odd_body;
static int odd_status; /* 0: says nothing; -1: closes; -2: resets */

static bool answer_oddly(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (strcmp(r->method, odd_method) != 0) {
        return false;
    }
    if (odd_status == -1) {
        peer_close(r->conn, 0);
    } else if (odd_status == -2) {
        peer_reset(r->conn, 0);
    } else if (odd_status > 0) {
        peer_respond(r->conn, 0, odd_status, odd_type, NULL, odd_body);
    }
    return true;
}

/* Each failure names its cause, and what to do. */
static void each_failure_teaches(void **state)
{
    static const struct {
        const char *method;
        int status;
        const char *type, *body, *check;
        enum error_code code;
        const char *message, *remediation;
    } cases[] = {
        {"initialize", 404, "text/plain", "not found", "handshake", ERROR_CODE_HTTP_STATUS,
         "HTTP_404", "/mcp"},
        {"initialize", 401, "text/plain", "who?", "handshake", ERROR_CODE_HTTP_STATUS, "who?",
         "Authorization"},
        {"initialize", 405, NULL, "", "handshake", ERROR_CODE_HTTP_STATUS, "HTTP_405", "POST"},
        {"initialize", 307, NULL, "", "handshake", ERROR_CODE_HTTP_STATUS, "redirect",
         "final address"},
        {"initialize", 500, NULL, "", "handshake", ERROR_CODE_HTTP_5XX, "HTTP_500", "its log"},
        {"initialize", 429, NULL, "", "handshake", ERROR_CODE_HTTP_429, "HTTP_429", "rate"},
        {"initialize", 200, "text/html", "<html>", "handshake", ERROR_CODE_UNEXPECTED_CONTENT_TYPE,
         "text/html", "/mcp"},
        {"initialize", 200, "application/json", "<html>", "handshake", ERROR_CODE_JSON_PARSE_ERROR,
         "JSON", "/mcp"},
        {"initialize", 200, "application/json", "{\"hello\":1}", "handshake",
         ERROR_CODE_INVALID_JSONRPC, "JSON", "JSON-RPC 2.0"},
        {"initialize", 200, "application/json",
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"1999-01-01\"}}",
         "handshake", ERROR_CODE_VERSION_MISMATCH, "version", "target.protocol_version"},
        {"initialize", 200, "application/json",
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"what?\"}}",
         "handshake", ERROR_CODE_JSONRPC_METHOD_NOT_FOUND, "what?", "MCP server"},
        {"initialize", -1, NULL, NULL, "handshake", ERROR_CODE_CONNECTION_EOF, "closed",
         "plain HTTP"},
        {"initialize", -2, NULL, NULL, "handshake", ERROR_CODE_CONNECTION_RESET, "broke",
         "plain HTTP"},
        {"initialize", 0, NULL, NULL, "handshake", ERROR_CODE_REQUEST_TIMEOUT, "time-out",
         "request_timeout_ms"},
        {"notifications/initialized", 500, NULL, "", "handshake", ERROR_CODE_HTTP_5XX, "HTTP_500",
         "its log"},
        {"initialize", 200, "application/json",
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-11-25\","
         "\"capabilities\":{}}}",
         "capabilities", ERROR_CODE_JSONRPC_METHOD_NOT_FOUND, "tools", "operation_mix"},
        {"tools/list", 200, "application/json",
         "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[{\"name\":\"ecco\"}]}}", "names",
         ERROR_CODE_JSONRPC_INVALID_PARAMS, "no tool 'echo'", "did you mean 'ecco'?"},
        {"tools/list", 200, "application/json",
         "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[{\"name\":\"weather_of_day\"}]}}",
         "names", ERROR_CODE_JSONRPC_INVALID_PARAMS, "no tool 'echo'", "weather_of_day"},
        {"tools/list", 200, "application/json",
         "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":\"none\"}}", "names",
         ERROR_CODE_JSONRPC_INVALID_PARAMS, "no tool 'echo'", "lists 0"},
        {"tools/list", 503, NULL, "", "names", ERROR_CODE_HTTP_5XX, "tools/list", "its log"},
        {"tools/list", 404, NULL, "", "names", ERROR_CODE_SESSION_LOST, "SESSION_LOST",
         "several servers"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        odd_method = cases[i].method;
        odd_status = cases[i].status;
        odd_type = cases[i].type;
        odd_body = cases[i].body;
        world_init(&w, scenario_of(CALL("echo")));
        w.peer.on_request = answer_oddly;
        check(&w);
        const struct check *last = &w.checks->items[w.checks->count - 1];
        assert_false(last->ok);
        assert_string_equal(last->name, cases[i].check);
        assert_int_equal(last->code, cases[i].code);
        if (strstr(last->message, cases[i].message) == NULL ||
            strstr(last->remediation, cases[i].remediation) == NULL) {
            print_error("case %zu: '%s' / '%s'\n", i, last->message, last->remediation);
            fail();
        }
        for (uint32_t k = 0; k + 1 < w.checks->count; k++) {
            assert_true(w.checks->items[k].ok);
        }
        world_clear(&w);
    }
}

static void a_dead_target_fails_the_network_check(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, scenario_of(CALL("echo")));
    w.peer.refuse = ECONNREFUSED;
    check(&w);
    assert_int_equal(w.checks->count, 1);
    assert_false(w.checks->items[0].ok);
    assert_string_equal(w.checks->items[0].name, "network");
    assert_non_null(strstr(w.checks->items[0].message, "CONNECTION_REFUSED"));
    assert_non_null(strstr(w.checks->items[0].remediation, "start the target"));
    world_clear(&w);
}

static void a_missing_resource_is_a_warning(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, scenario_of("{'operation': 'resources_read', 'uri': 'mem://zzz'}"));
    check(&w);
    assert_true(w.checks->items[w.checks->count - 1].ok);
    assert_int_equal(w.checks->warning_count, 1);
    assert_non_null(strstr(w.checks->warnings[0], "mem://zzz"));
    world_clear(&w);
}

/* One name on each of many pages. */
static bool many_pages(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    char body[200], next[64] = "";

    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    if (w->script < 20) {
        snprintf(next, sizeof next, ",\"nextCursor\":\"page-%d\"", w->script + 1);
    }
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[{\"name\":\"%s%d\"}]%s}}",
             (long long)r->id, w->script == 20 ? "echo" : "t", w->script == 20 ? 7 : w->script,
             next);
    w->script++;
    peer_respond(r->conn, 0, 200, "application/json", NULL, body);
    return true;
}

static void names_are_looked_for_on_all_pages(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, scenario_of(CALL("echo7")));
    w.peer.on_request = many_pages;
    check(&w);
    assert_int_equal(peer_count_of(&w.peer, "tools/list"), 21);
    assert_true(w.checks->items[w.checks->count - 1].ok);
    world_clear(&w);
}

/* Script 0: another cursor for each page; 1: always the same. */
static bool pages_without_end(void *owner, const struct peer_request *r)
{
    const struct world *w = owner;
    char body[200];

    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[],\"nextCursor\":\"x%d\"}}",
             (long long)r->id, w->script == 0 ? (int)r->number : 0);
    peer_respond(r->conn, 0, 200, "application/json", NULL, body);
    return true;
}

/* That the tool was not found by then is our limit's doing, and no failure. */
static void pages_without_end_do_end(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, scenario_of(CALL("echo")));
    w.peer.on_request = pages_without_end;
    check(&w);
    assert_int_equal(peer_count_of(&w.peer, "tools/list"), PREFLIGHT_PAGES_MAX);
    assert_true(w.checks->items[w.checks->count - 1].ok);
    assert_non_null(strstr(w.checks->items[w.checks->count - 1].message, "see the warnings"));
    assert_int_equal(w.checks->warning_count, 1);
    assert_non_null(strstr(w.checks->warnings[0], "'echo' is not in the part of tools/list"));
    world_clear(&w);

    world_init(&w, scenario_of(CALL("echo")));
    w.peer.on_request = pages_without_end;
    w.script = 1;
    check(&w);
    assert_int_equal(peer_count_of(&w.peer, "tools/list"), 2);
    assert_false(w.checks->items[w.checks->count - 1].ok);
    assert_int_equal(w.checks->warning_count, 1);
    world_clear(&w);
}

static void checks_may_be_cut_at_any_moment(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 60; at++) {
        struct world w;

        world_init(&w, scenario_of(CALL("echo")));
        give(&w, (struct message){.kind = ORDER_CHECK, .lists = true});
        run_for(&w, at * MS + 1);
        give(&w, (struct message){.kind = ORDER_STOP});
        assert_int_equal(w.drained_reports, 1);
        run_for(&w, MS);
        assert_int_equal(w.peer.open_connections, 0);
        world_clear(&w);
    }
}

/* ---- secrets --------------------------------------------------------------------------------- */

#define TOKEN "tok-31415926535897932384626433832795"

/* The cases may not even have the first half of it. */
static void assert_secret(const char *text, const char *want)
{
    if (strstr(text, "tok-") != NULL || strstr(text, want) == NULL) {
        print_error("'%s'\n", text);
        fail();
    }
}

static const char *scenario_with_secret(const char *mix)
{
    static char text[2048];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp', "
             " 'headers': {'Authorization': 'Bearer " TOKEN "'}},"
             " 'workload': {'operation_mix': [%s]},"
             " 'stages': [{'stage': 'baseline', 'duration_ms': 10000, 'load': {'target_vus': 1}}]}",
             mix);
    return text;
}

static void check_odd(struct world *w, bool any_version, const char *method, const char *body)
{
    static const char mix[] = CALL("echo");

    odd_method = method;
    odd_status = 200;
    odd_type = "application/json";
    odd_body = body;
    world_init(w, scenario_with_secret(mix));
    w->target.version_any = any_version;
    w->peer.on_request = answer_oddly;
    check(w);
}

/* Also where the message has no room for all of the name. */
static void what_the_target_calls_itself_has_no_secrets(void **state)
{
    char body[600], filler[91];
    struct world w;

    (void)state;
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"1-" TOKEN "\","
             "\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"%s" TOKEN "\","
             "\"version\":\"%.50s" TOKEN "\"}}}",
             filler, filler);
    check_odd(&w, true, "initialize", body);
    assert_secret(w.checks->protocol_version, "1-[redacted]");
    assert_secret(w.checks->server_name, "x[redacted]");
    assert_secret(w.checks->server_version, "x[redacted]");
    assert_string_equal(w.checks->items[1].name, "handshake");
    assert_secret(w.checks->items[1].message, "protocol 1-[redacted], server xxx");
    world_clear(&w);
    check_odd(&w, false, "initialize", body); /* of which less is kept than the token has */
    assert_secret(w.checks->items[1].message, "does not speak: 1-[redacted]");
    world_clear(&w);
}

static void what_checks_say_has_no_secrets(void **state)
{
    struct world w;

    (void)state;
    check_odd(&w, true, "initialize",
              "{\"jsonrpc\":\"2.0\",\"id\":1,"
              "\"error\":{\"code\":-32001,\"message\":\"no " TOKEN " here\"}}");
    assert_secret(w.checks->items[1].message, "no [redacted] here");
    world_clear(&w);
    check_odd(&w, true, "tools/list",
              "{\"jsonrpc\":\"2.0\",\"id\":2,"
              "\"result\":{\"tools\":[{\"name\":\"" TOKEN "\"}]}}");
    assert_secret(w.checks->items[w.checks->count - 1].remediation, "lists 1: [redacted]");
    world_clear(&w);
    world_init(&w,
               scenario_with_secret("{'operation': 'resources_read', 'uri': 'mem://" TOKEN "'}"));
    check(&w);
    assert_int_equal(w.checks->warning_count, 1);
    assert_secret(w.checks->warnings[0], "mem://[redacted]");
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_target_passes),
        cmocka_unit_test(without_lists_only_the_way_is_tried),
        cmocka_unit_test(each_failure_teaches),
        cmocka_unit_test(a_dead_target_fails_the_network_check),
        cmocka_unit_test(a_missing_resource_is_a_warning),
        cmocka_unit_test(names_are_looked_for_on_all_pages),
        cmocka_unit_test(pages_without_end_do_end),
        cmocka_unit_test(checks_may_be_cut_at_any_moment),
        cmocka_unit_test(what_the_target_calls_itself_has_no_secrets),
        cmocka_unit_test(what_checks_say_has_no_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
