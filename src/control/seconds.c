/* SPDX-License-Identifier: MIT */
/* What a second leads to once the sources have reported it. */
#include "control/run_priv.h"

#include <stdio.h>

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

/* Everything that a complete second may lead to. */
void seconds_take(struct run *r)
{
    uint64_t complete = aggregate_complete(r->books);

    for (; r->seen_second_ < complete; r->seen_second_++) {
        stages_tally(r, r->seen_second_);
        watch_second(r, r->seen_second_);
        pace_second(r, r->seen_second_);
        if (r->observer_.on_second != NULL) {
            r->observer_.on_second(r->observer_.owner, r->seen_second_);
        }
    }
    if (!run_is_running(r)) {
        return;
    }
    if (stop_evaluate(r->conditions, r->books, complete, &r->trigger)) {
        trigger_stop(r);
    } else if (too_many_errors(r)) {
        snprintf(r->stop.sentence, sizeof r->stop.sentence,
                 "safety.hard_caps.max_errors was reached");
        ending_begin(r, RUN_STOP_MAX_ERRORS, r->plan->scenario->safety.stop_mode);
    } else if (r->stage_judging_ &&
               complete >= run_second_of(r, r->stages[r->stage].end_ns, true)) {
        r->stage_judging_ = false;
        stages_judge(r);
    }
}
