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
    double pause_ns = (double)think->base_ns;

    if (l->open_model) {
        return l->start_rps > l->rps ? l->start_rps : l->rps;
    }
    if (think->mode == THINK_NONE || pause_ns <= 0) {
        return HUGE_VAL;
    }
    pause_ns += think->mode == THINK_JITTER ? (double)think->jitter_ns / 2 : 0;
    return (double)stage->most_vus * p->slots * (double)NS_PER_S / pause_ns;
}

static bool expects_streams(const struct plan *p)
{
    for (uint32_t i = 0; i < p->operation_count; i++) {
        if (p->operations[i].expects_streaming) {
            return true;
        }
    }
    return false;
}

/* What is paced in one stage and crowded in another needs the shards of neither. */
static double shards_for_load(const struct plan *p)
{
    bool streams = expects_streams(p);
    double most = 0;

    for (uint32_t i = 0; i < p->stage_count; i++) {
        const struct plan_stage *stage = &p->stages[i];
        double in_flight = (double)stage->most_vus * p->slots;
        double rate = streams ? HUGE_VAL : stage_rate(p, stage);
        double need = least(ceil(in_flight / OPERATIONS_PER_SHARD), ceil(rate / RATE_PER_SHARD));
        most = need > most ? need : most;
    }
    return most;
}

/* A cap is dealt in whole units, and each shard needs one; 0: no cap. */
static double at_most_cap(double shards, double cap)
{
    return cap > 0 ? least(shards, cap) : shards;
}

uint32_t sharding_choose(const struct plan *plan, uint32_t threads, uint32_t cores)
{
    const struct caps_config *caps = &plan->scenario->safety.caps;
    double shards = threads;

    if (threads == 0) {
        shards = least(cores, shards_for_load(plan));
    }
    shards = at_most_cap(shards, caps->max_rps);
    shards = at_most_cap(shards, (double)caps->max_connections);
    if (plan->scenario->session.mode == SESSION_POOL) {
        shards = at_most_cap(shards, (double)plan->scenario->session.pool_size);
    }
    return shards > 1 ? (uint32_t)shards : 1;
}
