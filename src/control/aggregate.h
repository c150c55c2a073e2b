/* SPDX-License-Identifier: MIT */
/*
 * The books of a run: adds the one-second windows of all sources (shards of this process, later
 * workers) and answers with views. Whatever the split over sources, the sums are the same, count
 * by count.
 *
 * Vocabulary
 *   source     something that sends one window per second, numbered from 0 without a gap
 *   second     number of a window; 0 is the run's first
 *   complete   a second that every source has reported, and so are all before it
 *   history    the last seconds, each for itself and compact, for windows of stop conditions, the
 *              live panel, the windows file; at least `history_seconds` behind the newest one
 *
 * A window is added once per (source, second). A repeat, an unknown source, another number of
 * keys or metrics, or a second out of range is refused and counted: it shows that something is
 * broken. A late window always enters the totals, and the history while its second is still kept.
 *
 * Sums of a scenario's metrics are floating-point numbers: whole ones are exact to 2^53, beyond
 * that the last digit may depend on the split.
 *
 * Memory: per second a few KB for each group of keys; per key with samples and distribution in use
 * 0.4 KiB and 1 KiB for each octave of its values.
 * One thread. Windows belong to the caller and are free again after aggregate_add.
 */
#ifndef CONTROL_AGGREGATE_H
#define CONTROL_AGGREGATE_H

#include "metrics/registry.h"
#include "metrics/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aggregate;

/* What a key means; names are the plan's and outlive the aggregate. NULL where there is none. */
struct aggregate_key {
    uint32_t stage_index;
    const char *operation, *tool_name, *template_id;
};

enum {
    AGGREGATE_SECONDS_MAX = 700000, /* eight days; a second beyond is refused */
    AGGREGATE_HISTORY_SLACK = 16,   /* kept beyond history_seconds, for sources that run ahead */
    AGGREGATE_SIGNATURES_MAX = 1000,
    AGGREGATE_SLOWEST_MAX = 20, /* of the load stages, and of each stage */
};

/* Keys are copied, their names are not. `custom_count`: metrics of the scenario. */
struct aggregate *aggregate_new(const struct aggregate_key *keys,
                                uint32_t key_count,
                                uint32_t stage_count,
                                uint32_t source_count,
                                uint32_t custom_count,
                                uint32_t history_seconds);
void aggregate_free(struct aggregate *a);
/* Is the stage of the open model? False until set. It decides which latency views name so: R when
 * the view sees a stage of the open model, else S. */
void aggregate_set_open_model(struct aggregate *a, uint32_t stage_index, bool open_model);
/* The stage is counted apart: it is no load stage. Told before the first window. */
void aggregate_set_apart(struct aggregate *a, uint32_t stage_index);
bool aggregate_is_load(const struct aggregate *a, uint32_t stage_index);

/*
 * Keys of one stage that no scope tells apart (each takes all of them or none) share a row in the
 * history, so that hundreds of templates do not make hundreds of rows a second. Filters of
 * aggregate_view_seconds may then name the keys of these scopes only (`key` none at all); the sums
 * of the run know every key as before. Without the call each key has rows of its own. Before the
 * first window; `scopes` are bits per key.
 */
void aggregate_group_history(struct aggregate *a,
                             const uint64_t *const *scopes,
                             size_t scope_count);

/* When the stage begins, by the clock of the windows. From then on its time is from there to its
 * end, or to the end of the newest window; a stage whose beginning is not told has the time that
 * its windows cover. */
void aggregate_begin_stage(struct aggregate *a, uint32_t stage_index, uint64_t begin_ns);
/* The stage has no further seconds: neither gauges nor the time of the drain behind it are its own.
 * Told before those seconds come. */
void aggregate_end_stage(struct aggregate *a,
                         uint32_t stage_index,
                         uint64_t end_second,
                         uint64_t end_ns);

/* True when it was applied, false when it was refused (and counted). */
bool aggregate_add(struct aggregate *a, uint32_t source, const struct window *w);
/* No more windows come from this source; seconds that it did not reach no longer wait for it. */
void aggregate_finish_source(struct aggregate *a, uint32_t source);
/* It is lost: seconds no longer wait for it either, but it has not finished. What still comes from
 * it is added. */
void aggregate_leave_source(struct aggregate *a, uint32_t source);

/* Seconds 0..n-1 are complete. */
uint64_t aggregate_complete(const struct aggregate *a);
/* Do the seconds first..last lack the report of a source that is still waited for? */
bool aggregate_lacks(const struct aggregate *a, uint64_t first, uint64_t last);
bool aggregate_source_lacks(const struct aggregate *a, uint32_t source, uint64_t second);
/*
 * The watermark: how far the seconds from `from` on may be looked at. Those that lack nothing may,
 * and those below `overdue` whatever they lack; nothing beyond the newest one.
 */
uint64_t aggregate_watermark(const struct aggregate *a, uint64_t from, uint64_t overdue);
/* One more than the newest second that any source has reported. */
uint64_t aggregate_newest(const struct aggregate *a);
/* How many sources reported this second; 0 also when it is no longer kept. */
uint32_t aggregate_reported(const struct aggregate *a, uint64_t second);

/* Stages that count apart (preflight) are in none of the figures of the run as a whole. */
enum aggregate_share {
    AGGREGATE_ALL,    /* every stage */
    AGGREGATE_LOAD,   /* the load stages */
    AGGREGATE_APART,  /* the others */
    AGGREGATE_BESIDE, /* of failures only: those beside the workload, which no other share has */
    AGGREGATE_SHARES,
};

/* Which part of the sums. Start from aggregate_everything() or aggregate_load(). Run parts are
 * connections, sessions, gauges and metrics of the scenario; they count for the stage that their
 * window names. Of keys that narrow the stages, too, only run parts of those stages are seen. */
struct aggregate_filter {
    enum aggregate_share share;
    int32_t stage_index;  /* -1: all */
    int32_t key;          /* -1: all */
    const uint64_t *keys; /* bit per key that counts, beside `key`; NULL: all */
    bool only_keys;       /* leave the run parts out */
    uint32_t dists;       /* bits of enum dist to add up; fewer is faster */
};

static inline struct aggregate_filter aggregate_everything(void)
{
    return (struct aggregate_filter){.stage_index = -1, .key = -1, .dists = (1u << DIST_ALL) - 1};
}

/* What figures of the run as a whole cover. */
static inline struct aggregate_filter aggregate_load(void)
{
    struct aggregate_filter filter = aggregate_everything();

    filter.share = AGGREGATE_LOAD;
    return filter;
}

/* The bits of `dists` that the metric may read. */
uint32_t aggregate_dists_of(const struct metric *m);

/*
 * The sum of seconds first..first+count-1 into a view (which was all zero or used before). Its
 * span is what the windows covered. Gauges are of the last second that was reported, sums over
 * the sources; the silence of a stream is the longest of all. False, and the view is empty, when
 * one of the seconds is no longer kept.
 */
bool aggregate_view_seconds(const struct aggregate *a,
                            const struct aggregate_filter *filter,
                            uint64_t first,
                            uint64_t count,
                            struct metric_view *view);
/*
 * The sum of everything so far. The span is the time in which the stages that it sees were the
 * current ones; operations that ended after it, during the drain, are included in the counts, and
 * in no rate. Its gauges are those of its last second, and so are those of a run whose sources have
 * all finished, of the last stage that was played; the silence of a stream is the longest there
 * was, in a drain behind the stages too.
 */
void aggregate_view_total(const struct aggregate *a,
                          const struct aggregate_filter *filter,
                          struct metric_view *view);

uint32_t aggregate_key_count(const struct aggregate *a);
const struct aggregate_key *aggregate_key(const struct aggregate *a, uint32_t key);

struct aggregate_seen {
    uint64_t count, first_second, last_second;
};

/* A kind of failure over the run. `failure.key` is the first key that had it; its count is that of
 * all stages. */
struct aggregate_failure {
    struct failure failure;
    struct aggregate_seen seen[AGGREGATE_SHARES];
    uint64_t *keys; /* bit per key that had it; NULL in the row for the rest */
    bool is_other;  /* the rest, beyond the tables; its message is "<OTHER>" */
};

/* Those that the share has: the most frequent there first, then by pattern, the row for the rest
 * last; at most `max`. Pointers are valid until the next aggregate_add. Returns how many. */
size_t aggregate_failures(const struct aggregate *a,
                          enum aggregate_share share,
                          const struct aggregate_failure **out,
                          size_t max);
/* "type CODE: masked message", cut to `size`; returns out. */
const char *aggregate_failure_pattern(const struct aggregate_failure *f, char *out, size_t size);

/* One of the slowest operations by the time a user would have waited (R). */
struct aggregate_slow {
    struct op_sample op;
    uint32_t source;
    uint64_t second;
};

/* The slowest operations of a stage, or of the load stages (-1), slowest first, at most `max`. Each
 * second has its WINDOW_SLOWEST_MAX slowest in it, however many sources there are. Pointers are
 * valid until the next aggregate_add. Returns how many. */
size_t aggregate_slowest(const struct aggregate *a,
                         int32_t stage_index,
                         const struct aggregate_slow **out,
                         size_t max);

/* How often a limit of ours was hit, in all windows so far, and by the books themselves. */
uint64_t aggregate_limit(const struct aggregate *a, enum limit id);

/* What one source sent, for the integrity check and for outliers. */
struct aggregate_source {
    uint64_t windows;    /* applied */
    uint64_t duplicates; /* refused: this second had come already */
    uint64_t refused;    /* refused for another reason */
    /* Gaps below its newest second; of one that was lost, all that it did not bring of the seconds
     * of the run so far. */
    uint64_t missing;
    uint64_t count[COUNT_ALL];
    uint64_t samples_lost;    /* failures that the log of operations had enough of */
    uint64_t samples_thinned; /* successes that it left out evenly */
    uint64_t busy_ns, wall_ns, wakeups;
    double busy_max;               /* the busiest second, 0..1 */
    uint64_t busy_seconds_over_80; /* seconds above 0.80 … */
    uint64_t busy_seconds_over_95; /* … and above 0.95 */
    uint64_t busy_over_95_row;     /* the longest row of the latter */
    bool finished;
};

/* Distributions that each source has for itself. */
#define AGGREGATE_SOURCE_DISTS (1u << DIST_LAG | 1u << DIST_SERVICE | 1u << DIST_RESPONSE)

/* The operations of the load stages that these sources (bit per source) made; without what belongs
 * to no operation. The view was all zero or used before. */
void aggregate_view_sources(const struct aggregate *a,
                            const uint64_t *sources,
                            struct metric_view *view);

struct aggregate_integrity {
    uint64_t windows, duplicates, refused, missing;
    uint64_t unknown_source; /* windows from a source that does not exist */
    bool sums_agree;         /* Σ over sources = totals, for every count */
    /* Over the stages of the open model: due - started - dropped. What is queued while the run goes
     * on, 0 at its end. */
    int64_t due_missing;
};

void aggregate_source(const struct aggregate *a, uint32_t source, struct aggregate_source *out);
void aggregate_integrity(const struct aggregate *a, struct aggregate_integrity *out);

#endif
