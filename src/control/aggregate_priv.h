/* SPDX-License-Identifier: MIT */
/* Insides that aggregate.c, which fills the books, aggregate_mark.c, which knows how far they are
 * whole, aggregate_source.c, which knows its sources, and aggregate_view.c, which reads them,
 * share. */
#ifndef CONTROL_AGGREGATE_PRIV_H
#define CONTROL_AGGREGATE_PRIV_H

#include "control/aggregate.h"

/* Sums of one key, or of the run part of one stage, over all seconds. */
struct total {
    uint64_t count[COUNT_ALL];
    struct hist_total *dist[DIST_ALL]; /* made at the first sample */
};

/* One metric of the scenario in one second. */
struct compact_custom {
    struct metric_custom numbers; /* its `hist` is not used */
    struct hist_sparse hist;
};

/* The same of one second. */
struct compact {
    uint32_t key; /* the first of its group */
    uint64_t count[COUNT_ALL];
    struct hist_sparse *dist[DIST_ALL]; /* made at the first sample */
};

/* What one stage had of a second beside its keys. */
struct slot_part {
    uint32_t stage_index;
    struct compact run;
    struct compact_custom *customs; /* made with the first number */
};

/* One second of the history. Which one a slot holds follows from second modulo slot count. */
struct slot {
    bool used;
    uint64_t second;
    uint64_t length_ns; /* the longest of its windows: all are cut at the same edges */
    uint32_t reported;
    bool busy;
    struct window_gauges gauges;
    uint32_t stage_index;    /* the current one at its beginning, where gauges and time count */
    struct slot_part *parts; /* a row for each stage that was the current one */
    size_t part_count;
    struct compact *keys; /* those with data, ascending */
    size_t key_count, key_cap;
};

/* Slowest first. */
struct slowest {
    uint32_t count;
    struct aggregate_slow rows[AGGREGATE_SLOWEST_MAX];
};

/* What a source did in the load stages; of distributions AGGREGATE_SOURCE_DISTS only. */
struct source_load {
    struct total sum;
    uint64_t open_count[COUNT_ALL]; /* the share of the stages of the open model */
};

struct source {
    struct source_load *load; /* NULL where there is one source: it did everything */
    struct aggregate_source pub;
    bool left;      /* nobody waits for it, as for one that has finished */
    uint64_t *seen; /* bit per second that was applied */
    size_t seen_words;
    uint64_t next;   /* seconds 0..next-1 have come without a gap */
    uint64_t newest; /* one more than the newest second */
    uint64_t busy_row;
};

struct stage {
    struct total run;
    struct metric_custom *customs;
    struct slowest slowest;
    uint64_t span_ns;
    bool busy, open_model;
    bool apart;                  /* it is no load stage */
    bool begun;                  /* begin_ns is known */
    uint64_t begin_ns, end_ns;   /* end_ns: UINT64_MAX until it is known */
    uint64_t end_second;         /* UINT64_MAX until it is known */
    uint64_t longest_silence_ns; /* of a stream, in its seconds and in those of a drain behind it */
    /* Of its last second so far. */
    bool has_gauges;
    uint64_t gauges_second;
    struct window_gauges gauges;
};

struct aggregate {
    struct aggregate_key *keys;
    uint32_t key_count, stage_count, source_count, custom_count;
    struct total *totals; /* per key */
    uint32_t *group;      /* per key: the first one that shares its rows of the history */
    /* Empty between two calls: what goes into the history is added up here first. */
    struct total scratch;
    struct hist_total *scratch_trend;
    struct stage *stages;
    struct source *sources;
    struct slot *slots;
    uint32_t slot_count;
    uint64_t newest;    /* one more than the newest second */
    uint64_t latest_ns; /* where the newest window ends */
    uint64_t unknown_source;
    struct slowest slowest; /* of the load stages */

    struct aggregate_failure *failures;
    size_t failure_count, failure_cap;
    uint64_t limits[LIMIT_COUNT];
    struct aggregate_failure other; /* its count is 0 until it is needed */
};

/* Seconds that never came from this source (struct aggregate_source). */
uint64_t aggregate_missing(const struct aggregate *a, const struct source *s);

/* False when the second has left the history. A second that was never reported is kept: empty. */
static inline bool aggregate_is_kept(const struct aggregate *a, uint64_t second)
{
    return second + a->slot_count >= a->newest;
}

/* NULL when nobody has reported the second, or it is no longer kept. */
static inline const struct slot *aggregate_slot(const struct aggregate *a, uint64_t second)
{
    const struct slot *s = &a->slots[second % a->slot_count];

    return s->used && s->second == second && aggregate_is_kept(a, second) ? s : NULL;
}

static inline bool aggregate_waits_for(const struct source *s)
{
    return !s->pub.finished && !s->left;
}

void aggregate_total_clear(struct total *t);
bool aggregate_part_is_empty(const struct window_part *part);

/* aggregate_source.c */
void aggregate_source_clear(struct source *s);
/* Marks the second as seen; false when it was already. */
bool aggregate_source_see(struct source *s, uint64_t second);
void aggregate_source_add(struct aggregate *a, struct source *s, const struct window *w);

/* Everything but the histograms. */
void aggregate_numbers_add(struct metric_custom *to, const struct metric_custom *from);

static inline void counts_add(uint64_t *to, const uint64_t *from)
{
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        to[i] += from[i];
    }
}

#endif
