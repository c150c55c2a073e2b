/* SPDX-License-Identifier: MIT */
/* The members of a result that are about the load: totals, distributions, operations. */
#include "base/mem.h"
#include "metrics/histogram.h"
#include "report/result/result_priv.h"
#include "report/text/text.h"

#include <string.h>

/* What comes from here on belongs to a shard as a whole (metrics/window.h). */
enum { FIRST_SHARD_COUNT = COUNT_CONNECT_ATTEMPTS };

/* ---- views ------------------------------------------------------------------------------------
 */

void result_operation_view(const struct run *r,
                           int32_t stage,
                           uint32_t operation,
                           struct metric_view *view)
{
    uint64_t *keys = xcalloc(r->plan->key_count / 64 + 1, sizeof *keys);
    struct aggregate_filter filter = aggregate_everything();

    for (uint32_t s = 0; s < r->plan->stage_count; s++) {
        uint32_t key = plan_key(r->plan, s, operation);
        keys[key / 64] |= UINT64_C(1) << (key % 64);
    }
    filter.share = stage < 0 ? AGGREGATE_LOAD : AGGREGATE_ALL;
    filter.stage_index = stage;
    filter.keys = keys;
    filter.only_keys = true;
    aggregate_view_total(r->books, &filter, view);
    xfree(keys);
}

json_t *result_totals(const struct result_place *p)
{
    json_t *out = json_object();

    for (size_t i = 0; i < metric_count(); i++) {
        json_object_set_new(out, metric_at(i)->name, result_metric(metric_at(i), p->view));
    }
    return out;
}

json_t *result_counts(const struct result_place *p)
{
    json_t *out = json_object();

    for (unsigned i = 0; i < COUNT_ALL; i++) {
        json_object_set_new(out, count_name((enum count)i), result_count(p->view->count[i]));
    }
    return out;
}

/* ---- one distribution -------------------------------------------------------------------------
 */

/* Samples, and how many operations rank above all of them. */
struct distribution {
    const struct hist_total *samples;
    uint64_t dropped;
};

static const struct hist_total *distribution(const struct result_place *p)
{
    return ((const struct distribution *)p->item)->samples;
}

static uint64_t dropped(const struct result_place *p)
{
    return ((const struct distribution *)p->item)->dropped;
}

static json_t *latency_n(const struct result_place *p)
{
    return result_count(distribution(p)->head.count);
}

static json_t *latency_censored(const struct result_place *p)
{
    return result_count(distribution(p)->head.censored_n);
}

static json_t *latency_min(const struct result_place *p)
{
    return result_ms(distribution(p)->head.min);
}

static json_t *latency_max(const struct result_place *p)
{
    return result_ms(distribution(p)->head.max);
}

static json_t *latency_mean(const struct result_place *p)
{
    double mean_ns;

    return hist_mean(distribution(p), &mean_ns) ? result_real(mean_ns / (double)NS_PER_MS, 1e6)
                                                : json_null();
}

static const struct {
    const char *name;
    uint32_t ppm;
} quantiles[] = {
    {"p50_ms", 500000}, {"p75_ms", 750000}, {"p90_ms", 900000},
    {"p95_ms", 950000}, {"p99_ms", 990000}, {"p999_ms", 999000},
};

static json_t *quantile_ms(const struct result_place *p, size_t i)
{
    struct hist_quantile q = hist_quantile(distribution(p), quantiles[i].ppm, dropped(p));

    return q.kind == HIST_VALUE ? result_ms(q.value_ns) : json_null();
}

static json_t *latency_p50(const struct result_place *p)
{
    return quantile_ms(p, 0);
}

static json_t *latency_p75(const struct result_place *p)
{
    return quantile_ms(p, 1);
}

static json_t *latency_p90(const struct result_place *p)
{
    return quantile_ms(p, 2);
}

static json_t *latency_p95(const struct result_place *p)
{
    return quantile_ms(p, 3);
}

static json_t *latency_p99(const struct result_place *p)
{
    return quantile_ms(p, 4);
}

static json_t *latency_p999(const struct result_place *p)
{
    return quantile_ms(p, 5);
}

static json_t *latency_dropped(const struct result_place *p)
{
    return result_count(dropped(p));
}

static json_t *latency_shed(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; dropped(p) > 0 && i < sizeof quantiles / sizeof quantiles[0]; i++) {
        if (hist_quantile(distribution(p), quantiles[i].ppm, dropped(p)).kind == HIST_SHED) {
            json_array_append_new(out, json_string(quantiles[i].name));
        }
    }
    return out;
}

static json_t *latency_lower_bounds(const struct result_place *p)
{
    const struct hist_total *t = distribution(p);
    bool bounded = t->head.censored_n > 0;
    json_t *out = json_array();

    for (size_t i = 0; bounded && i < sizeof quantiles / sizeof quantiles[0]; i++) {
        if (hist_quantile(t, quantiles[i].ppm, dropped(p)).lower_bound) {
            json_array_append_new(out, json_string(quantiles[i].name));
        }
    }
    /* What was dropped would have waited longer than what the maximum and the mean know of. */
    if (dropped(p) > 0 || (bounded && hist_quantile(t, 1000000, 0).lower_bound)) {
        json_array_append_new(out, json_string("max_ms"));
    }
    if (dropped(p) > 0 || bounded) {
        json_array_append_new(out, json_string("mean_ms"));
    }
    return out;
}

static const struct result_member latency_members[] = {
    {"n", "integer",
     "Samples. Below the minimum for a quantile (299 for p99, 2,995 for p99.9) its "
     "value says little.",
     latency_n, NULL},
    {"censored", "integer", "Samples that we cut: the operation would have taken at least as long.",
     latency_censored, NULL},
    {"dropped", "integer",
     "Of response times: operations that were due and never started. They rank above all samples.",
     latency_dropped, NULL},
    {"min_ms", "number", "The smallest sample.", latency_min, NULL},
    {"mean_ms", "number", "The sum of the samples divided by their number.", latency_mean, NULL},
    {"p50_ms", "number", "The smallest value that at least half of the samples do not exceed.",
     latency_p50, NULL},
    {"p75_ms", "number", "Likewise for 75 %.", latency_p75, NULL},
    {"p90_ms", "number", "Likewise for 90 %.", latency_p90, NULL},
    {"p95_ms", "number", "Likewise for 95 %.", latency_p95, NULL},
    {"p99_ms", "number", "Likewise for 99 %.", latency_p99, NULL},
    {"p999_ms", "number", "Likewise for 99.9 %.", latency_p999, NULL},
    {"max_ms", "number", "The largest sample.", latency_max, NULL},
    {"lower_bounds", "array of strings",
     "Members that are only lower bounds, because samples that we cut reach into them, or because "
     "operations were dropped that they do not know.",
     latency_lower_bounds, NULL},
    {"shed", "array of strings",
     "Quantiles that are null because their rank lies among the dropped operations.", latency_shed,
     NULL},
};
const struct result_section result_section_latency =
    RESULT_SECTION("operations[].response", latency_members);

json_t *result_distribution(const struct result_place *p, enum dist id)
{
    struct distribution d = {
        .samples = p->view->dist[id],
        .dropped = id == DIST_RESPONSE ? metric_dropped(p->view) : 0,
    };
    struct result_place here = *p;

    here.item = &d;
    if (d.samples == NULL || d.samples->head.count == 0) {
        return json_null();
    }
    return p->whole ? result_object(&result_section_latency, &here)
                    : result_row(&result_section_latency, &here);
}

json_t *result_distributions(const struct result_place *p)
{
    json_t *out = json_object();

    for (unsigned i = 0; i < DIST_ALL; i++) {
        json_object_set_new(out, dist_name((enum dist)i), result_distribution(p, (enum dist)i));
    }
    return out;
}

/* ---- operations -------------------------------------------------------------------------------
 */

static const struct plan_operation *operation_of(const struct result_place *p)
{
    return &p->run->plan->operations[p->operation];
}

static json_t *operation_label(const struct result_place *p)
{
    return json_string(operation_name(operation_of(p)->kind));
}

static json_t *operation_tool(const struct result_place *p)
{
    return result_text(operation_of(p)->tool_name);
}

static json_t *operation_template(const struct result_place *p)
{
    return result_text(operation_of(p)->template_id);
}

static json_t *operation_prompt(const struct result_place *p)
{
    return result_text(operation_of(p)->prompt_name);
}

static json_t *operation_uri(const struct result_place *p)
{
    return result_text(operation_of(p)->uri);
}

/* Times stand beside it, in the row's distributions. */
static json_t *operation_totals(const struct result_place *p)
{
    json_t *out = json_object();

    for (size_t i = 0; i < metric_count(); i++) {
        const struct metric *m = metric_at(i);

        if (metric_narrows(m) && metric_dist(m, p->view->open_model) < 0) {
            result_row_set(out, m->name, result_metric(m, p->view));
        }
    }
    return out;
}

static json_t *operation_counts(const struct result_place *p)
{
    json_t *out = json_object();

    for (unsigned i = 0; i < FIRST_SHARD_COUNT; i++) {
        result_row_set(out, count_name((enum count)i), result_count(p->view->count[i]));
    }
    return out;
}

static json_t *operation_response(const struct result_place *p)
{
    return result_distribution(p, DIST_RESPONSE);
}

static json_t *operation_service(const struct result_place *p)
{
    return result_distribution(p, DIST_SERVICE);
}

static json_t *operation_lag(const struct result_place *p)
{
    return result_distribution(p, DIST_LAG);
}

static json_t *operation_queue(const struct result_place *p)
{
    return result_distribution(p, DIST_QUEUE);
}

static json_t *operation_setup(const struct result_place *p)
{
    return result_distribution(p, DIST_SETUP);
}

static json_t *operation_failed(const struct result_place *p)
{
    return result_distribution(p, DIST_FAILED);
}

static json_t *operation_first_event(const struct result_place *p)
{
    return result_distribution(p, DIST_FIRST_EVENT);
}

static json_t *operation_gap(const struct result_place *p)
{
    return result_distribution(p, DIST_GAP);
}

static const struct result_member operation_members[] = {
    {"operation", "string", "`tools/call`, `tools/list` …", operation_label, NULL},
    {"tool_name", "string or null", "The tool that is called.", operation_tool, NULL},
    {"template_id", "string or null", "The template of the call.", operation_template, NULL},
    {"prompt_name", "string or null", "The prompt that is fetched.", operation_prompt, NULL},
    {"uri", "string or null", "The resource that is read.", operation_uri, NULL},
    {"totals", "object: metric → number or null",
     "Metrics of [the registry](metrics.md) that are kept per operation, but for times, which "
     "stand in the members below; `latency_…` are those of `response` or `service`, as "
     "`latency_is` says.",
     operation_totals, NULL},
    {"counts", "object: count → integer", "What the metrics are made of.", operation_counts, NULL},
    {"response", "object or null", "Times from due to ended (R), of what succeeded or was cut.",
     operation_response, &result_section_latency},
    {"service", "object or null", "Times from sent to ended (S), likewise.", operation_service,
     &result_section_latency},
    {"lag", "object or null", "Times from due to sent (L), likewise.", operation_lag,
     &result_section_latency},
    {"queue", "object or null", "Times from due to a free slot and session (part of L), likewise.",
     operation_queue, &result_section_latency},
    {"setup", "object or null",
     "Times of waiting for a session to be set up (part of L), of those that waited for one.",
     operation_setup, &result_section_latency},
    {"failed_service", "object or null",
     "Times from sent to ended of what failed, kept apart: a refusal is fast.", operation_failed,
     &result_section_latency},
    {"first_event", "object or null", "From sent to the first complete event with data.",
     operation_first_event, &result_section_latency},
    {"event_gap", "object or null",
     "From an event of a stream to the next one, for its first event from the response head, so "
     "that "
     "a stream of one event has one.",
     operation_gap, &result_section_latency},
};
const struct result_section result_section_operation =
    RESULT_SECTION("operations[]", operation_members);

json_t *result_operation_rows(const struct result_place *p, int32_t stage)
{
    struct metric_view view = {.span_s = 0};
    struct result_place here = {.run = p->run, .view = &view, .stage = p->stage};
    json_t *out = json_array();

    for (uint32_t i = 0; i < p->run->plan->operation_count; i++) {
        here.operation = i;
        result_operation_view(p->run, stage, i, &view);
        json_array_append_new(out, result_row(&result_section_operation, &here));
    }
    metric_view_clear(&view);
    return out;
}

json_t *result_operations(const struct result_place *p)
{
    return result_operation_rows(p, -1);
}
