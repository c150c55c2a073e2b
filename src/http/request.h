/* SPDX-License-Identifier: MIT */
/*
 * Our own client of an HTTP API, for the programs that talk to a control plane: whole requests with
 * whole answers, and streams of server-sent events. (Load is made by mcp/ over http/client.h, which
 * measures; this one does not.)
 *
 * Words. An *api* is one server as its clients see it: address, connections that are kept alive,
 * headers that every request carries. A *transfer* is one request under way; it ends once, in its
 * on_end, unless it is cancelled. Any number of transfers may be under way at once, each on a
 * connection of its own.
 *
 *   http_api_ask      ─► on_end
 *   http_api_stream   ─► on_open ─► on_event … ─► on_end
 *                        └──────────────────────► on_end     the answer is no stream of events
 *
 * Callbacks come from the loop, never from inside a call. A transfer is over when its on_end
 * begins: its handle must not be used any more; a new transfer may be started in there.
 *
 * A connection that was kept alive may turn out to be closed when the next request is sent on it.
 * A request that may be repeated is then sent once more, on a new connection; any other one fails,
 * for the server may have done what it said. Redirects are not followed.
 *
 * One thread: the loop's.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/err.h"
#include "base/str.h"
#include "loop/loop.h"
#include "net/dial.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ASK_BODY_MAX     ((size_t)64 * 1024 * 1024) /* of a request */
#define HTTP_ANSWER_MAX       ((size_t)64 * 1024 * 1024) /* of an answer or event, default */
#define HTTP_CONNECT_LIMIT_NS (10 * NS_PER_S)            /* default */
#define HTTP_ANSWER_LIMIT_NS  (30 * NS_PER_S)            /* default */
#define HTTP_SILENCE_LIMIT_NS (45 * NS_PER_S)            /* default */

enum {
    HTTP_API_IDLE_MAX = 2, /* connections that wait for the next request */
    HTTP_API_TYPE_MAX = 127,
};

struct http_api;
struct http_transfer;

/* Zero and empty members mean the default. Texts are copied. */
struct http_ask {
    const char *method; /* "GET" when NULL */
    struct str path;    /* "/runs?limit=1", behind the api's prefix; parts are escaped already */
    struct str headers; /* further lines, each with its CRLF */
    struct str content_type; /* of the body */
    struct str body;         /* at most HTTP_ASK_BODY_MAX */
    bool repeatable;         /* a POST that does no harm when it arrives twice; a GET never does */
    size_t answer_max_bytes; /* of the answer's body; in a stream of one event's data */
    uint64_t connect_limit_ns;
    uint64_t answer_limit_ns; /* from the connection to the answer's end; in a stream to its head */
    uint64_t silence_limit_ns; /* streams: between two reads of anything, comments included */
};

enum http_ask_failure {
    HTTP_ASK_ANSWERED,    /* no failure: there is a status, whatever it is */
    HTTP_ASK_UNREACHABLE, /* no connection: the server has not seen the request */
    HTTP_ASK_BROKEN,      /* the connection ended before the answer did */
    HTTP_ASK_TIMEOUT,     /* no answer in time, or a stream fell silent */
    HTTP_ASK_TOO_LARGE,   /* answer_max_bytes */
    HTTP_ASK_MALFORMED,   /* what answered does not speak HTTP/1.1, or the events are malformed */
};

/* Valid during the callback. */
struct http_outcome {
    enum http_ask_failure failure;
    const char *text; /* a failure for people: "cannot reach http://…: Connection refused" */
    int status;       /* 0 when no head has come */
    struct str content_type;
    struct str body; /* of a stream: empty, unless the answer was no stream of events */
};

struct http_event {
    struct str id;   /* the last one that came, also before this event; may be empty */
    struct str name; /* "" when the event has none */
    struct str data;
};

struct http_listener {
    /* The answer's head says 200 and text/event-stream. May be NULL. */
    void (*on_open)(void *owner);
    void (*on_event)(void *owner, const struct http_event *event);
    /* ANSWERED with status 200: the server ended the stream. With another one, or without events:
     * it answered something else, and body says what. Otherwise it broke. */
    void (*on_end)(void *owner, const struct http_outcome *outcome);
};

typedef void http_outcome_fn(void *owner, const struct http_outcome *outcome);

/* `url` is http://HOST[:PORT][/PREFIX]; `headers`: lines of every request, each with its CRLF. Both
 * are copied. ERR_INVALID, or ERR_UNSUPPORTED for https; the text names the url. */
int http_api_new(
    struct loop *loop, struct str url, struct str headers, struct http_api **out, struct err *err);
/* Cancels its transfers and closes its connections; not from inside a callback of it. NULL is fine.
 */
void http_api_free(struct http_api *api);
/* Replaces the headers of all later requests. */
void http_api_set_headers(struct http_api *api, struct str headers);
/* Instead of the network, for tests (net/dial.h). */
void http_api_set_opener(struct http_api *api, dial_opener_fn *opener, void *owner);
/* "http://localhost:8080/prefix": as messages name it, without a slash at its end. */
const char *http_api_url(const struct http_api *api);

struct http_transfer *http_api_ask(struct http_api *api,
                                   const struct http_ask *ask,
                                   http_outcome_fn *on_end,
                                   void *owner);
/* With `Accept: text/event-stream`. `listener` must outlive the transfer. */
struct http_transfer *http_api_stream(struct http_api *api,
                                      const struct http_ask *ask,
                                      const struct http_listener *listener,
                                      void *owner);
/* Nothing more is called; the connection is closed. Also from inside on_open and on_event; NULL is
 * fine. */
void http_transfer_cancel(struct http_transfer *transfer);

#endif
