/* SPDX-License-Identifier: MIT */
/*
 * A window (metrics/window.h) in a few hundred bytes, whatever the rate: what is zero or empty is
 * left out, counts are varints, a histogram is its head and the pairs (gap, count) of the buckets
 * that were used, times of operations are told from the window's beginning on.
 *
 * All that control/ and report/ read comes back as it was; the table by which a shard recognises
 * failure texts does not travel. In a rebuilt histogram the list of few samples is in the order of
 * its buckets; no sum or quantile can tell.
 *
 * The decoder trusts nothing: each index, count, length and enum is bounded, and what contradicts
 * itself is refused (a histogram whose buckets do not make up its count, minimum and maximum, a
 * second that ends before it begins, operations of keys that do not exist). Texts are those of
 * targets: control characters become blanks.
 *
 * Binary messages have no room for what a later version adds: their change is a new major version
 * (wire/frame.h).
 */
#ifndef WIRE_WINDOW_H
#define WIRE_WINDOW_H

#include "base/buf.h"
#include "base/err.h"
#include "metrics/window.h"

struct wire_window_limits {
    uint32_t key_count, custom_count; /* as in window_new */
    uint32_t stage_count;
};

/* Appends it. `shift_ns` is added to each instant (what the receiver's clock is ahead); durations
 * stay. 0 or ERR_LIMIT (nothing is added). Allocates nothing beside `out`. */
int wire_window_encode(const struct window *w, int64_t shift_ns, struct buf *out);

/* `into` was made by window_new with the counts of `limits`, and is reset here; after a failure it
 * is empty. ERR_SYNTAX. */
int wire_window_decode(struct str in,
                       const struct wire_window_limits *limits,
                       struct window *into,
                       struct err *err);

#endif
