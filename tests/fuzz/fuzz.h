/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. A target parses its input as a whole and in pieces and aborts when
 * the two disagree: a parser that only does not crash may still be wrong.
 *
 * The first byte of an input says how long the pieces are (0 counts as 1); the text follows.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

typedef void fuzz_feed_fn(void *ctx, const char *p, size_t len);

/* The text in pieces, each a block of its own: a read beyond it is seen. */
static inline void
fuzz_feed(const char *text, size_t len, uint8_t step, fuzz_feed_fn *feed, void *ctx)
{
    for (size_t at = 0; at < len;) {
        size_t n = step == 0 ? 1 : step;
        char *piece;

        n = len - at < n ? len - at : n;
        piece = xmalloc(n);
        memcpy(piece, text + at, n);
        feed(ctx, piece, n);
        xfree(piece);
        at += n;
    }
}

#endif
