/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_DEBUG 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_DEBUG 1
#endif
#endif
#ifndef ARENA_DEBUG
#define ARENA_DEBUG 0
#endif

enum { CHUNK_BYTES = 64 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    alignas(max_align_t) unsigned char data[];
};

static struct arena_chunk *push_chunk(struct arena *a, size_t size)
{
    struct arena_chunk *c = xcalloc(1, sizeof *c + size);

    c->next = a->chunks_;
    a->chunks_ = c;
    a->used_ = 0;
    a->size_ = size;
    return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);

    a->total_bytes += size;
    if (ARENA_DEBUG) {
        return push_chunk(a, size)->data;
    }
    size_t need = (size + align - 1) & ~(align - 1);
    if (a->chunks_ == NULL || a->size_ - a->used_ < need) {
        push_chunk(a, need > CHUNK_BYTES ? need : CHUNK_BYTES);
    }
    void *p = a->chunks_->data + a->used_;
    a->used_ += need;
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;

    bool overflow = __builtin_mul_overflow(count, size, &bytes);
    assert(!overflow);
    return arena_alloc(a, bytes);
}

char *arena_copy(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.len + 1);

    if (s.len > 0) {
        memcpy(copy, s.p, s.len);
    }
    return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_copy(a, str_c(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(len >= 0);
    char *out = arena_alloc(a, (size_t)len + 1);
    vsnprintf(out, (size_t)len + 1, fmt, again);
    va_end(again);
    return out;
}

void arena_clear(struct arena *a)
{
    struct arena_chunk *c = a->chunks_;

    while (c != NULL) {
        struct arena_chunk *next = c->next;

        xfree(c);
        c = next;
    }
    *a = (struct arena){0};
}
