/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/rng.h"
#include "control/aggregate.h"
#include "support/unit.h"
#include "unit/control/operations.h"

#define MS UINT64_C(1000000)

enum { KEYS = 3, STAGES = 2, SECONDS = 12, SOURCES_MAX = 7, HISTORY = 20, CUSTOMS = 3 };

static const struct aggregate_key keys[KEYS] = {
    {.stage_index = 0, .operation = "tools_call", .tool_name = "echo", .template_id = "a"},
    {.stage_index = 1, .operation = "tools_call", .tool_name = "echo", .template_id = "a"},
    {.stage_index = 1, .operation = "ping"},
};

static struct aggregate *new_books(uint32_t sources)
{
    return aggregate_new(keys, KEYS, STAGES, sources, CUSTOMS, HISTORY);
}

static void begin_second(struct window *w, uint64_t second)
{
    window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
    w->stage_index = second < SECONDS / 2 ? 0 : 1;
}

/* The j-th operation of a second, the same whoever counts it. */
static void random_operation(struct window *w, uint64_t second, uint64_t j)
{
    uint64_t seed = rng_sub(second, j);
    uint64_t due = 1000 + rng_below(rng_at(seed, 0), MS);
    uint64_t send = due + rng_below(rng_at(seed, 1), MS);
    static const struct {
        enum outcome_class cls;
        enum error_code code;
    } kinds[] = {
        {OUTCOME_OK, ERROR_CODE_NONE},
        {OUTCOME_OK, ERROR_CODE_NONE},
        {OUTCOME_FAILED, ERROR_CODE_TOOL_ERROR},
        {OUTCOME_FAILED, ERROR_CODE_HTTP_5XX},
        {OUTCOME_CUT, ERROR_CODE_STREAM_STALL_TIMEOUT},
        {OUTCOME_UNFINISHED, ERROR_CODE_NONE},
    };
    size_t kind = (size_t)rng_below(rng_at(seed, 2), sizeof kinds / sizeof kinds[0]);
    char message[32];

    snprintf(message, sizeof message, "kind %c number %u",
             'a' + (char)rng_below(rng_at(seed, 3), 5), (unsigned)j);
    struct outcome o = {.key = (uint32_t)rng_below(rng_at(seed, 4), KEYS),
                        .vu = (uint32_t)j,
                        .n = second,
                        .cls = kinds[kind].cls,
                        .t_due = due,
                        .t_free = due,
                        .t_ready = due,
                        .t_send = send,
                        .t_end = send + (rng_at(seed, 5) >> (30 + rng_below(rng_at(seed, 6), 30))),
                        .bytes_in = 100,
                        .bytes_out = 10,
                        .requests_sent = 1,
                        .is_stream = kind >= 4,
                        .error_code = kinds[kind].code,
                        .error_type = error_code_type(kinds[kind].code),
                        .origin = error_type_origin(error_code_type(kinds[kind].code)),
                        .message = str_c(message)};
    window_started(w, o.key);
    window_event(w, o.key, rng_at(seed, 7) >> 40);
    window_connect(w, rng_at(seed, 8) >> 40, ERROR_CODE_NONE);
    window_outcome(w, &o);
    if (j % 10 == 0) {
        window_key(w, o.key)->count[COUNT_DUE] += 2;
        window_key(w, o.key)->count[COUNT_DROPPED_DEADLINE]++;
        window_key(w, o.key)->count[COUNT_DROPPED_STOPPED]++;
        window_custom(w, 0, (double)rng_below(rng_at(seed, 9), 1000), true, second * NS_PER_S + j);
        window_custom(w, 1, (double)j - 100, false, second * NS_PER_S + j);
        window_custom(w, 0, -1, true, 1);
    }
}

/* Two operations per second are so slow that they are among the slowest, however they are split. */
static void slow_operation(struct window *w, uint64_t second, uint64_t i)
{
    struct outcome o = {.key = (uint32_t)((second + i) % KEYS),
                        .vu = (uint32_t)i,
                        .n = second,
                        .t_due = 1,
                        .t_free = 1,
                        .t_ready = 1,
                        .t_send = 2,
                        /* In pairs equally slow. */
                        .t_end = 3 + 2000 * NS_PER_S + second / 2 * NS_PER_S};

    window_started(w, o.key);
    window_outcome(w, &o);
}

/* Plays the same operations split over `sources`. */
static struct aggregate *play(uint32_t sources)
{
    struct aggregate *a = new_books(sources);
    struct window *w[SOURCES_MAX];

    aggregate_set_open_model(a, 1, true);
    for (uint32_t i = 0; i < sources; i++) {
        w[i] = window_new(KEYS, CUSTOMS, 0);
    }
    for (uint64_t second = 0; second < SECONDS; second++) {
        for (uint32_t i = 0; i < sources; i++) {
            begin_second(w[i], second);
        }
        for (uint64_t j = 0; j < 300; j++) {
            random_operation(w[rng_below(rng_at(99, j + second), sources)], second, j);
        }
        slow_operation(w[second % sources], second, 0);
        slow_operation(w[(second + 1) % sources], second, 1);
        /* They arrive in another order each second. */
        for (uint32_t i = 0; i < sources; i++) {
            uint32_t from = (uint32_t)((i + second) % sources);
            assert_true(aggregate_add(a, from, w[from]));
        }
    }
    for (uint32_t i = 0; i < sources; i++) {
        window_free(w[i]);
    }
    return a;
}

static void assert_same_view(const struct metric_view *a, const struct metric_view *b)
{
    assert_memory_equal(a->count, b->count, sizeof a->count);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        uint64_t n_a = a->dist[i] != NULL ? a->dist[i]->head.count : 0;
        uint64_t n_b = b->dist[i] != NULL ? b->dist[i]->head.count : 0;
        assert_int_equal(n_a, n_b);
        if (n_a > 0) {
            assert_true(hist_total_equal(a->dist[i], b->dist[i]));
        }
    }
    assert_true(a->span_s == b->span_s);
    assert_int_equal(a->busy, b->busy);
    assert_int_equal(a->open_model, b->open_model);
    assert_memory_equal(a->open_count, b->open_count, sizeof a->open_count);
    assert_int_equal(a->custom_count, b->custom_count);
    for (uint32_t i = 0; i < a->custom_count; i++) {
        struct metric_custom ca = a->customs[i], cb = b->customs[i];
        assert_int_equal(ca.count, cb.count);
        assert_int_equal(ca.rejected, cb.rejected);
        assert_int_equal(ca.last_ns, cb.last_ns);
        assert_true(ca.sum == cb.sum && ca.min == cb.min && ca.max == cb.max && ca.last == cb.last);
        if (ca.hist != NULL && ca.hist->head.count > 0) {
            assert_true(hist_total_equal(ca.hist, cb.hist));
        }
    }
}

/* Also with values: quantiles, some of them shed. */
static void assert_same_metrics(const struct metric_view *a, const struct metric_view *b)
{
    for (size_t i = 0; i < metric_count(); i++) {
        double va = 0, vb = 0;
        assert_int_equal(metric_value(metric_at(i), a, &va), metric_value(metric_at(i), b, &vb));
        assert_true(va == vb);
        assert_int_equal(metric_shed(metric_at(i), a), metric_shed(metric_at(i), b));
    }
}

static void assert_same_slowest(const struct aggregate *a, const struct aggregate *b, int32_t stage)
{
    const struct aggregate_slow *rows_a[AGGREGATE_SLOWEST_MAX], *rows_b[AGGREGATE_SLOWEST_MAX];
    size_t n = aggregate_slowest(a, stage, rows_a, AGGREGATE_SLOWEST_MAX);

    assert_int_equal(aggregate_slowest(b, stage, rows_b, AGGREGATE_SLOWEST_MAX), n);
    assert_true(n > 5);
    for (size_t i = 0; i < n; i++) {
        const struct outcome *x = &rows_a[i]->op.outcome, *y = &rows_b[i]->op.outcome;
        assert_int_equal(x->vu, y->vu);
        assert_int_equal(x->n, y->n);
        assert_int_equal(x->key, y->key);
        assert_int_equal(x->t_end, y->t_end);
        assert_int_equal(rows_a[i]->second, rows_b[i]->second);
        assert_true(i == 0 || rows_a[i]->op.outcome.t_end <= rows_a[i - 1]->op.outcome.t_end);
        assert_true(stage < 0 || keys[rows_a[i]->op.outcome.key].stage_index == (uint32_t)stage);
    }
}

static void assert_same_failures(const struct aggregate *a, const struct aggregate *b)
{
    const struct aggregate_failure *rows_a[64], *rows_b[64];
    size_t n = aggregate_failures(a, AGGREGATE_ALL, rows_a, 64);

    assert_true(n > 5);
    assert_int_equal(aggregate_failures(b, AGGREGATE_ALL, rows_b, 64), n);
    for (size_t i = 0; i < n; i++) {
        assert_true(failure_equal(&rows_a[i]->failure, &rows_b[i]->failure));
        assert_int_equal(rows_a[i]->failure.count, rows_b[i]->failure.count);
        assert_int_equal(rows_a[i]->seen[AGGREGATE_ALL].first_second,
                         rows_b[i]->seen[AGGREGATE_ALL].first_second);
        assert_int_equal(rows_a[i]->seen[AGGREGATE_ALL].last_second,
                         rows_b[i]->seen[AGGREGATE_ALL].last_second);
        assert_int_equal(rows_a[i]->keys[0], rows_b[i]->keys[0]);
        assert_true(i == 0 || rows_a[i]->failure.count <= rows_a[i - 1]->failure.count);
    }
}

static void test_merged_equals_unsplit(void **state)
{
    static const uint32_t splits[] = {1, 2, 3, SOURCES_MAX};
    struct aggregate *whole = play(1);
    struct metric_view v = {.span_s = 0}, w = {.span_s = 0};

    (void)state;
    for (size_t s = 0; s < sizeof splits / sizeof splits[0]; s++) {
        struct aggregate *split = play(splits[s]);

        for (int32_t stage = -1; stage < STAGES; stage++) {
            for (int32_t key = -1; key < KEYS; key++) {
                struct aggregate_filter f = aggregate_everything();
                f.stage_index = stage;
                f.key = key;
                aggregate_view_total(whole, &f, &v);
                aggregate_view_total(split, &f, &w);
                assert_same_view(&v, &w);
                assert_same_metrics(&v, &w);
                assert_true(aggregate_view_seconds(whole, &f, 3, 5, &v));
                assert_true(aggregate_view_seconds(split, &f, 3, 5, &w));
                assert_same_view(&v, &w);
            }
        }
        assert_same_failures(whole, split);
        assert_same_slowest(whole, split, -1);
        aggregate_free(split);
    }
    metric_view_clear(&v);
    metric_view_clear(&w);
    aggregate_free(whole);
}

static void test_seconds_add_up_to_the_total(void **state)
{
    struct aggregate *a = play(3);
    struct aggregate_filter f = aggregate_everything();
    struct metric_view total = {.span_s = 0}, all = {.span_s = 0}, one = {.span_s = 0};
    uint64_t sum[COUNT_ALL] = {0};

    (void)state;
    aggregate_view_total(a, &f, &total);
    assert_true(aggregate_view_seconds(a, &f, 0, SECONDS, &all));
    assert_same_view(&total, &all);
    assert_true(total.span_s == SECONDS);
    for (uint64_t second = 0; second < SECONDS; second++) {
        assert_true(aggregate_view_seconds(a, &f, second, 1, &one));
        assert_true(one.span_s == 1);
        for (unsigned i = 0; i < COUNT_ALL; i++) {
            sum[i] += one.count[i];
        }
    }
    assert_memory_equal(sum, total.count, sizeof sum);
    assert_int_equal(total.count[COUNT_STARTED], 302 * SECONDS);
    assert_int_equal(total.count[COUNT_STARTED], total.count[COUNT_ENDED_OK] +
                                                     total.count[COUNT_ENDED_FAILED] +
                                                     total.count[COUNT_UNFINISHED]);
    metric_view_clear(&total);
    metric_view_clear(&all);
    metric_view_clear(&one);
    aggregate_free(a);
}

static void test_stages_and_keys_are_apart(void **state)
{
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    struct aggregate_filter f = aggregate_everything();
    struct metric_view v = {.span_s = 0};

    (void)state;
    begin_second(w, 0);
    succeed_op(w, 0, 5 * MS);
    window_connect(w, 1, ERROR_CODE_NONE);
    assert_true(aggregate_add(a, 0, w));
    begin_second(w, SECONDS / 2);
    w->end_ns -= NS_PER_S / 2;
    /* Started in the first stage, ended in the second: it counts where it was due. */
    succeed_op(w, 0, 9 * MS);
    succeed_op(w, 2, 7 * MS);
    fail_op(w, 1, "no");
    assert_true(aggregate_add(a, 0, w));

    f.stage_index = 0;
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.count[COUNT_ENDED_OK], 2);
    assert_int_equal(v.count[COUNT_CONNECT_ATTEMPTS], 1);
    assert_int_equal(v.dist[DIST_SERVICE]->head.max, 9 * MS);
    assert_true(v.span_s == 1);
    f.stage_index = 1;
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.count[COUNT_ENDED_OK], 1);
    assert_int_equal(v.count[COUNT_ENDED_FAILED], 1);
    assert_int_equal(v.count[COUNT_CONNECT_ATTEMPTS], 0);
    assert_true(v.span_s == 0.5);
    f.key = 2;
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.count[COUNT_ENDED_OK], 1);
    assert_int_equal(v.count[COUNT_ENDED_FAILED], 0);
    f.stage_index = 0;
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.count[COUNT_ENDED_OK], 0);
    f = aggregate_everything();
    f.dists = 1u << DIST_LAG;
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.dist[DIST_LAG]->head.count, 3);
    assert_int_equal(v.dist[DIST_SERVICE]->head.count, 0);
    metric_view_clear(&v);
    window_free(w);
    aggregate_free(a);
}

static void add_second(struct aggregate *a, uint32_t source, uint64_t second)
{
    struct window *w = window_new(KEYS, CUSTOMS, 0);

    begin_second(w, second);
    succeed_op(w, 0, MS);
    w->gauges.active_vus = source + 1;
    w->gauges.oldest_event_age_ns = source + 10;
    assert_true(aggregate_add(a, source, w));
    window_free(w);
}

static void test_a_set_of_keys(void **state)
{
    static const uint64_t both[] = {5};
    struct aggregate *a = play(2);
    struct aggregate_filter f = aggregate_everything();
    struct metric_view all = {.span_s = 0}, one = {.span_s = 0}, sum = {.span_s = 0};

    (void)state;
    f.keys = both;
    f.only_keys = true;
    aggregate_view_total(a, &f, &all);
    for (uint32_t key = 0; key < KEYS; key += 2) {
        struct aggregate_filter single = aggregate_everything();
        single.key = (int32_t)key;
        single.stage_index = (int32_t)aggregate_key(a, key)->stage_index;
        single.only_keys = true;
        aggregate_view_total(a, &single, &one);
        assert_true(one.span_s == SECONDS / 2.0);
        for (unsigned i = 0; i < COUNT_ALL; i++) {
            sum.count[i] += one.count[i];
        }
    }
    assert_memory_equal(all.count, sum.count, sizeof all.count);
    assert_true(all.count[COUNT_STARTED] > 0);
    /* Nothing of the run parts. */
    assert_int_equal(all.count[COUNT_CONNECT_ATTEMPTS], 0);
    assert_int_equal(all.customs[0].count, 0);
    assert_false(all.has_gauges);
    assert_true(aggregate_view_seconds(a, &f, 0, SECONDS, &one));
    assert_memory_equal(all.count, one.count, sizeof all.count);
    assert_int_equal(one.customs[0].count, 0);
    f.only_keys = false;
    aggregate_view_total(a, &f, &all);
    assert_int_equal(all.count[COUNT_CONNECT_ATTEMPTS], 300 * SECONDS);
    metric_view_clear(&all);
    metric_view_clear(&one);
    aggregate_free(a);
}

static void test_the_load_model_of_a_view(void **state)
{
    static const uint64_t first[] = {1};
    struct aggregate *a = play(1);
    struct aggregate_filter f = aggregate_everything();
    struct metric_view v = {.span_s = 0};

    (void)state;
    aggregate_view_total(a, &f, &v);
    assert_true(v.open_model);
    f.keys = first;
    aggregate_view_total(a, &f, &v);
    assert_false(v.open_model);
    assert_int_equal(v.open_count[COUNT_STARTED], 0);
    f = aggregate_everything();
    f.stage_index = 0;
    aggregate_view_total(a, &f, &v);
    assert_false(v.open_model);
    f.stage_index = 1;
    aggregate_view_total(a, &f, &v);
    assert_true(v.open_model);
    assert_memory_equal(v.open_count, v.count, sizeof(uint64_t) * COUNT_CONNECT_ATTEMPTS);
    assert_true(aggregate_view_seconds(a, &f, 0, 2, &v));
    assert_true(v.open_model);
    metric_view_clear(&v);
    aggregate_free(a);
}

static void test_metrics_of_the_scenario(void **state)
{
    struct aggregate *a = new_books(2);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    struct aggregate_filter f = aggregate_everything();
    struct metric_view v = {.span_s = 0};

    (void)state;
    begin_second(w, 0);
    window_custom(w, 2, 4.5, true, 10);
    window_custom(w, 2, 1.5, true, 20);
    assert_true(aggregate_add(a, 0, w));
    begin_second(w, 0);
    window_custom(w, 2, 3, true, 15);
    assert_true(aggregate_add(a, 1, w));
    begin_second(w, SECONDS / 2);
    window_custom(w, 2, 100, true, 40);
    assert_true(aggregate_add(a, 0, w));

    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.custom_count, CUSTOMS);
    assert_int_equal(v.customs[2].count, 4);
    assert_true(v.customs[2].sum == 109 && v.customs[2].last == 100);
    f.stage_index = 0;
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.customs[2].count, 3);
    assert_true(v.customs[2].min == 1.5 && v.customs[2].max == 4.5 && v.customs[2].last == 1.5);
    assert_int_equal(v.customs[2].hist->head.count, 3);
    f.stage_index = -1;
    assert_true(aggregate_view_seconds(a, &f, 0, 1, &v));
    assert_int_equal(v.customs[2].count, 3);
    assert_int_equal(v.customs[2].hist->head.max, 4500);
    assert_int_equal(v.customs[0].count, 0);
    /* A view may serve other books. */
    struct aggregate *b = aggregate_new(keys, KEYS, STAGES, 1, 1, HISTORY);
    aggregate_view_total(b, &f, &v);
    assert_int_equal(v.custom_count, 1);
    assert_false(aggregate_add(b, 0, w)); /* another number of metrics */
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.customs[2].count, 4);
    aggregate_free(b);
    metric_view_clear(&v);
    window_free(w);
    aggregate_free(a);
}

static void test_the_slowest_of_each_stage(void **state)
{
    struct aggregate *a = play(3);
    const struct aggregate_slow *rows[AGGREGATE_SLOWEST_MAX];

    (void)state;
    assert_same_slowest(a, a, 0);
    assert_same_slowest(a, a, 1);
    assert_int_equal(aggregate_slowest(a, -1, rows, 3), 3);
    assert_int_equal(rows[0]->op.outcome.n, SECONDS - 2);
    assert_int_equal(rows[0]->op.outcome.vu, 0);
    assert_int_equal(rows[0]->second, SECONDS - 2);
    assert_int_equal(rows[0]->source, (SECONDS - 2) % 3);
    assert_int_equal(aggregate_slowest(a, -1, rows, AGGREGATE_SLOWEST_MAX), AGGREGATE_SLOWEST_MAX);
    aggregate_free(a);
}

static void test_due_operations_balance(void **state)
{
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    struct aggregate_integrity i;

    (void)state;
    aggregate_set_open_model(a, 1, true);
    begin_second(w, 0);
    succeed_op(w, 0, MS); /* of the closed model: nothing was due */
    succeed_op(w, 1, MS);
    window_key(w, 1)->count[COUNT_DUE] = 7;
    window_key(w, 1)->count[COUNT_DROPPED_DEADLINE] = 1;
    window_key(w, 1)->count[COUNT_DROPPED_NO_SLOT] = 2;
    assert_true(aggregate_add(a, 0, w));
    aggregate_integrity(a, &i);
    assert_int_equal(i.due_missing, 3);
    begin_second(w, 1);
    window_key(w, 1)->count[COUNT_DROPPED_STOPPED] = 3;
    w->samples_lost = 9;
    assert_true(aggregate_add(a, 0, w));
    aggregate_integrity(a, &i);
    assert_int_equal(i.due_missing, 0);
    struct aggregate_source s;
    aggregate_source(a, 0, &s);
    assert_int_equal(s.samples_lost, 9);
    window_free(w);
    aggregate_free(a);
}

static void test_watermark(void **state)
{
    struct aggregate *a = new_books(2);

    (void)state;
    assert_int_equal(aggregate_complete(a), 0);
    add_second(a, 0, 0);
    add_second(a, 0, 1);
    assert_int_equal(aggregate_complete(a), 0);
    add_second(a, 1, 1);
    /* Second 0 of source 1 is missing still. */
    assert_int_equal(aggregate_complete(a), 0);
    assert_int_equal(aggregate_newest(a), 2);
    assert_int_equal(aggregate_reported(a, 0), 1);
    assert_int_equal(aggregate_reported(a, 1), 2);
    assert_int_equal(aggregate_reported(a, 2), 0);
    add_second(a, 1, 0);
    assert_int_equal(aggregate_complete(a), 2);
    add_second(a, 1, 2);
    add_second(a, 1, 3);
    assert_int_equal(aggregate_complete(a), 2);
    aggregate_finish_source(a, 0);
    assert_int_equal(aggregate_complete(a), 4);
    aggregate_finish_source(a, 1);
    assert_int_equal(aggregate_complete(a), 4);
    aggregate_free(a);
}

static void test_refused_windows_are_counted(void **state)
{
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0), *other = window_new(KEYS + 1, CUSTOMS, 0);
    struct aggregate_integrity i;
    struct aggregate_filter f = aggregate_everything();
    struct metric_view v = {.span_s = 0};

    (void)state;
    begin_second(w, 0);
    succeed_op(w, 0, MS);
    assert_true(aggregate_add(a, 0, w));
    assert_false(aggregate_add(a, 0, w));
    assert_false(aggregate_add(a, 1, w));
    begin_second(w, AGGREGATE_SECONDS_MAX);
    assert_false(aggregate_add(a, 0, w));
    w->second = UINT64_MAX;
    assert_false(aggregate_add(a, 0, w));
    begin_second(w, 1);
    w->stage_index = STAGES;
    assert_false(aggregate_add(a, 0, w));
    begin_second(other, 1);
    assert_false(aggregate_add(a, 0, other));
    add_second(a, 0, 3);
    aggregate_integrity(a, &i);
    assert_int_equal(i.windows, 2);
    assert_int_equal(i.duplicates, 1);
    assert_int_equal(i.unknown_source, 1);
    assert_int_equal(i.refused, 4);
    assert_int_equal(i.missing, 2);
    assert_true(i.sums_agree);
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.count[COUNT_ENDED_OK], 2);
    metric_view_clear(&v);
    window_free(w);
    window_free(other);
    aggregate_free(a);
}

static void test_history_is_bounded_and_late_windows_count(void **state)
{
    enum { KEPT = HISTORY + AGGREGATE_HISTORY_SLACK };
    struct aggregate *a = new_books(2);
    struct aggregate_filter f = aggregate_everything();
    struct metric_view v = {.span_s = 0};
    struct aggregate_integrity i;

    (void)state;
    for (uint64_t second = 0; second < UINT64_C(2) * KEPT; second++) {
        add_second(a, 0, second);
    }
    assert_true(aggregate_view_seconds(a, &f, KEPT, KEPT, &v));
    assert_int_equal(v.count[COUNT_ENDED_OK], KEPT);
    assert_false(aggregate_view_seconds(a, &f, KEPT - 1, 1, &v));
    assert_int_equal(v.count[COUNT_ENDED_OK], 0);
    /* Late for the history, not for the totals; and late, but still kept. */
    add_second(a, 1, 5);
    add_second(a, 1, KEPT + 5);
    assert_int_equal(aggregate_reported(a, 5), 0);
    assert_int_equal(aggregate_reported(a, KEPT + 5), 2);
    assert_true(aggregate_view_seconds(a, &f, KEPT + 5, 1, &v));
    assert_int_equal(v.count[COUNT_ENDED_OK], 2);
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.count[COUNT_ENDED_OK], 2 * KEPT + 2);
    aggregate_integrity(a, &i);
    assert_true(i.sums_agree);
    metric_view_clear(&v);
    aggregate_free(a);
}

static void test_gauges_are_of_the_last_second(void **state)
{
    struct aggregate *a = new_books(2);
    struct aggregate_filter f = aggregate_everything();
    struct metric_view v = {.span_s = 0};

    (void)state;
    aggregate_view_total(a, &f, &v);
    assert_false(v.has_gauges);
    assert_true(aggregate_view_seconds(a, &f, 0, 3, &v));
    assert_false(v.has_gauges || v.busy);
    assert_true(v.span_s == 0);
    add_second(a, 0, 0);
    add_second(a, 1, 0);
    add_second(a, 1, 1);
    assert_true(aggregate_view_seconds(a, &f, 0, 1, &v));
    assert_int_equal(v.gauges.active_vus, 3);
    assert_int_equal(v.gauges.oldest_event_age_ns, 11);
    assert_true(v.busy);
    assert_true(aggregate_view_seconds(a, &f, 0, 2, &v));
    assert_int_equal(v.gauges.active_vus, 2);
    /* The total waits for the second to be complete. */
    aggregate_view_total(a, &f, &v);
    assert_int_equal(v.gauges.active_vus, 3);
    metric_view_clear(&v);
    aggregate_free(a);
}

static void test_failures_keep_their_times_and_keys(void **state)
{
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    const struct aggregate_failure *rows[8];
    char text[256];

    (void)state;
    begin_second(w, 2);
    fail_op(w, 0, "row 5 is missing");
    fail_op(w, 2, "row 6 is missing");
    fail_op(w, 2, "denied");
    assert_true(aggregate_add(a, 0, w));
    begin_second(w, 7);
    fail_op(w, 2, "row 7 is missing");
    assert_true(aggregate_add(a, 0, w));
    assert_int_equal(aggregate_failures(a, AGGREGATE_ALL, rows, 8), 2);
    assert_int_equal(rows[0]->failure.count, 3);
    assert_int_equal(rows[0]->seen[AGGREGATE_ALL].first_second, 2);
    assert_int_equal(rows[0]->seen[AGGREGATE_ALL].last_second, 7);
    assert_int_equal(rows[0]->keys[0], 5);
    assert_string_equal(aggregate_failure_pattern(rows[0], text, sizeof text),
                        "tool_error TOOL_ERROR: row <NUM> is missing");
    assert_int_equal(aggregate_failures(a, AGGREGATE_ALL, rows, 1), 1);
    assert_int_equal(aggregate_failures(a, AGGREGATE_ALL, rows, 0), 0);
    window_free(w);
    aggregate_free(a);
}

static void test_signatures_are_bounded(void **state)
{
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    const struct aggregate_failure *rows[AGGREGATE_SIGNATURES_MAX + 1];
    uint64_t total = 0;
    char text[16];

    (void)state;
    for (uint64_t second = 0; second < 20; second++) {
        begin_second(w, second);
        for (int c = 'a'; c <= 'z'; c++) {
            for (int d = 'a'; d <= 'c'; d++) {
                snprintf(text, sizeof text, "%c%c%c", c, d, 'a' + (int)second);
                fail_op(w, 0, text);
            }
        }
        assert_true(aggregate_add(a, 0, w));
    }
    size_t n = aggregate_failures(a, AGGREGATE_ALL, rows, AGGREGATE_SIGNATURES_MAX + 1);
    assert_int_equal(n, AGGREGATE_SIGNATURES_MAX + 1);
    for (size_t i = 0; i < n; i++) {
        total += rows[i]->failure.count;
    }
    assert_int_equal(total, 20 * 26 * 3);
    assert_true(rows[n - 1]->is_other);
    assert_int_equal(rows[n - 1]->seen[AGGREGATE_ALL].first_second, 0);
    assert_int_equal(rows[n - 1]->seen[AGGREGATE_ALL].last_second, 19);
    aggregate_failure_pattern(rows[n - 1], text, sizeof text);
    assert_string_equal(text, "<OTHER>");
    window_free(w);
    aggregate_free(a);
}

static void test_what_a_source_did(void **state)
{
    struct aggregate *a = new_books(1);
    struct window *w = window_new(KEYS, CUSTOMS, 0);
    struct aggregate_source s;

    (void)state;
    for (uint64_t second = 0; second < 6; second++) {
        static const uint64_t busy[] = {10, 85, 96, 97, 50, 99};
        begin_second(w, second);
        w->busy_ns = busy[second];
        w->wall_ns = 100;
        w->wakeups = 7;
        succeed_op(w, 1, MS);
        assert_true(aggregate_add(a, 0, w));
    }
    /* A fragment of a second, at the end of a run, is busy with its end. */
    window_reset(w, 6, 6 * NS_PER_S, 6 * NS_PER_S + MS);
    w->busy_ns = w->wall_ns = 100;
    assert_true(aggregate_add(a, 0, w));
    aggregate_source(a, 0, &s);
    assert_int_equal(s.windows, 7);
    assert_int_equal(s.count[COUNT_ENDED_OK], 6);
    assert_int_equal(s.busy_seconds_over_80, 4);
    assert_int_equal(s.busy_seconds_over_95, 3);
    assert_int_equal(s.busy_over_95_row, 2);
    assert_true(s.busy_max > 0.98 && s.busy_max < 1.0);
    assert_int_equal(s.wakeups, 42);
    assert_false(s.finished);
    window_free(w);
    aggregate_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merged_equals_unsplit),
        cmocka_unit_test(test_seconds_add_up_to_the_total),
        cmocka_unit_test(test_stages_and_keys_are_apart),
        cmocka_unit_test(test_a_set_of_keys),
        cmocka_unit_test(test_the_load_model_of_a_view),
        cmocka_unit_test(test_metrics_of_the_scenario),
        cmocka_unit_test(test_the_slowest_of_each_stage),
        cmocka_unit_test(test_due_operations_balance),
        cmocka_unit_test(test_watermark),
        cmocka_unit_test(test_refused_windows_are_counted),
        cmocka_unit_test(test_history_is_bounded_and_late_windows_count),
        cmocka_unit_test(test_gauges_are_of_the_last_second),
        cmocka_unit_test(test_failures_keep_their_times_and_keys),
        cmocka_unit_test(test_signatures_are_bounded),
        cmocka_unit_test(test_what_a_source_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
