/* SPDX-License-Identifier: MIT */
#include "cli/load.h"

#include "metrics/registry.h"
#include "report/text.h"

#include <stdio.h>
#include <string.h>

#define ISSUES_TEXT_MAX ((size_t)8 * 1024 * 1024)

int load_scenario(const struct opt_args *args,
                  const char *seed,
                  struct scenario **out,
                  struct issue_list *issues,
                  struct err *err)
{
    const char *metrics[METRIC_NAMES_MAX], *sets[OPT_GIVEN_MAX + 1];
    char seed_set[64];
    struct scenario_options options = {
        .sets = sets,
        .set_count = opt_values(args, "set", sets),
        .metric_names = metrics,
        .metric_count = metric_names(metrics),
        .strict = opt_has(args, "strict"),
    };

    if (seed != NULL) {
        snprintf(seed_set, sizeof seed_set, "workload.seed=%s", seed);
        sets[options.set_count++] = seed_set;
    }
    return scenario_load_file(args->operands[0], &options, out, issues, err);
}

/* Texts of a file end up on a terminal: line by line, without control characters. */
static void print_lines(struct str text)
{
    struct buf safe;

    buf_init(&safe, ISSUES_TEXT_MAX * 3);
    while (text.len > 0) {
        const char *end = memchr(text.p, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.p) : text.len;

        if (text_add_safe(&safe, (struct str){text.p, len}, len) != 0 ||
            buf_add_c(&safe, "\n") != 0) {
            break;
        }
        len += end != NULL;
        text = (struct str){text.p + len, text.len - len};
    }
    fwrite(safe.p, 1, safe.len, stderr);
    buf_clear(&safe);
}

void load_complain(const struct opt_args *args,
                   const struct issue_list *issues,
                   const struct err *err)
{
    const char *file = args->operands[0];
    struct buf text;

    buf_init(&text, ISSUES_TEXT_MAX);
    for (size_t i = 0; i < issues->count; i++) {
        /* A list that is too long for its bound was still counted below. */
        if (issue_write(&issues->items[i], file, &text) != 0) {
            break;
        }
    }
    if (issues->count == 0) {
        /* Failures to read name the file themselves. */
        bool named = strstr(err->msg, file) != NULL;
        buf_printf(&text, "mcpdrill %s: %s%s%s\n", args->command->name, named ? "" : file,
                   named ? "" : ": ", err->msg);
    } else if (issues->error_count > 0) {
        buf_printf(&text, "%s: %zu error%s, %zu warning%s\n", file, issues->error_count,
                   issues->error_count == 1 ? "" : "s", issues->warning_count,
                   issues->warning_count == 1 ? "" : "s");
    }
    print_lines(buf_str(&text));
    buf_clear(&text);
}
