/* SPDX-License-Identifier: MIT */
/* What a mock can be asked to be. */
#ifndef MOCK_STATE_CONFIG_H
#define MOCK_STATE_CONFIG_H

#include "mock/faults/faults.h"

#include <stdbool.h>
#include <stdint.h>

enum { MOCK_THREADS_MAX = 64 };

enum mock_style {
    MOCK_STYLE_AUTO, /* JSON for single answers, SSE where a stream is needed */
    MOCK_STYLE_JSON, /* never a stream */
    MOCK_STYLE_SSE,  /* SSE for every answer, as far as the client accepts it */
};

struct mock_config {
    uint64_t seed;
    uint64_t session_ttl_ns; /* 0: none */
    bool require_session;    /* 400 for a request without a session id */
    bool strict_protocol;    /* both media types in Accept; an unknown tool is -32602 */
    bool any_host;           /* no check of Host and Origin: the mock is not on loopback only */
    enum mock_style style;
    unsigned page_size; /* entries of a list's page; 0: all in one */
    struct faults faults;
};

#endif
