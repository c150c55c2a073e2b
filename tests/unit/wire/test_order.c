/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "support/unit.h"
#include "support/wire_examples.h"
#include "wire/order.h"

enum { TEXT_MAX = 64 * 1024 };

static void test_each_order_comes_back_as_it_was(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < WIRE_ORDER_COUNT; kind++) {
        struct wire_order o = example_order((enum wire_order_kind)kind), back;
        struct buf text, again;

        buf_init(&text, TEXT_MAX);
        buf_init(&again, TEXT_MAX);
        assert_int_equal(wire_order_encode(&o, &text), 0);
        assert_int_equal(wire_order_decode(buf_str(&text), &back, NULL), 0);
        assert_int_equal(back.kind, kind);
        assert_int_equal(wire_order_encode(&back, &again), 0);
        assert_string_equal(buf_c(&text), buf_c(&again));
        wire_order_clear(&o);
        wire_order_clear(&back);
        buf_clear(&text);
        buf_clear(&again);
    }
}

static void test_an_assignment_arrives_whole(void **state)
{
    struct wire_order o = example_order(WIRE_ORDER_ASSIGN), back;
    json_t *object = wire_order_to_json(&o);

    (void)state;
    assert_int_equal(wire_order_from_json(object, &back, NULL), 0);
    json_decref(object); /* the order has its own share of the scenario */
    assert_string_equal(back.run_id, o.run_id);
    assert_string_equal(back.execution_id, o.execution_id);
    assert_string_equal(back.worker_id, o.worker_id);
    assert_true(json_equal(back.scenario, o.scenario));
    assert_true(json_equal(back.feeds, o.feeds));
    assert_true(json_equal(back.files, o.files));
    assert_int_equal(back.n, 1);
    assert_int_equal(back.seed, 42);
    assert_int_equal(back.base, 1);
    assert_int_equal(back.shards, 2);
    assert_int_equal(back.total, 3);
    assert_int_equal(back.weights.count, 3);
    assert_memory_equal(back.weights.items, o.weights.items, 3 * sizeof(uint32_t));
    assert_true(back.log);
    assert_int_equal(back.network, WIRE_NETWORK_PUBLIC);
    wire_order_clear(&o);
    wire_order_clear(&back);
}

/* Each member of each order, but for those that need not be there. */
static void test_each_member_that_is_missing_or_wrong_is_named(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < WIRE_ORDER_COUNT; kind++) {
        struct wire_order o = example_order((enum wire_order_kind)kind), back;
        json_t *object = wire_order_to_json(&o), *value;
        const char *key;

        json_object_foreach(object, key, value)
        {
            bool optional = strcmp(key, "weights") == 0 || strcmp(key, "feeds") == 0 ||
                            strcmp(key, "files") == 0;
            json_t *other = json_copy(object);
            struct err err = {0};

            json_object_del(other, key);
            int rc = wire_order_from_json(other, &back, &err);
            assert_int_equal(rc, optional ? 0 : ERR_INVALID);
            assert_true(optional || strstr(err.msg, key) != NULL);
            wire_order_clear(&back);
            json_object_set_new(other, key, json_pack("[b]", 1));
            assert_int_equal(wire_order_from_json(other, &back, &err), ERR_INVALID);
            assert_non_null(strstr(err.msg, key));
            json_decref(other);
        }
        json_decref(object);
        wire_order_clear(&o);
    }
}

static const struct refused {
    enum wire_order_kind kind;
    const char *member;
    const char *value;
    int code;
    const char *message;
} refused[] = {
    {WIRE_ORDER_STOP, "order", "\"dance\"", ERR_UNSUPPORTED,
     "order: \"dance\" is no order that this version knows"},
    {WIRE_ORDER_STOP, "n", "0", ERR_INVALID,
     "order stop: \"n\" is not an integer of 1 .. 9223372036854775807"},
    {WIRE_ORDER_STOP, "run_id", "\"../x\"", ERR_INVALID, "order stop: \"run_id\" is not an id"},
    {WIRE_ORDER_STAGE, "end_ns", "1", ERR_INVALID,
     "order stage: \"end_ns\" is before \"start_ns\""},
    {WIRE_ORDER_ASSIGN, "base", "2", ERR_INVALID, "order assign: \"shards\" goes beyond \"total\""},
    {WIRE_ORDER_ASSIGN, "weights", "[1,1]", ERR_INVALID,
     "order assign: \"weights\" are not those of \"total\""},
    {WIRE_ORDER_ASSIGN, "weights", "[1,0,1]", ERR_INVALID,
     "order assign: \"weights\" is not an integer of 1 .. 10000"},
    {WIRE_ORDER_ASSIGN, "network", "\"any\"", ERR_INVALID,
     "order assign: \"network\" is not a word that is known there"},
};

static void test_what_cannot_be_carried_out_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct wire_order o = example_order(refused[i].kind), back;
        json_t *object = wire_order_to_json(&o), *value = NULL;
        struct err err = {0};

        assert_int_equal(json_parse(str_c(refused[i].value), 100, &value, NULL), 0);
        json_object_set_new(object, refused[i].member, value);
        assert_int_equal(wire_order_from_json(object, &back, &err), refused[i].code);
        assert_string_equal(err.msg, refused[i].message);
        assert_null(back.scenario);
        assert_null(back.weights.items);
        json_decref(object);
        wire_order_clear(&o);
    }
    struct wire_order back;
    assert_int_equal(wire_order_decode(STR("[]"), &back, NULL), ERR_INVALID);
    assert_int_equal(wire_order_decode(STR("{"), &back, NULL), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_order_comes_back_as_it_was),
        cmocka_unit_test(test_an_assignment_arrives_whole),
        cmocka_unit_test(test_each_member_that_is_missing_or_wrong_is_named),
        cmocka_unit_test(test_what_cannot_be_carried_out_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
