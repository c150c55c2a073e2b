/* SPDX-License-Identifier: MIT */
/* Operations that began and ended, for tests of the books. */
#ifndef TESTS_UNIT_CONTROL_OPERATIONS_H
#define TESTS_UNIT_CONTROL_OPERATIONS_H

#include "metrics/window.h"

static inline void succeed_op(struct window *w, uint32_t key, uint64_t service_ns)
{
    struct outcome o = {.key = key,
                        .cls = OUTCOME_OK,
                        .t_due = 1,
                        .t_free = 1,
                        .t_ready = 1,
                        .t_send = 1,
                        .t_end = 1 + service_ns,
                        .requests_sent = 1};

    window_started(w, key);
    window_outcome(w, &o);
}

static inline void fail_op(struct window *w, uint32_t key, const char *message)
{
    struct outcome o = {.key = key,
                        .cls = OUTCOME_FAILED,
                        .t_due = 1,
                        .t_send = 1,
                        .t_end = 2,
                        .error_type = ERROR_TYPE_TOOL_ERROR,
                        .error_code = ERROR_CODE_TOOL_ERROR,
                        .origin = ERROR_ORIGIN_TOOL,
                        .message = str_c(message)};

    window_started(w, key);
    window_outcome(w, &o);
}

#endif
