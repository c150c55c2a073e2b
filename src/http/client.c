/* SPDX-License-Identifier: MIT */
#include "http/client.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>

enum conn_state { IDLE, WAIT_HEAD, IN_BODY };

enum {
    READS_PER_TURN = 16,               /* then the other connections have their turn */
    OUT_MAX = 64 * 1024 * 1024 + 4096, /* a request that the socket does not take */
};

void http_client_init(struct http_client *c, struct loop *loop)
{
    memset(c, 0, sizeof *c);
    c->loop = loop;
    c->read_buf_ = xmalloc(HTTP_READ_BYTES);
}

void http_client_clear(struct http_client *c)
{
    xfree(c->read_buf_);
    c->read_buf_ = NULL;
}

static void drop_buf(struct buf **b)
{
    if (*b != NULL) {
        buf_clear(*b);
        xfree(*b);
        *b = NULL;
    }
}

static struct buf *need_buf(struct buf **b, size_t max)
{
    if (*b == NULL) {
        *b = xmalloc(sizeof **b);
        buf_init(*b, max);
    }
    return *b;
}

/* ---- the end of an exchange ---------------------------------------------------------------- */

static void finish(struct http_conn *c, const struct http_end *end)
{
    drop_buf(&c->in_);
    c->state_ = IDLE;
    c->handler_->on_done(c->owner_, end);
}

static void fail(struct http_conn *c, enum http_failure failure, int sys, const char *text)
{
    struct http_end end = {
        .failure = failure,
        .sys = sys,
        .text = text,
        .now_ns = loop_clock(c->client_->loop),
    };

    finish(c, &end);
}

static void complete(struct http_conn *c, bool reusable, uint64_t now_ns)
{
    /* An answer that overtook its request leaves the rest of the request in the way, or came from
     * a peer that had closed already. */
    bool sent = c->out_ == NULL && c->write_sys_ == 0;
    struct http_end end = {.reusable = reusable && sent, .now_ns = now_ns};

    finish(c, &end);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void take_body(struct http_conn *c, const char *p, const char *end, uint64_t now_ns)
{
    struct str piece;

    for (;;) {
        switch (h1_body_next(&c->body_, &p, end, &piece)) {
        case H1_MORE:
            return;
        case H1_DATA:
            c->handler_->on_body(c->owner_, piece, now_ns);
            if (c->state_ != IN_BODY || c->stream_ == NULL) {
                return; /* the owner closed the connection */
            }
            break;
        case H1_DONE:
            /* Bytes behind the response answer nobody: this connection is not trusted any more. */
            complete(c, c->keep_alive_ && p == end, now_ns);
            return;
        case H1_BAD:
            fail(c, HTTP_MALFORMED, 0, "malformed chunked body");
            return;
        }
    }
}

/* A parsed head; the bytes p..end follow it. */
static void take_head(struct http_conn *c,
                      const struct h1_head *head,
                      const char *p,
                      const char *end,
                      uint64_t now_ns)
{
    c->keep_alive_ = head->keep_alive;
    h1_body_init(&c->body_, head);
    c->state_ = IN_BODY;
    c->handler_->on_head(c->owner_, head, now_ns);
    if (c->state_ == IN_BODY && c->stream_ != NULL) {
        take_body(c, p, end, now_ns);
    }
}

/* Most response heads equal the one before: then comparing is all. */
static const struct h1_head *
cached_head(struct http_client *hc, const char *p, size_t len, long *head_len)
{
    if (hc->cached_len_ > 0 && len >= hc->cached_len_ &&
        memcmp(p, hc->cached_bytes_, hc->cached_len_) == 0) {
        *head_len = (long)hc->cached_len_;
        return &hc->cached_head_;
    }
    size_t copy = len < HTTP_HEAD_CACHE_BYTES ? len : HTTP_HEAD_CACHE_BYTES;
    size_t seen = 0;
    memcpy(hc->cached_bytes_, p, copy);
    *head_len = h1_parse_response(hc->cached_bytes_, copy, &seen, &hc->cached_head_, NULL);
    hc->cached_len_ = *head_len > 0 ? (size_t)*head_len : 0;
    hc->cached_id_++;
    return *head_len > 0 ? &hc->cached_head_ : NULL;
}

/* Parses the head at p. NULL: incomplete, or failed (then the exchange is over). */
static const struct h1_head *
parse_head(struct http_conn *c, const char *p, size_t len, long *head_len)
{
    struct http_client *hc = c->client_;
    struct err err;

    if (c->in_ == NULL) {
        const struct h1_head *head = cached_head(hc, p, len, head_len);
        if (head != NULL) {
            return head;
        }
    }
    *head_len = h1_parse_response(p, len, &c->head_seen_, &hc->head_, &err);
    if (*head_len < 0) {
        fail(c, HTTP_MALFORMED, 0, err.msg);
    }
    return *head_len > 0 ? &hc->head_ : NULL;
}

static void take_response(struct http_conn *c, const char *p, const char *end, uint64_t now_ns)
{
    while (p < end) {
        long head_len;
        const struct h1_head *head = parse_head(c, p, (size_t)(end - p), &head_len);

        if (head == NULL) {
            if (head_len == 0 && c->in_ == NULL &&
                buf_add(need_buf(&c->in_, H1_HEAD_MAX), p, (size_t)(end - p)) != 0) {
                fail(c, HTTP_MALFORMED, 0, "response head above 64 KiB");
            }
            return;
        }
        p += head_len;
        c->head_seen_ = 0;
        if (head->status >= 200) {
            take_head(c, head, p, end, now_ns);
            return;
        }
        if (head->status == 101 || ++c->interim_ > HTTP_INTERIM_MAX) {
            fail(c, HTTP_MALFORMED, 0,
                 head->status == 101 ? "the peer switched protocols" : "too many 1xx responses");
            return;
        }
    }
}

/* The head came in pieces: it is parsed from the bytes that were kept. */
static void take_more_head(struct http_conn *c, const char *p, size_t len, uint64_t now_ns)
{
    struct buf *in = c->in_;
    size_t room = in->max - in->len;
    size_t part = len < room ? len : room;

    buf_add(in, p, part);
    long head_len;
    const struct h1_head *head = parse_head(c, in->p, in->len, &head_len);
    if (head == NULL) {
        if (head_len == 0 && part < len) {
            fail(c, HTTP_MALFORMED, 0, "response head above 64 KiB");
        }
        return;
    }
    /* The parsed head points into `in`: it stays until the head is handled. */
    c->in_ = NULL;
    c->head_seen_ = 0;
    size_t old = in->len - part;
    const char *rest = p + ((size_t)head_len > old ? (size_t)head_len - old : 0);
    if (head->status >= 200) {
        take_head(c, head, rest, p + len, now_ns);
    } else if (head->status == 101 || ++c->interim_ > HTTP_INTERIM_MAX) {
        fail(c, HTTP_MALFORMED, 0, "unexpected 1xx responses");
    } else {
        take_response(c, rest, p + len, now_ns);
    }
    drop_buf(&in);
}

static void take_bytes(struct http_conn *c, const char *p, size_t len, uint64_t now_ns)
{
    c->bytes_in += len;
    if (c->state_ == IN_BODY) {
        take_body(c, p, p + len, now_ns);
    } else if (c->state_ == WAIT_HEAD && c->in_ != NULL) {
        take_more_head(c, p, len, now_ns);
    } else if (c->state_ == WAIT_HEAD) {
        take_response(c, p, p + len, now_ns);
    } else if (c->on_lost_ != NULL) {
        c->on_lost_(c->lost_owner_, c); /* bytes that answer nobody */
    }
}

static void take_end(struct http_conn *c, int sys)
{
    uint64_t now_ns = loop_clock(c->client_->loop);

    if (c->state_ == IDLE) {
        if (c->on_lost_ != NULL) {
            c->on_lost_(c->lost_owner_, c);
        }
    } else if (c->state_ == IN_BODY && sys == 0 && h1_body_eof_ok(&c->body_)) {
        complete(c, false, now_ns);
    } else if (sys != 0) {
        fail(c, HTTP_READ_ERROR, sys, "the connection broke");
    } else if (c->state_ == WAIT_HEAD && c->bytes_in == 0) {
        fail(c, HTTP_NO_ANSWER, 0, "the connection was closed without an answer");
    } else {
        fail(c, HTTP_TRUNCATED, 0, "the connection was closed inside the answer");
    }
}

static void read_all(struct http_conn *c, bool to_the_end)
{
    struct http_client *hc = c->client_;

    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = stream_read(c->stream_, hc->read_buf_, HTTP_READ_BYTES);

        if (n == -EAGAIN) {
            return;
        }
        if (n <= 0) {
            take_end(c, (int)-n);
            return;
        }
        /* One stamp per read, before parsing: everything in it arrived now. */
        take_bytes(c, hc->read_buf_, (size_t)n, loop_clock(hc->loop));
        if (c->stream_ == NULL || (n < HTTP_READ_BYTES && !to_the_end)) {
            return;
        }
    }
    loop_defer(hc->loop, &c->later_);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void note_written(struct http_conn *c, size_t n)
{
    c->bytes_out += n;
    if (c->sent_ns == 0) {
        c->sent_ns = loop_clock(c->client_->loop);
    }
}

/* A broken pipe is told later, and only if no answer comes: servers answer and close early. */
static void write_failed(struct http_conn *c, int sys)
{
    c->write_sys_ = sys;
    drop_buf(&c->out_);
    loop_defer(c->client_->loop, &c->later_);
}

static void flush(struct http_conn *c)
{
    while (c->out_ != NULL) {
        ssize_t n = stream_write(c->stream_, c->out_->p, c->out_->len);

        if (n == -EAGAIN) {
            return;
        }
        if (n < 0) {
            write_failed(c, (int)-n);
            return;
        }
        note_written(c, (size_t)n);
        buf_consume(c->out_, (size_t)n);
        if (c->out_->len == 0) {
            drop_buf(&c->out_);
        }
    }
}

void http_conn_send(struct http_conn *c,
                    const char *bytes,
                    size_t len,
                    const struct http_handler *handler,
                    void *owner)
{
    assert(c->state_ == IDLE && c->stream_ != NULL && c->out_ == NULL);
    c->handler_ = handler;
    c->owner_ = owner;
    c->state_ = WAIT_HEAD;
    c->sent_ns = c->bytes_out = c->bytes_in = 0;
    c->head_seen_ = 0;
    c->interim_ = 0;
    c->write_sys_ = 0;

    ssize_t n = stream_write(c->stream_, bytes, len);
    if (n == (ssize_t)len) {
        note_written(c, len);
        return;
    }
    if (n < 0 && n != -EAGAIN) {
        write_failed(c, (int)-n);
        return;
    }
    size_t done = n > 0 ? (size_t)n : 0;
    if (done > 0) {
        note_written(c, done);
    }
    if (buf_add(need_buf(&c->out_, OUT_MAX), bytes + done, len - done) != 0) {
        write_failed(c, EMSGSIZE);
    }
}

/* ---- the connection ------------------------------------------------------------------------ */

static void on_event(struct stream *s, unsigned events)
{
    struct http_conn *c = s->owner;

    if ((events & STREAM_WRITABLE) != 0 && c->out_ != NULL) {
        flush(c);
    }
    if ((events & STREAM_READABLE) != 0) {
        read_all(c, (events & STREAM_HUP) != 0);
    }
}

/* Either there was more to read than a turn allows, or a write failed. */
static void on_later(struct defer *d)
{
    struct http_conn *c = list_entry(d, struct http_conn, later_);

    read_all(c, true);
    if (c->stream_ != NULL && c->write_sys_ != 0 && c->state_ == WAIT_HEAD) {
        int sys = c->write_sys_;

        c->write_sys_ = 0;
        fail(c, HTTP_WRITE_ERROR, sys, "the connection broke while sending");
    }
}

static void on_death(struct defer *d)
{
    xfree(list_entry(d, struct http_conn, death_));
}

struct http_conn *http_conn_new(struct http_client *client,
                                struct stream *stream,
                                void (*on_lost)(void *lost_owner, struct http_conn *conn),
                                void *lost_owner)
{
    struct http_conn *c = xcalloc(1, sizeof *c);

    list_init(&c->node);
    c->client_ = client;
    c->stream_ = stream;
    c->on_lost_ = on_lost;
    c->lost_owner_ = lost_owner;
    defer_init(&c->later_, on_later);
    defer_init(&c->death_, on_death);
    stream->owner = c;
    stream->on_event = on_event;
    client->open_conns++;
    return c;
}

void http_conn_close(struct http_conn *c, bool reset)
{
    if (c == NULL || c->stream_ == NULL) {
        return;
    }
    c->client_->open_conns--;
    if (reset) {
        stream_reset(c->stream_);
    } else {
        stream_close(c->stream_);
    }
    c->stream_ = NULL;
    c->state_ = IDLE;
    list_remove(&c->node);
    drop_buf(&c->in_);
    drop_buf(&c->out_);
    loop_defer_cancel(&c->later_);
    loop_bury(c->client_->loop, &c->death_);
}

bool http_conn_idle(const struct http_conn *c)
{
    return c->state_ == IDLE && c->stream_ != NULL;
}
