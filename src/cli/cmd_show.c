/* SPDX-License-Identifier: MIT */
/* `mcpdrill status`, `events`, `list`, `workers`: what a control plane knows, for people or as
 * JSON. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/remote/event_text.h"
#include "cli/remote/follow.h"
#include "cli/remote/views.h"
#include "http/url.h"
#include "report/result/document.h"

#include <stdio.h>
#include <string.h>

#define WATCH_NS NS_PER_S

enum { LIST_LIMIT = 20, LIST_LIMIT_MAX = 1000, LIST_PATH_MAX = 1024 };

/* As JSON, indented or in one line, or as people read it. */
static int print(const json_t *answer,
                 bool as_json,
                 bool in_a_line,
                 int (*view)(const json_t *answer, struct buf *out))
{
    struct buf text;
    int rc;

    buf_init(&text, REMOTE_ANSWER_MAX);
    if (!as_json) {
        rc = view(answer, &text);
    } else if (in_a_line) {
        rc = json_write(answer, &text) != 0 ? ERR_LIMIT : buf_add_c(&text, "\n");
    } else {
        rc = json_write_pretty(answer, &text);
    }
    int code = rc == 0 ? cli_print(buf_str(&text)) : EXIT_INTERNAL;
    buf_clear(&text);
    return code;
}

static int get_and_print(struct remote *r,
                         const char *path,
                         bool as_json,
                         int (*view)(const json_t *answer, struct buf *out))
{
    json_t *answer;
    int code = remote_get(r, path, &answer);

    if (code == REMOTE_DONE) {
        code = print(answer, as_json, false, view);
    }
    json_decref(answer);
    return code;
}

/* ---- status -----------------------------------------------------------------------------------
 */

/* Again and again: one line of JSON each time, or texts with an empty line between. */
static int watch_status(struct remote *r, const char *path, bool as_json)
{
    int code = remote_catch_signals(r);
    bool first = true, over = false;

    while (code == REMOTE_DONE && !over) {
        json_t *run;

        code = remote_look(r, path, &run);
        if (code == REMOTE_DONE) {
            code = first || as_json ? EXIT_PASSED : cli_print(STR("\n"));
            code = code == EXIT_PASSED ? print(run, as_json, true, view_run) : code;
            over = document_true(run, "terminal");
        }
        json_decref(run);
        first = false;
        if (code == REMOTE_DONE && !over && !remote_pause(r, WATCH_NS)) {
            code = 128 + r->signo;
        }
    }
    return code;
}

static int show_status(struct remote *r, const struct opt_args *args, const char *id)
{
    char path[RUN_ID_MAX + 64];
    bool as_json = opt_has(args, "json");

    client_path(id, "", path);
    return opt_has(args, "watch") ? watch_status(r, path, as_json)
                                  : get_and_print(r, path, as_json, view_run);
}

int cmd_status(const struct opt_args *args)
{
    return client_with_run(args, show_status);
}

/* ---- events -----------------------------------------------------------------------------------
 */

static int print_event(void *owner, const json_t *event)
{
    const bool *as_json = owner;

    return print(event, *as_json, true, event_text);
}

static int show_events(struct remote *r, const struct opt_args *args, const char *id)
{
    bool as_json = opt_has(args, "json");
    struct follow what = {
        .run_id = id, .live = opt_has(args, "follow"), .on_event = print_event, .owner = &as_json};

    return follow_run(r, &what);
}

int cmd_events(const struct opt_args *args)
{
    return client_with_run(args, show_events);
}

/* ---- lists ------------------------------------------------------------------------------------
 */

static int list_path(const struct opt_args *args, struct buf *path, struct err *err)
{
    const char *state = opt_value(args, "state");
    uint64_t limit = LIST_LIMIT;

    if (opt_number(args, "limit", 1, LIST_LIMIT_MAX, &limit, err) != 0) {
        return ERR_USAGE;
    }
    int rc = buf_printf(path, "/runs?order=desc&limit=%llu", (unsigned long long)limit);
    if (rc == 0 && state != NULL) {
        rc = buf_add_c(path, "&state=") != 0 ? ERR_LIMIT : url_escape(path, str_c(state));
    }
    return rc == 0 ? 0 : err_set(err, ERR_USAGE, "--state: that is the name of no state");
}

int cmd_list(const struct opt_args *args)
{
    struct err err = {0};
    struct remote r = {0};
    struct buf path;
    int code = EXIT_USAGE;

    buf_init(&path, LIST_PATH_MAX);
    if (list_path(args, &path, &err) != 0) {
        fprintf(stderr, "mcpdrill list: %s\n", err.msg);
    } else {
        code = client_open(args, &r);
        if (code == REMOTE_DONE) {
            code = get_and_print(&r, buf_c(&path), opt_has(args, "json"), view_runs);
        }
        remote_close(&r);
    }
    buf_clear(&path);
    return code;
}

int cmd_workers(const struct opt_args *args)
{
    struct remote r;
    int code = client_open(args, &r);

    if (code == REMOTE_DONE) {
        code = get_and_print(&r, "/workers", opt_has(args, "json"), view_workers);
    }
    remote_close(&r);
    return code;
}
