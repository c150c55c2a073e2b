/* SPDX-License-Identifier: MIT */
/*
 * The REST API of a control plane over HTTP: routes, answers, streams of events and of orders. It
 * translates; what a call means is fleet/hub.h.
 *
 * The way of a request: Host and Origin (guard.h) · the mock's, if it is served too · route and
 * method (routes.h) · query (query.h) · type and body · the route's handler. An answer that tells
 * of a change leaves when the change is durable; events and orders are pushed.
 *
 * Everything belongs to the thread of `loop`.
 */
#ifndef API_API_H
#define API_API_H

#include "api/guard.h"
#include "fleet/hub.h"
#include "loop/loop.h"
#include "mock/state/config.h"
#include "net/stream.h"

enum {
    API_BODY_MAX = 10 * 1024 * 1024,
    API_TELEMETRY_MAX = 64 * 1024 * 1024,
    API_KEEPALIVE_S = 15, /* of a stream of events */
    API_COMMANDS_KEEPALIVE_S = 5,
};

struct api;

struct api_config {
    struct loop *loop;
    struct hub *hub;
    struct guard guard;             /* its texts outlive the API */
    const struct mock_config *mock; /* served on the same port; NULL: is not */
};

struct api *api_new(const struct api_config *config);
/* A new connection. `loopback`: its peer is on this machine. */
void api_accept(struct api *a, struct stream *stream, bool loopback);
/* Breaks all connections off: answers that wait, and streams, end. */
void api_close(struct api *a);
/* Before hub and store go. NULL is fine. */
void api_free(struct api *a);

#endif
