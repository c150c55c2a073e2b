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
 *   segment     share i of n of the VUs and arrivals: those whose index ≡ i (mod n)
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "plan/alias.h"
#include "scenario/placeholder.h"
#include "scenario/scenario.h"

#include <stdint.h>

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
};

struct plan_part {
    enum plan_part_kind kind;
    struct str text; /* PLAN_LITERAL */
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
    uint64_t op_seq;
    uint64_t token;
    const char *cursor; /* NULL: the first page */
};

struct plan_operation {
    enum operation_kind kind;
    const char *tool_name, *template_id; /* NULL where there is none */
    const char *prompt_name, *uri;       /* likewise */
    bool expects_streaming;
    bool paged;            /* the answer may name a cursor: further pages belong to it */
    struct plan_text tail; /* the message from behind the id to its end */
};

struct plan_mix {
    uint32_t first_operation, operation_count;
    struct alias templates;
};

struct plan_stage {
    const struct stage_config *config;
    uint32_t vus; /* cut to the cap */
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
    uint32_t key_count; /* stage_count × operation_count */
    uint32_t max_vus;   /* of all stages */
    uint32_t slots;     /* in_flight_per_vu */
    uint64_t seed;
    struct plan_text head; /* what follows the method in every request (mcp/session.h) */
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

/* The operation of the n-th pick of a VU: the same for any number of workers. */
uint32_t plan_pick(const struct plan *p, uint64_t vu, uint64_t n);

/* Think time after the n-th operation of a VU. */
uint64_t plan_think_ns(const struct plan *p, uint64_t vu, uint64_t n);

/* When VU `vu` starts, counted from the beginning of `stage`: the VUs that the stage has beyond the
 * `already` running ones are spread evenly over its start spread. */
uint64_t plan_start_ns(const struct plan *p, uint32_t stage, uint32_t already, uint32_t vu);

/* Appends the text with its parts filled in (JSON-escaped where they could need it). 0 or
 * ERR_LIMIT. */
int plan_text_write(const struct plan_text *text,
                    const struct plan_values *values,
                    struct buf *out);

/* ---- segments ------------------------------------------------------------------------------- */

struct segment {
    uint32_t index, count;
};

static inline bool segment_owns(struct segment s, uint64_t i)
{
    return i % s.count == s.index;
}

/* How many of 0..total-1 are its own. */
uint32_t segment_share(struct segment s, uint32_t total);

#endif
