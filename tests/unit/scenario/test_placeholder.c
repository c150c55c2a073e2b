/* SPDX-License-Identifier: MIT */
#include "scenario/placeholder.h"
#include "support/unit.h"

static const struct {
    const char *text;
    bool braces;
    const char *expected; /* kind number and text of each part */
} cases[] = {
    {"", false, ""},
    {"plain $ { } text", true, "0(plain $ { } text)"},
    {"a${run_id}b", false, "0(a)3(${run_id})0(b)"},
    {"${execution_id}${scenario_id}${stage_id}", false,
     "4(${execution_id})5(${scenario_id})6(${stage_id})"},
    {"${worker_id}${vu_id}${op_seq}", false, "7(${worker_id})8(${vu_id})9(${op_seq})"},
    {"{{run_id}}-{{.RunID}}", true, "3({{run_id}})0(-)3({{.RunID}})"},
    {"{{run_id}}", false, "0({{run_id}})"},
    {"$${run_id}", false, "0(${)0(run_id})"},
    {"x${oops}", false, "0(x)1(${oops})"},
    {"${payload:big}", false, "2(${payload:big})"},
    {"${open", false, "0(${open)"},
    {"{\"m\":\"${\"}", false, "0({\"m\":\"${\"})"},
    {"{\"m\":\"${vu_id}\"}", false, "0({\"m\":\")8(${vu_id})0(\"})"},
    {"$$", false, "0($$)"},
    {"${${run_id}", false, "0(${)3(${run_id})"},
};

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
            at += (size_t)snprintf(found + at, sizeof found - at, "%d(%.*s)", (int)parts[k].kind,
                                   STR_ARG(parts[k].text));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_more_than_room),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
