/* SPDX-License-Identifier: MIT */
/*
 * Numbers and foreign texts for people: units on every number, thousands separated, three
 * significant digits for what a histogram knows. Everything is made in UTF-8; what goes to a
 * terminal that does not know it is turned into ASCII at the end (text_to_ascii).
 *
 * Texts that a target sent may contain anything, escape sequences of terminals included: they pass
 * through text_add_safe.
 */
#ifndef REPORT_TEXT_TEXT_H
#define REPORT_TEXT_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { TEXT_NUMBER_MAX = 48 }; /* room for any of the texts below, with its NUL */

struct text_style {
    bool colour;   /* escape sequences are welcome */
    bool utf8;     /* else ASCII */
    bool terminal; /* lines may be drawn over */
    unsigned columns;
};

/* What the terminal or file behind `fd` can show: NO_COLOR, TERM=dumb, the locale's variables. */
struct text_style text_style_of(int fd);

/* All of them return `out`, which has TEXT_NUMBER_MAX bytes. */
const char *text_count(uint64_t n, char *out);           /* "1,204,000" */
const char *text_time(uint64_t ns, char *out);           /* "250 µs", "12.4 ms", "1.5 s" */
const char *text_percent(double ratio, char *out);       /* "0.42 %", "< 0.01 %" */
const char *text_rate(double per_second, char *out);     /* "20,066/s", "9.85/s" */
const char *text_bytes(double bytes, char *out);         /* "1.2 MB" (10^6) */
const char *text_clock(uint64_t ns, char *out);          /* "12.3 s", "3:05 min", "1:02:03 h" */
const char *text_timestamp(uint64_t wall_ms, char *out); /* "2026-01-31T12:00:00.250Z" */

/* Columns that a text takes: its characters. */
size_t text_width(struct str s);
/* Appends `s` and blanks up to `width` columns, or the blanks first. 0 or ERR_LIMIT. */
int text_add_left(struct buf *out, struct str s, size_t width);
int text_add_right(struct buf *out, struct str s, size_t width);

/* Valid UTF-8: other bytes become U+FFFD. For JSON. 0 or ERR_LIMIT. */
int text_add_utf8(struct buf *out, struct str s);
/* As text_add_utf8, and control characters (C0, DEL, C1) and marks of the direction of writing
 * become blanks; cut to `max_columns` with "…" at the end. 0 or ERR_LIMIT. */
int text_add_safe(struct buf *out, struct str s, size_t max_columns);
/* Likewise, but cut in the middle: names often differ at their end. */
int text_add_middle(struct buf *out, struct str s, size_t max_columns);
/* In place: the few signs that we use get a spelling of the same width, all others become "?". */
void text_to_ascii(struct buf *text);

#endif
