/* SPDX-License-Identifier: MIT */
/*
 * How many users have started: those from 0 on without a gap whose start has come
 * (plan_start_ns), and no more than the level. A cursor over the stages, for one who asks for
 * rising times; each start and each change of level is passed once.
 *
 * Who had not started when a stage ended (its start_spread_ms is longer than it) counts from the
 * moment on at which the last of them has. Of a stage that is sized by its rate those count whom it
 * has to begin with.
 */
#ifndef PLAN_STARTING_H
#define PLAN_STARTING_H

#include "plan/plan.h"

struct starting {
    /* private */
    uint32_t stage;
    uint32_t started;       /* so far, in this stage or before */
    uint32_t before, after; /* the change of level, `added_ns` after the stage's beginning, … */
    uint64_t added_ns;      /* … by which the next to start comes */
    uint64_t late_ns;       /* when those of the stages before have started */
};

/* The beginning of the first stage. */
void starting_first(const struct plan *p, struct starting *c);
/* The beginning of the next one; past the last there is nothing to ask for. */
void starting_next_stage(const struct plan *p, struct starting *c);
/* At `t_ns` after the stage's beginning, which does not fall. */
uint32_t starting_count(const struct plan *p, struct starting *c, uint64_t t_ns);
/* Before when that count holds at least, after `t_ns` for which it was asked; UINT64_MAX: to the
 * stage's end. */
uint64_t starting_holds_ns(const struct plan *p, struct starting *c, uint64_t t_ns);

#endif
