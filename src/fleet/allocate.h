/* SPDX-License-Identifier: MIT */
/*
 * Which workers play a run, and how much of it each: a pure function of what they have free.
 *
 * Users (VUs) are dealt by capacity, never beyond what a worker has free. Workers of one size get
 * equal parts. A worker's part is split over its sources (shards); sources of all workers together
 * are numbered from 0, worker by worker. Where equal parts do not fit, a source's weight is the
 * number of users that it gets, which plan/deal.h deals exactly up to DEAL_SLOTS_MAX users; beyond
 * that a hundredth of what a worker has free stays unused, because parts are rounded.
 *
 * With shares users are first dealt to the groups that workers belong to, in these proportions
 * (scenario/config/shares.h), and inside a group as above. A group that gets no user needs no
 * worker.
 */
#ifndef FLEET_ALLOCATE_H
#define FLEET_ALLOCATE_H

#include "base/err.h"
#include "scenario/config/shares.h"

#include <stdbool.h>
#include <stdint.h>

enum { ALLOCATE_SOURCES_MAX = 4096 };

struct allocate_worker {
    uint32_t capacity_vus; /* in all */
    uint32_t free_vus;     /* of these */
    uint32_t cores;        /* at least 1 */
    uint32_t group;        /* index of its share; beyond the last one: it takes no part. Without
                            * shares nobody asks */
};

struct allocate_need {
    uint32_t vus;     /* at least 1 */
    uint32_t sources; /* that the load is worth, and caps allow (worker/sharding.h); at least 1 */
    const struct named_weight *shares; /* of the groups */
    uint32_t share_count;              /* 0: all workers are one group */
};

/* Who has not enough. */
struct allocate_shortage {
    uint32_t group;    /* 0 without shares */
    uint32_t workers;  /* of that group */
    uint64_t required; /* users */
    uint64_t available;
};

struct allocate_part {
    uint32_t worker; /* index */
    uint32_t base;   /* its first source */
    uint32_t sources;
    uint32_t vus; /* that it may have at once */
};

struct allocation {
    struct allocate_part *parts; /* ascending by worker */
    uint32_t part_count;
    uint32_t source_count;
    uint32_t *weights; /* of the sources; NULL: all alike */
};

/* More sources than needed only where fewer workers do not have enough free, and where there are
 * more groups. ERR_LIMIT: all workers of a group have not enough, and *shortage says so. */
int allocate(const struct allocate_worker *workers,
             uint32_t count,
             const struct allocate_need *need,
             struct allocation *out,
             struct allocate_shortage *shortage);
/* The most users that the workers have room for, in the proportions of need->shares; the other
 * members of *need are not read. */
uint64_t allocate_most(const struct allocate_worker *workers,
                       uint32_t count,
                       const struct allocate_need *need);
void allocation_clear(struct allocation *a);

#endif
