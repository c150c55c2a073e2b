/* SPDX-License-Identifier: MIT */
/*
 * A worker that dials its control plane: everything is HTTP, and nothing has to be reachable here.
 *
 *   POST /workers/register          ─► id and token
 *   GET  /workers/ID/commands       ─► orders, as events of a stream that stays
 *   POST /workers/ID/heartbeat      each second: how it fares; the answers measure the clocks
 *   POST /workers/ID/telemetry      report frames, one request at a time; the answer acknowledges
 *
 * Whatever breaks is begun anew, for ever, ever more slowly (0.2 s to 5 s, with some chance in it,
 * so that a hundred workers do not come back at once). After a reconnect what was not acknowledged
 * is sent again. A control plane that does not know the worker (404, or 401) has it register again,
 * with the id and token that it had. Load goes on meanwhile, by the plan.
 *
 * Final is only a refusal of the registration itself (another version, a wrong hello): on_end.
 *
 * Thread of the loop.
 */
#ifndef WORKER_UPLINK_HTTP_H
#define WORKER_UPLINK_HTTP_H

#include "net/dial.h"
#include "worker/remote.h"

#define UPLINK_HEARTBEAT_NS  NS_PER_S
#define UPLINK_BEAT_LIMIT_NS (3 * NS_PER_S)  /* for its answer; then another connection is taken */
#define UPLINK_SILENCE_NS    (12 * NS_PER_S) /* of the stream of orders, comments included */

struct uplink_http;

struct uplink_http_config {
    struct loop *loop;
    struct remote *remote;
    const char *url;                /* of the control plane */
    const struct wire_hello *hello; /* copied */
    uint64_t heartbeat_ns;          /* 0: UPLINK_HEARTBEAT_NS */
    dial_opener_fn *opener;         /* tests: streams without a network; else NULL */
    void *opener_owner;
    /* Registered; `again`: after it had been before. Each time. */
    void (*on_registered)(void *owner, const char *worker_id, bool again);
    /* Something for people, when it changes: why the control plane is not reached; "" when all is
     * well again. */
    void (*on_trouble)(void *owner, const char *text);
    /* It takes no worker like this one. Once; nothing is tried any more. */
    void (*on_end)(void *owner, const char *why);
    void *owner;
};

/* ERR_INVALID or ERR_UNSUPPORTED for the url. Tries to register at once. */
int uplink_http_new(const struct uplink_http_config *config,
                    struct uplink_http **out,
                    struct err *err);
/* Not from inside a callback of it. NULL is fine. */
void uplink_http_free(struct uplink_http *u);
/* There may be something fresh: from the remote's on_change. */
void uplink_http_wake(struct uplink_http *u);

#endif
