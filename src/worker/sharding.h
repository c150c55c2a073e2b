/* SPDX-License-Identifier: MIT */
/*
 * How many shards (threads) play a plan on one machine. Each of these is a bound; the least counts.
 *
 * Cores: one shard for each that this process may use.
 *
 * Load: for the stage that needs the most, the lesser of
 *
 *   - one for each 128 operations in flight: with fewer, threads sleep and wake for single answers,
 *     and cost more than they carry;
 *   - one for each 15,000 operations a second that the stage paces at most (its rate, or in the
 *     closed model what the think time lets through); unless the plan expects streams, whose events
 *     are work that no rate tells.
 *
 * `--threads` stands for these two.
 *
 * Caps, whoever chose: a cap of the run is dealt to its shards, and none may hold a part that it
 * has no use for while another one lacks it.
 *
 *   - hard_caps.max_rps: one shard for each 15,000 requests a second. In a stage that may reach a
 *     shard's part, every shard has a user at all times, and none has more of the paced work than
 *     of the cap (but for a hundredth). Stages that are sized by their rate have users, and work,
 *     in all shards alike.
 *   - hard_caps.max_connections: one shard, unless each shard's part is enough for all that its
 *     users may have open at once.
 *   - pool_size: one shard for each session; and no more than there are users at any time, unless a
 *     part is enough for a user.
 */
#ifndef WORKER_SHARDING_H
#define WORKER_SHARDING_H

#include "plan/plan.h"

/* `threads` 0: chosen; else at most so many. At least 1. */
uint32_t sharding_choose(const struct plan *plan, uint32_t threads, uint32_t cores);
/* For a run on several machines: into how many sources of equal weight it may be dealt at most, by
 * the same bounds; `cores` are those of all workers that take part. 1 to DEAL_SOURCES_MAX. */
uint32_t sharding_total(const struct plan *plan, uint32_t cores);
/* May the run be dealt by these weights: do its caps, dealt by them, lie where they are used? If
 * not, sharding_total sources of equal weight do. */
bool sharding_fits(const struct plan *plan, const struct deal *deal);

#endif
