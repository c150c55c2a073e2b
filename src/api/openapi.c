/* SPDX-License-Identifier: MIT */
/* GET /openapi.json: OpenAPI 3.1. */
#include "api/documents.h"
#include "api/routes.h"
#include "api/shapes.h"

#include <stdio.h>

/* ---- parameters --------------------------------------------------------------------------- */

static json_t *choices_schema(const char *const *choices)
{
    json_t *values = json_array();

    for (size_t i = 0; choices[i] != NULL; i++) {
        json_array_append_new(values, json_string(choices[i]));
    }
    return json_pack("{s:s, s:o}", "type", "string", "enum", values);
}

static json_t *number_schema(const struct query_param *p)
{
    json_t *schema = json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t)p->min);

    if (p->max < INT64_MAX) {
        json_object_set_new(schema, "maximum", json_integer((json_int_t)p->max));
    }
    return schema;
}

static json_t *param_schema(const struct query_param *p)
{
    json_t *schema = NULL;

    switch (p->type) {
    case QUERY_TEXT:
        schema = json_pack("{s:s, s:I}", "type", "string", "maxLength",
                           (json_int_t)(p->max > 0 ? p->max : QUERY_TEXT_MAX));
        break;
    case QUERY_NUMBER:
        schema = number_schema(p);
        break;
    case QUERY_FLAG:
        schema = json_pack("{s:s}", "type", "boolean");
        break;
    case QUERY_CHOICE:
        schema = choices_schema(p->choices);
        break;
    }
    if (p->def != NULL) {
        uint64_t number;
        json_t *def = p->type == QUERY_FLAG ? json_boolean(strcmp(p->def, "true") == 0)
                      : p->type == QUERY_NUMBER && str_u64(str_c(p->def), INT64_MAX, &number)
                          ? json_integer((json_int_t)number)
                          : json_string(p->def);

        json_object_set_new(schema, "default", def);
    }
    return schema;
}

/* The ids of the path, then the query's. */
static json_t *parameters(const struct api_route *route)
{
    json_t *list = json_array();
    const char *at = route->path;

    while ((at = strchr(at, '{')) != NULL) {
        const char *end = strchr(at, '}');

        json_array_append_new(list, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", at + 1,
                                              (size_t)(end - at - 1), "in", "path", "required", 1,
                                              "schema", "type", "string"));
        at = end;
    }
    for (size_t i = 0; i < route->param_count; i++) {
        const struct query_param *p = &route->params[i];

        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:o}", "name", p->name, "in", "query",
                                        "description", p->help, "schema", param_schema(p)));
    }
    return list;
}

/* ---- bodies and answers ------------------------------------------------------------------- */

static json_t *member_schema(const struct api_member *m)
{
    json_t *schema = json_pack("{s:s, s:s}", "type", m->type == MEMBER_TEXT ? "string" : "object",
                               "description", m->help);

    if (m->type == MEMBER_TEXTS) {
        json_object_set_new(schema, "additionalProperties", json_pack("{s:s}", "type", "string"));
    }
    return schema;
}

static json_t *body_schema(const struct api_route *route)
{
    json_t *properties = json_object(), *required = json_array();
    json_t *schema = json_pack("{s:s}", "type", "object");

    for (size_t i = 0; i < route->member_count; i++) {
        const struct api_member *m = &route->members[i];

        json_object_set_new(properties, m->name, member_schema(m));
        /* One that may stand alone is not required of every body. */
        if (m->required && !route->bare) {
            json_array_append_new(required, json_string(m->name));
        }
    }
    if (json_object_size(properties) > 0) {
        json_object_set(schema, "properties", properties);
    }
    if (json_array_size(required) > 0) {
        json_object_set(schema, "required", required);
    }
    json_decref(properties);
    json_decref(required);
    return schema;
}

static json_t *request_body(const struct api_route *route)
{
    bool frames = route->body == BODY_FRAMES;

    return json_pack("{s:b, s:{s:{s:o}}}", "required", route->body != BODY_OPTIONAL, "content",
                     frames ? "application/octet-stream" : "application/json", "schema",
                     frames ? json_object() : body_schema(route));
}

static json_t *responses(const struct api_route *route)
{
    char status[12];
    json_t *error = json_pack("{s:s, s:{s:{s:{s:s}}}}", "description",
                              route->errors != NULL ? route->errors : "an error", "content",
                              "application/json", "schema", "$ref", "#/components/schemas/Error");

    snprintf(status, sizeof status, "%d", route->status);
    return json_pack("{s:{s:s}, s:o}", status, "description", route->answer, "default", error);
}

static json_t *operation(const struct api_route *route)
{
    json_t *o = json_pack("{s:s, s:[s], s:o}", "summary", route->help, "tags", route->group,
                          "responses", responses(route));
    json_t *list = parameters(route);

    if (json_array_size(list) > 0) {
        json_object_set(o, "parameters", list);
    }
    json_decref(list);
    if (route->body != BODY_NONE) {
        json_object_set_new(o, "requestBody", request_body(route));
    }
    return o;
}

/* ---- the document ------------------------------------------------------------------------- */

static void add_operation(json_t *paths, const struct api_route *route)
{
    json_t *path = json_object_get(paths, route->path);
    char method[8];
    size_t i = 0;

    if (path == NULL) {
        path = json_object();
        json_object_set_new(paths, route->path, path);
    }
    for (; route->method[i] != '\0' && i + 1 < sizeof method; i++) {
        method[i] = (char)(route->method[i] | 0x20);
    }
    method[i] = '\0';
    json_object_set_new(path, method, operation(route));
}

static json_t *error_schema(void)
{
    return json_pack("{s:s, s:[s, s, s, s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}}",
                     "type", "object", "required", "error_type", "error_code", "error_message",
                     "retryable", "properties", "error_type", "type", "string", "error_code",
                     "type", "string", "error_message", "type", "string", "retryable", "type",
                     "boolean", "details", "type", "object");
}

/* Several types, or null: no word about it. */
static json_t *shape_schema(const struct shape *shape)
{
    json_t *properties = json_object();

    for (size_t i = 0; i < shape->count; i++) {
        const struct shape_member *m = &shape->members[i];
        json_t *schema = json_pack("{s:s}", "description", m->help);

        if (strcmp(m->type, "any") != 0) {
            json_object_set_new(schema, "type", json_string(m->type));
        }
        json_object_set_new(properties, m->name, schema);
    }
    return json_pack("{s:s, s:s, s:o}", "type", "object", "description", shape->help, "properties",
                     properties);
}

static json_t *schemas(void)
{
    json_t *all = json_pack("{s:o}", "Error", error_schema());

    for (size_t i = 0; i < api_shape_count; i++) {
        json_object_set_new(all, api_shapes[i].name, shape_schema(&api_shapes[i]));
    }
    return all;
}

json_t *api_openapi(void)
{
    json_t *paths = json_object();

    for (size_t i = 0; i < api_route_count; i++) {
        /* A path with an open end is none of OpenAPI's. */
        if (strchr(api_routes[i].path, '*') == NULL) {
            add_operation(paths, &api_routes[i]);
        }
    }
    return json_pack("{s:s, s:{s:s, s:s}, s:o, s:{s:o}}", "openapi", "3.1.0", "info", "title",
                     "MCPDrill control plane", "version", MCPDRILL_VERSION, "paths", paths,
                     "components", "schemas", schemas());
}
