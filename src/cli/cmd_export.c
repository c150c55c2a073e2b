/* SPDX-License-Identifier: MIT */
/*
 * `mcpdrill export`: a run of a control plane as files, under the names that `run --out` gives
 * them. Everything is fetched before the first file is written, so that a folder has all of them or
 * none.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/remote/follow.h"
#include "report/result/document.h"
#include "report/result/result.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define EVENTS_TEXT_MAX ((size_t)256 * 1024 * 1024)

struct parts {
    struct buf result, events, scenario;
};

static int add_event(void *owner, const json_t *event)
{
    struct buf *events = owner;

    return json_write(event, events) == 0 && buf_add_c(events, "\n") == 0 ? REMOTE_DONE
                                                                          : REMOTE_REFUSED;
}

static int fetch_result(struct remote *r, const char *id, struct buf *out)
{
    char path[RUN_ID_MAX + 64];
    struct err err = {0};
    json_t *result;
    int code = remote_get(r, client_path(id, "/result", path), &result);

    if (code == REMOTE_DONE &&
        (document_check(result, &err) != 0 || result_text_of(result, out) != 0)) {
        remote_say(r, "the result of %s: %s", id, err.msg[0] != '\0' ? err.msg : "it is too long");
        code = REMOTE_UNREACHABLE;
    }
    json_decref(result);
    return code;
}

static int fetch(struct remote *r, const char *id, struct parts *p)
{
    struct follow what = {.run_id = id, .on_event = add_event, .owner = &p->events};
    char path[RUN_ID_MAX + 64];
    json_t *config = NULL;
    int code = fetch_result(r, id, &p->result);

    if (code == REMOTE_DONE) {
        code = follow_run(r, &what);
    }
    if (code == REMOTE_DONE) {
        code = remote_get(r, client_path(id, "/config", path), &config);
    }
    if (code == REMOTE_DONE && json_write_pretty(config, &p->scenario) != 0) {
        remote_say(r, "the scenario of %s is too long", id);
        code = REMOTE_REFUSED;
    }
    json_decref(config);
    return code;
}

static int write_parts(const char *dir, const struct parts *p, struct err *err)
{
    const struct {
        const char *name;
        const struct buf *text;
    } files[] = {{"scenario.json", &p->scenario},
                 {"events.ndjson", &p->events},
                 {"result.json", &p->result}};
    char path[PATH_MAX];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof files / sizeof files[0]; i++) {
        rc = snprintf(path, sizeof path, "%s/%s", dir, files[i].name) >= (int)sizeof path
                 ? err_set(err, ERR_IO, "the path is too long")
                 : file_write(path, buf_str(files[i].text), err);
    }
    return rc;
}

/* A folder that has a run already is somebody's: two runs must not be mixed in it. */
static int check_folder(const char *dir, struct err *err)
{
    static const char *const names[] = {"result.json", "events.ndjson", "scenario.json"};
    char path[PATH_MAX];
    struct stat st;

    if (stat(dir, &st) != 0) {
        return mkdir(dir, 0777) == 0
                   ? 0
                   : err_sys(err, ERR_IO, errno, "cannot make the folder %.150s", dir);
    }
    if (!S_ISDIR(st.st_mode)) {
        return err_set(err, ERR_IO, "%.180s is no folder", dir);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (snprintf(path, sizeof path, "%s/%s", dir, names[i]) < (int)sizeof path &&
            stat(path, &st) == 0) {
            return err_set(err, ERR_USAGE, "%.150s has a %s already; name another folder", dir,
                           names[i]);
        }
    }
    return 0;
}

static int export_run(struct remote *r, const struct opt_args *args, const char *id)
{
    const char *dir = args->operands[1];
    struct err err = {0};
    struct parts p;

    buf_init(&p.result, RESULT_TEXT_MAX);
    buf_init(&p.events, EVENTS_TEXT_MAX);
    buf_init(&p.scenario, REMOTE_ANSWER_MAX);
    int code = fetch(r, id, &p);
    if (code == REMOTE_DONE && (check_folder(dir, &err) != 0 || write_parts(dir, &p, &err) != 0)) {
        remote_say(r, "%s", err.msg);
        code = err.code == ERR_USAGE ? REMOTE_WRONG : REMOTE_REFUSED;
    }
    if (code == REMOTE_DONE) {
        fprintf(stderr, "%s: result.json, events.ndjson and scenario.json of %s\n", dir, id);
    }
    buf_clear(&p.result);
    buf_clear(&p.events);
    buf_clear(&p.scenario);
    return code;
}

int cmd_export(const struct opt_args *args)
{
    return client_with_run(args, export_run);
}
