/* SPDX-License-Identifier: MIT */
/*
 * Time-outs: a hashed hierarchical timing wheel (Varghese, Lauck 1987). Arming and cancelling cost
 * a few instructions; a timer is never early and at most one tick (65.5 µs) late. For time-outs,
 * nearly all of which are cancelled; the exact times of sends are in loop/sendheap.h.
 *
 * Pure: time is handed in.
 */
#ifndef LOOP_WHEEL_H
#define LOOP_WHEEL_H

#include "base/list.h"

#include <stdint.h>

enum {
    WHEEL_TICK_SHIFT = 16, /* a tick is 2^16 ns */
    WHEEL_LEVELS = 4,
    WHEEL_SLOTS = 256, /* 4 levels of 256 slots reach 78 hours; later times wait in the last slot */
};

struct timer {
    struct list node;
    uint64_t at_ns;
    void (*on_timer)(struct timer *t);
};

struct wheel {
    uint64_t tick; /* all timers up to and including this tick have expired */
    uint32_t count;
    uint64_t used[WHEEL_LEVELS][WHEEL_SLOTS / 64];
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void timer_init(struct timer *t, void (*on_timer)(struct timer *t));
static inline int timer_armed(const struct timer *t)
{
    return !list_empty(&t->node);
}

void wheel_init(struct wheel *w, uint64_t now_ns);
/* Arms, or moves, the timer. A time in the past expires at the next wheel_expire. */
void wheel_arm(struct wheel *w, struct timer *t, uint64_t at_ns);
/* Fine when it is not armed. */
void wheel_cancel(struct wheel *w, struct timer *t);
/* When to look next: never later than the earliest timer's tick; UINT64_MAX when none is armed. */
uint64_t wheel_next_ns(const struct wheel *w);
/* Moves every timer that is due at `now_ns` to `expired`, in the order of their ticks. They count
 * as armed until the caller takes each with wheel_cancel, so that one may still cancel another. */
void wheel_expire(struct wheel *w, uint64_t now_ns, struct list *expired);

#endif
