/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "base/str.h"
#include "support/unit.h"

static void trims_blanks_at_both_ends(void **state)
{
    static const struct {
        struct str in, out;
    } cases[] = {
        {STR_INIT(""), STR_INIT("")},        {STR_INIT(" \t "), STR_INIT("")},
        {STR_INIT("a"), STR_INIT("a")},      {STR_INIT("\t a b \t"), STR_INIT("a b")},
        {STR_INIT("\na "), STR_INIT("\na")}, /* a line end is no blank */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(str_eq(str_trim(cases[i].in), cases[i].out));
    }
}

static void compares_slices(void **state)
{
    (void)state;
    assert_true(str_eq((struct str){NULL, 0}, STR("")));
    assert_false(str_eq(STR("a"), STR("A")));
    assert_true(str_ieq(STR("Mcp-Session-ID"), STR("mcp-session-id")));
    assert_false(str_ieq(STR("ab"), STR("abc")));
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR("")));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_int_equal(str_c(NULL).len, 0);
}

static void reads_decimal_numbers(void **state)
{
    static const struct {
        struct str text;
        uint64_t max;
        bool ok;
        uint64_t value;
    } cases[] = {
        {STR_INIT("0"), 0, true, 0},
        {STR_INIT("007"), 10, true, 7},
        {STR_INIT("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
        {STR_INIT("18446744073709551616"), UINT64_MAX, false, 0},
        {STR_INIT("99999999999999999999999"), UINT64_MAX, false, 0},
        {STR_INIT("65536"), 65535, false, 0},
        {STR_INIT(""), 10, false, 0},
        {STR_INIT("+1"), 10, false, 0},
        {STR_INIT("-1"), 10, false, 0},
        {STR_INIT(" 1"), 10, false, 0},
        {STR_INIT("1a"), 10, false, 0},
        {STR_INIT("0x1"), 10, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t v = 12345;

        assert_int_equal(str_u64(cases[i].text, cases[i].max, &v), cases[i].ok);
        assert_int_equal(v, cases[i].ok ? cases[i].value : 12345); /* untouched on failure */
    }
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits <= 64; bits++) {
        uint64_t v = bits == 0 ? 0 : UINT64_MAX >> (64 - bits), back = 0;
        char text[20];

        for (int step = -1; step <= 1; step++) {
            uint64_t w = v + (uint64_t)step;
            struct str s = {text, str_put_u64(text, w)};
            assert_true(str_u64(s, UINT64_MAX, &back));
            assert_int_equal(back, w);
        }
    }
}

static void counts_edits(void **state)
{
    static const struct {
        struct str a, b;
        unsigned distance;
    } cases[] = {
        {STR_INIT(""), STR_INIT(""), 0},
        {STR_INIT(""), STR_INIT("abc"), 3},
        {STR_INIT("abc"), STR_INIT("abc"), 0},
        {STR_INIT("abc"), STR_INIT("abd"), 1},
        {STR_INIT("abc"), STR_INIT("acb"), 1}, /* neighbours swapped */
        {STR_INIT("abc"), STR_INIT("ab"), 1},
        {STR_INIT("ab"), STR_INIT("xaby"), 2},
        {STR_INIT("ca"), STR_INIT("abc"), 3}, /* no edit inside a swapped pair */
        {STR_INIT("kitten"), STR_INIT("sitting"), 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(str_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(str_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
}

static void looks_at_64_characters_only(void **state)
{
    char a[500], b[500];

    (void)state;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    b[70] = 'b';
    assert_int_equal(str_distance((struct str){a, 500}, (struct str){b, 500}), 0);
    memset(b, 'b', sizeof b);
    assert_int_equal(str_distance((struct str){a, 500}, (struct str){b, 500}), 64);
}

static void suggests_a_near_name(void **state)
{
    static const char *const names[] = {"target_vus", "duration_ms", "think_time", "seed"};
    static const struct {
        struct str in;
        const char *near;
    } cases[] = {
        {STR_INIT("target_vu"), "target_vus"},
        {STR_INIT("targetvus"), "target_vus"},
        {STR_INIT("duration"), "duration_ms"},
        {STR_INIT("sede"), "seed"},
        {STR_INIT("think_tmie"), "think_time"},
        {STR_INIT("completely_else"), NULL},
        {STR_INIT("xyzzy"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *near = str_nearest(cases[i].in, names, 4);

        if (cases[i].near == NULL) {
            assert_null(near);
        } else {
            assert_non_null(near);
            assert_string_equal(near, cases[i].near);
        }
    }
    assert_null(str_nearest(STR("seed"), names, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trims_blanks_at_both_ends),
        cmocka_unit_test(compares_slices),
        cmocka_unit_test(reads_decimal_numbers),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(counts_edits),
        cmocka_unit_test(looks_at_64_characters_only),
        cmocka_unit_test(suggests_a_near_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
