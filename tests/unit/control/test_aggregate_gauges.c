/* SPDX-License-Identifier: MIT */
/* States of totals: of a stage, of a run that goes on, of one that has ended. */
#include "base/clock.h"
#include "control/aggregate.h"
#include "support/unit.h"

enum { KEYS = 2 };

/* The drain behind a stage, and the run's end, are no state of it. */
static void gauges_are_those_of_the_stages_end(void **state)
{
    static const uint64_t vus[] = {5, 10, 20, 30, 1};
    struct aggregate_key of_two[KEYS] = {{.stage_index = 0}};
    struct aggregate *a = aggregate_new(of_two, KEYS, 2, 1, 0, 60);
    struct window *w = window_new(KEYS, 0, 0);
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};

    (void)state;
    for (uint64_t second = 0; second < 5; second++) {
        if (second == 4) {
            aggregate_end_stage(a, 1, 4, UINT64_MAX);
        }
        window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
        w->stage_index = second < 2 ? 0 : 1;
        w->gauges.active_vus = vus[second];
        w->gauges.oldest_event_age_ns = (10 - second) * NS_PER_S;
        assert_true(aggregate_add(a, 0, w));
    }
    aggregate_view_total(a, &filter, &v);
    assert_int_equal(v.gauges.active_vus, 1); /* now */
    for (int32_t stage = 0; stage < 2; stage++) {
        filter.stage_index = stage;
        aggregate_view_total(a, &filter, &v);
        assert_int_equal(v.gauges.active_vus, stage == 0 ? 10 : 30);
        assert_int_equal(v.gauges.oldest_event_age_ns, (stage == 0 ? 10 : 8) * NS_PER_S);
    }
    aggregate_finish_source(a, 0);
    filter.stage_index = -1;
    aggregate_view_total(a, &filter, &v);
    assert_int_equal(v.gauges.active_vus, 30);
    assert_int_equal(v.gauges.oldest_event_age_ns, 10 * NS_PER_S);
    metric_view_clear(&v);
    window_free(w);
    aggregate_free(a);
}

/* A stage of 1.9 s that begins within a second has one state, that at the end of this second. */
static void a_short_stage_has_gauges(void **state)
{
    struct aggregate_key of_two[KEYS] = {{.stage_index = 0}};
    struct aggregate *a = aggregate_new(of_two, KEYS, 2, 1, 0, 60);
    struct window *w = window_new(KEYS, 0, 0);
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};

    (void)state;
    for (uint64_t second = 0; second < 4; second++) {
        window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
        w->stage_index = second < 2 ? 0 : 1;
        if (second == 1) {
            window_enter_stage(w, 1, 1050 * NS_PER_MS);
        }
        w->gauges.active_vus = second == 1 ? 3 : 1;
        if (second == 2) {
            aggregate_end_stage(a, 0, 1, 1050 * NS_PER_MS);
            aggregate_end_stage(a, 1, 2, 2950 * NS_PER_MS);
        }
        assert_true(aggregate_add(a, 0, w));
    }
    filter.stage_index = 1;
    aggregate_view_total(a, &filter, &v);
    assert_true(v.has_gauges);
    assert_int_equal(v.gauges.active_vus, 3);
    filter.stage_index = 0;
    aggregate_view_total(a, &filter, &v);
    assert_int_equal(v.gauges.active_vus, 1);
    metric_view_clear(&v);
    window_free(w);
    aggregate_free(a);
}

static double silence_s(const struct aggregate *a, int32_t stage, uint64_t first, uint64_t count)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};
    double value = -1;

    filter.stage_index = stage;
    if (count > 0) {
        assert_true(aggregate_view_seconds(a, &filter, first, count, &v));
    } else {
        aggregate_view_total(a, &filter, &v);
    }
    (void)metric_value(metric_find(STR("stream_stall_seconds")), &v, &value);
    metric_view_clear(&v);
    return value;
}

/* Stage 0 for 1.5 s, stage 1 for 1 s, then the drain: the longest silence is known of each, and
 * what the drain brings is the last one's. It ended, so no stream need be open. */
static void silences_are_the_longest_ones(void **state)
{
    static const double wanted_s[] = {0.25, 0.75, 0.5, 3, 2};
    struct aggregate_key of_two[KEYS] = {{.stage_index = 0}};
    struct aggregate *a = aggregate_new(of_two, KEYS, 2, 1, 0, 60);
    struct window *w = window_new(KEYS, 0, 0);

    (void)state;
    for (uint64_t second = 0; second < 5; second++) {
        if (second == 2) {
            aggregate_end_stage(a, 1, 2, 2500 * NS_PER_MS);
        }
        window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
        w->stage_index = second < 2 ? 0 : 1;
        if (second == 1) {
            window_silence(w, NS_PER_S / 2); /* still of stage 0 */
            window_enter_stage(w, 1, 1500 * NS_PER_MS);
        }
        window_silence(w, (uint64_t)(wanted_s[second] * 1e9));
        window_silence(w, 1);
        w->gauges.oldest_event_age_ns = window_longest_silence(w);
        assert_true(aggregate_add(a, 0, w));
        assert_true(silence_s(a, -1, second, 1) == wanted_s[second]);
        if (second == 2) {
            assert_true(silence_s(a, 0, 0, 0) == 0.5);
            assert_true(silence_s(a, 1, 0, 0) == 0.75);
        }
    }
    aggregate_finish_source(a, 0);
    assert_true(silence_s(a, 0, 0, 0) == 0.5);
    assert_true(silence_s(a, 1, 0, 0) == 3);
    assert_true(silence_s(a, -1, 0, 0) == 3);
    assert_true(silence_s(a, -1, 2, 3) == 3); /* in a window the longest, too */
    window_free(w);
    aggregate_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gauges_are_those_of_the_stages_end),
        cmocka_unit_test(a_short_stage_has_gauges),
        cmocka_unit_test(silences_are_the_longest_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
