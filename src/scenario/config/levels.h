/* SPDX-License-Identifier: MIT */
/*
 * What a stage wants at each moment: virtual users and, in the open model, a rate. Pure functions
 * of the config, used by validation, which foresees, and by the plan, which plays.
 *
 * Without a ramp the level holds from the beginning. A ramp in steps is at `start ± k · step_vus`
 * from t = k · step_every on, until it is at its top; without step_vus it takes five steps, each a
 * fifth of the way, the first of them at once. A linear ramp climbs evenly: by step_vus per
 * step_every, or, without step_vus, within the duration less hold_ms. The rate climbs by the same
 * rules if step_rps, start_rps or max_rps is given; VUs hold their target then, unless step_vus is
 * given too.
 */
#ifndef SCENARIO_CONFIG_LEVELS_H
#define SCENARIO_CONFIG_LEVELS_H

#include "scenario/config/config.h"

struct stage_levels {
    uint32_t start_vus;    /* level before the first step */
    uint32_t vus;          /* level that it wants to reach, cut to the cap */
    uint32_t end_vus;      /* level that it reaches */
    uint64_t needs_ns;     /* what its ramp would need to reach the top and hold it; UINT64_MAX: it
                            * never would; without a ramp the duration */
    uint64_t duration_ns;  /* an unfinished ramp makes it longer than the file says … */
    bool overruns;         /* … but the ramp would need more than max_duration_ms */
    bool open_model;       /* operations are due by a schedule */
    bool sized;            /* VUs: as many as the rate turns out to need, `vus` to begin with */
    double start_rps, rps; /* of the open model: likewise … */
    double end_rps;
};

/* `before`: of the enabled stage before it, or NULL. Defaults must be filled in. */
void levels_of_stage(const struct scenario *s,
                     const struct stage_config *c,
                     const struct stage_levels *before,
                     struct stage_levels *out);

/* VUs at `t_ns` after the stage's beginning. */
uint32_t levels_vus(const struct stage_config *config, const struct stage_levels *l, uint64_t t_ns);
/* When that changes next, after `t_ns`; UINT64_MAX: it does not. */
uint64_t
levels_next_ns(const struct stage_config *config, const struct stage_levels *l, uint64_t t_ns);
/* Operations per second at `t_ns`; 0 in the closed model. */
double levels_rate(const struct stage_config *config, const struct stage_levels *l, uint64_t t_ns);
/* After which time the rate is at its top. */
uint64_t levels_rate_climb_ns(const struct stage_config *config, const struct stage_levels *l);
/* Slots for a rate at a mean latency, with three sigma of head-room: ceil(λW + 3·sqrt(λW))
 * (Little's law). */
uint64_t levels_slots_needed(double rps, double latency_s);

#endif
