/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "support/unit.h"

/* The published outputs of SplitMix64 with the seed 1234567 (the reference C code of Vigna), and
 * those of seed 0. */
static void gives_the_numbers_of_splitmix64(void **state)
{
    static const uint64_t of_1234567[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };

    (void)state;
    for (uint64_t j = 0; j < 5; j++) {
        assert_int_equal(rng_at(1234567, j), of_1234567[j]);
    }
    assert_int_equal(rng_at(0, 0), UINT64_C(0xe220a8397b1dcdaf));
    assert_int_equal(rng_at(0, 1), UINT64_C(0x6e789e6aa1b965f4));
    assert_int_equal(rng_mix64(0), 0);
}

static void gives_known_unit_numbers(void **state)
{
    static const double of_42[] = {0.741564878772, 0.159910392877, 0.278601130255};

    (void)state;
    for (uint64_t j = 0; j < 3; j++) {
        double difference = rng_unit(rng_at(42, j)) - of_42[j];
        assert_true(difference < 5e-13 && difference > -5e-13);
    }
}

static void sub_streams_differ(void **state)
{
    (void)state;
    assert_int_equal(rng_sub(42, 0), UINT64_C(0xc2a6eebdf3976ad0));
    assert_int_equal(rng_sub(42, 1), UINT64_C(0x7bfa87c92aa0cff0));
    assert_int_equal(rng_sub(42, 2), UINT64_C(0xc7519020fa2e3192));
    for (uint64_t a = 0; a < 300; a++) {
        for (uint64_t b = 0; b < a; b++) {
            assert_true(rng_sub(42, a) != rng_sub(42, b));
        }
        assert_int_equal(rng_sub(42, a), rng_mix64(42 ^ rng_mix64(a + 1)));
    }
}

static void units_and_bounds(void **state)
{
    uint64_t counts[7] = {0};
    double sum = 0;

    (void)state;
    assert_true(rng_unit(0) == 0.0);
    assert_true(rng_unit(UINT64_MAX) < 1.0);
    assert_true(rng_unit(UINT64_C(1) << 63) == 0.5);
    assert_int_equal(rng_below(0, 7), 0);
    assert_int_equal(rng_below(UINT64_MAX, 7), 6);
    assert_int_equal(rng_below(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    for (uint64_t j = 0; j < 70000; j++) {
        counts[rng_below(rng_at(3, j), 7)]++;
        sum += rng_unit(rng_at(4, j));
    }
    for (int i = 0; i < 7; i++) {
        assert_in_range(counts[i], 9600, 10400); /* 4 standard deviations */
    }
    assert_true(sum / 70000 > 0.495 && sum / 70000 < 0.505);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_numbers_of_splitmix64),
        cmocka_unit_test(gives_known_unit_numbers),
        cmocka_unit_test(sub_streams_differ),
        cmocka_unit_test(units_and_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
