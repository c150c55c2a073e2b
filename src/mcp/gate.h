/* SPDX-License-Identifier: MIT */
/*
 * hard_caps.max_rps of one thread: permission to send a request. Whoever gets none waits in a queue
 * with one timer, first come, first served. What belongs to something that has begun (the set-up of
 * a session, a page, a goodbye) goes before what would begin something new.
 *
 * Two rules, both of which must hold.
 *
 * Pace: requests are an interval of 1 s ÷ cap apart. As the timer comes late, up to a burst of
 * max(1 ms, the lateness measured lately) may be caught up (generic cell rate algorithm, ITU-T
 * I.371).
 *
 * Count: the last `cap` requests lie more than a second back, so that no second sees more. Of a cap
 * with a fraction the last ⌊cap⌋ lie ⌊cap⌋ ÷ cap seconds back, so that the fraction is not lost.
 * Arrivals of a schedule that are on time need not ask for that: the schedule has not more either.
 *
 * Belongs to one thread. A cap of 0 is none; it costs a comparison.
 */
#ifndef MCP_GATE_H
#define MCP_GATE_H

#include "base/list.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <stdint.h>

/* Above this cap the count rule is left to the pace (no thread sends as fast). */
enum { GATE_COUNTED_MAX = 1 << 18 };

/* Somebody who wants to send. */
struct gate_wait {
    struct list node; /* list_init before use; linked while it waits */
    bool is_new;      /* it would begin something */
    uint64_t since_ns;
    /* It may send now, and has been counted. */
    void (*go)(struct gate_wait *wait, uint64_t waited_ns);
};

struct gate {
    struct loop *loop;
    bool is_closed;       /* nothing at all may be sent */
    uint64_t interval_ns; /* 0: no cap */
    uint64_t next_ns;     /* when the next one would be due */
    uint64_t lateness_ns; /* of the timer, the largest lately */
    uint64_t *recent;     /* when the last `count` were sent, a ring; NULL: not kept */
    uint32_t count, at;
    uint64_t span_ns;       /* that many lie so far back */
    uint64_t overwritten;   /* what stood in `recent` before the last permission */
    struct list begun, new; /* those that wait */
    struct send timer;
    uint64_t held; /* requests that had to wait, so far */
};

/* `cap_rps`: requests a second, of this thread; 0: none; below 0: nothing may be sent. */
void gate_init(struct gate *g, struct loop *loop, double cap_rps);
/* Nobody waits any more. */
void gate_clear(struct gate *g);

/* True: it may be sent now, and is counted. False: `wait->go` comes later, never inside. */
bool gate_enter(struct gate *g, struct gate_wait *wait, uint64_t now_ns);
/* Likewise for what is due by a schedule that keeps to the cap, and on time. */
bool gate_enter_on_time(struct gate *g, struct gate_wait *wait, uint64_t now_ns);
/* It does not want any more. Fine when it does not wait. */
void gate_leave(struct gate_wait *wait);
/* The permission that was given just now is not used. */
void gate_give_back(struct gate *g);
/* Nor is one that was given some time ago: the pace makes it up; the count rule does not, to be
 * safe. */
void gate_give_back_late(struct gate *g);

static inline bool gate_is_open(const struct gate *g)
{
    return g->interval_ns == 0;
}

static inline bool gate_waits(const struct gate_wait *wait)
{
    return !list_empty(&wait->node);
}

#endif
