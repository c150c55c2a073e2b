/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "mcp/jsonrpc.h"
#include "support/split_feed.h"
#include "support/unit.h"

enum { WANT_ID = 7 };

static const char *const kind_names[] = {
    [JSONRPC_RESULT] = "result",
    [JSONRPC_ERROR] = "error",
    [JSONRPC_REQUEST] = "request",
    [JSONRPC_NOTIFICATION] = "notification",
    [JSONRPC_BATCH] = "batch",
    [JSONRPC_NOT_JSON] = "not_json",
    [JSONRPC_NOT_JSONRPC] = "not_jsonrpc",
};

/* A verdict as one line: kind, id ("-" none, "null", "*" other), then what else was said. */
static void describe(const struct jsonrpc_msg *m, struct buf *out)
{
    bool faulty = m->kind == JSONRPC_NOT_JSON || m->kind == JSONRPC_NOT_JSONRPC;

    assert_int_equal(m->fault != NULL, faulty);
    buf_add_c(out, kind_names[m->kind]);
    if (m->fault != NULL) {
        buf_printf(out, ": %s", m->fault);
        return;
    }
    if (m->id_kind == JSONRPC_ID_INT) {
        buf_printf(out, " %lld", (long long)m->id);
    } else {
        buf_add_c(out, m->id_kind == JSONRPC_ID_NONE   ? " -"
                       : m->id_kind == JSONRPC_ID_NULL ? " null"
                                                       : " *");
    }
    if (m->kind == JSONRPC_ERROR) {
        buf_printf(out, " code=%lld", (long long)m->error_code);
    }
    buf_printf(out, "%s%s", m->text[0] != '\0' ? " " : "", m->text);
    buf_add_c(out, m->is_error ? " isError" : "");
    if (m->has_cursor) {
        buf_printf(out, " cursor=%s%s", m->cursor, m->cursor_too_long ? "…" : "");
    }
    if (m->has_version) {
        buf_printf(out, " version=%s", m->version);
    }
    if (m->batch_count > 0) {
        buf_printf(out, " of %u", (unsigned)m->batch_count);
    }
}

static void feed(void *ctx, const char *p, size_t len)
{
    jsonrpc_scan_feed(ctx, p, len);
}

static void check_way(struct jsonrpc_scan *s, struct str text, size_t way, const char *expected)
{
    struct buf line;

    buf_init(&line, 4096);
    jsonrpc_scan_begin(s, WANT_ID);
    split_feed(text.p, text.len, way, feed, s);
    describe(jsonrpc_scan_end(s), &line);
    assert_string_equal(buf_c(&line), expected);
    buf_clear(&line);
}

/* Long texts repeat themselves: of their splits some do. */
static void check(struct jsonrpc_scan *s, struct str text, const char *expected)
{
    size_t byte_by_byte = split_ways(text.len) - 1;
    size_t stride = text.len > 500 ? 37 : 1;

    for (size_t way = 0; way < byte_by_byte; way += stride) {
        check_way(s, text, way, expected);
    }
    check_way(s, text, byte_by_byte, expected);
}

struct msg_case {
    const char *text;
    const char *expected;
};

static void check_cases(const struct msg_case *cases, size_t count)
{
    /* One scanner for all: nothing of a message may be left for the next one. */
    struct jsonrpc_scan *s = jsonrpc_scan_new();

    for (size_t i = 0; i < count; i++) {
        check(s, str_c(cases[i].text), cases[i].expected);
    }
    jsonrpc_scan_free(s);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define V        "\"jsonrpc\":\"2.0\","

static void test_messages(void **state)
{
    static const struct msg_case cases[] = {
        {"{" V "\"id\":7,\"result\":{}}", "result 7"},
        {"{\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"n-7731\"}]},\"jsonrpc\":\"2.0\","
         "\"id\":2}",
         "result 2"},
        {" {\n\t\"id\" : -7 ,\r\n \"jsonrpc\" : \"2.0\" , \"result\" : { } } \n", "result -7"},
        {"{" V "\"id\":7,\"result\":5}", "result 7"},
        {"{" V "\"id\":7,\"result\":null}", "result 7"},
        {"{" V "\"id\":7,\"result\":{\"isError\":true}}", "result 7 isError"},
        {"{" V "\"id\":7,\"result\":{\"isError\":false}}", "result 7"},
        {"{" V "\"id\":7,\"result\":{\"isError\":\"true\"}}", "result 7"},
        {"{" V "\"id\":7,\"result\":{\"isError\":true,\"isError\":false}}", "result 7"},
        {"{" V "\"id\":7,\"result\":{\"is\\u0045rror\":true}}", "result 7 isError"},
        {"{" V "\"id\":7,\"result\":{\"a\":{\"isError\":true},\"b\":[{\"isError\":true}]}}",
         "result 7"},
        {"{" V "\"id\":7,\"result\":[{\"isError\":true}]}", "result 7"},
        {"{" V "\"id\":7,\"isError\":true,\"result\":{}}", "result 7"},
        {"{" V "\"id\":7,\"other\":{\"isError\":true},\"result\":{}}", "result 7"},
        {"{" V "\"id\":7,\"result\":\"x\",\"other\":{\"isError\":true}}", "result 7"},
        {"{" V "\"id\":7,\"result\":{\"isError\":true},\"result\":{}}", "result 7"},
        {"{" V "\"id\":7,\"result\":{\"nextCursor\":\"a\\n\\u00e9\"}}",
         "result 7 cursor=a\n\xc3\xa9"},
        {"{" V "\"id\":7,\"result\":{\"nextCursor\":\"\"}}", "result 7 cursor="},
        {"{" V "\"id\":7,\"result\":{\"nextCursor\":null}}", "result 7"},
        {"{" V "\"id\":7,\"result\":{\"nextCursor\":{\"x\":\"y\"},\"z\":\"w\"}}", "result 7"},
        {"{" V "\"id\":7,\"result\":{\"nextCursor\":\"a\",\"nextCursor\":\"b\"}}",
         "result 7 cursor=b"},
        {"{" V "\"id\":7,\"result\":{\"protocolVersion\":\"2025-11-25\"}}",
         "result 7 version=2025-11-25"},
        {"{" V "\"id\":7,\"result\":{\"protocolVersion\":\"1234567890123456789012345\"}}",
         "result 7 version=123456789012345678901234"},
        {"{" V "\"id\":7,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}",
         "error 7 code=-32601 Method not found"},
        {"{" V "\"error\":{\"message\":\"x\",\"code\":1e2,\"data\":{\"code\":5}},\"id\":null}",
         "error null code=100 x"},
        {"{" V "\"error\":{\"code\":1.5}}", "error - code=0"},
        {"{" V "\"error\":{}}", "error - code=0"},
        {"{" V "\"error\":{\"code\":\"5\",\"message\":5}}", "error - code=0"},
        {"{" V "\"error\":{\"code\":5,\"message\":\"x\"},\"error\":{}}", "error - code=0"},
        {"{" V "\"method\":\"notifications/message\"}", "notification - notifications/message"},
        {"{" V "\"method\":\"ping\",\"id\":7}", "request 7 ping"},
        {"{" V "\"id\":\"a\",\"method\":\"ping\",\"params\":{\"id\":5}}", "request * ping"},
        {"{" V "\"id\":7,\"method\":\"m\",\"result\":{},\"error\":{\"message\":\"no\"}}",
         "request 7 m"},
        {"{" V "\"error\":{\"message\":\"no\"},\"method\":\"m\"}", "notification - m"},
        {"{" V "\"method\":1,\"method\":\"m\"}", "notification - m"},
        {"{\"jsonrpc\":\"1.0\",\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "result 1"},
        {"{\"\\u006a\\u0073onrpc\":\"\\u0032.0\",\"\\u0069d\":1,\"r\\u0065sult\":{}}", "result 1"},
    };

    (void)state;
    check_cases(cases, COUNT(cases));
}

static void test_envelope_faults(void **state)
{
    static const struct msg_case cases[] = {
        {"[]", "not_jsonrpc: a batch without elements"},
        {"5", "not_jsonrpc: the text is neither an object nor an array"},
        {"-0.5e+3 ", "not_jsonrpc: the text is neither an object nor an array"},
        {"\"x\"", "not_jsonrpc: the text is neither an object nor an array"},
        {"null", "not_jsonrpc: the text is neither an object nor an array"},
        {"{}", "not_jsonrpc: no member `jsonrpc`"},
        {"{\"id\":7,\"result\":{}}", "not_jsonrpc: no member `jsonrpc`"},
        {"{\"jsonrpc\":2.0,\"id\":7,\"result\":{}}", "not_jsonrpc: `jsonrpc` is not \"2.0\""},
        {"{\"jsonrpc\":\"2.00\",\"id\":7,\"result\":{}}", "not_jsonrpc: `jsonrpc` is not \"2.0\""},
        {"{\"jsonrpc\":\"2.0\\u0000\",\"id\":7,\"result\":1}",
         "not_jsonrpc: `jsonrpc` is not \"2.0\""},
        {"{\"jsonrpc\":[\"2.0\"],\"id\":7,\"result\":1}", "not_jsonrpc: `jsonrpc` is not \"2.0\""},
        {"{\"jsonrpc\":\"2.0\",\"jsonrpc\":1,\"id\":7,\"result\":{}}",
         "not_jsonrpc: `jsonrpc` is not \"2.0\""},
        {"{" V "\"id\":7,\"id\":7,\"result\":{}}", "not_jsonrpc: two members `id`"},
        {"{" V "\"id\":7,\"result\":{},\"\\u0069d\":8}", "not_jsonrpc: two members `id`"},
        {"{" V "\"id\":7,\"result\":{},\"error\":null}", "not_jsonrpc: both `result` and `error`"},
        {"{" V "\"id\":7}", "not_jsonrpc: none of `result`, `error` and `method`"},
        {"{" V "\"id\":7,\"result\\u0000\":{}}",
         "not_jsonrpc: none of `result`, `error` and `method`"},
        {"{" V "\"id\":7,\"\\ud800result\":{}}",
         "not_jsonrpc: none of `result`, `error` and `method`"},
        {"{" V "\"result\":{}}", "result -"},
        {"{" V "\"id\":7,\"error\":\"x\"}", "not_jsonrpc: `error` is not an object"},
        {"{" V "\"id\":7,\"error\":null}", "not_jsonrpc: `error` is not an object"},
        {"{" V "\"method\":5}", "not_jsonrpc: `method` is not a string"},
        {"{" V "\"method\":\"m\",\"params\":5}",
         "not_jsonrpc: `params` is neither an object nor an array"},
    };

    (void)state;
    check_cases(cases, COUNT(cases));
}

static void test_batches(void **state)
{
#define R(id)    "{" V "\"id\":" id ",\"result\":{\"nextCursor\":\"c" id "\"}}"
#define NOTE     "{" V "\"method\":\"note\"}"
#define CALL(id) "{" V "\"method\":\"call\",\"id\":" id "}"
#define FAULTY   "{" V "\"id\":7}"
    static const struct msg_case cases[] = {
        {"[" R("7") "]", "result 7 cursor=c7 of 1"},
        {"[" R("6") "," R("7") "," R("8") "]", "result 7 cursor=c7 of 3"},
        {"[" NOTE "," R("7") "," NOTE "]", "result 7 cursor=c7 of 3"},
        {"[" R("7") "," FAULTY ",5]", "result 7 cursor=c7 of 3"},
        {"[" FAULTY "," R("7") "]", "result 7 cursor=c7 of 2"},
        {"[ {" V "\"id\":7,\"error\":{\"code\":1}} ]", "error 7 code=1 of 1"},
        {"[" CALL("7") "," R("6") "]", "batch - of 2"},
        {"[" NOTE "]", "batch - of 1"},
        {"[" R("6") "," FAULTY "]", "not_jsonrpc: none of `result`, `error` and `method`"},
        {"[" R("6") ",[" R("7") "]]", "not_jsonrpc: an element of the batch is not an object"},
        {"[" R("6") ",null]", "not_jsonrpc: an element of the batch is not an object"},
        {"[" R("7") ",]", "not_json: something else where a value must be"},
        {"[" R("7") "", "not_json: the JSON text ends too early"},
    };

    (void)state;
    check_cases(cases, COUNT(cases));
}

static void test_ids(void **state)
{
    static const struct msg_case ids[] = {
        {"0", "0"},
        {"-0", "0"},
        {"0.0e5", "0"},
        {"1.0", "1"},
        {"1e0", "1"},
        {"10e-1", "1"},
        {"1200e-2", "12"},
        {"1.5E+1", "15"},
        {"0.001e3", "1"},
        {"1.000000000000000000000000000000000", "1"},
        {"100000000000000000000000000000e-29", "1"},
        {"0.00000000000000000000000000000001e32", "1"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775807000e-3", "9223372036854775807"},
        {"9223372036854775808", "*"},
        {"-9223372036854775809", "*"},
        {"18446744073709551616", "*"},
        {"100000000000000000000", "*"},
        {"123456789012345678901234567890", "*"},
        {"1234567890123456789012345678900000e-20", "*"},
        {"1.5", "*"},
        {"1e-1", "*"},
        {"1e99999999999999999999", "*"},
        {"1e-99999999999999999999", "*"},
        {"0e99999999999999999999", "0"},
        {"1e18", "1000000000000000000"},
        {"1e19", "*"},
        {"\"7\"", "*"},
        {"true", "*"},
        {"[7]", "*"},
        {"{\"id\":7}", "*"},
        {"null", "null"},
    };
    struct jsonrpc_scan *s = jsonrpc_scan_new();

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        char text[200], expected[100];

        snprintf(text, sizeof text, "{" V "\"id\":%s,\"result\":1}", ids[i].text);
        snprintf(expected, sizeof expected, "result %s", ids[i].expected);
        check(s, str_c(text), expected);
    }
    jsonrpc_scan_free(s);
}

/* RFC 8259: values that are valid, and ones that others let pass. */
static void test_grammar(void **state)
{
    static const struct str valid[] = {
        STR_INIT("0"),
        STR_INIT("-0"),
        STR_INIT("10"),
        STR_INIT("1.5"),
        STR_INIT("1E5"),
        STR_INIT("1e-05"),
        STR_INIT("18446744073709551616"),
        STR_INIT("1e999"),
        STR_INIT("true"),
        STR_INIT("false"),
        STR_INIT("null"),
        STR_INIT("[]"),
        STR_INIT("[ ]"),
        STR_INIT("[[],{}]"),
        STR_INIT("{\"a\":1,\"a\":2}"),
        STR_INIT("{\"\":{}}"),
        STR_INIT("\"\""),
        STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        STR_INIT("\"\\u0000\\uABcd\""),
        STR_INIT("\"\\ud800\""),
        STR_INIT("\"\\udc00\\ud800x\""),
        STR_INIT("\"\x7f\""),
        STR_INIT("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
        STR_INIT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf 0123456789abcdef \xe2\x82\xac\""),
        STR_INIT(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } "),
    };
    static const struct str invalid[] = {
        STR_INIT(""),
        STR_INIT(" "),
        STR_INIT("01"),
        STR_INIT("-"),
        STR_INIT("-01"),
        STR_INIT("+1"),
        STR_INIT(".5"),
        STR_INIT("1."),
        STR_INIT("1.e5"),
        STR_INIT("1e"),
        STR_INIT("1e+"),
        STR_INIT("0x1"),
        STR_INIT("1 2"),
        STR_INIT("1a"),
        STR_INIT("--1"),
        STR_INIT("NaN"),
        STR_INIT("Infinity"),
        STR_INIT("nul"),
        STR_INIT("nulL"),
        STR_INIT("truee"),
        STR_INIT("True"),
        STR_INIT("'a'"),
        STR_INIT("\""),
        STR_INIT("\"a"),
        STR_INIT("\"\x01\""),
        STR_INIT("\"\n\""),
        STR_INIT("\"\0\""),
        STR_INIT("\"\\x\""),
        STR_INIT("\"\\"),
        STR_INIT("\"\\u12\""),
        STR_INIT("\"\\u123g\""),
        STR_INIT("\"\\u\x10\x10\x10\x10\""),
        STR_INIT("\"\\U0041\""),
        STR_INIT("\"\\\x00\""),
        STR_INIT("\"\xff\""),
        STR_INIT("\"\x80\""),
        STR_INIT("\"\xc0\x80\""),
        STR_INIT("\"\xc1\xbf\""),
        STR_INIT("\"\xc2\""),
        STR_INIT("\"\xc2x\""),
        STR_INIT("\"\xe0\x9f\xbf\""),
        STR_INIT("\"\xed\xa0\x80\""),
        STR_INIT("\"\xe2\x82\""),
        STR_INIT("\"\xf0\x8f\xbf\xbf\""),
        STR_INIT("\"\xf4\x90\x80\x80\""),
        STR_INIT("\"\xf5\x80\x80\x80\""),
        STR_INIT("[1,]"),
        STR_INIT("[,1]"),
        STR_INIT("[1 2]"),
        STR_INIT("["),
        STR_INIT("]"),
        STR_INIT("[1}"),
        STR_INIT("{\"a\":1]"),
        STR_INIT("{"),
        STR_INIT("}"),
        STR_INIT("{\"a\":1,}"),
        STR_INIT("{\"a\"}"),
        STR_INIT("{\"a\":}"),
        STR_INIT("{a:1}"),
        STR_INIT("{1:1}"),
        STR_INIT("{,}"),
        STR_INIT("{\"a\" 1}"),
        STR_INIT("[1]x"),
        STR_INIT("{}{}"),
        STR_INIT("[]]"),
        STR_INIT("// c\n1"),
        STR_INIT("[1/* c */]"),
        STR_INIT("\xef\xbb\xbf{}"),
        STR_INIT("\v1"),
        STR_INIT("1\0"),
        STR_INIT("\xa0"),
    };
    struct jsonrpc_scan *s = jsonrpc_scan_new();

    (void)state;
    for (size_t i = 0; i < COUNT(valid) + COUNT(invalid); i++) {
        bool good = i < COUNT(valid);
        struct str text = good ? valid[i] : invalid[i - COUNT(valid)];

        for (size_t way = 0; way < split_ways(text.len); way++) {
            jsonrpc_scan_begin(s, WANT_ID);
            split_feed(text.p, text.len, way, feed, s);
            assert_int_equal(jsonrpc_scan_end(s)->kind == JSONRPC_NOT_JSON, !good);
        }
    }
    jsonrpc_scan_free(s);
}

/* Is `text` JSON when each of the 256 bytes stands at its place `at`? */
static void check_bytes(const char *text, size_t at, bool (*good)(int c))
{
    struct jsonrpc_scan *s = jsonrpc_scan_new();
    char copy[100];
    size_t len = strlen(text);

    memcpy(copy, text, len);
    for (int c = 0; c < 256; c++) {
        copy[at] = (char)c;
        for (size_t way = 0; way < split_ways(len); way++) {
            jsonrpc_scan_begin(s, 0);
            split_feed(copy, len, way, feed, s);
            assert_int_equal(jsonrpc_scan_end(s)->kind != JSONRPC_NOT_JSON, good(c));
        }
    }
    jsonrpc_scan_free(s);
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_escape(int c)
{
    return c != 0 && strchr("\"\\/bfnrt", c) != NULL;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_blank_or_digit(int c)
{
    return is_blank(c) || is_digit(c);
}

static bool is_plain(int c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static bool goes_on_after_int(int c)
{
    return is_digit(c) || c == ',' || c == '.' || c == 'e' || c == 'E';
}

/* Bytes that decide by themselves, within and behind a 16-byte step. */
static void test_all_bytes(void **state)
{
    (void)state;
    check_bytes("[\"\\u00?0\"]", 6, is_hex);
    check_bytes("[\"\\?\"]", 3, is_escape);
    check_bytes("[1,2?]", 4, is_blank_or_digit);
    check_bytes("[1,2?3]", 4, goes_on_after_int);
    check_bytes("[1 ?]", 3, is_blank);
    check_bytes("?{}", 0, is_blank);
    check_bytes("{}?", 2, is_blank);
    check_bytes("[\"abcdefghij?klmnopqrstuvw\"]", 12, is_plain);
    check_bytes("[\"abcdefghijklmnopqrstuvw?\"]", 25, is_plain);
}

static void test_depth(void **state)
{
    struct jsonrpc_scan *s = jsonrpc_scan_new();
    struct buf text;

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        size_t depth = JSONRPC_DEPTH_MAX - 1 + over;

        buf_init(&text, 1 << 16);
        buf_add_c(&text, "{" V "\"id\":7,\"result\":");
        for (size_t i = 0; i < depth; i++) {
            buf_add_c(&text, i % 3 == 1 ? "{\"isError\":" : "[");
        }
        buf_add_c(&text, "true");
        for (size_t i = depth; i > 0; i--) {
            buf_add_c(&text, i % 3 == 2 ? "}" : "]");
        }
        buf_add_c(&text, "}");
        check(s, buf_str(&text), over ? "not_json: the JSON text is nested too deep" : "result 7");
        buf_clear(&text);
    }
    jsonrpc_scan_free(s);
}

/* Texts are cut at a whole character. `unit` is repeated; `max` bytes are kept. */
static void check_cut(const char *member, const char *unit, const char *decoded, size_t max)
{
    struct jsonrpc_scan *s = jsonrpc_scan_new();
    size_t width = strlen(decoded);
    struct buf text, expected;

    for (size_t shift = 0; shift < 5; shift++) {
        bool is_message = strcmp(member, "message") == 0;

        buf_init(&text, 1 << 16);
        buf_init(&expected, 1 << 16);
        buf_printf(&text, "{" V "\"id\":7,\"%s\":{\"%s\":\"", is_message ? "error" : "result",
                   member);
        buf_add_c(&expected, is_message ? "error 7 code=0 " : "result 7 cursor=");
        for (size_t i = 0; i < shift; i++) {
            buf_add_c(&text, "x");
            buf_add_c(&expected, "x");
        }
        for (size_t i = 0; i < max; i++) {
            buf_add_c(&text, unit);
        }
        for (size_t i = shift; i + width <= max; i += width) {
            buf_add_c(&expected, decoded);
        }
        buf_add_c(&expected, is_message || (width == 1 && shift == 0) ? "" : "…");
        buf_add_c(&text, "\"}}");
        jsonrpc_scan_text(s, buf_str(&text), WANT_ID);
        check(s, buf_str(&text), buf_c(&expected));
        buf_clear(&text);
        buf_clear(&expected);
    }
    jsonrpc_scan_free(s);
}

static void test_cut_texts(void **state)
{
    (void)state;
    check_cut("message", "a", "a", JSONRPC_TEXT_MAX);
    check_cut("message", "\xc3\xa9", "\xc3\xa9", JSONRPC_TEXT_MAX);
    check_cut("message", "\xe2\x82\xac", "\xe2\x82\xac", JSONRPC_TEXT_MAX);
    check_cut("message", "\\ud83d\\ude00", "\xf0\x9f\x98\x80", JSONRPC_TEXT_MAX);
    check_cut("nextCursor", "\\u20ac", "\xe2\x82\xac", JSONRPC_CURSOR_MAX);
    check_cut("nextCursor", "b", "b", JSONRPC_CURSOR_MAX);
}

static void test_decoding(void **state)
{
#define ERROR(text) "{" V "\"error\":{\"message\":\"" text "\"}}"
    static const struct msg_case cases[] = {
        {ERROR("\\\"\\\\\\/\\b\\f\\n\\r\\t"), "error - code=0 \"\\/\b\f\n\r\t"},
        {ERROR("a\\u0041\\u00e9\\u20AC\\ud83D\\uDe00z"),
         "error - code=0 aA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"},
        {ERROR("\\ud83dx"), "error - code=0 \xef\xbf\xbdx"},
        {ERROR("\\ud83d"), "error - code=0 \xef\xbf\xbd"},
        {ERROR("\\ud83d\\ud83d\\ude00"), "error - code=0 \xef\xbf\xbd\xf0\x9f\x98\x80"},
        {ERROR("\\ud83d\\n"), "error - code=0 \xef\xbf\xbd\n"},
        {ERROR("\\ude00\\u0000"), "error - code=0 \xef\xbf\xbd\xef\xbf\xbd"},
        {ERROR("caf\xc3\xa9 \xe2\x82\xac"), "error - code=0 caf\xc3\xa9 \xe2\x82\xac"},
    };

    (void)state;
    check_cases(cases, COUNT(cases));
}

static void test_size(void **state)
{
    (void)state;
    assert_true(jsonrpc_scan_size() <= 2560);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_envelope_faults),
        cmocka_unit_test(test_batches),  cmocka_unit_test(test_ids),
        cmocka_unit_test(test_grammar),  cmocka_unit_test(test_all_bytes),
        cmocka_unit_test(test_depth),    cmocka_unit_test(test_cut_texts),
        cmocka_unit_test(test_decoding), cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
