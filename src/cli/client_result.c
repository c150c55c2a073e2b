/* SPDX-License-Identifier: MIT */
/* The end of a run that a control plane has: its result, fetched, kept and shown. */
#include "cli/client.h"
#include "cli/output.h"
#include "report/result/document.h"
#include "report/result/result.h"
#include "report/summary/summary.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int keep_result(const struct remote *r, const char *path, const json_t *result)
{
    struct err err = {0};
    struct buf text;

    buf_init(&text, RESULT_TEXT_MAX);
    int rc = result_text_of(result, &text);
    rc = rc != 0 ? err_set(&err, rc, "%.100s: the text is too long", path)
                 : output_write(path, buf_str(&text), &err);
    if (rc != 0) {
        remote_say(r, "%s", err.msg);
    }
    buf_clear(&text);
    return rc == 0 ? EXIT_PASSED : EXIT_INTERNAL;
}

static void print_summary(const struct remote *r, const json_t *result, bool quiet, bool to_stderr)
{
    struct summary_options options = {.style =
                                          text_style_of(to_stderr ? STDERR_FILENO : STDOUT_FILENO)};
    struct buf text;

    buf_init(&text, SUMMARY_TEXT_MAX);
    int rc = quiet ? summary_verdict(result, &options.style, &text)
                   : summary_write(result, &options, &text);
    if (!quiet) {
        fputc('\n', to_stderr ? stderr : stdout);
    }
    fwrite(text.p, 1, text.len, to_stderr ? stderr : stdout);
    if (rc != 0) {
        remote_say(r, "the summary was cut");
    }
    (void)fflush(stdout);
    buf_clear(&text);
}

int client_show_result(struct remote *r, const char *id, const char *path, bool quiet)
{
    char resource[RUN_ID_MAX + 64];
    struct err err = {0};
    json_t *result = NULL;
    int code = remote_look(r, client_path(id, "/result", resource), &result);

    if (code == REMOTE_DONE && document_check(result, &err) != 0) {
        remote_say(r, "the result of %s: %s", id, err.msg);
        code = REMOTE_UNREACHABLE;
    }
    if (code == REMOTE_DONE) {
        const json_t *ended = document_at(result, "exit_code");
        json_int_t value = json_integer_value(ended);

        code = path != NULL ? keep_result(r, path, result) : EXIT_PASSED;
        print_summary(r, result, quiet, path != NULL && strcmp(path, "-") == 0);
        bool told = json_is_integer(ended) && value >= 0 && value <= 255;
        code = !told ? EXIT_INTERNAL : value != 0 ? (int)value : code;
    }
    json_decref(result);
    return code;
}
