/* SPDX-License-Identifier: MIT */
#include "plan/schedule.h"

#include "base/mem.h"

#include <math.h>

#define AREA_OF_ONE UINT64_C(2000000000000000) /* one arrival */
#define MICRO       1e6

void schedule_add(struct schedule *s, uint64_t dur_ns, double from_rps, double to_rps)
{
    struct schedule_piece piece = {
        .t0_ns = s->end_ns,
        .dur_ns = dur_ns,
        .a_u = (uint64_t)llround(from_rps * MICRO),
        .b_u = (uint64_t)llround(to_rps * MICRO),
        .c0 = s->area,
    };

    if (s->count == s->cap_) {
        s->cap_ = s->cap_ == 0 ? 8 : s->cap_ * 2;
        s->pieces = xrealloc(s->pieces, s->cap_ * sizeof *s->pieces);
    }
    s->pieces[s->count++] = piece;
    s->area += ((schedule_area)piece.a_u + piece.b_u) * dur_ns;
    s->end_ns += dur_ns;
}

void schedule_clear(struct schedule *s)
{
    xfree(s->pieces);
    *s = (struct schedule){0};
}

uint64_t schedule_arrivals(const struct schedule *s)
{
    return (uint64_t)((s->area + AREA_OF_ONE - 1) / AREA_OF_ONE);
}

/* `need` is the area from the piece's beginning. */
static uint64_t invert(const struct schedule_piece *p, schedule_area area, schedule_area need)
{
    if (p->a_u == p->b_u) { /* exact integers */
        return p->t0_ns + (uint64_t)(need / (2 * (schedule_area)p->a_u));
    }
    double a = (double)p->a_u / 1e15, b = (double)p->b_u / 1e15, dur = (double)p->dur_ns;
    if (a < b) { /* the stable form of (-a + sqrt(a² + 2kx)) / k */
        double x = (double)need / 2e15, k = (b - a) / dur;
        return need == 0 ? p->t0_ns : p->t0_ns + (uint64_t)(2 * x / (a + sqrt(a * a + 2 * k * x)));
    }
    /* Falling: measured from the end. */
    double m = (double)(area - need) / 2e15, k = (a - b) / dur;
    return p->t0_ns + (uint64_t)(dur - 2 * m / (b + sqrt(b * b + 2 * k * m)));
}

uint64_t schedule_next_ns(const struct schedule *s, uint64_t i, size_t *piece)
{
    schedule_area want = (schedule_area)i * AREA_OF_ONE;

    for (; *piece < s->count; ++*piece) {
        const struct schedule_piece *p = &s->pieces[*piece];
        schedule_area area = ((schedule_area)p->a_u + p->b_u) * p->dur_ns;

        if (want < p->c0 + area) {
            return invert(p, area, want - p->c0);
        }
    }
    return UINT64_MAX;
}

uint64_t schedule_due_ns(const struct schedule *s, uint64_t i)
{
    size_t piece = 0;

    return schedule_next_ns(s, i, &piece);
}
