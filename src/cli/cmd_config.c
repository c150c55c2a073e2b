/* SPDX-License-Identifier: MIT */
/* validate, explain, schema, reference: what there is to know about a scenario without a run. */
#include "api/documents.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "report/result/result.h"
#include "scenario/documents/documents.h"

#include <stdio.h>
#include <string.h>

#define PAGE_TEXT_MAX ((size_t)16 * 1024 * 1024)

/* Prints what `write` makes. */
static int print_page(int (*write)(struct buf *out))
{
    struct buf text;

    buf_init(&text, PAGE_TEXT_MAX);
    int rc = write(&text) == 0 ? cli_print(buf_str(&text)) : EXIT_INTERNAL;
    buf_clear(&text);
    return rc;
}

/* Prints a document and drops it. */
static int print_json(json_t *json)
{
    struct buf text;

    buf_init(&text, PAGE_TEXT_MAX);
    int rc = json_write_pretty(json, &text) == 0 ? cli_print(buf_str(&text)) : EXIT_INTERNAL;
    buf_clear(&text);
    json_decref(json);
    return rc;
}

static int say_valid(const struct opt_args *args, const struct issue_list *issues)
{
    char line[512];
    int len = snprintf(line, sizeof line, "%.400s: valid", args->operands[0]);

    if (issues->warning_count > 0) {
        len += snprintf(line + len, sizeof line - (size_t)len, ", %zu warning%s",
                        issues->warning_count, issues->warning_count == 1 ? "" : "s");
    }
    line[len++] = '\n';
    return cli_print((struct str){line, (size_t)len});
}

int cmd_validate(const struct opt_args *args)
{
    struct issue_list issues = {0};
    struct scenario *scenario = NULL;
    struct err err = {0};
    int rc = load_scenario(args, NULL, &scenario, &issues, &err);
    int code = EXIT_PASSED;

    if (opt_has(args, "json") && (rc == 0 || issues.count > 0)) {
        code = print_json(issue_list_json(&issues));
    } else {
        if (rc != 0 || issues.count > 0) {
            load_complain(args, &issues, &err);
        }
        if (rc == 0) {
            code = say_valid(args, &issues);
        }
    }
    scenario_free(scenario);
    issue_list_clear(&issues);
    return rc != 0 ? EXIT_USAGE : code;
}

int cmd_explain(const struct opt_args *args)
{
    struct issue_list issues = {0};
    struct scenario *scenario = NULL;
    struct err err = {0};
    int rc = load_scenario(args, NULL, &scenario, &issues, &err);
    int code = EXIT_USAGE;

    if (rc != 0 || issues.count > 0) {
        load_complain(args, &issues, &err);
    }
    if (rc == 0) {
        code = print_json(scenario_explain(scenario));
    }
    scenario_free(scenario);
    issue_list_clear(&issues);
    return code;
}

int cmd_schema(const struct opt_args *args)
{
    return print_page(opt_has(args, "reference") ? scenario_reference : scenario_schema);
}

int cmd_reference(const struct opt_args *args)
{
    static const struct {
        const char *name;
        int (*write)(struct buf *out);
    } pages[] = {
        {"api", api_reference},       {"cli", cli_reference},
        {"limits", limits_reference}, {"metrics", metrics_reference},
        {"result", result_reference}, {"run-config", scenario_reference},
    };
    const char *names[sizeof pages / sizeof pages[0]];

    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        names[i] = pages[i].name;
        if (strcmp(pages[i].name, args->operands[0]) == 0) {
            return print_page(pages[i].write);
        }
    }
    const char *near = str_nearest(str_c(args->operands[0]), names, sizeof names / sizeof names[0]);
    fprintf(stderr, "mcpdrill reference: no page \"%.60s\"; %s%s%s\n", args->operands[0],
            near != NULL ? "did you mean \""
                         : "there are api, cli, limits, metrics, result and run-config",
            near != NULL ? near : "", near != NULL ? "\"?" : "");
    return EXIT_USAGE;
}
