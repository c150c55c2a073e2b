/* SPDX-License-Identifier: MIT */
#include "cli/cmd_server.h"
#include "cli/roles.h"
#include "support/unit.h"

static const struct command commands[] = {SERVER_COMMAND, ROLE_COMMANDS};

/* What start scripts give to these programs, with a value where one belongs. */
static const char *const published[][32] = {
    {"server",
     "--addr=:8080",
     "--auth-mode=none",
     "--api-keys=a,b",
     "--jwt-secret=s",
     "--insecure",
     "--enable-agent-ingest",
     "--agent-tokens=t",
     "--allow-private-networks=10.0.0.0/8",
     "--allow-private-discovery",
     "--insecure-worker-auth",
     "--redact-assignment-secrets",
     "--rate-limit=100",
     "--rate-burst=200",
     "--max-ops-per-run=1",
     "--max-logs-per-run=1",
     "--max-total-runs=1",
     "--dev",
     "--data-dir=d",
     "--mock",
     "--no-mock",
     "--allow-origin=http://a"},
    {"worker", "--control-plane=http://localhost:8080", "--max-vus=100", "--heartbeat-interval=2s",
     "--poll-interval=1s", "--allow-private-networks=10.0.0.0/8", "--api-key=k", "--worker-id=w",
     "--tls-ca-file=f", "--allow-secret=a", "--allow-secret=b", "--threads=2", "--label=a=b",
     "--procs=2", "--pipe", "--of=2"},
    {"agent", "--control-plane-url=http://localhost:8080", "--agent-token=t", "--pair-key=k",
     "--listen-port=3000", "--pid=1", "--collect-interval=5s", "--tls-ca-file=f",
     "--tls-insecure-skip-verify"},
};

enum { ROLES = sizeof published / sizeof published[0], WORDS_MAX = 32 };

static int parse(size_t role, const char *const *words, struct opt_args *args, struct err *err)
{
    static char text[WORDS_MAX][128];
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;

    for (; words[argc] != NULL; argc++) {
        snprintf(text[argc], sizeof text[argc], "%s", words[argc]);
        argv[argc] = text[argc];
    }
    return opt_parse(&commands[role], argc, argv, args, err);
}

static void test_published_flags_are_known(void **state)
{
    static struct opt_args args;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ROLES; i++) {
        assert_string_equal(commands[i].name, published[i][0]);
        if (parse(i, published[i], &args, &err) != 0) {
            fail_msg("%s: %s", published[i][0], err.msg);
        }
        for (size_t row = 0; row < commands[i].option_count; row++) {
            assert_true(opt_has(&args, commands[i].options[row].name));
            assert_non_null(commands[i].options[row].help);
        }
    }
}

/* Whoever starts one of them is told how it ends, and what its exit codes mean. */
static void test_help_says_how_they_end(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 16384);
    for (size_t i = 0; i < 2; i++) {
        out.len = 0;
        assert_int_equal(command_help(&commands[i], &out), 0);
        assert_non_null(strstr(buf_c(&out), "SIGINT or SIGTERM"));
        assert_non_null(strstr(buf_c(&out), "Exit codes: 0 ended"));
    }
    buf_clear(&out);
}

static void test_others_are_not(void **state)
{
    static const char *const misspelt[] = {"server", "--adr", ":9000", NULL};
    static const char *const operand[] = {"server", "x", NULL};
    static struct opt_args args;
    struct err err = {0};

    (void)state;
    assert_int_equal(parse(0, misspelt, &args, &err), ERR_USAGE);
    assert_string_equal(err.msg, "unknown option --adr; did you mean --addr?");
    assert_int_equal(parse(0, operand, &args, &err), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_flags_are_known),
        cmocka_unit_test(test_help_says_how_they_end),
        cmocka_unit_test(test_others_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
