/* SPDX-License-Identifier: MIT */
/* What is durable, row by row. */
#include "store/connection.h"
#include "store/sqlite_store.h"

#include <assert.h>

typedef bool row_fn(void *ctx, sqlite3_stmt *st);

/* ---- statements --------------------------------------------------------------------------------
 */

static sqlite3_stmt *statement(struct sqlite_store *s, enum read_kind kind)
{
    sqlite3_stmt *st = s->reads.all[kind];

    assert(!sqlite3_stmt_busy(st)); /* a callback must not read what it is called by */
    return st;
}

/* Whoever reads holds the text until the statement is reset. NULL stays NULL. */
static void bind_text(sqlite3_stmt *st, int place, const char *text)
{
    sqlite3_bind_text(st, place, text, -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *st, int place, uint64_t number)
{
    sqlite3_bind_int64(st, place, number > INT64_MAX ? INT64_MAX : (sqlite3_int64)number);
}

/* The rows until `fn` has enough; *rows (may be NULL) is how many it was given. */
static int walk(struct sqlite_store *s, sqlite3_stmt *st, row_fn *fn, void *ctx, uint64_t *rows)
{
    uint64_t count = 0;
    int code, rc = 0;

    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        count++;
        if (!fn(ctx, st)) {
            break;
        }
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        rc = connection_error(s->reading, "read the store", &s->read_error);
    }
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    if (rows != NULL) {
        *rows = count;
    }
    return rc;
}

static int walk_one(struct sqlite_store *s, sqlite3_stmt *st, row_fn *fn, void *ctx)
{
    uint64_t rows;
    int rc = walk(s, st, fn, ctx, &rows);

    return rc == 0 && rows == 0 ? ERR_NOT_FOUND : rc;
}

static bool take_number(void *ctx, sqlite3_stmt *st)
{
    uint64_t *out = ctx;

    *out = (uint64_t)sqlite3_column_int64(st, 0);
    return false;
}

static uint64_t number_at(sqlite3_stmt *st, int column)
{
    return (uint64_t)sqlite3_column_int64(st, column);
}

static const char *text_at(sqlite3_stmt *st, int column)
{
    return (const char *)sqlite3_column_text(st, column);
}

/* An empty one has an address, too. Out of memory (NULL for a text that is there) reads as empty
 * here; the next step fails. */
static struct str str_at(sqlite3_stmt *st, int column)
{
    const void *p = sqlite3_column_blob(st, column);
    int len = sqlite3_column_bytes(st, column);

    return p == NULL ? STR("") : (struct str){p, (size_t)len};
}

/* ---- runs --------------------------------------------------------------------------------------
 */

struct run_reader {
    store_run_fn *fn;
    void *owner;
};

static bool on_run(void *ctx, sqlite3_stmt *st)
{
    const struct run_reader *r = ctx;
    struct store_run row = {
        .number = number_at(st, 0),
        .run_id = text_at(st, 1),
        .created_ms = number_at(st, 2),
        .updated_ms = number_at(st, 3),
        .scenario_id = text_at(st, 4),
        .name = text_at(st, 5),
        .state = text_at(st, 6),
        .terminal = number_at(st, 7) != 0,
        .tags = str_at(st, 8),
        .view = str_at(st, 9),
        .config = str_at(st, 10),
        .saved = str_at(st, 11),
    };

    return r->fn(r->owner, &row);
}

int sqlite_get_run(struct store *base, const char *run_id, store_run_fn *fn, void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = statement(s, READ_RUN);

    bind_text(st, 1, run_id);
    return walk_one(s, st, on_run, &(struct run_reader){fn, owner});
}

int sqlite_unfinished(struct store *base, store_run_fn *fn, void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);

    return walk(s, statement(s, READ_UNFINISHED), on_run, &(struct run_reader){fn, owner}, NULL);
}

static sqlite3_stmt *
filtered(struct sqlite_store *s, enum read_kind kind, const struct store_filter *f)
{
    sqlite3_stmt *st = statement(s, kind);

    bind_text(st, 1, f->state);
    bind_text(st, 2, f->scenario_id);
    bind_text(st, 3, f->tag_key);
    bind_text(st, 4, f->tag_value);
    bind_text(st, 5, f->text);
    return st;
}

int sqlite_list_runs(struct store *base,
                     const struct store_filter *filter,
                     uint64_t *total,
                     store_run_fn *fn,
                     void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);
    int rc = 0;

    assert((filter->tag_key == NULL) == (filter->tag_value == NULL));
    if (total != NULL) {
        rc = walk(s, filtered(s, READ_RUNS_COUNT, filter), take_number, total, NULL);
    }
    if (rc != 0) {
        return rc;
    }
    sqlite3_stmt *st = filtered(s, filter->ascending ? READ_RUNS_UP : READ_RUNS_DOWN, filter);

    bind_number(st, 6, filter->limit);
    bind_number(st, 7, filter->offset);
    return walk(s, st, on_run, &(struct run_reader){fn, owner}, NULL);
}

/* ---- events ------------------------------------------------------------------------------------
 */

struct event_reader {
    store_event_fn *fn;
    void *owner;
};

static bool on_event(void *ctx, sqlite3_stmt *st)
{
    const struct event_reader *r = ctx;
    struct store_event row = {
        .number = number_at(st, 0),
        .event_id = text_at(st, 1),
        .type = text_at(st, 2),
        .body = str_at(st, 3),
    };

    return r->fn(r->owner, &row);
}

/* Of a run, from a number on. */
static sqlite3_stmt *
ranged(struct sqlite_store *s, enum read_kind kind, const char *run_id, const uint64_t range[2])
{
    sqlite3_stmt *st = statement(s, kind);

    bind_text(st, 1, run_id);
    bind_number(st, 2, range[0]);
    bind_number(st, 3, range[1]);
    return st;
}

int sqlite_events(struct store *base,
                  const char *run_id,
                  uint64_t from,
                  uint64_t limit,
                  store_event_fn *fn,
                  void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = ranged(s, READ_EVENTS, run_id, (uint64_t[]){from, limit});

    return walk(s, st, on_event, &(struct event_reader){fn, owner}, NULL);
}

int sqlite_event_number(struct store *base,
                        const char *run_id,
                        const char *event_id,
                        uint64_t *number)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = statement(s, READ_EVENT_NUMBER);

    bind_text(st, 1, run_id);
    bind_text(st, 2, event_id);
    return walk_one(s, st, take_number, number);
}

int sqlite_event_count(struct store *base, const char *run_id, uint64_t *count)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = statement(s, READ_EVENT_COUNT);

    bind_text(st, 1, run_id);
    *count = 0;
    return walk(s, st, take_number, count, NULL);
}

/* ---- figures -----------------------------------------------------------------------------------
 */

struct window_reader {
    store_window_fn *fn;
    void *owner;
};

static bool on_window(void *ctx, sqlite3_stmt *st)
{
    const struct window_reader *r = ctx;
    struct store_window row = {
        .source = (uint32_t)number_at(st, 0),
        .second = number_at(st, 1),
        .body = str_at(st, 2),
    };

    return r->fn(r->owner, &row);
}

int sqlite_windows(struct store *base, const char *run_id, store_window_fn *fn, void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = statement(s, READ_WINDOWS);

    bind_text(st, 1, run_id);
    return walk(s, st, on_window, &(struct window_reader){fn, owner}, NULL);
}

struct text_reader {
    store_text_fn *fn;
    void *owner;
};

static bool on_numbered_text(void *ctx, sqlite3_stmt *st)
{
    const struct text_reader *r = ctx;

    return r->fn(r->owner, number_at(st, 0), str_at(st, 1));
}

int sqlite_seconds(struct store *base,
                   const char *run_id,
                   uint64_t from,
                   uint64_t limit,
                   store_text_fn *fn,
                   void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = ranged(s, READ_SECONDS, run_id, (uint64_t[]){from, limit});

    return walk(s, st, on_numbered_text, &(struct text_reader){fn, owner}, NULL);
}

int sqlite_samples(struct store *base,
                   const char *run_id,
                   uint64_t from,
                   uint64_t limit,
                   store_text_fn *fn,
                   void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = ranged(s, READ_SAMPLES, run_id, (uint64_t[]){from, limit});

    return walk(s, st, on_numbered_text, &(struct text_reader){fn, owner}, NULL);
}

static bool on_text(void *ctx, sqlite3_stmt *st)
{
    const struct text_reader *r = ctx;

    return r->fn(r->owner, 0, str_at(st, 0));
}

int sqlite_get_document(
    struct store *base, const char *run_id, const char *kind, store_text_fn *fn, void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = statement(s, READ_DOCUMENT);

    bind_text(st, 1, run_id);
    bind_text(st, 2, kind);
    return walk_one(s, st, on_text, &(struct text_reader){fn, owner});
}

/* ---- workers -----------------------------------------------------------------------------------
 */

struct part_reader {
    store_part_fn *fn;
    void *owner;
};

static bool on_part(void *ctx, sqlite3_stmt *st)
{
    const struct part_reader *r = ctx;

    return r->fn(r->owner, text_at(st, 0), str_at(st, 1));
}

int sqlite_totals(struct store *base, const char *run_id, store_part_fn *fn, void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = statement(s, READ_TOTALS);

    bind_text(st, 1, run_id);
    return walk(s, st, on_part, &(struct part_reader){fn, owner}, NULL);
}

int sqlite_get_applied(struct store *base, const char *run_id, const char *worker_id, uint64_t *seq)
{
    struct sqlite_store *s = sqlite_store_of(base);
    sqlite3_stmt *st = statement(s, READ_APPLIED);

    bind_text(st, 1, run_id);
    bind_text(st, 2, worker_id);
    *seq = 0;
    return walk(s, st, take_number, seq, NULL);
}

struct worker_reader {
    store_worker_fn *fn;
    void *owner;
};

static bool on_worker(void *ctx, sqlite3_stmt *st)
{
    const struct worker_reader *r = ctx;
    struct store_worker row = {
        .worker_id = text_at(st, 0),
        .token_hash = text_at(st, 1),
        .registered_ms = number_at(st, 2),
        .seen_ms = number_at(st, 3),
        .body = str_at(st, 4),
    };

    return r->fn(r->owner, &row);
}

int sqlite_workers(struct store *base, store_worker_fn *fn, void *owner)
{
    struct sqlite_store *s = sqlite_store_of(base);

    return walk(s, statement(s, READ_WORKERS), on_worker, &(struct worker_reader){fn, owner}, NULL);
}
