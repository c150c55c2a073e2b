/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/err.h"
#include "support/unit.h"

static void grows_up_to_its_maximum(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf_add(&b, "x", 1), 0);
    }
    assert_int_equal(buf_add(&b, "x", 1), ERR_LIMIT);
    assert_int_equal(buf_reserve(&b, 1), ERR_LIMIT);
    assert_int_equal(buf_reserve(&b, 0), 0);
    assert_int_equal(b.len, 1000);
    assert_int_equal(strlen(buf_c(&b)), 1000); /* the NUL has its place beyond the maximum */
    buf_clear(&b);
    assert_int_equal(b.max, 1000);
    assert_int_equal(buf_add_c(&b, "again"), 0);
    buf_clear(&b);
}

static void takes_all_or_nothing(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    assert_int_equal(buf_add_c(&b, "12345"), 0);
    assert_int_equal(buf_add_c(&b, "6789"), ERR_LIMIT);
    assert_int_equal(buf_printf(&b, "%d", 6789), ERR_LIMIT);
    assert_string_equal(buf_c(&b), "12345");
    assert_int_equal(buf_printf(&b, "%03d", 7), 0); /* exactly full */
    assert_string_equal(buf_c(&b), "12345007");
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    assert_int_equal(buf_add(&b, "x", SIZE_MAX), ERR_LIMIT);
    buf_clear(&b);
}

static void drops_from_the_front(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_add_c(&b, "hello world");
    buf_consume(&b, 0);
    buf_consume(&b, 6);
    assert_string_equal(buf_c(&b), "world");
    buf_consume(&b, 5);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_c(&b), "");
    buf_clear(&b);
}

static void is_a_text_when_empty(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    assert_string_equal(buf_c(&b), "");
    assert_int_equal(buf_add_c(&b, "x"), ERR_LIMIT);
    assert_int_equal(buf_add_c(&b, ""), 0);
    buf_clear(&b);
}

static void has_room_without_bound_if_asked(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, SIZE_MAX / 2);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(buf_printf(&b, "%d,", i), 0);
    }
    assert_int_equal(b.len, 290);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_up_to_its_maximum),
        cmocka_unit_test(takes_all_or_nothing),
        cmocka_unit_test(drops_from_the_front),
        cmocka_unit_test(is_a_text_when_empty),
        cmocka_unit_test(has_room_without_bound_if_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
