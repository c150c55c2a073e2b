/* SPDX-License-Identifier: MIT */
#include "api/query.h"
#include "support/unit.h"

static const char *const colours[] = {"red", "green", NULL};
static const struct query_param params[] = {
    {.name = "limit", .type = QUERY_NUMBER, .min = 1, .max = 1000, .def = "100"},
    {.name = "big", .type = QUERY_NUMBER, .max = INT64_MAX, .code = "BAD_BIG"},
    {.name = "follow", .type = QUERY_FLAG, .def = "true"},
    {.name = "colour", .type = QUERY_CHOICE, .choices = colours},
    {.name = "q", .max = 8},
};
enum { PARAMS = sizeof params / sizeof params[0] };

static struct query query;

static int read(const char *text, json_t **warnings, struct query_error *error)
{
    *error = (struct query_error){0};
    *warnings = NULL;
    return query_read(str_c(text), params, PARAMS, &query, warnings, error);
}

static void test_values(void **state)
{
    static const struct {
        const char *text, *name, *value;
        bool given;
    } cases[] = {
        {"", "limit", "100", false},
        {"", "follow", "true", false},
        {"", "q", NULL, false},
        {"limit=1", "limit", "1", true},
        {"&&limit=1000&", "limit", "1000", true},
        {"big=9223372036854775807", "big", "9223372036854775807", true},
        {"follow=false&limit=7", "follow", "false", true},
        {"colour=green", "colour", "green", true},
        {"q=a+b%20c%2B", "q", "a b c+", true},
        {"q", "q", "", true},
        {"q=", "q", "", true},
        {"q=a=b", "q", "a=b", true},
        {"q=%C3%A4", "q", "\xc3\xa4", true},
        {"%71=x", "q", "x", true},
        {"q=12345678", "q", "12345678", true},
    };
    struct query_error error;
    json_t *warnings;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read(cases[i].text, &warnings, &error) != 0) {
            fail_msg("%s: %s", cases[i].text, error.message);
        }
        const struct query_value *v = query_get(&query, cases[i].name);
        assert_int_equal(v->given, cases[i].given);
        if (cases[i].value == NULL) {
            assert_null(v->text);
        } else {
            assert_string_equal(v->text, cases[i].value);
        }
        assert_null(warnings);
    }
    read("limit=42&follow=false", &warnings, &error);
    assert_int_equal(query_get(&query, "limit")->number, 42);
    assert_false(query_get(&query, "follow")->flag);
    read("", &warnings, &error);
    assert_int_equal(query_get(&query, "limit")->number, 100);
    assert_true(query_get(&query, "follow")->flag);
}

static void test_errors(void **state)
{
    static const struct {
        const char *text, *param, *message;
    } cases[] = {
        {"limit=0", "limit", "at least 1"},
        {"limit=1001", "limit", "at most 1000"},
        {"limit=", "limit", "whole number"},
        {"limit=-1", "limit", "whole number"},
        {"limit=1.5", "limit", "whole number"},
        {"limit=0x10", "limit", "whole number"},
        {"limit=99999999999999999999", "limit", "at most 1000"},
        {"big=-1", "big", "at least 0"},
        {"big=9223372036854775808", "big", "at least 0"},
        {"follow=yes", "follow", "true or false"},
        {"follow", "follow", "true or false"},
        {"colour=blue", "colour", "red, green"},
        {"q=123456789", "q", "longer than 8"},
        {"limit=1&limit=1", "limit", "given twice"},
        {"q=%", NULL, "percent-encoded"},
        {"q=%4", NULL, "percent-encoded"},
        {"q=%zz", NULL, "percent-encoded"},
        {"q=%00", NULL, "percent-encoded"},
        {"q=%ff", NULL, "percent-encoded"},
        {"%ff=1", NULL, "percent-encoded"},
    };
    struct query_error error;
    json_t *warnings;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read(cases[i].text, &warnings, &error), ERR_INVALID);
        if (strstr(error.message, cases[i].message) == NULL) {
            fail_msg("%s: %s", cases[i].text, error.message);
        }
        if (cases[i].param == NULL) {
            assert_null(error.param);
        } else {
            assert_string_equal(error.param->name, cases[i].param);
        }
    }
}

static void test_unknown_names_are_told(void **state)
{
    struct query_error error;
    json_t *warnings;
    char many[2000] = "";

    (void)state;
    assert_int_equal(read("limt=5&zzz=1&limit=3", &warnings, &error), 0);
    assert_int_equal(query_get(&query, "limit")->number, 3);
    assert_string_equal(json_string_value(json_array_get(warnings, 0)),
                        "unknown parameter \"limt\" has no effect; did you mean \"limit\"?");
    assert_string_equal(json_string_value(json_array_get(warnings, 1)),
                        "unknown parameter \"zzz\" has no effect");
    json_decref(warnings);
    for (size_t i = 0; i < 100; i++) {
        strncat(many, "x&", sizeof many - strlen(many) - 1);
    }
    assert_int_equal(read(many, &warnings, &error), 0);
    assert_int_equal(json_array_size(warnings), QUERY_WARNINGS_MAX);
    json_decref(warnings);
}

/* As long as a target may be, in as many pieces as fit: the query's own memory suffices. */
static void test_longest(void **state)
{
    static char text[H1_TARGET_MAX + 2];
    struct query_error error;
    json_t *warnings;

    (void)state;
    for (size_t i = 0; i < H1_TARGET_MAX; i++) {
        text[i] = i % 2 == 0 ? 'a' : '&';
    }
    assert_int_equal(read(text, &warnings, &error), 0);
    json_decref(warnings);
    memset(text, '=', H1_TARGET_MAX);
    assert_int_equal(read(text, &warnings, &error), 0);
    json_decref(warnings);
    text[H1_TARGET_MAX] = '=';
    assert_int_equal(read(text, &warnings, &error), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_unknown_names_are_told),
        cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
