/* SPDX-License-Identifier: MIT */
#include "mock/request/request.h"
#include "support/unit.h"

static const struct {
    const char *body;
    enum request_kind kind;
} kinds[] = {
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", REQUEST_CALL},
    {" {\n\"id\" : \"a\" , \"method\":\"ping\",\"params\":{ } , \"jsonrpc\":\"2.0\"}\r\n",
     REQUEST_CALL},
    {"{\"jsonrpc\":\"2.0\",\"id\":-1.5e3,\"method\":\"x\",\"params\":[1,{\"a\":[]}]}",
     REQUEST_CALL},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", REQUEST_NOTIFICATION},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", REQUEST_RESPONSE},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\"}}", REQUEST_RESPONSE},
    {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", REQUEST_INVALID},
    {"{\"id\":1,\"method\":\"ping\"}", REQUEST_INVALID},
    {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", REQUEST_INVALID},
    {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", REQUEST_INVALID},
    {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}", REQUEST_INVALID},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", REQUEST_INVALID},
    {"{\"jsonrpc\":\"2.0\",\"id\":1}", REQUEST_INVALID},
    {"{}", REQUEST_INVALID},
    {"[]", REQUEST_INVALID},
    {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", REQUEST_INVALID},
    {"\"text\"", REQUEST_INVALID},
    {"3", REQUEST_INVALID},
    {"", REQUEST_BAD_JSON},
    {"{", REQUEST_BAD_JSON},
    {"{}x", REQUEST_BAD_JSON},
    {"{,}", REQUEST_BAD_JSON},
    {"{\"a\":1,}", REQUEST_BAD_JSON},
    {"{\"a\" 1}", REQUEST_BAD_JSON},
    {"{\"a\":01}", REQUEST_BAD_JSON},
    {"{\"a\":+1}", REQUEST_BAD_JSON},
    {"{\"a\":1.}", REQUEST_BAD_JSON},
    {"{\"a\":1e}", REQUEST_BAD_JSON},
    {"{\"a\":tru}", REQUEST_BAD_JSON},
    {"{\"a\":[1 2]}", REQUEST_BAD_JSON},
    {"{\"a\":[1,]}", REQUEST_BAD_JSON},
    {"{\"a\":[}]", REQUEST_BAD_JSON},
    {"{\"a\":{\"b\":1]}", REQUEST_BAD_JSON},
    {"{\"a\":\"\x01\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\\x\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\\u12g4\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\\ud800\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\\udc00\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\\ud800\\u0041\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\xff\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\xc0\x80\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\xed\xa0\x80\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\xf4\x90\x80\x80\"}", REQUEST_BAD_JSON},
    {"{\"a\":\"\xe2\x82\"}", REQUEST_BAD_JSON},
    {"{\"params\":{\"_meta\":{\"x\":}}}", REQUEST_BAD_JSON},
};

static void test_kinds(void **state)
{
    struct mock_request req;

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (request_read(str_c(kinds[i].body), &req) != kinds[i].kind) {
            fail_msg("%s: %d", kinds[i].body, request_read(str_c(kinds[i].body), &req));
        }
    }
}

static const char call[] =
    "{\"method\":\"tools\\/call\",\"params\":{\"arguments\":{\"message\":\"a\\\"b\",\"n\":[1,{}]},"
    "\"name\":\"fast_echo\",\"_meta\":{\"progressToken\":\"t\\\"1\",\"x\":[{}]},\"cursor\":\"5\"},"
    "\"id\":\"i\\u0041\",\"jsonrpc\":\"2.0\"}";

static void test_members(void **state)
{
    struct mock_request req;
    struct str raw;
    char text[8];
    size_t len;

    (void)state;
    assert_int_equal(request_read(str_c(call), &req), REQUEST_CALL);
    assert_true(str_eq(req.method, STR("tools/call")));
    assert_true(str_eq(req.id, STR("\"i\\u0041\"")));
    assert_true(str_eq(req.name, STR("fast_echo")));
    assert_true(str_eq(req.cursor, STR("5")));
    assert_true(str_eq(req.progress_token, STR("\"t\\\"1\"")));
    assert_true(str_eq(req.arguments, STR("{\"message\":\"a\\\"b\",\"n\":[1,{}]}")));
    assert_true(request_string(req.arguments, STR("message"), &raw));
    assert_true(str_eq(raw, STR("a\\\"b")));
    assert_true(request_unescape(raw, text, sizeof text, &len));
    assert_true(str_eq((struct str){text, len}, STR("a\"b")));
    assert_false(request_unescape(raw, text, 2, &len));
    assert_false(request_string(req.arguments, STR("n"), &raw));
    assert_false(request_string(req.arguments, STR("absent"), &raw));
}

/* Whatever is cut off, it is no JSON, and nothing is read behind the end. */
static void test_truncation(void **state)
{
    struct mock_request req;

    (void)state;
    for (size_t len = 0; len < sizeof call - 1; len++) {
        char *exact = malloc(len + 1);

        memcpy(exact, call, len);
        assert_int_equal(request_read((struct str){exact, len}, &req), REQUEST_BAD_JSON);
        free(exact);
    }
}

static void test_depth(void **state)
{
    char body[512];
    struct mock_request req;

    (void)state;
    for (int depth = 60; depth < 70; depth++) {
        int n = snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"a\":");

        for (int i = 0; i < depth; i++) {
            body[n++] = '[';
        }
        for (int i = 0; i < depth; i++) {
            body[n++] = ']';
        }
        snprintf(body + n, sizeof body - (size_t)n, "}");
        assert_int_equal(request_read(str_c(body), &req),
                         depth <= REQUEST_DEPTH_MAX ? REQUEST_NOTIFICATION : REQUEST_BAD_JSON);
    }
}

static void test_unescape(void **state)
{
    char out[32];
    size_t len;

    (void)state;
    assert_true(request_unescape(STR("\\b\\f\\n\\r\\t\\/\\\\\\u00e9\\u20ac\\ud83d\\ude00"), out,
                                 sizeof out, &len));
    assert_true(
        str_eq((struct str){out, len}, STR("\b\f\n\r\t/\\\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),      cmocka_unit_test(test_members),
        cmocka_unit_test(test_truncation), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_unescape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
