/* SPDX-License-Identifier: MIT */
#include "control/aggregate.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums of one key, or of the run part of one stage, over all seconds. */
struct total {
    uint64_t count[COUNT_ALL];
    struct hist_total *dist[DIST_ALL]; /* made at the first sample */
};

/* The same of one second. */
struct compact {
    uint32_t key;
    uint64_t count[COUNT_ALL];
    struct hist_sparse *dist[DIST_ALL]; /* made at the first sample */
};

/* One second of the history. Which one a slot holds follows from second modulo slot count. */
struct slot {
    bool used;
    uint64_t second;
    uint64_t length_ns; /* the longest of its windows: all are cut at the same edges */
    uint32_t reported, stage_index;
    bool busy;
    struct window_gauges gauges;
    struct compact run;
    struct compact *keys; /* those with data, ascending */
    size_t key_count, key_cap;
};

struct source {
    struct aggregate_source pub;
    uint64_t *seen; /* bit per second that was applied */
    size_t seen_words;
    uint64_t next;   /* seconds 0..next-1 have come without a gap */
    uint64_t newest; /* one more than the newest second */
    uint64_t busy_row;
};

struct stage {
    struct total run;
    uint64_t span_ns;
    bool busy;
};

struct aggregate {
    bool open_model;
    struct aggregate_key *keys;
    uint32_t key_count, stage_count, source_count;
    struct total *totals; /* per key */
    struct stage *stages;
    struct source *sources;
    struct slot *slots;
    uint32_t slot_count;
    uint64_t newest; /* one more than the newest second */
    uint64_t unknown_source;

    struct aggregate_failure *failures;
    size_t failure_count, failure_cap;
    struct aggregate_failure other; /* its count is 0 until it is needed */
};

struct aggregate *aggregate_new(const struct aggregate_key *keys,
                                uint32_t key_count,
                                uint32_t stage_count,
                                uint32_t source_count,
                                uint32_t history_seconds)
{
    struct aggregate *a = xcalloc(1, sizeof *a);

    assert(stage_count > 0);
    a->keys = xcalloc(key_count + 1, sizeof *a->keys);
    for (uint32_t i = 0; i < key_count; i++) {
        assert(keys[i].stage_index < stage_count);
        a->keys[i] = keys[i];
    }
    a->key_count = key_count;
    a->stage_count = stage_count;
    a->source_count = source_count;
    a->totals = xcalloc(key_count + 1, sizeof *a->totals);
    a->stages = xcalloc(stage_count, sizeof *a->stages);
    a->sources = xcalloc(source_count + 1, sizeof *a->sources);
    a->slot_count = history_seconds + AGGREGATE_HISTORY_SLACK;
    a->slots = xcalloc(a->slot_count, sizeof *a->slots);
    a->other.is_other = true;
    a->other.failure.key = UINT32_MAX;
    return a;
}

static void compact_clear(struct compact *c)
{
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (c->dist[i] != NULL) {
            hist_sparse_clear(c->dist[i]);
            xfree(c->dist[i]);
        }
    }
    *c = (struct compact){.key = 0};
}

static void slot_clear(struct slot *s)
{
    for (size_t i = 0; i < s->key_count; i++) {
        compact_clear(&s->keys[i]);
    }
    xfree(s->keys);
    compact_clear(&s->run);
    *s = (struct slot){.used = false};
}

static void total_clear(struct total *t)
{
    for (unsigned i = 0; i < DIST_ALL; i++) {
        xfree(t->dist[i]);
    }
}

void aggregate_free(struct aggregate *a)
{
    if (a == NULL) {
        return;
    }
    for (uint32_t i = 0; i < a->key_count; i++) {
        total_clear(&a->totals[i]);
    }
    for (uint32_t i = 0; i < a->stage_count; i++) {
        total_clear(&a->stages[i].run);
    }
    for (uint32_t i = 0; i < a->source_count; i++) {
        xfree(a->sources[i].seen);
    }
    for (uint32_t i = 0; i < a->slot_count; i++) {
        slot_clear(&a->slots[i]);
    }
    for (size_t i = 0; i < a->failure_count; i++) {
        xfree(a->failures[i].keys);
    }
    xfree(a->failures);
    xfree(a->keys);
    xfree(a->totals);
    xfree(a->stages);
    xfree(a->sources);
    xfree(a->slots);
    xfree(a);
}

void aggregate_set_open_model(struct aggregate *a, bool open_model)
{
    a->open_model = open_model;
}

static bool part_is_empty(const struct window_part *part)
{
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        if (part->count[i] != 0) {
            return false;
        }
    }
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (part->dist[i] != NULL && part->dist[i]->head.count > 0) {
            return false;
        }
    }
    return true;
}

static void counts_add(uint64_t *to, const uint64_t *from)
{
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        to[i] += from[i];
    }
}

static void total_add(struct total *to, const struct window_part *part)
{
    counts_add(to->count, part->count);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (part->dist[i] == NULL || part->dist[i]->head.count == 0) {
            continue;
        }
        if (to->dist[i] == NULL) {
            to->dist[i] = hist_total_new();
        }
        hist_total_add(to->dist[i], part->dist[i]);
    }
}

static void compact_add(struct compact *to, const struct window_part *part)
{
    counts_add(to->count, part->count);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (part->dist[i] == NULL || part->dist[i]->head.count == 0) {
            continue;
        }
        if (to->dist[i] == NULL) {
            to->dist[i] = xcalloc(1, sizeof *to->dist[i]);
        }
        hist_sparse_add(to->dist[i], part->dist[i]);
    }
}

/* The key's sums within the second, made at their place in the order if they are new. */
static struct compact *slot_key(struct slot *s, uint32_t key)
{
    size_t lo = 0, hi = s->key_count;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->keys[mid].key < key) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo < s->key_count && s->keys[lo].key == key) {
        return &s->keys[lo];
    }
    if (s->key_count == s->key_cap) {
        s->key_cap = s->key_cap == 0 ? 4 : s->key_cap * 2;
        s->keys = xrealloc(s->keys, s->key_cap * sizeof *s->keys);
    }
    memmove(s->keys + lo + 1, s->keys + lo, (s->key_count - lo) * sizeof *s->keys);
    s->key_count++;
    s->keys[lo] = (struct compact){.key = key};
    return &s->keys[lo];
}

/* False when the second has left the history. A second that was never reported is kept: empty. */
static bool is_kept(const struct aggregate *a, uint64_t second)
{
    return second + a->slot_count >= a->newest;
}

/* NULL when nobody has reported the second, or it is no longer kept. */
static const struct slot *find_slot(const struct aggregate *a, uint64_t second)
{
    const struct slot *s = &a->slots[second % a->slot_count];

    return s->used && s->second == second && is_kept(a, second) ? s : NULL;
}

/* The slot to fill; NULL when the second has left the history. */
static struct slot *take_slot(struct aggregate *a, uint64_t second, uint32_t stage_index)
{
    struct slot *s = &a->slots[second % a->slot_count];

    if (!is_kept(a, second)) {
        return NULL;
    }
    if (!s->used || s->second != second) {
        slot_clear(s);
        s->used = true;
        s->second = second;
        s->stage_index = stage_index;
    }
    return s;
}

static void gauges_add(struct window_gauges *to, const struct window_gauges *from)
{
    to->active_vus += from->active_vus;
    to->active_sessions += from->active_sessions;
    to->active_streams += from->active_streams;
    to->open_connections += from->open_connections;
    to->in_flight += from->in_flight;
    if (from->oldest_event_age_ns > to->oldest_event_age_ns) {
        to->oldest_event_age_ns = from->oldest_event_age_ns;
    }
}

static void slot_add(struct aggregate *a, struct slot *s, const struct window *w)
{
    struct stage *stage = &a->stages[s->stage_index];
    uint64_t length_ns = w->end_ns > w->start_ns ? w->end_ns - w->start_ns : 0;

    s->reported++;
    gauges_add(&s->gauges, &w->gauges);
    s->busy = s->busy || w->gauges.active_vus > 0 || w->gauges.active_streams > 0;
    compact_add(&s->run, &w->run);
    for (uint32_t i = 0; i < w->key_count; i++) {
        if (!part_is_empty(&w->keys[i])) {
            compact_add(slot_key(s, i), &w->keys[i]);
            s->busy = true;
        }
    }
    /* The second counts once in the stage's time, however many sources report it. */
    if (length_ns > s->length_ns) {
        stage->span_ns += length_ns - s->length_ns;
        s->length_ns = length_ns;
    }
    stage->busy = stage->busy || s->busy;
}

/* Marks the second as seen; false when it was already. */
static bool source_see(struct source *s, uint64_t second)
{
    size_t word = (size_t)(second / 64);
    uint64_t bit = UINT64_C(1) << (second % 64);

    if (word >= s->seen_words) {
        size_t words = word + 64;
        s->seen = xrealloc(s->seen, words * sizeof *s->seen);
        memset(s->seen + s->seen_words, 0, (words - s->seen_words) * sizeof *s->seen);
        s->seen_words = words;
    }
    if ((s->seen[word] & bit) != 0) {
        return false;
    }
    s->seen[word] |= bit;
    s->newest = second + 1 > s->newest ? second + 1 : s->newest;
    while (s->next / 64 < s->seen_words && (s->seen[s->next / 64] >> (s->next % 64) & 1) != 0) {
        s->next++;
    }
    return true;
}

static void source_add(struct source *s, const struct window *w)
{
    double busy = w->wall_ns > 0 ? (double)w->busy_ns / (double)w->wall_ns : 0;

    s->pub.windows++;
    s->pub.busy_ns += w->busy_ns;
    s->pub.wall_ns += w->wall_ns;
    s->pub.wakeups += w->wakeups;
    s->pub.busy_max = busy > s->pub.busy_max ? busy : s->pub.busy_max;
    s->pub.busy_seconds_over_80 += busy > 0.80;
    s->pub.busy_seconds_over_95 += busy > 0.95;
    s->busy_row = busy > 0.95 ? s->busy_row + 1 : 0;
    if (s->busy_row > s->pub.busy_over_95_row) {
        s->pub.busy_over_95_row = s->busy_row;
    }
    counts_add(s->pub.count, w->run.count);
    for (uint32_t i = 0; i < w->key_count; i++) {
        counts_add(s->pub.count, w->keys[i].count);
    }
}

static void seen_in(struct aggregate_failure *row, uint64_t second, uint64_t count)
{
    if (row->failure.count == 0 || second < row->first_second) {
        row->first_second = second;
    }
    if (second > row->last_second) {
        row->last_second = second;
    }
    row->failure.count += count;
}

/* The row of this kind of failure; NULL when the table is full. */
static struct aggregate_failure *failure_row(struct aggregate *a, const struct failure *f)
{
    for (size_t i = 0; i < a->failure_count; i++) {
        if (failure_equal(&a->failures[i].failure, f)) {
            return &a->failures[i];
        }
    }
    if (a->failure_count == AGGREGATE_SIGNATURES_MAX) {
        return NULL;
    }
    if (a->failure_count == a->failure_cap) {
        a->failure_cap = a->failure_cap == 0 ? 16 : a->failure_cap * 2;
        a->failures = xrealloc(a->failures, a->failure_cap * sizeof *a->failures);
    }
    assert(a->failures != NULL);
    struct aggregate_failure *row = &a->failures[a->failure_count++];
    *row = (struct aggregate_failure){.failure = *f};
    row->failure.count = 0;
    row->keys = xcalloc(a->key_count / 64 + 1, sizeof *row->keys);
    return row;
}

static void failures_add(struct aggregate *a, const struct window *w)
{
    for (uint32_t i = 0; i < w->failure_count; i++) {
        const struct failure *f = &w->failures[i];
        struct aggregate_failure *row = failure_row(a, f);

        seen_in(row != NULL ? row : &a->other, w->second, f->count);
        if (row != NULL && f->key < a->key_count) {
            row->keys[f->key / 64] |= UINT64_C(1) << (f->key % 64);
        }
    }
    if (w->other_failures > 0) {
        seen_in(&a->other, w->second, w->other_failures);
    }
}

bool aggregate_add(struct aggregate *a, uint32_t source, const struct window *w)
{
    if (source >= a->source_count) {
        a->unknown_source++;
        return false;
    }
    struct source *s = &a->sources[source];
    if (w->key_count != a->key_count || w->stage_index >= a->stage_count ||
        w->second >= AGGREGATE_SECONDS_MAX || w->failure_count > WINDOW_FAILURES_MAX) {
        s->pub.refused++;
        return false;
    }
    if (!source_see(s, w->second)) {
        s->pub.duplicates++;
        return false;
    }
    a->newest = w->second + 1 > a->newest ? w->second + 1 : a->newest;
    source_add(s, w);
    for (uint32_t i = 0; i < w->key_count; i++) {
        total_add(&a->totals[i], &w->keys[i]);
    }
    total_add(&a->stages[w->stage_index].run, &w->run);
    failures_add(a, w);
    struct slot *slot = take_slot(a, w->second, w->stage_index);
    if (slot != NULL) {
        slot_add(a, slot, w);
    }
    return true;
}

void aggregate_finish_source(struct aggregate *a, uint32_t source)
{
    assert(source < a->source_count);
    a->sources[source].pub.finished = true;
}

uint64_t aggregate_complete(const struct aggregate *a)
{
    uint64_t complete = a->newest;

    for (uint32_t i = 0; i < a->source_count; i++) {
        if (!a->sources[i].pub.finished && a->sources[i].next < complete) {
            complete = a->sources[i].next;
        }
    }
    return complete;
}

uint64_t aggregate_newest(const struct aggregate *a)
{
    return a->newest;
}

uint32_t aggregate_reported(const struct aggregate *a, uint64_t second)
{
    const struct slot *s = find_slot(a, second);

    return s != NULL ? s->reported : 0;
}

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

static bool stage_matches(const struct aggregate_filter *filter, uint32_t stage_index)
{
    return filter->stage_index < 0 || (uint32_t)filter->stage_index == stage_index;
}

static bool
key_matches(const struct aggregate *a, const struct aggregate_filter *filter, uint32_t key)
{
    return stage_matches(filter, a->keys[key].stage_index) &&
           (filter->key < 0 || (uint32_t)filter->key == key);
}

static void view_add_slot(const struct aggregate *a,
                          const struct aggregate_filter *filter,
                          const struct slot *s,
                          struct metric_view *view)
{
    for (size_t i = 0; i < s->key_count; i++) {
        if (key_matches(a, filter, s->keys[i].key)) {
            view_add_compact(view, &s->keys[i], filter->dists);
        }
    }
    if (stage_matches(filter, s->stage_index)) {
        view_add_compact(view, &s->run, filter->dists);
    }
    view->busy = view->busy || s->busy;
    view->span_s += (double)s->length_ns / (double)NS_PER_S;
    view->gauges = s->gauges;
    view->has_gauges = true;
}

bool aggregate_view_seconds(const struct aggregate *a,
                            const struct aggregate_filter *filter,
                            uint64_t first,
                            uint64_t count,
                            struct metric_view *view)
{
    metric_view_reset(view);
    view->open_model = a->open_model;
    if (!is_kept(a, first)) {
        return false;
    }
    for (uint64_t second = first; second < first + count && second < a->newest; second++) {
        const struct slot *s = find_slot(a, second);
        if (s != NULL) {
            view_add_slot(a, filter, s, view);
        }
    }
    return true;
}

void aggregate_view_total(const struct aggregate *a,
                          const struct aggregate_filter *filter,
                          struct metric_view *view)
{
    uint64_t complete = aggregate_complete(a);
    uint64_t span_ns = 0;

    metric_view_reset(view);
    view->open_model = a->open_model;
    for (uint32_t i = 0; i < a->key_count; i++) {
        if (key_matches(a, filter, i)) {
            view_add_total(view, &a->totals[i], filter->dists);
        }
    }
    for (uint32_t i = 0; i < a->stage_count; i++) {
        if (stage_matches(filter, i)) {
            view_add_total(view, &a->stages[i].run, filter->dists);
            span_ns += a->stages[i].span_ns;
            view->busy = view->busy || a->stages[i].busy;
        }
    }
    view->span_s = (double)span_ns / (double)NS_PER_S;
    /* A sum over half of the sources would look like a drop. */
    uint64_t latest = complete > 0 ? complete : a->newest;
    const struct slot *s = latest > 0 ? find_slot(a, latest - 1) : NULL;
    if (s != NULL) {
        view->gauges = s->gauges;
        view->has_gauges = true;
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

/* For qsort_r over indices into the failure table `table`. */
static int by_frequency(const void *pa, const void *pb, void *table)
{
    const struct aggregate_failure *rows = table;
    const struct aggregate_failure *a = &rows[*(const uint32_t *)pa];
    const struct aggregate_failure *b = &rows[*(const uint32_t *)pb];
    char text_a[SIGNATURE_MAX + 128], text_b[SIGNATURE_MAX + 128];

    if (a->failure.count != b->failure.count) {
        return a->failure.count > b->failure.count ? -1 : 1;
    }
    return strcmp(aggregate_failure_pattern(a, text_a, sizeof text_a),
                  aggregate_failure_pattern(b, text_b, sizeof text_b));
}

size_t
aggregate_failures(const struct aggregate *a, const struct aggregate_failure **out, size_t max)
{
    uint32_t *order = xcalloc(a->failure_count + 1, sizeof *order);
    size_t n = 0;

    for (size_t i = 0; i < a->failure_count; i++) {
        order[i] = (uint32_t)i;
    }
    qsort_r(order, a->failure_count, sizeof order[0], by_frequency, a->failures);
    for (; n < a->failure_count && n < max; n++) {
        out[n] = &a->failures[order[n]];
    }
    if (a->other.failure.count > 0 && n < max) {
        out[n++] = &a->other;
    }
    xfree(order);
    return n;
}

void aggregate_source(const struct aggregate *a, uint32_t source, struct aggregate_source *out)
{
    assert(source < a->source_count);
    const struct source *s = &a->sources[source];

    *out = s->pub;
    out->missing = s->newest - s->pub.windows;
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
        out->missing += s->newest - s->pub.windows;
        counts_add(sum, s->pub.count);
    }
    everything.dists = 0;
    aggregate_view_total(a, &everything, &total);
    out->sums_agree = memcmp(sum, total.count, sizeof sum) == 0;
    metric_view_clear(&total);
}
