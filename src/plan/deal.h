/* SPDX-License-Identifier: MIT */
/*
 * How a run is dealt to sources of different strength: a cycle of D slots in which each source has
 * as many as its weight, spread as plan/rotation.h spreads turns. Whatever has a number (a user, an
 * arrival, a unit of a cap) belongs to the source of slot number mod D; so user 0 and the first
 * unit belong to the heaviest.
 *
 * Of the first n numbers a source has less than one more than its share of the weights. A light one
 * among heavy ones may have to wait longer than evenly for its first; after a whole cycle each has
 * its share exactly.
 *
 * A pure function of the weights, in which all processes of a run have to agree. Immutable, read by
 * all threads. About 8 bytes for each slot, and 4 for each source.
 */
#ifndef PLAN_DEAL_H
#define PLAN_DEAL_H

#include "base/err.h"

#include <stdint.h>

enum {
    DEAL_SOURCES_MAX = 4096,
    DEAL_SLOTS_MAX = 10000, /* about: see ROTATION_SUM_MAX for what is scaled down to it */
};

struct deal {
    uint32_t count; /* sources */
    uint32_t slots; /* D */
    /* private: plan/segment.h reads them */
    const uint16_t *owner_; /* of each slot */
    const uint16_t *rank_;  /* of each slot: how many of its owner's come before it in the cycle */
    const uint16_t *own_;   /* the slots of source 0 in order, those of source 1, … */
    const uint32_t *first_; /* where a source's begin there; [count] is D */
};

/* `weights` of the sources, each above 0, in any unit; larger ones keep their proportions as well
 * as a cycle of about DEAL_SLOTS_MAX can. Freed with deal_free. ERR_LIMIT: no source, or more than
 * DEAL_SOURCES_MAX; ERR_INVALID: a weight of 0. */
int deal_new(const uint64_t *weights, uint32_t count, struct deal **out, struct err *err);
/* No segment may look at it any more. NULL is fine. */
void deal_free(struct deal *deal);

#endif
