/* SPDX-License-Identifier: MIT */
/*
 * The books of a run: those of all its sources, and for each scope that narrows the sources
 * (worker_id, label.NAME) books of their own, in which these sources are numbered anew. What
 * conditions and criteria of such a scope look at are they.
 */
#include "base/mem.h"
#include "control/run_priv.h"

#include <stdio.h>
#include <string.h>

enum { HISTORY_MIN_SECONDS = 60, SCOPE_TEXT_MAX = 1024 };

/* ---- which sources ----------------------------------------------------------------------------
 */

/* A label of a source is "NAME=VALUE". */
static bool has_label(const struct run_source *source, const struct named_text *wanted)
{
    size_t len = strlen(wanted->name);

    for (uint32_t i = 0; i < source->label_count; i++) {
        const char *label = source->labels[i];

        if (strncmp(label, wanted->name, len) == 0 && label[len] == '=' &&
            strcmp(label + len + 1, wanted->value) == 0) {
            return true;
        }
    }
    return false;
}

static bool matches(const struct run *r, uint32_t source, const struct scope_config *scope)
{
    static const struct run_source nameless;
    const struct run_source *s =
        r->workers_->sources != NULL ? &r->workers_->sources[source] : &nameless;

    if (scope->worker_id != NULL && strcmp(scope->worker_id, run_source_worker(r, source)) != 0) {
        return false;
    }
    for (size_t i = 0; i < scope->label_count; i++) {
        if (!has_label(s, &scope->labels[i])) {
            return false;
        }
    }
    return true;
}

static const char *text_of(const struct scope_config *scope, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    if (scope->worker_id != NULL) {
        len = (size_t)snprintf(out, size, "worker_id=%s", scope->worker_id);
    }
    for (size_t i = 0; i < scope->label_count && len < size; i++) {
        len += (size_t)snprintf(out + len, size - len, "%slabel.%s=%s", len > 0 ? ", " : "",
                                scope->labels[i].name, scope->labels[i].value);
    }
    return out;
}

static void choose_sources(struct run *r, struct run_scope *to, const struct scope_config *scope)
{
    to->local = arena_array(&r->arena_, r->workers_->source_count, sizeof *to->local);
    for (uint32_t i = 0; i < r->workers_->source_count; i++) {
        to->local[i] = matches(r, i, scope) ? to->source_count++ : RUN_SCOPE_NONE;
    }
}

uint32_t books_scope(struct run *r, const struct scope_config *scope)
{
    char text[SCOPE_TEXT_MAX];

    if (scope->worker_id == NULL && scope->label_count == 0) {
        return RUN_SCOPE_NONE;
    }
    text_of(scope, text, sizeof text);
    for (uint32_t i = 0; i < r->scope_count_; i++) {
        if (strcmp(r->scopes_[i].text, text) == 0) {
            return i;
        }
    }
    r->scopes_ = xrealloc(r->scopes_, (r->scope_count_ + 1) * sizeof *r->scopes_);
    r->scopes_[r->scope_count_] = (struct run_scope){.text = arena_strdup(&r->arena_, text)};
    choose_sources(r, &r->scopes_[r->scope_count_], scope);
    return r->scope_count_++;
}

/* ---- making them ------------------------------------------------------------------------------
 */

/* Preflight only looks whether load is possible: its figures are none of the load's, unless there
 * is nothing else. */
static void set_preflight_apart(const struct run *r, struct aggregate *a)
{
    uint32_t load_stages = 0;

    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        load_stages += !run_is_preflight(r, i);
    }
    for (uint32_t i = 0; load_stages > 0 && i < r->plan->stage_count; i++) {
        if (run_is_preflight(r, i)) {
            aggregate_set_apart(a, i);
        }
    }
}

/* The conditions that look at the books of the scope. */
static size_t specs_of(const struct run *r, uint32_t scope, struct stop_spec *out)
{
    size_t count = 0;

    for (size_t i = 0; i < r->condition_count; i++) {
        if (r->condition_scopes_[i] == scope) {
            out[count++] = r->specs_[i];
        }
    }
    return count;
}

/* Only conditions with a scope ask single seconds for single operations. */
static void group_history(struct aggregate *a, const struct stop_spec *specs, size_t spec_count)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const uint64_t **scopes = xcalloc(spec_count + 1, sizeof *scopes);
    size_t count = 0;

    for (size_t i = 0; i < spec_count; i++) {
        if (specs[i].keys != NULL) {
            scopes[count++] = specs[i].keys;
        }
    }
    aggregate_group_history(a, scopes, count);
    xfree(scopes);
}

static struct aggregate_key *make_keys(const struct plan *p)
{
    struct aggregate_key *keys = xcalloc(p->key_count, sizeof *keys);

    for (uint32_t s = 0; s < p->stage_count; s++) {
        for (uint32_t o = 0; o < p->operation_count; o++) {
            const struct plan_operation *op = &p->operations[o];

            keys[plan_key(p, s, o)] = (struct aggregate_key){
                .stage_index = s,
                .operation = operation_name(op->kind),
                .tool_name = op->tool_name,
                .template_id = op->template_id,
            };
        }
    }
    return keys;
}

/* `least`: seconds of history, however few the conditions need. */
static struct aggregate *
make(const struct run *r, uint32_t scope, uint32_t source_count, uint32_t least)
{
    const struct plan *p = r->plan;
    struct aggregate_key *keys = make_keys(p);
    struct stop_spec *specs = xcalloc(r->condition_count + 1, sizeof *specs);
    size_t count = specs_of(r, scope, specs);
    uint32_t history = stop_history_seconds(specs, count);
    struct aggregate *a = aggregate_new(keys, p->key_count, p->stage_count, source_count,
                                        (uint32_t)p->scenario->workload.custom_count,
                                        history > least ? history : least);

    group_history(a, specs, count);
    for (uint32_t i = 0; i < p->stage_count; i++) {
        aggregate_set_open_model(a, i, p->stages[i].levels.open_model);
    }
    set_preflight_apart(r, a);
    xfree(specs);
    xfree(keys);
    return a;
}

void books_make(struct run *r)
{
    r->books = make(r, RUN_SCOPE_NONE, r->workers_->source_count, HISTORY_MIN_SECONDS);
    for (uint32_t i = 0; i < r->scope_count_; i++) {
        r->scopes_[i].books = make(r, i, r->scopes_[i].source_count, 1);
    }
    for (size_t i = 0; i < r->condition_count; i++) {
        uint32_t scope = r->condition_scopes_[i];
        r->specs_[i].books = scope != RUN_SCOPE_NONE ? r->scopes_[scope].books : NULL;
    }
    for (size_t i = 0; i < r->criterion_count; i++) {
        uint32_t scope = r->criterion_scopes_[i];
        r->criterion_specs_[i].books = scope != RUN_SCOPE_NONE ? r->scopes_[scope].books : NULL;
    }
}

void books_free(struct run *r)
{
    for (uint32_t i = 0; i < r->scope_count_; i++) {
        aggregate_free(r->scopes_[i].books);
    }
    xfree(r->scopes_);
    aggregate_free(r->books);
}

void books_tell_empty(struct run *r)
{
    for (uint32_t i = 0; i < r->scope_count_; i++) {
        if (r->scopes_[i].source_count == 0) {
            run_warn(r,
                     "no worker of this run matches the scope %.300s: its conditions see nothing",
                     r->scopes_[i].text);
        }
    }
}

/* ---- filling them -----------------------------------------------------------------------------
 */

void books_add(struct run *r, uint32_t source, const struct window *w)
{
    aggregate_add(r->books, source, w);
    for (uint32_t i = 0; source < r->workers_->source_count && i < r->scope_count_; i++) {
        if (r->scopes_[i].local[source] != RUN_SCOPE_NONE) {
            aggregate_add(r->scopes_[i].books, r->scopes_[i].local[source], w);
        }
    }
}

static void end_source(struct aggregate *a, uint32_t source, bool finished)
{
    if (finished) {
        aggregate_finish_source(a, source);
    } else {
        aggregate_leave_source(a, source);
    }
}

void books_end_source(struct run *r, uint32_t source, bool finished)
{
    end_source(r->books, source, finished);
    for (uint32_t i = 0; i < r->scope_count_; i++) {
        if (r->scopes_[i].local[source] != RUN_SCOPE_NONE) {
            end_source(r->scopes_[i].books, r->scopes_[i].local[source], finished);
        }
    }
}

void books_begin_stage(struct run *r, uint32_t stage, uint64_t begin_ns)
{
    aggregate_begin_stage(r->books, stage, begin_ns);
    for (uint32_t i = 0; i < r->scope_count_; i++) {
        aggregate_begin_stage(r->scopes_[i].books, stage, begin_ns);
    }
}

void books_end_stage(struct run *r, uint32_t stage, uint64_t end_second, uint64_t end_ns)
{
    aggregate_end_stage(r->books, stage, end_second, end_ns);
    for (uint32_t i = 0; i < r->scope_count_; i++) {
        aggregate_end_stage(r->scopes_[i].books, stage, end_second, end_ns);
    }
}
