/* SPDX-License-Identifier: MIT */
/* Slices: text in flight that somebody else owns. Not terminated by NUL. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct str {
    const char *p;
    size_t len;
};

/* A slice of a string literal, for expressions and initializers. */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_INIT(literal)              \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).p

static inline struct str str_c(const char *s)
{
    return (struct str){s, s == NULL ? 0 : strlen(s)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* ASCII letters compare equal in either case. */
static inline bool str_ieq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.p, b.p, a.len) == 0);
}

#define STR_HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* FNV-1a, 64 bits (draft-eastlake-fnv), going on from `hash`: STR_HASH_BEGIN, or what came before.
 * No defence against chosen texts. */
static inline uint64_t str_hash(uint64_t hash, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/* Decimal digits only, no sign. False when empty, not a number, or above `max`. */
bool str_u64(struct str s, uint64_t max, uint64_t *out);

/* Writes `v` in decimal; returns the number of characters (1..20). `out` needs 20 bytes. */
size_t str_put_u64(char *out, uint64_t v);

/* Edit distance (insert, delete, replace, swap of neighbours), at most 64 characters of each. */
unsigned str_distance(struct str a, struct str b);

/* The name nearest to `s`, or NULL when none is near enough to be worth suggesting.
 * `names` are C strings. */
const char *str_nearest(struct str s, const char *const *names, size_t count);

#endif
