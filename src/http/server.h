/* SPDX-License-Identifier: MIT */
/*
 * An HTTP/1.1 server of one thread: connections, requests one after the other, answers at once or
 * later. It knows no route and no protocol above HTTP; its user does (struct http_service).
 *
 * Words. A *connection* carries exchanges; an *exchange* is one request and its answer. A request
 * is handed over when its head and its whole body are there. The user answers during on_request or
 * at any later time on the same thread:
 *
 *     http_reply                                            the whole answer, one write
 *     http_stream_begin · http_stream_write … · http_stream_end   an answer in pieces
 *     http_abort                                            the connection breaks off
 *
 * One of http_reply, http_stream_end, http_abort ends the exchange; after it, and after on_gone,
 * the handle must not be used. Requests that a client sends ahead (pipelining) wait for it. A
 * client that closes its connection, or its sending half, while its request is being answered has
 * gone: on_gone.
 *
 * Memory. An idle connection, and one with an open stream, hold no buffer: bytes are read into a
 * buffer of the server. A connection keeps input only while a request is incomplete, and output
 * only while the socket does not take it.
 *
 * Limits: head (http/h1_parse.h) 431, body 413, time for a request 408, malformed 400; each closes
 * the connection after the answer, whose words the service may choose (phrase). What was read ahead
 * is bounded by HTTP_AHEAD_MAX.
 *
 * A service may leave a request to another one (http_hand_to): two servers on one port.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/buf.h"
#include "http/h1_parse.h"
#include "loop/loop.h"
#include "net/stream.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_READ_BYTES = 128 * 1024, /* one read */
    HTTP_AHEAD_MAX = 256 * 1024,  /* bytes of later requests that wait for an exchange's end */
};

struct http_limits {
    size_t body_max_bytes;       /* default 16 MiB */
    size_t backlog_max_bytes;    /* unsent bytes of a stream; default 1 MiB */
    unsigned connections_max;    /* beyond it 503; default 1000000 */
    uint64_t idle_timeout_ns;    /* between requests, and for a client that does not read */
    uint64_t request_timeout_ns; /* from a request's first byte to its last … */
    uint64_t head_timeout_ns; /* … or, unless 0, to the end of its head; the body's time follows */
};

/* Written by the server's thread, read by any. Only totals: they never go back. */
struct http_stats {
    _Atomic uint64_t connections_opened, connections_closed, connections_refused;
    _Atomic uint64_t bytes_in, bytes_out;
};

/* One writer, so a load and a store will do, without a locked instruction. */
static inline void http_stat_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

struct http_server;
struct http_service;

/* The handle of an exchange. */
struct http_exchange {
    struct http_server *server;
    const struct http_service *service; /* whose it is, and … */
    void *owner;                        /* … the owner of that one */
    void *user;    /* for the service; NULL at the beginning of each exchange */
    bool loopback; /* as told to http_server_accept */
};

/* Slices live until on_request returns. */
struct http_request {
    const struct h1_head *head;
    struct str path;  /* the target without its query */
    struct str query; /* behind the '?', may be empty */
    struct str body;
};

struct http_answer {
    int status;
    struct str content_type; /* may be empty */
    struct str headers;      /* further header lines, each with its CRLF; may be empty */
    struct str body;         /* http_reply only */
};

/* The user's part; each gets the `owner` of http_server_init by x->owner. */
struct http_service {
    void (*on_request)(struct http_exchange *x, const struct http_request *request);
    /* The client has left, or does not read; the exchange is over. Never from inside a call. */
    void (*on_gone)(struct http_exchange *x);
    /* The socket has taken the backlog of a stream: write on. May be NULL. */
    void (*on_drain)(struct http_exchange *x);
    /* The most bytes that the body of this request may have; no more than limits.body_max_bytes,
     * which is what it is without this one (NULL). */
    size_t (*body_max)(struct http_server *s, const struct h1_head *head);
    /* An answer that the server gives by itself, for a request that nobody sees: sets type and body
     * (they live until the next call), and more headers if it likes. `text` says what is wrong.
     * NULL: the text as it is. */
    void (*phrase)(struct http_server *s, const char *text, struct http_answer *answer);
};

struct http_server {
    struct loop *loop;
    void *owner;
    struct http_limits limits;
    struct http_stats stats;
    const struct http_service *service_;
    struct list connections_;
    unsigned connection_count_;
    struct buf out_; /* an answer under construction */
    char *in_;       /* HTTP_READ_BYTES */
};

/* The defaults above; 10 minutes idle, 30 s for a request. */
struct http_limits http_limits_default(void);

/* `limits` may be NULL. */
void http_server_init(struct http_server *s,
                      struct loop *loop,
                      const struct http_limits *limits,
                      const struct http_service *service,
                      void *owner);
/* Closes every connection; on_gone comes for each open exchange, from inside this call. */
void http_server_clear(struct http_server *s);

/* A new connection; its stream belongs to the server. `loopback`: its peer is on this machine. */
void http_server_accept(struct http_server *s, struct stream *stream, bool loopback);

/* From inside on_request, before any answer: the exchange is the other service's from now on, which
 * gets the request at once. Not of a server of its own: only the exchange changes hands. */
void http_hand_to(struct http_exchange *x,
                  const struct http_service *service,
                  void *owner,
                  const struct http_request *request);

/* ---- answers ------------------------------------------------------------------------------ */

/* Head and body leave in one write. Ends the exchange. */
void http_reply(struct http_exchange *x, const struct http_answer *answer);

enum { HTTP_LENGTH_UNKNOWN = -1 };
/* Sends the head. `length` bytes must follow, or any number with HTTP_LENGTH_UNKNOWN (chunked; for
 * HTTP/1.0 the end of the connection). */
void http_stream_begin(struct http_exchange *x, const struct http_answer *answer, int64_t length);

enum http_write {
    HTTP_WRITE_SENT,    /* the socket took all */
    HTTP_WRITE_FULL,    /* taken, but some waits: write no more until on_drain */
    HTTP_WRITE_REFUSED, /* nothing taken: the backlog is at its limit, or the client is lost */
};
enum http_write http_stream_write(struct http_exchange *x, struct str bytes);

/* Ends the exchange; what waits is still sent. */
void http_stream_end(struct http_exchange *x);

/* Breaks off in the middle: `reset` with a TCP reset at once, else a close behind the bytes that
 * were written. Ends the exchange. */
void http_abort(struct http_exchange *x, bool reset);

/* From now on this exchange's answer leaves in pieces of at most `bytes` with pauses of `pause_ns`
 * (for servers that play a slow one). Before http_reply or http_stream_begin. */
void http_pace(struct http_exchange *x, size_t bytes, uint64_t pause_ns);

#endif
