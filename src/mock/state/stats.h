/* SPDX-License-Identifier: MIT */
/*
 * The mock's own account of what it did, so that a test can compare both sides to the last request
 * and event. Each thread counts for itself; GET /stats adds them up.
 *
 * Counted before the bytes leave: who has read an answer finds it in the counters.
 */
#ifndef MOCK_STATE_STATS_H
#define MOCK_STATE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

enum { MOCK_METHODS_MAX = 24, MOCK_TOOLS_MAX = 32 };

#define MOCK_COUNTER_MAP(X) \
    X(http_requests)        \
    X(responses)            \
    X(streams_opened)       \
    X(streams_closed)       \
    X(events_sent)          \
    X(errors_injected)      \
    X(answers_swapped)      \
    X(calls_opened)         \
    X(calls_closed)         \
    X(timed_answers)        \
    X(timed_late_50us)      \
    X(timed_late_1ms)       \
    X(connections_opened)   \
    X(connections_closed)   \
    X(bytes_in)             \
    X(bytes_out)

/* Sums over all threads. */
struct mock_totals {
#define MOCK_TOTAL_(name) uint64_t name;
    MOCK_COUNTER_MAP(MOCK_TOTAL_)
#undef MOCK_TOTAL_
    uint64_t methods[MOCK_METHODS_MAX + 1]; /* the last one: unknown methods */
    uint64_t tools[MOCK_TOOLS_MAX + 1];     /* the last one: unknown tools */
    uint64_t sessions_opened, sessions_deleted, sessions_expired, sessions_lost;
    uint64_t sessions_max_open; /* since the last reset; no sum */
};

/* One thread's; it is the only writer. Connections and bytes are counted by its HTTP server. */
struct mock_stats {
    _Atomic uint64_t http_requests, responses, streams_opened, streams_closed, events_sent,
        errors_injected, answers_swapped;
    _Atomic uint64_t calls_opened, calls_closed; /* answers that did not leave at once */
    /* Answers that left at a time of their own; of these, later than that by so much. */
    _Atomic uint64_t timed_answers, timed_late_50us, timed_late_1ms;
    _Atomic uint64_t methods[MOCK_METHODS_MAX + 1];
    _Atomic uint64_t tools[MOCK_TOOLS_MAX + 1];
};

#endif
