/* SPDX-License-Identifier: MIT */
/* Merging equals not splitting: the same samples, dealt to several sources, add up to the same
 * counts, bucket by bucket, and to the same quantiles. */
#ifndef MEASURE_SPLIT_H
#define MEASURE_SPLIT_H

#include <stdint.h>

/* Deals `samples` operations to 1, 2, 3 and 7 sources. Prints a line for each; returns how many of
 * them differ from the sum that was never split. */
int check_split(uint64_t seed, uint64_t samples);

#endif
