/* SPDX-License-Identifier: MIT */
#include "base/str.h"

enum { DISTANCE_MAX_LEN = 64 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.p[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool str_u64(struct str s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, UINT64_C(10), &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v)) {
            return false;
        }
    }
    if (v > max) {
        return false;
    }
    *out = v;
    return true;
}

size_t str_put_u64(char *out, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;

    while (v >= 100) {
        uint64_t rest = v / 100, pair = v - rest * 100;

        at -= 2;
        digits[at] = (char)('0' + pair / 10);
        digits[at + 1] = (char)('0' + pair % 10);
        v = rest;
    }
    if (v >= 10) {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    }
    digits[--at] = (char)('0' + v);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* Optimal string alignment (restricted Damerau–Levenshtein), three rows. */
unsigned str_distance(struct str a, struct str b)
{
    unsigned rows[3][DISTANCE_MAX_LEN + 1];
    size_t an = a.len < DISTANCE_MAX_LEN ? a.len : DISTANCE_MAX_LEN;
    size_t bn = b.len < DISTANCE_MAX_LEN ? b.len : DISTANCE_MAX_LEN;

    for (size_t j = 0; j <= bn; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= an; i++) {
        unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3];
        const unsigned *before = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= bn; j++) {
            unsigned cost = a.p[i - 1] != b.p[j - 1];

            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                before[j - 2] + 1 < row[j]) {
                row[j] = before[j - 2] + 1;
            }
        }
    }
    return rows[an % 3][bn];
}

const char *str_nearest(struct str s, const char *const *names, size_t count)
{
    const char *best = NULL;
    unsigned best_distance = 0;

    for (size_t i = 0; i < count; i++) {
        struct str name = str_c(names[i]);
        unsigned d = str_distance(s, name);
        /* A third of the longer one may differ; a prefix is near by itself. */
        unsigned limit = (unsigned)((s.len > name.len ? s.len : name.len) / 3 + 1);

        if (s.len >= 3 && (str_starts(name, s) || str_starts(s, name))) {
            d = d < limit ? d : limit;
        }
        if (d <= limit && (best == NULL || d < best_distance)) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}
