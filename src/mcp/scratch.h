/* SPDX-License-Identifier: MIT */
/* Insides that client.c and call.c share. */
#ifndef MCP_SCRATCH_H
#define MCP_SCRATCH_H

#include "mcp/client.h"
#include "mcp/jsonrpc.h"

/* Lent to a call while it reads a message; afterwards the next one has it. */
struct mcp_scratch {
    struct list node;
    struct jsonrpc_scan *scan;
    size_t text_len;
    char text[MCP_ERROR_TEXT_MAX];
};

struct mcp_scratch *mcp_scratch_take(struct mcp_client *c);
void mcp_scratch_give_back(struct mcp_client *c, struct mcp_scratch *s);

bool mcp_client_may_dial(const struct mcp_client *c);
/* A connection was closed: perhaps a waiting call may dial now. */
void mcp_client_admit(struct mcp_client *c);
/* Takes the call out of the queue and dials. */
void mcp_call_admit(struct mcp_call *call);

#endif
