/* SPDX-License-Identifier: MIT */
#include "api/api.h"

#include "api/answer.h"
#include "api/body.h"
#include "base/mem.h"
#include "mock/state/history.h"

#include <stdio.h>

enum {
    API_ANSWER_MAX = 256 * 1024 * 1024,
    API_BACKLOG_MAX = 64 * 1024 * 1024, /* unsent bytes of one stream: a few large orders */
    API_MOCK_BODY_MAX = 16 * 1024 * 1024,
    API_HEAD_S = 10,
    API_BODY_S = 30,
};

/* ---- refusals before a route is known ----------------------------------------------------- */

static void refuse_host(struct api_request *r)
{
    const struct h1_header *host = h1_find(r->http->head, STR("host"));

    answer_error(
        r,
        &(struct answer_error){
            .status = 403,
            .type = "forbidden",
            .code = "HOST_NOT_ALLOWED",
            .details = json_pack("{s:o}", "host", answer_text(host->value.p, host->value.len)),
        },
        "this server listens on loopback and answers to localhost, 127.0.0.1 and [::1] only");
}

static void refuse_origin(struct api_request *r)
{
    const struct h1_header *origin = h1_find(r->http->head, STR("origin"));

    answer_error(
        r,
        &(struct answer_error){
            .status = 403,
            .type = "forbidden",
            .code = "ORIGIN_NOT_ALLOWED",
            .details =
                json_pack("{s:o}", "origin", answer_text(origin->value.p, origin->value.len)),
        },
        "pages of this origin may not use the API; start the server with --allow-origin if they "
        "should");
}

/* An origin of the list, which has no characters that could end a header line. */
static void let_page_see(struct api_request *r)
{
    const struct h1_header *origin = h1_find(r->http->head, STR("origin"));

    snprintf(r->extra, sizeof r->extra, "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n",
             STR_ARG(origin->value));
}

/* A browser asks whether the page may ask. */
static void answer_preflight(struct api_request *r)
{
    size_t used = strlen(r->extra);
    const char *more = "Access-Control-Allow-Methods: GET, POST, DELETE\r\n"
                       "Access-Control-Allow-Headers: *\r\n";
    char headers[API_EXTRA_MAX + 128];

    snprintf(headers, sizeof headers, "%.*s%s", (int)used, r->extra, more);
    http_reply(r->x, &(struct http_answer){.status = 204, .headers = str_c(headers)});
}

static void refuse_path(struct api_request *r)
{
    struct str path = r->http->path;

    answer_error(r,
                 &(struct answer_error){
                     .status = 404,
                     .type = "not_found",
                     .code = "ENDPOINT_NOT_FOUND",
                     .details = json_pack("{s:o}", "path", answer_text(path.p, path.len)),
                 },
                 "there is nothing at this path; GET /openapi.json lists what there is");
}

static void refuse_method(struct api_request *r, const struct route_match *m)
{
    struct str method = r->http->head->method;
    size_t used = strlen(r->extra);

    snprintf(r->extra + used, sizeof r->extra - used, "Allow: %s\r\n", m->allow);
    answer_error(r,
                 &(struct answer_error){
                     .status = 405,
                     .type = "invalid_argument",
                     .code = "METHOD_NOT_ALLOWED",
                     .details = json_pack("{s:o, s:s}", "method", answer_text(method.p, method.len),
                                          "allowed", m->allow),
                 },
                 "this path takes %s", m->allow);
}

static void refuse_id(struct api_request *r, const char *name, struct str id)
{
    bool run = strcmp(name, "run_id") == 0;

    answer_error(r,
                 &(struct answer_error){
                     .status = 404,
                     .type = "not_found",
                     .code = run ? "RUN_NOT_FOUND" : "WORKER_NOT_FOUND",
                     .details = json_pack("{s:o}", name, answer_text(id.p, id.len)),
                 },
                 run ? "there is no such run; GET /runs lists them"
                     : "there is no such worker; GET /workers lists them");
}

/* ---- the way of a request ----------------------------------------------------------------- */

/* False: answered. */
static bool take_id(struct api_request *r, const struct route_match *m)
{
    struct str id = m->ids[0];

    if (strstr(m->pattern, "{run_id}") != NULL) {
        if (!route_is_run_id(id)) {
            refuse_id(r, "run_id", id);
            return false;
        }
        r->run_id = r->id_text_;
    } else if (strstr(m->pattern, "{worker_id}") != NULL) {
        if (!route_is_worker_id(id)) {
            refuse_id(r, "worker_id", id);
            return false;
        }
        r->worker_id = r->id_text_;
    } else {
        return true;
    }
    snprintf(r->id_text_, sizeof r->id_text_, "%.*s", STR_ARG(id));
    return true;
}

static bool read_query(struct api_request *r)
{
    struct query_error error = {0};

    if (query_read(r->http->query, r->route->params, r->route->param_count, &r->query, &r->warnings,
                   &error) == 0) {
        return true;
    }
    json_t *details = r->run_id != NULL ? json_pack("{s:s}", "run_id", r->run_id) : json_object();
    const char *code = "INVALID_REQUEST";
    if (error.param != NULL) {
        const struct query_value *v = query_get(&r->query, error.param->name);
        const char *text = v->text != NULL ? v->text : "";

        code = error.param->code != NULL ? error.param->code : code;
        json_object_set_new(details, error.param->name, answer_text(text, strlen(text)));
    }
    answer_error(r,
                 &(struct answer_error){
                     .status = 400,
                     .type = "invalid_argument",
                     .code = code,
                     .details = details,
                 },
                 "%s", error.message);
    return false;
}

/* A stream has no end that could be left out. */
static bool is_stream(const struct api_route *route)
{
    return route->handle == runs_events || route->handle == workers_commands;
}

static void dispatch(struct api_request *r)
{
    struct str method = r->http->head->method;
    struct route_match m;

    route_find(method, r->http->path, &m);
    if (!m.path_known) {
        refuse_path(r);
        return;
    }
    if (m.route == NULL || (is_stream(m.route) && str_eq(method, STR("HEAD")))) {
        refuse_method(r, &m);
        return;
    }
    r->route = m.route;
    if (take_id(r, &m) && read_query(r) && body_read(r)) {
        m.route->handle(r);
    }
}

static void serve_api(struct api_request *r)
{
    enum guard_origin origin = guard_origin(&r->api->guard, r->http->head);

    if (origin == GUARD_FOREIGN) {
        refuse_origin(r);
        return;
    }
    if (origin == GUARD_ALLOWED) {
        let_page_see(r);
        if (str_eq(r->http->head->method, STR("OPTIONS"))) {
            answer_preflight(r);
            return;
        }
    }
    dispatch(r);
}

static void serve_mock(struct api *a, struct http_exchange *x, const struct http_request *http)
{
    if (!timer_armed(&a->mock_sample)) {
        loop_timer_arm(a->loop, &a->mock_sample, loop_now(a->loop));
    }
    mock_take(a->mock, x, http);
}

static void on_request(struct http_exchange *x, const struct http_request *http)
{
    struct api *a = x->owner;
    struct api_request r;

    memset(&r, 0, offsetof(struct api_request, query));
    r.body = r.warnings = NULL;
    r.api = a;
    r.x = x;
    r.http = http;
    if (!guard_host_ok(&a->guard, http->head)) {
        refuse_host(&r);
    } else if (a->mock != NULL && mock_wants(http)) {
        serve_mock(a, x, http);
    } else {
        serve_api(&r);
    }
    json_decref(r.body);
    json_decref(r.warnings);
}

static void on_gone(struct http_exchange *x)
{
    struct api_held *held = x->user;

    if (held != NULL) {
        held->gone(held);
    }
}

static void on_drain(struct http_exchange *x)
{
    struct api_held *held = x->user;

    if (held != NULL && held->drain != NULL) {
        held->drain(held);
    }
}

/* ---- sizes, and what the HTTP server says by itself --------------------------------------- */

/* Only who is a worker may send that much. */
static bool is_workers_own(struct api *a, const struct h1_head *head, const struct route_match *m)
{
    const struct h1_header *token = h1_find(head, STR("x-worker-token"));
    struct hub_refusal why = {0};
    char id[HUB_RUN_ID_MAX];

    if (token == NULL || !route_is_worker_id(m->ids[0])) {
        return false;
    }
    snprintf(id, sizeof id, "%.*s", STR_ARG(m->ids[0]));
    bool may = hub_worker_may(a->hub, id, token->value, &why) == 0;
    hub_refusal_clear(&why);
    return may;
}

static size_t body_max(struct http_server *s, const struct h1_head *head)
{
    struct api *a = s->owner;
    struct http_request request = {.head = head, .path = head->target};
    const char *mark = memchr(head->target.p, '?', head->target.len);
    struct route_match m;

    if (mark != NULL) {
        request.path.len = (size_t)(mark - head->target.p);
    }
    if (a->mock != NULL && mock_wants(&request)) {
        return API_MOCK_BODY_MAX;
    }
    route_find(head->method, request.path, &m);
    bool large = m.route != NULL && m.route->handle == workers_telemetry;
    return large && is_workers_own(a, head, &m) ? API_TELEMETRY_MAX : API_BODY_MAX;
}

static const char *code_of(int status)
{
    switch (status) {
    case 408:
        return "REQUEST_TIMEOUT";
    case 413:
        return "REQUEST_TOO_LARGE";
    case 431:
        return "REQUEST_HEADERS_TOO_LARGE";
    default:
        return "INVALID_REQUEST";
    }
}

static void phrase(struct http_server *s, const char *text, struct http_answer *answer)
{
    struct api *a = s->owner;
    const struct answer_error e = {
        .type = answer->status == 408 ? "timeout" : "invalid_argument",
        .code = code_of(answer->status),
        .retryable = answer->status == 408,
    };
    struct str body;
    char message[400];
    size_t len = (size_t)snprintf(message, sizeof message, "%s", text);

    len = len < sizeof message ? len : sizeof message - 1;
    if (len > 0 && message[len - 1] == '\n') {
        message[len - 1] = '\0';
    }
    if (answer->status == 413) {
        snprintf(message, sizeof message, "the body is too large; at most %d bytes are taken here",
                 API_BODY_MAX);
    }
    a->phrase.len = 0;
    answer_error_text(&e, message, &a->phrase);
    body = buf_str(&a->phrase);
    answer->content_type = STR("application/json");
    answer->body = body;
}

static const struct http_service service = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_drain = on_drain,
    .body_max = body_max,
    .phrase = phrase,
};

/* ---- life --------------------------------------------------------------------------------- */

static void on_mock_sample(struct timer *t)
{
    struct api *a = list_entry(t, struct api, mock_sample);

    mock_sample(a->mock_shared, loop_now(a->loop));
    loop_timer_arm(a->loop, t, loop_now(a->loop) + MOCK_TICK_MS * NS_PER_MS);
}

struct api *api_new(const struct api_config *config)
{
    struct api *a = xcalloc(1, sizeof *a);
    struct http_limits limits = http_limits_default();

    limits.body_max_bytes = API_TELEMETRY_MAX;
    limits.backlog_max_bytes = API_BACKLOG_MAX;
    limits.head_timeout_ns = API_HEAD_S * NS_PER_S;
    limits.request_timeout_ns = API_BODY_S * NS_PER_S;
    a->loop = config->loop;
    a->hub = config->hub;
    a->guard = config->guard;
    buf_init(&a->body, API_ANSWER_MAX);
    buf_init(&a->phrase, 4096);
    buf_init(&a->frame, API_BACKLOG_MAX);
    pending_init(a);
    timer_init(&a->mock_sample, on_mock_sample);
    http_server_init(&a->http, a->loop, &limits, &service, a);
    if (config->mock != NULL) {
        a->mock_shared = mock_shared_new(config->mock);
        a->mock = mock_new_guest(a->mock_shared, &a->http);
    }
    return a;
}

void api_accept(struct api *a, struct stream *stream, bool loopback)
{
    http_server_accept(&a->http, stream, loopback);
}

void api_close(struct api *a)
{
    http_server_clear(&a->http);
    loop_timer_cancel(a->loop, &a->mock_sample);
    loop_timer_cancel(a->loop, &a->pending_look);
}

void api_free(struct api *a)
{
    if (a == NULL) {
        return;
    }
    api_close(a);
    mock_free(a->mock);
    mock_shared_free(a->mock_shared);
    buf_clear(&a->body);
    buf_clear(&a->phrase);
    buf_clear(&a->frame);
    xfree(a);
}
