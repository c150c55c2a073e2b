/* SPDX-License-Identifier: MIT */
#include "control/run.h"

#include "base/mem.h"
#include "control/run_priv.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>

enum { EVIDENCE_MAX = 65536 };

#define ORDER_LEAD_NS (20 * NS_PER_MS) /* orders travel before the moment that they are about */

static void begin_stop(struct run *r, enum run_stop_kind kind, enum stop_mode mode);
static void take_seconds(struct run *r);
static void finish(struct run *r);

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

static const struct stage_config *config_of(const struct run *r, int32_t stage)
{
    return r->plan->stages[stage].config;
}

void run_emit(struct run *r, const char *type, json_t *payload)
{
    const char *actor = json_string_value(json_object_get(payload, "actor"));
    struct run_event event = {.ts_ms = clock_wall_ms(),
                              .type = type,
                              .actor = actor != NULL ? actor : "system",
                              .payload = payload};

    if (r->stage >= 0) {
        event.stage = stage_kind_name(config_of(r, r->stage)->kind);
        event.stage_id = config_of(r, r->stage)->stage_id;
    }
    snprintf(event.id, sizeof event.id, "evt_%012llx%08llx", (unsigned long long)event.ts_ms,
             (unsigned long long)r->event_count_++);
    if (r->observer_.on_event != NULL) {
        r->observer_.on_event(r->observer_.owner, &event);
    }
    json_decref(payload);
}

static void set_state(struct run *r, enum run_state state, const char *trigger)
{
    json_t *payload = json_pack("{ssssss}", "from_state", run_state_name(r->state), "to_state",
                                run_state_name(state), "trigger", trigger);

    assert(!run_state_terminal(r->state));
    r->state = state;
    run_emit(r, "STATE_TRANSITION", payload);
}

static enum run_state state_of_stage(enum stage_kind kind)
{
    static const enum run_state states[] = {
        [STAGE_PREFLIGHT] = RUN_PREFLIGHT_RUNNING, [STAGE_BASELINE] = RUN_BASELINE_RUNNING,
        [STAGE_RAMP] = RUN_RAMP_RUNNING,           [STAGE_SOAK] = RUN_SOAK_RUNNING,
        [STAGE_SPIKE] = RUN_SPIKE_RUNNING,         [STAGE_CUSTOM] = RUN_CUSTOM_RUNNING,
    };

    return states[kind];
}

/* ---- stages --------------------------------------------------------------------------------- */

/* Number of the second that the moment falls into; `up`: of the first whole one after it. */
static uint64_t second_of(const struct run *r, uint64_t at_ns, bool up)
{
    uint64_t since = at_ns > r->grid_ns ? at_ns - r->grid_ns : 0;

    return (since + (up ? NS_PER_S - 1 : 0)) / NS_PER_S;
}

static void arm_stage_timer(struct run *r)
{
    loop_timer_arm(r->loop, &r->timer_, r->stages[r->stage].end_ns);
}

static void announce_stage(struct run *r, uint32_t stage)
{
    const struct stage_config *c = config_of(r, (int32_t)stage);
    enum run_state state = state_of_stage(c->kind);

    if (r->state != state) {
        char trigger[64];
        snprintf(trigger, sizeof trigger, "%s_started", stage_kind_name(c->kind));
        set_state(r, state, trigger);
    }
    run_emit(r, "STAGE_STARTED",
             json_pack("{sssssIsIsfsI}", "stage", stage_kind_name(c->kind), "stage_id", c->stage_id,
                       "index", (json_int_t)stage, "target_vus",
                       (json_int_t)r->plan->stages[stage].levels.vus, "target_rps",
                       r->plan->stages[stage].levels.rps, "duration_ms",
                       (json_int_t)(r->plan->stages[stage].levels.duration_ns / NS_PER_MS)));
}

/* The stage is the current one from now on; its order was given before. */
static void enter_stage(struct run *r, uint32_t stage)
{
    r->stage = (int32_t)stage;
    r->stages[stage].started = true;
    stop_stage_begin(r->conditions, stage, second_of(r, r->stages[stage].start_ns, true));
    aggregate_begin_stage(r->books, stage, r->stages[stage].start_ns);
    announce_stage(r, stage);
    arm_stage_timer(r);
    watch_stage(r);
}

static void order_stage(struct run *r, uint32_t stage, uint64_t start_ns)
{
    struct run_stage *s = &r->stages[stage];

    s->start_ns = start_ns;
    s->end_ns = start_ns + r->plan->stages[stage].levels.duration_ns;
    r->workers_->stage(r->workers_owner_, stage, r->grid_ns, s->start_ns, s->end_ns);
}

static bool is_preflight(const struct run *r, uint32_t stage)
{
    return config_of(r, (int32_t)stage)->kind == STAGE_PREFLIGHT;
}

/* A stage that follows without a judgement in between is ordered while its forerunner runs. */
static void order_follower(struct run *r, uint32_t stage)
{
    if (stage + 1 < r->plan->stage_count && !is_preflight(r, stage) &&
        !r->plan->stages[stage].levels.overruns) {
        order_stage(r, stage + 1, r->stages[stage].end_ns);
    }
}

static void start_stage(struct run *r, uint32_t stage, uint64_t start_ns)
{
    order_stage(r, stage, start_ns);
    enter_stage(r, stage);
}

static void close_stage(struct run *r, uint64_t end_ns)
{
    if (r->stage < 0 || r->stages[r->stage].ended) {
        return;
    }
    struct run_stage *s = &r->stages[r->stage];
    s->ended = true;
    s->end_ns = end_ns < s->end_ns ? end_ns : s->end_ns;
    stop_stage_end(r->conditions, (uint32_t)r->stage, second_of(r, s->end_ns, false));
    aggregate_end_stage(r->books, (uint32_t)r->stage, second_of(r, s->end_ns, false), s->end_ns);
    const struct stage_config *c = config_of(r, r->stage);
    run_emit(r, "STAGE_COMPLETED",
             json_pack("{sssssI}", "stage", stage_kind_name(c->kind), "stage_id", c->stage_id,
                       "elapsed_ms", (json_int_t)((s->end_ns - s->start_ns) / NS_PER_MS)));
}

static void next_stage(struct run *r)
{
    uint32_t next = (uint32_t)r->stage + 1;

    if (next >= r->plan->stage_count) {
        begin_stop(r, RUN_STOP_COMPLETED, STOP_DRAIN);
        return;
    }
    if (is_preflight(r, next - 1)) {
        set_state(r, RUN_PREFLIGHT_PASSED, "preflight_completed");
        start_stage(r, next, loop_clock(r->loop) + ORDER_LEAD_NS);
    } else {
        enter_stage(r, next);
    }
}

/* ---- the end of preflight ---------------------------------------------------------------------
 */

static void fail_preflight(struct run *r, const char *what, const char *sentence)
{
    snprintf(r->stop.reason, sizeof r->stop.reason, "preflight_failed: %s", what);
    snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s", sentence);
    run_emit(r, "STAGE_FAILED", run_preflight_json(r));
    set_state(r, RUN_PREFLIGHT_FAILED, "preflight_failed");
    begin_stop(r, RUN_STOP_PREFLIGHT, STOP_IMMEDIATE);
}

/* What ended in a whole second of the preflight stage. Operations that are still running at its end
 * count neither way. */
static void tally_preflight(struct run *r, uint64_t second)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    if (r->stage < 0 || !is_preflight(r, (uint32_t)r->stage) ||
        second >= second_of(r, r->stages[r->stage].end_ns, false)) {
        return;
    }
    filter.stage_index = r->stage;
    filter.dists = 0;
    aggregate_view_seconds(r->books, &filter, second, 1, &view);
    r->preflight_ended_ += view.count[COUNT_ENDED_OK] + view.count[COUNT_ENDED_FAILED];
    r->preflight_failed_ += view.count[COUNT_ENDED_FAILED] - view.count[COUNT_TOOL_ERRORS];
    metric_view_clear(&view);
}

/* Every operation that ended and failed, other than by a tool's own error, fails the check. */
static void judge_preflight(struct run *r)
{
    uint64_t failed = r->preflight_failed_, ended = r->preflight_ended_;

    r->preflight_failed_ = r->preflight_ended_ = 0;
    if (failed == 0) {
        watch_capacity(r);
        next_stage(r);
        return;
    }
    const struct aggregate_failure *worst;
    char pattern[256] = "", sentence[400];
    if (aggregate_failures(r->books, AGGREGATE_ALL, &worst, 1) > 0) {
        aggregate_failure_pattern(worst, pattern, sizeof pattern);
    }
    snprintf(sentence, sizeof sentence, "%llu of %llu operations failed in preflight: %s",
             (unsigned long long)failed, (unsigned long long)ended, pattern);
    fail_preflight(r, "operations", sentence);
}

/* ---- the clock ------------------------------------------------------------------------------- */

/* A ramp that needs longer than max_duration_ms is ended by it. */
static void stage_timeout(struct run *r)
{
    const struct stage_config *c = config_of(r, r->stage);
    json_int_t limit_ms = (json_int_t)(c->max_duration_ns / NS_PER_MS);

    run_emit(r, "STAGE_TIMEOUT",
             json_pack("{sssssIsI}", "stage", stage_kind_name(c->kind), "stage_id", c->stage_id,
                       "elapsed_ms", limit_ms, "timeout_ms", limit_ms));
    snprintf(r->stop.sentence, sizeof r->stop.sentence,
             "stage %s was not done within its max_duration_ms of %lld", c->stage_id,
             (long long)limit_ms);
    begin_stop(r, RUN_STOP_STAGE_TIMEOUT, r->plan->scenario->safety.stop_mode);
}

static void on_stage_end(struct timer *t)
{
    struct run *r = list_entry(t, struct run, timer_);

    if (r->plan->stages[r->stage].levels.overruns) {
        stage_timeout(r);
        return;
    }
    close_stage(r, loop_now(r->loop));
    if (is_preflight(r, (uint32_t)r->stage)) {
        r->stage_judging_ = true; /* when the seconds up to its end are complete … */
        take_seconds(r);          /* … and they may be already */
        return;
    }
    next_stage(r);
    if (r->state != RUN_STOPPING) {
        order_follower(r, (uint32_t)r->stage);
    }
}

static void on_cap(struct timer *t)
{
    struct run *r = list_entry(t, struct run, cap_timer_);

    snprintf(r->stop.reason, sizeof r->stop.reason, "max_duration_reached");
    snprintf(r->stop.sentence, sizeof r->stop.sentence,
             "safety.hard_caps.max_duration_ms ended the run");
    begin_stop(r, RUN_STOP_MAX_DURATION, r->plan->scenario->safety.stop_mode);
}

static void on_drain_timeout(struct timer *t)
{
    struct run *r = list_entry(t, struct run, drain_timer_);

    r->drain_timed_out = true;
    run_emit(r, "SYSTEM_WARNING",
             json_pack("{ss}", "warning", "drain timeout: what still runs is cut"));
    r->workers_->stop(r->workers_owner_);
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void note_stop(struct run *r, enum run_stop_kind kind, enum stop_mode mode)
{
    r->stop.kind = kind;
    r->stop.mode = mode;
    r->stop.at_ms = clock_wall_ms();
    if (r->stop.actor == NULL) {
        r->stop.actor = "system";
    }
    if (r->stop.reason[0] == '\0') {
        snprintf(r->stop.reason, sizeof r->stop.reason, "%s", run_stop_name(kind));
    }
}

static void give_stop_order(struct run *r, enum stop_mode mode)
{
    if (mode == STOP_IMMEDIATE) {
        loop_timer_cancel(r->loop, &r->drain_timer_);
        r->workers_->stop(r->workers_owner_);
        return;
    }
    loop_timer_arm(r->loop, &r->drain_timer_,
                   loop_clock(r->loop) + r->plan->scenario->safety.drain_timeout_ns);
    r->workers_->drain(r->workers_owner_, r->stop.kind == RUN_STOP_COMPLETED);
}

static void begin_stop(struct run *r, enum run_stop_kind kind, enum stop_mode mode)
{
    static const char *const triggers[] = {
        [RUN_STOP_NONE] = "stop_requested",         [RUN_STOP_COMPLETED] = "stages_done",
        [RUN_STOP_CONDITION] = "stop_condition",    [RUN_STOP_REQUESTED] = "stop_requested",
        [RUN_STOP_EMERGENCY] = "emergency_stop",    [RUN_STOP_MAX_DURATION] = "max_duration",
        [RUN_STOP_MAX_ERRORS] = "max_errors",       [RUN_STOP_PREFLIGHT] = "preflight_failed",
        [RUN_STOP_STAGE_TIMEOUT] = "stage_timeout", [RUN_STOP_SYSTEM] = "worker_failure",
    };

    note_stop(r, kind, mode);
    loop_timer_cancel(r->loop, &r->timer_);
    loop_timer_cancel(r->loop, &r->cap_timer_);
    loop_timer_cancel(r->loop, &r->ramp_timer_);
    r->stage_judging_ = false;
    r->end_ns = loop_clock(r->loop);
    close_stage(r, r->end_ns);
    set_state(r, RUN_STOPPING, triggers[kind]);
    give_stop_order(r, mode);
}

static bool is_running(const struct run *r)
{
    return r->state != RUN_CREATED && r->state != RUN_STOPPING && r->state != RUN_ANALYZING &&
           !run_state_terminal(r->state);
}

static void set_signal(struct run *r, int signo, const char *actor)
{
    r->stop.signo = signo;
    r->stop.actor = actor;
}

void run_stop_request(struct run *r, enum stop_mode mode, int signo, const char *actor)
{
    if (is_running(r)) {
        set_signal(r, signo, actor);
        snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s",
                 signo == SIGINT    ? "interrupted"
                 : signo == SIGTERM ? "terminated"
                                    : "stopped by request");
        run_emit(r, "STOP_REQUESTED",
                 json_pack("{ssss}", "mode", mode == STOP_DRAIN ? "drain" : "immediate", "actor",
                           actor));
        begin_stop(r, RUN_STOP_REQUESTED, mode);
        return;
    }
    if (r->state != RUN_STOPPING) {
        return;
    }
    /* A second wish cuts the drain short. What ended the run stays: after the last stage the
     * verdict stands. */
    r->stop.mode = STOP_IMMEDIATE;
    give_stop_order(r, STOP_IMMEDIATE);
}

void run_emergency_stop(struct run *r, const char *actor)
{
    if (!is_running(r) && r->state != RUN_STOPPING) {
        return; /* there is no load any more, and nothing follows the last event */
    }
    run_emit(r, "EMERGENCY_STOP", json_pack("{ss}", "actor", actor));
    r->stop.actor = actor;
    if (is_running(r)) {
        begin_stop(r, RUN_STOP_EMERGENCY, STOP_IMMEDIATE);
    } else {
        note_stop(r, RUN_STOP_EMERGENCY, STOP_IMMEDIATE);
        give_stop_order(r, STOP_IMMEDIATE);
    }
}

static void trigger_stop(struct run *r)
{
    const struct stop_spec *spec = r->trigger.spec;
    const struct stop_observation *seen = &r->trigger.windows[0];
    enum stop_mode mode = r->plan->scenario->safety.stop_mode;

    r->triggered = true;
    run_emit(r, "STOP_CONDITION_TRIGGERED", run_trigger_json(r));
    if (r->stage >= 0 && is_preflight(r, (uint32_t)r->stage) && spec->stage_index >= 0 &&
        is_preflight(r, (uint32_t)spec->stage_index)) {
        fail_preflight(r, spec->id, r->trigger.sentence);
        return;
    }
    snprintf(r->stop.reason, sizeof r->stop.reason,
             "stop_condition_triggered: %s %s %g (observed %g)", spec->metric->name,
             stop_comparator_name(spec->comparator), spec->threshold, seen->value);
    snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s", r->trigger.sentence);
    watch_level(r);
    begin_stop(r, RUN_STOP_CONDITION, mode);
}

static bool too_many_errors(const struct run *r)
{
    uint64_t max = r->plan->scenario->safety.caps.max_errors;
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    if (max == 0) {
        return false;
    }
    filter.dists = 0;
    aggregate_view_total(r->books, &filter, &view);
    bool over = view.count[COUNT_ENDED_FAILED] >= max;
    metric_view_clear(&view);
    return over;
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
            fail_preflight(r, c->name, c->message);
            return;
        }
    }
    r->grid_ns = loop_clock(r->loop) + ORDER_LEAD_NS;
    start_stage(r, 0, r->grid_ns);
    order_follower(r, 0);
}

/* Everything that a complete second may lead to. */
static void take_seconds(struct run *r)
{
    uint64_t complete = aggregate_complete(r->books);

    for (; r->seen_second_ < complete; r->seen_second_++) {
        tally_preflight(r, r->seen_second_);
        watch_second(r, r->seen_second_);
        pace_second(r, r->seen_second_);
        if (r->observer_.on_second != NULL) {
            r->observer_.on_second(r->observer_.owner, r->seen_second_);
        }
    }
    if (!is_running(r)) {
        return;
    }
    if (stop_evaluate(r->conditions, r->books, complete, &r->trigger)) {
        trigger_stop(r);
    } else if (too_many_errors(r)) {
        snprintf(r->stop.sentence, sizeof r->stop.sentence,
                 "safety.hard_caps.max_errors was reached");
        begin_stop(r, RUN_STOP_MAX_ERRORS, r->plan->scenario->safety.stop_mode);
    } else if (r->stage_judging_ && complete >= second_of(r, r->stages[r->stage].end_ns, true)) {
        r->stage_judging_ = false;
        judge_preflight(r);
        if (is_running(r)) {
            order_follower(r, (uint32_t)r->stage);
        }
    }
}

void run_on_window(struct run *r, uint32_t source, const struct window *w)
{
    aggregate_add(r->books, source, w);
    validity_window(r->validity_, source, w);
    take_seconds(r);
}

void run_on_drained(struct run *r, uint32_t source)
{
    aggregate_finish_source(r->books, source);
    take_seconds(r);
    if (++r->drained_ == r->workers_->source_count) {
        finish(r);
    }
}

void run_on_failure(struct run *r, const char *text)
{
    if (is_running(r)) {
        snprintf(r->stop.reason, sizeof r->stop.reason, "system_error: %.200s", text);
        snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s", text);
        begin_stop(r, RUN_STOP_SYSTEM, STOP_IMMEDIATE);
    }
}

/* ---- the end -------------------------------------------------------------------------------- */

static enum run_state end_state(const struct run *r)
{
    switch (r->stop.kind) {
    case RUN_STOP_COMPLETED:
        return RUN_COMPLETED;
    case RUN_STOP_PREFLIGHT:
    case RUN_STOP_SYSTEM:
        return RUN_FAILED;
    case RUN_STOP_EMERGENCY:
        return RUN_ABORTED;
    case RUN_STOP_NONE:
    case RUN_STOP_CONDITION:
    case RUN_STOP_REQUESTED:
    case RUN_STOP_MAX_DURATION:
    case RUN_STOP_MAX_ERRORS:
    case RUN_STOP_STAGE_TIMEOUT:
    case RUN_STOP_COUNT:
        break;
    }
    return RUN_STOPPED;
}

static void finish(struct run *r)
{
    loop_timer_cancel(r->loop, &r->drain_timer_);
    if (r->triggered) {
        uint64_t decided = r->grid_ns + (r->trigger.second + 1) * NS_PER_S;
        uint64_t now = loop_clock(r->loop);
        r->stop_latency_ns = now > decided ? now - decided : 0;
    }
    r->ended_ms = clock_wall_ms();
    set_state(r, RUN_ANALYZING,
              r->stop.mode == STOP_IMMEDIATE ? "load_cut"
              : r->drain_timed_out           ? "drain_timeout"
                                             : "workers_drained");
    run_judge(r);
    set_state(r, end_state(r), "analysis_completed");
    if (r->observer_.on_end != NULL) {
        r->observer_.on_end(r->observer_.owner);
    }
}

/* ---- the run -------------------------------------------------------------------------------- */

/* Preflight only looks whether load is possible: its figures are none of the load's, unless there
 * is nothing else. */
static void set_preflight_apart(struct run *r)
{
    uint32_t load_stages = 0;

    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        load_stages += !is_preflight(r, i);
    }
    for (uint32_t i = 0; load_stages > 0 && i < r->plan->stage_count; i++) {
        if (is_preflight(r, i)) {
            aggregate_set_apart(r->books, i);
        }
    }
}

/* Only conditions with a scope ask single seconds for single operations. */
static void group_history(struct run *r)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const uint64_t **scopes = xcalloc(r->condition_count + 1, sizeof *scopes);
    size_t count = 0;

    for (size_t i = 0; i < r->condition_count; i++) {
        if (r->specs_[i].keys != NULL) {
            scopes[count++] = r->specs_[i].keys;
        }
    }
    aggregate_group_history(r->books, scopes, count);
    xfree(scopes);
}

static void make_books(struct run *r)
{
    const struct plan *p = r->plan;
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
    uint32_t history = stop_history_seconds(r->specs_, r->condition_count);
    r->books =
        aggregate_new(keys, p->key_count, p->stage_count, r->workers_->source_count,
                      (uint32_t)p->scenario->workload.custom_count, history > 60 ? history : 60);
    group_history(r);
    for (uint32_t i = 0; i < p->stage_count; i++) {
        aggregate_set_open_model(r->books, i, p->stages[i].levels.open_model);
    }
    set_preflight_apart(r);
    xfree(keys);
}

int run_new(struct loop *loop,
            const struct plan *plan,
            const struct plan_identity *identity,
            const struct run_workers *workers,
            void *workers_owner,
            const struct run_observer *observer,
            struct run **out,
            struct err *err)
{
    struct run *r = xcalloc(1, sizeof *r);

    r->loop = loop;
    r->plan = plan;
    r->identity = identity;
    r->workers_ = workers;
    r->workers_owner_ = workers_owner;
    r->observer_ = *observer;
    r->stage = -1;
    r->validity = "valid";
    r->created_ms = clock_wall_ms();
    buf_init(&r->evidence, EVIDENCE_MAX);
    timer_init(&r->timer_, on_stage_end);
    timer_init(&r->cap_timer_, on_cap);
    timer_init(&r->drain_timer_, on_drain_timeout);
    watch_init(r);
    r->pace_ = pace_new(plan->stage_count);
    r->validity_ = validity_new(workers->source_count);
    r->stages = arena_array(&r->arena_, plan->stage_count, sizeof *r->stages);
    int rc = specs_make(r, err);
    if (rc != 0) {
        run_free(r);
        return rc;
    }
    make_books(r);
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
    buf_clear(&r->warnings);
    stop_free(r->conditions);
    pace_free(r->pace_);
    metric_set_free(r->metrics);
    validity_free(r->validity_);
    aggregate_free(r->books);
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

void run_start(struct run *r)
{
    assert(r->state == RUN_CREATED);
    r->started_ms = clock_wall_ms();
    run_emit(r, "RUN_CREATED",
             json_pack("{ssss}", "config_hash", run_config_hash(r), "scenario_id",
                       r->plan->scenario->scenario_id));
    set_state(r, RUN_PREFLIGHT_RUNNING, "start_run");
    loop_timer_arm(r->loop, &r->cap_timer_,
                   loop_clock(r->loop) + r->plan->scenario->safety.caps.max_duration_ns);
    r->workers_->check(r->workers_owner_);
}
