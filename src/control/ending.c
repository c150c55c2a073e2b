/* SPDX-License-Identifier: MIT */
/* How a run comes to its end: stopping, and what it ended as. */
#include "control/run_priv.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>

/* ---- stopping -------------------------------------------------------------------------------- */

static void on_drain_timeout(struct timer *t)
{
    struct run *r = list_entry(t, struct run, drain_timer_);

    r->drain_ns_ = 0;
    r->drain_timed_out = true;
    run_emit(r, "SYSTEM_WARNING",
             json_pack("{ss}", "warning", "drain timeout: what still runs is cut"));
    r->workers_->stop(r->workers_owner_);
}

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
        r->drain_ns_ = 0;
        loop_timer_cancel(r->loop, &r->drain_timer_);
        r->workers_->stop(r->workers_owner_);
        return;
    }
    r->drain_ns_ = loop_clock(r->loop) + r->plan->scenario->safety.drain_timeout_ns;
    loop_timer_arm(r->loop, &r->drain_timer_, r->drain_ns_);
    r->workers_->drain(r->workers_owner_, r->stop.kind == RUN_STOP_COMPLETED);
}

void ending_begin(struct run *r, enum run_stop_kind kind, enum stop_mode mode)
{
    static const char *const triggers[] = {
        [RUN_STOP_NONE] = "stop_requested",         [RUN_STOP_COMPLETED] = "stages_done",
        [RUN_STOP_CONDITION] = "stop_condition",    [RUN_STOP_REQUESTED] = "stop_requested",
        [RUN_STOP_EMERGENCY] = "emergency_stop",    [RUN_STOP_MAX_DURATION] = "max_duration",
        [RUN_STOP_MAX_ERRORS] = "max_errors",       [RUN_STOP_PREFLIGHT] = "preflight_failed",
        [RUN_STOP_STAGE_TIMEOUT] = "stage_timeout", [RUN_STOP_SYSTEM] = "worker_failure",
        [RUN_STOP_ALLOCATION] = "worker_failure",   [RUN_STOP_WORKER_LOST] = "worker_failure",
    };

    note_stop(r, kind, mode);
    loop_timer_cancel(r->loop, &r->timer_);
    loop_timer_cancel(r->loop, &r->cap_timer_);
    watch_stage_end(r);
    r->stage_judging_ = false;
    r->end_ns = loop_clock(r->loop);
    stages_close(r, r->end_ns);
    run_set_state(r, RUN_STOPPING, triggers[kind]);
    give_stop_order(r, mode);
}

bool run_is_over(const struct run *r)
{
    return r->state == RUN_ANALYZING || run_state_terminal(r->state);
}

bool run_is_running(const struct run *r)
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
    if (run_is_running(r)) {
        set_signal(r, signo, actor);
        const char *how = signo == SIGINT ? "interrupted" : signo == SIGTERM ? "terminated" : NULL;
        snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s",
                 how != NULL ? how : "stopped by request");
        run_emit(r, "STOP_REQUESTED",
                 json_pack("{ssssss}", "mode", mode == STOP_DRAIN ? "drain" : "immediate", "actor",
                           actor, "reason", how != NULL ? how : run_stop_name(RUN_STOP_REQUESTED)));
        ending_begin(r, RUN_STOP_REQUESTED, mode);
        return;
    }
    if (r->state != RUN_STOPPING) {
        return;
    }
    /* A second wish cuts the drain short. What ended the run stays: after the last stage the
     * verdict stands. */
    if (r->stop.mode != STOP_IMMEDIATE) {
        run_emit(r, "DECISION",
                 json_pack("{ssssss}", "decision_type", "stop_trigger_resolution", "details",
                           "the drain is cut short: what still runs is unfinished", "actor",
                           actor));
    }
    r->stop.mode = STOP_IMMEDIATE;
    give_stop_order(r, STOP_IMMEDIATE);
}

void run_emergency_stop(struct run *r, const char *actor)
{
    if (!run_is_running(r) && r->state != RUN_STOPPING) {
        return; /* there is no load any more, and nothing follows the last event */
    }
    run_emit(r, "EMERGENCY_STOP",
             json_pack("{ssss}", "actor", actor, "reason", run_stop_name(RUN_STOP_EMERGENCY)));
    r->stop.actor = actor;
    if (run_is_running(r)) {
        ending_begin(r, RUN_STOP_EMERGENCY, STOP_IMMEDIATE);
    } else {
        note_stop(r, RUN_STOP_EMERGENCY, STOP_IMMEDIATE);
        give_stop_order(r, STOP_IMMEDIATE);
    }
}

/* ---- the end -------------------------------------------------------------------------------- */

static enum run_state end_state(const struct run *r)
{
    switch (r->stop.kind) {
    case RUN_STOP_COMPLETED:
        return RUN_COMPLETED;
    case RUN_STOP_PREFLIGHT:
    case RUN_STOP_ALLOCATION:
    case RUN_STOP_WORKER_LOST:
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

void ending_finish(struct run *r)
{
    loop_timer_cancel(r->loop, &r->drain_timer_);
    loop_timer_cancel(r->loop, &r->watermark_timer_);
    if (r->triggered) {
        uint64_t decided = r->grid_ns + (r->trigger.second + 1) * NS_PER_S;
        uint64_t now = loop_clock(r->loop);
        r->stop_latency_ns = now > decided ? now - decided : 0;
    }
    r->ended_ms = clock_wall_ms();
    run_set_state(r, RUN_ANALYZING,
                  r->stop.mode == STOP_IMMEDIATE ? "load_cut"
                  : r->drain_timed_out           ? "drain_timeout"
                                                 : "workers_drained");
    watch_end(r);
    run_judge(r);
    run_set_state(r, end_state(r), "analysis_completed");
    if (r->observer_.on_end != NULL) {
        r->observer_.on_end(r->observer_.owner);
    }
}

void ending_resume(struct run *r)
{
    if (r->drain_ns_ > 0) {
        loop_timer_arm(r->loop, &r->drain_timer_, r->drain_ns_);
    }
}

void ending_init(struct run *r)
{
    timer_init(&r->drain_timer_, on_drain_timeout);
}
