/* SPDX-License-Identifier: MIT */
/* What each source did, and that the sums do not tell how many there were. */
#include "base/clock.h"
#include "base/rng.h"
#include "control/aggregate.h"
#include "support/unit.h"

#define MS UINT64_C(1000000)

enum { KEYS = 3, STAGES = 3, HISTORY = 20, SECONDS = 12, OPERATIONS = 60, SOURCES = 5 };

/* A preflight, a closed stage, an open one. */
static const struct aggregate_key keys[KEYS] = {
    {.stage_index = 0, .operation = "ping"},
    {.stage_index = 1, .operation = "ping"},
    {.stage_index = 2, .operation = "ping"},
};

static struct aggregate *new_books(uint32_t sources)
{
    struct aggregate *a = aggregate_new(keys, KEYS, STAGES, sources, 0, HISTORY);

    aggregate_set_apart(a, 0);
    aggregate_set_open_model(a, 2, true);
    for (uint32_t i = 0; i < STAGES; i++) {
        aggregate_begin_stage(a, i, i * 4 * NS_PER_S);
        aggregate_end_stage(a, i, (i + 1) * UINT64_C(4), (i + 1) * 4 * NS_PER_S);
    }
    return a;
}

static void operate(struct window *w, uint64_t second, uint64_t n)
{
    uint64_t id = second * OPERATIONS + n, due = second * NS_PER_S;
    uint32_t stage = (uint32_t)(second / 4);
    struct outcome o = {.key = stage,
                        .cls = id % 7 == 0 ? OUTCOME_FAILED : OUTCOME_OK,
                        .t_due = due,
                        .t_free = due,
                        .t_ready = due,
                        .t_send = due + rng_below(rng_at(1, id), MS),
                        .vu = (uint32_t)(n % 9),
                        .n = id,
                        .error_code = id % 7 == 0 ? ERROR_CODE_HTTP_5XX : ERROR_CODE_NONE,
                        .requests_sent = 1};

    o.t_end = o.t_send + MS + rng_below(rng_at(2, id), 400 * MS);
    o.error_type = error_code_type(o.error_code);
    window_started(w, stage);
    if (stage == 2) {
        window_key(w, stage)->count[COUNT_DUE]++;
    }
    window_outcome(w, &o);
}

/* Operation n of a second is of source n % count. */
static struct aggregate *play(uint32_t count, bool backwards)
{
    struct aggregate *a = new_books(count);
    struct window *w = window_new(KEYS, 0, 0);

    for (uint64_t i = 0; i < (uint64_t)SECONDS * count; i++) {
        uint64_t second = i / count, source = backwards ? count - 1 - i % count : i % count;

        window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
        w->stage_index = (uint32_t)(second / 4);
        for (uint64_t n = source; n < OPERATIONS; n += count) {
            operate(w, second, n);
        }
        assert_true(aggregate_add(a, (uint32_t)source, w));
    }
    window_free(w);
    return a;
}

static void expect_equal(const struct metric_view *x, const struct metric_view *y)
{
    static const char *const names[] = {"operations_total", "error_rate",     "ops_per_second",
                                        "service_p50_ms",   "latency_p99_ms", "due_operations"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct metric *m = metric_find(str_c(names[i]));
        double a = -1, b = -1;

        assert_non_null(m);
        assert_int_equal(metric_value(m, x, &a), metric_value(m, y, &b));
        if (a < b || a > b) {
            fail_msg("%s: %g, %g", names[i], a, b);
        }
    }
}

static void the_sources_together_are_the_load(void **state)
{
    struct metric_view all = {0}, of_all = {0}, one = {0};
    struct aggregate_filter load = aggregate_load();
    uint64_t everybody = (1u << SOURCES) - 1, started = 0, samples = 0;

    (void)state;
    struct aggregate *a = play(SOURCES, false), *single = play(1, false);
    aggregate_view_total(a, &load, &all);
    aggregate_view_sources(a, &everybody, &of_all);
    expect_equal(&all, &of_all);
    assert_int_equal(of_all.count[COUNT_STARTED], 8 * OPERATIONS); /* without preflight */
    for (uint32_t i = 0; i < SOURCES; i++) {
        uint64_t bit = 1u << i;

        aggregate_view_sources(a, &bit, &one);
        assert_int_equal(one.count[COUNT_STARTED], 8 * OPERATIONS / SOURCES);
        assert_true(one.open_model);
        started += one.count[COUNT_STARTED];
        samples += one.dist[DIST_RESPONSE]->head.count;
    }
    assert_int_equal(started, all.count[COUNT_STARTED]);
    assert_int_equal(samples, all.dist[DIST_RESPONSE]->head.count);
    uint64_t first = 1;
    aggregate_view_sources(single, &first, &one); /* it has no sums of its own */
    expect_equal(&all, &one);
    metric_view_clear(&all);
    metric_view_clear(&of_all);
    metric_view_clear(&one);
    aggregate_free(a);
    aggregate_free(single);
}

static void the_slowest_are_the_same_on_any_number_of_sources(void **state)
{
    const struct aggregate_slow *wanted[AGGREGATE_SLOWEST_MAX], *rows[AGGREGATE_SLOWEST_MAX];
    struct aggregate *single = play(1, false);

    (void)state;
    for (uint32_t count = 2; count <= 2 * SOURCES; count++) {
        struct aggregate *a = play(count, count % 2 == 0);

        for (int32_t stage = -1; stage < STAGES; stage++) {
            size_t n = aggregate_slowest(single, stage, wanted, AGGREGATE_SLOWEST_MAX);

            assert_int_equal(aggregate_slowest(a, stage, rows, AGGREGATE_SLOWEST_MAX), n);
            assert_int_equal(n, stage < 0 ? AGGREGATE_SLOWEST_MAX : 4 * WINDOW_SLOWEST_MAX);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(rows[i]->op.outcome.n, wanted[i]->op.outcome.n);
            }
        }
        aggregate_free(a);
    }
    aggregate_free(single);
}

/* The first source is lost behind its fourth second, all by itself or beside one that goes on. */
static struct aggregate *lose_the_first(uint32_t count)
{
    struct aggregate *a = aggregate_new(keys, KEYS, STAGES, count, 0, HISTORY);
    struct window *w = window_new(KEYS, 0, 0);

    aggregate_begin_stage(a, 0, 0);
    for (uint64_t second = 0; second < 9; second++) {
        window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
        for (uint32_t source = second < 4 ? 0 : 1; source < count; source++) {
            assert_true(aggregate_add(a, source, w));
        }
    }
    window_free(w);
    return a;
}

static void expect_missing(const struct aggregate *a, uint64_t missing)
{
    struct aggregate_integrity all;
    struct aggregate_source first;

    aggregate_source(a, 0, &first);
    assert_int_equal(first.missing, missing);
    aggregate_integrity(a, &all);
    assert_int_equal(all.missing, missing);
}

static void a_lost_source_lacks_what_the_run_had_besides(void **state)
{
    (void)state;
    struct aggregate *a = lose_the_first(2);
    expect_missing(a, 0); /* it may only be late */
    aggregate_leave_source(a, 0);
    expect_missing(a, 5);
    aggregate_end_stage(a, 0, 11, 11 * NS_PER_S + MS); /* nobody has reported the last two */
    expect_missing(a, 7);
    aggregate_finish_source(a, 0); /* it came back, and had nothing else to tell */
    expect_missing(a, 0);
    aggregate_free(a);
    a = lose_the_first(1);
    aggregate_leave_source(a, 0);
    expect_missing(a, 0);
    aggregate_end_stage(a, 0, 11, 11 * NS_PER_S + MS);
    expect_missing(a, 7);
    aggregate_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sources_together_are_the_load),
        cmocka_unit_test(the_slowest_are_the_same_on_any_number_of_sources),
        cmocka_unit_test(a_lost_source_lacks_what_the_run_had_besides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
