/* SPDX-License-Identifier: MIT */
/* Reading the books: views, failures, integrity. */
#include "base/clock.h"
#include "base/mem.h"
#include "control/aggregate_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hist_total *view_dist(struct metric_view *view, unsigned id)
{
    if (view->dist[id] == NULL) {
        view->dist[id] = hist_total_new();
    }
    return view->dist[id];
}

static void view_add_total(struct metric_view *view, const struct total *t, uint32_t dists)
{
    counts_add(view->count, t->count);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if ((dists >> i & 1) != 0 && t->dist[i] != NULL) {
            hist_total_merge(view_dist(view, i), t->dist[i]);
        }
    }
}

static void view_add_compact(struct metric_view *view, const struct compact *c, uint32_t dists)
{
    counts_add(view->count, c->count);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if ((dists >> i & 1) != 0 && c->dist[i] != NULL) {
            hist_total_add_sparse(view_dist(view, i), c->dist[i]);
        }
    }
}

/* Makes room for the metrics of the scenario; a view may have served other books before. */
static void view_begin(const struct aggregate *a, struct metric_view *view)
{
    if (view->custom_count != a->custom_count) {
        for (uint32_t i = 0; i < view->custom_count; i++) {
            hist_total_free(view->customs[i].hist);
        }
        xfree(view->customs);
        view->customs =
            a->custom_count > 0 ? xcalloc(a->custom_count, sizeof *view->customs) : NULL;
        view->custom_count = a->custom_count;
    }
    metric_view_reset(view);
}

static struct hist_total *view_trend(struct metric_view *view, uint32_t custom)
{
    if (view->customs[custom].hist == NULL) {
        view->customs[custom].hist = hist_total_new();
    }
    return view->customs[custom].hist;
}

static void view_add_customs(struct metric_view *view, const struct metric_custom *customs)
{
    for (uint32_t i = 0; i < view->custom_count; i++) {
        aggregate_numbers_add(&view->customs[i], &customs[i]);
        if (customs[i].hist != NULL) {
            hist_total_merge(view_trend(view, i), customs[i].hist);
        }
    }
}

static void view_add_compact_customs(struct metric_view *view, const struct compact_custom *customs)
{
    for (uint32_t i = 0; customs != NULL && i < view->custom_count; i++) {
        aggregate_numbers_add(&view->customs[i], &customs[i].numbers);
        if (customs[i].hist.head.count > 0) {
            hist_total_add_sparse(view_trend(view, i), &customs[i].hist);
        }
    }
}

/* ---- what a filter lets through -------------------------------------------------------------- */

uint32_t aggregate_dists_of(const struct metric *m)
{
    int closed = metric_dist(m, false), open = metric_dist(m, true);

    return closed < 0 ? 0 : 1u << closed | 1u << open;
}

static bool in_share(const struct aggregate *a, enum aggregate_share share, uint32_t stage_index)
{
    return share == AGGREGATE_ALL || (share == AGGREGATE_APART) == a->stages[stage_index].apart;
}

static bool
key_matches(const struct aggregate *a, const struct aggregate_filter *filter, uint32_t key)
{
    uint32_t stage_index = a->keys[key].stage_index;

    return (filter->stage_index < 0 || (uint32_t)filter->stage_index == stage_index) &&
           in_share(a, filter->share, stage_index) &&
           (filter->key < 0 || (uint32_t)filter->key == key) &&
           (filter->keys == NULL || (filter->keys[key / 64] >> (key % 64) & 1) != 0);
}

/* Of a set of keys: does it have one of the stage? Keys that narrow the stages narrow what belongs
 * to no key, too. */
static bool
names_stage(const struct aggregate *a, const struct aggregate_filter *filter, uint32_t stage_index)
{
    for (uint32_t i = 0; i < a->key_count; i++) {
        if (a->keys[i].stage_index == stage_index && key_matches(a, filter, i)) {
            return true;
        }
    }
    return false;
}

static bool stage_matches(const struct aggregate *a,
                          const struct aggregate_filter *filter,
                          uint32_t stage_index)
{
    return (filter->stage_index < 0 || (uint32_t)filter->stage_index == stage_index) &&
           in_share(a, filter->share, stage_index) &&
           (filter->keys == NULL || names_stage(a, filter, stage_index));
}

/* The next key that a filter may let through: a result asks for each of hundreds of operations. */
static uint32_t
next_key(const struct aggregate *a, const struct aggregate_filter *filter, uint32_t i)
{
    while (i < a->key_count && filter->keys != NULL && filter->keys[i / 64] == 0) {
        i = (i / 64 + 1) * 64;
    }
    return i < a->key_count ? i : a->key_count;
}

/* Does the view see a stage of the open model? A view of single keys sees their stages only. */
static bool is_open(const struct aggregate *a, const struct aggregate_filter *filter)
{
    bool all_keys = filter->key < 0 && filter->keys == NULL;

    for (uint32_t i = 0; all_keys && i < a->stage_count; i++) {
        if (stage_matches(a, filter, i) && a->stages[i].open_model) {
            return true;
        }
    }
    for (uint32_t i = next_key(a, filter, 0); !all_keys && i < a->key_count;
         i = next_key(a, filter, i + 1)) {
        if (a->stages[a->keys[i].stage_index].open_model && key_matches(a, filter, i)) {
            return true;
        }
    }
    return false;
}

/* ---- views ----------------------------------------------------------------------------------- */

/* Rows of the history are sums of groups: a filter that took a part of one would get a wrong
 * figure. */
static bool fits_groups(const struct aggregate *a, const struct aggregate_filter *filter)
{
    bool all_keys = filter->key < 0 && filter->keys == NULL;

    for (uint32_t i = 0; !all_keys && i < a->key_count; i++) {
        if (a->group[i] != i && key_matches(a, filter, i) != key_matches(a, filter, a->group[i])) {
            return false;
        }
    }
    return true;
}

/* The state of the newest second, but the longest silence of all. */
static void view_add_gauges(struct metric_view *view, const struct window_gauges *gauges)
{
    uint64_t silence_ns = view->gauges.oldest_event_age_ns;

    view->has_gauges = true;
    view->gauges = *gauges;
    if (silence_ns > gauges->oldest_event_age_ns) {
        view->gauges.oldest_event_age_ns = silence_ns;
    }
}

static void view_add_slot(const struct aggregate *a,
                          const struct aggregate_filter *filter,
                          const struct slot *s,
                          struct metric_view *view)
{
    for (size_t i = 0; i < s->key_count; i++) {
        uint32_t key = s->keys[i].key;
        if (!key_matches(a, filter, key)) {
            continue;
        }
        view_add_compact(view, &s->keys[i], filter->dists);
        if (a->stages[a->keys[key].stage_index].open_model) {
            counts_add(view->open_count, s->keys[i].count);
        }
    }
    for (size_t i = 0; !filter->only_keys && i < s->part_count; i++) {
        if (stage_matches(a, filter, s->parts[i].stage_index)) {
            view_add_compact(view, &s->parts[i].run, filter->dists);
            view_add_compact_customs(view, s->parts[i].customs);
        }
    }
    view->busy = view->busy || s->busy;
    view->span_s += (double)s->length_ns / (double)NS_PER_S;
    if (!filter->only_keys) {
        view_add_gauges(view, &s->gauges);
    }
}

bool aggregate_view_seconds(const struct aggregate *a,
                            const struct aggregate_filter *filter,
                            uint64_t first,
                            uint64_t count,
                            struct metric_view *view)
{
    assert(fits_groups(a, filter));
    view_begin(a, view);
    view->open_model = is_open(a, filter);
    if (!aggregate_is_kept(a, first)) {
        return false;
    }
    for (uint64_t second = first; second < first + count && second < a->newest; second++) {
        const struct slot *s = aggregate_slot(a, second);
        if (s != NULL) {
            view_add_slot(a, filter, s, view);
        }
    }
    return true;
}

static bool all_finished(const struct aggregate *a)
{
    for (uint32_t i = 0; i < a->source_count; i++) {
        if (aggregate_waits_for(&a->sources[i])) {
            return false;
        }
    }
    return true;
}

/* While the run goes on: now. Of a stage, and of a run that has ended: the end of the (last) stage
 * that was played. */
static void view_total_gauges(const struct aggregate *a,
                              const struct aggregate_filter *filter,
                              struct metric_view *view)
{
    uint64_t complete = aggregate_complete(a), latest = 0;

    /* A sum over half of the sources would look like a drop. */
    complete = complete > 0 ? complete : a->newest;
    if (filter->stage_index < 0 && filter->share != AGGREGATE_APART && !all_finished(a)) {
        const struct slot *s = complete > 0 ? aggregate_slot(a, complete - 1) : NULL;
        view->has_gauges = s != NULL;
        view->gauges = s != NULL ? s->gauges : view->gauges;
        return;
    }
    for (uint32_t i = 0; i < a->stage_count; i++) {
        const struct stage *stage = &a->stages[i];

        if (stage_matches(a, filter, i) && stage->has_gauges &&
            (!view->has_gauges || stage->gauges_second >= latest)) {
            view->has_gauges = true;
            view->gauges = stage->gauges;
            latest = stage->gauges_second;
        }
    }
}

static uint64_t longest_silence_ns(const struct aggregate *a, const struct aggregate_filter *filter)
{
    uint64_t longest = 0;

    for (uint32_t i = 0; i < a->stage_count; i++) {
        if (stage_matches(a, filter, i) && a->stages[i].longest_silence_ns > longest) {
            longest = a->stages[i].longest_silence_ns;
        }
    }
    return longest;
}

/* The time in which the stage was the current one. */
static uint64_t stage_span_ns(const struct aggregate *a, uint32_t stage_index)
{
    const struct stage *s = &a->stages[stage_index];
    uint64_t end_ns = s->end_ns < a->latest_ns ? s->end_ns : a->latest_ns;

    if (!s->begun) {
        return s->span_ns;
    }
    return end_ns > s->begin_ns ? end_ns - s->begin_ns : 0;
}

void aggregate_view_total(const struct aggregate *a,
                          const struct aggregate_filter *filter,
                          struct metric_view *view)
{
    uint64_t span_ns = 0;

    view_begin(a, view);
    view->open_model = is_open(a, filter);
    view->of_stages = true;
    for (uint32_t i = next_key(a, filter, 0); i < a->key_count; i = next_key(a, filter, i + 1)) {
        if (!key_matches(a, filter, i)) {
            continue;
        }
        view_add_total(view, &a->totals[i], filter->dists);
        if (a->stages[a->keys[i].stage_index].open_model) {
            counts_add(view->open_count, a->totals[i].count);
        }
    }
    for (uint32_t i = 0; i < a->stage_count; i++) {
        if (!stage_matches(a, filter, i)) {
            continue;
        }
        if (!filter->only_keys) {
            view_add_total(view, &a->stages[i].run, filter->dists);
            view_add_customs(view, a->stages[i].customs);
        }
        span_ns += stage_span_ns(a, i);
        view->busy = view->busy || a->stages[i].busy;
    }
    view->span_s = (double)span_ns / (double)NS_PER_S;
    if (!filter->only_keys) {
        view_total_gauges(a, filter, view);
        view->gauges.oldest_event_age_ns = longest_silence_ns(a, filter);
    }
}

static bool has_source(const uint64_t *sources, uint32_t i)
{
    return (sources[i / 64] >> (i % 64) & 1) != 0;
}

void aggregate_view_sources(const struct aggregate *a,
                            const uint64_t *sources,
                            struct metric_view *view)
{
    struct aggregate_filter filter = aggregate_load();

    filter.only_keys = true;
    filter.dists = AGGREGATE_SOURCE_DISTS;
    if (a->source_count == 1 && has_source(sources, 0)) {
        aggregate_view_total(a, &filter, view);
        return;
    }
    view_begin(a, view);
    view->open_model = is_open(a, &filter);
    view->of_stages = true;
    for (uint32_t i = 0; i < a->source_count; i++) {
        if (a->sources[i].load != NULL && has_source(sources, i)) {
            view_add_total(view, &a->sources[i].load->sum, filter.dists);
            counts_add(view->open_count, a->sources[i].load->open_count);
        }
    }
    for (uint32_t i = 0; i < a->stage_count; i++) {
        if (stage_matches(a, &filter, i)) {
            view->span_s += (double)stage_span_ns(a, i) / (double)NS_PER_S;
            view->busy = view->busy || a->stages[i].busy;
        }
    }
}

uint32_t aggregate_key_count(const struct aggregate *a)
{
    return a->key_count;
}

const struct aggregate_key *aggregate_key(const struct aggregate *a, uint32_t key)
{
    assert(key < a->key_count);
    return &a->keys[key];
}

const char *aggregate_failure_pattern(const struct aggregate_failure *f, char *out, size_t size)
{
    char code[64];

    if (f->is_other) {
        snprintf(out, size, "<OTHER>");
        return out;
    }
    snprintf(out, size, "%s %s%s%.*s", error_type_name(f->failure.type),
             error_code_name(f->failure.code, f->failure.number, code, sizeof code),
             f->failure.message_len > 0 ? ": " : "", (int)f->failure.message_len,
             f->failure.message);
    return out;
}

/* A failure table, and the part of the run that its order is about. */
struct ranking {
    const struct aggregate_failure *rows;
    enum aggregate_share share;
};

/* For qsort_r over indices into the table of a struct ranking. */
static int by_frequency(const void *pa, const void *pb, void *arg)
{
    const struct ranking *ranking = arg;
    const struct aggregate_failure *rows = ranking->rows;
    enum aggregate_share share = ranking->share;
    const struct aggregate_failure *a = &rows[*(const uint32_t *)pa];
    const struct aggregate_failure *b = &rows[*(const uint32_t *)pb];
    char text_a[SIGNATURE_MAX + 128], text_b[SIGNATURE_MAX + 128];

    if (a->seen[share].count != b->seen[share].count) {
        return a->seen[share].count > b->seen[share].count ? -1 : 1;
    }
    return strcmp(aggregate_failure_pattern(a, text_a, sizeof text_a),
                  aggregate_failure_pattern(b, text_b, sizeof text_b));
}

size_t aggregate_failures(const struct aggregate *a,
                          enum aggregate_share share,
                          const struct aggregate_failure **out,
                          size_t max)
{
    uint32_t *order = xcalloc(a->failure_count + 1, sizeof *order);
    struct ranking ranking = {a->failures, share};
    size_t count = 0, n = 0;

    for (size_t i = 0; i < a->failure_count; i++) {
        if (a->failures[i].seen[share].count > 0) {
            order[count++] = (uint32_t)i;
        }
    }
    qsort_r(order, count, sizeof order[0], by_frequency, &ranking);
    for (; n < count && n < max; n++) {
        out[n] = &a->failures[order[n]];
    }
    if (a->other.seen[share].count > 0 && n < max) {
        out[n++] = &a->other;
    }
    xfree(order);
    return n;
}

void aggregate_integrity(const struct aggregate *a, struct aggregate_integrity *out)
{
    struct aggregate_filter everything = aggregate_everything();
    struct metric_view total = {.span_s = 0};
    uint64_t sum[COUNT_ALL] = {0};

    *out = (struct aggregate_integrity){.unknown_source = a->unknown_source};
    for (uint32_t i = 0; i < a->source_count; i++) {
        const struct source *s = &a->sources[i];
        out->windows += s->pub.windows;
        out->duplicates += s->pub.duplicates;
        out->refused += s->pub.refused;
        out->missing += aggregate_missing(a, s);
        counts_add(sum, s->pub.count);
    }
    everything.dists = 0;
    aggregate_view_total(a, &everything, &total);
    out->sums_agree = memcmp(sum, total.count, sizeof sum) == 0;
    const uint64_t *open = total.open_count;
    out->due_missing = (int64_t)open[COUNT_DUE] -
                       (int64_t)(open[COUNT_STARTED] + open[COUNT_DROPPED_DEADLINE] +
                                 open[COUNT_DROPPED_NO_SLOT] + open[COUNT_DROPPED_STOPPED]);
    metric_view_clear(&total);
}
