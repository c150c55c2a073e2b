/* SPDX-License-Identifier: MIT */
/* Handlers of /runs: from the request to a call of the hub, and back. */
#include "api/answer.h"

static const char *text_of(const struct api_request *r, const char *member)
{
    return json_string_value(json_object_get(r->body, member));
}

static const char *actor_of(const struct api_request *r)
{
    const char *actor = text_of(r, "actor");

    return actor != NULL && actor[0] != '\0' ? actor : "api";
}

static json_t *run_object(const char *run_id, const char *state)
{
    json_t *o = json_pack("{s:s}", "run_id", run_id);

    if (state != NULL) {
        json_object_set_new(o, "state", json_string(state));
    }
    return o;
}

/* Its own when the body is a run config, without a wrapper. */
static json_t *config_of(const struct api_request *r)
{
    json_t *config = json_object_get(r->body, "config");

    return config != NULL ? config : r->body;
}

/* ---- making and checking ------------------------------------------------------------------ */

void runs_create(struct api_request *r)
{
    const struct hub_new_run what = {
        .config = config_of(r),
        .files = json_object_get(r->body, "files"),
        .tags = json_object_get(r->body, "tags"),
        .name = text_of(r, "name"),
        .actor = actor_of(r),
    };
    const struct hub_new_run bare = {.config = r->body, .actor = "api"};
    char run_id[HUB_RUN_ID_MAX];
    json_t *warnings = NULL;
    struct hub_refusal why = {0};

    if (hub_create(r->api->hub, what.config == r->body ? &bare : &what, run_id, &warnings, &why) !=
        0) {
        answer_refusal(r, &why);
        return;
    }
    json_t *body = run_object(run_id, NULL);
    if (json_array_size(warnings) > 0) {
        json_object_set(body, "warnings", warnings);
    }
    json_decref(warnings);
    answer_durable(r, 201, body);
}

/* With a run in its path it has to be there, though its scenario is not what is checked. */
void runs_validate(struct api_request *r)
{
    bool strict = strcmp(query_get(&r->query, "profile")->text, "strict") == 0;
    const json_t *config = config_of(r);
    json_t *files = config != r->body ? json_object_get(r->body, "files") : NULL;
    struct hub_refusal why = {0};
    json_t *view;

    if (r->run_id != NULL) {
        if (hub_view(r->api->hub, r->run_id, &view, &why) != 0) {
            answer_refusal(r, &why);
            return;
        }
        json_decref(view);
    }
    answer_json(r, 200, hub_validate(r->api->hub, config, files, strict));
}

void runs_clone(struct api_request *r)
{
    char new_id[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};

    if (hub_clone(r->api->hub, r->run_id, json_object_get(r->body, "overrides"), actor_of(r),
                  new_id, &why) != 0) {
        answer_refusal(r, &why);
        return;
    }
    answer_durable(r, 201, run_object(new_id, NULL));
}

void runs_delete(struct api_request *r)
{
    struct hub_refusal why = {0};

    if (hub_delete(r->api->hub, r->run_id, &why) != 0) {
        answer_refusal(r, &why);
    } else {
        answer_durable(r, 204, NULL);
    }
}

/* ---- starting and stopping ---------------------------------------------------------------- */

void runs_start(struct api_request *r)
{
    const char *state = NULL;
    struct hub_refusal why = {0};

    if (hub_start(r->api->hub, r->run_id, actor_of(r), &state, &why) != 0) {
        answer_refusal(r, &why);
    } else {
        answer_durable(r, 200, run_object(r->run_id, state));
    }
}

void runs_stop(struct api_request *r)
{
    const char *mode = text_of(r, "mode");
    struct hub_refusal why = {0};

    mode = mode != NULL ? mode : "";
    if (mode[0] != '\0' && strcmp(mode, "drain") != 0 && strcmp(mode, "immediate") != 0) {
        answer_error(
            r,
            &(struct answer_error){
                .status = 400,
                .type = "invalid_argument",
                .code = "INVALID_STOP_MODE",
                .details = json_pack("{s:s, s:[s, s]}", "mode", mode, "allowed_modes", "drain",
                                     "immediate"),
            },
            "mode must be drain or immediate; without it the scenario's stop_policy holds");
        return;
    }
    if (hub_stop(r->api->hub, r->run_id, mode, actor_of(r), &why) != 0) {
        answer_refusal(r, &why);
    } else {
        answer_durable(r, 200, run_object(r->run_id, "stopping"));
    }
}

void runs_emergency_stop(struct api_request *r)
{
    struct hub_refusal why = {0};

    if (hub_emergency_stop(r->api->hub, r->run_id, actor_of(r), &why) != 0) {
        answer_refusal(r, &why);
    } else {
        answer_durable(r, 200, run_object(r->run_id, "stopping"));
    }
}

/* ---- looking ------------------------------------------------------------------------------ */

/* Takes `body` when rc is 0. */
static void answer_found(struct api_request *r, int rc, json_t *body, struct hub_refusal *why)
{
    if (rc != 0) {
        answer_refusal(r, why);
    } else {
        answer_json(r, 200, body);
    }
}

/* Of a run that is played: what is shown of it in memory is not to be taken back by a crash. */
static void answer_played(struct api_request *r, int rc, json_t *body, struct hub_refusal *why)
{
    if (rc != 0) {
        answer_refusal(r, why);
    } else {
        answer_durable(r, 200, body);
    }
}

void runs_list(struct api_request *r)
{
    const struct query *q = &r->query;
    const char *tag = query_get(q, "tag")->text, *colon = tag != NULL ? strchr(tag, ':') : NULL;
    char key[QUERY_TEXT_MAX + 1];
    struct store_filter filter = {
        .state = query_get(q, "state")->text,
        .scenario_id = query_get(q, "scenario_id")->text,
        .text = query_get(q, "q")->text,
        .ascending = strcmp(query_get(q, "order")->text, "asc") == 0,
        .limit = query_get(q, "limit")->number,
        .offset = query_get(q, "offset")->number,
    };
    struct hub_refusal why = {0};
    json_t *body = NULL;

    if (tag != NULL) {
        if (colon == NULL || colon == tag) {
            answer_invalid(r, "tag must be written as key:value");
            return;
        }
        snprintf(key, sizeof key, "%.*s", (int)(colon - tag), tag);
        filter.tag_key = key;
        filter.tag_value = colon + 1;
    }
    int rc = hub_list(r->api->hub, &filter, &body, &why);
    if (rc == 0) {
        json_object_set_new(body, "limit", json_integer((json_int_t)filter.limit));
        json_object_set_new(body, "offset", json_integer((json_int_t)filter.offset));
    }
    answer_played(r, rc, body, &why);
}

void runs_get(struct api_request *r)
{
    struct hub_refusal why = {0};
    json_t *body = NULL;
    int rc = hub_view(r->api->hub, r->run_id, &body, &why);

    answer_played(r, rc, body, &why);
}

void runs_config(struct api_request *r)
{
    bool effective = query_get(&r->query, "effective")->flag;
    struct hub_refusal why = {0};
    json_t *body = NULL;
    int rc = hub_config_of(r->api->hub, r->run_id, effective, &body, &why);

    answer_found(r, rc, body, &why);
}

void runs_result(struct api_request *r)
{
    struct hub_refusal why = {0};
    json_t *body = NULL;
    int rc = hub_result(r->api->hub, r->run_id, &body, &why);

    answer_found(r, rc, body, &why);
}

void runs_metrics(struct api_request *r)
{
    const struct query *q = &r->query;
    const struct query_value *to = query_get(q, "to");
    const struct hub_metrics_query query = {
        .time_series = query_get(q, "include_time_series")->flag,
        .stage_id = query_get(q, "stage_id")->text,
        .from_ms = query_get(q, "from")->number,
        .to_ms = to->given ? to->number : UINT64_MAX,
        .resolution_ms = query_get(q, "resolution_ms")->number,
    };
    struct hub_refusal why = {0};
    json_t *body = NULL;
    int rc = hub_metrics(r->api->hub, r->run_id, &query, &body, &why);

    answer_played(r, rc, body, &why);
}
