/* SPDX-License-Identifier: MIT */
#include "mcp/gate.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>

#define BURST_NS        NS_PER_MS
#define LATENESS_MAX_NS (100 * NS_PER_MS)
#define INTERVAL_MAX_NS 1e18

enum { FORGET = 256 }; /* so many permissions until 1/e of a lateness is left */

/* ---- the rules ------------------------------------------------------------------------------- */

/* A late timer stood up to an interval after the last one that was let go. */
static uint64_t burst_of(const struct gate *g)
{
    return g->lateness_ns > BURST_NS ? g->lateness_ns + g->interval_ns : BURST_NS;
}

/* When the pace lets the next one go. */
static uint64_t paced_at(const struct gate *g)
{
    uint64_t burst = burst_of(g);

    return g->next_ns > burst ? g->next_ns - burst : 0;
}

/* When the second (or what its whole requests are of it) that is full will be over. */
static uint64_t counted_at(const struct gate *g)
{
    return g->recent == NULL || g->recent[g->at] == 0 ? 0 : g->recent[g->at] + g->span_ns;
}

static uint64_t allowed_at(const struct gate *g)
{
    uint64_t paced = paced_at(g), counted = counted_at(g);

    return paced > counted ? paced : counted;
}

static void take(struct gate *g, uint64_t now_ns)
{
    g->next_ns = (g->next_ns > now_ns ? g->next_ns : now_ns) + g->interval_ns;
    g->lateness_ns -= g->lateness_ns / FORGET;
    if (g->recent != NULL) {
        g->overwritten = g->recent[g->at];
        g->recent[g->at] = now_ns;
        g->at = (g->at + 1) % g->count;
    }
}

/* ---- the queue ------------------------------------------------------------------------------- */

static struct gate_wait *first_of(const struct gate *g)
{
    const struct list *queue = !list_empty(&g->begun) ? &g->begun : &g->new;

    return list_empty(queue) ? NULL : list_entry(queue->next, struct gate_wait, node);
}

static void arm(struct gate *g)
{
    if (first_of(g) != NULL && !g->is_closed) {
        loop_send_arm(g->loop, &g->timer, allowed_at(g));
    }
}

static void note_lateness(struct gate *g, uint64_t late_ns)
{
    late_ns = late_ns < LATENESS_MAX_NS ? late_ns : LATENESS_MAX_NS;
    g->lateness_ns = late_ns > g->lateness_ns ? late_ns : g->lateness_ns;
}

static void on_time(struct send *timer)
{
    struct gate *g = list_entry(timer, struct gate, timer);
    uint64_t now = loop_now(g->loop);
    struct gate_wait *wait;

    note_lateness(g, now > timer->at_ns ? now - timer->at_ns : 0);
    while ((wait = first_of(g)) != NULL && allowed_at(g) <= now) {
        list_remove(&wait->node);
        take(g, now);
        wait->go(wait, now - wait->since_ns);
    }
    arm(g);
}

static bool enter(struct gate *g, struct gate_wait *wait, uint64_t now_ns, uint64_t allowed_ns)
{
    if (!g->is_closed && first_of(g) == NULL && allowed_ns <= now_ns) {
        take(g, now_ns);
        return true;
    }
    wait->since_ns = now_ns;
    list_append(wait->is_new ? &g->new : &g->begun, &wait->node);
    g->held++;
    if (!send_armed(&g->timer)) {
        arm(g);
    }
    return false;
}

bool gate_enter(struct gate *g, struct gate_wait *wait, uint64_t now_ns)
{
    return gate_is_open(g) || enter(g, wait, now_ns, allowed_at(g));
}

bool gate_enter_on_time(struct gate *g, struct gate_wait *wait, uint64_t now_ns)
{
    return gate_is_open(g) || enter(g, wait, now_ns, paced_at(g));
}

void gate_leave(struct gate_wait *wait)
{
    list_remove(&wait->node);
}

void gate_give_back_late(struct gate *g)
{
    if (gate_is_open(g)) {
        return;
    }
    g->next_ns -= g->interval_ns < g->next_ns ? g->interval_ns : g->next_ns;
    if (send_armed(&g->timer)) {
        arm(g);
    }
}

void gate_give_back(struct gate *g)
{
    if (g->recent != NULL) {
        g->at = (g->at + g->count - 1) % g->count;
        g->recent[g->at] = g->overwritten;
    }
    gate_give_back_late(g);
}

void gate_init(struct gate *g, struct loop *loop, double cap_rps)
{
    *g = (struct gate){.loop = loop, .is_closed = cap_rps < 0};
    list_init(&g->begun);
    list_init(&g->new);
    send_init(&g->timer, on_time);
    if (cap_rps == 0) {
        return;
    }
    double interval = cap_rps > 0 ? ceil((double)NS_PER_S / cap_rps) : INTERVAL_MAX_NS;
    g->interval_ns = interval < INTERVAL_MAX_NS ? (uint64_t)interval : (uint64_t)INTERVAL_MAX_NS;
    if (cap_rps > 0 && cap_rps <= GATE_COUNTED_MAX) {
        g->count = cap_rps < 1 ? 1 : (uint32_t)cap_rps;
        g->span_ns = cap_rps < 1 ? NS_PER_S : (uint64_t)ceil(g->count * (double)NS_PER_S / cap_rps);
        g->recent = xcalloc(g->count, sizeof *g->recent);
    }
}

void gate_clear(struct gate *g)
{
    loop_send_cancel(g->loop, &g->timer);
    xfree(g->recent);
    g->recent = NULL;
}
