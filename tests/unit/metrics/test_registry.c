/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "metrics/registry.h"
#include "support/unit.h"

#include <math.h>

#define MS UINT64_C(1000000)

static const struct metric *need(const char *name)
{
    const struct metric *m = metric_find(str_c(name));

    assert_non_null(m);
    return m;
}

static void record(struct metric_view *v, enum dist id, uint64_t ns, bool censored)
{
    struct hist *h = hist_new();

    if (v->dist[id] == NULL) {
        v->dist[id] = hist_total_new();
    }
    if (censored) {
        hist_record_censored(h, ns);
    } else {
        hist_record(h, ns);
    }
    hist_total_add(v->dist[id], h);
    hist_free(h);
}

static void check(const struct metric_view *v, const char *name, double want)
{
    double got = -1;

    assert_true(metric_value(need(name), v, &got));
    if (!(fabs(got - want) < 1e-9)) {
        fail_msg("%s is %g, not %g", name, got, want);
    }
}

static void check_none(const struct metric_view *v, const char *name)
{
    double got = -1;

    if (metric_value(need(name), v, &got)) {
        fail_msg("%s has the value %g", name, got);
    }
    assert_true(got == -1);
}

static void test_every_row_is_complete(void **state)
{
    static const char *const units[] = {"count", "1", "1/s", "B/s", "ms", "s"};

    (void)state;
    for (size_t i = 0; i < metric_count(); i++) {
        const struct metric *m = metric_at(i);
        bool known_unit = false;

        for (size_t j = 0; j < sizeof units / sizeof units[0]; j++) {
            known_unit = known_unit || strcmp(units[j], m->unit) == 0;
        }
        assert_true(known_unit);
        assert_true(strlen(m->definition) > 20 && strlen(m->subset_of) > 0);
        assert_ptr_equal(need(m->name), m);
        bool of_dist = metric_dist(m, false) >= 0;
        assert_true(of_dist || m->kind == METRIC_GAUGE || m->plus != 0);
        assert_int_equal(m->kind == METRIC_RATIO, m->of_plus != 0);
        assert_int_equal(m->kind == METRIC_QUANTILE, m->ppm != 0);
        assert_true(m->kind != METRIC_GAUGE || m->gauge_scale > 0);
        /* Only a count can be promised to grow. */
        assert_true(m->kind == METRIC_COUNT || (!m->monotone && !m->since_begin));
        assert_int_equal(m->kind == METRIC_RATE, m->zero_when_busy);
    }
}

static void test_names_are_distinct(void **state)
{
    const char *names[METRIC_NAMES_MAX];
    size_t n = metric_names(names);

    (void)state;
    assert_true(n > metric_count());
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(names[i], names[j]);
        }
        assert_non_null(metric_find(str_c(names[i])));
    }
    assert_null(metric_find(STR("no_such_metric")));
    assert_null(metric_find(STR("")));
    assert_string_equal(str_nearest(STR("latency_p99"), names, n), "latency_p99_ms");
}

/* Names that published scenarios and documents use. */
static void test_the_names_of_the_contract_exist(void **state)
{
    static const char *const names[] = {
        "error_rate",
        "latency_p50_ms",
        "latency_p95_ms",
        "latency_p99_ms",
        "stream_stall_count",
        "stream_error_rate",
        "stream_completion_rate",
        "events_received_total",
        "events_per_second",
        "connection_error_rate",
        "session_creation_failures",
        "stream_stalls_per_sec",
        "stream_stall_seconds",
        "min_events_per_second",
        "throughput_rps",
        "total_ops",
        "failed_ops",
        "first_event_p95_ms",
        "service_p99_ms",
        "lag_p99_ms",
        "response_p999_ms",
        "latency_max_ms",
        "latency_mean_ms",
        "time_to_first_event_p95_ms",
        "event_gap_p95_ms",
        "session_creation_p95_ms",
        "connection_setup_p95_ms",
        "session_reuse_rate",
        "bytes_received_per_second",
        "dropped_operations",
        "dropped_ops",
        "due_operations",
        "rate_ratio",
        "started_ops",
        "unfinished_ops",
        "queue_p99_ms",
        "setup_p95_ms",
        "check_failure_rate",
        "integrity_mismatches",
        "sessions_expired",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        need(names[i]);
    }
    assert_ptr_equal(need("first_event_p95_ms"), need("time_to_first_event_p95_ms"));
    assert_ptr_equal(need("min_events_per_second"), need("events_per_second"));
}

static void test_an_empty_view_has_no_values(void **state)
{
    struct metric_view v = {.span_s = 0};

    (void)state;
    for (size_t i = 0; i < metric_count(); i++) {
        check_none(&v, metric_at(i)->name);
    }
}

static void test_rates_and_counts_of_a_silent_window(void **state)
{
    struct metric_view v = {.span_s = 10, .busy = true, .has_gauges = true};

    (void)state;
    check(&v, "ops_per_second", 0);
    check(&v, "events_per_second", 0);
    check(&v, "stream_stall_count", 0);
    check(&v, "in_flight", 0);
    check_none(&v, "error_rate");
    check_none(&v, "latency_p99_ms");
    /* Nothing was open, so nothing was silent. */
    check_none(&v, "stream_stall_seconds");
    v.busy = false;
    check_none(&v, "ops_per_second");
    check_none(&v, "events_per_second");
}

static void test_counts_ratios_and_rates(void **state)
{
    struct metric_view v = {.span_s = 4, .busy = true};

    (void)state;
    v.count[COUNT_ENDED_OK] = 6;
    v.count[COUNT_ENDED_FAILED] = 4;
    v.count[COUNT_OWN_FAILURES] = 2;
    v.count[COUNT_TOOL_ERRORS] = 1;
    v.count[COUNT_SESSION_REUSED] = 5;
    v.count[COUNT_STREAMS_ENDED] = 8;
    v.count[COUNT_STREAMS_FAILED] = 2;
    v.count[COUNT_STREAMS_COMPLETED] = 6;
    v.count[COUNT_STREAMS_STALLED] = 2;
    v.count[COUNT_CONNECT_ATTEMPTS] = 4;
    v.count[COUNT_CONNECT_FAILURES] = 1;
    v.count[COUNT_BYTES_IN] = 1000;
    check(&v, "operations_total", 10);
    check(&v, "operations_failed", 4);
    check(&v, "ops_per_second", 2.5);
    /* Two failures are our own: 2 of 8. */
    check(&v, "error_rate", 0.25);
    check(&v, "tool_error_rate", 0.125);
    check(&v, "session_reuse_rate", 0.5);
    check(&v, "stream_error_rate", 0.25);
    check(&v, "stream_completion_rate", 0.75);
    check(&v, "stream_stall_count", 2);
    check(&v, "stream_stalls_per_sec", 0.5);
    check(&v, "connection_error_rate", 0.25);
    check(&v, "bytes_received_per_second", 250);
    assert_int_equal(metric_samples(need("error_rate"), &v), 8);
    assert_int_equal(metric_samples(need("ops_per_second"), &v), 10);
}

/* Every rate: over stages without what came behind their end, with what came from one before; over
 * seconds whatever happened in them. Sums are never touched. */
static void test_a_rate_over_stages_is_of_their_time(void **state)
{
    struct metric_view v = {.span_s = 4, .busy = true};

    (void)state;
    v.count[COUNT_ENDED_OK] = 30;
    v.count[COUNT_ENDED_FAILED] = 10;
    v.count[COUNT_LATE_ENDED] = 16;
    v.count[COUNT_CARRIED_ENDED] = 4;
    v.count[COUNT_EVENTS] = v.count[COUNT_LATE_EVENTS] = 20;
    v.count[COUNT_STREAMS_STALLED] = 8;
    v.count[COUNT_LATE_STALLED] = 4;
    v.count[COUNT_BYTES_IN] = 1000;
    v.count[COUNT_LATE_BYTES_IN] = 600;
    v.count[COUNT_BYTES_OUT] = 1000;
    v.count[COUNT_CARRIED_BYTES_OUT] = 200;
    check(&v, "ops_per_second", 10);
    check(&v, "events_per_second", 5);
    check(&v, "stream_stalls_per_sec", 2);
    check(&v, "bytes_received_per_second", 250);
    check(&v, "bytes_sent_per_second", 250);
    v.of_stages = true;
    check(&v, "ops_per_second", 7);
    check(&v, "events_per_second", 0);
    check(&v, "stream_stalls_per_sec", 1);
    check(&v, "bytes_received_per_second", 100);
    check(&v, "bytes_sent_per_second", 300);
    check(&v, "operations_total", 40);
    check(&v, "events_received_total", 20);
    check(&v, "stream_stall_count", 8);
    for (size_t i = 0; i < metric_count(); i++) {
        const struct metric *m = metric_at(i);
        assert_int_equal(m->kind == METRIC_RATE, m->late != 0 && m->carried != 0);
    }
    metric_view_reset(&v);
    assert_false(v.of_stages);
}

static void test_a_fragment_counts_as_a_second(void **state)
{
    struct metric_view v = {.span_s = 0.1, .busy = true};

    (void)state;
    v.count[COUNT_ENDED_OK] = 20;
    check(&v, "ops_per_second", 200); /* for a stop condition */
    metric_view_whole_second(&v);
    check(&v, "ops_per_second", 20);
    v.span_s = 2.5;
    metric_view_whole_second(&v);
    check(&v, "ops_per_second", 8);
    v.span_s = 0; /* nothing was seen, still */
    metric_view_whole_second(&v);
    check_none(&v, "operations_total");
}

static void test_a_tool_that_always_fails(void **state)
{
    struct metric_view v = {.span_s = 1};

    (void)state;
    v.count[COUNT_ENDED_FAILED] = 7;
    check(&v, "error_rate", 1.0);
    v.count[COUNT_OWN_FAILURES] = 7;
    check_none(&v, "error_rate");
}

static void test_latency_follows_the_load_model(void **state)
{
    struct metric_view v = {.span_s = 1};

    (void)state;
    record(&v, DIST_SERVICE, MS / 4, false);
    record(&v, DIST_RESPONSE, 3 * MS, false);
    /* Below a millisecond is not rounded up. */
    check(&v, "latency_p50_ms", 0.25);
    check(&v, "latency_mean_ms", 0.25);
    v.open_model = true;
    check(&v, "latency_p50_ms", 3);
    check(&v, "latency_max_ms", 3);
    check(&v, "service_p99_ms", 0.25);
    check(&v, "response_p99_ms", 3);
    check_none(&v, "lag_p99_ms");
    assert_int_equal(metric_samples(need("latency_p99_ms"), &v), 1);
    metric_view_reset(&v);
    assert_true(v.open_model);
    check_none(&v, "latency_p50_ms");
    metric_view_clear(&v);
}

static void test_quantiles_of_a_view(void **state)
{
    struct metric_view v = {.span_s = 1};

    (void)state;
    for (uint64_t ms = 1; ms <= 100; ms++) {
        record(&v, DIST_SERVICE, ms * MS, false);
    }
    check(&v, "latency_p50_ms", 50.069503);
    check(&v, "latency_p90_ms", 90.177535);
    check(&v, "latency_p99_ms", 99.090431);
    check(&v, "latency_p999_ms", 100);
    check(&v, "latency_max_ms", 100);
    check(&v, "latency_mean_ms", 50.5);
    assert_false(metric_is_lower_bound(need("latency_mean_ms"), &v));
    record(&v, DIST_SERVICE, 500 * MS, true);
    assert_false(metric_is_lower_bound(need("latency_p50_ms"), &v));
    assert_true(metric_is_lower_bound(need("latency_p999_ms"), &v));
    assert_true(metric_is_lower_bound(need("latency_max_ms"), &v));
    assert_true(metric_is_lower_bound(need("latency_mean_ms"), &v));
    assert_false(metric_is_lower_bound(need("error_rate"), &v));
    metric_view_clear(&v);
}

static void test_gauges(void **state)
{
    struct metric_view v = {.span_s = 1, .has_gauges = true};

    (void)state;
    v.gauges = (struct window_gauges){.active_vus = 1,
                                      .active_sessions = 2,
                                      .active_streams = 3,
                                      .open_connections = 4,
                                      .in_flight = 5,
                                      .oldest_event_age_ns = 1500 * MS};
    check(&v, "active_vus", 1);
    check(&v, "active_sessions", 2);
    check(&v, "active_streams", 3);
    check(&v, "open_connections", 4);
    check(&v, "in_flight", 5);
    check(&v, "stream_stall_seconds", 1.5);
    v.gauges.active_streams = 0; /* it ended, and was there */
    v.has_gauges = false;
    check(&v, "stream_stall_seconds", 1.5);
    /* Exactly the time-out that ended it: "> 15" does not hold. */
    v.gauges.oldest_event_age_ns = 15000 * MS;
    double value;
    assert_true(metric_value(need("stream_stall_seconds"), &v, &value) && value <= 15);
}

static void test_the_open_model(void **state)
{
    struct metric_view v = {.span_s = 1, .open_model = true};

    (void)state;
    check_none(&v, "rate_ratio");
    /* 20 operations of a stage of the closed model are in the view as well. */
    v.count[COUNT_STARTED] = 110;
    v.open_count[COUNT_STARTED] = 90;
    v.count[COUNT_DUE] = v.open_count[COUNT_DUE] = 100;
    v.count[COUNT_DROPPED_DEADLINE] = 3;
    v.count[COUNT_DROPPED_NO_SLOT] = 3;
    v.count[COUNT_DROPPED_STOPPED] = 4;
    check(&v, "rate_ratio", 0.9);
    check(&v, "due_operations", 100);
    check(&v, "dropped_operations", 10);
    assert_int_equal(metric_samples(need("rate_ratio"), &v), 100);
    /* The stop is no reason for a wait. */
    assert_int_equal(metric_dropped(&v), 6);
}

static void test_dropped_operations_rank_above_all(void **state)
{
    struct metric_view v = {.span_s = 1, .open_model = true};

    (void)state;
    v.count[COUNT_DROPPED_DEADLINE] = 10;
    check_none(&v, "latency_p50_ms");
    assert_true(metric_shed(need("latency_p50_ms"), &v));
    assert_false(metric_shed(need("latency_max_ms"), &v));
    for (uint64_t ms = 1; ms <= 100; ms++) {
        record(&v, DIST_RESPONSE, ms * MS, false);
        record(&v, DIST_SERVICE, ms * MS, false);
    }
    check(&v, "latency_p50_ms", 55.050239);
    check(&v, "response_p90_ms", 99.090431);
    check_none(&v, "latency_p95_ms");
    check_none(&v, "response_p999_ms");
    assert_true(metric_shed(need("latency_p95_ms"), &v));
    assert_false(metric_shed(need("latency_p90_ms"), &v));
    assert_false(metric_shed(need("error_rate"), &v));
    /* They bound what a maximum and a mean can say, and are no part of S. */
    check(&v, "latency_max_ms", 100);
    assert_true(metric_is_lower_bound(need("latency_max_ms"), &v));
    assert_true(metric_is_lower_bound(need("response_mean_ms"), &v));
    assert_false(metric_is_lower_bound(need("latency_p50_ms"), &v));
    check(&v, "service_p99_ms", 99.090431);
    assert_false(metric_shed(need("service_p99_ms"), &v));
    v.open_model = false;
    check(&v, "latency_p99_ms", 99.090431);
    metric_view_clear(&v);
}

static void test_what_a_scope_can_narrow(void **state)
{
    static const struct {
        const char *name;
        bool narrows;
    } rows[] = {
        {"error_rate", true},
        {"latency_p99_ms", true},
        {"session_reuse_rate", true},
        {"stream_stall_count", true},
        {"event_gap_p95_ms", true},
        {"integrity_mismatches", true},
        {"rate_ratio", true},
        {"connection_error_rate", false},
        {"sessions_created", false},
        {"session_creation_p95_ms", false},
        {"active_streams", false},
        {"stream_stall_seconds", false},
        {"connection_setup_p95_ms", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(metric_narrows(need(rows[i].name)), rows[i].narrows);
    }
}

static void test_samples_that_are_needed(void **state)
{
    (void)state;
    assert_int_equal(metric_samples_needed(need("latency_p50_ms")), 5);
    assert_int_equal(metric_samples_needed(need("latency_p99_ms")), 299);
    assert_int_equal(metric_samples_needed(need("event_gap_p999_ms")), 2995);
    assert_int_equal(metric_samples_needed(need("latency_max_ms")), 0);
    assert_int_equal(metric_samples_needed(need("error_rate")), 0);
}

/* ---- metrics of the scenario ----------------------------------------------------------------- */

static const struct metric_custom_def defs[] = {
    {.name = "hits", .kind = METRIC_COUNTER},
    {.name = "depth", .kind = METRIC_LAST},
    {.name = "size", .kind = METRIC_TREND},
    {.name = "error_rate", .kind = METRIC_COUNTER}, /* as a row of the registry */
};

static void check_custom(const struct metric_set *set,
                         const struct metric_view *v,
                         const char *name,
                         double want)
{
    const struct metric *m = metric_set_find(set, str_c(name));
    double got = -1;

    assert_non_null(m);
    assert_true(metric_value(m, v, &got));
    if (!(fabs(got - want) < 1e-9)) {
        fail_msg("%s is %g, not %g", name, got, want);
    }
}

static void test_rows_of_the_scenario(void **state)
{
    struct metric_set *set = metric_set_new(defs, 4);

    (void)state;
    assert_int_equal(metric_set_count(set), 7 + 7 + 13 + 7);
    for (size_t i = 0; i < metric_set_count(set); i++) {
        const struct metric *m = metric_set_at(set, i);
        assert_ptr_equal(metric_set_find(set, str_c(m->name)), m);
        assert_false(metric_narrows(m));
        assert_int_equal(metric_dist(m, true), -1);
    }
    /* The registry comes first, the bare name last. */
    assert_ptr_equal(metric_set_find(set, STR("error_rate")), need("error_rate"));
    assert_string_equal(metric_set_find(set, STR("custom.error_rate"))->name, "custom.error_rate");
    assert_string_equal(metric_set_find(set, STR("size"))->name, "custom.size");
    assert_string_equal(metric_set_find(set, STR("size.p95"))->name, "custom.size.p95");
    assert_null(metric_set_find(set, STR("custom.hits.p95")));
    assert_null(metric_set_find(set, STR("custom.none")));
    assert_null(metric_set_find(set, STR("custom.")));
    assert_null(metric_set_find(set, STR("")));
    assert_ptr_equal(metric_set_find(NULL, STR("error_rate")), need("error_rate"));
    assert_null(metric_set_find(NULL, STR("custom.size")));
    assert_int_equal(metric_set_count(NULL), 0);
    metric_set_free(set);
    metric_set_free(NULL);
}

static void test_values_of_the_scenario(void **state)
{
    struct metric_set *set = metric_set_new(defs, 4);
    struct window *w = window_new(1, 4, 0);
    struct metric_view v = {.span_s = 1, .custom_count = 4};
    double value;

    (void)state;
    v.customs = xcalloc(4, sizeof *v.customs);
    for (int i = 1; i <= 100; i++) {
        window_custom(w, 2, i / 10.0, true, (uint64_t)i);
    }
    const struct window_custom *c = &w->customs[2];
    v.customs[2] = (struct metric_custom){.count = c->count,
                                          .sum = c->sum,
                                          .min = c->min,
                                          .max = c->max,
                                          .last = c->last,
                                          .hist = hist_total_new()};
    hist_total_add(v.customs[2].hist, c->hist);
    v.customs[0] = (struct metric_custom){.count = 3, .sum = -6, .min = -4, .max = 1, .last = 1};
    v.customs[1] = v.customs[0];
    check_custom(set, &v, "hits", -6);
    check_custom(set, &v, "custom.hits.max", 1);
    check_custom(set, &v, "custom.hits.mean", -2);
    check_custom(set, &v, "depth", 1);
    check_custom(set, &v, "custom.depth.sum", -6);
    check_custom(set, &v, "size", 5.05);
    check_custom(set, &v, "custom.size.count", 100);
    check_custom(set, &v, "custom.size.min", 0.1);
    check_custom(set, &v, "custom.size.last", 10);
    check_custom(set, &v, "custom.size.p999", 10);
    /* Within the bucket's 0.78 %. */
    assert_true(metric_value(metric_set_find(set, STR("size.p50")), &v, &value));
    assert_true(value >= 5 && value <= 5.04);
    assert_int_equal(metric_samples(metric_set_find(set, STR("size.p50")), &v), 100);
    assert_int_equal(metric_samples_needed(metric_set_find(set, STR("size.p99"))), 299);
    /* Nothing found: 0 for what counts, else no value. */
    metric_view_reset(&v);
    v.span_s = 1;
    check_custom(set, &v, "hits", 0);
    check_custom(set, &v, "custom.size.count", 0);
    assert_false(metric_value(metric_set_find(set, STR("depth")), &v, &value));
    assert_false(metric_value(metric_set_find(set, STR("size.p50")), &v, &value));
    assert_false(metric_value(metric_set_find(set, STR("size.max")), &v, &value));
    window_free(w);
    metric_view_clear(&v);
    /* Books that know nothing of it. */
    v.span_s = 1;
    assert_false(metric_value(metric_set_find(set, STR("hits")), &v, &value));
    metric_set_free(set);
}

static void test_text_for_people(void **state)
{
    static const struct {
        const char *name;
        double value;
        const char *text;
    } rows[] = {
        {"latency_p99_ms", 12430, "12.4 s"},    {"latency_p99_ms", 10000, "10 s"},
        {"latency_p99_ms", 12.34, "12.3 ms"},   {"latency_p99_ms", 250, "250 ms"},
        {"latency_p99_ms", 0.25, "250 µs"},     {"latency_p99_ms", 0, "0 ms"},
        {"error_rate", 0.25, "25 %"},           {"error_rate", 0.0012, "0.12 %"},
        {"stream_stall_count", 10, "10"},       {"ops_per_second", 1234.5, "1234/s"},
        {"stream_stall_seconds", 1.5, "1.5 s"}, {"bytes_sent_per_second", 70, "70 B/s"},
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(metric_format(need(rows[i].name), rows[i].value, text, sizeof text),
                            rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_complete),
        cmocka_unit_test(test_names_are_distinct),
        cmocka_unit_test(test_the_names_of_the_contract_exist),
        cmocka_unit_test(test_an_empty_view_has_no_values),
        cmocka_unit_test(test_rates_and_counts_of_a_silent_window),
        cmocka_unit_test(test_counts_ratios_and_rates),
        cmocka_unit_test(test_a_rate_over_stages_is_of_their_time),
        cmocka_unit_test(test_a_fragment_counts_as_a_second),
        cmocka_unit_test(test_a_tool_that_always_fails),
        cmocka_unit_test(test_latency_follows_the_load_model),
        cmocka_unit_test(test_quantiles_of_a_view),
        cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_the_open_model),
        cmocka_unit_test(test_dropped_operations_rank_above_all),
        cmocka_unit_test(test_what_a_scope_can_narrow),
        cmocka_unit_test(test_samples_that_are_needed),
        cmocka_unit_test(test_rows_of_the_scenario),
        cmocka_unit_test(test_values_of_the_scenario),
        cmocka_unit_test(test_text_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
