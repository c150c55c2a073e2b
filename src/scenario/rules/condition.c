/* SPDX-License-Identifier: MIT */
/* Stop conditions and success criteria: unique ids, enough time, short forms. */
#include "base/clock.h"
#include "scenario/config/choices.h"
#include "scenario/rules/ids.h"
#include "scenario/rules/rules.h"

/* ---- conditions ------------------------------------------------------------------------------ */

/* A count that has to be reached once may trigger inside its first window. */
static bool may_fire_early(const struct scenario_options *options,
                           const struct condition_config *cond)
{
    return cond->sustain_windows == 1 && cond->comparator != COMPARE_LT &&
           cond->comparator != COMPARE_LE && options->metric_grows != NULL &&
           options->metric_grows(cond->metric);
}

/* The current path is that of the condition; `time_ns` is how long it is watched, 0: unknown. */
static void
check_time(struct check *c, const struct condition_config *cond, uint64_t time_ns, const char *what)
{
    uint64_t needed = cond->window_ns * cond->sustain_windows;

    if (time_ns == 0 || needed <= time_ns || may_fire_early(c->options, cond)) {
        return;
    }
    check_warning(c, "CONDITION_UNREACHABLE",
                  check_text(c, "Shorten %s, or lengthen the stage.", what),
                  "the condition needs %.15g s, and it is watched for %.15g s",
                  (double)needed / (double)NS_PER_S, (double)time_ns / (double)NS_PER_S);
}

/* 5 where 5 % is meant: as a condition it never holds, as a criterion it always does. */
static void check_threshold(struct check *c, const char *metric, double threshold)
{
    const struct scenario_options *o = c->options;

    if (threshold <= 1 || o->metric_is_share == NULL || !o->metric_is_share(metric)) {
        return;
    }
    size_t mark = check_enter(c, "threshold");
    check_warning(c, "THRESHOLD_ABOVE_ONE",
                  threshold <= 100
                      ? check_text(c, "Write %.15g for %.15g %%.", threshold / 100, threshold)
                      : "Use a number within 0..1.",
                  "%s is a share within 0..1, and %.15g is above all of them", metric, threshold);
    check_leave(c, mark);
}

/* No stream is silent for longer than the time-out that ends it, and stalled ones are as long. The
 * current path is that of the threshold. */
static void check_silence(struct check *c,
                          const struct scenario *s,
                          const char *metric,
                          enum comparator comparator,
                          double threshold)
{
    const struct timeouts_config *t = &s->target.timeouts;
    bool stall = t->stream_stall_ns <= t->request_ns;
    double limit_s = (double)(stall ? t->stream_stall_ns : t->request_ns) / (double)NS_PER_S;
    bool below = threshold < limit_s || (comparator == COMPARE_GE && stall && threshold == limit_s);

    if (strcmp(metric, "stream_stall_seconds") != 0 || below ||
        (comparator != COMPARE_GT && comparator != COMPARE_GE)) {
        return;
    }
    const char *which = stall ? "stream_stall_timeout_ms" : "request_timeout_ms";
    check_warning(c, "TIMEOUTS_INCONSISTENT",
                  check_text(c, "Use less than %.15g s, or raise %s.", limit_s, which),
                  "the condition never holds: %s ends a stream after %.15g s", which, limit_s);
}

static bool matches(const char *wanted, const char *found)
{
    return wanted == NULL || strcmp(wanted, found) == 0;
}

/* How long a condition of the run is watched when its scope narrows it to some stages. */
static uint64_t watched_ns(const struct scenario *s,
                           const struct scope_config *scope,
                           const uint64_t *durations_ns,
                           uint64_t run_ns)
{
    uint64_t longest_ns = 0;

    if (scope->stage_id == NULL && scope->stage == NULL) {
        return run_ns;
    }
    for (size_t i = 0; i < s->stage_count; i++) {
        if (durations_ns[i] > longest_ns && matches(scope->stage_id, s->stages[i].stage_id) &&
            matches(scope->stage, stage_kind_name(s->stages[i].kind))) {
            longest_ns = durations_ns[i];
        }
    }
    return longest_ns < run_ns ? longest_ns : run_ns;
}

static void check_condition(struct check *c,
                            const struct scenario *s,
                            const struct stage_config *own,
                            struct condition_config *cond,
                            uint64_t time_ns)
{
    rules_metric(c, s, cond->metric);
    rules_scope(c, s, own, cond->metric, &cond->scope);
    check_threshold(c, cond->metric, cond->threshold);
    size_t mark = check_enter(c, "threshold");
    check_silence(c, s, cond->metric, cond->comparator, cond->threshold);
    check_leave(c, mark);
    check_time(c, cond, time_ns, "window_ms or sustain_windows");
}

static void check_criteria(struct check *c,
                           const struct scenario *s,
                           const struct stage_config *own,
                           struct criterion_config *list,
                           size_t count)
{
    const struct id_list ids = ID_LIST(criterion_config, list, count, id);

    id_check_unique(c, &ids, "id");
    for (size_t i = 0; i < count; i++) {
        size_t mark = check_enter_index(c, i);

        rules_metric(c, s, list[i].metric);
        rules_scope(c, s, own, list[i].metric, &list[i].scope);
        check_threshold(c, list[i].metric, list[i].threshold);
        check_leave(c, mark);
    }
}

/* ---- short forms of conditions on streams ---------------------------------------------------- */

static const struct short_form {
    const char *key;    /* and the id */
    const char *metric; /* what is watched */
    enum comparator comparator;
    uint64_t window_ns;
    bool after_first_stream;
} short_forms[] = {
    {"stream_stall_seconds", "stream_stall_seconds", COMPARE_GT, NS_PER_S, false},
    {"min_events_per_second", "events_per_second", COMPARE_LT, 10 * NS_PER_S, true},
};

enum { SHORT_FORMS = sizeof short_forms / sizeof short_forms[0] };

/* The value of a short form, 0 when it is off; the current path is that of its object. */
static double short_value(struct check *c, const char *key)
{
    size_t mark = check_enter(c, key);
    double value = check_has_error(c) ? 0 : json_number_value(check_below(c, ""));

    check_leave(c, mark);
    return value;
}

static void
add_condition(struct check *c, struct stage_config *stage, const struct short_form *form, double v)
{
    size_t count = stage->condition_count;
    struct condition_config *list = arena_array(c->arena, count + 1, sizeof *list);

    if (count > 0) {
        memcpy(list, stage->conditions, count * sizeof *list);
    }
    list[count] = (struct condition_config){
        .metric = form->metric,
        .comparator = form->comparator,
        .threshold = v,
        .window_ns = form->window_ns,
        .sustain_windows = 1,
        .on_trigger = TRIGGER_FAIL,
        .after_first_stream = form->after_first_stream,
    };
    stage->conditions = list;
    stage->condition_count = count + 1;
    const struct id_list ids = ID_LIST(condition_config, list, count + 1, id);
    id_fill(c, &ids, count, form->key);
}

/* The current path is that of the stage. What is said for all stages holds where the stage itself
 * says nothing of the kind; there it may well be too short for it. */
static void expand_short_forms(struct check *c,
                               const struct scenario *s,
                               struct stage_config *stage,
                               const double common[SHORT_FORMS],
                               uint64_t time_ns)
{
    size_t mark = c->path.len;

    for (size_t i = 0; i < SHORT_FORMS; i++) {
        const struct short_form *form = &short_forms[i];

        buf_add_c(&c->path, "/streaming_stop_conditions");
        size_t place = check_enter(c, form->key);
        const json_t *given = check_below(c, "");
        check_leave(c, place);
        double own = short_value(c, form->key);
        double value = given != NULL && !json_is_null(given) ? own : common[i];
        if (value > 0 && stage->enabled) {
            add_condition(c, stage, form, value);
        }
        if (own > 0 && stage->enabled) {
            check_enter(c, form->key);
            check_time(c, &stage->conditions[stage->condition_count - 1], time_ns, "it");
            check_silence(c, s, form->metric, form->comparator, own);
        }
        check_leave(c, mark);
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void check_stage_lists(struct check *c,
                              struct scenario *s,
                              struct stage_config *stage,
                              const double common[SHORT_FORMS],
                              uint64_t duration_ns)
{
    size_t mark = check_enter(c, "stop_conditions");
    const struct id_list ids =
        ID_LIST(condition_config, stage->conditions, stage->condition_count, id);

    id_check_unique(c, &ids, "id");
    for (size_t i = 0; i < stage->condition_count; i++) {
        size_t entry = check_enter_index(c, i);
        check_condition(c, s, stage, &stage->conditions[i], duration_ns);
        check_leave(c, entry);
    }
    check_leave(c, mark);
    check_enter(c, "success_criteria");
    check_criteria(c, s, stage, stage->criteria, stage->criterion_count);
    check_leave(c, mark);
    expand_short_forms(c, s, stage, common, duration_ns);
}

void rules_conditions(struct check *c,
                      struct scenario *s,
                      const uint64_t *durations_ns,
                      uint64_t run_ns)
{
    struct safety_config *safety = &s->safety;
    const struct id_list ids =
        ID_LIST(condition_config, safety->conditions, safety->condition_count, id);
    double common[SHORT_FORMS];
    size_t top = check_enter(c, "safety");

    check_enter(c, "streaming_stop_conditions");
    for (size_t i = 0; i < SHORT_FORMS; i++) {
        common[i] = short_value(c, short_forms[i].key);
        size_t form = check_enter(c, short_forms[i].key);
        check_silence(c, s, short_forms[i].metric, short_forms[i].comparator, common[i]);
        check_leave(c, form);
    }
    check_leave(c, top);
    check_enter(c, "stages");
    for (size_t i = 0; i < s->stage_count; i++) {
        size_t mark = check_enter_index(c, i);
        check_stage_lists(c, s, &s->stages[i], common, durations_ns[i]);
        check_leave(c, mark);
    }
    check_leave(c, top);
    check_enter(c, "safety");
    check_enter(c, "stop_conditions");
    id_check_unique(c, &ids, "id");
    for (size_t i = 0; i < safety->condition_count; i++) {
        size_t mark = check_enter_index(c, i);
        struct condition_config *cond = &safety->conditions[i];
        check_condition(c, s, NULL, cond, watched_ns(s, &cond->scope, durations_ns, run_ns));
        check_leave(c, mark);
    }
    check_leave(c, top);
    check_enter(c, "success_criteria");
    check_criteria(c, s, NULL, s->criteria, s->criterion_count);
    check_leave(c, top);
}
