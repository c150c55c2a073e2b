/* SPDX-License-Identifier: MIT */
/* What of the books is whose: the load's, or of stages that count apart. */
#include "base/clock.h"
#include "control/aggregate.h"
#include "support/unit.h"
#include "unit/control/operations.h"

#define MS UINT64_C(1000000)

enum { KEYS = 2, STAGES = 2, HISTORY = 20, CUSTOMS = 2 };

static const struct aggregate_key keys[KEYS] = {
    {.stage_index = 0, .operation = "ping"},
    {.stage_index = 1, .operation = "ping"},
};

static struct aggregate *new_books(uint32_t sources)
{
    return aggregate_new(keys, KEYS, STAGES, sources, CUSTOMS, HISTORY);
}

/* A second that two stages share: each has its own part of it, and of the failures. */
static void test_shares_of_a_second(void **state)
{
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    struct aggregate_filter f = aggregate_everything();
    const struct aggregate_failure *rows[8];
    struct metric_view v = {0};

    (void)state;
    aggregate_set_apart(a, 0);
    assert_false(aggregate_is_load(a, 0));
    assert_true(aggregate_is_load(a, 1));
    window_reset(w, 0, 0, NS_PER_S);
    window_connect(w, MS, ERROR_CODE_CONNECTION_REFUSED);
    window_custom(w, 1, 7, false, 1);
    fail_op(w, 0, "denied");
    fail_op(w, 0, "denied");
    window_enter_stage(w, 1, NS_PER_S / 2);
    window_connect(w, MS, ERROR_CODE_NONE);
    window_custom(w, 1, 100, false, 2);
    fail_op(w, 1, "denied");
    fail_op(w, 1, "other");
    succeed_op(w, 1, MS);
    aggregate_begin_stage(a, 0, 0);
    aggregate_begin_stage(a, 1, NS_PER_S / 2);
    assert_true(aggregate_add(a, 0, w));
    window_reset(w, 1, NS_PER_S, 2 * NS_PER_S);
    assert_false(w->later.used);
    window_enter_stage(w, 1, NS_PER_S); /* with the second: all of it */
    assert_false(w->later.used);
    window_connect(w, MS, ERROR_CODE_NONE);
    succeed_op(w, 1, MS);
    assert_true(aggregate_add(a, 0, w));
    aggregate_end_stage(a, 0, 0, NS_PER_S / 2);
    aggregate_end_stage(a, 1, 1, NS_PER_S * 3 / 2);
    aggregate_finish_source(a, 0);

    static const struct {
        enum aggregate_share share;
        int32_t stage;
        uint64_t attempts, refused, failed, ok, slots_attempts;
        double span_s, custom;
    } parts[] = {
        {AGGREGATE_ALL, -1, 3, 1, 4, 2, 2, 1.5, 107}, {AGGREGATE_LOAD, -1, 2, 0, 2, 2, 1, 1, 100},
        {AGGREGATE_APART, -1, 1, 1, 2, 0, 1, 0.5, 7}, {AGGREGATE_ALL, 0, 1, 1, 2, 0, 1, 0.5, 7},
        {AGGREGATE_ALL, 1, 2, 0, 2, 2, 1, 1, 100},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        f.share = parts[i].share;
        f.stage_index = parts[i].stage;
        aggregate_view_total(a, &f, &v);
        assert_int_equal(v.count[COUNT_CONNECT_ATTEMPTS], parts[i].attempts);
        assert_int_equal(v.count[COUNT_CONNECT_FAILURES], parts[i].refused);
        assert_int_equal(v.count[COUNT_ENDED_FAILED], parts[i].failed);
        assert_int_equal(v.count[COUNT_ENDED_OK], parts[i].ok);
        assert_true(v.span_s > parts[i].span_s - 1e-9 && v.span_s < parts[i].span_s + 1e-9);
        assert_true(v.customs[1].sum > parts[i].custom - 1e-9);
        assert_true(v.customs[1].sum < parts[i].custom + 1e-9);
        assert_true(aggregate_view_seconds(a, &f, 0, 1, &v));
        assert_int_equal(v.count[COUNT_CONNECT_ATTEMPTS], parts[i].slots_attempts);
    }
    metric_view_clear(&v);
    assert_int_equal(aggregate_failures(a, AGGREGATE_ALL, rows, 8), 2);
    assert_int_equal(rows[0]->seen[AGGREGATE_ALL].count, 3);
    assert_int_equal(aggregate_failures(a, AGGREGATE_APART, rows, 8), 1);
    assert_int_equal(rows[0]->seen[AGGREGATE_APART].count, 2);
    assert_int_equal(aggregate_failures(a, AGGREGATE_LOAD, rows, 8), 2);
    assert_int_equal(rows[0]->seen[AGGREGATE_LOAD].count, 1);
    struct aggregate_integrity whole;
    aggregate_integrity(a, &whole);
    assert_true(whole.sums_agree);
    window_free(w);
    aggregate_free(a);
}

/* More kinds than a second has room for, in the second in which the load begins: preflight, of
 * which one operation failed, has that one, whatever stage the second began with. */
static void test_failures_beyond_the_table_have_their_share(void **state)
{
    enum { KINDS = WINDOW_FAILURES_MAX + 10, REPEATS = 3 };
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    const struct aggregate_failure *rows[AGGREGATE_SIGNATURES_MAX];
    char text[3] = "aa";

    (void)state;
    aggregate_set_apart(a, 0);
    window_reset(w, 0, 0, NS_PER_S);
    window_enter_stage(w, 1, NS_PER_S / 2);
    for (int i = 0; i < KINDS * REPEATS; i++) {
        text[0] = (char)('a' + i % KINDS % 26);
        text[1] = (char)('a' + i % KINDS / 26);
        fail_op(w, 1, text);
    }
    assert_true(aggregate_add(a, 0, w));
    assert_int_equal(aggregate_failures(a, AGGREGATE_APART, rows, 8), 0);
    size_t count = aggregate_failures(a, AGGREGATE_LOAD, rows, AGGREGATE_SIGNATURES_MAX);
    assert_int_equal(count, WINDOW_FAILURES_MAX + 1);
    assert_true(rows[count - 1]->is_other);
    assert_int_equal(rows[count - 1]->seen[AGGREGATE_LOAD].count, 10 * REPEATS);
    assert_int_equal(aggregate_limit(a, LIMIT_FAILURE_KINDS), 10 * REPEATS);

    /* One of preflight, and one beside the workload. */
    struct outcome beside = {.error_type = ERROR_TYPE_TOOL_ERROR,
                             .error_code = ERROR_CODE_TOOL_ERROR};
    fail_op(w, 0, "late");
    window_beside_failed(w, &beside);
    w->second = 1;
    assert_true(aggregate_add(a, 0, w));
    assert_int_equal(aggregate_failures(a, AGGREGATE_APART, rows, 8), 1);
    assert_int_equal(rows[0]->seen[AGGREGATE_APART].count, 1);
    assert_int_equal(aggregate_failures(a, AGGREGATE_BESIDE, rows, 8), 1);
    assert_int_equal(rows[0]->seen[AGGREGATE_BESIDE].count, 1);
    assert_int_equal(rows[0]->seen[AGGREGATE_LOAD].count, 2 * 10 * REPEATS);
    window_reset(w, 2, 2 * NS_PER_S, 3 * NS_PER_S);
    assert_true(aggregate_add(a, 0, w));
    assert_int_equal(rows[0]->seen[AGGREGATE_LOAD].count, 2 * 10 * REPEATS);
    window_free(w);
    aggregate_free(a);
}

/* Keys of one stage leave nothing of what belongs to no key of another. */
static void test_keys_narrow_what_belongs_to_no_key(void **state)
{
    static const uint64_t second_stage[] = {2};
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    struct aggregate_filter f = aggregate_everything();
    struct metric_view v = {0};

    (void)state;
    window_reset(w, 0, 0, NS_PER_S);
    window_connect(w, MS, ERROR_CODE_CONNECTION_REFUSED);
    assert_true(aggregate_add(a, 0, w));
    window_reset(w, 1, NS_PER_S, 2 * NS_PER_S);
    window_enter_stage(w, 1, NS_PER_S);
    window_connect(w, MS, ERROR_CODE_NONE);
    assert_true(aggregate_add(a, 0, w));
    f.keys = second_stage;
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.count[COUNT_CONNECT_ATTEMPTS], 1);
    assert_int_equal(v.count[COUNT_CONNECT_FAILURES], 0);
    assert_true(v.span_s > 0.999 && v.span_s < 1.001);
    assert_true(aggregate_view_seconds(a, &f, 0, 2, &v));
    assert_int_equal(v.count[COUNT_CONNECT_FAILURES], 0);
    metric_view_clear(&v);
    window_free(w);
    aggregate_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_of_a_second),
        cmocka_unit_test(test_failures_beyond_the_table_have_their_share),
        cmocka_unit_test(test_keys_narrow_what_belongs_to_no_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
