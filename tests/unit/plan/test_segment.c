/* SPDX-License-Identifier: MIT */
/* Segments of equal weight and of a deal: they part whatever is numbered. */
#include "base/rng.h"
#include "plan/segment.h"
#include "support/unit.h"

enum { SOURCES_MAX = 11, DEEP = 1000000 };

/* A run of some sources; `deal` NULL: equal ones. */
struct fleet {
    uint32_t count;
    struct deal *deal;
};

static struct segment part(const struct fleet *f, uint32_t index)
{
    return (struct segment){.index = index, .count = f->count, .deal = f->deal};
}

/* Each fourth is of equal ones; else random weights, some of them large. */
static struct fleet fleet_of(uint64_t seed)
{
    struct fleet f = {.count = 1 + (uint32_t)(seed % SOURCES_MAX)};
    uint64_t weights[SOURCES_MAX], most = seed % 3 == 0 ? 100000 : 9;

    if (seed % 4 == 0) {
        return f;
    }
    for (uint32_t i = 0; i < f.count; i++) {
        weights[i] = 1 + rng_below(rng_at(seed, i), most);
    }
    assert_int_equal(deal_new(weights, f.count, &f.deal, NULL), 0);
    return f;
}

#define FOR_EACH_FLEET(f, rounds)                       \
    for (uint64_t seed_ = 0; seed_ < (rounds); seed_++) \
        for (struct fleet f = fleet_of(seed_); f.count > 0; deal_free((f).deal), (f).count = 0)

static void the_segments_part_all_numbers(void **state)
{
    static uint8_t owner[DEEP];

    (void)state;
    FOR_EACH_FLEET(f, 30)
    {
        memset(owner, 0xff, sizeof owner);
        uint32_t dealt = 0;

        for (uint32_t index = 0; index < f.count; index++) {
            struct segment s = part(&f, index);
            uint64_t k = 0;

            for (uint64_t i = segment_next(s, 0); i < DEEP; i = segment_next(s, i + 1)) {
                assert_int_equal(owner[i], 0xff);
                owner[i] = (uint8_t)index;
                assert_int_equal(segment_ordinal(s, i), k++);
                dealt++;
            }
            assert_int_equal(segment_share(s, DEEP), k);
        }
        assert_int_equal(dealt, DEEP);
    }
}

/* Each function says the same as walking the numbers one by one. */
static void the_functions_agree(void **state)
{
    (void)state;
    FOR_EACH_FLEET(f, 40)
    {
        for (uint32_t index = 0; index < f.count; index++) {
            struct segment s = part(&f, index);
            uint64_t own = 0, base = UINT64_C(1) << 40, before = segment_ordinal(s, base);

            for (uint64_t i = 0; i < 3000; i++) {
                uint64_t next = i;

                assert_int_equal(segment_ordinal(s, i), own);
                assert_int_equal(segment_share(s, (uint32_t)i), own);
                own += segment_owns(s, i);
                while (!segment_owns(s, next)) {
                    next++;
                }
                assert_int_equal(segment_next(s, i), next);
                /* Far out, too. */
                assert_int_equal(segment_ordinal(s, base + i), before);
                before += segment_owns(s, base + i);
            }
        }
    }
}

/* The parts make up the cap; of equal segments none has more than a unit more than another. */
static void the_parts_make_up_a_cap(void **state)
{
    static const double caps[] = {0.5, 1, 7, 61.5, 20001, 100000.25, 1e8};

    (void)state;
    FOR_EACH_FLEET(f, 40)
    {
        for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
            double sum = 0, least = caps[c] + 1, most = 0;

            for (uint32_t i = 0; i < f.count; i++) {
                double cap = segment_cap(part(&f, i), caps[c]);
                double fraction = cap - (double)(uint64_t)cap;

                assert_true(fraction == 0 || segment_owns(part(&f, i), 0));
                sum += cap;
                least = cap < least ? cap : least;
                most = cap > most ? cap : most;
            }
            assert_true(sum == caps[c]);
            assert_true(f.deal != NULL || most - least < 2);
        }
    }
}

static void a_cap_is_dealt_by_weight(void **state)
{
    struct deal *deal;

    (void)state;
    assert_int_equal(deal_new((uint64_t[]){5, 1, 1}, 3, &deal, NULL), 0);
    struct fleet f = {.count = 3, .deal = deal};
    assert_true(segment_cap(part(&f, 0), 700) == 500);
    assert_true(segment_cap(part(&f, 1), 700) == 100);
    assert_true(segment_cap(part(&f, 2), 700) == 100);
    assert_true(segment_cap(part(&f, 0), 0.25) == 0.25);
    assert_true(segment_cap(part(&f, 1), 2.5) == 0);
    assert_true(segment_cap(part(&f, 1), 3.5) == 1);
    deal_free(deal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_segments_part_all_numbers),
        cmocka_unit_test(the_functions_agree),
        cmocka_unit_test(the_parts_make_up_a_cap),
        cmocka_unit_test(a_cap_is_dealt_by_weight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
