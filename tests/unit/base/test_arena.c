/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "support/unit.h"

#include <stdalign.h>

static void hands_out_zeroed_aligned_memory(void **state)
{
    struct arena a = {0};
    unsigned char *last[200];

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        size_t size = i * 37 % 1000;

        last[i] = arena_alloc(&a, size);
        assert_non_null(last[i]);
        assert_int_equal((uintptr_t)last[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(last[i][k], 0);
        }
        memset(last[i], (int)i, size);
    }
    /* Nobody's bytes were given to another one. */
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < i * 37 % 1000; k++) {
            assert_int_equal(last[i][k], (unsigned char)i);
        }
    }
    arena_clear(&a);
    assert_int_equal(a.total_bytes, 0);
}

static void serves_objects_larger_than_a_chunk(void **state)
{
    struct arena a = {0};

    (void)state;
    arena_alloc(&a, 10);
    char *big = arena_alloc(&a, 10 * 1024 * 1024);
    memset(big, 1, 10 * 1024 * 1024);
    char *small = arena_array(&a, 3, 5);
    memset(small, 2, 15);
    assert_int_equal(big[10 * 1024 * 1024 - 1], 1);
    arena_clear(&a);
}

static void copies_texts(void **state)
{
    struct arena a = {0};

    (void)state;
    assert_string_equal(arena_strdup(&a, "abc"), "abc");
    assert_string_equal(arena_copy(&a, (struct str){"abcdef", 3}), "abc");
    assert_string_equal(arena_copy(&a, (struct str){NULL, 0}), "");
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    arena_clear(&a);
    arena_clear(&a); /* an empty one, too */
    assert_string_equal(arena_strdup(&a, "again"), "again");
    arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_zeroed_aligned_memory),
        cmocka_unit_test(serves_objects_larger_than_a_chunk),
        cmocka_unit_test(copies_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
