/* SPDX-License-Identifier: MIT */
/*
 * What all sessions of one thread share, and one call: a JSON-RPC request in an HTTP exchange of
 * its own, answered in JSON or as a stream of server-sent events.
 *
 * A call lives in its owner (a slot of a virtual user) and can be started again and again; nothing
 * is allocated for it. Scanners are lent by the client and held only while a message is incomplete:
 * a stream that waits for its next event holds none.
 */
#ifndef MCP_CLIENT_H
#define MCP_CLIENT_H

#include "base/buf.h"
#include "http/client.h"
#include "http/sse_parse.h"
#include "mcp/answer.h"
#include "mcp/gate.h"
#include "metrics/limits.h"
#include "net/dial.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MCP_ERROR_TEXT_MAX = 512,           /* bytes kept of the body of a failed status */
    MCP_CAPTURE_MAX = 32 * 1024 * 1024, /* bytes of an answer that preflight wants to read */
};
#define MCP_MESSAGE_MAX         ((uint64_t)256 * 1024 * 1024) /* bytes of one JSON-RPC message */
#define MCP_STREAM_END_GRACE_NS (250 * NS_PER_MS) /* from the response to the stream's end */

enum mcp_stall_rule {
    MCP_STALL_AUTO,  /* an event where streaming is expected, else comments too */
    MCP_STALL_EVENT, /* only an event ends silence */
    MCP_STALL_ANY,   /* comments too */
};

/* The target, as far as the wire is concerned. Immutable. */
struct mcp_target {
    const char *host; /* for the dialer */
    uint16_t port;
    struct str path;     /* request target */
    const char *version; /* asked for at initialize */
    bool version_strict; /* only that one is accepted */
    bool version_any;    /* whatever the server answers */
    uint64_t connect_ns, request_ns, stall_ns;
    enum mcp_stall_rule stall_rule;
    bool is_gateway;          /* whose fault an HTTP error is */
    uint64_t max_connections; /* of this thread; 0: no limit */
};

/* What the owner of a thread wants to hear of connections. */
struct mcp_observer {
    /* An attempt ended: code ERROR_CODE_NONE when connected. `ns`: DNS + TCP. */
    void (*on_connect)(void *owner, uint64_t ns, enum error_code code);
    void *owner;
};

struct mcp_scratch; /* a scanner and a little text, lent to one answer */

struct mcp_client {
    struct loop *loop;
    const struct mcp_target *target;
    struct http_client http;
    struct dialer dialer;
    struct mcp_observer observer;
    struct gate gate; /* every request passes it; no cap until its owner sets one with gate_init */
    struct buf out_;  /* the request being written */
    uint64_t json_head_id_; /* the last head that announced a JSON answer (http/client.h) */
    struct list free_scratch_;
    struct list
        waiting_;  /* calls that wait for max_connections, by gate.node: one queue at a time */
    uint64_t held; /* calls that had to, so far */
    uint32_t dialing_;
    struct defer admit_;
    uint64_t limits[LIMIT_COUNT]; /* hits of our own limits; read them with mcp_client_limits */
};

/* `filter`: see net/dial.h; may be NULL. */
void mcp_client_init(struct mcp_client *c,
                     struct loop *loop,
                     const struct mcp_target *target,
                     dial_filter_fn *filter,
                     const void *filter_owner,
                     const struct mcp_observer *observer);
void mcp_client_clear(struct mcp_client *c);
/* Adds the hits of limits since the last call, of the connections too. */
void mcp_client_limits(struct mcp_client *c, uint64_t to[LIMIT_COUNT]);

struct mcp_session;
struct mcp_call;

struct mcp_call_events {
    /* The rest of the message: what follows the id (`,"method":…}`), or, in a notification, what
     * follows the version. Asked just before sending; must be valid until this returns to the loop.
     */
    struct str (*tail)(struct mcp_call *call);
    /* What follows the method in the request, when it is not the session's own (session.h); valid
     * as the tail is. NULL: the session's. */
    struct str (*head)(struct mcp_call *call);
    /* The answer is a stream: its head has come. May be NULL, as the next one. */
    void (*on_stream)(struct mcp_call *call);
    /* An SSE event with data; `gap_ns` since the one before it, or since the response head. */
    void (*on_event)(struct mcp_call *call, uint64_t gap_ns);
    /* A silence of the open stream ended, after `ns`: by an event, before on_event, by a comment
     * that counts, or by the end of the stream, that of mcp_call_cancel included. May be NULL. */
    void (*on_silence)(struct mcp_call *call, uint64_t ns, uint64_t at_ns);
    /* Once. The call may be started again from here. */
    void (*on_done)(struct mcp_call *call, const struct mcp_answer *answer);
};

struct mcp_call {
    /* Set by the owner before mcp_call_start. */
    const struct mcp_call_events *events;
    bool expects_stream;
    bool is_notification; /* no id, no response: any 2xx is success */
    bool is_delete;       /* the DELETE that ends a session */
    bool permitted;       /* the gate has let it pass already; true for one start */
    bool begins;          /* it begins something new (mcp/gate.h); true for one start */
    uint64_t deadline_ns; /* the operation ends then, whatever the request time-out says; 0: none */
    struct buf *capture;  /* the answer's JSON is appended here (not more than its maximum); NULL */
    struct gate_wait gate; /* the owner may wait with it while the call does not run */

    /* Of the running or last call; 0: never happened. */
    uint64_t t_dial;  /* began to connect, when it needed a connection of its own … */
    uint64_t t_ready; /* … and had it; both: when another call left it one */
    uint64_t t_send, t_headers, t_first_event, t_last_event;
    uint64_t bytes_out, bytes_in, event_count;
    uint64_t silence_ns; /* at which a stalled stream was ended */
    int http_status;
    bool is_stream;
    bool waited;      /* for max_connections, before t_dial */
    uint64_t held_ns; /* by limits of ours (the gate, max_connections), before everything else */

    /* private */
    struct list node_; /* in session_->waiting_ */
    struct mcp_session *session_;
    struct http_conn *conn_;
    struct dial *dial_;
    struct mcp_scratch *scratch_;
    int64_t id_;
    uint64_t silence_since_ns_, request_deadline_ns_, message_bytes_;
    uint8_t mode_, state_;
    bool via_proxy_, foreign_id_, bad_text_;
    bool has_place_; /* a connection's place is kept while it is at the gate */
    struct timer timer_;
    struct mcp_answer answer_;
    struct sse_parser sse_;
};

/* Once, before the first start. */
void mcp_call_init(struct mcp_call *call, const struct mcp_call_events *events);
/* Sends on an idle connection of the session, or makes one. on_done comes later, never inside. */
void mcp_call_start(struct mcp_call *call, struct mcp_session *session);
/* Closes a connection of this client; a call that waits for one may dial then. NULL is fine. */
void mcp_client_hang_up(struct mcp_client *c, struct http_conn *conn, bool reset);

/* Ends it: its connection is closed, on_done does not come. Fine when it is not running. */
void mcp_call_cancel(struct mcp_call *call);
bool mcp_call_running(const struct mcp_call *call);
/* Is it running, but kept by a limit of ours from anything that the target would see? */
bool mcp_call_held(const struct mcp_call *call);
/* Is its response stream open? For the gauge of open streams. */
bool mcp_call_streaming(const struct mcp_call *call);
/* Since when nothing came on the open stream. */
uint64_t mcp_call_silent_since(const struct mcp_call *call);

#endif
