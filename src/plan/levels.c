/* SPDX-License-Identifier: MIT */
/* What the stages want at each moment: virtual users and rates. */
#include "plan/levels.h"

#include "base/clock.h"
#include "base/mem.h"
#include "scenario/fields.h"

#include <math.h>

enum { DEFAULT_STEPS = 5, SIZED_LATENCY_MS = 100 };
#define STEP_SPREAD_NS (100 * NS_PER_MS) /* longest, of the VUs that a step adds */

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

static struct climb vus_of(const struct plan_stage *s)
{
    const struct ramp_config *r = &s->config->ramp;
    bool unset = r->step_vus == FIELD_UNSET;

    return (struct climb){
        .linear = r->mode == RAMP_LINEAR,
        .from = s->start_vus,
        .to = s->vus,
        .step = unset ? 0 : (double)r->step_vus,
        .every_ns = r->step_every_ns,
        .span_ns = span_of(s->config),
        /* While the rate climbs the VUs are only the capacity for it. */
        .stands = !r->given || s->sized || (unset && ramps_rate(s->config)) ||
                  (!unset && r->step_vus == 0),
    };
}

static struct climb rate_of(const struct plan_stage *s)
{
    const struct ramp_config *r = &s->config->ramp;

    return (struct climb){
        .linear = r->mode == RAMP_LINEAR,
        .from = s->start_rps,
        .to = s->rps,
        .step = r->step_rps,
        .every_ns = r->step_every_ns,
        .span_ns = span_of(s->config),
        .stands = !ramps_rate(s->config),
    };
}

uint32_t plan_level(const struct plan *p, uint32_t stage, uint64_t t_ns)
{
    const struct plan_stage *s = &p->stages[stage];
    struct climb c = vus_of(s);
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

uint64_t plan_next_level_ns(const struct plan *p, uint32_t stage, uint64_t t_ns)
{
    const struct plan_stage *s = &p->stages[stage];
    struct climb c = vus_of(s);
    uint64_t all = climb_ns(&c), next;

    if (c.stands || t_ns >= all) {
        return UINT64_MAX;
    }
    if (c.linear) {
        next = next_on_line(&c, plan_level(p, stage, t_ns));
        return next > t_ns ? next : t_ns + 1;
    }
    return (t_ns / c.every_ns + 1) * c.every_ns;
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
        spread = c->ramp.mode == RAMP_LINEAR ? 0
                 : spread < STEP_SPREAD_NS   ? spread
                                             : STEP_SPREAD_NS;
    }
    return spread / (after - before) * (vu - before);
}

uint64_t plan_ramp_needs_ns(const struct plan *p, uint32_t stage)
{
    const struct plan_stage *s = &p->stages[stage];
    struct climb vus = vus_of(s), rate = rate_of(s);
    uint64_t a = climb_ns(&vus), b = climb_ns(&rate), longer = a > b ? a : b;

    if (longer == 0) {
        return s->config->duration_ns;
    }
    return longer > UINT64_MAX - s->config->ramp.hold_ns ? UINT64_MAX
                                                         : longer + s->config->ramp.hold_ns;
}

/* ---- of rates -------------------------------------------------------------------------------- */

double plan_rate(const struct plan *p, uint32_t stage, uint64_t t_ns)
{
    const struct plan_stage *s = &p->stages[stage];
    struct climb c = rate_of(s);

    return s->open_model ? climb_at(&c, t_ns) : 0;
}

uint64_t plan_slots_needed(double rps, double latency_s)
{
    double n = rps * latency_s;

    return n > 0 ? (uint64_t)ceil(n + 3 * sqrt(n)) : 1;
}

/* The stage's pieces: one per step, or a line, and what is left at the top. */
static void add_pieces(struct plan *p, const struct plan_stage *s)
{
    struct climb c = rate_of(s);
    uint64_t left = s->duration_ns, climbing = climb_ns(&c);

    if (climbing > left) {
        climbing = left;
    }
    if (c.linear && climbing > 0) {
        schedule_add(&p->schedule, climbing, c.from, climb_at(&c, climbing));
        left -= climbing;
    }
    for (uint64_t t = 0; !c.linear && t < climbing; t += c.every_ns) {
        uint64_t part = climbing - t < c.every_ns ? climbing - t : c.every_ns;
        double rate = climb_at(&c, t);
        schedule_add(&p->schedule, part, rate, rate);
        left -= part;
    }
    if (left > 0) {
        schedule_add(&p->schedule, left, c.to, c.to);
    }
}

/* ---- the stages ------------------------------------------------------------------------------ */

static uint32_t cut_vus(const struct plan *p, uint64_t vus)
{
    uint64_t most = p->scenario->safety.caps.max_vus;

    return (uint32_t)(vus < most ? vus : most);
}

static double cut_rps(const struct plan *p, double rps)
{
    double most = p->scenario->safety.caps.max_rps;

    return most > 0 && rps > most ? most : rps;
}

static uint64_t top_vus(const struct stage_config *c)
{
    const struct ramp_config *r = &c->ramp;

    return r->given && r->max_vus != FIELD_UNSET && r->max_vus > c->target_vus ? r->max_vus
                                                                               : c->target_vus;
}

static void level_of(const struct plan *p, struct plan_stage *s, const struct plan_stage *before)
{
    const struct stage_config *c = s->config;
    const struct ramp_config *r = &c->ramp;
    double top_rps = r->given && r->max_rps > c->target_rps ? r->max_rps : c->target_rps;

    s->open_model = c->target_rps > 0;
    s->sized = s->open_model && c->target_vus == 0;
    s->rps = s->open_model ? cut_rps(p, top_rps) : 0;
    s->start_rps = r->has_start_rps ? cut_rps(p, r->start_rps) : before != NULL ? before->rps : 0;
    s->start_vus = r->has_start_vus ? cut_vus(p, r->start_vus)
                   : before != NULL ? before->end_vus
                                    : 0;
    if (s->sized) {
        uint64_t slots = plan_slots_needed(s->rps, SIZED_LATENCY_MS / 1e3);
        s->vus = cut_vus(p, (slots + p->slots - 1) / p->slots);
    } else {
        s->vus = cut_vus(p, top_vus(c));
    }
}

void plan_compile_stages(struct plan *p)
{
    const struct scenario *sc = p->scenario;

    p->stages = arena_array(&p->arena_, sc->stage_count, sizeof *p->stages);
    for (size_t i = 0; i < sc->stage_count; i++) {
        const struct stage_config *c = &sc->stages[i];

        if (!c->enabled) {
            continue;
        }
        uint32_t n = p->stage_count++;
        struct plan_stage *s = &p->stages[n];
        s->config = c;
        level_of(p, s, n > 0 ? s - 1 : NULL);
        uint64_t needs = plan_ramp_needs_ns(p, n), most = c->max_duration_ns;
        s->overruns = most > 0 && needs > most;
        s->duration_ns = needs <= c->duration_ns || most == 0 ? c->duration_ns
                         : needs < most                       ? needs
                                                              : most;
        s->end_vus = plan_level(p, n, s->duration_ns);
        p->max_vus = s->vus > p->max_vus ? s->vus : p->max_vus;
        p->max_vus = s->sized ? (uint32_t)sc->safety.caps.max_vus : p->max_vus;
        s->schedule_ns = p->schedule.end_ns;
        s->first_arrival = schedule_arrivals(&p->schedule);
        if (s->open_model) {
            add_pieces(p, s);
        }
        s->end_arrival = schedule_arrivals(&p->schedule);
    }
}
