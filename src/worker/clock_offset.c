/* SPDX-License-Identifier: MIT */
#include "worker/clock_offset.h"

#include <stddef.h>

void clock_offset_add(struct clock_offset *c,
                      uint64_t sent_ns,
                      uint64_t received_ns,
                      uint64_t other_ns)
{
    if (received_ns < sent_ns) {
        return;
    }
    uint64_t round_trip = received_ns - sent_ns, middle = sent_ns + round_trip / 2;
    size_t at = c->count++ % CLOCK_SAMPLES;

    c->samples_[at].ahead_ns = (int64_t)(middle - other_ns);
    c->samples_[at].round_trip_ns = round_trip;
}

int64_t clock_offset_ns(const struct clock_offset *c, uint64_t *error_ns)
{
    size_t count = c->count < CLOCK_SAMPLES ? c->count : CLOCK_SAMPLES, best = 0;
    uint64_t error = UINT64_MAX;
    int64_t ahead = 0;

    for (size_t i = 1; i < count; i++) {
        best = c->samples_[i].round_trip_ns < c->samples_[best].round_trip_ns ? i : best;
    }
    if (count > 0) {
        error = c->samples_[best].round_trip_ns / 2 + 1; /* the half was rounded down */
        ahead = c->samples_[best].ahead_ns;
    }
    if (error_ns != NULL) {
        *error_ns = error;
    }
    uint64_t distance = ahead < 0 ? -(uint64_t)ahead : (uint64_t)ahead;
    return distance <= error ? 0 : ahead;
}

uint64_t clock_offset_to_ours(int64_t ahead_ns, uint64_t theirs_ns)
{
    if (theirs_ns == 0 || theirs_ns == UINT64_MAX) {
        return theirs_ns;
    }
    return theirs_ns + (uint64_t)ahead_ns;
}
