/* SPDX-License-Identifier: MIT */
#include "mock/tools/number.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 17, PLAIN_MIN = -6, PLAIN_MAX = 21 };

/* Significant digits without trailing zeros; *exponent is that of the first one. */
static size_t shortest_digits(double v, char digits[DIGITS_MAX + 1], int *exponent)
{
    char text[NUMBER_TEXT_MAX];
    size_t n = 0;

    for (int precision = 0; precision < DIGITS_MAX; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, v);
        if (strtod(text, NULL) == v) {
            break;
        }
    }
    const char *mark = strchr(text, 'e');
    for (const char *p = text; p < mark; p++) {
        if (*p != '.') {
            digits[n++] = *p;
        }
    }
    *exponent = (int)strtol(mark + 1, NULL, 10);
    return n;
}

static size_t put_zeros(char *out, int count)
{
    for (int i = 0; i < count; i++) {
        out[i] = '0';
    }
    return count > 0 ? (size_t)count : 0;
}

static size_t put_plain(char *out, const char *digits, size_t count, int exponent)
{
    size_t n = 0;

    if (exponent < 0) {
        out[n++] = '0';
        out[n++] = '.';
        n += put_zeros(out + n, -exponent - 1);
        memcpy(out + n, digits, count);
        return n + count;
    }
    size_t whole = (size_t)exponent + 1;
    if (count <= whole) {
        memcpy(out, digits, count);
        return count + put_zeros(out + count, (int)(whole - count));
    }
    memcpy(out, digits, whole);
    out[whole] = '.';
    memcpy(out + whole + 1, digits + whole, count - whole);
    return count + 1;
}

size_t number_text(double v, char out[NUMBER_TEXT_MAX])
{
    char digits[DIGITS_MAX + 1] = "";
    int exponent;
    size_t n = 0;

    if (v == 0) {
        memcpy(out, "0", 2);
        return 1;
    }
    if (v < 0) {
        out[n++] = '-';
        v = -v;
    }
    size_t count = shortest_digits(v, digits, &exponent);
    if (exponent >= PLAIN_MIN && exponent < PLAIN_MAX) {
        n += put_plain(out + n, digits, count, exponent);
        out[n] = '\0';
        return n;
    }
    out[n++] = digits[0];
    if (count > 1) {
        out[n++] = '.';
        memcpy(out + n, digits + 1, count - 1);
        n += count - 1;
    }
    int tail = snprintf(out + n, NUMBER_TEXT_MAX - n, "e%+d", exponent);
    return n + (size_t)tail;
}
