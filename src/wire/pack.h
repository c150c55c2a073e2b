/* SPDX-License-Identifier: MIT */
/*
 * Numbers of binary messages. A *varint* has seven bits a byte, the lowest first, and the high bit
 * where more follow; a signed one is zigzag (0, -1, 1, -2 … become 0, 1, 2, 3 …). Each number has
 * one encoding only: trailing zero bytes are refused.
 *
 * Both sides remember their first failure, and do nothing from then on: callers ask once, at the
 * end. What a failed reader returns is 0.
 */
#ifndef WIRE_PACK_H
#define WIRE_PACK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { VARINT_MAX = 10 };

struct packer {
    struct buf *out;
    size_t begin; /* of what is written */
    bool full;
};

static inline struct packer pack_begin(struct buf *out)
{
    return (struct packer){.out = out, .begin = out->len};
}

/* 0, or ERR_LIMIT when it did not fit: then nothing is added. */
static inline int pack_end(struct packer *p)
{
    if (p->full) {
        p->out->len = p->begin;
        return ERR_LIMIT;
    }
    return 0;
}

/* As pack_byte and pack_varint, where there is no room yet. */
void pack_bytes(struct packer *p, const void *bytes, size_t len);
void pack_varint_grow(struct packer *p, uint64_t v);

static inline size_t varint_put(char *to, uint64_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7) {
        to[n++] = (char)(v | 0x80);
    }
    to[n++] = (char)v;
    return n;
}

static inline void pack_varint(struct packer *p, uint64_t v)
{
    if (!p->full && p->out->cap - p->out->len >= VARINT_MAX) {
        p->out->len += varint_put(p->out->p + p->out->len, v);
    } else {
        pack_varint_grow(p, v);
    }
}

static inline void pack_signed(struct packer *p, int64_t v)
{
    pack_varint(p, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

/* Eight bytes, the lowest first. */
void pack_fixed(struct packer *p, uint64_t v);
void pack_double(struct packer *p, double v);
/* Its length and its bytes. */
void pack_text(struct packer *p, struct str s);

struct unpacker {
    const char *at, *end;
    const char *problem; /* NULL: none; lives forever */
};

static inline struct unpacker unpack_begin(struct str in)
{
    return (struct unpacker){.at = in.p, .end = in.p + in.len};
}

/* The first problem stays. */
static inline void unpack_fail(struct unpacker *u, const char *problem)
{
    u->problem = u->problem != NULL ? u->problem : problem;
    u->at = u->end;
}

static inline bool unpack_ok(const struct unpacker *u)
{
    return u->problem == NULL;
}

/* Fails for what is left behind the end, too. 0 or ERR_SYNTAX: "WHAT: PROBLEM". */
int unpack_end(struct unpacker *u, const char *what, struct err *err);

uint64_t unpack_varint_slow(struct unpacker *u);

static inline uint64_t unpack_varint(struct unpacker *u)
{
    if (u->at < u->end && (unsigned char)*u->at < 0x80) {
        return (unsigned char)*u->at++;
    }
    return unpack_varint_slow(u);
}

/* Fails with `problem` when it is above `max`. */
static inline uint64_t unpack_max(struct unpacker *u, uint64_t max, const char *problem)
{
    uint64_t v = unpack_varint(u);

    if (v > max) {
        unpack_fail(u, problem);
        return 0;
    }
    return v;
}

/* What is 0 is left out by who writes: each message has one encoding. */
static inline uint64_t unpack_not_zero(struct unpacker *u)
{
    uint64_t v = unpack_varint(u);

    if (v == 0) {
        unpack_fail(u, "a zero that should not be there");
    }
    return v;
}

static inline int64_t unpack_signed(struct unpacker *u)
{
    uint64_t v = unpack_varint(u);

    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

uint64_t unpack_fixed(struct unpacker *u);
double unpack_double(struct unpacker *u);
/* Of at most `max` bytes of the input. */
struct str unpack_text(struct unpacker *u, size_t max);

#endif
