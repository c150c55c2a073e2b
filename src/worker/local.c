/* SPDX-License-Identifier: MIT */
#include "worker/local.h"

#include "base/mem.h"
#include "engine/shard.h"
#include "engine/target.h"
#include "loop/mailbox.h"
#include "worker/cores.h"
#include "worker/health.h"
#include "worker/sharding.h"

#include <pthread.h>
#include <semaphore.h>

struct shard_thread {
    pthread_t thread;
    struct local_worker *worker;
    uint32_t index;
    struct loop *loop;
    struct mcp_target target;
    struct mailbox inbox;
    struct shard *shard;
    struct health_probe *health;
    int start_rc;
    struct err start_err;
    sem_t started;
};

struct local_worker {
    struct local_worker_config config;
    struct worker_listener listener;
    struct mailbox outbox; /* of the control plane's loop */
    uint32_t started_count, shard_count, log_successes;
    struct shard_thread *shards;
};

static const struct clock real_clock = {0};

/* ---- on the shard's thread --------------------------------------------------------------------
 */

static void post_report(void *owner, struct message *report)
{
    struct shard_thread *t = owner;

    mailbox_post(&t->worker->outbox, &report->node);
}

static void on_order(struct mailbox *m, struct list *node)
{
    struct shard_thread *t = list_entry(m, struct shard_thread, inbox);
    struct message *order = list_entry(node, struct message, node);

    if (order->kind == ORDER_QUIT) {
        xfree(order);
        loop_stop(t->loop);
        return;
    }
    shard_take(t->shard, order);
}

/* Its place among the sources of the run. */
static struct segment segment_of(const struct shard_thread *t)
{
    const struct local_worker *w = t->worker;
    const struct local_worker_config *c = &w->config;

    return (struct segment){
        .index = c->base + t->index,
        .count = c->total > 0 ? c->total : w->shard_count,
        .deal = c->deal,
    };
}

static uint32_t most_users(const struct shard_thread *t)
{
    struct segment even = {.index = t->index, .count = t->worker->shard_count};
    uint32_t most = segment_share(even, t->worker->config.max_vus);

    return most == 0 && t->worker->config.max_vus > 0 ? 1 : most;
}

static int set_up(struct shard_thread *t)
{
    struct local_worker *w = t->worker;
    int rc = loop_new(&real_clock, &t->loop, &t->start_err);

    if (rc != 0) {
        return rc;
    }
    rc = mailbox_init(&t->inbox, t->loop, on_order, &t->start_err);
    if (rc != 0) {
        loop_free(t->loop);
        return rc;
    }
    t->health = health_new("", t->index == 0); /* one of them reads for the whole process */
    const struct plan *plan = w->config.plan;
    struct segment segment = segment_of(t);
    t->target = target_make(plan->scenario, w->config.url, segment);
    struct shard_config config = {
        .plan = plan,
        .target = &t->target,
        .segment = segment,
        .filter = target_filter,
        .filter_owner = plan->scenario,
        .max_vus_own = most_users(t),
        .log_successes = w->log_successes,
        .post = post_report,
        .owner = t,
        .health = health_read,
        .health_owner = t->health,
    };
    t->shard = shard_new(t->loop, &config);
    return 0;
}

static void *shard_main(void *arg)
{
    struct shard_thread *t = arg;

    t->start_rc = set_up(t);
    bool ok = t->start_rc == 0;
    sem_post(&t->started);
    if (!ok) {
        return NULL;
    }
    loop_run(t->loop);
    mailbox_clear(&t->inbox);
    shard_free(t->shard);
    health_free(t->health);
    loop_free(t->loop);
    return NULL;
}

/* ---- on the control plane's thread -------------------------------------------------------------
 */

static void order(struct shard_thread *t, struct message fields)
{
    struct message *m = xmalloc(sizeof *m);

    *m = fields;
    list_init(&m->node);
    mailbox_post(&t->inbox, &m->node);
}

static void order_all(struct local_worker *w, struct message fields)
{
    for (uint32_t i = 0; i < w->started_count; i++) {
        order(&w->shards[i], fields);
    }
}

static void recycle(struct local_worker *w, struct message *m)
{
    m->kind = ORDER_RECYCLE;
    mailbox_post(&w->shards[m->shard - w->config.base].inbox, &m->node);
}

static void on_report(struct mailbox *box, struct list *node)
{
    struct local_worker *w = list_entry(box, struct local_worker, outbox);
    struct message *m = list_entry(node, struct message, node);
    const struct worker_listener *l = &w->listener;

    switch (m->kind) {
    case REPORT_WINDOW:
        if (l->on_window != NULL) {
            l->on_window(l->owner, m->shard, m->window);
        }
        recycle(w, m);
        return;
    case REPORT_CHECKS:
        if (l->on_checks != NULL) {
            l->on_checks(l->owner, m->checks);
        }
        xfree(m->checks);
        break;
    case REPORT_DRAINED:
        if (l->on_drained != NULL) {
            l->on_drained(l->owner, m->shard);
        }
        break;
    case ORDER_CHECK:
    case ORDER_STAGE:
    case ORDER_DRAIN:
    case ORDER_STOP:
    case ORDER_RECYCLE:
    case ORDER_QUIT:
        break;
    }
    xfree(m);
}

static int start_shard(struct local_worker *w, uint32_t index, struct err *err)
{
    struct shard_thread *t = &w->shards[index];

    t->worker = w;
    t->index = index;
    sem_init(&t->started, 0, 0);
    int sys = pthread_create(&t->thread, NULL, shard_main, t);
    if (sys != 0) {
        return err_sys(err, ERR_IO, sys, "cannot start a thread");
    }
    while (sem_wait(&t->started) != 0) {
        /* interrupted by a signal: wait on */
    }
    if (t->start_rc != 0) {
        pthread_join(t->thread, NULL);
        return err_set(err, t->start_rc, "%s", t->start_err.msg);
    }
    w->started_count++;
    return 0;
}

static bool is_part(const struct local_worker_config *c)
{
    return c->total <= DEAL_SOURCES_MAX && c->shards > 0 && c->base < c->total &&
           c->shards <= c->total - c->base && (c->deal == NULL || c->deal->count == c->total);
}

int local_worker_new(struct loop *loop,
                     const struct local_worker_config *config,
                     struct local_worker **out,
                     struct err *err)
{
    bool all = config->total == 0;

    if (!all && !is_part(config)) {
        return err_set(err, ERR_INVALID, "%u sources from %u on are no part of a run of %u",
                       config->shards, config->base, config->total);
    }
    struct local_worker *w = xcalloc(1, sizeof *w);
    w->config = *config;
    if (all) {
        w->config.base = 0;
        w->config.deal = NULL;
    }
    w->shard_count =
        all ? sharding_choose(config->plan, config->threads, cores_of_process()) : config->shards;
    w->log_successes = config->log ? plan_log_successes(config->plan) : 0;
    w->shards = xcalloc(w->shard_count, sizeof *w->shards);
    int rc = mailbox_init(&w->outbox, loop, on_report, err);
    if (rc != 0) {
        xfree(w->shards);
        xfree(w);
        return rc;
    }
    for (uint32_t i = 0; rc == 0 && i < w->shard_count; i++) {
        rc = start_shard(w, i, err);
    }
    if (rc != 0) {
        local_worker_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

void local_worker_listen(struct local_worker *w, const struct worker_listener *listener)
{
    w->listener = *listener;
}

/* After the threads have ended: nobody takes a window back. */
static void on_late_report(struct mailbox *box, struct list *node)
{
    struct message *m = list_entry(node, struct message, node);

    (void)box;
    window_free(m->window);
    xfree(m->checks);
    xfree(m);
}

void local_worker_free(struct local_worker *w)
{
    if (w == NULL) {
        return;
    }
    order_all(w, (struct message){.kind = ORDER_QUIT});
    for (uint32_t i = 0; i < w->started_count; i++) {
        pthread_join(w->shards[i].thread, NULL);
        sem_destroy(&w->shards[i].started);
    }
    w->outbox.on_message = on_late_report;
    mailbox_clear(&w->outbox);
    xfree(w->shards);
    xfree(w);
}

uint32_t local_worker_shards(const struct local_worker *w)
{
    return w->shard_count;
}

void local_worker_check_with(void *worker, bool lists)
{
    struct local_worker *w = worker;

    order(&w->shards[0], (struct message){.kind = ORDER_CHECK, .lists = lists});
}

void local_worker_check(void *worker)
{
    local_worker_check_with(worker, true);
}

void local_worker_stage(
    void *worker, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    order_all(worker, (struct message){.kind = ORDER_STAGE,
                                       .stage = stage,
                                       .grid_ns = grid_ns,
                                       .start_ns = start_ns,
                                       .end_ns = end_ns});
}

void local_worker_drain(void *worker, bool natural)
{
    order_all(worker, (struct message){.kind = ORDER_DRAIN, .natural = natural});
}

void local_worker_stop(void *worker)
{
    order_all(worker, (struct message){.kind = ORDER_STOP});
}
