/* SPDX-License-Identifier: MIT */
/* Handlers of /workers, but for the stream of orders (commands.c). */
#include "api/answer.h"
#include "api/token.h"

bool token_ok(struct api_request *r)
{
    const struct h1_header *token = h1_find(r->http->head, STR("x-worker-token"));
    struct hub_refusal why = {0};

    if (token == NULL || token->value.len == 0) {
        answer_error(
            r,
            &(struct answer_error){
                .status = 401,
                .type = "unauthorized",
                .code = "WORKER_AUTH_REQUIRED",
            },
            "the header X-Worker-Token is missing; POST /workers/register answers with one");
        return false;
    }
    if (hub_worker_may(r->api->hub, r->worker_id, token->value, &why) != 0) {
        answer_refusal(r, &why);
        return false;
    }
    return true;
}

void workers_list(struct api_request *r)
{
    answer_json(r, 200, hub_workers(r->api->hub));
}

void workers_register(struct api_request *r)
{
    struct hub_refusal why = {0};
    json_t *welcome = NULL;

    if (hub_register(r->api->hub, r->body, &welcome, &why) != 0) {
        answer_refusal(r, &why);
    } else {
        answer_durable(r, 201, welcome);
    }
}

void workers_heartbeat(struct api_request *r)
{
    struct hub_refusal why = {0};
    json_t *pulse = NULL;

    if (!token_ok(r)) {
        return;
    }
    if (hub_heartbeat(r->api->hub, r->worker_id, r->body, &pulse, &why) != 0) {
        answer_refusal(r, &why);
        return;
    }
    /* Orders travel on a stream of their own; what cannot wait stands here as well. */
    json_t *body = json_pack("{s:b, s:[]}", "ok", 1, "stop_run_ids");
    json_object_update(body, pulse);
    json_decref(pulse);
    answer_json(r, 200, body);
}

void workers_telemetry(struct api_request *r)
{
    struct hub_refusal why = {0};
    json_t *answer = NULL;

    if (!token_ok(r)) {
        return;
    }
    if (hub_telemetry(r->api->hub, r->worker_id, r->http->body, &answer, &why) != 0) {
        answer_refusal(r, &why);
    } else {
        answer_durable(r, 200, answer);
    }
}
