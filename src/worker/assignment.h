/* SPDX-License-Identifier: MIT */
/*
 * One run, as a worker process plays its part of it. Orders of the control plane come in, reports
 * go out through the process's log (worker/report_log.h); who carries both is worker/remote.h's.
 *
 *   assign ─► compiling (a thread of its own) ─► READY ─► check, stages, drain or stop ─► DRAINED
 *                    └─► REJECTED                          by each source, then TOTALS ─► release
 *
 * Orders are numbered, come again after a reconnect, and are dropped when they are known. Those
 * that come while the part is compiled wait for it. The offset between the clocks is fixed when the
 * run is assigned: instants of orders, and of windows, go through it.
 *
 * A window is encoded once, as it comes, on this thread; the shards' threads only hand it over.
 * What the log has no room for is in the totals all the same, so that the control plane sees that
 * figures are missing.
 *
 * Thread of the loop.
 */
#ifndef WORKER_ASSIGNMENT_H
#define WORKER_ASSIGNMENT_H

#include "loop/loop.h"
#include "wire/messages.h"
#include "wire/order.h"
#include "worker/part.h"
#include "worker/report_log.h"

struct assignment;

struct assignment_host {
    struct loop *loop;
    struct report_log *log;
    struct part_rules rules;
    struct buf *scratch; /* for frames while they are written; at least WIRE_FRAME_MAX */
    /* May a part with at least so many users be played here now, and with how many of at most
     * `most`? If not, *err says why. */
    int (*admit)(void *owner, uint64_t least, uint64_t most, uint64_t *granted, struct err *err);
    /* There is something to send, or its load has ended. */
    void (*on_change)(void *owner);
    void *owner;
};

enum assignment_state {
    ASSIGNMENT_COMPILING,
    ASSIGNMENT_PLAYING, /* from READY on, whether there is load or not */
    ASSIGNMENT_ENDED,   /* no load any more; its reports may still be under way */
};

/* Takes the order's contents over. `host` must outlive it. `ahead_ns`: how far the clock is ahead
 * of the control plane's. */
struct assignment *
assignment_new(const struct assignment_host *host, struct wire_order *assign, int64_t ahead_ns);
/* Its load ends at once, its reports are forgotten. */
void assignment_free(struct assignment *a);

/* An order other than `assign`. Takes its contents over. */
void assignment_order(struct assignment *a, struct wire_order *order);
/* Its load ends at once, and is reported. */
void assignment_stop(struct assignment *a);
/* The worker leaves: what runs is finished, nothing new begins. */
void assignment_leave(struct assignment *a);

const char *assignment_run_id(const struct assignment *a);
enum assignment_state assignment_state(const struct assignment *a);
/* Users that it may have at once; 0 before it is READY and after its end. */
uint64_t assignment_vus(const struct assignment *a);
struct report_queue *assignment_reports(struct assignment *a);
/* Adds what it has at present: users, sessions, operations in flight and waiting. */
void assignment_count(const struct assignment *a, struct wire_heartbeat *out);

#endif
