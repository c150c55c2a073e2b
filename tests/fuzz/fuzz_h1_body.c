/* SPDX-License-Identifier: MIT */
/* The second byte is the kind of the body: 'n'one, 'l'ength (the third byte), 'u'ntil the close, or
 * anything else: chunked. */
#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "http/h1_parse.h"

struct log {
    struct h1_body_reader reader;
    enum h1_body_token last;
    size_t rest; /* bytes behind the body */
    struct buf body;
};

static void feed(void *ctx, const char *p, size_t len)
{
    struct log *log = ctx;
    const char *end = p + len;
    struct str piece;

    while ((log->last = h1_body_next(&log->reader, &p, end, &piece)) == H1_DATA) {
        fuzz_require(piece.len > 0 && piece.p + piece.len == p, "a piece of other bytes");
        fuzz_require(buf_add_str(&log->body, piece) == 0, "more body than input");
    }
    fuzz_require(log->last != H1_MORE || p == end, "H1_MORE before the end");
    log->rest += log->last == H1_DONE ? (size_t)(end - p) : 0;
}

static struct h1_head make_head(const uint8_t *data)
{
    struct h1_head head = {.body = H1_BODY_CHUNKED};

    if (data[1] == 'n') {
        head.body = H1_BODY_NONE;
    } else if (data[1] == 'l') {
        head.body = H1_BODY_LENGTH;
        head.content_length = data[2];
    } else if (data[1] == 'u') {
        head.body = H1_BODY_CLOSE;
    }
    return head;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 3;
    struct log whole = {.last = H1_MORE}, split = {.last = H1_MORE};
    struct h1_head head;

    if (size < 4) {
        return 0;
    }
    head = make_head(data);
    buf_init(&whole.body, size);
    buf_init(&split.body, size);
    h1_body_init(&whole.reader, &head);
    h1_body_init(&split.reader, &head);
    feed(&whole, text, size - 3);
    fuzz_feed(text, size - 3, data[0], feed, &split);
    fuzz_require(whole.last == split.last && whole.rest == split.rest, "the ends differ");
    fuzz_require(h1_body_eof_ok(&whole.reader) == h1_body_eof_ok(&split.reader), "the eofs differ");
    fuzz_require(str_eq(buf_str(&whole.body), buf_str(&split.body)), "the bodies differ");
    buf_clear(&whole.body);
    buf_clear(&split.body);
    return 0;
}
