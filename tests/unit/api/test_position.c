/* SPDX-License-Identifier: MIT */
#include "api/position.h"
#include "api/routes.h"
#include "support/unit.h"
#include "unit/api/fake_hub.h"

static void test_ids(void **state)
{
    static const char *const good[] = {"evt_01234567", "evt_0123456789abcdef0123"};
    static const char *const bad[] = {
        "",    "evt_",        "evt_0123456", "evt_0123456G", "EVT_01234567", "evt_01234567 ",
        "foo", "run_01234567"};
    char longest[4 + 66];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(position_is_event_id(str_c(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(position_is_event_id(str_c(bad[i])));
    }
    memset(longest, '0', sizeof longest);
    memcpy(longest, "evt_", 4);
    assert_true(position_is_event_id((struct str){longest, 4 + 64}));
    assert_false(position_is_event_id((struct str){longest, 4 + 65}));
    assert_true(4 + 64 < POSITION_ID_MAX);
}

static void test_types(void **state)
{
    json_t *warnings = NULL;
    struct position_types all = position_types(NULL, &warnings);
    struct position_types two = position_types("DECISION, STATE_TRANSITION,,", &warnings);

    (void)state;
    assert_null(warnings);
    assert_true(position_wants(&all, "DECISION"));
    assert_true(position_wants(&all, "SOMETHING_NEW"));
    assert_true(position_wants(&two, "DECISION"));
    assert_true(position_wants(&two, "STATE_TRANSITION"));
    assert_false(position_wants(&two, "STAGE_STARTED"));
    assert_false(position_wants(&two, "SOMETHING_NEW"));
    struct position_types none = position_types("STATE_TRANSITON,decision", &warnings);
    assert_false(position_wants(&none, "STATE_TRANSITION"));
    assert_string_equal(
        json_string_value(json_array_get(warnings, 0)),
        "types: no event is called \"STATE_TRANSITON\"; did you mean \"STATE_TRANSITION\"?");
    assert_int_equal(json_array_size(warnings), 2);
    json_decref(warnings);
}

/* Each name has a bit of its own. */
static void test_every_type(void **state)
{
    uint64_t bits = 0;
    size_t i = 0;

    (void)state;
    for (; api_event_types[i] != NULL; i++) {
        json_t *warnings = NULL;
        struct position_types one = position_types(api_event_types[i], &warnings);

        assert_null(warnings);
        assert_true(position_wants(&one, api_event_types[i]));
        assert_int_equal(bits & one.bits, 0);
        bits |= one.bits;
    }
    assert_true(i > 20 && i <= POSITION_TYPES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_every_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
