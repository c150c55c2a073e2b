/* SPDX-License-Identifier: MIT */
#include "plan/schedule.h"
#include "support/unit.h"

#include <inttypes.h>

#define S UINT64_C(1000000000)

struct vector {
    uint64_t i, ns;
};

struct piece {
    double seconds, from, to;
};

static void check(const struct piece *pieces,
                  size_t piece_count,
                  uint64_t arrivals,
                  const struct vector *vectors,
                  size_t vector_count)
{
    struct schedule s = {0};
    uint64_t before = 0;
    size_t at = 0;

    for (size_t i = 0; i < piece_count; i++) {
        schedule_add(&s, (uint64_t)(pieces[i].seconds * 1e9), pieces[i].from, pieces[i].to);
    }
    assert_int_equal(schedule_arrivals(&s), arrivals);
    for (size_t i = 0; i < vector_count; i++) {
        assert_int_equal(schedule_due_ns(&s, vectors[i].i), vectors[i].ns);
    }
    /* All of a small plan: none is lost, none goes back in time, none is beyond the end. */
    for (uint64_t i = 0; i < arrivals && arrivals < 10000; i++) {
        uint64_t due = schedule_next_ns(&s, i, &at);
        assert_int_equal(due, schedule_due_ns(&s, i));
        assert_true(due >= before && due < s.end_ns);
        before = due;
    }
    assert_int_equal(schedule_due_ns(&s, arrivals), UINT64_MAX);
    schedule_clear(&s);
}

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define CHECK(pieces, arrivals, vectors) \
    check(pieces, COUNT(pieces), arrivals, vectors, COUNT(vectors))

static void constant_rates_are_exact(void **state)
{
    static const struct piece three[] = {{10, 3, 3}}, slow[] = {{10, 0.5, 0.5}},
                              fast[] = {{86400, 700000, 700000}};
    static const struct vector of_three[] = {{0, 0}, {1, 333333333}, {2, 666666666}, {3, 1 * S}},
                               of_slow[] = {{0, 0}, {1, 2 * S}},
                               of_fast[] = {{1, 1428},
                                            {7, 10000},
                                            {UINT64_C(60479999999), UINT64_C(86399999998571)}};

    (void)state;
    CHECK(three, 30, of_three);
    CHECK(slow, 5, of_slow);
    CHECK(fast, UINT64_C(60480000000), of_fast);
}

static void ramps_are_inverted(void **state)
{
    static const struct piece from_zero[] = {{10, 0, 100}}, between[] = {{10, 50, 150}},
                              trapezium[] = {{10, 0, 100}, {10, 100, 100}, {5, 100, 0}};
    static const struct vector of_zero[] = {{0, 0},           {1, 447213595},    {2, 632455532},
                                            {10, 1414213562}, {100, 4472135954}, {499, 9989994994}},
                               of_between[] = {{250, 3660254037},
                                               {500, 6180339887},
                                               {750, 8228756555}},
                               of_trapezium[] = {{499, 9989994994},
                                                 {500, 10 * S},
                                                 {501, UINT64_C(10010000000)},
                                                 {1499, UINT64_C(19990000000)},
                                                 {1500, 20 * S},
                                                 {1501, UINT64_C(20010010020)},
                                                 {1625, UINT64_C(21464466094)},
                                                 {1749, UINT64_C(24683772233)}};

    (void)state;
    CHECK(from_zero, 500, of_zero);
    CHECK(between, 1000, of_between);
    CHECK(trapezium, 1750, of_trapezium);
}

static void fractions_carry_over_boundaries(void **state)
{
    static const struct piece pieces[] = {{2.5, 1, 1}, {3, 2, 2}};
    static const struct vector vectors[] = {{2, 2 * S},
                                            {3, UINT64_C(2750000000)},
                                            {4, UINT64_C(3250000000)},
                                            {8, UINT64_C(5250000000)}};

    (void)state;
    CHECK(pieces, 9, vectors);
}

static void a_pause_has_no_arrivals(void **state)
{
    static const struct piece pieces[] = {{1, 4, 4}, {10, 0, 0}, {1, 4, 4}};
    static const struct vector vectors[] = {{3, 750000000}, {4, 11 * S}, {7, 11 * S + 750000000}};
    struct schedule nothing = {0};

    (void)state;
    CHECK(pieces, 8, vectors);
    assert_int_equal(schedule_arrivals(&nothing), 0);
    assert_int_equal(schedule_due_ns(&nothing, 0), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_rates_are_exact),
        cmocka_unit_test(ramps_are_inverted),
        cmocka_unit_test(fractions_carry_over_boundaries),
        cmocka_unit_test(a_pause_has_no_arrivals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
