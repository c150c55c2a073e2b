/* SPDX-License-Identifier: MIT */
/* A whole run on a virtual clock: the control plane over two shards and a scripted peer, on one
 * loop. */
#ifndef INTEGRATION_WORLD_H
#define INTEGRATION_WORLD_H

#include "base/mem.h"
#include "control/run.h"
#include "engine/shard.h"
#include "support/peer.h"
#include "support/planned.h"
#include "support/unit.h"

#define MS NS_PER_MS

enum { SHARDS = 2 };

static uint64_t now_ns = 1000 * NS_PER_S;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

struct world {
    struct planned planned;
    struct loop *loop;
    struct peer peer;
    struct mcp_target target;
    struct shard *shards[SHARDS];
    struct run *run;
    struct run_workers workers;
    struct list reports; /* on their way to the run */
    struct defer deliver;
    unsigned ends;
};

/* ---- messages, as worker/local.c carries them
 * ---------------------------------------------------- */

static inline void post(void *owner, struct message *report)
{
    struct world *w = owner;

    list_append(&w->reports, &report->node);
    loop_defer(w->loop, &w->deliver);
}

static inline void deliver_one(struct world *w, struct message *m)
{
    switch (m->kind) {
    case REPORT_WINDOW:
        run_on_window(w->run, m->shard, m->window);
        m->kind = ORDER_RECYCLE;
        shard_take(w->shards[m->shard], m);
        return;
    case REPORT_CHECKS:
        run_on_checks(w->run, m->checks);
        xfree(m->checks);
        break;
    case REPORT_DRAINED:
        run_on_drained(w->run, m->shard);
        break;
    case ORDER_CHECK:
    case ORDER_STAGE:
    case ORDER_DRAIN:
    case ORDER_STOP:
    case ORDER_RECYCLE:
    case ORDER_QUIT:
        fail_msg("an order where a report belongs");
    }
    xfree(m);
}

static inline void on_deliver(struct defer *d)
{
    struct world *w = list_entry(d, struct world, deliver);

    while (!list_empty(&w->reports)) {
        struct message *m = list_entry(w->reports.next, struct message, node);

        list_remove(&m->node);
        deliver_one(w, m);
    }
}

static inline void order(struct world *w, uint32_t shard, struct message fields)
{
    struct message *m = xmalloc(sizeof *m);

    *m = fields;
    list_init(&m->node);
    shard_take(w->shards[shard], m);
}

static inline void order_all(struct world *w, struct message fields)
{
    for (uint32_t i = 0; i < SHARDS; i++) {
        order(w, i, fields);
    }
}

static inline void order_check(void *workers)
{
    order(workers, 0, (struct message){.kind = ORDER_CHECK, .lists = true});
}

static inline void
order_stage(void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    order_all(workers, (struct message){.kind = ORDER_STAGE,
                                        .stage = stage,
                                        .grid_ns = grid_ns,
                                        .start_ns = start_ns,
                                        .end_ns = end_ns});
}

static inline void order_drain(void *workers, bool natural)
{
    order_all(workers, (struct message){.kind = ORDER_DRAIN, .natural = natural});
}

static inline void order_stop(void *workers)
{
    order_all(workers, (struct message){.kind = ORDER_STOP});
}

/* ---- the world --------------------------------------------------------------------------------
 */

static inline void on_end(void *owner)
{
    ((struct world *)owner)->ends++;
}

static inline void set_up_with(struct world *w, const char *text)
{
    static const char *const metrics[] = {"stream_stall_count",    "error_rate",
                                          "ops_per_second",        "latency_p50_ms",
                                          "connection_error_rate", "stream_stall_seconds"};
    struct run_observer observer = {.on_end = on_end, .owner = w};

    *w = (struct world){0};
    planned_make(&w->planned, text, metrics, sizeof metrics / sizeof metrics[0]);
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    peer_init(&w->peer, w->loop);
    w->peer.delay_ns = 10 * MS;
    list_init(&w->reports);
    defer_init(&w->deliver, on_deliver);
    w->target = (struct mcp_target){.host = "peer",
                                    .port = 80,
                                    .version = "2025-11-25",
                                    .connect_ns = NS_PER_S,
                                    .request_ns = 30 * NS_PER_S,
                                    .stall_ns = 2 * NS_PER_S};
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct shard_config config = {.plan = w->planned.plan,
                                      .target = &w->target,
                                      .segment = {.index = i, .count = SHARDS},
                                      .opener = peer_open,
                                      .opener_owner = &w->peer,
                                      .post = post,
                                      .owner = w};
        w->shards[i] = shard_new(w->loop, &config);
    }
    w->workers = (struct run_workers){.check = order_check,
                                      .stage = order_stage,
                                      .drain = order_drain,
                                      .stop = order_stop,
                                      .source_count = SHARDS};
    struct run_parts parts = {.plan = w->planned.plan,
                              .identity = &w->planned.identity,
                              .workers = &w->workers,
                              .workers_owner = w,
                              .observer = observer};
    assert_int_equal(run_new(w->loop, &parts, &w->run, NULL), 0);
    run_emit_created(w->run);
    run_start(w->run);
}

static inline void run_for(struct world *w, uint64_t ns)
{
    loop_run_virtual(w->loop, &now_ns, now_ns + ns);
}

static inline void tear_down(struct world *w)
{
    for (uint32_t i = 0; i < SHARDS; i++) {
        shard_free(w->shards[i]);
    }
    run_free(w->run);
    peer_clear(&w->peer);
    run_for(w, MS);
    loop_free(w->loop);
    planned_clear(&w->planned);
}

static inline uint64_t
total_of(const struct world *w, enum aggregate_share share, int32_t stage, enum count id)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    filter.dists = 0;
    filter.share = share;
    filter.stage_index = stage;
    aggregate_view_total(w->run->books, &filter, &view);
    uint64_t n = view.count[id];
    metric_view_clear(&view);
    return n;
}

static inline uint64_t total(const struct world *w, enum count id)
{
    return total_of(w, AGGREGATE_ALL, -1, id);
}

/* Of every run that has ended, however it did. */
static inline void check_books(const struct world *w)
{
    assert_int_equal(w->ends, 1);
    assert_true(run_state_terminal(w->run->state));
    assert_string_equal(w->run->validity, "valid");
    assert_int_equal(total(w, COUNT_STARTED), total(w, COUNT_ENDED_OK) +
                                                  total(w, COUNT_ENDED_FAILED) +
                                                  total(w, COUNT_UNFINISHED));
    assert_int_equal(total(w, COUNT_REQUESTS_SENT), peer_count_of(&w->peer, "tools/call"));
    assert_int_equal(w->peer.open_connections, 0);
}

/* Answers a call. */
static inline void say_result(const struct peer_request *r, uint64_t after_ns, const char *result)
{
    char body[256];

    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}", (long long)r->id,
             result);
    peer_respond(r->conn, after_ns, 200, "application/json", NULL, body);
}

/* A target that takes one call after the other, 10 ms each. */
static inline bool one_by_one(void *owner, const struct peer_request *r)
{
    static uint64_t free_ns;

    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    free_ns = (free_ns > r->at_ns ? free_ns : r->at_ns) + 10 * MS;
    say_result(r, free_ns - r->at_ns, "{\"content\":[]}");
    return true;
}

#endif
