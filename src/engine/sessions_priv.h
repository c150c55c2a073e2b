/* SPDX-License-Identifier: MIT */
/*
 * Insides of the session policies.
 *
 *   sessions.c       the policies: what a VU and its shard ask for
 *   session_home.c   who gets which session, who waits, back-off
 *   session_life.c   one session: made, expired, lost, left
 *   session_pool.c   the sessions of a pool that accept, the least busy one first
 */
#ifndef ENGINE_SESSIONS_PRIV_H
#define ENGINE_SESSIONS_PRIV_H

#include "engine/shard_priv.h"

struct session_store {
    struct shard *shard;
    uint32_t budget;        /* operations that a session takes; 0: any number */
    uint32_t max_in_flight; /* on one session */
    uint64_t ttl_ns, idle_ns;
    enum session_abandon abandon;
    bool pooled;
    bool plain;     /* neither budget nor pool nor expiry: nothing is to be counted per operation */
    bool finishing; /* no VU is left, or they are being cut: sessions go, none is made */
    uint32_t limit; /* sessions of the pool, here */

    /* Of the pool: binary heap by operations in flight, then by operations served. */
    struct vu_session **heap;
    uint32_t heap_len, heap_cap;
    uint64_t heap_load; /* operations in flight on its sessions */

    /* Left without a word: their connections stay open until the run ends. */
    struct list vanished;
};

/* ---- session_home.c -------------------------------------------------------------------------- */

void home_init(struct session_home *home, struct session_store *store);
/* The one that owns the sessions of this VU. */
struct session_home *home_of(struct vu *vu);
bool home_is_pool(const struct session_home *home);
/* NULL: it is the pool. */
struct vu *home_vu(struct session_home *home);
/* Gives sessions to waiters, and makes sessions for the others, as far as the policy allows.
 * `newcomer` has just come and waited for nothing; `fresh` has just been made. Either may be NULL.
 */
void home_serve(struct session_home *home, struct slot *newcomer, const struct vu_session *fresh);
void home_add_waiter(struct session_home *home, struct slot *slot);
/* False: it does not wait. */
bool home_remove_waiter(struct session_home *home, struct slot *slot);
/* Does nothing but the end of the back-off help those that wait? */
bool home_only_backs_off(const struct session_home *home);
/* The attempt failed, and its session is gone from the home: back-off, and one operation fails.
 * A VU may be gone after it, but not the home's own. */
void home_attempt_failed(struct session_home *home,
                         uint32_t attempt,
                         const struct mcp_answer *failure);
/* The reconnect policy ends the VU. A slot of it is active, so the VU stays. */
void home_give_up(struct vu *vu);

/* ---- session_life.c -------------------------------------------------------------------------- */

/* Begins to make a session. `newcomer` has come for it, and its permission to send pays for the
 * first request; NULL: nobody's. */
void session_make(struct session_home *home, bool awaited_busy, struct slot *newcomer);
bool session_accepts(const struct vu_session *s);
/* It takes no more operations. */
void session_retire(struct vu_session *s);
/* Something began or ended on it: when does it expire? */
void session_watch(struct vu_session *s);
/* The target does not know it any more. */
void session_lose(struct vu_session *s);
/* No operation runs on it: it goes if it serves nobody, or else it is idle. */
void session_rest(struct vu_session *s);
/* All of the home's sessions are left: those that are being made when they are there, or at once
 * where the target has seen nothing of them. */
void session_leave_all(struct session_home *home);
/* Nothing new begins here: of those that are being made and that a limit of ours still holds, no
 * more stay than operations wait for. */
void session_drop_held(struct session_home *home);
/* At once, silently. */
void session_cut_all(struct session_home *home);
/* What was left open may not keep those that work from connecting (hard_caps.max_connections): the
 * oldest are closed until one may. */
void session_make_way(struct session_store *store);
/* Closes, silently, what was left open. */
void session_end_vanished(struct session_store *store);

/* ---- session_pool.c -------------------------------------------------------------------------- */

/* NULL: none accepts. */
struct vu_session *pool_top(const struct session_store *store);
void pool_add(struct session_store *store, struct vu_session *s);
/* Fine when it is not there. Its in_flight must be counted in heap_load. */
void pool_remove(struct session_store *store, struct vu_session *s);
/* in_flight has changed by `change`, +1 or -1. Fine when it is not there. */
void pool_changed(struct session_store *store, struct vu_session *s, int change);

#endif
