/* SPDX-License-Identifier: MIT */
#include "store/writer.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/connection.h"
#include "store/litter.h"
#include "store/record.h"
#include "store/store.h"

#include <signal.h>

struct writer_group *writer_group_new(void)
{
    struct writer_group *g = xcalloc(1, sizeof *g);

    list_init(&g->node);
    buf_init(&g->writes, STORE_GROUP_BYTES_MAX);
    return g;
}

void writer_group_free(struct writer_group *g)
{
    if (g != NULL) {
        buf_clear(&g->writes);
        xfree(g);
    }
}

static uint64_t free_groups(struct list *groups)
{
    uint64_t bytes = 0;

    while (!list_empty(groups)) {
        struct writer_group *g = list_entry(groups->next, struct writer_group, node);

        list_remove(&g->node);
        bytes += g->writes.len;
        writer_group_free(g);
    }
    return bytes;
}

/* ---- the transaction ---------------------------------------------------------------------------
 */

static int bind(sqlite3_stmt *st, int place, const struct value *v)
{
    switch (v->type) {
    case VALUE_NUMBER:
        return sqlite3_bind_int64(st, place, (sqlite3_int64)v->number);
    case VALUE_TEXT:
        return sqlite3_bind_text64(st, place, v->bytes.p, v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    case VALUE_BLOB:
        return sqlite3_bind_blob64(st, place, v->bytes.p, v->bytes.len, SQLITE_STATIC);
    case VALUE_NULL:
        break;
    }
    return sqlite3_bind_null(st, place);
}

static int write_record(struct writer *w, const struct record *record)
{
    sqlite3_stmt *st = w->statements_.all[record->kind];
    int code = SQLITE_OK;

    for (unsigned i = 0; code == SQLITE_OK && i < record->count; i++) {
        code = bind(st, (int)i + 1, &record->values[i]);
    }
    if (code == SQLITE_OK) {
        sqlite3_step(st);
        code = sqlite3_reset(st);
    }
    w->litter_ |= record->kind == WRITE_LITTER_RUN || record->kind == WRITE_LITTER_WINDOWS;
    return code;
}

static int write_group(struct writer *w, const struct writer_group *g, struct err *err)
{
    struct str rest = buf_str(&g->writes);
    struct record record;

    while (record_next(&rest, &record)) {
        if (write_record(w, &record) != SQLITE_OK) {
            return connection_error(w->db_, "write to the store", err);
        }
    }
    return 0;
}

static int commit(struct writer *w, const struct list *batch, struct err *err)
{
    int rc = connection_run(w->db_, "BEGIN IMMEDIATE", err);

    if (rc != 0) {
        return rc;
    }
    list_foreach (node, batch) {
        if (rc == 0) {
            rc = write_group(w, list_entry(node, struct writer_group, node), err);
        }
    }
    if (rc == 0 && sqlite3_exec(w->db_, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        rc = connection_error(w->db_, "write to the store", err);
    }
    if (rc != 0) {
        sqlite3_exec(w->db_, "ROLLBACK", NULL, NULL, NULL);
    }
    return rc;
}

/* ---- the thread --------------------------------------------------------------------------------
 */

/* Under the lock: tells those who wait in a call, and the loop once for any number of times. */
static void tell(struct writer *w)
{
    pthread_cond_broadcast(&w->done_);
    if (!w->shared_.told) {
        w->shared_.told = true;
        mailbox_post(&w->box_, &w->shared_.news);
    }
}

/* Under the lock. */
static void fail(struct writer *w, const struct err *why)
{
    if (w->shared_.failure.code == 0) {
        w->shared_.failure = *why;
        tell(w);
        pthread_cond_signal(&w->work_);
    }
}

/* Under the lock: the next transaction begins a while after the last one did, unless somebody
 * waits. */
static void keep_pace(struct writer *w)
{
    uint64_t at_ns = w->began_ns_ + WRITER_PACE_MS * NS_PER_MS;
    struct timespec at = {(time_t)(at_ns / NS_PER_S), (long)(at_ns % NS_PER_S)};

    while (!w->shared_.closing && w->shared_.hurry <= w->shared_.durable &&
           w->shared_.failure.code == 0 && clock_monotonic_ns() < at_ns) {
        pthread_cond_timedwait(&w->work_, &w->lock_, &at);
    }
    w->began_ns_ = clock_monotonic_ns();
}

/* Under the lock. Returns the ticket of the last group that was taken. */
static uint64_t take_batch(struct writer *w, struct list *batch)
{
    uint64_t bytes = 0, ticket = 0;

    while (!list_empty(&w->shared_.groups) && bytes < WRITER_BATCH_BYTES) {
        struct list *node = w->shared_.groups.next;
        struct writer_group *g = list_entry(node, struct writer_group, node);

        list_remove(node);
        list_append(batch, node);
        bytes += g->writes.len;
        ticket = g->ticket;
    }
    return ticket;
}

/* Under the lock, which it lets go meanwhile. Portions of litter go between the batches. */
static void write_some(struct writer *w)
{
    struct list batch;
    struct err err = {0};
    bool more = false;

    list_init(&batch);
    keep_pace(w);
    uint64_t ticket = take_batch(w, &batch);

    pthread_mutex_unlock(&w->lock_);
    int rc = list_empty(&batch) ? 0 : commit(w, &batch, &err);
    if (rc == 0 && w->litter_) {
        rc = litter_sweep(w->db_, &more, &err);
        w->litter_ = more;
    }
    uint64_t bytes = free_groups(&batch);

    pthread_mutex_lock(&w->lock_);
    w->shared_.bytes -= bytes;
    if (rc != 0) {
        fail(w, &err);
    } else if (ticket != 0) {
        w->shared_.durable = ticket;
        tell(w);
    }
}

/* Under the lock. */
static bool over(const struct writer *w)
{
    return w->shared_.failure.code != 0 || (w->shared_.closing && list_empty(&w->shared_.groups));
}

static void *run_writer(void *arg)
{
    struct writer *w = arg;

    pthread_mutex_lock(&w->lock_);
    while (!over(w)) {
        if (list_empty(&w->shared_.groups) && !w->litter_) {
            pthread_cond_wait(&w->work_, &w->lock_);
        } else {
            write_some(w);
        }
    }
    w->shared_.bytes -= free_groups(&w->shared_.groups);
    pthread_mutex_unlock(&w->lock_);
    return NULL;
}

/* ---- on the loop's thread ----------------------------------------------------------------------
 */

static void on_message(struct mailbox *m, struct list *message)
{
    struct writer *w = list_entry(m, struct writer, box_);

    (void)message;
    pthread_mutex_lock(&w->lock_);
    w->shared_.told = false;
    pthread_mutex_unlock(&w->lock_);
    w->on_news(w);
}

/* Signals are for the loop's thread: the new one begins with all of them blocked. */
static int start_thread(struct writer *w, struct err *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int sys = pthread_create(&w->thread_, NULL, run_writer, w);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return sys == 0 ? 0 : err_sys(err, ERR_IO, sys, "cannot start a thread for the store");
}

static void init_lock(struct writer *w)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&w->lock_, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->work_, &attr);
    pthread_cond_init(&w->done_, &attr);
    pthread_condattr_destroy(&attr);
}

static void drop(struct writer *w)
{
    pthread_cond_destroy(&w->work_);
    pthread_cond_destroy(&w->done_);
    pthread_mutex_destroy(&w->lock_);
    statements_clear(&w->statements_);
}

int writer_start(struct writer *w, struct loop *loop, sqlite3 *db, struct err *err)
{
    int rc = statements_prepare_writes(&w->statements_, db, err);

    if (rc != 0) {
        return rc;
    }
    w->db_ = db;
    w->litter_ = true; /* of an earlier process, perhaps */
    w->began_ns_ = 0;
    w->shared_.bytes = w->shared_.durable = w->shared_.hurry = 0;
    w->shared_.closing = w->shared_.told = false;
    w->shared_.failure.code = 0;
    list_init(&w->shared_.groups);
    list_init(&w->shared_.news);
    init_lock(w);
    rc = mailbox_init(&w->box_, loop, on_message, err);
    if (rc != 0) {
        drop(w);
        return rc;
    }
    rc = start_thread(w, err);
    if (rc != 0) {
        mailbox_clear(&w->box_);
        drop(w);
    }
    return rc;
}

void writer_stop(struct writer *w)
{
    pthread_mutex_lock(&w->lock_);
    w->shared_.closing = true;
    pthread_cond_signal(&w->work_);
    pthread_mutex_unlock(&w->lock_);
    pthread_join(w->thread_, NULL);
    mailbox_clear(&w->box_);
    drop(w);
}

bool writer_push(struct writer *w, struct writer_group *g)
{
    pthread_mutex_lock(&w->lock_);
    bool fits =
        w->shared_.failure.code == 0 && w->shared_.bytes + g->writes.len <= STORE_QUEUE_BYTES_MAX;

    if (fits) {
        w->shared_.bytes += g->writes.len;
        list_append(&w->shared_.groups, &g->node);
        pthread_cond_signal(&w->work_);
    } else {
        struct err err;

        err_set(&err, ERR_IO, "the disk of the store does not keep up: more than %d MiB wait",
                STORE_QUEUE_BYTES_MAX >> 20);
        fail(w, &err);
    }
    pthread_mutex_unlock(&w->lock_);
    if (!fits) {
        writer_group_free(g);
    }
    return fits;
}

uint64_t writer_durable(struct writer *w)
{
    pthread_mutex_lock(&w->lock_);
    uint64_t durable = w->shared_.durable;

    pthread_mutex_unlock(&w->lock_);
    return durable;
}

uint64_t writer_bytes(struct writer *w)
{
    pthread_mutex_lock(&w->lock_);
    uint64_t bytes = w->shared_.bytes;

    pthread_mutex_unlock(&w->lock_);
    return bytes;
}

bool writer_failed(struct writer *w, struct err *err)
{
    pthread_mutex_lock(&w->lock_);
    bool failed = w->shared_.failure.code != 0;

    if (failed && err != NULL) {
        *err = w->shared_.failure;
    }
    pthread_mutex_unlock(&w->lock_);
    return failed;
}

void writer_fail(struct writer *w, const struct err *why)
{
    pthread_mutex_lock(&w->lock_);
    fail(w, why);
    pthread_mutex_unlock(&w->lock_);
}

int writer_wait(struct writer *w, uint64_t ticket)
{
    pthread_mutex_lock(&w->lock_);
    if (w->shared_.hurry < ticket) {
        w->shared_.hurry = ticket;
        pthread_cond_signal(&w->work_);
    }
    while (w->shared_.durable < ticket && w->shared_.failure.code == 0) {
        pthread_cond_wait(&w->done_, &w->lock_);
    }
    int rc = w->shared_.durable >= ticket ? 0 : ERR_IO;

    pthread_mutex_unlock(&w->lock_);
    return rc;
}
