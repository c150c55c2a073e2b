/* SPDX-License-Identifier: MIT */
#include "scenario/config/levels.h"

#include "base/clock.h"

#include <math.h>

enum { DEFAULT_STEPS = 5, SIZED_LATENCY_MS = 100 };

/* The way from one level to another, of VUs or of a rate. */
struct climb {
    bool linear;
    double from, to;
    double step; /* per `every_ns`; 0: in DEFAULT_STEPS parts, the first of them at once */
    uint64_t every_ns;
    uint64_t span_ns; /* linear without a step: the time that it takes */
    bool stands;      /* there is no way: `to` from the beginning */
};

/* The time after which the level is `to`; UINT64_MAX: never. */
static uint64_t climb_ns(const struct climb *c)
{
    double way = fabs(c->to - c->from), steps;

    if (c->stands || way <= 0) {
        return 0;
    }
    if (c->linear && c->step <= 0) {
        return c->span_ns;
    }
    if (c->step <= 0) {
        return (DEFAULT_STEPS - 1) * c->every_ns;
    }
    steps = c->linear ? way / c->step : ceil(way / c->step);
    return steps < 1e6 ? (uint64_t)ceil(steps * (double)c->every_ns) : UINT64_MAX;
}

/* Level after `k` steps. */
static double after_steps(const struct climb *c, uint64_t k)
{
    double way = c->to - c->from;
    double sign = way < 0 ? -1 : 1;

    if (c->step <= 0) {
        double part = k + 1 < DEFAULT_STEPS ? (double)(k + 1) / DEFAULT_STEPS : 1;
        return c->from + way * part;
    }
    double done = (double)k * c->step;
    return done < fabs(way) ? c->from + sign * done : c->to;
}

static double climb_at(const struct climb *c, uint64_t t_ns)
{
    uint64_t all = climb_ns(c);

    if (c->stands || t_ns >= all) {
        return c->to;
    }
    if (!c->linear) {
        return after_steps(c, t_ns / c->every_ns);
    }
    if (c->step > 0) {
        double sign = c->to < c->from ? -1 : 1;
        return c->from + sign * c->step * ((double)t_ns / (double)c->every_ns);
    }
    return c->from + (c->to - c->from) * ((double)t_ns / (double)all);
}

/* ---- of virtual users ------------------------------------------------------------------------ */

static bool ramps_rate(const struct stage_config *c)
{
    return c->ramp.given && c->target_rps > 0 &&
           (c->ramp.step_rps > 0 || c->ramp.has_start_rps || c->ramp.max_rps > 0);
}

static uint64_t span_of(const struct stage_config *c)
{
    return c->duration_ns > c->ramp.hold_ns ? c->duration_ns - c->ramp.hold_ns : c->duration_ns;
}

static struct climb vus_of(const struct stage_config *c, const struct stage_levels *l)
{
    const struct ramp_config *r = &c->ramp;
    bool unset = r->step_vus == FIELD_UNSET;

    return (struct climb){
        .linear = r->mode == RAMP_LINEAR,
        .from = l->start_vus,
        .to = l->vus,
        .step = unset ? 0 : (double)r->step_vus,
        .every_ns = r->step_every_ns,
        .span_ns = span_of(c),
        /* While the rate climbs the VUs are only the capacity for it. */
        .stands = !r->given || l->sized || (unset && ramps_rate(c)) || (!unset && r->step_vus == 0),
    };
}

static struct climb rate_of(const struct stage_config *c, const struct stage_levels *l)
{
    const struct ramp_config *r = &c->ramp;

    return (struct climb){
        .linear = r->mode == RAMP_LINEAR,
        .from = l->start_rps,
        .to = l->rps,
        .step = r->step_rps,
        .every_ns = r->step_every_ns,
        .span_ns = span_of(c),
        .stands = !ramps_rate(c),
    };
}

uint32_t levels_vus(const struct stage_config *config, const struct stage_levels *l, uint64_t t_ns)
{
    struct climb c = vus_of(config, l);
    double level = climb_at(&c, t_ns);

    /* A fifth of the way is rounded away from where it began; a line is where it has come to. */
    if (c.linear && c.step > 0) {
        level += c.to < c.from ? 1e-9 : -1e-9;
    }
    bool up = c.linear ? c.to < c.from : c.to >= c.from;
    return (uint32_t)(up ? ceil(level - 1e-9) : floor(level + 1e-9));
}

/* The moment at which a line passes the next whole VU. */
static uint64_t next_on_line(const struct climb *c, uint32_t level)
{
    uint64_t all = climb_ns(c);
    double way = fabs(c->to - c->from);
    double gone = fabs((double)level - c->from) + 1;

    return gone >= way ? all : (uint64_t)ceil((double)all * gone / way);
}

uint64_t
levels_next_ns(const struct stage_config *config, const struct stage_levels *l, uint64_t t_ns)
{
    struct climb c = vus_of(config, l);
    uint64_t all = climb_ns(&c), next;

    if (c.stands || t_ns >= all) {
        return UINT64_MAX;
    }
    if (c.linear) {
        next = next_on_line(&c, levels_vus(config, l, t_ns));
        return next > t_ns ? next : t_ns + 1;
    }
    return (t_ns / c.every_ns + 1) * c.every_ns;
}

/* ---- of rates -------------------------------------------------------------------------------- */

uint64_t levels_rate_climb_ns(const struct stage_config *config, const struct stage_levels *l)
{
    struct climb c = rate_of(config, l);

    return climb_ns(&c);
}

double levels_rate(const struct stage_config *config, const struct stage_levels *l, uint64_t t_ns)
{
    struct climb c = rate_of(config, l);

    return l->open_model ? climb_at(&c, t_ns) : 0;
}

uint64_t levels_slots_needed(double rps, double latency_s)
{
    double n = rps * latency_s;

    return n > 0 ? (uint64_t)ceil(n + 3 * sqrt(n)) : 1;
}

/* ---- a stage --------------------------------------------------------------------------------- */

static uint32_t cut_vus(const struct scenario *s, uint64_t vus)
{
    uint64_t most = s->safety.caps.max_vus;

    return (uint32_t)(vus < most ? vus : most);
}

static double cut_rps(const struct scenario *s, double rps)
{
    double most = s->safety.caps.max_rps;

    return most > 0 && rps > most ? most : rps;
}

static uint64_t top_vus(const struct stage_config *c)
{
    const struct ramp_config *r = &c->ramp;

    return r->given && r->max_vus != FIELD_UNSET && r->max_vus > c->target_vus ? r->max_vus
                                                                               : c->target_vus;
}

static uint64_t sized_vus(const struct scenario *s, double rps)
{
    uint64_t slots = levels_slots_needed(rps, SIZED_LATENCY_MS / 1e3);
    uint64_t per_vu = s->workload.in_flight_per_vu > 0 ? s->workload.in_flight_per_vu : 1;

    return (slots + per_vu - 1) / per_vu;
}

static uint64_t needs_ns(const struct stage_config *c, const struct stage_levels *l)
{
    struct climb vus = vus_of(c, l), rate = rate_of(c, l);
    uint64_t a = climb_ns(&vus), b = climb_ns(&rate), longer = a > b ? a : b;

    if (longer == 0) {
        return c->duration_ns;
    }
    return longer > UINT64_MAX - c->ramp.hold_ns ? UINT64_MAX : longer + c->ramp.hold_ns;
}

void levels_of_stage(const struct scenario *s,
                     const struct stage_config *c,
                     const struct stage_levels *before,
                     struct stage_levels *out)
{
    const struct ramp_config *r = &c->ramp;
    uint64_t most = c->max_duration_ns;
    struct stage_levels l = {
        .open_model = c->target_rps > 0,
        .sized = c->target_rps > 0 && c->target_vus == 0,
        .start_vus = before != NULL ? before->end_vus : 0,
        .start_rps = before != NULL ? before->end_rps : 0,
    };

    if (l.open_model) {
        l.rps = cut_rps(s, r->given && r->max_rps > c->target_rps ? r->max_rps : c->target_rps);
    }
    if (r->has_start_rps) {
        l.start_rps = cut_rps(s, r->start_rps);
    }
    if (r->has_start_vus) {
        l.start_vus = cut_vus(s, r->start_vus);
    }
    l.vus = cut_vus(s, l.sized ? sized_vus(s, l.rps) : top_vus(c));
    l.needs_ns = needs_ns(c, &l);
    l.overruns = most > 0 && l.needs_ns > most;
    l.duration_ns = l.needs_ns <= c->duration_ns || most == 0 ? c->duration_ns
                    : l.needs_ns < most                       ? l.needs_ns
                                                              : most;
    uint64_t last_ns = l.duration_ns > 0 ? l.duration_ns - 1 : 0; /* just before the end */
    l.end_vus = levels_vus(c, &l, last_ns);
    l.end_rps = levels_rate(c, &l, last_ns);
    *out = l;
}
