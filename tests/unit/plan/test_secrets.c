/* SPDX-License-Identifier: MIT */
#include "plan/secrets.h"
#include "support/unit.h"

#include <time.h>

enum { OUT_MAX = 200, MANY = 2000 };

struct mask_case {
    const char *values[4];
    const char *text, *masked;
};

static void assert_masked(const struct plan_secrets *secrets, const char *text, const char *masked)
{
    char out[OUT_MAX + 1];

    out[secrets_mask(secrets, str_c(text), out, OUT_MAX)] = '\0';
    assert_string_equal(out, masked);
    snprintf(out, sizeof out, "%s", text);
    secrets_mask_in(secrets, out, sizeof out);
    assert_string_equal(out, masked);
}

static void check(const struct mask_case *c)
{
    struct arena arena = {0};
    struct secrets_list list = {.arena = &arena};

    for (size_t i = 0; i < 4 && c->values[i] != NULL; i++) {
        secrets_add(&list, str_c(c->values[i]));
    }
    const struct plan_secrets secrets = secrets_keep(&list);
    assert_masked(&secrets, c->text, c->masked);
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
        {{"sid=\"ab cd-ef\"; x=\"quoted-1\""}, "no quoted-1 here", "no [redacted] here"},
        {{"abc", "key-one", "key-one-two"}, "key-one-two key-one abc", "[redacted] [redacted] abc"},
        /* Base64 ends in signs that separate names from values elsewhere. */
        {{"Basic dXNlcjpwdw=="}, "dXNlcjpwdw== is wrong", "[redacted] is wrong"},
        /* A message that was cut in the middle of it. */
        {{"tok-123456789"}, "you said tok-12345", "you said [redacted]"},
        {{"tok-123456789"}, "you said tok", "you said tok"},
        /* Each has its mask; those that overlap have one. */
        {{"12345678"}, "1234567812345678", "[redacted][redacted]"},
        {{"abcdefgh", "efghijklmnop"}, "xabcdefghijklmnopx", "x[redacted]x"},
        {{"abcdefgh", "abcdefghij", "abcdefghijkl"}, "abcdefghijk", "[redacted]"},
        {{"abcdefgh", "abcdefghij", "abcdefghijkl"}, "abcdefghijx", "[redacted]x"},
        {{"abcdefgh", "abcdefghij", "abcdefghijkl"}, "abcdefghx", "[redacted]x"},
        {{"abcdefgh", "abcdefgh"}, "abcdefgh!", "[redacted]!"},
        {{"\xff\xfe\xfd\xfc-bytes"}, "\xff\xfe\xfd\xfc-bytes.", "[redacted]."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&cases[i]);
    }
}

/* Short words are parts of ordinary ones; they count where they stand alone. */
static void test_ordinary_words(void **state)
{
    static const struct mask_case cases[] = {
        {{"lang=true; theme=mock"}, "mockserver is untrue", "mockserver is untrue"},
        {{"lang=true; theme=mock"}, "themes=mocking", "themes=mocking"},
        {{"lang=true; theme=mock"}, "the mock, (true)", "the [redacted], ([redacted])"},
        {{"lang=true; theme=mock"}, "mock", "[redacted]"},
        {{"lang=true; theme=mock"}, "key:mock_1", "key:[redacted]_1"},
        {{"lang=true; theme=mock"}, "\\nmock\\ttrue", "\\n[redacted]\\t[redacted]"},
        {{"theme=production"}, "a prod", "a [redacted]"},
        {{"theme=production"}, "xprod", "xprod"},
        {{"theme=production"}, "xproduction", "x[redacted]"},
        {{"theme=production"}, "reproductive", "reproductive"},
        {{"-abc-"}, "x-abc-x", "x[redacted]x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&cases[i]);
    }
}

/* A body of JSON is not parsed when its status says all: its escapes are still there. */
static void test_escaped_texts(void **state)
{
    static const struct mask_case cases[] = {
        {{"Bearer a\"bc\\def/g"}, "{\"got\":\"a\\\"bc\\\\def\\/g\"}", "{\"got\":\"[redacted]\"}"},
        {{"Bearer a\"bc\\def/g"}, "a\"bc\\def/g is plain", "[redacted] is plain"},
        {{"Bearer a\"bc\\def/g"}, "\\\"a\\\\\\\"bc\\\\\\\\def/g\\\"", "\\\"[redacted]\\\""},
        {{"key<1>&'2'"}, "no key\\u003c1\\u003E\\u0026\\'2\\', sorry", "no [redacted], sorry"},
        {{"schlüssel"}, "kein schl\\u00fcssel!", "kein [redacted]!"},
        {{"tok\\u0041en"}, "tok\\\\u0041en tokAen", "[redacted] [redacted]"},
        {{"secret-1\\"}, "secret-1\\\\ and", "[redacted]\\\\ and"},
        {{"abcdefgh\"ijk"}, "cut: abcdefgh\\", "cut: [redacted]"},
        {{"abcdefgh\"ijk"}, "cut: abcdefgh\\u00", "cut: [redacted]"},
        {{"abcdefgh\"ijk"}, "not: \\\"\\u00e9\\n\\", "not: \\\"\\u00e9\\n\\"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&cases[i]);
    }
}

/* Never more than there is room for; a mask that does not fit is cut. */
static void test_bounds(void **state)
{
    struct arena arena = {0};
    struct secrets_list list = {.arena = &arena};
    char out[8], text[12] = "tok-1234";

    (void)state;
    secrets_add(&list, STR("tok-1234"));
    const struct plan_secrets secrets = secrets_keep(&list);
    assert_int_equal(secrets_mask(&secrets, STR("xx tok-1234"), out, sizeof out), sizeof out);
    assert_memory_equal(out, "xx [reda", sizeof out);
    assert_int_equal(secrets_mask(&secrets, STR("0123456789"), out, sizeof out), sizeof out);
    assert_memory_equal(out, "01234567", sizeof out);
    assert_int_equal(secrets_mask(&secrets, STR(""), out, sizeof out), 0);
    secrets_mask_in(&secrets, text, sizeof text);
    assert_string_equal(text, "[redacted]");
    arena_clear(&arena);
}

/* `count` words "w<number>-secret" in values of a few KB, and a last one of their own. */
static struct plan_secrets many_secrets(struct arena *arena, unsigned count)
{
    struct secrets_list list = {.arena = arena};

    for (unsigned i = 0; i < count;) {
        char value[4096] = "Scheme ";
        size_t len = strlen(value);
        for (; i < count && len + 20 < sizeof value; i++) {
            len += (size_t)snprintf(value + len, sizeof value - len, "w%05u-secret ", i);
        }
        secrets_add(&list, str_c(arena_strdup(arena, value)));
    }
    secrets_add(&list, STR("Bearer the-last-one"));
    return secrets_keep(&list);
}

/* However many there are, each is masked. */
static void test_all_words_count(void **state)
{
    struct arena arena = {0};
    const struct plan_secrets secrets = many_secrets(&arena, MANY);

    (void)state;
    assert_true(secrets.count > MANY);
    for (unsigned i = 0; i < MANY; i++) {
        char text[40];
        snprintf(text, sizeof text, "no w%05u-secret.", i);
        assert_masked(&secrets, text, "no [redacted].");
    }
    assert_masked(&secrets, "no the-last-one.", "no [redacted].");
    assert_masked(&secrets, "no w99999-secret.", "no w99999-secret.");
    arena_clear(&arena);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* The least of several tries: what the machine does besides only adds. */
static uint64_t time_to_mask(const struct plan_secrets *secrets, struct str text)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < 20; i++) {
        char out[512];
        uint64_t begin = cpu_ns();
        secrets_mask(secrets, text, out, sizeof out);
        uint64_t took = cpu_ns() - begin;
        least = took < least ? took : least;
    }
    return least;
}

/* It is done for each failed operation, on the thread that makes the load. */
static void test_time_grows_with_the_text_only(void **state)
{
    struct arena few_arena = {0}, many_arena = {0};
    const struct plan_secrets few = many_secrets(&few_arena, 8);
    const struct plan_secrets many = many_secrets(&many_arena, MANY);
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = "why w00 "[i % 8];
    }
    uint64_t with_few = time_to_mask(&few, (struct str){text, sizeof text});
    uint64_t with_many = time_to_mask(&many, (struct str){text, sizeof text});
    if (with_many > 8 * with_few) {
        fail_msg("%u words: %llu ns; 8 words: %llu ns", MANY, (unsigned long long)with_many,
                 (unsigned long long)with_few);
    }
    arena_clear(&few_arena);
    arena_clear(&many_arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_masked),
        cmocka_unit_test(test_ordinary_words),
        cmocka_unit_test(test_escaped_texts),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_all_words_count),
        cmocka_unit_test(test_time_grows_with_the_text_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
