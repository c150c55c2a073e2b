/* SPDX-License-Identifier: MIT */
/* The stages of a run: their orders, their beginnings and ends, and what preflight comes to. */
#include "control/run_priv.h"

#include <stdio.h>

#define ORDER_LEAD_NS (20 * NS_PER_MS) /* to threads of this process */

/* ---- stages --------------------------------------------------------------------------------- */

const struct stage_config *run_stage_config(const struct run *r, int32_t stage)
{
    return r->plan->stages[stage].config;
}

bool run_is_preflight(const struct run *r, uint32_t stage)
{
    return run_stage_config(r, (int32_t)stage)->kind == STAGE_PREFLIGHT;
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

/* The next moment that an order can be about. */
static uint64_t order_moment(const struct run *r)
{
    uint64_t lead_ns = r->workers_->lead_ns;

    return loop_clock(r->loop) + (lead_ns > 0 ? lead_ns : ORDER_LEAD_NS);
}

/* Number of the second that the moment falls into; `up`: of the first whole one after it. */
uint64_t run_second_of(const struct run *r, uint64_t at_ns, bool up)
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
    const struct stage_config *c = run_stage_config(r, (int32_t)stage);
    enum run_state state = state_of_stage(c->kind);

    if (r->state != state) {
        char trigger[64];
        snprintf(trigger, sizeof trigger, "%s_started", stage_kind_name(c->kind));
        run_set_state(r, state, trigger);
    }
    run_emit(r, "STAGE_STARTED",
             json_pack("{sssssIsIsfsI}", "stage", stage_kind_name(c->kind), "stage_id", c->stage_id,
                       "index", (json_int_t)stage, "target_vus",
                       (json_int_t)r->plan->stages[stage].levels.vus, "target_rps",
                       r->plan->stages[stage].levels.rps, "duration_ms",
                       (json_int_t)(r->plan->stages[stage].levels.duration_ns / NS_PER_MS)));
}

void stages_tell_begin(struct run *r, uint32_t stage)
{
    uint64_t start_ns = r->stages[stage].start_ns;

    stop_stage_begin(r->conditions, stage, run_second_of(r, start_ns, true));
    books_begin_stage(r, stage, start_ns);
}

void stages_tell_end(struct run *r, uint32_t stage)
{
    uint64_t end_ns = r->stages[stage].end_ns, end_second = run_second_of(r, end_ns, false);

    stop_stage_end(r->conditions, stage, end_second);
    books_end_stage(r, stage, end_second, end_ns);
}

/* The stage is the current one from now on; its order was given before. */
static void enter_stage(struct run *r, uint32_t stage)
{
    r->stage = (int32_t)stage;
    r->stages[stage].started = true;
    stages_tell_begin(r, stage);
    announce_stage(r, stage);
    arm_stage_timer(r);
    watch_stage(r);
}

static void order_stage(struct run *r, uint32_t stage, uint64_t start_ns)
{
    struct run_stage *s = &r->stages[stage];

    s->start_ns = start_ns;
    s->end_ns = start_ns + r->plan->stages[stage].levels.duration_ns;
    r->ordered_ = stage + 1;
    r->workers_->stage(r->workers_owner_, stage, r->grid_ns, s->start_ns, s->end_ns);
}

/* Is there something to decide between this stage and the one behind it? */
static bool is_judged(const struct run *r, uint32_t stage)
{
    return run_is_preflight(r, stage) || r->plan->stages[stage].levels.overruns;
}

/* What follows without a judgement in between is ordered, too: workers go on by the plan alone,
 * whether we are there or not. */
static void order_ahead(struct run *r)
{
    while (r->ordered_ < r->plan->stage_count && !is_judged(r, r->ordered_ - 1)) {
        order_stage(r, r->ordered_, r->stages[r->ordered_ - 1].end_ns);
    }
}

static void start_stage(struct run *r, uint32_t stage, uint64_t start_ns)
{
    order_stage(r, stage, start_ns);
    order_ahead(r);
    enter_stage(r, stage);
}

void stages_close(struct run *r, uint64_t end_ns)
{
    if (r->stage < 0 || r->stages[r->stage].ended) {
        return;
    }
    struct run_stage *s = &r->stages[r->stage];
    s->ended = true;
    s->end_ns = end_ns < s->end_ns ? end_ns : s->end_ns;
    /* It is announced with its order, a little before it begins. */
    s->end_ns = s->end_ns > s->start_ns ? s->end_ns : s->start_ns;
    stages_tell_end(r, (uint32_t)r->stage);
    const struct stage_config *c = run_stage_config(r, r->stage);
    run_emit(r, "STAGE_COMPLETED",
             json_pack("{sssssI}", "stage", stage_kind_name(c->kind), "stage_id", c->stage_id,
                       "elapsed_ms", (json_int_t)((s->end_ns - s->start_ns) / NS_PER_MS)));
}

void stages_next(struct run *r)
{
    uint32_t next = (uint32_t)r->stage + 1;

    if (next >= r->plan->stage_count) {
        ending_begin(r, RUN_STOP_COMPLETED, STOP_DRAIN);
        return;
    }
    if (run_is_preflight(r, next - 1)) {
        run_set_state(r, RUN_PREFLIGHT_PASSED, "preflight_completed");
        start_stage(r, next, order_moment(r));
    } else {
        enter_stage(r, next);
    }
}

/* ---- the end of preflight ---------------------------------------------------------------------
 */

void stages_fail_preflight(struct run *r, const char *what, const char *sentence)
{
    snprintf(r->stop.reason, sizeof r->stop.reason, "preflight_failed: %s", what);
    snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s", sentence);
    run_emit(r, "STAGE_FAILED", run_preflight_json(r));
    run_set_state(r, RUN_PREFLIGHT_FAILED, "preflight_failed");
    ending_begin(r, RUN_STOP_PREFLIGHT, STOP_IMMEDIATE);
}

/* What ended in a whole second of the preflight stage. Operations that are still running at its end
 * count neither way. */
void stages_tally(struct run *r, uint64_t second)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    if (r->stage < 0 || !run_is_preflight(r, (uint32_t)r->stage) ||
        second >= run_second_of(r, r->stages[r->stage].end_ns, false)) {
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
void stages_judge(struct run *r)
{
    uint64_t failed = r->preflight_failed_, ended = r->preflight_ended_;

    r->preflight_failed_ = r->preflight_ended_ = 0;
    if (failed == 0) {
        watch_capacity(r);
        stages_next(r);
        return;
    }
    const struct aggregate_failure *worst;
    char pattern[256] = "", sentence[400];
    if (aggregate_failures(r->books, AGGREGATE_ALL, &worst, 1) > 0) {
        aggregate_failure_pattern(worst, pattern, sizeof pattern);
    }
    snprintf(sentence, sizeof sentence, "%llu of %llu operations failed in preflight: %s",
             (unsigned long long)failed, (unsigned long long)ended, pattern);
    stages_fail_preflight(r, "operations", sentence);
}

/* ---- the clock ------------------------------------------------------------------------------- */

/* A ramp that needs longer than max_duration_ms is ended by it. */
static void stage_timeout(struct run *r)
{
    const struct stage_config *c = run_stage_config(r, r->stage);
    json_int_t limit_ms = (json_int_t)(c->max_duration_ns / NS_PER_MS);

    run_emit(r, "STAGE_TIMEOUT",
             json_pack("{sssssIsI}", "stage", stage_kind_name(c->kind), "stage_id", c->stage_id,
                       "elapsed_ms", limit_ms, "timeout_ms", limit_ms));
    snprintf(r->stop.sentence, sizeof r->stop.sentence,
             "stage %s was not done within its max_duration_ms of %lld", c->stage_id,
             (long long)limit_ms);
    ending_begin(r, RUN_STOP_STAGE_TIMEOUT, r->plan->scenario->safety.stop_mode);
}

static void on_stage_end(struct timer *t)
{
    struct run *r = list_entry(t, struct run, timer_);

    if (r->plan->stages[r->stage].levels.overruns) {
        stage_timeout(r);
        return;
    }
    stages_close(r, loop_now(r->loop));
    if (run_is_preflight(r, (uint32_t)r->stage)) {
        r->stage_judging_ = true; /* when the seconds up to its end are complete … */
        seconds_take(r);          /* … and they may be already */
        return;
    }
    stages_next(r);
}

static void on_cap(struct timer *t)
{
    struct run *r = list_entry(t, struct run, cap_timer_);

    snprintf(r->stop.reason, sizeof r->stop.reason, "max_duration_reached");
    snprintf(r->stop.sentence, sizeof r->stop.sentence,
             "safety.hard_caps.max_duration_ms ended the run");
    ending_begin(r, RUN_STOP_MAX_DURATION, r->plan->scenario->safety.stop_mode);
}

void stages_begin(struct run *r)
{
    r->grid_ns = order_moment(r);
    r->grid_ms = clock_wall_ms() + (r->grid_ns - loop_clock(r->loop)) / NS_PER_MS;
    start_stage(r, 0, r->grid_ns);
}

void stages_resume(struct run *r)
{
    if (!run_is_running(r)) {
        return;
    }
    loop_timer_arm(r->loop, &r->cap_timer_, r->cap_ns_);
    if (r->stage >= 0 && !r->stages[r->stage].ended) {
        arm_stage_timer(r);
    }
}

void stages_init(struct run *r)
{
    timer_init(&r->timer_, on_stage_end);
    timer_init(&r->cap_timer_, on_cap);
}
