/* SPDX-License-Identifier: MIT */
/* Reading what save.c wrote. Nothing in it is trusted but to have been written for this plan. */
#include "control/run_priv.h"
#include "control/save.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By which the clocks of one boot may have drifted, or been set. */
#define BOOT_TOLERANCE_MS INT64_C(600000)

/* Where members are taken from; the first that is not as it should be is remembered. */
struct reader {
    struct run *run;
    const char *bad;
};

/* ---- members --------------------------------------------------------------------------------- */

static const json_t *fail(struct reader *in, const char *key)
{
    in->bad = in->bad != NULL ? in->bad : key;
    return NULL;
}

static const json_t *object(struct reader *in, const json_t *from, const char *key)
{
    const json_t *value = json_object_get(from, key);

    return json_is_object(value) ? value : fail(in, key);
}

/* An array of as many elements as wanted, at most. */
static const json_t *array(struct reader *in, const json_t *from, const char *key, size_t max)
{
    const json_t *value = json_object_get(from, key);

    return json_is_array(value) && json_array_size(value) <= max ? value : fail(in, key);
}

static uint64_t integer(struct reader *in, const json_t *value, const char *key, uint64_t max)
{
    json_int_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < 0 || (uint64_t)n > max) {
        fail(in, key);
        return 0;
    }
    return (uint64_t)n;
}

static uint64_t number(struct reader *in, const json_t *from, const char *key, uint64_t max)
{
    return integer(in, json_object_get(from, key), key, max);
}

static bool flag(struct reader *in, const json_t *from, const char *key)
{
    const json_t *value = json_object_get(from, key);

    if (!json_is_boolean(value)) {
        fail(in, key);
    }
    return json_is_true(value);
}

static const char *text(struct reader *in, const json_t *from, const char *key)
{
    const char *value = json_string_value(json_object_get(from, key));

    if (value == NULL) {
        fail(in, key);
    }
    return value != NULL ? value : "";
}

/* Cut to its place. */
static void copy(struct reader *in, const json_t *from, const char *key, char *out, size_t size)
{
    snprintf(out, size, "%s", text(in, from, key));
}

static double real(struct reader *in, const json_t *from, const char *key)
{
    const char *digits = text(in, from, key);
    char *end = NULL;
    double value = strtod(digits, &end);

    if (end == digits || *end != '\0') {
        fail(in, key);
    }
    return value;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static enum run_state state_of(struct reader *in, const json_t *from)
{
    const char *name = text(in, from, "state");

    for (unsigned i = 0; i < RUN_STATE_COUNT; i++) {
        if (strcmp(name, run_state_name((enum run_state)i)) == 0 && i != RUN_ANALYZING &&
            !run_state_terminal((enum run_state)i)) {
            return (enum run_state)i;
        }
    }
    fail(in, "state");
    return RUN_CREATED;
}

static enum run_stop_kind stop_kind_of(struct reader *in, const json_t *from)
{
    const char *name = text(in, from, "kind");

    for (unsigned i = 0; i < RUN_STOP_COUNT; i++) {
        if (strcmp(name, run_stop_name((enum run_stop_kind)i)) == 0) {
            return (enum run_stop_kind)i;
        }
    }
    fail(in, "kind");
    return RUN_STOP_NONE;
}

/* A status, or a code of JSON-RPC, which is below zero. */
static int code_number(struct reader *in, const json_t *from)
{
    const json_t *value = json_object_get(from, "number");
    json_int_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < INT32_MIN || n > INT32_MAX) {
        fail(in, "number");
        return 0;
    }
    return (int)n;
}

static enum error_code code_of(struct reader *in, const json_t *from, int n)
{
    const char *name = text(in, from, "code");
    char candidate[64];

    for (unsigned i = 0; i < ERROR_CODE_COUNT; i++) {
        error_code_name((enum error_code)i, n, candidate, sizeof candidate);
        if (strcmp(name, candidate) == 0) {
            return (enum error_code)i;
        }
    }
    fail(in, "code");
    return ERROR_CODE_NONE;
}

static void read_level(struct reader *in, const json_t *from, struct run_level *level)
{
    level->known = flag(in, from, "known");
    level->vus = (uint32_t)number(in, from, "vus", UINT32_MAX);
    level->rps = real(in, from, "rps");
}

static void read_stop(struct reader *in, const json_t *from)
{
    struct run_stop *s = &in->run->stop;

    s->kind = stop_kind_of(in, from);
    s->mode = flag(in, from, "immediate") ? STOP_IMMEDIATE : STOP_DRAIN;
    s->signo = (int)number(in, from, "signo", 255);
    copy(in, from, "reason", s->reason, sizeof s->reason);
    copy(in, from, "sentence", s->sentence, sizeof s->sentence);
    if (!json_is_null(json_object_get(from, "actor"))) {
        s->actor = arena_strdup(&in->run->arena_, text(in, from, "actor"));
    }
    s->at_ms = number(in, from, "at_ms", INT64_MAX);
    read_level(in, object(in, from, "from"), &s->from);
    read_level(in, object(in, from, "at"), &s->at);
}

static void read_stages(struct reader *in, const json_t *from)
{
    uint32_t count = in->run->plan->stage_count;
    const json_t *list = array(in, from, "stages", count);

    if (json_array_size(list) != count) {
        fail(in, "stages");
    }
    for (uint32_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);

        in->run->stages[i] = (struct run_stage){
            .started = flag(in, row, "started"),
            .ended = flag(in, row, "ended"),
            .start_ns = number(in, row, "start_ns", INT64_MAX),
            .end_ns = number(in, row, "end_ns", INT64_MAX),
            .max_vus = number(in, row, "max_vus", INT64_MAX),
        };
    }
}

static void read_sources(struct reader *in, const json_t *from)
{
    uint32_t count = in->run->workers_->source_count;
    const json_t *list = array(in, from, "sources", count);

    if (json_array_size(list) != count) {
        fail(in, "sources");
    }
    for (uint32_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);

        in->run->source_states_[i] = (struct run_source_state){
            .drained = flag(in, row, "drained"),
            .totals = flag(in, row, "totals"),
            .lost = flag(in, row, "lost"),
        };
    }
}

static void read_marks(struct reader *in, const json_t *from)
{
    uint32_t sources = in->run->workers_->source_count;
    const json_t *list = array(in, from, "marks", RUN_MARKS_MAX + (size_t)sources);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        struct run_mark mark = {
            .windows = integer(in, json_array_get(row, 0), "marks", INT64_MAX),
            .source = (uint32_t)integer(in, json_array_get(row, 1), "marks", UINT32_MAX),
            .end_second = integer(in, json_array_get(row, 2), "marks", AGGREGATE_SECONDS_MAX),
        };
        if (mark.source != RUN_MARK_OVERDUE && mark.source >= sources) {
            fail(in, "marks");
            return;
        }
        replay_add_mark(in->run, mark);
    }
}

static void read_check(struct reader *in, const json_t *from, struct check *c)
{
    c->name = arena_strdup(&in->run->arena_, text(in, from, "name"));
    c->ok = flag(in, from, "ok");
    c->latency_ns = number(in, from, "latency_ns", INT64_MAX);
    c->number = code_number(in, from);
    c->code = code_of(in, from, c->number);
    copy(in, from, "message", c->message, sizeof c->message);
    copy(in, from, "remediation", c->remediation, sizeof c->remediation);
}

static void read_checks(struct reader *in, const json_t *from)
{
    struct check_list *out = &in->run->checks;
    const json_t *items = array(in, from, "items", CHECKS_MAX);
    const json_t *warnings = array(in, from, "warnings", CHECKS_MAX);
    const json_t *requests = array(in, from, "requests", CHECK_REQUESTS_MAX);

    for (size_t i = 0; i < json_array_size(items); i++) {
        read_check(in, json_array_get(items, i), &out->items[out->count++]);
    }
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const char *line = json_string_value(json_array_get(warnings, i));

        snprintf(out->warnings[out->warning_count++], sizeof out->warnings[0], "%s",
                 line != NULL ? line : "");
    }
    for (size_t i = 0; i < json_array_size(requests); i++) {
        const json_t *row = json_array_get(requests, i);
        const char *method = json_string_value(json_array_get(row, 0));

        out->requests[out->request_count++] = (struct check_request){
            .method = arena_strdup(&in->run->arena_, method != NULL ? method : ""),
            .count = integer(in, json_array_get(row, 1), "requests", INT64_MAX),
        };
    }
    copy(in, from, "protocol_version", out->protocol_version, sizeof out->protocol_version);
    copy(in, from, "server_name", out->server_name, sizeof out->server_name);
    copy(in, from, "server_version", out->server_version, sizeof out->server_version);
}

static void read_times(struct reader *in, const json_t *from)
{
    struct run *r = in->run;

    r->created_ms = number(in, from, "created_ms", INT64_MAX);
    r->started_ms = number(in, from, "started_ms", INT64_MAX);
    r->grid_ns = number(in, from, "grid_ns", INT64_MAX);
    r->grid_ms = number(in, from, "grid_ms", INT64_MAX);
    r->end_ns = number(in, from, "end_ns", INT64_MAX);
    r->cap_ns_ = number(in, from, "cap_ns", INT64_MAX);
    r->drain_ns_ = number(in, from, "drain_ns", INT64_MAX);
    r->step_ns_ = number(in, from, "step_ns", INT64_MAX);
    r->lacking_ns_ = number(in, from, "lacking_ns", INT64_MAX);
}

static void read_counts(struct reader *in, const json_t *from)
{
    struct run *r = in->run;

    r->replay_windows_ = number(in, from, "windows", INT64_MAX);
    r->replay_seen_ = number(in, from, "seen_second", AGGREGATE_SECONDS_MAX);
    r->replay_looked_ = number(in, from, "looked", AGGREGATE_SECONDS_MAX);
    r->ordered_ = (uint32_t)number(in, from, "ordered", r->plan->stage_count);
    r->event_count_ = number(in, from, "events", INT64_MAX);
    r->gave_up_ = number(in, from, "gave_up", INT64_MAX);
    r->preflight_ended_ = number(in, from, "preflight_ended", INT64_MAX);
    r->preflight_failed_ = number(in, from, "preflight_failed", INT64_MAX);
    r->ramp_step_ = (uint32_t)number(in, from, "ramp_step", UINT32_MAX);
    r->ramp_at_ns_ = number(in, from, "ramp_at_ns", INT64_MAX);
}

static void read_flags(struct reader *in, const json_t *from)
{
    struct run *r = in->run;

    r->triggered = flag(in, from, "triggered");
    r->checked = flag(in, from, "checked");
    r->drain_timed_out = flag(in, from, "drain_timed_out");
    r->stage_judging_ = flag(in, from, "judging");
    r->integrity_told_ = flag(in, from, "integrity_told");
    r->journey_told_ = flag(in, from, "journey_told");
    r->partial_told_ = flag(in, from, "partial_told");
}

static void read_warnings(struct reader *in, const json_t *from)
{
    const json_t *list = array(in, from, "warnings", RUN_WARNINGS_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *line = json_string_value(json_array_get(list, i));

        in->run->warnings_lost +=
            buf_printf(&in->run->warnings, "%s\n", line != NULL ? line : "") != 0;
    }
    in->run->warnings_lost += number(in, from, "warnings_lost", INT64_MAX);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Times of this boot mean nothing in another one. */
static bool is_this_boot(struct reader *in, const json_t *from)
{
    const json_t *clock = object(in, from, "clock");
    uint64_t then_ns = number(in, clock, "now_ns", INT64_MAX);
    int64_t then_ms = (int64_t)number(in, clock, "wall_ms", INT64_MAX);
    uint64_t now_ns = loop_clock(in->run->loop);
    int64_t gone_ms = (int64_t)(now_ns / NS_PER_MS) - (int64_t)(then_ns / NS_PER_MS);
    int64_t off_ms = (int64_t)clock_wall_ms() - then_ms - gone_ms;

    return now_ns >= then_ns && llabs(off_ms) <= BOOT_TOLERANCE_MS;
}

/* What the plan knows of its stages by now. Told before their seconds come, as when they were
 * played.
 */
static void tell_stages(struct run *r)
{
    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        const struct run_stage *s = &r->stages[i];

        if (s->started) {
            stages_tell_begin(r, i);
        }
        if (s->ended) {
            stages_tell_end(r, i);
        }
    }
}

int run_restore(struct run *r, const json_t *saved, struct err *err)
{
    struct reader in = {.run = r};

    assert(r->state == RUN_CREATED && r->window_count_ == 0 && !r->replaying_);
    if (number(&in, saved, "version", RUN_SAVE_VERSION) != RUN_SAVE_VERSION) {
        return err_set(err, ERR_INVALID, "the saved run is of another version of this program");
    }
    if (!is_this_boot(&in, saved) && in.bad == NULL) {
        return err_set(
            err, ERR_STATE,
            "the machine was started anew, and with it the clock that the run's times are "
            "of");
    }
    r->replaying_ = true;
    r->state = state_of(&in, saved);
    r->stage = (int32_t)number(&in, saved, "stage", r->plan->stage_count) - 1;
    read_times(&in, object(&in, saved, "times"));
    read_counts(&in, object(&in, saved, "counts"));
    read_flags(&in, object(&in, saved, "flags"));
    read_stages(&in, saved);
    read_sources(&in, saved);
    copy(&in, saved, "totals_differ", r->totals_differ_, sizeof r->totals_differ_);
    read_marks(&in, saved);
    read_stop(&in, object(&in, saved, "stop"));
    if (r->checked) {
        read_checks(&in, object(&in, saved, "checks"));
    }
    read_warnings(&in, saved);
    if (r->stage < 0 && (r->step_ns_ > 0 || r->stage_judging_)) {
        fail(&in, "stage");
    }
    if (in.bad != NULL) {
        return err_set(err, ERR_INVALID, "the saved run has no proper '%s'", in.bad);
    }
    tell_stages(r);
    replay_marks(r);
    return 0;
}
