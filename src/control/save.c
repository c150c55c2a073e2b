/* SPDX-License-Identifier: MIT */
/* What a saved run consists of; restore.c reads it. */
#include "control/save.h"

#include "control/run_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* Every digit: writers of documents may round. */
static json_t *real(double value)
{
    char text[40];

    snprintf(text, sizeof text, "%.17g", value);
    return json_string(text);
}

static json_t *save_stages(const struct run *r)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        const struct run_stage *s = &r->stages[i];

        json_array_append_new(out,
                              json_pack("{sbsbsososo}", "started", (int)s->started, "ended",
                                        (int)s->ended, "start_ns", number(s->start_ns), "end_ns",
                                        number(s->end_ns), "max_vus", number(s->max_vus)));
    }
    return out;
}

static json_t *save_sources(const struct run *r)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < r->workers_->source_count; i++) {
        const struct run_source_state *s = &r->source_states_[i];

        json_array_append_new(out, json_pack("{sbsbsb}", "drained", (int)s->drained, "totals",
                                             (int)s->totals, "lost", (int)s->lost));
    }
    return out;
}

static json_t *save_marks(const struct run *r)
{
    json_t *out = json_array();

    for (size_t i = 0; i < r->mark_count_; i++) {
        const struct run_mark *m = &r->marks_[i];

        json_array_append_new(
            out, json_pack("[ooo]", number(m->windows), number(m->source), number(m->end_second)));
    }
    return out;
}

static json_t *save_level(const struct run_level *level)
{
    return json_pack("{sbsoso}", "known", (int)level->known, "vus", number(level->vus), "rps",
                     real(level->rps));
}

static json_t *save_stop(const struct run_stop *s)
{
    return json_pack("{sssbsisososs?sososo}", "kind", run_stop_name(s->kind), "immediate",
                     (int)(s->mode == STOP_IMMEDIATE), "signo", s->signo, "reason",
                     run_text(s->reason), "sentence", run_text(s->sentence), "actor", s->actor,
                     "at_ms", number(s->at_ms), "from", save_level(&s->from), "at",
                     save_level(&s->at));
}

static json_t *save_check(const struct check *c)
{
    char code[64];

    return json_pack("{sssbsosssisoso}", "name", c->name, "ok", (int)c->ok, "latency_ns",
                     number(c->latency_ns), "code",
                     error_code_name(c->code, c->number, code, sizeof code), "number", c->number,
                     "message", run_text(c->message), "remediation", run_text(c->remediation));
}

static json_t *save_checks(const struct check_list *list)
{
    json_t *items = json_array(), *warnings = json_array(), *requests = json_array();

    for (uint32_t i = 0; i < list->count; i++) {
        json_array_append_new(items, save_check(&list->items[i]));
    }
    for (uint32_t i = 0; i < list->warning_count; i++) {
        json_array_append_new(warnings, run_text(list->warnings[i]));
    }
    for (uint32_t i = 0; i < list->request_count; i++) {
        json_array_append_new(
            requests, json_pack("[so]", list->requests[i].method, number(list->requests[i].count)));
    }
    return json_pack("{sosososososo}", "items", items, "warnings", warnings, "requests", requests,
                     "protocol_version", run_text(list->protocol_version), "server_name",
                     run_text(list->server_name), "server_version", run_text(list->server_version));
}

/* A line each: one of them is short enough for run_text. */
static json_t *save_warnings(const struct run *r)
{
    json_t *out = json_array();
    struct str rest = buf_str(&r->warnings);
    char text[RUN_WARNING_MAX_BYTES];

    while (rest.len > 0) {
        const char *end = memchr(rest.p, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;

        snprintf(text, sizeof text, "%.*s", (int)len, rest.p);
        json_array_append_new(out, run_text(text));
        len += end != NULL;
        rest.p += len;
        rest.len -= len;
    }
    return out;
}

/* What is due when; 0: nothing. */
static json_t *save_times(const struct run *r)
{
    return json_pack("{sososososososososo}", "created_ms", number(r->created_ms), "started_ms",
                     number(r->started_ms), "grid_ns", number(r->grid_ns), "grid_ms",
                     number(r->grid_ms), "end_ns", number(r->end_ns), "cap_ns", number(r->cap_ns_),
                     "drain_ns", number(r->drain_ns_), "step_ns", number(r->step_ns_), "lacking_ns",
                     number(r->lacking_ns_));
}

static json_t *save_counts(const struct run *r)
{
    return json_pack("{sosososososososososo}", "windows", number(r->window_count_), "seen_second",
                     number(r->seen_second_), "looked", number(stop_looked(r->conditions)),
                     "ordered", number(r->ordered_), "events", number(r->event_count_), "gave_up",
                     number(r->gave_up_), "preflight_ended", number(r->preflight_ended_),
                     "preflight_failed", number(r->preflight_failed_), "ramp_step",
                     number(r->ramp_step_), "ramp_at_ns", number(r->ramp_at_ns_));
}

static json_t *save_flags(const struct run *r)
{
    return json_pack("{sbsbsbsbsbsbsb}", "triggered", (int)r->triggered, "checked", (int)r->checked,
                     "drain_timed_out", (int)r->drain_timed_out, "judging", (int)r->stage_judging_,
                     "integrity_told", (int)r->integrity_told_, "journey_told",
                     (int)r->journey_told_, "partial_told", (int)r->partial_told_);
}

/* By which another boot is told: monotonic time goes on with the machine only. */
static json_t *save_clock(const struct run *r)
{
    return json_pack("{soso}", "now_ns", number(loop_clock(r->loop)), "wall_ms",
                     number(clock_wall_ms()));
}

json_t *run_save(const struct run *r)
{
    assert(!run_is_over(r));
    json_t *out = json_object();

    json_object_set_new(out, "version", number(RUN_SAVE_VERSION));
    json_object_set_new(out, "clock", save_clock(r));
    json_object_set_new(out, "state", json_string(run_state_name(r->state)));
    json_object_set_new(out, "stage", json_integer(r->stage + 1));
    json_object_set_new(out, "times", save_times(r));
    json_object_set_new(out, "counts", save_counts(r));
    json_object_set_new(out, "flags", save_flags(r));
    json_object_set_new(out, "stages", save_stages(r));
    json_object_set_new(out, "sources", save_sources(r));
    json_object_set_new(out, "totals_differ", run_text(r->totals_differ_));
    json_object_set_new(out, "marks", save_marks(r));
    json_object_set_new(out, "stop", save_stop(&r->stop));
    json_object_set_new(out, "checks", r->checked ? save_checks(&r->checks) : json_null());
    json_object_set_new(out, "warnings", save_warnings(r));
    json_object_set_new(out, "warnings_lost", number(r->warnings_lost));
    return out;
}
