/* SPDX-License-Identifier: MIT */
/* What stands in the config for what stands in the file. */
#include "base/clock.h"
#include "scenario/documents/documents.h"
#include "scenario/feeds/feed.h"
#include "scenario/fields/fields.h"
#include "scenario/scenario.h"
#include "support/unit.h"

#include <stdlib.h>

static const struct scenario_options options = {.folder = SOURCE_DIR "/tests/data/scenarios"};

static struct scenario *load(const char *text)
{
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    if (scenario_load_text(str_c(text), &options, &s, &issues, NULL) != 0) {
        fail_msg("%s at %s: %s", issues.items[0].code, issues.items[0].json_pointer,
                 issues.items[0].message);
    }
    issue_list_clear(&issues);
    return s;
}

static void assert_number(double found, double expected)
{
    assert_true(found >= expected && found <= expected);
}

#define SCENARIO(members) "{\"target\": {\"url\": \"http://localhost:9000\"}, " members "}"
#define STAGE(members)    SCENARIO("\"stages\": [{" members "}]")
#define WITH(members)     SCENARIO(members ", \"stages\": [{\"load\": {\"target_vus\": 2}}]")

static void test_stage_kinds(void **state)
{
    static const struct {
        const char *name;
        enum stage_kind kind;
        uint64_t seconds;
    } kinds[] = {
        {"preflight", STAGE_PREFLIGHT, 5}, {"baseline", STAGE_BASELINE, 30},
        {"ramp", STAGE_RAMP, 60},          {"soak", STAGE_SOAK, 600},
        {"spike", STAGE_SPIKE, 30},        {"custom", STAGE_CUSTOM, 30},
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, STAGE("\"stage\": \"%s\""), kinds[i].name);
        struct scenario *s = load(text);

        assert_int_equal(s->stages[0].kind, kinds[i].kind);
        assert_int_equal(s->stages[0].duration_ns, kinds[i].seconds * NS_PER_S);
        assert_int_equal(s->stages[0].target_vus, 1);
        assert_true(s->stages[0].target_rps <= 0);
        assert_int_equal(s->stages[0].ramp.given, kinds[i].kind == STAGE_RAMP);
        scenario_free(s);
    }
}

static void test_rates(void **state)
{
    struct scenario *s = load(STAGE("\"load\": {\"target_rps\": 12.5}"));

    (void)state;
    assert_number(s->stages[0].target_rps, 12.5);
    assert_int_equal(s->stages[0].target_vus, 0); /* as many as it needs */
    scenario_free(s);
    s = load(STAGE("\"load\": {\"target_rps\": 12.5, \"target_vus\": 3}"));
    assert_int_equal(s->stages[0].target_vus, 3);
    scenario_free(s);
    s = load(STAGE("\"load\": {\"target_rps\": 5}, \"ramp\": {\"max_vus\": 9}"));
    assert_int_equal(s->stages[0].target_vus, 1);
    scenario_free(s);
    /* The caps cut. */
    s = load(SCENARIO("\"stages\": [{\"load\": {\"target_rps\": 500, \"target_vus\": 30}}],"
                      "\"safety\": {\"hard_caps\": {\"max_rps\": 50, \"max_vus\": 20}}"));
    assert_number(s->stages[0].target_rps, 50);
    assert_int_equal(s->stages[0].target_vus, 20);
    scenario_free(s);
}

static void test_ramp_defaults(void **state)
{
    struct scenario *s = load(STAGE("\"stage\": \"ramp\", \"duration_ms\": 20000"));
    const struct ramp_config *r = &s->stages[0].ramp;

    (void)state;
    assert_true(r->given);
    assert_int_equal(r->mode, RAMP_STEP);
    assert_int_equal(r->step_every_ns, 4 * NS_PER_S);
    assert_int_equal(r->hold_ns, 4 * NS_PER_S);
    assert_true(r->step_vus == FIELD_UNSET);
    assert_true(r->max_vus == FIELD_UNSET);
    assert_true(r->step_rps <= 0 && r->max_rps <= 0);
    assert_false(r->has_start_vus || r->has_start_rps);
    scenario_free(s);
    s = load(STAGE("\"duration_ms\": 1000, \"ramp\": {\"hold_ms\": 0}"));
    assert_int_equal(s->stages[0].ramp.step_every_ns, 200 * NS_PER_MS);
    assert_int_equal(s->stages[0].ramp.hold_ns, 0);
    scenario_free(s);
    s = load(STAGE("\"stage\": \"soak\", \"ramp\": null"));
    assert_false(s->stages[0].ramp.given);
    scenario_free(s);
}

static void test_ramp_fields(void **state)
{
    struct scenario *s =
        load(STAGE("\"stage\": \"spike\", \"duration_ms\": 20000, \"max_duration_ms\": 90000,"
                   "\"load\": {\"target_vus\": 50, \"target_rps\": 500},"
                   "\"ramp\": {\"mode\": \"linear\", \"step_every_ms\": 1000, \"step_vus\": 5,"
                   " \"step_rps\": 2.5, \"max_vus\": 60, \"max_rps\": 600, \"hold_ms\": 3000,"
                   " \"start_vus\": 0, \"start_rps\": 0}"));
    const struct ramp_config *r = &s->stages[0].ramp;

    (void)state;
    assert_true(r->given);
    assert_int_equal(r->mode, RAMP_LINEAR);
    assert_int_equal(r->step_every_ns, NS_PER_S);
    assert_int_equal(r->step_vus, 5);
    assert_number(r->step_rps, 2.5);
    assert_int_equal(r->max_vus, 60);
    assert_number(r->max_rps, 600);
    assert_int_equal(r->hold_ns, 3 * NS_PER_S);
    assert_true(r->has_start_vus && r->has_start_rps);
    assert_int_equal(r->start_vus, 0);
    assert_int_equal(s->stages[0].max_duration_ns, 90 * NS_PER_S);
    scenario_free(s);
}

static void test_streaming_conditions(void **state)
{
    struct scenario *s = load(SCENARIO(
        "\"stages\": ["
        " {\"stage\": \"preflight\", \"streaming_stop_conditions\":"
        "   {\"stream_stall_seconds\": 7, \"min_events_per_second\": 0}},"
        " {\"stop_conditions\": [{\"metric\": \"stream_stall_seconds\", \"threshold\": 3}]},"
        " {\"enabled\": false}],"
        "\"safety\": {\"streaming_stop_conditions\":"
        " {\"stream_stall_seconds\": 30, \"min_events_per_second\": 2.5}}"));
    const struct stage_config *a = &s->stages[0], *b = &s->stages[1];

    (void)state;
    /* Its own ones come before those of all stages; 0 switches one off. */
    assert_int_equal(a->condition_count, 1);
    assert_string_equal(a->conditions[0].id, "stream_stall_seconds");
    assert_string_equal(a->conditions[0].metric, "stream_stall_seconds");
    assert_int_equal(a->conditions[0].comparator, COMPARE_GT);
    assert_number(a->conditions[0].threshold, 7);
    assert_int_equal(a->conditions[0].window_ns, NS_PER_S);
    assert_int_equal(a->conditions[0].sustain_windows, 1);
    assert_false(a->conditions[0].after_first_stream);
    assert_int_equal(b->condition_count, 3);
    assert_string_equal(b->conditions[0].id, "stream_stall_seconds");
    assert_string_equal(b->conditions[1].id, "stream_stall_seconds_2");
    assert_number(b->conditions[1].threshold, 30);
    assert_string_equal(b->conditions[2].id, "min_events_per_second");
    assert_string_equal(b->conditions[2].metric, "events_per_second");
    assert_int_equal(b->conditions[2].comparator, COMPARE_LT);
    assert_number(b->conditions[2].threshold, 2.5);
    assert_int_equal(b->conditions[2].window_ns, 10 * NS_PER_S);
    assert_true(b->conditions[2].after_first_stream);
    assert_int_equal(s->stages[2].condition_count, 0);
    scenario_free(s);
}

static void test_scopes_and_criteria(void **state)
{
    struct scenario *s = load(SCENARIO(
        "\"workload\": {\"tools\": {\"templates\": [{\"tool_name\": \"t\"}]}},"
        "\"stages\": [{\"stage_id\": \"a\", \"success_criteria\":"
        "  [{\"metric\": \"error_rate\", \"comparator\": \"<=\", \"threshold\": 0.5}]}],"
        "\"success_criteria\": [{\"id\": \"x\", \"metric\": \"error_rate\", \"comparator\": \">\","
        "  \"threshold\": 0, \"scope\": {\"operation\": \"tools_call\", \"tool_name\": \"t\","
        "  \"template_id\": \"t\", \"stage_id\": \"a\", \"stage\": \"custom\"}},"
        "  {\"metric\": \"error_rate\", \"comparator\": \">=\", \"threshold\": 0}],"
        "\"safety\": {\"stop_conditions\": [{\"metric\": \"error_rate\", \"threshold\": 1,"
        "  \"scope\": {\"operation\": \"tools/call\"}}]}"));
    const struct scope_config *scope = &s->criteria[0].scope;

    (void)state;
    assert_int_equal(s->criterion_count, 2);
    assert_string_equal(s->criteria[0].id, "x");
    assert_string_equal(s->criteria[1].id, "error_rate");
    assert_int_equal(s->criteria[0].comparator, COMPARE_GT);
    assert_string_equal(scope->operation, "tools/call");
    assert_string_equal(scope->tool_name, "t");
    assert_string_equal(scope->template_id, "t");
    assert_string_equal(scope->stage_id, "a");
    assert_string_equal(scope->stage, "custom");
    assert_null(s->criteria[1].scope.operation);
    assert_int_equal(s->stages[0].criterion_count, 1);
    assert_int_equal(s->stages[0].criteria[0].comparator, COMPARE_LE);
    assert_number(s->stages[0].criteria[0].threshold, 0.5);
    assert_string_equal(s->safety.conditions[0].scope.operation, "tools/call");
    scenario_free(s);
}

static void test_sessions(void **state)
{
    struct scenario *s = load(WITH("\"session_policy\": {\"mode\": \"pool\", \"pool_size\": 0,"
                                   "\"ttl_ms\": null, \"max_idle_ms\": 0}"));

    (void)state;
    assert_int_equal(s->session.mode, SESSION_POOL);
    assert_int_equal(s->session.pool_size, 10);
    assert_int_equal(s->session.ttl_ns, 0);
    assert_int_equal(s->session.max_idle_ns, 0);
    assert_int_equal(s->session.max_in_flight, 0);
    assert_int_equal(s->session.abandon, ABANDON_DELETE);
    scenario_free(s);
    s = load(WITH("\"session_policy\": {\"mode\": \"churn\", \"ttl_ms\": 5, \"max_idle_ms\": 6,"
                  "\"max_in_flight_per_session\": 3, \"abandon\": \"vanish\"}"));
    assert_int_equal(s->session.churn_interval_ops, 1);
    assert_int_equal(s->session.ttl_ns, 5 * NS_PER_MS);
    assert_int_equal(s->session.max_idle_ns, 6 * NS_PER_MS);
    assert_int_equal(s->session.max_in_flight, 3);
    assert_int_equal(s->session.abandon, ABANDON_VANISH);
    scenario_free(s);
    s = load(WITH("\"session_policy\": {\"mode\": \"per_request\", \"abandon\": \"rst\"}"));
    assert_int_equal(s->session.mode, SESSION_PER_REQUEST);
    assert_int_equal(s->session.abandon, ABANDON_RST);
    scenario_free(s);
}

static void check_journey(const char *text, bool on_start, uint64_t interval_ms, uint64_t errors)
{
    struct scenario *s = load(text);

    assert_int_equal(s->workload.journey.list_on_start, on_start);
    assert_int_equal(s->workload.journey.list_interval_ns, interval_ms * NS_PER_MS);
    assert_int_equal(s->workload.journey.list_after_errors, errors);
    assert_true(s->workload.reconnect.enabled);
    assert_int_equal(s->workload.reconnect.max_retries, 10);
    scenario_free(s);
}

static void test_journey(void **state)
{
    (void)state;
    check_journey(WITH("\"workload\": {}"), true, 300000, 3);
    check_journey(WITH("\"workload\": {\"user_journey\": {}}"), true, 300000, 3);
    check_journey(WITH("\"workload\": {\"user_journey\": null}"), false, 0, 0);
    check_journey(WITH("\"workload\": {\"user_journey\": {\"startup_sequence\": null}}"), false,
                  300000, 3);
    check_journey(WITH("\"workload\": {\"user_journey\": {\"periodic_ops\": null}}"), true, 0, 0);
    check_journey(WITH("\"workload\": {\"user_journey\": {\"reconnect_policy\": null,"
                       "\"periodic_ops\": {\"tools_list_interval_ms\": 7}}}"),
                  true, 7, 3);
}

static void test_selection(void **state)
{
    struct scenario *s =
        load(WITH("\"workload\": {\"tools\": {\"selection\": {\"mode\": \"single\"},"
                  "\"templates\": [{\"tool_name\": \"t\"}]}}"));

    (void)state;
    assert_int_equal(s->workload.selection, SELECTION_SINGLE);
    assert_string_equal(s->workload.single_template_id, "t");
    scenario_free(s);
    s = load(WITH("\"workload\": {\"tools\": {\"selection\": {\"mode\": \"round_robin\","
                  "\"single_template_id\": null}, \"templates\": [{\"tool_name\": \"t\"}]}}"));
    assert_int_equal(s->workload.selection, SELECTION_ROUND_ROBIN);
    scenario_free(s);
}

static void test_checks(void **state)
{
    struct scenario *s = load(
        WITH("\"workload\": {\"tools\": {\"templates\": [{\"tool_name\": \"t\", \"checks\": ["
             " {\"pointer\": \"/a\", \"equals\": null}, {\"id\": \"m\", \"matches\": \"^a+$\"},"
             " {\"exists\": false}, {\"min\": -1, \"max\": 2.5}, {\"max_bytes\": 100}]}]}}"));
    const struct check_config *checks = s->workload.templates[0].checks;

    (void)state;
    assert_int_equal(s->workload.templates[0].check_count, 5);
    assert_string_equal(checks[0].id, "check_1");
    assert_string_equal(checks[0].pointer, "/a");
    assert_true(json_is_null(checks[0].equals));
    assert_string_equal(checks[1].id, "m");
    assert_string_equal(checks[1].pointer, "");
    assert_string_equal(checks[1].matches, "^a+$");
    assert_null(checks[1].equals);
    assert_true(checks[2].has_exists);
    assert_false(checks[2].exists);
    assert_string_equal(checks[3].id, "check_4");
    assert_true(checks[3].has_min && checks[3].has_max);
    assert_number(checks[3].min, -1);
    assert_number(checks[3].max, 2.5);
    assert_false(checks[3].has_exists);
    assert_int_equal(checks[4].max_bytes, 100);
    scenario_free(s);
}

static void test_payloads(void **state)
{
    struct scenario *s = load(
        WITH("\"workload\": {\"payload_profiles\": ["
             " {\"profile_id\": \"a\", \"size_bytes\": {\"fixed\": 7}},"
             " {\"profile_id\": \"b\", \"kind\": \"json\", \"size_bytes\":"
             "  {\"distribution\": \"uniform\", \"fixed\": null, \"min\": 2, \"max\": 9}},"
             " {\"profile_id\": \"c\", \"kind\": \"binary\", \"size_bytes\": {\"fixed\": 0}}]}"));
    const struct payload_config *p = s->workload.payloads;

    (void)state;
    assert_int_equal(s->workload.payload_count, 3);
    assert_int_equal(p[0].kind, PAYLOAD_TEXT);
    assert_int_equal(p[0].fixed_bytes, 7);
    assert_int_equal(p[0].min_bytes, 7);
    assert_int_equal(p[0].max_bytes, 7);
    assert_int_equal(p[1].distribution, SIZE_UNIFORM);
    assert_int_equal(p[1].min_bytes, 2);
    assert_int_equal(p[1].max_bytes, 9);
    assert_int_equal(p[2].kind, PAYLOAD_BINARY);
    assert_int_equal(p[2].max_bytes, 0);
    scenario_free(s);
}

static void test_feeds(void **state)
{
    struct scenario *s = load(WITH("\"workload\": {\"data\": ["
                                   " {\"name\": \"u\", \"path\": \"users.csv\"},"
                                   " {\"name\": \"v\", \"path\": \"" SOURCE_DIR
                                   "/tests/data/scenarios/users.csv\", \"format\": \"csv\","
                                   "  \"mode\": \"unique_per_vu\"},"
                                   " {\"name\": \"w\", \"path\": \"users.csv\","
                                   "  \"mode\": \"random\"}]}"));
    const struct feed_config *f = s->workload.feeds;

    (void)state;
    assert_int_equal(s->workload.feed_count, 3);
    assert_int_equal(f[0].format, FEED_CSV);
    assert_int_equal(f[0].mode, FEED_SEQUENTIAL);
    assert_int_equal(feed_rows(f[0].feed), 3);
    assert_int_equal(f[1].mode, FEED_UNIQUE);
    assert_non_null(f[1].feed);
    assert_int_equal(f[2].mode, FEED_RANDOM);
    scenario_free(s);
}

static void test_other_fields(void **state)
{
    (void)state;
    setenv("MCPDRILL_UNIT_VARIABLE", "x", 1); /* NOLINT(concurrency-mt-unsafe) one thread */
    struct scenario *s =
        load("{\"target\": {\"url\": \"http://localhost/\", \"timeouts\": {\"deadline_ms\": 250}},"
             " \"environment\": {\"variables\": [\"MCPDRILL_UNIT_VARIABLE\"]},"
             " \"workload\": {\"integrity\": true, \"metrics\": ["
             "   {\"name\": \"n\", \"pointer\": \"/n\"},"
             "   {\"name\": \"g\", \"pointer\": \"/g\", \"kind\": \"gauge\", \"tool_name\": \"t\","
             "    \"template_id\": \"t\"}], \"tools\": {\"templates\": [{\"tool_name\": \"t\","
             "    \"arguments\": {\"text\": \"\"}}]}},"
             " \"stages\": [{}],"
             " \"telemetry\": {\"structured_logs\": {\"enabled\": false, \"sample_rate\": 0.25}}}");

    assert_int_equal(s->target.timeouts.deadline_ns, 250 * NS_PER_MS);
    assert_int_equal(s->environment.variable_count, 1);
    assert_string_equal(s->environment.variables[0], "MCPDRILL_UNIT_VARIABLE");
    assert_true(s->workload.integrity);
    assert_int_equal(s->workload.custom_count, 2);
    assert_int_equal(s->workload.customs[0].kind, CUSTOM_TREND);
    assert_null(s->workload.customs[0].tool_name);
    assert_int_equal(s->workload.customs[1].kind, CUSTOM_GAUGE);
    assert_string_equal(s->workload.customs[1].template_id, "t");
    assert_false(s->telemetry.log_enabled);
    assert_true(s->telemetry.log_sample_rate_given);
    assert_number(s->telemetry.log_sample_rate, 0.25);
    scenario_free(s);
    s = load(WITH("\"workload\": {}"));
    assert_int_equal(s->target.timeouts.deadline_ns, 0);
    assert_true(s->telemetry.log_enabled);
    assert_false(s->telemetry.log_sample_rate_given);
    assert_false(s->workload.integrity);
    scenario_free(s);
}

/* A file with everything in it, explained, is a file that means the same. */
static void test_explain(void **state)
{
    static const char *const texts[] = {
        STAGE("\"stage\": \"ramp\", \"duration_ms\": 2000"),
        STAGE("\"load\": {\"target_rps\": 0.5}, \"ramp\": {\"start_rps\": 0.25, \"step_rps\": 1}"),
        SCENARIO("\"session_policy\": {\"mode\": \"churn\", \"abandon\": \"fin\"},"
                 "\"workload\": {\"user_journey\": null,"
                 " \"payload_profiles\": [{\"profile_id\": \"a\", \"size_bytes\": {\"fixed\": 0}},"
                 "  {\"profile_id\": \"b\", \"size_bytes\": {\"distribution\": \"uniform\","
                 "  \"min\": 0, \"max\": 5}}],"
                 " \"data\": [{\"name\": \"u\", \"path\": \"users.csv\", \"mode\": \"random\"}],"
                 " \"metrics\": [{\"name\": \"m\", \"pointer\": \"/a\"}],"
                 " \"tools\": {\"templates\": [{\"tool_name\": \"t\", \"checks\":"
                 "  [{\"equals\": {\"a\": [1]}}, {\"exists\": false}, {\"max\": 0.5}]}]}},"
                 "\"stages\": [{\"duration_ms\": 20000, \"streaming_stop_conditions\":"
                 "  {\"min_events_per_second\": 0.5}, \"success_criteria\": [{\"metric\": \"m\","
                 "  \"comparator\": \"<\", \"threshold\": 1, \"scope\":"
                 "  {\"operation\": \"tools_call\"}}]}],"
                 "\"safety\": {\"streaming_stop_conditions\": {\"stream_stall_seconds\": 5}}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct scenario *s = load(texts[i]);
        json_t *first = scenario_explain(s);
        struct buf text;

        buf_init(&text, JSON_TEXT_MAX);
        assert_int_equal(json_write(first, &text), 0);
        struct scenario *again = load(buf_c(&text));
        json_t *second = scenario_explain(again);
        assert_true(json_equal(first, second));
        json_decref(first);
        json_decref(second);
        buf_clear(&text);
        scenario_free(s);
        scenario_free(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stage_kinds),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_ramp_defaults),
        cmocka_unit_test(test_ramp_fields),
        cmocka_unit_test(test_streaming_conditions),
        cmocka_unit_test(test_scopes_and_criteria),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_journey),
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_feeds),
        cmocka_unit_test(test_other_fields),
        cmocka_unit_test(test_explain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
