/* SPDX-License-Identifier: MIT */
/*
 * The control plane over two shards and a scripted peer, on one loop with a virtual clock: whole
 * runs in milliseconds, the same each time. Whenever somebody stops them, the books balance.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "control/run.h"
#include "engine/shard.h"
#include "support/peer.h"
#include "support/planned.h"
#include "support/unit.h"

#include <signal.h>

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
    uint64_t stall_at_ns; /* from then on calls are not answered; 0: never */
    uint64_t fail_at_ns;  /* from then on each third call fails; 0: never */
    uint64_t failures;
};

/* ---- messages, as worker/local.c carries them
 * ---------------------------------------------------- */

static void post(void *owner, struct message *report)
{
    struct world *w = owner;

    list_append(&w->reports, &report->node);
    loop_defer(w->loop, &w->deliver);
}

static void deliver_one(struct world *w, struct message *m)
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

static void on_deliver(struct defer *d)
{
    struct world *w = list_entry(d, struct world, deliver);

    while (!list_empty(&w->reports)) {
        struct message *m = list_entry(w->reports.next, struct message, node);

        list_remove(&m->node);
        deliver_one(w, m);
    }
}

static void order(struct world *w, uint32_t shard, struct message fields)
{
    struct message *m = xmalloc(sizeof *m);

    *m = fields;
    list_init(&m->node);
    shard_take(w->shards[shard], m);
}

static void order_all(struct world *w, struct message fields)
{
    for (uint32_t i = 0; i < SHARDS; i++) {
        order(w, i, fields);
    }
}

static void order_check(void *workers)
{
    order(workers, 0, (struct message){.kind = ORDER_CHECK});
}

static void
order_stage(void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    order_all(workers, (struct message){.kind = ORDER_STAGE,
                                        .stage = stage,
                                        .grid_ns = grid_ns,
                                        .start_ns = start_ns,
                                        .end_ns = end_ns});
}

static void order_drain(void *workers, bool natural)
{
    order_all(workers, (struct message){.kind = ORDER_DRAIN, .natural = natural});
}

static void order_stop(void *workers)
{
    order_all(workers, (struct message){.kind = ORDER_STOP});
}

/* ---- the world --------------------------------------------------------------------------------
 */

static void on_end(void *owner)
{
    ((struct world *)owner)->ends++;
}

/* Streams that begin after `stall_at_ns` say nothing after their head. */
static bool stall_later(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    if (w->stall_at_ns == 0 || r->at_ns < w->stall_at_ns || strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    peer_sse_begin(r->conn, 0, NULL);
    return true;
}

/* Each third call says that it failed. */
static bool fail_some(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    if (w->fail_at_ns == 0 || r->at_ns < w->fail_at_ns || strcmp(r->method, "tools/call") != 0 ||
        w->failures++ % 3 != 0) {
        return stall_later(owner, r);
    }
    char body[160];
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"content\":[],\"isError\":true}}",
             (long long)r->id);
    peer_respond(r->conn, w->peer.delay_ns, 200, "application/json", NULL, body);
    return true;
}

static const char scenario[] =
    "{'target': {'url': 'http://localhost/mcp', 'timeouts': {'stream_stall_timeout_ms': 2000}},"
    " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
    "   'in_flight_per_vu': 2, 'think_time': {'mode': 'fixed', 'base_ms': 20}},"
    " 'stages': [{'stage': 'preflight', 'duration_ms': 2000, 'load': {'target_vus': 1}},"
    "   {'stage': 'baseline', 'duration_ms': 6000, 'load': {'target_vus': 7},"
    "    'stop_conditions': [{'id': 'stalls', 'metric': 'stream_stall_count', 'comparator': '>=',"
    "      'threshold': 5, 'window_ms': 3000, 'sustain_windows': 1}]}]}";

static void set_up_with(struct world *w, const char *text)
{
    static const char *const metrics[] = {"stream_stall_count", "error_rate", "ops_per_second",
                                          "latency_p50_ms", "connection_error_rate"};
    struct run_observer observer = {.on_end = on_end, .owner = w};

    *w = (struct world){0};
    planned_make(&w->planned, text, metrics, sizeof metrics / sizeof metrics[0]);
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    peer_init(&w->peer, w->loop);
    w->peer.delay_ns = 10 * MS;
    w->peer.on_request = fail_some;
    w->peer.owner = w;
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
                                      .segment = {i, SHARDS},
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
    assert_int_equal(run_new(w->loop, w->planned.plan, &w->planned.identity, &w->workers, w,
                             &observer, &w->run, NULL),
                     0);
    run_start(w->run);
}

static void set_up(struct world *w)
{
    set_up_with(w, scenario);
}

static void run_for(struct world *w, uint64_t ns)
{
    loop_run_virtual(w->loop, &now_ns, now_ns + ns);
}

static void tear_down(struct world *w)
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

static uint64_t
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

static uint64_t total(const struct world *w, enum count id)
{
    return total_of(w, AGGREGATE_ALL, -1, id);
}

/* Of every run that has ended, however it did. */
static void check_books(const struct world *w)
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

/* ---- runs -------------------------------------------------------------------------------------
 */

static void a_run_is_played_exactly(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    run_for(&w, 20 * NS_PER_S);
    check_books(&w);
    assert_string_equal(run_state_name(w.run->state), "completed");
    assert_int_equal(w.run->exit_code, 0);
    assert_int_equal(total(&w, COUNT_UNFINISHED), 0);
    assert_int_equal(w.peer.sessions, 1 + 7); /* the checks' own, and one for each user */
    assert_int_equal(peer_count_of(&w.peer, "DELETE"), 8);
    /* 30 ms a cycle and two slots: one user for 2 s, then seven for 6 s less their start. */
    assert_in_range(total(&w, COUNT_STARTED), 2 * 66 + 14 * 180, 2 * 68 + 14 * 201);
    tear_down(&w);
}

/* A preflight at full speed before a slow load that fails: nothing of the one is in the other. */
static void preflight_is_counted_apart(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
        "   'think_time': {'mode': 'none'}},"
        " 'success_criteria': ["
        "   {'metric': 'error_rate', 'comparator': '<', 'threshold': 0.01},"
        "   {'metric': 'ops_per_second', 'comparator': '<=', 'threshold': 20},"
        "   {'metric': 'latency_p50_ms', 'comparator': '>=', 'threshold': 100},"
        "   {'metric': 'ops_per_second', 'comparator': '>', 'threshold': 2000,"
        "    'scope': {'stage': 'preflight'}}],"
        " 'stages': [{'stage': 'preflight', 'duration_ms': 2500, 'load': {'target_vus': 4}},"
        "   {'stage': 'baseline', 'duration_ms': 10000,"
        "    'load': {'target_vus': 8, 'target_rps': 20}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    w.peer.delay_ns = MS / 2;
    run_for(&w, 2600 * MS); /* preflight is over, and judged a little later */
    w.peer.delay_ns = 100 * MS;
    w.fail_at_ns = now_ns;
    run_for(&w, 30 * NS_PER_S);
    check_books(&w);
    assert_string_equal(run_state_name(w.run->state), "completed");
    uint64_t load = total_of(&w, AGGREGATE_LOAD, -1, COUNT_STARTED);
    uint64_t preflight = total_of(&w, AGGREGATE_APART, -1, COUNT_STARTED);
    assert_int_equal(load, 200);
    assert_int_equal(total_of(&w, AGGREGATE_LOAD, -1, COUNT_DUE), 200);
    assert_in_range(total_of(&w, AGGREGATE_LOAD, -1, COUNT_ENDED_FAILED), 66, 67);
    assert_true(preflight > 90 * load);
    assert_int_equal(total_of(&w, AGGREGATE_APART, -1, COUNT_ENDED_FAILED), 0);
    /* Both sides' books: load, preflight. */
    assert_int_equal(load + preflight, peer_count_of(&w.peer, "tools/call"));
    assert_int_equal(total_of(&w, AGGREGATE_ALL, 0, COUNT_SESSIONS_CREATED), 4);
    assert_int_equal(total_of(&w, AGGREGATE_LOAD, -1, COUNT_SESSIONS_CREATED), 4);
    assert_int_equal(w.run->criteria[0].state, CRITERION_FAILED);
    assert_int_equal(w.run->criteria[1].state, CRITERION_MET);
    assert_true(w.run->criteria[1].value > 19.99);
    assert_int_equal(w.run->criteria[2].state, CRITERION_MET);
    assert_int_equal(w.run->criteria[3].state, CRITERION_MET);
    assert_int_equal(w.run->exit_code, 4);
    tear_down(&w);
}

/* The same stage alone is the whole run. */
static void preflight_alone_is_judged(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'success_criteria': [{'metric': 'error_rate', 'comparator': '<', 'threshold': 0.01}],"
        " 'stages': [{'stage': 'preflight', 'duration_ms': 2000, 'load': {'target_vus': 2}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    w.fail_at_ns = now_ns;
    run_for(&w, 30 * NS_PER_S);
    assert_int_equal(w.run->criterion_count, 1);
    assert_int_equal(w.run->criteria[0].state, CRITERION_FAILED);
    assert_true(total_of(&w, AGGREGATE_LOAD, -1, COUNT_ENDED_FAILED) > 0);
    assert_int_equal(total_of(&w, AGGREGATE_APART, -1, COUNT_STARTED), 0);
    assert_int_equal(w.run->exit_code, 4);
    tear_down(&w);
}

/* What ends long after the stage counts, and its rate is over the stage: 4 users, 1 s an answer. */
static void a_rate_is_over_the_time_of_load(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'success_criteria': [{'metric': 'ops_per_second', 'comparator': '>', 'threshold': 0}],"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 4000, 'load': {'target_vus': 4,"
        "   'start_spread_ms': 0}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    run_for(&w, 3900 * MS);
    w.peer.delay_ns = 8 * NS_PER_S; /* the drain */
    run_for(&w, 30 * NS_PER_S);
    check_books(&w);
    double per_s = (double)total(&w, COUNT_ENDED_OK) / 4;
    assert_true(w.run->ended_ms > 0 && total(&w, COUNT_ENDED_OK) > 1000);
    assert_true(w.run->criteria[0].value > per_s * 0.999);
    assert_true(w.run->criteria[0].value < per_s * 1.001);
    tear_down(&w);
}

static bool warned(const struct world *w, const char *wanted)
{
    return strstr(buf_c(&w->run->warnings), wanted) != NULL;
}

/* Between the 4th and the 7th second the target answers nothing. */
static void a_silence_is_told(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 10000, 'load': {'target_vus': 20,"
        "   'start_spread_ms': 0}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    run_for(&w, 20 * MS); /* the checks */
    run_for(&w, 3500 * MS);
    w.peer.delay_ns = 3 * NS_PER_S; /* what is sent from now on */
    run_for(&w, 100 * MS);
    w.peer.delay_ns = 10 * MS;
    run_for(&w, 60 * NS_PER_S);
    check_books(&w);
    assert_true(warned(&w, "nothing ended in seconds 4–5; 20 operations waited\n"));
    assert_false(warned(&w, "falls behind"));
    tear_down(&w);
}

/* Who takes a second for each answer is not frozen. */
static void a_slow_target_is_not_silent(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 30000, 'load': {'target_vus': 20,"
        "   'start_spread_ms': 0}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    w.peer.delay_ns = 2500 * MS; /* all of them at once */
    run_for(&w, 60 * NS_PER_S);
    assert_int_equal(w.run->warnings.len, 0);
    tear_down(&w);
}

static double falls_behind(const struct world *w, uint32_t stage)
{
    double per_second = 0;

    return pace_falls_behind(w->run, stage, &per_second) ? per_second : 0;
}

/* 20/s are due; one user at 62.5 ms can do 16. In the stage before it they were ten, and kept up.
 */
static void a_growing_backlog_is_told(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
        "   'in_flight_per_vu': 1},"
        " 'stages': [{'stage': 'baseline', 'stage_id': 'keeps', 'duration_ms': 20000,"
        "    'load': {'target_vus': 10, 'target_rps': 20}},"
        "   {'stage': 'soak', 'stage_id': 'lags', 'duration_ms': 20000,"
        "    'load': {'target_vus': 1, 'target_rps': 20}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    w.peer.delay_ns = 62500000;
    run_for(&w, 120 * NS_PER_S);
    assert_true(falls_behind(&w, 0) == 0);
    assert_true(falls_behind(&w, 1) > 3.9 && falls_behind(&w, 1) < 4.1);
    assert_true(warned(&w, "stage lags: the target falls behind by "));
    assert_false(warned(&w, "stage keeps"));
    tear_down(&w);
}

static double fell_behind_from(const struct world *w, uint32_t stage)
{
    double per_second = 0;

    return pace_fell_behind_from(w->run, stage, &per_second) ? per_second : 0;
}

/* The rate climbs from 2 to 42/s; two users at 125 ms can do 16. The other stage climbs as steeply
 * with users enough, and has ever more in flight. */
static void a_ramp_beyond_the_targets_pace_is_told(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
        "   'in_flight_per_vu': 1},"
        " 'stages': [{'stage': 'ramp', 'stage_id': 'keeps', 'duration_ms': 40000,"
        "    'load': {'target_vus': 20, 'target_rps': 42},"
        "    'ramp': {'mode': 'linear', 'start_rps': 2}},"
        "   {'stage': 'ramp', 'stage_id': 'lags', 'duration_ms': 40000,"
        "    'load': {'target_vus': 2, 'target_rps': 42},"
        "    'ramp': {'mode': 'linear', 'start_rps': 2}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    w.peer.delay_ns = 125 * MS;
    run_for(&w, 120 * NS_PER_S);
    assert_true(fell_behind_from(&w, 0) == 0);
    assert_true(fell_behind_from(&w, 1) >= 15 && fell_behind_from(&w, 1) <= 18);
    assert_true(warned(&w, "stage lags: the target fell behind from "));
    assert_false(warned(&w, "stage keeps"));
    tear_down(&w);
}

/* A ramp of 2 users a second; the target breaks when more than 12 of them call. */
static void a_break_point_has_its_level(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'stages': [{'stage': 'ramp', 'stage_id': 'up', 'duration_ms': 60000,"
        "   'load': {'target_vus': 40}, 'ramp': {'mode': 'step', 'start_vus': 2, 'step_vus': 2,"
        "     'step_every_ms': 2000},"
        "   'stop_conditions': [{'id': 'slow', 'metric': 'latency_p50_ms', 'comparator': '>',"
        "     'threshold': 50, 'window_ms': 1000, 'sustain_windows': 3}]}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    run_for(&w, 12500 * MS);
    w.peer.delay_ns = 200 * MS;
    run_for(&w, 120 * NS_PER_S);
    check_books(&w);
    assert_string_equal(run_stop_name(w.run->stop.kind), "stop_condition_met");
    assert_true(w.run->stop.at.known);
    assert_int_equal(w.run->stop.at.vus, plan_level(w.planned.plan, 0, 16 * NS_PER_S - 1));
    assert_true(strstr(w.run->stop.sentence, " VUs of stage up") != NULL);
    assert_true(w.run->stages[0].max_vus >= w.run->stop.at.vus);
    tear_down(&w);
}

static void a_condition_stops_a_stalling_target(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    w.stall_at_ns = now_ns + 4 * NS_PER_S;
    run_for(&w, 60 * NS_PER_S);
    check_books(&w);
    assert_string_equal(run_state_name(w.run->state), "stopped");
    assert_int_equal(w.run->exit_code, 4);
    assert_string_equal(w.run->trigger.spec->id, "stalls");
    assert_true(total(&w, COUNT_STREAMS_STALLED) >= 5);
    assert_int_equal(total(&w, COUNT_STREAMS_STALLED), total(&w, COUNT_ENDED_FAILED));
    tear_down(&w);
}

static void a_stop_at_any_moment_balances(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 250; n++) {
        struct world w;
        uint64_t x = rng_at(77, n);
        uint64_t at = rng_below(x, 9500 * MS);

        set_up(&w);
        w.stall_at_ns = n % 3 == 0 ? now_ns + rng_below(rng_mix64(x), 9 * NS_PER_S) : 0;
        run_for(&w, at);
        if (!run_state_terminal(w.run->state)) {
            if (n % 5 == 0) {
                run_emergency_stop(w.run, "user");
            } else {
                run_stop_request(w.run, n % 2 == 0 ? STOP_DRAIN : STOP_IMMEDIATE, SIGINT, "user");
            }
            run_for(&w, rng_below(rng_mix64(x + 1), 30 * MS));
            run_stop_request(w.run, n % 7 == 0 ? STOP_IMMEDIATE : STOP_DRAIN, SIGINT, "user");
        }
        run_for(&w, 60 * NS_PER_S);
        check_books(&w);
        tear_down(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_played_exactly),
        cmocka_unit_test(preflight_is_counted_apart),
        cmocka_unit_test(preflight_alone_is_judged),
        cmocka_unit_test(a_rate_is_over_the_time_of_load),
        cmocka_unit_test(a_silence_is_told),
        cmocka_unit_test(a_slow_target_is_not_silent),
        cmocka_unit_test(a_growing_backlog_is_told),
        cmocka_unit_test(a_ramp_beyond_the_targets_pace_is_told),
        cmocka_unit_test(a_break_point_has_its_level),
        cmocka_unit_test(a_condition_stops_a_stalling_target),
        cmocka_unit_test(a_stop_at_any_moment_balances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
