/* SPDX-License-Identifier: MIT */
/*
 * Session policies: which session an operation runs on, when sessions are made, replaced and left.
 *
 *   reuse        one session per VU, shared by its slots
 *   churn        … replaced after churn_interval_ops operations
 *   per_request  one session per operation
 *   pool         the shard's share of pool_size sessions; an operation takes the least busy one
 *
 * All of them are one mechanism with different limits (struct session_store). A session *accepts*
 * operations while it is ready, has budget left, and its ttl_ms and max_idle_ms are not over; it
 * serves nobody any more once it is retired (by one of these) or lost (by the target), and goes
 * when its last operation has ended. Operations of the user journey ride along: they use up no
 * budget.
 *
 * Vocabulary
 *   home     who owns sessions: a VU, or (pool) the shard
 *   store    what the homes of one shard have in common
 *   waiter   a slot in SLOT_WAITING, in `waiters` of its home; first come, first served
 *   attempt  the making of a session; when it fails, it fails the first waiter, and the home backs
 *            off before the next one
 *   leaving  what we do with a session that is not needed any more: session_policy.abandon
 *
 * A VU whose operations failed for want of a session more than reconnect.max_retries times in a row
 * gives up and ends. So does, without reconnecting, one that loses a session.
 */
#ifndef ENGINE_SESSIONS_H
#define ENGINE_SESSIONS_H

#include "base/list.h"
#include "loop/loop.h"
#include "mcp/session.h"
#include "scenario/config/config.h"

#include <stdbool.h>
#include <stdint.h>

struct shard;
struct slot;
struct vu;
struct session_home;
struct session_store;

/* One session with what its home keeps about it. */
struct vu_session {
    struct mcp_session mcp;
    struct session_home *home; /* NULL: left behind open (ABANDON_VANISH) */
    struct list node;          /* in its home's sessions, or in store->vanished */
    uint64_t serial;           /* on this shard, from 1 */
    struct timer expiry;       /* ttl_ms or max_idle_ms, whichever is over first */
    char *own_head;            /* of its requests; NULL: it has its VU's, or the plan's */
    uint32_t in_flight;
    uint32_t assigned;     /* operations that used up its budget */
    uint32_t heap_pos;     /* 1-based place in the pool's heap; 0: not in it */
    uint32_t attempt : 29; /* failures of its home when its making began */
    bool lost : 1;         /* the target forgot it; it is in no list any more */
    bool retired : 1;      /* by us */
    bool awaited_busy : 1; /* made because sessions that served others had not been enough */
};

struct session_home {
    struct session_store *store;
    struct list sessions; /* those that accept stand first; without lost ones */
    struct list waiters;  /* slots */
    struct send retry;    /* the end of the back-off, when somebody waits for it */
    uint64_t not_before_ns;
    uint32_t open_failures; /* in a row; with a pool, a VU's counts its own operations' */
    uint32_t session_count; /* in `sessions` */
    uint32_t opening_count; /* of these, being made */
    uint32_t waiter_count;  /* without those of the user journey */
};

/* A row for each kind of home. */
struct session_policy {
    /* A VU begins to live. */
    void (*init)(struct vu *vu);
    /* Ends in slot_go, slot_fail or slot_give_up, now or later. */
    void (*acquire)(struct vu *vu, struct slot *slot);
    /* The operation is over (slot->session is NULL then), or the session turned out to be lost.
     * Not between the pages of a list: a cursor belongs to its session. */
    void (*release)(struct vu *vu, struct slot *slot, bool lost);
    /* The VU ends. True when the slot, which waits, was taken out of its queue: only the end of a
     * back-off was waited for, or it is a list. */
    bool (*withdraw)(struct vu *vu, struct slot *slot);
    /* The slot, which waits, is taken out of its queue, whatever it waits for: its time is over. */
    void (*drop)(struct vu *vu, struct slot *slot);
    /* No slot is active: its own sessions are left, then vu_closed. */
    void (*end)(struct vu *vu);
    /* At once, silently; sessions_cut follows. */
    void (*cut)(struct vu *vu);
};

const struct session_policy *session_policy(enum session_mode mode);

/* What belongs to the shard, not to a VU. */
void sessions_init(struct shard *s);
/* No VU is left and none will come: the rest is left. True: nothing remains; else
 * shard_sessions_gone comes later. May be asked again. */
bool sessions_finish(struct shard *s);
/* At once, silently, after the last VU; memory is given back. May be asked again. */
void sessions_cut(struct shard *s);

#endif
