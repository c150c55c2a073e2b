/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "http/h1_parse.h"
#include "support/split_feed.h"
#include "support/unit.h"

/* What a head parser said: its result, and the facts as one line of text. */
struct verdict {
    long rc;
    char facts[400];
};

typedef long
parse_fn(const char *p, size_t len, size_t *seen, struct h1_head *out, struct err *err);

static const char *const body_names[] = {
    [H1_BODY_NONE] = "none",
    [H1_BODY_LENGTH] = "length",
    [H1_BODY_CHUNKED] = "chunked",
    [H1_BODY_CLOSE] = "close",
};

static void describe(const struct h1_head *h, struct verdict *v)
{
    snprintf(v->facts, sizeof v->facts, "%d|%.*s|%.*s %.*s|1.%d|%s|%s %llu|%u%s", h->status,
             STR_ARG(h->reason), STR_ARG(h->method), STR_ARG(h->target), h->minor_version,
             h->keep_alive ? "keep" : "close", body_names[h->body],
             (unsigned long long)h->content_length, h->header_count,
             h->expect_continue ? "|expect" : "");
}

/* A copy of exactly the bytes that are there, so that a read beyond them is seen. */
static long parse_prefix(
    parse_fn *parse, const char *text, size_t len, size_t *seen, struct verdict *v, struct err *err)
{
    char *copy = xmalloc(len);
    struct h1_head head;

    memcpy(copy, text, len);
    v->rc = parse(copy, len, seen, &head, err);
    if (v->rc > 0) {
        describe(&head, v);
    }
    xfree(copy);
    return v->rc;
}

/* The reader keeps the bytes: each call sees all that have come so far. */
static struct verdict parse_split(parse_fn *parse, const char *text, size_t len, size_t way)
{
    struct verdict v = {0, ""};
    struct err err = {0};
    size_t seen = 0;

    for (size_t at = 0; at < len && v.rc == 0;) {
        at += split_piece(len, way, at);
        parse_prefix(parse, text, at, &seen, &v, &err);
    }
    assert_int_equal(v.rc < 0 ? v.rc : 0, err.code);
    assert_true((err.code == 0) == (err.msg[0] == '\0'));
    return v;
}

struct head_case {
    const char *text;
    const char *facts; /* NULL: ERR_INVALID */
};

static void check_heads(parse_fn *parse, const struct head_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = cases[i].text;
        size_t len = strlen(text);

        for (size_t way = 0; way < split_ways(len); way++) {
            struct verdict v = parse_split(parse, text, len, way);

            if (cases[i].facts == NULL) {
                assert_int_equal(v.rc, ERR_INVALID);
            } else {
                assert_string_equal(v.facts, cases[i].facts);
                assert_int_equal(v.rc, len);
            }
        }
    }
}

#define S11 "HTTP/1.1 200 OK\r\n"

static void test_responses(void **state)
{
    static const struct head_case cases[] = {
        {S11 "Content-Length: 5\r\n\r\n", "200|OK| |1.1|keep|length 5|1"},
        {S11 "content-length:5\r\n\r\n", "200|OK| |1.1|keep|length 5|1"},
        {S11 "Content-Length: 5, 5\r\n\r\n", "200|OK| |1.1|keep|length 5|1"},
        {S11 "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "200|OK| |1.1|keep|length 5|2"},
        {S11 "Content-Length: 0\r\n\r\n", "200|OK| |1.1|keep|length 0|1"},
        {S11 "Transfer-Encoding: Chunked\r\n\r\n", "200|OK| |1.1|keep|chunked 0|1"},
        {S11 "\r\n", "200|OK| |1.1|close|close 0|0"},
        {"HTTP/1.1 200 OK\nContent-Length: 5\n\n", "200|OK| |1.1|keep|length 5|1"},
        {"HTTP/1.1 200 OK\nContent-Length: 5\n\r\n", "200|OK| |1.1|keep|length 5|1"},
        {"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", "202|| |1.1|keep|length 0|1"},
        {"HTTP/1.1 202 \r\nContent-Length: 0\r\n\r\n", "202|| |1.1|keep|length 0|1"},
        {"HTTP/1.1 100 Continue\r\n\r\n", "100|Continue| |1.1|keep|none 0|0"},
        {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "103|Early Hints| |1.1|keep|none 0|1"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "204|No Content| |1.1|keep|none 0|0"},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
         "204|No Content| |1.1|close|none 0|1"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
         "304|Not Modified| |1.1|keep|none 0|1"},
        {"HTTP/1.1 999 \r\n\r\n", "999|| |1.1|close|close 0|0"},
        {S11 "Connection: close\r\nContent-Length: 1\r\n\r\n", "200|OK| |1.1|close|length 1|2"},
        {S11 "Connection: x, CLOSE\r\nContent-Length: 1\r\n\r\n", "200|OK| |1.1|close|length 1|2"},
        {S11 "Connection: keep-alive\r\nContent-Length: 1\r\n\r\n", "200|OK| |1.1|keep|length 1|2"},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", "200|OK| |1.0|close|length 1|1"},
        {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\n",
         "200|OK| |1.0|keep|length 1|2"},
        {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", "200|OK| |1.0|close|close 0|1"},
        {S11 "X:\r\nY: \t \r\nContent-Length: 1\r\n\r\n", "200|OK| |1.1|keep|length 1|3"},
        {S11 "X: caf\xc3\xa9 \xff\ttab\r\nContent-Length: 1\r\n\r\n",
         "200|OK| |1.1|keep|length 1|2"},
        {"HTTP/2 200 OK\r\n\r\n", NULL},
        {"HTTP/1.a 200 OK\r\n\r\n", NULL},
        {"http/1.1 200 OK\r\n\r\n", NULL},
        {"ICY 200 OK\r\n\r\n", NULL},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", NULL},
        {"HTTP/1.1  200 OK\r\n\r\n", NULL},
        {"HTTP/1.1 099 OK\r\n\r\n", NULL},
        {"HTTP/1.1 20x OK\r\n\r\n", NULL},
        {"HTTP/1.1 2000 OK\r\n\r\n", NULL},
        {"HTTP/1.1 20 OK\r\n\r\n", NULL},
        {"HTTP/1.1 -20 OK\r\n\r\n", NULL},
        {"HTTP/1.1 200 O\x01K\r\n\r\n", NULL},
        {"HTTP/1.1 200 OK\rContent-Length: 5\r\n\r\n", NULL},
        {S11 " folded: x\r\n\r\n", NULL},
        {S11 "X: a\r\n b\r\n\r\n", NULL},
        {S11 "X : a\r\n\r\n", NULL},
        {S11 ": a\r\n\r\n", NULL},
        {S11 "X\r\n\r\n", NULL},
        {S11 "X: a\rb\r\n\r\n", NULL},
        {S11 "X: a\x7f\r\n\r\n", NULL},
        {S11 "Content-Length: 5, 6\r\n\r\n", NULL},
        {S11 "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", NULL},
        {S11 "Content-Length: 5,\r\n\r\n", NULL},
        {S11 "Content-Length:\r\n\r\n", NULL},
        {S11 "Content-Length: +5\r\n\r\n", NULL},
        {S11 "Content-Length: -5\r\n\r\n", NULL},
        {S11 "Content-Length: 0x5\r\n\r\n", NULL},
        {S11 "Content-Length: 99999999999999999999\r\n\r\n", NULL},
        {S11 "Content-Length: 9223372036854775808\r\n\r\n", NULL},
        {S11 "Transfer-Encoding: gzip\r\n\r\n", NULL},
        {S11 "Transfer-Encoding: gzip, chunked\r\n\r\n", NULL},
        {S11 "Transfer-Encoding: chunked, identity\r\n\r\n", NULL},
        {S11 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", NULL},
        {S11 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", NULL},
        {S11 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", NULL},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", NULL},
    };

    (void)state;
    check_heads(h1_parse_response, cases, sizeof cases / sizeof cases[0]);
}

static void test_requests(void **state)
{
    static const struct head_case cases[] = {
        {"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "0||GET /a?b=c|1.1|keep|none 0|1"},
        {"\r\nGET / HTTP/1.1\r\n\r\n", "0||GET /|1.1|keep|none 0|0"},
        {"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n",
         "0||POST /|1.1|keep|length 2|2|expect"},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "0||POST /|1.1|keep|chunked 0|1"},
        {"GET / HTTP/1.0\r\n\r\n", "0||GET /|1.0|close|none 0|0"},
        {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "0||GET /|1.1|close|none 0|1"},
        {"GET / HTTP/1.1\n\n", NULL},
        {"GET / HTTP/1.1\r\nHost: x\n\r\n", NULL},
        {"GET / HTTP/1.1\r\nHost: x\r\n\n", NULL},
        {"\r\n\r\nGET / HTTP/1.1\r\n\r\n", NULL},
        {" GET / HTTP/1.1\r\n\r\n", NULL},
        {"GET  / HTTP/1.1\r\n\r\n", NULL},
        {"GET /a b HTTP/1.1\r\n\r\n", NULL},
        {"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", NULL},
        {"GET / HTTP/1.1 \r\n\r\n", NULL},
        {"GET /\r\n\r\n", NULL},
        {"G@T / HTTP/1.1\r\n\r\n", NULL},
        {"PRI * HTTP/2.0\r\n\r\n", NULL},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", NULL},
    };

    (void)state;
    check_heads(h1_parse_request, cases, sizeof cases / sizeof cases[0]);
}

static void test_incomplete_and_rest(void **state)
{
    static const char text[] = S11 "Content-Length: 5\r\n\r\nhello";
    size_t head = sizeof text - 1 - 5;
    struct verdict v = {0, ""};

    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        size_t seen = 0;

        assert_int_equal(parse_prefix(h1_parse_response, text, len, &seen, &v, NULL),
                         len < head ? 0 : (long)head);
    }
}

static void test_find(void **state)
{
    static const char text[] = S11 "Mcp-Session-Id: \t abc \r\nX: 1\r\nmcp-session-id: two\r\n\r\n";
    struct h1_head head;
    size_t seen = 0;

    (void)state;
    assert_int_equal(h1_parse_response(text, sizeof text - 1, &seen, &head, NULL), sizeof text - 1);
    assert_true(str_eq(h1_find(&head, STR("MCP-SESSION-ID"))->value, STR("abc")));
    assert_null(h1_find(&head, STR("Mcp-Session")));
    assert_true(
        h1_media_type_is(STR("text/event-stream; charset=utf-8"), STR("text/event-stream")));
    assert_true(h1_media_type_is(STR("Text/Event-Stream"), STR("text/event-stream")));
    assert_true(h1_media_type_is(STR("application/json ;x"), STR("application/json")));
    assert_false(h1_media_type_is(STR("text/event-streams"), STR("text/event-stream")));
    assert_false(h1_media_type_is(STR(""), STR("text/event-stream")));
}

/* RFC 9110: which bytes may stand in a name and in a value. */
static void test_all_bytes(void **state)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    (void)state;
    for (int c = 0; c < 256; c++) {
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool token = alnum || (c != 0 && strchr(others, c) != NULL);
        bool text = c == '\t' || (c >= 0x20 && c != 0x7f);
        char head[80];

        /* At two places of the value: one for the 16-byte step, one for the rest. */
        for (int at = 0; at < 3; at++) {
            struct verdict v = {0, ""};
            size_t seen = 0, len;
            int n = snprintf(head, sizeof head, S11 "X-: %s-%s\r\n\r\n", "0123456789", "abcdefgh");

            len = (size_t)n;
            head[at == 0 ? 18 : at == 1 ? 23 : len - 6] = (char)c;
            parse_prefix(h1_parse_response, head, len, &seen, &v, NULL);
            if (at == 0 && c == ':') {
                continue;
            }
            if ((at == 0 ? token : text)) {
                assert_int_equal(v.rc, len);
            } else {
                assert_int_equal(v.rc, ERR_INVALID);
            }
        }
    }
}

static void check_head_limit(const char *line, size_t count, const char *end, long expected)
{
    struct buf text;
    struct h1_head head;
    struct err err = {0};
    size_t seen = 0;
    long rc;

    buf_init(&text, 1 << 20);
    buf_add_c(&text, S11);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(&text, line);
    }
    buf_add_c(&text, end);
    rc = h1_parse_response(text.p, text.len, &seen, &head, &err);
    assert_int_equal(rc, expected > 0 ? (long)text.len : expected);
    buf_clear(&text);
}

static void test_limits(void **state)
{
    static const char quarter[] =
        "X: 6789012345678901234567890123456789012345678901234567890123\r\n";

    (void)state;
    check_head_limit("X: y\r\n", H1_HEADERS_MAX, "\r\n", 1);
    check_head_limit("X: y\r\n", H1_HEADERS_MAX + 1, "\r\n", ERR_LIMIT);
    check_head_limit("", 0, "X: ", 0);
    check_head_limit("y", H1_HEAD_MAX - sizeof S11 - 1, "", 0);
    check_head_limit("y", H1_HEAD_MAX, "", ERR_LIMIT);
    check_head_limit("y", H1_HEAD_MAX, ":\r\n\r\n", ERR_LIMIT);
    check_head_limit(quarter, 20, "\r\n", 1);
}

static void test_target_limit(void **state)
{
    struct h1_head head;
    struct buf text;

    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        size_t seen = 0;
        long rc;

        buf_init(&text, H1_HEAD_MAX);
        buf_add_c(&text, "GET /");
        for (size_t i = 1; i < H1_TARGET_MAX + extra; i++) {
            buf_add_c(&text, "a");
        }
        buf_add_c(&text, " HTTP/1.1\r\n\r\n");
        rc = h1_parse_request(text.p, text.len, &seen, &head, NULL);
        assert_int_equal(rc, extra == 0 ? (long)text.len : ERR_LIMIT);
        buf_clear(&text);
    }
}

/* An endless head in one-byte pieces must cost linear time: the search never starts over. */
static void test_slow_head(void **state)
{
    char *text = xmalloc(H1_HEAD_MAX);
    struct h1_head head;
    size_t seen = 0;

    (void)state;
    memset(text, 'y', H1_HEAD_MAX);
    memcpy(text, S11, sizeof S11 - 1);
    for (size_t len = 1; len < H1_HEAD_MAX; len++) {
        assert_int_equal(h1_parse_response(text, len, &seen, &head, NULL), 0);
        assert_true(len <= sizeof S11 || seen + 2 >= len);
    }
    assert_int_equal(h1_parse_response(text, H1_HEAD_MAX, &seen, &head, NULL), ERR_LIMIT);
    xfree(text);
}

/* ---- bodies ------------------------------------------------------------------------------- */

struct body_log {
    struct h1_body_reader reader;
    enum h1_body_token last;
    size_t rest; /* bytes behind the end of the body */
    struct buf body;
};

static void feed_body(void *ctx, const char *p, size_t len)
{
    struct body_log *log = ctx;
    const char *end = p + len;
    struct str piece;

    while ((log->last = h1_body_next(&log->reader, &p, end, &piece)) == H1_DATA) {
        assert_true(piece.len > 0);
        buf_add_str(&log->body, piece);
    }
    if (log->last == H1_DONE) {
        log->rest += (size_t)(end - p);
    } else if (log->last == H1_MORE) {
        assert_ptr_equal(p, end);
    }
}

struct body_case {
    enum h1_body kind;
    uint64_t length;
    const char *text, *body;
    enum h1_body_token last;
    size_t rest;
    bool eof_ok;
};

static void check_body(const struct body_case *c)
{
    struct h1_head head = {.body = c->kind, .content_length = c->length};
    size_t len = strlen(c->text);

    for (size_t way = 0; way < split_ways(len); way++) {
        struct body_log log = {.last = H1_MORE};

        buf_init(&log.body, 1 << 20);
        h1_body_init(&log.reader, &head);
        split_feed(c->text, len, way, feed_body, &log);
        assert_int_equal(log.last, c->last);
        assert_int_equal(log.rest, c->rest);
        assert_int_equal(h1_body_eof_ok(&log.reader), c->eof_ok);
        if (c->body != NULL) {
            assert_string_equal(buf_c(&log.body), c->body);
        }
        buf_clear(&log.body);
    }
}

static void test_bodies(void **state)
{
    static const struct body_case cases[] = {
        {H1_BODY_NONE, 0, "next", "", H1_DONE, 4, true},
        {H1_BODY_LENGTH, 0, "next", "", H1_DONE, 4, true},
        {H1_BODY_LENGTH, 5, "hello", "hello", H1_DONE, 0, true},
        {H1_BODY_LENGTH, 5, "hellonext", "hello", H1_DONE, 4, true},
        {H1_BODY_LENGTH, 5, "hell", "hell", H1_MORE, 0, false},
        {H1_BODY_LENGTH, INT64_MAX, "hell", "hell", H1_MORE, 0, false},
        {H1_BODY_CLOSE, 0, "hello", "hello", H1_MORE, 0, true},
        {H1_BODY_CHUNKED, 0, "5\r\nhello\r\n0\r\n\r\nnext", "hello", H1_DONE, 4, true},
        {H1_BODY_CHUNKED, 0, "0\r\n\r\n", "", H1_DONE, 0, true},
        {H1_BODY_CHUNKED, 0, "a\r\n0123456789\r\n0A\r\n0123456789\r\n000\r\n\r\n",
         "01234567890123456789", H1_DONE, 0, true},
        {H1_BODY_CHUNKED, 0, "1;a=\"b\\\";\"\r\nx\r\n0 ; y\r\n\r\n", "x", H1_DONE, 0, true},
        {H1_BODY_CHUNKED, 0, "1\r\nx\r\n0\r\nA: b\r\nC:\td\r\n\r\nz", "x", H1_DONE, 1, true},
        {H1_BODY_CHUNKED, 0, "0000000000000001\r\nx\r\n", "x", H1_MORE, 0, false},
        {H1_BODY_CHUNKED, 0, "ffffffffffffffff\r\nx", "x", H1_MORE, 0, false},
        {H1_BODY_CHUNKED, 0, "5\r\nhel", "hel", H1_MORE, 0, false},
        {H1_BODY_CHUNKED, 0, "5\r\nhello\r\n0\r\n", "hello", H1_MORE, 0, false},
        {H1_BODY_CHUNKED, 0, "00000000000000001\r\nx\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "10000000000000000\r\nx\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "-1\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "0x1\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "\x11\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "1 \r\nx\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, " 1\r\nx\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "1\nx\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "1\r\nxy\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "1\r\nx\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "1;a\nb\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "1;a\x01\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "0\r\nA: b\n\r\n", NULL, H1_BAD, 0, false},
        {H1_BODY_CHUNKED, 0, "0\r\n\rx", NULL, H1_BAD, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_body(&cases[i]);
    }
}

/* `count` bytes of filling between `start` and `end`, all at once. */
static enum h1_body_token run_long(const char *start, size_t count, const char *end)
{
    struct h1_head head = {.body = H1_BODY_CHUNKED};
    struct body_log log = {.last = H1_MORE};
    struct buf text;

    buf_init(&text, 1 << 20);
    buf_init(&log.body, 1 << 20);
    buf_add_c(&text, start);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(&text, "x");
    }
    buf_add_c(&text, end);
    h1_body_init(&log.reader, &head);
    feed_body(&log, text.p, text.len);
    buf_clear(&text);
    buf_clear(&log.body);
    return log.last;
}

static void test_body_limits(void **state)
{
    (void)state;
    assert_int_equal(run_long("0;", H1_CHUNK_LINE_MAX - 4, "\r\n\r\n"), H1_DONE);
    assert_int_equal(run_long("0;", H1_CHUNK_LINE_MAX - 3, "\r\n\r\n"), H1_BAD);
    assert_int_equal(run_long("0\r\n", H1_TRAILER_MAX - 4, "\r\n\r\n"), H1_DONE);
    assert_int_equal(run_long("0\r\n", H1_TRAILER_MAX - 3, "\r\n\r\n"), H1_BAD);
    assert_int_equal(run_long("1;y\r\nx\r\n0;", H1_CHUNK_LINE_MAX - 4, "\r\n\r\n"), H1_DONE);
}

static void test_hex_digits(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        struct h1_head head = {.body = H1_BODY_CHUNKED};
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        struct body_log log = {.last = H1_MORE};
        char text[2] = {(char)c, '\r'};

        h1_body_init(&log.reader, &head);
        feed_body(&log, text, sizeof text);
        assert_int_equal(log.last, hex ? H1_MORE : H1_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_incomplete_and_rest),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_all_bytes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_target_limit),
        cmocka_unit_test(test_slow_head),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_body_limits),
        cmocka_unit_test(test_hex_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
