/* SPDX-License-Identifier: MIT */
/* What a careful scenario has. */
#include "scenario/config/choices.h"
#include "scenario/rules/rules.h"

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

/* Nothing or a warning by default, an error in the strict profile. */
void rules_guard(
    struct check *c, bool warn, const char *code, const char *remediation, const char *message)
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
            rules_guard(c, false, needed[i].code, "Add the stage.",
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
        rules_guard(c, true, "PREFLIGHT_NOT_FIRST", "Begin with a short preflight stage.",
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
        check_enter(c, "stop_conditions");
        if (!check_has_error(c)) {
            rules_guard(c, true, "STOP_CONDITIONS_REQUIRED",
                        "Add a condition, for example on error_rate.",
                        "the stage has no stop condition");
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
        rules_guard(c, true, "STREAMING_GUARDRAILS", "Add a stop condition on stream_stall_count.",
                    c->options->strict
                        ? "streams are expected, and no stop condition watches their stalls "
                          "(stream_stall_count or another stream_stall_… metric)"
                        : "streams are expected, and no stop condition watches them");
        check_leave(c, mark);
        return;
    }
}

static void guard_caps(struct check *c)
{
    size_t mark = enter_place(c, "/safety/hard_caps");
    bool vus = check_below(c, "/max_vus") != NULL;
    bool duration = check_below(c, "/max_duration_ms") != NULL;

    if (!vus || !duration) {
        rules_guard(c, false, "CAPS_REQUIRED", "Give both max_vus and max_duration_ms.",
                    vus        ? "max_duration_ms is not given"
                    : duration ? "max_vus is not given"
                               : "neither max_vus nor max_duration_ms is given");
    }
    check_leave(c, mark);
}

void rules_guards(struct check *c, const struct scenario *s)
{
    guard_stages(c, s);
    guard_conditions(c, s);
    guard_streaming(c, s);
    guard_caps(c);
}
