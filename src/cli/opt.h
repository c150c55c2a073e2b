/* SPDX-License-Identifier: MIT */
/*
 * Commands and their options as tables. From a table come the parser (getopt_long), the help, the
 * suggestion for a misspelt word, and docs/reference/cli.md.
 *
 * An option takes its value as `--name value` or `--name=value`; given twice, the last one counts,
 * unless its row says that it repeats. One that is not on the command line is taken from its
 * environment variable, `--max-vus` from MCPDRILL_MAX_VUS (cli/opt_env.c). Texts belong to argv or
 * the environment and live as long as they.
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPT_ROWS_MAX = 48, OPT_GIVEN_MAX = 512, OPT_VARIABLE_MAX = 64, OPT_LINES_MAX = 8192 };

/* Exit codes; those of a run come with it (control/run.h). */
enum { EXIT_PASSED = 0, EXIT_INTERNAL = 1, EXIT_USAGE = 2 };

struct opt {
    const char *name;     /* without the dashes */
    char letter;          /* short form, or 0 */
    const char *argument; /* "FILE"; NULL: takes none */
    const char *help;     /* one sentence */
    bool repeats;
    bool beside; /* mistakes in other options have nothing to do with it */
    bool secret; /* its value may hold a password, and so may words that were meant to be in it */
    bool hidden; /* between our own programs: in no help, and no variable */
    bool alone;  /* who gives it gives all: with it nothing is taken from the environment */
};

struct opt_args;

enum command_kind {
    COMMAND_HERE,  /* parsed by its table */
    COMMAND_ROLE,  /* a program of its own that reads its own arguments */
    COMMAND_LATER, /* known, not there yet; with `run`, its options are known, too */
};

struct command {
    const char *name;
    const char *usage;   /* behind the name: "FILE [options]" */
    const char *help;    /* one line */
    const char *more;    /* further lines, each with its newline; or NULL */
    const char *heading; /* in the list of commands, above this one and those after it; or NULL */
    enum command_kind kind;
    unsigned operands_min, operands_max; /* what stands beside the options */
    const struct opt *options;
    size_t option_count;
    bool variables_elsewhere; /* scenarios may name environment variables that others have */
    int (*run)(const struct opt_args *args); /* not of a COMMAND_ROLE; returns the exit code */
    int (*role)(int argc, char **argv);      /* COMMAND_ROLE; argv[0] is its name */
};

struct opt_given {
    const struct opt *opt;
    const char *value; /* NULL when it takes none */
    bool from_environment;
};

struct opt_args {
    const struct command *command;
    size_t given_count, operand_count;
    struct opt_given given[OPT_GIVEN_MAX];
    const char *operands[4];
    /* The words, argv[0] being the name of the command. */
    int argc;
    char *const *argv;
    bool help; /* --help was given; nothing else counts then */
    /* private: the lines of variables that have several values */
    size_t lines_len_;
    char lines_[OPT_LINES_MAX];
};

/* argv[0] is the name of the command. ERR_USAGE with a text that names the mistake and, where there
 * is one, the nearest known option. */
int opt_parse(const struct command *command,
              int argc,
              char *const argv[],
              struct opt_args *out,
              struct err *err);

bool opt_has(const struct opt_args *args, const char *name);
/* The last value given, or NULL. */
const char *opt_value(const struct opt_args *args, const char *name);
/* All values, in order; `out` has room for OPT_GIVEN_MAX. Returns how many. */
size_t opt_values(const struct opt_args *args, const char *name, const char **out);
/* 0, *out untouched, when it was not given; ERR_USAGE when it is no number within min..max. */
int opt_number(const struct opt_args *args,
               const char *name,
               uint64_t min,
               uint64_t max,
               uint64_t *out,
               struct err *err);

/* How to name the option in a text about its value: "--max-vus", or the variable that gave it. */
const char *opt_label(const struct opt_args *args, const char *name, char out[OPT_VARIABLE_MAX]);

/* ---- the environment: cli/opt_env.c -----------------------------------------------------------
 */

/* "MCPDRILL_MAX_VUS"; returns `out`. */
const char *opt_variable(const char *name, char out[OPT_VARIABLE_MAX]);
/* The variable's value; NULL when it is not set, or empty. */
const char *opt_variable_value(const char *name);
/* Is the text a yes (1, true, yes, on)? False in *known: neither that nor a no. */
bool opt_is_yes(const char *text, bool *known);
/* Adds what the command line did not give. An option without an argument is given by 1, true, yes
 * or on; one that repeats has a value on each line. ERR_USAGE for any other word, or too many. */
int opt_take_environment(struct opt_args *args, struct err *err);
/* Says on stderr which options came from the environment, for somebody whose command was refused
 * because of one that the command line does not show. */
void opt_tell_environment(const struct opt_args *args);

/* NULL when there is none. */
const struct command *command_find(const struct command *table, size_t count, const char *name);
/* A name to suggest, or NULL. */
const char *command_suggest(const struct command *table, size_t count, const char *name);

/* Help of one command, and the list of all. 0 or ERR_LIMIT. */
int command_help(const struct command *command, struct buf *out);
int command_list(const struct command *table, size_t count, struct buf *out);
/* docs/reference/cli.md. 0 or ERR_LIMIT. */
int command_reference(const struct command *table, size_t count, struct buf *out);

#endif
