/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "engine/sessions_priv.h"

#include <assert.h>

static struct window *window_now(struct shard *shard)
{
    return shard_window(shard, loop_now(shard->loop));
}

/* ---- bookkeeping ----------------------------------------------------------------------------- */

/* Is it among the sessions that exist, for the gauge? */
static bool is_counted(const struct vu_session *s)
{
    return !s->lost && (s->mcp.state == MCP_SESSION_READY || s->mcp.state == MCP_SESSION_CLOSING);
}

/* Out of its home, whatever its state. */
static void take_out(struct vu_session *s)
{
    struct session_home *home = s->home;

    loop_timer_cancel(home->store->shard->loop, &s->expiry);
    pool_remove(home->store, s);
    list_remove(&s->node);
    home->session_count--;
}

static void free_session(struct vu_session *s)
{
    mcp_session_drop(&s->mcp);
    xfree(s->own_head);
    xfree(s);
}

bool session_accepts(const struct vu_session *s)
{
    return s->mcp.state == MCP_SESSION_READY && !s->retired;
}

/* ---- left behind open ------------------------------------------------------------------------ */

/* Those whose connections the target has closed meanwhile need not be kept. Two are looked at for
 * each that comes, in turn, so that the list cannot grow without open connections. */
static void sweep_vanished(struct session_store *store)
{
    for (int i = 0; i < 2 && !list_empty(&store->vanished); i++) {
        struct vu_session *s = list_entry(store->vanished.next, struct vu_session, node);

        list_remove(&s->node);
        if (mcp_session_connected(&s->mcp)) {
            list_append(&store->vanished, &s->node);
        } else {
            free_session(s);
        }
    }
}

void session_make_way(struct session_store *store)
{
    while (!mcp_session_may_dial(&store->shard->client) && !list_empty(&store->vanished)) {
        struct vu_session *oldest = list_entry(store->vanished.next, struct vu_session, node);

        list_remove(&oldest->node);
        free_session(oldest);
    }
}

static void vanish(struct session_store *store, struct vu_session *s)
{
    sweep_vanished(store);
    s->home = NULL;
    list_append(&store->vanished, &s->node);
    session_make_way(store);
}

void session_end_vanished(struct session_store *store)
{
    list_foreach_safe (node, &store->vanished) {
        list_remove(node);
        free_session(list_entry(node, struct vu_session, node));
    }
}

static void leave(struct vu_session *s);

/* ---- made ------------------------------------------------------------------------------------ */

static void count_open(struct shard *shard, const struct mcp_session *m, bool ok)
{
    uint64_t begin = m->t_begin, connected = m->t_connected > begin ? m->t_connected : begin;

    window_session(window_now(shard), ok ? m->opened_ns - begin - m->held_ns : 0,
                   ok ? m->t_initialized - connected : 0, ok);
}

/* Is its owner ending, and is there nobody whom a session could serve? */
static bool is_left(struct session_home *home)
{
    const struct vu *vu = home_vu(home);

    return vu != NULL ? vu->closing : home->store->finishing;
}

/* The home's end waits for its last session. */
static void check_left(struct session_home *home)
{
    if (!is_left(home) || home->session_count > 0) {
        return;
    }
    if (home_is_pool(home)) {
        shard_sessions_gone(home->store->shard);
    } else {
        vu_closed(home_vu(home));
    }
}

static void open_failed(struct vu_session *s, const struct mcp_answer *failure)
{
    struct session_home *home = s->home;
    struct vu *vu = home_vu(home);
    uint32_t attempt = s->attempt;
    bool left = is_left(home); /* else its VU may be gone at the end of this */

    home->opening_count--;
    take_out(s);
    if (vu != NULL) {
        vu_hold(vu);
    }
    home_attempt_failed(home, attempt, failure);
    if (vu != NULL) {
        vu_let_go(vu);
    }
    free_session(s);
    if (left) {
        check_left(home);
    }
}

static void on_open(struct mcp_session *m, const struct mcp_answer *failure)
{
    struct vu_session *s = m->owner;
    struct session_home *home = s->home;
    struct shard *shard = home->store->shard;

    count_open(shard, m, failure == NULL);
    if (failure != NULL) {
        open_failed(s, failure);
        return;
    }
    home->opening_count--;
    home->open_failures = 0;
    home->not_before_ns = 0;
    shard->session_count++;
    if (home_is_pool(home)) {
        pool_add(home->store, s);
    } else { /* those that accept stand first */
        list_remove(&s->node);
        list_prepend(&home->sessions, &s->node);
    }
    session_watch(s);
    home_serve(home, NULL, s);
    if (is_left(home)) {
        leave(s);
        check_left(home);
    }
}

static void on_closed(struct mcp_session *m, const struct mcp_answer *answer)
{
    struct vu_session *s = m->owner;
    struct session_home *home = s->home;
    struct shard *shard = home->store->shard;

    (void)answer; /* a refused goodbye harms nobody: the session is gone on our side */
    shard->session_count--;
    window_session_closed(window_now(shard));
    take_out(s);
    free_session(s);
    if (home_is_pool(home) && !is_left(home)) {
        home_serve(home, NULL, NULL); /* there is room for another one */
    }
    check_left(home);
}

/* The head of its requests. A pool's session belongs to no VU: it speaks as the first one. */
static struct str head_of(struct vu_session *s)
{
    const struct shard *shard = s->home->store->shard;
    const struct plan_text *text = &shard->plan->head;
    struct buf out;

    if (home_vu(s->home) != NULL) {
        return home_vu(s->home)->head;
    }
    if (text->is_static) {
        return text->parts[0].text;
    }
    int32_t stage = shard->stage >= 0 ? shard->stage : 0;
    struct plan_values values = {
        .stage_id = shard->plan->stages[stage].config->stage_id,
        .draw = plan_draw(shard->plan, 0, UINT64_MAX), /* of no operation */
        .wall_ms = shard_wall_ms(shard),
    };
    buf_init(&out, SIZE_MAX / 2); /* bounded by the scenario's size */
    int rc = plan_text_write(shard->plan, text, &values, &out);
    assert(rc == 0);
    s->own_head = out.p;
    return buf_str(&out);
}

static void on_expiry(struct timer *timer);

static const struct mcp_session_events events = {
    .on_open = on_open,
    .on_closed = on_closed,
};

void session_make(struct session_home *home, bool awaited_busy, struct slot *newcomer)
{
    struct shard *shard = home->store->shard;
    struct vu_session *s = xcalloc(1, sizeof *s);

    s->home = home;
    s->serial = ++shard->session_serial;
    s->attempt = home->open_failures & 0x1fffffff; /* more is past any back-off */
    s->awaited_busy = awaited_busy;
    timer_init(&s->expiry, on_expiry);
    list_append(&home->sessions, &s->node);
    home->session_count++;
    home->opening_count++;
    mcp_session_init(&s->mcp, &shard->client, head_of(s), &events, s);
    session_make_way(home->store);
    if (newcomer != NULL) {
        s->mcp.permitted = newcomer->call.permitted;
        newcomer->call.permitted = false;
    }
    mcp_session_open(&s->mcp, NULL);
}

/* ---- left ------------------------------------------------------------------------------------ */

/* No operation runs on it. In the way that the scenario wants; on_closed comes after a DELETE. */
static void leave(struct vu_session *s)
{
    struct session_store *store = s->home->store;

    assert(s->in_flight == 0);
    session_retire(s);
    if (store->abandon == ABANDON_DELETE && mcp_session_close(&s->mcp)) {
        return;
    }
    store->shard->session_count--;
    window_session_closed(window_now(store->shard));
    take_out(s);
    if (store->abandon == ABANDON_VANISH) {
        vanish(store, s);
        return;
    }
    if (store->abandon == ABANDON_RST) {
        mcp_session_reset(&s->mcp);
    }
    free_session(s);
}

void session_rest(struct vu_session *s)
{
    if (s->lost) {
        free_session(s);
    } else if (s->retired) {
        leave(s);
    } else if (s->home->store->idle_ns > 0) {
        session_watch(s);
    }
}

static void drop_opening(struct vu_session *s)
{
    s->home->opening_count--;
    take_out(s);
    free_session(s);
}

void session_leave_all(struct session_home *home)
{
    /* Those that say goodbye move to the list's end, and are met again there: CLOSING. */
    list_foreach_safe (node, &home->sessions) {
        struct vu_session *s = list_entry(node, struct vu_session, node);

        if (s->mcp.state == MCP_SESSION_READY) {
            leave(s);
        } else if (mcp_session_held(&s->mcp)) {
            drop_opening(s);
        } /* one that the target knows of is left when it is made */
    }
}

void session_drop_held(struct session_home *home)
{
    if (home->opening_count <= home->waiter_count) {
        return;
    }
    list_foreach_safe (node, &home->sessions) {
        struct vu_session *s = list_entry(node, struct vu_session, node);

        if (home->opening_count > home->waiter_count && mcp_session_held(&s->mcp)) {
            drop_opening(s);
        }
    }
}

void session_cut_all(struct session_home *home)
{
    list_foreach_safe (node, &home->sessions) {
        struct vu_session *s = list_entry(node, struct vu_session, node);

        home->store->shard->session_count -= is_counted(s);
        take_out(s);
        free_session(s);
    }
    home->opening_count = 0;
}

/* ---- retired, expired, lost ------------------------------------------------------------------ */

void session_retire(struct vu_session *s)
{
    struct session_home *home = s->home;

    if (s->retired) {
        return;
    }
    s->retired = true;
    loop_timer_cancel(home->store->shard->loop, &s->expiry);
    pool_remove(home->store, s);
    list_remove(&s->node);
    list_append(&home->sessions, &s->node);
}

void session_watch(struct vu_session *s)
{
    const struct session_store *store = s->home->store;
    uint64_t at = UINT64_MAX;

    if (s->retired) {
        return;
    }
    if (store->ttl_ns > 0) {
        at = s->mcp.opened_ns + store->ttl_ns;
    }
    if (store->idle_ns > 0 && s->in_flight == 0) {
        uint64_t idle_at = loop_now(store->shard->loop) + store->idle_ns;
        at = idle_at < at ? idle_at : at;
    }
    if (at != UINT64_MAX) {
        loop_timer_arm(store->shard->loop, &s->expiry, at);
    } else {
        loop_timer_cancel(store->shard->loop, &s->expiry);
    }
}

static void on_expiry(struct timer *timer)
{
    struct vu_session *s = list_entry(timer, struct vu_session, expiry);
    struct session_home *home = s->home;

    window_run(window_now(home->store->shard))->count[COUNT_SESSIONS_EXPIRED]++;
    session_retire(s);
    if (s->in_flight == 0) {
        leave(s);
    }
    home_serve(home, NULL, NULL); /* its waiters need another one */
}

void session_lose(struct vu_session *s)
{
    struct shard *shard = s->home->store->shard;

    s->lost = s->retired = true;
    take_out(s);
    shard->session_count--;
    window_session_lost(window_now(shard));
}
