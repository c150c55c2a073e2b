/* SPDX-License-Identifier: MIT */
/* Rows of the history that serve several keys: no figure that may be asked for changes, whether a
 * scope tells keys of a stage apart, takes them together, or there is none. */
#include "base/clock.h"
#include "base/rng.h"
#include "control/aggregate_priv.h"
#include "support/unit.h"

enum { KEYS = 6, STAGES = 2, SOURCES = 2, SECONDS = 8, OPERATIONS = 90 };

static const struct aggregate_key keys[KEYS] = {
    {.stage_index = 0, .operation = "tools/call", .template_id = "a"},
    {.stage_index = 0, .operation = "tools/call", .template_id = "b"},
    {.stage_index = 0, .operation = "tools/call", .template_id = "c"},
    {.stage_index = 1, .operation = "tools/call", .template_id = "a"},
    {.stage_index = 1, .operation = "tools/call", .template_id = "b"},
    {.stage_index = 1, .operation = "tools/call", .template_id = "c"},
};

static struct aggregate *new_books(void)
{
    struct aggregate *a = aggregate_new(keys, KEYS, STAGES, SOURCES, 0, SECONDS);

    aggregate_set_open_model(a, 1, true);
    return a;
}

static void record(struct window *w, uint64_t seed)
{
    struct outcome o = {.key = (uint32_t)rng_below(rng_at(seed, 0), KEYS),
                        .cls = rng_below(rng_at(seed, 1), 5) == 0 ? OUTCOME_FAILED : OUTCOME_OK,
                        .t_due = 1,
                        .t_free = 1,
                        .t_ready = 1,
                        .t_send = 1 + (rng_at(seed, 2) >> 50),
                        .requests_sent = 1,
                        .error_type = ERROR_TYPE_TOOL_ERROR,
                        .error_code = ERROR_CODE_TOOL_ERROR,
                        .origin = ERROR_ORIGIN_TOOL,
                        .message = STR("no")};

    o.t_end = o.t_send + (rng_at(seed, 3) >> (30 + rng_below(rng_at(seed, 4), 15)));
    window_key(w, o.key)->count[COUNT_DUE]++;
    window_started(w, o.key);
    window_outcome(w, &o);
    window_connect(w, rng_at(seed, 5) >> 40, ERROR_CODE_NONE);
}

/* The same load into any books. */
static void play(struct aggregate *a)
{
    struct window *w = window_new(KEYS, 0, 0);

    for (uint64_t second = 0; second < SECONDS; second++) {
        for (uint32_t source = 0; source < SOURCES; source++) {
            window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
            w->stage_index = second < SECONDS / 2 ? 0 : 1;
            for (uint64_t i = 0; i < OPERATIONS; i++) {
                record(w, rng_sub(second * SOURCES + source, i));
            }
            assert_true(aggregate_add(a, source, w));
        }
    }
    window_free(w);
}

static void assert_same_view(const struct metric_view *a, const struct metric_view *b)
{
    assert_memory_equal(a->count, b->count, sizeof a->count);
    assert_memory_equal(a->open_count, b->open_count, sizeof a->open_count);
    assert_true(a->span_s == b->span_s && a->busy == b->busy && a->open_model == b->open_model);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        uint64_t n_a = a->dist[i] != NULL ? a->dist[i]->head.count : 0;
        uint64_t n_b = b->dist[i] != NULL ? b->dist[i]->head.count : 0;

        assert_int_equal(n_a, n_b);
        assert_true(n_a == 0 || hist_total_equal(a->dist[i], b->dist[i]));
    }
}

/* Stretches of seconds, and the run. */
static void assert_same_sums(const struct aggregate *a,
                             const struct aggregate *b,
                             const struct aggregate_filter *f)
{
    struct metric_view va = {.span_s = 0}, vb = {.span_s = 0};

    for (uint64_t first = 0; first < SECONDS; first++) {
        assert_true(aggregate_view_seconds(a, f, first, 3, &va));
        assert_true(aggregate_view_seconds(b, f, first, 3, &vb));
        assert_same_view(&va, &vb);
        assert_true(f->keys != NULL || f->stage_index >= 0 || va.count[COUNT_STARTED] > 0);
    }
    aggregate_view_total(a, f, &va);
    aggregate_view_total(b, f, &vb);
    assert_same_view(&va, &vb);
    assert_true(va.count[COUNT_STARTED] > 0);
    metric_view_clear(&va);
    metric_view_clear(&vb);
}

static void assert_same_keys(const struct aggregate *a, const struct aggregate *b)
{
    struct metric_view va = {.span_s = 0}, vb = {.span_s = 0};
    struct aggregate_filter f = aggregate_everything();

    for (f.key = 0; f.key < KEYS; f.key++) {
        aggregate_view_total(a, &f, &va);
        aggregate_view_total(b, &f, &vb);
        assert_same_view(&va, &vb);
    }
    metric_view_clear(&va);
    metric_view_clear(&vb);
}

static void test_groups_change_no_figure(void **state)
{
    static const uint64_t middle[] = {1u << 1 | 1u << 4}, outer[] = {1u << 0 | 1u << 3 | 1u << 5},
                          stage[] = {7u << 3};
    static const struct {
        const uint64_t *scopes[2];
        size_t count, groups;
    } rows[] = {{{NULL}, 0, 2}, {{middle}, 1, 4}, {{middle, outer}, 2, 5}, {{stage}, 1, 2}};
    struct aggregate *apart = new_books();

    (void)state;
    play(apart);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aggregate *grouped = new_books();
        struct aggregate_filter f = aggregate_everything();

        aggregate_group_history(grouped, rows[i].scopes, rows[i].count);
        play(grouped);
        assert_int_equal(aggregate_slot(grouped, 0)->key_count, rows[i].groups);
        for (size_t k = 0; k <= rows[i].count; k++) {
            f.keys = k < rows[i].count ? rows[i].scopes[k] : NULL;
            f.only_keys = f.keys != NULL;
            f.stage_index = -1;
            assert_same_sums(apart, grouped, &f);
            f.stage_index = 1;
            assert_same_sums(apart, grouped, &f);
        }
        assert_same_keys(apart, grouped);
        aggregate_free(grouped);
    }
    aggregate_free(apart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_change_no_figure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
