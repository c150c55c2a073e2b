/* SPDX-License-Identifier: MIT */
#include "report/text/text.h"
#include "support/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void test_numbers(void **state)
{
    char out[TEXT_NUMBER_MAX];

    (void)state;
    assert_string_equal(text_count(0, out), "0");
    assert_string_equal(text_count(999, out), "999");
    assert_string_equal(text_count(1204000, out), "1,204,000");
    assert_string_equal(text_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
    assert_string_equal(text_time(0, out), "0.00 µs");
    assert_string_equal(text_time(940, out), "0.94 µs");
    assert_string_equal(text_time(250000, out), "250 µs");
    assert_string_equal(text_time(999499, out), "999 µs");
    assert_string_equal(text_time(999500, out), "1.00 ms");
    assert_string_equal(text_time(12345678, out), "12.3 ms");
    assert_string_equal(text_time(UINT64_C(999600000), out), "1.00 s");
    assert_string_equal(text_time(UINT64_C(10000000000), out), "10.0 s");
    assert_string_equal(text_percent(0, out), "0 %");
    assert_string_equal(text_percent(1e-7, out), "< 0.01 %");
    assert_string_equal(text_percent(0.0042, out), "0.42 %");
    assert_string_equal(text_percent(0.99999, out), "> 99.99 %");
    assert_string_equal(text_percent(0.9996, out), "99.96 %");
    assert_string_equal(text_percent(1, out), "100 %");
    assert_string_equal(text_rate(9.854, out), "9.85/s");
    assert_string_equal(text_rate(20066.66, out), "20,067/s");
    assert_string_equal(text_bytes(999, out), "999 B");
    assert_string_equal(text_bytes(1234567, out), "1.23 MB");
    assert_string_equal(text_clock(UINT64_C(12399999999), out), "12.3 s");
    assert_string_equal(text_clock(UINT64_C(185000000000), out), "3:05 min");
    assert_string_equal(text_clock(UINT64_C(3723000000000), out), "1:02:03 h");
    assert_string_equal(text_timestamp(UINT64_C(1767225600250), out), "2026-01-01T00:00:00.250Z");
}

static void test_padding_counts_characters(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(text_width(STR("µs")), 2);
    text_add_left(&out, STR("µs"), 4);
    buf_add_c(&out, "|");
    text_add_right(&out, STR("µs"), 40);
    buf_add_c(&out, "|");
    text_add_right(&out, STR("longer"), 3);
    assert_string_equal(buf_c(&out), "µs  |                                      µs|longer");
    buf_clear(&out);
}

static void test_foreign_text(void **state)
{
    static const struct {
        struct str in;
        size_t columns;
        const char *want;
    } cases[] = {
        {STR_INIT("plain"), 10, "plain"},
        {STR_INIT("a\x1b[31mred\r\nb\x7f"), 40, "a [31mred  b "},
        {STR_INIT("C1: \xc2\x9b!"), 40, "C1:  !"},
        {STR_INIT("\xe2\x80\xae"
                  "abc\xe2\x81\xa6 \xe2\x80\xa6 \xe2\x80\x8f"),
         40, " abc  …  "},
        {STR_INIT("\xff\xc0\xaf\xed\xa0\x80"), 40, "������"},
        {STR_INIT("\xf0\x9f\x98\x80 ok"), 40, "😀 ok"},
        {STR_INIT("cut\xe2\x82"), 40, "cut��"},
        {STR_INIT("eight characters"), 6, "eight…"},
        {STR_INIT("a\0b"), 6, "a b"},
        {STR_INIT(""), 6, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;

        buf_init(&out, 1000);
        assert_int_equal(text_add_safe(&out, cases[i].in, cases[i].columns), 0);
        assert_string_equal(buf_c(&out), cases[i].want);
        buf_clear(&out);
    }
}

static void test_cut_in_the_middle(void **state)
{
    static const struct {
        struct str in;
        size_t columns;
        const char *want;
    } cases[] = {
        {STR_INIT("operation_mix[12]"), 17, "operation_mix[12]"},
        {STR_INIT("operation_mix[12]"), 16, "operatio…mix[12]"},
        {STR_INIT("operation_mix[12]"), 5, "op…2]"},
        {STR_INIT("operation_mix[12]"), 1, "…"},
        {STR_INIT("operation_mix[12]"), 0, "…"},
        {STR_INIT("äöüß😀x\x1b\xe2\x82y"), 5, "äö…��y"},
        {STR_INIT(""), 3, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;

        buf_init(&out, 1000);
        assert_int_equal(text_add_middle(&out, cases[i].in, cases[i].columns), 0);
        assert_string_equal(buf_c(&out), cases[i].want);
        buf_clear(&out);
    }
}

static void test_ascii(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    buf_add_c(&out, "12 µs · ≥ 3 … 😀 ▁█ \xff é");
    text_to_ascii(&out);
    assert_string_equal(buf_c(&out), "12 us - > 3 ~ ? _# ? ?");
    buf_clear(&out);
}

static void test_style_of_a_file(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    assert_non_null(f);
    setenv("LC_ALL", "C.UTF-8", 1);
    struct text_style style = text_style_of(fileno(f));
    assert_false(style.terminal);
    assert_false(style.colour);
    assert_true(style.utf8);
    setenv("LC_ALL", "C", 1);
    assert_false(text_style_of(fileno(f)).utf8);
    fclose(f);
}

/* A window of twenty columns is no reason to write lines of a hundred. */
static void test_style_of_a_narrow_terminal(void **state)
{
    struct winsize size = {.ws_row = 10, .ws_col = 20};
    char name[64];

    (void)state;
    int control = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(control >= 0);
    assert_int_equal(grantpt(control), 0);
    assert_int_equal(unlockpt(control), 0);
    assert_int_equal(ptsname_r(control, name, sizeof name), 0);
    int terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal >= 0);
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
    setenv("TERM", "xterm", 1);
    struct text_style style = text_style_of(terminal);
    assert_true(style.terminal);
    assert_int_equal(style.columns, 20);
    setenv("TERM", "dumb", 1);
    assert_false(text_style_of(terminal).terminal);
    close(terminal);
    close(control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_padding_counts_characters),
        cmocka_unit_test(test_foreign_text),
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_cut_in_the_middle),
        cmocka_unit_test(test_style_of_a_file),
        cmocka_unit_test(test_style_of_a_narrow_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
