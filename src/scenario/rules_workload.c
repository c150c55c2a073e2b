/* SPDX-License-Identifier: MIT */
#include "scenario/rules.h"

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

static void check_mix(struct check *c, const struct workload_config *w)
{
    for (size_t i = 0; i < w->mix_count; i++) {
        const struct mix_config *entry = &w->mix[i];
        size_t mark = c->path.len;

        enter_entry(c, mix_list, i);
        size_t operation = check_enter(c, "operation");
        bool known = !check_has_error(c);
        check_leave(c, operation);
        if (known && entry->operation == OPERATION_TOOLS_CALL && entry->tool_name == NULL &&
            w->template_count == 0 && check_below(c, "/tool_name") == NULL) {
            check_error(c, "TOOLS_CALL_REQUIRES_TEMPLATES",
                        "Add `tool_name` to the entry, or templates to workload.tools.templates.",
                        "tools_call has neither a template nor a tool_name of its own");
        }
        if (known) {
            check_members(c, entry);
        }
        check_leave(c, mark);
    }
}

static bool earlier_template(const struct workload_config *w, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (w->templates[i].template_id != NULL &&
            strcmp(w->templates[i].template_id, w->templates[index].template_id) == 0) {
            return true;
        }
    }
    return false;
}

static void check_templates(struct check *c, const struct workload_config *w)
{
    for (size_t i = 0; i < w->template_count; i++) {
        if (w->templates[i].template_id == NULL || !earlier_template(w, i)) {
            continue;
        }
        size_t mark = c->path.len;
        enter_entry(c, "/workload/tools/templates", i);
        check_enter(c, "template_id");
        check_error(c, "DUPLICATE_ID", "Give each template an id of its own.",
                    "the template id \"%s\" is used before", w->templates[i].template_id);
        check_leave(c, mark);
    }
}

static void check_single_template(struct check *c, const struct workload_config *w)
{
    static const char place[] = "/workload/tools/selection/single_template_id";
    const char *id = json_string_value(check_value(c, place));
    const char *names[500];
    size_t count = 0, mark = c->path.len;

    for (size_t i = 0; id != NULL && i < w->template_count && count < 500; i++) {
        if (w->templates[i].template_id == NULL) {
            continue;
        }
        if (strcmp(w->templates[i].template_id, id) == 0) {
            return;
        }
        names[count++] = w->templates[i].template_id;
    }
    if (id == NULL) {
        return;
    }
    const char *near = str_nearest(str_c(id), names, count);
    buf_add_c(&c->path, place);
    if (!check_has_error(c)) {
        check_error(c, "TEMPLATE_NOT_FOUND",
                    near != NULL ? check_text(c, "Did you mean \"%s\"?", near)
                                 : "Name a template of workload.tools.templates.",
                    "no template has the id \"%s\"", id);
    }
    check_leave(c, mark);
}

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

static void check_churn(struct check *c)
{
    size_t mark = c->path.len;
    const json_t *value = check_value(c, "/session_policy/churn_interval_ops");
    const char *mode = json_string_value(check_value(c, "/session_policy/mode"));

    buf_add_c(&c->path, "/session_policy/churn_interval_ops");
    if (json_number_value(value) > 0 && !check_has_error(c) &&
        (mode == NULL || strcmp(mode, "churn") != 0)) {
        check_error(c, "CHURN_INTERVAL_OPS_INVALID", "Leave churn_interval_ops out.",
                    "churn_interval_ops has a meaning in churn mode only");
    }
    check_leave(c, mark);
}

void rules_workload(struct check *c, struct scenario *s)
{
    check_churn(c);
    check_mix(c, &s->workload);
    check_templates(c, &s->workload);
    check_single_template(c, &s->workload);
    check_reconnect(c, &s->workload.reconnect);
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
