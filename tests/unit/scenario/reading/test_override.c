/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "scenario/scenario.h"
#include "support/unit.h"

static const char base[] =
    "{\"target\": {\"url\": \"http://localhost:9000\", \"timeout_ms\": 7000},"
    " \"workload\": {\"op_mix\": [{\"operation\": \"ping\"}], \"user_journey\": null},"
    " \"stages\": [{\"stage\": \"preflight\"}, {\"stage\": \"baseline\"}]}";

static struct scenario *load(const char *set, struct issue_list *issues)
{
    const struct scenario_options options = {.sets = &set, .set_count = 1};
    struct scenario *s = NULL;

    scenario_load_text(STR(base), &options, &s, issues, NULL);
    return s;
}

static void test_values(void **state)
{
    struct issue_list issues = {0};

    (void)state;
    struct scenario *s = load("stages[1].load.target_vus=20", &issues);
    assert_int_equal(s->stages[1].target_vus, 20);
    scenario_free(s);
    s = load("stages.1.duration_ms=1500", &issues);
    assert_int_equal(s->stages[1].duration_ns, 1500 * NS_PER_MS);
    scenario_free(s);
    s = load("target.url=http://127.0.0.1:1/x", &issues);
    assert_string_equal(s->target.url, "http://127.0.0.1:1/x");
    scenario_free(s);
    s = load("stages[2]={\"stage\": \"baseline\", \"stage_id\": \"more\"}", &issues);
    assert_int_equal(s->stage_count, 3);
    scenario_free(s);
    s = load("workload.op_mix[0].weight=9", &issues);
    assert_int_equal(s->workload.mix[0].weight, 9);
    scenario_free(s);
    s = load("target.timeout_ms=5", &issues);
    assert_int_equal(s->target.timeouts.request_ns, 5 * NS_PER_MS);
    scenario_free(s);
    s = load("workload.user_journey.reconnect_policy.max_retries=3", &issues);
    assert_int_equal(s->workload.reconnect.max_retries, 3);
    scenario_free(s);
    /* Texts that begin with a bracket. */
    s = load("target.identification.run_id_header.value_template={{run_id}}", &issues);
    assert_string_equal(s->target.identification.header_template, "{{run_id}}");
    scenario_free(s);
    s = load("metadata.name=[a-z]+", &issues);
    assert_string_equal(s->metadata.name, "[a-z]+");
    scenario_free(s);
    s = load("stages[-]={\"stage\": \"soak\"}", &issues);
    assert_int_equal(s->stage_count, 3);
    assert_int_equal(s->stages[2].kind, STAGE_SOAK);
    scenario_free(s);
    s = load("tools.templates[-].tool_name=t", &issues);
    assert_int_equal(s->workload.template_count, 1);
    scenario_free(s);
    assert_int_equal(issues.error_count, 0);
    issue_list_clear(&issues);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "stages",
        "=1",
        "stages[9].load=1",
        "stages[x].load=1",
        "stages[--].load=1",
        "stages[0=1",
        "stages[0]load=1",
        "stages.first=1",
        "target.url.port=1",
        "target[0]=1",
        "a..b=1",
        "target.url=\xff",
        "target.headers={\"X-A\": \"1\"",
        "target.headers={\"X-A\": \"1\", \"X-A\": \"2\"}",
        "stages=[{\"duration_ms\": 1},]",
        "target.url=\"http://localhost",
        "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct issue_list issues = {0};
        bool found = false;

        assert_null(load(bad[i], &issues));
        for (size_t k = 0; k < issues.count; k++) {
            found = found || (strcmp(issues.items[k].code, "INVALID_OVERRIDE") == 0 &&
                              strncmp(issues.items[k].file, "--set ", 6) == 0);
        }
        if (!found) {
            fail_msg("%s is not refused", bad[i]);
        }
        issue_list_clear(&issues);
    }
}

static bool has_code(const struct issue_list *issues, enum issue_level level, const char *code)
{
    for (size_t i = 0; i < issues->count; i++) {
        if (issues->items[i].level == level && strcmp(issues->items[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

static void test_rules_between_fields(void **state)
{
    static const struct {
        const char *set;
        enum issue_level level;
        const char *code;
    } cases[] = {
        {"stages[1].enabled=5", ISSUE_ERROR, "SCHEMA_VIOLATION"},
        {"stages=[{\"stage\":\"baseline\",\"enabled\":false}]", ISSUE_ERROR, "STAGES_REQUIRED"},
        {"stages[1].load.target_vus=20000", ISSUE_WARNING, "CAPS_EXCEEDED"},
        {"stages[1].load.target_vus=6000", ISSUE_WARNING, "RAMP_BY_DEFAULT_GUARD"},
        {"safety.hard_caps.max_duration_ms=1000", ISSUE_WARNING, "CAPS_EXCEEDED"},
        {"stages[1]={\"stage\":\"baseline\",\"duration_ms\":90000,\"max_duration_ms\":60000}",
         ISSUE_WARNING, "DURATION_INVALID"},
        {"session_policy.churn_interval_ops=5", ISSUE_ERROR, "CHURN_INTERVAL_OPS_INVALID"},
        {"workload.tools.selection.single_template_id=t", ISSUE_ERROR, "TEMPLATE_NOT_FOUND"},
        {"workload.user_journey.reconnect_policy.max_delay_ms=1", ISSUE_ERROR, "SCHEMA_VIOLATION"},
        {"workload.tools.templates=[{\"tool_name\":\"t\",\"expects_streaming\":true}]",
         ISSUE_WARNING, "STREAMING_GUARDRAILS"},
        {"environment.allowlist.mode=allow_all", ISSUE_WARNING, "ALLOWLIST_REQUIRED"},
        {"environment.allowlist.allowed_targets=[]", ISSUE_ERROR, "ALLOWLIST_VIOLATION"},
        {"target.identification={\"run_id_header\":{\"value_template\":\"x\"},"
         "\"user_agent\":{\"value\":\"y\"}}",
         ISSUE_ERROR, "IDENTIFICATION_REQUIRED"},
        {"target.identification.run_id_header.name=Mcp-Session-Id", ISSUE_ERROR, "INVALID_HEADER"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct issue_list issues = {0};
        struct scenario *s = load(cases[i].set, &issues);

        if (!has_code(&issues, cases[i].level, cases[i].code)) {
            fail_msg("%s does not give %s", cases[i].set, cases[i].code);
        }
        assert_true((s == NULL) == (issues.error_count > 0));
        scenario_free(s);
        issue_list_clear(&issues);
    }
}

static void test_effects(void **state)
{
    struct issue_list issues = {0};

    (void)state;
    struct scenario *s = load("stages[1].load.target_vus=20000", &issues);
    assert_int_equal(s->stages[1].target_vus, 10000);
    scenario_free(s);
    s = load("safety.ramp_by_default=false", &issues);
    assert_int_equal(s->stages[1].start_spread_ns, 0);
    scenario_free(s);
    s = load("workload.think_time={\"base_ms\":5,\"jitter_ms\":3}", &issues);
    assert_int_equal(s->workload.think.mode, THINK_JITTER);
    scenario_free(s);
    s = load("workload.tools.templates=[{\"tool_name\":\"t\"},{\"tool_name\":\"t\"}]", &issues);
    assert_string_equal(s->workload.templates[1].template_id, "t_2");
    scenario_free(s);
    s = load("safety.stop_conditions=[{\"metric\":\"min_events_per_second\",\"threshold\":1}]",
             &issues);
    assert_int_equal(s->safety.conditions[0].comparator, COMPARE_LT);
    scenario_free(s);
    s = load("scenario_id=other", &issues);
    assert_string_equal(s->metadata.name, "other");
    assert_int_equal(strlen(s->config_hash), 64);
    scenario_free(s);
    issue_list_clear(&issues);
}

static bool grows(const char *name)
{
    return strcmp(name, "stream_stall_count") == 0;
}

/* A count may be reached inside its first window; a rate needs the whole window. */
static void test_reach(void **state)
{
    static const struct {
        const char *condition;
        bool reachable;
    } cases[] = {
        {"{\"metric\":\"stream_stall_count\",\"comparator\":\">=\",\"threshold\":5,"
         "\"window_ms\":60000}",
         true},
        {"{\"metric\":\"stream_stall_count\",\"comparator\":\"<\",\"threshold\":5,"
         "\"window_ms\":60000}",
         false},
        {"{\"metric\":\"error_rate\",\"threshold\":0.5,\"window_ms\":60000}", false},
        {"{\"metric\":\"error_rate\",\"threshold\":0.5,\"window_ms\":30000}", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char set[300];
        const char *sets[] = {set};
        const struct scenario_options options = {
            .sets = sets, .set_count = 1, .metric_grows = grows};
        struct issue_list issues = {0};
        struct scenario *s = NULL;

        snprintf(set, sizeof set, "stages[1].stop_conditions=[%s]", cases[i].condition);
        assert_int_equal(scenario_load_text(STR(base), &options, &s, &issues, NULL), 0);
        assert_int_equal(has_code(&issues, ISSUE_WARNING, "CONDITION_UNREACHABLE"),
                         !cases[i].reachable);
        scenario_free(s);
        issue_list_clear(&issues);
    }
}

/* The guard rules that earlier files were written for. */
static void test_strict(void **state)
{
    static const char *const codes[] = {
        "BASELINE_REQUIRED",       "RAMP_REQUIRED",        "CAPS_REQUIRED",
        "IDENTIFICATION_REQUIRED", "STREAMING_GUARDRAILS", "REDIRECT_POLICY_REQUIRED",
        "PREFLIGHT_REQUIRED",
    };
    static const char text[] =
        "{\"target\": {\"url\": \"http://h\", \"identification\": {\"user_agent\": {\"value\": "
        "\"x\"}}}, \"workload\": {\"tools\": {\"templates\": [{\"tool_name\": \"t\", "
        "\"expects_streaming\": true}]}}, \"stages\": [{\"stage\": \"soak\"}]}";
    const struct scenario_options options = {.strict = true};
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    (void)state;
    assert_int_equal(scenario_load_text(STR(text), &options, &s, &issues, NULL), ERR_INVALID);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (!has_code(&issues, ISSUE_ERROR, codes[i])) {
            fail_msg("no %s", codes[i]);
        }
    }
    issue_list_clear(&issues);
}

static void test_public(void **state)
{
    static const char *const sets[] = {"target.url=http://10.0.0.1/",
                                       "safety.hard_caps.max_vus=20000"};
    const struct scenario_options options = {.network_public = true, .sets = sets, .set_count = 2};
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    (void)state;
    assert_int_equal(scenario_load_text(STR(base), &options, &s, &issues, NULL), ERR_INVALID);
    assert_true(has_code(&issues, ISSUE_ERROR, "IP_LITERAL_BLOCKED"));
    assert_true(has_code(&issues, ISSUE_ERROR, "PRIVATE_ADDRESS_BLOCKED"));
    assert_true(has_code(&issues, ISSUE_ERROR, "SYSTEM_POLICY_VIOLATION"));
    issue_list_clear(&issues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rules_between_fields),
        cmocka_unit_test(test_effects),
        cmocka_unit_test(test_reach),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_public),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
