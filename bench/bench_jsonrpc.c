/* SPDX-License-Identifier: MIT */
/*
 * Time of the parsers of the operation path, for one message each: the best of some rounds, since
 * whatever else the machine does can only add to it.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "http/h1_parse.h"
#include "http/sse_parse.h"
#include "mcp/jsonrpc.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 15, ROUND_MS = 20 };

/* Fails loudly: a benchmark of something that went wrong is none. */
static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_jsonrpc: %s\n", what);
        exit(1);
    }
}

struct subject {
    const char *name;
    void (*fill)(struct buf *out);
    void (*run)(void *scan, struct str text);
};

static const char sentence[] = "The quick brown fox jumps over the lazy dog, again and again. ";

static void add_prose(struct buf *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buf_add(out, &sentence[i % (sizeof sentence - 1)], 1);
    }
}

static void fill_answer(struct buf *out, size_t text_bytes)
{
    buf_add_c(out, "{\"jsonrpc\":\"2.0\",\"id\":123456,\"result\":{\"content\":[");
    buf_add_c(out, "{\"type\":\"text\",\"text\":\"");
    add_prose(out, text_bytes);
    buf_add_c(out, "\"}],\"isError\":false}}");
}

static void fill_short(struct buf *out)
{
    fill_answer(out, 202);
}

static void fill_prose(struct buf *out)
{
    fill_answer(out, 4000);
}

/* 2 KB of JSON inside a string, and structured rows. */
static void fill_mixed(struct buf *out)
{
    buf_add_c(out, "{\"jsonrpc\":\"2.0\",\"id\":123456,\"result\":{\"content\":[");
    buf_add_c(out, "{\"type\":\"text\",\"text\":\"");
    for (int i = 0; i < 28; i++) {
        buf_printf(out, "{\\\"row\\\": %d, \\\"name\\\": \\\"item %d\\\", \\\"price\\\": 12.50}\\n",
                   i, i);
    }
    buf_add_c(out, "\"}],\"structuredContent\":{\"rows\":[");
    for (int i = 0; i < 20; i++) {
        buf_printf(out,
                   "%s{\"row\": %d, \"name\": \"item %d\", \"price\": 12.50, \"tags\": [\"a\", "
                   "\"b\"], \"stock\": true}",
                   i > 0 ? ", " : "", i, i);
    }
    buf_add_c(out, "]},\"isError\":false}}");
}

static void fill_utf8(struct buf *out)
{
    buf_add_c(out, "{\"jsonrpc\":\"2.0\",\"id\":123456,\"result\":{\"content\":[{\"text\":\"");
    for (int i = 0; i < 1300; i++) {
        buf_add_c(out, "\xe6\xbc\xa2");
    }
    buf_add_c(out, "\"}]}}");
}

static void run_json(void *scan, struct str text)
{
    require(jsonrpc_scan_text(scan, text, 123456)->kind == JSONRPC_RESULT, "no result");
}

static void fill_events(struct buf *out)
{
    for (int i = 0; i < 100; i++) {
        buf_add_c(out, "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"note\"}\r\n\r\n");
    }
}

static void fill_long_event(struct buf *out)
{
    buf_add_c(out, "data: ");
    add_prose(out, 1000000);
    buf_add_c(out, "\n\n");
}

static void run_sse(void *scan, struct str text)
{
    struct sse_parser sse;
    const char *p = text.p, *end = p + text.len;
    enum sse_token token;
    struct str piece;
    bool any = false;

    (void)scan;
    sse_init(&sse);
    while ((token = sse_next(&sse, &p, end, &piece)) != SSE_MORE) {
        any |= token == SSE_EVENT;
    }
    require(any, "no event");
}

static void fill_head(struct buf *out)
{
    buf_add_c(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                   "Mcp-Session-Id: 5b1e7c0a-1111-2222-3333-444455556666\r\n"
                   "Content-Length: 300\r\nConnection: keep-alive\r\n\r\n");
}

static void run_head(void *scan, struct str text)
{
    struct h1_head head;
    size_t seen = 0;

    (void)scan;
    require(h1_parse_response(text.p, text.len, &seen, &head, NULL) > 0, "no head");
}

static const struct subject subjects[] = {
    {"JSON-RPC answer, 300 bytes", fill_short, run_json},
    {"JSON-RPC answer, 4 KB prose", fill_prose, run_json},
    {"JSON-RPC answer, 4 KB mixed", fill_mixed, run_json},
    {"JSON-RPC answer, 4 KB Chinese", fill_utf8, run_json},
    {"SSE, 100 short events", fill_events, run_sse},
    {"SSE, one event of 1 MB", fill_long_event, run_sse},
    {"HTTP response head", fill_head, run_head},
};

/* Nanoseconds of one call, over a round of at least ROUND_MS. */
static double time_round(const struct subject *s, void *scan, struct str text)
{
    uint64_t start = clock_monotonic_ns(), now;
    uint64_t count = 0;

    do {
        for (int i = 0; i < 16; i++) {
            s->run(scan, text);
        }
        count += 16;
        now = clock_monotonic_ns();
    } while (now - start < ROUND_MS * NS_PER_MS);
    return (double)(now - start) / (double)count;
}

static void measure(const struct subject *s, struct jsonrpc_scan *scan)
{
    struct buf text;
    double best = 0;

    buf_init(&text, 1 << 21);
    s->fill(&text);
    for (int i = 0; i < ROUNDS; i++) {
        double ns = time_round(s, scan, buf_str(&text));

        best = i == 0 || ns < best ? ns : best;
    }
    printf("%-32s %9zu bytes %12.1f ns %8.2f GB/s\n", s->name, text.len, best,
           (double)text.len / best);
    buf_clear(&text);
}

int main(void)
{
    struct jsonrpc_scan *scan = jsonrpc_scan_new();

    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        measure(&subjects[i], scan);
    }
    jsonrpc_scan_free(scan);
    return 0;
}
