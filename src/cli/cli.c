/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "base/mem.h"
#include "cli/client.h"
#include "cli/cmd_mockserver.h"
#include "cli/cmd_server.h"
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

static const struct opt create_options[] = {
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
    QUICK_OPTIONS,
    CLIENT_OPTIONS,
};

static const struct opt start_options[] = {
    {.name = "wait",
     .help = "Shows the events until the run is over, then its summary, and exits as the run did."},
    {.name = "json",
     .argument = "FILE",
     .help = "With --wait: writes the result there (result/v1); - prints it."},
    {.name = "quiet",
     .letter = 'q',
     .help = "With --wait: prints nothing but the verdict, and why it is not passed."},
    CLIENT_OPTIONS,
};

static const struct opt status_options[] = {
    {.name = "json", .help = "Prints what the control plane answers."},
    {.name = "watch", .help = "Again each second, until the run is over."},
    CLIENT_OPTIONS,
};

static const struct opt events_options[] = {
    {.name = "follow", .letter = 'f', .help = "Goes on with new events until the run is over."},
    {.name = "json", .help = "Prints each event as JSON, in a line of its own."},
    CLIENT_OPTIONS,
};

static const struct opt stop_options[] = {
    {.name = "mode",
     .argument = "MODE",
     .help = "drain: what runs may finish; immediate: at once. The scenario's stop policy when "
             "nothing is said."},
    CLIENT_OPTIONS,
};

static const struct opt list_options[] = {
    {.name = "state", .argument = "STATE", .help = "Only runs in this state, for example created."},
    {.name = "limit", .argument = "N", .help = "At most so many; 20 when nothing is said."},
    {.name = "json", .help = "Prints what the control plane answers."},
    CLIENT_OPTIONS,
};

static const struct opt clone_options[] = {SET_OPTION, CLIENT_OPTIONS};

static const struct opt workers_options[] = {
    {.name = "json", .help = "Prints what the control plane answers."},
    CLIENT_OPTIONS,
};

static const struct opt client_options[] = {CLIENT_OPTIONS};

static const struct opt examples_options[] = {
    {.name = "path", .help = "Prints the folder in which they are instead."},
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define OPTIONS(array)  .options = (array), .option_count = COUNT_OF(array)

#define EXIT_CODES                                                                           \
    "Exit codes:\n"                                                                          \
    "  0    passed\n"                                                                        \
    "  1    an internal error\n"                                                             \
    "  2    wrong configuration or arguments\n"                                              \
    "  4    a stop condition or a cap ended the run, or a success criterion was not met\n"   \
    "  5    the run could not do its job: the preflight failed, or a worker was lost\n"      \
    "  6    the measurement is not valid\n"                                                  \
    "  7    aborted\n"                                                                       \
    "  130  interrupted (Ctrl-C: finish what runs; twice: at once), or stopped by request\n" \
    "  143  terminated\n"

#define CLIENT_EXITS                                                                  \
    "Exit codes: 1 the control plane refuses (it says why), 2 wrong arguments or an " \
    "invalid\nscenario, 3 no control plane can be reached.\n"
#define NAMES_RUN "RUN is the id of a run, a beginning of it that no other run has, or last.\n"

static int cmd_help(const struct opt_args *args);
static int cmd_version(const struct opt_args *args);

#define LATER(name_, today)                                                  \
    {                                                                        \
        .name = (name_), .usage = "", .help = (today), .kind = COMMAND_LATER \
    }
#define KEEPS "\"mcpdrill run FILE --out DIR\" keeps events, seconds and operations in files"
#define SHOWS "\"mcpdrill report DIR\" shows what \"mcpdrill run FILE --out DIR\" has kept"
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
     .help = "Prints a reference page: api, cli, limits, metrics, result or run-config.",
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
    SERVER_COMMAND,
    ROLE_COMMANDS,
    {.name = "create",
     .heading = "Runs of a control plane",
     .usage = "FILE|--url URL [options]",
     .help = "Gives a scenario to a control plane as a new run, and prints the run's id.",
     .more = "The scenario is checked here first. The id stands alone on the standard output:\n"
             "RUN=$(mcpdrill create FILE).\n\n" CLIENT_EXITS,
     .operands_max = 1,
     .variables_elsewhere = true,
     .run = cmd_create,
     OPTIONS(create_options)},
    {.name = "start",
     .usage = "RUN [options]",
     .help = "Starts a run that was created.",
     .more = NAMES_RUN "With --wait the exit code is that of \"mcpdrill run\"; 3 when the control "
                       "plane is lost, 5\nwithout enough workers. Ctrl-C stops waiting, not the "
                       "run.\n\n" CLIENT_EXITS,
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_start,
     OPTIONS(start_options)},
    {.name = "status",
     .usage = "RUN [options]",
     .help = "Prints where a run is: its state, its load, its figures, its verdict.",
     .more = NAMES_RUN CLIENT_EXITS,
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_status,
     OPTIONS(status_options)},
    {.name = "events",
     .usage = "RUN [options]",
     .help = "Prints what has happened in a run, a line for each event.",
     .more = NAMES_RUN CLIENT_EXITS,
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_events,
     OPTIONS(events_options)},
    {.name = "watch",
     .usage = "RUN [options]",
     .help = "Shows a run live, as \"mcpdrill run\" does, and its summary at the end.",
     .more = NAMES_RUN "Ctrl-C stops watching, not the run.\n\n" CLIENT_EXITS,
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_watch,
     OPTIONS(client_options)},
    {.name = "stop",
     .usage = "RUN [options]",
     .help = "Ends a run: nothing new is begun, and what runs may finish.",
     .more = NAMES_RUN CLIENT_EXITS,
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_stop,
     OPTIONS(stop_options)},
    {.name = "emergency-stop",
     .usage = "RUN [options]",
     .help = "Cuts a run off at once, on all workers; it ends as aborted.",
     .more = NAMES_RUN CLIENT_EXITS,
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_emergency_stop,
     OPTIONS(client_options)},
    {.name = "list",
     .usage = "[options]",
     .help = "Lists the runs of a control plane, the newest first.",
     .more = CLIENT_EXITS,
     .run = cmd_list,
     OPTIONS(list_options)},
    {.name = "clone",
     .usage = "RUN [options]",
     .help = "Makes a new run of the same scenario, and prints its id.",
     .more = NAMES_RUN CLIENT_EXITS,
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_clone,
     OPTIONS(clone_options)},
    {.name = "delete",
     .usage = "RUN [options]",
     .help = "Deletes a run that is over or was never started, with all that is stored of it.",
     .more = NAMES_RUN CLIENT_EXITS,
     .operands_min = 1,
     .operands_max = 1,
     .run = cmd_delete,
     OPTIONS(client_options)},
    {.name = "workers",
     .usage = "[options]",
     .help = "Lists the workers of a control plane.",
     .more = CLIENT_EXITS,
     .run = cmd_workers,
     OPTIONS(workers_options)},
    {.name = "export",
     .usage = "RUN DIR [options]",
     .help = "Writes what there is of a run that is over into a folder: result.json, "
             "events.ndjson, scenario.json.",
     .more = NAMES_RUN CLIENT_EXITS,
     .operands_min = 2,
     .operands_max = 2,
     .run = cmd_export,
     OPTIONS(client_options)},
    LATER("compare", SHOWS),
    LATER("logs", KEEPS),
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

/* The command and its words, where options of clients stand in front of it: they go behind it. */
static int dispatch_moved(int argc, char **argv)
{
    int front = 1;

    while (front < argc && client_option_words(argv[front]) > 0) {
        front += client_option_words(argv[front]);
    }
    if (front >= argc) {
        return cli_usage_error("a command is missing behind the options (\"mcpdrill help\" lists "
                               "them)");
    }
    const struct command *command = command_find(commands, COUNT_OF(commands), argv[front]);
    if (command == NULL) {
        return unknown_command(argv[front]);
    }
    char **moved = xcalloc((size_t)argc + 1, sizeof *moved);
    moved[0] = argv[front];
    memcpy(moved + 1, argv + 1, (size_t)(front - 1) * sizeof *moved);
    memcpy(moved + front, argv + front + 1, (size_t)(argc - front - 1) * sizeof *moved);
    int code = dispatch(command, argc - 1, moved);
    xfree(moved);
    return code;
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
    if (client_option_words(name) > 0) {
        return dispatch_moved(argc, argv);
    }
    command = command_find(commands, COUNT_OF(commands), name);
    return command != NULL ? dispatch(command, argc - 1, argv + 1) : unknown_command(name);
}
