/* SPDX-License-Identifier: MIT */
/* "METHOD PATH?QUERY": a route that is found is that of the path, with its ids put back; values of
 * the query are within their bounds; an error says something. Behind a newline: an event's id, then
 * types. */
#include "api/position.h"
#include "api/routes.h"
#include "fuzz/fuzz.h"
#include "unit/api/fake_hub.h"

static struct str until(struct str *rest, char stop)
{
    const char *at = rest->len > 0 ? memchr(rest->p, stop, rest->len) : NULL;
    size_t len = at != NULL ? (size_t)(at - rest->p) : rest->len;
    struct str piece = {rest->p, len};

    len += at != NULL;
    *rest = (struct str){rest->p + len, rest->len - len};
    return piece;
}

/* The pattern with its ids is the path again. */
static void check_pattern(const struct route_match *m, struct str path)
{
    struct buf made;
    size_t id = 0;
    bool open = false;

    buf_init(&made, path.len + 256);
    for (const char *p = m->pattern; *p != '\0'; p++) {
        if (*p == '*') {
            open = true;
        } else if (*p == '{') {
            fuzz_require(m->ids[id].len > 0, "an empty id");
            buf_add_str(&made, m->ids[id++]);
            p = strchr(p, '}');
        } else {
            buf_add(&made, p, 1);
        }
    }
    fuzz_require(open ? str_starts(path, buf_str(&made)) : str_eq(path, buf_str(&made)),
                 "a route of another path");
    buf_clear(&made);
}

static void check_value(const struct query_param *p, const struct query_value *v)
{
    json_t *text;

    if (v->text == NULL) {
        fuzz_require(!v->given && p->def == NULL, "a value without a text");
        return;
    }
    text = json_string(v->text);
    fuzz_require(text != NULL, "a value that is not UTF-8");
    json_decref(text);
    if (p->type == QUERY_NUMBER) {
        fuzz_require(v->number >= p->min && v->number <= p->max, "a number beyond its bounds");
    }
    if (p->type == QUERY_TEXT) {
        fuzz_require(strlen(v->text) <= (p->max > 0 ? p->max : QUERY_TEXT_MAX), "a text too long");
    }
}

static void check_query(const struct api_route *route, struct str text)
{
    static struct query q;
    struct query_error error = {0};
    json_t *warnings = NULL;

    if (query_read(text, route->params, route->param_count, &q, &warnings, &error) != 0) {
        fuzz_require(error.message[0] != '\0', "an error without a text");
    } else {
        for (size_t i = 0; i < route->param_count; i++) {
            check_value(&route->params[i], &q.values[i]);
        }
    }
    fuzz_require(json_array_size(warnings) <= QUERY_WARNINGS_MAX, "too many warnings");
    json_decref(warnings);
}

/* `types` is text that a query has let through. */
static void check_position(struct str id, struct str types)
{
    char *text = xmalloc(types.len + 1);
    long n = query_decode(types, text);
    json_t *warnings = NULL;

    if (position_is_event_id(id)) {
        fuzz_require(id.len < POSITION_ID_MAX && memchr(id.p, '\0', id.len) == NULL,
                     "no id of an event");
    }
    if (n >= 0) {
        text[n] = '\0';
        struct position_types t = position_types(text, &warnings);
        size_t count = 0;

        for (; api_event_types[count] != NULL; count++) {
            if (strcmp(text, api_event_types[count]) == 0) {
                fuzz_require(position_wants(&t, text), "a type that is not its own");
            }
        }
        fuzz_require((t.bits >> count) == 0, "a type that does not exist");
        json_decref(warnings);
    }
    xfree(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct str line = until(&rest, '\n');
    struct str method = until(&line, ' '), path = until(&line, '?');
    struct str id = until(&rest, '\n');
    struct route_match m;

    route_find(method, path, &m);
    fuzz_require(m.path_known || m.route == NULL, "a route without a path");
    if (m.path_known) {
        fuzz_require(m.allow[0] != '\0', "a path without a method");
        check_pattern(&m, path);
    }
    check_query(m.route != NULL ? m.route : &api_routes[size % api_route_count], line);
    check_position(id, rest);
    return 0;
}
