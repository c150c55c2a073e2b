/* SPDX-License-Identifier: MIT */
/*
 * The thread that writes: takes groups of writes in the order in which they were given, as many at
 * a time as wait, and commits them as one transaction. A lone group is written at once; where many
 * come, commits begin WRITER_PACE_MS apart, so that the disk is asked rarely. A group is never
 * split. The first failure ends all writing.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "store/statements.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    WRITER_PACE_MS = 10,
    WRITER_BATCH_BYTES = 8 * 1024 * 1024, /* no further group is taken into a transaction */
};

struct writer_group {
    struct list node;
    uint64_t ticket;   /* rising */
    struct buf writes; /* of record_add */
};

struct writer {
    void (*on_news)(struct writer *w); /* from the loop: writer_durable has risen, or it failed */
    struct mailbox box_;
    pthread_t thread_;
    /* The thread's. */
    sqlite3 *db_;
    struct statements statements_;
    bool litter_;       /* there may be some */
    uint64_t began_ns_; /* the last transaction */
    pthread_mutex_t lock_;
    pthread_cond_t work_, done_;
    /* Under the lock. */
    struct {
        struct list groups;
        uint64_t bytes; /* of what is not durable */
        uint64_t durable;
        uint64_t hurry; /* up to this ticket somebody waits */
        bool closing, told;
        struct list news;
        struct err failure; /* code 0: none */
    } shared_;
};

/* Starts the thread on a connection of its own, which stays the caller's. ERR_IO. */
int writer_start(struct writer *w, struct loop *loop, sqlite3 *db, struct err *err);
/* Writes what waits and ends the thread. on_news may be called. */
void writer_stop(struct writer *w);

struct writer_group *writer_group_new(void);
/* NULL is fine. */
void writer_group_free(struct writer_group *g);

/* Takes the group. False when more than STORE_QUEUE_BYTES_MAX would wait: the group is freed and
 * the writer fails. */
bool writer_push(struct writer *w, struct writer_group *g);
/* The last ticket that is durable. */
uint64_t writer_durable(struct writer *w);
uint64_t writer_bytes(struct writer *w);
/* Why nothing is written any more; false: it is. */
bool writer_failed(struct writer *w, struct err *err);
/* From any place: nothing is written any more. The first reason counts. */
void writer_fail(struct writer *w, const struct err *why);
/* Blocks until `ticket` is durable. 0 or ERR_IO. */
int writer_wait(struct writer *w, uint64_t ticket);

#endif
