/* SPDX-License-Identifier: MIT */
/*
 * What one shard collects in one second of event time. A shard fills a window, hands it over by
 * pointer and takes an empty one; merging and quantiles happen elsewhere (control/aggregate.h).
 *
 * Vocabulary
 *   second   number of the window: [t0 + second, t0 + second + 1) of the run's clock
 *   key      index into the plan's keys: stage × operation × template
 *   part     counters and distributions. One part per key, and one (`run`) for what belongs to no
 *            key: connections, sessions, our own lateness. Both use the same struct and the same
 *            indices, so that all merging is one loop; COUNT_MAP and DIST_MAP say what is whose.
 *   count    an integer that only grows while the window is filled, enum count
 *   dist     a histogram, enum dist; made at its first sample and kept by window_reset, so that
 *            nothing allocates in steady state
 *   gauge    a state at the end of the window, set by the engine as plain fields before hand-over
 *
 * Each event is counted in the second in which it happened: the start of an operation in one
 * window, its end perhaps in another. Per key and over the whole run
 * started = ended_ok + ended_failed + unfinished (+ in flight while it runs), and in the open model
 * due = started + dropped_* (+ queued while it runs).
 *
 * An operation belongs to the stage in which it was due, and may end behind its end: in the stage
 * that follows, or in the drain. Counts of the key have it then as any other; rates over stages ask
 * in whose time something happened, and LATE_* and CARRIED_* tell them.
 *
 * One thread at a time. Keys are checked by assertion: they come from our own plan.
 */
#ifndef METRICS_WINDOW_H
#define METRICS_WINDOW_H

#include "metrics/histogram.h"
#include "metrics/limits.h"
#include "metrics/outcome.h"
#include "metrics/sample.h"
#include "metrics/signature.h"
#include "metrics/taxonomy.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* X(id, "name"): per key until SESSION_REUSED, of the whole shard from CONNECT_ATTEMPTS on. */
#define COUNT_MAP(X)                                                                              \
    X(STARTED, "started") /* a slot took it up: it ends in exactly one outcome */                 \
    X(ENDED_OK, "ended_ok")                                                                       \
    X(ENDED_FAILED, "ended_failed") /* failed and cut, our own failures included */               \
    X(UNFINISHED, "unfinished")                                                                   \
    X(DUE, "due")                           /* open model: arrivals whose time has come */        \
    X(DROPPED_DEADLINE, "dropped_deadline") /* never started: the deadline passed */              \
    X(DROPPED_NO_SLOT, "dropped_no_slot")   /* … no slot became free until the plan's end */    \
    X(DROPPED_STOPPED, "dropped_stopped")   /* … the run was stopped */                         \
    X(REQUESTS_SENT, "requests_sent")                                                             \
    X(SESSION_RETRIES, "session_retries") /* requests repeated after a lost session */            \
    X(TOOL_ERRORS, "tool_errors")                                                                 \
    X(PROTOCOL_ERRORS, "protocol_errors")                                                         \
    X(TIMEOUTS, "timeouts")                                                                       \
    X(HTTP_5XX, "http_5xx")                                                                       \
    X(RATE_LIMITED, "rate_limited")                                                               \
    X(OWN_FAILURES, "own_failures") /* resource_exhausted: not the target's doing */              \
    X(STREAMS_STARTED, "streams_started")                                                         \
    X(STREAMS_ENDED, "streams_ended")         /* = completed + failed */                          \
    X(STREAMS_COMPLETED, "streams_completed") /* the response with our id arrived */              \
    X(STREAMS_FAILED, "streams_failed")       /* any other end, stalls included */                \
    X(STREAMS_STALLED, "streams_stalled")                                                         \
    X(STREAMS_UNFINISHED, "streams_unfinished")                                                   \
    X(NOT_STREAMED, "not_streamed") /* a stream was expected and did not come */                  \
    X(EVENTS, "events")             /* with data; the final response is one */                    \
    X(BYTES_IN, "bytes_in")         /* of the operations that ended */                            \
    X(BYTES_OUT, "bytes_out")                                                                     \
    X(CHECK_FAILURES, "check_failures")             /* of the scenario's checks */                \
    X(INTEGRITY_MISMATCHES, "integrity_mismatches") /* the answer of another caller */            \
    X(INTEGRITY_VERIFIED, "integrity_verified")     /* its own nonce came back */                 \
    /* What happened behind the end of its stage, and is in none of its rates … */              \
    X(LATE_ENDED, "late_ended")                                                                   \
    X(LATE_STALLED, "late_streams_stalled")                                                       \
    X(LATE_EVENTS, "late_events")                                                                 \
    X(LATE_BYTES_IN, "late_bytes_in")                                                             \
    X(LATE_BYTES_OUT, "late_bytes_out")                                                           \
    /* … but in those of the load stage in whose time it happened. */                           \
    X(CARRIED_ENDED, "carried_ended")                                                             \
    X(CARRIED_STALLED, "carried_streams_stalled")                                                 \
    X(CARRIED_EVENTS, "carried_events")                                                           \
    X(CARRIED_BYTES_IN, "carried_bytes_in")                                                       \
    X(CARRIED_BYTES_OUT, "carried_bytes_out")                                                     \
    X(SESSION_REUSED, "session_reused")                                                           \
    X(CONNECT_ATTEMPTS, "connect_attempts")                                                       \
    X(CONNECT_FAILURES, "connect_failures")                                                       \
    X(CONNECT_OWN, "connect_own_failures") /* attempts that failed for want of resources */       \
    X(SESSIONS_CREATED, "sessions_created")                                                       \
    X(SESSIONS_FAILED, "sessions_failed")                                                         \
    X(SESSIONS_LOST, "sessions_lost")                                                             \
    X(SESSIONS_CLOSED, "sessions_closed")                                                         \
    X(SESSIONS_EXPIRED, "sessions_expired") /* by ttl_ms or max_idle_ms */                        \
    X(JOURNEY_STARTED, "journey_started")   /* lists beside the workload */                       \
    X(JOURNEY_OK, "journey_ok")                                                                   \
    X(JOURNEY_FAILED, "journey_failed")                                                           \
    X(JOURNEY_UNFINISHED, "journey_unfinished")                                                   \
    X(JOURNEY_REQUESTS, "journey_requests") /* that were sent for them */                         \
    X(VUS_GAVE_UP, "vus_gave_up")           /* users whom the reconnect policy ended, for good */ \
    X(EARLY_SENDS, "early_sends")           /* sent before due: a defect of ours */

#define COUNT_ENUM_(id, name) COUNT_##id,
enum count { COUNT_MAP(COUNT_ENUM_) COUNT_ALL };

/*
 * X(id, "name"): per key until GAP, of the shard from TOOL_LAG on. LAG, SERVICE, RESPONSE and
 * QUEUE hold the operations that succeeded and those that we cut (as censored samples, the
 * unfinished ones too); failed ones are apart, because a refused connection is fast.
 */
#define DIST_MAP(X)                                                                      \
    X(LAG, "lag")                 /* L */                                                \
    X(SERVICE, "service")         /* S; only of operations that were sent */             \
    X(RESPONSE, "response")       /* R */                                                \
    X(FAILED, "failed_service")   /* S of the failed ones that were sent */              \
    X(QUEUE, "queue")             /* L_queue */                                          \
    X(SETUP, "setup")             /* L_setup, of those that waited for a session */      \
    X(FIRST_EVENT, "first_event") /* sending to the first event with data */             \
    X(GAP, "event_gap")           /* between events, the first from the response head */ \
    X(TOOL_LAG, "tool_lag")       /* L_tool of every operation that was sent */          \
    X(CONNECT, "connect")         /* TCP, and TLS where there is one */                  \
    X(SESSION, "session")         /* connect to `initialized` accepted */                \
    X(INITIALIZE, "initialize")                                                          \
    X(JOURNEY, "journey") /* service time of the lists beside the workload */

#define DIST_ENUM_(id, name) DIST_##id,
enum dist { DIST_MAP(DIST_ENUM_) DIST_ALL };

const char *count_name(enum count id);
const char *dist_name(enum dist id);

struct window_part {
    uint64_t count[COUNT_ALL];
    struct hist *dist[DIST_ALL]; /* NULL until the first sample; empty is as good as NULL */
    uint64_t other_failures;     /* beyond the kinds; `run`: of those beside the workload */
};

struct window_gauges {
    uint64_t active_vus, active_sessions, active_streams, open_connections, in_flight;
    /* Longest silence of a stream that ended in the window or went on at its end; 0 without one. */
    uint64_t oldest_event_age_ns;
};

/* Of what failed beside the workload (the user journey): it is no operation. */
#define WINDOW_KEY_BESIDE (UINT32_MAX - 1)
#define WINDOW_KEY_NONE   UINT32_MAX

/* One distinct failure. `message` is masked, `sample` is one as it came; neither is terminated. */
struct failure {
    uint64_t hash; /* of everything that makes it distinct, the key left out */
    uint64_t count;
    uint64_t unmasked; /* of them: "<MORE>", for want of room for their texts */
    uint32_t key; /* the operation's, or WINDOW_KEY_BESIDE; UINT32_MAX in the row for the rest */
    enum error_type type;
    enum error_code code;
    enum error_origin origin;
    int number; /* completes the code's name */
    uint16_t message_len, sample_len;
    char message[SIGNATURE_MAX];
    char sample[SIGNATURE_SAMPLE_MAX];
};

/* A text as it came, and where its failures are counted: it is masked once. */
struct window_text {
    uint64_t hash; /* of all of it, and of what else makes the failure distinct, key included */
    uint32_t len;
    uint32_t row; /* 1: failures[0] …; beyond the last one: other_failures; 0: a free place */
};

/* The same kind of failure, whatever the operation? One beside the workload is another kind. */
bool failure_equal(const struct failure *a, const struct failure *b);

/* A metric of the scenario (workload.metrics[]): the numbers that the answers brought. Values of a
 * trend are kept in thousandths, so that 0 .. 4.3e9 with three decimals fit the histogram. */
struct window_custom {
    uint64_t count;    /* numbers found */
    uint64_t rejected; /* negative or too large for a trend */
    double sum, min, max, last;
    uint64_t last_ns;  /* when `last` came: merging keeps the newest */
    struct hist *hist; /* of a trend; NULL until its first sample */
};

#define CUSTOM_TREND_SCALE 1000.0

/* How the thread and its machine fared in this second; 0 where it could not be read. */
struct window_health {
    uint64_t run_delay_ns; /* runnable, but not running */
    uint64_t
        turn_p99_ns;  /* p99 over events: from the wake-up to the end of the turn that read it */
    bool has_process; /* the rest is known; of one shard per process only */
    double steal;     /* share of the machine's time, 0..1 */
    uint64_t throttled_ns;                          /* of the cgroup */
    uint64_t rss_bytes, memory_limit_bytes;         /* limit 0: none */
    double pressure_cpu, pressure_memory;           /* PSI some avg10, per cent */
    uint64_t segments_sent, segments_retransmitted; /* TCP, whole machine */
};

enum {
    WINDOW_FAILURES_MAX = 64,
    WINDOW_TEXTS_MAX = 200,   /* texts of failures that are masked in one second */
    WINDOW_TEXT_PLACES = 512, /* of the table of them, which stays half empty */
    WINDOW_SLOWEST_MAX = 4,
    /* Lines of the log per kind of failure and second; unfinished operations of a key are a kind.
     */
    WINDOW_FAILURE_SAMPLES = 20,
};

/* What belongs to no key, from the moment on in which another stage began inside the second. */
struct window_later {
    bool used; /* else all of it is empty */
    uint32_t stage_index;
    uint64_t silence_ns;
    struct window_part run;
    struct window_custom *customs; /* made when it is needed first */
};

struct window {
    uint64_t second;
    uint64_t start_ns, end_ns; /* what it really covers; the last one of a run is shorter */
    uint32_t stage_index;      /* the stage at its beginning; `run` and `customs` count there */
    uint32_t key_count;
    struct window_part *keys;
    struct window_part run;
    struct window_later later;

    uint64_t silence_ns; /* the longest of a stream that window_silence told of */
    struct window_gauges gauges;
    uint64_t busy_ns, wall_ns, wakeups; /* of the loop: 1 - time blocked in the wait ÷ wall */

    struct window_health health;

    uint32_t custom_count;
    struct window_custom *customs;

    /* The slowest operations that ended (by the time a user would have waited), slowest first. */
    uint32_t slowest_count;
    struct op_sample slowest[WINDOW_SLOWEST_MAX];
    /* For the log of operations: failures up to a bound per kind, and successes, evenly thinned. */
    struct sample_batch *log; /* NULL until it has something */
    uint32_t sample_max;      /* successes at most; 0: no log is kept */
    bool samples_in_full; /* the scenario's share is wanted, and a success beyond the bound lost;
                           * the caller's */
    uint64_t samples_thinned; /* successes that were left out evenly */
    uint64_t samples_lost;    /* failures and unfinished beyond their bound, and see above */

    uint32_t failure_count;
    struct failure failures[WINDOW_FAILURES_MAX];
    uint64_t other_failures; /* beyond the table: the sum of the parts */
    uint32_t text_count;
    struct window_text texts[WINDOW_TEXT_PLACES]; /* by hash */

    uint64_t limits[LIMIT_COUNT]; /* hits of our own limits (limits.h) */
};

/* `sample_max`: successes that the log of operations gets of one second; 0: there is no log. */
struct window *window_new(uint32_t key_count, uint32_t custom_count, uint32_t sample_max);
void window_free(struct window *w);
/* Empties it for another second; histograms are kept. `stage_index` is set by the caller. */
void window_reset(struct window *w, uint64_t second, uint64_t start_ns, uint64_t end_ns);

/* From now on the stage is the current one. One that began with the second, or before, has all of
 * it. Of several that begin inside one second the last has what came after the first of them. */
void window_enter_stage(struct window *w, uint32_t stage_index, uint64_t begin_ns);

/* The part for what belongs to no key and happens now. */
static inline struct window_part *window_run(struct window *w)
{
    return w->later.used ? &w->later.run : &w->run;
}

/* What the log of operations gets becomes the caller's; the window goes on with `empty`, which it
 * takes over (NULL: it makes its own when it needs one). NULL: there is nothing. */
struct sample_batch *window_swap_log(struct window *w, struct sample_batch *empty);

/* Makes the distribution if it is not there. Slow path of window_dist. */
struct hist *window_dist_make(struct window_part *part, enum dist id);

static inline struct window_part *window_key(struct window *w, uint32_t key)
{
    assert(key < w->key_count);
    return &w->keys[key];
}

static inline struct hist *window_dist(struct window_part *part, enum dist id)
{
    return part->dist[id] != NULL ? part->dist[id] : window_dist_make(part, id);
}

/* A number that an answer brought. `trend`: into the histogram too. */
void window_custom(struct window *w, uint32_t custom, double value, bool trend, uint64_t now_ns);

/* A limit of ours was hit. */
static inline void window_limit(struct window *w, enum limit id)
{
    w->limits[id]++;
}

/* A slot took an operation up: from now on it owes an outcome, whether it is ever sent or not. */
static inline void window_started(struct window *w, uint32_t key)
{
    window_key(w, key)->count[COUNT_STARTED]++;
}

/* The response head said text/event-stream. Once per operation. */
static inline void window_stream_started(struct window *w, uint32_t key)
{
    window_key(w, key)->count[COUNT_STREAMS_STARTED]++;
}

/* One complete event with data, the first and the final response included. `gap_ns` counts from
 * the event before, for the first one from the response head. */
static inline void window_event(struct window *w, uint32_t key, uint64_t gap_ns)
{
    struct window_part *part = window_key(w, key);

    part->count[COUNT_EVENTS]++;
    hist_record(window_dist(part, DIST_GAP), gap_ns);
}

/* Beside window_event, when the event came behind the end of its stage. `heir`: the same
 * operation's key in the load stage in whose time it came, or WINDOW_KEY_NONE. */
void window_late_event(struct window *w, uint32_t key, uint32_t heir);

/* Beside window_event, for the first event of a stream: `ns` since the request was sent. */
static inline void window_first_event(struct window *w, uint32_t key, uint64_t ns)
{
    hist_record(window_dist(window_key(w, key), DIST_FIRST_EVENT), ns);
}

/* A silence of a stream has ended, or goes on at the end of the window, after `ns`. */
static inline void window_silence(struct window *w, uint64_t ns)
{
    uint64_t *longest = w->later.used ? &w->later.silence_ns : &w->silence_ns;

    *longest = ns > *longest ? ns : *longest;
}

/* The longest of the window. */
static inline uint64_t window_longest_silence(const struct window *w)
{
    return w->silence_ns > w->later.silence_ns ? w->silence_ns : w->later.silence_ns;
}

/* An operation ended: class, error classes, latencies, stream part, bytes, failure table. Events
 * are not counted here (they were, when they came). */
void window_outcome(struct window *w, const struct outcome *o);

/* Something beside the workload failed: only why is noted, from the members of `o` that say so. */
void window_beside_failed(struct window *w, const struct outcome *o);

/* A connection attempt ended after `ns`; `code` is ERROR_CODE_NONE when it succeeded. */
void window_connect(struct window *w, uint64_t ns, enum error_code code);
/* A session set-up ended: `setup_ns` from the start of the connection, `init_ns` of the
 * initialize request alone. Times count only when it succeeded. */
void window_session(struct window *w, uint64_t setup_ns, uint64_t init_ns, bool ok);

static inline void window_session_lost(struct window *w)
{
    window_run(w)->count[COUNT_SESSIONS_LOST]++;
}

static inline void window_session_closed(struct window *w)
{
    window_run(w)->count[COUNT_SESSIONS_CLOSED]++;
}

#endif
