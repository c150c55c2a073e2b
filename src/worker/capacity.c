/* SPDX-License-Identifier: MIT */
#include "worker/capacity.h"

#include "worker/cores.h"
#include "worker/limits.h"

#include <sys/resource.h>

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t descriptors_of_process(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur
                                                                                    : 0;
}

/* Of the machine what is available now; of a cgroup its limit, as what it has used already is
 * mostly files that can be dropped. */
static uint64_t memory_of_process(const char *root)
{
    char text[4096];
    uint64_t kilobytes, limit = limits_cgroup_memory(root);

    if (!limits_read(root, "/proc/meminfo", text, sizeof text) ||
        !limits_key(str_c(text), "MemAvailable", &kilobytes) || kilobytes > UINT64_MAX / 1024) {
        return limit;
    }
    return limit > 0 ? least(limit, kilobytes * 1024) : kilobytes * 1024;
}

void capacity_read(const char *root, uint32_t processes, struct capacity_limits *out)
{
    uint32_t cores = cores_of_process();
    double quota = limits_cgroup_cores(root);

    if (quota > 0 && quota < cores) {
        cores = quota > 1 ? (uint32_t)quota : 1;
    }
    cores = cores / processes > 0 ? cores / processes : 1;
    *out = (struct capacity_limits){.descriptors = descriptors_of_process(),
                                    .memory_bytes = memory_of_process(root) / processes,
                                    .cores = cores};
}

/* Sockets that operations may have. */
static uint64_t sockets(const struct capacity_limits *l)
{
    uint64_t kept = l->descriptors / 10 + CAPACITY_DESCRIPTORS_KEPT;

    if (l->descriptors == 0) {
        return (uint64_t)CAPACITY_SOCKETS_PER_VU * CAPACITY_VUS_MOST;
    }
    return l->descriptors > kept ? l->descriptors - kept : 1;
}

static uint64_t vus_of(const struct capacity_limits *l)
{
    uint64_t vus = least(CAPACITY_VUS_MOST, sockets(l) / CAPACITY_SOCKETS_PER_VU);

    if (l->memory_bytes > 0) {
        vus = least(vus, l->memory_bytes / 2 / CAPACITY_BYTES_PER_VU);
    }
    if (l->cores > 0) {
        vus = least(vus, (uint64_t)l->cores * CAPACITY_VUS_PER_CORE);
    }
    return vus > 0 ? vus : 1;
}

struct capacity capacity_of(const struct capacity_limits *limits, uint64_t max_vus)
{
    uint32_t cores = limits->cores > 0 ? limits->cores : 1;

    return (struct capacity){
        .max_vus = max_vus > 0 ? max_vus : vus_of(limits),
        .max_concurrent_ops = sockets(limits),
        .max_rps = (double)cores * CAPACITY_RPS_PER_CORE,
        .cores = cores,
    };
}
