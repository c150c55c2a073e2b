/* SPDX-License-Identifier: MIT */
#include "plan/payload.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"

#include <assert.h>

enum { BLOCK_BYTES = 256 * 1024 };

struct plan_payload {
    const struct payload_config *config;
    char block[BLOCK_BYTES];
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/* Printable ASCII but quote and backslash. */
static const char printable[] = " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                                "abcdefghijklmnopqrstuvwxyz{|}~";

struct plan_payload *payload_new(const struct payload_config *config, uint64_t seed)
{
    struct plan_payload *p = xmalloc(sizeof *p);
    bool binary = config->kind == PAYLOAD_BINARY;
    const char *letters = binary ? base64 : printable;
    size_t count = binary ? sizeof base64 - 1 : sizeof printable - 1;

    assert(config->min_bytes <= config->max_bytes);
    p->config = config;
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        p->block[i] = letters[rng_below(rng_at(seed, i), count)];
    }
    return p;
}

void payload_free(struct plan_payload *p)
{
    xfree(p);
}

/* `len` bytes of the block, from a place that the random bits name. */
static int add_block(const struct plan_payload *p, uint64_t bits, size_t len, struct buf *out)
{
    size_t at = rng_below(bits, BLOCK_BYTES);
    int rc = buf_reserve(out, len);

    while (rc == 0 && len > 0) {
        size_t piece = BLOCK_BYTES - at < len ? BLOCK_BYTES - at : len;

        rc = buf_add(out, p->block + at, piece);
        len -= piece;
        at = 0;
    }
    return rc;
}

/* Random letters of base64 are random bytes; only what is left of three bytes needs its padding. */
static int add_binary(const struct plan_payload *p, uint64_t bits, size_t raw, struct buf *out)
{
    int rc = add_block(p, bits, raw / 3 * 4, out);
    unsigned tail = (unsigned)(bits & 0xffff);
    char one[] = {base64[tail & 63], base64[(tail >> 6 & 3) << 4], '=', '='};
    char two[] = {base64[tail & 63], base64[tail >> 6 & 63], base64[(tail >> 12 & 15) << 2], '='};

    if (rc != 0 || raw % 3 == 0) {
        return rc;
    }
    return buf_add(out, raw % 3 == 1 ? one : two, sizeof one);
}

/* One member that fills it; below its eight bytes an empty object with spaces. */
static int
add_object(const struct plan_payload *p, uint64_t bits, size_t size, bool whole, struct buf *out)
{
    static const char frame[] = "{\"d\":\"\"}";
    enum { FRAME_BYTES = sizeof frame - 1 };
    int rc;

    if (size < FRAME_BYTES) {
        return buf_printf(out, "{%*s}", size > 2 ? (int)size - 2 : 0, "");
    }
    rc = buf_add_c(out, whole ? "{\"d\":\"" : "{\\\"d\\\":\\\"");
    rc = rc == 0 ? add_block(p, bits, size - FRAME_BYTES, out) : rc;
    return rc == 0 ? buf_add_c(out, whole ? "\"}" : "\\\"}") : rc;
}

int payload_write(const struct plan_payload *p, uint64_t draw, bool whole, struct buf *out)
{
    const struct payload_config *c = p->config;
    uint64_t span = c->max_bytes - c->min_bytes + 1;
    size_t size = c->min_bytes + rng_below(rng_mix64(draw + 1), span), before = out->len;
    uint64_t bits = rng_mix64(draw + 2);
    int rc = 0;

    if (c->kind == PAYLOAD_JSON) {
        rc = add_object(p, bits, size, whole, out);
    } else {
        rc = whole ? buf_add_c(out, "\"") : 0;
        if (rc == 0) {
            rc = c->kind == PAYLOAD_BINARY ? add_binary(p, bits, size, out)
                                           : add_block(p, bits, size, out);
        }
        rc = rc == 0 && whole ? buf_add_c(out, "\"") : rc;
    }
    if (rc != 0) {
        out->len = before;
    }
    return rc;
}
