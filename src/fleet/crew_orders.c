/* SPDX-License-Identifier: MIT */
/* Orders: numbered for each member, kept, sent, and sent again. */
#include "base/clock.h"
#include "base/mem.h"
#include "fleet/crew_priv.h"

#include <stdio.h>

#define READY_PATIENCE_NS    (30 * NS_PER_S)
#define FAREWELL_PATIENCE_NS (30 * NS_PER_S) /* longer than anything a worker does at its end */

/* ---- as texts ------------------------------------------------------------------------------- */

static void fill_assignment(const struct crew *c, const struct member *m, struct wire_order *order)
{
    const struct crew_config *g = &c->config;

    snprintf(order->execution_id, sizeof order->execution_id, "%s", g->identity->execution_id);
    snprintf(order->worker_id, sizeof order->worker_id, "%s", m->worker_id);
    order->scenario = json_incref(c->document);
    order->feeds = c->hashes != NULL ? json_incref(c->hashes) : NULL;
    order->files = json_incref(g->files);
    order->seed = g->plan->seed;
    order->base = m->base;
    order->shards = m->sources;
    order->total = c->orders.source_count;
    order->weights =
        (struct wire_u32s){c->allocation.weights, c->deal != NULL ? c->orders.source_count : 0};
    order->log = g->log;
    order->network = g->network_public ? WIRE_NETWORK_PUBLIC : WIRE_NETWORK_LOCAL;
}

static void send_order(struct crew *c, uint32_t index, const struct wire_order *kept, bool urgent)
{
    struct wire_order order = *kept;

    if (order.kind == WIRE_ORDER_ASSIGN) {
        fill_assignment(c, &c->members[index], &order);
    }
    c->text.len = 0;
    if (wire_order_encode(&order, &c->text) == 0) {
        c->config.send(c->config.owner, index, buf_str(&c->text), urgent);
    }
    json_decref(order.scenario);
    json_decref(order.files);
    json_decref(order.feeds);
}

/* Such an order waits for nothing. */
static bool ends_load(const struct wire_order *order)
{
    return order->kind == WIRE_ORDER_DRAIN || order->kind == WIRE_ORDER_STOP;
}

void crew_order(struct crew *c, uint32_t member, struct wire_order order)
{
    struct member *m = &c->members[member];
    struct given *given = xcalloc(1, sizeof *given);

    if (m->state == MEMBER_LOST) {
        xfree(given);
        return;
    }
    c->changed = true;
    order.n = ++m->ordered;
    snprintf(order.run_id, sizeof order.run_id, "%s", c->config.identity->run_id);
    given->order = order;
    list_append(&m->orders, &given->node);
    /* Nothing overtakes the assignment: the worker knows no run before, and drops what is of none.
     */
    send_order(c, member, &order, ends_load(&order) && m->state != MEMBER_ASSIGNED);
}

void crew_order_all(struct crew *c, struct wire_order order)
{
    for (uint32_t i = 0; i < c->count; i++) {
        crew_order(c, i, order);
    }
}

void crew_repeat(struct crew *c, uint32_t member)
{
    struct member *m = &c->members[member];

    if (m->state == MEMBER_LOST) {
        return;
    }
    list_foreach (node, &m->orders) {
        const struct wire_order *order = &list_entry(node, struct given, node)->order;

        send_order(c, member, order, ends_load(order) && m->state != MEMBER_ASSIGNED);
    }
}

void crew_release(struct crew *c)
{
    crew_order_all(c, (struct wire_order){.kind = WIRE_ORDER_RELEASE});
}

/* ---- as the run gives them ------------------------------------------------------------------- */

static bool all_ready(const struct crew *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->members[i].state == MEMBER_ASSIGNED) {
            return false;
        }
    }
    return true;
}

void crew_try_check(struct crew *c)
{
    if (!c->check_wanted || c->checked || !all_ready(c)) {
        return;
    }
    c->checked = c->changed = true;
    loop_timer_cancel(c->config.loop, &c->patience);
    for (uint32_t i = 0; i < c->count; i++) {
        crew_order(c, i, (struct wire_order){.kind = WIRE_ORDER_CHECK, .lists = i == 0});
    }
}

static void on_impatient(struct timer *t)
{
    struct crew *c = list_entry(t, struct crew, patience);
    char text[200];

    for (uint32_t i = 0; i < c->count; i++) {
        if (c->members[i].state == MEMBER_ASSIGNED) {
            snprintf(text, sizeof text, "worker %s was not ready within %d s",
                     c->members[i].worker_id, (int)(READY_PATIENCE_NS / NS_PER_S));
            run_on_allocation_failed(c->run, text);
            return;
        }
    }
}

void crew_resume_check(struct crew *c)
{
    if (c->check_wanted && !c->checked) {
        loop_timer_arm(c->config.loop, &c->patience,
                       loop_clock(c->config.loop) + READY_PATIENCE_NS);
    }
}

static void order_check(void *workers)
{
    struct crew *c = workers;

    c->check_wanted = c->changed = true;
    crew_resume_check(c);
    crew_try_check(c);
}

static void
order_stage(void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    crew_order_all(workers, (struct wire_order){.kind = WIRE_ORDER_STAGE,
                                                .stage = stage,
                                                .grid_ns = grid_ns,
                                                .start_ns = start_ns,
                                                .end_ns = end_ns});
}

static void order_drain(void *workers, bool natural)
{
    crew_order_all(workers, (struct wire_order){.kind = WIRE_ORDER_DRAIN, .natural = natural});
}

/* ---- the farewell -----------------------------------------------------------------------------
 */

static void look_again(struct crew *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        c->members[i].applied_then = c->members[i].applied;
    }
    loop_timer_arm(c->config.loop, &c->farewell, loop_clock(c->config.loop) + FAREWELL_PATIENCE_NS);
}

/* It lives, or it would have been lost before; but it brings nothing any more. */
static void leave_behind(struct crew *c, uint32_t member)
{
    char text[200];

    snprintf(text, sizeof text, "worker %s has brought nothing for %d s since it was told to stop",
             c->members[member].worker_id, (int)(FAREWELL_PATIENCE_NS / NS_PER_S));
    run_tell(c->run, "SYSTEM_WARNING", json_pack("{ss}", "warning", text));
    crew_lose(c, member);
}

static void on_farewell(struct timer *t)
{
    struct crew *c = list_entry(t, struct crew, farewell);
    bool waiting = false;

    for (uint32_t i = 0; i < c->count && c->run->state == RUN_STOPPING; i++) {
        const struct member *m = &c->members[i];

        if (m->state < MEMBER_THROUGH && m->applied == m->applied_then) {
            leave_behind(c, i);
        }
        waiting = waiting || m->state < MEMBER_THROUGH;
    }
    if (waiting) {
        look_again(c);
    }
}

static bool is_stopped(const struct member *m)
{
    list_foreach (node, &m->orders) {
        if (list_entry(node, struct given, node)->order.kind == WIRE_ORDER_STOP) {
            return true;
        }
    }
    return false;
}

void crew_resume_stop(struct crew *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (is_stopped(&c->members[i])) {
            look_again(c);
            return;
        }
    }
}

static void order_stop(void *workers)
{
    crew_order_all(workers, (struct wire_order){.kind = WIRE_ORDER_STOP});
    look_again(workers);
}

void crew_orders_init(struct crew *c)
{
    timer_init(&c->patience, on_impatient);
    timer_init(&c->farewell, on_farewell);
    c->orders.check = order_check;
    c->orders.stage = order_stage;
    c->orders.drain = order_drain;
    c->orders.stop = order_stop;
    c->orders.source_count = c->allocation.source_count;
    c->orders.sources = c->sources;
    c->orders.lead_ns = c->config.lead_ns;
    c->orders.totals = true;
}
