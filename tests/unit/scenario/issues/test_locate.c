/* SPDX-License-Identifier: MIT */
#include "scenario/issues/locate.h"
#include "support/unit.h"

static const char text[] = "{\n"
                           "  \"a\": 1,\n"
                           "  \"b\": {\"c\": [10, {\"d/e\": \"x\"}, [true]], \"~\": null},\n"
                           "  \"a\\u00e4\": \"\\\"}{\", \"z\": 3, \"a\xc3\xa4z\": 4\n"
                           "}\n";

static const struct {
    const char *pointer;
    unsigned line, col;
} cases[] = {
    {"", 1, 1},
    {"/a", 2, 8},
    {"/b", 3, 8},
    {"/b/c", 3, 14},
    {"/b/c/0", 3, 15},
    {"/b/c/1/d~1e", 3, 27},
    {"/b/c/2/0", 3, 34},
    {"/b/~0", 3, 47},
    {"/a\xc3\xa4", 4, 14},
    {"/z", 4, 27},
    {"/a\xc3\xa4z", 4, 37},
    /* Nowhere: the nearest value on the way. */
    {"/b/c/9/x", 3, 14},
    {"/nothing", 1, 1},
    {"/a/b", 2, 8},
};

enum { CASES = sizeof cases / sizeof cases[0] };

static void test_one_by_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct place place = {.json_pointer = cases[i].pointer};

        locate_places(str_c(text), &place, 1);
        if (place.line != cases[i].line || place.col != cases[i].col) {
            fail_msg("%s: %u:%u", cases[i].pointer, place.line, place.col);
        }
    }
}

static void test_all_at_once(void **state)
{
    struct place places[CASES];

    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        places[i] = (struct place){.json_pointer = cases[i].pointer, .tag = i};
    }
    locate_places(str_c(text), places, CASES);
    for (size_t i = 0; i < CASES; i++) {
        assert_int_equal(places[i].line, cases[places[i].tag].line);
        assert_int_equal(places[i].col, cases[places[i].tag].col);
    }
}

/* Any cut of a text is safe, though meaningless. */
static void test_cuts(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        char *copy = test_malloc(len + 1);
        struct place place = {.json_pointer = "/b/c/2/0"};

        memcpy(copy, text, len);
        locate_places((struct str){copy, len}, &place, 1);
        test_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
