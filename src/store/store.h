/* SPDX-License-Identifier: MIT */
/*
 * What a control plane keeps: runs, their events, seconds, windows and results, the workers that it
 * knows, and how far it has applied what they sent.
 *
 * Writes are queued, and a thread of the store's own brings them to the disk, many in one
 * transaction, in the order in which they were queued: after a crash the store holds everything up
 * to some moment and nothing after it. Whatever a write is the ground of (an event that somebody
 * sees, an acknowledgement, an order) waits until the write is durable (store_when_durable).
 *
 * Reads see what is durable, at once and on the caller's thread.
 *
 * One implementation today (store/sqlite.h); the table of operations is the seam for another.
 * Everything but the writer belongs to the thread of `loop`.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_ID_MAX = 80,                        /* of an id, with its NUL */
    STORE_QUEUE_BYTES_MAX = 256 * 1024 * 1024, /* of writes that wait for the disk */
};

/* Texts are JSON where nothing else is said. On writing they are copied; on reading they live until
 * the callback returns. A text whose `p` is NULL is left as it is stored. */
struct store_run {
    const char *run_id;
    uint64_t number; /* order of creation, from 1; given by the store on writing a new one */
    uint64_t created_ms, updated_ms;
    const char *scenario_id, *name, *state; /* NULL: left as it is */
    bool terminal;
    struct str tags;   /* object of strings */
    struct str config; /* the document as it was received */
    struct str view;   /* RunView as it is shown in lists */
    struct str saved;  /* what a restart needs to go on; empty for one that is over */
};

struct store_event {
    uint64_t number; /* from 0, without a gap, in its run */
    const char *event_id, *type;
    struct str body; /* event/v1 */
};

struct store_window {
    uint32_t source;
    uint64_t second;
    struct str body; /* as wire/ has it */
};

struct store_worker {
    const char *worker_id;
    char token_hash[65]; /* SHA-256 of the token, hex */
    uint64_t registered_ms, seen_ms;
    struct str body; /* host, capacity, labels, version */
};

struct store_filter {
    const char *state, *scenario_id, *tag_key, *tag_value, *text; /* NULL: any */
    bool ascending; /* by creation; else the newest first */
    uint64_t limit, offset;
};

struct store;

/* In a callback of a read `false` ends it. */
typedef bool store_run_fn(void *owner, const struct store_run *row);
typedef bool store_event_fn(void *owner, const struct store_event *row);
typedef bool store_window_fn(void *owner, const struct store_window *row);
typedef bool store_worker_fn(void *owner, const struct store_worker *row);
typedef bool store_text_fn(void *owner, uint64_t number, struct str body);

/* A call when everything that was written before is durable; lives in its owner. */
struct store_wait {
    struct list node;
    uint64_t ticket;
    void (*on_durable)(struct store_wait *wait);
};

struct store_ops {
    void (*close)(struct store *s); /* everything queued is written first */
    /* Queues; ERR_LIMIT when the queue is full, ERR_IO after a write failed (store_failure). */
    int (*put_run)(struct store *s, const struct store_run *run); /* a new one, or changes */
    int (*delete_run)(struct store *s, const char *run_id); /* and all that belongs to it */
    int (*add_event)(struct store *s, const char *run_id, const struct store_event *event);
    int (*add_window)(struct store *s, const char *run_id, const struct store_window *window);
    int (*drop_windows)(struct store *s, const char *run_id); /* the run is over */
    int (*add_second)(struct store *s, const char *run_id, uint64_t second, struct str body);
    int (*add_sample)(struct store *s, const char *run_id, struct str line); /* op-log/v1 */
    int (*put_totals)(struct store *s, const char *run_id, const char *worker_id, struct str body);
    int (*put_document)(struct store *s, const char *run_id, const char *kind, struct str body);
    int (*put_applied)(struct store *s, const char *run_id, const char *worker_id, uint64_t seq);
    int (*put_worker)(struct store *s, const struct store_worker *worker);
    /* Reads: 0, or ERR_NOT_FOUND, ERR_IO. */
    int (*get_run)(struct store *s, const char *run_id, store_run_fn *fn, void *owner);
    int (*list_runs)(struct store *s, const struct store_filter *f, uint64_t *total, store_run_fn *fn, void *owner);
    int (*unfinished)(struct store *s, store_run_fn *fn, void *owner); /* in order of creation */
    int (*events)(struct store *s, const char *run_id, uint64_t from, uint64_t limit, store_event_fn *fn, void *owner);
    int (*event_number)(struct store *s, const char *run_id, const char *event_id, uint64_t *out);
    int (*event_count)(struct store *s, const char *run_id, uint64_t *out);
    int (*windows)(struct store *s, const char *run_id, store_window_fn *fn, void *owner); /* as they were added */
    int (*seconds)(struct store *s, const char *run_id, uint64_t from, uint64_t limit, store_text_fn *fn, void *owner);
    int (*samples)(struct store *s, const char *run_id, uint64_t from, uint64_t limit, store_text_fn *fn, void *owner);
    int (*get_document)(struct store *s, const char *run_id, const char *kind, store_text_fn *fn, void *owner);
    int (*get_applied)(struct store *s, const char *run_id, const char *worker_id, uint64_t *seq);
    int (*workers)(struct store *s, store_worker_fn *fn, void *owner);
    int (*when_durable)(struct store *s, struct store_wait *wait);
    bool (*failed)(struct store *s, struct err *err); /* a write did not succeed: nothing is stored any more */
};
struct store { const struct store_ops *ops; };
#endif
