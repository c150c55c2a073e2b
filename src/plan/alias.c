/* SPDX-License-Identifier: MIT */
#include "plan/alias.h"

#include "base/mem.h"
#include "base/rng.h"

#include <assert.h>

__extension__ typedef unsigned __int128 u128;

#define FULL (UINT64_C(1) << 32)

void alias_init(struct alias *a, struct arena *arena, const uint64_t *weights, uint32_t count)
{
    u128 sum = 0;
    u128 *share = xcalloc(count, sizeof *share); /* weight × count: 1 column is `sum` */
    uint32_t *small = xcalloc(count, sizeof *small), *large = xcalloc(count, sizeof *large);
    uint32_t small_count = 0, large_count = 0;

    a->count = count;
    a->keep = arena_array(arena, count, sizeof *a->keep);
    a->other = arena_array(arena, count, sizeof *a->other);
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    assert(sum > 0);
    for (uint32_t i = 0; i < count; i++) {
        share[i] = (u128)weights[i] * count;
        a->keep[i] = FULL;
        a->other[i] = i;
        if (share[i] < sum) {
            small[small_count++] = i;
        } else {
            large[large_count++] = i;
        }
    }
    while (small_count > 0 && large_count > 0) {
        uint32_t s = small[--small_count], l = large[large_count - 1];

        a->keep[s] = (uint64_t)(share[s] * FULL / sum);
        a->other[s] = l;
        share[l] -= sum - share[s];
        if (share[l] < sum) {
            large_count--;
            small[small_count++] = l;
        }
    }
    xfree(share);
    xfree(small);
    xfree(large);
}

uint32_t alias_pick(const struct alias *a, uint64_t random_bits)
{
    uint32_t column = (uint32_t)rng_below(random_bits, a->count);
    /* The column came from the high bits; the coin from the low ones, mixed to be independent. */
    uint64_t coin = rng_mix64(random_bits) & (FULL - 1);

    return coin < a->keep[column] ? column : a->other[column];
}
