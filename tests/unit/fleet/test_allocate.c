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
    struct allocate_shortage shortage;
    struct allocation a;

    assert_int_equal(allocate(w, n, &need, &a, &shortage), 0);
    return a;
}

static void equal_workers_get_equal_parts(void **state)
{
    const struct allocate_worker w[] = {{400, 400, 2, 0}, {400, 400, 2, 0}, {400, 400, 2, 0}};
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
    const struct allocate_worker w[] = {{100, 10, 2, 0}, {100, 100, 2, 0}, {100, 50, 2, 0}};
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
    const struct allocate_worker w[] = {{100, 37, 2, 0}, {60, 60, 1, 0}, {10, 0, 1, 0}};
    struct allocate_need need = {.vus = 98, .sources = 8};
    struct allocation a = made(w, 3, 97, 8);
    struct allocate_shortage shortage;

    (void)state;
    assert_int_equal(a.part_count, 2);
    assert_int_equal(a.parts[0].vus, 37);
    assert_int_equal(a.parts[1].vus, 60);
    allocation_clear(&a);
    assert_int_equal(allocate(w, 3, &need, &a, &shortage), ERR_LIMIT);
    assert_int_equal(shortage.required, 98);
    assert_int_equal(shortage.available, 97);
    assert_int_equal(shortage.workers, 3);
    assert_int_equal(allocate(w, 0, &need, &a, &shortage), ERR_LIMIT);
    assert_int_equal(shortage.workers, 0);
}

static void one_user(void **state)
{
    const struct allocate_worker w[] = {{100, 100, 2, 0}, {100, 100, 2, 0}};
    struct allocation a = made(w, 2, 1, 4);

    (void)state;
    assert_int_equal(a.part_count, 1);
    assert_int_equal(a.source_count, 1);
    allocation_clear(&a);
}

static struct deal *deal_of(const struct allocation *a)
{
    uint64_t weights[ALLOCATE_SOURCES_MAX];
    struct deal *deal = NULL;

    for (uint32_t i = 0; a->weights != NULL && i < a->source_count; i++) {
        weights[i] = a->weights[i];
    }
    assert_true(a->weights == NULL || deal_new(weights, a->source_count, &deal, NULL) == 0);
    return deal;
}

/* Of `vus`, those that belong to the part. */
static uint64_t
own_users(const struct allocation *a, uint32_t part, struct deal *deal, uint32_t vus)
{
    uint64_t own = 0;

    for (uint32_t k = 0; k < a->parts[part].sources; k++) {
        struct segment s = {
            .index = a->parts[part].base + k, .count = a->source_count, .deal = deal};
        own += segment_share(s, vus);
    }
    return own;
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
    struct deal *deal = deal_of(a);
    uint64_t total = 0;
    for (uint32_t i = 0; i < a->part_count; i++) {
        uint64_t own = own_users(a, i, deal, vus);
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
        struct allocate_worker w[12] = {0};
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
        struct allocate_shortage shortage;
        struct allocation a;
        if (allocate(w, n, &need, &a, &shortage) != 0) {
            assert_true(need.vus > room || need.vus > DEAL_SLOTS_MAX);
            continue;
        }
        check(w, n, &a, need.vus);
        allocation_clear(&a);
    }
}

/* ---- shares -----------------------------------------------------------------------------------
 */

static const struct named_weight sixty_forty[] = {{"eu", 60}, {"us", 40}};

static void shares_are_kept(void **state)
{
    const struct allocate_worker w[] = {
        {500, 500, 2, 0}, {100, 100, 2, 1}, {900, 900, 2, UINT32_MAX}, {500, 500, 2, 0}};
    struct allocate_need need = {.vus = 200, .sources = 6, .shares = sixty_forty, .share_count = 2};
    struct allocate_shortage shortage;
    struct allocation a;

    (void)state;
    assert_int_equal(allocate(w, 4, &need, &a, &shortage), 0);
    assert_int_equal(a.part_count, 3); /* not the one of no region */
    assert_int_equal(a.parts[0].vus, 60);
    assert_int_equal(a.parts[1].worker, 1);
    assert_int_equal(a.parts[1].vus, 80);
    assert_int_equal(a.parts[2].worker, 3);
    assert_int_equal(a.parts[2].vus, 60);
    check(w, 4, &a, 200);
    allocation_clear(&a);

    need.sources = 1; /* a cap that wants one source gets one for each region */
    assert_int_equal(allocate(w, 4, &need, &a, &shortage), 0);
    assert_int_equal(a.part_count, 2);
    assert_int_equal(a.source_count, 2);
    assert_int_equal(a.parts[0].vus, 120);
    assert_int_equal(a.parts[1].vus, 80);
    allocation_clear(&a);
}

static void a_region_has_not_enough(void **state)
{
    const struct allocate_worker w[] = {{500, 500, 2, 0}, {100, 30, 2, 1}, {100, 9, 1, 1}};
    struct allocate_need need = {.vus = 100, .sources = 2, .shares = sixty_forty, .share_count = 2};
    struct allocate_shortage shortage;
    struct allocation a;

    (void)state;
    assert_int_equal(allocate(w, 3, &need, &a, &shortage), ERR_LIMIT);
    assert_int_equal(shortage.group, 1);
    assert_int_equal(shortage.required, 40);
    assert_int_equal(shortage.available, 39);
    assert_int_equal(shortage.workers, 2);
    assert_int_equal(allocate_most(w, 3, &need), 97);
    assert_int_equal(allocate(w, 1, &need, &a, &shortage), ERR_LIMIT); /* nobody in us */
    assert_int_equal(shortage.group, 1);
    assert_int_equal(shortage.workers, 0);
    assert_int_equal(allocate_most(w, 1, &need), 0);
    need.vus = 1; /* goes to eu */
    assert_int_equal(allocate(w, 1, &need, &a, &shortage), 0);
    allocation_clear(&a);
}

/* As many as there is room for fit, also where parts are rounded. */
static void as_many_as_there_is_room_for(void **state)
{
    const struct allocate_worker w[] = {{10000, 10000, 2, 0}, {10000, 10000, 2, 0}};
    struct allocate_need need = {.sources = 4};
    struct allocate_shortage shortage;
    struct allocation a;

    (void)state;
    need.vus = (uint32_t)allocate_most(w, 2, &need);
    assert_int_equal(need.vus, 19800);
    assert_int_equal(allocate(w, 2, &need, &a, &shortage), 0);
    allocation_clear(&a);
    assert_int_equal(allocate_most(w, 1, &need), 10000);
}

/* Users of the group among the first `vus`. */
static uint64_t group_users(const struct allocate_worker *w,
                            const struct allocation *a,
                            struct deal *deal,
                            uint32_t group,
                            uint32_t vus)
{
    uint64_t own = 0;

    for (uint32_t i = 0; i < a->part_count; i++) {
        own += w[a->parts[i].worker].group == group ? own_users(a, i, deal, vus) : 0;
    }
    return own;
}

/* Each group has its share within one user, and nobody more than is free. */
static void check_shares(const struct allocate_worker *w,
                         uint32_t n,
                         const struct allocation *a,
                         const struct allocate_need *need)
{
    struct deal *deal = deal_of(a);
    uint64_t sum = 0;

    check(w, n, a, need->vus);
    for (uint32_t g = 0; g < need->share_count; g++) {
        sum += need->shares[g].weight;
    }
    for (uint32_t g = 0; g < need->share_count; g++) {
        uint64_t own = group_users(w, a, deal, g, need->vus) * sum;
        uint64_t exact = need->shares[g].weight * need->vus;

        assert_true(own < exact + sum && exact < own + sum);
    }
    deal_free(deal);
}

static void whatever_the_shares(void **state)
{
    uint64_t drawn = 1000000, played = 0;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct named_weight shares[4];
        struct allocate_worker w[12];
        uint32_t n = 1 + (uint32_t)below(&drawn, 12), groups = 1 + (uint32_t)below(&drawn, 4);
        for (uint32_t i = 0; i < n; i++) {
            w[i].capacity_vus = 1 + (uint32_t)below(&drawn, 300);
            w[i].free_vus = (uint32_t)below(&drawn, w[i].capacity_vus + 1);
            w[i].cores = 1 + (uint32_t)below(&drawn, 16);
            w[i].group = (uint32_t)below(&drawn, groups + 1);
        }
        for (uint32_t g = 0; g < groups; g++) {
            shares[g] = (struct named_weight){.weight = 1 + below(&drawn, 100)};
        }
        struct allocate_need need = {
            .sources = 1 + (uint32_t)below(&drawn, 40), .shares = shares, .share_count = groups};
        uint64_t most = allocate_most(w, n, &need);
        need.vus = 1 + (uint32_t)below(&drawn, most + 10);
        struct allocate_shortage shortage;
        struct allocation a;
        if (allocate(w, n, &need, &a, &shortage) != 0) {
            assert_true(need.vus > most && shortage.required > shortage.available);
            continue;
        }
        check_shares(w, n, &a, &need);
        allocation_clear(&a);
        played++;
    }
    assert_true(played > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_workers_get_equal_parts),
        cmocka_unit_test(fewer_sources_than_workers),
        cmocka_unit_test(all_of_it_and_one_more),
        cmocka_unit_test(one_user),
        cmocka_unit_test(whatever_is_free),
        cmocka_unit_test(shares_are_kept),
        cmocka_unit_test(a_region_has_not_enough),
        cmocka_unit_test(as_many_as_there_is_room_for),
        cmocka_unit_test(whatever_the_shares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
