/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "control/backlog.h"
#include "support/unit.h"

#include <math.h>

static bool grows(const double *waiting, size_t count, uint64_t skip, double *slope)
{
    struct backlog b = {0};

    *slope = 0;
    for (size_t i = 0; i < count; i++) {
        backlog_add(&b, waiting[i]);
    }
    return backlog_grows(&b, skip, slope);
}

static void assert_near(double is, double wanted, double by)
{
    if (!(fabs(is - wanted) <= by)) {
        fail_msg("%g is not within %g of %g", is, by, wanted);
    }
}

static void test_a_line_is_its_slope(void **state)
{
    double row[4000], slope;

    (void)state;
    for (size_t i = 0; i < 4000; i++) {
        row[i] = 3 + 4.8 * (double)i;
    }
    /* Of any length: beyond a thousand seconds cells stand for several of them. */
    static const size_t lengths[] = {10, 11, 19, 20, 60, 999, 1000, 1001, 1999, 2500, 4000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_true(grows(row, lengths[i], 0, &slope));
        assert_near(slope, 4.8, 1e-6);
    }
    assert_false(grows(row, 9, 0, &slope));
    assert_false(grows(row, 0, 0, &slope));
}

static void test_what_stays_or_falls_does_not_grow(void **state)
{
    double same[60], falls[60], little[60], slope;

    (void)state;
    for (size_t i = 0; i < 60; i++) {
        same[i] = 40;
        falls[i] = 400 - 5 * (double)i;
        little[i] = 100 + 0.1 * (double)i; /* six in all: less than a tenth of the mean */
    }
    assert_false(grows(same, 60, 0, &slope));
    assert_false(grows(falls, 60, 0, &slope));
    assert_false(grows(little, 60, 0, &slope));
}

/* The first answers take three seconds: until then all that is due waits. */
static void test_the_beginning_may_be_left_out(void **state)
{
    double row[13], slope;

    (void)state;
    for (size_t i = 0; i < 13; i++) {
        row[i] = i < 3 ? 10 * (double)(i + 1) : 30;
    }
    assert_false(grows(row, 13, 3, &slope));
    /* Never more than half. */
    for (size_t i = 0; i < 13; i++) {
        row[i] = (double)i * 2;
    }
    assert_false(grows(row, 13, 1000, &slope)); /* seven are left */
}

/* A queue of one server, arrivals and services at random: the number that waits after each second.
 */
static void play(uint64_t seed, double per_s, double served_per_s, double *row, size_t seconds)
{
    double next_arrival = 0, next_end = 0;
    uint64_t n = 0, waiting = 0;

    for (size_t s = 0; s < seconds; s++) {
        double until = (double)s + 1;

        while (next_arrival < until || (waiting > 0 && next_end < until)) {
            double u = ((double)(rng_at(seed, n++) >> 11) + 1) / 9007199254740993.0;
            if (waiting == 0 || next_arrival <= next_end) {
                if (waiting++ == 0) {
                    next_end = next_arrival - log(u) / served_per_s;
                }
                u = ((double)(rng_at(seed, n++) >> 11) + 1) / 9007199254740993.0;
                next_arrival -= log(u) / per_s;
            } else if (--waiting > 0) {
                next_end -= log(u) / served_per_s;
            }
        }
        row[s] = (double)waiting;
    }
}

/* measurement: of 100/s at load 0.8 hardly ever, at 1.1 always. */
static void test_queues_by_chance(void **state)
{
    enum { RUNS = 200 };
    double row[60], slope, mean = 0;
    int stable = 0, overloaded = 0;

    (void)state;
    for (uint64_t i = 0; i < RUNS; i++) {
        play(i + 1, 80, 100, row, 60);
        stable += grows(row, 60, 0, &slope);
        play(i + 1000, 110, 100, row, 60);
        overloaded += grows(row, 60, 0, &slope);
        mean += slope / RUNS;
    }
    assert_in_range(stable, 0, RUNS * 2 / 100);
    assert_in_range(overloaded, RUNS * 98 / 100, RUNS);
    assert_near(mean, 10, 1); /* λ − μ */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_its_slope),
        cmocka_unit_test(test_what_stays_or_falls_does_not_grow),
        cmocka_unit_test(test_the_beginning_may_be_left_out),
        cmocka_unit_test(test_queues_by_chance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
