/* SPDX-License-Identifier: MIT */
#include "cli/opt.h"
#include "support/unit.h"

static int never(const struct opt_args *args)
{
    (void)args;
    fail_msg("no command is run here");
    return 0;
}

static const struct opt rows[] = {
    {.name = "json", .argument = "FILE", .help = "Writes."},
    {.name = "set",
     .argument = "PATH=VALUE",
     .help = "Overrides.",
     .repeats = true,
     .secret = true},
    {.name = "quiet", .letter = 'q', .help = "Says less."},
    {.name = "count", .letter = 'n', .argument = "N", .help = "Counts."},
    {.name = "inner-fd", .argument = "N", .help = "Never shown.", .hidden = true},
    {.name = "inner", .help = "Never shown.", .hidden = true, .alone = true},
};
static const struct command table[] = {
    {.name = "play",
     .usage = "FILE [options]",
     .help = "Plays.",
     .more = "Exit codes: 0.\n",
     .heading = "Playing",
     .operands_min = 1,
     .operands_max = 2,
     .options = rows,
     .option_count = sizeof rows / sizeof rows[0],
     .run = never},
    {.name = "player", .usage = "", .help = "Later.", .kind = COMMAND_LATER},
};

/* Words that getopt_long may put into another order. */
struct words {
    char *argv[16];
    int argc;
};

static struct words split(char *line)
{
    struct words w = {.argc = 0};
    char *rest = NULL;

    for (char *p = strtok_r(line, " ", &rest); p != NULL; p = strtok_r(NULL, " ", &rest)) {
        w.argv[w.argc++] = p;
    }
    return w;
}

static int parse(const char *line, struct opt_args *args, struct err *err)
{
    static char copy[256];

    snprintf(copy, sizeof copy, "%s", line);
    struct words w = split(copy);
    *err = (struct err){0};
    return opt_parse(&table[0], w.argc, w.argv, args, err);
}

static void test_values_in_any_order(void **state)
{
    static struct opt_args args;
    const char *sets[OPT_GIVEN_MAX];
    struct err err;
    uint64_t n = 7;

    (void)state;
    assert_int_equal(parse("play --set a=1 file --json=x --set b=2 -q --json y -n 12", &args, &err),
                     0);
    assert_int_equal(args.operand_count, 1);
    assert_string_equal(args.operands[0], "file");
    assert_string_equal(opt_value(&args, "json"), "y");
    assert_int_equal(opt_values(&args, "set", sets), 2);
    assert_string_equal(sets[0], "a=1");
    assert_string_equal(sets[1], "b=2");
    assert_true(opt_has(&args, "quiet"));
    assert_int_equal(opt_number(&args, "count", 1, 12, &n, &err), 0);
    assert_int_equal(n, 12);
    assert_int_equal(parse("play -- --json", &args, &err), 0);
    assert_string_equal(args.operands[0], "--json");
    assert_null(opt_value(&args, "json"));
    assert_int_equal(opt_number(&args, "count", 1, 12, &n, &err), 0);
    assert_int_equal(n, 12);
}

static void test_mistakes_are_named(void **state)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        {"play --jsno x y", "unknown option --jsno; did you mean --json?"},
        {"play --jsno=x y", "unknown option --jsno; did you mean --json?"},
        {"play --js x y", "unknown option --js; did you mean --json?"},
        {"play --qui y", "unknown option --qui; did you mean --quiet?"},
        {"play --zzzzzzzz y", "unknown option --zzzzzzzz"},
        {"play -x y", "unknown option -x"},
        {"play y --json", "--json needs a value: --json FILE"},
        {"play y -n", "--count needs a value: --count N"},
        {"play --quiet=1 y", "--quiet takes no value"},
        {"play --help=1 y", "--help takes no value"},
        {"play", "an argument is missing (usage: mcpdrill play FILE [options])"},
        {"play a --set K: b c", "one argument too many; a value of --set with blanks needs quotes "
                                "around it"},
        {"play a b c", "one argument too many: c (usage: mcpdrill play FILE [options])"},
    };
    static struct opt_args args;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].line, &args, &err), ERR_USAGE);
        assert_string_equal(err.msg, cases[i].text);
    }
    char line[] = "player x";
    struct words w = split(line);
    assert_int_equal(opt_parse(&table[1], w.argc, w.argv, &args, &err), ERR_USAGE);
    assert_string_equal(err.msg, "one argument too many: x (usage: mcpdrill player)");
}

static void test_numbers_have_bounds(void **state)
{
    static const char *const lines[] = {"play -n 0 x", "play -n 13 x", "play -n -1 x",
                                        "play -n 1x x", "play --count= x"};
    static struct opt_args args;
    struct err err;
    uint64_t n = 7;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(parse(lines[i], &args, &err), 0);
        assert_int_equal(opt_number(&args, "count", 1, 12, &n, &err), ERR_USAGE);
        assert_int_equal(n, 7);
    }
}

static void test_too_many_options(void **state)
{
    static struct opt_args args;
    static char set[] = "--set=a=1", name[] = "play";
    char *argv[OPT_GIVEN_MAX + 3] = {name};
    struct err err = {0};

    (void)state;
    for (int i = 1; i < OPT_GIVEN_MAX + 2; i++) {
        argv[i] = set;
    }
    assert_int_equal(opt_parse(&table[0], OPT_GIVEN_MAX + 2, argv, &args, &err), ERR_USAGE);
}

static void test_help(void **state)
{
    static struct opt_args args;
    struct buf out;
    struct err err;

    (void)state;
    assert_int_equal(parse("play --help", &args, &err), 0);
    assert_true(args.help);
    assert_int_equal(parse("play -h", &args, &err), 0);
    assert_true(args.help);
    buf_init(&out, 10000);
    assert_int_equal(command_help(&table[0], &out), 0);
    assert_string_equal(buf_c(&out), "Usage: mcpdrill play FILE [options]\n"
                                     "\n"
                                     "Plays.\n"
                                     "\n"
                                     "Options, each with the environment variable that gives it, "
                                     "too:\n"
                                     "      --json FILE         Writes. [MCPDRILL_JSON]\n"
                                     "      --set PATH=VALUE    Overrides. [MCPDRILL_SET]\n"
                                     "  -q, --quiet             Says less. [MCPDRILL_QUIET]\n"
                                     "  -n, --count N           Counts. [MCPDRILL_COUNT]\n"
                                     "  -h, --help              Prints this.\n"
                                     "\n"
                                     "Exit codes: 0.\n");
    buf_clear(&out);
    assert_int_equal(command_list(table, 2, &out), 0);
    assert_non_null(strstr(buf_c(&out), "\nPlaying:\n  play "));
    assert_non_null(strstr(buf_c(&out), "\nIn a later version: player\n"));
    buf_clear(&out);
}

/* ---- the environment -------------------------------------------------------------------------
 */

static void forget_variables(void)
{
    static const char *const names[] = {"MCPDRILL_JSON", "MCPDRILL_SET", "MCPDRILL_QUIET",
                                        "MCPDRILL_COUNT", "MCPDRILL_INNER_FD"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsetenv(names[i]);
    }
}

static void test_options_from_the_environment(void **state)
{
    static struct opt_args args;
    const char *sets[OPT_GIVEN_MAX];
    char label[OPT_VARIABLE_MAX];
    struct err err;
    uint64_t n = 0;

    (void)state;
    setenv("MCPDRILL_JSON", "x", 1);
    setenv("MCPDRILL_SET", "a=1\n\nb=2,3", 1);
    setenv("MCPDRILL_QUIET", "TRUE", 1);
    setenv("MCPDRILL_COUNT", "13", 1);
    setenv("MCPDRILL_INNER_FD", "3", 1);
    assert_int_equal(parse("play f", &args, &err), 0);
    assert_string_equal(opt_value(&args, "json"), "x");
    assert_int_equal(opt_values(&args, "set", sets), 2);
    assert_string_equal(sets[0], "a=1");
    assert_string_equal(sets[1], "b=2,3");
    assert_true(opt_has(&args, "quiet"));
    assert_false(opt_has(&args, "inner-fd"));
    assert_int_equal(opt_number(&args, "count", 1, 12, &n, &err), ERR_USAGE);
    assert_string_equal(err.msg, "MCPDRILL_COUNT 13: a whole number within 1..12 is expected");
    /* What the command line says counts. */
    assert_int_equal(parse("play f --json y --set c=4 -n 5", &args, &err), 0);
    assert_string_equal(opt_value(&args, "json"), "y");
    assert_int_equal(opt_values(&args, "set", sets), 1);
    assert_string_equal(opt_label(&args, "count", label), "--count");
    forget_variables();
}

static void test_variables_that_say_nothing(void **state)
{
    static struct opt_args args;
    struct err err;

    (void)state;
    setenv("MCPDRILL_JSON", "", 1);
    setenv("MCPDRILL_QUIET", "off", 1);
    assert_int_equal(parse("play f", &args, &err), 0);
    assert_int_equal(args.given_count, 0);
    setenv("MCPDRILL_QUIET", "maybe", 1);
    assert_int_equal(parse("play f", &args, &err), ERR_USAGE);
    assert_string_equal(err.msg, "MCPDRILL_QUIET maybe: 1 or 0 is expected");
    forget_variables();
}

/* A program that another one of ours has started gets what that one says. */
static void test_variables_of_somebody_else(void **state)
{
    static struct opt_args args;
    struct err err;

    (void)state;
    setenv("MCPDRILL_COUNT", "13", 1);
    assert_int_equal(parse("play f --inner --json y", &args, &err), 0);
    assert_int_equal(args.given_count, 2);
    assert_false(opt_has(&args, "count"));
    forget_variables();
}

static void test_variables_are_bounded(void **state)
{
    static struct opt_args args;
    static char lines[OPT_LINES_MAX + 2];
    struct err err;

    (void)state;
    memset(lines, 'x', OPT_LINES_MAX);
    setenv("MCPDRILL_SET", lines, 1);
    assert_int_equal(parse("play f", &args, &err), ERR_USAGE);
    assert_string_equal(err.msg, "MCPDRILL_SET: more than 8192 bytes");
    for (size_t i = 0; i < 2 * (OPT_GIVEN_MAX + 1); i += 2) {
        memcpy(lines + i, "y\n", 3);
    }
    setenv("MCPDRILL_SET", lines, 1);
    assert_int_equal(parse("play f", &args, &err), ERR_USAGE);
    assert_string_equal(err.msg, "MCPDRILL_SET: more than 512 options");
    forget_variables();
}

static void test_commands(void **state)
{
    (void)state;
    assert_ptr_equal(command_find(table, 2, "play"), &table[0]);
    assert_null(command_find(table, 2, "pla"));
    assert_string_equal(command_suggest(table, 2, "paly"), "play");
    assert_null(command_suggest(table, 2, "zzzzzzzzzz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_in_any_order),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_numbers_have_bounds),
        cmocka_unit_test(test_too_many_options),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_options_from_the_environment),
        cmocka_unit_test(test_variables_that_say_nothing),
        cmocka_unit_test(test_variables_of_somebody_else),
        cmocka_unit_test(test_variables_are_bounded),
        cmocka_unit_test(test_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
