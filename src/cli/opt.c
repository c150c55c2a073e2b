/* SPDX-License-Identifier: MIT */
#include "cli/opt.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Values that getopt_long returns: rows have their index from here on, --help is 'h'. */
enum { ROW_BASE = 1000, OPERANDS_MAX = 4, COMMANDS_MAX = 40 };

struct opt_names {
    struct option longs[OPT_ROWS_MAX + 2];
    char shorts[OPT_ROWS_MAX * 2 + 4];
};

/* The tables of getopt_long from ours. */
static void make_names(const struct command *command, struct opt_names *out)
{
    size_t at = 0;

    assert(command->option_count <= OPT_ROWS_MAX);
    memset(out, 0, sizeof *out);
    out->shorts[at++] = ':';
    out->shorts[at++] = 'h';
    for (size_t i = 0; i < command->option_count; i++) {
        const struct opt *o = &command->options[i];

        out->longs[i] =
            (struct option){.name = o->name,
                            .has_arg = o->argument != NULL ? required_argument : no_argument,
                            .val = ROW_BASE + (int)i};
        if (o->letter != 0) {
            out->shorts[at++] = o->letter;
            if (o->argument != NULL) {
                out->shorts[at++] = ':';
            }
        }
    }
    out->longs[command->option_count] = (struct option){.name = "help", .val = 'h'};
}

/* The row of what getopt_long returned; NULL when it is none. */
static const struct opt *row_of(const struct command *command, int value)
{
    for (size_t i = 0; i < command->option_count; i++) {
        if (value == ROW_BASE + (int)i ||
            (command->options[i].letter != 0 && value == command->options[i].letter)) {
            return &command->options[i];
        }
    }
    return NULL;
}

/* The name in "--name" or "--name=value". */
static struct str long_name(const char *word)
{
    return (struct str){word + 2, strcspn(word + 2, "=")};
}

static int unknown_option(const struct command *command, const char *word, struct err *err)
{
    const char *names[OPT_ROWS_MAX + 1];
    size_t count = 0;

    for (; count < command->option_count; count++) {
        names[count] = command->options[count].name;
    }
    names[count++] = "help";
    if (strncmp(word, "--", 2) != 0) {
        return err_set(err, ERR_USAGE, "unknown option %.40s", word);
    }
    struct str name = long_name(word);
    const char *near = str_nearest(name, names, count);
    int len = name.len < 60 ? (int)name.len : 60;
    if (near != NULL) {
        return err_set(err, ERR_USAGE, "unknown option --%.*s; did you mean --%s?", len, name.p,
                       near);
    }
    return err_set(err, ERR_USAGE, "unknown option --%.*s", len, name.p);
}

static int bad_option(const struct command *command, int what, char *const argv[], struct err *err)
{
    const struct opt *o = row_of(command, optopt);
    char letter[3] = {'-', (char)optopt, '\0'};

    if (o != NULL && what == ':') {
        return err_set(err, ERR_USAGE, "--%s needs a value: --%s %s", o->name, o->name,
                       o->argument);
    }
    if (o != NULL || optopt == 'h') {
        return err_set(err, ERR_USAGE, "--%s takes no value", o != NULL ? o->name : "help");
    }
    return unknown_option(command, optopt > 0 && optopt < 128 ? letter : argv[optind - 1], err);
}

/* getopt_long takes any beginning of a name that is unique today; a script that relied on it would
 * break with the next option. */
static bool is_spelt_out(const struct opt *o, char *const argv[])
{
    const char *word = argv[optind - 1];

    if (o->argument != NULL && optarg == word) {
        word = argv[optind - 2];
    }
    return strncmp(word, "--", 2) != 0 || str_eq(long_name(word), str_c(o->name));
}

static int
take_option(struct opt_args *out, const struct opt *o, char *const argv[], struct err *err)
{
    if (!is_spelt_out(o, argv)) {
        bool apart = o->argument != NULL && optarg == argv[optind - 1];
        return unknown_option(out->command, argv[optind - (apart ? 2 : 1)], err);
    }
    if (out->given_count == OPT_GIVEN_MAX) {
        return err_set(err, ERR_USAGE, "more than %d options", OPT_GIVEN_MAX);
    }
    out->given[out->given_count++] =
        (struct opt_given){.opt = o, .value = o->argument != NULL ? optarg : NULL};
    return 0;
}

/* Behind `--header Authorization: Bearer abc` without quotes, the argument is the password. */
static int one_too_many(const struct opt_args *args, const char *word, struct err *err)
{
    const struct command *command = args->command;

    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].opt->secret) {
            return err_set(err, ERR_USAGE,
                           "one argument too many; a value of --%s with blanks needs quotes "
                           "around it",
                           args->given[i].opt->name);
        }
    }
    return err_set(err, ERR_USAGE, "one argument too many: %.100s (usage: mcpdrill %s%s%s)", word,
                   command->name, command->usage[0] != '\0' ? " " : "", command->usage);
}

static int take_operands(struct opt_args *out, int argc, char *const argv[], struct err *err)
{
    const struct command *command = out->command;

    assert(command->operands_max <= OPERANDS_MAX);
    for (; optind < argc; optind++) {
        if (out->operand_count == command->operands_max) {
            return one_too_many(out, argv[optind], err);
        }
        out->operands[out->operand_count++] = argv[optind];
    }
    if (out->operand_count < command->operands_min) {
        return err_set(err, ERR_USAGE, "an argument is missing (usage: mcpdrill %s %s)",
                       command->name, command->usage);
    }
    return 0;
}

int opt_parse(const struct command *command,
              int argc,
              char *const argv[],
              struct opt_args *out,
              struct err *err)
{
    struct opt_names names;
    int value, rc = 0;

    memset(out, 0, sizeof *out);
    out->command = command;
    out->argc = argc;
    out->argv = argv;
    make_names(command, &names);
    opterr = 0;
    optind = 0; /* GNU: begin anew, forget an earlier parse */
    while (rc == 0) {
        /* Its state is the process's, and there is one thread as long as options are read. */
        /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
        value = getopt_long(argc, argv, names.shorts, names.longs, NULL);
        const struct opt *o = row_of(command, value);

        if (value == -1) {
            break;
        }
        if (o != NULL) {
            rc = take_option(out, o, argv, err);
        } else if (value == 'h') {
            out->help = true;
            return 0;
        } else {
            rc = bad_option(command, value, argv, err);
        }
    }
    if (rc == 0) {
        rc = opt_take_environment(out, err);
    }
    return rc != 0 ? rc : take_operands(out, argc, argv, err);
}

/* ---- what was given ---------------------------------------------------------------------------
 */

static bool is_named(const struct opt_given *given, const char *name)
{
    return strcmp(given->opt->name, name) == 0;
}

bool opt_has(const struct opt_args *args, const char *name)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (is_named(&args->given[i], name)) {
            return true;
        }
    }
    return false;
}

const char *opt_value(const struct opt_args *args, const char *name)
{
    for (size_t i = args->given_count; i > 0; i--) {
        if (is_named(&args->given[i - 1], name)) {
            return args->given[i - 1].value;
        }
    }
    return NULL;
}

size_t opt_values(const struct opt_args *args, const char *name, const char **out)
{
    size_t count = 0;

    for (size_t i = 0; i < args->given_count; i++) {
        if (is_named(&args->given[i], name)) {
            out[count++] = args->given[i].value;
        }
    }
    return count;
}

int opt_number(const struct opt_args *args,
               const char *name,
               uint64_t min,
               uint64_t max,
               uint64_t *out,
               struct err *err)
{
    const char *text = opt_value(args, name);
    char label[OPT_VARIABLE_MAX];
    uint64_t value;

    if (text == NULL) {
        return 0;
    }
    if (!str_u64(str_c(text), max, &value) || value < min) {
        return err_set(err, ERR_USAGE, "%s %.40s: a whole number within %llu..%llu is expected",
                       opt_label(args, name, label), text, (unsigned long long)min,
                       (unsigned long long)max);
    }
    *out = value;
    return 0;
}

const char *opt_label(const struct opt_args *args, const char *name, char out[OPT_VARIABLE_MAX])
{
    for (size_t i = args->given_count; i > 0; i--) {
        if (is_named(&args->given[i - 1], name) && args->given[i - 1].from_environment) {
            return opt_variable(name, out);
        }
    }
    snprintf(out, OPT_VARIABLE_MAX, "--%s", name);
    return out;
}

/* ---- commands ---------------------------------------------------------------------------------
 */

const struct command *command_find(const struct command *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

const char *command_suggest(const struct command *table, size_t count, const char *name)
{
    const char *names[COMMANDS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        assert(n < COMMANDS_MAX);
        if (table[i].kind != COMMAND_LATER) {
            names[n++] = table[i].name;
        }
    }
    return str_nearest(str_c(name), names, n);
}

/* ---- help -------------------------------------------------------------------------------------
 */

enum { HELP_COLUMN = 26 };

static int add_help_row(struct buf *out, const char *left, const char *help)
{
    size_t len = strlen(left);
    int pad = len + 2 < HELP_COLUMN ? (int)(HELP_COLUMN - len) : 2;

    return buf_printf(out, "%s%*s%s\n", left, pad, "", help);
}

static int add_option_help(struct buf *out, const struct opt *o)
{
    char left[80], variable[OPT_VARIABLE_MAX];
    char letter[5] = "    ";

    if (o->letter != 0) {
        letter[0] = '-';
        letter[1] = o->letter;
        letter[2] = ',';
    }
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, o->argument != NULL ? " " : "",
             o->argument != NULL ? o->argument : "");
    int pad = strlen(left) + 2 < HELP_COLUMN ? (int)(HELP_COLUMN - strlen(left)) : 2;
    return buf_printf(out, "%s%*s%s [%s]\n", left, pad, "", o->help,
                      opt_variable(o->name, variable));
}

/* Options of our own programs among one another are nobody's business. */
static int add_options_help(struct buf *out, const struct command *command)
{
    int rc = buf_add_c(out, "\nOptions, each with the environment variable that gives it, too:\n");

    for (size_t i = 0; rc == 0 && i < command->option_count; i++) {
        rc = command->options[i].hidden ? 0 : add_option_help(out, &command->options[i]);
    }
    return rc;
}

int command_help(const struct command *command, struct buf *out)
{
    int rc = buf_printf(out, "Usage: mcpdrill %s%s%s\n\n%s\n", command->name,
                        command->usage[0] != '\0' ? " " : "", command->usage, command->help);

    if (rc == 0) {
        rc = command->option_count > 0 ? add_options_help(out, command)
                                       : buf_add_c(out, "\nOptions:\n");
    }
    if (rc == 0) {
        rc = add_help_row(out, "  -h, --help", "Prints this.");
    }
    if (rc == 0 && command->more != NULL) {
        rc = buf_printf(out, "\n%s", command->more);
    }
    return rc;
}

int command_list(const struct command *table, size_t count, struct buf *out)
{
    bool first = true;
    int rc =
        buf_add_c(out, "mcpdrill " MCPDRILL_VERSION ": load and stress tests for MCP servers\n\n"
                       "Usage: mcpdrill COMMAND [options]\n\nCommands:\n");

    for (size_t i = 0; rc == 0 && i < count; i++) {
        char left[80];

        if (table[i].heading != NULL) {
            rc = buf_printf(out, "\n%s:\n", table[i].heading);
        }
        if (rc == 0 && table[i].kind != COMMAND_LATER) {
            snprintf(left, sizeof left, "  %s", table[i].name);
            rc = add_help_row(out, left, table[i].help);
        }
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (table[i].kind == COMMAND_LATER) {
            rc = buf_printf(out, "%s%s", first ? "\nIn a later version: " : ", ", table[i].name);
            first = false;
        }
    }
    return rc != 0 ? rc
                   : buf_add_c(out, "\n\n\"mcpdrill help COMMAND\" tells more about a command.\n");
}

/* ---- the reference page -----------------------------------------------------------------------
 */

static int add_reference(struct buf *out, const struct command *command)
{
    int rc = buf_printf(out, "\n## `mcpdrill %s%s%s`\n\n%s\n", command->name,
                        command->usage[0] != '\0' ? " " : "", command->usage, command->help);

    if (rc == 0 && command->option_count > 0) {
        rc = buf_add_c(out, "\n| option | meaning |\n|---|---|\n");
    }
    for (size_t i = 0; rc == 0 && i < command->option_count; i++) {
        const struct opt *o = &command->options[i];
        const char letter[7] = {'`', '-', o->letter, '`', ',', ' ', '\0'};

        if (o->hidden) {
            continue;
        }
        rc = buf_printf(out, "| %s`--%s%s%s` | %s%s |\n", o->letter != 0 ? letter : "", o->name,
                        o->argument != NULL ? " " : "", o->argument != NULL ? o->argument : "",
                        o->help, o->repeats ? " May be given several times." : "");
    }
    if (rc == 0 && command->more != NULL) {
        rc = buf_printf(out, "\n```\n%s```\n", command->more);
    }
    return rc;
}

/* What is refused: by name, and with the options where they are known already. */
static int add_reference_later(const struct command *table, size_t count, struct buf *out)
{
    int rc = buf_add_c(out, "\n## Later\n\nKnown and refused with a clear line until they are "
                            "there:");

    for (size_t i = 0, n = 0; rc == 0 && i < count; i++) {
        if (table[i].kind == COMMAND_LATER) {
            rc = buf_printf(out, "%s `%s`", n++ == 0 ? "" : ",", table[i].name);
        }
    }
    if (rc == 0) {
        rc = buf_add_c(out, ". Those below have published options, which are known as well and "
                            "have no meaning\nyet.\n");
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (table[i].kind == COMMAND_LATER && table[i].option_count > 0) {
            rc = add_reference(out, &table[i]);
        }
    }
    return rc;
}

int command_reference(const struct command *table, size_t count, struct buf *out)
{
    int rc = buf_add_c(
        out, "# The command line\n\n"
             "An option takes its value as `--name value` or `--name=value`. What is unknown is "
             "refused with exit code 2\nand the nearest known name. `--help` says the same as this "
             "page.\n\n"
             "Each option can be given by an environment variable instead: `--max-vus` by "
             "`MCPDRILL_MAX_VUS`. What the command\nline says counts before it, and an empty one "
             "is none. An option without a value is given by `1`, `true`, `yes` or\n`on`; one that "
             "may be given several times has a value on each line.\n\n"
             "Generated from the tables in `src/cli/cli.c`; `mcpdrill reference cli` prints it.\n");

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (table[i].kind != COMMAND_LATER) {
            rc = add_reference(out, &table[i]);
        }
    }
    return rc != 0 ? rc : add_reference_later(table, count, out);
}
