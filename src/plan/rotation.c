/* SPDX-License-Identifier: MIT */
#include "plan/rotation.h"

#include "base/mem.h"

#include <assert.h>

static uint64_t divisor_of(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Small weights in the same proportions; returns their sum. */
static uint32_t reduce(const uint64_t *weights, uint32_t count, int64_t *out)
{
    uint64_t divisor = 0;
    double sum = 0;
    uint32_t length = 0;

    for (uint32_t i = 0; i < count; i++) {
        divisor = divisor_of(divisor, weights[i]);
        sum += (double)weights[i];
    }
    assert(divisor > 0);
    sum /= (double)divisor;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t reduced = weights[i] / divisor;
        double share = (double)reduced;

        if (sum > ROTATION_SUM_MAX) {
            share = share * ROTATION_SUM_MAX / sum;
            share = weights[i] > 0 && share < 1 ? 1 : share;
        }
        out[i] = (int64_t)(share + 0.5);
        length += (uint32_t)out[i];
    }
    return length;
}

void rotation_init(struct rotation *r, struct arena *arena, const uint64_t *weights, uint32_t count)
{
    int64_t *earned = xcalloc(count, sizeof *earned), *weight = xcalloc(count, sizeof *weight);

    r->length = reduce(weights, count, weight);
    r->turns = arena_array(arena, r->length, sizeof *r->turns);
    for (uint32_t turn = 0; turn < r->length; turn++) {
        uint32_t richest = 0;

        for (uint32_t i = 0; i < count; i++) {
            earned[i] += weight[i];
            richest = earned[i] > earned[richest] ? i : richest;
        }
        earned[richest] -= r->length;
        r->turns[turn] = richest;
    }
    xfree(earned);
    xfree(weight);
}
