/* SPDX-License-Identifier: MIT */
/*
 * A worker inside this process: a thread for each shard, and the messages between them and the
 * control plane's loop. The run sees it through the same table of operations as any other worker.
 * It plays a whole run, or as part of a fleet the share of some of the run's sources: its shard k
 * is source base + k.
 */
#ifndef WORKER_LOCAL_H
#define WORKER_LOCAL_H

#include "base/err.h"
#include "http/url.h"
#include "loop/loop.h"
#include "metrics/check.h"
#include "metrics/window.h"
#include "plan/plan.h"

#include <stdbool.h>

struct local_worker;

/* Who hears what the shards report; called on the thread of `loop`. Sources are those of the run.
 */
struct worker_listener {
    void (*on_checks)(void *owner, const struct check_list *checks);
    void (*on_window)(void *owner, uint32_t source, struct window *w);
    void (*on_drained)(void *owner, uint32_t source);
    void *owner;
};

struct local_worker_config {
    const struct plan *plan;
    const struct url *url;
    bool log;         /* windows carry the operations that the scenario wants in its log
                       * (window_swap_log takes them) */
    uint32_t threads; /* of a whole run: at most so many; 0: chosen by its size and the cores */

    /* A part of a run. Whoever deals the run has looked at its caps (worker/sharding.h). */
    uint32_t total; /* sources of the run, at most DEAL_SOURCES_MAX; 0: all of it is played here */
    uint32_t base, shards;   /* the sources base .. base+shards-1 are; at least one */
    const struct deal *deal; /* the weights of all `total`; NULL: equal ones */
    uint32_t max_vus;        /* of all shards at once, where a stage is sized by its rate: dealt
                              * evenly, at least one to each. 0: no limit but the scenario's */
};

/* `plan`, `url` and `deal` must outlive the worker, the config need not. ERR_IO; ERR_INVALID: it is
 * no part of the run. */
int local_worker_new(struct loop *loop,
                     const struct local_worker_config *config,
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
/* `natural`: not before the end of the plan's last stage, if that has been ordered. */
void local_worker_drain(void *worker, bool natural);
void local_worker_stop(void *worker);

#endif
