/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>

enum { FIRST_BYTES = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
    xfree(b->p);
    buf_init(b, b->max);
}

/* `slack` bytes beyond the maximum may be reserved but not counted (for a final NUL). */
static int grow(struct buf *b, size_t more, size_t slack)
{
    if (more > b->max - b->len) {
        return ERR_LIMIT;
    }
    size_t need = b->len + more + slack;
    if (need <= b->cap) {
        return 0;
    }
    size_t cap = b->cap == 0 ? FIRST_BYTES : b->cap * 2;
    if (cap < need) {
        cap = need;
    }
    if (cap > b->max + 1) {
        cap = b->max + 1;
    }
    b->p = xrealloc(b->p, cap);
    b->cap = cap;
    return 0;
}

int buf_reserve(struct buf *b, size_t more)
{
    return grow(b, more, 0);
}

int buf_add(struct buf *b, const void *p, size_t len)
{
    int rc = grow(b, len, 0);

    if (rc == 0 && len > 0) {
        memcpy(b->p + b->len, p, len);
        b->len += len;
    }
    return rc;
}

int buf_add_str(struct buf *b, struct str s)
{
    return buf_add(b, s.p, s.len);
}

int buf_add_c(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    assert(len >= 0);
    int rc = grow(b, (size_t)len, 1);
    if (rc == 0) {
        vsnprintf(b->p + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
    return rc;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int rc = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return rc;
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->len);
    b->len -= n;
    if (b->len > 0 && n > 0) {
        memmove(b->p, b->p + n, b->len);
    }
}

const char *buf_c(struct buf *b)
{
    grow(b, 0, 1);
    b->p[b->len] = '\0';
    return b->p;
}
