/* SPDX-License-Identifier: MIT */
#include "plan/plain.h"
#include "support/unit.h"

static void check(const char *text, const char *want)
{
    struct plain plain;
    char copy[200];

    plain_read(str_c(text), &plain);
    if (!str_eq((struct str){plain.text, plain.len}, str_c(want))) {
        fail_msg("%s: '%.*s' instead of '%s'", text, (int)plain.len, plain.text, want);
    }
    assert_int_equal(plain.at[plain.len], strlen(text));
    assert_true(strlen(text) <= sizeof copy);
    assert_int_equal(plain_copy(str_c(text), copy), plain.len);
    assert_memory_equal(copy, plain.text, plain.len);
}

static void test_escapes(void **state)
{
    static const struct {
        const char *text, *plain;
    } cases[] = {
        {"", ""},
        {"as it is", "as it is"},
        {"a\"b/c'd", "a\"b/c'd"},
        {"a\\\"b\\/c\\'d", "a\"b/c'd"},
        /* JSON in a string of JSON, any number of times */
        {"a\\\\\\\"b", "a\"b"},
        {"dom\\name", "dom\\name"},
        {"dom\\\\name", "dom\\name"},
        {"dom\\\\\\\\name", "dom\\name"},
        {"\\u0041\\u003c\\u003C\\\\u0041", "A<<A"},
        {"\\u00e9\\u20ac\\ud83d\\ude00", "é€😀"},
        {"\\ud83d\\\\ude00.", "😀."},
        /* no code point, and half a pair */
        {"\\u00zz", "\\u00zz"},
        {"\\u", ""},
        {"\\ude00", "\xed\xb8\x80"},
        {"\\ud83d\\n", "\xed\xa0\xbd\\n"},
        {"\\ud83d\\u0041", "\xed\xa0\xbd"
                           "A"},
        /* cut by the end */
        {"abc\\", "abc"},
        {"abc\\\\\\", "abc"},
        {"abc\\u0", "abc"},
        {"abc\\u00", "abc"},
        {"abc\\u002", "abc"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(cases[i].text, cases[i].plain);
    }
}

static void test_places(void **state)
{
    static const uint16_t at[] = {0, 1, 3, 9, 9, 15, 16};
    struct plain plain;

    (void)state;
    plain_read(STR("a\\\"\\u0041\\u00e9b"), &plain);
    assert_int_equal(plain.len, 6);
    for (size_t i = 0; i <= plain.len; i++) {
        assert_int_equal(plain.at[i], at[i]);
    }
}

static void test_long_texts(void **state)
{
    static char text[70000];
    struct plain plain;

    (void)state;
    memset(text, 'x', sizeof text);
    plain_read((struct str){text, sizeof text}, &plain);
    assert_in_range(plain.len, PLAIN_MAX - 4, PLAIN_MAX);
    assert_int_equal(plain.at[plain.len], plain.len);
    memset(text, '\\', sizeof text);
    plain_read((struct str){text, sizeof text}, &plain);
    assert_int_equal(plain.len, 0);
    assert_int_equal(plain.at[0], UINT16_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_long_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
