/* SPDX-License-Identifier: MIT */
/*
 * The way of a request:
 *
 *     server/mock.c          HTTP: route, media types, Origin, version
 *     protocol/protocol.c    JSON-RPC: message, session, method           → struct op
 *     tools/                 the tool decides what the answer is
 *     answers/answer.c       the answer leaves at once, or becomes a call
 *     answers/call.c         a call: later, as a stream (events.c, fill.c), exchanged (swap.c), or
 * never
 */
#ifndef MOCK_REQUEST_OP_H
#define MOCK_REQUEST_OP_H

#include "mock/request/request.h"
#include "mock/state/state.h"

enum op_kind {
    OP_ANSWER, /* m->result */
    OP_TEXT,   /* m->text as a tool's result */
    OP_EVENTS, /* a stream of `event_count` events, m->text as the last one's result */
    OP_FILL,   /* a text of `fill_bytes` letters */
    OP_NEVER,
    OP_CLOSE,
    OP_RESET,
    OP_HTTP_429,
};

/* A request on its way from its arrival to its answer; on the stack. */
struct op {
    struct mock *m;
    struct http_exchange *x;
    const struct mock_request *req;
    bool can_json, can_sse;
    bool faulted; /* faults apply */
    bool is_tool;
    bool has_session;
    struct mock_session_id session;
    /* What the method or tool decided: */
    enum op_kind kind;
    bool is_error;     /* OP_TEXT: isError */
    bool text_escaped; /* m->text is JSON-escaped already */
    uint64_t delay_ns;
    uint32_t event_count;
    uint64_t interval_ns;
    uint64_t fill_bytes;
    struct str headers; /* further header lines */
};

/* Sets m->result to an error and the kind to OP_ANSWER. */
void mock_op_error(struct op *op, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
