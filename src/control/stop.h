/* SPDX-License-Identifier: MIT */
/*
 * Stop conditions, evaluated once per second of event time on the windows of an aggregate. Pure:
 * no clock; the caller says up to which second it may look.
 *
 * Rules
 * - A condition has a metric, a comparator, a threshold, a window and `sustain_windows`. It holds
 *   at the end of second t when the metric breaches in each of the last `sustain_windows` adjacent
 *   windows: the one that ends with t, the one directly before it, and so on.
 * - `window_ms` is rounded up to whole seconds.
 * - Only whole windows inside the scope count: the stage of the condition, or the run. A stage
 *   starts with nothing. Operations are those of that stage, and of the keys that the scope names.
 * - `after_first_stream`: the scope begins with the second in which its first stream was opened.
 * - What a stage had in a second that it shares with the one before it counts in its first window
 *   for metrics that count from the beginning, and for ratios of what belongs to no operation
 *   (connections are made just then).
 * - Exception: a metric that can only grow (`monotone`) with > or >= and sustain 1 fires inside
 *   its first, still incomplete window, as soon as it is reached.
 * - A metric that counts from the beginning of its scope (`since_begin`) does so here: its window
 *   says only how long a breach must last.
 * - A window without a value does not breach, and breaks a row of breaches. Rates are 0, not
 *   missing, while VUs or streams are active. A quantile that is shed (metrics/registry.h) is above
 *   any limit.
 * - Equal to the threshold does not breach > or <.
 * - All conditions that hold at the same second are reported; the first one of the file is the
 *   reason.
 *
 * - A window that lacks the report of a source is partial. What the missing part could only raise
 *   may breach > and >=, what it could only lower < and <=; shares, means and quantiles may breach
 *   either way, and the trigger says that it was partial. Else it does not breach.
 *
 * A second is looked at once: data that comes later for it enters totals, not verdicts.
 */
#ifndef CONTROL_STOP_H
#define CONTROL_STOP_H

#include "base/str.h"
#include "control/aggregate.h"
#include "metrics/registry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stop_comparator { STOP_GT, STOP_GE, STOP_LT, STOP_LE };

/* ">", ">=", "<", "<=". False, *out untouched, for another text. */
bool stop_comparator_parse(struct str text, enum stop_comparator *out);
const char *stop_comparator_name(enum stop_comparator c);
/* Does `value` breach? Also for success criteria, where the same words mean "holds". */
bool stop_compare(double value, enum stop_comparator c, double threshold);

enum stop_action { STOP_FAIL, STOP_PASS }; /* on_trigger: what reaching it means for the verdict */

struct stop_spec {
    const char *id; /* outlives the evaluator */
    const struct metric *metric;
    enum stop_comparator comparator;
    double threshold;
    uint64_t window_ms;            /* 1 ..; rounded up to seconds */
    uint32_t sustain_windows;      /* 1 .. */
    int32_t stage_index;           /* -1: the whole run */
    const uint64_t *keys;          /* bit per key that counts; NULL: all */
    const struct aggregate *books; /* to look at; NULL: those that stop_evaluate is given */
    const char *scope_text; /* `keys` for people: "tool_name=search"; NULL or "": nothing to say */
    bool after_first_stream;
    enum stop_action on_trigger;
};

struct stop;

/* Specs are copied; what they point to is not. `count` may be 0. */
struct stop *stop_new(const struct stop_spec *specs, size_t count);
void stop_free(struct stop *s);

/* How many seconds of history the aggregate needs for these conditions; at least 1. */
uint32_t stop_history_seconds(const struct stop_spec *specs, size_t count);

/*
 * The stage covers whole seconds first_second .. end_second-1: a second that two stages share
 * belongs to neither. The beginning is told before its seconds are looked at, the end as soon as
 * it is known. A stage whose beginning was not told is not evaluated.
 */
void stop_stage_begin(struct stop *s, uint32_t stage_index, uint64_t first_second);
void stop_stage_end(struct stop *s, uint32_t stage_index, uint64_t end_second);

enum { STOP_WINDOWS_SHOWN = 8, STOP_SIGNATURES_SHOWN = 3, STOP_ALSO_MAX = 16 };

struct stop_observation {
    bool has_value;
    bool lower_bound; /* operations that we cut reach into it: the truth is at least this */
    bool shed;        /* above all samples, because due operations were dropped */
    bool partial;     /* not all sources had reported */
    double value;     /* of a shed one the largest sample */
    uint64_t samples; /* n that the value rests on */
    uint64_t ended, failed, dropped;
};

struct stop_trigger {
    size_t index; /* into the specs */
    const struct stop_spec *spec;
    uint64_t second;     /* the deciding one; the condition holds at its end */
    bool early;          /* inside the first window */
    bool partial;        /* one of `windows` is */
    uint64_t window_s;   /* of one window; for an early trigger the time since the scope began */
    size_t window_count; /* windows[0] is the newest; at most STOP_WINDOWS_SHOWN of them */
    struct stop_observation windows[STOP_WINDOWS_SHOWN];
    size_t also_count; /* other conditions that held at that second, by index */
    size_t also[STOP_ALSO_MAX];
    size_t signature_count; /* of the run so far, most frequent first */
    char signatures[STOP_SIGNATURES_SHOWN][256];
    char sentence[512]; /* for people, without a full stop */
};

/*
 * Looks at every second below `end_second` that was not looked at yet, in order. True, with
 * *trigger filled, at the first one where a condition holds; later seconds are left for the next
 * call, and a condition that still holds then is reported again. `end_second` is
 * aggregate_watermark().
 */
bool stop_evaluate(struct stop *s,
                   const struct aggregate *a,
                   uint64_t end_second,
                   struct stop_trigger *trigger);

/* How a condition stands, for the live panel and for the result. */
struct stop_state {
    const struct stop_spec *spec;
    bool active;                  /* inside its scope at the last second that was looked at */
    bool waiting;                 /* … but for its first stream */
    struct stop_observation last; /* the newest window, also an incomplete one */
    uint64_t last_second;
    uint32_t row;           /* adjacent whole windows that breach, the newest one included */
    bool has_worst;         /* a window that counts had a value */
    double worst;           /* the largest for > and >=, the smallest for < and <= */
    bool worst_lower_bound; /* the truth is at least that, or a window was shed */
    bool breached;          /* a window that counts breached */
    bool triggered;         /* the condition held */
    bool has_margin;        /* `last` has a value that is not shed */
    double margin;          /* from it to the threshold, in the metric's unit; negative beyond */
};

/* Seconds 0..n-1 have been looked at. */
uint64_t stop_looked(const struct stop *s);

size_t stop_count(const struct stop *s);
void stop_state(const struct stop *s, size_t index, struct stop_state *out);

#endif
