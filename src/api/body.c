/* SPDX-License-Identifier: MIT */
#include "api/body.h"

#include "api/answer.h"

static bool refuse_type(struct api_request *r, const char *wanted)
{
    const struct h1_header *type = h1_find(r->http->head, STR("content-type"));
    struct str given = type != NULL ? type->value : STR("none");

    answer_error(r,
                 &(struct answer_error){
                     .status = 415,
                     .type = "invalid_argument",
                     .code = "UNSUPPORTED_MEDIA_TYPE",
                     .details = json_pack("{s:s}", "expected", wanted),
                 },
                 "the body must be sent with Content-Type: %s; it came with %.*s", wanted,
                 (int)(given.len < 100 ? given.len : 100), given.p);
    return false;
}

/* ---- members ------------------------------------------------------------------------------ */

static bool is_plain(const char *text, size_t max)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            return false;
        }
    }
    return len <= max;
}

static bool text_ok(struct api_request *r, const char *name, const json_t *value)
{
    if (json_is_string(value) && is_plain(json_string_value(value), HUB_NAME_MAX)) {
        return true;
    }
    answer_invalid(r, "%s must be a text of at most %d bytes without control characters", name,
                   HUB_NAME_MAX);
    return false;
}

static bool texts_ok(struct api_request *r, const char *name, json_t *value)
{
    const char *key;
    json_t *text;

    if (!json_is_object(value) || json_object_size(value) > BODY_TEXTS_MAX) {
        answer_invalid(r, "%s must be an object of texts, at most %d of them", name,
                       BODY_TEXTS_MAX);
        return false;
    }
    json_object_foreach(value, key, text)
    {
        if (!json_is_string(text)) {
            answer_invalid(r, "%s.%.60s must be a text", name, key);
            return false;
        }
    }
    return true;
}

static bool member_ok(struct api_request *r, const struct api_member *m, json_t *value)
{
    switch (m->type) {
    case MEMBER_TEXT:
        return text_ok(r, m->name, value);
    case MEMBER_TEXTS:
        return texts_ok(r, m->name, value);
    case MEMBER_OBJECT:
        break;
    }
    if (!json_is_object(value)) {
        answer_invalid(r, "%s must be a JSON object", m->name);
        return false;
    }
    return true;
}

static void warn_member(struct api_request *r, const char *key)
{
    enum { NAMES_MAX = 8 };
    const char *names[NAMES_MAX];
    size_t n = 0;

    for (; n < r->route->member_count && n < NAMES_MAX; n++) {
        names[n] = r->route->members[n].name;
    }
    if (r->warnings == NULL) {
        r->warnings = json_array();
    }
    if (json_array_size(r->warnings) < QUERY_WARNINGS_MAX) {
        const char *near = str_nearest(str_c(key), names, n);

        json_array_append_new(
            r->warnings,
            near != NULL ? json_sprintf("unknown member \"%s\" has no effect; did you mean \"%s\"?",
                                        key, near)
                         : json_sprintf("unknown member \"%s\" has no effect", key));
    }
}

static const struct api_member *find_member(const struct api_route *route, const char *key)
{
    for (size_t i = 0; i < route->member_count; i++) {
        if (strcmp(route->members[i].name, key) == 0) {
            return &route->members[i];
        }
    }
    return NULL;
}

/* null counts as not given. */
static bool members_ok(struct api_request *r)
{
    const struct api_route *route = r->route;
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(r->body, next, key, value)
    {
        const struct api_member *m = find_member(route, key);

        if (m == NULL) {
            warn_member(r, key);
        } else if (json_is_null(value)) {
            json_object_del(r->body, key);
        } else if (!member_ok(r, m, value)) {
            return false;
        }
    }
    for (size_t i = 0; i < route->member_count; i++) {
        if (route->members[i].required &&
            json_object_get(r->body, route->members[i].name) == NULL) {
            answer_invalid(r, "the body must be a JSON object with the member %s%s",
                           route->members[i].name, route->bare ? ", or a run config itself" : "");
            return false;
        }
    }
    return true;
}

/* Members that a scenario has and no wrapper of one. */
static bool is_bare(const struct api_request *r)
{
    static const char *const signs[] = {"schema_version", "scenario_id", "target", "stages",
                                        "workload"};

    if (!r->route->bare || json_object_get(r->body, "config") != NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (json_object_get(r->body, signs[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* ---- the text ----------------------------------------------------------------------------- */

static bool parse(struct api_request *r)
{
    struct err err = {0};

    if (json_parse(r->http->body, API_BODY_MAX, &r->body, &err) != 0) {
        answer_invalid(r, "the body is not valid JSON: %s (line %u, column %u)", err.msg, err.line,
                       err.col);
        return false;
    }
    if (!json_is_object(r->body)) {
        answer_invalid(r, "the body must be a JSON object");
        return false;
    }
    return true;
}

bool body_read(struct api_request *r)
{
    const struct h1_header *type = h1_find(r->http->head, STR("content-type"));

    if (r->route->body == BODY_NONE) {
        return true;
    }
    if (r->route->body == BODY_FRAMES) {
        return (type != NULL && h1_media_type_is(type->value, STR("application/octet-stream"))) ||
               refuse_type(r, "application/octet-stream");
    }
    if (r->http->body.len == 0) {
        if (r->route->body != BODY_OPTIONAL) {
            answer_invalid(r, "the body is missing; it must be a JSON object");
        }
        return r->route->body == BODY_OPTIONAL;
    }
    if (!guard_json_ok(r->http->head)) {
        return refuse_type(r, "application/json");
    }
    return parse(r) && (r->route->members == NULL || is_bare(r) || members_ok(r));
}
