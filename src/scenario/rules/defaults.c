/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "scenario/config/choices.h"
#include "scenario/policy/target_url.h"
#include "scenario/rules/ids.h"
#include "scenario/rules/rules.h"

#include <stdio.h>

enum { PLACE_MAX = 96, RAMP_STEPS = 5, POOL_SIZE = 10 };

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

/* The name of what it calls; "name_2" … when that is taken. */
static void fill_templates(struct check *c, struct workload_config *w)
{
    const struct id_list ids =
        ID_LIST(template_config, w->templates, w->template_count, template_id);

    for (size_t i = 0; i < w->template_count; i++) {
        struct template_config *t = &w->templates[i];

        if (t->template_id == NULL && t->tool_name[0] != '\0') {
            id_fill(c, &ids, i, t->tool_name);
        }
        const struct id_list checks = ID_LIST(check_config, t->checks, t->check_count, id);
        for (size_t n = 0; n < t->check_count; n++) {
            if (t->checks[n].id == NULL) {
                id_fill(c, &checks, n, arena_printf(c->arena, "check_%zu", n + 1));
            }
        }
    }
    if (w->selection == SELECTION_SINGLE && w->single_template_id == NULL &&
        w->template_count == 1) {
        w->single_template_id = w->templates[0].template_id;
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

/* The current path is that of the list. */
static void fill_conditions(struct check *c, struct condition_config *list, size_t count)
{
    const struct id_list ids = ID_LIST(condition_config, list, count, id);

    for (size_t i = 0; i < count; i++) {
        char text[PLACE_MAX];

        snprintf(text, sizeof text, "/%zu/comparator", i);
        if (!chosen(c, comparator_choices, text) &&
            strcmp(list[i].metric, "min_events_per_second") == 0) {
            list[i].comparator = COMPARE_LT;
        }
        if (list[i].id == NULL && list[i].metric[0] != '\0') {
            id_fill(c, &ids, i, list[i].metric);
        }
    }
}

static void fill_criteria(struct check *c, struct criterion_config *list, size_t count)
{
    const struct id_list ids = ID_LIST(criterion_config, list, count, id);

    for (size_t i = 0; i < count; i++) {
        if (list[i].id == NULL && list[i].metric[0] != '\0') {
            id_fill(c, &ids, i, list[i].metric);
        }
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

/* A ramp without numbers of its own takes its stage in five parts. */
static void fill_ramp(struct stage_config *stage)
{
    struct ramp_config *r = &stage->ramp;

    r->given = r->given || stage->kind == STAGE_RAMP;
    if (r->step_every_ns == FIELD_UNSET) {
        uint64_t every_ms = stage->duration_ns / NS_PER_MS / RAMP_STEPS;

        r->step_every_ns = (every_ms > 0 ? every_ms : 1) * NS_PER_MS;
    }
    if (r->hold_ns == FIELD_UNSET) {
        r->hold_ns = r->step_every_ns;
    }
}

/* One VU, but by a schedule as many as it needs, unless the ramp speaks of VUs. */
static void fill_load(struct stage_config *stage)
{
    const struct ramp_config *r = &stage->ramp;

    if (stage->target_vus == FIELD_UNSET) {
        stage->target_vus = stage->target_rps > 0 && r->max_vus == FIELD_UNSET ? 0 : 1;
    }
}

static void fill_stages(struct check *c, struct scenario *s)
{
    for (size_t i = 0; i < s->stage_count; i++) {
        struct stage_config *stage = &s->stages[i];
        char list[PLACE_MAX];

        if (stage->stage_id == NULL) {
            stage->stage_id = arena_printf(c->arena, "stg_%016zx", i + 1);
        }
        if (stage->duration_ns == FIELD_UNSET) {
            stage->duration_ns = default_duration(stage->kind);
        }
        fill_ramp(stage);
        fill_load(stage);
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
        fill_criteria(c, stage->criteria, stage->criterion_count);
    }
}

static void fill_session(struct session_config *session)
{
    if (session->mode == SESSION_POOL && session->pool_size == 0) {
        session->pool_size = POOL_SIZE;
    }
    if (session->mode == SESSION_CHURN && session->churn_interval_ops == 0) {
        session->churn_interval_ops = 1;
    }
}

/* Absent is the default, null is nothing. */
static void fill_journey(struct check *c, struct journey_config *journey)
{
    const json_t *all = check_value(c, "/workload/user_journey");
    const json_t *start = check_value(c, "/workload/user_journey/startup_sequence");
    const json_t *periodic = check_value(c, "/workload/user_journey/periodic_ops");

    if (json_is_null(all) || json_is_null(start)) {
        journey->list_on_start = false;
    }
    if (json_is_null(all) || json_is_null(periodic)) {
        journey->list_interval_ns = 0;
        journey->list_after_errors = 0;
    }
}

/* Bounds hold for both distributions; what is missing is reported by the rules. */
static void fill_payloads(struct workload_config *w)
{
    for (size_t i = 0; i < w->payload_count; i++) {
        struct payload_config *p = &w->payloads[i];

        if (p->distribution == SIZE_FIXED) {
            p->min_bytes = p->max_bytes = p->fixed_bytes;
        }
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);

    return len >= n && strcasecmp(text + len - n, end) == 0;
}

static void fill_feeds(struct check *c, struct workload_config *w)
{
    static const struct choice formats[] = {{.name = "csv"}, {.name = "jsonl"}, {0}};

    for (size_t i = 0; i < w->feed_count; i++) {
        struct feed_config *f = &w->feeds[i];
        char place[PLACE_MAX];

        snprintf(place, sizeof place, "/workload/data/%zu/format", i);
        if (!chosen(c, formats, place)) {
            f->format = ends_with(f->path, ".jsonl") || ends_with(f->path, ".ndjson") ? FEED_JSONL
                                                                                      : FEED_CSV;
        }
    }
}

static void fill_allowlist(struct check *c, struct scenario *s)
{
    struct target_url url;
    char normal[TARGET_URL_MAX + TARGET_HOST_MAX];

    if (s->environment.allowed != NULL ||
        json_is_array(check_value(c, "/environment/allowlist/allowed_targets")) ||
        target_url_parse(str_c(s->target.url), &url, NULL) != 0 || !target_url_is_http(&url)) {
        return;
    }
    url.path[0] = '\0';
    target_url_normal(&url, normal, sizeof normal);
    s->environment.allowed = arena_array(c->arena, 1, sizeof *s->environment.allowed);
    s->environment.allowed_count = 1;
    s->environment.allowed[0] =
        (struct allow_config){.kind = ALLOW_EXACT, .value = arena_strdup(c->arena, normal)};
}

/* What is given says how it is meant. */
static void fill_auth(struct auth_config *a)
{
    a->decided_by = "type";
    if (a->has_type) {
        return;
    }
    a->has_type = true;
    if (a->token_count > 0 || a->bearer_token_ref != NULL) {
        a->type = AUTH_BEARER_TOKEN;
        a->decided_by = a->token_count > 0 ? "tokens" : "bearer_token_ref";
    } else if (a->api_key_ref != NULL) {
        a->type = AUTH_API_KEY_HEADER;
        a->decided_by = "api_key_ref";
    } else if (a->plugin_id != NULL) {
        a->type = AUTH_PLUGIN;
        a->decided_by = "plugin_id";
    }
}

static void fill_server_telemetry(struct server_telemetry_config *t)
{
    if (!t->has_enabled) {
        t->enabled = t->pair_key != NULL;
        t->has_enabled = true;
    }
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
    fill_auth(&s->target.auth);
    fill_server_telemetry(&s->server_telemetry);
    fill_session(&s->session);
    fill_journey(c, &s->workload.journey);
    fill_payloads(&s->workload);
    fill_feeds(c, &s->workload);
    fill_stages(c, s);
    fill_criteria(c, s->criteria, s->criterion_count);
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
