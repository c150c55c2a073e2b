/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "plan/alias.h"
#include "support/unit.h"

#define FULL (UINT64_C(1) << 32)

enum { WEIGHTS_MAX = 100 };

/* The share of each index, read off the table: columns are equally likely. */
static void shares(const struct alias *a, double *out)
{
    for (uint32_t i = 0; i < a->count; i++) {
        out[i] = 0;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        double keep = (double)a->keep[i] / (double)FULL;

        out[i] += keep / a->count;
        out[a->other[i]] += (1 - keep) / a->count;
    }
}

static void check(const uint64_t *weights, uint32_t count)
{
    struct arena arena = {0};
    struct alias a;
    double got[WEIGHTS_MAX], sum = 0;

    alias_init(&a, &arena, weights, count);
    shares(&a, got);
    for (uint32_t i = 0; i < count; i++) {
        sum += (double)weights[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        double off = got[i] - (double)weights[i] / sum;
        assert_true(off < 1e-9 && off > -1e-9);
        assert_true(a.keep[i] <= FULL);
        assert_true(weights[i] > 0 || got[i] < 1e-9);
    }
    arena_clear(&arena);
}

static void shares_are_exact_whatever_the_weights(void **state)
{
    static const uint64_t sets[][5] = {
        {1, 5}, {1}, {7, 7, 7, 7, 7}, {1, 100000}, {0, 3, 0, 1, 0}, {100000, 1, 1, 1, 1}, {3, 2, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        uint32_t count = 5;

        while (count > 1 && sets[i][count - 1] == 0) {
            count--;
        }
        check(sets[i], count);
    }
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint64_t weights[WEIGHTS_MAX];
        uint32_t count = (uint32_t)(1 + rng_at(seed, 0) % WEIGHTS_MAX);

        for (uint32_t i = 0; i < count; i++) {
            weights[i] = 1 + rng_below(rng_at(seed, i + 1), 100000);
        }
        check(weights, count);
    }
}

/* Column and coin come from the same 64 bits: the counts show whether they are independent. */
static void picks_follow_the_shares(void **state)
{
    static const uint64_t weights[] = {1, 5, 2, 12};
    enum { N = 200000 };
    struct arena arena = {0};
    struct alias a;
    double chi2 = 0;
    uint32_t counts[4] = {0};

    (void)state;
    alias_init(&a, &arena, weights, 4);
    for (uint64_t j = 0; j < N; j++) {
        uint32_t i = alias_pick(&a, rng_at(11, j));
        assert_true(i < 4);
        counts[i]++;
    }
    for (int i = 0; i < 4; i++) {
        double want = N * (double)weights[i] / 20;
        chi2 += (counts[i] - want) * (counts[i] - want) / want;
    }
    assert_true(chi2 < 16.3); /* 3 degrees of freedom, 0.1 % */
    assert_true(alias_pick(&a, 0) < 4);
    assert_true(alias_pick(&a, UINT64_MAX) < 4);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_exact_whatever_the_weights),
        cmocka_unit_test(picks_follow_the_shares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
