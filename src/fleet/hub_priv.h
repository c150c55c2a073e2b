/* SPDX-License-Identifier: MIT */
/* Insides that the files of the hub share. */
#ifndef FLEET_HUB_PRIV_H
#define FLEET_HUB_PRIV_H

#include "base/arena.h"
#include "control/run.h"
#include "control/save.h"
#include "fleet/crew.h"
#include "fleet/hub.h"
#include "http/url.h"
#include "report/files/oplog.h"

#define HUB_ORDER_LEAD_NS (500 * NS_PER_MS) /* that orders reach workers before their moment */
#define HUB_SUSPECT_NS    (3 * NS_PER_S)    /* without a word: no new work for that worker */
#define HUB_LOST_NS       (10 * NS_PER_S)   /* … its runs go on without it */
#define HUB_FORGET_NS     (600 * NS_PER_S)  /* … it is no longer listed */
#define HUB_TICK_NS       (500 * NS_PER_MS)
#define HUB_DOCUMENT_MAX  ((size_t)64 * 1024 * 1024) /* of a text in the store */

#define SECOND_AT_MS "at_ms" /* member of a stored second: when it began, by the wall clock */

enum {
    HUB_LABELS_MAX = 64,        /* as many as a hello may have */
    HUB_SAMPLES_MAX = 100000,   /* lines of a run's log that are kept */
    HUB_SAMPLES_SECOND_MAX = 20 /* successes of a source and second among them */
};

/* ---- what waits to be written, and what waits for that ----------------------------------------
 */

enum write_kind {
    WRITE_EVENT,
    WRITE_WINDOW,
    WRITE_SECOND,
    WRITE_SAMPLE,
    WRITE_APPLIED,
    WRITE_TOTALS,
    WRITE_DOCUMENT,
};

struct write {
    struct list node;
    enum write_kind kind;
    uint64_t number;         /* of the event, second, report */
    uint32_t source;         /* WRITE_WINDOW */
    char id[HUB_RUN_ID_MAX]; /* of the event, the worker, the kind of document */
    const char *type;        /* WRITE_EVENT */
    size_t len;
    char body[];
};

/* An order that leaves when all that was written before is durable. */
struct output {
    struct list node;
    char worker_id[WIRE_ID_SIZE];
    uint64_t number; /* rising */
    size_t len;
    char text[];
};

/* What one writing let wait. */
struct batch {
    struct list node; /* of hub.batches */
    struct store_wait wait;
    struct hub *hub;
    struct list outputs;
    struct list hosted; /* struct hosted_ref: whose events it wrote */
};

struct hosted_ref {
    struct list node;
    struct hosted *hosted;
};

/* ---- runs -------------------------------------------------------------------------------------
 */

/* A run in memory: one that is played, or that is only looked at for a moment. */
struct hosted {
    struct list node; /* of hub.runs while it is played */
    struct hub *hub;
    char run_id[HUB_RUN_ID_MAX], execution_id[HUB_RUN_ID_MAX];
    uint64_t created_ms;
    char *name, *actor;              /* name: NULL when it has none of its own */
    json_t *document, *files, *tags; /* as they were received */

    struct scenario *scenario;
    struct url url;
    struct plan_identity identity;
    struct plan *plan;
    struct run_origin origin;

    struct allocation allocation;
    struct crew *crew; /* NULL: not started */
    struct run *run;
    uint64_t event_count; /* events of it so far */
    char last_decision[32];
    char last_state[32]; /* as the last event had it */
    struct oplog oplog;
    bool has_oplog;
    uint64_t sample_count, samples_lost;

    struct list writes; /* struct write */
    bool dirty;
    bool told;            /* something that its view in the store does not show */
    bool allocation_kept; /* in the store */
    bool over;            /* terminal: nothing more comes */
    unsigned in_flight;   /* writings of it that are not durable yet */
    struct list watches;
    struct arena arena; /* actors */
};

/* A run that is not played, until what was written of it is durable. */
struct unsettled {
    struct list node;
    struct store_wait wait;
    char run_id[HUB_RUN_ID_MAX];
    uint64_t event_count; /* 0: as the store says */
    bool deleted;
};

/* ---- workers ----------------------------------------------------------------------------------
 */

struct worker {
    struct list node; /* ascending by id */
    char worker_id[WIRE_ID_SIZE];
    char token_hash[65];
    char version[33];
    json_t *host, *labels, *health; /* health: NULL before the first heartbeat */
    char *label_texts[HUB_LABELS_MAX];
    size_t label_count;
    uint64_t max_vus, max_concurrent_ops, max_rps;
    uint32_t cores;
    uint64_t registered_ms, seen_ms;
    uint64_t seen_ns;
    bool lost;
    struct worker_link *link; /* NULL: no command stream */
    uint64_t first_output;    /* for the link; what was given before comes again */
};

struct hub {
    struct hub_config config;
    struct loop *loop;
    struct store *store;
    struct list runs; /* struct hosted */
    uint32_t run_count;
    struct list workers; /* struct worker */
    uint32_t worker_count;
    struct list outputs;            /* struct output, since the last writing */
    uint64_t output_count;          /* ever */
    struct list batches;            /* that are not durable yet */
    struct list waiting_watches;    /* of runs that are not played yet */
    struct store_wait waiting_news; /* and when there is something for them */
    struct list unsettled;          /* struct unsettled */
    struct defer flush;
    struct timer tick;
    uint64_t looked_ns; /* at the workers */
    bool recovering;
    uint64_t id_counter;
};

/* ---- refusals -------------------------------------------------------------------------------- */

/* Returns `rc`. */
int refuse(struct hub_refusal *why,
           int rc,
           int status,
           const char *type,
           const char *code,
           const char *fmt,
           ...) __attribute__((format(printf, 6, 7)));
int refuse_unknown_run(struct hub_refusal *why);
/* By the run's state: it does not allow the operation. */
int refuse_state(struct hub_refusal *why,
                 const char *run_id,
                 const char *state,
                 const char *operation);
/* The store said no. */
int refuse_store(struct hub *h, struct hub_refusal *why);
/* 0, unless the store has failed or cannot take more at the moment: it would fail if it had to. */
int refuse_crowded(struct hub *h, struct hub_refusal *why);

/* ---- hub_watch.c ------------------------------------------------------------------------------
 */

void watches_init(struct hub *h);
void watches_clear(struct hub *h);
/* There are more events, and they are durable. */
void watches_tell(struct hosted *r);
/* The run is played from now on. */
void watches_adopt(struct hosted *r);
/* It is over. */
void watches_end(struct hosted *r);
/* A run that is not played was deleted. */
void watches_drop(struct hub *h, const char *run_id);
/* One that is not played has got events: when they are durable. */
void watches_tell_waiting(struct hub *h);

/* ---- hub_unsettled.c --------------------------------------------------------------------------
 */

/* Its events have been written: the next one of the run has the number behind them. */
void unsettled_events(struct hosted *r);
void unsettled_delete(struct hub *h, const char *run_id);
/* How many events it has; `durable`: as the store says. */
uint64_t unsettled_event_count(struct hub *h, const char *run_id, uint64_t durable);
bool unsettled_is_deleted(struct hub *h, const char *run_id);
void unsettled_clear(struct hub *h);

/* ---- hub.c: writing and what follows -------------------------------------------------------- */

/* At the end of this turn, or before hub_when_durable, everything that changed is written. */
void hub_touch(struct hosted *r);
void hub_write(
    struct hosted *r, enum write_kind kind, uint64_t number, const char *id, struct str body);
void hub_write_window(struct hosted *r, uint32_t source, uint64_t second, struct str body);
/* An order of the crew's. */
void hub_send(void *owner, uint32_t member, struct str order, bool urgent);
void hub_line(struct hub *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct hosted *hub_find(struct hub *h, const char *run_id);
/* Ids: "exe" + 16 random hex digits and so on. */
void hub_random_id(const char *prefix, char *out, size_t size);

/* ---- hosted.c ------------------------------------------------------------------------------- */

struct hosted *hosted_new(struct hub *h, const char *run_id);
void hosted_free(struct hosted *r);
/* Loads document, files, labels and the number of events of a run of the store. `*state` is its
 * state (of sizeof last_state bytes). ERR_NOT_FOUND, ERR_IO; why is filled. */
int hosted_read(struct hub *h,
                const char *run_id,
                struct hosted **out,
                char state[32],
                struct hub_refusal *why);
/* Writes a document of the run. Takes it over. */
void hosted_put_json(struct hosted *r, const char *kind, json_t *json);
/* From the document to plan and origin. Issues are added; ERR_INVALID when it has errors. */
int hosted_load(struct hosted *r, struct issue_list *issues, struct err *err);
/* The name that it was given, its scenario's, or the scenario's id. */
const char *hosted_name(const struct hosted *r);
/* Writes an event of the hub's own: of the run's if there is one. Takes the payload over. */
void hosted_event(struct hosted *r, const char *type, const char *actor, json_t *payload);
/* Of a run that is not played: nothing but events waits to be written. */
void hosted_write_events(struct hosted *r);
/* The last events of a run that cannot go on. */
void hosted_tell_failed(struct hosted *r, const char *why);
/* What a struct run says, for run_new. */
struct run_observer hosted_observer(struct hosted *r);
/* Options to load a document with; `names` and `files` live as long as they do. */
void hosted_options(struct hub *h,
                    json_t *files,
                    const char **names,
                    struct scenario_file *list,
                    struct scenario_options *out);
enum { HOSTED_FILES_MAX = 64 };

/* ---- hosted_play.c: from a plan to a run ------------------------------------------------------
 */

/* Makes crew and run by r->allocation; persons are found among the workers, or in `saved`. */
int hosted_make(struct hosted *r, const struct crew_person *persons, struct err *err);
void hosted_on_window(void *owner, uint32_t source, struct window *w, struct str encoded);
/*
 * What a restart needs. Of a hundred workers it is hundreds of kilobytes, and each of them reports
 * each second: only what a report changes is written with each one (hosted_save, and how far the
 * worker's reports are applied), who plays and what was ordered when that changes (hosted_keep).
 */
json_t *hosted_save(const struct hosted *r);
void hosted_keep(struct hosted *r);
/* It is over: what hosted_keep wrote is of no use any more. */
void hosted_forget_plan(struct hosted *r);
#define DOCUMENT_ALLOCATION "allocation"
#define DOCUMENT_CREW       "crew"
/* The workers that are there, and what they have free; their groups are the shares of `placement`
 * (NULL: none). The caller frees both lists. */
uint32_t hub_candidates(struct hub *h,
                        const struct placement_config *placement,
                        struct worker ***workers,
                        struct allocate_worker **out);

/* ---- hub_view.c ------------------------------------------------------------------------------ */

/* As it is; what people are shown has no end before that is durable. */
json_t *hosted_view(const struct hosted *r);
/* The view of a run that was only created. */
json_t *hosted_view_created(const struct hosted *r);

/* ---- hub_series.c ----------------------------------------------------------------------------
 */

/* Adds `time_series` and `resolution_ms`. An error of the store. */
int hub_series(struct hub *h,
               const char *run_id,
               const struct hub_metrics_query *query,
               json_t *out);

/* ---- hub_workers.c --------------------------------------------------------------------------- */

/* Puts it into the list. */
void hub_add_worker(struct hub *h, struct worker *w);
/* Takes the object over. */
void hub_set_labels(struct worker *w, json_t *labels);
struct worker *hub_worker(struct hub *h, const char *worker_id);
/* Users that runs have of the worker. */
uint64_t hub_worker_taken(const struct hub *h, const struct worker *w);
void hub_look_at_workers(struct hub *h);
void hub_workers_clear(struct hub *h);

/* ---- hub_recover.c --------------------------------------------------------------------------- */

int hub_recover(struct hub *h, struct err *err);

#endif
