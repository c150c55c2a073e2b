/* SPDX-License-Identifier: MIT */
/* Options from the environment. There is one thread as long as options are read, and nobody sets
 * variables. */
#include "cli/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct str prefix = STR_INIT("MCPDRILL_");

static char in_variable(char c)
{
    if (c == '-') {
        return '_';
    }
    if (c >= 'a' && c <= 'z') {
        return (char)(c - 'a' + 'A');
    }
    return c;
}

const char *opt_variable(const char *name, char out[OPT_VARIABLE_MAX])
{
    size_t len = prefix.len;

    memcpy(out, prefix.p, prefix.len);
    for (const char *p = name; *p != '\0' && len < OPT_VARIABLE_MAX - 1; p++) {
        out[len++] = in_variable(*p);
    }
    out[len] = '\0';
    return out;
}

const char *opt_variable_value(const char *name)
{
    char variable[OPT_VARIABLE_MAX];
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): see above */
    const char *value = getenv(opt_variable(name, variable));

    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool opt_is_yes(const char *text, bool *known)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off"};
    struct str word = str_c(text);

    *known = true;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (str_ieq(word, str_c(yes[i]))) {
            return true;
        }
        if (str_ieq(word, str_c(no[i]))) {
            return false;
        }
    }
    *known = false;
    return false;
}

static int add(struct opt_args *args, const struct opt *o, const char *value, struct err *err)
{
    char variable[OPT_VARIABLE_MAX];

    if (args->given_count == OPT_GIVEN_MAX) {
        return err_set(err, ERR_USAGE, "%s: more than %d options", opt_variable(o->name, variable),
                       OPT_GIVEN_MAX);
    }
    args->given[args->given_count++] =
        (struct opt_given){.opt = o, .value = value, .from_environment = true};
    return 0;
}

static int
take_switch(struct opt_args *args, const struct opt *o, const char *value, struct err *err)
{
    char variable[OPT_VARIABLE_MAX];
    bool known;
    bool yes = opt_is_yes(value, &known);

    if (!known) {
        return err_set(err, ERR_USAGE, "%s %.40s: 1 or 0 is expected",
                       opt_variable(o->name, variable), value);
    }
    return yes ? add(args, o, NULL, err) : 0;
}

/* A value on each line; empty ones are skipped. */
static int
take_lines(struct opt_args *args, const struct opt *o, const char *value, struct err *err)
{
    char variable[OPT_VARIABLE_MAX];
    int rc = 0;

    for (const char *at = value; rc == 0 && *at != '\0';) {
        size_t len = strcspn(at, "\n");
        char *copy = args->lines_ + args->lines_len_;

        if (args->lines_len_ + len + 1 > sizeof args->lines_) {
            return err_set(err, ERR_USAGE, "%s: more than %d bytes",
                           opt_variable(o->name, variable), OPT_LINES_MAX);
        }
        memcpy(copy, at, len);
        copy[len] = '\0';
        args->lines_len_ += len + 1;
        rc = len > 0 ? add(args, o, copy, err) : 0;
        at += len + (at[len] == '\n');
    }
    return rc;
}

static int take(struct opt_args *args, const struct opt *o, struct err *err)
{
    const char *value = o->hidden || opt_has(args, o->name) ? NULL : opt_variable_value(o->name);

    if (value == NULL) {
        return 0;
    }
    if (o->argument == NULL) {
        return take_switch(args, o, value, err);
    }
    return o->repeats ? take_lines(args, o, value, err) : add(args, o, value, err);
}

static bool is_alone(const struct opt_args *args)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].opt->alone) {
            return true;
        }
    }
    return false;
}

int opt_take_environment(struct opt_args *args, struct err *err)
{
    const struct command *command = args->command;
    int rc = 0;

    if (is_alone(args)) {
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < command->option_count; i++) {
        rc = take(args, &command->options[i], err);
    }
    return rc;
}

void opt_tell_environment(const struct opt_args *args)
{
    char variable[OPT_VARIABLE_MAX];
    const struct opt *told = NULL;

    for (size_t i = 0; i < args->given_count; i++) {
        const struct opt_given *given = &args->given[i];

        if (given->from_environment && given->opt != told && !given->opt->beside) {
            fprintf(stderr, "mcpdrill %s: --%s comes from the environment variable %s\n",
                    args->command->name, given->opt->name,
                    opt_variable(given->opt->name, variable));
            told = given->opt;
        }
    }
}
