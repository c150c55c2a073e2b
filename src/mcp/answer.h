/* SPDX-License-Identifier: MIT */
/*
 * What came of a call: judged in layers, the first that fails names the error:
 * transport → HTTP status → content type and framing → JSON → JSON-RPC envelope → JSON-RPC error →
 * isError.
 */
#ifndef MCP_ANSWER_H
#define MCP_ANSWER_H

#include "base/str.h"
#include "http/client.h"
#include "mcp/jsonrpc.h"
#include "metrics/taxonomy.h"
#include "net/dial.h"

#include <stdbool.h>
#include <stdint.h>

struct mcp_answer {
    enum error_code code; /* ERROR_CODE_NONE: success */
    int number;           /* completes the code's name: HTTP status, JSON-RPC code, errno */
    enum error_origin origin;
    bool cut;                      /* ended by a limit of ours: a censored sample */
    bool session_lost;             /* the target does not know our session any more */
    bool connect_failed;           /* no connection could be had: nothing was sent */
    struct str message;            /* for people; valid during the call that hands it out */
    const struct jsonrpc_msg *msg; /* NULL when no response with our id was read; valid likewise */
    uint64_t end_ns;
};

/* The verdict over a complete JSON-RPC message that stands where the response belongs. Fills code,
 * number, origin, message and msg. */
void mcp_judge_message(const struct jsonrpc_msg *msg, int64_t want_id, struct mcp_answer *out);

/* Is it the response to the request `want_id`? (An error response may lack the id.) */
bool mcp_is_response(const struct jsonrpc_msg *msg, int64_t want_id);

/* Of a failed HTTP status. `text`: the beginning of the body, or what a JSON-RPC error in it said.
 */
void mcp_judge_status(
    int status, bool via_proxy, bool had_session, struct str text, struct mcp_answer *out);

void mcp_judge_transport(const struct http_end *end, struct mcp_answer *out);
void mcp_judge_dial(const struct dial_failure *failure, struct mcp_answer *out);

/* Any failure that needs no further look. */
void mcp_fail(struct mcp_answer *out, enum error_code code, const char *message);

#endif
