/* SPDX-License-Identifier: MIT */
/* Which route a method and a path mean. */
#include "api/routes.h"
#include "fleet/hub.h"

#include <stdio.h>

/* The next "/segment" of *path, without its slash. */
static bool take_segment(struct str *path, struct str *segment)
{
    if (path->len == 0 || path->p[0] != '/') {
        return false;
    }
    const char *from = path->p + 1;
    size_t left = path->len - 1;
    const char *slash = memchr(from, '/', left);

    *segment = (struct str){from, slash != NULL ? (size_t)(slash - from) : left};
    *path = (struct str){from + segment->len, left - segment->len};
    return true;
}

static bool is_id(struct str segment)
{
    return segment.len > 2 && segment.p[0] == '{';
}

/* How many ids the pattern has, when the path is one of it; -1 when it is not. */
static int match(struct str pattern, struct str path, struct str ids[ROUTE_IDS_MAX])
{
    struct str want, have;
    int n = 0;

    while (take_segment(&pattern, &want)) {
        if (str_eq(want, STR("*"))) {
            return path.len > 0 && path.p[0] == '/' ? n : -1;
        }
        if (!take_segment(&path, &have)) {
            return -1;
        }
        if (is_id(want) && have.len > 0) {
            ids[n++] = have;
        } else if (!str_eq(want, have)) {
            return -1;
        }
    }
    return path.len == 0 ? n : -1;
}

/* The pattern with the fewest ids that the path matches; NULL: none. */
static const char *best_pattern(struct str path, struct str ids[ROUTE_IDS_MAX])
{
    const char *best = NULL;
    int fewest = ROUTE_IDS_MAX + 1;

    for (size_t i = 0; i < api_route_count; i++) {
        struct str found[ROUTE_IDS_MAX] = {{0}};
        int n = match(str_c(api_routes[i].path), path, found);

        if (n >= 0 && n < fewest) {
            fewest = n;
            best = api_routes[i].path;
            memcpy(ids, found, sizeof found);
        }
    }
    return best;
}

void route_find(struct str method, struct str path, struct route_match *out)
{
    size_t used = 0;

    *out = (struct route_match){0};
    out->pattern = best_pattern(path, out->ids);
    out->path_known = out->pattern != NULL;
    if (str_eq(method, STR("HEAD"))) {
        method = STR("GET");
    }
    for (size_t i = 0; out->path_known && i < api_route_count; i++) {
        const struct api_route *route = &api_routes[i];

        if (strcmp(route->path, out->pattern) != 0) {
            continue;
        }
        used += (size_t)snprintf(out->allow + used, sizeof out->allow - used, "%s%s",
                                 used > 0 ? ", " : "", route->method);
        if (str_eq(method, str_c(route->method))) {
            out->route = route;
        }
    }
}

/* ---- ids ---------------------------------------------------------------------------------- */

bool route_is_name(struct str id, struct str prefix, size_t min, size_t max)
{
    if (!str_starts(id, prefix) || id.len < prefix.len + min || id.len > prefix.len + max) {
        return false;
    }
    for (size_t i = prefix.len; i < id.len; i++) {
        char c = id.p[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return true;
}

bool route_is_run_id(struct str id)
{
    return route_is_name(id, STR("run_"), 16, 64);
}

bool route_is_worker_id(struct str id)
{
    return route_is_name(id, STR("wkr_"), 8, 64);
}
