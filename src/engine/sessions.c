/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "engine/sessions_priv.h"

/* ---- every home ------------------------------------------------------------------------------ */

static void init(struct vu *vu)
{
    home_init(&vu->home, vu->shard->pool.store);
}

/* What nearly every operation finds: the VU's one session, ready, with nobody waiting for it. Such
 * a store counts and watches nothing, so the operation may go at once. */
static struct vu_session *at_hand(const struct session_home *home)
{
    const struct session_store *store = home->store;

    if (!store->plain || !list_empty(&home->waiters) || list_empty(&home->sessions)) {
        return NULL;
    }
    struct vu_session *s = list_entry(home->sessions.next, struct vu_session, node);
    return session_accepts(s) && s->in_flight < store->max_in_flight ? s : NULL;
}

static void acquire(struct vu *vu, struct slot *slot)
{
    struct session_home *home = home_of(vu);
    struct vu_session *s = at_hand(home);

    if (s != NULL) {
        slot_go(slot, s, SLOT_NO_WAIT);
        if (slot->call.waited) {
            session_make_way(home->store);
        }
        return;
    }
    home_add_waiter(home, slot);
    home_serve(home, slot, NULL);
}

/* Does nothing new begin at the home any more? */
static bool is_ending(const struct vu *vu, const struct session_home *home)
{
    return home_is_pool(home) ? vu->shard->draining : vu->ending;
}

static void release(struct vu *vu, struct slot *slot, bool lost)
{
    struct vu_session *s = slot->session;
    struct session_home *home = s->home;

    slot->session = NULL;
    s->in_flight--;
    if (home->store->plain && !lost && session_accepts(s) && list_empty(&home->waiters)) {
        return;
    }
    pool_changed(home->store, s, -1);
    if (lost && !s->lost) {
        session_lose(s);
    }
    if (lost && !vu->shard->plan->scenario->workload.reconnect.enabled) {
        home_give_up(vu);
    }
    bool cut = vu->closing; /* else no operation of it would run any more */
    if (s->in_flight == 0 && (!cut || s->lost)) {
        session_rest(s);
    }
    if (!cut) {
        home_serve(home, NULL, NULL);
    }
    if (is_ending(vu, home)) {
        session_drop_held(home);
    }
}

static bool withdraw(struct vu *vu, struct slot *slot)
{
    struct session_home *home = home_of(vu);

    if (!slot->journey && !home_only_backs_off(home)) {
        return false;
    }
    bool waited = home_remove_waiter(home, slot);
    if (is_ending(vu, home)) {
        session_drop_held(home);
    }
    return waited;
}

static void drop(struct vu *vu, struct slot *slot)
{
    home_remove_waiter(home_of(vu), slot);
}

/* ---- sessions of a VU's own ------------------------------------------------------------------ */

static void end_own(struct vu *vu)
{
    loop_send_cancel(vu->shard->loop, &vu->home.retry);
    session_leave_all(&vu->home);
    if (vu->home.session_count == 0) {
        vu_closed(vu);
    }
}

static void cut_own(struct vu *vu)
{
    vu->home.store->finishing = true;
    loop_send_cancel(vu->shard->loop, &vu->home.retry);
    session_cut_all(&vu->home);
}

static const struct session_policy own = {
    .init = init,
    .acquire = acquire,
    .release = release,
    .withdraw = withdraw,
    .drop = drop,
    .end = end_own,
    .cut = cut_own,
};

/* ---- sessions of the shard ------------------------------------------------------------------- */

static void end_pooled(struct vu *vu)
{
    vu_closed(vu);
}

static void cut_pooled(struct vu *vu)
{
    vu->home.store->finishing = true; /* its sessions are the shard's */
}

static const struct session_policy pooled = {
    .init = init,
    .acquire = acquire,
    .release = release,
    .withdraw = withdraw,
    .drop = drop,
    .end = end_pooled,
    .cut = cut_pooled,
};

const struct session_policy *session_policy(enum session_mode mode)
{
    return mode == SESSION_POOL ? &pooled : &own;
}

/* ---- the shard ------------------------------------------------------------------------------- */

static uint32_t budget_of(const struct session_config *c)
{
    switch (c->mode) {
    case SESSION_PER_REQUEST:
        return 1;
    case SESSION_CHURN:
        return c->churn_interval_ops > 0 ? (uint32_t)c->churn_interval_ops : 1;
    case SESSION_REUSE:
    case SESSION_POOL:
        break;
    }
    return 0;
}

void sessions_init(struct shard *s)
{
    const struct session_config *c = &s->plan->scenario->session;
    struct session_store *store = xcalloc(1, sizeof *store);

    store->shard = s;
    store->budget = budget_of(c);
    store->max_in_flight = c->max_in_flight > 0 ? (uint32_t)c->max_in_flight : UINT32_MAX;
    store->ttl_ns = c->ttl_ns;
    store->idle_ns = c->max_idle_ns;
    store->abandon = c->abandon;
    store->pooled = c->mode == SESSION_POOL;
    store->plain =
        !store->pooled && store->budget == 0 && store->ttl_ns == 0 && store->idle_ns == 0;
    store->limit = segment_share(s->config.segment, (uint32_t)c->pool_size);
    if (store->limit == 0) {
        store->limit = 1; /* its VUs need one */
    }
    list_init(&store->vanished);
    home_init(&s->pool, store);
}

bool sessions_finish(struct shard *s)
{
    struct session_store *store = s->pool.store;

    if (store == NULL) {
        return true;
    }
    if (!store->finishing) {
        store->finishing = true;
        loop_send_cancel(s->loop, &s->pool.retry);
        session_leave_all(&s->pool);
    }
    session_end_vanished(store);
    return s->pool.session_count == 0;
}

void sessions_cut(struct shard *s)
{
    struct session_store *store = s->pool.store;

    if (store == NULL) {
        return;
    }
    loop_send_cancel(s->loop, &s->pool.retry);
    session_cut_all(&s->pool);
    session_end_vanished(store);
    xfree(store->heap);
    xfree(store);
    s->pool.store = NULL;
}
