/* SPDX-License-Identifier: MIT */
/* Every bound of every row, by values that are generated from the row itself. */
#include "scenario/fields/fields.h"
#include "scenario/scenario.h"
#include "support/unit.h"

/* One element in every list, so that each row has a place. */
static const char base[] =
    "{\"target\": {\"url\": \"http://localhost:9000\"},"
    " \"environment\": {\"allowlist\": {\"allowed_targets\":"
    "   [{\"kind\": \"exact\", \"value\": \"localhost\"}]}},"
    " \"workload\": {\"operation_mix\": [{\"operation\": \"ping\"}],"
    "   \"tools\": {\"templates\": [{\"tool_name\": \"t\", \"checks\": [{\"exists\": true}]}]},"
    "   \"payload_profiles\": [{\"profile_id\": \"p\", \"size_bytes\": {\"fixed\": 2}}],"
    "   \"data\": [{\"name\": \"f\","
    "     \"path\": \"" SOURCE_DIR "/tests/data/scenarios/users.csv\"}],"
    "   \"metrics\": [{\"name\": \"m\", \"pointer\": \"\"}]},"
    " \"stages\": [{\"stage\": \"preflight\","
    "   \"success_criteria\": [{\"metric\": \"error_rate\", \"comparator\": \"<\","
    "     \"threshold\": 1}],"
    "   \"stop_conditions\": [{\"metric\": \"error_rate\", \"threshold\": 1}]}],"
    " \"success_criteria\": [{\"metric\": \"error_rate\", \"comparator\": \"<\","
    "   \"threshold\": 1}],"
    " \"safety\": {\"stop_conditions\": [{\"metric\": \"error_rate\", \"threshold\": 1}]}}";

static size_t rows_tried;

static bool complains(const struct issue_list *issues, const char *pointer, const char *word)
{
    for (size_t i = 0; i < issues->count; i++) {
        if (strcmp(issues->items[i].json_pointer, pointer) == 0 &&
            (word == NULL || strstr(issues->items[i].message, word) != NULL)) {
            return true;
        }
    }
    return false;
}

/* Does the row itself refuse this value? Only its own message says what is expected. */
static bool refused(const char *path, const char *pointer, const char *value)
{
    struct issue_list issues = {0};
    struct scenario *s = NULL;
    struct buf set;

    buf_init(&set, JSON_TEXT_MAX);
    assert_int_equal(buf_printf(&set, "%s=%s", path, value), 0);
    const char *sets[] = {buf_c(&set)};
    const struct scenario_options options = {.sets = sets, .set_count = 1};
    int rc = scenario_load_text(STR(base), &options, &s, &issues, NULL);
    bool result = complains(&issues, pointer, ", expected ");
    assert_true(rc != 0 || !result);
    scenario_free(s);
    issue_list_clear(&issues);
    buf_clear(&set);
    return result;
}

static void expect(const char *path, const char *pointer, const char *value, bool wrong)
{
    if (refused(path, pointer, value) != wrong) {
        fail_msg("%s=%.60s should be %s", path, value, wrong ? "refused" : "accepted");
    }
}

static void try_number(const struct field *f, const char *path, const char *pointer)
{
    char value[64];

    snprintf(value, sizeof value, "%.17g", f->min);
    expect(path, pointer, value, false);
    snprintf(value, sizeof value, "%.17g", f->max);
    expect(path, pointer, value, false);
    snprintf(value, sizeof value, "%.17g", f->min - 1);
    expect(path, pointer, value, true);
    snprintf(value, sizeof value, "%.17g", f->max < 1e12 ? f->max + 1 : f->max * 2);
    expect(path, pointer, value, true);
    if (f->type != FIELD_NUMBER) {
        snprintf(value, sizeof value, "%.17g", f->min + 0.5);
        expect(path, pointer, value, true);
    }
    expect(path, pointer, "\"1\"", true);
    expect(path, pointer, "[]", true);
    expect(path, pointer, "null", (f->flags & FIELD_NULL_OK) == 0);
}

/* `count` copies of `item` between two texts. */
static void
fill(struct buf *out, const char *head, const char *item, size_t count, const char *tail)
{
    out->len = 0;
    assert_int_equal(buf_add_c(out, head), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(buf_add_c(out, item), 0);
    }
    assert_int_equal(buf_add_c(out, tail), 0);
}

static void try_string(const struct field *f, const char *path, const char *pointer)
{
    struct buf value;

    buf_init(&value, JSON_TEXT_MAX);
    fill(&value, "\"", "a", (size_t)f->max, "\"");
    expect(path, pointer, buf_c(&value), false);
    fill(&value, "\"", "a", (size_t)f->max + 1, "\"");
    expect(path, pointer, buf_c(&value), true);
    if (f->min > 0) {
        expect(path, pointer, "\"\"", true);
    }
    if (f->characters == NULL) {
        /* Characters are counted, not bytes. */
        fill(&value, "\"", "\xc3\xa4", (size_t)f->max, "\"");
        expect(path, pointer, buf_c(&value), false);
    } else {
        expect(path, pointer, "\"a b\"", true);
    }
    expect(path, pointer, "\"a\\u0000b\"", true);
    expect(path, pointer, "{}", true);
    expect(path, pointer, "null", (f->flags & FIELD_NULL_OK) == 0);
    buf_clear(&value);
}

static void try_enum(const struct field *f, const char *path, const char *pointer)
{
    for (const struct choice *c = f->choices; c->name != NULL; c++) {
        char value[64];

        snprintf(value, sizeof value, "\"%s\"", c->name);
        expect(path, pointer, value, false);
    }
    expect(path, pointer, "\"nonsense\"", true);
    expect(path, pointer, "1", true);
    expect(path, pointer, "null", true);
}

static void try_list(const struct field *f, const char *path, const char *pointer)
{
    struct buf value;

    buf_init(&value, JSON_TEXT_MAX);
    fill(&value, "[", "{},", (size_t)f->max, "{}]");
    expect(path, pointer, buf_c(&value), true);
    fill(&value, "[", "1,", (size_t)f->max - 1, "1]");
    expect(path, pointer, buf_c(&value), false);
    if (f->min > 0) {
        expect(path, pointer, "[]", true);
    }
    expect(path, pointer, "{}", true);
    expect(path, pointer, "null", true);
    buf_clear(&value);
}

static void try_row(const struct field *f, const char *path, const char *pointer)
{
    rows_tried++;
    switch (f->type) {
    case FIELD_BOOL:
        expect(path, pointer, "1", true);
        expect(path, pointer, "true", false);
        break;
    case FIELD_INT:
    case FIELD_MS:
    case FIELD_NUMBER:
        try_number(f, path, pointer);
        break;
    case FIELD_STRING:
        try_string(f, path, pointer);
        break;
    case FIELD_ENUM:
        try_enum(f, path, pointer);
        break;
    case FIELD_ARRAY:
    case FIELD_STRINGS:
        try_list(f, path, pointer);
        break;
    case FIELD_OBJECT:
    case FIELD_MAP:
    case FIELD_WEIGHTS:
    case FIELD_JSON:
        expect(path, pointer, "[]", true);
        expect(path, pointer, "\"x\"", true);
        break;
    case FIELD_VALUE:
        expect(path, pointer, "null", false);
        expect(path, pointer, "[{}]", false);
        break;
    case FIELD_ANY:
        break;
    }
}

static void walk(const struct section *section, const char *path, const char *pointer)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];
        char own_path[300], own_pointer[300];

        snprintf(own_path, sizeof own_path, "%s%s%s", path, path[0] == '\0' ? "" : ".", f->key);
        snprintf(own_pointer, sizeof own_pointer, "%s/%s", pointer, f->key);
        if ((f->flags & FIELD_UNSUPPORTED) == 0) {
            try_row(f, own_path, own_pointer);
        }
        if (f->type == FIELD_OBJECT) {
            walk(f->section, own_path, own_pointer);
        } else if (f->type == FIELD_ARRAY) {
            char item_path[310], item_pointer[310];

            snprintf(item_path, sizeof item_path, "%s[0]", own_path);
            snprintf(item_pointer, sizeof item_pointer, "%s/0", own_pointer);
            walk(f->section, item_path, item_pointer);
        }
    }
}

static void test_bounds(void **state)
{
    (void)state;
    walk(&scenario_section, "", "");
    assert_true(rows_tried > 150);
}

/* What later versions will do is accepted, and said. */
static void test_later(void **state)
{
    (void)state;
    const char *sets[] = {"target.tls.verify=false"};
    const struct scenario_options options = {.sets = sets, .set_count = 1};
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    assert_int_equal(scenario_load_text(STR(base), &options, &s, &issues, NULL), 0);
    assert_false(s->target.tls.verify);
    const struct issue *later = NULL;
    for (size_t i = 0; i < issues.count; i++) {
        later = strcmp(issues.items[i].code, "NOT_SUPPORTED") == 0 ? &issues.items[i] : later;
    }
    assert_non_null(later);
    assert_int_equal(later->level, ISSUE_WARNING);
    assert_string_equal(later->json_pointer, "/target/tls/verify");
    assert_int_equal(later->line, 0);
    assert_non_null(strstr(later->message, "no encrypted connection"));
    assert_non_null(strstr(later->message, "--set target.tls.verify)"));
    scenario_free(s);
    issue_list_clear(&issues);
}

static void test_many_issues(void **state)
{
    struct issue_list issues = {0};
    struct scenario *s = NULL;
    struct buf text;

    (void)state;
    buf_init(&text, JSON_TEXT_MAX);
    buf_add_c(&text, "{\"a0\": 1");
    for (int i = 1; i < 5000; i++) {
        buf_printf(&text, ",\n\"a%d\": {}", i);
    }
    buf_add_c(&text, "}");
    assert_int_equal(scenario_load_text(buf_str(&text), NULL, &s, &issues, NULL), ERR_INVALID);
    assert_int_equal(issues.count, ISSUES_MAX);
    assert_true(issues.error_count >= 5000);
    assert_string_equal(issues.items[ISSUES_MAX - 1].code, "TOO_MANY_ISSUES");
    assert_true(issues.items[10].line > 1);
    issue_list_clear(&issues);
    buf_clear(&text);
}

static void test_json_of_issues(void **state)
{
    struct issue_list issues = {0};
    struct scenario *s = NULL;
    struct buf text;

    (void)state;
    assert_int_equal(
        scenario_load_text(STR("{\"stages\": 1,\n \"tarrget\": 2}"), NULL, &s, &issues, NULL),
        ERR_INVALID);
    json_t *out = issue_list_json(&issues);
    assert_true(json_is_false(json_object_get(out, "ok")));
    assert_int_equal(json_array_size(json_object_get(out, "errors")), issues.error_count);
    json_decref(out);
    buf_init(&text, 4000);
    assert_int_equal(issue_write(&issues.items[issues.count - 1], "f.json", &text), 0);
    assert_non_null(strstr(buf_c(&text), "f.json:2:13: error UNKNOWN_FIELD at /tarrget"));
    assert_non_null(strstr(buf_c(&text), "did you mean `target`?"));
    buf_clear(&text);
    issue_list_clear(&issues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_many_issues),
        cmocka_unit_test(test_json_of_issues),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
