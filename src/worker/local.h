/* SPDX-License-Identifier: MIT */
/*
 * A worker inside this process: a thread for each shard, and the messages between them and the
 * control plane's loop. The run sees it through the same table of operations as any other worker.
 */
#ifndef WORKER_LOCAL_H
#define WORKER_LOCAL_H

#include "base/err.h"
#include "http/url.h"
#include "loop/loop.h"
#include "metrics/check.h"
#include "metrics/window.h"
#include "plan/plan.h"

struct local_worker;

/* Who hears what the shards report; called on the thread of `loop`. */
struct worker_listener {
    void (*on_checks)(void *owner, const struct check_list *checks);
    void (*on_window)(void *owner, uint32_t source, struct window *w);
    void (*on_drained)(void *owner, uint32_t source);
    void *owner;
};

/* `threads` 0: chosen by the plan's size and the cores. `log`: windows carry the operations that
 * the scenario wants in its log (window_swap_log takes them). `plan` and `url` must outlive the
 * worker. ERR_IO. */
int local_worker_new(struct loop *loop,
                     const struct plan *plan,
                     const struct url *url,
                     uint32_t threads,
                     bool log,
                     struct local_worker **out,
                     struct err *err);
void local_worker_listen(struct local_worker *w, const struct worker_listener *listener);
/* Ends the threads, at once if load is still running. NULL is fine. */
void local_worker_free(struct local_worker *w);

uint32_t local_worker_shards(const struct local_worker *w);

/* Orders; see struct run_workers in control/run.h, whose members these are. */
void local_worker_check(void *worker);
/* The checks, with or without `lists` (engine/preflight.h). */
void local_worker_check_with(void *worker, bool lists);
void local_worker_stage(
    void *worker, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns);
void local_worker_drain(void *worker, bool natural);
void local_worker_stop(void *worker);

#endif
