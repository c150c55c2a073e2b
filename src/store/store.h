/* SPDX-License-Identifier: MIT */
/*
 * What a control plane keeps: runs, their events, seconds, windows, samples and results, the
 * workers that it knows, and how far it has applied what they sent.
 *
 * Writes are queued, and a thread of the store's own brings them to the disk, many in one
 * transaction, in the order in which they were queued: after a crash the store holds everything up
 * to some moment and nothing after it. What is queued within one callback of the loop is there as a
 * whole or not at all (a window and the number that says that it was applied). Whatever a write is
 * the ground of (an event that somebody sees, an acknowledgement, an order) waits until the write
 * is durable (store_when_durable): then neither a killed process nor a power cut undoes it.
 *
 * Reads see what is durable, at once and on the caller's thread: a write that was queued in this
 * moment is not among it.
 *
 * The store fails as a whole and for good: when a write cannot be done (disk full), nothing that
 * comes after it is stored, no wait ends, and `on_failure` is called. Start again to go on.
 *
 * The table of operations is the seam between the owner and a kind of store (store/sqlite.h). All
 * calls belong to the thread of the store's loop.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_TEXT_MAX = 64 * 1024 * 1024,         /* of one text or body */
    STORE_GROUP_BYTES_MAX = 160 * 1024 * 1024, /* of writes of one callback */
    STORE_QUEUE_BYTES_MAX = 256 * 1024 * 1024, /* of writes that wait for the disk */
    STORE_CROWDED_BYTES = 32 * 1024 * 1024,    /* see store_crowded */
};

/* Texts are JSON where nothing else is said, at most STORE_TEXT_MAX bytes. On writing they are
 * copied, and one whose `p` is NULL is left as it is stored (empty in a new row); on reading they
 * live until the callback returns. Numbers are below 2^63. */
struct store_run {
    const char *run_id;
    uint64_t number;     /* read only: order of creation, from 1, never used twice */
    uint64_t created_ms; /* since 1970; 0: left as it is */
    uint64_t updated_ms; /* always written */
    const char *scenario_id, *name, *state; /* NULL: left as it is */
    bool terminal;                          /* always written */
    struct str tags;   /* object of strings; other members are stored, and found by no filter */
    struct str view;   /* RunView as it is shown in lists */
    struct str config; /* the document as it was received, any bytes; not in lists */
    struct str saved;  /* what a restart needs to go on; not in lists */
};

struct store_event {
    uint64_t number; /* from 0, without a gap, in its run */
    const char *event_id, *type;
    struct str body; /* event/v1 */
};

struct store_window {
    uint32_t source;
    uint64_t second;
    struct str body; /* binary, as wire/ has it */
};

struct store_worker {
    const char *worker_id;
    const char *token_hash; /* SHA-256 of the token, hex; NULL: left as it is */
    uint64_t registered_ms; /* since 1970; 0: left as it is */
    uint64_t seen_ms;
    struct str body; /* host, capacity, labels, version */
};

struct store_filter {
    const char *state, *scenario_id; /* NULL: any */
    const char *tag_key, *tag_value; /* both or none */
    const char *text; /* a part of the id, the name or the scenario; ASCII letters in either case */
    bool ascending;   /* by creation, then id; else the newest first */
    uint64_t limit, offset;
};

/* In a callback of a read `false` ends it. A callback may write, and read anything else than what
 * it is called by. */
typedef bool store_run_fn(void *owner, const struct store_run *row);
typedef bool store_event_fn(void *owner, const struct store_event *row);
typedef bool store_window_fn(void *owner, const struct store_window *row);
typedef bool store_worker_fn(void *owner, const struct store_worker *row);
typedef bool store_text_fn(void *owner, uint64_t number, struct str body);
typedef bool store_part_fn(void *owner, const char *worker_id, struct str body);

/* A call when everything that was written before is durable; lives in its owner. */
struct store_wait {
    struct list node;
    void (*on_durable)(struct store_wait *wait);
    uint64_t ticket_;
};

struct store_ops;

struct store {
    const struct store_ops *ops;
    /* Set by the owner after opening; NULL: none. Called once, from the loop, when the store has
     * failed; it may not close the store. */
    void (*on_failure)(void *owner, const struct err *err);
    void *owner;
};

/* What a kind of store does; the functions below say what each means. */
struct store_ops {
    void (*close)(struct store *s);
    int (*put_run)(struct store *s, const struct store_run *run);
    int (*delete_run)(struct store *s, const char *run_id);
    int (*add_event)(struct store *s, const char *run_id, const struct store_event *event);
    int (*add_window)(struct store *s, const char *run_id, const struct store_window *window);
    int (*drop_windows)(struct store *s, const char *run_id);
    int (*add_second)(struct store *s, const char *run_id, uint64_t second, struct str body);
    int (*add_sample)(struct store *s, const char *run_id, struct str line);
    int (*put_totals)(struct store *s, const char *run_id, const char *worker_id, struct str body);
    int (*put_document)(struct store *s, const char *run_id, const char *kind, struct str body);
    int (*put_applied)(struct store *s, const char *run_id, const char *worker_id, uint64_t seq);
    int (*put_worker)(struct store *s, const struct store_worker *worker);
    int (*delete_worker)(struct store *s, const char *worker_id);

    int (*get_run)(struct store *s, const char *run_id, store_run_fn *fn, void *owner);
    int (*list_runs)(struct store *s,
                     const struct store_filter *filter,
                     uint64_t *total,
                     store_run_fn *fn,
                     void *owner);
    int (*unfinished)(struct store *s, store_run_fn *fn, void *owner);
    int (*events)(struct store *s,
                  const char *run_id,
                  uint64_t from,
                  uint64_t limit,
                  store_event_fn *fn,
                  void *owner);
    int (*event_number)(struct store *s,
                        const char *run_id,
                        const char *event_id,
                        uint64_t *number);
    int (*event_count)(struct store *s, const char *run_id, uint64_t *count);
    int (*windows)(struct store *s, const char *run_id, store_window_fn *fn, void *owner);
    int (*seconds)(struct store *s,
                   const char *run_id,
                   uint64_t from,
                   uint64_t limit,
                   store_text_fn *fn,
                   void *owner);
    int (*samples)(struct store *s,
                   const char *run_id,
                   uint64_t from,
                   uint64_t limit,
                   store_text_fn *fn,
                   void *owner);
    int (*totals)(struct store *s, const char *run_id, store_part_fn *fn, void *owner);
    int (*get_document)(
        struct store *s, const char *run_id, const char *kind, store_text_fn *fn, void *owner);
    int (*get_applied)(struct store *s, const char *run_id, const char *worker_id, uint64_t *seq);
    int (*workers)(struct store *s, store_worker_fn *fn, void *owner);

    void (*when_durable)(struct store *s, struct store_wait *wait);
    int (*flush)(struct store *s);
    bool (*crowded)(struct store *s);
    bool (*failed)(struct store *s, struct err *err);
    void (*read_error)(struct store *s, struct err *err);
};

/* Everything queued is written first; whether that succeeds nobody is told (store_flush before).
 * Waits that are left are not called. NULL is fine. Not from a callback of the store. */
static inline void store_close(struct store *s)
{
    if (s != NULL) {
        s->ops->close(s);
    }
}

/*
 * Writes: 0, or ERR_IO when the store has failed (store_failed says why). What belongs to a run
 * that is not there (deleted) is dropped without a word.
 */

/* A new run, or changes to one that is there. */
static inline int store_put_run(struct store *s, const struct store_run *run)
{
    return s->ops->put_run(s, run);
}

/* The run and all that belongs to it. */
static inline int store_delete_run(struct store *s, const char *run_id)
{
    return s->ops->delete_run(s, run_id);
}

/* A number or an id that the run has already fails the store: events are never rewritten. */
static inline int
store_add_event(struct store *s, const char *run_id, const struct store_event *event)
{
    return s->ops->add_event(s, run_id, event);
}

static inline int
store_add_window(struct store *s, const char *run_id, const struct store_window *window)
{
    return s->ops->add_window(s, run_id, window);
}

/* The run is over: no window may be added to it any more. */
static inline int store_drop_windows(struct store *s, const char *run_id)
{
    return s->ops->drop_windows(s, run_id);
}

/* A second that is there already is replaced: it has become complete. */
static inline int
store_add_second(struct store *s, const char *run_id, uint64_t second, struct str body)
{
    return s->ops->add_second(s, run_id, second, body);
}

/* A line of the log of operations (op-log/v1); numbered from 0 in its run, in order of adding. */
static inline int store_add_sample(struct store *s, const char *run_id, struct str line)
{
    return s->ops->add_sample(s, run_id, line);
}

/* The totals of one worker, binary. */
static inline int
store_put_totals(struct store *s, const char *run_id, const char *worker_id, struct str body)
{
    return s->ops->put_totals(s, run_id, worker_id, body);
}

/* One document of each kind (a word such as "result"), any bytes. The kinds "config" and "saved"
 * are those of store_put_run. */
static inline int
store_put_document(struct store *s, const char *run_id, const char *kind, struct str body)
{
    return s->ops->put_document(s, run_id, kind, body);
}

/* The last report of a worker that was applied to a run. */
static inline int
store_put_applied(struct store *s, const char *run_id, const char *worker_id, uint64_t seq)
{
    return s->ops->put_applied(s, run_id, worker_id, seq);
}

/* A new worker, or changes to one that is there. */
static inline int store_put_worker(struct store *s, const struct store_worker *worker)
{
    return s->ops->put_worker(s, worker);
}

/* What it brought to runs stays with them. */
static inline int store_delete_worker(struct store *s, const char *worker_id)
{
    return s->ops->delete_worker(s, worker_id);
}

/*
 * Reads: 0, ERR_IO (store_read_error says why), and where one thing is asked for ERR_NOT_FOUND. Of
 * a run that is not there lists are empty and counts 0.
 */

static inline int store_get_run(struct store *s, const char *run_id, store_run_fn *fn, void *owner)
{
    return s->ops->get_run(s, run_id, fn, owner);
}

/* *total: how many runs the filter lets through, whatever limit and offset are; may be NULL. */
static inline int store_list_runs(struct store *s,
                                  const struct store_filter *filter,
                                  uint64_t *total,
                                  store_run_fn *fn,
                                  void *owner)
{
    return s->ops->list_runs(s, filter, total, fn, owner);
}

/* Runs that are not terminal, in order of creation, with config and saved. */
static inline int store_unfinished(struct store *s, store_run_fn *fn, void *owner)
{
    return s->ops->unfinished(s, fn, owner);
}

/* At most `limit` events from number `from` on. */
static inline int store_events(struct store *s,
                               const char *run_id,
                               uint64_t from,
                               uint64_t limit,
                               store_event_fn *fn,
                               void *owner)
{
    return s->ops->events(s, run_id, from, limit, fn, owner);
}

/* Which number the event of that id has in its run. ERR_NOT_FOUND. */
static inline int
store_event_number(struct store *s, const char *run_id, const char *event_id, uint64_t *number)
{
    return s->ops->event_number(s, run_id, event_id, number);
}

static inline int store_event_count(struct store *s, const char *run_id, uint64_t *count)
{
    return s->ops->event_count(s, run_id, count);
}

/* In the order in which they were added. */
static inline int
store_windows(struct store *s, const char *run_id, store_window_fn *fn, void *owner)
{
    return s->ops->windows(s, run_id, fn, owner);
}

/* At most `limit` seconds, from second `from` on, in their order; `number` is the second. */
static inline int store_seconds(struct store *s,
                                const char *run_id,
                                uint64_t from,
                                uint64_t limit,
                                store_text_fn *fn,
                                void *owner)
{
    return s->ops->seconds(s, run_id, from, limit, fn, owner);
}

/* At most `limit` lines, from number `from` on. */
static inline int store_samples(struct store *s,
                                const char *run_id,
                                uint64_t from,
                                uint64_t limit,
                                store_text_fn *fn,
                                void *owner)
{
    return s->ops->samples(s, run_id, from, limit, fn, owner);
}

/* In the order of the workers' ids. */
static inline int store_totals(struct store *s, const char *run_id, store_part_fn *fn, void *owner)
{
    return s->ops->totals(s, run_id, fn, owner);
}

/* ERR_NOT_FOUND; `number` is 0. */
static inline int store_get_document(
    struct store *s, const char *run_id, const char *kind, store_text_fn *fn, void *owner)
{
    return s->ops->get_document(s, run_id, kind, fn, owner);
}

/* *seq is 0 where nothing was applied yet. */
static inline int
store_get_applied(struct store *s, const char *run_id, const char *worker_id, uint64_t *seq)
{
    return s->ops->get_applied(s, run_id, worker_id, seq);
}

/* In order of registration. */
static inline int store_workers(struct store *s, store_worker_fn *fn, void *owner)
{
    return s->ops->workers(s, fn, owner);
}

/*
 * What is durable.
 */

static inline void store_wait_init(struct store_wait *wait,
                                   void (*on_durable)(struct store_wait *wait))
{
    list_init(&wait->node);
    wait->on_durable = on_durable;
    wait->ticket_ = 0;
}

/* Calls wait->on_durable from the loop, never before this returns, when all that was written before
 * is durable; several in the order of these calls. A wait that waits already begins anew, as the
 * last. After a failure it is never called. */
static inline void store_when_durable(struct store *s, struct store_wait *wait)
{
    s->ops->when_durable(s, wait);
}

/* Also when it does not wait. */
static inline void store_wait_cancel(struct store_wait *wait)
{
    list_remove(&wait->node);
}

/* Blocks until all that was written is durable: for the end, and for tests. What a callback writes
 * after it is apart from what it wrote before. 0 or ERR_IO. Waits are called from the loop all the
 * same. */
static inline int store_flush(struct store *s)
{
    return s->ops->flush(s);
}

/* The disk does not keep up: more than STORE_CROWDED_BYTES wait for it. Take no more reports until
 * it does. More than STORE_QUEUE_BYTES_MAX fail the store. */
static inline bool store_crowded(struct store *s)
{
    return s->ops->crowded(s);
}

/* Whether the store has failed; *err (may be NULL) says why. */
static inline bool store_failed(struct store *s, struct err *err)
{
    return s->ops->failed(s, err);
}

/* Why the last read that gave ERR_IO did. */
static inline void store_read_error(struct store *s, struct err *err)
{
    s->ops->read_error(s, err);
}

#endif
