/* SPDX-License-Identifier: MIT */
/* What the files of the SQLite store share: its state, its writes (sqlite_writes.c) and its reads
 * (sqlite_reads.c). For them and sqlite.c alone. */
#ifndef STORE_SQLITE_STORE_H
#define STORE_SQLITE_STORE_H

#include "store/lock.h"
#include "store/record.h"
#include "store/store.h"
#include "store/writer.h"

struct sqlite_store {
    struct store base;
    struct loop *loop;
    struct store_lock lock;
    sqlite3 *writing; /* the writer's connection */
    sqlite3 *reading;
    struct writer writer;
    struct statements reads;
    struct err read_error;
    struct writer_group *group; /* that this callback of the loop fills; NULL: none */
    uint64_t ticket;            /* of `group`, or of the last one */
    struct defer publish, settle;
    struct list waits; /* of struct store_wait, tickets rising */
    bool failed;       /* nothing is taken any more */
    bool failure_told; /* on_failure was called */
};

static inline struct sqlite_store *sqlite_store_of(struct store *s)
{
    return list_entry(s, struct sqlite_store, base);
}

/* Appends to the group of this callback. 0, or ERR_IO: the store has failed. */
int sqlite_add(struct sqlite_store *s, const struct record *record);
/* Gives the group to the writer, if there is one. */
void sqlite_publish(struct sqlite_store *s);

/* The members of struct store_ops. */
int sqlite_put_run(struct store *base, const struct store_run *run);
int sqlite_delete_run(struct store *base, const char *run_id);
int sqlite_add_event(struct store *base, const char *run_id, const struct store_event *event);
int sqlite_add_window(struct store *base, const char *run_id, const struct store_window *window);
int sqlite_drop_windows(struct store *base, const char *run_id);
int sqlite_add_second(struct store *base, const char *run_id, uint64_t second, struct str body);
int sqlite_add_sample(struct store *base, const char *run_id, struct str line);
int sqlite_put_totals(struct store *base,
                      const char *run_id,
                      const char *worker_id,
                      struct str body);
int sqlite_put_document(struct store *base, const char *run_id, const char *kind, struct str body);
int sqlite_put_applied(struct store *base, const char *run_id, const char *worker_id, uint64_t seq);
int sqlite_put_worker(struct store *base, const struct store_worker *worker);
int sqlite_delete_worker(struct store *base, const char *worker_id);

int sqlite_get_run(struct store *base, const char *run_id, store_run_fn *fn, void *owner);
int sqlite_list_runs(struct store *base,
                     const struct store_filter *filter,
                     uint64_t *total,
                     store_run_fn *fn,
                     void *owner);
int sqlite_unfinished(struct store *base, store_run_fn *fn, void *owner);
int sqlite_events(struct store *base,
                  const char *run_id,
                  uint64_t from,
                  uint64_t limit,
                  store_event_fn *fn,
                  void *owner);
int sqlite_event_number(struct store *base,
                        const char *run_id,
                        const char *event_id,
                        uint64_t *number);
int sqlite_event_count(struct store *base, const char *run_id, uint64_t *count);
int sqlite_windows(struct store *base, const char *run_id, store_window_fn *fn, void *owner);
int sqlite_seconds(struct store *base,
                   const char *run_id,
                   uint64_t from,
                   uint64_t limit,
                   store_text_fn *fn,
                   void *owner);
int sqlite_samples(struct store *base,
                   const char *run_id,
                   uint64_t from,
                   uint64_t limit,
                   store_text_fn *fn,
                   void *owner);
int sqlite_totals(struct store *base, const char *run_id, store_part_fn *fn, void *owner);
int sqlite_get_document(
    struct store *base, const char *run_id, const char *kind, store_text_fn *fn, void *owner);
int sqlite_get_applied(struct store *base,
                       const char *run_id,
                       const char *worker_id,
                       uint64_t *seq);
int sqlite_workers(struct store *base, store_worker_fn *fn, void *owner);

#endif
