/* SPDX-License-Identifier: MIT */
/*
 * What was open when: a sample each MOCK_TICK_MS, the last ten minutes of them, so that a test can
 * lay a load plan over what the server saw. Taken on a timer; requests cost nothing.
 */
#ifndef MOCK_STATE_HISTORY_H
#define MOCK_STATE_HISTORY_H

#include "base/buf.h"

#include <stdint.h>

enum { MOCK_TICK_MS = 50, MOCK_HISTORY_SAMPLES = 600 * 1000 / MOCK_TICK_MS };

/* Requests are counted from the start of the server; the rest is as of the moment. */
struct mock_history_sample {
    uint64_t ts_ms; /* wall clock */
    uint64_t http_requests, tool_calls;
    uint64_t sessions_opened;
    uint32_t streams_open, sessions_open, connections_open;
    uint32_t calls_open; /* requests that wait for their answer, streams included */
};

struct mock_history;

struct mock_history *mock_history_new(void);
/* NULL is fine. */
void mock_history_free(struct mock_history *h);
/* Any thread. */
void mock_history_add(struct mock_history *h, const struct mock_history_sample *sample);
/* Appends the JSON text of those from `since_ms` on, the oldest first. Any thread. */
void mock_history_write(struct mock_history *h, uint64_t since_ms, struct buf *out);

#endif
