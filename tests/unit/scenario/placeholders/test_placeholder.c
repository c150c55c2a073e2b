/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "scenario/placeholders/placeholder.h"
#include "support/unit.h"

static const struct {
    const char *text;
    bool braces;
    const char *expected; /* name, text and, in brackets, argument of each part */
} cases[] = {
    {"", false, ""},
    {"plain $ { } text", true, "literal(plain $ { } text)"},
    {"a${run_id}b", false, "literal(a)run_id(${run_id})literal(b)"},
    {"${execution_id}${scenario_id}${stage_id}", false,
     "execution_id(${execution_id})scenario_id(${scenario_id})stage_id(${stage_id})"},
    {"${worker_id}${vu_id}${op_seq}", false,
     "worker_id(${worker_id})vu_id(${vu_id})op_seq(${op_seq})"},
    {"{{run_id}}-{{.RunID}}", true, "run_id({{run_id}})literal(-)run_id({{.RunID}})"},
    {"{{run_id}}", false, "literal({{run_id}})"},
    {"$${run_id}", false, "literal(${)literal(run_id})"},
    {"x${oops}", false, "literal(x)unknown(${oops})"},
    {"${open", false, "literal(${open)"},
    {"{\"m\":\"${\"}", false, "literal({\"m\":\"${\"})"},
    {"{\"m\":\"${vu_id}\"}", false, "literal({\"m\":\")vu_id(${vu_id})literal(\"})"},
    {"$$", false, "literal($$)"},
    {"${${run_id}", false, "literal(${)run_id(${run_id})"},
    {"${uuid}${timestamp_ms}${nonce}", false,
     "uuid(${uuid})timestamp_ms(${timestamp_ms})nonce(${nonce})"},
    {"${random_int:1:6}", false, "random_int(${random_int:1:6})[1:6]"},
    {"${random_int:-5:-5}", false, "random_int(${random_int:-5:-5})[-5:-5]"},
    {"${random_choice:a|b c||ä}", false, "random_choice(${random_choice:a|b c||ä})[a|b c||ä]"},
    {"${env:MY_KEY_2}", false, "env(${env:MY_KEY_2})[MY_KEY_2]"},
    {"${data:users.e.mail}", false, "data(${data:users.e.mail})[users.e.mail]"},
    {"${payload:big}", false, "payload(${payload:big})[big]"},
    /* A name alone may be anybody's text; with a colon it is meant. */
    {"${data}", false, "unknown(${data})"},
    {"${env}", false, "unknown(${env})"},
    {"${uuid:4}", false, "unknown(${uuid:4})"},
    {"${Random_int:1:2}", false, "unknown(${Random_int:1:2})"},
    {"${random_int:}", false, "malformed(${random_int:})"},
    {"${random_int:5}", false, "malformed(${random_int:5})[5]"},
    {"${random_int:5:1}", false, "malformed(${random_int:5:1})[5:1]"},
    {"${random_int:x:y}", false, "malformed(${random_int:x:y})[x:y]"},
    {"${random_int:1:2:3}", false, "malformed(${random_int:1:2:3})[1:2:3]"},
    {"${random_int:+1:2}", false, "malformed(${random_int:+1:2})[+1:2]"},
    {"${random_int:0:9223372036854775808}", false,
     "malformed(${random_int:0:9223372036854775808})[0:9223372036854775808]"},
    {"${random_choice:}", false, "malformed(${random_choice:})"},
    {"${env:}", false, "malformed(${env:})"},
    {"${env:2X}", false, "malformed(${env:2X})[2X]"},
    {"${env:A:-b}", false, "malformed(${env:A:-b})[A:-b]"},
    {"${data:users}", false, "malformed(${data:users})[users]"},
    {"${data:.x}", false, "malformed(${data:.x})[.x]"},
    {"${data:x.}", false, "malformed(${data:x.})[x.]"},
    {"${payload:}", false, "malformed(${payload:})"},
    {"${payload:x", false, "malformed(${payload:x)[x]"},
    {"${random_choice:a|\"b\"}", false, "malformed(${random_choice:a|)[a|]literal(\"b\"})"},
    {"${random_choice:a|\n}", false, "malformed(${random_choice:a|)[a|]literal(\n})"},
    {"${payload:x${uuid}", false, "malformed(${payload:x)[x]uuid(${uuid})"},
};

static const char *name_of(enum placeholder kind)
{
    static const char *const others[] = {"literal", "unknown", "malformed"};

    return kind <= PLACEHOLDER_MALFORMED ? others[kind] : placeholder_name(kind);
}

static void test_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct placeholder_part parts[8];
        char found[300] = "";
        size_t at = 0;

        size_t count = placeholder_parse(str_c(cases[i].text), cases[i].braces, parts, 8);
        assert_true(count <= 8);
        for (size_t k = 0; k < count; k++) {
            at += (size_t)snprintf(found + at, sizeof found - at, "%s(%.*s)",
                                   name_of(parts[k].kind), STR_ARG(parts[k].text));
            if (parts[k].argument.len > 0) {
                at += (size_t)snprintf(found + at, sizeof found - at, "[%.*s]",
                                       STR_ARG(parts[k].argument));
            }
        }
        assert_string_equal(found, cases[i].expected);
    }
}

static void test_more_than_room(void **state)
{
    struct placeholder_part part;

    (void)state;
    assert_int_equal(placeholder_parse(STR("a${run_id}b${vu_id}"), false, &part, 1), 4);
    assert_int_equal(part.kind, PLACEHOLDER_LITERAL);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(placeholder_name(PLACEHOLDER_OP_SEQ), "op_seq");
    assert_null(placeholder_name(PLACEHOLDER_LITERAL));
}

static void test_arguments(void **state)
{
    struct str rest = STR("a||b|"), choice;
    int64_t low, high;

    (void)state;
    assert_true(placeholder_range(STR("-9223372036854775808:9223372036854775807"), &low, &high));
    assert_true(low == INT64_MIN && high == INT64_MAX);
    assert_false(placeholder_range(STR("-9223372036854775809:0"), &low, &high));
    assert_false(placeholder_range(STR("-:0"), &low, &high));
    for (size_t i = 0; i < 4; i++) {
        assert_true(placeholder_choice(&rest, &choice));
        assert_true(str_eq(choice, str_c((const char *const[]){"a", "", "b", ""}[i])));
    }
    assert_false(placeholder_choice(&rest, &choice));
}

/* Each of them looks for an end that is not there. */
static void test_long_texts_are_linear(void **state)
{
    enum { COUNT = 1000 * 1000 };
    struct placeholder_part part;
    struct buf text;

    (void)state;
    buf_init(&text, 1 << 24);
    for (size_t i = 0; i < COUNT; i++) {
        buf_add_c(&text, "${payload:");
    }
    assert_int_equal(placeholder_parse(buf_str(&text), true, &part, 1), COUNT);
    text.len = 0;
    buf_add_c(&text, "${random_choice:");
    for (size_t i = 0; i < COUNT; i++) {
        buf_add_c(&text, "xxxxxxxxxx");
    }
    buf_add_c(&text, "}");
    assert_int_equal(placeholder_parse(buf_str(&text), true, &part, 1), 1);
    assert_int_equal(part.kind, PLACEHOLDER_RANDOM_CHOICE);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_more_than_room),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_long_texts_are_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
