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
    xfree(h);
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
        cmocka_unit_test(test_a_tool_that_always_fails),
        cmocka_unit_test(test_latency_follows_the_load_model),
        cmocka_unit_test(test_quantiles_of_a_view),
        cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_text_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
