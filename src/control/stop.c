/* SPDX-License-Identifier: MIT */
#include "control/stop.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A stage, or the run (the first of them), in seconds. */
struct scope {
    bool begun, ended;
    uint64_t first, end;
};

struct condition {
    struct stop_spec spec;
    uint64_t window_s;
    uint32_t dists; /* what has to be added up for its metric */
    size_t scope;   /* into stop.scopes */
    bool opened;    /* `first` is known: its scope began, and the stream that it waits for came */
    uint64_t first; /* windows do not reach back before this second */

    /* The observation of the window that ends with second t is ring[t % ring_size]; enough of
     * them to show the last windows of a trigger. */
    struct stop_observation *ring;
    uint64_t ring_size;
    /* row[t % window_s]: how many adjacent windows breach, the newest of them ending with t. Each
     * phase of the window is a sequence of adjacent windows of its own. */
    uint32_t *row;
    bool was_shed;                  /* a window that counts */
    struct stop_observation so_far; /* since_begin: sums over the scope */
    struct stop_state state;
};

struct stop {
    struct condition *conditions;
    size_t count;
    struct scope *scopes;
    size_t scope_count;
    uint64_t next_second;
    struct metric_view view;
};

static const char *const comparator_names[] = {
    [STOP_GT] = ">", [STOP_GE] = ">=", [STOP_LT] = "<", [STOP_LE] = "<="};

bool stop_comparator_parse(struct str text, enum stop_comparator *out)
{
    for (unsigned i = 0; i < sizeof comparator_names / sizeof comparator_names[0]; i++) {
        if (str_eq(text, str_c(comparator_names[i]))) {
            *out = (enum stop_comparator)i;
            return true;
        }
    }
    return false;
}

const char *stop_comparator_name(enum stop_comparator c)
{
    assert(c < sizeof comparator_names / sizeof comparator_names[0]);
    return comparator_names[c];
}

bool stop_compare(double value, enum stop_comparator c, double threshold)
{
    switch (c) {
    case STOP_GT:
        return value > threshold;
    case STOP_GE:
        return value >= threshold;
    case STOP_LT:
        return value < threshold;
    case STOP_LE:
        return value <= threshold;
    }
    return false;
}

static bool is_upper_limit(enum stop_comparator c)
{
    return c == STOP_GT || c == STOP_GE;
}

static uint64_t window_seconds(const struct stop_spec *spec)
{
    return spec->window_ms / 1000 + (spec->window_ms % 1000 != 0);
}

uint32_t stop_history_seconds(const struct stop_spec *specs, size_t count)
{
    uint64_t most = 1;

    /* One window: earlier ones of a row were looked at when they ended. */
    for (size_t i = 0; i < count; i++) {
        uint64_t window_s = window_seconds(&specs[i]);
        most = window_s > most ? window_s : most;
    }
    return (uint32_t)most + 1; /* and the fragment before it */
}

static uint32_t windows_shown(const struct stop_spec *spec)
{
    return spec->sustain_windows < STOP_WINDOWS_SHOWN ? spec->sustain_windows : STOP_WINDOWS_SHOWN;
}

static void condition_init(struct condition *c, const struct stop_spec *spec)
{
    assert(spec->metric != NULL && spec->window_ms > 0 && spec->sustain_windows > 0);
    c->spec = *spec;
    c->window_s = window_seconds(spec);
    c->dists = aggregate_dists_of(spec->metric);
    c->scope = spec->stage_index < 0 ? 0 : (size_t)spec->stage_index + 1;
    c->ring_size = (windows_shown(spec) - 1) * c->window_s + 1;
    c->ring = xcalloc(c->ring_size, sizeof *c->ring);
    c->row = xcalloc(c->window_s, sizeof *c->row);
    c->state.spec = &c->spec;
}

struct stop *stop_new(const struct stop_spec *specs, size_t count)
{
    struct stop *s = xcalloc(1, sizeof *s);

    s->count = count;
    s->conditions = xcalloc(count + 1, sizeof *s->conditions);
    s->scope_count = 1;
    for (size_t i = 0; i < count; i++) {
        condition_init(&s->conditions[i], &specs[i]);
        if (s->conditions[i].scope >= s->scope_count) {
            s->scope_count = s->conditions[i].scope + 1;
        }
    }
    s->scopes = xcalloc(s->scope_count, sizeof *s->scopes);
    s->scopes[0].begun = true;
    return s;
}

void stop_free(struct stop *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        xfree(s->conditions[i].ring);
        xfree(s->conditions[i].row);
    }
    metric_view_clear(&s->view);
    xfree(s->conditions);
    xfree(s->scopes);
    xfree(s);
}

void stop_stage_begin(struct stop *s, uint32_t stage_index, uint64_t first_second)
{
    size_t scope = (size_t)stage_index + 1;

    /* A stage beyond has no condition. */
    if (scope >= s->scope_count) {
        return;
    }
    s->scopes[scope] = (struct scope){.begun = true, .first = first_second};
    for (size_t i = 0; i < s->count; i++) {
        struct condition *c = &s->conditions[i];
        if (c->scope == scope) {
            c->opened = false;
            memset(c->row, 0, c->window_s * sizeof *c->row);
            c->so_far = (struct stop_observation){.has_value = false};
        }
    }
}

void stop_stage_end(struct stop *s, uint32_t stage_index, uint64_t end_second)
{
    size_t scope = (size_t)stage_index + 1;

    if (scope < s->scope_count) {
        s->scopes[scope].ended = true;
        s->scopes[scope].end = end_second;
    }
}

static bool covers(const struct scope *scope, uint64_t second)
{
    return scope->begun && second >= scope->first && !(scope->ended && second >= scope->end);
}

/* The sum of seconds first..last of the condition's scope, in s->view; false without one. */
static bool view_scope(struct stop *s,
                       const struct condition *c,
                       const struct aggregate *a,
                       uint64_t first,
                       uint64_t last)
{
    struct aggregate_filter filter = aggregate_everything();

    filter.stage_index = c->spec.stage_index;
    filter.keys = c->spec.keys;
    filter.dists = c->dists;
    return aggregate_view_seconds(a, &filter, first, last - first + 1, &s->view);
}

/* Does the condition look at this second? The first time it does is where its windows begin. */
static bool is_open(struct stop *s, struct condition *c, const struct aggregate *a, uint64_t second)
{
    if (!c->opened && c->spec.after_first_stream) {
        c->opened = view_scope(s, c, a, second, second) &&
                    (s->view.count[COUNT_STREAMS_STARTED] > 0 || s->view.count[COUNT_EVENTS] > 0);
        c->first = second;
    } else if (!c->opened) {
        c->opened = true;
        c->first = s->scopes[c->scope].first;
    }
    return c->opened;
}

/* The largest sample that is known of a distribution; 0 without one. */
static double largest_sample(const struct metric *m, const struct metric_view *v)
{
    const struct hist_total *t = v->dist[metric_dist(m, v->open_model)];

    return t != NULL && t->head.count > 0 ? (double)t->head.max / (double)NS_PER_MS : 0;
}

/* What the metric is over seconds first..last of the condition's scope. */
static struct stop_observation observe(struct stop *s,
                                       const struct condition *c,
                                       const struct aggregate *a,
                                       uint64_t first,
                                       uint64_t last)
{
    const struct metric *m = c->spec.metric;
    struct stop_observation o = {.has_value = false};

    if (!view_scope(s, c, a, first, last)) {
        return o;
    }
    o.has_value = metric_value(m, &s->view, &o.value);
    o.lower_bound = metric_is_lower_bound(m, &s->view);
    o.shed = metric_shed(m, &s->view);
    if (o.shed) {
        o.has_value = o.lower_bound = true;
        o.value = largest_sample(m, &s->view);
    }
    o.partial = aggregate_lacks(a, first, last);
    o.samples = metric_samples(m, &s->view);
    o.failed = s->view.count[COUNT_ENDED_FAILED];
    o.ended = s->view.count[COUNT_ENDED_OK] + o.failed;
    o.dropped = metric_dropped(&s->view);
    return o;
}

/* Can what a partial window lacks only confirm the breach, or is the value a share or a rank, which
 * a part of the sources shows well enough? */
static bool holds_partially(const struct stop_spec *spec)
{
    const struct metric *m = spec->metric;
    bool upper = is_upper_limit(spec->comparator);

    if (m->kind == METRIC_CUSTOM) {
        return m->custom_value == METRIC_CUSTOM_MEAN || m->custom_value == METRIC_CUSTOM_QUANTILE ||
               m->custom_value == METRIC_CUSTOM_LAST ||
               upper == (m->custom_value != METRIC_CUSTOM_MIN);
    }
    return upper || m->kind == METRIC_RATIO || m->kind == METRIC_QUANTILE || m->kind == METRIC_MEAN;
}

/* What is shed waited longer than any limit. */
static bool breaches(const struct stop_spec *spec, const struct stop_observation *o)
{
    if (o->partial && !holds_partially(spec)) {
        return false;
    }
    if (o->shed) {
        return is_upper_limit(spec->comparator);
    }
    return o->has_value && stop_compare(o->value, spec->comparator, spec->threshold);
}

/* Adds one second to the sums of a metric that counts from the beginning of its scope. */
static struct stop_observation add_up(struct condition *c, const struct stop_observation *second)
{
    c->so_far.has_value = c->so_far.has_value || second->has_value;
    c->so_far.value += second->has_value ? second->value : 0;
    c->so_far.samples += second->samples;
    c->so_far.ended += second->ended;
    c->so_far.failed += second->failed;
    c->so_far.dropped += second->dropped;
    c->so_far.partial = c->so_far.partial || second->partial;
    return c->so_far;
}

static bool may_fire_early(const struct stop_spec *spec)
{
    return spec->metric->monotone && is_upper_limit(spec->comparator) && spec->sustain_windows == 1;
}

static void note_state(struct condition *c, const struct stop_observation *o, uint64_t second)
{
    struct stop_state *state = &c->state;

    state->last = *o;
    state->last_second = second;
    state->has_margin = o->has_value && !o->shed;
    state->margin = is_upper_limit(c->spec.comparator) ? c->spec.threshold - o->value
                                                       : o->value - c->spec.threshold;
}

/* A window that counts for the verdict. */
static void note_window(struct condition *c, const struct stop_observation *o, bool breach)
{
    struct stop_state *state = &c->state;
    bool upper = is_upper_limit(c->spec.comparator);
    bool worse = upper ? o->value > state->worst : o->value < state->worst;

    /* What is above all samples is no smallest value. */
    if (o->has_value && (upper || !o->shed) && (worse || !state->has_worst)) {
        state->worst = o->value;
        state->has_worst = true;
        state->worst_lower_bound = o->lower_bound;
    }
    /* No number that comes later is worse than being above all of them. */
    c->was_shed = c->was_shed || o->shed;
    state->worst_lower_bound = state->worst_lower_bound || c->was_shed;
    state->breached = state->breached || breach;
}

/* What the stage had in the second that it shares with the one before belongs to its first window,
 * where that counts from the beginning, or is a ratio of what belongs to no operation: connections
 * are made in that fragment. */
static uint64_t looks_from(const struct condition *c, uint64_t first)
{
    const struct metric *m = c->spec.metric;
    bool sums = (m->kind == METRIC_RATIO && !metric_narrows(m)) || m->since_begin;

    return sums && first == c->first && first > 0 && !c->spec.after_first_stream ? first - 1
                                                                                 : first;
}

/* Looks at the window that ends with `second`; true when the condition holds there. */
static bool
condition_look(struct stop *s, struct condition *c, const struct aggregate *a, uint64_t second)
{
    uint64_t elapsed = second - c->first + 1;
    bool whole = elapsed >= c->window_s;
    uint64_t span = c->spec.metric->since_begin ? 1 : whole ? c->window_s : elapsed;
    struct stop_observation o = observe(s, c, a, looks_from(c, second - span + 1), second);

    if (c->spec.metric->since_begin) {
        o = add_up(c, &o);
    }
    bool breach = breaches(&c->spec, &o);
    uint32_t *row = &c->row[second % c->window_s];
    c->ring[second % c->ring_size] = o;
    note_state(c, &o, second);
    if (whole || may_fire_early(&c->spec)) {
        note_window(c, &o, breach);
    }
    if (!whole) {
        c->state.row = 0;
        return breach && may_fire_early(&c->spec);
    }
    *row = !breach ? 0 : *row < UINT32_MAX ? *row + 1 : *row;
    c->state.row = *row;
    return *row >= c->spec.sustain_windows;
}

/* Only quantiles, extremes, means and ratios rest on a number of samples that is worth saying. */
static void format_samples(const struct stop_spec *spec,
                           const struct stop_observation *o,
                           char *out,
                           size_t size)
{
    const struct metric *m = spec->metric;

    out[0] = '\0';
    if (o->shed) {
        snprintf(out, size, " (n=%llu, %llu due operations were dropped)",
                 (unsigned long long)o->samples, (unsigned long long)o->dropped);
    } else if (m->kind == METRIC_RATIO || metric_dist(m, false) >= 0 ||
               metric_samples_needed(m) > 0) {
        snprintf(out, size, " (n=%llu)", (unsigned long long)o->samples);
    }
}

/* " (11.8 s, 12 s, 12.4 s)": the windows' values, the oldest first. Nothing when all are the same.
 */
static void format_values(const struct stop_trigger *t, char *out, size_t size)
{
    char newest[64], value[64];
    size_t len = 0;
    bool differ = false;

    metric_format(t->spec->metric, t->windows[0].value, newest, sizeof newest);
    for (size_t i = t->window_count; i-- > 0 && len < size;) {
        const struct stop_observation *o = &t->windows[i];
        const char *before = i + 1 < t->window_count                      ? ", "
                             : t->window_count < t->spec->sustain_windows ? " (..., "
                                                                          : " (";
        metric_format(t->spec->metric, o->value, value, sizeof value);
        differ = differ || strcmp(value, newest) != 0;
        len += (size_t)snprintf(out + len, size - len, "%s%s%s%s", before,
                                o->lower_bound ? ">= " : "", value, i == 0 ? ")" : "");
    }
    if (!differ) {
        out[0] = '\0';
    }
}

static void format_span(const struct stop_trigger *t, bool reached, char *out, size_t size)
{
    unsigned long long window_s = t->window_s;
    uint32_t sustain = t->spec->sustain_windows;
    char values[128];

    if (reached) {
        snprintf(out, size, "within %llu s", window_s);
    } else if (sustain == 1) {
        snprintf(out, size, "in a window of %llu s", window_s);
    } else {
        format_values(t, values, sizeof values);
        snprintf(out, size, "for %llu s: %u windows of %llu s%s", window_s * sustain, sustain,
                 window_s, values);
    }
}

static void write_sentence(struct stop_trigger *t)
{
    const struct stop_spec *spec = t->spec;
    const struct metric *m = spec->metric;
    const struct stop_observation *o = &t->windows[0];
    bool reached = t->early || (m->since_begin && spec->sustain_windows == 1);
    bool scoped = spec->scope_text != NULL && spec->scope_text[0] != '\0';
    char value[64], limit[64], samples[80] = "", span[192];

    metric_format(m, o->value, value, sizeof value);
    metric_format(m, spec->threshold, limit, sizeof limit);
    if (!reached) {
        format_samples(spec, o, samples, sizeof samples);
    }
    format_span(t, reached, span, sizeof span);
    snprintf(t->sentence, sizeof t->sentence, "%s%s%.100s%s %s %s%s%s, %s %s, %s%s", m->name,
             scoped ? "{" : "", scoped ? spec->scope_text : "", scoped ? "}" : "",
             reached ? "reached" : "was", o->lower_bound ? "at least " : "", value, samples,
             is_upper_limit(spec->comparator) ? "limit" : "minimum", limit, span,
             t->partial ? " (partial: not all workers had reported)" : "");
}

static void note_signatures(struct stop_trigger *t, const struct aggregate *a)
{
    const struct aggregate_failure *rows[STOP_SIGNATURES_SHOWN];

    t->signature_count = aggregate_failures(a, AGGREGATE_ALL, rows, STOP_SIGNATURES_SHOWN);
    for (size_t i = 0; i < t->signature_count; i++) {
        aggregate_failure_pattern(rows[i], t->signatures[i], sizeof t->signatures[i]);
    }
}

static void fill_trigger(const struct stop *s,
                         const struct aggregate *a,
                         size_t index,
                         uint64_t second,
                         struct stop_trigger *t)
{
    const struct condition *c = &s->conditions[index];
    uint64_t elapsed = second - c->first + 1;
    bool counted = c->spec.metric->since_begin && c->spec.sustain_windows == 1;

    *t = (struct stop_trigger){.index = index, .spec = &c->spec, .second = second};
    t->early = elapsed < c->window_s;
    t->window_s = t->early || counted ? elapsed : c->window_s;
    t->window_count = windows_shown(&c->spec);
    for (size_t i = 0; i < t->window_count; i++) {
        t->windows[i] = c->ring[(second - i * c->window_s) % c->ring_size];
        t->partial = t->partial || t->windows[i].partial;
    }
    note_signatures(t, a);
    write_sentence(t);
}

/* Looks at one second with all conditions. */
static bool
look_at(struct stop *s, const struct aggregate *a, uint64_t second, struct stop_trigger *trigger)
{
    bool triggered = false;

    for (size_t i = 0; i < s->count; i++) {
        struct condition *c = &s->conditions[i];
        const struct aggregate *books = c->spec.books != NULL ? c->spec.books : a;

        c->state.active = covers(&s->scopes[c->scope], second);
        c->state.waiting = c->state.active && !is_open(s, c, books, second);
        if (!c->state.active || c->state.waiting || !condition_look(s, c, books, second)) {
            continue;
        }
        c->state.triggered = true;
        if (!triggered) {
            fill_trigger(s, books, i, second, trigger);
            triggered = true;
        } else if (trigger->also_count < STOP_ALSO_MAX) {
            trigger->also[trigger->also_count++] = i;
        }
    }
    return triggered;
}

bool stop_evaluate(struct stop *s,
                   const struct aggregate *a,
                   uint64_t end_second,
                   struct stop_trigger *trigger)
{
    while (s->next_second < end_second) {
        if (look_at(s, a, s->next_second++, trigger)) {
            return true;
        }
    }
    return false;
}

uint64_t stop_looked(const struct stop *s)
{
    return s->next_second;
}

size_t stop_count(const struct stop *s)
{
    return s->count;
}

void stop_state(const struct stop *s, size_t index, struct stop_state *out)
{
    assert(index < s->count);
    *out = s->conditions[index].state;
}
