/* SPDX-License-Identifier: MIT */
#include "plan/rows.h"
#include "support/unit.h"

enum { ROWS_MAX = 40, USERS_MAX = 25 };

/* Until all rows have been used the order is that of the ordinals. */
static void rows_come_in_order(void **state)
{
    (void)state;
    for (uint64_t count = 1; count <= ROWS_MAX; count++) {
        for (uint32_t users = 0; users <= USERS_MAX; users++) {
            struct rows r = rows_make(count, users, false);

            for (uint64_t i = 0; i < r.lap; i++) {
                assert_int_equal(rows_of_user(&r, i), i % count);
            }
            for (uint64_t i = 0; i < 3 * count; i++) {
                assert_int_equal(rows_of_arrival(&r, i), i % count);
            }
        }
    }
    struct rows r = rows_make(10, 10, false);
    assert_int_equal(rows_of_user(&r, 0), 0);
    assert_int_equal(rows_of_user(&r, 10), 1);
    assert_int_equal(rows_of_user(&r, 99), 8);
}

/* All rows, each once, within as many operations of a user as the feed has rows: whether all users
 * of the plan play or one does. */
static void each_user_comes_to_all_rows(void **state)
{
    (void)state;
    for (uint64_t count = 1; count <= ROWS_MAX; count++) {
        for (uint32_t users = 1; users <= USERS_MAX; users++) {
            struct rows r = rows_make(count, users, false);

            for (uint32_t user = 0; user < users; user++) {
                unsigned seen[ROWS_MAX] = {0};

                for (uint64_t n = 0; n < count; n++) {
                    seen[rows_of_user(&r, n * users + user)]++;
                }
                for (uint64_t row = 0; row < count; row++) {
                    assert_int_equal(seen[row], 1);
                }
            }
        }
    }
}

static void every_row_is_used_alike(void **state)
{
    (void)state;
    for (uint64_t count = 1; count <= ROWS_MAX; count++) {
        for (uint32_t users = 1; users <= USERS_MAX; users++) {
            struct rows r = rows_make(count, users, true);
            unsigned seen[ROWS_MAX] = {0};

            for (uint64_t i = 0; i < count * r.lap; i++) {
                seen[rows_of_user(&r, i)]++;
            }
            for (uint64_t row = 0; row < count; row++) {
                assert_int_equal(seen[row], r.lap);
            }
        }
    }
}

/* Users and arrivals share no row until one of them has had half of them. */
static void both_models_meet_after_half_of_the_rows(void **state)
{
    (void)state;
    for (uint64_t count = 2; count <= ROWS_MAX; count++) {
        struct rows r = rows_make(count, 1, true);
        unsigned users[ROWS_MAX] = {0}, arrivals[ROWS_MAX] = {0};

        for (uint64_t i = 0; i < count / 2; i++) {
            users[rows_of_user(&r, i)]++;
            arrivals[rows_of_arrival(&r, i)]++;
        }
        for (uint64_t row = 0; row < count; row++) {
            assert_in_range(users[row] + arrivals[row], 0, 1);
        }
        for (uint64_t i = count / 2; i < count; i++) {
            users[rows_of_user(&r, i)]++;
            arrivals[rows_of_arrival(&r, i)]++;
        }
        for (uint64_t row = 0; row < count; row++) {
            assert_int_equal(users[row], 1);
            assert_int_equal(arrivals[row], 1);
        }
    }
}

static void large_numbers_do_not_overflow(void **state)
{
    struct rows r = rows_make(10000000, UINT32_MAX, true);

    (void)state;
    assert_in_range(rows_of_user(&r, UINT64_MAX), 0, 9999999);
    assert_in_range(rows_of_arrival(&r, UINT64_MAX), 0, 9999999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_order),
        cmocka_unit_test(each_user_comes_to_all_rows),
        cmocka_unit_test(every_row_is_used_alike),
        cmocka_unit_test(both_models_meet_after_half_of_the_rows),
        cmocka_unit_test(large_numbers_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
