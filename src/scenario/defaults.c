/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "scenario/rules.h"
#include "scenario/target_url.h"

#include <stdio.h>

enum { ID_MAX = 240 };

/* A choice that was given and is one: then its computed default does not apply. */
static bool chosen(struct check *c, const struct choice *choices, const char *rest)
{
    const json_t *value = check_below(c, rest);

    return json_is_string(value) && choice_find(choices, json_string_value(value)) != NULL;
}

static void fill_think_time(struct check *c, struct think_config *think)
{
    static const struct choice modes[] = {
        {.name = "none"}, {.name = "fixed"}, {.name = "jitter"}, {0}};

    if (!chosen(c, modes, "/workload/think_time/mode")) {
        think->mode = think->jitter_ns > 0 ? THINK_JITTER
                      : think->base_ns > 0 ? THINK_FIXED
                                           : THINK_NONE;
    }
}

static bool template_taken(const struct workload_config *w, const char *id)
{
    for (size_t i = 0; i < w->template_count; i++) {
        if (w->templates[i].template_id != NULL && strcmp(w->templates[i].template_id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* The name of what it calls; "name_2" … when that is taken. */
static void fill_templates(struct check *c, struct workload_config *w)
{
    for (size_t i = 0; i < w->template_count; i++) {
        struct template_config *t = &w->templates[i];
        char id[ID_MAX];

        if (t->template_id != NULL || t->tool_name[0] == '\0') {
            continue;
        }
        snprintf(id, sizeof id, "%s", t->tool_name);
        for (size_t n = 2; template_taken(w, id); n++) {
            snprintf(id, sizeof id, "%.200s_%zu", t->tool_name, n);
        }
        t->template_id = arena_strdup(c->arena, id);
    }
}

static void fill_mix(struct check *c, struct workload_config *w)
{
    if (w->mix != NULL) {
        return;
    }
    w->mix = arena_array(c->arena, 1, sizeof *w->mix);
    w->mix_count = 1;
    w->mix[0] = (struct mix_config){
        .operation = w->template_count > 0 ? OPERATION_TOOLS_CALL : OPERATION_TOOLS_LIST,
        .weight = 1,
        .arguments = {.text = STR("{}")},
    };
}

static bool condition_taken(const struct condition_config *list, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].id != NULL && strcmp(list[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* The current path is that of the list. */
static void fill_conditions(struct check *c, struct condition_config *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[ID_MAX];

        snprintf(text, sizeof text, "/%zu/comparator", i);
        if (!chosen(c, comparator_choices, text) &&
            strcmp(list[i].metric, "min_events_per_second") == 0) {
            list[i].comparator = COMPARE_LT;
        }
        if (list[i].id != NULL || list[i].metric[0] == '\0') {
            continue;
        }
        snprintf(text, sizeof text, "%s", list[i].metric);
        for (size_t n = 2; condition_taken(list, count, text); n++) {
            snprintf(text, sizeof text, "%.200s_%zu", list[i].metric, n);
        }
        list[i].id = arena_strdup(c->arena, text);
    }
}

static uint64_t default_duration(enum stage_kind kind)
{
    static const uint64_t seconds[] = {
        [STAGE_PREFLIGHT] = 5, [STAGE_BASELINE] = 30, [STAGE_RAMP] = 60,
        [STAGE_SOAK] = 600,    [STAGE_SPIKE] = 30,    [STAGE_CUSTOM] = 30,
    };

    return seconds[kind] * NS_PER_S;
}

/* Handshakes of a thousand VUs should not fall into one millisecond. */
static uint64_t default_spread(uint64_t duration_ns)
{
    return duration_ns / 10 < NS_PER_S ? duration_ns / 10 : NS_PER_S;
}

static void fill_stages(struct check *c, struct scenario *s)
{
    for (size_t i = 0; i < s->stage_count; i++) {
        struct stage_config *stage = &s->stages[i];
        char list[ID_MAX];

        if (stage->stage_id == NULL) {
            stage->stage_id = arena_printf(c->arena, "stg_%016zx", i + 1);
        }
        if (stage->duration_ns == FIELD_UNSET) {
            stage->duration_ns = default_duration(stage->kind);
        }
        if (!s->safety.ramp_by_default) {
            stage->start_spread_ns = 0;
        } else if (stage->start_spread_ns == FIELD_UNSET) {
            stage->start_spread_ns = default_spread(stage->duration_ns);
        }
        snprintf(list, sizeof list, "/stages/%zu/stop_conditions", i);
        size_t mark = c->path.len;
        buf_add_c(&c->path, list);
        fill_conditions(c, stage->conditions, stage->condition_count);
        check_leave(c, mark);
    }
}

static void fill_allowlist(struct check *c, struct scenario *s)
{
    struct target_url url;
    char normal[TARGET_URL_MAX + TARGET_HOST_MAX];

    if (s->environment.allowed != NULL ||
        json_is_array(check_value(c, "/environment/allowlist/allowed_targets")) ||
        target_url_parse(str_c(s->target.url), &url, NULL) != 0) {
        return;
    }
    url.path[0] = '\0';
    target_url_normal(&url, normal, sizeof normal);
    s->environment.allowed = arena_array(c->arena, 1, sizeof *s->environment.allowed);
    s->environment.allowed_count = 1;
    s->environment.allowed[0] =
        (struct allow_config){.kind = ALLOW_EXACT, .value = arena_strdup(c->arena, normal)};
}

void defaults_fill(struct check *c, struct scenario *s)
{
    s->schema_version = SCENARIO_SCHEMA_VERSION;
    if (s->scenario_id == NULL) {
        s->scenario_id = arena_strdup(
            c->arena, c->options->name != NULL && c->options->name[0] != '\0' ? c->options->name
                                                                              : "scenario");
    }
    if (s->metadata.name == NULL) {
        s->metadata.name = s->scenario_id;
    }
    s->target.protocol_name = choice_name(protocol_choices, (int)s->target.protocol_version);
    fill_allowlist(c, s);
    fill_think_time(c, &s->workload.think);
    fill_templates(c, &s->workload);
    fill_mix(c, &s->workload);
    fill_stages(c, s);
    size_t mark = check_enter(c, "safety");
    check_enter(c, "stop_conditions");
    fill_conditions(c, s->safety.conditions, s->safety.condition_count);
    check_leave(c, mark);
    for (size_t i = 0; i < s->workload.mix_count; i++) {
        struct json_text *arguments = &s->workload.mix[i].arguments;
        arguments->json = arguments->json == NULL ? s->empty_ : arguments->json;
    }
    for (size_t i = 0; i < s->workload.template_count; i++) {
        struct json_text *arguments = &s->workload.templates[i].arguments;
        arguments->json = arguments->json == NULL ? s->empty_ : arguments->json;
    }
}
