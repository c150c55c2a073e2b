/* SPDX-License-Identifier: MIT */
#include "plan/segment.h"

#include <math.h>

/* How many slots of a cycle are the source's own. */
static uint32_t weight_of(struct segment s)
{
    return s.deal->first_[s.index + 1] - s.deal->first_[s.index];
}

/* How many of the source's slots are below `slot`, which may be another's. */
static uint32_t rank_of(struct segment s, uint32_t slot)
{
    const uint16_t *own = s.deal->own_ + s.deal->first_[s.index];
    uint32_t low = 0, high = weight_of(s);

    if (s.deal->owner_[slot] == s.index) {
        return s.deal->rank_[slot];
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (own[middle] < slot) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint64_t segment_next_by_deal(struct segment s, uint64_t i)
{
    const struct deal *d = s.deal;
    uint32_t slot = (uint32_t)(i % d->slots), rank = rank_of(s, slot);

    if (rank < weight_of(s)) {
        return i - slot + d->own_[d->first_[s.index] + rank];
    }
    return i - slot + d->slots + d->own_[d->first_[s.index]];
}

uint64_t segment_ordinal_by_deal(struct segment s, uint64_t i)
{
    return i / s.deal->slots * weight_of(s) + rank_of(s, (uint32_t)(i % s.deal->slots));
}

uint32_t segment_share(struct segment s, uint32_t total)
{
    return (uint32_t)segment_ordinal(s, total);
}

double segment_cap(struct segment s, double cap)
{
    double whole = floor(cap), part = (double)segment_ordinal(s, (uint64_t)whole);

    return segment_owns(s, 0) ? part + (cap - whole) : part;
}
