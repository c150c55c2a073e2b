/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/rng.h"
#include "metrics/histogram.h"
#include "support/unit.h"

#define MS UINT64_C(1000000)

static void test_layout(void **state)
{
    static const struct {
        uint64_t v;
        unsigned index;
        uint64_t low, high;
    } rows[] = {
        {0, 0, 0, 0},
        {127, 127, 127, 127},
        {128, 128, 128, 128},
        {255, 255, 255, 255},
        {256, 256, 256, 257},
        {257, 256, 256, 257},
        {258, 257, 258, 259},
        {511, 383, 510, 511},
        {512, 384, 512, 515},
        {1000, 506, 1000, 1003},
        {10000, 924, 9984, 10047},
        {100000, 1347, 99840, 100351},
        {1000000, 1780, 999424, 1003519},
        {1000000000, 3054, 998244352, 1002438655},
        {UINT64_C(60000000000), 3807, UINT64_C(59861106688), UINT64_C(60129542143)},
        {HIST_VALUE_MAX, 4607, UINT64_C(4380866641920), UINT64_C(4398046511103)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(hist_index(rows[i].v), rows[i].index);
        assert_int_equal(hist_low(rows[i].index), rows[i].low);
        assert_int_equal(hist_high(rows[i].index), rows[i].high);
    }
}

static void test_buckets_have_no_gap(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        assert_int_equal(hist_index(hist_low(i)), i);
        assert_int_equal(hist_index(hist_high(i)), i);
        if (i > 0) {
            assert_int_equal(hist_low(i), hist_high(i - 1) + 1);
        }
        /* Width at most 1/128 of the low edge. */
        assert_true((hist_high(i) - hist_low(i)) * 128 <= hist_low(i));
    }
    assert_int_equal(hist_high(HIST_BUCKETS - 1), HIST_VALUE_MAX);
}

static void test_ranks(void **state)
{
    static const struct {
        uint64_t n;
        uint32_t ppm;
        uint64_t rank;
    } rows[] = {
        {1, 500000, 1},
        {2, 500000, 1},
        {3, 500000, 2},
        {100, 70000, 7},
        {100, 990000, 99},
        {101, 990000, 100},
        {1000, 999000, 999},
        {1000, 999900, 1000},
        {10, 0, 1},
        {10, 1000000, 10},
        {UINT64_C(1) << 62, 1000000, UINT64_C(1) << 62},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(hist_rank(rows[i].n, rows[i].ppm), rows[i].rank);
    }
}

static void check_quantile(const struct hist_total *t, uint32_t ppm, uint64_t extra, uint64_t want)
{
    struct hist_quantile q = hist_quantile(t, ppm, extra);

    assert_int_equal(q.kind, HIST_VALUE);
    assert_int_equal(q.value_ns, want);
}

static void test_quantiles_of_1_to_100_ms(void **state)
{
    struct hist *h = hist_new();
    struct hist_total *t = hist_total_new();
    double mean;

    (void)state;
    for (uint64_t ms = 1; ms <= 100; ms++) {
        hist_record(h, ms * MS);
    }
    hist_total_add(t, h);
    check_quantile(t, 500000, 0, 50069503);
    check_quantile(t, 900000, 0, 90177535);
    check_quantile(t, 990000, 0, 99090431);
    check_quantile(t, 999000, 0, 100000000);
    check_quantile(t, 1000000, 0, 100000000);
    check_quantile(t, 500000, 10, 55050239);
    check_quantile(t, 900000, 10, 99090431);
    assert_int_equal(hist_quantile(t, 910000, 10).kind, HIST_SHED);
    assert_false(hist_quantile(t, 1000000, 0).lower_bound);
    assert_true(hist_mean(t, &mean));
    assert_true(mean == 50.5e6);
    assert_int_equal(t->head.min, 1 * MS);
    assert_int_equal(t->head.max, 100 * MS);
    hist_free(h);
    hist_total_free(t);
}

static void test_censored_samples(void **state)
{
    struct hist *h = hist_new();
    struct hist_total *t = hist_total_new();

    (void)state;
    for (int i = 0; i < 990; i++) {
        hist_record(h, 5 * MS);
    }
    for (int i = 0; i < 10; i++) {
        hist_record_censored(h, UINT64_C(1000000000));
    }
    hist_total_add(t, h);
    /* The maximum is beyond the bucket, so the bucket's upper edge is reported. */
    check_quantile(t, 500000, 0, 5013503);
    check_quantile(t, 990000, 0, 5013503);
    assert_false(hist_quantile(t, 990000, 0).lower_bound);
    check_quantile(t, 999000, 0, 1000000000);
    assert_true(hist_quantile(t, 999000, 0).lower_bound);
    assert_int_equal(t->head.censored_n, 10);
    assert_int_equal(t->head.censored_min, 1000000000);
    hist_free(h);
    hist_total_free(t);
}

static void test_empty_has_no_value(void **state)
{
    struct hist_total *t = hist_total_new();
    double mean = 7;

    (void)state;
    assert_int_equal(hist_quantile(t, 500000, 0).kind, HIST_NONE);
    assert_int_equal(hist_quantile(t, 500000, 1).kind, HIST_SHED);
    assert_false(hist_mean(t, &mean));
    assert_true(mean == 7);
    hist_total_free(t);
}

static void test_overflow_is_clamped_and_counted(void **state)
{
    struct hist *h = hist_new();

    (void)state;
    hist_record(h, HIST_VALUE_MAX + 1);
    hist_record_censored(h, UINT64_MAX);
    assert_int_equal(h->head.overflow, 2);
    assert_int_equal(h->head.max, HIST_VALUE_MAX);
    assert_int_equal(h->head.censored_min, HIST_VALUE_MAX);
    assert_int_equal(hist_bucket(h, HIST_BUCKETS - 1), 2);
    hist_free(h);
}

static void test_samples_needed(void **state)
{
    static const struct {
        uint32_t ppm;
        uint64_t n;
    } rows[] = {
        {0, 1},        {500000, 5},    {750000, 11},    {900000, 29}, {950000, 59},
        {990000, 299}, {999000, 2995}, {999900, 29956}, {1000000, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(hist_samples_needed(rows[i].ppm), rows[i].n);
    }
}

static void test_reset_leaves_nothing(void **state)
{
    struct hist *h = hist_new(), *fresh = hist_new();
    struct hist_total *t = hist_total_new(), *fresh_total = hist_total_new();

    (void)state;
    for (uint64_t j = 0; j < 1000; j++) {
        hist_record_censored(h, rng_at(1, j) >> (j % 60));
    }
    hist_total_add(t, h);
    hist_reset(h);
    hist_total_reset(t);
    assert_memory_equal(&h->head, &fresh->head, sizeof h->head);
    assert_int_equal(h->sum, 0);
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        assert_int_equal(hist_bucket(h, i), 0);
    }
    assert_true(hist_total_equal(t, fresh_total));
    hist_free(h);
    hist_total_free(t);
    hist_free(fresh);
    hist_total_free(fresh_total);
}

/* Every way to add gives the same bits as one histogram that saw it all. */
static void test_merge_equals_unsplit(void **state)
{
    enum { PARTS = 5 };
    struct hist *part[PARTS], *whole = hist_new();
    struct hist_total *direct = hist_total_new(), *by_parts = hist_total_new();
    struct hist_total *by_totals = hist_total_new(), *by_sparse = hist_total_new();
    struct hist_total *one = hist_total_new();
    struct hist_sparse sparse = {.pairs = NULL};

    (void)state;
    for (int p = 0; p < PARTS; p++) {
        part[p] = hist_new();
    }
    for (uint64_t j = 0; j < 20000; j++) {
        uint64_t v = rng_at(2, j) >> (20 + j % 40);
        struct hist *mine = part[rng_below(rng_at(3, j), PARTS)];
        if (j % 17 == 0) {
            hist_record_censored(whole, v);
            hist_record_censored(mine, v);
        } else {
            hist_record(whole, v);
            hist_record(mine, v);
        }
    }
    hist_total_add(direct, whole);
    for (int p = PARTS - 1; p >= 0; p--) {
        hist_total_add(by_parts, part[p]);
        hist_total_reset(one);
        hist_total_add(one, part[p]);
        hist_total_merge(by_totals, one);
        hist_sparse_add(&sparse, one);
        hist_free(part[p]);
    }
    hist_total_add_sparse(by_sparse, &sparse);
    assert_true(hist_total_equal(by_parts, direct));
    assert_true(hist_total_equal(by_totals, direct));
    assert_true(hist_total_equal(by_sparse, direct));
    assert_true(sparse.pair_count < HIST_BUCKETS);
    hist_sparse_clear(&sparse);
    assert_null(sparse.pairs);
    hist_free(whole);
    hist_total_free(direct);
    hist_total_free(by_parts);
    hist_total_free(by_totals);
    hist_total_free(by_sparse);
    hist_total_free(one);
}

static void test_merging_nothing_changes_nothing(void **state)
{
    struct hist *empty = hist_new();
    struct hist_total *t = hist_total_new(), *fresh = hist_total_new();
    struct hist_sparse sparse = {.pairs = NULL};

    (void)state;
    hist_total_add(t, empty);
    hist_total_merge(t, fresh);
    hist_sparse_add(&sparse, fresh);
    hist_total_add_sparse(t, &sparse);
    assert_true(hist_total_equal(t, fresh));
    assert_null(sparse.pairs);
    hist_free(empty);
    hist_total_free(t);
    hist_total_free(fresh);
}

static unsigned pages(uint32_t *const *page)
{
    unsigned n = 0;

    for (unsigned i = 0; page != NULL && i < HIST_PAGES; i++) {
        n += page[i] != NULL;
    }
    return n;
}

static unsigned total_pages(const struct hist_total *t)
{
    unsigned n = 0;

    for (unsigned i = 0; i < HIST_PAGES; i++) {
        n += t->page[i] != NULL;
    }
    return n;
}

/* Hundreds of templates have several histograms each: what they take follows from their samples. */
static void test_few_samples_and_octaves_take_little(void **state)
{
    struct hist *h = hist_new();
    struct hist_total *t = hist_total_new();

    (void)state;
    assert_true(sizeof *h <= 336);
    assert_true(sizeof *t <= 368);
    /* Head and sum are a cache line, the beginning of the list is another. */
    assert_int_equal((uintptr_t)h % 64, 0);
    assert_int_equal(offsetof(struct hist, few), 64);
    hist_total_add(t, h);
    assert_int_equal(total_pages(t), 0);
    for (int i = 0; i < HIST_FEW; i++) {
        hist_record(h, i % 2 == 0 ? MS : 60000 * MS);
    }
    hist_total_add(t, h);
    assert_null(h->page);
    assert_int_equal(total_pages(t), 2);
    hist_record(h, 5);
    assert_int_equal(pages(h->page), 3);
    assert_int_equal(hist_bucket(h, hist_index(MS)), HIST_FEW / 2);
    assert_int_equal(hist_bucket(h, 5), 1);
    /* They are kept: a steady load allocates nothing. */
    uint32_t *page = h->page[hist_index(MS) / HIST_PAGE];
    hist_reset(h);
    for (int i = 0; i < 3 * HIST_FEW; i++) {
        hist_record(h, MS);
    }
    assert_ptr_equal(h->page[hist_index(MS) / HIST_PAGE], page);
    assert_int_equal(hist_bucket(h, hist_index(MS)), 3 * HIST_FEW);
    assert_int_equal(pages(h->page), 3);
    hist_free(h);
    hist_total_free(t);
    hist_free(NULL);
    hist_total_free(NULL);
}

/* The list turns into counters at some sample: no number of samples makes a difference. */
static void test_any_number_of_samples(void **state)
{
    struct hist *h = hist_new();
    struct hist_total *t = hist_total_new();

    (void)state;
    for (uint64_t n = 1; n <= 3 * HIST_FEW; n++) {
        uint64_t sum = 0;

        hist_reset(h);
        hist_total_reset(t);
        for (uint64_t j = 0; j < n; j++) {
            hist_record(h, rng_at(n, j) >> (22 + j % 42));
        }
        hist_total_add(t, h);
        for (unsigned i = 0; i < HIST_BUCKETS; i++) {
            assert_int_equal(hist_total_bucket(t, i), hist_bucket(h, i));
            sum += hist_total_bucket(t, i);
        }
        assert_int_equal(sum, n);
        assert_int_equal(hist_quantile(t, 1000000, 0).value_ns, h->head.max);
    }
    hist_free(h);
    hist_total_free(t);
}

/* A quantile is within one bucket of the sorted samples' value, and never below it. */
static void test_quantile_against_sorted_samples(void **state)
{
    enum { N = 3000 };
    static uint64_t v[N];
    struct hist *h = hist_new();
    struct hist_total *t = hist_total_new();

    (void)state;
    for (uint64_t j = 0; j < N; j++) {
        /* Ascending by construction: no sort is needed to know the ranks. */
        v[j] = (j > 0 ? v[j - 1] : 0) + (rng_at(4, j) >> (34 + j % 20));
        assert_true(v[j] <= HIST_VALUE_MAX);
        hist_record(h, v[j]);
    }
    hist_total_add(t, h);
    for (uint32_t ppm = 0; ppm <= 1000000; ppm += 12345) {
        uint64_t exact = v[hist_rank(N, ppm) - 1];
        uint64_t got = hist_quantile(t, ppm, 0).value_ns;
        assert_true(got >= exact);
        assert_true(got - exact <= exact / 128);
    }
    hist_free(h);
    hist_total_free(t);
}

static void test_sum_passes_64_bits(void **state)
{
    struct hist *h = hist_new();
    struct hist_total *t = hist_total_new(), *u = hist_total_new();
    double mean;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        hist_record(h, HIST_VALUE_MAX);
    }
    hist_total_add(t, h);
    for (int i = 0; i < 20; i++) {
        hist_total_merge(u, t);
        hist_total_merge(t, u);
    }
    assert_true(hist_mean(t, &mean));
    /* The sum is exact; only its conversion rounds. */
    assert_true(mean > (double)HIST_VALUE_MAX * 0.999999999);
    assert_true(mean < (double)HIST_VALUE_MAX * 1.000000001);
    hist_free(h);
    hist_total_free(t);
    hist_total_free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_buckets_have_no_gap),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_quantiles_of_1_to_100_ms),
        cmocka_unit_test(test_censored_samples),
        cmocka_unit_test(test_empty_has_no_value),
        cmocka_unit_test(test_overflow_is_clamped_and_counted),
        cmocka_unit_test(test_samples_needed),
        cmocka_unit_test(test_reset_leaves_nothing),
        cmocka_unit_test(test_merge_equals_unsplit),
        cmocka_unit_test(test_few_samples_and_octaves_take_little),
        cmocka_unit_test(test_any_number_of_samples),
        cmocka_unit_test(test_merging_nothing_changes_nothing),
        cmocka_unit_test(test_quantile_against_sorted_samples),
        cmocka_unit_test(test_sum_passes_64_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
