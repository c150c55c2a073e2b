/* SPDX-License-Identifier: MIT */
/*
 * One run, as the control plane sees it: a state machine that lets workers play a plan, adds up
 * what they report, asks the stop conditions each second, and ends with a verdict.
 *
 *   created ─► preflight checks ─► stage … stage ─► stopping (drain) ─► analyzing ─► completed
 *                   │ fail            │ condition, cap, user, signal                 stopped
 *                   └─────────────────┴───────────────────────────────────────────►  failed,
 * aborted
 *
 * The checks run before the first stage, whatever it is; a stage of the kind `preflight` is judged
 * at its end and fails the run. Workers are reached through a table of operations, and answer
 * through the run_on_… functions: the same whether they are threads of this process or other
 * machines.
 *
 * Everything belongs to the thread of `loop`. Fields may be read, not written, from outside.
 */
#ifndef CONTROL_RUN_H
#define CONTROL_RUN_H

#include "base/arena.h"
#include "base/json.h"
#include "control/aggregate.h"
#include "control/criteria.h"
#include "control/origin.h"
#include "control/pace.h"
#include "control/stop.h"
#include "control/validity.h"
#include "loop/loop.h"
#include "metrics/check.h"
#include "plan/plan.h"

/* X(id, name): the names are the API's. */
#define RUN_STATE_MAP(X)                      \
    X(CREATED, "created")                     \
    X(PREFLIGHT_RUNNING, "preflight_running") \
    X(PREFLIGHT_PASSED, "preflight_passed")   \
    X(PREFLIGHT_FAILED, "preflight_failed")   \
    X(BASELINE_RUNNING, "baseline_running")   \
    X(RAMP_RUNNING, "ramp_running")           \
    X(SOAK_RUNNING, "soak_running")           \
    X(SPIKE_RUNNING, "spike_running")         \
    X(CUSTOM_RUNNING, "custom_running")       \
    X(STOPPING, "stopping")                   \
    X(ANALYZING, "analyzing")                 \
    X(COMPLETED, "completed")                 \
    X(STOPPED, "stopped")                     \
    X(FAILED, "failed")                       \
    X(ABORTED, "aborted")

/* X(id, name): why a run ended. */
#define RUN_STOP_MAP(X)                     \
    X(NONE, "none")                         \
    X(COMPLETED, "completed")               \
    X(CONDITION, "stop_condition_met")      \
    X(REQUESTED, "stop_requested")          \
    X(EMERGENCY, "emergency_stop")          \
    X(MAX_DURATION, "max_duration_reached") \
    X(MAX_ERRORS, "max_errors_reached")     \
    X(STAGE_TIMEOUT, "stage_timeout")       \
    X(PREFLIGHT, "preflight_failed")        \
    X(ALLOCATION, "allocation_failed")      \
    X(WORKER_LOST, "worker_capacity_lost")  \
    X(SYSTEM, "system_error")

#define RUN_ENUM_STATE_(id, name) RUN_##id,
enum run_state { RUN_STATE_MAP(RUN_ENUM_STATE_) RUN_STATE_COUNT };
#define RUN_ENUM_STOP_(id, name) RUN_STOP_##id,
enum run_stop_kind { RUN_STOP_MAP(RUN_ENUM_STOP_) RUN_STOP_COUNT };

enum run_verdict { RUN_VERDICT_NONE, RUN_PASSED, RUN_VERDICT_FAILED, RUN_INVALID };

const char *run_state_name(enum run_state state);
const char *run_stop_name(enum run_stop_kind kind);
const char *run_verdict_name(enum run_verdict verdict); /* "passed", "failed", "invalid" */
bool run_state_terminal(enum run_state state);

/* A source of windows (a shard), as figures and scopes name it. */
struct run_source {
    const char *worker_id;
    const char *const *labels; /* "NAME=VALUE", label_count of them */
    uint32_t label_count;
};

/* Orders to the workers of a run. Times are of `loop`'s clock. None answers inside the call. */
struct run_workers {
    void (*check)(void *workers); /* preflight checks; answered by run_on_checks */
    /* A stage begins at start_ns; no operation of it becomes due at or after end_ns. The grid of
     * seconds begins at grid_ns, the same for all stages. */
    void (*stage)(
        void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns);
    /* Nothing new, finish, close sessions; run_on_drained. `natural`: the plan has ended. */
    void (*drain)(void *workers, bool natural);
    void (*stop)(void *workers); /* at once; run_on_drained */
    uint32_t source_count;       /* sources of windows (shards) */
    /* source_count of them, which outlive the run. NULL: all are of the identity's worker_id,
     * without labels. */
    const struct run_source *sources; /* those of one worker stand side by side */
    /* Each worker adds up what its sources have sent, and tells that behind the last of them
     * (run_on_totals): the run does not end before. */
    bool totals;
    /* Orders are given so long before the moment that they are about; 0: 20 ms. */
    uint64_t lead_ns;
};

struct run_event {
    uint64_t ts_ms;
    char id[32];
    const char *type;             /* "STATE_TRANSITION" … */
    const char *actor;            /* "system", "user" */
    const char *stage, *stage_id; /* kind and id of the current stage; NULL: none */
    json_t *payload;
};

/* What somebody outside wants to hear; each may be NULL. */
struct run_observer {
    void (*on_event)(void *owner, const struct run_event *event);
    /* It is complete, or has been waited for in vain for three seconds behind its end. */
    void (*on_second)(void *owner, uint64_t second);
    void (*on_end)(void *owner); /* the state is terminal, figures are final */
    void *owner;
};

struct run_stage {
    bool started, ended;
    uint64_t start_ns, end_ns; /* end_ns: planned, then as it was */
    uint64_t max_vus;          /* that were active at the end of a second */
};

/* A source, as the run waits for it. */
struct run_source_state {
    bool drained; /* it has brought everything */
    bool totals;  /* its worker has told its totals */
    bool lost;    /* it was lost, and is not waited for since */
};

/* How far a ramp was, by its plan. */
struct run_level {
    bool known; /* false: there was no ramp */
    uint32_t vus;
    double rps; /* 0 in the closed model */
};

struct run_stop {
    enum run_stop_kind kind;
    enum stop_mode mode;
    int signo;          /* SIGINT or SIGTERM when one asked for it, else 0 */
    char reason[256];   /* "stop_condition_triggered: METRIC OP THRESHOLD (observed X)" … */
    char sentence[512]; /* for people */
    const char *actor;  /* "system", "user" */
    uint64_t at_ms;
    struct run_level from,
        at; /* of a ramp, at the beginning and the end of the windows that decided
             */
};

struct run_mark;
struct run_scope;

struct run {
    struct loop *loop;
    const struct plan *plan;
    const struct plan_identity *identity;
    const struct run_origin *origin; /* NULL: unknown. Set by the owner before run_start */
    const char *started_by;          /* likewise; NULL: the program itself */
    enum run_state state;
    uint64_t created_ms, started_ms, ended_ms; /* wall clock */
    uint64_t grid_ns;                          /* second 0 begins here */
    uint64_t grid_ms; /* … by the wall clock of that moment, also after a restart; 0: not yet */
    uint64_t end_ns;
    int32_t stage;            /* the current one, -1: none */
    struct run_stage *stages; /* plan->stage_count */
    struct aggregate *books;
    struct metric_set *metrics; /* the registry, and the scenario's own */
    struct stop *conditions;
    size_t condition_count;
    bool triggered;
    struct stop_trigger trigger; /* when triggered */
    struct run_stop stop;
    struct criterion_result *criteria; /* when judged, at the end */
    size_t criterion_count;
    bool criteria_judged;
    bool checked;
    struct check_list checks; /* when checked */
    bool drain_timed_out;
    /* By who keeps the log of operations, at its end: see opfile_end (report/files/opfile.h). */
    uint64_t log_lines_lost, log_lines_thinned;
    struct buf warnings;      /* what people should know, one line each */
    uint64_t warnings_lost;   /* lines beyond its maximum */
    uint64_t stop_latency_ns; /* deciding second's end to the last source drained; 0: no stop */
    enum run_verdict verdict;
    const char *validity; /* the word of worth.state, "valid" until then */
    struct validity_result worth;
    struct buf evidence; /* one line each */
    int exit_code;

    /* private */
    struct validity *validity_;
    const struct run_workers *workers_;
    void *workers_owner_;
    struct run_observer observer_;
    struct timer timer_;
    struct timer cap_timer_;
    struct timer drain_timer_;
    struct timer ramp_timer_;      /* watch.c: the next step */
    struct timer watermark_timer_; /* seconds.c */
    uint64_t lacking_ns_;          /* since when the oldest seconds lack a report; 0: they do not */
    uint64_t patient_ns_;          /* nothing is overdue before */
    bool partial_told_;
    uint32_t ramp_step_, ramp_vus_;
    double ramp_rps_;
    bool integrity_told_, journey_told_;
    uint64_t gave_up_;
    struct pace *pace_;
    uint64_t seen_second_, event_count_;
    uint64_t preflight_ended_, preflight_failed_; /* of the preflight stage that runs */
    uint64_t cap_ns_, drain_ns_, step_ns_;        /* what is due when; 0: nothing */
    uint64_t ramp_at_ns_;                         /* of the stage, when the target was set */
    uint64_t window_count_;                       /* that run_on_window was given */
    struct run_mark *marks_;                      /* replay.c */
    size_t mark_count_;
    /* While a saved run is made again. */
    bool replaying_;
    uint64_t replay_windows_, replay_seen_, replay_looked_;
    size_t replay_mark_;
    char totals_differ_[320];                /* the first worker whose totals do; "" */
    struct run_source_state *source_states_; /* of each source */
    bool stage_judging_;
    uint32_t ordered_; /* stages 0..n-1 have been ordered */
    struct arena arena_;
    struct run_scope *scopes_; /* books.c */
    uint32_t scope_count_;
    uint32_t *condition_scopes_, *criterion_scopes_; /* of each one, by number */
    struct stop_spec *specs_;
    struct criterion_spec *criterion_specs_;
};

/* What a run is made of. All that is pointed to must outlive it; the observer is copied. */
struct run_parts {
    const struct plan *plan;
    const struct plan_identity *identity;
    const struct run_workers *workers;
    void *workers_owner;
    struct run_observer observer;
    uint64_t first_event; /* how many events the owner has had of it before */
};

/* ERR_INVALID for a condition that cannot be made (validation has refused it before). */
int run_new(struct loop *loop, const struct run_parts *parts, struct run **out, struct err *err);
void run_free(struct run *r);

/* Of the scenario as the folder has it, or else as it was read. */
const char *run_config_hash(const struct run *r);
/* The name that it was given, its scenario's, or the scenario's id. */
const char *run_name(const struct run *r);

/* Numbers in ids of events: `number` from 0, `id` as long as run_event.id. */
void run_event_id(char id[32], uint64_t ts_ms, uint64_t number);
/* An event of the owner's own among those of the run. Takes the payload over. */
void run_tell(struct run *r, const char *type, json_t *payload);
/* The event RUN_CREATED, once: by who makes the run known, before any other event of it. */
void run_emit_created(struct run *r);
/* created → the checks → the first stage. */
void run_start(struct run *r);
/* A person or a signal (signo, else 0) wants it to end. A second call, or immediate, is harder. */
void run_stop_request(struct run *r, enum stop_mode mode, int signo, const char *actor);
/* As immediate; the run ends `aborted`. */
void run_emergency_stop(struct run *r, const char *actor);

/* Who makes the source's load. */
const char *run_source_worker(const struct run *r, uint32_t source);
/* How many workers the sources are of, and how many of them have brought everything, totals
 * included where those are told. */
struct run_worker_count {
    uint32_t workers, whole;
};
struct run_worker_count run_count_workers(const struct run *r);

/* How often a limit of ours was hit. */
uint64_t run_limit(const struct run *r, enum limit id);

/* ---- answers of the workers ------------------------------------------------------------------ */

void run_on_checks(struct run *r, const struct check_list *checks);
/* The window stays the caller's. */
void run_on_window(struct run *r, uint32_t source, const struct window *w);
/* The source has ended all operations and sessions and sends no more windows. */
void run_on_drained(struct run *r, uint32_t source);
/* What the worker has added up agrees with the books, or does not: then the run is lost data, and
 * `text` says in one line what differs (else it is not looked at). */
void run_on_totals(struct run *r, const char *worker_id, bool agree, const char *text);
/* After the end: a line among the warnings. There is no event, as nothing follows the last one. */
void run_note(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Our own failure: the run cannot go on. */
void run_on_failure(struct run *r, const char *text);
/* The workers cannot take the run: it ends, failed. `text` says why, in one line. */
void run_on_allocation_failed(struct run *r, const char *text);
/*
 * Nothing is heard of the worker any more; `lost_vus` virtual users were its part. A run that goes
 * on is stopped at once and ends failed; one that is stopping ends without it. Its sources are not
 * waited for from now on, so that the run may end inside the call. What it lacks is lost data. If
 * it comes back before the end, what it brings is merged; with all of it nothing is missing.
 */
void run_on_worker_lost(struct run *r, const char *worker_id, uint32_t lost_vus);
/* The same of a worker that ends its load by itself, in order: what it still has to say is waited
 * for, as of the others. */
void run_on_worker_leaving(struct run *r, const char *worker_id, uint32_t lost_vus);

#endif
