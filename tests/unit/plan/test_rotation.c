/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "plan/rotation.h"
#include "support/unit.h"

static void expect_turns(const uint64_t *weights, uint32_t count, const char *turns)
{
    struct arena arena = {0};
    struct rotation r;

    rotation_init(&r, &arena, weights, count);
    assert_int_equal(r.length, strlen(turns));
    for (uint32_t i = 0; i < r.length; i++) {
        assert_int_equal(r.turns[i], turns[i] - '0');
    }
    arena_clear(&arena);
}

static void turns_are_spread(void **state)
{
    (void)state;
    expect_turns((uint64_t[]){5, 1, 1}, 3, "0010200");
    expect_turns((uint64_t[]){3, 2}, 2, "01010");
    expect_turns((uint64_t[]){3, 2, 1}, 3, "010210");
    expect_turns((uint64_t[]){7, 7, 7}, 3, "012");
    expect_turns((uint64_t[]){0, 4}, 2, "1");
    expect_turns((uint64_t[]){300, 200}, 2, "01010");
    expect_turns((uint64_t[]){9}, 1, "0");
}

/* Weights that nobody can count out: the shares stay, and nobody is left out. */
static void large_weights_are_scaled(void **state)
{
    uint64_t weights[] = {UINT64_C(4000000007), UINT64_C(1000000007), 0, 3};
    uint32_t had[4] = {0};
    struct arena arena = {0};
    struct rotation r;

    (void)state;
    rotation_init(&r, &arena, weights, 4);
    assert_in_range(r.length, ROTATION_SUM_MAX - 4, ROTATION_SUM_MAX + 4);
    for (uint32_t i = 0; i < r.length; i++) {
        had[r.turns[i]]++;
    }
    assert_in_range(had[0], 7990, 8010);
    assert_in_range(had[1], 1990, 2010);
    assert_int_equal(had[2], 0);
    assert_int_equal(had[3], 1);
    arena_clear(&arena);
}

static void each_has_its_share_in_a_cycle(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 200; round++) {
        uint64_t weights[9], sum = 0;
        uint32_t count = 1 + (uint32_t)rng_below(rng_at(1, round), 9), had[9] = {0};
        struct arena arena = {0};
        struct rotation r;

        for (uint32_t i = 0; i < count; i++) {
            weights[i] = 1 + rng_below(rng_at(2, round * 16 + i), 50);
            sum += weights[i];
        }
        rotation_init(&r, &arena, weights, count);
        assert_int_equal(sum % r.length, 0);
        for (uint32_t i = 0; i < r.length; i++) {
            had[r.turns[i]]++;
        }
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(had[i] * (sum / r.length), weights[i]);
        }
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_are_spread),
        cmocka_unit_test(large_weights_are_scaled),
        cmocka_unit_test(each_has_its_share_in_a_cycle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
