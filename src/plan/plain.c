/* SPDX-License-Identifier: MIT */
#include "plan/plain.h"

enum { UNIT_MAX = 4 }; /* bytes of a character */

/* One character of the plain text, and how many bytes of the escaped one it took. */
struct unit {
    char text[UNIT_MAX];
    size_t len, taken;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How many of the four digits behind "\u" are there; the value if all are. */
static unsigned read_hex(struct str text, uint32_t *out)
{
    unsigned n = 0;

    *out = 0;
    while (n < 4 && n < text.len && hex_digit(text.p[n]) >= 0) {
        *out = *out << 4 | (uint32_t)hex_digit(text.p[n++]);
    }
    return n;
}

static size_t write_utf8(uint32_t c, char out[UNIT_MAX])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len; --i > 0; c >>= 6) {
        out[i] = (char)(0x80 | (c & 0x3f));
    }
    out[0] = (char)((len == 2 ? 0xc0U : len == 3 ? 0xe0U : 0xf0U) | c);
    return len;
}

static size_t backslashes(struct str text)
{
    size_t n = 0;

    while (n < text.len && text.p[n] == '\\') {
        n++;
    }
    return n;
}

/* The second half of a surrogate pair at the front of `text`: its length, or 0. */
static size_t low_surrogate(struct str text, uint32_t *out)
{
    size_t run = backslashes(text);
    struct str digits = {text.p + run + 1, text.len - run - 1};

    if (run == 0 || run >= text.len || text.p[run] != 'u' || read_hex(digits, out) < 4 ||
        *out < 0xdc00 || *out > 0xdfff) {
        return 0;
    }
    return run + 5;
}

/* `text` begins with a run of backslashes and the `u` behind it. */
static struct unit read_code_point(struct str text, size_t run)
{
    struct str digits = {text.p + run + 1, text.len - run - 1};
    struct unit unit = {.taken = run + 5};
    uint32_t c, low;
    unsigned n = read_hex(digits, &c);

    if (n < 4) {
        bool cut = n == digits.len;
        return (struct unit){.text = "\\", .len = cut ? 0 : 1, .taken = cut ? text.len : run};
    }
    if (c >= 0xd800 && c < 0xdc00) {
        size_t more = low_surrogate((struct str){digits.p + 4, digits.len - 4}, &low);
        if (more > 0) {
            unit.taken += more;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    unit.len = write_utf8(c, unit.text);
    return unit;
}

static struct unit read_unit(struct str text)
{
    size_t run = backslashes(text);

    if (run == 0) {
        return (struct unit){.text = {text.p[0]}, .len = 1, .taken = 1};
    }
    if (run == text.len) {
        return (struct unit){.taken = run};
    }
    switch (text.p[run]) {
    case '"':
    case '\'':
    case '/':
        return (struct unit){.text = {text.p[run]}, .len = 1, .taken = run + 1};
    case 'u':
        return read_code_point(text, run);
    default:
        return (struct unit){.text = "\\", .len = 1, .taken = run};
    }
}

void plain_read(struct str text, struct plain *out)
{
    size_t i = 0;

    out->len = 0;
    if (text.len > UINT16_MAX) {
        text.len = UINT16_MAX; /* places have 16 bits */
    }
    while (i < text.len && out->len + UNIT_MAX <= PLAIN_MAX) {
        if (text.p[i] != '\\') { /* nearly all */
            out->at[out->len] = (uint16_t)i;
            out->text[out->len++] = text.p[i++];
            continue;
        }
        struct unit unit = read_unit((struct str){text.p + i, text.len - i});
        for (size_t k = 0; k < unit.len; k++) {
            out->at[out->len] = (uint16_t)i;
            out->text[out->len++] = unit.text[k];
        }
        i += unit.taken;
    }
    out->at[out->len] = (uint16_t)i;
}

size_t plain_copy(struct str text, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len;) {
        struct unit unit = read_unit((struct str){text.p + i, text.len - i});
        memcpy(out + len, unit.text, unit.len);
        len += unit.len;
        i += unit.taken;
    }
    return len;
}
