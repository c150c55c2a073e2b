/* SPDX-License-Identifier: MIT */
/*
 * The control plane over two shards and a scripted peer, on one loop with a virtual clock: whole
 * runs in milliseconds, the same each time. Whenever somebody stops them, the books balance.
 */
#include "base/rng.h"
#include "integration/world.h"

#include <signal.h>

static struct {
    uint64_t stall_at_ns; /* from then on calls are not answered; 0: never */
    uint64_t fail_at_ns;  /* from then on each third call fails; 0: never */
    uint64_t failures;
    uint64_t call_ns; /* how long a call of slow_calls takes */
} trouble;

/* Streams that begin after `stall_at_ns` say nothing after their head. */
static bool stall_later(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (trouble.stall_at_ns == 0 || r->at_ns < trouble.stall_at_ns ||
        strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    peer_sse_begin(r->conn, 0, NULL);
    return true;
}

/* Each third call says that it failed. */
static bool fail_some(void *owner, const struct peer_request *r)
{
    const struct world *w = owner;

    if (trouble.fail_at_ns == 0 || r->at_ns < trouble.fail_at_ns ||
        strcmp(r->method, "tools/call") != 0 || trouble.failures++ % 3 != 0) {
        return stall_later(owner, r);
    }
    say_result(r, w->peer.delay_ns, "{\"content\":[],\"isError\":true}");
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

static void set_up_text(struct world *w, const char *text)
{
    memset(&trouble, 0, sizeof trouble);
    set_up_with(w, text);
    w->peer.on_request = fail_some;
    w->peer.owner = w;
}

static void set_up(struct world *w)
{
    set_up_text(w, scenario);
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
    set_up_text(&w, text);
    w.peer.delay_ns = MS / 2;
    run_for(&w, 2600 * MS); /* preflight is over, and judged a little later */
    w.peer.delay_ns = 100 * MS;
    trouble.fail_at_ns = now_ns;
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
    /* Preflight's sessions end in the load, and are told there: `counts` of the result. */
    assert_int_equal(total_of(&w, AGGREGATE_APART, -1, COUNT_SESSIONS_CLOSED), 0);
    assert_int_equal(total_of(&w, AGGREGATE_LOAD, -1, COUNT_SESSIONS_CLOSED), 4 + 4);
    assert_int_equal(w.run->criteria[0].state, CRITERION_FAILED);
    assert_int_equal(w.run->criteria[1].state, CRITERION_MET);
    assert_true(w.run->criteria[1].value > 19.79); /* the last two end in the drain */
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
    set_up_text(&w, text);
    trouble.fail_at_ns = now_ns;
    run_for(&w, 30 * NS_PER_S);
    assert_int_equal(w.run->criterion_count, 1);
    assert_int_equal(w.run->criteria[0].state, CRITERION_FAILED);
    assert_true(total_of(&w, AGGREGATE_LOAD, -1, COUNT_ENDED_FAILED) > 0);
    assert_int_equal(total_of(&w, AGGREGATE_APART, -1, COUNT_STARTED), 0);
    assert_int_equal(w.run->exit_code, 4);
    tear_down(&w);
}

/* ---- rates are of what ended in the time of load ----------------------------------------------
 */

/* Calls take `call_ns`, and are answered by an event; all else is quick. */
static bool slow_calls(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    peer_sse_begin(r->conn, trouble.call_ns, NULL);
    peer_sse(r->conn, trouble.call_ns,
             "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"content\":[]}}\n\n",
             (long long)r->id);
    peer_sse_end(r->conn, trouble.call_ns);
    return true;
}

static void set_up_slow(struct world *w, const char *text, uint64_t call_ns)
{
    set_up_text(w, text);
    trouble.call_ns = call_ns;
    w->peer.on_request = slow_calls;
}

static double figure_of(const struct world *w, int32_t stage, const char *metric)
{
    struct aggregate_filter filter = aggregate_load();
    struct metric_view view = {0};
    double value = -1;

    filter.dists = 0;
    filter.stage_index = stage;
    aggregate_view_total(w->run->books, &filter, &view);
    assert_true(metric_value(metric_find(str_c(metric)), &view, &value));
    metric_view_clear(&view);
    return value;
}

static void assert_near(double value, double wanted)
{
    if (!(value > wanted - 0.001 && value < wanted + 0.001)) {
        fail_msg("%g where %g is right", value, wanted);
    }
}

/* What ends in the drain is counted, and in no rate: 4 users, 10 ms an answer. */
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
    set_up_text(&w, text);
    run_for(&w, 3900 * MS);
    w.peer.delay_ns = 8 * NS_PER_S; /* the drain */
    run_for(&w, 3 * NS_PER_S);
    uint64_t inside = total(&w, COUNT_ENDED_OK);
    run_for(&w, 30 * NS_PER_S);
    check_books(&w);
    assert_true(inside > 1000);
    assert_int_equal(total(&w, COUNT_ENDED_OK), inside + 4);
    assert_int_equal(total(&w, COUNT_LATE_ENDED), 4);
    assert_near(w.run->criteria[0].value, (double)inside / 4);
    assert_near(figure_of(&w, 0, "ops_per_second"), (double)inside / 4);
    tear_down(&w);
}

/* 2 s of load, 4 s an answer: nothing ended in its time, also not in the second of its end. */
static void what_ends_behind_the_load_has_no_rate(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'success_criteria': [{'metric': 'ops_per_second', 'comparator': '>', 'threshold': 0}],"
        " 'stages': [{'stage': 'baseline', 'duration_ms': %d, 'load': {'target_vus': 40,"
        "   'start_spread_ms': 0}}]}";
    static const int durations_ms[] = {2000, 4010};
    char scenario_text[600];
    struct world w;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        snprintf(scenario_text, sizeof scenario_text, text, durations_ms[i]);
        set_up_slow(&w, scenario_text, 4 * NS_PER_S);
        run_for(&w, 60 * NS_PER_S);
        check_books(&w);
        assert_int_equal(total(&w, COUNT_ENDED_OK), 40);
        assert_int_equal(total(&w, COUNT_EVENTS), 40);
        assert_near(figure_of(&w, 0, "ops_per_second"), 0);
        assert_near(figure_of(&w, -1, "events_per_second"), 0);
        assert_near(figure_of(&w, -1, "bytes_received_per_second"), 0);
        assert_near(figure_of(&w, -1, "bytes_sent_per_second"), 0);
        assert_int_equal(w.run->criteria[0].state, CRITERION_FAILED);
        tear_down(&w);
    }
}

/* 200/s are ordered of a target that does 100/s: 100/s is the rate. */
static void an_overrun_target_has_its_own_rate(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
        "   'in_flight_per_vu': 20},"
        " 'success_criteria': [{'metric': 'ops_per_second', 'comparator': '>', 'threshold': 150}],"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 12000,"
        "   'load': {'target_vus': 100, 'target_rps': 200}}]}";
    struct world w;

    (void)state;
    set_up_text(&w, text);
    w.peer.on_request = one_by_one;
    run_for(&w, 60 * NS_PER_S);
    check_books(&w);
    assert_int_equal(total(&w, COUNT_ENDED_OK), 2400);
    assert_in_range(total(&w, COUNT_LATE_ENDED), 1190, 1210);
    assert_int_equal(w.run->criteria[0].state, CRITERION_FAILED);
    assert_true(w.run->criteria[0].value > 99 && w.run->criteria[0].value < 101);
    tear_down(&w);
}

/* 5 users, 700 ms an answer, 3 s a stage. What one stage began and another one saw ending is in the
 * rate of the latter: 4 ends of a user in the first 3 s, 8 in 6 s, and the ninth in the drain. */
static void stages_share_what_ends_between_them(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'stages': [{'stage': 'baseline', 'stage_id': 'a', 'duration_ms': 3000,"
        "    'load': {'target_vus': 5, 'start_spread_ms': 0}},"
        "   {'stage': 'custom', 'stage_id': 'b', 'duration_ms': 3000,"
        "    'load': {'target_vus': 5, 'start_spread_ms': 0}}]}";
    struct world w;

    (void)state;
    set_up_slow(&w, text, 700 * MS);
    run_for(&w, 60 * NS_PER_S);
    check_books(&w);
    assert_int_equal(total(&w, COUNT_ENDED_OK), 45);
    assert_int_equal(total_of(&w, AGGREGATE_LOAD, 0, COUNT_ENDED_OK), 25);
    assert_near(figure_of(&w, 0, "ops_per_second"), 20 / 3.0);
    assert_near(figure_of(&w, 1, "ops_per_second"), 20 / 3.0);
    assert_near(figure_of(&w, -1, "ops_per_second"), 40 / 6.0);
    tear_down(&w);
}

/* 5 users, 1.4 s an answer; a preflight of 1 s lies between the stages. */
static void a_preflight_between_hands_on_what_it_did_not_begin(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'stages': [{'stage': 'baseline', 'stage_id': 'a', 'duration_ms': 3000,"
        "    'load': {'target_vus': 5, 'start_spread_ms': 0}},"
        "   {'stage': 'preflight', 'stage_id': 'p', 'duration_ms': 1000,"
        "    'load': {'target_vus': 5, 'start_spread_ms': 0}},"
        "   {'stage': 'custom', 'stage_id': 'b', 'duration_ms': 3000,"
        "    'load': {'target_vus': 5, 'start_spread_ms': 0}}]}";
    struct world w;

    (void)state;
    set_up_slow(&w, text, 1400 * MS);
    run_for(&w, 60 * NS_PER_S);
    check_books(&w);
    assert_int_equal(total_of(&w, AGGREGATE_LOAD, 0, COUNT_LATE_ENDED), 5);
    assert_int_equal(total_of(&w, AGGREGATE_LOAD, 2, COUNT_CARRIED_ENDED), 5);
    tear_down(&w);
}

/* What is stopped has the time until then: the drain of a condition is none of it. */
static void a_stopped_stage_ends_for_its_rates(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 60000, 'load': {'target_vus': 4,"
        "   'start_spread_ms': 0}}]}";
    struct world w;

    (void)state;
    set_up_slow(&w, text, 3 * NS_PER_S);
    run_for(&w, 8 * NS_PER_S);
    run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
    run_for(&w, 20 * NS_PER_S);
    check_books(&w);
    assert_int_equal(total(&w, COUNT_ENDED_OK), 12);
    assert_int_equal(total(&w, COUNT_LATE_ENDED), 4);
    double per_s = figure_of(&w, 0, "ops_per_second");
    assert_true(per_s > 8 / 8.1 && per_s < 8 / 7.9);
    tear_down(&w);
}

/* Stages are ordered long before they begin: what was to come after a stop is in no figure. */
static void a_stage_that_never_began_has_no_figures(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 6000, 'load': {'target_vus': 4}},"
        "  {'stage': 'soak', 'duration_ms': 6000, 'load': {'target_vus': 4, 'target_rps': 50}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    run_for(&w, 2500 * MS);
    run_stop_request(w.run, STOP_DRAIN, 0, "user");
    run_for(&w, 20 * NS_PER_S);
    check_books(&w);
    assert_true(total(&w, COUNT_STARTED) > 100);
    assert_int_equal(total_of(&w, AGGREGATE_ALL, 1, COUNT_DUE), 0);
    assert_int_equal(total_of(&w, AGGREGATE_ALL, 1, COUNT_DROPPED_STOPPED), 0);
    assert_int_equal(total_of(&w, AGGREGATE_ALL, 1, COUNT_STARTED), 0);
    assert_int_equal(total(&w, COUNT_CARRIED_ENDED), 0); /* nobody was there to inherit it */
    tear_down(&w);
}

/* ---- the silence of streams --------------------------------------------------------------------
 */

static uint64_t event_at_ns, answer_at_ns; /* of a stream, after its head; 0: never */

static bool halting_stream(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    peer_sse_begin(r->conn, 0, NULL);
    if (event_at_ns != 0) {
        peer_sse(r->conn, event_at_ns,
                 "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n");
    }
    if (answer_at_ns != 0) {
        peer_sse(r->conn, answer_at_ns,
                 "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"content\":[]}}\n\n",
                 (long long)r->id);
        peer_sse_end(r->conn, answer_at_ns);
    }
    return true;
}

/* `stop_ns`: the user stops the run at once; 0: not. */
static double silence_of(uint64_t event_ns, uint64_t answer_ns, uint64_t stall_ns, uint64_t stop_ns)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'success_criteria': [{'metric': 'stream_stall_seconds', 'comparator': '<',"
        "   'threshold': 3}],"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 2000, 'load': {'target_vus': 1,"
        "   'start_spread_ms': 0}}]}";
    struct world w;

    set_up_text(&w, text);
    w.target.stall_ns = stall_ns;
    w.peer.on_request = halting_stream;
    event_at_ns = event_ns;
    answer_at_ns = answer_ns;
    if (stop_ns != 0) {
        run_for(&w, stop_ns);
        run_stop_request(w.run, STOP_IMMEDIATE, SIGINT, "user");
    }
    run_for(&w, 60 * NS_PER_S);
    check_books(&w);
    double value = figure_of(&w, -1, "stream_stall_seconds");
    assert_true(w.run->criteria[0].value == value);
    assert_int_equal(w.run->criteria[0].state, value < 3 ? CRITERION_MET : CRITERION_FAILED);
    tear_down(&w);
    return value;
}

/* Measured to the moment at which it ended: between events, by the time-out, by a stop, and in the
 * drain. */
static void a_silence_is_whole(void **state)
{
    (void)state;
    assert_near(silence_of(620 * MS, 640 * MS, 10 * NS_PER_S, 0), 0.62);
    assert_near(silence_of(100 * MS, 720 * MS, 10 * NS_PER_S, 0), 0.62);
    assert_near(silence_of(0, 0, NS_PER_S, 0), 1);
    assert_near(silence_of(0, 5 * NS_PER_S, 10 * NS_PER_S, 0), 5);
    assert_near(silence_of(0, 0, 10 * NS_PER_S, 0), 10);
    double cut = silence_of(0, 0, 10 * NS_PER_S, 1500 * MS);
    assert_true(cut > 1.39 && cut < 1.5); /* the checks and the session took the rest */
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
    set_up_text(&w, text);
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
    trouble.stall_at_ns = now_ns + 4 * NS_PER_S;
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
        trouble.stall_at_ns = n % 3 == 0 ? now_ns + rng_below(rng_mix64(x), 9 * NS_PER_S) : 0;
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
        cmocka_unit_test(what_ends_behind_the_load_has_no_rate),
        cmocka_unit_test(an_overrun_target_has_its_own_rate),
        cmocka_unit_test(stages_share_what_ends_between_them),
        cmocka_unit_test(a_preflight_between_hands_on_what_it_did_not_begin),
        cmocka_unit_test(a_stopped_stage_ends_for_its_rates),
        cmocka_unit_test(a_stage_that_never_began_has_no_figures),
        cmocka_unit_test(a_silence_is_whole),
        cmocka_unit_test(a_break_point_has_its_level),
        cmocka_unit_test(a_condition_stops_a_stalling_target),
        cmocka_unit_test(a_stop_at_any_moment_balances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
