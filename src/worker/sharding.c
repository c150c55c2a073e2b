/* SPDX-License-Identifier: MIT */
#include "worker/sharding.h"

#include "base/clock.h"

#include <math.h>

#define OPERATIONS_PER_SHARD 128.0
#define RATE_PER_SHARD       15000.0
#define UNEVEN_MAX           1.01 /* a shard's part of paced work, in parts of a cap */

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* ---- the load -------------------------------------------------------------------------------- */

/* Operations a second that the stage starts at most; HUGE_VAL: as many as the target answers. */
static double stage_rate(const struct plan *p, uint32_t i)
{
    const struct plan_stage *stage = &p->stages[i];
    const struct think_config *think = &p->scenario->workload.think;
    double pause_ns = (double)think->base_ns;

    if (stage->levels.open_model) {
        return fmax(plan_rate(p, i, 0), stage->levels.end_rps);
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
        double rate = streams ? HUGE_VAL : stage_rate(p, i);
        double need = least(ceil(in_flight / OPERATIONS_PER_SHARD), ceil(rate / RATE_PER_SHARD));
        most = need > most ? need : most;
    }
    return most;
}

/* ---- caps that are dealt --------------------------------------------------------------------- */

/* The fewest users that the stage has while it has any; 0: it never has. A level goes one way. */
static uint32_t least_level(const struct plan *p, uint32_t stage)
{
    const struct stage_levels *l = &p->stages[stage].levels;
    uint32_t level = plan_level(p, stage, 0);

    if (level > 0) {
        return l->end_vus == 0 ? 1 : level < l->end_vus ? level : l->end_vus;
    }
    for (uint64_t t = 0; level == 0; level = plan_level(p, stage, t)) {
        t = plan_next_level_ns(p, stage, t);
        if (t >= l->duration_ns) {
            return 0;
        }
    }
    return level;
}

/* The most that one of so many shards has of what its users share evenly, in parts of an even
 * dealing. */
static double uneven(const struct plan *p, uint32_t stage, uint32_t level, double shards)
{
    const struct plan_stage *s = &p->stages[stage];

    if (s->most_vus == level) {
        return ceil(level / shards) * shards / level;
    }
    return 1 + (shards - 1) / level; /* the worst of any level from there on */
}

/* Does each of so many shards have as much use for its part of the cap as for its part of the work?
 */
static bool rate_cap_fits(const struct plan *p, uint32_t stage, double shards, double cap)
{
    const struct plan_stage *s = &p->stages[stage];
    double rate = stage_rate(p, stage);

    if (s->levels.sized || rate * shards <= cap) {
        return true;
    }
    uint32_t level = least_level(p, stage);
    if (level == 0) {
        return true;
    }
    if (level < shards) {
        return false;
    }
    return isinf(rate) || least(rate, cap) * uneven(p, stage, level, shards) <= cap * UNEVEN_MAX;
}

static bool rate_cap_fits_all(const struct plan *p, double shards, double cap)
{
    for (uint32_t i = 0; i < p->stage_count; i++) {
        if (!rate_cap_fits(p, i, shards, cap)) {
            return false;
        }
    }
    return true;
}

static double at_most_rate_cap(const struct plan *p, double shards)
{
    double cap = p->scenario->safety.caps.max_rps;

    if (cap <= 0) {
        return shards;
    }
    shards = least(shards, ceil(cap / RATE_PER_SHARD));
    while (shards > 1 && !rate_cap_fits_all(p, shards, cap)) {
        shards--;
    }
    return shards;
}

/* An operation that runs has a connection of its own, and a session that is kept holds on to its
 * connections; while one says goodbye the next one may begin. A list of the tools comes beside. */
static double connections_per_user(const struct plan *p)
{
    return (double)p->slots * (p->scenario->session.mode == SESSION_REUSE ? 1 : 2) +
           (p->journey ? 1 : 0);
}

static double at_most_connections(const struct plan *p, double shards)
{
    double cap = (double)p->scenario->safety.caps.max_connections;
    double wanted = ceil(p->max_vus / shards) * connections_per_user(p);

    return cap > 0 && floor(cap / shards) < wanted ? 1 : shards;
}

static double at_most_pool(const struct plan *p, double shards)
{
    double size = (double)p->scenario->session.pool_size;

    if (p->scenario->session.mode != SESSION_POOL) {
        return shards;
    }
    shards = least(shards, size);
    for (uint32_t i = 0; i < p->stage_count; i++) {
        uint32_t level = p->stages[i].levels.sized ? 0 : least_level(p, i);
        double users = level > 0 ? level : shards;
        double enough = floor(size / p->slots);
        shards = least(shards, users > enough ? users : enough);
    }
    return shards;
}

uint32_t sharding_choose(const struct plan *plan, uint32_t threads, uint32_t cores)
{
    double shards = threads > 0 ? threads : least(cores, shards_for_load(plan));

    shards = at_most_pool(plan, shards > 1 ? shards : 1);
    shards = at_most_connections(plan, shards > 1 ? shards : 1);
    shards = at_most_rate_cap(plan, shards);
    return shards > 1 ? (uint32_t)shards : 1;
}

uint32_t sharding_total(const struct plan *plan, uint32_t cores)
{
    return sharding_choose(plan, 0, cores < DEAL_SOURCES_MAX ? cores : DEAL_SOURCES_MAX);
}

/* ---- weights --------------------------------------------------------------------------------- */

static double share_of(struct segment s, uint32_t level)
{
    return (double)segment_share(s, level);
}

/* The most that the source has of what the stage's users share, in parts of all, with any level
 * from this one on: nobody has a user more than its weight (plan/deal.h). */
static double most_work(const struct plan *p, uint32_t stage, uint32_t level, struct segment s)
{
    if (p->stages[stage].most_vus == level) {
        return share_of(s, level) / level;
    }
    return share_of(s, s.deal->slots) / s.deal->slots + 1.0 / level;
}

static bool source_uses_rate(const struct plan *p, uint32_t stage, struct segment s, double cap)
{
    double rate = stage_rate(p, stage), part = segment_cap(s, cap);
    uint32_t level = p->stages[stage].levels.sized ? 0 : least_level(p, stage);

    if (level == 0 || rate <= part) {
        return true;
    }
    return segment_share(s, level) > 0 &&
           (isinf(rate) || least(rate, cap) * most_work(p, stage, level, s) <= part * UNEVEN_MAX);
}

static bool source_uses_pool(const struct plan *p, uint32_t stage, struct segment s)
{
    uint32_t sessions = segment_share(s, (uint32_t)p->scenario->session.pool_size);
    uint32_t level = p->stages[stage].levels.sized ? 0 : least_level(p, stage);

    return sessions > 0 && (level == 0 || segment_share(s, level) > 0 || sessions >= p->slots);
}

/* Has the source as much use for its parts of the caps as for its part of the load? */
static bool source_fits(const struct plan *p, struct segment s)
{
    const struct caps_config *caps = &p->scenario->safety.caps;
    double connections = segment_cap(s, (double)caps->max_connections);

    if (caps->max_connections > 0 &&
        connections < share_of(s, p->max_vus) * connections_per_user(p)) {
        return false;
    }
    for (uint32_t i = 0; i < p->stage_count; i++) {
        if ((caps->max_rps > 0 && !source_uses_rate(p, i, s, caps->max_rps)) ||
            (p->scenario->session.mode == SESSION_POOL && !source_uses_pool(p, i, s))) {
            return false;
        }
    }
    return true;
}

bool sharding_fits(const struct plan *plan, const struct deal *deal)
{
    for (uint32_t i = 0; i < deal->count && deal->count > 1; i++) {
        struct segment s = {.index = i, .count = deal->count, .deal = deal};

        if (!source_fits(plan, s)) {
            return false;
        }
    }
    return true;
}
