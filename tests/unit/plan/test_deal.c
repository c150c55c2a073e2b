/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "plan/deal.h"
#include "plan/segment.h"
#include "support/unit.h"

static struct deal *deal_of(const uint64_t *weights, uint32_t count)
{
    struct deal *d = NULL;

    assert_int_equal(deal_new(weights, count, &d, NULL), 0);
    assert_int_equal(d->count, count);
    return d;
}

/* Whose the first slots are, a letter each. */
static void expect_cycle(const uint64_t *weights, uint32_t count, const char *owners)
{
    struct deal *d = deal_of(weights, count);

    assert_int_equal(d->slots, strlen(owners));
    for (uint32_t slot = 0; slot < d->slots; slot++) {
        struct segment s = {(uint32_t)(owners[slot] - 'A'), count, d};

        assert_true(segment_owns(s, slot));
        assert_true(segment_owns(s, slot + 5 * d->slots));
    }
    deal_free(d);
}

static void a_cycle_is_spread(void **state)
{
    (void)state;
    expect_cycle((uint64_t[]){5, 1, 1}, 3, "AABACAA");
    expect_cycle((uint64_t[]){3, 2}, 2, "ABABA");
    expect_cycle((uint64_t[]){4, 4, 4}, 3, "ABC");
    expect_cycle((uint64_t[]){1000}, 1, "A");
}

/* i = (k div n)·D + offset[k mod n]. */
static void own_numbers_come_by_the_formula(void **state)
{
    static const uint64_t offsets[] = {0, 1, 3, 5, 6};
    struct deal *d = deal_of((uint64_t[]){5, 1, 1}, 3);
    struct segment a = {0, 3, d}, b = {1, 3, d}, c = {2, 3, d};
    uint64_t ia = segment_next(a, 0), ib = segment_next(b, 0), ic = segment_next(c, 0);

    (void)state;
    for (uint64_t k = 0; k < 1000; k++) {
        assert_int_equal(ia, k / 5 * 7 + offsets[k % 5]);
        assert_int_equal(ib, k * 7 + 2);
        assert_int_equal(ic, k * 7 + 4);
        ia = segment_next(a, ia + 1);
        ib = segment_next(b, ib + 1);
        ic = segment_next(c, ic + 1);
    }
    deal_free(d);
}

/* Of the first n numbers nobody has a whole one more than its share, and two sources are within one
 * of it on both sides. After each cycle all have theirs exactly. */
static void the_first_numbers_are_dealt_by_weight(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        uint32_t count = 1 + (uint32_t)(seed % 12);
        uint64_t weights[12], most = seed % 5 == 0 ? 400 : 30;

        for (uint32_t i = 0; i < count; i++) {
            weights[i] = 1 + rng_below(rng_at(seed, i), most);
        }
        struct deal *d = deal_of(weights, count);
        for (uint32_t i = 0; i < count; i++) {
            struct segment s = {i, count, d};
            uint32_t weight = segment_share(s, d->slots);

            for (uint32_t n = 0; n <= 2 * d->slots; n++) {
                double ahead = segment_share(s, n) - (double)n * weight / d->slots;

                assert_true(ahead < 1);
                assert_true(count > 2 || ahead > -1);
                assert_true(n % d->slots != 0 || ahead == 0);
            }
        }
        deal_free(d);
    }
}

/* What does not go into a cycle keeps its proportions, and nobody falls out. */
static void large_weights_are_scaled(void **state)
{
    struct deal *d = deal_of((uint64_t[]){UINT64_C(6000000007), UINT64_C(3000000000), 1}, 3);

    (void)state;
    assert_in_range(d->slots, DEAL_SLOTS_MAX - 3, DEAL_SLOTS_MAX + 3);
    assert_in_range(segment_share((struct segment){0, 3, d}, d->slots), 6660, 6672);
    assert_in_range(segment_share((struct segment){1, 3, d}, d->slots), 3327, 3339);
    assert_int_equal(segment_share((struct segment){2, 3, d}, d->slots), 1);
    deal_free(d);
}

static void what_is_no_deal_is_refused(void **state)
{
    static uint64_t weights[DEAL_SOURCES_MAX + 1];
    struct deal *d = NULL;
    struct err err;

    (void)state;
    assert_int_equal(deal_new((uint64_t[]){3, 0, 1}, 3, &d, &err), ERR_INVALID);
    assert_string_equal(err.msg, "source 1 has no weight");
    assert_int_equal(deal_new(weights, 0, &d, &err), ERR_LIMIT);
    for (uint32_t i = 0; i <= DEAL_SOURCES_MAX; i++) {
        weights[i] = i + 1;
    }
    assert_int_equal(deal_new(weights, DEAL_SOURCES_MAX + 1, &d, &err), ERR_LIMIT);
    assert_null(d);
    deal_free(NULL);
}

/* The most sources, of very different strength: everybody has a part. */
static void many_sources_have_all_a_part(void **state)
{
    static uint64_t weights[DEAL_SOURCES_MAX];

    (void)state;
    for (uint32_t i = 0; i < DEAL_SOURCES_MAX; i++) {
        weights[i] = i % 2 == 0 ? 1 : 100000;
    }
    struct deal *d = deal_of(weights, DEAL_SOURCES_MAX);
    for (uint32_t i = 0; i < DEAL_SOURCES_MAX; i++) {
        assert_true(segment_share((struct segment){i, DEAL_SOURCES_MAX, d}, d->slots) > 0);
    }
    deal_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cycle_is_spread),
        cmocka_unit_test(own_numbers_come_by_the_formula),
        cmocka_unit_test(the_first_numbers_are_dealt_by_weight),
        cmocka_unit_test(large_weights_are_scaled),
        cmocka_unit_test(what_is_no_deal_is_refused),
        cmocka_unit_test(many_sources_have_all_a_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
