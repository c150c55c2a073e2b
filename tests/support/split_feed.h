/* SPDX-License-Identifier: MIT */
/*
 * The ways to cut a text into pieces for a parser that takes any: in two at each position, byte by
 * byte, and whole. Each piece is a block of its own on the heap, so that the address sanitizer sees
 * a read beyond it.
 *
 *     for (size_t way = 0; way < split_ways(len); way++) {
 *         split_feed(text, len, way, feed, ctx);
 *     }
 */
#ifndef SUPPORT_SPLIT_FEED_H
#define SUPPORT_SPLIT_FEED_H

#include "base/mem.h"

#include <string.h>

/* The piece is gone when the function returns. */
typedef void split_feed_fn(void *ctx, const char *p, size_t len);

static inline size_t split_ways(size_t len)
{
    return len + 2;
}

/* Ways 0..len cut in two there (0 and len: whole); the last way is byte by byte. */
static inline size_t split_piece(size_t len, size_t way, size_t at)
{
    if (way > len) {
        return 1;
    }
    return at < way ? way - at : len - at;
}

static inline void
split_feed(const char *text, size_t len, size_t way, split_feed_fn *feed, void *ctx)
{
    for (size_t at = 0; at < len;) {
        size_t n = split_piece(len, way, at);
        char *piece = xmalloc(n);

        memcpy(piece, text + at, n);
        feed(ctx, piece, n);
        xfree(piece);
        at += n;
    }
}

#endif
