/* SPDX-License-Identifier: MIT */
#include "plan/starting.h"

#include "plan/levels.h"

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When user c->started does; UINT64_MAX: the stage does not want one. */
static uint64_t next_start_ns(const struct plan *p, struct starting *c)
{
    while (c->started >= c->after) {
        uint64_t next = plan_next_level_ns(p, c->stage, c->added_ns);

        if (next == UINT64_MAX) {
            return UINT64_MAX;
        }
        c->added_ns = next;
        c->before = c->after;
        c->after = plan_level(p, c->stage, next);
    }
    if (c->started < c->before) {
        return c->late_ns;
    }
    return c->added_ns + plan_start_ns(p, c->stage, c->added_ns, c->before, c->after, c->started);
}

/* The level was `before` when the stage began. */
static void begin(const struct plan *p, struct starting *c, uint32_t before)
{
    c->before = before;
    c->after = plan_level(p, c->stage, 0);
    c->added_ns = 0;
    if (c->started > c->after) { /* the others have left, and would start anew */
        c->started = c->after;
    }
}

void starting_first(const struct plan *p, struct starting *c)
{
    *c = (struct starting){.stage = 0};
    begin(p, c, 0);
}

void starting_next_stage(const struct plan *p, struct starting *c)
{
    const struct plan_stage *s = &p->stages[c->stage];
    uint64_t lasted = s->levels.duration_ns;
    uint64_t last_start =
        later(c->late_ns, later(s->config->start_spread_ns, lasted + PLAN_STEP_SPREAD_NS));

    c->started = starting_count(p, c, lasted > 0 ? lasted - 1 : 0);
    c->late_ns = c->started < s->levels.end_vus ? last_start - lasted : 0;
    c->stage++;
    if (c->stage < p->stage_count) {
        begin(p, c, s->levels.end_vus);
    }
}

uint32_t starting_count(const struct plan *p, struct starting *c, uint64_t t_ns)
{
    uint32_t level = plan_level(p, c->stage, t_ns);

    while (next_start_ns(p, c) <= t_ns) {
        c->started++;
    }
    return c->started < level ? c->started : level;
}

uint64_t starting_holds_ns(const struct plan *p, struct starting *c, uint64_t t_ns)
{
    uint64_t start = next_start_ns(p, c), level = plan_next_level_ns(p, c->stage, t_ns);

    return start < level ? start : level;
}
