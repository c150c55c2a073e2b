/* SPDX-License-Identifier: MIT */
/* Whatever is wrong with headers, credentials, a URL or a key: no message repeats them. */
#include "scenario/scenario.h"
#include "support/unit.h"

#define SECRET          "TOPSECRET"
#define STAGES          "\"stages\": [{\"stage\": \"baseline\", \"duration_ms\": 1000}]"
#define TARGET(members) "{\"target\": {\"url\": \"http://localhost:9000\"" members "}, " STAGES "}"

struct secret_case {
    const char *text, *set; /* set: NULL, or an override */
    const char *code;       /* what is said nevertheless */
    const char *pointer;    /* NULL: any */
};

static bool tells(const char *text)
{
    return text != NULL && strcasestr(text, SECRET) != NULL;
}

static void check(const struct secret_case *c)
{
    const struct scenario_options options = {.sets = &c->set, .set_count = c->set != NULL ? 1 : 0};
    struct issue_list issues = {0};
    struct scenario *s = NULL;
    struct err err = {0};
    bool found = false;

    scenario_load_text(str_c(c->text), &options, &s, &issues, &err);
    for (size_t i = 0; i < issues.count; i++) {
        const struct issue *issue = &issues.items[i];

        if (tells(issue->message) || tells(issue->json_pointer) || tells(issue->remediation) ||
            tells(issue->file)) {
            fail_msg("%s | %s: %s at %s: %s | %s", c->text, c->set, issue->code,
                     issue->json_pointer, issue->message, issue->remediation);
        }
        found = found || (strcmp(issue->code, c->code) == 0 &&
                          (c->pointer == NULL || strcmp(issue->json_pointer, c->pointer) == 0));
    }
    if (!found) {
        fail_msg("%s | %s: no %s at %s", c->text, c->set, c->code,
                 c->pointer != NULL ? c->pointer : "any place");
    }
    assert_false(tells(err.msg));
    scenario_free(s);
    issue_list_clear(&issues);
}

static void test_files(void **state)
{
    static const struct secret_case cases[] = {
        {TARGET(", \"headers\": \"Authorization: Bearer " SECRET "\""), NULL, "SCHEMA_VIOLATION",
         "/target/headers"},
        {TARGET(", \"headers\": {\"Authorization: Bearer " SECRET "\": \"\"}"), NULL,
         "INVALID_HEADER", "/target/headers/Authorization…"},
        {TARGET(", \"headers\": {\"Authorization Bearer " SECRET "\": 5}"), NULL,
         "SCHEMA_VIOLATION", "/target/headers/Authorization…"},
        {TARGET(", \"headers\": {\"X-Key\": [\"" SECRET "\"]}"), NULL, "SCHEMA_VIOLATION",
         "/target/headers/X-Key"},
        {TARGET(", \"headers\": [\"" SECRET "\"]"), NULL, "SCHEMA_VIOLATION", "/target/headers"},
        {TARGET(", \"Authorization: Bearer " SECRET "\": \"\""), NULL, "UNKNOWN_FIELD",
         "/target/Authorization…"},
        {TARGET(", \"auth\": {\"" SECRET "\": 1}"), NULL, "UNKNOWN_FIELD", "/target/auth/…"},
        {TARGET(", \"auth\": \"" SECRET "\""), NULL, "SCHEMA_VIOLATION", "/target/auth"},
        {TARGET(", \"auth\": {\"type\": \"" SECRET "\"}"), NULL, "SCHEMA_VIOLATION",
         "/target/auth/type"},
        {TARGET(", \"auth\": {\"api_key_header_name\": \"K: " SECRET "\"}"), NULL,
         "SCHEMA_VIOLATION", "/target/auth/api_key_header_name"},
        {TARGET(", \"headers\": {\"Authorization\": \"${other:" SECRET "}\"}"), NULL,
         "UNKNOWN_PLACEHOLDER", NULL},
        {TARGET(", \"headers\": {\"Authorization\": \"${random_int:" SECRET "}\"}"), NULL,
         "MALFORMED_PLACEHOLDER", NULL},
        {TARGET(", \"headers\": {\"Authorization\": \"${data:" SECRET ".x}\"}"), NULL,
         "PLACEHOLDER_MISPLACED", NULL},
        {"{\"target\": \"http://u:" SECRET "@localhost/\", " STAGES "}", NULL, "SCHEMA_VIOLATION",
         "/target"},
        {"{\"target\": {\"url\": \"http://u:" SECRET "@localhost/\"}, " STAGES "}", NULL,
         "USERINFO_BLOCKED", "/target/url"},
        {"{\"target\": {\"url\": [\"http://u:" SECRET "@localhost/\"]}, " STAGES "}", NULL,
         "SCHEMA_VIOLATION", "/target/url"},
        {"{\"target\": {\"headers\": {\"X-Key\": " SECRET "}}}", NULL, "SYNTAX_ERROR", NULL},
        {"{\"target\": {\"headers\": {\"X-Key\" \"" SECRET "\"}}}", NULL, "SYNTAX_ERROR", NULL},
        {"{\"target\": {\"headers\": {\"K: " SECRET "\": 1, \"K: " SECRET "\": 1}}}", NULL,
         "DUPLICATE_KEY", NULL},
        {"{\"server_telemetry\": {\"pair_key\": [\"" SECRET "\"]}}", NULL, "SCHEMA_VIOLATION",
         "/server_telemetry/pair_key"},
        {"{\"server_telemetry\": \"" SECRET "\"}", NULL, "SCHEMA_VIOLATION", "/server_telemetry"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&cases[i]);
    }
}

static void test_overrides(void **state)
{
    static const struct {
        const char *set, *code;
    } cases[] = {
        {"target.headers={\"Authorization\": \"" SECRET "\"", "INVALID_OVERRIDE"},
        {"target.headers={\"Authorization\": \"" SECRET "\",}", "INVALID_OVERRIDE"},
        {"target.headers={\"K\": \"" SECRET "\", \"K\": 1}", "INVALID_OVERRIDE"},
        {"target.headers={Authorization: " SECRET "}", "SCHEMA_VIOLATION"},
        {"target={Authorization: " SECRET "}", "SCHEMA_VIOLATION"},
        {"target.header={\"Authorization\":\"" SECRET "\"}", "UNKNOWN_FIELD"},
        {"target={\"url\":\"http://localhost\",\"headers\":{\"K\":\"" SECRET "\"},\"bogus\":1}",
         "UNKNOWN_FIELD"},
        {"target.headers.Authorization:" SECRET, "INVALID_OVERRIDE"},
        {"target.headers.Authorization Bearer " SECRET, "INVALID_OVERRIDE"},
        {"target.headers.Authorization: Bearer " SECRET "==", "INVALID_HEADER"},
        {"target.url=http://u:" SECRET "@localhost/", "USERINFO_BLOCKED"},
        {"target.auth.tokens=\"" SECRET "\"", "SCHEMA_VIOLATION"},
        {"target.auth.tokens=[\"" SECRET "\"", "INVALID_OVERRIDE"},
        {"server_telemetry.pair_key=[\"" SECRET "\"]", "SCHEMA_VIOLATION"},
        {"server_telemetry={\"pair_key\":\"" SECRET "\",\"bogus\":1}", "UNKNOWN_FIELD"},
        {"workload.headers.Authorization=" SECRET, "UNKNOWN_FIELD"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&(struct secret_case){TARGET(""), cases[i].set, cases[i].code, NULL});
    }
}

/* A broken value says where it breaks. */
static void test_broken_value(void **state)
{
    const char *set = "target.headers={\"A\": \"1\", }";
    const struct scenario_options options = {.sets = &set, .set_count = 1};
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    (void)state;
    assert_int_equal(scenario_load_text(STR(TARGET("")), &options, &s, &issues, NULL), ERR_INVALID);
    assert_string_equal(issues.items[0].file, "--set target.headers…");
    assert_non_null(
        strstr(issues.items[0].message, "begins like JSON, and is none: line 1, column"));
    assert_int_equal(issues.items[0].line, 0);
    issue_list_clear(&issues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_broken_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
