/* SPDX-License-Identifier: MIT */
/*
 * Histograms in the exchange format of HdrHistogram, version 2, so that other tools read our files
 * and we theirs (https://github.com/HdrHistogram/HdrHistogram).
 *
 * Vocabulary
 *   body     the uncompressed form: a head of 40 bytes and the payload, big-endian
 *   payload  the counts of the buckets in order, as zigzag numbers of 7 bits a byte; a negative
 *            number is a run of empty buckets
 *   text     base64 of a small head and the body as a zlib stream; begins with "HISTFAAA"
 *
 * Exact minima, maxima and sums, and what was censored, have no place in the format: a histogram
 * that was read back knows its buckets only.
 *
 * Texts come from files: lengths are checked before anything is inflated or allocated. The bytes of
 * a zlib stream depend on its encoder: compare bodies, never texts.
 */
#ifndef REPORT_FILES_HDR_H
#define REPORT_FILES_HDR_H

#include "base/buf.h"
#include "base/err.h"
#include "metrics/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HDR_DIGITS_MAX = 5,
    HDR_COUNTS_MAX = 1 << 23, /* five digits over 2^63 need 7.6 million */
    HDR_HEAD_BYTES = 40,
    HDR_NUMBER_BYTES = 9, /* the longest number of a payload */
};
#define HDR_BODY_MAX (HDR_HEAD_BYTES + (size_t)HDR_COUNTS_MAX * HDR_NUMBER_BYTES)
#define HDR_TEXT_MAX ((size_t)128 * 1024 * 1024)

/* ---- numbers -------------------------------------------------------------------------------- */

/* Writes `n`; returns the number of bytes, at most HDR_NUMBER_BYTES. */
size_t hdr_put_number(int64_t n, unsigned char out[HDR_NUMBER_BYTES]);
/* Reads one from p[0..len); returns the bytes that it took, 0 when it has no end there. */
size_t hdr_get_number(const unsigned char *p, size_t len, int64_t *out);

/* ---- writing -------------------------------------------------------------------------------- */

/* Appends the body. 0 or ERR_LIMIT. */
int hdr_write_body(const struct hist_total *t, struct buf *out);
/* Appends the text. 0 or ERR_LIMIT. */
int hdr_write_text(const struct hist_total *t, struct buf *out);

/* ---- reading -------------------------------------------------------------------------------- */

/* A histogram of any parameters. Zero it before the first use. */
struct hdr {
    unsigned digits; /* 1..HDR_DIGITS_MAX */
    uint64_t lowest, highest;
    uint32_t count_len; /* buckets that these parameters have */
    uint64_t *counts;   /* owned */
    uint32_t sub_bits_, unit_bits_;
};

/* Both replace what `out` held; it is empty after a failure. ERR_SYNTAX for what is not the format,
 * ERR_INVALID for parameters that make no histogram, ERR_LIMIT for parameters that need more than
 * HDR_COUNTS_MAX buckets. */
int hdr_read_body(struct str body, struct hdr *out, struct err *err);
int hdr_read_text(struct str text, struct hdr *out, struct err *err);
void hdr_clear(struct hdr *h);

/* An empty one. ERR_INVALID for parameters that make no histogram, ERR_LIMIT. */
int hdr_make(unsigned digits, uint64_t lowest, uint64_t highest, struct hdr *out, struct err *err);
/* The bucket of a value; HDR_COUNTS_MAX for one beyond the range. */
uint32_t hdr_index(const struct hdr *h, uint64_t value);
/* The smallest value of bucket `i` and how many values it has. */
uint64_t hdr_low(const struct hdr *h, uint32_t i);
uint64_t hdr_width(const struct hdr *h, uint32_t i);

/*
 * Adds the counts to a histogram of ours. With our own parameters buckets agree one by one; of
 * other ones each bucket counts at its middle. Minimum, maximum and sum get what the buckets tell:
 * their outer edges and their middles. Values beyond our range are clamped and counted in
 * `overflow`.
 */
void hdr_add_to(const struct hdr *h, struct hist_total *to);

#endif
