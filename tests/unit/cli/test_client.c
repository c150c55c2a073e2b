/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/client.h"
#include "support/unit.h"

static void test_option_words(void **state)
{
    static const struct {
        const char *word;
        int words;
    } cases[] = {
        {"--endpoint", 2},
        {"--endpoint=http://x", 1},
        {"--endpoint=", 1},
        {"--actor", 2},
        {"--api-key=k", 1},
        {"--endpoints", 0},
        {"--json", 0},
        {"--", 0},
        {"endpoint", 0},
        {"-e", 0},
        {"", 0},
        {"--endpoin", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(client_option_words(cases[i].word), cases[i].words);
    }
}

static int run_words(const char *const *words)
{
    enum { WORDS_MAX = 8, WORD_MAX = 80 };
    char text[WORDS_MAX][WORD_MAX];
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;

    for (; words[argc] != NULL; argc++) {
        assert_true(argc < WORDS_MAX);
        snprintf(text[argc], sizeof text[argc], "%s", words[argc]);
        argv[argc] = text[argc];
    }
    return cli_main(argc, argv);
}

/* What is wrong on the command line is told without asking anybody: nobody listens on port 9. */
static void test_usage(void **state)
{
    static const struct {
        const char *words[8];
        int code;
    } cases[] = {
        {{"mcpdrill", "status"}, EXIT_USAGE},
        {{"mcpdrill", "status", "a", "b"}, EXIT_USAGE},
        {{"mcpdrill", "status", "../x", "--endpoint", "http://127.0.0.1:9"}, EXIT_USAGE},
        {{"mcpdrill", "stop", "last", "--mode", "hard"}, EXIT_USAGE},
        {{"mcpdrill", "start", "last", "--json", "f"}, EXIT_USAGE},
        {{"mcpdrill", "start", "last", "--quiet"}, EXIT_USAGE},
        {{"mcpdrill", "list", "--limit", "0"}, EXIT_USAGE},
        {{"mcpdrill", "list", "--endpoint", "ftp://x"}, EXIT_USAGE},
        {{"mcpdrill", "list", "--actor", "a\tb"}, EXIT_USAGE},
        {{"mcpdrill", "list", "--api-key", "k"}, EXIT_USAGE},
        {{"mcpdrill", "export", "last"}, EXIT_USAGE},
        {{"mcpdrill", "clone", "last", "--with", "f"}, EXIT_USAGE},
        {{"mcpdrill", "create"}, EXIT_USAGE},
        {{"mcpdrill", "--endpoint", "http://127.0.0.1:9"}, EXIT_USAGE},
        {{"mcpdrill", "--endpoint"}, EXIT_USAGE},
        {{"mcpdrill", "--endpoint", "http://x", "no-such-word"}, EXIT_USAGE},
        {{"mcpdrill", "--endpoint", "http://127.0.0.1:9", "list", "--help"}, EXIT_PASSED},
        {{"mcpdrill", "--endpoint=http://127.0.0.1:9", "list"}, REMOTE_UNREACHABLE},
        {{"mcpdrill", "workers", "--endpoint", "http://127.0.0.1:9"}, REMOTE_UNREACHABLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int code = run_words(cases[i].words);

        if (code != cases[i].code) {
            fail_msg("case %zu: %d", i, code);
        }
    }
}

/* Each word of the table says what it is and which of the shared options it has. */
static void test_help(void **state)
{
    static const char *const words[] = {
        "create", "start",          "status", "events", "watch",   "stop",
        "list",   "emergency-stop", "clone",  "delete", "workers", "export",
    };

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *const help[] = {"mcpdrill", "help", words[i], NULL};
        const char *const option[] = {"mcpdrill", words[i], "--actor", "x", "--help", NULL};

        assert_int_equal(run_words(help), EXIT_PASSED);
        assert_int_equal(run_words(option), EXIT_PASSED);
    }
}

static int set_environment(void **state)
{
    (void)state;
    unsetenv("MCPDRILL_ENDPOINT");
    unsetenv("MCPDRILL_ACTOR");
    unsetenv("XDG_CONFIG_HOME");
    return setenv("HOME", "/nonexistent", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_option_words),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_help),
    };

    return cmocka_run_group_tests(tests, set_environment, NULL);
}
