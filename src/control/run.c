/* SPDX-License-Identifier: MIT */
#include "control/run.h"

#include "base/mem.h"
#include "control/run_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { EVIDENCE_MAX = 65536 };

/* ---- names ---------------------------------------------------------------------------------- */

const char *run_state_name(enum run_state state)
{
#define RUN_NAME_STATE_(id, name) [RUN_##id] = (name),
    static const char *const names[] = {RUN_STATE_MAP(RUN_NAME_STATE_)};

    return names[state];
}

const char *run_stop_name(enum run_stop_kind kind)
{
#define RUN_NAME_STOP_(id, name) [RUN_STOP_##id] = (name),
    static const char *const names[] = {RUN_STOP_MAP(RUN_NAME_STOP_)};

    return names[kind];
}

const char *run_verdict_name(enum run_verdict verdict)
{
    static const char *const names[] = {"", "passed", "failed", "invalid"};

    return names[verdict];
}

bool run_state_terminal(enum run_state state)
{
    return state == RUN_COMPLETED || state == RUN_STOPPED || state == RUN_FAILED ||
           state == RUN_ABORTED;
}

/* ---- events --------------------------------------------------------------------------------- */

void run_event_id(char id[32], uint64_t ts_ms, uint64_t number)
{
    snprintf(id, 32, "evt_%012llx%08llx", (unsigned long long)ts_ms, (unsigned long long)number);
}

/* Who did it, in a word of the format; a person's own name stays in the payload. */
static const char *actor_of(const json_t *payload)
{
    static const char *const actors[] = {"system",   "user",     "scheduler",
                                         "autoramp", "analysis", "worker"};
    const char *name = json_string_value(json_object_get(payload, "actor"));

    for (size_t i = 0; name != NULL && i < sizeof actors / sizeof actors[0]; i++) {
        if (strcmp(actors[i], name) == 0) {
            return actors[i];
        }
    }
    return name == NULL ? "system" : "user";
}

void run_emit(struct run *r, const char *type, json_t *payload)
{
    assert(!r->replaying_);
    struct run_event event = {
        .ts_ms = clock_wall_ms(), .type = type, .actor = actor_of(payload), .payload = payload};

    if (r->stage >= 0) {
        event.stage = stage_kind_name(run_stage_config(r, r->stage)->kind);
        event.stage_id = run_stage_config(r, r->stage)->stage_id;
    }
    run_event_id(event.id, event.ts_ms, r->event_count_++);
    if (r->observer_.on_event != NULL) {
        r->observer_.on_event(r->observer_.owner, &event);
    }
    json_decref(payload);
}

void run_tell(struct run *r, const char *type, json_t *payload)
{
    run_emit(r, type, payload);
}

/* A start and a stop are somebody's, all other steps the run's own. */
static const char *actor_of_step(const struct run *r, enum run_state to)
{
    const char *actor = r->state == RUN_CREATED ? r->started_by
                        : to == RUN_STOPPING    ? r->stop.actor
                                                : NULL;

    return actor != NULL ? actor : "system";
}

void run_set_state(struct run *r, enum run_state state, const char *trigger)
{
    json_t *payload =
        json_pack("{ssssssss}", "from_state", run_state_name(r->state), "to_state",
                  run_state_name(state), "trigger", trigger, "actor", actor_of_step(r, state));

    assert(!run_state_terminal(r->state));
    r->state = state;
    run_emit(r, "STATE_TRANSITION", payload);
}

/* ---- answers of the workers -------------------------------------------------------------------
 */

void run_on_checks(struct run *r, const struct check_list *checks)
{
    r->checked = true;
    r->checks = *checks;
    if (r->state != RUN_PREFLIGHT_RUNNING) {
        return; /* it was stopped meanwhile */
    }
    for (uint32_t i = 0; i < checks->count; i++) {
        const struct check *c = &checks->items[i];

        if (!c->ok) {
            stages_fail_preflight(r, c->name, c->message);
            return;
        }
    }
    stages_begin(r);
}

void run_on_window(struct run *r, uint32_t source, const struct window *w)
{
    if (run_is_over(r)) {
        return; /* figures that have been judged do not change any more */
    }
    r->window_count_++;
    books_add(r, source, w);
    validity_window(r->validity_, source, w);
    if (w->second < r->seen_second_) {
        watch_late_second(r, w->second);
    }
    seconds_take(r);
}

void run_on_drained(struct run *r, uint32_t source)
{
    if (run_is_over(r)) {
        return;
    }
    sources_end(r, source, true);
    seconds_take(r);
    sources_check(r);
}

void run_on_failure(struct run *r, const char *text)
{
    if (run_is_running(r)) {
        snprintf(r->stop.reason, sizeof r->stop.reason, "system_error: %.200s", text);
        snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s", text);
        ending_begin(r, RUN_STOP_SYSTEM, STOP_IMMEDIATE);
    }
}

/* ---- the run -------------------------------------------------------------------------------- */

int run_new(struct loop *loop, const struct run_parts *parts, struct run **out, struct err *err)
{
    const struct plan *plan = parts->plan;
    const struct run_workers *workers = parts->workers;
    struct run *r = xcalloc(1, sizeof *r);

    r->loop = loop;
    r->plan = plan;
    r->identity = parts->identity;
    r->workers_ = workers;
    r->workers_owner_ = parts->workers_owner;
    r->observer_ = parts->observer;
    r->event_count_ = parts->first_event;
    r->stage = -1;
    r->validity = "valid";
    r->created_ms = clock_wall_ms();
    buf_init(&r->evidence, EVIDENCE_MAX);
    stages_init(r);
    ending_init(r);
    seconds_init(r);
    watch_init(r);
    r->pace_ = pace_new(plan->stage_count);
    r->validity_ = validity_new(workers->source_count);
    r->source_states_ = arena_array(&r->arena_, workers->source_count, sizeof *r->source_states_);
    r->stages = arena_array(&r->arena_, plan->stage_count, sizeof *r->stages);
    int rc = specs_make(r, err);
    if (rc != 0) {
        run_free(r);
        return rc;
    }
    books_make(r);
    r->conditions = stop_new(r->specs_, r->condition_count);
    *out = r;
    return 0;
}

void run_free(struct run *r)
{
    if (r == NULL) {
        return;
    }
    loop_timer_cancel(r->loop, &r->timer_);
    loop_timer_cancel(r->loop, &r->cap_timer_);
    loop_timer_cancel(r->loop, &r->drain_timer_);
    loop_timer_cancel(r->loop, &r->ramp_timer_);
    loop_timer_cancel(r->loop, &r->watermark_timer_);
    buf_clear(&r->warnings);
    stop_free(r->conditions);
    pace_free(r->pace_);
    metric_set_free(r->metrics);
    validity_free(r->validity_);
    books_free(r);
    xfree(r->marks_);
    buf_clear(&r->evidence);
    arena_clear(&r->arena_);
    xfree(r);
}

const char *run_config_hash(const struct run *r)
{
    return r->origin != NULL ? r->origin->config_hash : r->plan->scenario->config_hash;
}

const char *run_name(const struct run *r)
{
    const struct scenario *s = r->plan->scenario;

    if (r->origin != NULL && r->origin->name != NULL && r->origin->name[0] != '\0') {
        return r->origin->name;
    }
    return s->metadata.name != NULL && s->metadata.name[0] != '\0' ? s->metadata.name
                                                                   : s->scenario_id;
}

void run_emit_created(struct run *r)
{
    run_emit(r, "RUN_CREATED",
             json_pack("{ssss}", "config_hash", run_config_hash(r), "scenario_id",
                       r->plan->scenario->scenario_id));
}

void run_start(struct run *r)
{
    assert(r->state == RUN_CREATED);
    r->started_ms = clock_wall_ms();
    run_set_state(r, RUN_PREFLIGHT_RUNNING, "start_run");
    books_tell_empty(r);
    r->cap_ns_ = loop_clock(r->loop) + r->plan->scenario->safety.caps.max_duration_ns;
    loop_timer_arm(r->loop, &r->cap_timer_, r->cap_ns_);
    r->workers_->check(r->workers_owner_);
}
