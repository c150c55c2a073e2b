/* SPDX-License-Identifier: MIT */
/*
 * What a worker has counted over a whole run, so small that it can be compared: for each key, and
 * for what belongs to no key (`run`), the counters, and of each distribution its count, its sum and
 * a *check*, Σ over its buckets of n · mix(bucket), all modulo 2^64.
 *
 * All of it is additive: the sum over windows, shards and workers is the same as that of merged
 * histograms, in any order. When the sum of the workers' totals equals that of the control plane's
 * books, no window is missing or was added twice, and each histogram is the sum of its parts to the
 * bucket (but for a chance of 2^-64 per distribution).
 */
#ifndef WIRE_TOTALS_H
#define WIRE_TOTALS_H

#include "base/buf.h"
#include "base/err.h"
#include "metrics/window.h"

struct wire_total_dist {
    uint64_t count, sum, check;
};

struct wire_total_part {
    uint64_t count[COUNT_ALL];
    struct wire_total_dist dist[DIST_ALL];
};

struct wire_totals {
    uint32_t key_count;
    struct wire_total_part *keys; /* owned */
    struct wire_total_part run;   /* window.run and window.later.run */
};

/* All zero. */
void wire_totals_init(struct wire_totals *t, uint32_t key_count);
void wire_totals_clear(struct wire_totals *t);

/* `w` and `from` have as many keys. */
void wire_totals_add(struct wire_totals *t, const struct window *w);
void wire_totals_merge(struct wire_totals *to, const struct wire_totals *from);

/* For totals that are made from books: a distribution's samples are added. NULL: none. */
void wire_total_dist_add(struct wire_total_dist *d, const struct hist *h);
void wire_total_dist_add_total(struct wire_total_dist *d, const struct hist_total *h);

/* Are they the same? If not, the text of *err (which may be NULL) is the first difference for
 * people: "key 3: ended_ok is 120 here and 118 there" (`here` is a). */
bool wire_totals_equal(const struct wire_totals *a, const struct wire_totals *b, struct err *err);

/* Appends them; what is zero is left out. 0 or ERR_LIMIT (nothing is added). */
int wire_totals_encode(const struct wire_totals *t, struct buf *out);
/* `into` was initialised with the number of keys that the run has, and keeps it; what it had is
 * replaced, after a failure by zeros. ERR_SYNTAX. */
int wire_totals_decode(struct str in, struct wire_totals *into, struct err *err);

#endif
