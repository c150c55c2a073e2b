/* SPDX-License-Identifier: MIT */
/* Paths that are published and not there: each says so in its own words, and what to do instead. */
#include "api/answer.h"

void absent_later(struct api_request *r)
{
    const struct answer_error e = {
        .status = 501,
        .type = "not_implemented",
        .code = "NOT_IMPLEMENTED",
        .details = json_pack("{s:o}", "path", answer_text(r->http->path.p, r->http->path.len)),
    };

    answer_error(r, &e, "%s", r->route->help);
}

void absent_gone(struct api_request *r)
{
    const struct answer_error e = {
        .status = 410,
        .type = "not_found",
        .code = "ENDPOINT_GONE",
        .details = json_pack("{s:o}", "path", answer_text(r->http->path.p, r->http->path.len)),
    };

    answer_error(r, &e, "%s", r->route->help);
}

void absent_metrics(struct api_request *r)
{
    const struct answer_error e = {
        .status = 503, .type = "unavailable", .code = "METRICS_NOT_CONFIGURED"};

    answer_error(r, &e, "%s", r->route->help);
}

void absent_agents(struct api_request *r)
{
    const struct answer_error e = {
        .status = 503, .type = "unavailable", .code = "AGENT_INGEST_DISABLED"};

    answer_error(r, &e, "%s", r->route->help);
}

void absent_agent_list(struct api_request *r)
{
    answer_json(r, 200, json_pack("{s:[]}", "agents"));
}

void absent_agent(struct api_request *r)
{
    const struct answer_error e = {.status = 404, .type = "not_found", .code = "AGENT_NOT_FOUND"};

    answer_error(r, &e, "%s", r->route->help);
}
