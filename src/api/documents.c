/* SPDX-License-Identifier: MIT */
/* docs/api.md. */
#include "api/documents.h"

#include "api/api.h"
#include "api/routes.h"
#include "api/shapes.h"

static const char intro[] =
    "# The REST API of the control plane\n\n"
    "`server` (or `mcpdrill server`) listens on `:8080`, on loopback, and serves this API. The "
    "command line (`mcpdrill create`,\n`start`, `events` …) is a client of it.\n\n"
    "Generated from the table in `src/api/routes.c`; `mcpdrill reference api` prints it, and `GET "
    "/openapi.json` says the same to\nprograms.\n\n"
    "## What holds everywhere\n\n"
    "- JSON in and out, in UTF-8. A body is sent as `application/json` and has at most 10 MiB (413 "
    "`REQUEST_TOO_LARGE`); duplicate\n  keys and trailing text are errors. Programs, which send "
    "neither `Origin` nor `Sec-Fetch-…`, may leave the type out or send\n  what curl does by "
    "itself; everybody else gets 415 `UNSUPPORTED_MEDIA_TYPE`.\n"
    "- A head has 10 seconds, a body 30.\n"
    "- Times are milliseconds since 1970 (`…_ms`), latencies milliseconds with three decimals, "
    "rates 0..1.\n"
    "- An answer that tells of a change, or of a run that is played, is sent when that is on the "
    "disk.\n"
    "- The data folder has scenarios as they were received, with the secrets that stand in them in "
    "clear text; its files are their\n  owner's only. Nothing that is answered has them: write "
    "references (`env:NAME`) where you can.\n"
    "- An unknown query parameter, or an unknown member of a body, fails nothing; the answer has "
    "`warnings`, a list of texts (a\n  stream: comments) that name it and the nearest known one.\n"
    "- A server on loopback answers to `localhost`, `127.0.0.1` and `[::1]` only (403 "
    "`HOST_NOT_ALLOWED`). A page of another origin\n  gets 403 `ORIGIN_NOT_ALLOWED`, unless "
    "`--allow-origin` names its origin.\n"
    "- `HEAD` is served where `GET` is, but for streams.\n"
    "- Everybody who reaches the server may do everything: roles are what each path will ask for "
    "when there are credentials.\n\n"
    "Every error has this shape; `details` is left out when there are none:\n\n"
    "```json\n"
    "{\"error_type\": \"not_found\", \"error_code\": \"RUN_NOT_FOUND\", \"error_message\": \"…\", "
    "\"retryable\": false,\n \"details\": {\"run_id\": \"run_…\"}}\n"
    "```\n\n"
    "Beside what stands with a path, every path may answer 400 `INVALID_REQUEST`, 403, 404 "
    "`ENDPOINT_NOT_FOUND`, 405\n`METHOD_NOT_ALLOWED` (with the header `Allow`), 413, 415 and 500 "
    "`INTERNAL_ERROR`.\n";

/* A test runs it. */
static const char by_hand[] =
    "\n## By hand\n\n"
    "A run from its scenario to its result, with a server on port 8080, a worker, and the mock "
    "server on port 9000 ([fleet.md](fleet.md) begins with them):\n\n"
    "```sh\n"
    "API=http://localhost:8080\n"
    "curl -sf $API/workers\n"
    "RUN=$(curl -sf $API/runs -d @examples/quick-start.json | grep -oE 'run_[0-9a-f]{8,}')\n"
    "curl -sf -X POST $API/runs/$RUN/start -d '{\"actor\": \"fay\"}'\n"
    "curl -sf $API/runs/$RUN                            # state, progress, figures so far\n"
    "curl -sf \"$API/runs/$RUN/metrics?include_time_series=true\"\n"
    "curl -sf -X POST $API/runs/$RUN/stop -d '{\"mode\": \"drain\"}'\n"
    "curl -sfN $API/runs/$RUN/events                    # ends with the run\n"
    "curl -sf $API/runs/$RUN/result > result.json\n"
    "curl -sf \"$API/runs?state=stopped&limit=10\"\n"
    "curl -sf -X DELETE $API/runs/$RUN\n"
    "```\n";

static const char events_page[] =
    "\n## Events\n\n"
    "`GET /runs/{run_id}/events` is a stream of server-sent events:\n\n"
    "```text\n"
    "event: run_event\n"
    "id: evt_0199c8d0f3a100000007\n"
    "data: {\"schema_version\":\"event/v1\",\"event_id\":\"evt_0199c8d0f3a100000007\",\"type\":"
    "\"STATE_TRANSITION\",…}\n"
    "```\n\n"
    "- It begins behind the event of the header `Last-Event-ID`, else of `cursor`, else behind the "
    "first `since` events, else at the\n  beginning; then it goes on as events come. An event is "
    "on "
    "the disk before anybody sees it, so an id that was seen is good\n  for ever.\n"
    "- A comment `:keepalive` comes every 15 seconds.\n"
    "- Behind the last event of a run that is over comes `event: end` with `{run_id, state, "
    "stop_reason}`, and the stream is closed.\n  Who comes back from there gets 204, which makes "
    "an "
    "`EventSource` stop.\n"
    "- A client that reads slowly is waited for; one that reads nothing for ten minutes is cut "
    "off.\n\n"
    "Types:";

static const char worker_page[] =
    "\n\n## Workers\n\n"
    "The paths below `/workers` are between our own programs and may change with every version; "
    "`GET /workers` may not. What travels\nis told by `src/wire/`. All but `register` need the "
    "header `X-Worker-Token`, as `register` has given it. Orders are told again\nwhenever the "
    "stream of a worker begins anew: `n` numbers those of a run.\n";

static const char *role_name(enum api_role role)
{
    static const char *const names[] = {"anyone", "viewer", "operator", "admin", "worker"};

    return names[role];
}

/* ---- one route ---------------------------------------------------------------------------- */

static int add_param(struct buf *out, const struct query_param *p)
{
    int rc = buf_printf(out, "| `%s` | ", p->name);

    switch (p->type) {
    case QUERY_TEXT:
        rc |= buf_add_c(out, "text");
        break;
    case QUERY_FLAG:
        rc |= buf_add_c(out, "`true`, `false`");
        break;
    case QUERY_NUMBER:
        rc |= p->max >= INT64_MAX ? buf_printf(out, "%llu and more", (unsigned long long)p->min)
                                  : buf_printf(out, "%llu..%llu", (unsigned long long)p->min,
                                               (unsigned long long)p->max);
        break;
    case QUERY_CHOICE:
        for (size_t i = 0; p->choices[i] != NULL; i++) {
            rc |= buf_printf(out, "%s`%s`", i > 0 ? ", " : "", p->choices[i]);
        }
        break;
    }
    return rc | buf_printf(out, " | %s%s%s | %s |\n", p->def != NULL ? "`" : "",
                           p->def != NULL ? p->def : "", p->def != NULL ? "`" : "", p->help);
}

static int add_params(struct buf *out, const struct api_route *route)
{
    int rc = 0;

    if (route->param_count > 0) {
        rc |= buf_add_c(out, "\n| parameter | values | default | meaning |\n|---|---|---|---|\n");
    }
    for (size_t i = 0; i < route->param_count; i++) {
        rc |= add_param(out, &route->params[i]);
    }
    return rc;
}

static int add_members(struct buf *out, const struct api_route *route)
{
    static const char *const types[] = {"text", "object", "object of texts"};
    int rc = 0;

    if (route->member_count > 0) {
        rc |= buf_printf(out, "\n| member of the body%s | value | meaning |\n|---|---|---|\n",
                         route->body == BODY_OPTIONAL ? " (it may be left out)" : "");
    }
    for (size_t i = 0; i < route->member_count; i++) {
        const struct api_member *m = &route->members[i];

        rc |= buf_printf(out, "| `%s`%s | %s | %s |\n", m->name, m->required ? ", required" : "",
                         types[m->type], m->help);
    }
    return rc;
}

static int add_route(struct buf *out, const struct api_route *route)
{
    int rc = buf_printf(out, "\n### %s %s\n\n%s\n\n", route->method, route->path, route->help);

    rc |= buf_printf(out, "- Role: %s\n- Answer: %d, %s\n", role_name(route->role), route->status,
                     route->answer);
    if (route->errors != NULL) {
        rc |= buf_printf(out, "- Errors: %s\n", route->errors);
    }
    return rc | add_params(out, route) | add_members(out, route);
}

static int add_shape(struct buf *out, const struct shape *shape)
{
    int rc = buf_printf(out, "\n### %s\n\n%s\n\n| member | meaning |\n|---|---|\n", shape->name,
                        shape->help);

    for (size_t i = 0; i < shape->count; i++) {
        rc |= buf_printf(out, "| `%s` | %s |\n", shape->members[i].name, shape->members[i].help);
    }
    return rc;
}

static int add_shapes(struct buf *out)
{
    int rc = buf_add_c(out, "\n## Shapes\n");

    for (size_t i = 0; i < api_shape_count; i++) {
        rc |= add_shape(out, &api_shapes[i]);
    }
    return rc;
}

/* What is not there needs no more than a line. */
static int add_later(struct buf *out)
{
    int rc = buf_add_c(out, "\n## Not there yet\n\nThese paths are known, and answer with an error "
                            "that says what to do instead (501 `NOT_IMPLEMENTED` where\nnothing "
                            "else is said).\n\n| path | status | what it says |\n|---|---|---|\n");

    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route *route = &api_routes[i];

        if (strcmp(route->group, "Later") == 0) {
            rc |= buf_printf(out, "| %s `%s` | %d | %s |\n", route->method, route->path,
                             route->status, route->help);
        }
    }
    return rc;
}

static int add_group(struct buf *out, const char *group)
{
    int rc = 0;

    for (size_t i = 0; i < api_route_count; i++) {
        if (strcmp(api_routes[i].group, group) == 0) {
            rc |= add_route(out, &api_routes[i]);
        }
    }
    return rc;
}

int api_reference(struct buf *out)
{
    int rc = buf_add_c(out, intro);

    rc |= buf_add_c(out, by_hand);
    rc |= buf_add_c(out, "\n## Runs\n");
    rc |= add_group(out, "Runs");
    rc |= buf_add_c(out, events_page);
    for (size_t i = 0; api_event_types[i] != NULL; i++) {
        rc |= buf_printf(out, "%s`%s`",
                         i == 0       ? "\n"
                         : i % 4 == 0 ? ",\n"
                                      : ", ",
                         api_event_types[i]);
    }
    rc |= buf_add_c(out, ".");
    rc |= buf_add_c(out, worker_page);
    rc |= add_group(out, "Workers");
    rc |= buf_add_c(out, "\n## System\n");
    rc |= add_group(out, "System");
    rc |= add_shapes(out);
    rc |= add_later(out);
    return rc == 0 ? 0 : ERR_LIMIT;
}
