/* SPDX-License-Identifier: MIT */
/* The verdict over a run that has ended: are its numbers whole, and what do they mean? */
#include "control/run_priv.h"

#include <signal.h>
#include <stdio.h>

/* Exit codes of `mcpdrill run`; the table is in the README and in `mcpdrill help run`. */
enum {
    EXIT_PASSED = 0,
    EXIT_INTERNAL = 1,
    EXIT_STOPPED = 4,
    EXIT_FAILED = 5,
    EXIT_INVALID = 6,
    EXIT_ABORTED = 7,
};

enum { FOREIGN_TEXT_MAX = 8192 }; /* six bytes for each of the longest text */

json_t *run_trigger_json(const struct run *r)
{
    const struct stop_trigger *t = &r->trigger;
    const struct stop_observation *o = &t->windows[0];
    json_t *also = json_array();

    for (size_t i = 0; i < t->also_count; i++) {
        json_array_append_new(also, json_string(r->specs_[t->also[i]].id));
    }
    json_t *windows = json_array();
    for (size_t i = 0; i < t->window_count; i++) {
        const struct stop_observation *w = &t->windows[i];
        json_array_append_new(windows,
                              json_pack("{sosIsIsI}", "value",
                                        w->has_value ? json_real(w->value) : json_null(), "samples",
                                        (json_int_t)w->samples, "total_ops", (json_int_t)w->ended,
                                        "failed_ops", (json_int_t)w->failed));
    }
    int32_t stage = t->spec->stage_index; /* -1: of the whole run */
    const struct stage_config *c = stage >= 0 ? run_stage_config(r, stage) : NULL;
    return json_pack(
        "{sssssssfsfsIsIsIsosbsosossssss}", "condition_id", t->spec->id, "metric",
        t->spec->metric->name, "comparator", stop_comparator_name(t->spec->comparator), "threshold",
        t->spec->threshold, "observed", o->value, "window_ms", (json_int_t)t->window_s * 1000,
        "total_ops", (json_int_t)o->ended, "failed_ops", (json_int_t)o->failed, "sentence",
        run_text(t->sentence), "partial", (int)t->partial, "also", also, "windows", windows,
        "scope", t->spec->scope_text != NULL ? t->spec->scope_text : "", "stage",
        c != NULL ? stage_kind_name(c->kind) : "", "stage_id", c != NULL ? c->stage_id : "");
}

json_t *run_text(const char *text)
{
    struct buf quoted;
    json_t *out = NULL;

    buf_init(&quoted, FOREIGN_TEXT_MAX);
    if (json_add_string(&quoted, str_c(text)) != 0 ||
        json_parse(buf_str(&quoted), FOREIGN_TEXT_MAX, &out, NULL) != 0) {
        out = json_string("");
    }
    buf_clear(&quoted);
    return out;
}

static json_t *check_json(const struct check *c)
{
    char code[64] = "";

    if (!c->ok) {
        error_code_name(c->code, c->number, code, sizeof code);
    }
    return json_pack("{sssbsfss?ss?soso}", "name", c->name, "ok", (int)c->ok, "latency_ms",
                     (double)c->latency_ns / (double)NS_PER_MS, "error_type",
                     c->ok ? NULL : error_type_name(error_code_type(c->code)), "error_code",
                     c->ok ? NULL : code, "message", run_text(c->message), "remediation",
                     run_text(c->remediation));
}

json_t *run_preflight_json(const struct run *r)
{
    json_t *checks = json_array();

    for (uint32_t i = 0; r->checked && i < r->checks.count; i++) {
        json_array_append_new(checks, check_json(&r->checks.items[i]));
    }
    return json_pack("{sssssoso}", "stage", "preflight", "stage_id",
                     r->stage >= 0 ? r->plan->stages[r->stage].config->stage_id : "", "reason",
                     run_text(r->stop.sentence), "checks", checks);
}

/* What is wrong with the books; NULL: nothing. `out` has room for a line. */
static const char *lost_data(const struct run *r,
                             const struct aggregate_integrity *i,
                             const struct metric_view *v,
                             char *out,
                             size_t size)
{
    unsigned long long started = v->count[COUNT_STARTED];
    unsigned long long ended =
        v->count[COUNT_ENDED_OK] + v->count[COUNT_ENDED_FAILED] + v->count[COUNT_UNFINISHED];
    const char *lost = sources_lost(r, out, size);

    if (lost != NULL) {
        return lost;
    }
    if (started != ended) {
        snprintf(out, size, "%llu operations started, %llu reported", started, ended);
        return out;
    }
    if (i->due_missing != 0) {
        snprintf(out, size, "%lld operations were due and neither started nor dropped",
                 (long long)i->due_missing);
        return out;
    }
    if (!i->sums_agree || i->missing + i->duplicates + i->refused + i->unknown_source > 0) {
        snprintf(out, size, "windows: %llu merged, %llu missing, %llu repeated, %llu refused",
                 (unsigned long long)i->windows, (unsigned long long)i->missing,
                 (unsigned long long)i->duplicates,
                 (unsigned long long)i->refused + (unsigned long long)i->unknown_source);
        return out;
    }
    return NULL;
}

/* The stage of the open model that wanted most. */
static const struct plan_stage *busiest_stage(const struct run *r)
{
    const struct plan_stage *found = NULL;

    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        const struct plan_stage *s = &r->plan->stages[i];
        if (aggregate_is_load(r->books, i) && s->levels.open_model &&
            (found == NULL || s->levels.rps > found->levels.rps)) {
            found = s;
        }
    }
    return found;
}

static void count_slots(const struct run *r, struct metric_view *v, struct validity_inputs *in)
{
    const struct plan_stage *s = busiest_stage(r);
    double mean_ns;

    if (s == NULL) {
        return;
    }
    in->slots =
        (uint64_t)(s->levels.sized ? r->plan->scenario->safety.caps.max_vus : s->levels.vus) *
        r->plan->slots;
    if (v->dist[DIST_SERVICE] != NULL && hist_mean(v->dist[DIST_SERVICE], &mean_ns)) {
        in->slots_busy = s->levels.rps * mean_ns / 1e9;
        in->slots_needed = levels_slots_needed(s->levels.rps, mean_ns / 1e9);
    }
}

/* What the load stages ordered, and what became of it. */
static void count_delivery(struct run *r, struct validity_inputs *in)
{
    struct aggregate_filter filter = aggregate_load();
    struct metric_view v = {0};

    filter.dists = 1u << DIST_SERVICE;
    aggregate_view_total(r->books, &filter, &v);
    in->due = v.count[COUNT_DUE];
    in->started = v.open_count[COUNT_STARTED];
    in->dropped_deadline = v.count[COUNT_DROPPED_DEADLINE];
    in->dropped_no_slot = v.count[COUNT_DROPPED_NO_SLOT];
    in->max_rps = r->plan->scenario->safety.caps.max_rps;
    in->max_connections = r->plan->scenario->safety.caps.max_connections;
    in->held_by_rps = aggregate_limit(r->books, LIMIT_MAX_RPS);
    in->held_by_connections = aggregate_limit(r->books, LIMIT_MAX_CONNECTIONS);
    count_slots(r, &v, in);
    metric_view_clear(&v);
}

static const char *worker_of(const void *run, uint32_t source)
{
    return run_source_worker(run, source);
}

/* Fills validity and evidence. */
static void judge_validity(struct run *r)
{
    struct aggregate_integrity integrity;
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};
    char line[256];

    filter.dists = 0;
    aggregate_integrity(r->books, &integrity);
    aggregate_view_total(r->books, &filter, &v);
    struct validity_inputs in = {
        .worker_of = r->workers_->sources != NULL ? worker_of : NULL,
        .owner = r,
        .lost = lost_data(r, &integrity, &v, line, sizeof line),
        .own_operations = v.count[COUNT_OWN_FAILURES],
        .own_connects = v.count[COUNT_CONNECT_OWN],
    };
    in.vus = r->plan->max_vus;
    in.vus_gave_up = v.count[COUNT_VUS_GAVE_UP];
    count_delivery(r, &in);
    for (size_t i = r->criterion_count; r->criteria_judged && i-- > 0;) {
        if (r->criteria[i].state == CRITERION_UNDECIDED) {
            in.undecided_criteria++;
            in.undecided = r->criteria[i].sentence;
        }
    }
    validity_judge(r->validity_, &in, &r->worth);
    r->validity = validity_state_name(r->worth.state);
    (void)validity_write(&r->worth, &r->evidence);
    metric_view_clear(&v);
}

/* Do the figures say something about the target? */
static bool is_about_target(enum validity_state state)
{
    return state != VALIDITY_LOST_DATA && state != VALIDITY_GENERATOR_BOUND &&
           state != VALIDITY_NETWORK_BOUND;
}

/* Somebody has ended it, by a signal or by a request: the result is a part of what was asked for.
 */
static bool is_interrupted(const struct run *r)
{
    return r->stop.signo != 0 || r->stop.kind == RUN_STOP_REQUESTED;
}

static int exit_code_of(const struct run *r)
{
    switch (r->stop.kind) {
    case RUN_STOP_SYSTEM:
        return EXIT_INTERNAL;
    case RUN_STOP_PREFLIGHT:
    case RUN_STOP_ALLOCATION:
    case RUN_STOP_WORKER_LOST:
        return EXIT_FAILED;
    case RUN_STOP_EMERGENCY:
        return EXIT_ABORTED;
    case RUN_STOP_CONDITION:
        return r->trigger.spec->on_trigger == STOP_PASS ? EXIT_PASSED : EXIT_STOPPED;
    case RUN_STOP_MAX_DURATION:
    case RUN_STOP_MAX_ERRORS:
    case RUN_STOP_STAGE_TIMEOUT:
        return EXIT_STOPPED;
    case RUN_STOP_NONE:
    case RUN_STOP_COMPLETED:
    case RUN_STOP_REQUESTED:
    case RUN_STOP_COUNT:
        break;
    }
    if (is_interrupted(r)) {
        return 128 + (r->stop.signo != 0 ? r->stop.signo : SIGINT);
    }
    return EXIT_PASSED;
}

/* Were there figures to judge? */
static bool played(const struct run *r)
{
    return r->stop.kind != RUN_STOP_PREFLIGHT && r->stop.kind != RUN_STOP_SYSTEM &&
           r->stop.kind != RUN_STOP_ALLOCATION && r->stop.kind != RUN_STOP_WORKER_LOST;
}

static bool a_criterion_failed(const struct run *r)
{
    for (size_t i = 0; r->criteria_judged && i < r->criterion_count; i++) {
        if (r->criteria[i].state == CRITERION_FAILED ||
            r->criteria[i].state == CRITERION_NO_VALUE) {
            return true;
        }
    }
    return false;
}

/* What becomes of a run that ended well. An answer to the wrong caller is a fact, whatever the
 * figures are worth; a criterion is about figures. */
static int exit_code_of_figures(const struct run *r)
{
    if (r->integrity_told_) {
        return EXIT_STOPPED;
    }
    if (a_criterion_failed(r) && is_about_target(r->worth.state)) {
        return EXIT_STOPPED;
    }
    return r->worth.state == VALIDITY_VALID ? EXIT_PASSED : EXIT_INVALID;
}

void run_judge(struct run *r)
{
    if (played(r)) {
        specs_judge(r);
    }
    judge_validity(r);
    r->exit_code = exit_code_of(r);
    if (r->exit_code == EXIT_PASSED) {
        r->exit_code = exit_code_of_figures(r);
    }
    if (is_interrupted(r)) {
        /* A partial result: nobody can say how it would have ended. */
        r->verdict = RUN_VERDICT_NONE;
    } else if (r->exit_code == EXIT_PASSED) {
        r->verdict = RUN_PASSED;
    } else {
        r->verdict = r->exit_code == EXIT_INVALID ? RUN_INVALID : RUN_VERDICT_FAILED;
    }
    pace_end(r);
    notice_failures(r);
    notice_limits(r);
}
