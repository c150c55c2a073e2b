/* SPDX-License-Identifier: MIT */
#include "worker/sharding.h"

#include "base/clock.h"

#include <math.h>

#define OPERATIONS_PER_SHARD 128.0
#define RATE_PER_SHARD       15000.0

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* Operations a second that the stage starts at most; HUGE_VAL: as many as the target answers. */
static double stage_rate(const struct plan *p, const struct plan_stage *stage)
{
    const struct stage_levels *l = &stage->levels;
    const struct think_config *think = &p->scenario->workload.think;
    double vus = l->start_vus > l->vus ? l->start_vus : l->vus;
    double pause_ns = (double)think->base_ns;

    if (l->open_model) {
        return l->start_rps > l->rps ? l->start_rps : l->rps;
    }
    if (think->mode == THINK_NONE || pause_ns <= 0) {
        return HUGE_VAL;
    }
    pause_ns += think->mode == THINK_JITTER ? (double)think->jitter_ns / 2 : 0;
    return vus * p->slots * (double)NS_PER_S / pause_ns;
}

static double shards_for_rate(const struct plan *p)
{
    double most = 0;

    for (uint32_t i = 0; i < p->operation_count; i++) {
        if (p->operations[i].expects_streaming) {
            return HUGE_VAL;
        }
    }
    for (uint32_t i = 0; i < p->stage_count; i++) {
        double rate = stage_rate(p, &p->stages[i]);
        most = rate > most ? rate : most;
    }
    return ceil(most / RATE_PER_SHARD);
}

/* A cap is dealt in whole units, and each shard needs one; 0: no cap. */
static double at_most_cap(double shards, double cap)
{
    return cap > 0 ? least(shards, cap) : shards;
}

uint32_t sharding_choose(const struct plan *plan, uint32_t threads, uint32_t cores)
{
    const struct caps_config *caps = &plan->scenario->safety.caps;
    double in_flight = (double)plan->max_vus * plan->slots;
    double shards = threads;

    if (threads == 0) {
        shards = least(cores, ceil(in_flight / OPERATIONS_PER_SHARD));
        shards = least(shards, shards_for_rate(plan));
    }
    shards = at_most_cap(shards, caps->max_rps);
    shards = at_most_cap(shards, (double)caps->max_connections);
    if (plan->scenario->session.mode == SESSION_POOL) {
        shards = at_most_cap(shards, (double)plan->scenario->session.pool_size);
    }
    return shards > 1 ? (uint32_t)shards : 1;
}
