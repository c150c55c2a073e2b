/* SPDX-License-Identifier: MIT */
/*
 * Who plays which arrival of the open model. Arrival i belongs to user i mod V, V being the number
 * of users of the whole run that have started when it is due (plan/starting.h), and is played where
 * that user lives. So each user has the same share on any number of shards, and none is dealt to
 * nobody. While no user has started, arrivals wait for user 0. In a stage that is sized by its rate
 * users are made where they are needed: there arrival i belongs to the segment of the number i
 * itself.
 *
 * A pure function of plan and segment: the segments of a run part its arrivals without gap or
 * double.
 */
#ifndef PLAN_DEALING_H
#define PLAN_DEALING_H

#include "plan/starting.h"

/* One of a segment's arrivals. */
struct dealt {
    uint64_t i;      /* its number in the run */
    uint32_t stage;  /* plan->stage_count: there is none any more */
    uint64_t due_ns; /* after the stage's beginning */

    /* private: where the search goes on */
    size_t piece_;
    uint32_t users_;     /* V, … */
    uint64_t users_end_; /* … which arrivals below this number have */
    struct starting starting_;
};

/* The first arrival that is the segment's own. */
void dealing_first(const struct plan *p, const struct segment *segment, struct dealt *d);
/* The next one after `d`. */
void dealing_next(const struct plan *p, const struct segment *segment, struct dealt *d);

#endif
