/* SPDX-License-Identifier: MIT */
/* A shard over a scripted peer and a virtual clock, with the books of what it reported. */
#ifndef UNIT_ENGINE_WORLD_H
#define UNIT_ENGINE_WORLD_H

#include "base/mem.h"
#include "engine/shard.h"
#include "support/peer.h"
#include "support/planned.h"
#include "support/unit.h"

#include <errno.h>

#define MS      NS_PER_MS
#define TICK_NS (UINT64_C(1) << 16)

/* Of the shards to come; 0: they keep no log. */
static uint32_t log_successes;

enum { WORLD_KEYS_MAX = 32, WORLD_SECONDS_MAX = 200 };

static uint64_t now_ns = 1000 * NS_PER_S;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

/* The samples of all windows together. */
struct dist_sum {
    uint64_t count, sum, min, max;
};

struct world {
    struct planned planned;
    struct loop *loop;
    struct peer peer;
    struct mcp_target target;
    struct shard *shard;
    struct list orders; /* windows on their way back */
    uint64_t start_ns;

    uint64_t count[WORLD_KEYS_MAX][COUNT_ALL], run[COUNT_ALL];
    struct dist_sum dist[DIST_ALL], run_dist[DIST_ALL];
    struct window_gauges gauges[WORLD_SECONDS_MAX];
    uint64_t windows, next_second, drained_reports;
    uint64_t failures[ERROR_CODE_COUNT];
    uint64_t limits[LIMIT_COUNT];
    uint64_t lines, lines_left_out, unfinished[UNFINISHED_COUNT]; /* of the log */
    struct check_list *checks;
    /* For the peer's scripts. */
    uint64_t arrivals[4096];
    uint32_t arrival_count;
    int script;
};

static inline void add_dists(struct dist_sum *to, const struct window_part *part)
{
    for (int i = 0; i < DIST_ALL; i++) {
        const struct hist *h = part->dist[i];

        if (h != NULL && h->head.count > 0) {
            to[i].min = to[i].count == 0 || h->head.min < to[i].min ? h->head.min : to[i].min;
            to[i].max = h->head.max > to[i].max ? h->head.max : to[i].max;
            to[i].count += h->head.count;
            to[i].sum += h->sum;
        }
    }
}

static inline void take_log(struct world *w, const struct window *win)
{
    w->lines_left_out += win->samples_lost + win->samples_thinned;
    if (win->log == NULL) {
        return;
    }
    w->lines += win->log->successes.count + win->log->failures.count;
    for (uint32_t i = 0; i < win->log->failures.count; i++) {
        w->unfinished[win->log->failures.items[i].outcome.unfinished]++;
    }
}

static inline void take_window(struct world *w, const struct window *win)
{
    assert_true(win->second < WORLD_SECONDS_MAX);
    assert_true(w->windows == 0 || win->second == w->next_second); /* no gap, none twice */
    assert_true(win->start_ns <= win->end_ns);
    w->next_second = win->second + 1;
    w->windows++;
    take_log(w, win);
    w->gauges[win->second] = win->gauges;
    for (uint32_t k = 0; k < win->key_count; k++) {
        for (int i = 0; i < COUNT_ALL; i++) {
            w->count[k][i] += win->keys[k].count[i];
        }
        add_dists(w->dist, &win->keys[k]);
    }
    for (int i = 0; i < COUNT_ALL; i++) {
        w->run[i] += win->run.count[i] + win->later.run.count[i];
    }
    add_dists(w->run_dist, &win->run);
    add_dists(w->run_dist, &win->later.run);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        w->limits[i] += win->limits[i];
    }
    for (uint32_t i = 0; i < win->failure_count; i++) {
        w->failures[win->failures[i].code] += win->failures[i].count;
    }
}

static inline void world_post(void *owner, struct message *m)
{
    struct world *w = owner;

    if (m->kind == REPORT_WINDOW) {
        take_window(w, m->window);
        m->kind = ORDER_RECYCLE;
        list_append(&w->orders, &m->node);
        return;
    }
    if (m->kind == REPORT_CHECKS) {
        w->checks = m->checks;
    } else {
        assert_int_equal(m->kind, REPORT_DRAINED);
        w->drained_reports++;
    }
    xfree(m);
}

static inline void give(struct world *w, struct message fields)
{
    struct message *m = xmalloc(sizeof *m);

    *m = fields;
    list_init(&m->node);
    shard_take(w->shard, m);
}

static inline void world_init(struct world *w, const char *scenario)
{
    memset(w, 0, sizeof *w);
    planned_make(&w->planned, scenario, NULL, 0);
    assert_true(w->planned.plan->key_count <= WORLD_KEYS_MAX);
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    peer_init(&w->peer, w->loop);
    w->peer.owner = w;
    w->peer.delay_ns = 10 * MS;
    list_init(&w->orders);
    const struct timeouts_config *t = &w->planned.scenario->target.timeouts;
    w->target = (struct mcp_target){
        .host = "peer",
        .port = 80,
        .version = "2025-11-25",
        .connect_ns = t->connect_ns,
        .request_ns = t->request_ns,
        .stall_ns = t->stream_stall_ns,
        .max_connections = w->planned.scenario->safety.caps.max_connections,
    };
    struct shard_config config = {
        .plan = w->planned.plan,
        .target = &w->target,
        .segment = {.index = 0, .count = 1},
        .opener = peer_open,
        .opener_owner = &w->peer,
        .log_successes = log_successes,
        .post = world_post,
        .owner = w,
    };
    w->shard = shard_new(w->loop, &config);
}

/* Windows go back in between, as a reporting thread would send them. */
static inline void run_for(struct world *w, uint64_t ns)
{
    uint64_t until = now_ns + ns;

    while (now_ns < until) {
        uint64_t step = until - now_ns < NS_PER_S ? until - now_ns : NS_PER_S;

        loop_run_virtual(w->loop, &now_ns, now_ns + step);
        list_foreach_safe (node, &w->orders) {
            list_remove(node);
            shard_take(w->shard, list_entry(node, struct message, node));
        }
    }
}

/* The stage begins in 1 ms and ends duration_ns later. */
static inline void begin_stage(struct world *w, uint32_t stage, uint64_t duration_ns)
{
    uint64_t start = now_ns + MS;

    if (w->start_ns == 0) {
        w->start_ns = start;
    }
    give(w, (struct message){.kind = ORDER_STAGE,
                             .stage = stage,
                             .grid_ns = w->start_ns,
                             .start_ns = start,
                             .end_ns = start + duration_ns});
}

static inline uint64_t total(const struct world *w, enum count id)
{
    uint64_t sum = 0;

    for (int k = 0; k < WORLD_KEYS_MAX; k++) {
        sum += w->count[k][id];
    }
    return sum;
}

/* Drains, and checks what must be true of every run's books. */
static inline void finish(struct world *w)
{
    give(w, (struct message){.kind = ORDER_DRAIN});
    for (int i = 0; i < 100 && w->drained_reports == 0; i++) {
        run_for(w, NS_PER_S);
    }
    assert_int_equal(w->drained_reports, 1);
    for (int k = 0; k < WORLD_KEYS_MAX; k++) {
        const uint64_t *c = w->count[k];
        assert_int_equal(c[COUNT_STARTED],
                         c[COUNT_ENDED_OK] + c[COUNT_ENDED_FAILED] + c[COUNT_UNFINISHED]);
        assert_int_equal(c[COUNT_STREAMS_STARTED],
                         c[COUNT_STREAMS_ENDED] + c[COUNT_STREAMS_UNFINISHED]);
    }
    assert_int_equal(w->run[COUNT_EARLY_SENDS], 0);
}

static inline void world_clear(struct world *w)
{
    list_foreach_safe (node, &w->orders) {
        list_remove(node);
        shard_take(w->shard, list_entry(node, struct message, node));
    }
    shard_free(w->shard);
    list_foreach_safe (node, &w->orders) {
        struct message *m = list_entry(node, struct message, node);
        list_remove(node);
        window_free(m->window);
        xfree(m);
    }
    peer_clear(&w->peer);
    loop_run_virtual(w->loop, &now_ns, now_ns + MS);
    loop_free(w->loop);
    planned_clear(&w->planned);
    xfree(w->checks);
}

/* A peer's script: notes when operations arrive. */
static inline bool note_arrival(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    if (strncmp(r->method, "tools/", 6) == 0 && w->arrival_count < 4096) {
        w->arrivals[w->arrival_count++] = r->at_ns;
    }
    return false;
}

#endif
