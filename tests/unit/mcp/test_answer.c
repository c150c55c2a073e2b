/* SPDX-License-Identifier: MIT */
#include "mcp/answer.h"
#include "support/unit.h"

#include <errno.h>

static struct mcp_answer judge(const char *text)
{
    struct jsonrpc_scan *s = jsonrpc_scan_new();
    struct mcp_answer a = {0};

    mcp_judge_message(jsonrpc_scan_text(s, str_c(text), 7), 7, &a);
    a.msg = NULL;
    a.message = str_c(NULL);
    jsonrpc_scan_free(s);
    return a;
}

static void messages_where_the_response_belongs(void **state)
{
    static const struct {
        const char *text;
        enum error_code code;
        int number;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", ERROR_CODE_NONE, 0},
        {"{\"result\":{\"isError\":false},\"id\":7,\"jsonrpc\":\"2.0\"}", ERROR_CODE_NONE, 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}", ERROR_CODE_ID_MISMATCH, 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}", ERROR_CODE_ID_MISMATCH, 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}", ERROR_CODE_ID_MISMATCH, 0},
        {"{\"jsonrpc\":\"2.0\",\"result\":{}}", ERROR_CODE_MISSING_ID, 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}", ERROR_CODE_INVALID_JSONRPC, 0},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", ERROR_CODE_INVALID_JSONRPC, 0},
        {"{\"id\":7,\"result\":{}}", ERROR_CODE_INVALID_JSONRPC, 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":7}", ERROR_CODE_INVALID_JSONRPC, 0},
        {"[]", ERROR_CODE_INVALID_JSONRPC, 0},
        {"{", ERROR_CODE_JSON_PARSE_ERROR, 0},
        {"<html>", ERROR_CODE_JSON_PARSE_ERROR, 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"isError\":true}}", ERROR_CODE_TOOL_ERROR, 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32700,\"message\":\"m\"}}",
         ERROR_CODE_JSONRPC_PARSE_ERROR, -32700},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32600,\"message\":\"m\"}}",
         ERROR_CODE_JSONRPC_INVALID_REQUEST, -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32601,\"message\":\"m\"}}",
         ERROR_CODE_JSONRPC_METHOD_NOT_FOUND, -32601},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32602,\"message\":\"m\"}}",
         ERROR_CODE_JSONRPC_INVALID_PARAMS, -32602},
        {"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"m\"}}",
         ERROR_CODE_JSONRPC_INTERNAL_ERROR, -32603},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":42,\"message\":\"m\"}}",
         ERROR_CODE_JSONRPC_N, 42},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":99999999999,\"message\":\"m\"}}",
         ERROR_CODE_JSONRPC_N, INT32_MAX},
        {"{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":1,\"message\":\"m\"}}",
         ERROR_CODE_ID_MISMATCH, 0},
        {"[{\"jsonrpc\":\"2.0\",\"method\":\"x\"},{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}]",
         ERROR_CODE_NONE, 0},
        {"[{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}]", ERROR_CODE_ID_MISMATCH, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mcp_answer a = judge(cases[i].text);

        assert_int_equal(a.code, cases[i].code);
        assert_int_equal(a.number, cases[i].number);
        assert_false(a.session_lost);
    }
}

static void statuses_and_whose_fault_they_are(void **state)
{
    static const struct {
        int status;
        bool via_proxy, had_session;
        const char *text;
        enum error_code code;
        enum error_origin origin;
        bool lost;
    } cases[] = {
        {404, false, false, "", ERROR_CODE_HTTP_STATUS, ERROR_ORIGIN_SERVER, false},
        {404, false, true, "", ERROR_CODE_SESSION_LOST, ERROR_ORIGIN_PROTOCOL, true},
        {400, false, true, "Bad Request: No valid Session ID", ERROR_CODE_SESSION_LOST,
         ERROR_ORIGIN_PROTOCOL, true},
        {400, false, true, "bad arguments", ERROR_CODE_HTTP_STATUS, ERROR_ORIGIN_SERVER, false},
        {400, false, false, "session", ERROR_CODE_HTTP_STATUS, ERROR_ORIGIN_SERVER, false},
        {500, false, true, "session table broken", ERROR_CODE_HTTP_5XX, ERROR_ORIGIN_SERVER, false},
        {502, true, true, "", ERROR_CODE_HTTP_5XX, ERROR_ORIGIN_GATEWAY, false},
        {429, false, true, "", ERROR_CODE_HTTP_429, ERROR_ORIGIN_SERVER, false},
        {302, false, true, "", ERROR_CODE_HTTP_STATUS, ERROR_ORIGIN_POLICY, false},
        {405, true, false, "", ERROR_CODE_HTTP_STATUS, ERROR_ORIGIN_GATEWAY, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mcp_answer a = {0};

        mcp_judge_status(cases[i].status, cases[i].via_proxy, cases[i].had_session,
                         str_c(cases[i].text), &a);
        assert_int_equal(a.code, cases[i].code);
        assert_int_equal(a.number, cases[i].status);
        assert_int_equal(a.origin, cases[i].origin);
        assert_int_equal(a.session_lost, cases[i].lost);
    }
}

static void broken_connections(void **state)
{
    static const struct {
        enum http_failure failure;
        int sys;
        enum error_code code;
    } cases[] = {
        {HTTP_COMPLETE, 0, ERROR_CODE_NONE},
        {HTTP_NO_ANSWER, 0, ERROR_CODE_CONNECTION_EOF},
        {HTTP_TRUNCATED, 0, ERROR_CODE_CONNECTION_EOF},
        {HTTP_READ_ERROR, ECONNRESET, ERROR_CODE_CONNECTION_RESET},
        {HTTP_READ_ERROR, ETIMEDOUT, ERROR_CODE_READ_ERROR},
        {HTTP_WRITE_ERROR, EPIPE, ERROR_CODE_CONNECTION_RESET},
        {HTTP_WRITE_ERROR, EIO, ERROR_CODE_WRITE_ERROR},
        {HTTP_MALFORMED, 0, ERROR_CODE_INVALID_HTTP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_end end = {.failure = cases[i].failure, .sys = cases[i].sys, .text = "why"};
        struct mcp_answer a = {0};

        mcp_judge_transport(&end, &a);
        assert_int_equal(a.code, cases[i].code);
        assert_int_equal(a.number, cases[i].sys);
    }
}

static void failed_dials(void **state)
{
    static const struct {
        enum dial_step step;
        int sys;
        enum error_code code;
        enum error_origin origin;
    } cases[] = {
        {DIAL_DNS, 0, ERROR_CODE_DNS_LOOKUP_FAILED, ERROR_ORIGIN_NETWORK},
        {DIAL_FILTER, EACCES, ERROR_CODE_ADDRESS_NOT_ALLOWED, ERROR_ORIGIN_POLICY},
        {DIAL_CONNECT, ECONNREFUSED, ERROR_CODE_CONNECTION_REFUSED, ERROR_ORIGIN_NETWORK},
        {DIAL_CONNECT, ENETUNREACH, ERROR_CODE_NETWORK_UNREACHABLE, ERROR_ORIGIN_NETWORK},
        {DIAL_CONNECT, EMFILE, ERROR_CODE_OUT_OF_FILES, ERROR_ORIGIN_CLIENT},
        {DIAL_CONNECT, EADDRNOTAVAIL, ERROR_CODE_OUT_OF_PORTS, ERROR_ORIGIN_CLIENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dial_failure f = {.step = cases[i].step, .sys = cases[i].sys, .text = "why"};
        struct mcp_answer a = {0};

        mcp_judge_dial(&f, &a);
        assert_int_equal(a.code, cases[i].code);
        assert_int_equal(a.origin, cases[i].origin);
        assert_int_equal(a.number, cases[i].sys);
        assert_true(a.connect_failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_where_the_response_belongs),
        cmocka_unit_test(statuses_and_whose_fault_they_are),
        cmocka_unit_test(broken_connections),
        cmocka_unit_test(failed_dials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
