/* SPDX-License-Identifier: MIT */
/*
 * Session policies: which session an operation runs on, when sessions are made, replaced and
 * closed. `reuse`: one session per VU, shared by its slots, replaced when the target loses it.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "engine/shard_priv.h"

#include <assert.h>
#include <math.h>

enum { BACKOFF_STREAM = 0x6261636b }; /* a sub-stream of a VU's random numbers */

static void free_session(struct vu_session *s)
{
    mcp_session_drop(&s->mcp);
    xfree(s);
}

/* ---- back-off ------------------------------------------------------------------------------- */

/* delay · (1 ± fraction), growing by the multiplier with each failure in a row. */
static uint64_t backoff_ns(const struct vu *vu)
{
    const struct plan *plan = vu->shard->plan;
    const struct reconnect_config *c = &plan->scenario->workload.reconnect;
    double delay = (double)c->initial_delay_ns * pow(c->multiplier, vu->home.open_failures - 1);
    double most = (double)c->max_delay_ns;
    uint64_t x = rng_at(rng_sub(plan->seed ^ BACKOFF_STREAM, vu->index), vu->home.open_failures);

    delay = delay < most ? delay : most;
    return (uint64_t)(delay * (1 + c->jitter_fraction * (2 * rng_unit(x) - 1)));
}

/* ---- reuse ---------------------------------------------------------------------------------- */

static void on_open(struct mcp_session *m, const struct mcp_answer *failure);
static void on_closed(struct mcp_session *m, const struct mcp_answer *answer);

static const struct mcp_session_events events = {
    .on_open = on_open,
    .on_closed = on_closed,
};

static void open_session(struct vu *vu)
{
    struct vu_session *s = xcalloc(1, sizeof *s);

    s->vu = vu;
    s->serial = ++vu->shard->session_serial;
    vu->home.session = s;
    mcp_session_init(&s->mcp, &vu->shard->client, vu->head, &events, s);
    mcp_session_open(&s->mcp, NULL);
}

/* The first of those that wait, taken out of the queue; NULL when nobody does. */
static struct slot *next_waiter(struct vu *vu)
{
    if (list_empty(&vu->home.waiters)) {
        return NULL;
    }
    struct slot *slot = list_entry(vu->home.waiters.next, struct slot, wait);
    list_remove(&slot->wait);
    return slot;
}

/* As many as wait now: those that come back while they are told are next time's. */
static uint32_t count_waiters(const struct vu *vu)
{
    uint32_t n = 0;

    list_foreach (node, &vu->home.waiters) {
        n++;
    }
    return n;
}

static void count_open(struct shard *shard, const struct mcp_session *m, bool ok)
{
    uint64_t now = loop_now(shard->loop);
    uint64_t begin = m->t_begin, connected = m->t_connected > begin ? m->t_connected : begin;

    window_session(shard_window(shard, now), ok ? m->opened_ns - begin : 0,
                   ok ? m->t_initialized - connected : 0, ok);
}

static void on_open(struct mcp_session *m, const struct mcp_answer *failure)
{
    struct vu_session *s = m->owner;
    struct vu *vu = s->vu;
    uint32_t waiting = count_waiters(vu);

    count_open(vu->shard, m, failure == NULL);
    if (failure == NULL) {
        vu->home.open_failures = 0;
        vu->home.not_before_ns = 0;
        vu->shard->session_count++;
        for (; waiting > 0 && !s->lost; waiting--) {
            struct slot *slot = next_waiter(vu);
            if (slot == NULL) {
                break;
            }
            slot_go(slot, s, SLOT_WAIT_SETUP);
        }
        return;
    }
    const struct reconnect_config *c = &vu->shard->plan->scenario->workload.reconnect;
    vu->home.session = NULL;
    vu->home.open_failures++;
    vu->home.not_before_ns = loop_now(vu->shard->loop) + backoff_ns(vu);
    vu_hold(vu);
    if (vu->home.open_failures > c->max_retries) {
        vu->ending = true; /* each try was an operation that failed: nothing is hidden */
    }
    for (; waiting > 0; waiting--) {
        struct slot *slot = next_waiter(vu);
        if (slot == NULL) {
            break;
        }
        slot_fail(slot, failure);
    }
    free_session(s);
    vu_let_go(vu);
}

static void reuse_acquire(struct vu *vu, struct slot *slot)
{
    if (vu->home.session != NULL && vu->home.session->mcp.state == MCP_SESSION_READY) {
        slot_go(slot, vu->home.session, SLOT_NO_WAIT);
        return;
    }
    slot->state = SLOT_WAITING;
    list_append(&vu->home.waiters, &slot->wait);
    if (vu->home.session != NULL || send_armed(&vu->home.retry)) {
        return; /* one is being made */
    }
    if (vu->home.not_before_ns > loop_now(vu->shard->loop)) {
        loop_send_arm(vu->shard->loop, &vu->home.retry, vu->home.not_before_ns);
    } else {
        open_session(vu);
    }
}

static void reuse_release(struct vu *vu, struct slot *slot, bool lost)
{
    struct vu_session *s = slot->session;
    struct shard *shard = vu->shard;

    slot->session = NULL;
    s->in_flight--;
    if (lost && !s->lost) {
        s->lost = true;
        vu->home.session = NULL;
        shard->session_count--;
        window_session_lost(shard_window(shard, loop_now(shard->loop)));
        if (!shard->plan->scenario->workload.reconnect.enabled) {
            vu->ending = true;
        }
    }
    if (s->lost && s->in_flight == 0) {
        free_session(s);
    }
}

static void on_closed(struct mcp_session *m, const struct mcp_answer *answer)
{
    struct vu_session *s = m->owner;
    struct vu *vu = s->vu;

    (void)answer; /* a refused goodbye harms nobody: the session is gone on our side */
    vu->shard->session_count--;
    window_session_closed(shard_window(vu->shard, loop_now(vu->shard->loop)));
    vu->home.session = NULL;
    free_session(s);
    vu_closed(vu);
}

static void reuse_end(struct vu *vu)
{
    struct vu_session *s = vu->home.session;

    loop_send_cancel(vu->shard->loop, &vu->home.retry);
    if (s != NULL && s->mcp.state == MCP_SESSION_READY) {
        if (!mcp_session_close(&s->mcp)) {
            on_closed(&s->mcp, NULL);
        }
        return;
    }
    if (s != NULL) { /* being opened, and nobody waits for it */
        vu->home.session = NULL;
        free_session(s);
    }
    vu_closed(vu);
}

static void reuse_cut(struct vu *vu)
{
    struct vu_session *s = vu->home.session;

    loop_send_cancel(vu->shard->loop, &vu->home.retry);
    vu->home.session = NULL;
    if (s == NULL) {
        return;
    }
    if (s->mcp.state == MCP_SESSION_READY || s->mcp.state == MCP_SESSION_CLOSING) {
        vu->shard->session_count--;
    }
    free_session(s);
}

/* The back-off is over. */
static void on_retry(struct send *send)
{
    struct vu *vu = list_entry(send, struct vu, home.retry);

    if (vu->home.session == NULL && !list_empty(&vu->home.waiters)) {
        open_session(vu);
    }
}

static void reuse_init(struct vu *vu)
{
    list_init(&vu->home.waiters);
    send_init(&vu->home.retry, on_retry);
}

static bool reuse_withdraw(struct vu *vu, struct slot *slot)
{
    if (vu->home.session != NULL) {
        return false;
    }
    list_remove(&slot->wait);
    return true;
}

static const struct session_policy reuse = {
    .init = reuse_init,
    .withdraw = reuse_withdraw,
    .acquire = reuse_acquire,
    .release = reuse_release,
    .end = reuse_end,
    .cut = reuse_cut,
};

const struct session_policy *session_policy(enum session_mode mode)
{
    switch (mode) {
    case SESSION_REUSE:
        return &reuse;
    case SESSION_POOL:
    case SESSION_PER_REQUEST:
    case SESSION_CHURN:
        break;
    }
    return NULL; /* refused by validation */
}

void sessions_init(struct shard *s)
{
    (void)s;
}

bool sessions_finish(struct shard *s)
{
    (void)s;
    return true;
}

void sessions_cut(struct shard *s)
{
    (void)s;
}
