/* SPDX-License-Identifier: MIT */
#include "scenario/documents/documents.h"
#include "scenario/fields/fields.h"
#include "scenario/fields/fit.h"
#include "scenario/scenario.h"
#include "support/unit.h"

#include <stdlib.h>

enum { DOCUMENT_MAX = 1024 * 1024 };

/* With MCPDRILL_REGENERATE set, the files are written instead of compared. */
static void compare(const char *path, int (*generate)(struct buf *))
{
    struct buf expected, found;

    buf_init(&expected, DOCUMENT_MAX);
    buf_init(&found, DOCUMENT_MAX);
    assert_int_equal(generate(&expected), 0);
    if (getenv("MCPDRILL_REGENERATE") != NULL) { /* NOLINT(concurrency-mt-unsafe) one thread */
        assert_int_equal(file_write(path, buf_str(&expected), NULL), 0);
    }
    assert_int_equal(file_read(path, &found, NULL), 0);
    assert_string_equal(buf_c(&found), buf_c(&expected));
    buf_clear(&expected);
    buf_clear(&found);
}

static void test_schema_file(void **state)
{
    (void)state;
    compare(SOURCE_DIR "/schemas/run-config/v1.json", scenario_schema);
}

static void test_reference_file(void **state)
{
    (void)state;
    compare(SOURCE_DIR "/docs/reference/run-config.md", scenario_reference);
}

static void test_small_buffer(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(scenario_schema(&out), ERR_LIMIT);
    assert_int_equal(scenario_reference(&out), ERR_LIMIT);
    buf_clear(&out);
}

static void walk(const struct section *section, void (*visit)(const struct field *))
{
    assert_non_null(section->title);
    for (size_t i = 0; i < section->count; i++) {
        visit(&section->fields[i]);
        if (section->fields[i].section != NULL) {
            walk(section->fields[i].section, visit);
        }
    }
}

static bool optional_without_default(const struct field *f)
{
    return f->type == FIELD_OBJECT || f->type == FIELD_ANY || (f->flags & FIELD_REQUIRED) != 0;
}

static void check_row(const struct field *f)
{
    assert_non_null(f->key);
    assert_non_null(f->help);
    assert_int_equal(f->help[strlen(f->help) - 1], '.');
    /* Exactly one source of the value when the key is absent. */
    if (!optional_without_default(f)) {
        assert_true((f->def != NULL) != (f->computed != NULL));
    }
    assert_true(f->min <= f->max || f->type == FIELD_ANY);
    assert_true(f->type != FIELD_ENUM || f->choices != NULL);
    assert_true((f->type != FIELD_OBJECT && f->type != FIELD_ARRAY) || f->section != NULL);
    if (f->type == FIELD_ARRAY && f->section != NULL) {
        assert_true(f->section->size > 0);
    }
    assert_true(f->later == NULL || f->def != NULL);
    if (f->def != NULL) {
        json_decref(field_json(f->def));
    }
}

static void test_rows(void **state)
{
    (void)state;
    walk(&scenario_section, check_row);
}

/* A duplicate key would shadow its second row. */
static void check_section_keys(const struct section *section)
{
    for (size_t i = 0; i < section->count; i++) {
        assert_ptr_equal(field_find(section, section->fields[i].key), &section->fields[i]);
        if (section->fields[i].section != NULL) {
            check_section_keys(section->fields[i].section);
        }
    }
}

static void test_keys(void **state)
{
    (void)state;
    check_section_keys(&scenario_section);
}

static void test_suggestions(void **state)
{
    const struct section *target = field_find(&scenario_section, "target")->section;

    (void)state;
    assert_string_equal(field_suggest(target, "urll"), "url");
    assert_string_equal(field_suggest(target, "timeout"), "timeouts");
    assert_null(field_suggest(target, "zzzzzzzzzzzz"));
}

/* Credentials that are written down, but where they are to be found. */
static void test_secrets(void **state)
{
    static const char text[] =
        "{\"target\": {\"url\": \"http://localhost\", \"headers\": {\"Cookie\": \"TOPSECRET\"},"
        " \"auth\": {\"type\": \"none\", \"tokens\": [\"TOPSECRET\", \"TOPSECRET\"],"
        "   \"bearer_token_ref\": \"TOPSECRET\", \"api_key_ref\": \"env:KEY\"}},"
        " \"server_telemetry\": {\"pair_key\": \"TOPSECRET\"},"
        " \"stages\": [{\"stage\": \"baseline\"}]}";
    struct issue_list issues = {0};
    struct scenario *s = NULL;
    struct buf out;

    (void)state;
    assert_int_equal(scenario_load_text(STR(text), NULL, &s, &issues, NULL), 0);
    json_t *document = scenario_explain(s);
    buf_init(&out, 1 << 20);
    assert_int_equal(json_write(document, &out), 0);
    assert_null(strstr(buf_c(&out), "TOPSECRET"));
    assert_non_null(strstr(buf_c(&out), "\"tokens\":[\"[redacted]\",\"[redacted]\"]"));
    assert_non_null(strstr(buf_c(&out), "\"api_key_ref\":\"env:KEY\""));
    buf_clear(&out);
    json_decref(document);
    scenario_free(s);
    issue_list_clear(&issues);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(operation_name(OPERATION_TOOLS_CALL), "tools/call");
    assert_string_equal(operation_name(OPERATION_PING), "ping");
    assert_string_equal(stage_kind_name(STAGE_PREFLIGHT), "preflight");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_file),  cmocka_unit_test(test_reference_file),
        cmocka_unit_test(test_small_buffer), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_keys),         cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
