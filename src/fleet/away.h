/* SPDX-License-Identifier: MIT */
/*
 * Time in which this process did not run: stopped, suspended, without a core. Whoever waits for
 * signs of life looks for them in regular steps; a step that took much longer was not the others'
 * silence, since nobody listened: what they said meanwhile is only about to be read.
 */
#ifndef FLEET_AWAY_H
#define FLEET_AWAY_H

#include "base/clock.h"

#define AWAY_NS (2 * NS_PER_S) /* between two looks; shorter ones are jitter */

/* To be asked at every look, `step_ns` apart. *looked_ns: the last one, or when the waiting began.
 * How long this process was away since then; 0: it was not. */
static inline uint64_t away_since(uint64_t *looked_ns, uint64_t now, uint64_t step_ns)
{
    uint64_t since = now - *looked_ns;

    *looked_ns = now;
    return since > AWAY_NS ? since - step_ns : 0;
}

/* When somebody was last heard, with that time taken out. */
static inline uint64_t away_forgive(uint64_t heard_ns, uint64_t away, uint64_t now)
{
    return now - heard_ns > away ? heard_ns + away : now;
}

#endif
