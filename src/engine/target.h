/* SPDX-License-Identifier: MIT */
/* The scenario's target, as the MCP client wants it. */
#ifndef ENGINE_TARGET_H
#define ENGINE_TARGET_H

#include "http/url.h"
#include "mcp/client.h"
#include "plan/plan.h"

/* As the segment's shard has it: with its part of hard_caps.max_connections, at least one. The url
 * and the scenario must outlive the target. */
struct mcp_target
target_make(const struct scenario *scenario, const struct url *url, struct segment segment);

/* The scenario's policy as a filter of the dialer; `owner` is the scenario. */
int target_filter(const void *owner, const struct sockaddr *addr, struct err *err);

#endif
