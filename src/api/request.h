/* SPDX-License-Identifier: MIT */
/* A request on its way through the API; on the stack of its on_request. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/api.h"
#include "api/query.h"
#include "api/routes.h"
#include "http/server.h"
#include "mock/server/mock.h"

struct api {
    struct loop *loop;
    struct hub *hub;
    struct guard guard;
    struct http_server http;
    struct buf body;     /* scratch: an answer's text */
    struct buf phrase;   /* scratch: of a request that the server refuses by itself */
    struct buf frame;    /* scratch: of a stream */
    struct list pending; /* answers that wait until something is durable */
    struct timer pending_look;
    struct mock_shared *mock_shared; /* NULL: no mock */
    struct mock *mock;
    struct timer mock_sample;
};

enum { API_EXTRA_MAX = GUARD_ORIGIN_MAX + 128 };

struct api_request {
    struct api *api;
    struct http_exchange *x;
    const struct http_request *http;
    const struct api_route *route;
    const char *run_id, *worker_id; /* of the path; NULL: not in it */
    char id_text_[HUB_RUN_ID_MAX];
    char extra[API_EXTRA_MAX]; /* header lines that every answer of it has */
    struct query query;
    json_t *body;     /* an object, or NULL */
    json_t *warnings; /* texts, or NULL */
};

/* What lives as long as an open exchange, at its x->user. */
struct api_held {
    void (*gone)(struct api_held *h);  /* the exchange is over, its client has left */
    void (*drain)(struct api_held *h); /* write on; may be NULL */
};

/* Handlers: each answers, or keeps the exchange by an api_held. */
void runs_list(struct api_request *r);
void runs_create(struct api_request *r);
void runs_validate(struct api_request *r);
void runs_get(struct api_request *r);
void runs_config(struct api_request *r);
void runs_start(struct api_request *r);
void runs_stop(struct api_request *r);
void runs_emergency_stop(struct api_request *r);
void runs_clone(struct api_request *r);
void runs_delete(struct api_request *r);
void runs_metrics(struct api_request *r);
void runs_result(struct api_request *r);
void runs_events(struct api_request *r);
void workers_list(struct api_request *r);
void workers_register(struct api_request *r);
void workers_heartbeat(struct api_request *r);
void workers_commands(struct api_request *r);
void workers_telemetry(struct api_request *r);
void system_health(struct api_request *r);
void system_ready(struct api_request *r);
void system_version(struct api_request *r);
void system_openapi(struct api_request *r);
void absent_later(struct api_request *r);
void absent_gone(struct api_request *r);
void absent_metrics(struct api_request *r);
void absent_agents(struct api_request *r);
void absent_agent_list(struct api_request *r);
void absent_agent(struct api_request *r);

#endif
