/* SPDX-License-Identifier: MIT */
/* The stages of a plan, and where their arrivals lie on one line of time. */
#include "plan/levels.h"

#include "base/clock.h"

enum { LINEAR_STEPS = 20 }; /* moments at which a line is told */

uint32_t plan_level(const struct plan *p, uint32_t stage, uint64_t t_ns)
{
    const struct plan_stage *s = &p->stages[stage];

    return levels_vus(s->config, &s->levels, t_ns);
}

uint64_t plan_next_level_ns(const struct plan *p, uint32_t stage, uint64_t t_ns)
{
    const struct plan_stage *s = &p->stages[stage];

    return levels_next_ns(s->config, &s->levels, t_ns);
}

double plan_rate(const struct plan *p, uint32_t stage, uint64_t t_ns)
{
    const struct plan_stage *s = &p->stages[stage];

    return levels_rate(s->config, &s->levels, t_ns);
}

uint64_t plan_start_ns(const struct plan *p,
                       uint32_t stage,
                       uint64_t t_ns,
                       uint32_t before,
                       uint32_t after,
                       uint32_t vu)
{
    const struct stage_config *c = p->stages[stage].config;
    uint64_t spread = c->start_spread_ns;

    if (vu < before || after <= before) {
        return 0;
    }
    if (t_ns > 0) {
        spread = c->ramp.mode == RAMP_LINEAR    ? 0
                 : spread < PLAN_STEP_SPREAD_NS ? spread
                                                : PLAN_STEP_SPREAD_NS;
    }
    return spread / (after - before) * (vu - before);
}

/* The next moment after `t_ns` at which VUs or rate may differ; UINT64_MAX: there is none. */
static uint64_t next_change_ns(const struct plan *p, uint32_t stage, uint64_t t_ns)
{
    const struct plan_stage *s = &p->stages[stage];
    const struct ramp_config *ramp = &s->config->ramp;

    if (ramp->mode == RAMP_LINEAR) {
        uint64_t part = s->levels.duration_ns / LINEAR_STEPS;
        return part > 0 ? t_ns + part : UINT64_MAX;
    }
    uint64_t next = plan_next_level_ns(p, stage, t_ns);
    if (s->levels.open_model && ramp->step_every_ns > 0 &&
        t_ns < levels_rate_climb_ns(s->config, &s->levels)) {
        uint64_t rate = (t_ns / ramp->step_every_ns + 1) * ramp->step_every_ns;
        next = rate < next ? rate : next;
    }
    return next;
}

uint32_t plan_steps(const struct plan *p, uint32_t stage, uint64_t at_ns[PLAN_STEPS_MAX])
{
    uint64_t end_ns = p->stages[stage].levels.duration_ns;
    uint32_t count = 0, vus = 0;
    double rps = 0;

    for (uint64_t t = 0; t == 0 || t < end_ns; t = next_change_ns(p, stage, t)) {
        if (t > 0 && plan_level(p, stage, t) == vus && plan_rate(p, stage, t) == rps) {
            continue;
        }
        if (count == PLAN_STEPS_MAX) {
            return PLAN_STEPS_MAX + 1;
        }
        if (at_ns != NULL) {
            at_ns[count] = t;
        }
        count++;
        vus = plan_level(p, stage, t);
        rps = plan_rate(p, stage, t);
    }
    return count;
}

/* The stage's pieces: one per step, or a line, and what is left at the top. */
static void add_pieces(struct plan *p, const struct plan_stage *s)
{
    const struct stage_config *c = s->config;
    uint64_t left = s->levels.duration_ns, climbing = levels_rate_climb_ns(c, &s->levels);
    bool linear = c->ramp.mode == RAMP_LINEAR;

    if (climbing > left) {
        climbing = left;
    }
    if (linear && climbing > 0) {
        schedule_add(&p->schedule, climbing, levels_rate(c, &s->levels, 0),
                     levels_rate(c, &s->levels, climbing));
        left -= climbing;
    }
    for (uint64_t t = 0; !linear && t < climbing; t += c->ramp.step_every_ns) {
        uint64_t part = climbing - t < c->ramp.step_every_ns ? climbing - t : c->ramp.step_every_ns;
        double rate = levels_rate(c, &s->levels, t);
        schedule_add(&p->schedule, part, rate, rate);
        left -= part;
    }
    if (left > 0) {
        schedule_add(&p->schedule, left, s->levels.rps, s->levels.rps);
    }
}

/* A level goes one way. */
static uint32_t most_vus(const struct plan *p, const struct plan_stage *s)
{
    uint32_t first = levels_vus(s->config, &s->levels, 0), last = s->levels.end_vus;

    if (s->levels.sized) {
        return (uint32_t)p->scenario->safety.caps.max_vus;
    }
    return first > last ? first : last;
}

void plan_compile_stages(struct plan *p)
{
    const struct scenario *sc = p->scenario;
    const struct stage_levels *before = NULL;
    bool open = false, closed = false;

    p->stages = arena_array(&p->arena_, sc->stage_count, sizeof *p->stages);
    for (size_t i = 0; i < sc->stage_count; i++) {
        if (!sc->stages[i].enabled) {
            continue;
        }
        struct plan_stage *s = &p->stages[p->stage_count++];
        s->config = &sc->stages[i];
        levels_of_stage(sc, s->config, before, &s->levels);
        before = &s->levels;
        s->most_vus = most_vus(p, s);
        p->max_vus = s->most_vus > p->max_vus ? s->most_vus : p->max_vus;
        s->schedule_ns = p->schedule.end_ns;
        s->first_arrival = schedule_arrivals(&p->schedule);
        open = open || s->levels.open_model;
        closed = closed || !s->levels.open_model;
        if (s->levels.open_model) {
            add_pieces(p, s);
        }
        s->end_arrival = schedule_arrivals(&p->schedule);
    }
    p->both_models = open && closed;
}
