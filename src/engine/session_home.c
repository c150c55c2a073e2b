/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "engine/sessions_priv.h"

#include <assert.h>
#include <math.h>

/* Sub-streams of the random numbers. */
enum {
    BACKOFF_STREAM = 0x6261636b,
    POOL_STREAM = 0x706f6f6c,
};

static const struct reconnect_config *reconnect_of(const struct session_store *store)
{
    return &store->shard->plan->scenario->workload.reconnect;
}

static uint64_t now_of(const struct session_home *home)
{
    return loop_now(home->store->shard->loop);
}

bool home_is_pool(const struct session_home *home)
{
    return home->store->pooled;
}

struct vu *home_vu(struct session_home *home)
{
    return home_is_pool(home) ? NULL : list_entry(home, struct vu, home);
}

struct session_home *home_of(struct vu *vu)
{
    return vu->home.store->pooled ? &vu->shard->pool : &vu->home;
}

/* ---- waiters --------------------------------------------------------------------------------- */

void home_add_waiter(struct session_home *home, struct slot *slot)
{
    slot->state = SLOT_WAITING;
    slot->waits_since_ns = now_of(home);
    list_append(&home->waiters, &slot->wait);
    home->waiter_count += !slot->journey;
}

bool home_remove_waiter(struct session_home *home, struct slot *slot)
{
    if (list_empty(&slot->wait)) {
        return false;
    }
    list_remove(&slot->wait);
    home->waiter_count -= !slot->journey;
    return true;
}

static struct slot *first_waiter(const struct session_home *home)
{
    return list_empty(&home->waiters) ? NULL : list_entry(home->waiters.next, struct slot, wait);
}

/* ---- which session --------------------------------------------------------------------------- */

static bool any_accepts(const struct session_home *home)
{
    if (home_is_pool(home)) {
        return pool_top(home->store) != NULL;
    }
    return !list_empty(&home->sessions) &&
           session_accepts(list_entry(home->sessions.next, struct vu_session, node));
}

/* One that accepts and has room, the least busy one of a pool; or NULL. */
static struct vu_session *with_room(const struct session_home *home)
{
    uint32_t max = home->store->max_in_flight;

    if (home_is_pool(home)) {
        struct vu_session *top = pool_top(home->store);
        return top != NULL && top->in_flight < max ? top : NULL;
    }
    list_foreach (node, &home->sessions) {
        struct vu_session *s = list_entry(node, struct vu_session, node);

        if (!session_accepts(s)) {
            break;
        }
        if (s->in_flight < max) {
            return s;
        }
    }
    return NULL;
}

/* While a pool's sessions are being made, those that are ready take only their share of the load:
 * else the first one would get everybody who waits. */
static bool has_fair_room(const struct session_home *home, const struct vu_session *s)
{
    const struct session_store *store = home->store;

    if (!home_is_pool(home) || home->opening_count == 0 || s->in_flight == 0) {
        return true;
    }
    uint64_t sessions = (uint64_t)store->heap_len + home->opening_count;
    return s->in_flight * sessions < store->heap_load + home->waiter_count;
}

/* Would those that wait be served by another session, beside those that are being made? */
static bool wants_another(const struct session_home *home)
{
    uint64_t coming = home->opening_count;

    if (home_is_pool(home)) {
        return home->session_count < home->store->limit &&
               (coming == 0 || coming < home->waiter_count);
    }
    if (any_accepts(home)) {
        return false;
    }
    return coming == 0 ||
           (home->store->budget > 0 && coming * home->store->budget < home->waiter_count);
}

/* After a failure one attempt at a time asks whether the target is back. */
static bool make_another(struct session_home *home, bool awaited_busy, struct slot *newcomer)
{
    if (!wants_another(home) || (home->open_failures > 0 && home->opening_count > 0)) {
        return false;
    }
    if (home->not_before_ns > now_of(home)) {
        if (!send_armed(&home->retry)) {
            loop_send_arm(home->store->shard->loop, &home->retry, home->not_before_ns);
        }
        return false;
    }
    session_make(home, awaited_busy && home->open_failures == 0, newcomer);
    return true;
}

/* So long limits of ours held the session's set-up while somebody waited for it. */
static uint64_t held_of(const struct mcp_session *m, uint64_t since_ns)
{
    uint64_t later = m->held_ns - m->held_first_ns, until = m->t_begin + m->held_first_ns;

    if (since_ns <= m->t_begin) {
        return m->held_ns;
    }
    return later + (since_ns < until ? until - since_ns : 0);
}

static void assign(struct vu_session *s, struct slot *slot, enum slot_wait wait)
{
    struct session_store *store = s->home->store;

    /* The time until its making began was spent waiting for busy ones. */
    if (wait == SLOT_WAIT_SETUP && s->awaited_busy && slot->requests == 0 &&
        slot->t_free < s->mcp.t_begin) {
        slot->t_free = s->mcp.t_begin;
    }
    if (wait == SLOT_WAIT_SETUP) { /* what limits of ours held is queueing, too */
        uint64_t held = held_of(&s->mcp, slot->waits_since_ns);
        *(slot->requests == 0 ? &slot->t_free : &slot->held_ns) += held;
    }
    slot_go(slot, s, wait);
    if (slot->call.waited) {
        session_make_way(store);
    }
    pool_changed(store, s, 1);
    if (store->idle_ns > 0 && s->in_flight == 1) {
        session_watch(s);
    }
    if (store->budget > 0 && !slot->journey && ++s->assigned >= store->budget) {
        session_retire(s);
    }
    if (store->pooled) {
        slot->vu->home.open_failures = 0;
    }
}

void home_serve(struct session_home *home, struct slot *newcomer, const struct vu_session *fresh)
{
    struct slot *slot;

    while ((slot = first_waiter(home)) != NULL) {
        struct vu_session *s = with_room(home);
        bool idle = s != NULL && (s->in_flight == 0 || !home_is_pool(home));

        if (!idle && make_another(home, newcomer == NULL && fresh == NULL, newcomer)) {
            continue;
        }
        if (s == NULL || !has_fair_room(home, s)) {
            return;
        }
        home_remove_waiter(home, slot);
        assign(s, slot,
               slot == newcomer ? SLOT_NO_WAIT
               : s == fresh     ? SLOT_WAIT_SETUP
                                : SLOT_WAIT_BUSY);
    }
}

/* ---- sessions that cannot be made ------------------------------------------------------------ */

/* delay · (1 ± fraction), growing by the multiplier with each failure in a row. */
static uint64_t backoff_ns(struct session_home *home)
{
    const struct vu *vu = home_vu(home);
    const struct shard *shard = home->store->shard;
    const struct reconnect_config *c = reconnect_of(home->store);
    double delay = (double)c->initial_delay_ns * pow(c->multiplier, home->open_failures - 1);
    double most = (double)c->max_delay_ns;
    uint64_t stream = shard->plan->seed ^ BACKOFF_STREAM ^ (vu == NULL ? POOL_STREAM : 0);
    uint64_t index = vu == NULL ? shard->config.segment.index : vu->index;

    delay = delay < most ? delay : most;
    uint64_t x = rng_at(rng_sub(stream, index), home->open_failures);
    return (uint64_t)(delay * (1 + c->jitter_fraction * (2 * rng_unit(x) - 1)));
}

bool home_only_backs_off(const struct session_home *home)
{
    return send_armed(&home->retry) && home->opening_count == 0 && !any_accepts(home);
}

/* Takes out the waiters of this VU, or (NULL) of all VUs that are ending. */
static void turn_away(struct session_home *home, const struct vu *vu)
{
    list_foreach_safe (node, &home->waiters) {
        struct slot *slot = list_entry(node, struct slot, wait);

        if (vu != NULL ? slot->vu == vu : slot->vu->ending) {
            home_remove_waiter(home, slot);
            slot_give_up(slot);
        }
    }
}

void home_give_up(struct vu *vu)
{
    struct shard *shard = vu->shard;

    if (vu->ending) {
        return;
    }
    struct window *w = shard_window(shard, loop_now(shard->loop));
    window_run(w)->count[COUNT_VUS_GAVE_UP]++;
    window_limit(w, LIMIT_GAVE_UP);
    vu_end(vu);
    turn_away(home_of(vu), vu);
}

static void
fail_waiter(struct session_home *home, struct slot *slot, const struct mcp_answer *failure)
{
    struct vu *vu = slot->vu;

    vu_hold(vu);
    home_remove_waiter(home, slot);
    if (home_is_pool(home)) {
        vu->home.open_failures++;
    }
    if (vu->home.open_failures > reconnect_of(home->store)->max_retries) {
        home_give_up(vu); /* each try was an operation that failed: nothing is hidden */
    }
    slot_fail(slot, failure);
    vu_let_go(vu);
}

void home_attempt_failed(struct session_home *home,
                         uint32_t attempt,
                         const struct mcp_answer *failure)
{
    struct slot *slot = first_waiter(home);

    /* Attempts that ran at the same time are one step of the back-off. */
    if (attempt == home->open_failures) {
        home->open_failures++;
        home->not_before_ns = now_of(home) + backoff_ns(home);
    }
    if (slot != NULL) {
        fail_waiter(home, slot, failure);
    }
    home_serve(home, NULL, NULL);
    if (home_only_backs_off(home)) {
        turn_away(home, NULL);
    }
}

/* The back-off is over. */
static void on_retry(struct send *send)
{
    home_serve(list_entry(send, struct session_home, retry), NULL, NULL);
}

void home_init(struct session_home *home, struct session_store *store)
{
    *home = (struct session_home){.store = store};
    list_init(&home->sessions);
    list_init(&home->waiters);
    send_init(&home->retry, on_retry);
}
