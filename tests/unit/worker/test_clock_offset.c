/* SPDX-License-Identifier: MIT */
#include "support/unit.h"
#include "worker/clock_offset.h"

static void the_shortest_round_trip_counts(void **state)
{
    struct clock_offset c = {0};
    uint64_t error;

    (void)state;
    assert_int_equal(clock_offset_ns(&c, &error), 0);
    assert_true(error == UINT64_MAX);
    clock_offset_add(&c, 10000, 11000, 3000); /* 10500 - 3000 */
    assert_int_equal(clock_offset_ns(&c, &error), 7500);
    assert_int_equal(error, 501);
    clock_offset_add(&c, 20000, 20100, 13000);
    assert_int_equal(clock_offset_ns(&c, &error), 7050);
    assert_int_equal(error, 51);
    clock_offset_add(&c, 30000, 32000, 20000);
    assert_int_equal(clock_offset_ns(&c, NULL), 7050);
    clock_offset_add(&c, 40000, 30000, 1); /* no round trip */
    assert_int_equal(clock_offset_ns(&c, NULL), 7050);
}

static void a_clock_that_is_behind(void **state)
{
    struct clock_offset c = {0};

    (void)state;
    clock_offset_add(&c, 1000, 1100, 5000000);
    assert_int_equal(clock_offset_ns(&c, NULL), 1050 - 5000000);
    assert_int_equal(clock_offset_to_ours(clock_offset_ns(&c, NULL), 5000000), 1050);
}

static void one_clock_has_no_offset(void **state)
{
    struct clock_offset c = {0};

    (void)state;
    clock_offset_add(&c, 1000, 2000, 1001); /* the answer took long, the question did not */
    assert_int_equal(clock_offset_ns(&c, NULL), 0);
    clock_offset_add(&c, 3000, 3010, 3010);
    assert_int_equal(clock_offset_ns(&c, NULL), 0);
}

static void old_samples_are_forgotten(void **state)
{
    struct clock_offset c = {0};

    (void)state;
    clock_offset_add(&c, 100000, 100010, 5);
    for (uint64_t i = 0; i < CLOCK_SAMPLES; i++) {
        assert_int_equal(clock_offset_ns(&c, NULL), 100000);
        clock_offset_add(&c, 200000 + i, 201000 + i, i);
    }
    assert_int_equal(clock_offset_ns(&c, NULL), 200500);
}

static void instants_that_are_none_stay(void **state)
{
    (void)state;
    assert_int_equal(clock_offset_to_ours(-5, 0), 0);
    assert_true(clock_offset_to_ours(-5, UINT64_MAX) == UINT64_MAX);
    assert_int_equal(clock_offset_to_ours(-5, 100), 95);
    assert_int_equal(clock_offset_to_ours(5, 100), 105);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_round_trip_counts),
        cmocka_unit_test(a_clock_that_is_behind),
        cmocka_unit_test(one_clock_has_no_offset),
        cmocka_unit_test(old_samples_are_forgotten),
        cmocka_unit_test(instants_that_are_none_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
