/* SPDX-License-Identifier: MIT */
/*
 * A histogram (metrics/histogram.h) inside a binary message:
 *
 *   count · min · max - min · sum - count · min · censored [· censored_min - min]
 *   [· overflow, when max is the highest value] · buckets
 *
 * Minimum and maximum name the first and the last bucket. The first one is a count; each further
 * one is a varint whose two lowest bits say what the rest of it is, most often a single byte:
 *
 *   0  its distance to the bucket before, and its count follows
 *   1  its distance; it has one sample
 *   2  its count; it is the next bucket
 *   3  its count; it is the next but one
 *
 * They end with the one that makes up the histogram's count.
 */
#ifndef WIRE_HISTOGRAM_H
#define WIRE_HISTOGRAM_H

#include "metrics/histogram.h"
#include "wire/pack.h"

/* It is not empty. */
void pack_hist(struct packer *p, const struct hist *h);
/* Into an empty one; what is refused is for the caller to reset. */
void unpack_hist(struct unpacker *u, struct hist *h);

#endif
