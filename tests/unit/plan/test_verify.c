/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "plan/verify.h"
#include "support/unit.h"

#define ANSWER                                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":"        \
    "\"{\\\"sum\\\":5.0,\\\"ok\\\":true,\\\"list\\\":[1,2]}\"},{\"type\":\"text\",\"text\":"     \
    "\"42\"}],\"n\":7,\"big\":9007199254740993,\"neg\":-1.5,\"s\":\"hello world\",\"nil\":null," \
    "\"o\":{\"a\":1,\"b\":[true]},\"yes\":true}}"

static const struct verify_caller me = {.tag = 0xabcd, .vu = 5, .n = 80};

/* The answer in a block of its own, so that a read beyond it is seen. */
static void apply(const struct verifier *v, const char *answer, struct verify_result *out)
{
    struct str text = str_c(answer);
    char *copy = xmalloc(text.len > 0 ? text.len : 1);

    memcpy(copy, text.p, text.len);
    memset(out, 0xa5, sizeof *out);
    verifier_apply(v, (struct str){copy, text.len}, &me, out);
    xfree(copy);
}

static void run_check(struct check_config *c, const char *answer, struct verify_result *out)
{
    struct verifier *v = verifier_new(c, 1, NULL, 0, false);

    c->id = "c1";
    c->pointer = c->pointer == NULL ? "" : c->pointer;
    apply(v, answer, out);
    verifier_free(v);
}

/* ---- checks ---------------------------------------------------------------------------------- */

static void values_are_compared(void **state)
{
    static const struct {
        const char *pointer, *equals, *text; /* text NULL: they are equal */
    } cases[] = {
        {"/n", "7", NULL},
        {"/n", "7.0", NULL},
        {"/n", "8", "check 'c1': /n is 7, expected 8"},
        {"/n", "\"7\"", "check 'c1': /n is 7, expected \"7\""},
        {"/big", "9007199254740993", NULL},
        {"/big", "9007199254740992",
         "check 'c1': /big is 9007199254740993, expected "
         "9007199254740992"},
        {"/neg", "-1.5", NULL},
        {"/s", "\"hello world\"", NULL},
        {"/nil", "null", NULL},
        {"/yes", "true", NULL},
        {"/yes", "1", "check 'c1': /yes is true, expected 1"},
        {"/o", "{\"b\":[true],\"a\":1.0}", NULL},
        {"/o", "{\"b\":[true]}",
         "check 'c1': /o is {\"a\":1,\"b\":[true]}, expected {\"b\":[true]}"},
        {"/o", "{\"a\":1,\"c\":[true]}",
         "check 'c1': /o is {\"a\":1,\"b\":[true]}, expected {\"a\":1,\"c\":[true]}"},
        {"/o/b", "[true,true]", "check 'c1': /o/b is [true], expected [true,true]"},
        {"/o/b", "[false]", "check 'c1': /o/b is [true], expected [false]"},
        {"/none", "1", "check 'c1': /none is not there, expected 1"},
        {"/content/0/text/sum", "5", NULL},
        {"/content/0/text/list", "[1,2]", NULL},
        {"/content/1/text", "42", "check 'c1': /content/1/text is \"42\", expected 42"},
        {"", "{}",
         "check 'c1': the result is {\"content\":[{\"type\":\"text\",\"text\":\"{\\\"sum\\\":5.0,"
         "\\\"ok\\\":true,\\\"list\\\":[1,2]}\"…, expected {}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct check_config c = {.pointer = cases[i].pointer};
        struct verify_result r;

        assert_int_equal(json_parse(str_c(cases[i].equals), 1000, &c.equals, NULL), 0);
        run_check(&c, ANSWER, &r);
        assert_int_equal(r.kind, cases[i].text == NULL ? VERIFY_OK : VERIFY_CHECK_FAILED);
        assert_string_equal(r.text, cases[i].text == NULL ? "" : cases[i].text);
        json_decref(c.equals);
    }
}

static void texts_are_matched(void **state)
{
    static const struct {
        const char *pointer, *matches, *text;
    } cases[] = {
        {"/s", "^hello", NULL},
        {"/s", "(world|moon)$", NULL},
        {"/s", "^world$", "check 'c1': /s is \"hello world\", expected a match of ^world$"},
        {"/n", "^7$", NULL},
        {"/neg", "^-1\\.5$", NULL},
        {"/nil", "^null$", NULL},
        {"/yes", "true", NULL},
        {"/o", ".", "check 'c1': /o is {\"a\":1,\"b\":[true]}, expected a match of ."},
        {"/o/b", ".", "check 'c1': /o/b is [true], expected a match of ."},
        {"/none", ".", "check 'c1': /none is not there, expected a match of ."},
        {"/s", "(", "check 'c1': /s is \"hello world\", expected a match of ("},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct check_config c = {.pointer = cases[i].pointer, .matches = cases[i].matches};
        struct verify_result r;

        run_check(&c, ANSWER, &r);
        assert_int_equal(r.kind, cases[i].text == NULL ? VERIFY_OK : VERIFY_CHECK_FAILED);
        assert_string_equal(r.text, cases[i].text == NULL ? "" : cases[i].text);
    }
}

static void matching_is_bounded(void **state)
{
    struct buf text;
    struct check_config near = {.pointer = "/s", .matches = "x$"};
    struct check_config far = {.pointer = "/s", .matches = "y"};
    struct verify_result r;

    (void)state;
    buf_init(&text, 1 << 20);
    buf_add_c(&text, "{\"result\":{\"s\":\"");
    for (int i = 0; i < 64 * 1024; i++) {
        buf_add_c(&text, "x");
    }
    buf_add_c(&text, "y\"}}");
    run_check(&near, buf_c(&text), &r);
    assert_int_equal(r.kind, VERIFY_OK);
    run_check(&far, buf_c(&text), &r);
    assert_int_equal(r.kind, VERIFY_CHECK_FAILED);
    buf_clear(&text);
}

static void numbers_lie_in_ranges(void **state)
{
    static const struct {
        const char *pointer;
        bool has_min, has_max;
        double min, max;
        const char *text;
    } cases[] = {
        {"/n", true, true, 7, 7, NULL},
        {"/n", true, false, 7, 0, NULL},
        {"/n", true, false, 7.5, 0, "check 'c1': /n is 7, expected a number not below 7.5"},
        {"/n", false, true, 0, 6, "check 'c1': /n is 7, expected a number not above 6"},
        {"/n", true, true, 1, 2, "check 'c1': /n is 7, expected a number from 1 to 2"},
        {"/neg", false, true, 0, 0, NULL},
        {"/content/1/text", true, true, 42, 42, NULL},
        {"/content/0/text/sum", true, true, 5, 5, NULL},
        {"/s", true, false, 0, 0,
         "check 'c1': /s is \"hello world\", expected a number not below 0"},
        {"/yes", true, false, 0, 0, "check 'c1': /yes is true, expected a number not below 0"},
        {"/none", true, false, 0, 0,
         "check 'c1': /none is not there, expected a number not below 0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct check_config c = {.pointer = cases[i].pointer,
                                 .has_min = cases[i].has_min,
                                 .has_max = cases[i].has_max,
                                 .min = cases[i].min,
                                 .max = cases[i].max};
        struct verify_result r;

        run_check(&c, ANSWER, &r);
        assert_int_equal(r.kind, cases[i].text == NULL ? VERIFY_OK : VERIFY_CHECK_FAILED);
        assert_string_equal(r.text, cases[i].text == NULL ? "" : cases[i].text);
    }
}

static void values_exist_or_not(void **state)
{
    struct check_config there = {.pointer = "/nil", .has_exists = true, .exists = true};
    struct check_config missing = {.pointer = "/none", .has_exists = true, .exists = true};
    struct check_config gone = {.pointer = "/none", .has_exists = true, .exists = false};
    struct check_config not_gone = {.pointer = "/nil", .has_exists = true, .exists = false};
    struct verify_result r;

    (void)state;
    run_check(&there, ANSWER, &r);
    assert_int_equal(r.kind, VERIFY_OK);
    run_check(&gone, ANSWER, &r);
    assert_int_equal(r.kind, VERIFY_OK);
    run_check(&missing, ANSWER, &r);
    assert_string_equal(r.text, "check 'c1': /none is not there, expected a value there");
    run_check(&not_gone, ANSWER, &r);
    assert_string_equal(r.text, "check 'c1': /nil is null, expected nothing there");
}

static void answers_have_a_size(void **state)
{
    struct check_config fits = {.max_bytes = sizeof ANSWER - 1};
    struct check_config large = {.max_bytes = 5};
    struct verify_result r;

    (void)state;
    run_check(&fits, ANSWER, &r);
    assert_int_equal(r.kind, VERIFY_OK);
    run_check(&large, "123456", &r); /* not even read */
    assert_string_equal(r.text, "check 'c1': the answer has 6 bytes, expected at most 5");
}

static void the_first_failure_is_named(void **state)
{
    const struct check_config checks[] = {
        {.id = "a", .pointer = "/n", .has_exists = true, .exists = true},
        {.id = "b", .pointer = "/x", .has_exists = true, .exists = true},
        {.id = "c", .pointer = "/y", .has_exists = true, .exists = true},
    };
    struct verifier *v = verifier_new(checks, 3, NULL, 0, false);
    struct verify_result r;

    (void)state;
    apply(v, ANSWER, &r);
    assert_string_equal(r.text, "check 'b': /x is not there, expected a value there");
    verifier_free(v);
}

static void answers_that_are_no_json_fail(void **state)
{
    static const char *const answers[] = {"", "{", "{\"result\":{}} x", "\xff",
                                          "{\"a\":1,\"a\":2}"};
    struct check_config gone = {.pointer = "/x", .has_exists = true, .exists = false};
    struct verify_result r;

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        run_check(&gone, answers[i], &r);
        assert_int_equal(r.kind, VERIFY_CHECK_FAILED);
        assert_non_null(strstr(r.text, "check 'c1': the answer cannot be read as JSON: "));
    }
    run_check(&gone, "7", &r);
    assert_int_equal(r.kind, VERIFY_OK);
}

/* Other languages have integers of 64 bits without a sign, or of any size. */
static void wide_integers_are_no_fault(void **state)
{
    struct check_config id = {
        .pointer = "/n", .has_min = true, .min = 7, .has_max = true, .max = 7};
    struct verify_result r;

    (void)state;
    run_check(&id, "{\"result\":{\"id\":18446744073709551615,\"n\":7}}", &r);
    assert_int_equal(r.kind, VERIFY_OK);
    id.pointer = "/content/0/text/n";
    run_check(&id,
              "{\"result\":{\"content\":[{\"text\":"
              "\"{\\\"id\\\":99999999999999999999,\\\"n\\\":7}\"}]}}",
              &r);
    assert_int_equal(r.kind, VERIFY_OK);
}

static void a_batch_holds_the_response(void **state)
{
    struct check_config c = {.pointer = "/n", .has_min = true, .min = 7};
    struct verify_result r;

    (void)state;
    run_check(&c, "[{\"method\":\"x\"},{\"id\":2,\"result\":{\"n\":7}}]", &r);
    assert_int_equal(r.kind, VERIFY_OK);
    run_check(&c, "[]", &r);
    assert_int_equal(r.kind, VERIFY_CHECK_FAILED);
    run_check(&c, "[1,[]]", &r);
    assert_int_equal(r.kind, VERIFY_CHECK_FAILED);
}

/* What a hostile server answers is cut at a whole character and cannot drive a terminal. */
static void texts_are_safe(void **state)
{
    struct check_config c = {.pointer = "/s", .matches = "no"};
    struct buf answer;
    struct verify_result r;

    (void)state;
    for (size_t shift = 0; shift < 5; shift++) {
        json_t *text = NULL;
        struct buf quoted;

        buf_init(&answer, 1 << 20);
        buf_init(&quoted, 1 << 20);
        buf_add_c(&answer, "{\"result\":{\"s\":\"");
        buf_add(&answer, "aaaa", shift);
        for (int i = 0; i < 1000; i++) {
            buf_add_c(&answer, "\xf0\x9f\x98\x80\\u001b\xc2\x9b\x7f");
        }
        buf_add_c(&answer, "\"}}");
        run_check(&c, buf_c(&answer), &r);
        assert_int_equal(r.kind, VERIFY_CHECK_FAILED);
        assert_non_null(strstr(r.text, "…, expected a match of no"));
        assert_null(strpbrk(r.text, "\x1b\x7f"));
        assert_null(strstr(r.text, "\xc2\x9b"));
        json_add_string(&quoted, str_c(r.text));
        assert_int_equal(json_parse(buf_str(&quoted), 1 << 20, &text, NULL), 0);
        assert_string_equal(json_string_value(text), r.text); /* it is UTF-8 */
        json_decref(text);
        buf_clear(&quoted);
        buf_clear(&answer);
    }
}

static void long_names_are_cut(void **state)
{
    char id[1000], pointer[1000];
    struct check_config check = {.id = id, .pointer = pointer, .matches = id};
    struct verifier *v = verifier_new(&check, 1, NULL, 0, false);
    struct verify_result r;

    (void)state;
    memset(id, 'i', sizeof id - 1);
    memset(pointer, 'p', sizeof pointer - 1);
    id[sizeof id - 1] = pointer[sizeof pointer - 1] = '\0';
    pointer[0] = '/';
    apply(v, ANSWER, &r);
    assert_int_equal(r.kind, VERIFY_CHECK_FAILED);
    assert_true(strlen(r.text) < VERIFY_TEXT_MAX);
    assert_non_null(strstr(r.text, "is not there, expected a match of iii"));
    verifier_free(v);
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void numbers_are_taken(void **state)
{
    static const struct custom_config customs[] = {
        {.name = "n", .pointer = "/n"},
        {.name = "unwanted", .pointer = "/n"},
        {.name = "text", .pointer = "/content/1/text"},
        {.name = "inside", .pointer = "/content/0/text/sum"},
        {.name = "boolean", .pointer = "/content/0/text/ok"},
        {.name = "word", .pointer = "/s"},
        {.name = "null", .pointer = "/nil"},
        {.name = "object", .pointer = "/o"},
        {.name = "none", .pointer = "/none"},
        {.name = "negative", .pointer = "/neg"},
    };
    static const struct {
        uint32_t custom;
        double value;
    } expected[] = {{0, 7}, {2, 42}, {3, 5}, {4, 1}, {9, -1.5}};
    struct verifier *v = verifier_new(NULL, 0, customs, 0x3fd, false);
    struct verify_result r;

    (void)state;
    apply(v, ANSWER, &r);
    assert_int_equal(r.kind, VERIFY_OK);
    assert_int_equal(r.custom_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(r.customs[i].custom, expected[i].custom);
        assert_true(r.customs[i].value <= expected[i].value &&
                    r.customs[i].value >= expected[i].value);
    }
    apply(v, "no JSON", &r);
    assert_int_equal(r.kind, VERIFY_OK);
    assert_int_equal(r.custom_count, 0);
    verifier_free(v);
}

static void only_so_many_numbers_are_taken(void **state)
{
    struct custom_config customs[64];
    struct verify_result r;

    (void)state;
    for (size_t i = 0; i < 64; i++) {
        customs[i] = (struct custom_config){.name = "n", .pointer = "/n"};
    }
    struct verifier *v = verifier_new(NULL, 0, customs, UINT64_MAX, false);
    apply(v, ANSWER, &r);
    assert_int_equal(r.custom_count, VERIFY_CUSTOMS_MAX);
    verifier_free(v);
}

/* ---- integrity ------------------------------------------------------------------------------- */

#define MINE       "mcpd-0000abcd-00000005-000000000050"
#define MY_EARLIER "mcpd-0000abcd-00000005-00000000004f"
#define THEIRS     "mcpd-0000abcd-0000000c-00000000004d"
#define OTHER_RUN  "mcpd-0000abce-0000000c-00000000004d"

static void nonces_are_written(void **state)
{
    const struct verify_caller widest = {UINT32_MAX, UINT32_MAX, (UINT64_C(1) << 48) - 1};
    struct verify_caller read;
    char text[NONCE_LEN];
    struct str rest = {text, sizeof text};

    (void)state;
    nonce_write(&me, text);
    assert_memory_equal(text, MINE, NONCE_LEN);
    nonce_write(&widest, text);
    assert_memory_equal(text, "mcpd-ffffffff-ffffffff-ffffffffffff", NONCE_LEN);
    assert_true(nonce_next(&rest, &read));
    assert_true(read.tag == widest.tag && read.vu == widest.vu && read.n == widest.n);
    assert_int_equal(rest.len, 0);
    assert_false(nonce_next(&rest, &read));
}

static void answers_belong_to_their_callers(void **state)
{
    static const struct {
        const char *answer;
        bool own;
        const char *text; /* NULL: it is ours */
    } cases[] = {
        {"{\"result\":{\"t\":\"" MINE "\"}}", true, NULL},
        {MINE, true, NULL},
        {"x" MINE MINE "y", true, NULL},
        {"{\"result\":{}}", false, NULL},
        {"", false, NULL},
        {"{\"t\":\"" OTHER_RUN "\"}", false, NULL},
        {"{\"t\":\"" OTHER_RUN " " MINE "\"}", true, NULL},
        {"{\"t\":\"" THEIRS "\"}", false,
         "answer of VU 12, operation 77 came to VU 5, operation 80"},
        {"{\"t\":\"" MY_EARLIER "\"}", false,
         "answer of VU 5, operation 79 came to VU 5, operation 80"},
        {MINE THEIRS, false, "answer of VU 12, operation 77 came to VU 5, operation 80"},
        {"mcpd-" THEIRS, false, "answer of VU 12, operation 77 came to VU 5, operation 80"},
        {"mcpd-0000abcd-mcpd-", false, NULL},
        {"mcpd-0000abcd-00000005-00000000005", false, NULL},
        {"mcpd-0000abcd-00000005-00000000005G", false, NULL},
        {"mcpd-0000abcd-00000005_000000000050", false, NULL},
        {"mcpd-0000ABCD-00000005-000000000050", false, NULL},
    };
    struct verifier *v = verifier_new(NULL, 0, NULL, 0, true);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verify_result r;

        apply(v, cases[i].answer, &r);
        assert_int_equal(r.kind, cases[i].text == NULL ? VERIFY_OK : VERIFY_MISMATCH);
        assert_int_equal(r.own_nonce, cases[i].own);
        assert_string_equal(r.text, cases[i].text == NULL ? "" : cases[i].text);
    }
    verifier_free(v);
}

static void a_mismatch_counts_before_the_checks(void **state)
{
    const struct check_config check = {
        .id = "c", .pointer = "/x", .has_exists = true, .exists = true};
    const struct custom_config custom = {.name = "n", .pointer = "/n"};
    struct verifier *v = verifier_new(&check, 1, &custom, 1, true);
    struct verify_result r;

    (void)state;
    apply(v, "{\"result\":{\"n\":1,\"t\":\"" THEIRS "\"}}", &r);
    assert_int_equal(r.kind, VERIFY_MISMATCH);
    assert_int_equal(r.custom_count, 0);
    apply(v, "{\"result\":{\"n\":1,\"t\":\"" MINE "\"}}", &r);
    assert_int_equal(r.kind, VERIFY_CHECK_FAILED);
    assert_true(r.own_nonce);
    assert_int_equal(r.custom_count, 1);
    verifier_free(v);
}

static void nothing_to_look_for(void **state)
{
    (void)state;
    assert_null(verifier_new(NULL, 0, NULL, 0, false));
    verifier_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_compared),
        cmocka_unit_test(texts_are_matched),
        cmocka_unit_test(matching_is_bounded),
        cmocka_unit_test(numbers_lie_in_ranges),
        cmocka_unit_test(values_exist_or_not),
        cmocka_unit_test(answers_have_a_size),
        cmocka_unit_test(the_first_failure_is_named),
        cmocka_unit_test(answers_that_are_no_json_fail),
        cmocka_unit_test(wide_integers_are_no_fault),
        cmocka_unit_test(a_batch_holds_the_response),
        cmocka_unit_test(texts_are_safe),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(numbers_are_taken),
        cmocka_unit_test(only_so_many_numbers_are_taken),
        cmocka_unit_test(nonces_are_written),
        cmocka_unit_test(answers_belong_to_their_callers),
        cmocka_unit_test(a_mismatch_counts_before_the_checks),
        cmocka_unit_test(nothing_to_look_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
