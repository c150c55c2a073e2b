/* SPDX-License-Identifier: MIT */
/*
 * A run that is played by worker processes, all in one process: the control plane's run, a few
 * remotes (worker/remote.h) with their threads, and the mock, over real loopback sockets. Orders
 * and reports travel as bytes; the line between may lose them.
 */
#ifndef INTEGRATION_REMOTE_WORLD_H
#define INTEGRATION_REMOTE_WORLD_H

#include "base/mem.h"
#include "control/run.h"
#include "mock/server/serve.h"
#include "support/planned.h"
#include "support/unit.h"
#include "wire/report.h"
#include "wire/totals.h"
#include "wire/window.h"
#include "worker/remote.h"

enum { MEMBERS_MAX = 3, ORDERS_MAX = 32 };

static const struct clock real_clock = {0};

struct world;

/* A worker, and what the control plane knows of it. */
struct member {
    struct world *world;
    struct remote *remote;
    uint32_t base, shards;
    char *orders[ORDERS_MAX]; /* as they were sent, to be sent again */
    uint32_t order_count;
    uint64_t applied; /* reports, in order */
    uint64_t repeats; /* that came again and were dropped */
    unsigned lose;    /* so many deliveries get lost from now on */
    bool cut;         /* something was lost: the connection comes back later */
    struct timer again;
    bool ready, totals_came;
    char rejected[WIRE_ERROR_SIZE];
    unsigned windows, drained;
    struct wire_totals totals, sum; /* what it said, and what its windows made up */
};

struct world {
    struct planned planned;
    json_t *document;
    struct loop *loop;
    struct mock_serve *mock;
    struct member members[MEMBERS_MAX];
    uint32_t member_count, total;
    struct wire_u32s weights;
    struct window *window; /* the decoder's */
    struct run_workers orders;
    struct run *run;
    int64_t ahead_ns; /* how far the workers' clocks are ahead of the control plane's: pretended */
    uint64_t max_vus;
    size_t report_bytes;
    bool log;           /* windows carry operations */
    uint64_t logged[2]; /* of them: successes, failures */
    struct timer stop;
    uint64_t stop_ns; /* 0: none; else the run is stopped so long after its start */
    enum stop_mode stop_mode;
    void (*on_window)(struct world *w, struct member *m); /* a test's own; may be NULL */
    struct buf text;
};

/* ---- orders ---------------------------------------------------------------------------------- */

static inline void deliver_order(struct member *m, const char *text)
{
    struct err err = {0};

    if (remote_on_order(m->remote, str_c(text), &err) != 0) {
        fail_msg("%s in %s", err.msg, text);
    }
}

static inline void give(struct member *m, struct wire_order order)
{
    struct buf text;

    snprintf(order.run_id, sizeof order.run_id, "run_1");
    order.n = m->order_count + 1;
    buf_init(&text, WIRE_ORDER_BYTES_MAX);
    assert_int_equal(wire_order_encode(&order, &text), 0);
    assert_true(m->order_count < ORDERS_MAX);
    m->orders[m->order_count++] = xstrdup(buf_c(&text));
    buf_clear(&text);
    if (!m->cut) {
        deliver_order(m, m->orders[m->order_count - 1]);
    }
}

static inline void give_all(struct world *w, struct wire_order order)
{
    for (uint32_t i = 0; i < w->member_count; i++) {
        give(&w->members[i], order);
    }
}

static inline void order_check(void *workers)
{
    struct world *w = workers;

    give(&w->members[0], (struct wire_order){.kind = WIRE_ORDER_CHECK, .lists = true});
}

static inline void
order_stage(void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    struct world *w = workers;

    give_all(w, (struct wire_order){.kind = WIRE_ORDER_STAGE,
                                    .stage = stage,
                                    .grid_ns = grid_ns - (uint64_t)w->ahead_ns,
                                    .start_ns = start_ns - (uint64_t)w->ahead_ns,
                                    .end_ns = end_ns - (uint64_t)w->ahead_ns});
}

static inline void order_drain(void *workers, bool natural)
{
    give_all(workers, (struct wire_order){.kind = WIRE_ORDER_DRAIN, .natural = natural});
}

static inline void order_stop(void *workers)
{
    give_all(workers, (struct wire_order){.kind = WIRE_ORDER_STOP});
}

static inline void assign(struct world *w, struct member *m)
{
    struct wire_order order = {.kind = WIRE_ORDER_ASSIGN,
                               .execution_id = "exe_1",
                               .worker_id = "wkr_1",
                               .scenario = json_incref(w->document),
                               .base = m->base,
                               .shards = m->shards,
                               .total = w->total,
                               .weights = w->weights,
                               .log = w->log};

    give(m, order);
    json_decref(w->document);
}

/* ---- reports --------------------------------------------------------------------------------- */

static inline void count_logged(struct world *w)
{
    if (w->window->log != NULL) {
        w->logged[0] += w->window->log->successes.count;
        w->logged[1] += w->window->log->failures.count;
    }
}

static inline void apply_window(struct member *m, struct str body)
{
    struct world *w = m->world;
    const struct plan *plan = w->planned.plan;
    struct wire_window_limits limits = {.key_count = plan->key_count,
                                        .stage_count = plan->stage_count};
    uint32_t source;

    assert_int_equal(wire_source_decode(&body, w->total, &source, NULL), 0);
    assert_int_equal(wire_window_decode(body, &limits, w->window, NULL), 0);
    assert_in_range(source, m->base, m->base + m->shards - 1);
    wire_totals_add(&m->sum, w->window);
    /* Seconds are those of the control plane's clock again. */
    assert_true(w->window->start_ns < loop_clock(w->loop) - (uint64_t)w->ahead_ns);
    w->window->start_ns += (uint64_t)w->ahead_ns;
    w->window->end_ns += (uint64_t)w->ahead_ns;
    m->windows++;
    count_logged(w);
    run_on_window(w->run, source, w->window);
    if (w->on_window != NULL) {
        w->on_window(w, m);
    }
}

static inline void apply_checks(struct member *m, struct str body)
{
    struct check_list checks;

    assert_int_equal(wire_checks_decode(body, &checks, NULL), 0);
    run_on_checks(m->world->run, &checks);
}

static inline void apply_drained(struct member *m, struct str body)
{
    uint32_t source;

    assert_int_equal(wire_source_decode(&body, m->world->total, &source, NULL), 0);
    m->drained++;
    if (m->world->run->state != RUN_STOPPING) { /* nobody told it to: it leaves */
        run_on_worker_lost(m->world->run, m->world->planned.identity.worker_id, 0);
    }
    run_on_drained(m->world->run, source);
}

static inline void all_ready(struct world *w)
{
    for (uint32_t i = 0; i < w->member_count; i++) {
        if (!w->members[i].ready) {
            return;
        }
    }
    if (w->stop_ns > 0) {
        loop_timer_arm(w->loop, &w->stop, loop_clock(w->loop) + w->stop_ns);
    }
    run_emit_created(w->run);
    run_start(w->run);
}

static inline void apply(struct member *m, const struct wire_report *r)
{
    struct wire_rejected rejected;
    struct wire_ready ready;

    switch (r->kind) {
    case WIRE_REPORT_READY:
        assert_int_equal(wire_ready_decode(r->body, &ready, NULL, NULL), 0);
        assert_int_equal(ready.shards, m->shards);
        m->ready = true;
        all_ready(m->world);
        break;
    case WIRE_REPORT_REJECTED:
        assert_int_equal(wire_rejected_decode(r->body, &rejected, NULL, NULL), 0);
        snprintf(m->rejected, sizeof m->rejected, "%s", rejected.error);
        loop_stop(m->world->loop);
        break;
    case WIRE_REPORT_CHECKS:
        apply_checks(m, r->body);
        break;
    case WIRE_REPORT_WINDOW:
        apply_window(m, r->body);
        break;
    case WIRE_REPORT_DRAINED:
        apply_drained(m, r->body);
        break;
    case WIRE_REPORT_TOTALS:
        assert_int_equal(wire_totals_decode(r->body, &m->totals, NULL), 0);
        m->totals_came = true;
        break;
    }
}

/* In order and once: what is known is dropped, and nothing is ever missing. */
static inline void take_report(struct member *m, struct str payload)
{
    struct wire_report r;

    assert_int_equal(wire_report_decode(payload, &r, NULL), 0);
    assert_string_equal(r.run_id, "run_1");
    if (r.seq <= m->applied) {
        m->repeats++;
        return;
    }
    assert_int_equal(r.seq, m->applied + 1);
    m->applied = r.seq;
    apply(m, &r);
}

static inline void take_frames(struct member *m, struct str bytes)
{
    const char *p = bytes.p, *end = bytes.p + bytes.len;
    struct wire_reader reader;
    struct wire_frame frame;

    wire_reader_init(&reader, WIRE_FRAME_MAX);
    while (wire_reader_next(&reader, &p, end, &frame, NULL) == WIRE_READ) {
        assert_int_equal(frame.kind, WIRE_REPORT);
        take_report(m, frame.payload);
    }
    assert_true(wire_reader_idle(&reader));
    wire_reader_clear(&reader);
    remote_on_ack(m->remote, "run_1", m->applied);
}

static inline bool all_told(const struct world *w)
{
    for (uint32_t i = 0; i < w->member_count; i++) {
        if (!w->members[i].totals_came || !remote_done(w->members[i].remote)) {
            return false;
        }
    }
    return run_state_terminal(w->run->state);
}

static inline void on_change(void *owner)
{
    struct member *m = owner;
    struct world *w = m->world;
    struct buf bytes;

    buf_init(&bytes, WIRE_FRAME_MAX + WIRE_FRAME_HEAD);
    if (!m->cut && remote_take(m->remote, 65536, &bytes) > 0) {
        if (m->lose > 0) {
            m->lose--;
            m->cut = true;
            loop_timer_arm(w->loop, &m->again, loop_clock(w->loop) + 300 * NS_PER_MS);
        } else {
            take_frames(m, buf_str(&bytes));
        }
    }
    buf_clear(&bytes);
    if (all_told(w)) {
        loop_stop(w->loop);
    }
}

/* The connection is back: all orders, and what was not acknowledged, come again. */
static inline void on_again(struct timer *t)
{
    struct member *m = list_entry(t, struct member, again);

    m->cut = false;
    for (uint32_t i = 0; i < m->order_count; i++) {
        deliver_order(m, m->orders[i]);
    }
    remote_rewind(m->remote);
    on_change(m);
}

/* ---- a run ----------------------------------------------------------------------------------- */

static inline void on_stop(struct timer *t)
{
    struct world *w = list_entry(t, struct world, stop);

    run_stop_request(w->run, w->stop_mode, 0, "user");
}

static inline void on_run_end(void *owner)
{
    struct world *w = owner;

    if (all_told(w)) {
        loop_stop(w->loop);
    }
}

static inline void start_mock(struct world *w)
{
    struct mock_serve_config config = {.mock = mock_config_default(), .threads = 2};

    assert_int_equal(
        addr_parse_listen(STR("127.0.0.1:0"), config.addresses, &config.address_count, NULL), 0);
    assert_int_equal(mock_serve_start(&config, &w->mock, NULL), 0);
}

static inline void make_member(struct world *w, struct member *m)
{
    m->world = w;
    m->base = w->total;
    m->shards = m->shards > 0 ? m->shards : 1;
    w->total += m->shards;
    timer_init(&m->again, on_again);
    wire_totals_init(&m->totals, w->planned.plan->key_count);
    wire_totals_init(&m->sum, w->planned.plan->key_count);
    m->remote = remote_new(&(struct remote_config){
        .loop = w->loop,
        .capacity = {.max_vus = w->max_vus > 0 ? w->max_vus : 1000, .cores = 2},
        .report_bytes_max = w->report_bytes,
        .on_change = on_change,
        .owner = m});
    remote_set_ahead(m->remote, w->ahead_ns);
}

/* `workload` and `stages` are members of the scenario, ' for ". Members with shards are played; one
 * with a single shard if there is none. */
static inline void set_up(struct world *w, const char *workload, const char *stages)
{
    struct run_observer observer = {.on_end = on_run_end, .owner = w};
    char text[4000];

    start_mock(w);
    snprintf(text, sizeof text,
             "{'target': {'url': 'http://127.0.0.1:%u/mcp'}, 'workload': {'user_journey': "
             "{'startup_sequence': {'run_tools_list_on_start': false}, 'periodic_ops': "
             "{'tools_list_interval_ms': 0, 'tools_list_after_errors': 0}}, %s}, 'stages': [%s]}",
             mock_serve_port(w->mock), workload, stages);
    planned_make(&w->planned, text, NULL, 0);
    w->document = json_deep_copy(scenario_document(w->planned.scenario));
    assert_int_equal(loop_new(&real_clock, &w->loop, NULL), 0);
    timer_init(&w->stop, on_stop);
    while (w->member_count < MEMBERS_MAX &&
           (w->member_count == 0 || w->members[w->member_count].shards > 0)) {
        make_member(w, &w->members[w->member_count++]);
    }
    w->window = window_new(w->planned.plan->key_count, 0, 0);
    w->orders = (struct run_workers){.check = order_check,
                                     .stage = order_stage,
                                     .drain = order_drain,
                                     .stop = order_stop,
                                     .source_count = w->total};
    struct run_parts parts = {.plan = w->planned.plan,
                              .identity = &w->planned.identity,
                              .workers = &w->orders,
                              .workers_owner = w,
                              .observer = observer};
    assert_int_equal(run_new(w->loop, &parts, &w->run, NULL), 0);
}

static inline void play(struct world *w)
{
    for (uint32_t i = 0; i < w->member_count; i++) {
        assign(w, &w->members[i]);
    }
    loop_run(w->loop);
}

static inline void tear_down(struct world *w)
{
    for (uint32_t i = 0; i < w->member_count; i++) {
        struct member *m = &w->members[i];

        loop_timer_cancel(w->loop, &m->again);
        remote_free(m->remote);
        wire_totals_clear(&m->totals);
        wire_totals_clear(&m->sum);
        for (uint32_t j = 0; j < m->order_count; j++) {
            xfree(m->orders[j]);
        }
    }
    loop_timer_cancel(w->loop, &w->stop);
    run_free(w->run);
    window_free(w->window);
    loop_free(w->loop);
    mock_serve_stop(w->mock);
    json_decref(w->document);
    planned_clear(&w->planned);
}

/* ---- what came of it --------------------------------------------------------------------------
 */

static inline uint64_t total(const struct world *w, enum count id)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    filter.dists = 0;
    aggregate_view_total(w->run->books, &filter, &view);
    uint64_t n = view.count[id];
    metric_view_clear(&view);
    return n;
}

#endif
