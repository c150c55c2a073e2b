/* SPDX-License-Identifier: MIT */
#include "scenario/config/shares.h"

#include <assert.h>

void shares_split(const struct named_weight *shares, size_t count, uint64_t total, uint64_t *parts)
{
    uint64_t remainders[SHARES_MAX], sum = 0, left = total;

    assert(count > 0 && count <= SHARES_MAX && total <= UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        sum += shares[i].weight;
    }
    for (size_t i = 0; i < count; i++) {
        parts[i] = total * shares[i].weight / sum;
        remainders[i] = total * shares[i].weight % sum;
        left -= parts[i];
    }
    for (; left > 0; left--) { /* fewer than `count`, so each is rounded up once at most */
        size_t most = 0;

        for (size_t i = 1; i < count; i++) {
            most = remainders[i] > remainders[most] ? i : most;
        }
        parts[most]++;
        remainders[most] = 0;
    }
}
