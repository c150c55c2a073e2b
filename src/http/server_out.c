/* SPDX-License-Identifier: MIT */
/* Answers and output of server.h. */
#include "base/mem.h"
#include "http/h1_write.h"
#include "http/server_priv.h"

#include <errno.h>

/* ---- bytes -------------------------------------------------------------------------------- */

/* A write has failed inside a call of the service: it hears of it later. */
static void mark_broken(struct conn *c)
{
    c->broken = true;
    loop_defer(c->x.server->loop, &c->work);
}

/* Writes as much as the socket takes; the number of bytes, or -1 when the connection is broken. */
static ssize_t write_some(struct conn *c, const char *p, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t n = stream_write(c->stream, p + sent, len - sent);

        if (n == -EAGAIN) {
            break;
        }
        if (n < 0) {
            return -1;
        }
        sent += (size_t)n;
    }
    http_stat_add(&c->x.server->stats.bytes_out, sent);
    return (ssize_t)sent;
}

static void keep_output(struct conn *c, const char *p, size_t len)
{
    if (!conn_output_waits(c)) {
        buf_clear(&c->out);
        c->out_at = 0;
    } else if (c->out_at > c->out.len / 2) {
        buf_consume(&c->out, c->out_at);
        c->out_at = 0;
    }
    buf_add(&c->out, p, len);
}

/* A slow client has the time of an idle one for each piece that it takes. */
static void watch_output(struct conn *c)
{
    struct http_server *s = c->x.server;

    if (c->pace == NULL) {
        conn_expire_at(c, loop_now(s->loop) + s->limits.idle_timeout_ns);
    }
}

static void arm_pace(struct conn *c)
{
    struct pace *pace = c->pace;

    if (!send_armed(&pace->send) && conn_output_waits(c)) {
        loop_send_arm(c->x.server->loop, &pace->send, pace->next_ns);
    }
}

static void send_out(struct conn *c, const char *p, size_t len)
{
    if (c->broken || len == 0) {
        return;
    }
    if (c->pace != NULL) {
        keep_output(c, p, len);
        arm_pace(c);
        return;
    }
    ssize_t n = 0;
    if (!conn_output_waits(c)) {
        n = write_some(c, p, len);
        if (n < 0) {
            mark_broken(c);
            return;
        }
    }
    if ((size_t)n < len) {
        keep_output(c, p + n, len - (size_t)n);
        watch_output(c);
    }
}

static void drained(struct conn *c)
{
    buf_clear(&c->out);
    c->out_at = 0;
    if (c->state == CONN_FLUSH) {
        xfree(c->pace);
        c->pace = NULL;
        conn_after_output(c);
        return;
    }
    conn_expire_at(c, UINT64_MAX);
    if (c->wants_drain) {
        c->wants_drain = false;
        if (c->x.service->on_drain != NULL) {
            c->x.service->on_drain(&c->x);
        }
    }
}

/* Sends at most `max` bytes of what waits. */
static void flush_some(struct conn *c, size_t max)
{
    size_t left = c->out.len - c->out_at;
    ssize_t n = write_some(c, c->out.p + c->out_at, left < max ? left : max);

    if (n < 0) {
        mark_broken(c);
        return;
    }
    c->out_at += (size_t)n;
    if (!conn_output_waits(c)) {
        drained(c);
    } else if (n > 0) {
        watch_output(c);
    }
}

void conn_flush(struct conn *c)
{
    flush_some(c, SIZE_MAX);
}

static void on_pace(struct send *send)
{
    struct pace *pace = list_entry(send, struct pace, send);
    struct conn *c = pace->conn;

    pace->next_ns = loop_now(c->x.server->loop) + pace->pause_ns;
    flush_some(c, pace->bytes);
    /* The last piece may have ended the pace, or the connection. */
    if (c->state != CONN_CLOSED && c->pace != NULL && !c->broken) {
        arm_pace(c);
    }
}

void http_pace(struct http_exchange *x, size_t bytes, uint64_t pause_ns)
{
    struct conn *c = of_exchange(x);

    if (c->pace == NULL && bytes > 0) {
        c->pace = xcalloc(1, sizeof *c->pace);
        c->pace->conn = c;
        c->pace->bytes = bytes;
        c->pace->pause_ns = pause_ns;
        c->pace->next_ns = loop_now(x->server->loop);
        send_init(&c->pace->send, on_pace);
    }
}

/* ---- answers ------------------------------------------------------------------------------ */

static void end_exchange(struct conn *c)
{
    c->state = CONN_FLUSH;
    if (!conn_output_waits(c) && !c->broken) {
        xfree(c->pace);
        c->pace = NULL;
        conn_after_output(c);
    }
}

static void start_head(struct conn *c, const struct http_answer *a, enum h1_framing how, size_t len)
{
    struct buf *out = &c->x.server->out_;

    /* A status without a body must not announce one (RFC 9110 §8.6). */
    bool none = a->status < 200 || a->status == 204 || a->status == 304;
    out->len = 0;
    h1_write_response(out, &(struct h1_response){
                               .status = a->status,
                               .close = c->close_after,
                               .keep_alive_1_0 = c->http_1_0 && !c->close_after,
                               .framing = none ? H1_FRAMED_NONE : how,
                               .length = len,
                               .content_type = a->content_type,
                               .headers = a->headers,
                           });
}

/* An unusually large answer must not stay in the server's memory. */
static void trim_scratch(struct http_server *s)
{
    enum { KEEP_BYTES = 1024 * 1024 };

    if (s->out_.cap > KEEP_BYTES) {
        buf_clear(&s->out_);
    }
}

void http_reply(struct http_exchange *x, const struct http_answer *answer)
{
    struct conn *c = of_exchange(x);
    struct buf *out = &x->server->out_;

    start_head(c, answer, H1_FRAMED_LENGTH, answer->body.len);
    if (!c->head_only) {
        buf_add_str(out, answer->body);
    }
    send_out(c, out->p, out->len);
    trim_scratch(x->server);
    end_exchange(c);
}

void http_stream_begin(struct http_exchange *x, const struct http_answer *answer, int64_t length)
{
    struct conn *c = of_exchange(x);
    enum h1_framing how = H1_FRAMED_LENGTH;

    if (length < 0) {
        how = c->http_1_0 ? H1_FRAMED_CLOSE : H1_FRAMED_CHUNKED;
        c->chunked = how == H1_FRAMED_CHUNKED;
        c->close_after = c->close_after || how == H1_FRAMED_CLOSE;
    }
    start_head(c, answer, how, length < 0 ? 0 : (size_t)length);
    c->state = CONN_STREAM;
    send_out(c, x->server->out_.p, x->server->out_.len);
}

enum http_write http_stream_write(struct http_exchange *x, struct str bytes)
{
    struct conn *c = of_exchange(x);
    struct buf *out = &x->server->out_;
    char line[H1_CHUNK_HEAD_MAX];

    if (c->broken || c->out.len - c->out_at > x->server->limits.backlog_max_bytes) {
        return HTTP_WRITE_REFUSED;
    }
    if (bytes.len > 0 && !c->head_only) {
        if (c->chunked) {
            out->len = 0;
            buf_add(out, line, h1_chunk_head(line, bytes.len));
            buf_add_str(out, bytes);
            buf_add(out, "\r\n", 2);
            send_out(c, out->p, out->len);
            trim_scratch(x->server);
        } else {
            send_out(c, bytes.p, bytes.len);
        }
    }
    c->wants_drain = conn_output_waits(c);
    return c->broken ? HTTP_WRITE_REFUSED : c->wants_drain ? HTTP_WRITE_FULL : HTTP_WRITE_SENT;
}

void http_stream_end(struct http_exchange *x)
{
    struct conn *c = of_exchange(x);

    if (c->chunked && !c->head_only) {
        send_out(c, "0\r\n\r\n", 5);
    }
    end_exchange(c);
}

void http_abort(struct http_exchange *x, bool reset)
{
    struct conn *c = of_exchange(x);

    c->close_after = true;
    if (reset || !conn_output_waits(c)) {
        conn_close(c, reset);
    } else {
        c->state = CONN_FLUSH;
    }
}

void conn_refuse(struct conn *c, int status, const char *text)
{
    struct http_server *s = c->x.server;
    struct http_answer answer = {
        .status = status,
        .content_type = STR("text/plain"),
        .body = str_c(text),
    };

    if (s->service_->phrase != NULL) {
        s->service_->phrase(s, text, &answer);
    }
    c->state = CONN_BUSY;
    c->close_after = c->linger = true;
    c->head_only = c->http_1_0 = false;
    http_reply(&c->x, &answer);
}

void conn_send_continue(struct conn *c)
{
    if (!c->partial->continued) {
        c->partial->continued = true;
        send_out(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
}
