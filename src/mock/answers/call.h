/* SPDX-License-Identifier: MIT */
/*
 * A call: an answer that cannot leave whole and at once. It lives until its exchange is over: an
 * answer that waits for its time, a stream of events, a large text, silence.
 *
 * Times are exact: a call sits in the loop's heap of sends, and event i of a stream is due at
 * start + i * interval, whatever happened to the one before.
 */
#ifndef MOCK_ANSWERS_CALL_H
#define MOCK_ANSWERS_CALL_H

#include "mock/request/op.h"

enum {
    CALL_BATCH_BYTES = 64 * 1024, /* written at once */
    CALL_TURN_BATCHES = 4,        /* of one call, before others have their turn */
};

enum call_kind { CALL_REPLY, CALL_EVENTS, CALL_FILL, CALL_NEVER, CALL_LISTEN, CALL_HELD };

/* What a stream's events look like. */
enum event_form { EVENT_MESSAGE, EVENT_PROGRESS, EVENT_NOTIFICATION };

/* A whole answer. */
struct reply {
    int status;
    enum fault_strike strike; /* CUT and RESET break it */
    bool sse, json;
    bool rpc;     /* a JSON-RPC response: counted */
    bool faulted; /* may be dribbled */
    bool close;   /* the connection is closed instead of any answer */
    struct str headers;
    struct str body;
};

struct call {
    struct send send;
    struct http_exchange *x;
    struct mock *m;
    enum call_kind kind;
    bool begun; /* CALL_EVENTS, CALL_FILL, CALL_LISTEN: the head is sent */
    bool sse;
    bool full; /* the socket does not take more: on_drain */
    bool cut;  /* breaks off half way */
    union {
        struct reply reply;
        struct {
            uint64_t start_ns, interval_ns;
            uint32_t total, next; /* events before the last one; of these, sent */
            uint32_t stall_at;    /* silent from there on; UINT32_MAX: never */
            enum event_form form;
            struct str id, token, final; /* in text[] */
        } events;
        struct {
            uint64_t left;
            struct str head, tail; /* in text[] */
            uint64_t cut_left;     /* breaks off when so much is left */
        } fill;
        struct {
            struct mock_session_id id;
            struct list node; /* of m->listeners */
            bool attached;
        } listen;
        struct {
            struct str id, result; /* in text[] */
            uint64_t due_ns;       /* when the answer may leave at the earliest */
            struct mock_session_id session;
            bool has_session, sse;
        } held;
    };
    char text[];
};

/* ---- call.c ------------------------------------------------------------------------------- */

/* x->user is the call from then on. `text_bytes` is the room of call->text. */
struct call *
call_new(struct mock *m, struct http_exchange *x, enum call_kind kind, size_t text_bytes);
/* Copies into call->text at *at, which moves on. */
struct str call_put_text(struct call *call, size_t *at, struct str s);
/* The call is over; its exchange is still to be ended. */
void call_free(struct call *call);
/* Runs the call at `at_ns`, or when the mock is not frozen any more. */
void call_arm(struct call *call, uint64_t at_ns);
/* Breaks the connection off behind what was written. */
void call_cut(struct call *call);
/* The stream is over. */
void call_end(struct call *call);
/* May something that is due now leave now? */
bool call_may_run(const struct mock *m);
/* The head of an answer of type text/event-stream. */
void call_begin_sse(struct mock *m, struct http_exchange *x, int64_t length);
/* The fault knob of the same name. */
void call_dribble(const struct mock *m, struct http_exchange *x);

/* ---- answer.c, events.c, fill.c, swap.c --------------------------------------------------- */

void reply_send(struct mock *m, struct http_exchange *x, const struct reply *r);
/* Now, or `delay_ns` from now. */
void reply_schedule(struct mock *m,
                    struct http_exchange *x,
                    const struct reply *r,
                    uint64_t delay_ns);
/* The message with this id and m->result into m->body. */
void reply_compose(struct mock *m, struct str id, bool sse);
void events_run(struct call *call);
void events_start(struct op *op, const struct fault_draw *draw);
void fill_run(struct call *call);
void fill_start(struct op *op, const struct fault_draw *draw, bool sse);
/* Holds the op's answer, m->result, back until another client's comes, or for SWAP_HOLD_MS. */
void swap_hold(struct op *op, bool sse);
/* If another client's answer is held, it leaves with m->result, and m->result becomes what it
 * would have said. False: nothing has changed. */
bool swap_take(struct op *op);
/* Nobody came: the answer leaves as it is. */
void swap_give_up(struct call *call);

#endif
