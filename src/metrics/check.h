/* SPDX-License-Identifier: MIT */
/*
 * What preflight found out before any load: a list of checks in the order in which they ran. The
 * first one that fails is the last one of the list. Also which requests it took, so that the books
 * of both sides agree to the last request.
 */
#ifndef METRICS_CHECK_H
#define METRICS_CHECK_H

#include "base/list.h"
#include "metrics/taxonomy.h"

#include <stdbool.h>
#include <stdint.h>

enum { CHECKS_MAX = 16, CHECK_REQUESTS_MAX = 8 };

struct check {
    const char *name; /* "network", "handshake", "capabilities", "names" */
    bool ok;
    uint64_t latency_ns;
    enum error_code code; /* when not ok */
    int number;
    char message[512];     /* what was found */
    char remediation[512]; /* what to do; "" when ok */
};

struct check_request {
    const char *method; /* "initialize", "tools/list", "DELETE" … */
    uint64_t count;
};

struct check_list {
    uint32_t count;
    struct check items[CHECKS_MAX];
    uint32_t warning_count;
    char warnings[CHECKS_MAX][256];
    uint32_t request_count;
    struct check_request requests[CHECK_REQUESTS_MAX];
    char protocol_version[32]; /* agreed with the target; "" when it did not come to that */
    char server_name[128], server_version[64];
};

#endif
