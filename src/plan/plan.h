/* SPDX-License-Identifier: MIT */
/*
 * The load plan: what the scenario means, resolved so far that a virtual user only has to copy
 * bytes and compare times. A pure function of the scenario and the run's identity; immutable, read
 * by all threads.
 *
 * Vocabulary
 *   operation   one row of the mix, or one tool template of it: what a pick ends in
 *   key         stage × operation: what counters and histograms are kept by
 *   level       how many VUs a stage wants at a moment
 *   arrival     in the open model: an operation with a time of its own, numbered over the whole run
 *   segment     a source's share of the VUs and arrivals (plan/segment.h)
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "plan/alias.h"
#include "plan/rotation.h"
#include "plan/rows.h"
#include "plan/schedule.h"
#include "plan/secrets.h"
#include "plan/segment.h"
#include "plan/verify.h"
#include "scenario/config/levels.h"
#include "scenario/placeholders/placeholder.h"
#include "scenario/scenario.h"

#include <stdint.h>

/* Successes a second, of the whole run, that the log of operations gets without a sample_rate:
 * enough to look at, and too few to be felt beside any load. */
enum {
    PLAN_LOG_SUCCESSES = 1000,
    /* What a shard keeps for that: cut by a quarter, it still has the lowest ranks of the run. */
    PLAN_LOG_SUCCESSES_SHARD = 2 * PLAN_LOG_SUCCESSES,
    /* With a sample_rate its share is tried in full. This bounds the memory of one second of a
     * shard (some 100 MB), and is several times what a shard can do in it. */
    PLAN_LOG_SUCCESSES_IN_FULL = 262144,
};
/* Changes of a stage's level that are listed. */
enum { PLAN_STEPS_MAX = 1000 };

/* Who this run is, for placeholders. */
struct plan_identity {
    const char *run_id, *execution_id, *worker_id;
};

/* A piece of a text that is made for each use. */
enum plan_part_kind {
    PLAN_LITERAL,
    PLAN_STAGE_ID,
    PLAN_VU_ID,
    PLAN_OP_SEQ,
    PLAN_PROGRESS_TOKEN, /* unique among the running requests of a session */
    PLAN_CURSOR,         /* `"cursor":"…"` of the page that is wanted next, or nothing */
    PLAN_UUID,           /* version 4; another one in each run */
    PLAN_RANDOM_INT,     /* low .. high, both included */
    PLAN_RANDOM_CHOICE,
    PLAN_TIMESTAMP_MS,
    PLAN_DATA,    /* a field of a row of a data feed */
    PLAN_PAYLOAD, /* of a profile */
    PLAN_NONCE,   /* says whose answer it is: plan/verify.h */
};

struct plan_payload; /* plan/payload.h */

struct plan_part {
    enum plan_part_kind kind;
    struct str text;    /* PLAN_LITERAL */
    int64_t low, high;  /* PLAN_RANDOM_INT */
    struct str *choice; /* PLAN_RANDOM_CHOICE: what stands in the text, escaped already … */
    uint32_t choice_count;
    const struct feed_config *feed;     /* PLAN_DATA: the feed, … */
    size_t feed_index;                  /* … its place in workload.feeds, … */
    uint32_t column;                    /* … and the field */
    const struct plan_payload *payload; /* PLAN_PAYLOAD */
    bool whole; /* it is all of a JSON value: a number or an object stands without quotes */
};

/* A text as parts; what is the same for the whole run is already literal. */
struct plan_text {
    const struct plan_part *parts;
    uint32_t count;
    bool is_static; /* one literal, or nothing */
};

/* What the other parts become. */
struct plan_values {
    const char *stage_id;
    uint64_t vu;
    uint64_t op_seq; /* plan_number */
    uint64_t token;
    const char *cursor; /* NULL: the first page */
    uint64_t draw;      /* random bits of this operation: plan_draw, plan_draw_arrival */
    bool arrival;       /* of the open model */
    uint64_t ordinal; /* says the row of a sequential feed (plan/rows.h): of an arrival its number,
                       * else n × most VUs + VU */
    uint64_t wall_ms; /* now */
};

struct plan_operation {
    enum operation_kind kind;
    const char *tool_name;   /* NULL where there is none */
    const char *template_id; /* likewise; of entries of the mix that differ in their arguments only,
                                the entry's place: "operation_mix[2]" */
    const char *prompt_name, *uri; /* likewise */
    bool expects_streaming;
    bool has_nonce;            /* its arguments carry one: a tool that echoes brings it back */
    bool paged;                /* the answer may name a cursor: further pages belong to it */
    struct plan_text tail;     /* the message from behind the id to its end */
    struct verifier *verifier; /* what is looked for in its answers; NULL: nothing */
};

struct plan_mix {
    uint32_t first_operation, operation_count;
    struct alias templates;
    struct rotation rotation; /* of selection.mode round_robin, where it has several operations */
};

struct plan_stage {
    const struct stage_config *config;
    struct stage_levels levels;
    uint32_t most_vus;    /* at any moment of it */
    uint64_t schedule_ns; /* where it begins on the schedule's time line */
    uint64_t first_arrival, end_arrival;
};

struct plan {
    const struct scenario *scenario;
    struct plan_stage *stages; /* enabled ones, in order */
    uint32_t stage_count;
    struct plan_operation *operations;
    uint32_t operation_count;
    struct plan_mix *mix;
    uint32_t mix_count;
    struct alias mix_alias;
    struct plan_payload **payloads; /* of workload.payloads */
    struct rows *rows;              /* of workload.feeds */
    uint32_t key_count;             /* stage_count × operation_count */
    uint32_t max_vus;               /* of all stages */
    uint32_t slots;                 /* in_flight_per_vu */
    bool both_models;               /* it has stages of the open and of the closed model */
    uint64_t seed;
    uint64_t uuid_seed;       /* of this run alone */
    uint32_t nonce_tag;       /* likewise */
    struct schedule schedule; /* arrivals of the stages of the open model */
    bool journey;             /* VUs list the tools beside the workload */
    struct plan_operation journey_list;
    struct plan_text head; /* what follows the method in every request (mcp/session.h) */
    struct plan_secrets secrets;
    struct arena arena_;
};

/* `authority` and `target` come from the parsed URL (Host header, request target). The scenario,
 * the identity's texts and those two must outlive the plan. */
struct plan *plan_new(const struct scenario *scenario,
                      const struct plan_identity *identity,
                      const char *authority,
                      const char *target);
void plan_free(struct plan *plan);

static inline uint32_t plan_key(const struct plan *p, uint32_t stage, uint32_t operation)
{
    return stage * p->operation_count + operation;
}

/* The operation of the n-th pick of a VU: the same for any number of workers. `turn` is the VU's
 * place in the cycle of selection.mode round_robin, from 0, and goes on. */
uint32_t plan_pick(const struct plan *p, uint64_t vu, uint64_t n, uint32_t *turn);
/* The operation of an arrival. round_robin goes by the arrival's number. */
uint32_t plan_pick_arrival(const struct plan *p, uint64_t arrival);

/* The number that shows of an operation (`op_seq`, nonces, the log): of a user's own n-th pick, or
 * of the n-th arrival of the run. A plan of both models has them in one space, so that no user
 * shows one twice: picks have the even numbers, arrivals the odd ones. */
static inline uint64_t plan_number(const struct plan *p, uint64_t n, bool arrival)
{
    return p->both_models ? 2 * n + arrival : n;
}

/* Random bits for the texts of an operation. */
uint64_t plan_draw(const struct plan *p, uint64_t vu, uint64_t n);
uint64_t plan_draw_arrival(const struct plan *p, uint64_t arrival);
/* A success's rank for the log of operations (metrics/sample.h), 0 when sample_rate leaves it out.
 * `draw` as above. */
uint32_t plan_log_rank(const struct plan *p, uint64_t draw);
/* Successes that a shard gives to the log at most in a second: PLAN_LOG_SUCCESSES_SHARD, with a
 * sample_rate PLAN_LOG_SUCCESSES_IN_FULL. 0: there is no log. */
uint32_t plan_log_successes(const struct plan *p);

/* Think time after the n-th operation of a VU. */
uint64_t plan_think_ns(const struct plan *p, uint64_t vu, uint64_t n);

/* ---- levels: plan/levels.c ------------------------------------------------------------------- */

/* How many VUs the stage wants at `t_ns` after its beginning (sized stages: to begin with). */
uint32_t plan_level(const struct plan *p, uint32_t stage, uint64_t t_ns);
/* When the level changes next, after `t_ns`; UINT64_MAX: it does not. */
uint64_t plan_next_level_ns(const struct plan *p, uint32_t stage, uint64_t t_ns);
/* The VUs which a change of level at `t_ns` adds are spread evenly over a while: how long after it
 * VU `vu` of `before`..`after`-1 starts. The stage's beginning has load.start_spread_ms, the steps
 * of a ramp at most a tenth of a second. */
uint64_t plan_start_ns(const struct plan *p,
                       uint32_t stage,
                       uint64_t t_ns,
                       uint32_t before,
                       uint32_t after,
                       uint32_t vu);
/* The rate at `t_ns`; 0 in the closed model. */
double plan_rate(const struct plan *p, uint32_t stage, uint64_t t_ns);
/* The moments at which VUs or rate of the stage change, its beginning the first; of a linear ramp
 * twenty. `at_ns` gets the first PLAN_STEPS_MAX of them, if it is not NULL. How many there are;
 * PLAN_STEPS_MAX + 1 when there are more than that. */
uint32_t plan_steps(const struct plan *p, uint32_t stage, uint64_t at_ns[PLAN_STEPS_MAX]);
/* Appends the text with its parts filled in (JSON-escaped where they could need it). 0 or
 * ERR_LIMIT. `p` may be NULL when the text has only the kinds up to PLAN_CURSOR. */
int plan_text_write(const struct plan *p,
                    const struct plan_text *text,
                    const struct plan_values *values,
                    struct buf *out);
/* Does it differ between two operations of one VU? */
bool plan_text_varies(const struct plan_text *text);

#endif
