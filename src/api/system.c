/* SPDX-License-Identifier: MIT */
/* Handlers about the control plane itself. */
#include "api/answer.h"
#include "api/documents.h"

#ifdef MCPDRILL_COMMIT
static const char *const commit = MCPDRILL_COMMIT;
#else
static const char *const commit = NULL;
#endif

void system_health(struct api_request *r)
{
    answer_json(r, 200, json_pack("{s:s}", "status", "ok"));
}

/* Runs that were not over are read before anything listens: who gets an answer finds them. */
void system_ready(struct api_request *r)
{
    struct store *store = hub_store(r->api->hub);
    struct err err = {0};

    if (!store_failed(store, &err)) {
        answer_json(r, 200, json_pack("{s:s, s:b}", "status", "ready", "ready", 1));
        return;
    }
    json_t *body = json_pack("{s:s, s:b}", "status", "store_failed", "ready", 0);
    json_object_set_new(body, "message", answer_text(err.msg, strlen(err.msg)));
    answer_json(r, 503, body);
}

void system_version(struct api_request *r)
{
    answer_json(r, 200,
                json_pack("{s:s, s:s?, s:{s:s, s:s, s:s}, s:[s, s, s]}", "version",
                          MCPDRILL_VERSION, "commit", commit, "schema_versions", "run_config",
                          "run-config/v1", "result", "result/v1", "event", "event/v1",
                          "protocol_versions", "2025-11-25", "2025-06-18", "2025-03-26"));
}

void system_openapi(struct api_request *r)
{
    answer_json(r, 200, api_openapi());
}
