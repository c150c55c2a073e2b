/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include "base/mem.h"
#include "http/server_priv.h"

#include <errno.h>

enum { LINGER_MS = 1000 };

struct http_limits http_limits_default(void)
{
    return (struct http_limits){
        .body_max_bytes = (size_t)16 * 1024 * 1024,
        .backlog_max_bytes = (size_t)1024 * 1024,
        .connections_max = 1000000,
        .idle_timeout_ns = 600 * NS_PER_S,
        .request_timeout_ns = 30 * NS_PER_S,
    };
}

void http_server_init(struct http_server *s,
                      struct loop *loop,
                      const struct http_limits *limits,
                      const struct http_service *service,
                      void *owner)
{
    *s = (struct http_server){.loop = loop, .owner = owner, .service_ = service};
    s->limits = limits != NULL ? *limits : http_limits_default();
    list_init(&s->connections_);
    buf_init(&s->out_, SIZE_MAX / 2);
    s->in_ = xmalloc(HTTP_READ_BYTES);
}

/* ---- life of a connection ----------------------------------------------------------------- */

static void drop_partial(struct conn *c)
{
    if (c->partial != NULL) {
        buf_clear(&c->partial->raw);
        buf_clear(&c->partial->body);
        xfree(c->partial);
        c->partial = NULL;
    }
}

static void free_conn(struct defer *d)
{
    struct conn *c = list_entry(d, struct conn, work);

    drop_partial(c);
    buf_clear(&c->out);
    xfree(c->pace);
    xfree(c);
}

void conn_close(struct conn *c, bool reset)
{
    struct http_server *s = c->x.server;

    c->state = CONN_CLOSED;
    if (reset) {
        stream_reset(c->stream);
    } else {
        stream_close(c->stream);
    }
    if (c->pace != NULL) {
        loop_send_cancel(s->loop, &c->pace->send);
    }
    loop_timer_cancel(s->loop, &c->timer);
    list_remove(&c->node);
    s->connection_count_--;
    http_stat_add(&s->stats.connections_closed, 1);
    loop_defer_cancel(&c->work);
    c->work.fn = free_conn;
    loop_bury(s->loop, &c->work);
}

/* The peer is gone, or we give it up. */
static void lose(struct conn *c)
{
    bool open = c->state == CONN_BUSY || c->state == CONN_STREAM;

    if (c->state == CONN_CLOSED) {
        return;
    }
    conn_close(c, false);
    if (open) {
        c->x.service->on_gone(&c->x);
    }
}

void conn_expire_at(struct conn *c, uint64_t at_ns)
{
    c->expires_ns = at_ns;
    /* An armed timer that fires too early looks again: most deadlines are replaced long before. */
    if (at_ns != UINT64_MAX && (!timer_armed(&c->timer) || c->timer.at_ns > at_ns)) {
        loop_timer_arm(c->x.server->loop, &c->timer, at_ns);
    }
}

static void on_expire(struct timer *t)
{
    struct conn *c = list_entry(t, struct conn, timer);

    if (c->expires_ns == UINT64_MAX) {
        return;
    }
    if (loop_now(c->x.server->loop) < c->expires_ns) {
        loop_timer_arm(c->x.server->loop, t, c->expires_ns);
    } else if (c->state == CONN_READ && c->partial != NULL) {
        conn_refuse(c, 408, "the request did not arrive in time\n");
    } else {
        lose(c);
    }
}

/* ---- requests ----------------------------------------------------------------------------- */

/* A request begins; its first bytes may be there. */
static void expect_head(struct conn *c)
{
    const struct http_limits *limits = &c->x.server->limits;
    uint64_t time =
        limits->head_timeout_ns > 0 ? limits->head_timeout_ns : limits->request_timeout_ns;

    conn_expire_at(c, loop_now(c->x.server->loop) + time);
}

/* Its head is complete, some of its body is missing. */
static void expect_body(struct conn *c)
{
    const struct http_limits *limits = &c->x.server->limits;

    if (!c->partial->head_done && limits->head_timeout_ns > 0) {
        conn_expire_at(c, loop_now(c->x.server->loop) + limits->request_timeout_ns);
    }
    c->partial->head_done = true;
}

static struct partial *want_partial(struct conn *c)
{
    struct http_server *s = c->x.server;

    if (c->partial == NULL) {
        size_t max = s->limits.body_max_bytes + H1_HEAD_MAX + HTTP_AHEAD_MAX + HTTP_READ_BYTES;

        c->partial = xcalloc(1, sizeof *c->partial);
        buf_init(&c->partial->raw, max);
        buf_init(&c->partial->body, s->limits.body_max_bytes);
        if (c->state == CONN_READ) {
            expect_head(c);
        }
    }
    return c->partial;
}

static void hand_over(struct conn *c, const struct h1_head *head, struct str body)
{
    struct http_server *s = c->x.server;
    struct http_request request = {.head = head, .path = head->target, .body = body};
    const char *mark = memchr(head->target.p, '?', head->target.len);

    if (mark != NULL) {
        request.path.len = (size_t)(mark - head->target.p);
        request.query = (struct str){mark + 1, head->target.len - request.path.len - 1};
    }
    c->state = CONN_BUSY;
    c->x.user = NULL;
    c->x.service = s->service_;
    c->x.owner = s->owner;
    c->close_after = !head->keep_alive;
    c->http_1_0 = head->minor_version == 0;
    c->head_only = str_eq(head->method, STR("HEAD"));
    c->chunked = c->wants_drain = false;
    conn_expire_at(c, UINT64_MAX);
    s->service_->on_request(&c->x, &request);
}

void http_hand_to(struct http_exchange *x,
                  const struct http_service *service,
                  void *owner,
                  const struct http_request *request)
{
    x->user = NULL;
    x->service = service;
    x->owner = owner;
    service->on_request(x, request);
}

static size_t body_max_of(struct http_server *s, const struct h1_head *head)
{
    size_t max = s->limits.body_max_bytes;

    if (s->service_->body_max != NULL) {
        size_t own = s->service_->body_max(s, head);

        max = own < max ? own : max;
    }
    return max;
}

/* Decodes what is there of a chunked body. True when it is complete: *used is where the next
 * request begins. */
static bool decode_chunked(struct conn *c, size_t *used)
{
    struct partial *part = c->partial;
    const char *p = part->raw.p + part->head_bytes, *end = part->raw.p + part->raw.len;
    struct str piece;

    for (;;) {
        switch (h1_body_next(&part->reader, &p, end, &piece)) {
        case H1_DATA:
            if (buf_add_str(&part->body, piece) != 0) {
                conn_refuse(c, 413, "the body is larger than this server takes\n");
                return false;
            }
            break;
        case H1_DONE:
            *used = (size_t)(p - part->raw.p);
            return true;
        case H1_MORE:
            part->raw.len = part->head_bytes; /* decoded bytes are in `body` now */
            return false;
        case H1_BAD:
            conn_refuse(c, 400, "malformed chunk\n");
            return false;
        }
    }
}

/* A head that announces a chunked body, at the beginning of partial->raw. */
static size_t serve_chunked(struct conn *c, const struct h1_head *head, size_t head_bytes)
{
    struct partial *part = c->partial;
    size_t used;

    if (!part->chunked) {
        part->chunked = true;
        part->head_bytes = head_bytes;
        buf_clear(&part->body);
        h1_body_init(&part->reader, head);
        part->body.max = body_max_of(c->x.server, head);
        expect_body(c);
    }
    if (!decode_chunked(c, &used)) {
        return 0;
    }
    part->chunked = false;
    hand_over(c, head, buf_str(&part->body));
    return used;
}

/* The request's head is there; is the rest? Returns the bytes of the whole request, 0 when some is
 * missing or it was refused. */
static size_t
serve_one(struct conn *c, const char *p, size_t len, const struct h1_head *head, size_t head_bytes)
{
    if (head->body == H1_BODY_LENGTH && head->content_length > body_max_of(c->x.server, head)) {
        conn_refuse(c, 413, "the body is larger than this server takes\n");
        return 0;
    }
    if (head->body == H1_BODY_CHUNKED) {
        /* Decoding needs a place of its own: the request is kept first, even if it is complete. */
        bool kept = c->partial != NULL && p == c->partial->raw.p;
        size_t used = kept ? serve_chunked(c, head, head_bytes) : 0;
        if (kept && used == 0 && c->state == CONN_READ && head->expect_continue) {
            conn_send_continue(c);
        }
        return used;
    }
    size_t body_bytes = head->body == H1_BODY_LENGTH ? (size_t)head->content_length : 0;
    if (len - head_bytes < body_bytes) {
        want_partial(c)->need = head_bytes + body_bytes;
        expect_body(c);
        if (head->expect_continue) {
            conn_send_continue(c);
        }
        return 0;
    }
    hand_over(c, head, (struct str){p + head_bytes, body_bytes});
    return head_bytes + body_bytes;
}

/* Serves requests from the bytes until one is incomplete or is not answered at once. Returns the
 * number of bytes that are done with. */
static size_t serve(struct conn *c, const char *p, size_t len, size_t *seen)
{
    struct h1_head head;
    struct err err;
    size_t at = 0;

    c->serving = true;
    while (at < len && c->state == CONN_READ) {
        long n = h1_parse_request(p + at, len - at, seen, &head, &err);

        if (n < 0) {
            conn_refuse(c, n == ERR_LIMIT ? 431 : 400, err.msg);
            break;
        }
        if (n == 0) {
            break;
        }
        size_t used = serve_one(c, p + at, len - at, &head, (size_t)n);
        if (used == 0) {
            break;
        }
        at += used;
        *seen = 0;
        if (c->partial != NULL) {
            c->partial->need = 0;
            c->partial->continued = false;
            c->partial->head_done = false;
        }
    }
    c->serving = false;
    return at;
}

/* Goes on with what is kept. */
static void serve_partial(struct conn *c)
{
    while (c->state == CONN_READ && c->partial != NULL) {
        struct partial *part = c->partial;

        if (part->raw.len == 0 || part->raw.len < part->need) {
            break;
        }
        size_t used = serve(c, part->raw.p, part->raw.len, &part->seen);
        if (used == 0) {
            break;
        }
        buf_consume(&part->raw, used); /* a chunked request behind others is now at the front */
    }
    if (c->state != CONN_CLOSED && c->partial != NULL && c->partial->raw.len == 0) {
        drop_partial(c);
        if (c->state == CONN_READ) {
            conn_expire_at(c, loop_now(c->x.server->loop) + c->x.server->limits.idle_timeout_ns);
        }
    }
}

static void take_input(struct conn *c, const char *p, size_t len)
{
    size_t used = 0, seen = 0;

    if (c->partial == NULL && c->state == CONN_READ) {
        used = serve(c, p, len, &seen);
    }
    if (c->state == CONN_CLOSED || c->state == CONN_LINGER || used == len) {
        return;
    }
    struct partial *part = want_partial(c);
    if (buf_add(&part->raw, p + used, len - used) != 0) {
        /* Only possible while a request is being collected: what is read ahead is bounded. */
        if (c->state == CONN_READ) {
            conn_refuse(c, 413, "the request is larger than this server takes\n");
        }
        return;
    }
    serve_partial(c);
}

static void read_input(struct conn *c, bool hup)
{
    struct http_server *s = c->x.server;

    while (c->state != CONN_CLOSED && !c->eof) {
        bool waits = c->state != CONN_READ && c->state != CONN_LINGER;
        if (waits && c->partial != NULL && c->partial->raw.len >= HTTP_AHEAD_MAX) {
            c->paused = true;
            if (hup && c->state != CONN_FLUSH) {
                lose(c);
            }
            return;
        }
        ssize_t n = stream_read(c->stream, s->in_, HTTP_READ_BYTES);
        if (n == -EAGAIN) {
            return;
        }
        if (n <= 0) {
            c->eof = true;
            /* A client that closed only its sending half may still read the rest of an answer. */
            if (n < 0 || c->state != CONN_FLUSH) {
                lose(c);
            }
            return;
        }
        http_stat_add(&s->stats.bytes_in, (uint64_t)n);
        if (c->state != CONN_LINGER) {
            take_input(c, s->in_, (size_t)n);
        }
        if (n < HTTP_READ_BYTES && !hup) {
            return; /* edge-triggered: a short read has emptied the socket */
        }
    }
}

static void on_event(struct stream *stream, unsigned events)
{
    struct conn *c = stream->owner;

    if ((events & STREAM_WRITABLE) && conn_output_waits(c) && c->pace == NULL) {
        conn_flush(c);
    }
    if ((events & (STREAM_READABLE | STREAM_HUP)) && c->state != CONN_CLOSED) {
        read_input(c, (events & STREAM_HUP) != 0);
    }
    if (c->broken) {
        lose(c);
    }
}

/* After an exchange that did not end inside serve(): the requests that were sent ahead. */
static void on_work(struct defer *d)
{
    struct conn *c = list_entry(d, struct conn, work);

    if (c->broken) {
        lose(c);
        return;
    }
    if (c->partial != NULL) {
        serve_partial(c);
    }
    if (c->paused && c->state == CONN_READ) {
        c->paused = false;
        read_input(c, false);
    }
}

void conn_after_output(struct conn *c)
{
    struct http_server *s = c->x.server;

    if (c->close_after && c->linger && !c->eof) {
        c->state = CONN_LINGER; /* serve() may still be reading c->partial: it stays */
        conn_expire_at(c, loop_now(s->loop) + LINGER_MS * NS_PER_MS);
        return;
    }
    if (c->close_after || c->eof) {
        conn_close(c, false);
        return;
    }
    c->state = CONN_READ;
    if (c->partial != NULL) {
        /* The next request began while this one was answered; its time begins now. */
        expect_head(c);
    } else {
        conn_expire_at(c, loop_now(s->loop) + s->limits.idle_timeout_ns);
    }
    if (!c->serving && (c->partial != NULL || c->paused)) {
        loop_defer(s->loop, &c->work);
    }
}

/* ---- the server --------------------------------------------------------------------------- */

static void turn_away(struct http_server *s, struct stream *stream)
{
    static const char text[] =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

    http_stat_add(&s->stats.connections_refused, 1);
    /* Best effort: the peer may see the close only. */
    (void)stream_write(stream, text, sizeof text - 1);
    stream_close(stream);
}

void http_server_accept(struct http_server *s, struct stream *stream, bool loopback)
{
    if (s->connection_count_ >= s->limits.connections_max) {
        turn_away(s, stream);
        return;
    }
    struct conn *c = xcalloc(1, sizeof *c);
    c->x.server = s;
    c->x.loopback = loopback;
    c->stream = stream;
    c->state = CONN_READ;
    buf_init(&c->out, SIZE_MAX / 2);
    timer_init(&c->timer, on_expire);
    defer_init(&c->work, on_work);
    list_append(&s->connections_, &c->node);
    s->connection_count_++;
    http_stat_add(&s->stats.connections_opened, 1);
    conn_expire_at(c, loop_now(s->loop) + s->limits.idle_timeout_ns);
    stream->owner = c;
    stream->on_event = on_event;
}

void http_server_clear(struct http_server *s)
{
    while (!list_empty(&s->connections_)) {
        lose(list_entry(s->connections_.next, struct conn, node));
    }
    buf_clear(&s->out_);
    xfree(s->in_);
    s->in_ = NULL;
}
