/* SPDX-License-Identifier: MIT */
/*
 * Shared by the mock's own files. The way of a request:
 *
 *     mock.c       HTTP: route, media types, Origin, version
 *     protocol.c   JSON-RPC: message, session, method           → struct op
 *     tools*.c     the tool decides what the answer is
 *     answer.c     the answer leaves at once, or becomes a call
 *     call.c       a call: later, as a stream (events.c, fill.c), exchanged (swap.c), or never
 */
#ifndef MOCK_PRIV_H
#define MOCK_PRIV_H

#include "base/buf.h"
#include "http/server.h"
#include "mock/history.h"
#include "mock/mock.h"
#include "mock/request.h"
#include "mock/session.h"
#include "mock/stats.h"

#include <pthread.h>

enum {
    MOCK_SCRATCH_MAX = 192 * 1024 * 1024, /* a body of 16 MiB whose every byte becomes \u00XX */
    MOCK_SCRATCH_KEEP = 1024 * 1024,
};

/* State of tools that remember something; one per process, under the lock. */
struct mock_memory {
    pthread_mutex_t lock;
    int64_t counter;
    uint64_t degrade_step;
    struct {
        uint64_t began_ns, used;
        bool open;
    } second, minute; /* windows of rate_limited */
    uint64_t forced_errors, circuit_until_ns;
    uint64_t slot_free_ns[5]; /* backpressure */
};

struct mock_shared {
    struct mock_config config;
    struct mock_sessions *sessions;
    struct mock_memory memory;
    /* Numbers of the next fault draw, session draw, draw of a lost session, and tool draw. */
    _Atomic uint64_t fault_index, session_index, lose_index, tool_index;
    _Atomic uint64_t frozen_until_ns;  /* 0: not frozen; UINT64_MAX: until it is switched off */
    _Atomic uint64_t refused_until_ns; /* the port is closed until then */
    _Atomic uint64_t refused_ns;       /* and so long in each tenth of a second */
    _Atomic uint64_t faults_version;
    struct mock_history *history;
    struct {
        pthread_mutex_t lock;
        struct faults faults;
        struct mock *mocks[MOCK_THREADS_MAX];
        unsigned mock_count;
        struct mock_totals gone; /* of mocks that were freed */
        struct mock_totals base; /* as of the last reset of the counters */
    } shared_;
};

struct mock {
    struct mock_shared *shared;
    struct loop *loop;
    struct http_server http;
    struct mock_stats stats;
    uint64_t rng_seed, rng_count; /* session ids */
    struct faults faults;         /* a copy, of version */
    uint64_t faults_version;
    bool faulty;           /* some knob is on that concerns single requests */
    struct buf text;       /* scratch: a tool's text */
    struct buf result;     /* scratch: "result":… or "error":… */
    struct buf body;       /* scratch: a whole body, or a batch of events */
    struct list listeners; /* server streams (GET), looked through when a session has ended */
    struct send sweep;
    uint64_t sessions_ended; /* as of the last look */
    struct call *held;       /* an answer that waits for one to be exchanged with, or NULL */
};

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

/* ---- answer.c, call.c
 * ----------------------------------------------------------------------------- */

/* Everything about the op's answer is known: it leaves, now or later. */
void mock_answer(struct op *op);
/* Sets m->result to an error and the kind to OP_ANSWER. */
void mock_op_error(struct op *op, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* An answer without JSON-RPC result: status, and an error object as body unless `code` is 0. */
void mock_refuse(struct mock *m,
                 struct http_exchange *x,
                 int status,
                 struct str headers,
                 struct str id,
                 int code,
                 const char *message);
/* 202 or 200 without a body. */
void mock_accepted(struct mock *m, struct http_exchange *x, int status);
/* GET: a server stream, silent; attached to the session unless `id` is NULL. */
void mock_listen(struct mock *m, struct http_exchange *x, const struct mock_session_id *id);
/* GET /notifications/subscribe: events without JSON-RPC. */
void mock_notify(struct mock *m, struct http_exchange *x, uint32_t count, uint64_t interval_ns);
/* No answer, until the client leaves or ten minutes have passed. */
void mock_never(struct mock *m, struct http_exchange *x);
void mock_on_gone(struct http_exchange *x);
void mock_on_drain(struct http_exchange *x);
void mock_on_sweep(struct send *send);

/* ---- protocol.c --------------------------------------------------------------------------- */

struct mock_method {
    struct str name;
    void (*fn)(struct op *op);
    bool faulted; /* the fault knobs apply */
};
extern const struct mock_method mock_methods[];
extern const size_t mock_method_count;

/* A protocol version that this server speaks? */
bool mock_version_known(struct str version);
/* The body of a POST: reads the message and answers it. `session` is the header's value, p is NULL
 * without one. */
void mock_message(struct op *op, struct str session, struct str body);
/* Is the session that the header names open? Without a header: `needed` decides. False when the
 * request was refused (400, 404). */
bool mock_session_ok(struct mock *m,
                     struct http_exchange *x,
                     struct str header,
                     bool needed,
                     struct mock_session_id *id);

/* ---- control.c ---------------------------------------------------------------------------- */

/* Paths of the control plane: /stats…, /faults, /sessions/forget. False when it is none. */
bool mock_control(struct mock *m, struct http_exchange *x, const struct http_request *r);
/* Takes the knobs over when they have changed. */
void mock_faults_refresh(struct mock *m);
/* Freezes or thaws, after `faults` were set. */
void mock_apply_freeze(struct mock_shared *shared, const struct faults *faults, uint64_t now_ns);
/* Closes or opens the port, after `faults` were set. `timed`: refuse_connections_ms begins now. */
void mock_apply_refuse(struct mock_shared *shared,
                       const struct faults *faults,
                       bool timed,
                       uint64_t now_ns);

#endif
