/* SPDX-License-Identifier: MIT */
/*
 * How many shards (threads) play a plan on one machine. Each of these is a bound; the least counts.
 *
 *   cores        one for each that this process may use
 *   in flight    one for each 128 operations at once: with fewer, threads sleep and wake for single
 *                answers, and cost more than they carry
 *   rate         one for each 15,000 operations a second that the plan paces at most (its rate, or
 * in the closed model what the think time lets through); unless it expects streams, whose events
 * are work that no rate tells caps         max_rps, max_connections and pool_size are dealt in
 * whole units
 *
 * `--threads` stands for the first three.
 */
#ifndef WORKER_SHARDING_H
#define WORKER_SHARDING_H

#include "plan/plan.h"

/* `threads` 0: chosen. At least 1. */
uint32_t sharding_choose(const struct plan *plan, uint32_t threads, uint32_t cores);

#endif
