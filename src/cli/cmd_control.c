/* SPDX-License-Identifier: MIT */
/* `mcpdrill start`, `stop`, `emergency-stop`, `delete`: what is done to a run of a control plane.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/remote/event_text.h"
#include "cli/remote/follow.h"
#include "report/result/document.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "run_…: STATE" */
static int tell_state(const char *id, const json_t *answer)
{
    struct str state = document_text(answer, "state");
    char line[RUN_ID_MAX + 64];

    snprintf(line, sizeof line, "%s: %.*s\n", id, state.len < 40 ? (int)state.len : 40, state.p);
    return cli_print(str_c(line));
}

/* Asks for a change, and tells the state that comes of it. `body` is taken over. */
static int change(struct remote *r, const char *id, const char *what, json_t *body)
{
    char path[RUN_ID_MAX + 64];
    json_t *answer = NULL;
    int code = remote_send(r, "POST", client_path(id, what, path), body, &answer);

    if (code == REMOTE_DONE) {
        code = tell_state(id, answer);
    }
    json_decref(answer);
    return code;
}

/* ---- start --wait -----------------------------------------------------------------------------
 */

/* A reader who is gone misses the text; the result and the exit code still tell, as after `run`. */
static int print_event(void *owner, const json_t *event)
{
    const bool *to_stderr = owner;
    FILE *to = *to_stderr ? stderr : stdout;
    struct buf line;

    buf_init(&line, EVENT_TEXT_MAX);
    event_text(event, &line); /* cut where it is too long */
    fwrite(line.p, 1, line.len, to);
    (void)fflush(to);
    buf_clear(&line);
    return EXIT_PASSED;
}

static int ignore_event(void *owner, const json_t *event)
{
    (void)owner;
    (void)event;
    return EXIT_PASSED;
}

static int wait_for(struct remote *r, const struct opt_args *args, const char *id)
{
    const char *path = opt_value(args, "json");
    bool to_stderr = path != NULL && strcmp(path, "-") == 0;
    struct follow what = {.run_id = id,
                          .live = true,
                          .on_event = opt_has(args, "quiet") ? ignore_event : print_event,
                          .owner = &to_stderr};
    int code = remote_catch_signals(r);

    if (code == REMOTE_DONE) {
        code = follow_run(r, &what);
    }
    if (r->signo != 0) {
        remote_say(r, "the run goes on; \"mcpdrill stop %s\" ends it", id);
    }
    return code == REMOTE_DONE
               ? client_show_result(r, id, opt_value(args, "json"), opt_has(args, "quiet"))
               : code;
}

static int start_run(struct remote *r, const struct opt_args *args, const char *id)
{
    char path[RUN_ID_MAX + 64];
    json_t *answer = NULL;

    if (!opt_has(args, "wait")) {
        return change(r, id, "/start", client_body(r));
    }
    int code = remote_send(r, "POST", client_path(id, "/start", path), client_body(r), &answer);
    json_decref(answer);
    return code == REMOTE_DONE ? wait_for(r, args, id) : code;
}

int cmd_start(const struct opt_args *args)
{
    static const char *const only_waiting[] = {"json", "quiet"};
    const char *path = opt_value(args, "json");
    struct err err = {0};
    char text[80];

    for (size_t i = 0; i < sizeof only_waiting / sizeof only_waiting[0]; i++) {
        if (opt_has(args, only_waiting[i]) && !opt_has(args, "wait")) {
            snprintf(text, sizeof text, "start: --%s goes with --wait", only_waiting[i]);
            return cli_usage_error(text);
        }
    }
    if (path != NULL && output_check(path, &err) != 0) {
        return cli_usage_error(err.msg);
    }
    return client_with_run(args, start_run);
}

/* ---- the others -------------------------------------------------------------------------------
 */

static int stop_run(struct remote *r, const struct opt_args *args, const char *id)
{
    const char *mode = opt_value(args, "mode");
    json_t *body = client_body(r);

    /* Without one the scenario's stop_policy holds. */
    if (mode != NULL) {
        json_object_set_new(body, "mode", json_string(mode));
    }
    return change(r, id, "/stop", body);
}

int cmd_stop(const struct opt_args *args)
{
    const char *mode = opt_value(args, "mode");
    char text[120];

    if (mode != NULL && strcmp(mode, "drain") != 0 && strcmp(mode, "immediate") != 0) {
        snprintf(text, sizeof text, "stop: --mode: found \"%.40s\", expected drain or immediate",
                 mode);
        return cli_usage_error(text);
    }
    return client_with_run(args, stop_run);
}

static int cut_run(struct remote *r, const struct opt_args *args, const char *id)
{
    (void)args;
    return change(r, id, "/emergency-stop", client_body(r));
}

int cmd_emergency_stop(const struct opt_args *args)
{
    return client_with_run(args, cut_run);
}

static int delete_run(struct remote *r, const struct opt_args *args, const char *id)
{
    char path[RUN_ID_MAX + 64], line[RUN_ID_MAX + 32];
    int code = remote_send(r, "DELETE", client_path(id, "", path), NULL, NULL);

    (void)args;
    snprintf(line, sizeof line, "%s: deleted\n", id);
    return code == REMOTE_DONE ? cli_print(str_c(line)) : code;
}

int cmd_delete(const struct opt_args *args)
{
    return client_with_run(args, delete_run);
}
