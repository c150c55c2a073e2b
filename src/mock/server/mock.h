/* SPDX-License-Identifier: MIT */
/*
 * The mock MCP server: tools with known answers, streams on exact times, faults on demand, and an
 * account of everything it did. Protocol versions 2025-11-25, 2025-06-18 and 2025-03-26 over
 * Streamable HTTP. What it offers is described in docs/mock-server.md.
 *
 * A `struct mock` serves the connections of one thread, or, as a *guest*, requests that another
 * server of that thread leaves to it. Several of them share one `struct
 * mock_shared`: sessions, the state of tools that have one, fault knobs, and the sums of all
 * counters.
 */
#ifndef MOCK_SERVER_MOCK_H
#define MOCK_SERVER_MOCK_H

#include "http/server.h"
#include "loop/loop.h"
#include "mock/state/config.h"
#include "net/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct mock_shared;
struct mock;

/* Seed 1, no faults, everything else off. */
struct mock_config mock_config_default(void);

struct mock_shared *mock_shared_new(const struct mock_config *config);
/* After all its mocks. NULL is fine. */
void mock_shared_free(struct mock_shared *shared);

/* At most MOCK_THREADS_MAX for one `shared`; in the thread of `loop`, or before it starts. */
struct mock *mock_new(struct mock_shared *shared, struct loop *loop);
/* Closes its connections. Its counters stay in the sums. NULL is fine. */
void mock_free(struct mock *m);

/* Is the port closed now? *look_ns is when that may change at the earliest. Whoever listens asks:
 * any thread may, and all get the same answer at the same time. */
bool mock_refuses(const struct mock_shared *shared, uint64_t now_ns, uint64_t *look_ns);
/* Enters what is open into the history that GET /stats/history shows; one thread, on a timer. */
void mock_sample(struct mock_shared *shared, uint64_t now_ns);

/* A new connection. `loopback`: its peer is on this machine, and may use the control endpoints. */
void mock_accept(struct mock *m, struct stream *stream, bool loopback);

/* ---- as a guest -------------------------------------------------------------------------------
 */

/* As mock_new, without connections of its own: those of `host` count as the mock's. Freed when the
 * host has closed them all, and before the host's memory goes. The port is the host's, so the fault
 * that closes it is refused. */
struct mock *mock_new_guest(struct mock_shared *shared, struct http_server *host);
/* Is it a request for the mock? POST and DELETE /, GET / for a stream, /mcp,
 * /notifications/subscribe, and the paths by which one looks at the mock and turns its knobs. */
bool mock_wants(const struct http_request *request);
/* From inside the host's on_request: the exchange is the mock's from now on. */
void mock_take(struct mock *m, struct http_exchange *x, const struct http_request *request);

#endif
