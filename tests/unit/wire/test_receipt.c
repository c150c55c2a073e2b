/* SPDX-License-Identifier: MIT */
#include "support/unit.h"
#include "wire/receipt.h"

#include <stdio.h>

enum { TEXT_MAX = 1024 * 1024 };

static struct wire_receipt r, back;

static void test_a_run_has_one_row(void **state)
{
    struct buf text;

    (void)state;
    memset(&r, 0, sizeof r);
    buf_init(&text, TEXT_MAX);
    assert_true(wire_receipt_ack(&r, "run_a", 7));
    assert_true(wire_receipt_ack(&r, "run_b", 1));
    assert_true(wire_receipt_ack(&r, "run_a", 8));
    assert_true(wire_receipt_refuse(&r, "run_c", "it is over"));
    assert_true(wire_receipt_refuse(&r, "run_c", "it is over"));
    assert_int_equal(wire_receipt_encode(&r, &text), 0);
    assert_string_equal(
        buf_c(&text),
        "{\"acked\":[{\"run_id\":\"run_a\",\"seq\":8},{\"run_id\":\"run_b\",\"seq\":1}],"
        "\"refused\":[{\"run_id\":\"run_c\",\"reason\":\"it is over\"}]}");
    assert_int_equal(wire_receipt_decode(buf_str(&text), &back, NULL, NULL), 0);
    assert_memory_equal(&r, &back, sizeof r);
    buf_clear(&text);
}

/* What finds no room is sent again; it is never told as kept. */
static void test_a_full_one_takes_no_more_runs(void **state)
{
    struct buf text;
    char id[16];

    (void)state;
    memset(&r, 0, sizeof r);
    buf_init(&text, TEXT_MAX);
    for (unsigned i = 0; i < WIRE_RECEIPT_RUNS_MAX; i++) {
        snprintf(id, sizeof id, "run_%u", i);
        assert_true(wire_receipt_ack(&r, id, i + 1));
        assert_true(wire_receipt_refuse(&r, id, "unknown"));
    }
    assert_false(wire_receipt_ack(&r, "run_more", 1));
    assert_false(wire_receipt_refuse(&r, "run_more", "unknown"));
    assert_true(wire_receipt_ack(&r, "run_0", 2));
    assert_int_equal(wire_receipt_encode(&r, &text), 0);
    assert_int_equal(wire_receipt_decode(buf_str(&text), &back, NULL, NULL), 0);
    assert_memory_equal(&r, &back, sizeof r);
    buf_clear(&text);
}

static void test_what_is_no_receipt_is_refused(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(wire_receipt_decode(STR("{\"acked\":[{\"run_id\":\"a b\",\"seq\":1}],"
                                             "\"refused\":[]}"),
                                         &back, NULL, &err),
                     ERR_INVALID);
    assert_string_equal(err.msg, "acked: \"run_id\" is not an id");
    assert_int_equal(wire_receipt_decode(STR("{\"acked\":[{\"run_id\":\"a\",\"seq\":-1}],"
                                             "\"refused\":[]}"),
                                         &back, NULL, &err),
                     ERR_INVALID);
    assert_int_equal(wire_receipt_decode(STR("{\"acked\":[]}"), &back, NULL, &err), ERR_INVALID);
    assert_string_equal(err.msg, "receipt: \"refused\" is missing");
    assert_int_equal(back.acked_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_has_one_row),
        cmocka_unit_test(test_a_full_one_takes_no_more_runs),
        cmocka_unit_test(test_what_is_no_receipt_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
