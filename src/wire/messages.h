/* SPDX-License-Identifier: MIT */
/*
 * What worker and control plane say to each other beside a run: who the worker is, whether it is
 * taken, that it lives, and what the time is. JSON; see wire/table.h for the functions, of which
 * each message has its own (wire_hello_encode, wire_hello_decode, wire_hello_clear …).
 */
#ifndef WIRE_MESSAGES_H
#define WIRE_MESSAGES_H

#include "wire/table.h"

enum {
    WIRE_ID_SIZE = 65,    /* of ids and tokens, with the NUL */
    WIRE_ERROR_SIZE = 513 /* of error texts, likewise */
};

/* A worker introduces itself; over HTTP the body of POST /workers/register. */
struct wire_hello {
    uint32_t major, minor; /* of the messages: WIRE_MAJOR, WIRE_MINOR */
    char version[33];      /* of the program */
    char hostname[257], ip_addr[65], platform[33];
    uint64_t pid;
    /* Capacity. */
    uint64_t max_vus, max_concurrent_ops, max_rps;
    uint32_t cores;
    json_t *labels;   /* owned; name: value; NULL: none */
    char boot_id[65]; /* of the machine since it was started: the same one has the same clock */
    /* Of an earlier registration, which is to go on. */
    char worker_id[WIRE_ID_SIZE], worker_token[WIRE_ID_SIZE];
};
WIRE_TABLE_FUNCTIONS(hello)

struct wire_welcome {
    char worker_id[WIRE_ID_SIZE];
    char worker_token[WIRE_ID_SIZE]; /* a secret: it shows that a worker is the one it says */
    uint64_t now_ns;                 /* of the control plane's monotonic clock */
};
WIRE_TABLE_FUNCTIONS(welcome)

struct wire_refuse {
    char error[WIRE_ERROR_SIZE];
};
WIRE_TABLE_FUNCTIONS(refuse)

/* Each second. */
struct wire_heartbeat {
    uint64_t sent_ns; /* of the worker's monotonic clock */
    double cpu_percent;
    uint64_t mem_bytes, active_vus, active_sessions, in_flight_ops, queue_depth;
};
WIRE_TABLE_FUNCTIONS(heartbeat)

/* The answer to a heartbeat: the worker knows how long both took, and so the offset of the clocks
 * to within half of it. */
struct wire_pulse {
    uint64_t sent_ns; /* of the heartbeat */
    uint64_t now_ns;  /* of the control plane's monotonic clock */
};
WIRE_TABLE_FUNCTIONS(pulse)

#endif
