/* SPDX-License-Identifier: MIT */
/*
 * When the arrivals of an open load are due, in closed form: piecewise linear rates, inverted. A
 * pure function of the arrival's number, so that any thread or machine can compute any arrival, and
 * no drift can add up.
 *
 *   C(t) = ∫ rate;  arrival i (from 0) is due at C(t) = i;  all in integers where rates are
 * constant
 *
 * Rates are micro-operations per second. Areas are kept exactly, in units of 1/(2·10^15) arrivals,
 * so that fractions of an arrival carry over the pieces' boundaries.
 */
#ifndef PLAN_SCHEDULE_H
#define PLAN_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 schedule_area;

struct schedule_piece {
    uint64_t t0_ns, dur_ns;
    uint64_t a_u, b_u; /* rate at its beginning and end, micro-operations per second */
    schedule_area c0;  /* area of the pieces before */
};

/* All zero: nothing. Times are on a line of its own that begins at 0. */
struct schedule {
    struct schedule_piece *pieces; /* owned */
    size_t count, cap_;
    uint64_t end_ns;
    schedule_area area;
};

/* Another piece at the end; rates in operations per second, 0 .. 1e8. */
void schedule_add(struct schedule *s, uint64_t dur_ns, double from_rps, double to_rps);
void schedule_clear(struct schedule *s);
/* Arrivals of all pieces so far: those with a number below it. */
uint64_t schedule_arrivals(const struct schedule *s);
/* When arrival `i` is due; UINT64_MAX beyond the end. */
uint64_t schedule_due_ns(const struct schedule *s, uint64_t i);
/* As schedule_due_ns, for one who asks for rising numbers: `piece` starts at 0 and is kept. */
uint64_t schedule_next_ns(const struct schedule *s, uint64_t i, size_t *piece);

#endif
