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
 * Caps: max_rps, max_connections and pool_size are dealt in whole units.
 *
 * `--threads` stands for the first two.
 */
#ifndef WORKER_SHARDING_H
#define WORKER_SHARDING_H

#include "plan/plan.h"

/* `threads` 0: chosen. At least 1. */
uint32_t sharding_choose(const struct plan *plan, uint32_t threads, uint32_t cores);

#endif
