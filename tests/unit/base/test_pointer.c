/* SPDX-License-Identifier: MIT */
#include "base/pointer.h"
#include "support/unit.h"

#define LIMIT ((size_t)1 << 20)

/* RFC 6901 §5, and pointers that go on below a string. */
static void values_are_found(void **state)
{
    static const char document[] =
        "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
        "\"k\\\"l\":6,\" "
        "\":7,\"m~n\":8,\"~1\":9,\"text\":\"{\\\"a\\\":[1,{\\\"b\\\":\\\"[true]\\\"}"
        "]}\",\"plain\":\"x\",\"number\":\"42\",\"null\":null}";
    static const struct {
        const char *pointer, *expected; /* NULL: nothing is there */
    } cases[] = {
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/foo/1", "\"baz\""},
        {"/foo/2", NULL},
        {"/foo/-", NULL},
        {"/foo/01", NULL},
        {"/foo/+1", NULL},
        {"/foo/", NULL},
        {"/foo/18446744073709551616", NULL},
        {"/foo/18446744073709551615", NULL},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/~01", "9"},
        {"/none", NULL},
        {"//x", NULL},
        {"/null", "null"},
        {"/null/x", NULL},
        {"/text", "\"{\\\"a\\\":[1,{\\\"b\\\":\\\"[true]\\\"}]}\""},
        {"/text/a", "[1,{\"b\":\"[true]\"}]"},
        {"/text/a/0", "1"},
        {"/text/a/1/b", "\"[true]\""},
        {"/text/a/1/b/0", "true"},
        {"/text/a/1/b/0/x", NULL},
        {"/plain", "\"x\""},
        {"/plain/0", NULL},
        {"/number/0", NULL},
    };
    json_t *root = NULL;

    (void)state;
    assert_int_equal(json_parse(str_c(document), LIMIT, &root, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text;

        assert_int_equal(pointer_check(cases[i].pointer, NULL), 0);
        json_t *found = pointer_get(cases[i].pointer, root, LIMIT);
        if (cases[i].expected == NULL) {
            assert_null(found);
            continue;
        }
        assert_non_null(found);
        buf_init(&text, LIMIT);
        json_write(found, &text);
        assert_string_equal(buf_c(&text), cases[i].expected);
        buf_clear(&text);
        json_decref(found);
    }
    assert_null(pointer_get("/text/a", root, 5)); /* the text is longer */
    json_t *all = pointer_get("", root, LIMIT);
    assert_ptr_equal(all, root);
    json_decref(all);
    json_decref(root);
}

static void what_is_no_pointer(void **state)
{
    char text[POINTER_BYTES_MAX + 2];
    struct err err = {0};

    (void)state;
    assert_int_equal(pointer_check("", &err), 0);
    assert_int_equal(pointer_check("a", &err), ERR_INVALID);
    assert_int_equal(pointer_check("#/a", &err), ERR_INVALID);
    assert_int_equal(pointer_check("/a~", &err), ERR_INVALID);
    assert_int_equal(pointer_check("/a~2", &err), ERR_INVALID);
    memset(text, '/', sizeof text);
    text[POINTER_TOKENS_MAX] = '\0';
    assert_int_equal(pointer_check(text, &err), 0);
    text[POINTER_TOKENS_MAX] = '/';
    text[POINTER_TOKENS_MAX + 1] = '\0';
    assert_int_equal(pointer_check(text, &err), ERR_INVALID);
    memset(text + 1, 'x', sizeof text - 1);
    text[POINTER_BYTES_MAX] = '\0';
    assert_int_equal(pointer_check(text, &err), 0);
    text[POINTER_BYTES_MAX] = 'x';
    text[POINTER_BYTES_MAX + 1] = '\0';
    assert_int_equal(pointer_check(text, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(what_is_no_pointer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
