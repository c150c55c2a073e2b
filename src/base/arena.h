/* SPDX-License-Identifier: MIT */
/*
 * Memory by lifetime: everything taken from an arena is freed with it, at once. One arena for a
 * loaded config, one for a plan, one for a report. Not for threads: the owner allocates, others
 * may read.
 *
 * Under the address sanitizer each object is a real malloc, so that overruns are seen.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks_;
    size_t used_, size_;
    size_t total_bytes; /* handed out so far */
};

/* An empty arena is all zero: `struct arena a = {0};` */

/* Zeroed memory aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t size);
/* `count` zeroed elements. */
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *s);
/* A NUL-terminated copy of the slice. */
char *arena_copy(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Frees everything; the arena is empty and may be used again. */
void arena_clear(struct arena *a);

#endif
