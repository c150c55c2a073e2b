/* SPDX-License-Identifier: MIT */
/* Runs as people see them: RunView, lists, documents, results. */
#include "base/clock.h"
#include "base/mem.h"
#include "fleet/hub_priv.h"
#include "plan/masking.h"
#include "report/result/result.h"
#include "scenario/documents/documents.h"

#include <stdio.h>
#include <string.h>

/* ---- the view ---------------------------------------------------------------------------------
 */

/* The shorter names. */
static const char *phase_of(enum run_state state)
{
    switch (state) {
    case RUN_PREFLIGHT_RUNNING:
    case RUN_PREFLIGHT_PASSED:
    case RUN_PREFLIGHT_FAILED:
        return "preflight";
    case RUN_BASELINE_RUNNING:
    case RUN_RAMP_RUNNING:
    case RUN_SOAK_RUNNING:
    case RUN_SPIKE_RUNNING:
    case RUN_CUSTOM_RUNNING:
        return "running";
    case RUN_STOPPING:
        return "draining";
    case RUN_CREATED:
    case RUN_ANALYZING:
    case RUN_COMPLETED:
    case RUN_STOPPED:
    case RUN_FAILED:
    case RUN_ABORTED:
    case RUN_STATE_COUNT:
        break;
    }
    return run_state_name(state);
}

/* What it has from its creation on. */
static json_t *view_begin(const struct hosted *r, enum run_state state, uint64_t updated_ms)
{
    json_t *view = json_object();

    json_object_set_new(view, "run_id", json_string(r->run_id));
    json_object_set_new(view, "execution_id",
                        r->execution_id[0] != '\0' ? json_string(r->execution_id) : json_null());
    json_object_set_new(view, "scenario_id", json_string(r->scenario->scenario_id));
    json_object_set_new(view, "name", json_string(hosted_name(r)));
    json_object_set_new(view, "state", json_string(run_state_name(state)));
    json_object_set_new(view, "phase", json_string(phase_of(state)));
    json_object_set_new(view, "terminal", json_boolean(run_state_terminal(state)));
    json_object_set_new(view, "config_hash", json_string(r->origin.config_hash));
    json_object_set_new(view, "created_at_ms", json_integer((json_int_t)r->created_ms));
    json_object_set_new(view, "updated_at_ms", json_integer((json_int_t)updated_ms));
    json_object_set(view, "tags", r->origin.tags);
    json_object_set_new(view, "created_by", r->actor != NULL ? json_string(r->actor) : json_null());
    return view;
}

json_t *hosted_view_created(const struct hosted *r)
{
    return view_begin(r, RUN_CREATED, r->created_ms);
}

static void add_stop(json_t *view, const struct run *run)
{
    const struct run_stop *s = &run->stop;
    const char *mode = s->mode == STOP_IMMEDIATE ? "immediate" : "drain";

    if (s->kind == RUN_STOP_NONE) {
        return;
    }
    json_object_set_new(view, "stop_reason",
                        json_pack("{sssssososssI}", "kind", run_stop_name(s->kind), "mode",
                                  s->kind == RUN_STOP_COMPLETED ? "none" : mode, "reason",
                                  json_text(s->reason), "message", json_text(s->sentence), "actor",
                                  s->actor != NULL ? s->actor : "system", "at_ms",
                                  (json_int_t)s->at_ms));
}

static void add_stage(json_t *view, const struct run *run)
{
    if (run->stage < 0 || run->stages[run->stage].ended || run_state_terminal(run->state)) {
        return;
    }
    const struct stage_config *c = run->plan->stages[run->stage].config;
    json_object_set_new(
        view, "active_stage",
        json_pack("{ssss}", "stage", stage_kind_name(c->kind), "stage_id", c->stage_id));
}

static uint64_t planned_ms(const struct plan *p)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < p->stage_count; i++) {
        sum += p->stages[i].levels.duration_ns / NS_PER_MS;
    }
    return sum;
}

static void add_progress(json_t *view, const struct hosted *r)
{
    const struct run *run = r->run;
    uint64_t now = loop_now(r->hub->loop), end = run->end_ns > 0 ? run->end_ns : now;
    uint64_t elapsed = run->grid_ns > 0 && end > run->grid_ns ? end - run->grid_ns : 0;
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};
    uint64_t complete = aggregate_complete(run->books);
    uint64_t target = 0;

    filter.dists = 0;
    if (complete > 0 && !run_state_terminal(run->state)) {
        (void)aggregate_view_seconds(run->books, &filter, complete - 1, 1, &v);
    }
    if (run->stage >= 0 && now > run->stages[run->stage].start_ns &&
        !run->stages[run->stage].ended) {
        target =
            plan_level(run->plan, (uint32_t)run->stage, now - run->stages[run->stage].start_ns);
    }
    json_object_set_new(view, "progress",
                        json_pack("{sIsIsIsIsIsI}", "stage_index", (json_int_t)run->stage, "stages",
                                  (json_int_t)run->plan->stage_count, "elapsed_ms",
                                  (json_int_t)(elapsed / NS_PER_MS), "planned_ms",
                                  (json_int_t)planned_ms(run->plan), "target_vus",
                                  (json_int_t)target, "active_vus",
                                  (json_int_t)v.gauges.active_vus));
    metric_view_clear(&v);
}

static json_t *metric_json(const char *name, const struct metric_view *v)
{
    double value;

    return metric_value(metric_find(str_c(name)), v, &value) ? json_real(value) : json_null();
}

static void add_summary(json_t *view, const struct run *run)
{
    static const char *const rows[][2] = {
        {"throughput", "ops_per_second"},     {"error_rate", "error_rate"},
        {"latency_p50_ms", "latency_p50_ms"}, {"latency_p95_ms", "latency_p95_ms"},
        {"latency_p99_ms", "latency_p99_ms"},
    };
    struct aggregate_filter filter = aggregate_load();
    struct metric_view v = {0};
    json_t *summary = json_object();

    filter.dists = (1u << DIST_SERVICE) | (1u << DIST_RESPONSE);
    aggregate_view_total(run->books, &filter, &v);
    uint64_t failed = v.count[COUNT_ENDED_FAILED], ended = v.count[COUNT_ENDED_OK] + failed;
    json_object_set_new(summary, "total_ops", json_integer((json_int_t)ended));
    json_object_set_new(summary, "failed_ops", json_integer((json_int_t)failed));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_object_set_new(summary, rows[i][0], metric_json(rows[i][1], &v));
    }
    json_object_set_new(view, "summary", summary);
    metric_view_clear(&v);
}

static void add_end(json_t *view, const struct run *run, enum run_state state)
{
    json_t *evidence = json_array();
    uint64_t begin = run->started_ms, end = run->ended_ms;

    if (begin > 0) {
        json_object_set_new(view, "started_at_ms", json_integer((json_int_t)begin));
    }
    if (!run_state_terminal(state)) {
        json_decref(evidence);
        return;
    }
    for (size_t i = 0; i < run->worth.evidence_count; i++) {
        const struct validity_evidence *e = &run->worth.evidence[i];
        char line[VALIDITY_TEXT_MAX + 16];

        snprintf(line, sizeof line, "%s%s", e->fail ? "" : "warning: ", e->text);
        json_array_append_new(evidence, json_text(line));
    }
    json_object_set_new(view, "ended_at_ms", json_integer((json_int_t)end));
    if (end >= begin) { /* the clock of the wall may have been set back meanwhile */
        json_object_set_new(view, "duration_ms", json_integer((json_int_t)(end - begin)));
    }
    json_object_set_new(view, "verdict",
                        run->verdict != RUN_VERDICT_NONE
                            ? json_string(run_verdict_name(run->verdict))
                            : json_null());
    json_object_set_new(view, "validity",
                        json_pack("{ssso}", "state", run->validity, "evidence", evidence));
    json_object_set_new(view, "exit_code", json_integer(run->exit_code));
}

static void add_workers(json_t *view, const struct hosted *r)
{
    json_t *workers = json_array();
    json_int_t lost = 0;

    for (uint32_t i = 0; i < crew_count(r->crew); i++) {
        json_array_append_new(workers, json_string(crew_worker_id(r->crew, i)));
        lost += crew_is_lost(r->crew, i);
    }
    json_object_set_new(view, "workers", workers);
    json_object_set_new(view, "losses",
                        json_pack("{sIsI}", "log_lines_dropped", (json_int_t)r->samples_lost,
                                  "workers_lost", lost));
}

static json_t *make_view(const struct hosted *r, enum run_state state)
{
    json_t *view = view_begin(r, state, clock_wall_ms());

    add_stage(view, r->run);
    add_stop(view, r->run);
    json_object_set_new(view, "last_decision_event_id",
                        r->last_decision[0] != '\0' ? json_string(r->last_decision) : json_null());
    add_progress(view, r);
    add_summary(view, r->run);
    add_end(view, r->run, state);
    add_workers(view, r);
    return view;
}

json_t *hosted_view(const struct hosted *r)
{
    return make_view(r, r->run->state);
}

/* Nobody hears of an end that a crash could take back, or whose result cannot be had yet. */
static enum run_state shown_state(const struct hosted *r)
{
    return r->over ? RUN_ANALYZING : r->run->state;
}

/* ---- asked for --------------------------------------------------------------------------------
 */

static bool take_view(void *owner, const struct store_run *row)
{
    (void)json_parse(row->view, HUB_DOCUMENT_MAX, owner, NULL);
    return false;
}

int hub_view(struct hub *h, const char *run_id, json_t **out, struct hub_refusal *why)
{
    struct hosted *r = hub_find(h, run_id);

    *out = NULL;
    if (r != NULL) {
        *out = make_view(r, shown_state(r));
        return 0;
    }
    int rc = store_get_run(h->store, run_id, take_view, out);
    if (rc == 0 && *out == NULL) {
        return refuse(why, ERR_IO, 500, "internal", "INTERNAL_ERROR",
                      "the run's row in the store is no JSON");
    }
    return rc == 0 ? 0 : rc == ERR_NOT_FOUND ? refuse_unknown_run(why) : refuse_store(h, why);
}

struct listing {
    struct hub *hub;
    json_t *runs;
};

static bool list_run(void *owner, const struct store_run *row)
{
    struct listing *l = owner;
    struct hosted *r = hub_find(l->hub, row->run_id);
    json_t *view = NULL;

    if (r != NULL) {
        view = make_view(r, shown_state(r));
    } else {
        (void)json_parse(row->view, HUB_DOCUMENT_MAX, &view, NULL);
    }
    if (view != NULL) {
        json_array_append_new(l->runs, view);
    }
    return true;
}

int hub_list(struct hub *h,
             const struct store_filter *filter,
             json_t **out,
             struct hub_refusal *why)
{
    struct listing l = {.hub = h, .runs = json_array()};
    uint64_t total = 0;

    if (store_list_runs(h->store, filter, &total, list_run, &l) != 0) {
        json_decref(l.runs);
        return refuse_store(h, why);
    }
    *out = json_pack("{sosIsIsI}", "runs", l.runs, "total", (json_int_t)total, "limit",
                     (json_int_t)filter->limit, "offset", (json_int_t)filter->offset);
    return 0;
}

int hub_config_of(
    struct hub *h, const char *run_id, bool effective, json_t **out, struct hub_refusal *why)
{
    struct hosted *r;
    struct issue_list issues = {0};
    struct err err = {0};
    char state[32];
    int rc = hosted_read(h, run_id, &r, state, why);

    if (rc != 0) {
        return rc;
    }
    if (r->document == NULL || hosted_load(r, &issues, &err) != 0) {
        rc = refuse(why, ERR_STATE, 409, "conflict", "RUN_CONFIG_NOT_AVAILABLE",
                    "the run's document cannot be read any more: %s",
                    r->document == NULL ? "it is not in the store" : err.msg);
    } else if (effective) {
        json_t *all = scenario_explain(r->scenario);
        *out = masking_document(&r->plan->secrets, all);
        json_decref(all);
    } else {
        *out = json_incref(r->origin.scenario);
    }
    issue_list_clear(&issues);
    hosted_free(r);
    return rc;
}

static bool take_document(void *owner, uint64_t number, struct str body)
{
    (void)number;
    (void)json_parse(body, RESULT_TEXT_MAX, owner, NULL);
    return false;
}

int hub_result(struct hub *h, const char *run_id, json_t **out, struct hub_refusal *why)
{
    struct hosted *r = hub_find(h, run_id), *stored = NULL;
    char state[32];
    *out = NULL;
    int rc = store_get_document(h->store, run_id, "result", take_document, out);

    if (rc == 0 && *out != NULL) {
        return 0;
    }
    if (r != NULL) {
        return refuse_state(why, run_id, run_state_name(shown_state(r)), "result");
    }
    rc = hosted_read(h, run_id, &stored, state, why);
    hosted_free(rc == 0 ? stored : NULL);
    return rc != 0 ? rc : refuse_state(why, run_id, state, "result");
}
