/* SPDX-License-Identifier: MIT */
/* What is noticed while a run goes on and is no reason to stop it. */
#include "control/run_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Beyond their maximum the events still tell. */
static void
keep_warning(struct run *r, char text[RUN_WARNING_MAX_BYTES], const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void
keep_warning(struct run *r, char text[RUN_WARNING_MAX_BYTES], const char *fmt, va_list ap)
{
    if (r->replaying_) {
        return; /* it was told when it happened */
    }
    vsnprintf(text, RUN_WARNING_MAX_BYTES, fmt, ap);
    r->warnings_lost += buf_printf(&r->warnings, "%s\n", text) != 0;
}

void run_warn(struct run *r, const char *fmt, ...)
{
    char text[RUN_WARNING_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    keep_warning(r, text, fmt, ap);
    va_end(ap);
    if (r->replaying_) {
        return;
    }
    run_emit(r, "SYSTEM_WARNING", json_pack("{so}", "warning", run_text(text)));
}

void run_note(struct run *r, const char *fmt, ...)
{
    char text[RUN_WARNING_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    keep_warning(r, text, fmt, ap);
    va_end(ap);
}

/* ---- ramps ----------------------------------------------------------------------------------- */

static const struct plan_stage *stage_of(const struct run *r)
{
    return &r->plan->stages[r->stage];
}

static void decide(struct run *r, const char *trigger)
{
    const struct stage_levels *l = &stage_of(r)->levels;

    run_emit(r, "DECISION",
             json_pack("{sssIsIsIsfsf}", "trigger", trigger, "step", (json_int_t)r->ramp_step_,
                       "current_vus", (json_int_t)r->ramp_vus_, "target_vus", (json_int_t)l->vus,
                       "current_rps", r->ramp_rps_, "target_rps", l->rps));
}

static void set_target(struct run *r, uint64_t t_ns)
{
    uint32_t vus = plan_level(r->plan, (uint32_t)r->stage, t_ns);
    double rps = plan_rate(r->plan, (uint32_t)r->stage, t_ns);

    run_emit(r, "SCHEDULER_TARGET_SET",
             json_pack("{sIsfsIsf}", "target_vus", (json_int_t)vus, "target_rps", rps,
                       "previous_vus", (json_int_t)r->ramp_vus_, "previous_rps", r->ramp_rps_));
    r->ramp_at_ns_ = t_ns;
    r->ramp_vus_ = vus;
    r->ramp_rps_ = rps;
}

/* Of a line only its end is told: it has no steps. */
static uint64_t next_step_ns(const struct run *r, uint64_t t_ns)
{
    const struct plan_stage *s = stage_of(r);
    uint64_t every = s->config->ramp.step_every_ns, hold = s->config->ramp.hold_ns;

    if (s->config->ramp.mode == RAMP_STEP) {
        return (t_ns / every + 1) * every;
    }
    uint64_t top = s->levels.needs_ns > hold ? s->levels.needs_ns - hold : 0;
    return top > t_ns ? top : UINT64_MAX;
}

static void arm_step(struct run *r, uint64_t t_ns)
{
    uint64_t next = next_step_ns(r, t_ns);

    if (next < stage_of(r)->levels.duration_ns) {
        r->step_ns_ = r->stages[r->stage].start_ns + next;
        loop_timer_arm(r->loop, &r->ramp_timer_, r->step_ns_);
    }
}

static void on_step(struct timer *t)
{
    struct run *r = list_entry(t, struct run, ramp_timer_);
    const struct stage_levels *l = &stage_of(r)->levels;
    uint64_t since = loop_now(r->loop) - r->stages[r->stage].start_ns;

    r->step_ns_ = 0;
    set_target(r, since);
    r->ramp_step_++;
    bool done = r->ramp_vus_ == l->vus && r->ramp_rps_ >= l->rps && r->ramp_rps_ <= l->rps;
    decide(r, done ? "ramp_complete" : "ramp_step");
    if (!done) {
        arm_step(r, since);
    }
}

void watch_stage_end(struct run *r)
{
    r->step_ns_ = 0;
    loop_timer_cancel(r->loop, &r->ramp_timer_);
}

void watch_resume(struct run *r)
{
    if (r->stage >= 0) {
        r->ramp_vus_ = plan_level(r->plan, (uint32_t)r->stage, r->ramp_at_ns_);
        r->ramp_rps_ = plan_rate(r->plan, (uint32_t)r->stage, r->ramp_at_ns_);
    }
    if (r->step_ns_ > 0) {
        loop_timer_arm(r->loop, &r->ramp_timer_, r->step_ns_);
    }
}

void watch_stage(struct run *r)
{
    watch_stage_end(r);
    set_target(r, 0);
    r->ramp_step_ = 0;
    if (stage_of(r)->config->ramp.given) {
        decide(r, "ramp_started");
        arm_step(r, 0);
    }
}

/* ---- each second ----------------------------------------------------------------------------- */

/* The stage at the end of the second. It need not be the current one: a second is complete, and
 * looked at, when the stage that follows has begun. NULL: there was none yet. */
static struct run_stage *stage_of_second(struct run *r, uint64_t second)
{
    uint64_t end_ns = r->grid_ns + (second + 1) * NS_PER_S;
    int32_t i = r->stage;

    while (i > 0 && r->stages[i].start_ns >= end_ns) {
        i--;
    }
    return i >= 0 ? &r->stages[i] : NULL;
}

static void tell_journey(struct run *r)
{
    const struct aggregate_failure *worst;
    char pattern[256];

    if (aggregate_failures(r->books, AGGREGATE_BESIDE, &worst, 1) > 0) {
        run_warn(r, "lists of the tools beside the workload fail: %s",
                 aggregate_failure_pattern(worst, pattern, sizeof pattern));
    }
}

static void tell_mismatches(struct run *r, const char *when, uint64_t calls)
{
    r->integrity_told_ = true;
    run_warn(r, "%s the answers to %llu calls went to another caller", when,
             (unsigned long long)calls);
}

static void tell_gave_up(struct run *r, uint64_t vus)
{
    r->gave_up_ += vus;
    run_warn(r, "%llu virtual users ended for want of a session, %llu so far",
             (unsigned long long)vus, (unsigned long long)r->gave_up_);
}

static void note_vus(struct run *r, uint64_t second, uint64_t vus)
{
    struct run_stage *stage = stage_of_second(r, second);

    if (stage != NULL && vus > stage->max_vus) {
        stage->max_vus = vus;
    }
}

/* False: nothing is known of the second any more. */
static bool view_second(const struct run *r, uint64_t second, struct metric_view *view)
{
    struct aggregate_filter filter = aggregate_everything();

    filter.dists = 0;
    return aggregate_view_seconds(r->books, &filter, second, 1, view);
}

void watch_second(struct run *r, uint64_t second)
{
    struct metric_view view = {0};
    char when[40];

    if (view_second(r, second, &view)) {
        note_vus(r, second, view.gauges.active_vus);
        if (view.count[COUNT_INTEGRITY_MISMATCHES] > 0 && !r->integrity_told_) {
            snprintf(when, sizeof when, "in second %llu", (unsigned long long)second);
            tell_mismatches(r, when, view.count[COUNT_INTEGRITY_MISMATCHES]);
        }
        if (view.count[COUNT_JOURNEY_FAILED] > 0 && !r->journey_told_) {
            r->journey_told_ = true;
            tell_journey(r);
        }
        if (view.count[COUNT_VUS_GAVE_UP] > 0) {
            tell_gave_up(r, view.count[COUNT_VUS_GAVE_UP]);
        }
    }
    metric_view_clear(&view);
}

void watch_late_second(struct run *r, uint64_t second)
{
    struct metric_view view = {0};

    if (view_second(r, second, &view)) {
        note_vus(r, second, view.gauges.active_vus);
    }
    metric_view_clear(&view);
}

void watch_end(struct run *r)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    filter.dists = 0;
    aggregate_view_total(r->books, &filter, &view);
    if (view.count[COUNT_INTEGRITY_MISMATCHES] > 0 && !r->integrity_told_) {
        tell_mismatches(r, "in seconds that were reported late",
                        view.count[COUNT_INTEGRITY_MISMATCHES]);
    }
    if (view.count[COUNT_JOURNEY_FAILED] > 0 && !r->journey_told_) {
        r->journey_told_ = true;
        tell_journey(r);
    }
    if (view.count[COUNT_VUS_GAVE_UP] > r->gave_up_) {
        tell_gave_up(r, view.count[COUNT_VUS_GAVE_UP] - r->gave_up_);
    }
    metric_view_clear(&view);
}

/* ---- break points ----------------------------------------------------------------------------
 */

static struct run_level level_at(const struct run *r, uint32_t stage, uint64_t at_ns)
{
    uint64_t start_ns = r->stages[stage].start_ns;
    uint64_t t_ns = at_ns > start_ns ? at_ns - start_ns : 0;

    return (struct run_level){
        .known = true,
        .vus = plan_level(r->plan, stage, t_ns),
        .rps = plan_rate(r->plan, stage, t_ns),
    };
}

/* "100 to 120 VUs", "350/s"; the users of a sized stage follow the rate. */
static void write_levels(const struct run *r, const struct plan_stage *s, char *out, size_t size)
{
    const struct metric *rate = metric_find(STR("ops_per_second"));
    const struct run_level *from = &r->stop.from, *at = &r->stop.at;
    char from_rps[64], at_rps[64];

    if (s->levels.open_model) {
        metric_format(rate, from->rps, from_rps, sizeof from_rps);
        metric_format(rate, at->rps, at_rps, sizeof at_rps);
        bool same = strcmp(from_rps, at_rps) == 0;
        snprintf(out, size, "%s%s%s", same ? "" : from_rps, same ? "" : " to ", at_rps);
    } else if (from->vus != at->vus) {
        snprintf(out, size, "%u to %u VUs", from->vus, at->vus);
    } else {
        snprintf(out, size, "%u VUs", at->vus);
    }
}

void watch_level(struct run *r)
{
    const struct run_stage *found = stage_of_second(r, r->trigger.second);
    uint64_t at_ns = r->grid_ns + (r->trigger.second + 1) * NS_PER_S;
    bool counted = r->trigger.early || r->trigger.spec->metric->since_begin; /* reached, at once */
    uint64_t back_ns =
        counted ? 1 : r->trigger.window_s * r->trigger.spec->sustain_windows * NS_PER_S;
    char levels[160];

    if (found == NULL) {
        return;
    }
    uint32_t stage = (uint32_t)(found - r->stages);
    const struct plan_stage *s = &r->plan->stages[stage];
    if (!s->config->ramp.given) {
        return;
    }
    r->stop.at = level_at(r, stage, at_ns - 1); /* a step at that moment came too late */
    r->stop.from = level_at(r, stage, at_ns > back_ns ? at_ns - back_ns : 0);
    write_levels(r, s, levels, sizeof levels);
    size_t len = strlen(r->stop.sentence);
    snprintf(r->stop.sentence + len, sizeof r->stop.sentence - len, ", at %s of stage %.100s",
             levels, s->config->stage_id);
}

/* ---- foresight ------------------------------------------------------------------------------- */

/* Little's law: slots ≥ rate × latency. */
static void check_stage(struct run *r, uint32_t stage, double mean_s)
{
    const struct plan_stage *s = &r->plan->stages[stage];
    uint64_t slots = (uint64_t)s->levels.vus * r->plan->slots;

    if (!s->levels.open_model || s->levels.sized || s->levels.rps * mean_s <= (double)slots) {
        return;
    }
    run_warn(r,
             "stage %s: %g/s with %llu slot%s needs a mean answer below %.3g ms (measured: %.3g "
             "ms): at most %.0f/s can be started; %llu slots would do",
             s->config->stage_id, s->levels.rps, (unsigned long long)slots, slots == 1 ? "" : "s",
             (double)slots / s->levels.rps * 1e3, mean_s * 1e3, (double)slots / mean_s,
             (unsigned long long)levels_slots_needed(s->levels.rps, mean_s));
}

void watch_capacity(struct run *r)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};
    double mean_ns;

    filter.stage_index = r->stage;
    filter.dists = 1u << DIST_SERVICE;
    aggregate_view_total(r->books, &filter, &view);
    if (view.dist[DIST_SERVICE] != NULL && hist_mean(view.dist[DIST_SERVICE], &mean_ns)) {
        for (uint32_t i = (uint32_t)r->stage + 1; i < r->plan->stage_count; i++) {
            check_stage(r, i, mean_ns / 1e9);
        }
    }
    metric_view_clear(&view);
}

void watch_init(struct run *r)
{
    buf_init(&r->warnings, RUN_WARNINGS_MAX);
    timer_init(&r->ramp_timer_, on_step);
}
