/* SPDX-License-Identifier: MIT */
/*
 * The open model: operations are due at the schedule's times, whatever the target does. Arrivals
 * are computed, not stored: what waits is all between the cursor `next` and the present, so a
 * backlog of any length needs no memory and keeps its order.
 */
#include "base/mem.h"
#include "engine/shard_priv.h"

#define ON_TIME_NS NS_PER_MS

static const struct plan_stage *stage_at(const struct shard *s, uint32_t stage)
{
    return &s->plan->stages[stage];
}

/* What the cursor stands on is due when its stage has begun. */
static void set_due(const struct shard *s, struct arrival *a)
{
    uint64_t begin = a->own.stage < s->plan->stage_count ? s->arrivals.begin_ns[a->own.stage] : 0;

    a->due_ns = begin == 0 ? UINT64_MAX : begin + a->own.due_ns;
}

static void advance(const struct shard *s, struct arrival *a)
{
    dealing_next(s->plan, &s->config.segment, &a->own);
    set_due(s, a);
}

static uint32_t key_of(const struct shard *s, const struct arrival *a)
{
    return plan_key(s->plan, a->own.stage, plan_pick_arrival(s->plan, a->own.i));
}

/* ---- the books ------------------------------------------------------------------------------- */

static void count_due(struct shard *s)
{
    struct arrivals *q = &s->arrivals;

    window_key(s->window, key_of(s, &q->counted))->count[COUNT_DUE]++;
    advance(s, &q->counted);
}

void arrivals_count(struct shard *s, uint64_t until_ns)
{
    while (s->arrivals.counted.due_ns < until_ns) {
        count_due(s);
    }
}

/* `next` leaves the queue: it is counted as due, and the cursor goes on. */
static void take_next(struct shard *s)
{
    struct arrivals *q = &s->arrivals;

    if (q->counted.own.i == q->next.own.i) {
        count_due(s);
        q->next = q->counted; /* usually nothing else waits, and the way is gone only once */
    } else {
        advance(s, &q->next);
    }
    q->capped = false;
}

static void drop_next(struct shard *s, enum count reason)
{
    struct window *w = shard_window(s, loop_now(s->loop));

    window_key(w, key_of(s, &s->arrivals.next))->count[reason]++;
    take_next(s);
}

/* What could not be started before its deadline never is. */
static void shed(struct shard *s, uint64_t now_ns)
{
    uint64_t deadline = s->plan->scenario->target.timeouts.deadline_ns;

    while (deadline != 0 && s->arrivals.next.due_ns <= now_ns &&
           now_ns - s->arrivals.next.due_ns >= deadline) {
        drop_next(s, COUNT_DROPPED_DEADLINE);
    }
}

/* ---- slots and arrivals meet ----------------------------------------------------------------- */

static struct slot *first_idle(struct shard *s)
{
    struct list *idle = &s->arrivals.idle;

    return list_empty(idle) ? NULL : list_entry(idle->next, struct slot, wait);
}

/* May `next` start? False: not now; the gate will say when. */
static bool is_permitted(struct shard *s, uint64_t now_ns)
{
    struct arrivals *q = &s->arrivals;
    struct gate *gate = &s->client.gate;

    if (q->permitted) {
        q->permitted = false;
        return true;
    }
    /* The schedule keeps to hard_caps.max_rps; only catching up could exceed it. */
    return now_ns - q->next.due_ns > ON_TIME_NS ? gate_enter(gate, &q->gate, now_ns)
                                                : gate_enter_on_time(gate, &q->gate, now_ns);
}

/* Starts `next` on the slot. False: not now. */
static bool start_next(struct shard *s, struct slot *slot, uint64_t now_ns)
{
    struct arrivals *q = &s->arrivals;

    if (!is_permitted(s, now_ns)) {
        return false;
    }
    struct arrival a = q->next;
    bool capped = q->capped;
    shard_window(s, now_ns);
    take_next(s);
    slot_start_arrival(slot, &a, capped);
    return true;
}

/* The timer wakes us when the next one is due; whoever waits at the gate is woken by it. */
static void await_next(struct shard *s)
{
    struct arrivals *q = &s->arrivals;

    if (q->next.due_ns != UINT64_MAX && !send_armed(&q->at) && !gate_waits(&q->gate)) {
        loop_send_arm(s->loop, &q->at, q->next.due_ns);
    }
}

/* Idle slots take what is due; the timer waits for the next one. */
static void serve(struct shard *s)
{
    struct arrivals *q = &s->arrivals;
    uint64_t now = loop_now(s->loop);
    struct slot *slot;

    shed(s, now);
    while (!s->draining && q->next.due_ns <= now && !gate_waits(&q->gate)) {
        slot = first_idle(s);
        if (slot == NULL) {
            shard_grow(s);
            return; /* whoever becomes free takes it */
        }
        list_remove(&slot->wait);
        if (!start_next(s, slot, now)) {
            list_prepend(&q->idle, &slot->wait);
            return;
        }
        now = loop_now(s->loop);
    }
    if (!s->draining) {
        await_next(s);
    }
}

/* The gate lets one start. */
static void on_permission(struct gate_wait *wait, uint64_t waited_ns)
{
    struct shard *s = list_entry(wait, struct shard, arrivals.gate);
    struct arrivals *q = &s->arrivals;

    (void)waited_ns; /* it will show in t_free */
    q->capped = q->permitted = true;
    serve(s);
    if (q->permitted) { /* nothing waits any more, or no slot is idle now */
        q->permitted = false;
        gate_give_back(&s->client.gate);
    }
}

/* The last idle slot is taken. Who may have more users needs one more when the next arrival is due;
 * else whoever becomes free takes it. */
static void watch_next(struct shard *s)
{
    struct arrivals *q = &s->arrivals;

    if (q->next.due_ns <= loop_now(s->loop)) {
        shard_grow(s); /* there is still a queue */
    } else {
        await_next(s);
    }
}

static void on_due(struct send *send)
{
    serve(list_entry(send, struct shard, arrivals.at));
}

void arrivals_offer(struct shard *s, struct slot *slot)
{
    struct arrivals *q = &s->arrivals;
    uint64_t now = loop_now(s->loop);

    if (s->plan->scenario->target.timeouts.deadline_ns != 0) {
        shed(s, now);
    }
    slot->state = SLOT_READY;
    if (list_empty(&q->idle) && q->next.due_ns <= now && !gate_waits(&q->gate) &&
        start_next(s, slot, now)) {
        watch_next(s);
        return;
    }
    list_append(&q->idle, &slot->wait);
    await_next(s);
    if (q->next.due_ns > now) {
        shard_queue_empty(s);
    }
}

bool arrivals_wait(const struct shard *s)
{
    return s->arrivals.next.due_ns <= loop_now(s->loop);
}

void arrivals_withdraw(struct slot *slot)
{
    list_remove(&slot->wait);
    slot->state = SLOT_PARKED;
}

/* ---- stages ---------------------------------------------------------------------------------- */

void arrivals_begin_stage(struct shard *s, uint32_t stage, uint64_t begin_ns)
{
    struct arrivals *q = &s->arrivals;

    q->begin_ns[stage] = begin_ns;
    if (!stage_at(s, stage)->levels.open_model) {
        /* Slots have a loop of their own now; nobody would come for what is left. */
        while (q->next.due_ns != UINT64_MAX && q->next.own.i < stage_at(s, stage)->first_arrival) {
            drop_next(s, COUNT_DROPPED_NO_SLOT);
        }
    }
    set_due(s, &q->next);
    set_due(s, &q->counted);
    serve(s);
}

void arrivals_end(struct shard *s, bool natural)
{
    struct arrivals *q = &s->arrivals;
    uint64_t now = loop_now(s->loop);

    if (natural) { /* whatever is due while slots are idle waits for us alone: it has its turn */
        serve(s);
    }
    loop_send_cancel(s->loop, &q->at);
    gate_leave(&q->gate);
    while (s->window != NULL && q->next.due_ns <= now) {
        drop_next(s, natural ? COUNT_DROPPED_NO_SLOT : COUNT_DROPPED_STOPPED);
    }
    q->next.own.stage = q->counted.own.stage = s->plan->stage_count; /* there are no further ones */
    q->next.due_ns = q->counted.due_ns = UINT64_MAX;
}

void arrivals_init(struct shard *s)
{
    struct arrivals *q = &s->arrivals;

    q->begin_ns = xcalloc(s->plan->stage_count + 1, sizeof *q->begin_ns);
    dealing_first(s->plan, &s->config.segment, &q->next.own);
    q->next.due_ns = UINT64_MAX;
    q->counted = q->next;
    list_init(&q->idle);
    send_init(&q->at, on_due);
    list_init(&q->gate.node);
    q->gate.go = on_permission;
    q->gate.is_new = true;
}

void arrivals_clear(struct shard *s)
{
    loop_send_cancel(s->loop, &s->arrivals.at);
    gate_leave(&s->arrivals.gate);
    xfree(s->arrivals.begin_ns);
}
