/* SPDX-License-Identifier: MIT */
#include "plan/nonce.h"

#define PREFIX "mcpd-"
enum { PREFIX_LEN = sizeof PREFIX - 1, TAG_DIGITS = 8, VU_DIGITS = 8, N_DIGITS = 12 };

static char *put_hex(char *out, uint64_t value, unsigned digits)
{
    for (unsigned i = 0; i < digits; i++) {
        out[i] = "0123456789abcdef"[value >> (digits - 1 - i) * 4 & 15];
    }
    return out + digits;
}

void nonce_write(const struct verify_caller *caller, char out[NONCE_LEN])
{
    memcpy(out, PREFIX, PREFIX_LEN);
    out = put_hex(out + PREFIX_LEN, caller->tag, TAG_DIGITS);
    *out++ = '-';
    out = put_hex(out, caller->vu, VU_DIGITS);
    *out++ = '-';
    put_hex(out, caller->n, N_DIGITS);
}

/* Takes that many digits and, unless it is the last number, a dash. */
static bool take_hex(const char **p, unsigned digits, bool last, uint64_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < digits; i++) {
        char c = (*p)[i];
        bool decimal = c >= '0' && c <= '9';

        if (!decimal && (c < 'a' || c > 'f')) {
            return false;
        }
        *out = *out * 16 + (uint64_t)(decimal ? c - '0' : c - 'a' + 10);
    }
    *p += digits;
    return last || *(*p)++ == '-';
}

static bool read_nonce(const char *p, struct verify_caller *out)
{
    uint64_t tag;

    if (!take_hex(&p, TAG_DIGITS, false, &tag) || !take_hex(&p, VU_DIGITS, false, &out->vu) ||
        !take_hex(&p, N_DIGITS, true, &out->n)) {
        return false;
    }
    out->tag = (uint32_t)tag;
    return true;
}

bool nonce_next(struct str *text, struct verify_caller *out)
{
    while (text->len >= NONCE_LEN) {
        const char *at = memmem(text->p, text->len, PREFIX, PREFIX_LEN);
        const char *end = text->p + text->len;

        if (at == NULL || end - at < NONCE_LEN) {
            break;
        }
        bool found = read_nonce(at + PREFIX_LEN, out);
        at += found ? NONCE_LEN : PREFIX_LEN;
        *text = (struct str){at, (size_t)(end - at)};
        if (found) {
            return true;
        }
    }
    return false;
}
