/* SPDX-License-Identifier: MIT */
/* Weighted choice in constant time (Walker's alias method, in Vose's form), in integers: the shares
 * are exact to 2^-32 whatever the weights. */
#ifndef PLAN_ALIAS_H
#define PLAN_ALIAS_H

#include "base/arena.h"

#include <stdint.h>

struct alias {
    uint32_t count;
    uint64_t *keep;  /* of 2^32: the chance that column i keeps its own index … */
    uint32_t *other; /* … and the index that it gives otherwise */
};

/* At least one weight must be above 0. */
void alias_init(struct alias *a, struct arena *arena, const uint64_t *weights, uint32_t count);
/* The index for 64 random bits. */
uint32_t alias_pick(const struct alias *a, uint64_t random_bits);

#endif
