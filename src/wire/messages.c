/* SPDX-License-Identifier: MIT */
#include "wire/messages.h"

enum {
    LABELS_MAX = 64,
    MESSAGE_BYTES_MAX = 64 * 1024,
    VUS_MAX = 10 * 1000 * 1000,
    CORES_MAX = 65536,
};

#define COUNT(a)           (sizeof(a) / sizeof(a)[0])
#define AT(message, field) offsetof(struct wire_##message, field)
#define CHARS(message, field) \
    .offset = AT(message, field), .max = sizeof((struct wire_##message *)0)->field
#define TABLE(message, rows)                                                                 \
    const struct wire_table wire_##message##_table = {.name = #message,                      \
                                                      .fields = (rows),                      \
                                                      .field_count = COUNT(rows),            \
                                                      .size = sizeof(struct wire_##message), \
                                                      .bytes_max = MESSAGE_BYTES_MAX}

static const struct wire_field hello_fields[] = {
    {"wire.major", WIRE_U32, .offset = AT(hello, major), .max = UINT32_MAX},
    {"wire.minor", WIRE_U32, .offset = AT(hello, minor), .max = UINT32_MAX},
    {"version", WIRE_TEXT, CHARS(hello, version)},
    {"host_info.hostname", WIRE_TEXT, CHARS(hello, hostname)},
    {"host_info.ip_addr", WIRE_TEXT, CHARS(hello, ip_addr), .optional = true},
    {"host_info.platform", WIRE_TEXT, CHARS(hello, platform), .optional = true},
    {"pid", WIRE_U64, .offset = AT(hello, pid), .optional = true, .max = INT64_MAX},
    {"capacity.max_vus", WIRE_U64, .offset = AT(hello, max_vus), .min = 1, .max = VUS_MAX},
    {"capacity.max_concurrent_ops", WIRE_U64, .offset = AT(hello, max_concurrent_ops),
     .optional = true, .max = INT64_MAX},
    {"capacity.max_rps", WIRE_U64, .offset = AT(hello, max_rps), .optional = true,
     .max = INT64_MAX},
    {"capacity.cores", WIRE_U32, .offset = AT(hello, cores), .optional = true, .max = CORES_MAX},
    {"labels", WIRE_TEXTS, .offset = AT(hello, labels), .optional = true, .max = LABELS_MAX},
    {"boot_id", WIRE_ID, CHARS(hello, boot_id), .optional = true},
    {"worker_id", WIRE_ID, CHARS(hello, worker_id), .optional = true},
    {"worker_token", WIRE_ID, CHARS(hello, worker_token), .optional = true},
};
TABLE(hello, hello_fields);

static const struct wire_field welcome_fields[] = {
    {"worker_id", WIRE_ID, CHARS(welcome, worker_id)},
    {"worker_token", WIRE_ID, CHARS(welcome, worker_token)},
    {"now_ns", WIRE_U64, .offset = AT(welcome, now_ns), .max = INT64_MAX},
};
TABLE(welcome, welcome_fields);

static const struct wire_field refuse_fields[] = {
    {"error", WIRE_TEXT, CHARS(refuse, error)},
};
TABLE(refuse, refuse_fields);

#define HEALTH(field)                                                                \
    {                                                                                \
        "health." #field, WIRE_U64, .offset = AT(heartbeat, field), .max = INT64_MAX \
    }

static const struct wire_field heartbeat_fields[] = {
    {"sent_ns", WIRE_U64, .offset = AT(heartbeat, sent_ns), .max = INT64_MAX},
    {"health.cpu_percent", WIRE_NUMBER, .offset = AT(heartbeat, cpu_percent)},
    HEALTH(mem_bytes),
    HEALTH(active_vus),
    HEALTH(active_sessions),
    HEALTH(in_flight_ops),
    HEALTH(queue_depth),
};
TABLE(heartbeat, heartbeat_fields);

static const struct wire_field pulse_fields[] = {
    {"sent_ns", WIRE_U64, .offset = AT(pulse, sent_ns), .max = INT64_MAX},
    {"now_ns", WIRE_U64, .offset = AT(pulse, now_ns), .max = INT64_MAX},
};
TABLE(pulse, pulse_fields);
