/* SPDX-License-Identifier: MIT */
/* Tests of the rules between fields: what one or more overrides of a good scenario give. */
#ifndef UNIT_SCENARIO_RULE_CASE_H
#define UNIT_SCENARIO_RULE_CASE_H

#include "scenario/scenario.h"
#include "support/unit.h"

enum { SETS_MAX = 8 };

static const char base[] =
    "{\"target\": {\"url\": \"http://localhost:9000\"},"
    " \"workload\": {\"operation_mix\": [{\"operation\": \"tools_call\"},"
    "     {\"operation\": \"tools_call\", \"tool_name\": \"inline\"}, {\"operation\": \"ping\"}],"
    "   \"tools\": {\"templates\": [{\"tool_name\": \"echo\"},"
    "     {\"template_id\": \"other\", \"tool_name\": \"echo\"}]}},"
    " \"stages\": [{\"stage\": \"preflight\", \"duration_ms\": 1000},"
    "   {\"stage\": \"soak\", \"stage_id\": \"long\", \"duration_ms\": 20000,"
    "    \"load\": {\"target_vus\": 10}}]}";

static const char *const metrics[] = {"error_rate",        "latency_p99_ms",
                                      "active_sessions",   "stream_stall_count",
                                      "events_per_second", "stream_stall_seconds"};

static bool narrows(const char *metric)
{
    return strcmp(metric, "active_sessions") != 0;
}

static bool grows(const char *metric)
{
    return strcmp(metric, "stream_stall_count") == 0;
}

static bool is_share(const char *metric)
{
    return strcmp(metric, "error_rate") == 0;
}

static struct scenario_options options_with(const char *const *sets)
{
    struct scenario_options options = {
        .sets = sets,
        .metric_names = metrics,
        .metric_count = sizeof metrics / sizeof metrics[0],
        .metric_narrows = narrows,
        .metric_grows = grows,
        .metric_is_share = is_share,
        .folder = SOURCE_DIR "/tests/data/scenarios",
    };

    while (options.set_count < SETS_MAX && sets[options.set_count] != NULL) {
        options.set_count++;
    }
    return options;
}

static void print_issues(const struct issue_list *issues)
{
    for (size_t i = 0; i < issues->count; i++) {
        const struct issue *issue = &issues->items[i];

        print_message("%s at %s: %s | %s\n", issue->code, issue->json_pointer, issue->message,
                      issue->remediation);
    }
}

struct rule {
    const char *sets[SETS_MAX];
    const char *code; /* NULL: no issue at all */
    const char *pointer;
    const char *text;   /* part of the message; NULL: any */
    const char *advice; /* part of the remedy; NULL: any */
    bool warning;
};

/* Exactly this issue, and no other. */
static void check_rule_with(const struct rule *rule, const struct scenario_options *options)
{
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    scenario_load_text(STR(base), options, &s, &issues, NULL);
    bool right = issues.count == (rule->code == NULL ? 0u : 1u);
    if (right && rule->code != NULL) {
        const struct issue *issue = &issues.items[0];

        right = strcmp(issue->code, rule->code) == 0 &&
                strcmp(issue->json_pointer, rule->pointer) == 0 &&
                (issue->level == ISSUE_WARNING) == rule->warning &&
                (rule->text == NULL || strstr(issue->message, rule->text) != NULL) &&
                (rule->advice == NULL || strstr(issue->remediation, rule->advice) != NULL);
    }
    if (!right) {
        print_issues(&issues);
        fail_msg("%s should give %s at %s: %s", rule->sets[0],
                 rule->code != NULL ? rule->code : "nothing",
                 rule->pointer != NULL ? rule->pointer : "-",
                 rule->text != NULL ? rule->text : "-");
    }
    assert_int_equal(s == NULL, issues.error_count > 0);
    scenario_free(s);
    issue_list_clear(&issues);
}

static inline void check_rules(const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct scenario_options options = options_with(rules[i].sets);

        check_rule_with(&rules[i], &options);
    }
}

#define CHECK(rules) check_rules((rules), sizeof(rules) / sizeof(rules)[0])

#endif
