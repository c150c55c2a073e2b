/* SPDX-License-Identifier: MIT */
/*
 * Session policies: which session an operation runs on, when sessions are made, replaced and left.
 *
 *   reuse        one session per VU, shared by its slots
 *   churn        … replaced after churn_interval_ops operations
 *   per_request  one session per operation
 *   pool         the shard's share of pool_size sessions; an operation takes the least busy one
 *
 * In all of them a session that the target lost, or whose ttl_ms or max_idle_ms is over, serves
 * nobody any more and goes when its last operation has ended.
 *
 * Vocabulary
 *   home     who owns sessions: a VU, or (pool) the shard
 *   waiter   a slot in SLOT_WAITING, in `waiters` of its home
 */
#ifndef ENGINE_SESSIONS_H
#define ENGINE_SESSIONS_H

#include "base/list.h"
#include "loop/loop.h"
#include "mcp/session.h"
#include "scenario/config.h"

#include <stdbool.h>
#include <stdint.h>

struct shard;
struct slot;
struct vu;

/* One session with what its home keeps about it. */
struct vu_session {
    struct mcp_session mcp;
    struct vu *vu;
    uint64_t serial; /* on this shard, from 1 */
    uint32_t in_flight;
    bool lost; /* serves nobody any more; goes when its last operation has ended */
};

struct session_home {
    struct vu_session *session;
    struct list waiters;    /* slots */
    uint32_t open_failures; /* in a row */
    uint64_t not_before_ns; /* back-off */
    struct send retry;
};

/* A row for each session_policy.mode. */
struct session_policy {
    /* A VU begins to live. */
    void (*init)(struct vu *vu);
    /* Ends in slot_go, slot_fail or slot_give_up, now or later. */
    void (*acquire)(struct vu *vu, struct slot *slot);
    /* The operation is over (slot->session is NULL then), or the session turned out to be lost. */
    void (*release)(struct vu *vu, struct slot *slot, bool lost);
    /* The VU ends. True when the slot, which waits, was taken out of its queue: only the end of a
     * back-off was waited for. */
    bool (*withdraw)(struct vu *vu, struct slot *slot);
    /* No slot is active: sessions say goodbye, then vu_closed. */
    void (*end)(struct vu *vu);
    /* At once, silently. */
    void (*cut)(struct vu *vu);
};

const struct session_policy *session_policy(enum session_mode mode);

/* What belongs to the shard, not to a VU. */
void sessions_init(struct shard *s);
/* No VU is left and none will come: the rest says goodbye. True: nothing is left; else
 * shard_sessions_gone comes later. May be asked again. */
bool sessions_finish(struct shard *s);
/* At once, silently. */
void sessions_cut(struct shard *s);

#endif
