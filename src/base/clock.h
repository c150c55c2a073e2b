/* SPDX-License-Identifier: MIT */
/*
 * Monotonic nanoseconds, injected: a loop has a clock, tests give it one that they move by hand.
 * Measurements read the clock at the event (about 25 ns through the vDSO); see the section on time
 * in ARCHITECTURE.md.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

struct clock {
    /* Time of a virtual clock; NULL for the real one. */
    const uint64_t *virtual_ns;
};

static inline uint64_t clock_monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_now(const struct clock *c)
{
    return c->virtual_ns != NULL ? *c->virtual_ns : clock_monotonic_ns();
}

/* Milliseconds since 1970, for display and files only; may step. */
static inline uint64_t clock_wall_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / NS_PER_MS;
}

#endif
