/* SPDX-License-Identifier: MIT */
#include "metrics/taxonomy.h"
#include "support/unit.h"

#include <errno.h>

static void test_every_code_has_a_type_and_a_name(void **state)
{
    char name[64];

    (void)state;
    for (int c = ERROR_CODE_NONE + 1; c < ERROR_CODE_COUNT; c++) {
        enum error_type type = error_code_type((enum error_code)c);

        assert_int_not_equal(type, ERROR_TYPE_NONE);
        assert_true(strlen(error_type_name(type)) > 0);
        assert_int_not_equal(error_type_origin(type), ERROR_ORIGIN_NONE);
        assert_true(strlen(error_code_name((enum error_code)c, 7, name, sizeof name)) > 0);
        assert_null(strchr(name, '%'));
        assert_true(strlen(error_origin_name(error_type_origin(type))) > 0);
    }
    assert_string_equal(error_type_name(ERROR_TYPE_NONE), "");
    assert_string_equal(error_origin_name(ERROR_ORIGIN_NONE), "");
    assert_int_equal(error_code_type(ERROR_CODE_NONE), ERROR_TYPE_NONE);
}

static void test_names_with_numbers(void **state)
{
    char name[64];

    (void)state;
    assert_string_equal(error_code_name(ERROR_CODE_HTTP_STATUS, 404, name, sizeof name),
                        "HTTP_404");
    assert_string_equal(error_code_name(ERROR_CODE_HTTP_5XX, 503, name, sizeof name), "HTTP_5XX");
    assert_string_equal(error_code_name(ERROR_CODE_JSONRPC_N, -32002, name, sizeof name),
                        "JSONRPC_-32002");
    assert_string_equal(error_code_name(ERROR_CODE_SYSCALL, 5, name, sizeof name), "SYSCALL_5");
    assert_string_equal(error_code_name(ERROR_CODE_SYSCALL, 5, name, 4), "SYS");
}

static void test_codes_from_the_wire(void **state)
{
    (void)state;
    assert_int_equal(error_from_http(429), ERROR_CODE_HTTP_429);
    assert_int_equal(error_from_http(500), ERROR_CODE_HTTP_5XX);
    assert_int_equal(error_from_http(599), ERROR_CODE_HTTP_5XX);
    assert_int_equal(error_from_http(600), ERROR_CODE_HTTP_STATUS);
    assert_int_equal(error_from_http(404), ERROR_CODE_HTTP_STATUS);
    assert_int_equal(error_from_http(302), ERROR_CODE_HTTP_STATUS);
    assert_int_equal(error_from_jsonrpc(-32700), ERROR_CODE_JSONRPC_PARSE_ERROR);
    assert_int_equal(error_from_jsonrpc(-32600), ERROR_CODE_JSONRPC_INVALID_REQUEST);
    assert_int_equal(error_from_jsonrpc(-32601), ERROR_CODE_JSONRPC_METHOD_NOT_FOUND);
    assert_int_equal(error_from_jsonrpc(-32602), ERROR_CODE_JSONRPC_INVALID_PARAMS);
    assert_int_equal(error_from_jsonrpc(-32603), ERROR_CODE_JSONRPC_INTERNAL_ERROR);
    assert_int_equal(error_from_jsonrpc(INT64_MIN), ERROR_CODE_JSONRPC_N);
}

static void test_codes_from_errno(void **state)
{
    (void)state;
    assert_int_equal(error_from_errno(ECONNREFUSED), ERROR_CODE_CONNECTION_REFUSED);
    assert_int_equal(error_from_errno(ECONNRESET), ERROR_CODE_CONNECTION_RESET);
    assert_int_equal(error_from_errno(EHOSTUNREACH), ERROR_CODE_NETWORK_UNREACHABLE);
    assert_int_equal(error_from_errno(ETIMEDOUT), ERROR_CODE_CONNECT_TIMEOUT);
    assert_int_equal(error_from_errno(EMFILE), ERROR_CODE_OUT_OF_FILES);
    assert_int_equal(error_from_errno(EADDRNOTAVAIL), ERROR_CODE_OUT_OF_PORTS);
    assert_int_equal(error_from_errno(ENOBUFS), ERROR_CODE_OUT_OF_MEMORY);
    assert_int_equal(error_from_errno(0), ERROR_CODE_CONNECT_FAILED);
    assert_int_equal(error_from_errno(EIO), ERROR_CODE_SYSCALL);
    assert_int_equal(error_type_origin(error_code_type(error_from_errno(EMFILE))),
                     ERROR_ORIGIN_CLIENT);
}

static void test_the_names_of_a_stall(void **state)
{
    char name[64];

    (void)state;
    assert_int_equal(error_code_type(ERROR_CODE_STREAM_STALL_TIMEOUT), ERROR_TYPE_STREAM_STALL);
    assert_string_equal(error_type_name(ERROR_TYPE_STREAM_STALL), "stream_stall");
    assert_string_equal(error_origin_name(error_type_origin(ERROR_TYPE_STREAM_STALL)),
                        "stream_stall");
    assert_string_equal(error_code_name(ERROR_CODE_STREAM_STALL_TIMEOUT, 0, name, sizeof name),
                        "STREAM_STALL_TIMEOUT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_a_type_and_a_name),
        cmocka_unit_test(test_names_with_numbers),
        cmocka_unit_test(test_codes_from_the_wire),
        cmocka_unit_test(test_codes_from_errno),
        cmocka_unit_test(test_the_names_of_a_stall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
