/* SPDX-License-Identifier: MIT */
/*
 * The strict profile: a file in which everything is written down has no issue; each field that it
 * asks for is missed when it is not there; and one change after the other to that file gives the
 * code and the place that the earlier implementation's own invalid files gave.
 */
#include "scenario/fields/fields.h"
#include "scenario/scenario.h"
#include "support/unit.h"

#define COMPLETE SOURCE_DIR "/tests/data/scenarios/complete.json"

enum { SETS_MAX = 4, ROWS_MIN = 100, POINTER_MAX = 256 };

static const char *const metrics[] = {"error_rate", "stream_stall_count"};

static json_t *complete(void)
{
    json_t *document = NULL;

    assert_int_equal(json_parse_file(COMPLETE, JSON_TEXT_MAX, &document, NULL), 0);
    return document;
}

/* The issues of a document, under both of the stricter rules unless `options` says otherwise. */
static void
issues_of(const json_t *document, const struct scenario_options *options, struct issue_list *out)
{
    struct scenario *s = NULL;
    struct buf text;

    buf_init(&text, JSON_TEXT_MAX);
    assert_int_equal(json_write(document, &text), 0);
    scenario_load_text(buf_str(&text), options, &s, out, NULL);
    scenario_free(s);
    buf_clear(&text);
}

static struct scenario_options strictly(const char *const *sets)
{
    struct scenario_options options = {.metric_names = metrics,
                                       .metric_count = sizeof metrics / sizeof metrics[0],
                                       .sets = sets,
                                       .strict = true,
                                       .network_public = true};

    while (sets != NULL && options.set_count < SETS_MAX && sets[options.set_count] != NULL) {
        options.set_count++;
    }
    return options;
}

static const struct issue *
issue_at(const struct issue_list *issues, const char *code, const char *pointer)
{
    for (size_t i = 0; i < issues->count; i++) {
        if (strcmp(issues->items[i].code, code) == 0 &&
            strcmp(issues->items[i].json_pointer, pointer) == 0) {
            return &issues->items[i];
        }
    }
    return NULL;
}

static void print_issues(const struct issue_list *issues)
{
    for (size_t i = 0; i < issues->count; i++) {
        print_message("%s at %s: %s\n", issues->items[i].code, issues->items[i].json_pointer,
                      issues->items[i].message);
    }
}

static void test_everything_written_down_is_enough(void **state)
{
    const struct scenario_options options = strictly(NULL);
    struct issue_list issues = {0};
    json_t *document = complete();

    (void)state;
    issues_of(document, &options, &issues);
    print_issues(&issues);
    assert_int_equal(issues.count, 0);
    issue_list_clear(&issues);
    json_decref(document);
}

/* ---- each field ------------------------------------------------------------------------------ */

static unsigned rows_tried;

/* At the place, below it, or at the object that lacks it, under a code that says so. */
static bool error_within(const struct issue_list *issues, const char *pointer)
{
    size_t len = strlen(pointer), parent = (size_t)(strrchr(pointer, '/') - pointer);

    for (size_t i = 0; i < issues->count; i++) {
        const struct issue *issue = &issues->items[i];
        bool around = strlen(issue->json_pointer) == parent &&
                      strncmp(issue->json_pointer, pointer, parent) == 0 &&
                      (strcmp(issue->code, "CAPS_REQUIRED") == 0 ||
                       strcmp(issue->code, "ALLOWLIST_REQUIRED") == 0);

        if (issue->level == ISSUE_ERROR &&
            (around || strncmp(issue->json_pointer, pointer, len) == 0)) {
            return true;
        }
    }
    return false;
}

/* `object` is a part of `document`: without this member of it there is an error. */
static void
try_without(const json_t *document, json_t *object, const char *key, const char *pointer)
{
    const struct scenario_options options = strictly(NULL);
    struct issue_list issues = {0};
    json_t *value = json_incref(json_object_get(object, key));

    json_object_del(object, key);
    issues_of(document, &options, &issues);
    if (!error_within(&issues, pointer)) {
        print_issues(&issues);
        fail_msg("without %s there is no error", pointer);
    }
    issue_list_clear(&issues);
    json_object_set_new(object, key, value);
    rows_tried++;
}

static void
walk(const json_t *document, const struct section *section, json_t *object, const char *pointer)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];
        json_t *value = json_object_get(object, f->key), *element;
        char own[POINTER_MAX], item[POINTER_MAX + 24];
        size_t n;

        snprintf(own, sizeof own, "%.200s/%.50s", pointer, f->key);
        if ((f->flags & FIELD_STRICT) != 0) {
            assert_non_null(value);
            try_without(document, object, f->key, own);
        }
        if (f->type == FIELD_OBJECT && json_is_object(value)) {
            walk(document, f->section, value, own);
        }
        json_array_foreach(value, n, element)
        {
            if (f->type == FIELD_ARRAY) {
                snprintf(item, sizeof item, "%s/%zu", own, n);
                walk(document, f->section, element, item);
            }
        }
    }
}

static void test_each_field_is_missed(void **state)
{
    json_t *document = complete();

    (void)state;
    walk(document, &scenario_section, document, "");
    assert_true(rows_tried > ROWS_MIN);
    json_decref(document);
}

/* ---- the earlier implementation's invalid files ------------------------------------------------
 */

struct mistake {
    const char *sets[SETS_MAX];
    const char *code, *pointer;
    /* How it is by default, on a public network: an error, a warning, or nothing at all. */
    enum { SAME, WARNING, NOTHING } by_default;
};

static void check_mistake(const json_t *document, const struct mistake *m)
{
    struct scenario_options options = strictly(m->sets);
    struct issue_list issues = {0};

    issues_of(document, &options, &issues);
    const struct issue *found = issue_at(&issues, m->code, m->pointer);
    if (found == NULL || found->level != ISSUE_ERROR) {
        print_issues(&issues);
        fail_msg("%s: no error %s at %s", m->sets[0], m->code, m->pointer);
    }
    issue_list_clear(&issues);
    options.strict = false;
    issues_of(document, &options, &issues);
    found = issue_at(&issues, m->code, m->pointer);
    if (m->by_default == NOTHING
            ? found != NULL
            : found == NULL || (found->level == ISSUE_WARNING) != (m->by_default == WARNING)) {
        print_issues(&issues);
        fail_msg("%s: by default %s is otherwise", m->sets[0], m->code);
    }
    issue_list_clear(&issues);
}

static void test_codes_and_places(void **state)
{
    static const struct mistake mistakes[] = {
        {{"safety.hard_caps={}"}, "CAPS_REQUIRED", "/safety/hard_caps", NOTHING},
        {{"environment.allowlist.mode=allow_all"},
         "ALLOWLIST_REQUIRED",
         "/environment/allowlist/mode",
         SAME},
        {{"environment={}"}, "ALLOWLIST_REQUIRED", "/environment/allowlist", SAME},
        {{"stages[1].stop_conditions=[]"},
         "STOP_CONDITIONS_REQUIRED",
         "/stages/1/stop_conditions",
         WARNING},
        {{"stages[2].stop_conditions=[]"},
         "STOP_CONDITIONS_REQUIRED",
         "/stages/2/stop_conditions",
         WARNING},
        {{"workload.in_flight_per_vu=5"}, "CAPS_INCONSISTENT", "/workload/in_flight_per_vu", SAME},
        {{"stages[1].stop_conditions[0].metric=error_rate"},
         "STREAMING_GUARDRAILS",
         "/workload/tools/templates/0/expects_streaming",
         WARNING},
        {{"target.url=http://10.0.0.1/mcp"}, "IP_LITERAL_BLOCKED", "/target/url", SAME},
        {{"target.url=http://10.0.0.1/mcp"}, "PRIVATE_ADDRESS_BLOCKED", "/target/url", SAME},
        {{"target.url=http://localhost:8080/mcp"}, "LOCALHOST_BLOCKED", "/target/url", SAME},
        {{"target.url=http://other.org/"}, "ALLOWLIST_VIOLATION", "/target/url", SAME},
        {{"environment.allowlist.allowed_targets=[]"}, "ALLOWLIST_VIOLATION", "/target/url", SAME},
        {{"stages[0].stage=soak"}, "PREFLIGHT_NOT_FIRST", "/stages/0", WARNING},
        {{"stages[0].stage=soak"}, "PREFLIGHT_REQUIRED", "/stages", NOTHING},
        {{"stages[1].enabled=false"}, "BASELINE_REQUIRED", "/stages", NOTHING},
        {{"stages[2].stage=custom"}, "RAMP_REQUIRED", "/stages", NOTHING},
        {{"stages[0].duration_ms=500"}, "DURATION_INVALID", "/stages/0/duration_ms", SAME},
        {{"stages[0].load.target_vus=-1"}, "LOAD_INVALID", "/stages/0/load/target_vus", SAME},
        {{"workload.tools.templates=[]"}, "TOOLS_CALL_REQUIRES_TEMPLATES", "/workload/tools", SAME},
        {{"target.redirect_policy.max_redirects=10"},
         "MAX_REDIRECTS_EXCEEDED",
         "/target/redirect_policy/max_redirects",
         SAME},
        {{"target.redirect_policy={}"},
         "REDIRECT_POLICY_REQUIRED",
         "/target/redirect_policy/mode",
         NOTHING},
        {{"target.identification.user_agent.value=plain"},
         "IDENTIFICATION_REQUIRED",
         "/target/identification",
         NOTHING},
        {{"environment.allowlist={\"entries\":[]}"},
         "UNKNOWN_FIELD",
         "/environment/allowlist/entries",
         SAME},
    };
    json_t *document = complete();

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        check_mistake(document, &mistakes[i]);
    }
    json_decref(document);
}

/* ---- one cause, one error ------------------------------------------------------------------- */

/* Issues about what a case takes away; hard_caps has other members that are missed, too. */
static size_t about_the_cause(const struct issue_list *issues)
{
    size_t count = 0;

    for (size_t i = 0; i < issues->count; i++) {
        const char *place = issues->items[i].json_pointer;

        count += strstr(place, "max_vus") != NULL || strstr(place, "max_duration_ms") != NULL ||
                 strstr(place, "/environment") != NULL;
    }
    return count;
}

static void test_missed_once(void **state)
{
    static const struct {
        const char *set, *code, *pointer, *text;
    } cases[] = {
        {"safety.hard_caps={}", "CAPS_REQUIRED", "/safety/hard_caps", NULL},
        {"environment.allowlist={\"mode\":\"deny_by_default\",\"entries\":[]}", "UNKNOWN_FIELD",
         "/environment/allowlist/entries", NULL},
        {"environment.allowlist={\"mode\":\"deny_by_default\"}", "ALLOWLIST_REQUIRED",
         "/environment/allowlist", NULL},
        {"stages[1].stop_conditions[0].metric=error_rate", "STREAMING_GUARDRAILS",
         "/workload/tools/templates/0/expects_streaming", "watches their stalls"},
        {"target.identification.user_agent.value=me", "IDENTIFICATION_REQUIRED",
         "/target/identification", "not in user_agent.value; the strict"},
        {"target.identification.run_id_header.value_template=me", "IDENTIFICATION_REQUIRED",
         "/target/identification", "not in run_id_header.value_template; the strict"},
    };
    json_t *document = complete();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const sets[SETS_MAX] = {cases[i].set};
        const struct scenario_options options = strictly(sets);
        struct issue_list issues = {0};

        issues_of(document, &options, &issues);
        const struct issue *found = issue_at(&issues, cases[i].code, cases[i].pointer);
        size_t most = strstr(cases[i].pointer, "/environment") != NULL ? 1 : 0;
        if (found == NULL || about_the_cause(&issues) > most ||
            (cases[i].text != NULL && strstr(found->message, cases[i].text) == NULL)) {
            print_issues(&issues);
            fail_msg("%s", cases[i].set);
        }
        issue_list_clear(&issues);
    }
    json_decref(document);
}

/* What is no object has an error of its own, and no fields that could be missed. */
static void test_elements_that_are_no_objects(void **state)
{
    static const char *const lists[] = {"stages", "workload.operation_mix",
                                        "workload.tools.templates"};
    json_t *document = complete();

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char set[80];
        const char *sets[SETS_MAX] = {set};
        snprintf(set, sizeof set, "%s=[5]", lists[i]);
        struct scenario_options options = strictly(sets);
        struct issue_list issues = {0};
        unsigned refused = 0;

        issues_of(document, &options, &issues);
        for (size_t k = 0; k < issues.count; k++) {
            assert_string_not_equal(issues.items[k].code, "REQUIRED_FIELD_MISSING");
            refused += strcmp(issues.items[k].code, "SCHEMA_VIOLATION") == 0;
        }
        assert_int_equal(refused, 1);
        issue_list_clear(&issues);
    }
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missed_once),
        cmocka_unit_test(test_everything_written_down_is_enough),
        cmocka_unit_test(test_each_field_is_missed),
        cmocka_unit_test(test_codes_and_places),
        cmocka_unit_test(test_elements_that_are_no_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
