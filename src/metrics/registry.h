/* SPDX-License-Identifier: MIT */
/*
 * The metrics that have a name: for stop conditions, success criteria, the live panel, results.
 * One table (registry.c) says what each is made of; this module takes the value out of a view.
 *
 * A *view* is the sum of some windows: of one second, a condition's window, a stage, the run. It
 * is filled by control/aggregate.h. A metric without samples in a view has no value; it is never 0
 * by accident. Ratios are 0..1, times are milliseconds with their fraction (stream_stall_seconds:
 * seconds).
 */
#ifndef METRICS_REGISTRY_H
#define METRICS_REGISTRY_H

#include "base/str.h"
#include "metrics/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metric_view {
    uint64_t count[COUNT_ALL];
    struct hist_total *dist[DIST_ALL]; /* owned; NULL or empty without samples */
    struct window_gauges gauges;       /* at the end of the view's last second that was reported */
    bool has_gauges;                   /* false: no window at all */
    double span_s;                     /* what rates divide by */
    bool busy;                         /* VUs or streams were active */
    bool open_model;                   /* latency_* is R (response), else S (service) */
};

/* A view starts as all zero. Empties it and keeps its memory and `open_model`. */
void metric_view_reset(struct metric_view *v);
/* Frees its memory; all zero again. */
void metric_view_clear(struct metric_view *v);

enum metric_kind {
    METRIC_COUNT,    /* an integer, since the view began */
    METRIC_RATIO,    /* count ÷ count, 0..1 */
    METRIC_RATE,     /* count ÷ span */
    METRIC_GAUGE,    /* state at the end of the view */
    METRIC_QUANTILE, /* of one distribution */
    METRIC_EXTREME,  /* its maximum */
    METRIC_MEAN,
};

enum metric_sense { METRIC_NEUTRAL, METRIC_LARGER_WORSE, METRIC_LARGER_BETTER };

/* `latency_*`: DIST_RESPONSE in the open model, DIST_SERVICE in the closed one. */
enum { DIST_LATENCY = DIST_ALL };

enum { METRIC_ALIASES_MAX = 3, METRIC_NAMES_MAX = 160 };

struct metric {
    const char *name;
    const char *aliases[METRIC_ALIASES_MAX];
    const char *unit; /* "count", "1" for ratios, "1/s", "B/s", "ms", "s" */
    enum metric_kind kind;
    enum metric_sense sense;
    const char *definition; /* one sentence for people */
    const char *subset_of;  /* which things it is about: "operations ended", "streams ended" … */

    /* Sets of enum count as bits: value = Σ plus − Σ minus, divided by Σ of_plus − Σ of_minus for
     * ratios. */
    uint64_t plus, minus, of_plus, of_minus;
    int dist;            /* enum dist or DIST_LATENCY: quantile, extreme, mean */
    uint32_t ppm;        /* quantile */
    size_t gauge_offset; /* into struct window_gauges */
    double gauge_scale;  /* gauge × this is the value */

    bool monotone;       /* can only grow while its window fills: may fire early */
    bool since_begin;    /* counts from the beginning of the scope, whatever the window */
    bool zero_when_busy; /* nothing counted is 0 while VUs or streams are active, else no value */
    bool needs_streams;  /* a gauge of open streams: no value without one */
};

size_t metric_count(void);
const struct metric *metric_at(size_t i);
/* By name or alias; NULL when there is none. */
const struct metric *metric_find(struct str name);
/* All names and aliases, for near-name suggestions; returns how many. */
size_t metric_names(const char *names[METRIC_NAMES_MAX]);

/* False: no value. */
bool metric_value(const struct metric *m, const struct metric_view *v, double *out);
/* How many samples the value rests on: of the distribution, the divisor of a ratio, else the
 * operations that ended. */
uint64_t metric_samples(const struct metric *m, const struct metric_view *v);
/* The distribution it reads, resolved by the view's load model; -1 when it reads none. */
int metric_dist(const struct metric *m, bool open_model);
/* True when the value is only a lower bound, because operations that we cut reach into it. */
bool metric_is_lower_bound(const struct metric *m, const struct metric_view *v);

/* The value with its unit for people: "12.4 s", "250 µs", "25 %", "1200/s", "10". Returns out. */
const char *metric_format(const struct metric *m, double value, char *out, size_t size);

#endif
