/* SPDX-License-Identifier: MIT */
#include "report/files.h"

#include "base/mem.h"
#include "report/result.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE_MAX_BYTES = 1 << 20 };

struct result_files {
    char *dir;
    const struct plan_identity *identity;
    FILE *events, *windows;
    uint64_t next_second;
    struct buf line;
    struct err first; /* what went wrong first; code 0: nothing */
};

static FILE *open_in(const char *dir, const char *name, struct err *err)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path) {
        err_set(err, ERR_IO, "the path of the folder is too long");
        return NULL;
    }
    FILE *f = fopen(path, "we");
    if (f == NULL) {
        err_sys(err, ERR_IO, errno, "cannot write %s", path);
    }
    return f;
}

int result_files_open(const char *dir,
                      const struct plan_identity *identity,
                      struct result_files **out,
                      struct err *err)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        return err_sys(err, ERR_IO, errno, "cannot make the folder %s", dir);
    }
    struct result_files *f = xcalloc(1, sizeof *f);

    f->dir = xstrdup(dir);
    f->identity = identity;
    buf_init(&f->line, LINE_MAX_BYTES);
    f->events = open_in(dir, "events.ndjson", err);
    f->windows = f->events != NULL ? open_in(dir, "windows.ndjson", err) : NULL;
    if (f->windows == NULL) {
        result_files_drop(f);
        return ERR_IO;
    }
    *out = f;
    return 0;
}

/* Takes the value. */
static void add_line(struct result_files *f, FILE *to, const char *name, json_t *value)
{
    f->line.len = 0;
    int rc = json_write(value, &f->line);
    if (rc == 0) {
        rc = buf_add_c(&f->line, "\n");
    }
    json_decref(value);
    if (f->first.code != 0) {
        return;
    }
    if (rc != 0) {
        err_set(&f->first, rc, "a line of %s/%s is larger than %d bytes", f->dir, name,
                LINE_MAX_BYTES);
    } else if (fwrite(f->line.p, 1, f->line.len, to) != f->line.len || fflush(to) != 0) {
        err_sys(&f->first, ERR_IO, errno, "cannot write %s/%s", f->dir, name);
    }
}

void result_files_event(struct result_files *f, const struct run_event *event)
{
    json_t *line = json_object();

    json_object_set_new(line, "schema_version", json_string("event/v1"));
    json_object_set_new(line, "event_id", json_string(event->id));
    json_object_set_new(line, "ts_ms", json_integer((json_int_t)event->ts_ms));
    json_object_set_new(line, "run_id", json_string(f->identity->run_id));
    json_object_set_new(line, "execution_id", json_string(f->identity->execution_id));
    json_object_set_new(line, "type", json_string(event->type));
    if (event->payload != NULL) {
        json_object_set(line, "payload", event->payload);
    } else {
        json_object_set_new(line, "payload", json_object());
    }
    add_line(f, f->events, "events.ndjson", line);
}

void result_files_seconds(struct result_files *f, const struct run *r)
{
    uint64_t end = aggregate_complete(r->books);

    for (; f->next_second < end; f->next_second++) {
        json_t *line = result_second_json(r, f->next_second);
        if (line != NULL) {
            add_line(f, f->windows, "windows.ndjson", line);
        } else if (f->first.code == 0) {
            err_set(&f->first, ERR_STATE, "second %llu was dropped before it was written",
                    (unsigned long long)f->next_second);
        }
    }
}

int result_files_close(struct result_files *f, const struct run *r, struct err *err)
{
    char path[PATH_MAX];
    int rc;

    result_files_seconds(f, r);
    if (snprintf(path, sizeof path, "%s/result.json", f->dir) >= (int)sizeof path) {
        rc = err_set(err, ERR_IO, "the path of the folder is too long");
    } else {
        rc = result_write(r, path, err);
    }
    if (rc == 0 && f->first.code != 0) {
        rc = err_set(err, f->first.code, "%s", f->first.msg);
    }
    result_files_drop(f);
    return rc;
}

void result_files_drop(struct result_files *f)
{
    if (f == NULL) {
        return;
    }
    if (f->events != NULL) {
        fclose(f->events);
    }
    if (f->windows != NULL) {
        fclose(f->windows);
    }
    buf_clear(&f->line);
    xfree(f->dir);
    xfree(f);
}
