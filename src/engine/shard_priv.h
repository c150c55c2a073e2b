/* SPDX-License-Identifier: MIT */
/*
 * Insides of the engine: a shard, its virtual users (vu.c), their operations (slot.c) and sessions
 * (sessions.h).
 *
 * A VU is one emulated client. It has `in_flight_per_vu` slots; each is an independent loop
 *
 *   think ─► due ─► session ─► request ─► answer ─┐
 *     ▲         (pages and one retry of a lost    │
 *     └────────── session belong to one operation)┘
 *
 * In the open model (arrivals.c) a slot is due when the next arrival is: it waits READY for one, or
 * the arrival waits for a slot.
 *
 * A slot is in exactly one state; `active` of its VU counts those that are not SLOT_IDLE.
 */
#ifndef ENGINE_SHARD_PRIV_H
#define ENGINE_SHARD_PRIV_H

#include "engine/preflight.h"
#include "engine/sessions.h"
#include "engine/shard.h"
#include "engine/trail.h"
#include "metrics/outcome.h"
#include "plan/dealing.h"

struct vu;

enum slot_state {
    SLOT_IDLE,     /* nothing to do any more */
    SLOT_THINKING, /* its next operation is due later */
    SLOT_HELD,     /* due, but held back by hard_caps.max_rps */
    SLOT_READY,    /* waits for an arrival of the open model */
    SLOT_PARKED,   /* due, but no stage takes operations now */
    SLOT_WAITING,  /* the operation waits for a session */
    SLOT_RUNNING,  /* a call is under way */
};

struct slot {
    struct mcp_call call;
    struct vu *vu;
    struct vu_session *session; /* while RUNNING */
    struct send due;
    struct list wait; /* in a home's waiters while WAITING; among the idle while READY */
    enum slot_state state : 8;
    bool retried : 1;   /* the operation's lost session was replaced once */
    bool was_used : 1;  /* the session had served an operation before */
    bool capped : 1;    /* waited for the permission of hard_caps.max_rps, before it began */
    bool journey : 1;   /* its operation is no part of the workload */
    bool arrival : 1;   /* its operation is one of the open model */
    bool streaming : 1; /* counted in shard->streams */
    bool had_stream : 1;
    bool verified : 1; /* its nonce came back */
    uint32_t stage, operation, key;
    uint32_t requests;
    uint64_t session_serial; /* of the session of its first try */
    uint64_t n;              /* number of the pick in its VU, or of the arrival */
    uint64_t token;          /* progress token */
    uint64_t freed_ns;       /* the operation before it left the slot */
    uint64_t t_due, t_free, t_ready, t_send;
    uint64_t waits_since_ns;      /* for a session */
    uint64_t held_ns;             /* by limits of ours, after the first request */
    uint64_t bytes_out, bytes_in; /* of the pages and tries before the running call */
    uint64_t t_first_event, event_count, t_headers;
    char *cursor;        /* of the page that is wanted; NULL: the first */
    struct trail *trail; /* of the cursors that this list has sent; NULL: none */
    struct buf *answer;  /* is kept for a verifier; NULL: never was one */
};

/* What a VU does beside the workload (journey.c). */
struct vu_journey {
    struct vu *vu;
    struct slot *slot;  /* while it lists, else NULL */
    struct send timer;  /* of the next periodic list */
    uint32_t failures;  /* of the VU's operations, in a row */
    uint32_t recent;    /* its last operations, a bit each, the last one lowest; 1: succeeded */
    uint32_t doublings; /* of the quiet time after a list that failures asked for */
    bool has_asked;     /* they did since most of the recent ones were good */
    bool starting;      /* the slots wait for the list at the start */
    uint64_t asked_ns;  /* they last did; 0: never */
};

/* How far a user came; it goes on there when it comes back. */
struct vu_progress {
    uint64_t next_n : 40; /* number of its next pick */
    uint64_t turn : 24;   /* of selection.mode round_robin, in the cycle of the templates */
};

struct vu {
    struct list node; /* in shard->vus */
    struct shard *shard;
    uint32_t index;  /* in the run */
    uint32_t active; /* slots that are not idle, and holders */
    bool ending;
    bool closing; /* its sessions are saying goodbye */
    struct vu_progress progress;
    struct send start;
    struct str head;            /* of every request … */
    char *own_head;             /* … a copy of its own only when it names the VU, else NULL */
    struct vu_journey *journey; /* NULL: none */
    struct session_home home;   /* its own sessions; a pool's are the shard's */
    struct slot slots[];
};

/* A place on the schedule: one of the shard's own arrivals. */
struct arrival {
    struct dealt own;
    uint64_t due_ns; /* UINT64_MAX: its stage has not begun, or there is none */
};

/* The open model of a shard (arrivals.c). */
struct arrivals {
    struct arrival next;    /* the first that is neither started nor dropped */
    struct arrival counted; /* the first that is not counted as due */
    struct list idle;       /* READY slots, the longest idle first */
    struct send at;         /* `next` is due, or may start */
    uint64_t *begin_ns;     /* of the stages; 0: has not begun */
    struct gate_wait gate;  /* `next` waits for hard_caps.max_rps */
    bool capped;            /* it did */
    bool permitted;         /* it may start */
};

/* When a stage is played, as far as it has been ordered. */
struct stage_time {
    uint64_t begin_ns, end_ns; /* UINT64_MAX, both: not yet */
};

struct shard {
    struct loop *loop;
    struct shard_config config;
    const struct plan *plan;
    struct mcp_client client;
    const struct session_policy *policy;
    struct session_home pool; /* of mode pool */
    uint64_t session_serial;  /* of the last session */
    struct preflight *preflight;

    struct list vus;
    struct vu *lingering; /* its only one, which ends when nothing waits any more; or NULL */
    struct vu_progress *progress; /* of its users so far, by segment_ordinal … */
    uint32_t progress_count;      /* … room for so many */
    uint32_t vu_count, session_count, stream_count, in_flight;
    uint64_t token; /* last progress token */
    struct buf tail, head;
    bool head_varies; /* per operation */

    /* The stage that is played and the one that comes. */
    int32_t stage;
    bool is_open;      /* the stage is of the open model */
    bool awaits_place; /* a user was not made for config.max_vus_own */
    uint64_t stage_end_ns;
    uint64_t stage_begin_ns;
    struct stage_time *times; /* of each stage */
    uint32_t level;           /* VUs of the whole run */
    struct send level_at;
    struct arrivals arrivals;
    bool *echoes; /* per operation: an answer brought its nonce back */
    int64_t wall_offset_ns;
    struct list coming; /* orders of stages that have not begun, in order */
    struct send next_stage_at;
    struct send plan_end_at; /* of the plan's last stage */
    bool is_over;            /* the plan is: nothing begins any more, but sessions stay */
    bool drains_at_end;      /* ORDER_DRAIN has come before that */
    bool draining, drained;
    enum unfinished cut_as; /* what is cut is unfinished for this reason */

    /* Windows */
    bool ticking;
    uint64_t grid_ns;
    struct window *window;
    struct list free_messages; /* recycled REPORT_WINDOWs with their windows */
    struct message *window_message;
    struct send tick;
    struct loop_usage usage;
    /* Requests that had been held at the last hand-over. */
    uint64_t held, held_by_connections;
};

/* The window of `now_ns`; hands over those that are full. */
struct window *shard_window(struct shard *s, uint64_t now_ns);
/* Does an operation that is due now belong to a running stage? */
bool shard_accepts(const struct shard *s, uint64_t due_ns);
/* Did it happen behind the end of its stage? */
static inline bool shard_is_late(const struct shard *s, uint32_t stage, uint64_t at_ns)
{
    return at_ns >= s->times[stage].end_ns;
}
/* The operation's key in the load stage in whose time this late moment of a stage lies, or
 * WINDOW_KEY_NONE: it lies in the drain, or the stage is none of the load. */
uint32_t shard_heir(const struct shard *s, uint32_t stage, uint32_t operation, uint64_t at_ns);
/* Wall-clock time, for texts. */
static inline uint64_t shard_wall_ms(const struct shard *s)
{
    return (uint64_t)((int64_t)loop_now(s->loop) + s->wall_offset_ns) / NS_PER_MS;
}
/* Random bits for what a VU sends beside its operations: others each time. */
static inline uint64_t shard_draw_beside(struct shard *s, uint32_t vu)
{
    return plan_draw(s->plan, vu, UINT64_MAX - ++s->token);
}
/* The text of a failure without secrets; `out` may hold it. A byte more than anybody looks at
 * shows that it was cut: a mark may be longer than its secret (LIMIT_SIGNATURE_INPUT). */
enum { SHARD_MASKED_MAX = SIGNATURE_INPUT_MAX + 1 };
struct str shard_masked(const struct shard *s, struct str text, char out[SHARD_MASKED_MAX]);
/* A VU is gone. */
void shard_vu_gone(struct shard *s);
/* What sessions_finish waited for. */
void shard_sessions_gone(struct shard *s);
/* Are operations due by the schedule now? */
static inline bool shard_is_open(const struct shard *s)
{
    return s->is_open;
}
/* Are VUs made as arrivals need them? */
static inline bool shard_is_sized(const struct shard *s)
{
    return s->stage >= 0 && s->plan->stages[s->stage].levels.sized;
}
/* Nothing waits any more: the VU that stayed for it ends. */
void shard_queue_empty(struct shard *s);
/* Where a user's progress is kept while it is away. */
struct vu_progress *shard_progress(struct shard *s, uint32_t index);
/* Another VU, now, for a stage whose VUs are as many as its rate needs. False: no more may be. */
bool shard_grow(struct shard *s);

/* ---- arrivals.c ------------------------------------------------------------------------------ */

void arrivals_init(struct shard *s);
void arrivals_clear(struct shard *s);
/* The stage has begun. In the closed model what still waits is dropped. */
void arrivals_begin_stage(struct shard *s, uint32_t stage, uint64_t begin_ns);
/* The slot takes an arrival, now or when one is due. */
void arrivals_offer(struct shard *s, struct slot *slot);
/* Does one wait for a slot? */
bool arrivals_wait(const struct shard *s);
/* Takes a READY slot back. */
void arrivals_withdraw(struct slot *slot);
/* Counts what became due before `until_ns` into the current window. */
void arrivals_count(struct shard *s, uint64_t until_ns);
/* Nothing starts any more: what is due and waits is dropped; `natural`: the plan has ended. */
void arrivals_end(struct shard *s, bool natural);

/* ---- vu.c ----------------------------------------------------------------------------------- */

struct vu *vu_new(struct shard *s, uint32_t index, uint64_t start_ns);
/* Operations in flight end, then its sessions; then it is gone. */
void vu_end(struct vu *vu);
/* At once; what runs is unfinished. */
void vu_cut(struct vu *vu);
/* The stage has begun: slots that waited for it go on. */
void vu_resume(struct vu *vu, uint64_t due_ns);
/* A held VU does not go away under its holder; letting go may free it. */
void vu_hold(struct vu *vu);
void vu_let_go(struct vu *vu);
/* Its sessions are closed (after session_policy.end). */
void vu_closed(struct vu *vu);
/* The slots begin (after the list at the start, where there is one). */
void vu_begin_slots(struct vu *vu, uint64_t due_ns);
/* Longest silence of its open streams. */
uint64_t vu_silence_ns(const struct vu *vu, uint64_t now_ns);

/* ---- slot.c ---------------------------------------------------------------------------------- */

/* What an operation waited for before its session was there. */
enum slot_wait {
    SLOT_NO_WAIT,
    SLOT_WAIT_SETUP, /* the making of a session: L_setup */
    SLOT_WAIT_BUSY,  /* a session that serves others: L_queue */
};

/* A session is there: the operation is sent on it. */
void slot_go(struct slot *slot, struct vu_session *session, enum slot_wait wait);
/* There will be none: the operation has failed. */
void slot_fail(struct slot *slot, const struct mcp_answer *answer);
/* Nor will it be tried: the operation never came to its end. */
void slot_give_up(struct slot *slot);
/* The arrival becomes the slot's operation, now. */
void slot_start_arrival(struct slot *slot, const struct arrival *a, bool capped);

/* A slot begins and ends its life; journey.c has slots that are not among a VU's own. */
void slot_init(struct slot *slot, struct vu *vu);
void slot_clear(struct slot *slot);
/* Its next operation is due at that time, which has come. */
void slot_due(struct slot *slot, uint64_t due_ns);
/* Starts an operation of the user journey: due now, no pick, no key. */
void slot_start_journey(struct slot *slot);
/* The VU ends: nothing new, also no list that waits for a limit of ours; what runs may end. */
void slot_end(struct slot *slot);
/* At once: what runs is unfinished. */
void slot_cut(struct slot *slot);

/* ---- journey.c ------------------------------------------------------------------------------- */

void journey_init(struct vu *vu);
void journey_clear(struct vu *vu);
/* True: a list comes first, and vu_begin_slots after it. */
bool journey_start(struct vu *vu, uint64_t due_ns);
/* An operation of the workload has ended. */
void journey_note(struct vu *vu, bool failed);
/* Its list has ended. */
void journey_done(struct vu *vu, enum outcome_class cls, const struct mcp_answer *answer);
/* The VU ends: no further list. */
void journey_stop(struct vu *vu);

#endif
