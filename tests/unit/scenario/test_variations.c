/* SPDX-License-Identifier: MIT */
/* The variations of the streaming scenarios, merged as people write them
 * (scenario/reading/overlay.h). */
#include "base/clock.h"
#include "scenario/config/levels.h"
#include "scenario/scenario.h"
#include "support/unit.h"

enum { PATHS = 512 };

static void read_data(const char *folder, const char *name, struct buf *out)
{
    char path[PATHS];

    snprintf(path, sizeof path, SOURCE_DIR "/%s/%s.json", folder, name);
    buf_init(out, JSON_TEXT_MAX);
    assert_int_equal(file_read(path, out, NULL), 0);
}

static int
vary(const char *scenario, const char *variation, struct scenario **out, struct issue_list *issues)
{
    struct buf text, overlay;

    read_data("examples/scenarios", scenario, &text);
    read_data("tests/data/overlays", variation, &overlay);
    const struct scenario_overlay given = {.name = variation, .text = buf_str(&overlay)};
    const struct scenario_options options = {.overlays = &given, .overlay_count = 1};
    *out = NULL;
    int rc = scenario_load_text(buf_str(&text), &options, out, issues, NULL);
    buf_clear(&text);
    buf_clear(&overlay);
    return rc;
}

/* A variation without any issue; the caller owns it. */
static struct scenario *varied(const char *scenario, const char *variation)
{
    struct issue_list issues = {0};
    struct scenario *s;

    int rc = vary(scenario, variation, &s, &issues);
    for (size_t i = 0; i < issues.count; i++) {
        print_message("%s: %s %s\n", variation, issues.items[i].code, issues.items[i].message);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(issues.count, 0);
    issue_list_clear(&issues);
    return s;
}

static void test_increase_load(void **state)
{
    static const uint32_t vus[] = {50, 150, 250, 350, 450, 500};
    struct scenario *s = varied("sse-heavy-load", "increase-load");
    struct stage_levels levels[3];

    (void)state;
    assert_int_equal(s->stage_count, 3);
    for (size_t i = 0; i < 3; i++) {
        levels_of_stage(s, &s->stages[i], i > 0 ? &levels[i - 1] : NULL, &levels[i]);
    }
    for (size_t i = 0; i < sizeof vus / sizeof vus[0]; i++) {
        uint64_t from_ns = i * 30 * NS_PER_S;

        assert_int_equal(levels_vus(&s->stages[2], &levels[2], from_ns), vus[i]);
        assert_int_equal(levels_vus(&s->stages[2], &levels[2], from_ns + 30 * NS_PER_S - 1),
                         vus[i]);
    }
    assert_int_equal(levels[2].duration_ns, 180 * NS_PER_S);
    assert_false(levels[2].overruns);
    scenario_free(s);
}

static void test_streams(void **state)
{
    struct scenario *s = varied("sse-heavy-load", "longer-streams");

    (void)state;
    assert_int_equal(s->workload.template_count, 1);
    assert_string_equal(s->workload.templates[0].arguments.text.p,
                        "{\"event_count\":200,\"interval_ms\":50}");
    assert_string_equal(s->workload.templates[0].tool_name, "notifications_subscribe");
    scenario_free(s);
    s = varied("stream-stall-test", "test-recovery");
    assert_string_equal(s->workload.templates[0].arguments.text.p,
                        "{\"event_count\":10,\"interval_ms\":8000}");
    scenario_free(s);
}

static void test_sessions(void **state)
{
    struct scenario *s = varied("sse-heavy-load", "adjust-session-pool");

    (void)state;
    assert_int_equal(s->session.mode, SESSION_POOL);
    assert_int_equal(s->session.pool_size, 200);
    scenario_free(s);
    s = varied("sse-with-churn", "reduce-churn-frequency");
    assert_int_equal(s->session.mode, SESSION_CHURN);
    assert_int_equal(s->session.churn_interval_ops, 5);
    scenario_free(s);
}

static void test_pace(void **state)
{
    struct scenario *s = varied("sse-with-churn", "more-aggressive-churn");

    (void)state;
    assert_int_equal(s->workload.think.mode, THINK_FIXED);
    assert_int_equal(s->workload.think.base_ns, 100 * NS_PER_MS);
    scenario_free(s);
    s = varied("sse-with-churn", "longer-soak");
    assert_int_equal(s->stage_count, 3);
    assert_int_equal(s->stages[2].duration_ns, 600 * NS_PER_S);
    assert_int_equal(s->stages[2].target_vus, 50);
    scenario_free(s);
}

static void test_stalls(void **state)
{
    struct scenario *s = varied("stream-stall-test", "adjust-stall-sensitivity");

    (void)state;
    assert_int_equal(s->target.timeouts.stream_stall_ns, 5 * NS_PER_S);
    assert_int_equal(s->target.timeouts.connect_ns, 5 * NS_PER_S);
    scenario_free(s);
    s = varied("stream-stall-test", "increase-detection-threshold");
    assert_int_equal(s->stage_count, 2);
    assert_int_equal(s->stages[0].condition_count, 0);
    assert_int_equal(s->stages[1].condition_count, 1);
    assert_string_equal(s->stages[1].conditions[0].id, "stream-stalls");
    assert_int_equal(s->stages[1].conditions[0].comparator, COMPARE_GE);
    assert_float_equal(s->stages[1].conditions[0].threshold, 20, 0);
    assert_int_equal(s->stages[1].conditions[0].window_ns, 30 * NS_PER_S);
    scenario_free(s);
}

static void test_tool_and_condition(void **state)
{
    struct scenario *s = varied("sse-heavy-load", "custom-tool-configuration");

    (void)state;
    /* A new template_id is a further template. */
    assert_int_equal(s->workload.template_count, 2);
    assert_string_equal(s->workload.templates[1].template_id, "your-tool");
    assert_string_equal(s->workload.templates[1].arguments.text.p, "{\"your_param\":\"value\"}");
    assert_int_equal(s->workload.templates[1].weight, s->workload.templates[0].weight);
    scenario_free(s);
    s = varied("sse-heavy-load", "adjusting-stop-conditions");
    assert_int_equal(s->stages[0].condition_count, 0);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(s->stages[i].condition_count, 5);
        assert_string_equal(s->stages[i].conditions[4].id, "custom-condition");
        assert_int_equal(s->stages[i].conditions[4].sustain_windows, 2);
    }
    scenario_free(s);
}

/* TLS is not there yet; nothing else is wrong with it. */
static void test_own_server(void **state)
{
    struct issue_list issues = {0};
    struct scenario *s;

    (void)state;
    assert_int_equal(vary("sse-heavy-load", "targeting-your-own-server", &s, &issues), ERR_INVALID);
    assert_int_equal(issues.count, 1);
    assert_string_equal(issues.items[0].code, "NOT_SUPPORTED");
    assert_string_equal(issues.items[0].json_pointer, "/target/url");
    issue_list_clear(&issues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_increase_load), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_sessions),      cmocka_unit_test(test_pace),
        cmocka_unit_test(test_stalls),        cmocka_unit_test(test_tool_and_condition),
        cmocka_unit_test(test_own_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
