/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "support/unit.h"
#include "wire/pack.h"

enum { OUT_MAX = 4096 };

static const uint64_t numbers[] = {0,
                                   1,
                                   127,
                                   128,
                                   16383,
                                   16384,
                                   UINT32_MAX,
                                   UINT64_C(1) << 35,
                                   INT64_MAX,
                                   UINT64_MAX,
                                   UINT64_C(1) << 63};
static const size_t sizes[] = {1, 1, 1, 2, 2, 3, 5, 6, 9, 10, 10};
enum { NUMBER_COUNT = sizeof numbers / sizeof numbers[0] };

static void test_numbers_come_back(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX);
    struct packer p = pack_begin(&out);
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        size_t before = out.len;

        pack_varint(&p, numbers[i]);
        assert_int_equal(out.len - before, sizes[i]);
        pack_signed(&p, (int64_t)numbers[i]);
        pack_fixed(&p, numbers[i]);
        pack_double(&p, (double)numbers[i] / 3);
    }
    pack_text(&p, STR("text"));
    assert_int_equal(pack_end(&p), 0);
    struct unpacker u = unpack_begin(buf_str(&out));
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        double third = (double)numbers[i] / 3, found;

        assert_true(unpack_varint(&u) == numbers[i]);
        assert_true(unpack_signed(&u) == (int64_t)numbers[i]);
        assert_true(unpack_fixed(&u) == numbers[i]);
        found = unpack_double(&u);
        assert_memory_equal(&found, &third, sizeof third);
    }
    assert_true(str_eq(unpack_text(&u, 4), STR("text")));
    assert_int_equal(unpack_end(&u, "it", NULL), 0);
    buf_clear(&out);
}

static void test_small_numbers_are_small_whatever_their_sign(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX);
    struct packer p = pack_begin(&out);
    for (int i = -64; i < 64; i++) {
        pack_signed(&p, i);
    }
    assert_int_equal(out.len, 128);
    buf_clear(&out);
}

static const struct refused {
    const char *bytes;
    size_t len;
    const char *text;
} refused[] = {
    {"", 0, "it: it is cut off"},
    {"\x80", 1, "it: it is cut off"},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, "it: it is cut off"},
    {"\x80\0x", 3, "it: a number that is none"}, /* 0 in two bytes */
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02x", 11, "it: a number that is none"}, /* 2^64 */
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "it: a number that is none"},
    {"\x01\x01", 2, "it: bytes behind its end"},
};

static void test_each_number_has_one_encoding(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct unpacker u = unpack_begin((struct str){refused[i].bytes, refused[i].len});
        struct err err;

        unpack_varint(&u);
        assert_int_equal(unpack_end(&u, "it", &err), ERR_SYNTAX);
        assert_string_equal(err.msg, refused[i].text);
    }
}

static void test_the_first_problem_stays(void **state)
{
    struct unpacker u = unpack_begin(STR("\x05zz"));
    struct err err;

    (void)state;
    assert_int_equal(unpack_max(&u, 4, "too large"), 0);
    assert_int_equal(unpack_varint(&u), 0);
    assert_int_equal(unpack_fixed(&u), 0);
    assert_int_equal(unpack_text(&u, 100).len, 0);
    assert_int_equal(unpack_end(&u, "it", &err), ERR_SYNTAX);
    assert_string_equal(err.msg, "it: too large");
}

static void test_a_text_is_no_longer_than_its_maximum_and_the_input(void **state)
{
    struct unpacker u = unpack_begin(STR("\x03"
                                         "abc")),
                    v = unpack_begin(STR("\x03"
                                         "ab"));

    (void)state;
    assert_int_equal(unpack_text(&u, 2).len, 0);
    assert_string_equal(u.problem, "a text that is too long");
    assert_int_equal(unpack_text(&v, 3).len, 0);
    assert_string_equal(v.problem, "it is cut off");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_come_back),
        cmocka_unit_test(test_small_numbers_are_small_whatever_their_sign),
        cmocka_unit_test(test_each_number_has_one_encoding),
        cmocka_unit_test(test_the_first_problem_stays),
        cmocka_unit_test(test_a_text_is_no_longer_than_its_maximum_and_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
