/* SPDX-License-Identifier: MIT */
/*
 * A shard: one thread's share of the virtual users, with a loop, connections, timers, random
 * numbers and histograms of its own. Shards share nothing but the plan, which nobody writes.
 *
 * Orders come in and reports go out as messages; who carries them (worker/local.c, a test) is not
 * the shard's business. Each second the filled window leaves by pointer and comes back empty.
 *
 *   ORDER_CHECK ─► preflight checks ─► REPORT_CHECKS
 *   ORDER_STAGE ─► at its time the level of VUs changes; operations become due until its end
 *   ORDER_DRAIN ─► no new operations; those in flight end; sessions say goodbye ─► REPORT_DRAINED
 *   ORDER_STOP  ─► everything is cut, what runs is `unfinished`                 ─► REPORT_DRAINED
 *
 * All stages may be ordered before the first begins. With the end of the plan's last one nothing
 * begins any more: what waits is dropped, users and sessions stay, windows go on, until the order
 * to drain comes, however late. If that is the natural one and comes before the end, it waits for
 * it.
 *
 * Everything here belongs to the thread of the shard's loop.
 */
#ifndef ENGINE_SHARD_H
#define ENGINE_SHARD_H

#include "loop/loop.h"
#include "mcp/client.h"
#include "metrics/check.h"
#include "metrics/window.h"
#include "plan/plan.h"

enum message_kind {
    ORDER_CHECK,
    ORDER_STAGE,
    ORDER_DRAIN,
    ORDER_STOP,
    ORDER_RECYCLE, /* a window comes back */
    ORDER_QUIT,    /* for the thread that runs the loop */
    REPORT_CHECKS,
    REPORT_WINDOW,
    REPORT_DRAINED,
};

/* Its receiver frees it (xfree), but for windows, which go back. */
struct message {
    struct list node;
    enum message_kind kind;
    uint32_t shard;                     /* of reports */
    uint32_t stage;                     /* ORDER_STAGE */
    uint64_t grid_ns, start_ns, end_ns; /* ORDER_STAGE: see control/run.h */
    bool lists;                         /* ORDER_CHECK: see engine/preflight.h */
    bool natural;                       /* ORDER_DRAIN: the plan has come to its end */
    struct window *window;              /* REPORT_WINDOW, ORDER_RECYCLE */
    struct check_list *checks;          /* REPORT_CHECKS; the receiver frees it */
};

struct shard_config {
    const struct plan *plan;
    const struct mcp_target *target;
    struct segment segment;
    dial_filter_fn *filter; /* NULL: all addresses */
    const void *filter_owner;
    dial_opener_fn *opener; /* tests: streams without a network; else NULL */
    void *opener_owner;
    /* Takes the message over. */
    void (*post)(void *owner, struct message *report);
    void *owner;
    /* Fills in what its second's window says of the thread and the machine, but for turn_p99_ns;
     * once per window, on the shard's thread. NULL: nobody knows. */
    void (*health)(void *owner, struct window_health *out);
    void *health_owner;
    /* In a stage that is sized by its rate no user is made beyond so many at once: what its machine
     * carries. A hit counts as LIMIT_MAX_VUS. 0: no limit but hard_caps.max_vus. */
    uint32_t max_vus_own;
    uint32_t log_successes; /* for the log of operations, at most, per second; 0: there is no log */
};

struct shard;

struct shard *shard_new(struct loop *loop, const struct shard_config *config);
/* Everything is cut without a word. NULL is fine. */
void shard_free(struct shard *s);
/* Takes the message over; not ORDER_QUIT. */
void shard_take(struct shard *s, struct message *order);

#endif
