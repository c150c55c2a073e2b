/* SPDX-License-Identifier: MIT */
/*
 * The program: finds the command in its name or its first argument and runs it. Commands print to
 * stdout, what went wrong to stderr, and return the exit code.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "base/err.h"
#include "cli/opt.h"

int cli_main(int argc, char **argv);

/* docs/reference/cli.md. 0 or ERR_LIMIT. */
int cli_reference(struct buf *out);

/* Prints "mcpdrill: TEXT" to stderr and returns EXIT_USAGE. */
int cli_usage_error(const char *text);
/* Prints to stdout; EXIT_PASSED, or EXIT_INTERNAL when the reader is gone. */
int cli_print(struct str text);

int cmd_run(const struct opt_args *args);
int cmd_validate(const struct opt_args *args);
int cmd_explain(const struct opt_args *args);
int cmd_schema(const struct opt_args *args);
int cmd_reference(const struct opt_args *args);
int cmd_report(const struct opt_args *args);
int cmd_doctor(const struct opt_args *args);
int cmd_examples(const struct opt_args *args);

#endif
