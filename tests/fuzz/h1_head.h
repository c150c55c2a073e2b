/* SPDX-License-Identifier: MIT */
/* The two targets of h1_parse.h differ in the function that they call. */
#ifndef FUZZ_H1_HEAD_H
#define FUZZ_H1_HEAD_H

#include "fuzz/fuzz.h"
#include "http/h1_parse.h"

typedef long
h1_head_fn(const char *p, size_t len, size_t *seen, struct h1_head *out, struct err *e);

static inline void h1_check_slice(struct str s, const char *p, size_t len)
{
    fuzz_require(s.len == 0 || (s.p >= p && s.p + s.len <= p + len), "a slice of other bytes");
}

static inline void h1_check_head(const struct h1_head *h, const char *p, size_t len)
{
    struct str last = {NULL, 0};

    h1_check_slice(h->reason, p, len);
    h1_check_slice(h->method, p, len);
    h1_check_slice(h->target, p, len);
    fuzz_require(h->header_count <= H1_HEADERS_MAX, "too many headers");
    for (unsigned i = 0; i < h->header_count; i++) {
        h1_check_slice(h->headers[i].name, p, len);
        h1_check_slice(h->headers[i].value, p, len);
        fuzz_require(h->headers[i].name.len > 0, "a header without a name");
        last = h->headers[i].name;
    }
    fuzz_require(last.len == 0 || h1_find(h, last) != NULL, "a header that is not found");
}

/* Parses ever longer beginnings of the text, as a reader that keeps the bytes does. */
static inline long
h1_in_pieces(h1_head_fn *parse, const char *text, size_t len, size_t step, struct h1_head *out)
{
    size_t seen = 0;
    long rc = 0;

    for (size_t have = 0; have < len && rc == 0;) {
        char *copy;

        have = len - have < step ? len : have + step;
        copy = xmalloc(have);
        memcpy(copy, text, have);
        rc = parse(copy, have, &seen, out, NULL);
        if (rc > 0) {
            h1_check_head(out, copy, (size_t)rc);
        }
        xfree(copy);
    }
    return rc;
}

static inline void h1_head_check(h1_head_fn *parse, const uint8_t *data, size_t size)
{
    static struct h1_head whole, split;
    const char *text = (const char *)data + 1;
    long a, b;

    if (size < 2) {
        return;
    }
    a = h1_in_pieces(parse, text, size - 1, size, &whole);
    b = h1_in_pieces(parse, text, size - 1, data[0] == 0 ? 1 : data[0], &split);
    /* A bad head that has no end is refused at once only when it came at once. */
    fuzz_require((a > 0 || b > 0) ? a == b : a <= b, "whole and split differ");
    if (a > 0) {
        fuzz_require(whole.status == split.status && whole.body == split.body &&
                         whole.content_length == split.content_length &&
                         whole.keep_alive == split.keep_alive &&
                         whole.expect_continue == split.expect_continue &&
                         whole.header_count == split.header_count,
                     "the heads differ");
    }
}

#endif
