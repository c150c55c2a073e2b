/* SPDX-License-Identifier: MIT */
#include "engine/target.h"

#include "scenario/policy/policy.h"

struct mcp_target
target_make(const struct scenario *scenario, const struct url *url, struct segment segment)
{
    static const enum mcp_stall_rule rules[] = {
        [STALL_RESET_AUTO] = MCP_STALL_AUTO,
        [STALL_RESET_EVENT] = MCP_STALL_EVENT,
        [STALL_RESET_ANY] = MCP_STALL_ANY,
    };
    const struct target_config *t = &scenario->target;
    uint64_t cap = scenario->safety.caps.max_connections;
    uint64_t part = (uint64_t)segment_cap(segment, (double)cap);

    return (struct mcp_target){
        .host = url->host,
        .port = url->port,
        .version = t->protocol_name,
        .version_strict = t->protocol_policy == PROTOCOL_STRICT,
        .version_any = t->protocol_policy == PROTOCOL_NONE,
        .connect_ns = t->timeouts.connect_ns,
        .request_ns = t->timeouts.request_ns,
        .stall_ns = t->timeouts.stream_stall_ns,
        .stall_rule = rules[t->timeouts.stall_reset],
        .is_gateway = t->kind == TARGET_GATEWAY,
        .max_connections = cap > 0 && part == 0 ? 1 : part,
    };
}

int target_filter(const void *owner, const struct sockaddr *addr, struct err *err)
{
    const struct scenario *scenario = owner;

    return policy_check_address(scenario->policy, addr, err);
}
