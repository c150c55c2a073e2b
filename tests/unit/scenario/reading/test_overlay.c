/* SPDX-License-Identifier: MIT */
/* Each rule of scenario/reading/overlay.h. */
#include "base/digest.h"
#include "base/pointer.h"
#include "scenario/reading/overlay.h"
#include "scenario/scenario.h"
#include "support/unit.h"

enum { OVERLAYS = 3 };

static const char base[] =
    "{\"target\": {\"url\": \"http://localhost:9000\", \"headers\": {\"x-a\": \"1\", \"x-b\": "
    "\"2\"},"
    "   \"timeouts\": {\"request_timeout_ms\": 7000}},"
    " \"environment\": {\"allowlist\": {\"allowed_targets\":"
    "   [{\"kind\": \"exact\", \"value\": \"localhost:9000\"}]}},"
    " \"workload\": {"
    "   \"op_mix\": [{\"operation\": \"tools_call\", \"weight\": 3},"
    "     {\"operation\": \"tools_call\", \"tool_name\": \"inline\"},"
    "     {\"operation\": \"resources_read\", \"uri\": \"file:///a\"}, {\"operation\": \"ping\"}],"
    "   \"tools\": {\"templates\": ["
    "     {\"template_id\": \"one\", \"tool_name\": \"echo\","
    "      \"arguments\": {\"n\": 1, \"deep\": {\"a\": 1, \"b\": 2}, \"list\": [{\"id\": 1}]},"
    "      \"checks\": [{\"id\": \"c\", \"pointer\": \"/x\", \"exists\": true}]},"
    "     {\"template_id\": \"two\", \"tool_name\": \"twice\"},"
    "     {\"template_id\": \"three\", \"tool_name\": \"twice\"}, {\"tool_name\": \"plain\"}]},"
    "   \"payload_profiles\": [{\"profile_id\": \"p\", \"size_bytes\": {\"fixed\": 10}}],"
    "   \"metrics\": [{\"name\": \"m\", \"pointer\": \"/m\"}]},"
    " \"stages\": ["
    "   {\"stage\": \"preflight\", \"duration_ms\": 1000},"
    "   {\"stage\": \"baseline\", \"duration_ms\": 20000, \"load\": {\"target_vus\": 10},"
    "    \"stop_conditions\": ["
    "      {\"id\": \"errors\", \"metric\": \"error_rate\", \"threshold\": 0.1},"
    "      {\"metric\": \"stream_stall_count\", \"threshold\": 5}]},"
    "   {\"stage\": \"soak\", \"stage_id\": \"long\", \"duration_ms\": 20000,"
    "    \"stop_conditions\": ["
    "      {\"id\": \"a\", \"metric\": \"latency_p99_ms\", \"threshold\": 100},"
    "      {\"id\": \"b\", \"metric\": \"latency_p99_ms\", \"threshold\": 200}]},"
    "   {\"stage\": \"soak\", \"stage_id\": \"longer\", \"duration_ms\": 20000}],"
    " \"success_criteria\": [{\"metric\": \"error_rate\", \"comparator\": \"<\", \"threshold\": "
    "0.01},"
    "   {\"metric\": \"active_vus\", \"comparator\": \">\", \"threshold\": 1}]}";

static int load(const char *const overlays[OVERLAYS],
                const char *set,
                struct scenario **out,
                struct issue_list *issues)
{
    static const char *const names[OVERLAYS] = {"first.json", "second.json", "third.json"};
    struct scenario_overlay given[OVERLAYS];
    struct scenario_options options = {
        .overlays = given, .sets = &set, .set_count = set != NULL ? 1 : 0};

    while (options.overlay_count < OVERLAYS && overlays[options.overlay_count] != NULL) {
        given[options.overlay_count] = (struct scenario_overlay){
            .name = names[options.overlay_count], .text = str_c(overlays[options.overlay_count])};
        options.overlay_count++;
    }
    *out = NULL;
    return scenario_load_text(STR(base), &options, out, issues, NULL);
}

static void print_issues(const struct issue_list *issues)
{
    for (size_t i = 0; i < issues->count; i++) {
        print_message("%s at %s: %s\n", issues->items[i].code, issues->items[i].json_pointer,
                      issues->items[i].message);
    }
}

struct merged {
    const char *overlays[OVERLAYS];
    const char *pointer;  /* into the merged document */
    const char *expected; /* JSON; NULL: nothing is there */
};

static void check_merged(const struct merged *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct issue_list issues = {0};
        struct scenario *s;
        json_t *expected = NULL;

        if (load(cases[i].overlays, NULL, &s, &issues) != 0) {
            print_issues(&issues);
            fail_msg("%s is refused", cases[i].overlays[0]);
        }
        json_t *document = json_deep_copy(scenario_document(s));
        json_t *found = pointer_get(cases[i].pointer, document, JSON_TEXT_MAX);
        if (cases[i].expected != NULL) {
            expected = json_loads(cases[i].expected, JSON_DECODE_ANY, NULL);
            assert_non_null(expected);
        }
        if (found == NULL ? expected != NULL : !json_equal(found, expected)) {
            char *text = json_dumps(found, JSON_ENCODE_ANY);
            print_message("%s: %s is %s\n", cases[i].overlays[0], cases[i].pointer, text);
            free(text);
            fail_msg("expected %s", cases[i].expected);
        }
        json_decref(expected);
        json_decref(found);
        json_decref(document);
        scenario_free(s);
        issue_list_clear(&issues);
    }
}

#define CHECK_MERGED(cases) check_merged((cases), sizeof(cases) / sizeof(cases)[0])

static void test_objects_and_values(void **state)
{
    static const struct merged cases[] = {
        {{"{}"}, "/target/url", "\"http://localhost:9000\""},
        {{"{\"scenario_id\": \"other\"}"}, "/scenario_id", "\"other\""},
        {{"{\"target\": {\"headers\": {\"x-b\": \"3\", \"x-c\": \"4\"}}}"},
         "/target/headers",
         "{\"x-a\": \"1\", \"x-b\": \"3\", \"x-c\": \"4\"}"},
        {{"{\"target\": {\"timeouts\": {\"connect_timeout_ms\": 5}}}"},
         "/target/timeouts",
         "{\"request_timeout_ms\": 7000, \"connect_timeout_ms\": 5}"},
        {{"{\"workload\": {\"user_journey\": null}}"}, "/workload/user_journey", "null"},
        {{"{\"workload\": {\"think_time\": {\"base_ms\": 5}}}"},
         "/workload/think_time",
         "{\"base_ms\": 5}"},
        {{"{\"target\": {\"redirect_policy\": {\"allowlist\": [\"a\"]}}}",
          "{\"target\": {\"redirect_policy\": {\"allowlist\": [\"b\", \"c\"]}}}"},
         "/target/redirect_policy/allowlist",
         "[\"b\", \"c\"]"},
        {{"{\"metadata\": {\"name\": \"x\", \"description\": \"y\"}}",
          "{\"metadata\": {\"name\": \"z\"}}"},
         "/metadata",
         "{\"name\": \"z\", \"description\": \"y\"}"},
    };

    (void)state;
    CHECK_MERGED(cases);
}

#define TOOLS(list)     "{\"workload\": {\"tools\": {\"templates\": " list "}}}"
#define TEMPLATES(rest) "/workload/tools/templates" rest

static void test_templates(void **state)
{
    static const struct merged cases[] = {
        /* by id, by tool, by position */
        {{TOOLS("[{\"template_id\": \"two\", \"weight\": 7}]")}, TEMPLATES("/1/weight"), "7"},
        {{TOOLS("[{\"tool_name\": \"echo\", \"weight\": 7}]")}, TEMPLATES("/0/weight"), "7"},
        {{TOOLS("[{}, {\"weight\": 7}]")}, TEMPLATES("/1/weight"), "7"},
        {{TOOLS("[{}, {\"weight\": 7}]")}, TEMPLATES("/0/weight"), NULL},
        /* an id that the file leaves to the default */
        {{TOOLS("[{\"template_id\": \"plain\", \"weight\": 7}]")}, TEMPLATES("/3/weight"), "7"},
        /* a new id is a new template, whatever its tool */
        {{TOOLS("[{\"template_id\": \"new\", \"tool_name\": \"echo\"}]")},
         TEMPLATES("/4"),
         "{\"template_id\": \"new\", \"tool_name\": \"echo\"}"},
        {{TOOLS("[{\"tool_name\": \"new\"}]")}, TEMPLATES("/4"), "{\"tool_name\": \"new\"}"},
        /* a tool can be renamed by way of the id */
        {{TOOLS("[{\"template_id\": \"two\", \"tool_name\": \"echo\"}]")},
         TEMPLATES("/1/tool_name"),
         "\"echo\""},
        /* arguments are of free form: objects are merged, lists are not */
        {{TOOLS("[{\"arguments\": {\"n\": 2, \"deep\": {\"b\": 3}, \"list\": [{\"id\": 2}]}}]")},
         TEMPLATES("/0/arguments"),
         "{\"n\": 2, \"deep\": {\"a\": 1, \"b\": 3}, \"list\": [{\"id\": 2}]}"},
        {{TOOLS("[{\"checks\": [{\"id\": \"c\", \"exists\": false}, {\"id\": \"d\","
                " \"max_bytes\": 5}]}]")},
         TEMPLATES("/0/checks"),
         "[{\"id\": \"c\", \"pointer\": \"/x\", \"exists\": false},"
         " {\"id\": \"d\", \"max_bytes\": 5}]"},
        /* the older place of the tools, in any overlay */
        {{"{\"tools\": {\"templates\": [{\"weight\": 7}]}}"}, TEMPLATES("/0/weight"), "7"},
        {{"{\"tools\": {\"templates\": [{\"weight\": 7}]}}"}, "/tools", NULL},
        /* what was appended can be meant by the next one */
        {{TOOLS("[{\"template_id\": \"new\", \"tool_name\": \"t\"}]"),
          TOOLS("[{\"template_id\": \"new\", \"weight\": 9}]")},
         TEMPLATES("/4"),
         "{\"template_id\": \"new\", \"tool_name\": \"t\", \"weight\": 9}"},
    };

    (void)state;
    CHECK_MERGED(cases);
}

static void test_other_lists(void **state)
{
    static const struct merged cases[] = {
        {{"{\"workload\": {\"operation_mix\": [{\"operation\": \"tools/call\", \"weight\": 9}]}}"},
         "/workload/operation_mix/0/weight",
         "9"},
        {{"{\"workload\": {\"op_mix\": [{\"operation\": \"tools_call\", \"tool_name\": \"inline\","
          " \"weight\": 9}]}}"},
         "/workload/operation_mix/1",
         "{\"operation\": \"tools_call\", \"tool_name\": \"inline\", \"weight\": 9}"},
        {{"{\"workload\": {\"operation_mix\": [{\"operation\": \"resources_read\","
          " \"uri\": \"file:///b\"}]}}"},
         "/workload/operation_mix/4/uri",
         "\"file:///b\""},
        {{"{\"workload\": {\"payload_profiles\": [{\"profile_id\": \"p\", \"kind\": \"json\"},"
          " {\"profile_id\": \"q\", \"size_bytes\": {\"fixed\": 5}}]}}"},
         "/workload/payload_profiles",
         "[{\"profile_id\": \"p\", \"size_bytes\": {\"fixed\": 10}, \"kind\": \"json\"},"
         " {\"profile_id\": \"q\", \"size_bytes\": {\"fixed\": 5}}]"},
        {{"{\"workload\": {\"metrics\": [{\"name\": \"m\", \"pointer\": \"/n\"}]}}"},
         "/workload/metrics",
         "[{\"name\": \"m\", \"pointer\": \"/n\"}]"},
        {{"{\"environment\": {\"allowlist\": {\"allowed_targets\": [{\"kind\": \"exact\", "
          "\"value\":"
          " \"localhost:9000\"}, {\"kind\": \"suffix\", \"value\": \"localhost\"}]}}}"},
         "/environment/allowlist/allowed_targets",
         "[{\"kind\": \"exact\", \"value\": \"localhost:9000\"},"
         " {\"kind\": \"suffix\", \"value\": \"localhost\"}]"},
        {{"{\"success_criteria\": [{\"id\": \"error_rate\", \"threshold\": 0.5}]}"},
         "/success_criteria/0",
         "{\"metric\": \"error_rate\", \"comparator\": \"<\", \"threshold\": 0.5,"
         " \"id\": \"error_rate\"}"},
        {{"{\"success_criteria\": []}"}, "/success_criteria", "[]"},
    };

    (void)state;
    CHECK_MERGED(cases);
}

#define STAGES(list) "{\"stages\": [" list "]}"

static void test_stages(void **state)
{
    static const struct merged cases[] = {
        {{STAGES("{\"stage\": \"baseline\", \"load\": {\"start_spread_ms\": 5}}")},
         "/stages/1/load",
         "{\"target_vus\": 10, \"start_spread_ms\": 5}"},
        {{STAGES("{\"stage_id\": \"longer\", \"stage\": \"spike\"}")},
         "/stages/3/stage",
         "\"spike\""},
        {{STAGES("{\"stage\": \"spike\", \"duration_ms\": 5000}")},
         "/stages/4",
         "{\"stage\": \"spike\", \"duration_ms\": 5000}"},
        {{STAGES("{\"stage\": \"baseline\", \"stop_conditions\": [{\"id\": \"errors\","
                 " \"threshold\": 0.2}]}")},
         "/stages/1/stop_conditions/0",
         "{\"id\": \"errors\", \"metric\": \"error_rate\", \"threshold\": 0.2}"},
        {{STAGES(
             "{\"stage_id\": \"long\", \"stop_conditions\": [{\"id\": \"b\", \"threshold\": 9}]}")},
         "/stages/2/stop_conditions/1/threshold",
         "9"},
        /* a new id is a new condition, even on the same metric */
        {{STAGES("{\"stage\": \"baseline\", \"stop_conditions\": [{\"id\": \"more\", \"metric\":"
                 " \"error_rate\", \"threshold\": 0.2}]}")},
         "/stages/1/stop_conditions/2/id",
         "\"more\""},
    };

    (void)state;
    CHECK_MERGED(cases);
}

#define STALLS        "\"stop_conditions\": [{\"metric\": \"stream_stall_count\", \"threshold\": 20}]"
#define SLOW          "{\"metric\": \"latency_p50_ms\", \"threshold\": 3}"
#define CONDITION(id) "{\"id\": \"" id "\", \"threshold\": 9}"

static void test_stages_without_a_name(void **state)
{
    static const struct merged cases[] = {
        /* only where there is such a condition */
        {{STAGES("{" STALLS "}")}, "/stages/1/stop_conditions/1/threshold", "20"},
        {{STAGES("{" STALLS "}")}, "/stages/1/stop_conditions/2", NULL},
        {{STAGES("{" STALLS "}")}, "/stages/3/stop_conditions", NULL},
        {{STAGES("{\"stop_conditions\": [" CONDITION("a") "]}")},
         "/stages/2/stop_conditions/0/threshold",
         "9"},
        /* nobody has one: everybody but the preflight gets it */
        {{STAGES("{\"stop_conditions\": [" SLOW "]}")}, "/stages/0/stop_conditions", NULL},
        {{STAGES("{\"stop_conditions\": [" SLOW "]}")}, "/stages/1/stop_conditions/2", SLOW},
        {{STAGES("{\"stop_conditions\": [" SLOW "]}")}, "/stages/2/stop_conditions/2", SLOW},
        {{STAGES("{\"stop_conditions\": [" SLOW "]}")}, "/stages/3/stop_conditions/0", SLOW},
        /* each condition for itself */
        {{STAGES("{\"stop_conditions\": [" CONDITION("a") ", " SLOW "]}")},
         "/stages/3/stop_conditions",
         "[" SLOW "]"},
        /* everything else */
        {{STAGES("{\"duration_ms\": 4000, \"load\": {\"start_spread_ms\": 5}}")},
         "/stages/0/duration_ms",
         "1000"},
        {{STAGES("{\"duration_ms\": 4000, \"load\": {\"start_spread_ms\": 5}}")},
         "/stages/1/load",
         "{\"target_vus\": 10, \"start_spread_ms\": 5}"},
        {{STAGES("{\"duration_ms\": 4000, \"load\": {\"start_spread_ms\": 5}}")},
         "/stages/3",
         "{\"stage\": \"soak\", \"stage_id\": \"longer\", \"duration_ms\": 4000,"
         " \"load\": {\"start_spread_ms\": 5}}"},
        {{STAGES("{\"stop_conditions\": []}")}, "/stages/2/stop_conditions", "[]"},
        {{STAGES("{\"success_criteria\": [{\"metric\": \"error_rate\", \"comparator\": \"<\","
                 " \"threshold\": 1}]}")},
         "/stages/3/success_criteria/0/threshold",
         "1"},
    };

    (void)state;
    CHECK_MERGED(cases);
}

/* What went to several stages is not the same thing in all of them. */
static void test_no_sharing(void **state)
{
    static const char *const overlays[OVERLAYS] = {STAGES("{\"stop_conditions\": [" SLOW "]}")};
    struct issue_list issues = {0};
    struct scenario *s;

    (void)state;
    assert_int_equal(load(overlays, "stages[2].stop_conditions[2].threshold=8", &s, &issues), 0);
    assert_float_equal(s->stages[2].conditions[2].threshold, 8, 0);
    assert_float_equal(s->stages[1].conditions[2].threshold, 3, 0);
    scenario_free(s);
    issue_list_clear(&issues);
}

struct refused {
    const char *overlays[OVERLAYS];
    const char *set;
    const char *code, *pointer;
    const char *text; /* part of the message */
    const char *file; /* whose line and column they are */
    unsigned line, col;
};

static void check_refused(const struct refused *wrong)
{
    struct issue_list issues = {0};
    struct scenario *s;
    bool found = false;

    assert_int_equal(load(wrong->overlays, wrong->set, &s, &issues), ERR_INVALID);
    for (size_t i = 0; i < issues.count; i++) {
        const struct issue *issue = &issues.items[i];

        found =
            found || (strcmp(issue->code, wrong->code) == 0 &&
                      strcmp(issue->json_pointer, wrong->pointer) == 0 &&
                      strstr(issue->message, wrong->text) != NULL && issue->line == wrong->line &&
                      issue->col == wrong->col && (issue->file == NULL) == (wrong->file == NULL) &&
                      (issue->file == NULL || strcmp(issue->file, wrong->file) == 0));
    }
    if (!found) {
        print_issues(&issues);
        fail_msg("%s: no %s at %s", wrong->overlays[0], wrong->code, wrong->pointer);
    }
    issue_list_clear(&issues);
}

static void test_refused(void **state)
{
    static const struct refused cases[] = {
        {{"{\n \"a\": }"}, NULL, "SYNTAX_ERROR", "", "", "first.json", 2, 7},
        {{""}, NULL, "SYNTAX_ERROR", "", "", "first.json", 1, 1},
        {{"{}", "{\"a\": 1, \"a\": 2}"},
         NULL,
         "DUPLICATE_KEY",
         "",
         "duplicate",
         "second.json",
         1,
         12},
        {{"[]"}, NULL, "SCHEMA_VIOLATION", "", "JSON object", "first.json", 1, 1},
        {{"{}", "5"}, NULL, "SCHEMA_VIOLATION", "", "JSON object", "second.json", 1, 1},
        /* values of the overlay, wherever they went */
        {{"{\"target\": {\"url\": 5}}"},
         NULL,
         "SCHEMA_VIOLATION",
         "/target/url",
         "(from first.json)",
         NULL,
         0,
         0},
        {{"{}", "{\"tragte\": {}}"},
         NULL,
         "UNKNOWN_FIELD",
         "/tragte",
         "(from second.json)",
         NULL,
         0,
         0},
        {{"{\"stages\": 5}"}, NULL, "SCHEMA_VIOLATION", "/stages", "(from first.json)", NULL, 0, 0},
        {{"{\"stages\": [5]}"},
         NULL,
         "SCHEMA_VIOLATION",
         "/stages/0",
         "(from first.json)",
         NULL,
         0,
         0},
        {{STAGES("{\"stage\": \"spike\", \"lod\": {}}")},
         NULL,
         "UNKNOWN_FIELD",
         "/stages/4/lod",
         "(from first.json)",
         NULL,
         0,
         0},
        {{TOOLS("[{}, {}, {}, {}, {\"weight\": 5}]")},
         NULL,
         "REQUIRED_FIELD_MISSING",
         TEMPLATES("/4/tool_name"),
         "(from first.json)",
         NULL,
         0,
         0},
        {{"{\"x-a\": {\"b\": 1}, \"metadata\": {\"name\": 5, \"created_by\": 5}}",
          "{\"metadata\": {\"name\": 6}}"},
         NULL,
         "SCHEMA_VIOLATION",
         "/metadata/created_by",
         "(from first.json)",
         NULL,
         0,
         0},
        {{"{\"metadata\": {\"name\": 5}}", "{\"metadata\": {\"name\": 6}}"},
         NULL,
         "SCHEMA_VIOLATION",
         "/metadata/name",
         "(from second.json)",
         NULL,
         0,
         0},
        {{"{\"metadata\": 5}", "{\"metadata\": {\"name\": 6}}"},
         NULL,
         "SCHEMA_VIOLATION",
         "/metadata/name",
         "(from second.json)",
         NULL,
         0,
         0},
        /* an override has the last word */
        {{"{\"target\": {\"url\": 5}}"},
         "target.url=6",
         "SCHEMA_VIOLATION",
         "/target/url",
         "(from --set target.url)",
         NULL,
         0,
         0},
        /* which one is meant? */
        {{STAGES("{\"stage\": \"soak\", \"duration_ms\": 1}")},
         NULL,
         "INVALID_OVERLAY",
         "/stages",
         "several elements have the stage \"soak\" (from first.json)",
         NULL,
         0,
         0},
        {{TOOLS("[{\"tool_name\": \"twice\"}]")},
         NULL,
         "INVALID_OVERLAY",
         TEMPLATES(""),
         "tool_name \"twice\"",
         NULL,
         0,
         0},
        {{STAGES("{\"stop_conditions\": [{\"metric\": \"latency_p99_ms\"}]}")},
         NULL,
         "INVALID_OVERLAY",
         "/stages/2/stop_conditions",
         "metric \"latency_p99_ms\"",
         NULL,
         0,
         0},
        {{"{\"workload\": {\"op_mix\": [], \"operation_mix\": []}}"},
         NULL,
         "DUPLICATE_KEY",
         "/workload/op_mix",
         "(from first.json)",
         NULL,
         0,
         0},
        {{"{\"workload\": {\"tools\": {}}, \"tools\": {}}"},
         NULL,
         "DUPLICATE_KEY",
         "/tools",
         "(from first.json)",
         NULL,
         0,
         0},
        {{STAGES("{\"stage\": \"baseline\", \"stage_id\": \"x\"}, {\"stage_id\": \"x\"}")},
         NULL,
         "DUPLICATE_ID",
         "/stages/5/stage_id",
         "(from first.json)",
         NULL,
         0,
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_refused(&cases[i]);
    }
}

/* An overlay that cannot be read at all is one error and nothing else. */
static void test_one_error(void **state)
{
    static const char *const overlays[OVERLAYS] = {"{\"stages\": [}"};
    const struct scenario_overlay given = {.name = "o", .text = str_c(overlays[0])};
    const struct scenario_options options = {.overlays = &given, .overlay_count = 1};
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    (void)state;
    assert_int_equal(scenario_load_text(STR("{}"), &options, &s, &issues, NULL), ERR_INVALID);
    assert_int_equal(issues.count, 1);
    issue_list_clear(&issues);
}

static void test_only_preflights(void **state)
{
    static const char text[] = "{\"target\": {\"url\": \"http://localhost\"},"
                               " \"stages\": [{\"stage\": \"preflight\"}]}";
    const struct scenario_overlay given = {.name = "o",
                                           .text = STR("{\"stages\": [{" STALLS "}]}")};
    const struct scenario_options options = {.overlays = &given, .overlay_count = 1};
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    (void)state;
    assert_int_equal(scenario_load_text(STR(text), &options, &s, &issues, NULL), ERR_INVALID);
    assert_int_equal(issues.error_count, 1);
    assert_string_equal(issues.items[0].code, "INVALID_OVERLAY");
    issue_list_clear(&issues);
}

/* `count` times `unit` between two texts. */
static void repeat(struct buf *out, const char *before, const char *unit, size_t count)
{
    buf_add_c(out, before);
    for (size_t i = 0; i < count; i++) {
        if (buf_add_c(out, i > 0 ? "," : "") != 0 || buf_add_c(out, unit) != 0) {
            fail_msg("the text is too long");
        }
    }
}

/* Lists that are too long are not compared, values that go to too many places not copied. */
static void test_bounds(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, JSON_TEXT_MAX);
    repeat(&text, "{\"stages\": [", "{\"stop_conditions\": [{}]}", 100000);
    buf_add_c(&text, "]}");
    const struct refused too_long = {.overlays = {buf_c(&text)},
                                     .code = "SCHEMA_VIOLATION",
                                     .pointer = "/stages",
                                     .text = "(from first.json)"};
    check_refused(&too_long);

    /* What makes a list too long does not drop what was in it. */
    text.len = 0;
    buf_add_c(&text, "{\"stages\": [{\"stop_conditions\": [");
    for (size_t i = 0; i < 50; i++) {
        buf_printf(&text, "%s{\"id\": \"c%zu\", \"metric\": \"m\", \"threshold\": 1}",
                   i > 0 ? "," : "", i);
    }
    buf_add_c(&text, "]}]}");
    const struct refused grown = {
        .overlays = {buf_c(&text), "{}"},
        .code = "SCHEMA_VIOLATION",
        .pointer = "/stages/1/stop_conditions",
        .text = "found a list of 52, expected a list of objects with a length within "
                "0..50 (from first.json)"};
    check_refused(&grown);

    text.len = 0;
    repeat(&text, "{\"stages\": [{\"x-a\": [", "1", 600000);
    buf_add_c(&text, "]}]}");
    const struct refused copies = {.overlays = {buf_c(&text)},
                                   .code = "INVALID_OVERLAY",
                                   .pointer = "",
                                   .text = "values to merge"};
    check_refused(&copies);
    buf_clear(&text);
}

/* Two documents of the deepest nesting lie on top of each other. */
static void test_depth(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, JSON_TEXT_MAX);
    for (size_t i = 0; i < JSON_DEPTH_MAX - 1; i++) {
        buf_add_c(&text, "{\"x-deep\":");
    }
    buf_add_c(&text, "1");
    for (size_t i = 0; i < JSON_DEPTH_MAX - 1; i++) {
        buf_add_c(&text, "}");
    }
    const char *const overlays[OVERLAYS] = {buf_c(&text), buf_c(&text)};
    struct issue_list issues = {0};
    struct scenario *s;
    assert_int_equal(load(overlays, NULL, &s, &issues), 0);
    scenario_free(s);
    issue_list_clear(&issues);
    buf_clear(&text);
}

static void test_hash(void **state)
{
    static const char *const none[OVERLAYS] = {NULL};
    static const char *const two[OVERLAYS] = {"{}", "{\"scenario_id\": \"x\"}"};
    struct issue_list issues = {0};
    struct scenario *s;
    char expected[65];
    struct buf all;

    (void)state;
    assert_int_equal(load(none, NULL, &s, &issues), 0);
    digest_sha256_hex(STR(base), expected);
    assert_string_equal(s->config_hash, expected);
    scenario_free(s);
    buf_init(&all, JSON_TEXT_MAX);
    buf_printf(&all, "%s%s%s", base, two[0], two[1]);
    digest_sha256_hex(buf_str(&all), expected);
    assert_int_equal(load(two, NULL, &s, &issues), 0);
    assert_string_equal(s->config_hash, expected);
    scenario_free(s);
    buf_clear(&all);
    issue_list_clear(&issues);
}

/* RFC 7396: null takes a member away, so that an unknown one can be corrected. */
static void test_null_removes(void **state)
{
    static const char text[] = "{\"target\": {\"url\": \"http://localhost\", \"bogus\": 1},"
                               " \"stages\": [{\"stage\": \"baseline\"}]}";
    const struct scenario_overlay overlay = {"o.json", STR_INIT("{\"target\": {\"bogus\": null}}")};
    const struct scenario_options options = {.overlays = &overlay, .overlay_count = 1};
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    (void)state;
    assert_int_equal(scenario_load_text(STR(text), &options, &s, &issues, NULL), 0);
    scenario_free(s);
    issue_list_clear(&issues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_removes), cmocka_unit_test(test_objects_and_values),
        cmocka_unit_test(test_templates),    cmocka_unit_test(test_other_lists),
        cmocka_unit_test(test_stages),       cmocka_unit_test(test_stages_without_a_name),
        cmocka_unit_test(test_no_sharing),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_one_error),    cmocka_unit_test(test_only_preflights),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_depth),
        cmocka_unit_test(test_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
