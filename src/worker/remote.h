/* SPDX-License-Identifier: MIT */
/*
 * All runs of one worker process, whatever carries its messages: a socketpair (worker/uplink_pipe)
 * or HTTP (worker/uplink_http).
 *
 *   orders  ─► remote_on_order, remote_on_ack, remote_on_refused ─► an assignment for each run
 *   reports ◄─ remote_take   frames, oldest first; kept until acknowledged, and taken again after
 *                            remote_rewind, when the connection was lost
 *
 * on_change is called, once for any number of changes and never from inside a call, when there are
 * fresh reports or a run has ended.
 *
 * A run is known from its `assign` until its `release`, or until the control plane says that this
 * worker has no part in it: then its load ends at once and its reports are forgotten. One that is
 * over, with everything acknowledged, may be forgotten when there are too many: its release was
 * lost with a connection. Orders of runs that are not known, or not any more, are dropped.
 *
 * Thread of the loop.
 */
#ifndef WORKER_REMOTE_H
#define WORKER_REMOTE_H

#include "loop/loop.h"
#include "wire/frame.h"
#include "wire/messages.h"
#include "worker/capacity.h"
#include "worker/part.h"

enum { REMOTE_RUNS_MAX = 1024 }; /* that are known at once */

struct remote;

struct remote_config {
    struct loop *loop;
    struct capacity capacity;
    struct part_rules rules;
    size_t report_bytes_max; /* of unacknowledged reports; 0: REPORT_LOG_BYTES_MAX */
    void (*on_change)(void *owner);
    void *owner;
};

struct remote *remote_new(const struct remote_config *config);
/* Ends all load at once. NULL is fine. */
void remote_free(struct remote *r);

/* ---- from the control plane -------------------------------------------------------------------
 */

/* The JSON of an order. ERR_… of wire_order_decode for what is none: it is dropped. */
int remote_on_order(struct remote *r, struct str json, struct err *err);
/* Reports of the run up to `seq` are safe. */
void remote_on_ack(struct remote *r, const char *run_id, uint64_t seq);
/* The control plane has no such run, or this worker no part in it. */
void remote_on_refused(struct remote *r, const char *run_id);
/* A run's load ends at once, as by an order. */
void remote_stop(struct remote *r, const char *run_id);
/* ORDER and ACK as frames; other kinds are none of its business. Errors as above. */
int remote_on_frame(struct remote *r, enum wire_kind kind, struct str payload, struct err *err);
/* How far this clock is ahead of the control plane's; for runs that are assigned from now on. */
void remote_set_ahead(struct remote *r, int64_t ahead_ns);

/* ---- to the control plane ---------------------------------------------------------------------
 */

bool remote_fresh(const struct remote *r);
/* Was anything taken that is not acknowledged yet? */
bool remote_unacked(const struct remote *r);
/* As report_log_take. */
unsigned remote_take(struct remote *r, size_t bytes, struct buf *out);
/* Nobody knows what arrived: everything that is not acknowledged is fresh again. */
void remote_rewind(struct remote *r);
/* Fills in all but sent_ns; cpu_percent is that since the last call (of one core 100). */
void remote_heartbeat(struct remote *r, struct wire_heartbeat *out);

/* ---- leaving ----------------------------------------------------------------------------------
 */

/* Drains what runs, and takes no further run. */
void remote_leave(struct remote *r);
/* No load runs, and everything has been acknowledged. */
bool remote_done(const struct remote *r);
/* Users that its runs may have at once. */
uint64_t remote_vus(const struct remote *r);

#endif
