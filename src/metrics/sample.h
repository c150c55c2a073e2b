/* SPDX-License-Identifier: MIT */
/*
 * Single operations as the log of operations and the list of the slowest keep them, and the batch
 * of them that one second of one shard gives to the log.
 *
 * A batch takes all failures that it is given (the window has a bound for each kind; what was not
 * finished is among them) and successes
 * up to a bound of its own. When there are more, the share that stays is cut by a quarter until
 * they fit: each operation has drawn a rank, and those in the upper quarter go, whenever they came.
 * What stays is spread over the second as evenly as everything was, and is about three quarters of
 * the bound or more. It is all that has a rank up to some bound, and the ranks of different shards
 * can be compared: a smaller sample of several batches is that of their lowest ranks.
 *
 * Memory grows with what is kept and stays for the next second, so that nothing allocates in steady
 * state. One thread at a time.
 */
#ifndef METRICS_SAMPLE_H
#define METRICS_SAMPLE_H

#include "base/list.h"
#include "metrics/outcome.h"

enum { SAMPLE_MESSAGE_MAX = 160 };

struct op_sample {
    struct outcome outcome; /* `message` is empty: it stands below */
    uint16_t message_len;
    char message[SAMPLE_MESSAGE_MAX]; /* as it came, without control characters; not terminated */
};

void op_sample_fill(struct op_sample *s, const struct outcome *o);

struct sample_list {
    struct op_sample *items; /* in the order of their ends */
    uint32_t count, room;
};

struct sample_batch {
    struct list node; /* for whoever has it */
    struct sample_list failures, successes;
    uint32_t rank_max; /* successes above it are left out by now */
};

struct sample_batch *sample_batch_new(void);
/* NULL is fine. */
void sample_batch_free(struct sample_batch *b);
/* Empties it; memory is kept. */
void sample_batch_reset(struct sample_batch *b);

void sample_batch_failure(struct sample_batch *b, const struct outcome *o);
/* `max` (> 0): successes that it may hold. Returns how many were left out for it or with it. */
uint32_t sample_batch_success(struct sample_batch *b, const struct outcome *o, uint32_t max);

/* The successes above the rank go. Returns how many went. */
uint32_t sample_batch_cut(struct sample_batch *b, uint32_t rank_max);
/* The highest such rank with which all batches together keep `max` successes, or all that they
 * have; less only where several have the same rank. */
uint32_t sample_common_rank(struct sample_batch *const *batches, size_t count, uint64_t max);
/* Of its failures, which have no rank, so many stay, evenly spread. Returns how many went. */
uint32_t sample_batch_cut_failures(struct sample_batch *b, uint64_t max);

#endif
