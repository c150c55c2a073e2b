/* SPDX-License-Identifier: MIT */
#include "control/aggregate.h"

#include "base/clock.h"
#include "base/mem.h"
#include "control/aggregate_priv.h"

#include <assert.h>
#include <string.h>

struct aggregate *aggregate_new(const struct aggregate_key *keys,
                                uint32_t key_count,
                                uint32_t stage_count,
                                uint32_t source_count,
                                uint32_t custom_count,
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
    a->custom_count = custom_count;
    a->totals = xcalloc(key_count + 1, sizeof *a->totals);
    a->group = xcalloc(key_count + 1, sizeof *a->group);
    for (uint32_t i = 0; i < key_count; i++) {
        a->group[i] = i;
    }
    a->scratch_trend = hist_total_new();
    a->stages = xcalloc(stage_count, sizeof *a->stages);
    for (uint32_t i = 0; i < stage_count; i++) {
        a->stages[i].end_second = a->stages[i].end_ns = UINT64_MAX;
    }
    for (uint32_t i = 0; i < stage_count; i++) {
        a->stages[i].customs = xcalloc(custom_count + 1, sizeof *a->stages[i].customs);
    }
    a->sources = xcalloc(source_count + 1, sizeof *a->sources);
    for (uint32_t i = 0; source_count > 1 && i < source_count; i++) {
        a->sources[i].load = xcalloc(1, sizeof *a->sources[i].load);
    }
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

static void slot_part_clear(struct slot_part *part, uint32_t custom_count)
{
    for (uint32_t i = 0; part->customs != NULL && i < custom_count; i++) {
        hist_sparse_clear(&part->customs[i].hist);
    }
    xfree(part->customs);
    compact_clear(&part->run);
}

static void slot_clear(struct slot *s, uint32_t custom_count)
{
    for (size_t i = 0; i < s->part_count; i++) {
        slot_part_clear(&s->parts[i], custom_count);
    }
    xfree(s->parts);
    for (size_t i = 0; i < s->key_count; i++) {
        compact_clear(&s->keys[i]);
    }
    xfree(s->keys);
    *s = (struct slot){.used = false};
}

void aggregate_total_clear(struct total *t)
{
    for (unsigned i = 0; i < DIST_ALL; i++) {
        hist_total_free(t->dist[i]);
    }
}

static void stage_clear(struct stage *s, uint32_t custom_count)
{
    aggregate_total_clear(&s->run);
    for (uint32_t i = 0; i < custom_count; i++) {
        hist_total_free(s->customs[i].hist);
    }
    xfree(s->customs);
}

void aggregate_free(struct aggregate *a)
{
    if (a == NULL) {
        return;
    }
    for (uint32_t i = 0; i < a->key_count; i++) {
        aggregate_total_clear(&a->totals[i]);
    }
    for (uint32_t i = 0; i < a->stage_count; i++) {
        stage_clear(&a->stages[i], a->custom_count);
    }
    for (uint32_t i = 0; i < a->source_count; i++) {
        aggregate_source_clear(&a->sources[i]);
    }
    for (uint32_t i = 0; i < a->slot_count; i++) {
        slot_clear(&a->slots[i], a->custom_count);
    }
    for (size_t i = 0; i < a->failure_count; i++) {
        xfree(a->failures[i].keys);
    }
    aggregate_total_clear(&a->scratch);
    hist_total_free(a->scratch_trend);
    xfree(a->failures);
    xfree(a->group);
    xfree(a->keys);
    xfree(a->totals);
    xfree(a->stages);
    xfree(a->sources);
    xfree(a->slots);
    xfree(a);
}

void aggregate_set_open_model(struct aggregate *a, uint32_t stage_index, bool open_model)
{
    assert(stage_index < a->stage_count);
    a->stages[stage_index].open_model = open_model;
}

void aggregate_set_apart(struct aggregate *a, uint32_t stage_index)
{
    assert(stage_index < a->stage_count && a->newest == 0);
    a->stages[stage_index].apart = true;
}

bool aggregate_is_load(const struct aggregate *a, uint32_t stage_index)
{
    assert(stage_index < a->stage_count);
    return !a->stages[stage_index].apart;
}

static bool has_bit(const uint64_t *bits, uint32_t i)
{
    return (bits[i / 64] >> (i % 64) & 1) != 0;
}

/* Does every scope take both or neither? */
static bool are_alike(const struct aggregate *a,
                      const uint64_t *const *scopes,
                      size_t scope_count,
                      uint32_t one,
                      uint32_t other)
{
    bool alike = a->keys[one].stage_index == a->keys[other].stage_index;

    for (size_t i = 0; alike && i < scope_count; i++) {
        alike = has_bit(scopes[i], one) == has_bit(scopes[i], other);
    }
    return alike;
}

void aggregate_group_history(struct aggregate *a, const uint64_t *const *scopes, size_t scope_count)
{
    assert(a->newest == 0);
    for (uint32_t i = 1; i < a->key_count; i++) {
        uint32_t first = 0;

        if (are_alike(a, scopes, scope_count, i - 1, i)) {
            a->group[i] = a->group[i - 1];
            continue;
        }
        while (first < i &&
               (a->group[first] != first || !are_alike(a, scopes, scope_count, first, i))) {
            first++;
        }
        a->group[i] = first;
    }
}

bool aggregate_part_is_empty(const struct window_part *part)
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

/* Moves the sum into the history; it is empty again. */
static void compact_take(struct compact *to, struct total *sum)
{
    counts_add(to->count, sum->count);
    memset(sum->count, 0, sizeof sum->count);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (sum->dist[i] == NULL || sum->dist[i]->head.count == 0) {
            continue;
        }
        if (to->dist[i] == NULL) {
            to->dist[i] = xcalloc(1, sizeof *to->dist[i]);
        }
        hist_sparse_add(to->dist[i], sum->dist[i]);
        hist_total_reset(sum->dist[i]);
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

/* The slot to fill; NULL when the second has left the history. */
static struct slot *take_slot(struct aggregate *a, uint64_t second, uint32_t stage_index)
{
    struct slot *s = &a->slots[second % a->slot_count];

    if (!aggregate_is_kept(a, second)) {
        return NULL;
    }
    if (!s->used || s->second != second) {
        slot_clear(s, a->custom_count);
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

/* ---- metrics of the scenario ----------------------------------------------------------------- */

void aggregate_numbers_add(struct metric_custom *to, const struct metric_custom *from)
{
    to->rejected += from->rejected;
    if (from->count == 0) {
        return;
    }
    to->min = to->count == 0 || from->min < to->min ? from->min : to->min;
    to->max = to->count == 0 || from->max > to->max ? from->max : to->max;
    /* Of two at the same moment the larger one, whichever source reports first. */
    if (to->count == 0 || from->last_ns > to->last_ns ||
        (from->last_ns == to->last_ns && from->last > to->last)) {
        to->last = from->last;
        to->last_ns = from->last_ns;
    }
    to->sum += from->sum;
    to->count += from->count;
}

/* Without its histogram. */
static struct metric_custom numbers_of(const struct window_custom *c)
{
    return (struct metric_custom){.count = c->count,
                                  .rejected = c->rejected,
                                  .sum = c->sum,
                                  .min = c->min,
                                  .max = c->max,
                                  .last = c->last,
                                  .last_ns = c->last_ns};
}

static void
customs_add(struct metric_custom *to, const struct window_custom *customs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct window_custom *from = &customs[i];
        struct metric_custom numbers = numbers_of(from);

        aggregate_numbers_add(&to[i], &numbers);
        if (from->hist == NULL || from->hist->head.count == 0) {
            continue;
        }
        if (to[i].hist == NULL) {
            to[i].hist = hist_total_new();
        }
        hist_total_add(to[i].hist, from->hist);
    }
}

static void slot_add_customs(struct aggregate *a,
                             struct slot_part *s,
                             const struct window_custom *customs,
                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct window_custom *from = &customs[i];
        struct metric_custom numbers = numbers_of(from);

        if (from->count + from->rejected == 0) {
            continue;
        }
        if (s->customs == NULL) {
            s->customs = xcalloc(count, sizeof *s->customs);
        }
        aggregate_numbers_add(&s->customs[i].numbers, &numbers);
        if (from->hist != NULL) {
            hist_total_add(a->scratch_trend, from->hist);
            hist_sparse_add(&s->customs[i].hist, a->scratch_trend);
            hist_total_reset(a->scratch_trend);
        }
    }
}

/* ---- the slowest operations ------------------------------------------------------------------ */

static uint64_t felt_ns(const struct outcome *o)
{
    return o->t_end > o->t_due ? o->t_end - o->t_due : 0;
}

/* The order of the list; what is equally slow is ordered by what it is, whoever reported it. */
static bool is_slower(const struct outcome *a, const struct outcome *b)
{
    if (felt_ns(a) != felt_ns(b)) {
        return felt_ns(a) > felt_ns(b);
    }
    if (a->vu != b->vu) {
        return a->vu < b->vu;
    }
    return a->n != b->n ? a->n < b->n : a->key < b->key;
}

/* Which row a new one of the second would take: of a second that has all it may have its fastest,
 * of a full list the last one; `count` while there is room. */
static uint32_t slowest_place(const struct slowest *list, uint64_t second)
{
    uint32_t of_second = 0, last = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        if (list->rows[i].second == second) {
            of_second++;
            last = i;
        }
    }
    if (of_second == WINDOW_SLOWEST_MAX) {
        return last;
    }
    return list->count == AGGREGATE_SLOWEST_MAX ? list->count - 1 : list->count;
}

/* The same rows come out however a second's operations are dealt to sources, and in whatever order
 * these report. */
static void slowest_add(struct slowest *to, const struct aggregate_slow *row)
{
    uint32_t at = slowest_place(to, row->second);

    if (at == to->count) {
        to->count++;
    } else if (!is_slower(&row->op.outcome, &to->rows[at].op.outcome)) {
        return;
    }
    for (; at > 0 && is_slower(&row->op.outcome, &to->rows[at - 1].op.outcome); at--) {
        to->rows[at] = to->rows[at - 1];
    }
    to->rows[at] = *row;
}

static void add_slowest(struct aggregate *a, uint32_t source, const struct window *w)
{
    for (uint32_t i = 0; i < w->slowest_count; i++) {
        struct aggregate_slow row = {.op = w->slowest[i], .source = source, .second = w->second};

        if (row.op.outcome.key >= a->key_count) {
            continue;
        }
        struct stage *stage = &a->stages[a->keys[row.op.outcome.key].stage_index];
        slowest_add(&stage->slowest, &row);
        if (!stage->apart) {
            slowest_add(&a->slowest, &row);
        }
    }
}

size_t aggregate_slowest(const struct aggregate *a,
                         int32_t stage_index,
                         const struct aggregate_slow **out,
                         size_t max)
{
    assert(stage_index < (int32_t)a->stage_count);
    const struct slowest *from = stage_index < 0 ? &a->slowest : &a->stages[stage_index].slowest;
    size_t n = 0;

    for (; n < from->count && n < max; n++) {
        out[n] = &from->rows[n];
    }
    return n;
}

/* ---- one window ------------------------------------------------------------------------------ */

/* What the drain does after the last stage is no state of it. */
static void note_gauges(struct stage *stage, const struct slot *s)
{
    if (s->second >= stage->end_second || (stage->has_gauges && s->second < stage->gauges_second)) {
        return;
    }
    stage->has_gauges = true;
    stage->gauges_second = s->second;
    stage->gauges = s->gauges;
}

static void note_silence(struct stage *stage, uint64_t ns)
{
    stage->longest_silence_ns = ns > stage->longest_silence_ns ? ns : stage->longest_silence_ns;
}

/* What went on at the end of the window is the stage's that was the current one by then. */
static void add_silences(struct aggregate *a, const struct window *w)
{
    struct stage *stage = &a->stages[w->stage_index];

    note_silence(stage, w->later.used ? w->silence_ns : w->gauges.oldest_event_age_ns);
    if (w->later.used) {
        note_silence(&a->stages[w->later.stage_index], w->later.silence_ns);
    }
}

void aggregate_begin_stage(struct aggregate *a, uint32_t stage_index, uint64_t begin_ns)
{
    assert(stage_index < a->stage_count);
    a->stages[stage_index].begun = true;
    a->stages[stage_index].begin_ns = begin_ns;
}

void aggregate_end_stage(struct aggregate *a,
                         uint32_t stage_index,
                         uint64_t end_second,
                         uint64_t end_ns)
{
    assert(stage_index < a->stage_count);
    a->stages[stage_index].end_second = end_second;
    a->stages[stage_index].end_ns = end_ns;
}

/* The row of the stage, made if it is new. A second has one or two of them. */
static struct slot_part *slot_part(struct slot *s, uint32_t stage_index)
{
    for (size_t i = 0; i < s->part_count; i++) {
        if (s->parts[i].stage_index == stage_index) {
            return &s->parts[i];
        }
    }
    s->parts = xrealloc(s->parts, (s->part_count + 1) * sizeof *s->parts);
    s->parts[s->part_count] = (struct slot_part){.stage_index = stage_index};
    return &s->parts[s->part_count++];
}

static void slot_add_part(struct aggregate *a,
                          struct slot *s,
                          uint32_t stage_index,
                          const struct window_part *run,
                          const struct window_custom *customs)
{
    struct slot_part *part = slot_part(s, stage_index);

    total_add(&a->scratch, run);
    compact_take(&part->run, &a->scratch);
    slot_add_customs(a, part, customs, a->custom_count);
}

/* Keys of a group stand side by side as a rule: their sum is made first, because a row of the
 * history is merged as a whole. */
static void slot_add_keys(struct aggregate *a, struct slot *s, const struct window *w)
{
    uint32_t group = a->key_count;

    for (uint32_t i = 0; i < w->key_count; i++) {
        if (aggregate_part_is_empty(&w->keys[i])) {
            continue;
        }
        if (group != a->key_count && a->group[i] != group) {
            compact_take(slot_key(s, group), &a->scratch);
        }
        group = a->group[i];
        total_add(&a->scratch, &w->keys[i]);
        s->busy = true;
    }
    if (group != a->key_count) {
        compact_take(slot_key(s, group), &a->scratch);
    }
}

static void slot_add(struct aggregate *a, struct slot *s, const struct window *w)
{
    struct stage *stage = &a->stages[s->stage_index];
    uint64_t length_ns = w->end_ns > w->start_ns ? w->end_ns - w->start_ns : 0;

    s->reported++;
    gauges_add(&s->gauges, &w->gauges);
    s->busy = s->busy || w->gauges.active_vus > 0 || w->gauges.active_streams > 0;
    slot_add_part(a, s, w->stage_index, &w->run, w->customs);
    if (w->later.used) {
        slot_add_part(a, s, w->later.stage_index, &w->later.run, w->later.customs);
    }
    slot_add_keys(a, s, w);
    /* The second counts once in the stage's time, however many sources report it. */
    if (length_ns > s->length_ns) {
        stage->span_ns += length_ns - s->length_ns;
        s->length_ns = length_ns;
    }
    stage->busy = stage->busy || s->busy;
    /* They are of the window's end. */
    note_gauges(w->later.used ? &a->stages[w->later.stage_index] : stage, s);
}

static void seen_add(struct aggregate_seen *seen, uint64_t second, uint64_t count)
{
    if (seen->count == 0 || second < seen->first_second) {
        seen->first_second = second;
    }
    if (second > seen->last_second) {
        seen->last_second = second;
    }
    seen->count += count;
}

static void
seen_in(struct aggregate_failure *row, enum aggregate_share share, uint64_t second, uint64_t count)
{
    if (share != AGGREGATE_BESIDE) {
        seen_add(&row->seen[AGGREGATE_ALL], second, count);
    }
    seen_add(&row->seen[share], second, count);
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
    row->failure.count = row->failure.unmasked = 0;
    row->keys = xcalloc(a->key_count / 64 + 1, sizeof *row->keys);
    return row;
}

static enum aggregate_share share_of(const struct aggregate *a, uint32_t key)
{
    if (key == WINDOW_KEY_BESIDE) {
        return AGGREGATE_BESIDE;
    }
    assert(key < a->key_count);
    return a->stages[a->keys[key].stage_index].apart ? AGGREGATE_APART : AGGREGATE_LOAD;
}

static void other_add(struct aggregate *a, uint64_t second, uint32_t key, uint64_t count)
{
    if (count > 0) {
        seen_in(&a->other, share_of(a, key), second, count);
    }
}

/* Those beyond the window's table: each of them counts where its operation does. */
static void others_add(struct aggregate *a, const struct window *w)
{
    for (uint32_t i = 0; w->other_failures > 0 && i < w->key_count; i++) {
        other_add(a, w->second, i, w->keys[i].other_failures);
    }
    other_add(a, w->second, WINDOW_KEY_BESIDE, w->run.other_failures);
}

static void failures_add(struct aggregate *a, const struct window *w)
{
    for (uint32_t i = 0; i < w->failure_count; i++) {
        const struct failure *f = &w->failures[i];
        struct aggregate_failure *row = failure_row(a, f);

        seen_in(row != NULL ? row : &a->other, share_of(a, f->key), w->second, f->count);
        if (row == NULL) { /* nothing of them is shown any more, not even a code */
            a->limits[LIMIT_FAILURE_TABLE] += f->count;
            a->limits[LIMIT_FAILURE_TEXTS] -= f->unmasked;
        }
        if (row != NULL && f->key < a->key_count) {
            row->keys[f->key / 64] |= UINT64_C(1) << (f->key % 64);
        }
    }
    others_add(a, w);
}

static void stage_add(struct aggregate *a,
                      uint32_t stage_index,
                      const struct window_part *run,
                      const struct window_custom *customs)
{
    struct stage *stage = &a->stages[stage_index];

    total_add(&stage->run, run);
    customs_add(stage->customs, customs, a->custom_count);
}

/* A preflight orders no rate and no number of connections: it is no load that caps hold back. */
static void limits_add(struct aggregate *a, const struct window *w)
{
    uint32_t stage = w->later.used ? w->later.stage_index : w->stage_index;

    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        if ((i != LIMIT_MAX_RPS && i != LIMIT_MAX_CONNECTIONS) || !a->stages[stage].apart) {
            a->limits[i] += w->limits[i];
        }
    }
}

bool aggregate_add(struct aggregate *a, uint32_t source, const struct window *w)
{
    if (source >= a->source_count) {
        a->unknown_source++;
        return false;
    }
    struct source *s = &a->sources[source];
    if (w->key_count != a->key_count || w->custom_count != a->custom_count ||
        w->stage_index >= a->stage_count ||
        (w->later.used && w->later.stage_index >= a->stage_count) ||
        w->second >= AGGREGATE_SECONDS_MAX || w->failure_count > WINDOW_FAILURES_MAX ||
        w->slowest_count > WINDOW_SLOWEST_MAX) {
        s->pub.refused++;
        return false;
    }
    if (!aggregate_source_see(s, w->second)) {
        s->pub.duplicates++;
        return false;
    }
    a->newest = w->second + 1 > a->newest ? w->second + 1 : a->newest;
    a->latest_ns = w->end_ns > a->latest_ns ? w->end_ns : a->latest_ns;
    aggregate_source_add(a, s, w);
    for (uint32_t i = 0; i < w->key_count; i++) {
        total_add(&a->totals[i], &w->keys[i]);
    }
    stage_add(a, w->stage_index, &w->run, w->customs);
    if (w->later.used) {
        stage_add(a, w->later.stage_index, &w->later.run, w->later.customs);
    }
    add_silences(a, w);
    limits_add(a, w);
    failures_add(a, w);
    add_slowest(a, source, w);
    struct slot *slot = take_slot(a, w->second, w->stage_index);
    if (slot != NULL) {
        slot_add(a, slot, w);
    } else {
        a->limits[LIMIT_LATE_WINDOWS]++;
    }
    return true;
}

uint64_t aggregate_limit(const struct aggregate *a, enum limit id)
{
    assert(id < LIMIT_COUNT);
    return a->limits[id];
}

uint64_t aggregate_newest(const struct aggregate *a)
{
    return a->newest;
}

uint32_t aggregate_reported(const struct aggregate *a, uint64_t second)
{
    const struct slot *s = aggregate_slot(a, second);

    return s != NULL ? s->reported : 0;
}
