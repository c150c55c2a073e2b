/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "scenario/rules.h"

#include <stdio.h>

enum { NAMES_MAX = 5500, SYSTEM_VUS_MAX = 10000, SYSTEM_RPS_MAX = 100000 };
static const uint64_t system_duration_ns = UINT64_C(86400) * NS_PER_S;
static const uint64_t stage_min_ns = NS_PER_S;

static size_t enter_place(struct check *c, const char *place)
{
    size_t mark = c->path.len;

    buf_add_c(&c->path, place);
    return mark;
}

static size_t enter_stage(struct check *c, size_t index)
{
    size_t mark = check_enter(c, "stages");

    check_enter_index(c, index);
    return mark;
}

static bool given(struct check *c, const char *place)
{
    return check_value(c, place) != NULL;
}

static bool known_metric(const struct scenario_options *options, const char *metric)
{
    for (size_t i = 0; i < options->metric_count; i++) {
        if (strcmp(options->metric_names[i], metric) == 0) {
            return true;
        }
    }
    return false;
}

/* A count that has to be reached once may trigger inside its first window. */
static bool may_fire_early(const struct scenario_options *options,
                           const struct condition_config *cond)
{
    return cond->sustain_windows == 1 && cond->comparator != COMPARE_LT &&
           cond->comparator != COMPARE_LE && options->metric_grows != NULL &&
           options->metric_grows(cond->metric);
}

static void report_metric(struct check *c, const char *metric)
{
    const struct scenario_options *o = c->options;
    const char *near =
        check_full(c) ? NULL : str_nearest(str_c(metric), o->metric_names, o->metric_count);
    struct buf names;

    buf_init(&names, NAMES_MAX);
    for (size_t i = 0; i < o->metric_count; i++) {
        buf_printf(&names, "%s%s", i == 0 ? "" : ", ", o->metric_names[i]);
    }
    check_error(c, "UNKNOWN_METRIC",
                near != NULL ? check_text(c, "Did you mean `%s`?", near) : "Use a known metric.",
                "there is no metric \"%s\"; known are: %s", metric, buf_c(&names));
    buf_clear(&names);
}

static bool earlier_condition(const struct condition_config *list, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (list[i].id != NULL && list[index].id != NULL &&
            strcmp(list[i].id, list[index].id) == 0) {
            return true;
        }
    }
    return false;
}

/* The current path is that of the list; `time_ns` is how long the conditions are watched. */
static void check_conditions(struct check *c,
                             const struct condition_config *list,
                             size_t count,
                             uint64_t time_ns)
{
    for (size_t i = 0; i < count; i++) {
        const struct condition_config *cond = &list[i];
        size_t mark = check_enter_index(c, i);

        if (earlier_condition(list, i)) {
            size_t entry = check_enter(c, "id");
            check_error(c, "DUPLICATE_ID", "Give each condition an id of its own.",
                        "the condition id \"%s\" is used before", cond->id);
            check_leave(c, entry);
        }
        /* Without names nobody has said which metrics there are. */
        if (cond->metric[0] != '\0' && c->options->metric_count > 0 &&
            !known_metric(c->options, cond->metric)) {
            size_t entry = check_enter(c, "metric");
            report_metric(c, cond->metric);
            check_leave(c, entry);
        }
        uint64_t needed = cond->window_ns * cond->sustain_windows;
        if (time_ns > 0 && needed > time_ns && !may_fire_early(c->options, cond)) {
            check_warning(c, "CONDITION_UNREACHABLE",
                          "Shorten window_ms or sustain_windows, or lengthen the stage.",
                          "the condition needs %.15g s, and it is watched for %.15g s",
                          (double)needed / (double)NS_PER_S, (double)time_ns / (double)NS_PER_S);
        }
        check_leave(c, mark);
    }
}

static bool earlier_stage(const struct scenario *s, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(s->stages[i].stage_id, s->stages[index].stage_id) == 0) {
            return true;
        }
    }
    return false;
}

/* The current path is that of the stage. */
static void check_duration(struct check *c, struct stage_config *stage)
{
    size_t mark = check_enter(c, "duration_ms");

    if (stage->enabled && stage->duration_ns < stage_min_ns && !check_has_error(c)) {
        check_error(c, "DURATION_INVALID", "Use at least 1000.",
                    "an enabled stage lasts at least 1000 ms");
    }
    check_leave(c, mark);
    if (stage->max_duration_ns == 0 || stage->max_duration_ns >= stage->duration_ns) {
        return;
    }
    check_enter(c, "max_duration_ms");
    check_warning(c, "DURATION_INVALID", "Raise max_duration_ms or lower duration_ms.",
                  "max_duration_ms is below duration_ms and is lifted to it");
    check_leave(c, mark);
    stage->max_duration_ns = stage->duration_ns;
}

static void check_load(struct check *c, struct scenario *s, struct stage_config *stage)
{
    size_t stage_place = c->path.len;
    uint64_t cap = s->safety.caps.max_vus;

    check_enter(c, "load");
    check_enter(c, "target_vus");
    if (stage->target_vus == 0 && stage->enabled && !check_has_error(c)) {
        check_error(c, "LOAD_INVALID", "Use at least 1.", "a stage needs at least one VU");
    } else if (stage->target_vus > cap) {
        static const char advice[] = "Lower target_vus or raise safety.hard_caps.max_vus.";
        static const char text[] = "%zu VUs, and safety.hard_caps.max_vus is %zu%s";
        if (c->options->strict) {
            check_error(c, "CAPS_EXCEEDED", advice, text, (size_t)stage->target_vus, (size_t)cap,
                        "");
        } else {
            check_warning(c, "CAPS_EXCEEDED", advice, text, (size_t)stage->target_vus, (size_t)cap,
                          "; the stage is cut to it");
        }
        stage->target_vus = cap;
    }
    if (stage->enabled && s->safety.ramp_by_default && stage->target_vus > cap / 2) {
        check_warning(c, "RAMP_BY_DEFAULT_GUARD",
                      "Raise safety.hard_caps.max_vus, or use fewer VUs.",
                      "a constant stage above half of safety.hard_caps.max_vus");
    }
    check_leave(c, stage_place);
}

static void check_stage(struct check *c, struct scenario *s, size_t index)
{
    struct stage_config *stage = &s->stages[index];
    size_t mark = enter_stage(c, index);
    size_t place = c->path.len;

    if (earlier_stage(s, index)) {
        check_enter(c, "stage_id");
        check_error(c, "DUPLICATE_ID", "Give each stage an id of its own.",
                    "the stage id \"%s\" is used before", stage->stage_id);
        check_leave(c, place);
    }
    check_duration(c, stage);
    check_load(c, s, stage);
    check_enter(c, "stop_conditions");
    uint64_t longest = stage->max_duration_ns > 0 ? stage->max_duration_ns : stage->duration_ns;
    check_conditions(c, stage->conditions, stage->condition_count, longest);
    check_leave(c, mark);
}

/* Reports a guard rule: nothing or a warning by default, an error in the strict profile. */
static void
guard(struct check *c, bool warn, const char *code, const char *remediation, const char *message)
{
    if (c->options->strict) {
        check_error(c, code, remediation, "%s", message);
    } else if (warn) {
        check_warning(c, code, remediation, "%s", message);
    }
}

static bool has_stage(const struct scenario *s, enum stage_kind kind)
{
    for (size_t i = 0; i < s->stage_count; i++) {
        if (s->stages[i].enabled && s->stages[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static void guard_stages(struct check *c, const struct scenario *s)
{
    static const struct {
        enum stage_kind kind;
        const char *code;
    } needed[] = {
        {STAGE_PREFLIGHT, "PREFLIGHT_REQUIRED"},
        {STAGE_BASELINE, "BASELINE_REQUIRED"},
        {STAGE_RAMP, "RAMP_REQUIRED"},
    };
    size_t mark = check_enter(c, "stages"), first = 0;

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!has_stage(s, needed[i].kind)) {
            guard(c, false, needed[i].code, "Add the stage.",
                  check_text(c, "no enabled %s stage", stage_kind_name(needed[i].kind)));
        }
    }
    while (first < s->stage_count && !s->stages[first].enabled) {
        first++;
    }
    if (first == s->stage_count) {
        if (!check_has_error(c) && s->stage_count > 0) {
            check_error(c, "STAGES_REQUIRED", "Enable a stage.", "no stage is enabled");
        }
    } else if (s->stages[first].kind != STAGE_PREFLIGHT) {
        check_enter_index(c, first);
        guard(c, true, "PREFLIGHT_NOT_FIRST", "Begin with a short preflight stage.",
              "the first stage is no preflight, so the first load is the full load");
    }
    check_leave(c, mark);
}

static bool needs_condition(const struct stage_config *stage)
{
    return stage->enabled && (stage->kind == STAGE_BASELINE || stage->kind == STAGE_RAMP);
}

static void guard_conditions(struct check *c, const struct scenario *s)
{
    for (size_t i = 0; i < s->stage_count; i++) {
        if (!needs_condition(&s->stages[i]) || s->stages[i].condition_count > 0 ||
            (s->safety.condition_count > 0 && !c->options->strict)) {
            continue;
        }
        size_t mark = enter_stage(c, i);
        size_t place = check_enter(c, "stop_conditions");
        bool wrong = check_has_error(c);
        check_leave(c, place);
        if (!wrong) {
            guard(c, true, "STOP_CONDITIONS_REQUIRED",
                  "Add a condition, for example on error_rate.", "the stage has no stop condition");
        }
        check_leave(c, mark);
    }
}

static bool watches_streams(const struct condition_config *list, size_t count, bool strict)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(list[i].metric, "stream_stall") != NULL ||
            (!strict && (strstr(list[i].metric, "stream") != NULL ||
                         strstr(list[i].metric, "event") != NULL))) {
            return true;
        }
    }
    return false;
}

static void guard_streaming(struct check *c, const struct scenario *s)
{
    bool watched =
        watches_streams(s->safety.conditions, s->safety.condition_count, c->options->strict);

    for (size_t i = 0; i < s->stage_count; i++) {
        watched = watched || watches_streams(s->stages[i].conditions, s->stages[i].condition_count,
                                             c->options->strict);
    }
    for (size_t i = 0; i < s->workload.template_count && !watched; i++) {
        if (!s->workload.templates[i].expects_streaming) {
            continue;
        }
        size_t mark = enter_place(c, "/workload/tools/templates");
        check_enter_index(c, i);
        check_enter(c, "expects_streaming");
        guard(c, true, "STREAMING_GUARDRAILS", "Add a stop condition on stream_stall_count.",
              "streams are expected, and no stop condition watches them");
        check_leave(c, mark);
        return;
    }
}

static uint64_t check_total(struct check *c, const struct scenario *s)
{
    uint64_t total = 0;

    for (size_t i = 0; i < s->stage_count; i++) {
        total += s->stages[i].enabled ? s->stages[i].duration_ns : 0;
    }
    if (total > s->safety.caps.max_duration_ns) {
        size_t mark = enter_place(c, "/safety/hard_caps/max_duration_ms");
        guard(c, true, "CAPS_EXCEEDED", "Raise max_duration_ms or shorten the stages.",
              "the stages together last longer; the run ends at the cap");
        check_leave(c, mark);
        return s->safety.caps.max_duration_ns;
    }
    return total;
}

/* A service that others may reach has limits of its own; one's own machine has none. */
static void check_system(struct check *c, const struct caps_config *caps)
{
    const struct {
        const char *place;
        bool above;
    } rules[] = {
        {"/safety/hard_caps/max_vus", caps->max_vus > SYSTEM_VUS_MAX},
        {"/safety/hard_caps/max_rps", caps->max_rps > SYSTEM_RPS_MAX},
        {"/safety/hard_caps/max_duration_ms", caps->max_duration_ns > system_duration_ns},
    };

    for (size_t i = 0; c->options->network_public && i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].above) {
            size_t mark = enter_place(c, rules[i].place);
            check_error(c, "SYSTEM_POLICY_VIOLATION", "Lower it, or ask the operator.",
                        "above the limit of this installation (%d VUs, %d operations/s, 24 h)",
                        SYSTEM_VUS_MAX, SYSTEM_RPS_MAX);
            check_leave(c, mark);
        }
    }
}

static void guard_caps(struct check *c)
{
    static const char *const needed[] = {"/safety/hard_caps/max_vus",
                                         "/safety/hard_caps/max_duration_ms"};

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!given(c, needed[i])) {
            size_t mark = enter_place(c, needed[i]);
            guard(c, false, "CAPS_REQUIRED", "Give the cap.", "the cap is not given");
            check_leave(c, mark);
        }
    }
}

void rules_stages(struct check *c, struct scenario *s)
{
    uint64_t total = check_total(c, s);

    for (size_t i = 0; i < s->stage_count; i++) {
        check_stage(c, s, i);
    }
    size_t mark = enter_place(c, "/safety/stop_conditions");
    check_conditions(c, s->safety.conditions, s->safety.condition_count, total);
    check_leave(c, mark);
    guard_stages(c, s);
    guard_conditions(c, s);
    guard_streaming(c, s);
    guard_caps(c);
    check_system(c, &s->safety.caps);
}
