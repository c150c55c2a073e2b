/* SPDX-License-Identifier: MIT */
/* One example of each JSON message, with all of its members: for round trips and golden files. */
#ifndef SUPPORT_WIRE_EXAMPLES_H
#define SUPPORT_WIRE_EXAMPLES_H

#include "base/mem.h"
#include "wire/messages.h"
#include "wire/order.h"
#include "wire/report.h"

#include <stdio.h>

#define EXAMPLE_TEXT(to, text) snprintf((to), sizeof(to), "%s", (text))

static inline struct wire_hello example_hello(void)
{
    struct wire_hello m = {.major = 1,
                           .minor = 0,
                           .pid = 4711,
                           .max_vus = 200,
                           .max_concurrent_ops = 2000,
                           .max_rps = 30000,
                           .cores = 2};

    EXAMPLE_TEXT(m.version, "0.1.0");
    EXAMPLE_TEXT(m.hostname, "h1");
    EXAMPLE_TEXT(m.ip_addr, "127.0.0.1");
    EXAMPLE_TEXT(m.platform, "linux");
    EXAMPLE_TEXT(m.boot_id, "3c9f0b7e-5a52-4a0e-9a3b-0d5f2a1c8e77");
    EXAMPLE_TEXT(m.worker_id, "wkr_0123456789abcdef");
    EXAMPLE_TEXT(m.worker_token, "00112233445566778899aabbccddeeff");
    m.labels = json_pack("{s:s, s:s}", "region", "eu", "disk", "ssd");
    return m;
}

static inline struct wire_welcome example_welcome(void)
{
    struct wire_welcome m = {.now_ns = 123456789012345};

    EXAMPLE_TEXT(m.worker_id, "wkr_0123456789abcdef");
    EXAMPLE_TEXT(m.worker_token, "00112233445566778899aabbccddeeff");
    return m;
}

static inline struct wire_refuse example_refuse(void)
{
    struct wire_refuse m = {.error = "another version"};

    return m;
}

static inline struct wire_heartbeat example_heartbeat(void)
{
    return (struct wire_heartbeat){.sent_ns = 5000000000,
                                   .cpu_percent = 12.5,
                                   .mem_bytes = 16777216,
                                   .active_vus = 20,
                                   .active_sessions = 19,
                                   .in_flight_ops = 18,
                                   .queue_depth = 17};
}

static inline struct wire_pulse example_pulse(void)
{
    return (struct wire_pulse){.sent_ns = 5000000000, .now_ns = 123456789012345};
}

static inline struct wire_ready example_ready(void)
{
    return (struct wire_ready){.shards = 2};
}

static inline struct wire_rejected example_rejected(void)
{
    struct wire_rejected m = {.error = "200 users do not fit: at most 100"};

    return m;
}

static inline void example_assignment(struct wire_order *o)
{
    static const uint32_t weights[] = {5, 1, 1};

    EXAMPLE_TEXT(o->execution_id, "exe_0123456789abcdef");
    EXAMPLE_TEXT(o->worker_id, "wkr_0123456789abcdef");
    o->scenario = json_pack("{s:s, s:{s:s}}", "scenario_id", "one", "target", "url",
                            "http://127.0.0.1:9000/mcp");
    o->seed = 42;
    o->base = 1;
    o->shards = 2;
    o->total = 3;
    o->weights.items = xcalloc(3, sizeof weights[0]);
    memcpy(o->weights.items, weights, sizeof weights);
    o->weights.count = 3;
    o->log = true;
    o->network = WIRE_NETWORK_PUBLIC;
    o->feeds = json_pack("{s:s}", "users.csv",
                         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    o->files = json_pack("{s:s}", "users.csv", "");
}

static inline struct wire_order example_order(enum wire_order_kind kind)
{
    struct wire_order o = {.kind = kind, .n = (uint64_t)kind + 1};

    EXAMPLE_TEXT(o.run_id, "run_0123456789abcdef");
    if (kind == WIRE_ORDER_ASSIGN) {
        example_assignment(&o);
    } else if (kind == WIRE_ORDER_CHECK) {
        o.lists = true;
    } else if (kind == WIRE_ORDER_STAGE) {
        o.stage = 2;
        o.grid_ns = 1000000000;
        o.start_ns = 3000000000;
        o.end_ns = 9000000000;
    } else if (kind == WIRE_ORDER_DRAIN) {
        o.natural = true;
    }
    return o;
}

static inline struct check_list example_checks(void)
{
    struct check_list c = {
        .count = 2,
        .items = {{.name = "network", .ok = true, .latency_ns = 1000, .message = "connected"},
                  {.name = "handshake",
                   .latency_ns = 2000,
                   .code = ERROR_CODE_JSONRPC_N,
                   .number = -32001,
                   .message = "initialize: no",
                   .remediation = "start it"}},
        .warning_count = 1,
        .warnings = {"prompts/list leads in a circle"},
        .request_count = 2,
        .requests = {{"initialize", 1}, {"DELETE", 1}},
        .protocol_version = "2025-06-18",
        .server_name = "mock",
        .server_version = "1",
    };

    return c;
}

#endif
