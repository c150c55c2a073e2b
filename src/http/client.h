/* SPDX-License-Identifier: MIT */
/*
 * The client's side of HTTP/1.1 connections: one exchange at a time on each, kept alive between
 * them. An exchange is: the bytes of one request, as its owner built them, and the response to
 * them, handed out as it arrives.
 *
 *   http_conn_send ─► on_head ─► on_body … ─► on_done            interim (1xx) responses are
 * skipped └────────────────────────► on_done (failed)     at any time idle ─► on_lost the peer
 * closed an idle connection
 *
 * Callbacks come from the loop, never from inside a call, with one exception that is the point of
 * it: the next request may be sent from on_done, on the same connection. A callback may close the
 * connection; nothing more comes then.
 *
 * An idle or waiting connection holds no buffer: reads go into the client's, which all connections
 * of a thread share; bytes are kept only while a head is incomplete, or a request does not fit into
 * the socket.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/buf.h"
#include "http/h1_parse.h"
#include "loop/loop.h"
#include "net/stream.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_READ_BYTES = 128 * 1024,
    HTTP_INTERIM_MAX = 32, /* 1xx responses before the final one */
    HTTP_HEAD_CACHE_BYTES = 1024,
};

/* What the connections of one thread share. */
struct http_client {
    struct loop *loop;
    uint32_t open_conns;
    char *read_buf_;
    struct h1_head head_; /* scratch */
    /* The last response head: most heads are equal to the one before, then nothing is parsed. */
    char cached_bytes_[HTTP_HEAD_CACHE_BYTES];
    size_t cached_len_;
    struct h1_head cached_head_;
    uint64_t cached_id_; /* another number for each head that was parsed into it */
};

enum http_failure {
    HTTP_COMPLETE,   /* no failure */
    HTTP_NO_ANSWER,  /* the connection ended before the first byte of a response */
    HTTP_TRUNCATED,  /* it ended inside a response */
    HTTP_READ_ERROR, /* the system said `sys` while reading */
    HTTP_WRITE_ERROR,
    HTTP_MALFORMED, /* no HTTP/1.1, or a limit was broken: `text` says what */
};

struct http_end {
    enum http_failure failure;
    int sys;          /* errno of READ_ERROR and WRITE_ERROR */
    const char *text; /* for people; NULL when complete; valid during the call */
    bool reusable;    /* the connection may carry the next request */
    uint64_t now_ns;
};

struct http_handler {
    void (*on_head)(void *owner, const struct h1_head *head, uint64_t now_ns);
    void (*on_body)(void *owner, struct str piece, uint64_t now_ns);
    void (*on_done)(void *owner, const struct http_end *end);
};

struct http_conn {
    struct list node; /* for its owner */
    /* Of the exchange, valid until the next send: */
    uint64_t sent_ns; /* the kernel took the first byte; 0 before */
    uint64_t bytes_out, bytes_in;

    /* private */
    struct http_client *client_;
    struct stream *stream_; /* NULL when closed */
    const struct http_handler *handler_;
    void *owner_;
    void (*on_lost_)(void *lost_owner, struct http_conn *c);
    void *lost_owner_;
    struct buf *in_;  /* an incomplete head */
    struct buf *out_; /* what the socket did not take */
    size_t head_seen_;
    struct h1_body_reader body_;
    uint8_t state_, interim_;
    bool keep_alive_;
    struct defer later_;
    struct defer death_;
    int write_sys_;
};

void http_client_init(struct http_client *c, struct loop *loop);
void http_client_clear(struct http_client *c);

/* A number that stays the same while heads repeat byte by byte, so that their owner need not look
 * at them again; 0 for a head that is not known so. Inside on_head. */
static inline uint64_t http_head_id(const struct http_client *c, const struct h1_head *head)
{
    return head == &c->cached_head_ ? c->cached_id_ : 0;
}

/* Takes the stream over. on_lost: an idle connection ended; it must be closed by its owner. */
struct http_conn *http_conn_new(struct http_client *client,
                                struct stream *stream,
                                void (*on_lost)(void *lost_owner, struct http_conn *conn),
                                void *lost_owner);
/* Nothing more is called; memory goes later in this turn. NULL is fine. */
void http_conn_close(struct http_conn *c, bool reset);

/* Sends a request (head and body) and waits for its response. The connection must be idle; the
 * bytes are copied only if the socket does not take them at once. */
void http_conn_send(struct http_conn *c,
                    const char *bytes,
                    size_t len,
                    const struct http_handler *handler,
                    void *owner);
bool http_conn_idle(const struct http_conn *c);

#endif
