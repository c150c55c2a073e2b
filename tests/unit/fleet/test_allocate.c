/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "fleet/allocate.h"
#include "plan/deal.h"
#include "plan/segment.h"
#include "support/unit.h"

static struct allocation
made(const struct allocate_worker *w, uint32_t n, uint32_t vus, uint32_t sources)
{
    struct allocate_need need = {.vus = vus, .sources = sources};
    struct allocation a;

    assert_int_equal(allocate(w, n, &need, &a), 0);
    return a;
}

static void equal_workers_get_equal_parts(void **state)
{
    const struct allocate_worker w[] = {{400, 400, 2}, {400, 400, 2}, {400, 400, 2}};
    struct allocation a = made(w, 3, 200, 6);

    (void)state;
    assert_int_equal(a.part_count, 3);
    assert_int_equal(a.source_count, 6);
    assert_null(a.weights);
    assert_int_equal(a.parts[2].base, 4);
    assert_int_equal(a.parts[2].vus, 68); /* two sources of 34 at most */
    allocation_clear(&a);
}

static void fewer_sources_than_workers(void **state)
{
    const struct allocate_worker w[] = {{100, 10, 2}, {100, 100, 2}, {100, 50, 2}};
    struct allocation a = made(w, 3, 90, 1);

    (void)state;
    assert_int_equal(a.part_count, 1);
    assert_int_equal(a.parts[0].worker, 1);
    allocation_clear(&a);
    a = made(w, 3, 150, 1); /* one has not enough: a second one helps */
    assert_int_equal(a.part_count, 2);
    assert_int_equal(a.parts[0].worker, 1);
    assert_int_equal(a.parts[1].worker, 2);
    assert_true(a.parts[1].vus <= 50);
    allocation_clear(&a);
}

static void all_of_it_and_one_more(void **state)
{
    const struct allocate_worker w[] = {{100, 37, 2}, {60, 60, 1}, {10, 0, 1}};
    struct allocate_need need = {.vus = 98, .sources = 8};
    struct allocation a = made(w, 3, 97, 8);

    (void)state;
    assert_int_equal(a.part_count, 2);
    assert_int_equal(a.parts[0].vus, 37);
    assert_int_equal(a.parts[1].vus, 60);
    allocation_clear(&a);
    assert_int_equal(allocate(w, 3, &need, &a), ERR_LIMIT);
    assert_int_equal(allocate(w, 0, &need, &a), ERR_LIMIT);
}

static void one_user(void **state)
{
    const struct allocate_worker w[] = {{100, 100, 2}, {100, 100, 2}};
    struct allocation a = made(w, 2, 1, 4);

    (void)state;
    assert_int_equal(a.part_count, 1);
    assert_int_equal(a.source_count, 1);
    allocation_clear(&a);
}

/* What plan/deal.h deals by these weights is never more than a worker has free. */
static void
check(const struct allocate_worker *w, uint32_t n, const struct allocation *a, uint32_t vus)
{
    uint32_t source = 0;

    for (uint32_t i = 0; i < a->part_count; i++) {
        const struct allocate_part *part = &a->parts[i];
        assert_true(part->worker < n && part->base == source && part->sources > 0);
        assert_true(part->sources <= w[part->worker].cores || part->sources == 1);
        assert_true(part->vus <= w[part->worker].free_vus);
        source += part->sources;
    }
    assert_int_equal(source, a->source_count);
    struct deal *deal = NULL;
    if (a->weights != NULL) {
        uint64_t weights[ALLOCATE_SOURCES_MAX];
        for (uint32_t i = 0; i < a->source_count; i++) {
            weights[i] = a->weights[i];
        }
        assert_int_equal(deal_new(weights, a->source_count, &deal, NULL), 0);
    }
    uint64_t total = 0;
    for (uint32_t i = 0; i < a->part_count; i++) {
        uint64_t own = 0;
        for (uint32_t k = 0; k < a->parts[i].sources; k++) {
            struct segment s = {
                .index = a->parts[i].base + k, .count = a->source_count, .deal = deal};
            own += segment_share(s, vus);
        }
        assert_true(own <= a->parts[i].vus);
        total += own;
    }
    assert_int_equal(total, vus);
    deal_free(deal);
}

static uint64_t below(uint64_t *drawn, uint64_t n)
{
    return rng_below(rng_at(9, (*drawn)++), n);
}

static void whatever_is_free(void **state)
{
    uint64_t drawn = 0;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct allocate_worker w[12];
        uint32_t n = 1 + (uint32_t)below(&drawn, 12);
        uint64_t room = 0;
        uint32_t scale = below(&drawn, 10) == 0 ? 100000 : 300;
        for (uint32_t i = 0; i < n; i++) {
            w[i].capacity_vus = 1 + (uint32_t)below(&drawn, scale);
            w[i].free_vus = (uint32_t)below(&drawn, w[i].capacity_vus + 1);
            w[i].cores = 1 + (uint32_t)below(&drawn, 16);
            room += w[i].free_vus;
        }
        struct allocate_need need = {.vus = 1 + (uint32_t)below(&drawn, room + 10),
                                     .sources = 1 + (uint32_t)below(&drawn, 40)};
        struct allocation a;
        if (allocate(w, n, &need, &a) != 0) {
            assert_true(need.vus > room || need.vus > DEAL_SLOTS_MAX);
            continue;
        }
        check(w, n, &a, need.vus);
        allocation_clear(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_workers_get_equal_parts),
        cmocka_unit_test(fewer_sources_than_workers),
        cmocka_unit_test(all_of_it_and_one_more),
        cmocka_unit_test(one_user),
        cmocka_unit_test(whatever_is_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
