/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer that is born with a maximum: whatever a peer or a file fills has a bound.
 * `p[0..len)` are the bytes; they move when the buffer grows.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *p;
    size_t len, cap, max;
};

/* No allocation yet. `max` is the largest `len` it may ever have. */
void buf_init(struct buf *b, size_t max);
/* Frees the memory; the buffer is empty and keeps its maximum. */
void buf_clear(struct buf *b);
/* Makes room for `more` further bytes. 0, or ERR_LIMIT (nothing changed). */
int buf_reserve(struct buf *b, size_t more);
/* 0 or ERR_LIMIT; on failure nothing is added. */
int buf_add(struct buf *b, const void *p, size_t len);
int buf_add_str(struct buf *b, struct str s);
int buf_add_c(struct buf *b, const char *s);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Drops the first `n` bytes. */
void buf_consume(struct buf *b, size_t n);
/* A NUL behind the last byte (not counted in len); the text. "" for an empty buffer. */
const char *buf_c(struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->len};
}

#endif
