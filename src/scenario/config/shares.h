/* SPDX-License-Identifier: MIT */
/* A whole number divided by weights, without anything left over. */
#ifndef SCENARIO_CONFIG_SHARES_H
#define SCENARIO_CONFIG_SHARES_H

#include "scenario/config/config.h"

enum { SHARES_MAX = 64 }; /* as many as placement.shares may have */

/* Largest remainder: each part is what its weight comes to, rounded down or up; of equal remainders
 * the first ones are rounded up. Parts add up to `total`, at most 2^32; `count` is 1 to
 * SHARES_MAX. */
void shares_split(const struct named_weight *shares, size_t count, uint64_t total, uint64_t *parts);

#endif
