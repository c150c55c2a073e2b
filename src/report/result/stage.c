/* SPDX-License-Identifier: MIT */
/* The members of a result that are about its stages: plan and deed; and one second of a run. */
#include "report/result/result_priv.h"

#include <string.h>

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

static json_t *stage_load(const struct result_place *p)
{
    return json_boolean(aggregate_is_load(p->run->books, p->stage));
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

static const struct stage_levels *levels_of(const struct result_place *p)
{
    return &stage_of(p)->levels;
}

static json_t *stage_model(const struct result_place *p)
{
    return json_string(levels_of(p)->open_model ? "open" : "closed");
}

json_t *result_latency_is(const struct result_place *p)
{
    return json_string(p->view->open_model ? "response" : "service");
}

/* ---- the plan ---------------------------------------------------------------------------------
 */

static json_t *planned_vus(const struct result_place *p)
{
    return result_count(levels_of(p)->vus);
}

static json_t *planned_start_vus(const struct result_place *p)
{
    return result_count(plan_level(p->run->plan, p->stage, 0));
}

static json_t *planned_sized(const struct result_place *p)
{
    return json_boolean(levels_of(p)->sized);
}

static json_t *planned_rps(const struct result_place *p)
{
    return levels_of(p)->open_model ? result_real(levels_of(p)->rps, 1e6) : json_null();
}

static json_t *planned_start_rps(const struct result_place *p)
{
    return levels_of(p)->open_model ? result_real(plan_rate(p->run->plan, p->stage, 0), 1e6)
                                    : json_null();
}

static json_t *planned_duration(const struct result_place *p)
{
    return result_ms(levels_of(p)->duration_ns);
}

static json_t *step_at(const struct result_place *p)
{
    return result_ms(*(const uint64_t *)p->item);
}

static json_t *step_vus(const struct result_place *p)
{
    return result_count(plan_level(p->run->plan, p->stage, *(const uint64_t *)p->item));
}

static json_t *step_rps(const struct result_place *p)
{
    return levels_of(p)->open_model
               ? result_real(plan_rate(p->run->plan, p->stage, *(const uint64_t *)p->item), 1e6)
               : json_null();
}

static const struct result_member step_members[] = {
    {"at_ms", "number", "When, counted from the beginning of the stage.", step_at, NULL},
    {"vus", "integer", "Virtual users from then on.", step_vus, NULL},
    {"rps", "number or null", "Operations per second from then on; null in the closed model.",
     step_rps, NULL},
};
const struct result_section result_section_step =
    RESULT_SECTION("stages[].planned.steps[]", step_members);

static json_t *planned_steps(const struct result_place *p)
{
    uint64_t at_ns[PLAN_STEPS_MAX];
    uint32_t count = plan_steps(p->run->plan, p->stage, at_ns);
    json_t *out = json_array();

    for (uint32_t i = 0; i < count && i < PLAN_STEPS_MAX; i++) {
        struct result_place here = *p;

        here.item = &at_ns[i];
        json_array_append_new(out, result_object(&result_section_step, &here));
    }
    return out;
}

static const struct result_member planned_members[] = {
    {"vus", "integer",
     "Virtual users that it wants to reach, cut to the cap (`limits`: `cut_vus`).", planned_vus,
     NULL},
    {"start_vus", "integer", "Those at its beginning.", planned_start_vus, NULL},
    {"sized", "boolean", "No number was ordered: as many as the rate turns out to need.",
     planned_sized, NULL},
    {"rps", "number or null",
     "Operations per second that it wants to reach, cut to the cap (`cut_rps`); null in the closed "
     "model.",
     planned_rps, NULL},
    {"start_rps", "number or null", "Those at its beginning.", planned_start_rps, NULL},
    {"duration_ms", "number", "How long it should last; an unfinished ramp makes it longer.",
     planned_duration, NULL},
    {"steps", "array of objects",
     "When the level changes, at most 1,000 times (`limits`: `plan_steps`); a linear ramp is told "
     "at "
     "twenty moments.",
     planned_steps, &result_section_step},
};
const struct result_section result_section_planned =
    RESULT_SECTION("stages[].planned", planned_members);

/* ---- the deed ---------------------------------------------------------------------------------
 */

static json_t *achieved_max_vus(const struct result_place *p)
{
    const struct run_stage *s = &p->run->stages[p->stage];

    return s->started ? result_count(s->max_vus) : json_null();
}

static json_t *achieved_due(const struct result_place *p)
{
    return result_count(p->view->count[COUNT_DUE]);
}

static json_t *achieved_dropped(const struct result_place *p)
{
    return result_count(p->view->count[COUNT_DROPPED_DEADLINE] +
                        p->view->count[COUNT_DROPPED_NO_SLOT] +
                        p->view->count[COUNT_DROPPED_STOPPED]);
}

static json_t *achieved_duration(const struct result_place *p)
{
    const struct run_stage *s = &p->run->stages[p->stage];
    uint64_t end_ns = s->ended ? s->end_ns : p->run->end_ns;

    return s->started && end_ns >= s->start_ns ? result_ms(end_ns - s->start_ns) : json_null();
}

static json_t *achieved_reached_rps(const struct result_place *p)
{
    const struct run_stage *s = &p->run->stages[p->stage];
    uint64_t end_ns = s->ended ? s->end_ns : p->run->end_ns;

    return s->started && levels_of(p)->open_model && end_ns >= s->start_ns
               ? result_real(plan_rate(p->run->plan, p->stage, end_ns - s->start_ns), 1e6)
               : json_null();
}

static json_t *achieved_falls_behind(const struct result_place *p)
{
    double per_second;

    return pace_falls_behind(p->run, p->stage, &per_second) ? result_real(per_second, 1e3)
                                                            : json_null();
}

static json_t *achieved_fell_behind(const struct result_place *p)
{
    double per_second;

    return pace_fell_behind_from(p->run, p->stage, &per_second) ? result_real(per_second, 1e3)
                                                                : json_null();
}

static json_t *achieved(const struct result_place *p, const char *metric)
{
    return result_metric(metric_find(str_c(metric)), p->view);
}

static json_t *achieved_ops(const struct result_place *p)
{
    return achieved(p, "operations_total");
}

static json_t *achieved_started(const struct result_place *p)
{
    return achieved(p, "operations_started");
}

static json_t *achieved_ratio(const struct result_place *p)
{
    return achieved(p, "rate_ratio");
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
    {"max_vus", "integer or null",
     "The most virtual users that were active at the end of a second.", achieved_max_vus, NULL},
    {"reached_rps", "number or null",
     "Operations per second that the plan had come to at its end; null in the closed model.",
     achieved_reached_rps, NULL},
    {"falls_behind_per_second", "number or null",
     "Open model: how many operations more were due in a second than ended or were dropped, while "
     "the rate was at its top; null: the target kept pace, or the stage was too short to say.",
     achieved_falls_behind, NULL},
    {"fell_behind_from_per_second", "number or null",
     "Open model: the rate of the ramp beyond which the target fell behind, until the ramp ended; "
     "null: it kept pace, or the ramp was too short to say.",
     achieved_fell_behind, NULL},
    {"due", "integer", "Open model: operations whose time came.", achieved_due, NULL},
    {"started", "integer", "Operations that a virtual user took up.", achieved_started, NULL},
    {"dropped", "integer", "Open model: operations that were due and never started.",
     achieved_dropped, NULL},
    {"rate_ratio", "number or null", "Started divided by due; null in the closed model.",
     achieved_ratio, NULL},
    {"ops", "integer", "Operations that ended.", achieved_ops, NULL},
    {"failed", "integer", "Those of them that failed.", achieved_failed, NULL},
    {"unfinished", "integer", "Operations that were still running at the end of the run.",
     achieved_unfinished, NULL},
    {"ops_per_second", "number or null",
     "Operations that ended in the time of the stage, divided by it: what ended behind it, in the "
     "drain, is in `ops` and not in here; what a load stage before it had begun is in here.",
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
    return result_operation_rows(p, (int32_t)p->stage);
}

static const struct result_member stage_members[] = {
    {"stage_id", "string", "Id of the stage.", stage_id, NULL},
    {"stage", "string", "Kind of the stage: `preflight`, `baseline` …", stage_kind, NULL},
    {"load", "boolean",
     "It is a load stage, whose figures are those of the run; false: it is counted in `preflight`.",
     stage_load, NULL},
    {"started", "boolean", "It began.", stage_started, NULL},
    {"began_ms", "number or null", "When, counted from the beginning of the first stage.",
     stage_began_ms, NULL},
    {"model", "string",
     "`open`: operations are due by a schedule; `closed`: when the one before has ended.",
     stage_model, NULL},
    {"latency_is", "string", "What `latency_…` are in this stage, as for the run.",
     result_latency_is, NULL},
    {"planned", "object", "What the plan says.", stage_planned, &result_section_planned},
    {"achieved", "object", "What was done.", stage_achieved, &result_section_achieved},
    {"totals", "object: metric → number or null",
     "Every metric of [the registry](metrics.md) over the stage.", result_totals, NULL},
    {"counts", "object: count → integer",
     "What the metrics are made of. A session is created in one stage and may end in a later one.",
     result_counts, NULL},
    {"custom", "object: name → object", "Metrics of the scenario over the stage.", result_custom,
     &result_section_custom},
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

const struct result_column result_second_columns[RESULT_SECOND_COLUMNS] = {
    {"due", "due_operations"},
    {"started", "operations_started"},
    {"dropped", "dropped_operations"},
    {"ops", "operations_total"},
    {"failed", "operations_failed"},
    {"ops_per_second", "ops_per_second"},
    {"error_rate", "error_rate"},
    {"latency_p50_ms", "latency_p50_ms"},
    {"latency_p95_ms", "latency_p95_ms"},
    {"latency_p99_ms", "latency_p99_ms"},
    {"latency_max_ms", "latency_max_ms"},
    {"events", "events_received_total"},
    {"stream_stalls", "stream_stall_count"},
    {"active_vus", "active_vus"},
    {"active_sessions", "active_sessions"},
    {"active_streams", "active_streams"},
    {"open_connections", "open_connections"},
    {"in_flight", "in_flight"},
};

const struct result_column result_second_apart[RESULT_SECOND_APART] = {
    {"preflight_ops", "operations_total"},
    {"preflight_failed", "operations_failed"},
    {"preflight_latency_p99_ms", "latency_p99_ms"},
};

static void add_columns(json_t *out,
                        const struct result_column *columns,
                        size_t count,
                        const struct metric_view *view)
{
    for (size_t i = 0; i < count; i++) {
        const struct metric *m = metric_find(str_c(columns[i].metric));
        json_object_set_new(out, columns[i].name, result_metric(m, view));
    }
}

json_t *result_second_json(const struct run *r, uint64_t second)
{
    struct aggregate_filter filter = aggregate_load();
    struct metric_view view = {.span_s = 0};
    json_t *out = NULL;

    if (aggregate_view_seconds(r->books, &filter, second, 1, &view)) {
        metric_view_whole_second(&view);
        out = json_object();
        json_object_set_new(out, "second", result_count(second));
        json_object_set_new(out, "stage_id", result_text(stage_at(r, second)));
        if (aggregate_lacks(r->books, second, second)) {
            json_object_set_new(out, "partial", json_true());
        }
        add_columns(out, result_second_columns, RESULT_SECOND_COLUMNS, &view);
        json_object_set_new(out, "bytes_received", result_count(view.count[COUNT_BYTES_IN]));
        json_object_set_new(out, "bytes_sent", result_count(view.count[COUNT_BYTES_OUT]));
        filter.share = AGGREGATE_APART;
        (void)aggregate_view_seconds(r->books, &filter, second, 1, &view);
        add_columns(out, result_second_apart, RESULT_SECOND_APART, &view);
    }
    metric_view_clear(&view);
    return out;
}
