/* SPDX-License-Identifier: MIT */
/*
 * How much load a worker takes: what it tells the control plane, which never gives it more.
 *
 * `max_vus` follows from what the system lets the process have, the least of
 *
 *   descriptors   a tenth and 256 of them are kept for everything else; a user holds
 *                 CAPACITY_SOCKETS_PER_VU: how many it will have is the scenario's, which nobody
 *                 knows yet, and two are those of a user whose session is being replaced;
 *   memory        half of what is available to the process, CAPACITY_BYTES_PER_VU each: a session,
 *                 its connections with buffers, and what the kernel keeps for them;
 *   cores         CAPACITY_VUS_PER_CORE each. Users that wait cost nothing, so this is a bound
 *                 against nonsense only; whether the cores were enough for the load is measured
 *                 (control/validity.h).
 *
 * Pure, but for capacity_read.
 */
#ifndef WORKER_CAPACITY_H
#define WORKER_CAPACITY_H

#include <stdint.h>

enum {
    CAPACITY_SOCKETS_PER_VU = 2,
    CAPACITY_BYTES_PER_VU = 16 * 1024,
    CAPACITY_VUS_PER_CORE = 20000,
    CAPACITY_RPS_PER_CORE = 15000, /* as worker/sharding.h has it */
    CAPACITY_DESCRIPTORS_KEPT = 256,
    CAPACITY_VUS_MOST = 1000000, /* of one process */
};

/* What there is. 0: unknown, and then no bound. */
struct capacity_limits {
    uint64_t descriptors;
    uint64_t memory_bytes;
    uint32_t cores;
};

struct capacity {
    uint64_t max_vus;            /* at least 1 */
    uint64_t max_concurrent_ops; /* operations in flight at once: as many as it may have sockets */
    double max_rps;              /* what its cores send at most in a second */
    uint32_t cores;
};

/* Of this process. `root` as in worker/limits.h. `processes`: how many workers share the machine's
 * memory and cores (not the descriptors, which each has for itself); at least 1. */
void capacity_read(const char *root, uint32_t processes, struct capacity_limits *out);
/* `max_vus` 0: by the limits; else what somebody wants, whatever the limits are. */
struct capacity capacity_of(const struct capacity_limits *limits, uint64_t max_vus);

#endif
