/* SPDX-License-Identifier: MIT */
#include "store/sqlite.h"

#include "base/mem.h"
#include "store/connection.h"
#include "store/place.h"
#include "store/schema.h"
#include "store/sqlite_store.h"

/* ---- groups ------------------------------------------------------------------------------------
 */

int sqlite_add(struct sqlite_store *s, const struct record *record)
{
    if (s->failed) {
        return ERR_IO;
    }
    if (s->group == NULL) {
        s->group = writer_group_new();
        s->group->ticket = ++s->ticket;
        loop_defer(s->loop, &s->publish);
    }
    if (record_add(&s->group->writes, record) != 0) {
        struct err err;

        err_set(&err, ERR_IO, "more than %d MiB were to be stored at once",
                STORE_GROUP_BYTES_MAX >> 20);
        writer_fail(&s->writer, &err);
        s->failed = true;
        return ERR_IO;
    }
    return 0;
}

void sqlite_publish(struct sqlite_store *s)
{
    struct writer_group *g = s->group;

    s->group = NULL;
    if (g == NULL) {
        return;
    }
    if (s->failed) {
        writer_group_free(g);
    } else if (!writer_push(&s->writer, g)) {
        s->failed = true;
    }
}

static void on_publish(struct defer *d)
{
    sqlite_publish(list_entry(d, struct sqlite_store, publish));
}

/* ---- what is durable ---------------------------------------------------------------------------
 */

/* Waits that a callback adds have their turn in a later call. */
static void settle(struct sqlite_store *s)
{
    uint64_t durable = writer_durable(&s->writer);
    struct list ready;

    list_init(&ready);
    while (!list_empty(&s->waits)) {
        struct store_wait *wait = list_entry(s->waits.next, struct store_wait, node);

        if (wait->ticket_ > durable) {
            break;
        }
        list_remove(&wait->node);
        list_append(&ready, &wait->node);
    }
    while (!list_empty(&ready)) {
        struct store_wait *wait = list_entry(ready.next, struct store_wait, node);

        list_remove(&wait->node);
        wait->on_durable(wait);
    }
}

static void on_settle(struct defer *d)
{
    struct sqlite_store *s = list_entry(d, struct sqlite_store, settle);

    if (!s->failed) {
        settle(s);
    }
}

static void on_news(struct writer *w)
{
    struct sqlite_store *s = list_entry(w, struct sqlite_store, writer);
    struct err err = {0};

    s->failed |= writer_failed(w, &err);
    if (!s->failed) {
        settle(s);
    } else if (!s->failure_told) {
        s->failure_told = true;
        if (s->base.on_failure != NULL) {
            s->base.on_failure(s->base.owner, &err);
        }
    }
}

static void when_durable(struct store *base, struct store_wait *wait)
{
    struct sqlite_store *s = sqlite_store_of(base);

    list_remove(&wait->node);
    wait->ticket_ = s->ticket;
    list_append(&s->waits, &wait->node);
    if (s->group == NULL && wait->ticket_ <= writer_durable(&s->writer)) {
        loop_defer(s->loop, &s->settle);
    }
}

static int flush(struct store *base)
{
    struct sqlite_store *s = sqlite_store_of(base);

    sqlite_publish(s);
    return s->failed ? ERR_IO : writer_wait(&s->writer, s->ticket);
}

static bool crowded(struct store *base)
{
    struct sqlite_store *s = sqlite_store_of(base);
    uint64_t group = s->group == NULL ? 0 : s->group->writes.len;

    return writer_bytes(&s->writer) + group > STORE_CROWDED_BYTES;
}

static bool failed(struct store *base, struct err *err)
{
    return writer_failed(&sqlite_store_of(base)->writer, err);
}

static void read_error(struct store *base, struct err *err)
{
    *err = sqlite_store_of(base)->read_error;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static int open_file(struct sqlite_store *s, const char *path, uint64_t max_bytes, struct err *err)
{
    int rc = connection_open(path, &s->writing, err);

    rc = rc != 0 ? rc : schema_check(s->writing, path, err);
    rc = rc != 0 ? rc : connection_set_up(s->writing, max_bytes, err);
    rc = rc != 0 ? rc : schema_migrate(s->writing, err);
    rc = rc != 0 ? rc : connection_open(path, &s->reading, err);
    rc = rc != 0 ? rc : connection_set_up(s->reading, 0, err);
    rc = rc != 0 ? rc : connection_run(s->reading, "PRAGMA query_only = ON", err);
    rc = rc != 0 ? rc : statements_prepare_reads(&s->reads, s->reading, err);
    return rc != 0 ? rc : writer_start(&s->writer, s->loop, s->writing, err);
}

static void drop(struct sqlite_store *s)
{
    statements_clear(&s->reads);
    connection_close(s->reading);
    connection_close(s->writing);
    store_lock_drop(&s->lock);
    xfree(s);
}

static void close_store(struct store *base)
{
    struct sqlite_store *s = sqlite_store_of(base);

    sqlite_publish(s);
    while (!list_empty(&s->waits)) { /* their owners may cancel them later */
        list_remove(s->waits.next);
    }
    s->base.on_failure = NULL;
    loop_defer_cancel(&s->publish);
    loop_defer_cancel(&s->settle);
    writer_stop(&s->writer);
    drop(s);
}

static const struct store_ops ops = {
    .close = close_store,
    .put_run = sqlite_put_run,
    .delete_run = sqlite_delete_run,
    .add_event = sqlite_add_event,
    .add_window = sqlite_add_window,
    .drop_windows = sqlite_drop_windows,
    .add_second = sqlite_add_second,
    .add_sample = sqlite_add_sample,
    .put_totals = sqlite_put_totals,
    .put_document = sqlite_put_document,
    .put_applied = sqlite_put_applied,
    .put_worker = sqlite_put_worker,
    .delete_worker = sqlite_delete_worker,
    .get_run = sqlite_get_run,
    .list_runs = sqlite_list_runs,
    .unfinished = sqlite_unfinished,
    .events = sqlite_events,
    .event_number = sqlite_event_number,
    .event_count = sqlite_event_count,
    .windows = sqlite_windows,
    .seconds = sqlite_seconds,
    .samples = sqlite_samples,
    .totals = sqlite_totals,
    .get_document = sqlite_get_document,
    .get_applied = sqlite_get_applied,
    .workers = sqlite_workers,
    .when_durable = when_durable,
    .flush = flush,
    .crowded = crowded,
    .failed = failed,
    .read_error = read_error,
};

int store_sqlite_open(const struct sqlite_options *options,
                      struct loop *loop,
                      struct store **out,
                      struct err *err)
{
    struct sqlite_store *s = xcalloc(1, sizeof *s);
    struct buf path;
    int rc = store_lock_take(&s->lock, options->dir, err);

    if (rc != 0) {
        xfree(s);
        return rc;
    }
    s->base.ops = &ops;
    s->loop = loop;
    s->writer.on_news = on_news;
    list_init(&s->waits);
    defer_init(&s->publish, on_publish);
    defer_init(&s->settle, on_settle);
    buf_init(&path, STORE_PATH_MAX + sizeof "/mcpdrill.db");
    rc = buf_printf(&path, "%s/mcpdrill.db", options->dir) != 0
             ? err_set(err, ERR_IO, "the path of the data folder is too long")
             : open_file(s, buf_c(&path), options->max_bytes, err);
    buf_clear(&path);
    if (rc != 0) {
        drop(s);
        return rc;
    }
    *out = &s->base;
    return 0;
}
