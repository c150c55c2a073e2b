/* SPDX-License-Identifier: MIT */
/* The members of a result that name who made the load: workers, their threads, their labels. */
#include "base/mem.h"
#include "report/result/result_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- the load of some sources ---------------------------------------------------------------- */

static json_t *load_count(const struct result_place *p, enum count id)
{
    return result_count(p->view->count[id]);
}

static json_t *load_started(const struct result_place *p)
{
    return load_count(p, COUNT_STARTED);
}

static json_t *load_succeeded(const struct result_place *p)
{
    return load_count(p, COUNT_ENDED_OK);
}

static json_t *load_failed(const struct result_place *p)
{
    return load_count(p, COUNT_ENDED_FAILED);
}

static json_t *load_unfinished(const struct result_place *p)
{
    return load_count(p, COUNT_UNFINISHED);
}

static json_t *load_rate(const struct result_place *p)
{
    return result_metric(metric_find(STR("ops_per_second")), p->view);
}

static json_t *load_error_rate(const struct result_place *p)
{
    return result_metric(metric_find(STR("error_rate")), p->view);
}

static json_t *load_p50(const struct result_place *p)
{
    return result_metric(metric_find(STR("latency_p50_ms")), p->view);
}

static json_t *load_p95(const struct result_place *p)
{
    return result_metric(metric_find(STR("latency_p95_ms")), p->view);
}

static json_t *load_p99(const struct result_place *p)
{
    return result_metric(metric_find(STR("latency_p99_ms")), p->view);
}

static const struct result_member share_members[] = {
    {"started", "integer", "Operations of the load stages that were started there.", load_started,
     NULL},
    {"succeeded", "integer", "Those of them that succeeded.", load_succeeded, NULL},
    {"failed", "integer", "Those that failed.", load_failed, NULL},
    {"unfinished", "integer", "Those that were running when the run had to stop.", load_unfinished,
     NULL},
    {"ops_per_second", "number or null", "As the metric of this name; those of all add up.",
     load_rate, NULL},
    {"error_rate", "number or null", "As the metric of this name.", load_error_rate, NULL},
    {"latency_p50_ms", "number or null", "As the metric of this name; see `latency_is`.", load_p50,
     NULL},
    {"latency_p95_ms", "number or null", "Likewise.", load_p95, NULL},
    {"latency_p99_ms", "number or null", "Likewise.", load_p99, NULL},
};
const struct result_section result_section_share = RESULT_SECTION("workers[].load", share_members);

static json_t *load_of(const struct result_place *p, const uint64_t *sources)
{
    struct result_place here = *p;
    struct metric_view view = {.span_s = 0};

    aggregate_view_sources(p->run->books, sources, &view);
    here.view = &view;
    json_t *out = result_object(&result_section_share, &here);
    metric_view_clear(&view);
    return out;
}

static uint64_t *no_sources(const struct run *r)
{
    return xcalloc(result_source_count(r) / 64 + 1, sizeof(uint64_t));
}

static void add_source(uint64_t *sources, uint32_t i)
{
    sources[i / 64] |= UINT64_C(1) << (i % 64);
}

/* ---- threads ----------------------------------------------------------------------------------
 */

/* A source, or the sum of those of one worker. */
struct row {
    struct aggregate_source sum;
    uint32_t first, count; /* sources */
};

static const struct row *row_of(const struct result_place *p)
{
    return p->item;
}

static const struct aggregate_source *sum_of(const struct result_place *p)
{
    return &row_of(p)->sum;
}

static json_t *row_source(const struct result_place *p)
{
    return result_count(row_of(p)->first);
}

static json_t *row_finished(const struct result_place *p)
{
    return json_boolean(sum_of(p)->finished);
}

static json_t *row_windows(const struct result_place *p)
{
    return result_count(sum_of(p)->windows);
}

static json_t *row_missing(const struct result_place *p)
{
    return result_count(sum_of(p)->missing);
}

static json_t *row_operations(const struct result_place *p)
{
    return result_count(sum_of(p)->count[COUNT_ENDED_OK] + sum_of(p)->count[COUNT_ENDED_FAILED]);
}

static json_t *row_failed(const struct result_place *p)
{
    return result_count(sum_of(p)->count[COUNT_ENDED_FAILED]);
}

static json_t *row_busy_ms(const struct result_place *p)
{
    return result_ms(sum_of(p)->busy_ns);
}

static json_t *row_wall_ms(const struct result_place *p)
{
    return result_ms(sum_of(p)->wall_ns);
}

static json_t *row_busy(const struct result_place *p)
{
    const struct aggregate_source *s = sum_of(p);

    return s->wall_ns == 0 ? json_null()
                           : result_real((double)s->busy_ns / (double)s->wall_ns, 1e4);
}

static json_t *row_busy_max(const struct result_place *p)
{
    return sum_of(p)->wall_ns == 0 ? json_null() : result_real(sum_of(p)->busy_max, 1e4);
}

static json_t *row_over_80(const struct result_place *p)
{
    return result_count(sum_of(p)->busy_seconds_over_80);
}

static json_t *row_over_95(const struct result_place *p)
{
    return result_count(sum_of(p)->busy_seconds_over_95);
}

static json_t *row_wakeups(const struct result_place *p)
{
    return result_count(sum_of(p)->wakeups);
}

#define WORK_MEMBERS                                                                            \
    {"finished", "boolean", "It said that it had sent everything.", row_finished, NULL},        \
        {"windows", "integer", "Its seconds that were added.", row_windows, NULL},              \
        {"missing", "integer", "Its seconds that never came.", row_missing, NULL},              \
        {"operations", "integer", "Operations that ended on it, in whatever stage.",            \
         row_operations, NULL},                                                                 \
        {"failed", "integer", "Those of them that failed.", row_failed, NULL},                  \
        {"busy", "number or null", "Share of its time in which it did not wait for events.",    \
         row_busy, NULL},                                                                       \
        {"busy_ms", "number", "That time.", row_busy_ms, NULL},                                 \
        {"wall_ms", "number", "The time that it is a share of.", row_wall_ms, NULL},            \
        {"busy_max", "number or null", "The share in its busiest second.", row_busy_max, NULL}, \
        {"busy_seconds_over_80", "integer", "Seconds with a share above 0.80.", row_over_80,    \
         NULL},                                                                                 \
        {"busy_seconds_over_95", "integer",                                                     \
         "Seconds with a share above 0.95: its figures are in doubt.", row_over_95, NULL},      \
    {                                                                                           \
        "wakeups", "integer", "How often it woke up for events.", row_wakeups, NULL             \
    }

static const struct result_member thread_members[] = {
    {"source", "integer", "Number of the source, from 0 over the run.", row_source, NULL},
    WORK_MEMBERS,
};
const struct result_section result_section_thread =
    RESULT_SECTION("workers[].threads[]", thread_members);

/* ---- workers ----------------------------------------------------------------------------------
 */

static json_t *worker_id(const struct result_place *p)
{
    return result_text(run_source_worker(p->run, row_of(p)->first));
}

/* NULL: the sources have no names. */
static const struct run_source *source_of(const struct run *r, uint32_t i)
{
    return r->workers_->sources != NULL ? &r->workers_->sources[i] : NULL;
}

static json_t *worker_labels(const struct result_place *p)
{
    const struct run_source *source = source_of(p->run, row_of(p)->first);
    json_t *out = json_object();

    for (uint32_t i = 0; source != NULL && i < source->label_count; i++) {
        const char *label = source->labels[i], *value = strchr(label, '=');

        if (value != NULL) {
            json_t *name = result_slice((struct str){label, (size_t)(value - label)});
            json_object_set_new(out, json_string_value(name), result_text(value + 1));
            json_decref(name);
        }
    }
    return out;
}

static json_t *worker_load(const struct result_place *p)
{
    const struct row *row = row_of(p);
    uint64_t *sources = no_sources(p->run);

    for (uint32_t i = row->first; i < row->first + row->count; i++) {
        add_source(sources, i);
    }
    json_t *out = load_of(p, sources);
    xfree(sources);
    return out;
}

static json_t *worker_threads(const struct result_place *p)
{
    const struct row *row = row_of(p);
    json_t *out = json_array();

    for (uint32_t i = row->first; i < row->first + row->count; i++) {
        struct row thread = {.first = i, .count = 1};
        struct result_place here = *p;

        aggregate_source(p->run->books, i, &thread.sum);
        here.item = &thread;
        json_array_append_new(out, result_object(&result_section_thread, &here));
    }
    return out;
}

static const struct result_member worker_members[] = {
    {"worker_id", "string", "Id of the worker; `mcpdrill run` is one of its own.", worker_id, NULL},
    {"labels", "object: name → string", "Its labels.", worker_labels, NULL},
    {"load", "object", "What it did in the load stages.", worker_load, &result_section_share},
    WORK_MEMBERS,
    {"threads", "array of objects", "The same of each of its threads of load.", worker_threads,
     &result_section_thread},
};
const struct result_section result_section_worker = RESULT_SECTION("workers[]", worker_members);

/* Seconds of its threads that were busy are counted each; the busiest one is the worker's. */
static void add_thread(struct row *to, const struct aggregate_source *s)
{
    struct aggregate_source *sum = &to->sum;

    sum->finished = (to->count == 0 || sum->finished) && s->finished;
    sum->windows += s->windows;
    sum->missing += s->missing;
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        sum->count[i] += s->count[i];
    }
    sum->busy_ns += s->busy_ns;
    sum->wall_ns += s->wall_ns;
    sum->wakeups += s->wakeups;
    sum->busy_max = s->busy_max > sum->busy_max ? s->busy_max : sum->busy_max;
    sum->busy_seconds_over_80 += s->busy_seconds_over_80;
    sum->busy_seconds_over_95 += s->busy_seconds_over_95;
    to->count++;
}

/* Sources of one worker stand side by side. */
static struct row worker_row(const struct run *r, uint32_t first)
{
    struct row row = {.first = first};
    uint32_t end = result_source_count(r);

    for (uint32_t i = first;
         i < end && strcmp(run_source_worker(r, i), run_source_worker(r, first)) == 0; i++) {
        struct aggregate_source source;

        aggregate_source(r->books, i, &source);
        add_thread(&row, &source);
    }
    return row;
}

json_t *result_workers(const struct result_place *p)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < result_source_count(p->run);) {
        struct row row = worker_row(p->run, i);
        struct result_place here = *p;

        here.item = &row;
        json_array_append_new(out, result_object(&result_section_worker, &here));
        i += row.count;
    }
    return out;
}

/* ---- labels -----------------------------------------------------------------------------------
 */

static const char *label_of(const struct result_place *p)
{
    return p->item;
}

static json_t *label_name(const struct result_place *p)
{
    const char *end = strchr(label_of(p), '=');

    return result_slice((struct str){label_of(p), (size_t)(end - label_of(p))});
}

static json_t *label_value(const struct result_place *p)
{
    return result_text(strchr(label_of(p), '=') + 1);
}

static bool has_label(const struct run *r, uint32_t i, const char *label)
{
    const struct run_source *source = source_of(r, i);

    for (uint32_t k = 0; k < source->label_count; k++) {
        if (strcmp(source->labels[k], label) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *label_workers(const struct result_place *p)
{
    const struct run *r = p->run;
    json_t *out = json_array();
    const char *last = "";

    for (uint32_t i = 0; i < result_source_count(r); i++) {
        if (has_label(r, i, label_of(p)) && strcmp(run_source_worker(r, i), last) != 0) {
            last = run_source_worker(r, i);
            json_array_append_new(out, result_text(last));
        }
    }
    return out;
}

static json_t *label_load(const struct result_place *p)
{
    uint64_t *sources = no_sources(p->run);

    for (uint32_t i = 0; i < result_source_count(p->run); i++) {
        if (has_label(p->run, i, label_of(p))) {
            add_source(sources, i);
        }
    }
    json_t *out = load_of(p, sources);
    xfree(sources);
    return out;
}

static const struct result_member label_members[] = {
    {"label", "string", "Name of the label.", label_name, NULL},
    {"value", "string", "One of its values.", label_value, NULL},
    {"workers", "array of strings", "The workers that have it.", label_workers, NULL},
    {"load", "object", "What they did in the load stages.", label_load, &result_section_share},
};
const struct result_section result_section_label = RESULT_SECTION("labels[]", label_members);

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every label of every source once, by its text; returns how many. */
static size_t distinct_labels(const struct run *r, const char **out)
{
    size_t count = 0, kept = 0;

    for (uint32_t i = 0; i < result_source_count(r); i++) {
        const struct run_source *source = source_of(r, i);

        for (uint32_t k = 0; k < source->label_count; k++) {
            if (strchr(source->labels[k], '=') != NULL) {
                out[count++] = source->labels[k];
            }
        }
    }
    qsort(out, count, sizeof *out, by_text); /* NOLINT(bugprone-sizeof-expression) */
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(out[kept - 1], out[i]) != 0) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

json_t *result_labels(const struct result_place *p)
{
    const struct run *r = p->run;
    json_t *out = json_array();
    size_t most = 1;

    for (uint32_t i = 0; i < result_source_count(r) && source_of(r, i) != NULL; i++) {
        most += source_of(r, i)->label_count;
    }
    if (most == 1) {
        return out;
    }
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const char **labels = xcalloc(most, sizeof *labels);
    size_t count = distinct_labels(r, labels);
    for (size_t i = 0; i < count; i++) {
        struct result_place here = *p;

        here.item = labels[i];
        json_array_append_new(out, result_object(&result_section_label, &here));
    }
    xfree(labels);
    return out;
}
