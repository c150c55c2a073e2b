/* SPDX-License-Identifier: MIT */
/*
 * The metrics that have a name: for stop conditions, success criteria, the live panel, results.
 * One table (registry.c) says what each is made of; this module takes the value out of a view.
 *
 * A *view* is the sum of some windows: of one second, a condition's window, a stage, the run. It
 * is filled by control/aggregate.h. A metric without samples in a view has no value; it is never 0
 * by accident. Ratios are 0..1, times are milliseconds with their fraction (stream_stall_seconds:
 * seconds).
 *
 * Response times are taken over the operations that were *due*: one that was dropped before it
 * could start ranks above all that ran, so that shedding does not polish the tail. A quantile whose
 * rank lies there is *shed*: it has no value, and metric_shed says why.
 *
 * The metrics that a scenario defines (workload.metrics[]) are rows of a *metric set*, made for one
 * run. A view holds their sums in the order of the scenario.
 */
#ifndef METRICS_REGISTRY_H
#define METRICS_REGISTRY_H

#include "base/str.h"
#include "metrics/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of one metric of the scenario. */
struct metric_custom {
    uint64_t count;
    uint64_t rejected;          /* negative or too large for a trend */
    double sum, min, max, last; /* of `count` numbers; 0 without one */
    uint64_t last_ns;           /* when `last` came */
    struct hist_total *hist; /* owned; of a trend, in thousandths; NULL or empty without samples */
};

struct metric_view {
    uint64_t count[COUNT_ALL];
    uint64_t open_count[COUNT_ALL];    /* the share of the stages of the open model */
    struct hist_total *dist[DIST_ALL]; /* owned; NULL or empty without samples */
    struct window_gauges gauges;       /* at the end of the view's last second that was reported */
    bool has_gauges;                   /* false: no window at all */
    struct metric_custom *customs;     /* owned */
    uint32_t custom_count;
    double span_s;   /* what rates divide by */
    bool of_stages;  /* over stages: rates are of what happened in their time */
    bool busy;       /* VUs or streams were active */
    bool open_model; /* latency_* is R (response), else S (service) */
};

/* A view starts as all zero. Empties it and keeps its memory and `open_model`. */
void metric_view_reset(struct metric_view *v);
/* For the eyes of people: what happened in a fragment of a second is no multiple of it. Its rates
 * are of a whole second from now on. */
void metric_view_whole_second(struct metric_view *v);
/* Frees its memory; all zero again. */
void metric_view_clear(struct metric_view *v);

enum metric_kind {
    METRIC_COUNT,    /* an integer, since the view began */
    METRIC_RATIO,    /* count ÷ count, 0..1 */
    METRIC_RATE,     /* count ÷ span; over stages, of what happened before they ended */
    METRIC_GAUGE,    /* state at the end of the view */
    METRIC_QUANTILE, /* of one distribution */
    METRIC_EXTREME,  /* its maximum */
    METRIC_MEAN,
    METRIC_CUSTOM, /* of a metric of the scenario */
};

enum metric_sense { METRIC_NEUTRAL, METRIC_LARGER_WORSE, METRIC_LARGER_BETTER };

/* `latency_*`: DIST_RESPONSE in the open model, DIST_SERVICE in the closed one. */
enum { DIST_LATENCY = DIST_ALL };

enum { METRIC_ALIASES_MAX = 3, METRIC_NAMES_MAX = 256 };

/* What a row tells of the numbers of a metric of the scenario. */
enum metric_custom_value {
    METRIC_CUSTOM_SUM,
    METRIC_CUSTOM_COUNT,
    METRIC_CUSTOM_MIN,
    METRIC_CUSTOM_MAX,
    METRIC_CUSTOM_MEAN,
    METRIC_CUSTOM_LAST,
    METRIC_CUSTOM_QUANTILE,
};

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
    /* Of rates over stages: − Σ late + Σ carried. */
    uint64_t late, carried;
    int dist;            /* enum dist or DIST_LATENCY: quantile, extreme, mean */
    uint32_t ppm;        /* quantile */
    size_t gauge_offset; /* into struct window_gauges */
    double gauge_scale;  /* gauge ÷ this is the value */

    bool monotone;       /* can only grow while its window fills: may fire early */
    bool since_begin;    /* counts from the beginning of the scope, whatever the window */
    bool zero_when_busy; /* nothing counted is 0 while VUs or streams are active, else no value */
    bool needs_streams;  /* a gauge of streams: no value without one */
    bool open_only;      /* reads the counts of the stages of the open model */

    uint32_t custom; /* METRIC_CUSTOM: which one, by the order of the scenario … */
    enum metric_custom_value custom_value;
};

size_t metric_count(void);
const struct metric *metric_at(size_t i);
/* By name or alias; NULL when there is none. */
const struct metric *metric_find(struct str name);
/* All names and aliases, for near-name suggestions; returns how many. */
size_t metric_names(const char *names[METRIC_NAMES_MAX]);

/* Is it kept per operation, so that a scope may narrow it to some of them? */
bool metric_narrows(const struct metric *m);

/* False: no value. */
bool metric_value(const struct metric *m, const struct metric_view *v, double *out);
/* How many samples the value rests on: of the distribution, the divisor of a ratio, else the
 * operations that ended. */
uint64_t metric_samples(const struct metric *m, const struct metric_view *v);
/* The distribution it reads, resolved by the view's load model; -1 when it reads none. */
int metric_dist(const struct metric *m, bool open_model);
/* True when the value is only a lower bound, because operations that we cut reach into it, or
 * because operations were dropped that a maximum or a mean does not know. */
bool metric_is_lower_bound(const struct metric *m, const struct metric_view *v);
/* True when a quantile has no value because its rank lies among the operations that were due and
 * never started: it is above any limit. */
bool metric_shed(const struct metric *m, const struct metric_view *v);
/* How many due operations were dropped for want of time or of a slot; a stop is no reason. */
uint64_t metric_dropped(const struct metric_view *v);

/* How many samples the metric needs before its value says anything: hist_samples_needed for
 * quantiles, 0 for all others. */
uint64_t metric_samples_needed(const struct metric *m);

/* ---- metrics of the scenario: registry_set.c ------------------------------------------------- */

enum metric_custom_kind { METRIC_COUNTER, METRIC_LAST, METRIC_TREND };

struct metric_custom_def {
    const char *name;
    enum metric_custom_kind kind; /* custom.NAME is the sum, the last number, the mean */
};

struct metric_set;

/* The rows custom.NAME, custom.NAME.{count,sum,min,max,mean,last}, and of a trend also
 * custom.NAME.{p50,p75,p90,p95,p99,p999}. Names are copied. */
struct metric_set *metric_set_new(const struct metric_custom_def *defs, size_t count);
void metric_set_free(struct metric_set *set);
/* The registry's row; else a custom one; else the one of the bare NAME. NULL when there is none.
 * `set` may be NULL. */
const struct metric *metric_set_find(const struct metric_set *set, struct str name);
/* All custom rows, in the order of the scenario. */
size_t metric_set_count(const struct metric_set *set);
const struct metric *metric_set_at(const struct metric_set *set, size_t i);

/* The value with its unit for people: "12.4 s", "250 µs", "25 %", "1200/s", "10". Returns out. */
const char *metric_format(const struct metric *m, double value, char *out, size_t size);

#endif
