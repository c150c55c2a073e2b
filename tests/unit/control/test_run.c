/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "control/run.h"
#include "support/planned.h"
#include "support/unit.h"

#include <signal.h>

#define MS NS_PER_MS

static uint64_t now_ns = 1000 * NS_PER_S;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

enum { SOURCES = 2 };

/* Workers that play any load: each second each source reports what the test wants. */
struct world {
    struct planned planned;
    struct loop *loop;
    struct run *run;
    /* What each window says, and what goes wrong. */
    uint64_t ok, failed, vus;
    bool lose_one_outcome, check_fails, silent_checks, never_drains;
    enum error_code code;
    /* What was ordered. */
    unsigned checks, stages, drains, natural_drains, stops;
    uint64_t stage_start[4], stage_end[4];
    /* The fake's insides. */
    bool ticking;
    uint64_t grid_ns, second;
    struct window *window;
    struct send tick;
    struct defer answer_checks, answer_drained;
    uint64_t drain_ns; /* how long a drain takes */
    struct send drained_at;
    /* What the observer saw. */
    char events[2000];
    json_t *stage_failed; /* payload of the event, or NULL */
    uint64_t seconds;
    unsigned ends;
};

/* ---- the workers ------------------------------------------------------------------------------
 */

static void fill(struct world *w)
{
    struct outcome o = {.t_due = 1, .t_free = 1, .t_ready = 1, .t_send = 1, .t_end = 1 + 5 * MS};

    o.key = w->run->stage > 0 ? (uint32_t)w->run->stage : 0;
    o.requests_sent = 1;
    for (uint64_t i = 0; i < w->ok + w->failed; i++) {
        bool failed = i >= w->ok;

        o.cls = failed ? OUTCOME_FAILED : OUTCOME_OK;
        o.error_code = failed ? w->code : ERROR_CODE_NONE;
        o.error_type = error_code_type(o.error_code);
        o.origin = error_type_origin(o.error_type);
        o.message = STR("boom");
        window_started(w->window, o.key);
        if (w->lose_one_outcome) {
            w->lose_one_outcome = false;
        } else {
            window_outcome(w->window, &o);
        }
    }
}

static void report(struct world *w, uint64_t end_ns)
{
    for (uint32_t source = 0; source < SOURCES; source++) {
        window_reset(w->window, w->second, w->grid_ns + w->second * NS_PER_S, end_ns);
        w->window->stage_index = w->run->stage > 0 ? (uint32_t)w->run->stage : 0;
        w->window->gauges.active_vus = w->vus;
        fill(w);
        run_on_window(w->run, source, w->window);
    }
    w->second++;
}

static void on_tick(struct send *s)
{
    struct world *w = list_entry(s, struct world, tick);

    report(w, w->grid_ns + (w->second + 1) * NS_PER_S);
    if (w->ticking) {
        loop_send_arm(w->loop, s, w->grid_ns + (w->second + 1) * NS_PER_S);
    }
}

static void on_answer_checks(struct defer *d)
{
    struct world *w = list_entry(d, struct world, answer_checks);
    struct check_list checks = {.count = 1, .items = {{.name = "handshake", .ok = true}}};

    if (w->check_fails) {
        checks.items[0].ok = false;
        snprintf(checks.items[0].message, sizeof checks.items[0].message, "no MCP server");
    }
    run_on_checks(w->run, &checks);
}

static void answer_drained(struct world *w)
{
    if (w->ticking) {
        w->ticking = false;
        loop_send_cancel(w->loop, &w->tick);
        w->ok = w->failed = 0;
        report(w, loop_now(w->loop));
    }
    for (uint32_t source = 0; source < SOURCES; source++) {
        run_on_drained(w->run, source);
    }
}

static void on_answer_drained(struct defer *d)
{
    answer_drained(list_entry(d, struct world, answer_drained));
}

static void on_drained_at(struct send *s)
{
    answer_drained(list_entry(s, struct world, drained_at));
}

static void order_check(void *workers)
{
    struct world *w = workers;

    w->checks++;
    if (!w->silent_checks) {
        loop_defer(w->loop, &w->answer_checks);
    }
}

static void
order_stage(void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    struct world *w = workers;

    w->stages++;
    w->stage_start[stage] = start_ns;
    w->stage_end[stage] = end_ns;
    assert_true(start_ns >= loop_now(w->loop)); /* never too late to be kept */
    if (!w->ticking) {
        w->ticking = true;
        w->grid_ns = grid_ns;
        loop_send_arm(w->loop, &w->tick, grid_ns + NS_PER_S);
    }
    assert_int_equal(w->grid_ns, grid_ns); /* one grid for all stages */
}

static void order_drain(void *workers, bool natural)
{
    struct world *w = workers;

    w->drains++;
    w->natural_drains += natural;
    if (!w->never_drains) {
        loop_send_arm(w->loop, &w->drained_at, loop_now(w->loop) + w->drain_ns);
    }
}

static void order_stop(void *workers)
{
    struct world *w = workers;

    w->stops++;
    loop_send_cancel(w->loop, &w->drained_at);
    if (w->stops == 1) {
        loop_defer(w->loop, &w->answer_drained);
    }
}

static const struct run_workers workers = {
    .check = order_check,
    .stage = order_stage,
    .drain = order_drain,
    .stop = order_stop,
    .source_count = SOURCES,
};

/* ---- the observer -----------------------------------------------------------------------------
 */

static void on_event(void *owner, const struct run_event *event)
{
    struct world *w = owner;
    const char *to = json_string_value(json_object_get(event->payload, "to_state"));
    size_t len = strlen(w->events);

    assert_int_equal(strncmp(event->id, "evt_", 4), 0);
    assert_non_null(event->actor);
    assert_non_null(event->payload);
    if (strcmp(event->type, "STAGE_FAILED") == 0) {
        json_decref(w->stage_failed);
        w->stage_failed = json_incref(event->payload);
    }
    snprintf(w->events + len, sizeof w->events - len, "%s%s", len > 0 ? " " : "",
             to != NULL ? to : event->type);
}

static void on_second(void *owner, uint64_t second)
{
    struct world *w = owner;

    assert_int_equal(second, w->seconds++); /* each once, in order */
}

static void on_end(void *owner)
{
    struct world *w = owner;

    w->ends++;
    assert_true(run_state_terminal(w->run->state));
}

/* ---- the world --------------------------------------------------------------------------------
 */

static const char *const metrics[] = {"error_rate", "latency_p99_ms"};

static void set_up(struct world *w, const char *safety, const char *stages)
{
    char text[2000];

    *w = (struct world){.ok = 10, .code = ERROR_CODE_HTTP_5XX, .drain_ns = 300 * MS};
    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'},"
             " 'workload': {'operation_mix': [{'operation': 'ping'}]},"
             " 'safety': {%s}, 'stages': [%s]}",
             safety, stages);
    planned_make(&w->planned, text, metrics, 2);
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    w->window = window_new(w->planned.plan->key_count, 0, 0);
    send_init(&w->tick, on_tick);
    send_init(&w->drained_at, on_drained_at);
    defer_init(&w->answer_checks, on_answer_checks);
    defer_init(&w->answer_drained, on_answer_drained);
    struct run_observer observer = {on_event, on_second, on_end, w};
    assert_int_equal(run_new(w->loop, w->planned.plan, &w->planned.identity, &workers, w, &observer,
                             &w->run, NULL),
                     0);
    assert_int_equal(w->run->state, RUN_CREATED);
    run_start(w->run);
}

static void run_for(struct world *w, uint64_t ns)
{
    loop_run_virtual(w->loop, &now_ns, now_ns + ns);
}

static void expect_end(struct world *w, enum run_state state, int exit_code)
{
    assert_string_equal(run_state_name(w->run->state), run_state_name(state));
    assert_int_equal(w->run->exit_code, exit_code);
    assert_int_equal(w->ends, 1);
}

static void tear_down(struct world *w)
{
    loop_send_cancel(w->loop, &w->tick);
    loop_send_cancel(w->loop, &w->drained_at);
    run_free(w->run);
    run_free(NULL);
    json_decref(w->stage_failed);
    window_free(w->window);
    loop_free(w->loop);
    planned_clear(&w->planned);
}

#define PREFLIGHT "{'stage': 'preflight', 'duration_ms': 2000, 'load': {'target_vus': 1}}"
#define BASELINE  "{'stage': 'baseline', 'duration_ms': 5000, 'load': {'target_vus': 2}}"
#define SECOND_BASELINE \
    "{'stage': 'baseline', 'stage_id': 'more', 'duration_ms': 3000, 'load': {'target_vus': 2}}"
#define GUARDED(what)                                                             \
    "{'stage': 'baseline', 'duration_ms': 20000, 'load': {'target_vus': 2}, "     \
    "'stop_conditions': [{'id': 'c', 'metric': 'error_rate', 'comparator': '>', " \
    "'threshold': 0.1, 'window_ms': 3000, 'sustain_windows': 1" what "}]}"

/* ---- natural ends ------------------------------------------------------------------------------
 */

static void the_plan_is_played_to_its_end(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", PREFLIGHT ", " BASELINE ", " SECOND_BASELINE);
    uint64_t start = now_ns;
    run_for(&w, 30 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_string_equal(w.events,
                        "RUN_CREATED preflight_running STAGE_STARTED SCHEDULER_TARGET_SET "
                        "STAGE_COMPLETED preflight_passed baseline_running STAGE_STARTED "
                        "SCHEDULER_TARGET_SET STAGE_COMPLETED STAGE_STARTED "
                        "SCHEDULER_TARGET_SET STAGE_COMPLETED stopping analyzing completed");
    assert_int_equal(w.stages, 3);
    assert_int_equal(w.checks, 1);
    assert_int_equal(w.drains, 1);
    assert_int_equal(w.natural_drains, 1);
    assert_int_equal(w.stops, 0);
    assert_in_range(w.stage_start[0], start, start + 100 * MS);
    assert_int_equal(w.stage_end[0] - w.stage_start[0], 2 * NS_PER_S);
    assert_in_range(w.stage_start[1] - w.stage_end[0], 0, 1200 * MS); /* it was judged between */
    assert_int_equal(w.stage_end[1] - w.stage_start[1], 5 * NS_PER_S);
    assert_int_equal(w.stage_start[2], w.stage_end[1]); /* no gap without a judgement */
    assert_int_equal(w.run->verdict, RUN_PASSED);
    assert_string_equal(w.run->validity, "valid");
    assert_string_equal(run_stop_name(w.run->stop.kind), "completed");
    assert_int_equal(w.run->stop_latency_ns, 0);
    assert_int_equal(w.seconds, w.second);
    tear_down(&w);
}

/* The second that ends with a stage is looked at when the next one has begun. */
static void users_are_counted_for_the_stage_in_which_they_were(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "",
           "{'stage': 'spike', 'duration_ms': 1000, 'load': {'target_vus': 30}}, "
           "{'stage': 'soak', 'duration_ms': 2000, 'load': {'target_vus': 3}}");
    w.vus = 15;
    run_for(&w, 1100 * MS);
    assert_int_equal(w.run->stage, 1);
    w.vus = 1;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_int_equal(w.run->stages[0].max_vus, 15 * SOURCES);
    assert_int_equal(w.run->stages[1].max_vus, 1 * SOURCES);
    tear_down(&w);
}

static void names_of_states_are_the_interface(void **state)
{
    (void)state;
    assert_string_equal(run_state_name(RUN_PREFLIGHT_PASSED), "preflight_passed");
    assert_string_equal(run_stop_name(RUN_STOP_CONDITION), "stop_condition_met");
    assert_string_equal(run_verdict_name(RUN_INVALID), "invalid");
    assert_false(run_state_terminal(RUN_ANALYZING));
    assert_true(run_state_terminal(RUN_ABORTED));
}

/* ---- preflight --------------------------------------------------------------------------------
 */

static void failed_checks_end_the_run_before_any_load(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.check_fails = true;
    run_for(&w, 5 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_int_equal(w.stages, 0);
    assert_string_equal(w.run->stop.sentence, "no MCP server");
    assert_string_equal(w.run->stop.reason, "preflight_failed: handshake");
    json_t *check = json_array_get(json_object_get(w.stage_failed, "checks"), 0);
    assert_string_equal(json_string_value(json_object_get(check, "name")), "handshake");
    assert_true(json_is_false(json_object_get(check, "ok")));
    assert_string_equal(json_string_value(json_object_get(check, "message")), "no MCP server");
    assert_true(json_is_string(json_object_get(check, "error_code")));
    assert_string_equal(w.events, "RUN_CREATED preflight_running STAGE_FAILED preflight_failed "
                                  "stopping analyzing failed");
    assert_int_equal(w.run->verdict, RUN_VERDICT_FAILED);
    tear_down(&w);
}

static void failed_operations_fail_preflight(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", PREFLIGHT ", " BASELINE);
    w.failed = 1;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_int_equal(w.stages, 1);
    assert_non_null(strstr(w.run->stop.sentence, "4 of 44 operations failed"));
    assert_non_null(strstr(w.run->stop.sentence, "boom"));
    tear_down(&w);
}

static void a_tools_own_errors_do_not_fail_preflight(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", PREFLIGHT ", " BASELINE);
    w.failed = 1;
    w.code = ERROR_CODE_TOOL_ERROR;
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    tear_down(&w);
}

/* "Passed" is what the file asked for; that nothing succeeded is said beside it. */
static void a_run_of_failures_that_nothing_forbids_says_so(void **state)
{
    (void)state;
    for (unsigned ok = 0; ok < 2; ok++) {
        struct world w;

        set_up(&w, "", BASELINE);
        w.ok = ok;
        w.failed = 1;
        w.code = ERROR_CODE_TOOL_ERROR;
        run_for(&w, 20 * NS_PER_S);
        expect_end(&w, RUN_COMPLETED, 0);
        assert_int_equal(w.run->verdict, RUN_PASSED);
        bool told = strstr(buf_c(&w.run->warnings), "every operation failed") != NULL;
        assert_int_equal(told, ok == 0);
        assert_null(strstr(buf_c(&w.run->warnings), "never succeeded"));
        tear_down(&w);
    }
}

/* ---- stop conditions and caps -------------------------------------------------------------------
 */

static void a_condition_stops_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", GUARDED(""));
    run_for(&w, 4500 * MS);
    assert_int_equal(w.run->state, RUN_BASELINE_RUNNING);
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_true(w.run->triggered);
    assert_string_equal(w.run->trigger.spec->id, "c");
    assert_int_equal(w.drains, 1);
    assert_non_null(strstr(w.run->stop.reason, "stop_condition_triggered: error_rate > 0.1"));
    assert_true(w.run->stop.sentence[0] != '\0');
    assert_non_null(strstr(w.events, "STOP_CONDITION_TRIGGERED STAGE_COMPLETED stopping"));
    assert_int_equal(w.run->verdict, RUN_VERDICT_FAILED);
    /* From the deciding second's end: our decision and the drain of 300 ms. */
    assert_in_range(w.run->stop_latency_ns, 300 * MS, 400 * MS);
    tear_down(&w);
}

static void a_condition_may_mean_success(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", GUARDED(", 'on_trigger': 'pass'"));
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 0);
    assert_int_equal(w.run->verdict, RUN_PASSED);
    tear_down(&w);
}

static void a_condition_of_preflight_fails_it(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "",
           "{'stage': 'preflight', 'duration_ms': 20000, 'load': {'target_vus': 1}, "
           "'stop_conditions': [{'id': 'c', 'metric': 'error_rate', 'comparator': '>', "
           "'threshold': 0.1, 'window_ms': 2000, 'sustain_windows': 1}]}, " BASELINE);
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_FAILED, 5);
    assert_int_equal(w.stages, 1);
    tear_down(&w);
}

static void a_condition_of_the_whole_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w,
           "'stop_conditions': [{'id': 'all', 'metric': 'latency_p99_ms', 'comparator': '>', "
           "'threshold': 1, 'window_ms': 2000, 'sustain_windows': 2}]",
           BASELINE);
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_string_equal(w.run->trigger.spec->id, "all");
    assert_int_equal(w.run->trigger.second, 3);
    tear_down(&w);
}

static void stop_policy_immediate_cuts(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'stop_policy': {'mode': 'immediate'}", GUARDED(""));
    w.failed = 10;
    run_for(&w, 10 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_int_equal(w.drains, 0);
    assert_int_equal(w.stops, 1);
    tear_down(&w);
}

static void max_duration_ends_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'hard_caps': {'max_duration_ms': 6000}", BASELINE ", " SECOND_BASELINE);
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_string_equal(run_stop_name(w.run->stop.kind), "max_duration_reached");
    tear_down(&w);
}

static void max_errors_ends_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'hard_caps': {'max_errors': 9}", BASELINE);
    w.failed = 2; /* of each of two sources, each second: 8 after two, 12 after three */
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 4);
    assert_string_equal(run_stop_name(w.run->stop.kind), "max_errors_reached");
    assert_in_range(w.seconds, 3, 4);
    tear_down(&w);
}

/* ---- people and signals -------------------------------------------------------------------------
 */

static void an_interrupt_drains(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
    assert_int_equal(w.run->state, RUN_STOPPING);
    run_for(&w, 5 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 130);
    assert_int_equal(w.drains, 1);
    assert_int_equal(w.stops, 0);
    assert_int_equal(w.run->verdict, RUN_VERDICT_NONE);
    assert_string_equal(w.run->stop.sentence, "interrupted");
    assert_non_null(strstr(w.events, "STOP_REQUESTED"));
    tear_down(&w);
}

static void a_second_interrupt_cuts(void **state)
{
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        struct world w;

        set_up(&w, "", BASELINE);
        w.never_drains = true;
        run_for(&w, 2500 * MS);
        run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
        run_for(&w, 100 * MS);
        run_stop_request(w.run, mode == 0 ? STOP_DRAIN : STOP_IMMEDIATE, SIGINT, "user");
        run_for(&w, 10 * MS);
        expect_end(&w, RUN_STOPPED, 130);
        assert_int_equal(w.stops, 1);
        run_stop_request(w.run, STOP_IMMEDIATE, SIGINT, "user"); /* too late for anything */
        expect_end(&w, RUN_STOPPED, 130);
        tear_down(&w);
    }
}

static void sigterm_has_its_own_code(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    run_stop_request(w.run, STOP_DRAIN, SIGTERM, "system");
    run_for(&w, 5 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 143);
    tear_down(&w);
}

static void an_interrupt_at_any_moment_ends_the_run(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 9000; at += 130) {
        struct world w;

        set_up(&w, "", PREFLIGHT ", " BASELINE);
        run_for(&w, at * MS);
        if (w.run->state == RUN_STOPPING || run_state_terminal(w.run->state)) {
            tear_down(&w);
            continue;
        }
        run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
        run_for(&w, 5 * NS_PER_S);
        expect_end(&w, RUN_STOPPED, 130);
        tear_down(&w);
    }
}

static void an_interrupt_during_the_checks(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.silent_checks = true;
    loop_defer_cancel(&w.answer_checks);
    run_for(&w, NS_PER_S);
    run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
    run_for(&w, 5 * NS_PER_S);
    expect_end(&w, RUN_STOPPED, 130);
    tear_down(&w);
}

static void a_drain_after_the_last_stage_may_be_cut_short(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.never_drains = true;
    run_for(&w, 6 * NS_PER_S);
    assert_int_equal(w.run->state, RUN_STOPPING);
    run_stop_request(w.run, STOP_DRAIN, SIGINT, "user");
    run_for(&w, 10 * MS);
    expect_end(&w, RUN_COMPLETED, 0); /* the load was played; its verdict stands */
    tear_down(&w);
}

static void an_emergency_stop_aborts(void **state)
{
    (void)state;
    for (int draining = 0; draining < 2; draining++) {
        struct world w;

        set_up(&w, "", BASELINE);
        w.never_drains = true;
        run_for(&w, 2500 * MS);
        if (draining) {
            run_stop_request(w.run, STOP_DRAIN, 0, "user");
            run_for(&w, 100 * MS);
        }
        run_emergency_stop(w.run, "user");
        run_for(&w, 10 * MS);
        expect_end(&w, RUN_ABORTED, 7);
        assert_int_equal(w.stops, 1);
        assert_int_equal(w.run->stop.mode, STOP_IMMEDIATE);
        assert_string_equal(run_stop_name(w.run->stop.kind), "emergency_stop");
        run_emergency_stop(w.run, "user");
        expect_end(&w, RUN_ABORTED, 7);
        assert_string_equal(w.events + strlen(w.events) - 7, "aborted"); /* the last event */
        tear_down(&w);
    }
}

static void a_drain_that_takes_too_long_is_cut(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'stop_policy': {'mode': 'drain', 'drain_timeout_ms': 2000}", BASELINE);
    w.never_drains = true;
    run_for(&w, 6 * NS_PER_S);
    assert_int_equal(w.run->state, RUN_STOPPING);
    assert_int_equal(w.stops, 0);
    run_for(&w, 2 * NS_PER_S);
    assert_int_equal(w.stops, 1);
    assert_true(w.run->drain_timed_out);
    expect_end(&w, RUN_COMPLETED, 0);
    assert_non_null(strstr(w.events, "SYSTEM_WARNING"));
    tear_down(&w);
}

/* ---- our own failures ---------------------------------------------------------------------------
 */

static void our_failure_ends_the_run(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    run_for(&w, 2500 * MS);
    run_on_failure(w.run, "a thread could not be started");
    run_for(&w, NS_PER_S);
    expect_end(&w, RUN_FAILED, 1);
    assert_int_equal(w.stops, 1);
    assert_string_equal(w.run->stop.sentence, "a thread could not be started");
    tear_down(&w);
}

static void books_that_do_not_balance_are_lost_data(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.lose_one_outcome = true;
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 6);
    assert_string_equal(w.run->validity, "lost_data");
    assert_int_equal(w.run->verdict, RUN_INVALID);
    assert_non_null(strstr(buf_c(&w.run->evidence), "operations started"));
    tear_down(&w);
}

static void failures_of_our_own_make_the_run_invalid(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", BASELINE);
    w.failed = 1;
    w.code = ERROR_CODE_OUT_OF_FILES;
    run_for(&w, 20 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 6);
    assert_string_equal(w.run->validity, "generator_bound");
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_is_played_to_its_end),
        cmocka_unit_test(users_are_counted_for_the_stage_in_which_they_were),
        cmocka_unit_test(names_of_states_are_the_interface),
        cmocka_unit_test(failed_checks_end_the_run_before_any_load),
        cmocka_unit_test(failed_operations_fail_preflight),
        cmocka_unit_test(a_tools_own_errors_do_not_fail_preflight),
        cmocka_unit_test(a_run_of_failures_that_nothing_forbids_says_so),
        cmocka_unit_test(a_condition_stops_the_run),
        cmocka_unit_test(a_condition_may_mean_success),
        cmocka_unit_test(a_condition_of_preflight_fails_it),
        cmocka_unit_test(a_condition_of_the_whole_run),
        cmocka_unit_test(stop_policy_immediate_cuts),
        cmocka_unit_test(max_duration_ends_the_run),
        cmocka_unit_test(max_errors_ends_the_run),
        cmocka_unit_test(an_interrupt_drains),
        cmocka_unit_test(a_second_interrupt_cuts),
        cmocka_unit_test(sigterm_has_its_own_code),
        cmocka_unit_test(an_interrupt_at_any_moment_ends_the_run),
        cmocka_unit_test(an_interrupt_during_the_checks),
        cmocka_unit_test(a_drain_after_the_last_stage_may_be_cut_short),
        cmocka_unit_test(an_emergency_stop_aborts),
        cmocka_unit_test(a_drain_that_takes_too_long_is_cut),
        cmocka_unit_test(our_failure_ends_the_run),
        cmocka_unit_test(books_that_do_not_balance_are_lost_data),
        cmocka_unit_test(failures_of_our_own_make_the_run_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
