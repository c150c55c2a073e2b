/* SPDX-License-Identifier: MIT */
/*
 * What a worker has told the control plane and does not know to be safe there: each report is kept
 * until it is acknowledged, and sent again after a reconnect.
 *
 * Words. The *log* is the process's; its *queues* are the runs'. Reports of a run are numbered from
 * 1 without a gap. A report is *fresh* until it has been taken for sending, and fresh again after
 * report_log_rewind, when nobody knows what arrived.
 *
 * The log is bounded in bytes. A report that is beyond the bound is refused before it gets a
 * number: what follows from that (the second is missing, the totals differ) is the caller's to
 * tell. Small reports that a run cannot do without are taken all the same (REPORT_NEEDED).
 *
 * One thread.
 */
#ifndef WORKER_REPORT_LOG_H
#define WORKER_REPORT_LOG_H

#include "base/buf.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

/* Ten minutes of 16 shards with 25 KB each second. */
#define REPORT_LOG_BYTES_MAX ((size_t)256 * 1024 * 1024)

enum report_need { REPORT_IF_ROOM, REPORT_NEEDED };

struct report_log {
    struct list fresh_, sent_; /* in the order in which they were added */
    size_t bytes, bytes_max;   /* of all that is kept */
};

struct report_queue {
    struct report_log *log;
    uint64_t last_seq;  /* of the last report added; 0: none */
    uint64_t acked_seq; /* everything up to it is safe */
    uint64_t refused;   /* reports for which there was no room */
    struct list kept_;
};

void report_log_init(struct report_log *log, size_t bytes_max);
/* Anything to send? */
bool report_log_fresh(const struct report_log *log);
/* Was anything taken that is not acknowledged yet? */
bool report_log_unacked(const struct report_log *log);
/* Appends fresh frames, oldest first, as long as `out` stays within `bytes`, but at least one.
 * They count as sent. Returns how many. `out` must have room for one frame of any size. */
unsigned report_log_take(struct report_log *log, size_t bytes, struct buf *out);
/* Everything that is kept is fresh again. */
void report_log_rewind(struct report_log *log);

void report_queue_init(struct report_queue *q, struct report_log *log);
/* Forgets what it keeps. */
void report_queue_clear(struct report_queue *q);
/* Keeps a frame, which has the number last_seq + 1 inside. False: there is no room for it. */
bool report_queue_add(struct report_queue *q, struct str frame, enum report_need need);
/* Everything up to `seq` is safe. Numbers that were never given, or are known, change nothing. */
void report_queue_ack(struct report_queue *q, uint64_t seq);
/* Is nothing kept any more? */
bool report_queue_empty(const struct report_queue *q);

#endif
