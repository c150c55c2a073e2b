/* SPDX-License-Identifier: MIT */
/* The scenarios that we ship, and the customizations that the guide proposes for them. */
#include "base/clock.h"
#include "scenario/config/levels.h"
#include "scenario/scenario.h"
#include "support/unit.h"

#define FOLDER SOURCE_DIR "/examples/scenarios/"

enum { SETS_MAX = 6 };

static const char *const metrics[] = {
    "error_rate",         "latency_p99_ms",        "stream_stall_count",       "stream_error_rate",
    "stream_stalls",      "connection_error_rate", "stream_completion_rate",   "events_per_second",
    "session_reuse_rate", "stream_stall_seconds",  "session_creation_failures"};

/* Loads an example with overrides; there is no issue. */
static struct scenario *load_with(const char *file, const char *const *sets)
{
    struct scenario_options options = {
        .sets = sets, .metric_names = metrics, .metric_count = sizeof metrics / sizeof metrics[0]};
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    while (sets != NULL && options.set_count < SETS_MAX && sets[options.set_count] != NULL) {
        options.set_count++;
    }
    scenario_load_file(file, &options, &s, &issues, NULL);
    for (size_t i = 0; i < issues.count; i++) {
        print_message("%s: %s at %s: %s\n", file, issues.items[i].code,
                      issues.items[i].json_pointer, issues.items[i].message);
    }
    assert_int_equal(issues.count, 0);
    assert_non_null(s);
    issue_list_clear(&issues);
    return s;
}

/* The levels of the ramp, a whole step apart. */
static void
check_levels(const struct scenario *s, const uint32_t *vus, size_t count, uint64_t last_s)
{
    struct stage_levels before, ramp;

    levels_of_stage(s, &s->stages[1], NULL, &before);
    levels_of_stage(s, &s->stages[2], &before, &ramp);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(levels_vus(&s->stages[2], &ramp, i * 30 * NS_PER_S), vus[i]);
    }
    assert_int_equal(ramp.duration_ns, last_s * NS_PER_S);
    assert_int_equal(ramp.needs_ns, last_s * NS_PER_S);
}

static void test_heavy_load(void **state)
{
    static const uint32_t levels[] = {50, 100, 150, 200};
    struct scenario *s = load_with(FOLDER "sse-heavy-load.json", NULL);

    (void)state;
    assert_string_equal(s->scenario_id, "sse-heavy-load");
    assert_int_equal(s->session.mode, SESSION_POOL);
    assert_int_equal(s->session.pool_size, 100);
    assert_int_equal(s->workload.in_flight_per_vu, 2);
    assert_int_equal(s->workload.think.mode, THINK_FIXED);
    assert_int_equal(s->workload.think.base_ns, 100 * NS_PER_MS);
    assert_string_equal(s->workload.templates[0].arguments.text.p,
                        "{\"event_count\":50,\"interval_ms\":100}");
    assert_int_equal(s->stages[1].target_vus, 50);
    assert_int_equal(s->stages[2].condition_count, 4);
    assert_int_equal(s->criterion_count, 3);
    check_levels(s, levels, 4, 120);
    scenario_free(s);
}

static void test_heavy_load_customized(void **state)
{
    static const uint32_t levels[] = {50, 150, 250, 350, 450, 500};
    static const char *const more[] = {"stages[2].load.target_vus=500",
                                       "stages[2].ramp.step_vus=100", NULL};
    static const char *const longer[] = {"workload.tools.templates[0].arguments.event_count=200",
                                         "workload.tools.templates[0].arguments.interval_ms=50",
                                         NULL};
    static const char *const pool[] = {"session_policy={\"mode\":\"pool\",\"pool_size\":200}",
                                       NULL};

    (void)state;
    struct scenario *s = load_with(FOLDER "sse-heavy-load.json", more);
    check_levels(s, levels, 6, 180);
    scenario_free(s);
    s = load_with(FOLDER "sse-heavy-load.json", longer);
    assert_string_equal(s->workload.templates[0].arguments.text.p,
                        "{\"event_count\":200,\"interval_ms\":50}");
    scenario_free(s);
    s = load_with(FOLDER "sse-heavy-load.json", pool);
    assert_int_equal(s->session.pool_size, 200);
    scenario_free(s);
}

static void test_churn(void **state)
{
    static const char *const aggressive[] = {"workload.think_time.mode=fixed",
                                             "workload.think_time.base_ms=100", NULL};
    static const char *const longer[] = {"stages[2].duration_ms=600000", NULL};
    static const char *const seldom[] = {
        "session_policy={\"mode\":\"churn\",\"churn_interval_ops\":5}", NULL};
    struct scenario *s = load_with(FOLDER "sse-with-churn.json", NULL);

    (void)state;
    assert_int_equal(s->session.mode, SESSION_CHURN);
    assert_int_equal(s->session.churn_interval_ops, 1);
    assert_int_equal(s->workload.think.mode, THINK_JITTER);
    assert_int_equal(s->workload.think.jitter_ns, 200 * NS_PER_MS);
    assert_int_equal(s->stages[1].target_vus, 20);
    assert_int_equal(s->stages[1].duration_ns, 30 * NS_PER_S);
    assert_int_equal(s->stages[2].kind, STAGE_SOAK);
    assert_int_equal(s->stages[2].target_vus, 50);
    assert_int_equal(s->stages[2].duration_ns, 180 * NS_PER_S);
    scenario_free(s);
    s = load_with(FOLDER "sse-with-churn.json", aggressive);
    assert_int_equal(s->workload.think.mode, THINK_FIXED);
    scenario_free(s);
    scenario_free(load_with(FOLDER "sse-with-churn.json", longer));
    s = load_with(FOLDER "sse-with-churn.json", seldom);
    assert_int_equal(s->session.churn_interval_ops, 5);
    scenario_free(s);
}

static void test_stall(void **state)
{
    static const char *const sooner[] = {"target.timeouts.stream_stall_timeout_ms=5000", NULL};
    static const char *const recovery[] = {
        "workload.tools.templates[0].arguments={\"event_count\":10,\"interval_ms\":8000}", NULL};
    static const char *const threshold[] = {"stages[1].stop_conditions[0].threshold=20", NULL};

    (void)state;
    struct scenario *s = load_with(FOLDER "stream-stall-test.json", sooner);
    assert_int_equal(s->criterion_count, 1);
    assert_string_equal(s->criteria[0].metric, "stream_stall_count");
    scenario_free(s);
    scenario_free(load_with(FOLDER "stream-stall-test.json", recovery));
    scenario_free(load_with(FOLDER "stream-stall-test.json", threshold));
}

/* What can be pasted into each of them. */
static void test_common_patterns(void **state)
{
    static const char *const files[] = {FOLDER "sse-heavy-load.json", FOLDER "sse-with-churn.json",
                                        FOLDER "stream-stall-test.json"};
    static const char *const sets[][SETS_MAX] = {
        {"target.url=http://your-server.example.com", "target.transport=streamable_http",
         "environment.allowlist.allowed_targets=[{\"kind\":\"suffix\",\"value\":\".example.com\"}"
         "]"},
        {"workload.tools.templates=[{\"template_id\":\"your-tool\","
         "\"tool_name\":\"your_streaming_tool\",\"weight\":1,"
         "\"arguments\":{\"your_param\":\"value\"},\"expects_streaming\":true}]"},
        {"safety.stop_conditions=[{\"id\":\"custom-condition\",\"metric\":\"your_metric\","
         "\"comparator\":\">\",\"threshold\":100,\"window_ms\":15000,\"sustain_windows\":2,"
         "\"scope\":{}}]",
         "workload.metrics=[{\"name\":\"your_metric\",\"pointer\":\"/n\"}]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        for (size_t k = 0; k < sizeof sets / sizeof sets[0]; k++) {
            scenario_free(load_with(files[i], sets[k]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heavy_load),      cmocka_unit_test(test_heavy_load_customized),
        cmocka_unit_test(test_churn),           cmocka_unit_test(test_stall),
        cmocka_unit_test(test_common_patterns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
