/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "http/sse_parse.h"
#include "support/split_feed.h"
#include "support/unit.h"

/*
 * Tokens as text. Data is collected and written when its event ends: "name=data#id ", for example
 * "msg=a\nb#7 "; "=a# " without a name and an id. "!id " is a priming event, "; " a comment,
 * "TOO_LONG " the end. At the end of the input "~data" is data without its event.
 */
struct log {
    struct sse_parser sse;
    struct buf text, data;
    size_t pieces;
    bool dead;
};

static void log_init(struct log *log)
{
    *log = (struct log){.pieces = 0};
    sse_init(&log->sse);
    buf_init(&log->text, 1 << 20);
    buf_init(&log->data, (size_t)1 << 24);
}

static void log_clear(struct log *log)
{
    buf_clear(&log->text);
    buf_clear(&log->data);
}

static void log_event(struct log *log)
{
    buf_add_c(&log->text, log->sse.event_name);
    buf_add_c(&log->text, "=");
    buf_add_str(&log->text, buf_str(&log->data));
    buf_printf(&log->text, "#%s ", log->sse.last_id);
    log->data.len = 0;
}

static void feed(void *ctx, const char *p, size_t len)
{
    struct log *log = ctx;
    const char *end = p + len;

    while (!log->dead) {
        struct str piece = {NULL, 0};

        switch (sse_next(&log->sse, &p, end, &piece)) {
        case SSE_MORE:
            assert_ptr_equal(p, end);
            return;
        case SSE_DATA:
            assert_true(piece.len > 0);
            buf_add_str(&log->data, piece);
            log->pieces++;
            break;
        case SSE_EVENT:
            assert_true(sse_idle(&log->sse));
            log_event(log);
            break;
        case SSE_PRIMING:
            assert_true(log->sse.has_id);
            buf_printf(&log->text, "!%s ", log->sse.last_id);
            break;
        case SSE_COMMENT:
            buf_add_c(&log->text, "; ");
            break;
        case SSE_TOO_LONG:
            buf_add_c(&log->text, "TOO_LONG ");
            log->dead = true;
            break;
        }
    }
}

struct sse_case {
    struct str text;
    const char *log;
    long long retry_ms;
};

#define CASE(text, log)         \
    {                           \
        STR_INIT(text), log, -1 \
    }
#define CASE_RETRY(text, log, ms) \
    {                             \
        STR_INIT(text), log, ms   \
    }

static void check_case(const struct sse_case *c)
{
    for (size_t way = 0; way < split_ways(c->text.len); way++) {
        struct log log;

        log_init(&log);
        split_feed(c->text.p, c->text.len, way, feed, &log);
        if (log.data.len > 0) {
            buf_add_c(&log.text, "~");
            buf_add_str(&log.text, buf_str(&log.data));
        }
        assert_string_equal(buf_c(&log.text), c->log);
        assert_int_equal(log.sse.retry_ms, c->retry_ms);
        log_clear(&log);
    }
}

static void check_cases(const struct sse_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_case(&cases[i]);
    }
}

/* The examples of the WHATWG text, line ends, BOM. */
static void test_lines(void **state)
{
    static const struct sse_case cases[] = {
        CASE("", ""),
        CASE("\n\n\r\r\r\n\r\n", ""),
        CASE("data: a\n\n", "=a# "),
        CASE("data:a\n\n", "=a# "),
        CASE("data:  a\n\n", "= a# "),
        CASE("data: a \n\n", "=a # "),
        CASE("data: a: b\n\n", "=a: b# "),
        CASE("data: a\r\n\r\n", "=a# "),
        CASE("data: a\r\r", "=a# "),
        CASE("data: a\r\n\n", "=a# "),
        CASE("data: a\n\r\n", "=a# "),
        CASE("data: a\r\n\r\ndata: b\r\n\r\n", "=a# =b# "),
        CASE("data: a\r\rdata: b\r\r", "=a# =b# "),
        CASE("data: a\ndata: b\n\n", "=a\nb# "),
        CASE("data: a\r\ndata: b\r\n\r\n", "=a\nb# "),
        CASE("data: a\rdata: b\r\r", "=a\nb# "),
        CASE("data: a\ndata\ndata: b\n\n", "=a\n\nb# "),
        CASE("data: YHOO\ndata: +2\ndata: 10\n\n", "=YHOO\n+2\n10# "),
        CASE(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
             "data:  third event\n",
             "; =first event#1 =second event# ~ third event"),
        CASE("data\n\ndata\ndata\n\ndata:", "=\n# "),
        CASE("data:test\n\ndata: test\n\n", "=test# =test# "),
        CASE("\xef\xbb\xbf"
             "data: a\n\n",
             "=a# "),
        CASE("\xef\xbb\xbf\xef\xbb\xbf"
             "data: a\n\n",
             ""),
        CASE("\xef\xbb"
             "data: a\n\n",
             ""),
        CASE("\xef\xbb\ndata: a\n\n", "=a# "),
        CASE("data: a\n\n\xef\xbb\xbf"
             "data: b\n\n",
             "=a# "),
        CASE("data: caf\xc3\xa9\xff\n\n", "=caf\xc3\xa9\xff# "),
        CASE("data: a\n", "~a"),
        CASE("data: a\n\ndata: b", "=a# ~b"),
        CASE("data: 0123456789abcdefghijklmnopqrstuvwxyz\n\n",
             "=0123456789abcdefghijklmnopqrstuvwxyz# "),
    };

    (void)state;
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

static void test_fields(void **state)
{
    static const struct sse_case cases[] = {
        CASE("event: message\ndata: a\n\n", "message=a# "),
        CASE("event: x\ndata: a\n\ndata: b\n\n", "x=a# =b# "),
        CASE("event: x\nevent: yy\ndata: a\n\n", "yy=a# "),
        CASE("event: x\nevent\ndata: a\n\n", "=a# "),
        CASE("data: a\nevent: late\n\n", "late=a# "),
        CASE("event: x\n\ndata: a\n\n", "=a# "),
        CASE("event: 0123456789012345678901234567890123456789\ndata: a\n\n",
             "0123456789012345678901234567890=a# "),
        CASE("id: 1\ndata: a\n\ndata: b\n\n", "=a#1 =b#1 "),
        CASE("id: 1\ndata: a\n\nid\ndata: b\n\n", "=a#1 =b# "),
        CASE("id: 1\nid: 2\ndata: a\n\n", "=a#2 "),
        CASE("data: a\n\nid: 9\n", "=a# "),
        CASE("id: x\0y\ndata: a\n\n", "=a# "),
        CASE("id: 1\nid: x\0y\ndata: a\n\n", "=a#1 "),
        CASE("id: 123456789012345678901234567890123456789012345678901234567890123\n\n",
             "!123456789012345678901234567890123456789012345678901234567890123 "),
        CASE("id: 1\nid: 1234567890123456789012345678901234567890123456789012345678901234\n\n",
             "!1 "),
        CASE("id: p0\ndata:\n\n", "!p0 "),
        CASE("id: p0\ndata: \n\n", "!p0 "),
        CASE("id: p0\r\ndata\r\n\r\nid: p1\r\ndata: {}\r\n\r\n", "!p0 ={}#p1 "),
        CASE("id\ndata:\n\n", ""),
        CASE("data:\n\n", ""),
        CASE("data:\n\nid: 1\n\n\n", "!1 "),
        CASE_RETRY("retry: 1500\n\n", "", 1500),
        CASE_RETRY("retry:0\n\n", "", 0),
        CASE_RETRY("retry: 15", "", -1),
        CASE_RETRY("retry: 15\r", "", 15),
        CASE_RETRY("retry: 15\nretry: 1x\nretry\nretry: -1\nretry:  2\n\n", "", 15),
        CASE_RETRY("retry: 99999999999999999999\n", "", 9223372036854775807),
        CASE_RETRY("id: 7\nretry: 500\ndata: \n\n", "!7 ", 500),
        CASE(": comment\n", "; "),
        CASE(":\r\n:\r:\n", "; ; ; "),
        CASE("data: a\n: between\ndata: b\n\n", "; =a\nb# "),
        CASE(": open", ""),
        CASE("datax: a\n\n", ""),
        CASE("dat: a\n\n", ""),
        CASE("dat\n\n", ""),
        CASE("Data: a\n\n", ""),
        CASE(" data: a\n\n", ""),
        CASE("data : a\n\n", ""),
        CASE("foo: a\nfoo\ndata: b\n\n", "=b# "),
        CASE("i: a\nretr: 1\neven: x\nids: 3\nevents: x\nretrys: 4\ndata: b\n\n", "=b# "),
    };

    (void)state;
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

/* A short event that comes at once is one piece: its owner may look at it without copying. */
static void test_one_piece(void **state)
{
    static const char text[] = "event: message\r\ndata: {\"jsonrpc\":\"2.0\"}\r\n\r\n";
    struct log log;

    (void)state;
    log_init(&log);
    feed(&log, text, sizeof text - 1);
    assert_int_equal(log.pieces, 1);
    assert_string_equal(buf_c(&log.text), "message={\"jsonrpc\":\"2.0\"}# ");
    log_clear(&log);
}

static void test_idle(void **state)
{
    static const struct {
        const char *text;
        bool idle;
    } cases[] = {
        {"", true},         {"data: a\n\n", true},   {"data: a\r\n\r", true},
        {": comm", true},   {"data: a\n\nd", false}, {"id: 1\n", false},
        {"data: a", false}, {"data: a\n", false},    {"foo", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log log;

        log_init(&log);
        feed(&log, cases[i].text, strlen(cases[i].text));
        assert_int_equal(sse_idle(&log.sse), cases[i].idle);
        log_clear(&log);
    }
}

/* A line of `count` bytes behind `start`. */
static void feed_long(struct log *log, const char *start, size_t count)
{
    char block[1024];

    memset(block, 'x', sizeof block);
    feed(log, start, strlen(start));
    while (count > 0) {
        size_t n = count < sizeof block ? count : sizeof block;

        feed(log, block, n);
        count -= n;
    }
}

static void check_line_limit(const char *start, size_t prefix, const char *expected)
{
    for (size_t over = 0; over < 2; over++) {
        struct log log;

        log_init(&log);
        feed_long(&log, start, SSE_OTHER_LINE_MAX - prefix + over);
        feed(&log, "\ndata: a\n\n", 10);
        assert_string_equal(buf_c(&log.text), over ? "TOO_LONG " : expected);
        if (over) {
            const char *p = "\n\n", *end = p + 2;
            struct str piece;

            assert_int_equal(sse_next(&log.sse, &p, end, &piece), SSE_TOO_LONG);
            assert_int_equal(sse_next(&log.sse, &end, end, &piece), SSE_TOO_LONG);
        }
        log_clear(&log);
    }
}

static void test_line_limits(void **state)
{
    (void)state;
    check_line_limit(":", 0, "; =a# ");
    check_line_limit("id:", 3, "=a# ");
    check_line_limit("foo", 3, "=a# ");
    check_line_limit("retry:", 6, "=a# ");
}

static void test_long_data(void **state)
{
    struct log log;
    size_t count = 5000000;

    (void)state;
    log_init(&log);
    feed_long(&log, "data: ", count);
    assert_int_equal(log.data.len, count);
    feed(&log, "\n", 1);
    log.data.len = 0; /* The event's text is of no interest here. */
    feed(&log, "\n", 1);
    assert_string_equal(buf_c(&log.text), "=# ");
    log_clear(&log);
}

/* A line end is found at each place of a 16-byte step and behind it. */
static void test_eol_positions(void **state)
{
    (void)state;
    for (size_t n = 1; n < 70; n++) {
        char text[100] = "data:", expected[100] = "=";
        struct sse_case c = {{text, 5 + n + 2}, expected, -1};

        memset(text + 5, 'x', n);
        memset(expected + 1, 'x', n);
        memcpy(text + 5 + n, n % 2 ? "\r\r" : "\n\n", 2);
        memcpy(expected + 1 + n, "# ", 3);
        check_case(&c);
    }
}

/* Every byte inside data arrives as it is, save the two line ends. */
static void test_all_bytes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = "data:a?b\n\n";
        struct log log;

        text[6] = (char)c;
        log_init(&log);
        feed(&log, text, sizeof text - 1);
        if (c == '\n' || c == '\r') {
            assert_string_equal(buf_c(&log.text), "=a# ");
        } else {
            assert_int_equal(log.text.len, 6);
            assert_int_equal((unsigned char)log.text.p[2], c);
        }
        log_clear(&log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_fields),
        cmocka_unit_test(test_one_piece),     cmocka_unit_test(test_idle),
        cmocka_unit_test(test_line_limits),   cmocka_unit_test(test_long_data),
        cmocka_unit_test(test_eol_positions), cmocka_unit_test(test_all_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
