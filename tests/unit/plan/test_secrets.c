/* SPDX-License-Identifier: MIT */
#include "plan/secrets.h"
#include "support/unit.h"

enum { OUT_MAX = 200 };

struct mask_case {
    const char *values[4];
    const char *text, *masked;
};

static void check(const struct mask_case *c)
{
    struct str list[SECRETS_MAX];
    struct arena arena = {0};
    char out[OUT_MAX + 1];
    size_t count = 0;

    for (size_t i = 0; i < 4 && c->values[i] != NULL; i++) {
        secrets_add(str_c(c->values[i]), list, &count);
    }
    const struct plan_secrets secrets = secrets_keep(list, count, &arena);
    out[secrets_mask(&secrets, str_c(c->text), out, OUT_MAX)] = '\0';
    assert_string_equal(out, c->masked);
    snprintf(out, sizeof out, "%s", c->text);
    secrets_mask_in(&secrets, out, sizeof out);
    assert_string_equal(out, c->masked);
    arena_clear(&arena);
}

static void test_what_is_masked(void **state)
{
    static const struct mask_case cases[] = {
        {{NULL}, "nothing to hide", "nothing to hide"},
        {{"Bearer tok-1234"}, "got 'Bearer tok-1234'", "got '[redacted]'"},
        {{"Bearer tok-1234"}, "unknown token tok-1234!", "unknown token [redacted]!"},
        /* The name of the scheme is a word like any other. */
        {{"Bearer tok-1234"}, "Bearer expected", "Bearer expected"},
        {{"sid=abcdef; theme=dark"}, "no session abcdef", "no session [redacted]"},
        {{"sid=abcdef; theme=dark"}, "sid=abcdef is old", "[redacted] is old"},
        {{"abc", "key-one", "key-one-two"}, "key-one-two key-one abc", "[redacted] [redacted] abc"},
        /* Base64 ends in signs that separate names from values elsewhere. */
        {{"Basic dXNlcjpwdw=="}, "dXNlcjpwdw== is wrong", "[redacted] is wrong"},
        /* A message that was cut in the middle of it. */
        {{"tok-123456789"}, "you said tok-12345", "you said [redacted]"},
        {{"tok-123456789"}, "you said tok", "you said tok"},
        {{"aaaa"}, "aaaaaaaaa", "[redacted][redacted]a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&cases[i]);
    }
}

/* Never more than there is room for; a mask that does not fit is cut. */
static void test_bounds(void **state)
{
    static const struct str items[] = {STR_INIT("tok-1234")};
    const struct plan_secrets secrets = {items, 1};
    char out[8], text[12] = "tok-1234";

    (void)state;
    assert_int_equal(secrets_mask(&secrets, STR("xx tok-1234"), out, sizeof out), sizeof out);
    assert_memory_equal(out, "xx [reda", sizeof out);
    assert_int_equal(secrets_mask(&secrets, STR(""), out, sizeof out), 0);
    secrets_mask_in(&secrets, text, sizeof text);
    assert_string_equal(text, "[redacted]");
}

static void test_more_words_than_are_kept(void **state)
{
    struct str list[SECRETS_MAX];
    struct arena arena = {0};
    char words[SECRETS_MAX * 8];
    size_t count = 0, len = 0;

    (void)state;
    while (len + 8 < sizeof words) {
        len += (size_t)snprintf(words + len, sizeof words - len, "w%05zu ", len);
    }
    secrets_add((struct str){words, len}, list, &count);
    secrets_add(STR("another one"), list, &count);
    assert_true(count <= SECRETS_MAX);
    const struct plan_secrets secrets = secrets_keep(list, count, &arena);
    assert_true(secrets.items[0].len > secrets.items[count - 1].len);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_masked),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_more_words_than_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
