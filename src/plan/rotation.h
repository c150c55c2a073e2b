/* SPDX-License-Identifier: MIT */
/*
 * Smooth weighted round robin: one cycle of turns in which each index has as many as its weight,
 * spread as evenly as they can be. Each turn, every index earns its weight, the richest has the
 * turn (the lowest index on a tie) and pays the sum of all weights. Weights 5 1 1 give 0 0 1 0 2 0
 * 0.
 */
#ifndef PLAN_ROTATION_H
#define PLAN_ROTATION_H

#include "base/arena.h"

#include <stdint.h>

/* Weights whose sum is larger, after their common divisor is taken out, are scaled down to about
 * this sum; none falls to 0 by it. */
enum { ROTATION_SUM_MAX = 10000 };

struct rotation {
    uint32_t length;
    uint32_t *turns; /* the index of each */
};

/* At least one weight must be above 0. */
void rotation_init(struct rotation *r,
                   struct arena *arena,
                   const uint64_t *weights,
                   uint32_t count);

#endif
