/* SPDX-License-Identifier: MIT */
/* From the scenario's conditions and criteria to what the evaluators want: metrics by pointer,
 * scopes as sets of keys. */
#include "control/run_priv.h"

#include <stdio.h>
#include <string.h>

enum { SCOPE_TEXT_MAX = 1024 };

static bool equal(const char *wanted, const char *is)
{
    return wanted == NULL || (is != NULL && strcmp(wanted, is) == 0);
}

static bool stage_matches(const struct run *r, uint32_t stage, const struct scope_config *scope)
{
    const struct stage_config *c = r->plan->stages[stage].config;

    return equal(scope->stage_id, c->stage_id) && equal(scope->stage, stage_kind_name(c->kind));
}

static bool
operation_matches(const struct run *r, uint32_t operation, const struct scope_config *scope)
{
    const struct plan_operation *op = &r->plan->operations[operation];

    return equal(scope->operation, operation_name(op->kind)) &&
           equal(scope->tool_name, op->tool_name) && equal(scope->template_id, op->template_id);
}

static bool narrows_stages(const struct scope_config *scope)
{
    return scope->stage_id != NULL || scope->stage != NULL;
}

static bool narrows_operations(const struct scope_config *scope)
{
    return scope->operation != NULL || scope->tool_name != NULL || scope->template_id != NULL;
}

/* The one stage that the scope leaves, `own` when it has one already, -1: none or several. */
static int32_t stage_of(const struct run *r, const struct scope_config *scope, int32_t own)
{
    int32_t found = -1;

    if (own >= 0 || !narrows_stages(scope)) {
        return own;
    }
    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        if (stage_matches(r, i, scope)) {
            if (found >= 0) {
                return -1;
            }
            found = (int32_t)i;
        }
    }
    return found;
}

/* NULL: all keys. */
static const uint64_t *keys_of(struct run *r, const struct scope_config *scope)
{
    const struct plan *p = r->plan;

    if (!narrows_operations(scope) && !narrows_stages(scope)) {
        return NULL;
    }
    uint64_t *keys = arena_array(&r->arena_, (p->key_count + 63) / 64, sizeof *keys);
    for (uint32_t s = 0; s < p->stage_count; s++) {
        for (uint32_t o = 0; o < p->operation_count; o++) {
            uint32_t key = plan_key(p, s, o);

            if (stage_matches(r, s, scope) && operation_matches(r, o, scope)) {
                keys[key / 64] |= UINT64_C(1) << (key % 64);
            }
        }
    }
    return keys;
}

static const char *text_of(struct run *r, const struct scope_config *scope)
{
    const struct {
        const char *key, *value;
    } parts[] = {
        {"stage_id", scope->stage_id},       {"stage", scope->stage},
        {"operation", scope->operation},     {"tool_name", scope->tool_name},
        {"template_id", scope->template_id}, {"worker_id", scope->worker_id},
    };
    char text[SCOPE_TEXT_MAX] = "";
    size_t len = 0;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].value != NULL && len < sizeof text) {
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s=%s", len > 0 ? ", " : "",
                                    parts[i].key, parts[i].value);
        }
    }
    for (size_t i = 0; i < scope->label_count && len < sizeof text; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%slabel.%s=%s", len > 0 ? ", " : "",
                                scope->labels[i].name, scope->labels[i].value);
    }
    return len > 0 ? arena_strdup(&r->arena_, text) : NULL;
}

static enum stop_comparator comparator_of(enum comparator c)
{
    static const enum stop_comparator comparators[] = {
        [COMPARE_GT] = STOP_GT,
        [COMPARE_GE] = STOP_GE,
        [COMPARE_LT] = STOP_LT,
        [COMPARE_LE] = STOP_LE,
    };

    return comparators[c];
}

static int find(const struct run *r, const char *name, const struct metric **out, struct err *err)
{
    *out = metric_set_find(r->metrics, str_c(name));
    return *out != NULL ? 0 : err_set(err, ERR_INVALID, "unknown metric '%s'", name);
}

static int
add_condition(struct run *r, const struct condition_config *c, int32_t stage, struct err *err)
{
    struct stop_spec *spec = &r->specs_[r->condition_count];

    r->condition_scopes_[r->condition_count++] = books_scope(r, &c->scope);
    *spec = (struct stop_spec){
        .id = c->id,
        .comparator = comparator_of(c->comparator),
        .threshold = c->threshold,
        .window_ms = c->window_ns / NS_PER_MS,
        .sustain_windows = (uint32_t)c->sustain_windows,
        .stage_index = stage_of(r, &c->scope, stage),
        .keys = keys_of(r, &c->scope),
        .scope_text = text_of(r, &c->scope),
        .after_first_stream = c->after_first_stream,
        .on_trigger = c->on_trigger == TRIGGER_PASS ? STOP_PASS : STOP_FAIL,
    };
    return find(r, c->metric, &spec->metric, err);
}

static int
add_criterion(struct run *r, const struct criterion_config *c, int32_t stage, struct err *err)
{
    struct criterion_spec *spec = &r->criterion_specs_[r->criterion_count];

    r->criterion_scopes_[r->criterion_count++] = books_scope(r, &c->scope);
    *spec = (struct criterion_spec){
        .id = c->id,
        .comparator = comparator_of(c->comparator),
        .threshold = c->threshold,
        .stage_index = stage_of(r, &c->scope, stage),
        .keys = keys_of(r, &c->scope),
        .names_stages = narrows_stages(&c->scope),
        .scope_text = text_of(r, &c->scope),
    };
    return find(r, c->metric, &spec->metric, err);
}

static void make_metrics(struct run *r)
{
    static const enum metric_custom_kind kinds[] = {
        [CUSTOM_COUNTER] = METRIC_COUNTER,
        [CUSTOM_GAUGE] = METRIC_LAST,
        [CUSTOM_TREND] = METRIC_TREND,
    };
    const struct workload_config *w = &r->plan->scenario->workload;
    struct metric_custom_def defs[VERIFY_CUSTOMS_MAX];

    for (size_t i = 0; i < w->custom_count; i++) {
        defs[i] = (struct metric_custom_def){w->customs[i].name, kinds[w->customs[i].kind]};
    }
    r->metrics = metric_set_new(defs, w->custom_count);
}

/* Conditions of the stages, then those of the run: the first of the file is the reason. */
static int add_all(struct run *r, struct err *err)
{
    const struct scenario *s = r->plan->scenario;
    int rc = 0;

    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        const struct stage_config *c = r->plan->stages[i].config;

        for (size_t k = 0; rc == 0 && k < c->condition_count; k++) {
            rc = add_condition(r, &c->conditions[k], (int32_t)i, err);
        }
        for (size_t k = 0; rc == 0 && k < c->criterion_count; k++) {
            rc = add_criterion(r, &c->criteria[k], (int32_t)i, err);
        }
    }
    for (size_t k = 0; rc == 0 && k < s->safety.condition_count; k++) {
        rc = add_condition(r, &s->safety.conditions[k], -1, err);
    }
    for (size_t k = 0; rc == 0 && k < s->criterion_count; k++) {
        rc = add_criterion(r, &s->criteria[k], -1, err);
    }
    return rc;
}

int specs_make(struct run *r, struct err *err)
{
    const struct scenario *s = r->plan->scenario;
    size_t conditions = s->safety.condition_count, criteria = s->criterion_count;

    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        conditions += r->plan->stages[i].config->condition_count;
        criteria += r->plan->stages[i].config->criterion_count;
    }
    make_metrics(r);
    r->condition_scopes_ = arena_array(&r->arena_, conditions, sizeof *r->condition_scopes_);
    r->criterion_scopes_ = arena_array(&r->arena_, criteria, sizeof *r->criterion_scopes_);
    r->specs_ = arena_array(&r->arena_, conditions, sizeof *r->specs_);
    r->criterion_specs_ = arena_array(&r->arena_, criteria, sizeof *r->criterion_specs_);
    r->criteria = arena_array(&r->arena_, criteria, sizeof *r->criteria);
    return add_all(r, err);
}

void specs_judge(struct run *r)
{
    for (size_t i = 0; i < r->criterion_count; i++) {
        criterion_judge(r->books, &r->criterion_specs_[i], &r->criteria[i]);
    }
    r->criteria_judged = true;
}
