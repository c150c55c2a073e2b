/* SPDX-License-Identifier: MIT */
#include "plan/dealing.h"

static const struct plan_stage *stage_of(const struct plan *p, const struct dealt *d)
{
    return &p->stages[d->stage];
}

static uint64_t due_in_stage(const struct plan *p, const struct dealt *d, uint64_t i)
{
    size_t piece = d->piece_;

    return schedule_next_ns(&p->schedule, i, &piece) - stage_of(p, d)->schedule_ns;
}

/* The first arrival of the stage after d->i that is due at or after `t_ns`; d->i is due before. The
 * search takes ever longer steps, for it is seldom far. */
static uint64_t first_due_at(const struct plan *p, const struct dealt *d, uint64_t t_ns)
{
    uint64_t low = d->i, high = stage_of(p, d)->end_arrival, step = 1;

    while (step < high - low && due_in_stage(p, d, low + step) < t_ns) {
        low += step;
        step *= 2;
    }
    high = step < high - low ? low + step : high;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (due_in_stage(p, d, middle) < t_ns) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

/* How many users share the arrivals from d->i on, and until which. */
static void take_users(const struct plan *p, struct dealt *d)
{
    const struct plan_stage *stage = stage_of(p, d);
    uint64_t t_ns = due_in_stage(p, d, d->i), until = UINT64_MAX;

    d->users_ = 1;
    if (!stage->levels.sized) {
        uint32_t started = starting_count(p, &d->starting_, t_ns);

        d->users_ = started > 0 ? started : 1;
        until = starting_holds_ns(p, &d->starting_, t_ns);
    }
    d->users_end_ = until == UINT64_MAX ? stage->end_arrival : first_due_at(p, d, until);
}

/* d->i is none of its stage's, or the first of a stage. False: there is no further stage. */
static bool enter_stage(const struct plan *p, struct dealt *d)
{
    while (d->stage < p->stage_count && d->i >= stage_of(p, d)->end_arrival) {
        starting_next_stage(p, &d->starting_);
        d->stage++;
    }
    if (d->stage == p->stage_count) {
        return false;
    }
    take_users(p, d);
    return true;
}

/* The first number ≥ i that is the segment's own, with these users. */
static uint64_t
own_from(const struct plan *p, const struct dealt *d, const struct segment *segment, uint64_t i)
{
    if (stage_of(p, d)->levels.sized) {
        return segment_next(*segment, i);
    }
    uint64_t user = i % d->users_, own = segment_next(*segment, user);

    if (own < d->users_) {
        return i + own - user;
    }
    own = segment_next(*segment, 0);
    return own < d->users_ ? i + d->users_ - user + own : UINT64_MAX;
}

/* The first from d->i on. */
static void find(const struct plan *p, const struct segment *segment, struct dealt *d)
{
    for (;;) {
        uint64_t own = own_from(p, d, segment, d->i);

        if (own < d->users_end_) {
            d->i = own;
            d->due_ns =
                schedule_next_ns(&p->schedule, own, &d->piece_) - stage_of(p, d)->schedule_ns;
            return;
        }
        d->i = d->users_end_;
        if (d->i < stage_of(p, d)->end_arrival) {
            take_users(p, d);
        } else if (!enter_stage(p, d)) {
            return;
        }
    }
}

void dealing_first(const struct plan *p, const struct segment *segment, struct dealt *d)
{
    *d = (struct dealt){.i = 0};
    starting_first(p, &d->starting_);
    if (enter_stage(p, d)) {
        find(p, segment, d);
    }
}

void dealing_next(const struct plan *p, const struct segment *segment, struct dealt *d)
{
    d->i++;
    if (d->i < stage_of(p, d)->end_arrival || enter_stage(p, d)) {
        find(p, segment, d);
    }
}
