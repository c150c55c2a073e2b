/* SPDX-License-Identifier: MIT */
#include "report/files/files.h"

#include "base/clock.h"
#include "base/mem.h"
#include "report/files/hlog.h"
#include "report/files/linefile.h"
#include "report/files/opfile.h"
#include "report/result/event.h"
#include "report/result/result.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long the end of a run waits for its files. */
#define PATIENCE_NS (10 * NS_PER_S)

struct result_files {
    char *dir;
    const struct reporting_config *reporting;
    const struct plan_identity *identity;
    struct linefile *events, *windows; /* NULL: not wanted, or ended */
    struct opfile *ops;                /* likewise */
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

/* *fd is -1 when the file is not wanted. */
static int open_in(
    const char *dir, const char *name, bool wanted, char path[PATH_MAX], int *fd, struct err *err)
{
    int rc = wanted ? path_in(dir, name, path, err) : remove_in(dir, name, err);

    *fd = -1;
    if (rc == 0 && wanted) {
        *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        rc = *fd >= 0 ? 0 : err_sys(err, ERR_IO, errno, "cannot write %s", path);
    }
    return rc;
}

static int
open_lines(const char *dir, const char *name, bool wanted, struct linefile **out, struct err *err)
{
    char path[PATH_MAX];
    int fd;
    int rc = open_in(dir, name, wanted, path, &fd, err);

    return rc == 0 && fd >= 0 ? linefile_open(fd, path, out, err) : rc;
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

static int open_ops(struct result_files *f,
                    const struct plan *plan,
                    const struct run_workers *workers,
                    struct err *err)
{
    struct oplog_origin origin = {.plan = plan,
                                  .identity = f->identity,
                                  .workers = workers,
                                  .wall_offset_ns = wall_offset_ns()};
    char path[PATH_MAX];
    int fd;
    int rc = open_in(f->dir, "ops.ndjson", f->reporting->store_raw_logs, path, &fd, err);

    return rc == 0 && fd >= 0 ? opfile_open(fd, path, &origin, &f->ops, err) : rc;
}

static int make_folder(const char *dir, struct err *err)
{
    struct stat st;

    if (dir[0] == '\0') {
        return err_set(err, ERR_IO, "cannot make a folder without a name");
    }
    if (stat(dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
        return err_set(err, ERR_IO, "%s is no folder; name one that is there or can be made", dir);
    }
    return mkdir(dir, 0777) == 0 || errno == EEXIST
               ? 0
               : err_sys(err, ERR_IO, errno, "cannot make the folder %s", dir);
}

static bool is_there(const char *dir, const char *name, struct stat *out)
{
    char path[PATH_MAX];
    struct err err;

    return path_in(dir, name, path, &err) == 0 && stat(path, out) == 0;
}

/* Somebody's own scenario.json must not be replaced by what was made of it. */
static int refuse_foreign(const char *dir, const char *source, struct err *err)
{
    struct stat copy, own, other;

    if (!is_there(dir, "scenario.json", &copy)) {
        return 0;
    }
    if (source != NULL && stat(source, &own) == 0 && own.st_dev == copy.st_dev &&
        own.st_ino == copy.st_ino) {
        return err_set(err, ERR_USAGE,
                       "--out %.100s: its scenario.json would replace the file that is played",
                       dir);
    }
    if (!is_there(dir, "result.json", &other) && !is_there(dir, "events.ndjson", &other)) {
        return err_set(err, ERR_USAGE,
                       "--out %.100s: there is a scenario.json, and no earlier run that it could "
                       "be of",
                       dir);
    }
    return 0;
}

int result_files_scenario(const char *dir, const char *source, struct str text, struct err *err)
{
    char path[PATH_MAX];
    int rc = make_folder(dir, err);

    if (rc == 0) {
        rc = refuse_foreign(dir, source, err);
    }
    if (rc == 0) {
        rc = path_in(dir, "scenario.json", path, err);
    }
    return rc != 0 ? rc : file_write(path, text, err);
}

int result_files_open(const char *dir,
                      const struct reporting_config *reporting,
                      const struct plan *plan,
                      const struct plan_identity *identity,
                      const struct run_workers *workers,
                      struct result_files **out,
                      struct err *err)
{
    int rc = make_folder(dir, err);

    if (rc != 0) {
        return rc;
    }
    struct result_files *f = xcalloc(1, sizeof *f);

    f->dir = xstrdup(dir);
    f->reporting = reporting;
    f->identity = identity;
    buf_init(&f->line, LINEFILE_LINE_MAX);
    rc = open_lines(dir, "events.ndjson", reporting->store_event_log, &f->events, err);
    if (rc == 0) {
        rc = open_lines(dir, "windows.ndjson", reporting->store_metrics_snapshot, &f->windows, err);
    }
    if (rc == 0) {
        rc = open_ops(f, plan, workers, err);
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

/* Takes the value. */
static void add_line(struct result_files *f, struct linefile *to, const char *name, json_t *value)
{
    f->line.len = 0;
    int rc = json_write(value, &f->line);
    if (rc == 0) {
        rc = buf_add_c(&f->line, "\n");
    }
    json_decref(value);
    if (rc == 0) {
        linefile_add(to, buf_str(&f->line));
    } else if (f->first.code == 0) {
        err_set(&f->first, rc, "a line of %s/%s is larger than %zu bytes", f->dir, name,
                LINEFILE_LINE_MAX);
    }
}

void result_files_event(struct result_files *f, const struct run_event *event)
{
    if (f->events != NULL) {
        add_line(f, f->events, "events.ndjson", result_event_json(f->identity, event));
    }
}

void result_files_seconds(struct result_files *f, const struct run *r)
{
    uint64_t complete = aggregate_complete(r->books), end = f->windows != NULL ? complete : 0;

    if (f->ops != NULL) {
        opfile_complete(f->ops, complete);
    }

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

void result_files_window(struct result_files *f, uint32_t source, struct window *w)
{
    if (f->ops != NULL) {
        opfile_take(f->ops, source, w);
    }
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void end_lines(struct result_files *f, struct linefile **file, uint64_t patience_ns)
{
    struct err err = {0};

    if (*file != NULL && linefile_close(*file, patience_ns, &err) != 0 && f->first.code == 0) {
        f->first = err;
    }
    *file = NULL;
}

static uint64_t left_of(uint64_t until_ns)
{
    uint64_t now = clock_monotonic_ns();

    return until_ns > now ? until_ns - now : 0;
}

static void end_ops(struct result_files *f, struct run *r, uint64_t patience_ns)
{
    struct opfile_end end;

    if (f->ops == NULL) {
        return;
    }
    opfile_close(f->ops, patience_ns, &end);
    f->ops = NULL;
    r->log_lines_lost += end.lost;
    r->log_lines_thinned += end.thinned;
    if (end.err.code != 0) {
        run_note(r, "the log of operations is not whole: %s", end.err.msg);
    }
}

void result_files_end(struct result_files *f, struct run *r)
{
    uint64_t until = clock_monotonic_ns() + PATIENCE_NS;

    result_files_seconds(f, r);
    end_lines(f, &f->events, left_of(until));
    end_lines(f, &f->windows, left_of(until));
    end_ops(f, r, left_of(until));
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
    end_lines(f, &f->events, 0);
    end_lines(f, &f->windows, 0);
    if (f->ops != NULL) {
        opfile_close(f->ops, 0, &(struct opfile_end){0});
    }
    buf_clear(&f->line);
    xfree(f->dir);
    xfree(f);
}
