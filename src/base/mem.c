/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p, size_t size)
{
    if (p == NULL && size != 0) {
        fprintf(stderr, "mcpdrill: out of memory (%zu bytes)\n", size);
        abort();
    }
    return p;
}

void *xmalloc(size_t size)
{
    return check(malloc(size), size);
}

void *xcalloc(size_t count, size_t size)
{
    return check(calloc(count, size), count * size);
}

void *xcalloc_lines(size_t count, size_t size)
{
    enum { LINE = 64 };
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - LINE) {
        return check(NULL, SIZE_MAX);
    }
    bytes = bytes > 0 ? (bytes + LINE - 1) / LINE * LINE : LINE;
    void *p = check(aligned_alloc(LINE, bytes), bytes);
    return memset(p, 0, bytes);
}

void *xrealloc(void *p, size_t size)
{
    return check(realloc(p, size), size);
}

char *xstrndup(const char *s, size_t len)
{
    char *copy = xmalloc(len + 1);

    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

void xfree(void *p)
{
    free(p);
}
