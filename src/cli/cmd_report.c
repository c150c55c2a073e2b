/* SPDX-License-Identifier: MIT */
/* `mcpdrill report`: prints the summary of a stored result again, or makes other forms of it. */
#include "cli/cli.h"
#include "cli/output.h"
#include "report/files/junit.h"
#include "report/result/document.h"
#include "report/result/result.h"
#include "report/summary/summary.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The result in a folder of `run --out`, or the file itself. */
static int find_result(const char *given, char path[PATH_MAX], struct err *err)
{
    struct stat st;
    bool folder = stat(given, &st) == 0 && S_ISDIR(st.st_mode);

    if (snprintf(path, PATH_MAX, "%s%s", given, folder ? "/result.json" : "") >= PATH_MAX) {
        return err_set(err, ERR_IO, "the path is too long");
    }
    return 0;
}

/* What came before a place in the input, and one line in any case. */
static int complain(const char *path, const struct err *err)
{
    if (err->line > 0) {
        fprintf(stderr, "mcpdrill report: %s:%u:%u: %s\n", path, err->line, err->col, err->msg);
    } else if (strstr(err->msg, path) != NULL) {
        fprintf(stderr, "mcpdrill report: %s\n", err->msg);
    } else {
        fprintf(stderr, "mcpdrill report: %s: %s\n", path, err->msg);
    }
    return EXIT_USAGE;
}

static int write_junit(const char *path, const json_t *result, struct err *err)
{
    struct buf text;

    buf_init(&text, JUNIT_TEXT_MAX);
    int rc = junit_write(result, &text);
    rc = rc != 0 ? err_set(err, rc, "%s: the report is larger than %zu bytes", path, text.max)
                 : output_write(path, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

static int print_summary(const json_t *result, const char *path, bool quiet)
{
    struct summary_options options = {.style = text_style_of(STDOUT_FILENO), .result_path = path};
    struct buf text;

    buf_init(&text, SUMMARY_TEXT_MAX);
    int rc = quiet ? summary_verdict(result, &options.style, &text)
                   : summary_write(result, &options, &text);
    int code = cli_print(buf_str(&text));
    if (rc != 0) {
        fputs("mcpdrill report: the summary was cut\n", stderr);
    }
    buf_clear(&text);
    return code;
}

static int print_document(const json_t *result)
{
    struct buf text;

    buf_init(&text, RESULT_TEXT_MAX);
    int code = result_text_of(result, &text) == 0 ? cli_print(buf_str(&text)) : EXIT_INTERNAL;
    buf_clear(&text);
    return code;
}

/* The one that the run ended with; an internal error when the document does not say. */
static int run_exit_code(const json_t *result)
{
    const json_t *code = document_at(result, "exit_code");
    json_int_t value = json_integer_value(code);

    return json_is_integer(code) && value >= 0 && value <= 255 ? (int)value : EXIT_INTERNAL;
}

/* What was asked for, of a document that is a result. */
static int show(const struct opt_args *args, const json_t *result, const char *path)
{
    const char *junit = opt_value(args, "junit");
    struct err err = {0};
    int code = EXIT_PASSED;

    if (junit != NULL && write_junit(junit, result, &err) != 0) {
        return complain(junit, &err);
    }
    if (opt_has(args, "json")) {
        code = print_document(result);
    } else if (junit == NULL || strcmp(junit, "-") != 0) {
        code = print_summary(result, path, opt_has(args, "quiet"));
    }
    return code == EXIT_PASSED && opt_has(args, "exit-code") ? run_exit_code(result) : code;
}

int cmd_report(const struct opt_args *args)
{
    const char *junit = opt_value(args, "junit");
    char path[PATH_MAX] = "";
    json_t *result = NULL;
    struct err err = {0};

    if (junit != NULL && strcmp(junit, "-") == 0 && opt_has(args, "json")) {
        return cli_usage_error("--json and --junit - both want the standard output");
    }
    if (find_result(args->operands[0], path, &err) != 0 ||
        json_parse_file(path, RESULT_TEXT_MAX, &result, &err) != 0 ||
        document_check(result, &err) != 0) {
        json_decref(result);
        return complain(path[0] != '\0' ? path : args->operands[0], &err);
    }
    int code = show(args, result, path);
    json_decref(result);
    return code;
}
