/* SPDX-License-Identifier: MIT */
/* One issue for each rule about what goes into calls and what is taken out of results. */
#include "unit/scenario/rules/rule_case.h"

#include <stdlib.h>

static void test_checks(void **state)
{
#define CHECK_SET(json) "workload.tools.templates[0].checks=[" json "]"
#define CHECK_AT        "/workload/tools/templates/0/checks/0"
    static const struct rule rules[] = {
        {{CHECK_SET("{\"pointer\":\"/a~1b/0\",\"equals\":null}")}, NULL, NULL, NULL, NULL, false},
        {{CHECK_SET("{\"min\":1,\"max\":2}")}, NULL, NULL, NULL, NULL, false},
        {{CHECK_SET("{}")}, "SCHEMA_VIOLATION", CHECK_AT, "no condition", NULL, false},
        {{CHECK_SET("{\"exists\":true,\"min\":1}")},
         "SCHEMA_VIOLATION",
         CHECK_AT,
         "several conditions",
         NULL,
         false},
        {{CHECK_SET("{\"min\":3,\"max\":2}")}, "SCHEMA_VIOLATION", CHECK_AT, "above", NULL, false},
        {{CHECK_SET("{\"pointer\":\"a\",\"exists\":true}")},
         "INVALID_POINTER",
         CHECK_AT "/pointer",
         NULL,
         NULL,
         false},
        {{CHECK_SET("{\"pointer\":\"/a~2\",\"exists\":true}")},
         "INVALID_POINTER",
         CHECK_AT "/pointer",
         NULL,
         NULL,
         false},
        {{CHECK_SET("{\"matches\":\"(\"}")},
         "INVALID_PATTERN",
         CHECK_AT "/matches",
         NULL,
         NULL,
         false},
        {{CHECK_SET("{\"matches\":\"(a{300}){300}\"}")},
         "INVALID_PATTERN",
         CHECK_AT "/matches",
         "repetitions",
         NULL,
         false},
        {{CHECK_SET("{\"matches\":5}")},
         "SCHEMA_VIOLATION",
         CHECK_AT "/matches",
         NULL,
         NULL,
         false},
        {{CHECK_SET("{\"max_bytes\":5,\"pointer\":\"/a\"}")},
         "FIELD_WITHOUT_EFFECT",
         CHECK_AT "/pointer",
         NULL,
         NULL,
         true},
        {{CHECK_SET("{\"id\":\"a\",\"exists\":true},{\"id\":\"a\",\"exists\":true}")},
         "DUPLICATE_ID",
         "/workload/tools/templates/0/checks/1/id",
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

static void test_payloads(void **state)
{
#define PAYLOAD(json) "workload.payload_profiles=[{\"profile_id\":\"big\"," json "}]"
#define PAYLOAD_AT    "/workload/payload_profiles/0/size_bytes"
    static const struct rule rules[] = {
        {{PAYLOAD("\"size_bytes\":{\"fixed\":0}")}, NULL, NULL, NULL, NULL, false},
        {{PAYLOAD("\"kind\":\"text\"")},
         "REQUIRED_FIELD_MISSING",
         PAYLOAD_AT "/fixed",
         "required by the distribution",
         NULL,
         false},
        {{PAYLOAD("\"size_bytes\":{\"distribution\":\"uniform\",\"min\":5}")},
         "REQUIRED_FIELD_MISSING",
         PAYLOAD_AT "/max",
         NULL,
         NULL,
         false},
        {{PAYLOAD("\"size_bytes\":{\"distribution\":\"uniform\",\"min\":5,\"max\":4}")},
         "SCHEMA_VIOLATION",
         PAYLOAD_AT,
         "min is above max",
         NULL,
         false},
        {{PAYLOAD("\"kind\":\"json\",\"size_bytes\":{\"fixed\":1}")},
         "SCHEMA_VIOLATION",
         PAYLOAD_AT,
         "at least 2 bytes",
         NULL,
         false},
        {{"workload.payload_profiles=[{\"profile_id\":\"a\",\"size_bytes\":{\"fixed\":1}},"
          "{\"profile_id\":\"a\",\"size_bytes\":{\"fixed\":1}}]"},
         "DUPLICATE_ID",
         "/workload/payload_profiles/1/profile_id",
         NULL,
         NULL,
         false},
        {{PAYLOAD("\"size_bytes\":{\"fixed\":9}"),
          "workload.operation_mix[1].arguments={\"a\":[\"${payload:bigg}\"]}"},
         "PAYLOAD_PROFILE_NOT_FOUND",
         "/workload/operation_mix/1/arguments/a/0",
         "\"bigg\"",
         "Did you mean \"big\"?",
         false},
        {{PAYLOAD("\"size_bytes\":{\"fixed\":9}"), "target.headers.X-A=${payload:big}"},
         "PLACEHOLDER_MISPLACED",
         "/target/headers/X-A",
         "${payload:…}",
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

/* Of a scenario that somebody sent: the files that came with it, and none of our disk. */
static void test_feeds_that_were_sent(void **state)
{
    static const char users[] = "workload.data=[{\"name\":\"users\",\"path\":\"users.csv\"}]";
    static const char names[] =
        "workload.tools.templates[0].arguments.message=${data:users.user}${data:users.colour}";
    static const char *const public_sets[] = {
        users, names, "target.url=http://example.com",
        "environment.allowlist.allowed_targets=[{\"kind\":\"exact\",\"value\":\"example.com\"}]"};
    static const struct scenario_file files[] = {{"users.csv", STR_INIT("user,colour\na,b\n")}};
    static const struct scenario_file broken[] = {{"users.csv", STR_INIT("user,user\na,b\n")}};
    static const struct {
        struct rule rule;
        const struct scenario_file *files;
        bool network_public;
    } cases[] = {
        {{{users, names}, NULL, NULL, NULL, NULL, false}, files, false},
        {{{users, names}, NULL, NULL, NULL, NULL, false}, files, true},
        {{{users}, "FEED_UNREADABLE", "/workload/data/0/path", "line 1: two columns", NULL, false},
         broken,
         false},
        {{{users}, "FEED_UNREADABLE", "/workload/data/0/path", "did not come", "Send", false},
         NULL,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scenario_options options = options_with(cases[i].rule.sets);

        options.files = cases[i].files;
        options.file_count = cases[i].files != NULL ? 1 : 0;
        options.files_only = true;
        options.network_public = cases[i].network_public;
        if (cases[i].network_public) {
            /* An address that such a service may load. */
            options.sets = public_sets;
            options.set_count = 4;
        }
        check_rule_with(&cases[i].rule, &options);
    }
}

/* Variables of a machine that makes load for others. */
static void test_guarded_variables(void **state)
{
    static const char *const patterns[] = {"OTHER", "TEAM_*"};
    static const struct rule rules[] = {
        {{"environment.variables=[\"MCPDRILL_UNIT_ABSENT\",\"TEAM_TOKEN\",\"OTHER\"]"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"environment.variables=[\"OTHERS\"]"},
         "SECRET_REF_NOT_ALLOWED",
         "/environment/variables/0",
         "only MCPDRILL_*",
         "--allow-secret",
         false},
        {{"environment.variables=[\"TEAM_TOKEN\"]"},
         "ENV_NOT_SET",
         "/environment/variables/0",
         "TEAM_TOKEN is not set",
         NULL,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct scenario_options options = options_with(rules[i].sets);

        options.variable_patterns = patterns;
        options.variable_pattern_count = 2;
        options.variables_guarded = true;
        options.variables_elsewhere = i == 0;
        check_rule_with(&rules[i], &options);
    }
}

static void test_feeds(void **state)
{
#define FEED(json) "workload.data=[{\"name\":\"users\",\"path\":\"users.csv\"" json "}]"
#define TEXT(text) "workload.tools.templates[0].arguments.message=" text
#define TEXT_AT    "/workload/tools/templates/0/arguments/message"
    static const struct rule rules[] = {
        {{FEED(""), TEXT("${data:users.role} ${data:users.user}")}, NULL, NULL, NULL, NULL, false},
        {{"workload.data=[{\"name\":\"users\",\"path\":\"absent.csv\"}]"},
         "FEED_UNREADABLE",
         "/workload/data/0/path",
         "absent.csv",
         NULL,
         false},
        {{FEED(",\"format\":\"jsonl\"")},
         "FEED_UNREADABLE",
         "/workload/data/0/path",
         "line 1: ",
         NULL,
         false},
        {{FEED(",\"mode\":\"unique\"")},
         "FEED_TOO_SHORT",
         "/workload/data/0",
         "3 rows for up to 10 VUs",
         NULL,
         false},
        {{FEED(",\"mode\":\"unique_per_vu\""), "stages[1].load.target_vus=3"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{FEED(",\"mode\":\"unique\""), "stages[1].load={\"target_rps\":3}"},
         "FEED_TOO_SHORT",
         "/workload/data/0",
         "up to 10000 VUs",
         NULL,
         false},
        {{FEED(""), TEXT("${data:usrs.role}")},
         "FEED_NOT_FOUND",
         TEXT_AT,
         "\"usrs\"",
         "Did you mean \"users\"?",
         false},
        {{FEED(""), TEXT("${data:users.rolle}")},
         "FEED_FIELD_NOT_FOUND",
         TEXT_AT,
         "no field \"rolle\"",
         "Did you mean \"role\"?",
         false},
        {{FEED(""), "target.identification.user_agent.value=${run_id} ${data:users.role}"},
         "PLACEHOLDER_MISPLACED",
         "/target/identification/user_agent/value",
         NULL,
         NULL,
         false},
        {{"workload.data=[{\"name\":\"a b\",\"path\":\"users.csv\"}]"},
         "INVALID_ID_FORMAT",
         "/workload/data/0/name",
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

static void test_placeholders(void **state)
{
    static const struct rule rules[] = {
        {{TEXT("${uuid} ${timestamp_ms} ${random_int:-5:5} ${random_choice:a|b} ${nonce}")},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{TEXT("${random_int:5:1}")},
         "MALFORMED_PLACEHOLDER",
         TEXT_AT,
         "${random_int:5:1} cannot be understood",
         "A not above B",
         false},
        {{TEXT("${random_int:x:1}")}, "MALFORMED_PLACEHOLDER", TEXT_AT, NULL, NULL, false},
        {{TEXT("${random_choice:}")},
         "MALFORMED_PLACEHOLDER",
         TEXT_AT,
         NULL,
         "random_choice:a|b|c",
         false},
        {{TEXT("${oops}")}, "UNKNOWN_PLACEHOLDER", TEXT_AT, "${oops}", NULL, true},
        {{"target.headers.X-A=${nonce}"},
         "PLACEHOLDER_MISPLACED",
         "/target/headers/X-A",
         NULL,
         NULL,
         false},
        {{"target.headers.X-A=${uuid} ${random_int:1:2} {{run_id}}"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{TEXT("${env:MCPDRILL_UNIT_VARIABLE}")},
         "ENV_NOT_DECLARED",
         TEXT_AT,
         "does not name MCPDRILL_UNIT_VARIABLE",
         "environment.variables",
         false},
        {{TEXT("${env:MCPDRILL_UNIT_VARIABLE}"),
          "environment.variables=[\"MCPDRILL_UNIT_VARIABLE\"]"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{"environment.variables=[\"MCPDRILL_UNIT_ABSENT\"]"},
         "ENV_NOT_SET",
         "/environment/variables/0",
         "MCPDRILL_UNIT_ABSENT is not set",
         NULL,
         false},
        {{"environment.variables=[\"1A\"]"},
         "INVALID_ID_FORMAT",
         "/environment/variables/0",
         NULL,
         NULL,
         false},
    };

    (void)state;
    setenv("MCPDRILL_UNIT_VARIABLE", "x", 1); /* NOLINT(concurrency-mt-unsafe) one thread */
    CHECK(rules);
}

static void test_customs(void **state)
{
#define CUSTOM(json) "workload.metrics=[{\"name\":\"total\",\"pointer\":\"/n\"" json "}]"
#define WATCH(name)  "stages[1].stop_conditions=[{\"metric\":\"" name "\",\"threshold\":1}]"
    static const struct rule rules[] = {
        {{CUSTOM(""), WATCH("custom.total")}, NULL, NULL, NULL, NULL, false},
        {{CUSTOM(""), WATCH("custom.total.p95")}, NULL, NULL, NULL, NULL, false},
        {{CUSTOM(""), WATCH("total")}, NULL, NULL, NULL, NULL, false},
        {{CUSTOM(",\"kind\":\"counter\""), WATCH("custom.total.sum")},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{CUSTOM(",\"kind\":\"counter\""), WATCH("custom.total.p95")},
         "UNKNOWN_METRIC",
         "/stages/1/stop_conditions/0/metric",
         "custom.total",
         NULL,
         false},
        {{CUSTOM(""), WATCH("custom.totl")},
         "UNKNOWN_METRIC",
         "/stages/1/stop_conditions/0/metric",
         NULL,
         "Did you mean `custom.total`?",
         false},
        {{CUSTOM(",\"tool_name\":\"inline\"")}, NULL, NULL, NULL, NULL, false},
        {{CUSTOM(",\"tool_name\":\"ecko\"")},
         "TOOL_NOT_IN_WORKLOAD",
         "/workload/metrics/0/tool_name",
         "\"ecko\"",
         "Did you mean \"echo\"?",
         false},
        {{CUSTOM(",\"template_id\":\"othr\"")},
         "TEMPLATE_NOT_FOUND",
         "/workload/metrics/0/template_id",
         NULL,
         "Did you mean \"other\"?",
         false},
        {{CUSTOM(",\"template_id\":\"other\",\"tool_name\":\"inline\"")},
         "TEMPLATE_NOT_FOUND",
         "/workload/metrics/0/template_id",
         "does not call",
         NULL,
         false},
        {{"workload.metrics=[{\"name\":\"a\",\"pointer\":\"n\"}]"},
         "INVALID_POINTER",
         "/workload/metrics/0/pointer",
         NULL,
         NULL,
         false},
        {{"workload.metrics=[{\"name\":\"a\",\"pointer\":\"\"},{\"name\":\"a\",\"pointer\":\"\"}]"},
         "DUPLICATE_ID",
         "/workload/metrics/1/name",
         NULL,
         NULL,
         false},
        {{"workload.metrics=[{\"name\":\"a-b\",\"pointer\":\"\"}]"},
         "INVALID_ID_FORMAT",
         "/workload/metrics/0/name",
         NULL,
         NULL,
         false},
        {{CUSTOM(""), "stages[1].stop_conditions=[{\"metric\":\"custom.total\",\"threshold\":1,"
                      "\"scope\":{\"tool_name\":\"echo\"}}]"},
         "METRIC_NOT_NARROWED",
         "/stages/1/stop_conditions/0/scope",
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

static void test_integrity(void **state)
{
    static const struct rule rules[] = {
        {{"workload.integrity=true"},
         "INTEGRITY_WITHOUT_NONCE",
         "/workload/integrity",
         NULL,
         "${nonce}",
         false},
        {{"workload.integrity=true", TEXT("hello")}, NULL, NULL, NULL, NULL, false},
        {{"workload.integrity=true", "workload.operation_mix[1].arguments.x=[\"${nonce}\"]"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        /* The template with the text is never called. */
        {{"workload.integrity=true", TEXT("hello"),
          "workload.tools.selection={\"mode\":\"single\",\"single_template_id\":\"other\"}"},
         "INTEGRITY_WITHOUT_NONCE",
         "/workload/integrity",
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

#define PUBLIC                        \
    "target.url=http://example.com/", \
        "environment.allowlist.allowed_targets=[{\"kind\":\"exact\",\"value\":\"example.com\"}]"

/* A service that others may reach reads neither files nor variables for them. */
static void test_public(void **state)
{
    static const struct rule rules[] = {
        {{FEED(""), PUBLIC}, "NOT_SUPPORTED", "/workload/data/0/path", NULL, NULL, false},
        {{"environment.variables=[\"PATH\"]", PUBLIC},
         "SECRET_REF_NOT_ALLOWED",
         "/environment/variables/0",
         NULL,
         NULL,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct scenario_options options = options_with(rules[i].sets);

        options.network_public = true;
        check_rule_with(&rules[i], &options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_feeds),
        cmocka_unit_test(test_feeds_that_were_sent),
        cmocka_unit_test(test_guarded_variables),
        cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_customs),
        cmocka_unit_test(test_integrity),
        cmocka_unit_test(test_public),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
