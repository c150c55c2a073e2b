/* SPDX-License-Identifier: MIT */
/*
 * How far this machine's monotonic clock is ahead of the control plane's, from round trips: the
 * other clock was read somewhere between the sending of a question and the answer, so half of the
 * time between bounds the error. Of the last CLOCK_SAMPLES round trips the shortest one counts:
 * older ones are forgotten, because clocks drift.
 *
 * An offset that the error covers is 0: then both clocks are one, of one machine. (Those of two
 * machines began when they were started, and do not meet within microseconds.)
 */
#ifndef WORKER_CLOCK_OFFSET_H
#define WORKER_CLOCK_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_SAMPLES = 64 };

struct clock_offset {
    struct {
        int64_t ahead_ns;
        uint64_t round_trip_ns;
    } samples_[CLOCK_SAMPLES];
    uint64_t count; /* of samples ever */
};

/* A question was sent at `sent_ns`, answered at `received_ns` (of our clock), and `other_ns` is
 * what the other clock showed in between. One that ends before it begins is ignored. */
void clock_offset_add(struct clock_offset *c,
                      uint64_t sent_ns,
                      uint64_t received_ns,
                      uint64_t other_ns);
/* ours - theirs, and how wrong that may be. Without a sample 0 and UINT64_MAX. `error_ns` may be
 * NULL. */
int64_t clock_offset_ns(const struct clock_offset *c, uint64_t *error_ns);

/* An instant of their clock on ours. Instants that mean "never" (0, UINT64_MAX) stay. */
uint64_t clock_offset_to_ours(int64_t ahead_ns, uint64_t theirs_ns);

#endif
