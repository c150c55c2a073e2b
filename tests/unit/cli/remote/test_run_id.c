/* SPDX-License-Identifier: MIT */
#include "cli/remote/run_id.h"
#include "support/unit.h"

static void test_words(void **state)
{
    static const struct {
        const char *word;
        enum run_word kind;
    } cases[] = {
        {"last", RUN_WORD_LAST},
        {"run_18ea4bd1a75e64f10001", RUN_WORD_WHOLE},
        {"18ea4bd1a75e64f10001", RUN_WORD_PREFIX},
        {"run_18ea4bd1a75e64f1", RUN_WORD_PREFIX}, /* an id of others may be as short */
        {"run_1", RUN_WORD_PREFIX},
        {"a", RUN_WORD_PREFIX},
        {"run_18ea4bd1a75e64f100012", RUN_WORD_PREFIX},
        {"run_", RUN_WORD_WRONG},
        {"", RUN_WORD_WRONG},
        {"Last", RUN_WORD_WRONG},
        {"run_1/../x", RUN_WORD_WRONG},
        {"run_18EA", RUN_WORD_WRONG},
        {"x&y", RUN_WORD_WRONG},
        {"run_00000000000000000000000000000000000000000000000000000000000000001", RUN_WORD_WRONG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(run_id_word(str_c(cases[i].word)), cases[i].kind);
    }
}

static const char *const lists[] = {
    "[{\"run_id\":\"run_3bbb0000000000000003\"},{\"run_id\":\"run_2bbb0000000000000002\"},"
    "{\"run_id\":\"run_1aaa0000000000000001\"},{\"run_id\":\"run_1aab0000000000000001\"},"
    "{\"run_id\":\"run_1aab00000000000000010\"}]",
    "[{\"run_id\":7},{},{\"run_id\":\"exe_1\"},1]",
    ("[{\"run_id\":\"run_10\"},{\"run_id\":\"run_11\"},{\"run_id\":\"run_12\"},{\"run_id\":"
     "\"run_13\"}]"),
};

static void test_pick(void **state)
{
    static const struct {
        unsigned list;
        const char *word;
        int rc;
        const char *is; /* the id, or a part of the text */
    } cases[] = {
        {0, "last", 0, "run_3bbb0000000000000003"},
        {0, "run_2", 0, "run_2bbb0000000000000002"},
        {0, "3b", 0, "run_3bbb0000000000000003"},
        {0, "1aaa", 0, "run_1aaa0000000000000001"},
        {0, "run_1aab0000000000000001", 0, "run_1aab0000000000000001"}, /* whole, and a beginning */
        {0, "1aa", ERR_USAGE,
         "3 runs begin with \"1aa\": run_1aaa0000000000000001, run_1aab0000000000000001, "
         "run_1aab00000000000000010"},
        {0, "4", ERR_NOT_FOUND, "no run begins with \"4\""},
        {1, "last", ERR_NOT_FOUND, "there is no run yet"},
        {1, "1", ERR_NOT_FOUND, "no run begins"},
        {2, "1", ERR_USAGE, "4 runs begin with \"1\": run_10, run_11, run_12 …"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char id[RUN_ID_MAX + 1] = "";
        struct err err = {0};
        json_t *runs = NULL;

        assert_int_equal(json_parse(str_c(lists[cases[i].list]), 4096, &runs, NULL), 0);
        assert_int_equal(run_id_pick(runs, str_c(cases[i].word), id, &err), cases[i].rc);
        if (cases[i].rc == 0) {
            assert_string_equal(id, cases[i].is);
        } else if (strstr(err.msg, cases[i].is) == NULL) {
            fail_msg("%s: %s", cases[i].word, err.msg);
        }
        json_decref(runs);
    }
    assert_int_equal(run_id_pick(NULL, STR("last"), (char[RUN_ID_MAX + 1]){0}, NULL),
                     ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_pick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
