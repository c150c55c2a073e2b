/* SPDX-License-Identifier: MIT */
#include "mock/server/mock.h"

#include "base/mem.h"
#include "base/rng.h"
#include "mock/answers/answer.h"
#include "mock/protocol/protocol.h"
#include "mock/server/control.h"
#include "net/addr.h"

#include <assert.h>

/* ---- HTTP --------------------------------------------------------------------------------- */

/* The headers that matter; p is NULL when absent. */
struct front {
    struct str accept, content_type, origin, host, session, version;
};

static void read_headers(const struct h1_head *head, struct front *f)
{
    const struct {
        struct str name;
        struct str *value;
    } wanted[] = {
        {STR_INIT("host"), &f->host},
        {STR_INIT("accept"), &f->accept},
        {STR_INIT("origin"), &f->origin},
        {STR_INIT("content-type"), &f->content_type},
        {STR_INIT("mcp-session-id"), &f->session},
        {STR_INIT("mcp-protocol-version"), &f->version},
    };

    for (unsigned i = 0; i < head->header_count; i++) {
        for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++) {
            if (head->headers[i].name.len == wanted[k].name.len &&
                str_ieq(head->headers[i].name, wanted[k].name)) {
                *wanted[k].value = head->headers[i].value;
                break;
            }
        }
    }
}

/* One entry of Accept, parameters cut off; "q=0" refuses. */
static void judge_entry(struct str entry, struct op *op)
{
    const char *semicolon = memchr(entry.p, ';', entry.len);
    struct str type = entry, rest = {0};

    if (semicolon != NULL) {
        type.len = (size_t)(semicolon - entry.p);
        rest = str_trim((struct str){semicolon + 1, entry.len - type.len - 1});
    }
    type = str_trim(type);
    if (str_ieq(rest, STR("q=0")) || str_ieq(rest, STR("q=0.0"))) {
        return;
    }
    if (str_ieq(type, STR("application/json")) || str_ieq(type, STR("application/*")) ||
        str_ieq(type, STR("*/*"))) {
        op->can_json = true;
    } else if (str_ieq(type, STR("text/event-stream"))) {
        op->can_sse = true;
    }
}

/* A wildcard, or no Accept at all, takes JSON; a stream must be asked for. */
static void read_accept(struct str accept, struct op *op)
{
    if (accept.p == NULL) {
        op->can_json = true;
        return;
    }
    if (str_eq(accept, STR("application/json, text/event-stream"))) {
        op->can_json = op->can_sse = true;
        return;
    }
    while (accept.len > 0) {
        const char *comma = memchr(accept.p, ',', accept.len);
        size_t len = comma != NULL ? (size_t)(comma - accept.p) : accept.len;

        judge_entry((struct str){accept.p, len}, op);
        len += comma != NULL;
        accept.p += len;
        accept.len -= len;
    }
}

/* Is the host of "host:port" this machine? A name that only begins like one of its addresses is
 * not. */
static bool is_local_host(struct str authority)
{
    struct str host = authority;
    size_t port = host.len;
    union addr addr;

    while (port > 0 && host.p[port - 1] >= '0' && host.p[port - 1] <= '9') {
        port--;
    }
    if (port > 0 && host.p[port - 1] == ':' && !str_eq(host, STR("::1"))) {
        host.len = port - 1;
    }
    if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
        host = (struct str){host.p + 1, host.len - 2};
    }
    return str_ieq(host, STR("localhost")) ||
           (addr_from_literal(host, 0, &addr) && addr_is_loopback(&addr));
}

/* Browsers say from where they come; a foreign page must not reach a server on this machine (DNS
 * rebinding, MCP "Security Warning" of Streamable HTTP). */
static bool is_foreign(const struct mock *m, const struct front *f)
{
    struct str origin = f->origin;

    if (m->shared->config.any_host) {
        return false;
    }
    if (f->host.p != NULL && !is_local_host(f->host)) {
        return true;
    }
    if (origin.p == NULL) {
        return false;
    }
    const char *slashes = memmem(origin.p, origin.len, "://", 3);
    if (slashes == NULL) {
        return true; /* "null": a sandboxed page or a file */
    }
    size_t skip = (size_t)(slashes - origin.p) + 3;
    return !is_local_host((struct str){origin.p + skip, origin.len - skip});
}

static void refuse(struct op *op, int status, const char *message)
{
    mock_refuse(op->m, op->x, status, (struct str){0}, (struct str){0}, -32000, message);
}

static bool head_ok(struct op *op, const struct front *f)
{
    if (f->version.p != NULL && !mock_version_known(f->version)) {
        refuse(op, 400, "unsupported MCP-Protocol-Version");
        return false;
    }
    return true;
}

static void on_post(struct op *op, const struct front *f, struct str body)
{
    bool strict = op->m->shared->config.strict_protocol;

    if (strict ? !(op->can_json && op->can_sse) : !(op->can_json || op->can_sse)) {
        refuse(op, 406, "Accept must name application/json and text/event-stream");
    } else if (!h1_media_type_is(f->content_type, STR("application/json"))) {
        refuse(op, 415, "Content-Type must be application/json");
    } else if (head_ok(op, f)) {
        mock_message(op, f->session, body);
    }
}

static void on_get(struct op *op, const struct front *f)
{
    struct mock *m = op->m;
    struct mock_session_id id;

    if (!op->can_sse) {
        refuse(op, 406, "Accept must name text/event-stream");
        return;
    }
    if (!head_ok(op, f) ||
        !mock_session_ok(m, op->x, f->session, m->shared->config.require_session, &id)) {
        return;
    }
    if (f->session.p == NULL) {
        mock_listen(m, op->x, NULL);
    } else if (mock_sessions_attach(m->shared->sessions, id, loop_clock(m->loop))) {
        mock_listen(m, op->x, &id);
    } else {
        refuse(op, 409, "this session has a server stream already");
    }
}

static void on_delete(struct op *op, const struct front *f)
{
    struct mock *m = op->m;
    struct mock_session_id id;

    if (!head_ok(op, f) || !mock_session_ok(m, op->x, f->session, true, &id)) {
        return;
    }
    if (mock_sessions_delete(m->shared->sessions, id, loop_clock(m->loop))) {
        mock_accepted(m, op->x, 200);
    } else {
        refuse(op, 404, "session not found"); /* another thread was faster */
    }
}

/* ---- /notifications/subscribe ------------------------------------------------------------- */

/* The value of a query parameter, which is a number; `io` keeps its default when absent. */
static bool
query_number(struct str query, struct str name, uint64_t min, uint64_t max, uint64_t *io)
{
    while (query.len > 0) {
        const char *amp = memchr(query.p, '&', query.len);
        size_t len = amp != NULL ? (size_t)(amp - query.p) : query.len;
        struct str part = {query.p, len};

        if (part.len > name.len && str_starts(part, name) && part.p[name.len] == '=') {
            struct str value = {part.p + name.len + 1, part.len - name.len - 1};

            return str_u64(value, max, io) && *io >= min;
        }
        len += amp != NULL;
        query.p += len;
        query.len -= len;
    }
    return true;
}

static void on_subscribe(struct op *op, struct str query)
{
    uint64_t count = 10, interval_ms = 1000;

    if (!query_number(query, STR("event_count"), 1, 1000000, &count)) {
        refuse(op, 400, "event_count must be an integer within 1..1000000");
    } else if (!query_number(query, STR("interval_ms"), 0, 3600000, &interval_ms)) {
        refuse(op, 400, "interval_ms must be an integer within 0..3600000");
    } else {
        mock_notify(op->m, op->x, (uint32_t)count, interval_ms * NS_PER_MS);
    }
}

/* ---- routes ------------------------------------------------------------------------------- */

static void on_method(struct op *op, const struct http_request *r, const struct front *f)
{
    struct str method = r->head->method;
    bool subscribe = str_eq(r->path, STR("/notifications/subscribe"));

    if (str_eq(method, STR("POST"))) {
        on_post(op, f, r->body);
    } else if (str_eq(method, STR("GET")) && subscribe) {
        on_subscribe(op, r->query);
    } else if (str_eq(method, STR("GET"))) {
        on_get(op, f);
    } else if (str_eq(method, STR("DELETE")) && !subscribe) {
        on_delete(op, f);
    } else {
        mock_refuse(op->m, op->x, 405,
                    subscribe ? STR("Allow: GET, POST\r\n") : STR("Allow: GET, POST, DELETE\r\n"),
                    (struct str){0}, -32000, "method not allowed");
    }
}

static void on_request(struct http_exchange *x, const struct http_request *r)
{
    struct mock *m = x->owner;
    struct front front = {0};
    struct op op = {.m = m, .x = x};

    read_headers(r->head, &front);
    if (is_foreign(m, &front)) {
        http_stat_add(&m->stats.http_requests, 1);
        refuse(&op, 403, "foreign Origin or Host");
        return;
    }
    if (mock_control(m, x, r)) {
        return;
    }
    mock_faults_refresh(m);
    http_stat_add(&m->stats.http_requests, 1);
    if (str_eq(r->path, STR("/mcp")) || str_eq(r->path, STR("/")) ||
        str_eq(r->path, STR("/notifications/subscribe"))) {
        read_accept(front.accept, &op);
        on_method(&op, r, &front);
    } else {
        refuse(&op, 404, "not found: MCP is served at /mcp, / and /notifications/subscribe");
    }
}

bool mock_wants(const struct http_request *request)
{
    struct str method = request->head->method, path = request->path;
    const struct h1_header *accept;

    if (!str_eq(path, STR("/"))) {
        return str_eq(path, STR("/mcp")) || str_eq(path, STR("/notifications/subscribe")) ||
               mock_controls(path);
    }
    if (str_eq(method, STR("POST")) || str_eq(method, STR("DELETE"))) {
        return true;
    }
    accept = h1_find(request->head, STR("accept"));
    return str_eq(method, STR("GET")) && accept != NULL &&
           memmem(accept->value.p, accept->value.len, "text/event-stream", 17) != NULL;
}

static const struct http_service service = {
    .on_request = on_request,
    .on_gone = mock_on_gone,
    .on_drain = mock_on_drain,
};

/* ---- life --------------------------------------------------------------------------------- */

struct mock_config mock_config_default(void)
{
    return (struct mock_config){.seed = 1, .faults = faults_none()};
}

struct mock_shared *mock_shared_new(const struct mock_config *config)
{
    struct mock_shared *shared = xcalloc(1, sizeof *shared);

    shared->config = *config;
    shared->sessions = mock_sessions_new(config->session_ttl_ns);
    shared->history = mock_history_new();
    shared->shared_.faults = config->faults;
    shared->faults_version = 1;
    pthread_mutex_init(&shared->shared_.lock, NULL);
    pthread_mutex_init(&shared->memory.lock, NULL);
    return shared;
}

void mock_shared_free(struct mock_shared *shared)
{
    if (shared != NULL) {
        mock_sessions_free(shared->sessions);
        mock_history_free(shared->history);
        pthread_mutex_destroy(&shared->shared_.lock);
        pthread_mutex_destroy(&shared->memory.lock);
        xfree(shared);
    }
}

static struct mock *make(struct mock_shared *shared, struct loop *loop)
{
    struct mock *m = xcalloc(1, sizeof *m);

    m->shared = shared;
    m->loop = loop;
    buf_init(&m->text, MOCK_SCRATCH_MAX);
    buf_init(&m->result, MOCK_SCRATCH_MAX);
    buf_init(&m->body, MOCK_SCRATCH_MAX);
    list_init(&m->listeners);
    send_init(&m->sweep, mock_on_sweep);
    pthread_mutex_lock(&shared->shared_.lock);
    assert(shared->shared_.mock_count < MOCK_THREADS_MAX);
    /* Session ids of each thread are a sequence of their own. */
    m->rng_seed = rng_sub(shared->config.seed, 2 + shared->shared_.mock_count);
    shared->shared_.mocks[shared->shared_.mock_count++] = m;
    if (shared->shared_.mock_count == 1) {
        mock_apply_freeze(shared, &shared->shared_.faults, loop_clock(loop));
        mock_apply_refuse(shared, &shared->shared_.faults, true, loop_now(loop));
    }
    pthread_mutex_unlock(&shared->shared_.lock);
    return m;
}

struct mock *mock_new(struct mock_shared *shared, struct loop *loop)
{
    struct mock *m = make(shared, loop);

    http_server_init(&m->http, loop, NULL, &service, m);
    m->traffic = &m->http.stats;
    return m;
}

struct mock *mock_new_guest(struct mock_shared *shared, struct http_server *host)
{
    struct mock *m = make(shared, host->loop);

    m->guest = true;
    m->traffic = &host->stats;
    return m;
}

void mock_take(struct mock *m, struct http_exchange *x, const struct http_request *request)
{
    http_hand_to(x, &service, m, request);
}

void mock_accept(struct mock *m, struct stream *stream, bool loopback)
{
    http_server_accept(&m->http, stream, loopback);
}
