/* SPDX-License-Identifier: MIT */
#include "wire/pack.h"

void pack_bytes(struct packer *p, const void *bytes, size_t len)
{
    p->full = p->full || buf_add(p->out, bytes, len) != 0;
}

void pack_varint_grow(struct packer *p, uint64_t v)
{
    char bytes[VARINT_MAX];

    pack_bytes(p, bytes, varint_put(bytes, v));
}

void pack_fixed(struct packer *p, uint64_t v)
{
    char bytes[8];

    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(v >> 8 * i);
    }
    pack_bytes(p, bytes, sizeof bytes);
}

void pack_double(struct packer *p, double v)
{
    uint64_t bits;

    _Static_assert(sizeof bits == sizeof v, "a double has 64 bits");
    memcpy(&bits, &v, sizeof bits);
    pack_fixed(p, bits);
}

void pack_text(struct packer *p, struct str s)
{
    pack_varint(p, s.len);
    pack_bytes(p, s.p, s.len);
}

int unpack_end(struct unpacker *u, const char *what, struct err *err)
{
    if (unpack_ok(u) && u->at != u->end) {
        unpack_fail(u, "bytes behind its end");
    }
    return unpack_ok(u) ? 0 : err_set(err, ERR_SYNTAX, "%s: %s", what, u->problem);
}

uint64_t unpack_varint_slow(struct unpacker *u)
{
    uint64_t v = 0;

    for (unsigned shift = 0; u->at < u->end && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*u->at++;

        if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) {
            break;
        }
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return v;
        }
    }
    unpack_fail(u, u->at == u->end ? "it is cut off" : "a number that is none");
    return 0;
}

uint64_t unpack_fixed(struct unpacker *u)
{
    uint64_t v = 0;

    if (u->end - u->at < 8) {
        unpack_fail(u, "it is cut off");
        return 0;
    }
    for (unsigned i = 0; i < 8; i++) {
        v |= (uint64_t)(unsigned char)u->at[i] << 8 * i;
    }
    u->at += 8;
    return v;
}

double unpack_double(struct unpacker *u)
{
    uint64_t bits = unpack_fixed(u);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

struct str unpack_text(struct unpacker *u, size_t max)
{
    uint64_t len = unpack_max(u, max, "a text that is too long");

    if (len > (uint64_t)(u->end - u->at)) {
        unpack_fail(u, "it is cut off");
        len = 0;
    }
    struct str s = {u->at, (size_t)len};
    u->at += len;
    return s;
}
