/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/rng.h"
#include "metrics/sample.h"
#include "metrics/window.h"
#include "support/unit.h"

enum { KEPT_MAX = 500, PARTS = 10 };

static uint32_t rank_of(uint64_t i)
{
    uint32_t rank = (uint32_t)rng_at(77, i);

    return rank > 0 ? rank : 1;
}

/* `count` successes that end one after the other over a second. Returns how many were left out. */
static uint64_t fill(struct sample_batch *b, uint32_t count)
{
    uint64_t gone = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct outcome o = {.n = i, .t_end = NS_PER_S / count * i, .log_rank = rank_of(i)};
        gone += sample_batch_success(b, &o, KEPT_MAX);
        assert_true(b->successes.count <= KEPT_MAX);
    }
    return gone;
}

static void test_few_are_all_kept(void **state)
{
    struct sample_batch *b = sample_batch_new();

    (void)state;
    assert_int_equal(fill(b, KEPT_MAX), 0);
    assert_int_equal(b->successes.count, KEPT_MAX);
    for (uint32_t i = 0; i < KEPT_MAX; i++) {
        assert_int_equal(b->successes.items[i].outcome.n, i);
    }
    sample_batch_free(b);
    sample_batch_free(NULL);
}

/* The end of the second is in it as well as its beginning, whatever the rate. */
static void test_many_are_thinned_evenly(void **state)
{
    static const uint32_t counts[] = {KEPT_MAX + 1, 3000, 40000, 1000000};
    struct sample_batch *b = sample_batch_new();

    (void)state;
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint32_t parts[PARTS] = {0}, kept;

        sample_batch_reset(b);
        uint64_t gone = fill(b, counts[c]);
        kept = b->successes.count;
        assert_int_equal(gone + kept, counts[c]);
        assert_in_range(kept, KEPT_MAX * 2 / 3, KEPT_MAX);
        for (uint32_t i = 0; i < kept; i++) {
            const struct outcome *o = &b->successes.items[i].outcome;

            assert_true(i == 0 || o->t_end > b->successes.items[i - 1].outcome.t_end);
            assert_int_equal(o->log_rank, rank_of(o->n));
            parts[o->t_end * PARTS / NS_PER_S]++;
        }
        for (uint32_t p = 0; p < PARTS; p++) {
            /* Four standard deviations of a fair share. */
            assert_in_range(parts[p], kept / PARTS * 3 / 7, kept / PARTS * 11 / 7);
        }
    }
    sample_batch_free(b);
}

/* Whatever the rate, a shard has kept all of the run's sample that is its own: it is within the
 * lower half of its bound. */
static void test_the_lowest_ranks_stay(void **state)
{
    struct sample_batch *b = sample_batch_new();

    (void)state;
    for (uint32_t count = KEPT_MAX + 1; count < 100000; count = count * 5 / 4) {
        struct sample_batch *all = sample_batch_new();

        sample_batch_reset(b);
        fill(b, count);
        for (uint32_t i = 0; i < count; i++) {
            struct outcome o = {.n = i, .log_rank = rank_of(i)};
            sample_batch_success(all, &o, count);
        }
        uint32_t rank = sample_common_rank(&all, 1, KEPT_MAX / 2);
        assert_true(b->rank_max >= rank);
        sample_batch_cut(b, rank);
        assert_int_equal(b->successes.count, KEPT_MAX / 2);
        sample_batch_free(all);
    }
    sample_batch_free(b);
}

static void test_a_rank_that_all_have_ends(void **state)
{
    struct sample_batch *b = sample_batch_new();
    struct outcome o = {.log_rank = 1};
    uint64_t gone = 0;

    (void)state;
    for (int i = 0; i < 5; i++) {
        gone += sample_batch_success(b, &o, 2);
    }
    assert_int_equal(gone + b->successes.count, 5);
    sample_batch_free(b);
}

static void test_failures_are_not_thinned_and_memory_stays(void **state)
{
    struct sample_batch *b = sample_batch_new();
    struct outcome o = {.cls = OUTCOME_FAILED, .message = STR("a\x01 b")};

    (void)state;
    fill(b, 2000);
    for (int i = 0; i < 1300; i++) {
        o.n = (uint64_t)i;
        sample_batch_failure(b, &o);
    }
    assert_int_equal(b->failures.count, 1300);
    assert_int_equal(b->failures.items[1299].outcome.n, 1299);
    assert_true(b->failures.items[0].message_len >= 3);
    assert_int_equal(b->failures.items[0].outcome.message.len, 0);
    const struct op_sample *failures = b->failures.items, *successes = b->successes.items;
    sample_batch_reset(b);
    assert_int_equal(b->failures.count + b->successes.count, 0);
    assert_int_equal(fill(b, KEPT_MAX), 0);
    assert_ptr_equal(b->failures.items, failures);
    assert_ptr_equal(b->successes.items, successes);
    sample_batch_free(b);
}

/* The sample of several batches is the one that a single batch of all would have. */
static void test_lowest_ranks_of_several(void **state)
{
    enum { ALL = 900, WANTED = 250 };
    struct sample_batch *all = sample_batch_new();
    struct sample_batch *parts[] = {sample_batch_new(), sample_batch_new(), sample_batch_new()};
    bool in_all[ALL] = {0};
    uint32_t gone = 0, kept = 0;

    (void)state;
    for (uint32_t i = 0; i < ALL; i++) {
        struct outcome o = {.n = i, .t_end = i, .log_rank = rank_of(i)};

        sample_batch_success(all, &o, ALL);
        sample_batch_success(parts[i % 7 == 0], &o, ALL); /* the third has none */
    }
    assert_int_equal(sample_common_rank(parts, 3, ALL), UINT32_MAX);
    assert_int_equal(sample_batch_cut(all, sample_common_rank(&all, 1, WANTED)), ALL - WANTED);
    for (uint32_t i = 0; i < WANTED; i++) {
        in_all[all->successes.items[i].outcome.n] = true;
    }
    uint32_t rank = sample_common_rank(parts, 3, WANTED);
    for (size_t p = 0; p < 3; p++) {
        gone += sample_batch_cut(parts[p], rank);
        kept += parts[p]->successes.count;
        for (uint32_t i = 0; i < parts[p]->successes.count; i++) {
            const struct outcome *o = &parts[p]->successes.items[i].outcome;

            assert_true(in_all[o->n]);
            assert_true(i == 0 || o->t_end > parts[p]->successes.items[i - 1].outcome.t_end);
        }
    }
    assert_int_equal(kept, WANTED);
    assert_int_equal(gone, ALL - WANTED);
    assert_int_equal(sample_batch_cut(parts[0], sample_common_rank(parts, 1, 0)) +
                         sample_batch_cut(parts[1], sample_common_rank(parts + 1, 1, 0)),
                     WANTED);
    for (size_t p = 0; p < 3; p++) {
        sample_batch_free(parts[p]);
    }
    sample_batch_free(all);
}

static void test_failures_are_cut_evenly(void **state)
{
    struct sample_batch *b = sample_batch_new();
    uint32_t firsts = 0;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        sample_batch_failure(b, &(struct outcome){.cls = OUTCOME_FAILED, .n = i});
    }
    assert_int_equal(sample_batch_cut_failures(b, 1000), 0);
    assert_int_equal(sample_batch_cut_failures(b, 300), 700);
    assert_int_equal(b->failures.count, 300);
    for (uint32_t i = 0; i < 300; i++) {
        firsts += b->failures.items[i].outcome.n < 500;
        assert_true(i == 0 || b->failures.items[i].outcome.n > b->failures.items[i - 1].outcome.n);
    }
    assert_in_range(firsts, 149, 151);
    assert_int_equal(sample_batch_cut_failures(b, 0), 300);
    sample_batch_free(b);
}

static void end_operation(struct window *w, enum outcome_class cls, uint32_t rank)
{
    struct outcome o = {.cls = cls, .t_due = 1, .t_end = 2, .log_rank = rank};

    if (cls == OUTCOME_FAILED) {
        o.error_code = ERROR_CODE_HTTP_STATUS;
        o.error_type = error_code_type(o.error_code);
    }
    window_started(w, 0);
    window_outcome(w, &o);
}

/* What a window gives away is gone; what it gets instead is used; what is not kept is counted. */
static void test_a_window_swaps_its_batch(void **state)
{
    struct window *w = window_new(1, 0, 4);

    (void)state;
    assert_null(window_swap_log(w, NULL));
    end_operation(w, OUTCOME_OK, 0);
    assert_null(window_swap_log(w, sample_batch_new()));
    assert_int_equal(w->samples_thinned, 1);
    for (uint32_t i = 1; i <= 9; i++) {
        end_operation(w, OUTCOME_OK, UINT32_MAX / 10 * i);
    }
    end_operation(w, OUTCOME_FAILED, 0);
    struct sample_batch *given = window_swap_log(w, NULL);
    assert_non_null(given);
    assert_int_equal(given->failures.count, 1);
    assert_in_range(given->successes.count, 1, 4);
    assert_int_equal(w->samples_thinned, 10 - given->successes.count);
    assert_int_equal(w->samples_lost, 0);
    window_reset(w, 1, 0, NS_PER_S);
    assert_int_equal(w->samples_thinned, 0);
    end_operation(w, OUTCOME_OK, 1);
    sample_batch_reset(given);
    struct sample_batch *next = window_swap_log(w, given);
    assert_int_equal(next->successes.count, 1);
    assert_ptr_equal(w->log, given);
    sample_batch_free(next);
    window_free(w);
}

/* Where the scenario's share is wanted, a bound of ours leaves nothing out "evenly": it loses. */
static void test_what_is_wanted_in_full_is_lost(void **state)
{
    struct window *w = window_new(1, 0, 4);

    (void)state;
    w->samples_in_full = true;
    end_operation(w, OUTCOME_OK, 0);
    for (uint32_t i = 1; i <= 9; i++) {
        end_operation(w, OUTCOME_OK, UINT32_MAX / 10 * i);
    }
    assert_int_equal(w->samples_thinned, 1);
    assert_int_equal(w->samples_lost, 9 - w->log->successes.count);
    window_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_are_all_kept),
        cmocka_unit_test(test_many_are_thinned_evenly),
        cmocka_unit_test(test_the_lowest_ranks_stay),
        cmocka_unit_test(test_a_rank_that_all_have_ends),
        cmocka_unit_test(test_failures_are_not_thinned_and_memory_stays),
        cmocka_unit_test(test_a_window_swaps_its_batch),
        cmocka_unit_test(test_lowest_ranks_of_several),
        cmocka_unit_test(test_failures_are_cut_evenly),
        cmocka_unit_test(test_what_is_wanted_in_full_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
