/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "http/sse_parse.h"

/* The tokens as text: data as it is, each other token with all that the parser says of it. */
struct log {
    struct sse_parser sse;
    struct buf text;
    bool data; /* data without its event so far */
};

static void note(struct log *log, char token)
{
    const struct sse_parser *s = &log->sse;

    fuzz_require(buf_printf(&log->text, "\n%c %s %s %d %lld\n", token,
                            token == 'e' ? s->event_name : "", s->last_id, s->has_id,
                            (long long)s->retry_ms) == 0,
                 "the log is full");
}

static void feed(void *ctx, const char *p, size_t len)
{
    struct log *log = ctx;
    const char *end = p + len;

    while (true) {
        struct str piece = {NULL, 0};
        const char *before = p;

        switch (sse_next(&log->sse, &p, end, &piece)) {
        case SSE_MORE:
            fuzz_require(p == end, "SSE_MORE before the end");
            return;
        case SSE_DATA:
            fuzz_require(piece.len > 0, "an empty piece");
            fuzz_require(buf_add_str(&log->text, piece) == 0, "the log is full");
            log->data = true;
            break;
        case SSE_EVENT:
            fuzz_require(log->data, "an event without data");
            log->data = false;
            note(log, 'e');
            break;
        case SSE_PRIMING:
            fuzz_require(!log->data && log->sse.has_id, "a priming event with data or without id");
            note(log, 'p');
            break;
        case SSE_COMMENT:
            note(log, 'c');
            break;
        case SSE_TOO_LONG:
            note(log, 'l');
            return;
        }
        /* The LF before a further data line needs no byte of its own: its name was taken before. */
        fuzz_require(p > before || piece.len == 1, "a token of nothing");
    }
}

static void run(struct log *log, const char *text, size_t len, uint8_t step)
{
    *log = (struct log){.data = false};
    sse_init(&log->sse);
    buf_init(&log->text, 64 + len * 256);
    if (step == 0) {
        feed(log, text, len);
    } else {
        fuzz_feed(text, len, step, feed, log);
    }
    note(log, sse_idle(&log->sse) ? 'i' : 'o');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    struct log whole, split;

    if (size == 0) {
        return 0;
    }
    run(&whole, text, size - 1, 0);
    run(&split, text, size - 1, data[0] == 0 ? 1 : data[0]);
    fuzz_require(str_eq(buf_str(&whole.text), buf_str(&split.text)), "whole and split differ");
    buf_clear(&whole.text);
    buf_clear(&split.text);
    return 0;
}
