/* SPDX-License-Identifier: MIT */
#include "http/request.h"

#include "base/buf.h"
#include "base/mem.h"
#include "http/client.h"
#include "http/sse_parse.h"
#include "http/url.h"

#include <assert.h>
#include <stdio.h>

enum {
    HEAD_MAX = 32 * 1024,        /* of a request */
    EVENT_KEPT_BYTES = 64 * 1024 /* a stream's buffer above that is given back after its event */
};

struct http_api {
    struct loop *loop;
    struct http_client client;
    struct dialer dialer;
    unsigned dials; /* under way */
    struct url url;
    struct str prefix; /* in url.target */
    char text[URL_MAX + 320];
    struct buf headers;
    struct list idle, transfers;
};

struct http_transfer {
    struct list node;
    struct http_api *api;
    const struct http_listener *listener; /* NULL: a whole answer */
    http_outcome_fn *on_end;
    void *owner;
    char method[16];
    struct buf request;
    bool repeatable;
    bool kept; /* its connection has served another transfer before */
    bool connecting, streaming;
    uint64_t connect_limit_ns, answer_limit_ns, silence_limit_ns;
    struct timer timer;
    struct dial *dial;
    struct http_conn *conn;
    int status;
    char type[HTTP_API_TYPE_MAX + 1];
    struct buf body; /* of the answer, or the data of an event */
    struct sse_parser sse;
    char text[URL_MAX + 640];
    struct defer death;
};

/* ---- connections that wait --------------------------------------------------------------------
 */

static void on_lost(void *owner, struct http_conn *conn)
{
    (void)owner;
    http_conn_close(conn, false);
}

static void keep(struct http_api *api, struct http_conn *conn)
{
    unsigned count = 0;

    list_foreach (it, &api->idle) {
        count++;
    }
    if (count == HTTP_API_IDLE_MAX) {
        http_conn_close(conn, false);
    } else {
        list_prepend(&api->idle, &conn->node);
    }
}

static void close_idle(struct http_api *api)
{
    list_foreach_safe (it, &api->idle) {
        http_conn_close(list_entry(it, struct http_conn, node), false);
    }
}

/* ---- the end of a transfer --------------------------------------------------------------------
 */

static void on_death(struct defer *death)
{
    struct http_transfer *t = list_entry(death, struct http_transfer, death);

    buf_clear(&t->request);
    buf_clear(&t->body);
    xfree(t);
}

/* From here on nothing of it comes any more; its memory lives until the end of the turn. */
static void detach(struct http_transfer *t)
{
    loop_timer_cancel(t->api->loop, &t->timer);
    list_remove(&t->node);
    if (t->dial != NULL) {
        t->api->dials--;
        dial_cancel(t->dial);
        t->dial = NULL;
    }
    http_conn_close(t->conn, false);
    t->conn = NULL;
    loop_bury(t->api->loop, &t->death);
}

static void end(struct http_transfer *t, enum http_ask_failure failure, const char *text)
{
    struct http_outcome outcome = {
        .failure = failure,
        .text = text,
        .status = t->status,
        .content_type = str_c(t->type),
        .body = t->streaming ? (struct str){"", 0} : buf_str(&t->body),
    };

    detach(t);
    if (t->listener != NULL) {
        t->listener->on_end(t->owner, &outcome);
    } else {
        t->on_end(t->owner, &outcome);
    }
}

__attribute__((format(printf, 3, 4))) static void
fail(struct http_transfer *t, enum http_ask_failure failure, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(t->text, sizeof t->text, fmt, ap);
    va_end(ap);
    end(t, failure, t->text);
}

static void on_timer(struct timer *timer)
{
    struct http_transfer *t = list_entry(timer, struct http_transfer, timer);
    const char *url = t->api->text;

    if (t->connecting) {
        fail(t, HTTP_ASK_UNREACHABLE, "cannot reach %s: no connection within %.3g s", url,
             (double)t->connect_limit_ns / NS_PER_S);
    } else if (t->streaming) {
        fail(t, HTTP_ASK_TIMEOUT, "%s has fallen silent for %.3g s", url,
             (double)t->silence_limit_ns / NS_PER_S);
    } else {
        fail(t, HTTP_ASK_TIMEOUT, "%s has not answered within %.3g s", url,
             (double)t->answer_limit_ns / NS_PER_S);
    }
}

static void limit(struct http_transfer *t, uint64_t ns)
{
    loop_timer_arm(t->api->loop, &t->timer, loop_clock(t->api->loop) + ns);
}

/* ---- the answer -------------------------------------------------------------------------------
 */

static void on_head(void *owner, const struct h1_head *head, uint64_t now_ns)
{
    struct http_transfer *t = owner;
    const struct h1_header *type = h1_find(head, STR("content-type"));

    (void)now_ns;
    buf_clear(&t->request);
    t->status = head->status;
    if (type != NULL) {
        snprintf(t->type, sizeof t->type, "%.*s", STR_ARG(type->value));
    }
    if (t->listener == NULL || head->status != 200 ||
        !h1_media_type_is(str_c(t->type), STR("text/event-stream"))) {
        return;
    }
    t->streaming = true;
    sse_init(&t->sse);
    limit(t, t->silence_limit_ns);
    if (t->listener->on_open != NULL) {
        t->listener->on_open(t->owner);
    }
}

static void too_large(struct http_transfer *t)
{
    fail(t, HTTP_ASK_TOO_LARGE, "%s: the %s is larger than %zu bytes", t->api->text,
         t->streaming ? "data of an event" : "answer", t->body.max);
}

static void tell_event(struct http_transfer *t)
{
    struct http_event event = {
        .id = str_c(t->sse.last_id),
        .name = str_c(t->sse.event_name),
        .data = buf_str(&t->body),
    };

    t->listener->on_event(t->owner, &event);
    t->body.len = 0;
    if (t->body.cap > EVENT_KEPT_BYTES && t->conn != NULL) {
        buf_clear(&t->body);
    }
}

static void take_events(struct http_transfer *t, struct str piece)
{
    const char *p = piece.p, *last = piece.p + piece.len;
    struct str data;

    limit(t, t->silence_limit_ns);
    /* Whoever cancels the transfer takes its connection. */
    while (t->conn != NULL) {
        switch (sse_next(&t->sse, &p, last, &data)) {
        case SSE_MORE:
            return;
        case SSE_DATA:
            if (buf_add_str(&t->body, data) != 0) {
                too_large(t);
            }
            break;
        case SSE_EVENT:
            tell_event(t);
            break;
        case SSE_TOO_LONG:
            fail(t, HTTP_ASK_MALFORMED, "%s: a line in the stream of events is too long",
                 t->api->text);
            break;
        case SSE_PRIMING:
        case SSE_COMMENT:
            break;
        }
    }
}

static void on_body(void *owner, struct str piece, uint64_t now_ns)
{
    struct http_transfer *t = owner;

    (void)now_ns;
    if (t->streaming) {
        take_events(t, piece);
    } else if (buf_add_str(&t->body, piece) != 0) {
        too_large(t);
    }
}

static void dial(struct http_transfer *t);

/* A kept connection was closed before the request came: the server has seen nothing of it, as far
 * as anybody can tell here. */
static bool may_repeat(const struct http_transfer *t, const struct http_end *e)
{
    return t->kept && e->failure != HTTP_MALFORMED && t->conn->bytes_in == 0 &&
           (t->repeatable || t->conn->sent_ns == 0);
}

static void on_done(void *owner, const struct http_end *e)
{
    struct http_transfer *t = owner;
    struct http_conn *conn = t->conn;

    if (e->failure == HTTP_COMPLETE) {
        if (e->reusable) {
            t->conn = NULL;
            keep(t->api, conn);
        }
        end(t, HTTP_ASK_ANSWERED, NULL);
    } else if (may_repeat(t, e)) {
        t->conn = NULL;
        http_conn_close(conn, false);
        close_idle(t->api); /* they are as old */
        dial(t);
    } else {
        fail(t, e->failure == HTTP_MALFORMED ? HTTP_ASK_MALFORMED : HTTP_ASK_BROKEN, "%s: %s%s%s",
             t->api->text, e->text, e->sys != 0 ? ": " : "",
             e->sys != 0 ? strerrordesc_np(e->sys) : "");
    }
}

static const struct http_handler handler = {on_head, on_body, on_done};

/* ---- the request ------------------------------------------------------------------------------
 */

static void send_on(struct http_transfer *t, struct http_conn *conn)
{
    t->conn = conn;
    t->connecting = false;
    limit(t, t->answer_limit_ns);
    http_conn_send(conn, t->request.p, t->request.len, &handler, t);
}

static void on_dial(void *owner, struct stream *stream, const struct dial_failure *failure)
{
    struct http_transfer *t = owner;
    struct http_api *api = t->api;

    t->dial = NULL;
    api->dials--;
    if (stream != NULL) {
        send_on(t, http_conn_new(&api->client, stream, on_lost, NULL));
        return;
    }
    if (api->dials == 0) {
        api->dialer.addrs_.count = 0;
    }
    fail(t, HTTP_ASK_UNREACHABLE, "cannot reach %s: %s", api->text,
         failure->step == DIAL_CONNECT && failure->sys != 0 ? strerrordesc_np(failure->sys)
                                                            : failure->text);
}

static void dial(struct http_transfer *t)
{
    t->kept = false;
    t->connecting = true;
    limit(t, t->connect_limit_ns);
    t->api->dials++;
    t->dial = dial_start(&t->api->dialer, on_dial, t);
}

static void begin(struct http_transfer *t)
{
    struct list *idle = &t->api->idle;

    if (list_empty(idle)) {
        dial(t);
        return;
    }
    struct http_conn *conn = list_entry(idle->next, struct http_conn, node);
    list_remove(&conn->node);
    t->kept = true;
    send_on(t, conn);
}

/* A body is told by its length, also an empty one where the method has one by its nature. */
static void write_request(struct http_transfer *t, const struct http_ask *ask)
{
    const struct http_api *api = t->api;
    bool get = strcmp(t->method, "GET") == 0;

    assert(ask->path.len > 0 && ask->path.p[0] == '/' && ask->body.len <= HTTP_ASK_BODY_MAX);
    for (size_t i = 0; i < ask->path.len; i++) {
        assert(ask->path.p[i] > ' ' && ask->path.p[i] != 0x7f);
    }
    buf_init(&t->request, HEAD_MAX + HTTP_ASK_BODY_MAX);
    int rc = buf_printf(&t->request, "%s %.*s%.*s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n",
                        t->method, STR_ARG(api->prefix), STR_ARG(ask->path), api->url.authority,
                        t->listener != NULL ? "text/event-stream" : "application/json, */*");
    rc |= buf_add_str(&t->request, buf_str(&api->headers));
    rc |= buf_add_str(&t->request, ask->headers);
    if (ask->content_type.len > 0) {
        rc |= buf_printf(&t->request, "Content-Type: %.*s\r\n", STR_ARG(ask->content_type));
    }
    if (!get || ask->body.len > 0) {
        rc |= buf_printf(&t->request, "Content-Length: %zu\r\n", ask->body.len);
    }
    rc |= buf_add_c(&t->request, "\r\n");
    assert(rc == 0 && t->request.len <= HEAD_MAX);
    buf_add_str(&t->request, ask->body);
}

static uint64_t or_default(uint64_t ns, uint64_t by_default)
{
    return ns != 0 ? ns : by_default;
}

static struct http_transfer *start(struct http_api *api,
                                   const struct http_ask *ask,
                                   http_outcome_fn *on_end,
                                   const struct http_listener *listener,
                                   void *owner)
{
    struct http_transfer *t = xcalloc(1, sizeof *t);

    t->api = api;
    t->on_end = on_end;
    t->listener = listener;
    t->owner = owner;
    snprintf(t->method, sizeof t->method, "%s", ask->method != NULL ? ask->method : "GET");
    t->repeatable = ask->repeatable || strcmp(t->method, "GET") == 0;
    t->connect_limit_ns = or_default(ask->connect_limit_ns, HTTP_CONNECT_LIMIT_NS);
    t->answer_limit_ns = or_default(ask->answer_limit_ns, HTTP_ANSWER_LIMIT_NS);
    t->silence_limit_ns = or_default(ask->silence_limit_ns, HTTP_SILENCE_LIMIT_NS);
    buf_init(&t->body, ask->answer_max_bytes != 0 ? ask->answer_max_bytes : HTTP_ANSWER_MAX);
    timer_init(&t->timer, on_timer);
    defer_init(&t->death, on_death);
    list_append(&api->transfers, &t->node);
    write_request(t, ask);
    begin(t);
    return t;
}

struct http_transfer *
http_api_ask(struct http_api *api, const struct http_ask *ask, http_outcome_fn *on_end, void *owner)
{
    return start(api, ask, on_end, NULL, owner);
}

struct http_transfer *http_api_stream(struct http_api *api,
                                      const struct http_ask *ask,
                                      const struct http_listener *listener,
                                      void *owner)
{
    return start(api, ask, NULL, listener, owner);
}

void http_transfer_cancel(struct http_transfer *transfer)
{
    if (transfer != NULL) {
        detach(transfer);
    }
}

/* ---- the api ----------------------------------------------------------------------------------
 */

/* With user information in it, the address has a password. */
static struct str shown(struct str url)
{
    if (url.len == 0 || memchr(url.p, '@', url.len) != NULL) {
        return STR("the endpoint");
    }
    return (struct str){url.p, url.len < 100 ? url.len : 100};
}

static int take_url(struct http_api *api, struct str url, struct err *err)
{
    struct err why;

    if (url_parse(url, &api->url, &why) != 0) {
        return err_set(err, ERR_INVALID, "%.*s is no address of a server: %s", STR_ARG(shown(url)),
                       why.msg);
    }
    if (api->url.https) {
        return err_set(err, ERR_UNSUPPORTED, "https://%s: https is not supported yet, http is",
                       api->url.authority);
    }
    api->prefix = str_c(api->url.target);
    if (memchr(api->prefix.p, '?', api->prefix.len) != NULL) {
        return err_set(err, ERR_INVALID, "%.*s is no address of a server: it has a query",
                       STR_ARG(shown(url)));
    }
    while (api->prefix.len > 0 && api->prefix.p[api->prefix.len - 1] == '/') {
        api->prefix.len--;
    }
    snprintf(api->text, sizeof api->text, "http://%s%.*s", api->url.authority,
             STR_ARG(api->prefix));
    return 0;
}

int http_api_new(
    struct loop *loop, struct str url, struct str headers, struct http_api **out, struct err *err)
{
    struct http_api *api = xcalloc(1, sizeof *api);
    int rc = take_url(api, url, err);

    if (rc != 0) {
        xfree(api);
        return rc;
    }
    api->loop = loop;
    http_client_init(&api->client, loop);
    dialer_init(&api->dialer, loop, api->url.host, api->url.port, NULL, NULL);
    list_init(&api->idle);
    list_init(&api->transfers);
    buf_init(&api->headers, HEAD_MAX / 2);
    http_api_set_headers(api, headers);
    *out = api;
    return 0;
}

void http_api_free(struct http_api *api)
{
    if (api == NULL) {
        return;
    }
    list_foreach_safe (it, &api->transfers) {
        detach(list_entry(it, struct http_transfer, node));
    }
    close_idle(api);
    buf_clear(&api->headers);
    http_client_clear(&api->client);
    xfree(api);
}

void http_api_set_headers(struct http_api *api, struct str headers)
{
    api->headers.len = 0;
    int rc = buf_add_str(&api->headers, headers);
    assert(rc == 0);
    (void)rc;
}

void http_api_set_opener(struct http_api *api, dial_opener_fn *opener, void *owner)
{
    api->dialer.opener = opener;
    api->dialer.opener_owner = owner;
}

const char *http_api_url(const struct http_api *api)
{
    return api->text;
}
