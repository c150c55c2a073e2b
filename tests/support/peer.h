/* SPDX-License-Identifier: MIT */
/*
 * A scripted MCP server over in-memory streams: it reads requests, counts them, and answers each as
 * its test says, at once or at virtual times.
 *
 * A request goes to `on_request` first; what that does not answer, the peer serves itself as a
 * plain, correct server does (peer_serve). It reads HTTP on its own, so that it does not share a
 * parser's faults with the client. Nothing is allocated for a request once its connection has
 * served a few.
 *
 * Belongs to one loop; everything is asserted, for its input comes from the code under test.
 */
#ifndef SUPPORT_PEER_H
#define SUPPORT_PEER_H

#include "base/buf.h"
#include "loop/loop.h"
#include "net/mem_stream.h"
#include "net/stream.h"

#include <stdbool.h>
#include <stdint.h>

enum { PEER_METHODS_MAX = 16, PEER_STEPS_MAX = 24, PEER_METHOD_LEN = 48 };

struct peer;
struct peer_conn;

struct peer_request {
    struct peer_conn *conn;
    char verb[8];                 /* "POST" */
    char method[PEER_METHOD_LEN]; /* "tools/call"; the verb where there is no message */
    bool has_id;
    int64_t id;
    struct str head, body; /* valid during the call */
    uint64_t number;       /* of all requests, from 0 */
    uint64_t at_ns;
};

/* Something that the peer will do on a connection. */
struct peer_step {
    struct send at;
    struct peer_conn *conn;
    struct buf bytes;
    int close;     /* 0: no, 1: close, 2: reset */
    bool scripted; /* said by on_request */
};

struct peer_conn {
    struct list node;
    struct peer *peer;
    struct stream *stream; /* NULL when closed by us */
    struct buf in;
    struct peer_step steps[PEER_STEPS_MAX];
    bool scripted;    /* on_request is at work */
    uint64_t last_ns; /* when the last step so far is due: steps keep their order */
};

struct peer_count {
    char method[PEER_METHOD_LEN];
    uint64_t count;
};

struct peer {
    struct loop *loop;
    /* True: answered, or deliberately not. May be NULL. */
    bool (*on_request)(void *owner, const struct peer_request *request);
    void *owner;

    /* What peer_serve does. */
    uint64_t delay_ns;   /* from request to answer */
    bool sse;            /* answers as event streams */
    bool no_session_ids; /* gives none */
    bool fail_calls;     /* tools/call is answered with isError */
    const char *version; /* NULL: the one that was asked for */
    struct mem_faults faults;
    int refuse; /* new connections fail with this errno; 0: none */

    struct list conns;
    uint64_t connections, open_connections, peak_connections, requests, sessions;
    uint64_t refused;        /* connections */
    uint64_t scripted_bytes; /* that on_request said and that were written */
    uint64_t closes, resets; /* by the client */
    struct peer_count counts[PEER_METHODS_MAX];
    struct buf body; /* scratch */
};

void peer_init(struct peer *p, struct loop *loop);
/* Connections are closed. */
void peer_clear(struct peer *p);
/* For dialer.opener: a new connection, whose other end the peer holds. `owner` is the peer. */
int peer_open(void *owner, struct stream **out);

/* Requests of that method so far ("DELETE" for the verb). */
uint64_t peer_count_of(const struct peer *p, const char *method);
/* The value of a header line in the request's head, or a slice with p NULL. */
struct str peer_header(const struct peer_request *request, const char *name);

/* ---- answers; `after_ns` counts from now, and never overtakes what was said before ------------
 */

void peer_bytes(struct peer_conn *c, uint64_t after_ns, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void peer_close(struct peer_conn *c, uint64_t after_ns);
void peer_reset(struct peer_conn *c, uint64_t after_ns);
/* A whole response; `type` NULL: no content type. `more`: further header lines, each with CRLF. */
void peer_respond(struct peer_conn *c,
                  uint64_t after_ns,
                  int status,
                  const char *type,
                  const char *more,
                  const char *body);
/* Head of an event stream (chunked), an event of it, and its end. */
void peer_sse_begin(struct peer_conn *c, uint64_t after_ns, const char *more);
void peer_sse(struct peer_conn *c, uint64_t after_ns, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void peer_sse_end(struct peer_conn *c, uint64_t after_ns);

/* Answers as a plain server does. */
void peer_serve(struct peer *p, const struct peer_request *request);

#endif
