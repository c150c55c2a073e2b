/* SPDX-License-Identifier: MIT */
/* What a second leads to once the sources have reported it. */
#include "control/run_priv.h"

#include <stdio.h>

#define WATERMARK_NS       (3 * NS_PER_S) /* behind its end a second is looked at, whatever it lacks */
#define WATERMARK_GRACE_NS NS_PER_S /* … but not before something has been missing for so long */

static void trigger_stop(struct run *r)
{
    const struct stop_spec *spec = r->trigger.spec;
    const struct stop_observation *seen = &r->trigger.windows[0];
    enum stop_mode mode = r->plan->scenario->safety.stop_mode;

    r->triggered = true;
    run_emit(r, "STOP_CONDITION_TRIGGERED", run_trigger_json(r));
    if (r->stage >= 0 && run_is_preflight(r, (uint32_t)r->stage) && spec->stage_index >= 0 &&
        run_is_preflight(r, (uint32_t)spec->stage_index)) {
        stages_fail_preflight(r, spec->id, r->trigger.sentence);
        return;
    }
    snprintf(r->stop.reason, sizeof r->stop.reason,
             "stop_condition_triggered: %s %s %g (observed %g)", spec->metric->name,
             stop_comparator_name(spec->comparator), spec->threshold, seen->value);
    snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s", r->trigger.sentence);
    watch_level(r);
    ending_begin(r, RUN_STOP_CONDITION, mode);
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

/* ---- the watermark ----------------------------------------------------------------------------
 */

/* From when on the second is looked at whatever it lacks. A moment for the others: after a halt of
 * this process, say, all reports come at once, one source after the other. */
static uint64_t overdue_at(const struct run *r, uint64_t second)
{
    uint64_t at_ns = r->grid_ns + (second + 1) * NS_PER_S + WATERMARK_NS;
    uint64_t grace_ns = r->lacking_ns_ + WATERMARK_GRACE_NS;

    at_ns = at_ns > grace_ns ? at_ns : grace_ns;
    return at_ns > r->patient_ns_ ? at_ns : r->patient_ns_;
}

/* Seconds below are not waited for any longer. */
static uint64_t overdue_below(struct run *r)
{
    uint64_t second = r->seen_second_, newest = aggregate_newest(r->books);

    if (second >= newest || aggregate_complete(r->books) >= newest) {
        return 0;
    }
    uint64_t now = loop_clock(r->loop);
    r->lacking_ns_ = r->lacking_ns_ > 0 ? r->lacking_ns_ : now;
    while (second < newest && overdue_at(r, second) <= now) {
        second++;
    }
    return second;
}

/* The timer is for the second that was the oldest one when it was armed, and never too late for
 * those behind it: while all sources report it costs one look in three seconds. */
static void wait_for_seconds(struct run *r)
{
    if (r->seen_second_ >= aggregate_newest(r->books)) {
        r->lacking_ns_ = 0;
    } else if (!timer_armed(&r->watermark_timer_)) {
        loop_timer_arm(r->loop, &r->watermark_timer_, overdue_at(r, r->seen_second_));
    }
}

static void on_overdue(struct timer *t)
{
    seconds_take(list_entry(t, struct run, watermark_timer_));
}

static const char *who_lacks(const struct run *r, uint64_t second)
{
    for (uint32_t i = 0; i < r->workers_->source_count; i++) {
        if (aggregate_source_lacks(r->books, i, second)) {
            return run_source_worker(r, i);
        }
    }
    return "";
}

static void tell_partial(struct run *r, uint64_t second)
{
    if (!r->partial_told_ && aggregate_lacks(r->books, second, second)) {
        r->partial_told_ = true;
        run_warn(
            r,
            "second %llu is looked at without what worker %.64s has to report of it; what comes "
            "later enters the totals, and decides no stop condition",
            (unsigned long long)second, who_lacks(r, second));
    }
}

/* ---- each second ----------------------------------------------------------------------------- */

static void take_second(struct run *r, uint64_t second)
{
    tell_partial(r, second);
    stages_tally(r, second);
    watch_second(r, second);
    pace_second(r, second);
    if (r->observer_.on_second != NULL) {
        r->observer_.on_second(r->observer_.owner, second);
    }
}

/* Everything that the seconds below `end` may lead to. */
static void decide(struct run *r, uint64_t end)
{
    if (stop_evaluate(r->conditions, r->books, end, &r->trigger)) {
        trigger_stop(r);
    } else if (too_many_errors(r)) {
        snprintf(r->stop.sentence, sizeof r->stop.sentence,
                 "safety.hard_caps.max_errors was reached");
        ending_begin(r, RUN_STOP_MAX_ERRORS, r->plan->scenario->safety.stop_mode);
    } else if (r->stage_judging_ && end >= run_second_of(r, r->stages[r->stage].end_ns, true)) {
        r->stage_judging_ = false;
        stages_judge(r);
    }
}

void seconds_take(struct run *r)
{
    uint64_t overdue = overdue_below(r);
    uint64_t end = aggregate_watermark(r->books, r->seen_second_, overdue);

    if (overdue > 0 && end > aggregate_watermark(r->books, r->seen_second_, 0)) {
        replay_note_overdue(r, end);
    }
    for (; r->seen_second_ < end; r->seen_second_++) {
        take_second(r, r->seen_second_);
    }
    wait_for_seconds(r);
    if (run_is_running(r)) {
        decide(r, end);
    }
}

void seconds_resume(struct run *r, uint64_t patience_ns)
{
    r->patient_ns_ = loop_clock(r->loop) + patience_ns;
    wait_for_seconds(r);
}

void seconds_init(struct run *r)
{
    timer_init(&r->watermark_timer_, on_overdue);
}
