/* SPDX-License-Identifier: MIT */
/*
 * Single operations (metrics/sample.h) inside a window: the slowest ones, and the batch for the log
 * of operations. Their times are told from one to the next, the first one from the window's
 * beginning, so that each takes two or three bytes.
 */
#ifndef WIRE_SAMPLE_H
#define WIRE_SAMPLE_H

#include "metrics/sample.h"
#include "wire/pack.h"

/* Failures, and successes, of a batch: beyond what plan/plan.h lets a shard keep. */
enum { WIRE_SAMPLES_MAX = 512 * 1024 };

/* Of the window: where its times begin, and how many keys there are. */
struct sample_frame {
    uint64_t start_ns;
    uint32_t key_count;
};

void pack_sample(struct packer *p, const struct sample_frame *f, const struct op_sample *s);
void unpack_sample(struct unpacker *u, const struct sample_frame *f, struct op_sample *s);

/* NULL is the same as an empty one. */
void pack_batch(struct packer *p, const struct sample_frame *f, const struct sample_batch *b);
/* Makes *b if there is something and it is NULL; else it is empty before. */
void unpack_batch(struct unpacker *u, const struct sample_frame *f, struct sample_batch **b);

#endif
