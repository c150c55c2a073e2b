/* SPDX-License-Identifier: MIT */
#include "report/files/files.h"

#include "base/mem.h"
#include "report/files/hlog.h"
#include "report/files/oplog.h"
#include "report/result/result.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1 << 20 };

struct result_files {
    char *dir;
    const struct reporting_config *reporting;
    const struct plan_identity *identity;
    FILE *events, *windows, *ops; /* NULL: not wanted */
    int64_t wall_offset_ns;       /* wall clock minus monotonic clock, when the files were opened */
    uint64_t op_lines, op_bytes;
    uint64_t next_second;
    struct buf line;
    struct err first; /* what went wrong first; code 0: nothing */
};

static int path_in(const char *dir, const char *name, char path[PATH_MAX], struct err *err)
{
    return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX
               ? 0
               : err_set(err, ERR_IO, "the path of the folder is too long");
}

/* A file of an earlier run beside those of this one would be taken for its own. */
static int remove_in(const char *dir, const char *name, struct err *err)
{
    char path[PATH_MAX];
    int rc = path_in(dir, name, path, err);

    if (rc == 0 && unlink(path) != 0 && errno != ENOENT) {
        rc = err_sys(err, ERR_IO, errno, "cannot remove %s", path);
    }
    return rc;
}

/* `*out` is NULL when the file is not wanted. */
static int open_in(const char *dir, const char *name, bool wanted, FILE **out, struct err *err)
{
    char path[PATH_MAX];
    int rc = wanted ? path_in(dir, name, path, err) : remove_in(dir, name, err);

    if (rc == 0 && wanted) {
        *out = fopen(path, "we");
        rc = *out != NULL ? 0 : err_sys(err, ERR_IO, errno, "cannot write %s", path);
    }
    return rc;
}

/* Read once, so that the order of operations survives when somebody sets the clock. */
static int64_t wall_offset_ns(void)
{
    struct timespec wall;

    clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * (int64_t)NS_PER_S + wall.tv_nsec - (int64_t)clock_monotonic_ns();
}

/* What is written at the end only, and would not be overwritten then. */
static int remove_others(const struct result_files *f, struct err *err)
{
    return f->reporting->store_metrics_snapshot ? 0 : remove_in(f->dir, "histograms.hlog", err);
}

int result_files_open(const char *dir,
                      const struct reporting_config *reporting,
                      const struct plan_identity *identity,
                      struct result_files **out,
                      struct err *err)
{
    struct stat st;

    if (dir[0] == '\0') {
        return err_set(err, ERR_IO, "cannot make a folder without a name");
    }
    if (stat(dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
        return err_set(err, ERR_IO, "%s is no folder; name one that is there or can be made", dir);
    }
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        return err_sys(err, ERR_IO, errno, "cannot make the folder %s", dir);
    }
    struct result_files *f = xcalloc(1, sizeof *f);

    f->dir = xstrdup(dir);
    f->reporting = reporting;
    f->identity = identity;
    buf_init(&f->line, LINE_MAX_BYTES);
    f->wall_offset_ns = wall_offset_ns();
    int rc = open_in(dir, "events.ndjson", reporting->store_event_log, &f->events, err);
    if (rc == 0) {
        rc = open_in(dir, "windows.ndjson", reporting->store_metrics_snapshot, &f->windows, err);
    }
    if (rc == 0) {
        rc = open_in(dir, "ops.ndjson", reporting->store_raw_logs, &f->ops, err);
    }
    if (rc == 0) {
        rc = remove_others(f, err);
    }
    if (rc != 0) {
        result_files_drop(f);
        return rc;
    }
    *out = f;
    return 0;
}

/* Writes the collected text; after a failure nothing is written any more. */
static void put_text(struct result_files *f, FILE *to, const char *name)
{
    if (f->first.code == 0 && f->line.len > 0 &&
        (fwrite(f->line.p, 1, f->line.len, to) != f->line.len || fflush(to) != 0)) {
        err_sys(&f->first, ERR_IO, errno, "cannot write %s/%s", f->dir, name);
    }
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
    if (rc == 0) {
        put_text(f, to, name);
    } else if (f->first.code == 0) {
        err_set(&f->first, rc, "a line of %s/%s is larger than %d bytes", f->dir, name,
                LINE_MAX_BYTES);
    }
}

/* Members of what is not known, or has nothing to do with the event, are null. */
static json_t *correlation(const struct run_event *event)
{
    return json_pack("{ss?ss?snsnsn}", "stage", event->stage, "stage_id", event->stage_id,
                     "worker_id", "vu_id", "session_id");
}

void result_files_event(struct result_files *f, const struct run_event *event)
{
    if (f->events == NULL) {
        return;
    }
    json_t *line = json_object();

    json_object_set_new(line, "schema_version", json_string("event/v1"));
    json_object_set_new(line, "event_id", json_string(event->id));
    json_object_set_new(line, "ts_ms", json_integer((json_int_t)event->ts_ms));
    json_object_set_new(line, "run_id", json_string(f->identity->run_id));
    json_object_set_new(line, "execution_id", json_string(f->identity->execution_id));
    json_object_set_new(line, "type", json_string(event->type));
    json_object_set_new(line, "actor", json_string(event->actor));
    json_object_set_new(line, "correlation", correlation(event));
    if (event->payload != NULL) {
        json_object_set(line, "payload", event->payload);
    } else {
        json_object_set_new(line, "payload", json_object());
    }
    json_object_set_new(line, "evidence", json_array());
    add_line(f, f->events, "events.ndjson", line);
}

void result_files_seconds(struct result_files *f, const struct run *r)
{
    uint64_t end = f->windows != NULL ? aggregate_complete(r->books) : 0;

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

static void put_ops(struct result_files *f)
{
    put_text(f, f->ops, "ops.ndjson");
    f->op_bytes += f->line.len;
    f->line.len = 0;
}

/* Has the log of operations no room for this one? */
static bool is_full(const struct result_files *f, const struct op_sample *op)
{
    uint64_t max = op->outcome.cls == OUTCOME_OK ? OPLOG_BYTES_MAX : 2 * OPLOG_BYTES_MAX;

    return f->op_bytes + f->line.len >= max;
}

void result_files_window(struct result_files *f,
                         struct run *r,
                         uint32_t source,
                         const struct window *w)
{
    if (f->ops == NULL) {
        return;
    }
    struct oplog log = {.plan = r->plan,
                        .identity = f->identity,
                        .wall_offset_ns = f->wall_offset_ns,
                        .lines = f->op_lines};

    f->line.len = 0;
    for (uint32_t i = 0; i < w->sample_count && f->first.code == 0; i++) {
        if (w->samples[i].outcome.key >= r->plan->key_count) {
            continue;
        }
        if (is_full(f, &w->samples[i])) {
            r->log_lines_lost++;
            continue;
        }
        if (f->line.max - f->line.len < OPLOG_LINE_MAX) {
            put_ops(f);
        }
        if (oplog_write(&log, source, &w->samples[i], &f->line) != 0) {
            err_set(&f->first, ERR_LIMIT, "a line of %s/ops.ndjson is too long", f->dir);
        }
    }
    put_ops(f);
    f->op_lines = log.lines;
}

static int write_histograms(const struct result_files *f, const struct run *r, struct err *err)
{
    char path[PATH_MAX];
    struct buf text;
    int rc = path_in(f->dir, "histograms.hlog", path, err);

    if (rc != 0) {
        return rc;
    }
    buf_init(&text, HLOG_TEXT_MAX);
    rc = hlog_write(r, &text);
    rc = rc != 0 ? err_set(err, rc, "%s is larger than %zu bytes", path, text.max)
                 : file_write(path, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

static int write_result(const struct result_files *f, const struct run *r, struct err *err)
{
    char path[PATH_MAX];
    int rc = path_in(f->dir, "result.json", path, err);

    return rc != 0 ? rc : result_write(r, path, err);
}

int result_files_close(struct result_files *f, const struct run *r, struct err *err)
{
    result_files_seconds(f, r);
    /* Whatever `reporting.formats` says: no other form of the result is made yet. */
    int rc = write_result(f, r, err);
    if (rc == 0 && f->reporting->store_metrics_snapshot) {
        rc = write_histograms(f, r, err);
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
    if (f->ops != NULL) {
        fclose(f->ops);
    }
    buf_clear(&f->line);
    xfree(f->dir);
    xfree(f);
}
