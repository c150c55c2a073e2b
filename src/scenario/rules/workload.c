/* SPDX-License-Identifier: MIT */
#include "base/pattern.h"
#include "base/pointer.h"
#include "scenario/config/choices.h"
#include "scenario/rules/ids.h"
#include "scenario/rules/rules.h"

#include <stdio.h>

static void enter_entry(struct check *c, const char *list, size_t index)
{
    char place[96];

    snprintf(place, sizeof place, "%s/%zu", list, index);
    buf_add_c(&c->path, place);
}

static const char *const mix_list = "/workload/operation_mix";

/* Which operation uses which member of an entry; tool_name and arguments of tools_call too. */
static const struct member_rule {
    const char *key;
    enum operation_kind used_by[2];
    size_t used_count;
    bool required;
} member_rules[] = {
    {"uri", {OPERATION_RESOURCES_READ}, 1, true},
    {"prompt_name", {OPERATION_PROMPTS_GET}, 1, true},
    {"tool_name", {OPERATION_TOOLS_CALL}, 1, false},
    {"arguments", {OPERATION_PROMPTS_GET, OPERATION_TOOLS_CALL}, 2, false},
};

static bool uses(const struct member_rule *rule, const struct mix_config *entry)
{
    for (size_t i = 0; i < rule->used_count; i++) {
        if (rule->used_by[i] == entry->operation) {
            /* A template brings its own arguments. */
            return strcmp(rule->key, "arguments") != 0 || entry->tool_name != NULL ||
                   entry->operation == OPERATION_PROMPTS_GET;
        }
    }
    return false;
}

/* The current path is that of the entry, whose operation is known. */
static void check_members(struct check *c, const struct mix_config *entry)
{
    const char *operation = choice_name(operation_choices, (int)entry->operation);

    for (size_t i = 0; i < sizeof member_rules / sizeof member_rules[0]; i++) {
        const struct member_rule *rule = &member_rules[i];
        size_t mark = check_enter(c, rule->key);
        const json_t *given = check_below(c, "");

        if (given == NULL && rule->required && uses(rule, entry)) {
            check_error(c, "REQUIRED_FIELD_MISSING",
                        check_text(c, "Add `%s` to the entry.", rule->key),
                        "`%s` is required for %s", rule->key, operation);
        } else if (given != NULL && !uses(rule, entry) && json_object_size(given) == 0 &&
                   json_is_object(given)) {
            /* An empty object says nothing, so nothing is lost. */
        } else if (given != NULL && !uses(rule, entry)) {
            check_warning(c, "FIELD_WITHOUT_EFFECT", check_text(c, "Remove `%s`.", rule->key),
                          "`%s` has no effect on a %s entry%s", rule->key, operation,
                          entry->operation == OPERATION_TOOLS_CALL ? " without `tool_name`" : "");
        }
        check_leave(c, mark);
    }
}

/* One cause, one issue, however many entries there are. */
static void refuse_call(struct check *c, size_t entry)
{
    size_t mark = check_enter(c, "workload");

    check_enter(c, "tools");
    if (!check_has_error(c)) {
        check_error(c, "TOOLS_CALL_REQUIRES_TEMPLATES",
                    "Add templates to workload.tools.templates, or `tool_name` to the entry.",
                    "entry %zu of operation_mix calls tools, and has neither a template nor a "
                    "tool_name of its own",
                    entry);
    }
    check_leave(c, mark);
}

static void check_mix(struct check *c, const struct workload_config *w)
{
    size_t needs_template = w->mix_count;

    for (size_t i = 0; i < w->mix_count; i++) {
        const struct mix_config *entry = &w->mix[i];
        size_t mark = c->path.len;

        enter_entry(c, mix_list, i);
        size_t operation = check_enter(c, "operation");
        bool known = !check_has_error(c);
        check_leave(c, operation);
        if (known && entry->operation == OPERATION_TOOLS_CALL && entry->tool_name == NULL &&
            w->template_count == 0 && check_below(c, "/tool_name") == NULL) {
            needs_template = needs_template < w->mix_count ? needs_template : i;
        }
        if (known) {
            check_members(c, entry);
        }
        check_leave(c, mark);
    }
    if (needs_template < w->mix_count) {
        refuse_call(c, needs_template);
    }
}

/* ---- checks of templates --------------------------------------------------------------------- */

void rules_pointer(struct check *c, const char *pointer)
{
    struct err err = {0};

    if (pointer_check(pointer, &err) != 0) {
        check_error(c, "INVALID_POINTER", "Write /key/0/key; ~ is ~0 and / in a key is ~1.", "%s",
                    err.msg);
    }
}

static unsigned kinds_of(const struct check_config *check)
{
    return (check->equals != NULL ? 1u : 0u) + (check->matches != NULL ? 1u : 0u) +
           (check->has_exists ? 1u : 0u) + (check->has_min || check->has_max ? 1u : 0u) +
           (check->max_bytes > 0 ? 1u : 0u);
}

/* Has one of the members a misfit, and so its issue? The current path is that of the check. */
static bool member_is_wrong(struct check *c)
{
    static const char *const keys[] = {"matches", "exists", "min", "max", "max_bytes"};
    bool wrong = false;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        size_t mark = check_enter(c, keys[i]);
        wrong = wrong || check_has_error(c);
        check_leave(c, mark);
    }
    return wrong;
}

static void check_check(struct check *c, const struct check_config *check)
{
    struct err err = {0};
    unsigned kinds = kinds_of(check);
    size_t mark = c->path.len;

    if (kinds != 1 && !member_is_wrong(c)) {
        check_error(c, "SCHEMA_VIOLATION",
                    "Give one of equals, matches, exists, min and max, or max_bytes.",
                    kinds == 0 ? "the check has no condition"
                               : "the check has several conditions; write a check for each");
    }
    if (check->has_min && check->has_max && check->min > check->max) {
        check_error(c, "SCHEMA_VIOLATION", "Exchange the two.", "min is above max");
    }
    check_enter(c, "pointer");
    rules_pointer(c, check->pointer);
    if (check->max_bytes > 0 && check->pointer[0] != '\0') {
        check_warning(c, "FIELD_WITHOUT_EFFECT", "Remove `pointer`.",
                      "max_bytes is about the whole answer");
    }
    check_leave(c, mark);
    check_enter(c, "matches");
    if (check->matches != NULL && pattern_check(check->matches, &err) != 0) {
        check_error(c, "INVALID_PATTERN", "Write an extended regular expression (POSIX).", "%s",
                    err.msg);
    }
    check_leave(c, mark);
}

/* ---- templates ------------------------------------------------------------------------------- */

static void check_templates(struct check *c, struct workload_config *w)
{
    const struct id_list ids =
        ID_LIST(template_config, w->templates, w->template_count, template_id);
    size_t mark = c->path.len;

    buf_add_c(&c->path, "/workload/tools/templates");
    id_check_unique(c, &ids, "template_id");
    for (size_t i = 0; i < w->template_count; i++) {
        struct template_config *t = &w->templates[i];
        const struct id_list checks = ID_LIST(check_config, t->checks, t->check_count, id);
        size_t entry = check_enter_index(c, i);
        size_t list = check_enter(c, "checks");

        id_check_unique(c, &checks, "id");
        check_leave(c, list);
        check_enter(c, "checks");
        for (size_t n = 0; n < t->check_count; n++) {
            size_t place = check_enter_index(c, n);
            check_check(c, &t->checks[n]);
            check_leave(c, place);
        }
        check_leave(c, entry);
    }
    check_leave(c, mark);
}

/* The template of mode single. */
static void check_single_template(struct check *c, struct workload_config *w)
{
    const struct id_list ids =
        ID_LIST(template_config, w->templates, w->template_count, template_id);
    const char *id = w->single_template_id;
    size_t mark = c->path.len;

    buf_add_c(&c->path, "/workload/tools/selection/single_template_id");
    if (check_has_error(c)) {
        check_leave(c, mark);
        return;
    }
    if (id == NULL && w->selection == SELECTION_SINGLE) {
        check_error(c, "TEMPLATE_NOT_FOUND", "Name one of workload.tools.templates.",
                    w->template_count == 0
                        ? "selection single, and there is no template"
                        : "selection single of several templates: of which one?");
    } else if (id != NULL && id_find(&ids, str_c(id)) == ids.count) {
        check_error(c, "TEMPLATE_NOT_FOUND",
                    id_advice(c, &ids, str_c(id), "Name a template of workload.tools.templates."),
                    "no template has the id \"%s\"", id);
    } else if (id != NULL && w->selection != SELECTION_SINGLE) {
        check_warning(c, "FIELD_WITHOUT_EFFECT", "Set the mode to single, or remove it.",
                      "single_template_id has an effect in mode single only");
    }
    check_leave(c, mark);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void check_reconnect(struct check *c, const struct reconnect_config *r)
{
    size_t mark = c->path.len;

    buf_add_c(&c->path, "/workload/user_journey/reconnect_policy/max_delay_ms");
    if (r->max_delay_ns < r->initial_delay_ns && !check_has_error(c)) {
        check_error(c, "SCHEMA_VIOLATION", "Raise max_delay_ms or lower initial_delay_ms.",
                    "max_delay_ms is below initial_delay_ms");
    }
    check_leave(c, mark);
}

static void check_sessions(struct check *c, const struct session_config *session)
{
    size_t mark = check_enter(c, "session_policy");
    size_t place = check_enter(c, "churn_interval_ops");

    if (session->mode != SESSION_CHURN && session->churn_interval_ops > 0 && !check_has_error(c)) {
        check_error(c, "CHURN_INTERVAL_OPS_INVALID", "Leave churn_interval_ops out.",
                    "churn_interval_ops has a meaning in churn mode only");
    }
    check_leave(c, place);
    check_enter(c, "pool_size");
    if (session->mode != SESSION_POOL && session->pool_size > 0 && !check_has_error(c)) {
        check_warning(c, "FIELD_WITHOUT_EFFECT", "Leave pool_size out, or set the mode to pool.",
                      "pool_size has a meaning in pool mode only");
    }
    check_leave(c, mark);
}

/* Templates that no entry of the mix calls. */
static void check_template_use(struct check *c, const struct workload_config *w)
{
    for (size_t i = 0; i < w->mix_count; i++) {
        if (w->mix[i].operation == OPERATION_TOOLS_CALL && w->mix[i].tool_name == NULL) {
            return;
        }
    }
    size_t mark = c->path.len;
    buf_add_c(&c->path, "/workload/tools/templates");
    if (w->mix_count > 0 && w->template_count > 0 && !check_has_error(c)) {
        check_warning(c, "FIELD_WITHOUT_EFFECT",
                      "Add a tools_call entry without `tool_name`, or remove the templates.",
                      "no entry of the operation mix calls the templates");
    }
    check_leave(c, mark);
}

/* ---- the user journey ------------------------------------------------------------------------ */

static bool mix_has_tools(const struct workload_config *w)
{
    for (size_t i = 0; i < w->mix_count; i++) {
        if (w->mix[i].operation == OPERATION_TOOLS_CALL ||
            w->mix[i].operation == OPERATION_TOOLS_LIST) {
            return true;
        }
    }
    return false;
}

static void warn_of_list(struct check *c, const char *field, bool asks)
{
    size_t mark = c->path.len;

    buf_add_c(&c->path, field);
    if (asks && check_below(c, "") != NULL && !check_has_error(c)) {
        check_warning(c, "FIELD_WITHOUT_EFFECT",
                      "Add a tools_call or tools_list entry to the operation mix, or remove it.",
                      "VUs list the tools beside a workload that uses tools, and no entry of the "
                      "operation mix does");
    }
    check_leave(c, mark);
}

/* What was asked for in so many words; the defaults ask for lists where there are tools. */
static void check_journey(struct check *c, const struct workload_config *w)
{
    const struct journey_config *j = &w->journey;

    if (w->mix_count == 0 || mix_has_tools(w)) {
        return;
    }
    warn_of_list(c, "/workload/user_journey/startup_sequence/run_tools_list_on_start",
                 j->list_on_start);
    warn_of_list(c, "/workload/user_journey/periodic_ops/tools_list_interval_ms",
                 j->list_interval_ns > 0);
    warn_of_list(c, "/workload/user_journey/periodic_ops/tools_list_after_errors",
                 j->list_after_errors > 0);
}

void rules_workload(struct check *c, struct scenario *s)
{
    check_sessions(c, &s->session);
    check_mix(c, &s->workload);
    check_templates(c, &s->workload);
    check_single_template(c, &s->workload);
    check_template_use(c, &s->workload);
    check_reconnect(c, &s->workload.reconnect);
    check_journey(c, &s->workload);
    size_t mark = c->path.len;
    buf_add_c(&c->path, "/workload/in_flight_per_vu");
    if (s->workload.in_flight_per_vu > s->safety.caps.max_in_flight_per_vu) {
        check_error(c, "CAPS_INCONSISTENT",
                    "Lower in_flight_per_vu or raise safety.hard_caps.max_in_flight_per_vu.",
                    "%zu operations in flight, and the cap is %zu",
                    (size_t)s->workload.in_flight_per_vu,
                    (size_t)s->safety.caps.max_in_flight_per_vu);
    }
    check_leave(c, mark);
}
