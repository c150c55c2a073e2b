/* SPDX-License-Identifier: MIT */
/* The members of a result that are about the load: totals, distributions, stages, operations. */
#include "metrics/histogram.h"
#include "report/result_priv.h"
#include "report/text.h"

#include <string.h>

/* What comes from here on belongs to a shard as a whole (metrics/window.h). */
enum { FIRST_SHARD_COUNT = COUNT_CONNECT_ATTEMPTS, FIRST_SHARD_DIST = DIST_TOOL_LAG };

/* ---- views ------------------------------------------------------------------------------------
 */

static void add_view(struct metric_view *to, const struct metric_view *from)
{
    for (unsigned i = 0; i < FIRST_SHARD_COUNT; i++) {
        to->count[i] += from->count[i];
    }
    for (unsigned i = 0; i < FIRST_SHARD_DIST; i++) {
        if (from->dist[i] == NULL || from->dist[i]->head.count == 0) {
            continue;
        }
        if (to->dist[i] == NULL) {
            to->dist[i] = hist_total_new();
        }
        hist_total_merge(to->dist[i], from->dist[i]);
    }
    to->span_s += from->span_s;
    to->busy = to->busy || from->busy;
    to->open_model = from->open_model;
}

void result_operation_view(const struct run *r,
                           int32_t stage,
                           uint32_t operation,
                           struct metric_view *view)
{
    struct metric_view part = {.span_s = 0};

    metric_view_reset(view);
    for (uint32_t s = 0; s < r->plan->stage_count; s++) {
        if (stage >= 0 && s != (uint32_t)stage) {
            continue;
        }
        struct aggregate_filter filter = aggregate_everything();
        filter.stage_index = (int32_t)s;
        filter.key = (int32_t)plan_key(r->plan, s, operation);
        aggregate_view_total(r->books, &filter, &part);
        add_view(view, &part);
    }
    metric_view_clear(&part);
}

/* Is the metric about the operations themselves, so that a single one of them can have it? */
static bool is_of_operations(const struct metric *m)
{
    uint64_t shard_counts = ~((UINT64_C(1) << FIRST_SHARD_COUNT) - 1);
    int dist = metric_dist(m, false);

    return m->kind != METRIC_GAUGE && dist < FIRST_SHARD_DIST &&
           ((m->plus | m->minus | m->of_plus | m->of_minus) & shard_counts) == 0;
}

json_t *result_totals(const struct result_place *p)
{
    json_t *out = json_object();

    for (size_t i = 0; i < metric_count(); i++) {
        const struct metric *m = metric_at(i);
        json_t *value = p->whole || is_of_operations(m) ? result_metric(m, p->view) : json_null();
        json_object_set_new(out, m->name, value);
    }
    return out;
}

json_t *result_counts(const struct result_place *p)
{
    unsigned count = p->whole ? COUNT_ALL : FIRST_SHARD_COUNT;
    json_t *out = json_object();

    for (unsigned i = 0; i < count; i++) {
        json_object_set_new(out, count_name((enum count)i), result_count(p->view->count[i]));
    }
    return out;
}

/* ---- one distribution -------------------------------------------------------------------------
 */

static const struct hist_total *distribution(const struct result_place *p)
{
    return p->item;
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

    return hist_mean(distribution(p), &mean_ns) ? result_real(mean_ns / (double)NS_PER_MS, 1e3)
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
    struct hist_quantile q = hist_quantile(distribution(p), quantiles[i].ppm, 0);

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

static json_t *latency_lower_bounds(const struct result_place *p)
{
    const struct hist_total *t = distribution(p);
    json_t *out = json_array();

    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        if (hist_quantile(t, quantiles[i].ppm, 0).lower_bound) {
            json_array_append_new(out, json_string(quantiles[i].name));
        }
    }
    if (hist_quantile(t, 1000000, 0).lower_bound) {
        json_array_append_new(out, json_string("max_ms"));
    }
    if (t->head.censored_n > 0) {
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
     "Members that are only lower bounds, because samples that we cut reach into them.",
     latency_lower_bounds, NULL},
};
const struct result_section result_section_latency =
    RESULT_SECTION("operations[].response", latency_members);

static json_t *distribution_json(const struct result_place *p, enum dist id)
{
    struct result_place here = *p;

    here.item = p->view->dist[id];
    return here.item == NULL || p->view->dist[id]->head.count == 0
               ? json_null()
               : result_object(&result_section_latency, &here);
}

json_t *result_distributions(const struct result_place *p)
{
    json_t *out = json_object();

    for (unsigned i = 0; i < DIST_ALL; i++) {
        json_object_set_new(out, dist_name((enum dist)i), distribution_json(p, (enum dist)i));
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

static json_t *operation_response(const struct result_place *p)
{
    return distribution_json(p, DIST_RESPONSE);
}

static json_t *operation_service(const struct result_place *p)
{
    return distribution_json(p, DIST_SERVICE);
}

static json_t *operation_lag(const struct result_place *p)
{
    return distribution_json(p, DIST_LAG);
}

static json_t *operation_failed(const struct result_place *p)
{
    return distribution_json(p, DIST_FAILED);
}

static json_t *operation_first_event(const struct result_place *p)
{
    return distribution_json(p, DIST_FIRST_EVENT);
}

static json_t *operation_gap(const struct result_place *p)
{
    return distribution_json(p, DIST_GAP);
}

static const struct result_member operation_members[] = {
    {"operation", "string", "`tools/call`, `tools/list` …", operation_label, NULL},
    {"tool_name", "string or null", "The tool that is called.", operation_tool, NULL},
    {"template_id", "string or null", "The template of the call.", operation_template, NULL},
    {"prompt_name", "string or null", "The prompt that is fetched.", operation_prompt, NULL},
    {"uri", "string or null", "The resource that is read.", operation_uri, NULL},
    {"totals", "object: metric → number or null",
     "Every metric of [the registry](metrics.md); null for those of connections and sessions, "
     "which belong to no operation.",
     result_totals, NULL},
    {"counts", "object: count → integer", "What the metrics are made of.", result_counts, NULL},
    {"response", "object or null", "Times from due to ended (R), of what succeeded or was cut.",
     operation_response, &result_section_latency},
    {"service", "object or null", "Times from sent to ended (S), likewise.", operation_service,
     &result_section_latency},
    {"lag", "object or null", "Times from due to sent (L), likewise.", operation_lag,
     &result_section_latency},
    {"failed_service", "object or null",
     "Times from sent to ended of what failed, kept apart: a refusal is fast.", operation_failed,
     &result_section_latency},
    {"first_event", "object or null", "Times from sent to the first event with data.",
     operation_first_event, &result_section_latency},
    {"event_gap", "object or null", "Times between events of a stream.", operation_gap,
     &result_section_latency},
};
const struct result_section result_section_operation =
    RESULT_SECTION("operations[]", operation_members);
/* The rows of the run (stage -1) or of one stage. */
static json_t *operation_rows(const struct result_place *p, int32_t stage)
{
    struct metric_view view = {.span_s = 0};
    struct result_place here = {.run = p->run, .view = &view, .stage = p->stage};
    json_t *out = json_array();

    for (uint32_t i = 0; i < p->run->plan->operation_count; i++) {
        here.operation = i;
        result_operation_view(p->run, stage, i, &view);
        json_array_append_new(out, result_object(&result_section_operation, &here));
    }
    metric_view_clear(&view);
    return out;
}

json_t *result_operations(const struct result_place *p)
{
    return operation_rows(p, -1);
}

/* ---- stages -----------------------------------------------------------------------------------
 */

static const struct plan_stage *stage_of(const struct result_place *p)
{
    return &p->run->plan->stages[p->stage];
}

static json_t *stage_id(const struct result_place *p)
{
    return result_text(stage_of(p)->config->stage_id);
}

static json_t *stage_kind(const struct result_place *p)
{
    return json_string(stage_kind_name(stage_of(p)->config->kind));
}

static json_t *stage_started(const struct result_place *p)
{
    return json_boolean(p->run->stages[p->stage].started);
}

static json_t *stage_began_ms(const struct result_place *p)
{
    const struct run_stage *s = &p->run->stages[p->stage];

    return s->started && s->start_ns >= p->run->grid_ns ? result_ms(s->start_ns - p->run->grid_ns)
                                                        : json_null();
}

static json_t *planned_vus(const struct result_place *p)
{
    return result_count(stage_of(p)->levels.vus);
}

static json_t *planned_duration(const struct result_place *p)
{
    return result_ms(stage_of(p)->config->duration_ns);
}

static const struct result_member planned_members[] = {
    {"vus", "integer", "Virtual users, cut to the cap.", planned_vus, NULL},
    {"duration_ms", "number", "How long it should last.", planned_duration, NULL},
};
const struct result_section result_section_planned =
    RESULT_SECTION("stages[].planned", planned_members);

static json_t *achieved_duration(const struct result_place *p)
{
    const struct run_stage *s = &p->run->stages[p->stage];
    uint64_t end_ns = s->ended ? s->end_ns : p->run->end_ns;

    return s->started && end_ns >= s->start_ns ? result_ms(end_ns - s->start_ns) : json_null();
}

static json_t *achieved(const struct result_place *p, const char *metric)
{
    return result_metric(metric_find(str_c(metric)), p->view);
}

static json_t *achieved_ops(const struct result_place *p)
{
    return achieved(p, "operations_total");
}

static json_t *achieved_failed(const struct result_place *p)
{
    return achieved(p, "operations_failed");
}

static json_t *achieved_unfinished(const struct result_place *p)
{
    return achieved(p, "operations_unfinished");
}

static json_t *achieved_rate(const struct result_place *p)
{
    return achieved(p, "ops_per_second");
}

static json_t *achieved_error_rate(const struct result_place *p)
{
    return achieved(p, "error_rate");
}

static const struct result_member achieved_members[] = {
    {"duration_ms", "number or null", "How long it lasted, the drain left out.", achieved_duration,
     NULL},
    {"ops", "integer", "Operations that ended.", achieved_ops, NULL},
    {"failed", "integer", "Those of them that failed.", achieved_failed, NULL},
    {"unfinished", "integer", "Operations that were still running at the end of the run.",
     achieved_unfinished, NULL},
    {"ops_per_second", "number or null", "Operations ended, divided by the time of the stage.",
     achieved_rate, NULL},
    {"error_rate", "number or null", "Failed divided by ended.", achieved_error_rate, NULL},
};
const struct result_section result_section_achieved =
    RESULT_SECTION("stages[].achieved", achieved_members);

static json_t *stage_planned(const struct result_place *p)
{
    return result_object(&result_section_planned, p);
}

static json_t *stage_achieved(const struct result_place *p)
{
    return result_object(&result_section_achieved, p);
}

static json_t *stage_operations(const struct result_place *p)
{
    return operation_rows(p, (int32_t)p->stage);
}

static const struct result_member stage_members[] = {
    {"stage_id", "string", "Id of the stage.", stage_id, NULL},
    {"stage", "string", "Kind of the stage: `preflight`, `baseline` …", stage_kind, NULL},
    {"started", "boolean", "It began.", stage_started, NULL},
    {"began_ms", "number or null", "When, counted from the beginning of the first stage.",
     stage_began_ms, NULL},
    {"planned", "object", "What the plan says.", stage_planned, &result_section_planned},
    {"achieved", "object", "What was done.", stage_achieved, &result_section_achieved},
    {"totals", "object: metric → number or null",
     "Every metric of [the registry](metrics.md) over the stage.", result_totals, NULL},
    {"counts", "object: count → integer", "What the metrics are made of.", result_counts, NULL},
    {"operations", "array of objects", "The operations of the stage.", stage_operations,
     &result_section_operation},
};
const struct result_section result_section_stage = RESULT_SECTION("stages[]", stage_members);

json_t *result_stages(const struct result_place *p)
{
    struct metric_view view = {.span_s = 0};
    struct result_place here = {.run = p->run, .view = &view, .whole = true};
    json_t *out = json_array();

    for (uint32_t i = 0; i < p->run->plan->stage_count; i++) {
        struct aggregate_filter filter = aggregate_everything();

        filter.stage_index = (int32_t)i;
        here.stage = i;
        aggregate_view_total(p->run->books, &filter, &view);
        json_array_append_new(out, result_object(&result_section_stage, &here));
    }
    metric_view_clear(&view);
    return out;
}

/* ---- one second -------------------------------------------------------------------------------
 */

/* The stage that was the current one at the beginning of the second; NULL when there was none. */
static const char *stage_at(const struct run *r, uint64_t second)
{
    uint64_t at_ns = r->grid_ns + second * NS_PER_S;
    const char *id = NULL;

    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        if (r->stages[i].started && r->stages[i].start_ns <= at_ns) {
            id = r->plan->stages[i].config->stage_id;
        }
    }
    return id;
}

json_t *result_second_json(const struct run *r, uint64_t second)
{
    static const struct {
        const char *name, *metric;
    } columns[] = {
        {"ops", "operations_total"},          {"failed", "operations_failed"},
        {"ops_per_second", "ops_per_second"}, {"error_rate", "error_rate"},
        {"latency_p50_ms", "latency_p50_ms"}, {"latency_p95_ms", "latency_p95_ms"},
        {"latency_p99_ms", "latency_p99_ms"}, {"latency_max_ms", "latency_max_ms"},
        {"events", "events_received_total"},  {"stream_stalls", "stream_stall_count"},
        {"active_vus", "active_vus"},         {"active_sessions", "active_sessions"},
        {"active_streams", "active_streams"}, {"open_connections", "open_connections"},
        {"in_flight", "in_flight"},
    };
    struct aggregate_filter everything = aggregate_everything();
    struct metric_view view = {.span_s = 0};
    json_t *out = NULL;

    if (aggregate_view_seconds(r->books, &everything, second, 1, &view)) {
        out = json_object();
        json_object_set_new(out, "second", result_count(second));
        json_object_set_new(out, "stage_id", result_text(stage_at(r, second)));
        for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
            const struct metric *m = metric_find(str_c(columns[i].metric));
            json_object_set_new(out, columns[i].name, result_metric(m, &view));
        }
        json_object_set_new(out, "bytes_received", result_count(view.count[COUNT_BYTES_IN]));
        json_object_set_new(out, "bytes_sent", result_count(view.count[COUNT_BYTES_OUT]));
    }
    metric_view_clear(&view);
    return out;
}
