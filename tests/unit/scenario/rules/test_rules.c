/* SPDX-License-Identifier: MIT */
/* One issue for each rule about stages, conditions, scopes and sessions: its code, place and text.
 */
#include "unit/scenario/rules/rule_case.h"

static void test_loads(void **state)
{
    static const struct rule rules[] = {
        {{"x-nothing=1"}, NULL, NULL, NULL, NULL, false},
        {{"stages[1].load.target_vus=0"},
         "LOAD_INVALID",
         "/stages/1/load/target_vus",
         "neither VUs nor rate",
         "target_rps",
         false},
        {{"stages[1].load.target_vus=0", "stages[1].load.target_rps=5"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"stages[1].load.target_rps=5", "workload.think_time.base_ms=10"},
         "THINK_TIME_WITH_RATE",
         "/workload/think_time",
         "no effect",
         NULL,
         true},
        {{"stages[1].load.target_rps=500", "safety.hard_caps.max_rps=100"},
         "CAPS_EXCEEDED",
         "/stages/1/load/target_rps",
         "500, and safety.hard_caps.max_rps is 100; the stage is cut to it",
         NULL,
         true},
        {{"stages[1].ramp={\"step_vus\":5000,\"step_every_ms\":1000,\"max_vus\":20000}"},
         "CAPS_EXCEEDED",
         "/stages/1/ramp/max_vus",
         "20000, and safety.hard_caps.max_vus is 10000",
         NULL,
         true},
        {{"stages[1].load.target_vus=6000"},
         "RAMP_BY_DEFAULT_GUARD",
         "/stages/1/load/target_vus",
         NULL,
         NULL,
         true},
        {{"stages[1].load.target_vus=6000", "stages[1].ramp={}"}, NULL, NULL, NULL, NULL, false},
        {{"stages[1].load.start_spread_ms=99000"},
         "RAMP_UNFINISHED",
         "/stages/1/load/start_spread_ms",
         "before all its VUs have started",
         NULL,
         true},
        {{"safety.hard_caps.max_connections=9"},
         "CAPS_EXCEEDED",
         "/safety/hard_caps/max_connections",
         "want 10 connections at once, and the cap is 9; the others wait",
         NULL,
         true},
        {{"safety.hard_caps.max_connections=39", "workload.in_flight_per_vu=4"},
         "CAPS_EXCEEDED",
         "/safety/hard_caps/max_connections",
         "want 40 connections",
         NULL,
         true},
        {{"safety.hard_caps.max_connections=10", "stages[1].load.target_rps=5"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"safety.hard_caps.max_connections=3", "session_policy={\"mode\":\"pool\",\"pool_size\":3,"
                                                "\"max_in_flight_per_session\":1}"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"safety.hard_caps.max_duration_ms=15000"},
         "CAPS_EXCEEDED",
         "/safety/hard_caps/max_duration_ms",
         "together last longer",
         NULL,
         true},
    };

    (void)state;
    CHECK(rules);
}

static void test_ramps(void **state)
{
    static const struct rule rules[] = {
        /* 0 → 10 in steps of 2 every 4 s: 10 at 20 s, held for 4 s. */
        {{"stages[1].ramp={\"step_vus\":2,\"step_every_ms\":4000,\"start_vus\":0}"},
         "RAMP_UNFINISHED",
         "/stages/1/ramp",
         "the stage ends after 20 s with its ramp at 8 of 10 VUs; it needs 24 s",
         "Set duration_ms to at least 24000",
         true},
        {{"stages[1].ramp={\"step_vus\":2,\"step_every_ms\":4000,\"start_vus\":0}",
          "stages[1].max_duration_ms=60000"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"stages[1].ramp={\"step_vus\":1,\"step_every_ms\":10000,\"start_vus\":0}",
          "stages[1].max_duration_ms=60000"},
         "RAMP_UNFINISHED",
         "/stages/1/ramp",
         "max_duration_ms stops the run after 60 s with its ramp at 5 of 10 VUs; it needs 110 s",
         "Set max_duration_ms to at least 110000",
         true},
        /* From the level of the stage before. */
        {{"stages[0].load.target_vus=50", "stages[1].load.target_vus=50",
          "stages[1].duration_ms=1800000",
          "stages[1].ramp={\"step_vus\":25,\"step_every_ms\":120000,\"max_vus\":500}"},
         "RAMP_UNFINISHED",
         "/stages/1/ramp",
         "at 400 of 500 VUs; it needs 2280 s",
         NULL,
         true},
        /* Steps that go down. */
        {{"stages[1].ramp={\"step_vus\":40,\"step_every_ms\":9000,\"start_vus\":100}"},
         "RAMP_UNFINISHED",
         "/stages/1/ramp",
         "at 20 of 10 VUs; it needs 36 s",
         NULL,
         true},
        {{"stages[1].ramp={\"step_vus\":5,\"step_every_ms\":8000,\"hold_ms\":8000,\"start_vus\":"
          "0}"},
         "RAMP_UNFINISHED",
         "/stages/1/ramp",
         "at its top, but before hold_ms is over; it needs 24 s",
         NULL,
         true},
        {{"stages[1].ramp={\"step_vus\":5,\"step_every_ms\":1000,\"max_vus\":5}"},
         "RAMP_INCONSISTENT",
         "/stages/1/ramp/max_vus",
         "max_vus is 5 and load.target_vus 10",
         NULL,
         true},
        {{"stages[1].ramp={\"step_rps\":5}"},
         "FIELD_WITHOUT_EFFECT",
         "/stages/1/ramp",
         "need load.target_rps",
         NULL,
         true},
        {{"stages[1].load={\"target_rps\":50}", "stages[1].ramp={}"},
         "FIELD_WITHOUT_EFFECT",
         "/stages/1/ramp",
         "nothing climbs",
         NULL,
         true},
        {{"stages[1].load={\"target_rps\":50}",
          "stages[1].ramp={\"start_vus\":10,\"start_rps\":10}"},
         "FIELD_WITHOUT_EFFECT",
         "/stages/1/ramp",
         "need load.target_vus",
         NULL,
         true},
        {{"stages[1].ramp={\"step_vus\":0}"},
         "FIELD_WITHOUT_EFFECT",
         "/stages/1/ramp",
         "with step_vus 0 all VUs are there from the beginning",
         NULL,
         true},
        {{"stages[1].load.target_rps=50", "stages[1].ramp={\"start_rps\":10,\"start_vus\":1}"},
         "FIELD_WITHOUT_EFFECT",
         "/stages/1/ramp",
         "start_vus needs step_vus",
         NULL,
         true},
        {{"stages[1].load.target_rps=50",
          "stages[1].ramp={\"start_rps\":10,\"step_vus\":0,\"hold_ms\":1000}"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"stages[1].load={\"target_rps\":50}", "stages[1].ramp={\"start_rps\":10}"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"stages[1].load={\"target_rps\":50}",
          "stages[1].ramp={\"start_rps\":10,\"step_rps\":5,\"step_every_ms\":5000}"},
         "RAMP_UNFINISHED",
         "/stages/1/ramp",
         "at 25 of 50 operations per second; it needs 45 s",
         NULL,
         true},
        {{"stages[1].ramp={\"max_rps\":10}", "stages[1].load.target_rps=50"},
         "RAMP_INCONSISTENT",
         "/stages/1/ramp/max_rps",
         NULL,
         NULL,
         true},
    };

    (void)state;
    CHECK(rules);
}

/* What another time-out ends before can never be seen. */
static void test_timeouts(void **state)
{
#define STALL_CONDITION(comparator, threshold)                                                     \
    "stages[1].stop_conditions=[{\"metric\":\"stream_stall_seconds\",\"comparator\":\"" comparator \
    "\",\"threshold\":" threshold "}]"
    static const struct rule rules[] = {
        {{"target.timeouts.stream_stall_timeout_ms=20000",
          "target.timeouts.request_timeout_ms=5000"},
         "TIMEOUTS_INCONSISTENT",
         "/target/timeouts/stream_stall_timeout_ms",
         "request_timeout_ms of 5000 ms ends it before a silence of 20000 ms",
         "Raise request_timeout_ms, or lower stream_stall_timeout_ms.",
         true},
        {{"target.timeouts.stream_stall_timeout_ms=5000",
          "target.timeouts.request_timeout_ms=5000"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        /* The default says nothing. */
        {{"target.timeouts.request_timeout_ms=5000"}, NULL, NULL, NULL, NULL, false},
        {{STALL_CONDITION(">", "15")},
         "TIMEOUTS_INCONSISTENT",
         "/stages/1/stop_conditions/0/threshold",
         "the condition never holds: stream_stall_timeout_ms ends a stream after 15 s",
         "Use less than 15 s, or raise stream_stall_timeout_ms.",
         true},
        {{STALL_CONDITION(">", "20"), "target.timeouts.stream_stall_timeout_ms=25000"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{STALL_CONDITION(">", "14.5")}, NULL, NULL, NULL, NULL, false},
        {{STALL_CONDITION(">=", "15")}, NULL, NULL, NULL, NULL, false},
        {{STALL_CONDITION("<", "20")}, NULL, NULL, NULL, NULL, false},
        {{STALL_CONDITION(">", "8"), "target.timeouts.request_timeout_ms=7000"},
         "TIMEOUTS_INCONSISTENT",
         "/stages/1/stop_conditions/0/threshold",
         "request_timeout_ms ends a stream after 7 s",
         NULL,
         true},
        {{"stages[1].streaming_stop_conditions={\"stream_stall_seconds\":30}"},
         "TIMEOUTS_INCONSISTENT",
         "/stages/1/streaming_stop_conditions/stream_stall_seconds",
         NULL,
         NULL,
         true},
        {{"safety.streaming_stop_conditions={\"stream_stall_seconds\":30}"},
         "TIMEOUTS_INCONSISTENT",
         "/safety/streaming_stop_conditions/stream_stall_seconds",
         NULL,
         NULL,
         true},
    };

    (void)state;
    CHECK(rules);
}

static void test_conditions(void **state)
{
    static const struct rule rules[] = {
        {{"stages[1].stop_conditions=[{\"metric\":\"error_rat\",\"threshold\":1}]"},
         "UNKNOWN_METRIC",
         "/stages/1/stop_conditions/0/metric",
         "known are: error_rate, latency_p99_ms",
         "Did you mean `error_rate`?",
         false},
        {{"stages[1].stop_conditions=[{\"metric\":\"error_rate\",\"threshold\":5}]"},
         "THRESHOLD_ABOVE_ONE",
         "/stages/1/stop_conditions/0/threshold",
         "error_rate is a share within 0..1, and 5 is above all of them",
         "Write 0.05 for 5 %.",
         true},
        {{"success_criteria=[{\"metric\":\"error_rate\",\"comparator\":\"<\",\"threshold\":500}]"},
         "THRESHOLD_ABOVE_ONE",
         "/success_criteria/0/threshold",
         NULL,
         "Use a number within 0..1.",
         true},
        {{"stages[1].stop_conditions=[{\"metric\":\"latency_p99_ms\",\"threshold\":5}]"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"stages[1].stop_conditions=[{\"metric\":\"error_rate\",\"threshold\":1,"
          "\"sustain_windows\":3}]"},
         "CONDITION_UNREACHABLE",
         "/stages/1/stop_conditions/0",
         "needs 30 s, and it is watched for 20 s",
         NULL,
         true},
        /* An unfinished ramp makes the stage longer, and then there is time. */
        {{"stages[1].stop_conditions=[{\"metric\":\"error_rate\",\"threshold\":1,"
          "\"sustain_windows\":3}]",
          "stages[1].ramp={\"step_vus\":5,\"step_every_ms\":10000,\"start_vus\":0}",
          "stages[1].max_duration_ms=60000"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"safety.stop_conditions=[{\"metric\":\"error_rate\",\"threshold\":1,"
          "\"sustain_windows\":2,\"scope\":{\"stage\":\"preflight\"}}]"},
         "CONDITION_UNREACHABLE",
         "/safety/stop_conditions/0",
         "needs 20 s, and it is watched for 1 s",
         NULL,
         true},
        {{"stages[1].stop_conditions=[{\"metric\":\"error_rate\",\"threshold\":1},"
          "{\"id\":\"error_rate\",\"metric\":\"error_rate\",\"threshold\":1}]"},
         NULL,
         NULL,
         NULL,
         NULL,
         false}, /* the first one has no id and takes another */
        {{"stages[1].stop_conditions=[{\"id\":\"a\",\"metric\":\"error_rate\",\"threshold\":1},"
          "{\"id\":\"a\",\"metric\":\"error_rate\",\"threshold\":1}]"},
         "DUPLICATE_ID",
         "/stages/1/stop_conditions/1/id",
         "\"a\" is used before",
         NULL,
         false},
        {{"stages[0].streaming_stop_conditions.min_events_per_second=5"},
         "CONDITION_UNREACHABLE",
         "/stages/0/streaming_stop_conditions/min_events_per_second",
         "needs 10 s, and it is watched for 1 s",
         NULL,
         true},
        {{"safety.streaming_stop_conditions.min_events_per_second=5"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"success_criteria=[{\"metric\":\"error_rate\",\"threshold\":1}]"},
         "REQUIRED_FIELD_MISSING",
         "/success_criteria/0/comparator",
         NULL,
         NULL,
         false},
        {{"stages[1].success_criteria=[{\"metric\":\"nonsense\",\"threshold\":1,\"comparator\":\"<"
          "\"}]"},
         "UNKNOWN_METRIC",
         "/stages/1/success_criteria/0/metric",
         NULL,
         NULL,
         false},
        {{"success_criteria=[{\"id\":\"b\",\"metric\":\"error_rate\",\"threshold\":1,"
          "\"comparator\":\"<\"},{\"id\":\"b\",\"metric\":\"error_rate\",\"threshold\":1,"
          "\"comparator\":\"<\"}]"},
         "DUPLICATE_ID",
         "/success_criteria/1/id",
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

/* A condition of the run with this scope. */
static void check_scope(const char *list, const char *scope, const char *metric, struct rule rule)
{
    char set[400], pointer[200];

    snprintf(set, sizeof set,
             "%s=[{\"metric\":\"%s\",\"threshold\":1,\"comparator\":\"<\","
             "\"scope\":%s}]",
             list, metric, scope);
    snprintf(pointer, sizeof pointer, "%s/0/scope%s",
             strcmp(list, "stages[1].success_criteria") == 0 ? "/stages/1/success_criteria"
             : strcmp(list, "success_criteria") == 0         ? "/success_criteria"
                                                             : "/safety/stop_conditions",
             rule.pointer != NULL ? rule.pointer : "");
    rule.sets[0] = set;
    rule.pointer = pointer;
    const struct scenario_options options = options_with(rule.sets);
    check_rule_with(&rule, &options);
}

static void test_scopes(void **state)
{
    static const char *const lists[] = {"safety.stop_conditions", "success_criteria"};
    static const char nothing[] = "SCOPE_MATCHES_NOTHING";
    static const struct {
        const char *scope;
        struct rule rule;
    } cases[] = {
        {"{\"operation\":\"tools_call\"}", {.code = NULL}},
        {"{\"operation\":\"tools/call\",\"tool_name\":\"echo\",\"template_id\":\"other\"}",
         {.code = NULL}},
        {"{\"stage_id\":\"long\",\"stage\":\"soak\"}", {.code = NULL}},
        {"{\"operation\":\"pin\"}",
         {.code = nothing, .pointer = "/operation", .advice = "Did you mean `ping`?"}},
        {"{\"operation\":\"prompts/get\"}", {.code = nothing, .pointer = "/operation"}},
        {"{\"tool_name\":\"ecco\"}",
         {.code = nothing, .pointer = "/tool_name", .advice = "Did you mean `echo`?"}},
        {"{\"template_id\":\"othr\"}",
         {.code = nothing, .pointer = "/template_id", .advice = "Did you mean `other`?"}},
        {"{\"tool_name\":\"inline\",\"template_id\":\"other\"}",
         {.code = nothing, .text = "matches all of the scope"}},
        {"{\"operation\":\"ping\",\"tool_name\":\"echo\"}", {.code = nothing}},
        {"{\"stage\":\"baseline\"}", {.code = nothing, .pointer = "/stage"}},
        {"{\"stage_id\":\"lung\"}",
         {.code = nothing, .pointer = "/stage_id", .advice = "Did you mean `long`?"}},
        {"{\"stage_id\":\"long\",\"stage\":\"preflight\"}", {.code = nothing}},
        {"{\"toolname\":\"echo\"}",
         {.code = "UNKNOWN_SCOPE_KEY",
          .pointer = "/toolname",
          .advice = "Did you mean `tool_name`? Known here: `stage_id`, `stage`, `operation`"}},
        {"{\"label.zone\":\"a\",\"label.cloud\":\"\"}", {.code = NULL}},
        {"{\"worker_id\":\"w\",\"operation\":\"ping\"}", {.code = NULL}},
        {"{\"label.zone\":3}", {.code = "SCHEMA_VIOLATION", .pointer = "/label.zone"}},
        {"{\"label.\":\"a\"}", {.code = "UNKNOWN_SCOPE_KEY", .pointer = "/label."}},
        {"{\"worker_id\":\"\"}", {.code = "SCHEMA_VIOLATION", .pointer = "/worker_id"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct rule rule = cases[i].rule;
            rule.sets[1] = "stages[0].duration_ms=30000";
            check_scope(lists[k], cases[i].scope, "error_rate", rule);
        }
    }
    check_scope("success_criteria", "{\"tool_name\":\"echo\"}", "active_sessions",
                (struct rule){.code = "METRIC_NOT_NARROWED", .text = "active_sessions is kept"});
    check_scope("success_criteria", "{\"stage\":\"soak\"}", "active_sessions",
                (struct rule){.code = NULL});
    check_scope("stages[1].success_criteria", "{\"stage\":\"preflight\"}", "error_rate",
                (struct rule){.code = nothing, .pointer = "/stage", .advice = "`soak`"});
    check_scope("stages[1].success_criteria", "{\"stage_id\":\"long\"}", "error_rate",
                (struct rule){.code = NULL});
}

static void test_sessions(void **state)
{
    static const struct rule rules[] = {
        {{"session_policy.churn_interval_ops=2"},
         "CHURN_INTERVAL_OPS_INVALID",
         "/session_policy/churn_interval_ops",
         "churn mode only",
         NULL,
         false},
        {{"session_policy={\"mode\":\"churn\",\"churn_interval_ops\":0}"},
         "CHURN_INTERVAL_OPS_INVALID",
         "/session_policy/churn_interval_ops",
         NULL,
         NULL,
         false},
        {{"session_policy={\"mode\":\"churn\",\"churn_interval_ops\":null}"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"session_policy.pool_size=5"},
         "FIELD_WITHOUT_EFFECT",
         "/session_policy/pool_size",
         NULL,
         NULL,
         true},
        {{"workload.operation_mix=[{\"operation\":\"ping\"}]",
          "workload.tools.templates=[{\"tool_name\":\"unused\"}]"},
         "FIELD_WITHOUT_EFFECT",
         "/workload/tools/templates",
         "no entry of the operation mix calls the templates",
         NULL,
         true},
        {{"workload.tools.selection.mode=single"},
         "TEMPLATE_NOT_FOUND",
         "/workload/tools/selection/single_template_id",
         "several templates",
         NULL,
         false},
        {{"workload.tools.selection={\"mode\":\"single\",\"single_template_id\":\"othr\"}"},
         "TEMPLATE_NOT_FOUND",
         "/workload/tools/selection/single_template_id",
         "\"othr\"",
         "Did you mean \"other\"?",
         false},
        {{"workload.tools.selection.single_template_id=other"},
         "FIELD_WITHOUT_EFFECT",
         "/workload/tools/selection/single_template_id",
         NULL,
         NULL,
         true},
    };

    (void)state;
    CHECK(rules);
}

static void test_unknown_places(void **state)
{
    static const struct rule rules[] = {
        {{"think_time={\"base_ms\":5}"},
         "UNKNOWN_FIELD",
         "/think_time",
         NULL,
         "It belongs into `workload`.",
         false},
        {{"stages[1].stop_condition=[]"},
         "UNKNOWN_FIELD",
         "/stages/1/stop_condition",
         NULL,
         "did you mean `stop_conditions`?",
         false},
    };

    (void)state;
    CHECK(rules);
}

static void test_one_cause(void **state)
{
    static const struct rule rules[] = {
        {{"target.url=ftp://a"}, "INVALID_URL_SCHEME", "/target/url", NULL, "http://", false},
        {{"environment.allowlist.allowed_targets=[\"h\"]"},
         "SCHEMA_VIOLATION",
         "/environment/allowlist/allowed_targets/0",
         "found \"h\", expected an object",
         "Write an object, for example {\"kind\": \"exact\", \"value\": \"…\"}.",
         false},
        {{"environment.allowlist.allowed_targets=h"},
         "SCHEMA_VIOLATION",
         "/environment/allowlist/allowed_targets",
         NULL,
         "Write a list of objects, for example [{\"kind\": \"exact\", \"value\": \"…\"}].",
         false},
        {{"stages[1].duration_ms=\"soon\""},
         "SCHEMA_VIOLATION",
         "/stages/1/duration_ms",
         NULL,
         "Write milliseconds, for example ",
         false},
        {{"stages[1].enabled=1"},
         "SCHEMA_VIOLATION",
         "/stages/1/enabled",
         NULL,
         "Write true",
         false},
        {{"server_telemetry.pair_key=k"},
         "NOT_SUPPORTED",
         "/server_telemetry",
         NULL,
         "Remove pair_key",
         true},
        {{"telemetry.traces.enabled=true"},
         "NOT_SUPPORTED",
         "/telemetry/traces/enabled",
         "no traceparent is sent",
         "Remove it",
         true},
    };

    (void)state;
    CHECK(rules);
}

static void test_redacted_names(void **state)
{
    static const struct rule rules[] = {
        {{"reporting.redaction.redact_headers=[\"\"]"},
         "INVALID_HEADER",
         "/reporting/redaction/redact_headers/0",
         "no valid header name",
         NULL,
         false},
        {{"reporting.redaction.redact_headers=[\"Cookie\", \"bad header:\"]"},
         "INVALID_HEADER",
         "/reporting/redaction/redact_headers/1",
         NULL,
         NULL,
         false},
        {{"reporting.redaction.redact_headers=[\"X-Kye\"]", "target.headers.X-Key=\"1\""},
         "FIELD_WITHOUT_EFFECT",
         "/reporting/redaction/redact_headers/0",
         "target.headers has no header X-Kye",
         NULL,
         true},
        {{"reporting.redaction.redact_headers=[\"x-key\"]", "target.headers.X-Key=\"1\""},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

/* duration_ms does nothing where the ramp takes longer and may. */
static void test_stretched(void **state)
{
    static const struct rule rules[] = {
        {{"stages[1].ramp={\"step_vus\":1,\"step_every_ms\":3000}",
          "stages[1].max_duration_ms=60000", "stages[1].duration_ms=20000"},
         "FIELD_WITHOUT_EFFECT",
         "/stages/1/duration_ms",
         "the ramp needs 30 s, and the stage lasts that long, not 20 s",
         "Set duration_ms to at least 30000",
         true},
        {{"stages[1].ramp={\"step_vus\":1,\"step_every_ms\":2000}",
          "stages[1].max_duration_ms=60000", "stages[1].duration_ms=20000"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

#define PINGS \
    "workload.operation_mix=[{\"operation\":\"ping\"}]", "workload.tools={\"templates\":[]}"

/* VUs list the tools beside a workload that uses tools. */
static void test_journeys(void **state)
{
    static const struct rule rules[] = {
        {{PINGS}, NULL, NULL, NULL, NULL, false},
        {{PINGS, "workload.user_journey.startup_sequence.run_tools_list_on_start=true"},
         "FIELD_WITHOUT_EFFECT",
         "/workload/user_journey/startup_sequence/run_tools_list_on_start",
         "beside a workload that uses tools, and no entry",
         "Add a tools_call or tools_list entry",
         true},
        {{PINGS, "workload.user_journey.periodic_ops.tools_list_interval_ms=1000"},
         "FIELD_WITHOUT_EFFECT",
         "/workload/user_journey/periodic_ops/tools_list_interval_ms",
         NULL,
         NULL,
         true},
        {{PINGS, "workload.user_journey.periodic_ops.tools_list_after_errors=2"},
         "FIELD_WITHOUT_EFFECT",
         "/workload/user_journey/periodic_ops/tools_list_after_errors",
         NULL,
         NULL,
         true},
        {{PINGS, "workload.user_journey.startup_sequence.run_tools_list_on_start=false",
          "workload.user_journey.periodic_ops={\"tools_list_interval_ms\":0,"
          "\"tools_list_after_errors\":0}"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{PINGS, "workload.user_journey=null"}, NULL, NULL, NULL, NULL, false},
        {{"workload.operation_mix=[{\"operation\":\"tools_list\"}]",
          "workload.tools={\"templates\":[]}",
          "workload.user_journey.startup_sequence.run_tools_list_on_start=true"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_cause),  cmocka_unit_test(test_redacted_names),
        cmocka_unit_test(test_stretched),  cmocka_unit_test(test_loads),
        cmocka_unit_test(test_ramps),      cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_sessions),   cmocka_unit_test(test_unknown_places),
        cmocka_unit_test(test_journeys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
