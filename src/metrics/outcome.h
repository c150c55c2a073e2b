/* SPDX-License-Identifier: MIT */
/*
 * What one operation did: filled once, when it ends, and handed to the window of its shard.
 *
 * Times are monotonic nanoseconds of the worker; 0 means "never happened".
 *
 *   - t_due: when it should have started (closed model: end of the think time)
 *   - t_free: when a slot and session existed for it; t_due if one was idle then
 *   - t_ready: when the session set-up that it had to wait for was done, else max(t_due, t_free)
 *   - t_send: first byte of the request accepted by the kernel
 *   - t_headers: response head complete
 *   - t_first_event: first SSE event with data complete
 *   - t_end: the JSON-RPC response with our id was complete, or the failure was known
 *
 *   - lag: L = t_send - t_due = L_queue + L_setup + L_tool
 *   - L_queue = t_free - t_due, L_setup = t_ready - max(t_due, t_free), L_tool = t_send - t_ready
 *   - service: S = t_end - t_send
 *   - response: R = t_end - t_due
 *
 * An operation that never got as far as sending has S = 0 and L = R = t_end - t_due.
 */
#ifndef METRICS_OUTCOME_H
#define METRICS_OUTCOME_H

#include "base/str.h"
#include "metrics/taxonomy.h"

#include <stdbool.h>
#include <stdint.h>

enum outcome_class {
    OUTCOME_OK,
    OUTCOME_FAILED, /* the target's doing, known before any limit of ours */
    OUTCOME_CUT,    /* ended by a limit of ours (time-out, stall): failed, and a censored sample */
    OUTCOME_UNFINISHED, /* still running when we had to stop: neither success nor failure */
};

/* Why it was not finished. */
enum unfinished {
    UNFINISHED_NOT,        /* it was */
    UNFINISHED_STOPPED,    /* it ran when the run was stopped at once */
    UNFINISHED_DRAIN_OVER, /* it still ran when draining was ended, by its time-out or by a stop */
    UNFINISHED_WAITED,     /* it waited for a session when its user or the run ended */
    UNFINISHED_COUNT,
};

struct outcome {
    uint32_t key; /* index into the plan's keys: stage × operation × template */
    uint32_t vu;
    uint64_t n; /* number of the operation in its VU; of an arrival, in the run (plan_number) */
    uint64_t session_serial; /* of its session on this shard, from 1; 0: it had none */
    enum outcome_class cls;
    enum unfinished unfinished; /* says why, when that is the class */
    bool is_late;               /* ended behind the end of its stage … */
    uint32_t heir; /* … in the time of the load stage of this key; or WINDOW_KEY_NONE */

    uint64_t t_due, t_free, t_ready, t_send, t_headers, t_first_event, t_end;
    uint64_t bytes_out, bytes_in; /* HTTP heads and bodies */

    int http_status; /* 0: no response head */
    enum error_type error_type;
    enum error_code error_code;
    enum error_origin origin;
    int error_number;   /* completes the code's name: status, JSON-RPC code, errno */
    struct str message; /* what the target or the system said; valid during the call only */

    bool is_stream;         /* answered with text/event-stream */
    bool not_streamed;      /* streaming was expected and did not come */
    bool session_was_used;  /* the session had served an operation before */
    uint32_t requests_sent; /* HTTP requests: more than 1 with pages or retries, 0 if never sent */
    uint32_t session_retries; /* of these, repeated on a new session after the old one was lost */
    bool verified;            /* its nonce came back: it got its own answer */
    uint32_t log_rank; /* of a success: the lower, the longer the log of operations keeps it; 0: it
                        * does not want it */
    uint64_t event_count; /* SSE events with data, the final response included */
    uint64_t stall_ns;    /* silence at which a stalled stream was ended, else 0 */
};

#endif
