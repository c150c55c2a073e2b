/* SPDX-License-Identifier: MIT */
#include "store/record.h"
#include "support/unit.h"

static void records_come_back_as_they_were(void **state)
{
    struct record a = {.kind = WRITE_ADD_EVENT,
                       .count = 4,
                       .values = {value_text(STR("run")), value_number(INT64_MAX),
                                  value_text((struct str){NULL, 0}), value_blob(STR("a\0b"))}};
    struct record b = {.kind = WRITE_DELETE_RUN, .count = 1, .values = {value_text(STR(""))}};
    struct record out;
    struct buf group;

    (void)state;
    buf_init(&group, 4096);
    assert_int_equal(record_add(&group, &a), 0);
    assert_int_equal(record_add(&group, &b), 0);
    struct str rest = buf_str(&group);

    assert_true(record_next(&rest, &out));
    assert_int_equal(out.kind, WRITE_ADD_EVENT);
    assert_int_equal(out.count, 4);
    assert_true(str_eq(out.values[0].bytes, STR("run")));
    assert_int_equal(out.values[0].type, VALUE_TEXT);
    assert_int_equal(out.values[1].type, VALUE_NUMBER);
    assert_true(out.values[1].number == INT64_MAX);
    assert_int_equal(out.values[2].type, VALUE_NULL);
    assert_int_equal(out.values[3].type, VALUE_BLOB);
    assert_true(str_eq(out.values[3].bytes, STR("a\0b")));
    assert_true(record_next(&rest, &out));
    assert_int_equal(out.kind, WRITE_DELETE_RUN);
    assert_int_equal(out.values[0].type, VALUE_TEXT); /* empty is not NULL */
    assert_int_equal(out.values[0].bytes.len, 0);
    assert_false(record_next(&rest, &out));
    buf_clear(&group);
}

static void what_does_not_fit_leaves_no_trace(void **state)
{
    char text[200];
    struct record small = {.kind = WRITE_DELETE_RUN, .count = 1, .values = {value_text(STR("r"))}};
    struct record large = {
        .kind = WRITE_ADD_SAMPLE,
        .count = 2,
        .values = {value_text(STR("r")), value_text((struct str){text, sizeof text})}};
    struct record out;
    struct buf group;

    (void)state;
    memset(text, 'x', sizeof text);
    buf_init(&group, 128);
    assert_int_equal(record_add(&group, &small), 0);
    assert_int_equal(record_add(&group, &large), ERR_LIMIT);
    struct str rest = buf_str(&group);

    assert_true(record_next(&rest, &out));
    assert_false(record_next(&rest, &out));
    buf_clear(&group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_as_they_were),
        cmocka_unit_test(what_does_not_fit_leaves_no_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
