/* SPDX-License-Identifier: MIT */
/*
 * Allocation that cannot fail: for sizes that we choose ourselves. Running out of memory there
 * aborts with a message. Whatever gets its size from a peer or a file goes through a `struct buf`
 * or an arena with a named maximum instead.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
/* The same at the beginning of a cache line (64 bytes), which nothing else shares. */
void *xcalloc_lines(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
/* NULL is fine. */
void xfree(void *p);

#endif
