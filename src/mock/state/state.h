/* SPDX-License-Identifier: MIT */
/* What the mock knows: one thread of it (struct mock), and all of them together (struct
 * mock_shared). */
#ifndef MOCK_STATE_STATE_H
#define MOCK_STATE_STATE_H

#include "base/buf.h"
#include "http/server.h"
#include "mock/state/config.h"
#include "mock/state/history.h"
#include "mock/state/session.h"
#include "mock/state/stats.h"

#include <pthread.h>

enum {
    MOCK_SCRATCH_MAX = 192 * 1024 * 1024, /* a body of 16 MiB whose every byte becomes \u00XX */
    MOCK_SCRATCH_KEEP = 1024 * 1024,
};

/* State of tools that remember something; one per process, under the lock. */
struct mock_memory {
    pthread_mutex_t lock;
    int64_t counter;
    uint64_t degrade_step;
    struct {
        uint64_t began_ns, used;
        bool open;
    } second, minute; /* windows of rate_limited */
    uint64_t forced_errors, circuit_until_ns;
    uint64_t slot_free_ns[5]; /* backpressure */
};

struct mock_shared {
    struct mock_config config;
    struct mock_sessions *sessions;
    struct mock_memory memory;
    /* Numbers of the next fault draw, session draw, draw of a lost session, and tool draw. */
    _Atomic uint64_t fault_index, session_index, lose_index, tool_index;
    _Atomic uint64_t frozen_until_ns;  /* 0: not frozen; UINT64_MAX: until it is switched off */
    _Atomic uint64_t refused_until_ns; /* the port is closed until then */
    _Atomic uint64_t refused_ns;       /* and so long in each tenth of a second */
    _Atomic uint64_t faults_version;
    struct mock_history *history;
    struct {
        pthread_mutex_t lock;
        struct faults faults;
        struct mock *mocks[MOCK_THREADS_MAX];
        unsigned mock_count;
        struct mock_totals gone; /* of mocks that were freed */
        struct mock_totals base; /* as of the last reset of the counters */
    } shared_;
};

struct mock {
    struct mock_shared *shared;
    struct loop *loop;
    struct http_server http; /* not of a guest */
    bool guest;
    const struct http_stats *traffic; /* of its own server, or of its host */
    struct mock_stats stats;
    uint64_t rng_seed, rng_count; /* session ids */
    struct faults faults;         /* a copy, of version */
    uint64_t faults_version;
    bool faulty;           /* some knob is on that concerns single requests */
    struct buf text;       /* scratch: a tool's text */
    struct buf result;     /* scratch: "result":… or "error":… */
    struct buf body;       /* scratch: a whole body, or a batch of events */
    struct list listeners; /* server streams (GET), looked through when a session has ended */
    struct send sweep;
    uint64_t sessions_ended; /* as of the last look */
    struct call *held;       /* an answer that waits for one to be exchanged with, or NULL */
};

#endif
