/* SPDX-License-Identifier: MIT */
/*
 * A control plane: its runs, its workers, and the store that both are kept in. What the API asks
 * for, as calls; the API only translates.
 *
 * A run that is played lives here, as struct run with its crew of workers (fleet/crew.h); one that
 * is over, or not started yet, lives in the store. A call that changes something has its effect in
 * memory when it returns; whoever tells of it waits first until it is durable (hub_when_durable).
 * What the hub itself lets out (orders, news of events) waits likewise, but for orders to end load.
 *
 * Workers register, send heartbeats and reports, and have a link each, by which their orders go
 * (fleet/link.h). One without a word for three seconds gets no new run, after ten it is lost to its
 * runs, after ten minutes it is forgotten.
 *
 * JSON that is handed in is borrowed, what is handed out is a new reference; texts are copied.
 * Everything belongs to the thread of the loop.
 */
#ifndef FLEET_HUB_H
#define FLEET_HUB_H

#include "base/err.h"
#include "base/json.h"
#include "base/list.h"
#include "fleet/link.h"
#include "loop/loop.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HUB_RUN_ID_MAX = 80,
    HUB_NAME_MAX = 200, /* of an actor, a tag's text */
    HUB_TAG_KEY_MAX = 100,
    HUB_TAGS_MAX = 64,
    HUB_RUNS_ACTIVE_MAX = 1000, /* played at once */
    HUB_WORKERS_MAX = 10000,    /* registered, lost ones included */
};

/* Why a call was refused: the API's error, but for the run's id. All zero: it was not. */
struct hub_refusal {
    int status; /* of HTTP */
    const char *type, *code;
    char message[1024]; /* what was expected, and what to do */
    bool retryable;
    json_t *details; /* NULL: none */
};
void hub_refusal_clear(struct hub_refusal *r);

struct hub_config {
    struct loop *loop;   /* both outlive the hub, */
    struct store *store; /* and the store has the same loop */
    bool network_public; /* addresses as for a service that others may reach */
    /* Blocks of private addresses that may be loaded all the same; they outlive the hub. */
    const char *const *open_networks;
    size_t open_network_count;
    void (*on_line)(const char *line); /* what a person at the terminal should see; or NULL */
};

struct hub;

/* Goes on with the runs that the store has unfinished: one that cannot go on ends as failed, and is
 * no reason to fail here. ERR_IO: the store cannot be read. */
int hub_new(const struct hub_config *config, struct hub **out, struct err *err);
/* Runs that are not over stay so in the store. Watches end without a word; links are not told.
 * NULL is fine. */
void hub_free(struct hub *h);

/* Called from the loop when all that was done so far is durable; never when the store fails. */
void hub_when_durable(struct hub *h, struct store_wait *wait);

/* ---- runs -------------------------------------------------------------------------------------
 * Each returns 0, or ERR_… with *why filled (and to be cleared).
 */

/* What `mcpdrill validate` says: {ok, errors?, warnings?}, a new reference. */
json_t *hub_validate(struct hub *h, const json_t *config, json_t *files, bool strict);

struct hub_new_run {
    json_t *config;    /* run-config/v1 */
    json_t *files;     /* object: what its feeds name, by the path as written; or NULL */
    json_t *tags;      /* object of strings beside the scenario's; or NULL */
    const char *name;  /* or NULL */
    const char *actor; /* who wants it: "api", "user" … */
};
/* *warnings: an array, or NULL; a new reference. */
int hub_create(struct hub *h,
               const struct hub_new_run *what,
               char run_id[HUB_RUN_ID_MAX],
               json_t **warnings,
               struct hub_refusal *why);
/* `overrides`: a merge patch (RFC 7396) on the stored document; or NULL. */
int hub_clone(struct hub *h,
              const char *run_id,
              json_t *overrides,
              const char *actor,
              char new_id[HUB_RUN_ID_MAX],
              struct hub_refusal *why);
/* *state: the name that it has from now on. */
int hub_start(struct hub *h,
              const char *run_id,
              const char *actor,
              const char **state,
              struct hub_refusal *why);
/* `mode`: "drain", "immediate", or "" for what the scenario's stop policy says. The same mode again
 * has no effect, a harder one escalates. */
int hub_stop(struct hub *h,
             const char *run_id,
             const char *mode,
             const char *actor,
             struct hub_refusal *why);
int hub_emergency_stop(struct hub *h,
                       const char *run_id,
                       const char *actor,
                       struct hub_refusal *why);
/* With all that is stored of it; refused while it is played. */
int hub_delete(struct hub *h, const char *run_id, struct hub_refusal *why);

/* New references each. */
int hub_view(struct hub *h, const char *run_id, json_t **out, struct hub_refusal *why);
int hub_list(struct hub *h,
             const struct store_filter *filter,
             json_t **out,
             struct hub_refusal *why);
/* The document as it was received (without secrets), or with everything applied. */
int hub_config_of(
    struct hub *h, const char *run_id, bool effective, json_t **out, struct hub_refusal *why);
int hub_result(struct hub *h, const char *run_id, json_t **out, struct hub_refusal *why);

struct hub_metrics_query {
    bool time_series;
    const char *stage_id;    /* NULL: all */
    uint64_t from_ms, to_ms; /* 0, UINT64_MAX: no bound */
    uint64_t resolution_ms;  /* 0: 1 s, wider beyond 2,000 buckets */
};
int hub_metrics(struct hub *h,
                const char *run_id,
                const struct hub_metrics_query *query,
                json_t **out,
                struct hub_refusal *why);

/* ---- events: what is durable can be read, who watches hears of more ----------------------------
 */

struct hub_watch {
    struct list node; /* initialized by hub_watch; empty when no more comes */
    char run_id[HUB_RUN_ID_MAX];
    void (*on_news)(struct hub_watch *w); /* read on, but not inside of it */
};
/* Until the run is over or deleted; on_news comes once more then. Also of a run that is not started
 * yet. Does nothing for one that is over. */
void hub_watch(struct hub *h, const char *run_id, struct hub_watch *w);
void hub_unwatch(struct hub_watch *w); /* fine when it is not watching */
/* Is the run over, with all its events durable? */
bool hub_is_over(struct hub *h, const char *run_id);
struct store *hub_store(struct hub *h); /* for reading */

/* ---- workers ----------------------------------------------------------------------------------
 */

json_t *hub_workers(struct hub *h); /* {workers: […]}, sorted by id */
/* `hello`: a message of wire/. *welcome: its answer. */
int hub_register(struct hub *h, json_t *hello, json_t **welcome, struct hub_refusal *why);
/* Is that its token? */
int hub_worker_may(struct hub *h, const char *worker_id, struct str token, struct hub_refusal *why);
/* *pulse: its answer (wire/), with stop_run_ids: the runs whose load it has to cut at once, should
 * its stream of orders hang. */
int hub_heartbeat(
    struct hub *h, const char *worker_id, json_t *beat, json_t **pulse, struct hub_refusal *why);
/* The worker's command stream: all orders that still matter come when they are durable, later ones
 * as they are given. The link lives until hub_detach, or until it is told that it is replaced. */
int hub_attach(struct hub *h,
               const char *worker_id,
               struct worker_link *link,
               struct hub_refusal *why);
void hub_detach(struct hub *h, struct worker_link *link); /* it is gone; fine when replaced */
/* Frames of reports (wire/report.h). *answer: {acked, refused}, to be sent when durable. Refused
 * with 503 while the store does not keep up. */
int hub_telemetry(struct hub *h,
                  const char *worker_id,
                  struct str frames,
                  json_t **answer,
                  struct hub_refusal *why);

#endif
