/* SPDX-License-Identifier: MIT */
/*
 * An MCP session of the legacy era (2025-03-26, 2025-06-18, 2025-11-25) over Streamable HTTP:
 *
 *   NEW ─► OPENING ─► READY ─► CLOSING ─► CLOSED
 *             │          └─ lost: the owner closes it without DELETE and makes another
 *             └─► CLOSED   (failed: on_open says why)
 *
 * Opening is: connect, `initialize`, version check, `notifications/initialized`. The session owns
 * its connections; a new session means new connections. Closing is DELETE, then the connections.
 */
#ifndef MCP_SESSION_H
#define MCP_SESSION_H

#include "mcp/client.h"

enum {
    MCP_SESSION_ID_MAX = 256, /* visible ASCII; longer or other ids are refused */
};
#define MCP_CLOSE_TIMEOUT_NS (5 * NS_PER_S) /* for the answer to DELETE */

enum mcp_session_state {
    MCP_SESSION_NEW,
    MCP_SESSION_OPENING,
    MCP_SESSION_READY,
    MCP_SESSION_CLOSING,
    MCP_SESSION_CLOSED,
};

struct mcp_session_events {
    /* `failure` is NULL when the session is ready. */
    void (*on_open)(struct mcp_session *s, const struct mcp_answer *failure);
    /* After mcp_session_close: `answer` is the one to DELETE. */
    void (*on_closed)(struct mcp_session *s, const struct mcp_answer *answer);
};

struct mcp_session {
    struct mcp_client *client;
    const struct mcp_session_events *events;
    void *owner;
    struct str head; /* see mcp_session_init */
    enum mcp_session_state state : 8;
    bool permitted; /* set by the owner before it opens: the gate has let `initialize` pass */
    bool has_id;
    bool said_initialized;                        /* the notification was sent */
    uint32_t lines_len_;                          /* private, as what stands below */
    uint64_t opened_ns;                           /* initialized was accepted */
    uint64_t t_begin, t_connected, t_initialized; /* of the set-up */
    /* Of it, what limits of ours held (the gate, max_connections): before it began to connect … */
    uint64_t held_first_ns;
    uint64_t held_ns;    /* … and in all */
    uint64_t ops_served; /* kept by the owner */

    /* private */
    char *lines_; /* "Mcp-Session-Id: …\r\nMCP-Protocol-Version: …\r\n" */
    int64_t next_id_;
    struct list idle_, busy_; /* connections, by http_conn.node */
    struct list waiting_;     /* its calls among client->waiting_, by node_ */
    struct session_work *work_;
};

/* `head`: what follows the method in every request: " PATH HTTP/1.1\r\n" and complete header lines,
 * each with CRLF, without those that the session adds (session id, version, length). It must
 * outlive the session and may be shared. */
void mcp_session_init(struct mcp_session *s,
                      struct mcp_client *client,
                      struct str head,
                      const struct mcp_session_events *events,
                      void *owner);
/* The answer to initialize is appended to `capture` when that is not NULL. */
void mcp_session_open(struct mcp_session *s, struct buf *capture);
/* Says goodbye with a DELETE; no call may be running. False: the target gave no id, so there is
 * nothing to say, and the session is closed now. True: on_closed will come. */
bool mcp_session_close(struct mcp_session *s);
/* At once and silently: connections are closed, no event comes any more, memory is given back.
 * From any state, and always before the session itself is freed. */
void mcp_session_drop(struct mcp_session *s);
/* As mcp_session_drop, and the connections end in a reset (TCP: RST) instead of a regular close. */
void mcp_session_reset(struct mcp_session *s);
/* Is it being made, and nothing has been tried yet because a limit of ours holds it? */
bool mcp_session_held(const struct mcp_session *s);
/* Has it connections, idle ones included? */
bool mcp_session_connected(const struct mcp_session *s);
/* May one connect now, or would it have to wait for max_connections? */
bool mcp_session_may_dial(const struct mcp_client *client);
/* The session's id as the target gave it, or "". */
struct str mcp_session_id(const struct mcp_session *s);

/* ---- for mcp/call.c ------------------------------------------------------------------------- */

/* An idle connection, or NULL. */
struct http_conn *mcp_session_take(struct mcp_session *s);
void mcp_session_give_back(struct mcp_session *s, struct http_conn *conn);
struct http_conn *mcp_session_adopt(struct mcp_session *s, struct stream *stream);
/* The response to initialize carries this session id. False when it is no valid one. */
bool mcp_session_note_id(struct mcp_session *s, struct str id);

#endif
