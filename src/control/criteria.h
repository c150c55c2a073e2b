/* SPDX-License-Identifier: MIT */
/*
 * Success criteria: what has to be true of the figures of a stage or of the run (its load stages),
 * judged once, at the end. The other half of the stop conditions, without windows: the value is the
 * one over the whole stage or run.
 *
 * Also their short form, for the command line:
 *
 *   latency_p99_ms < 5000
 *   latency_p95_ms{tool_name=search} < 500
 *   error_rate < 1 %
 *
 * Pure; no clock. A criterion that could not be judged is never met.
 */
#ifndef CONTROL_CRITERIA_H
#define CONTROL_CRITERIA_H

#include "base/err.h"
#include "base/str.h"
#include "control/aggregate.h"
#include "control/stop.h"
#include "metrics/registry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All that is pointed to outlives the results. */
struct criterion_spec {
    const char *id;
    const struct metric *metric;
    enum stop_comparator comparator; /* what has to be true */
    double threshold;
    int32_t stage_index;           /* -1: the load stages */
    const uint64_t *keys;          /* bit per key that counts; NULL: all */
    bool names_stages;             /* `keys` narrow the stages: those count, whatever they are */
    const struct aggregate *books; /* to look at; NULL: those that criterion_judge is given */
    const char *scope_text; /* `keys` for people: "tool_name=search"; NULL or "": nothing to say */
};

enum criterion_state {
    CRITERION_MET,
    CRITERION_FAILED,
    CRITERION_NO_VALUE,  /* nothing was measured: counts as failed */
    CRITERION_UNDECIDED, /* a quantile of fewer samples than it needs */
};

struct criterion_result {
    const struct criterion_spec *spec;
    enum criterion_state state;
    bool has_value;
    bool lower_bound; /* the truth is at least `value`; below an upper limit that proves nothing */
    bool shed;        /* no value: its rank lies among the operations that were dropped */
    double value;     /* 0 without one */
    uint64_t samples, samples_needed; /* needed 0: it is no quantile */
    char sentence[512]; /* "latency_p99_ms was 4.9 s, wanted < 5 s", without a full stop */
};

/* "met", "failed", "no_value", "undecided" */
const char *criterion_state_name(enum criterion_state state);

/* The books must be complete: all sources have finished. The spec is pointed to. */
void criterion_judge(const struct aggregate *books,
                     const struct criterion_spec *spec,
                     struct criterion_result *out);

enum { CRITERION_PAIRS_MAX = 8, CRITERION_TEXT_MAX = 1000 };

struct criterion_pair {
    struct str key, value;
};

/* The parts of a short form; slices point into the text. Nothing is known about their meaning yet.
 */
struct criterion_text {
    struct str metric;
    size_t pair_count;
    struct criterion_pair pairs[CRITERION_PAIRS_MAX]; /* no key twice, none of them empty */
    enum stop_comparator comparator;
    double threshold; /* 1 % is 0.01 */
};

/* metric [{key=value, …}] comparator number [%]. ERR_USAGE with the column in *err and its text. */
int criterion_parse(const char *text, struct criterion_text *out, struct err *err);

#endif
