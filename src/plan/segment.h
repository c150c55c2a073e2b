/* SPDX-License-Identifier: MIT */
/*
 * A source's share of a run (of a thread, wherever it runs): which of the numbered users, arrivals
 * and units of caps are its own. The segments of a run part every row of numbers without gap or
 * double. Without a deal all have the same weight: number i belongs to source i mod count.
 *
 * Pure, and constant in time but for those numbers of a deal that are not the segment's own
 * (logarithmic in its weight).
 */
#ifndef PLAN_SEGMENT_H
#define PLAN_SEGMENT_H

#include "plan/deal.h"

#include <stdbool.h>
#include <stdint.h>

struct segment {
    uint32_t index, count;   /* source `index` of `count` */
    const struct deal *deal; /* of `count` sources; outlives the segment. NULL: equal weights */
};

/* For the functions below alone: the same, of a segment with a deal. */
uint64_t segment_next_by_deal(struct segment s, uint64_t i);
uint64_t segment_ordinal_by_deal(struct segment s, uint64_t i);

static inline bool segment_owns(struct segment s, uint64_t i)
{
    return s.deal == NULL ? i % s.count == s.index : s.deal->owner_[i % s.deal->slots] == s.index;
}

/* The first number from `i` on that is its own. */
static inline uint64_t segment_next(struct segment s, uint64_t i)
{
    return s.deal == NULL ? i + (s.index + s.count - i % s.count) % s.count
                          : segment_next_by_deal(s, i);
}

/* How many of its own are below `i`. */
static inline uint64_t segment_ordinal(struct segment s, uint64_t i)
{
    return s.deal == NULL ? i / s.count + (i % s.count > s.index) : segment_ordinal_by_deal(s, i);
}

/* How many of 0..total-1 are its own. */
uint32_t segment_share(struct segment s, uint32_t total);
/* Its part of a cap of the run: whole units are dealt like users, and a fraction goes to who has
 * the first unit, so that the parts make up the cap. May be 0. */
double segment_cap(struct segment s, double cap);

#endif
