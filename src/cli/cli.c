/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "cli/cmd_mockserver.h"
#include "cli/quick.h"
#include "cli/roles.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define HELP_TEXT_MAX ((size_t)1024 * 1024)

#define SET_OPTION                                                                \
    {                                                                             \
        .name = "set", .argument = "PATH=VALUE", .repeats = true, .secret = true, \
        .help = "Overrides one field, for example stages[0].load.target_vus=20."  \
    }

#define WITH_OPTION                                                                               \
    {                                                                                             \
        .name = "with", .argument = "FILE", .repeats = true,                                      \
        .help = "Merges a partial scenario from FILE into the scenario: only what is different. " \
                "Comes before --set."                                                             \
    }

#define EXPECT_OPTION                                                                    \
    {                                                                                    \
        .name = "expect", .argument = "CRITERION", .repeats = true,                      \
        .help = "One more success criterion of the run, for example 'error_rate < 1 %'." \
    }

static const struct opt run_options[] = {
    {.name = "json",
     .argument = "FILE",
     .help = "Writes the result there (result/v1); - prints it."},
    {.name = "out",
     .argument = "DIR",
     .help = "Writes everything into this folder: result.json, events, seconds and the log of "
             "operations as NDJSON, histograms.hlog."},
    {.name = "junit",
     .argument = "FILE",
     .help = "Writes a JUnit report there: a case for each condition, criterion and check."},
    {.name = "name",
     .argument = "TEXT",
     .help = "Name of the run in its result, instead of the scenario's."},
    {.name = "tag",
     .argument = "KEY=VALUE",
     .repeats = true,
     .help = "A label of the run in its result, its summary and its JUnit report."},
    EXPECT_OPTION,
    WITH_OPTION,
    SET_OPTION,
    {.name = "seed",
     .argument = "N",
     .help = "Seed of all random choices; the same as --set workload.seed=N."},
    {.name = "quiet",
     .letter = 'q',
     .help = "Prints nothing but the verdict, why it is not passed, and errors."},
    {.name = "threads",
     .argument = "N",
     .help =
         "Threads that make load; chosen by itself when not given. Fewer, where a part of a cap "
         "would lie idle (safety.hard_caps, pool_size)."},
    {.name = "workers",
     .argument = "N",
     .help = "Makes the load in N processes of this machine, each with the descriptors of one; "
             "chosen by itself where one process has too few."},
    QUICK_OPTIONS,
    {.name = "save",
     .argument = "FILE",
     .help = "Without a FILE: writes the scenario that the options mean there (- prints it), then "
             "runs it."},
    {.name = "no-run", .help = "Only checks, and writes what --save asks for."},
};

static const struct opt report_options[] = {
    {.name = "junit",
     .argument = "FILE",
     .help = "Writes a JUnit report there: a case for each condition, criterion and check."},
    {.name = "json", .help = "Prints the result itself instead of its summary."},
    {.name = "quiet",
     .letter = 'q',
     .help = "Prints nothing but the verdict, and why it is not passed."},
    {.name = "exit-code", .help = "Exits as the run did."},
};

static const struct opt validate_options[] = {
    {.name = "strict",
     .help = "Rules of a guarded set-up are errors, and every field of the format has to be there, "
             "as for the earlier implementation."},
    {.name = "policy",
     .argument = "NETWORK",
     .help = "Which addresses may be loaded: local (the default: all but those of cloud metadata "
             "services) or public (as a service checks that others may reach)."},
    {.name = "json", .help = "Prints the issues as JSON."},
    EXPECT_OPTION,
    WITH_OPTION,
    SET_OPTION,
};

static const struct opt explain_options[] = {
    EXPECT_OPTION,
    WITH_OPTION,
    SET_OPTION,
    QUICK_OPTIONS,
};

static const struct opt schema_options[] = {
    {.name = "reference", .help = "Prints the reference page of the format instead."},
};

static const struct opt doctor_options[] = {
    {.name = "json", .help = "Prints the checks as JSON."},
    WITH_OPTION,
    SET_OPTION,
};

static const struct opt examples_options[] = {
    {.name = "path", .help = "Prints the folder in which they are instead."},
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define OPTIONS(array)  .options = (array), .option_count = COUNT_OF(array)

#define EXIT_CODES                                                                         \
    "Exit codes:\n"                                                                        \
    "  0    passed\n"                                                                      \
    "  1    an internal error\n"                                                           \
    "  2    wrong configuration or arguments\n"                                            \
    "  4    a stop condition or a cap ended the run, or a success criterion was not met\n" \
    "  5    the run could not do its job: the preflight failed\n"                          \
    "  6    the measurement is not valid\n"                                                \
    "  7    aborted\n"                                                                     \
    "  130  interrupted (Ctrl-C: finish what runs; twice: at once)\n"                      \
    "  143  terminated\n"

static int cmd_help(const struct opt_args *args);
static int cmd_version(const struct opt_args *args);

#define LATER(name_, today)                                                  \
    {                                                                        \
        .name = (name_), .usage = "", .help = (today), .kind = COMMAND_LATER \
    }
#define PLAYS "\"mcpdrill run FILE\" checks a scenario, plays it and shows the figures"
#define STOPS "Ctrl-C ends \"mcpdrill run FILE\", twice at once"
#define KEEPS "\"mcpdrill run FILE --out DIR\" keeps events, seconds and operations in files"
#define SHOWS "\"mcpdrill report DIR\" shows what \"mcpdrill run FILE --out DIR\" has kept"
#define LOADS "\"mcpdrill run FILE\" makes the load in one process, on all cores"
#define LISTS "\"mcpdrill run --url URL\" asks a server for its list of tools"

static const struct command commands[] = {
    {.name = "run",
     .usage = "FILE|--url URL [options]",
     .help =
         "Plays the scenario in FILE, or a small one without a file: live figures, a summary, a "
         "result, an exit code.",
     .more = EXIT_CODES,
     .operands_max = 1,
     .run = cmd_run,
     OPTIONS(run_options)},
    {.name = "report",
     .usage = "DIR|FILE [options]",
     .help = "Prints the summary of a stored result again: of a folder of run --out, or a file.",
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_report,
     OPTIONS(report_options)},
    {.name = "validate",
     .usage = "FILE [options]",
     .help = "Says everything that is wrong with a scenario, with its place and what to do.",
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_validate,
     OPTIONS(validate_options)},
    {.name = "explain",
     .usage = "FILE|--url URL [options]",
     .help = "Prints the effective configuration of a scenario, every default shown.",
     .operands_max = 1,
     .run = cmd_explain,
     OPTIONS(explain_options)},
    {.name = "schema",
     .usage = "[options]",
     .help = "Prints the JSON Schema of scenario files.",
     .run = cmd_schema,
     OPTIONS(schema_options)},
    {.name = "reference",
     .usage = "PAGE",
     .help = "Prints a reference page: cli, limits, metrics, result or run-config.",
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_reference},
    {.name = "doctor",
     .usage = "[FILE] [options]",
     .help = "Checks this machine: limits, ports, memory, cores, clock; with FILE for its load.",
     .more = "Exit code 6: something that the scenario needs is missing.\n",
     .operands_max = 1,
     .run = cmd_doctor,
     OPTIONS(doctor_options)},
    {.name = "examples",
     .usage = "[options]",
     .help = "Lists the scenarios that come with the program; their paths work from any folder.",
     .run = cmd_examples,
     OPTIONS(examples_options)},
    {.name = "mockserver",
     .usage = "[--addr ADDRESS] [options]",
     .help = "A mock MCP server with streams and faults; see mockserver --help.",
     .kind = COMMAND_ROLE,
     .role = cmd_mockserver},
    {.name = "mock",
     .usage = "[--addr ADDRESS] [options]",
     .help = "The same as mockserver.",
     .kind = COMMAND_ROLE,
     .role = cmd_mockserver},
    {.name = "version", .usage = "", .help = "Prints the version.", .run = cmd_version},
    {.name = "help",
     .usage = "[COMMAND]",
     .help = "Prints the list of commands, or what a command does.",
     .operands_max = 1,
     .run = cmd_help},
    ROLE_COMMANDS,
    LATER("create", PLAYS),
    LATER("start", PLAYS),
    LATER("status", PLAYS),
    LATER("stop", STOPS),
    LATER("emergency-stop", STOPS),
    LATER("events", KEEPS),
    LATER("compare", SHOWS),
    LATER("logs", KEEPS),
    LATER("list", SHOWS),
    LATER("delete", SHOWS),
    LATER("clone", PLAYS),
    LATER("workers", LOADS),
    LATER("tools", LISTS),
};

int cli_reference(struct buf *out)
{
    return command_reference(commands, COUNT_OF(commands), out);
}

int cli_usage_error(const char *text)
{
    fprintf(stderr, "mcpdrill: %s\n", text);
    return EXIT_USAGE;
}

int cli_print(struct str text)
{
    if (fwrite(text.p, 1, text.len, stdout) != text.len || fflush(stdout) != 0) {
        fprintf(stderr, "mcpdrill: cannot write the output: %s\n", strerrordesc_np(errno));
        return EXIT_INTERNAL;
    }
    return EXIT_PASSED;
}

/* ---- help and version -------------------------------------------------------------------------
 */

static int print_help(const struct command *command)
{
    struct buf text;

    buf_init(&text, HELP_TEXT_MAX);
    int rc = command != NULL ? command_help(command, &text)
                             : command_list(commands, COUNT_OF(commands), &text);
    rc = rc == 0 ? cli_print(buf_str(&text)) : EXIT_INTERNAL;
    buf_clear(&text);
    return rc;
}

/* Says what to do today. Somebody who only asked (`--help`) has made no mistake. */
static int not_supported(const struct command *command, bool asked)
{
    fprintf(asked ? stdout : stderr,
            "mcpdrill: \"%s\" is not supported yet; %s (\"mcpdrill help\" lists what this version "
            "has)\n",
            command->name, command->help);
    return asked ? EXIT_PASSED : EXIT_USAGE;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static int unknown_command(const char *name)
{
    const char *near = command_suggest(commands, COUNT_OF(commands), name);

    if (near != NULL) {
        fprintf(stderr, "mcpdrill: unknown command \"%.60s\"; did you mean \"%s\"?\n", name, near);
    } else {
        fprintf(stderr, "mcpdrill: unknown command \"%.60s\"; \"mcpdrill help\" lists them\n",
                name);
    }
    return EXIT_USAGE;
}

static int cmd_help(const struct opt_args *args)
{
    if (args->operand_count == 0) {
        return print_help(NULL);
    }
    const struct command *command = command_find(commands, COUNT_OF(commands), args->operands[0]);
    if (command == NULL) {
        return unknown_command(args->operands[0]);
    }
    if (command->run == NULL && command->kind == COMMAND_LATER) {
        return not_supported(command, true);
    }
    if (command->kind == COMMAND_ROLE) {
        /* A role reads its own options, so it also knows best what to say about them. */
        char name[32], help[] = "--help";
        char *argv[] = {name, help, NULL};
        snprintf(name, sizeof name, "%s", command->name);
        return command->role(2, argv);
    }
    return print_help(command);
}

static int cmd_version(const struct opt_args *args)
{
    (void)args;
    return cli_print(STR("mcpdrill " MCPDRILL_VERSION "\n"));
}

/* ---- which command ----------------------------------------------------------------------------
 */

/* argv[0] is the command's name. */
static int dispatch(const struct command *command, int argc, char **argv)
{
    static struct opt_args args; /* too large for a stack */
    struct err err = {0};

    if (command->run == NULL && command->kind == COMMAND_LATER) {
        return not_supported(command, asks_help(argc, argv));
    }
    if (command->kind == COMMAND_ROLE) {
        return command->role(argc, argv);
    }
    if (opt_parse(command, argc, argv, &args, &err) != 0) {
        fprintf(stderr, "mcpdrill %s: %s\n", command->name, err.msg);
        return EXIT_USAGE;
    }
    int code = args.help ? print_help(command) : command->run(&args);
    if (code == EXIT_USAGE) {
        opt_tell_environment(&args);
    }
    return code;
}

/* The command that the program's own name stands for, or NULL: "server" and "mcpdrill-server". */
static const struct command *role_of(const char *path)
{
    static const char *const roles[] = {"server", "worker", "mockserver", "agent"};
    const char *slash = strrchr(path, '/');
    struct str name = str_c(slash != NULL ? slash + 1 : path);
    const struct str prefix = STR_INIT("mcpdrill-");

    if (str_starts(name, prefix)) {
        name = (struct str){name.p + prefix.len, name.len - prefix.len};
    }
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (str_eq(name, str_c(roles[i]))) {
            return command_find(commands, COUNT_OF(commands), roles[i]);
        }
    }
    return NULL;
}

/* Thousands of streams need as many descriptors as the system lets us have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int cli_main(int argc, char **argv)
{
    raise_descriptor_limit();
    /* A reader that goes away is an error of a write, not the end of a run. */
    signal(SIGPIPE, SIG_IGN);
    const struct command *command = argc > 0 ? role_of(argv[0]) : NULL;
    if (command != NULL && argc == 2 && strcmp(argv[1], "--version") == 0) {
        return cmd_version(NULL);
    }
    if (command != NULL) {
        return dispatch(command, argc, argv);
    }
    if (argc < 2) {
        print_help(NULL);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return print_help(NULL);
    }
    if (strcmp(name, "--version") == 0) {
        return cmd_version(NULL);
    }
    command = command_find(commands, COUNT_OF(commands), name);
    return command != NULL ? dispatch(command, argc - 1, argv + 1) : unknown_command(name);
}
