/* SPDX-License-Identifier: MIT */
/* A run over workers that only pretend: two sources, each of a worker of its own, on a virtual
 * clock. */
#ifndef UNIT_CONTROL_RUN_WORLD_H
#define UNIT_CONTROL_RUN_WORLD_H

#include "base/mem.h"
#include "control/run.h"
#include "support/planned.h"
#include "support/unit.h"

#define MS      NS_PER_MS
#define LEAD_NS (150 * MS)

static uint64_t now_ns = 1000 * NS_PER_S;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

enum { SOURCES = 2 };

/* Workers that play any load: each second each source reports what the test wants. */
struct world {
    struct planned planned;
    struct run_workers workers;
    struct loop *loop;
    struct run *run;
    /* What each window says, and what goes wrong. */
    uint64_t ok, failed, vus;
    uint64_t failed_on[SOURCES]; /* besides */
    /* Of the next window: answers for others, users that ended. */
    uint64_t mismatches, gave_up;
    bool silent[SOURCES]; /* nothing comes from it any more */
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
    char events[2000], triggered_in[80]; /* stage and stage_id, of STOP_CONDITION_TRIGGERED */
    json_t *stage_failed;                /* payload of the event, or NULL */
    unsigned event_count;
    bool partial; /* of the condition that triggered */
    uint64_t seconds;
    unsigned ends;
};

/* ---- the workers ------------------------------------------------------------------------------
 */

static inline void fill(struct world *w, uint32_t source)
{
    struct outcome o = {.t_due = 1, .t_free = 1, .t_ready = 1, .t_send = 1, .t_end = 1 + 5 * MS};

    o.key = w->run->stage > 0 ? (uint32_t)w->run->stage : 0;
    o.requests_sent = 1;
    window_key(w->window, o.key)->count[COUNT_INTEGRITY_MISMATCHES] += w->mismatches;
    w->window->run.count[COUNT_VUS_GAVE_UP] += w->gave_up;
    w->mismatches = w->gave_up = 0;
    for (uint64_t i = 0; i < w->ok + w->failed + w->failed_on[source]; i++) {
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

static inline void report_of(struct world *w, uint32_t source, uint64_t second, uint64_t end_ns)
{
    window_reset(w->window, second, w->grid_ns + second * NS_PER_S, end_ns);
    w->window->stage_index = w->run->stage > 0 ? (uint32_t)w->run->stage : 0;
    w->window->gauges.active_vus = w->vus;
    fill(w, source);
    run_on_window(w->run, source, w->window);
}

static inline void report(struct world *w, uint64_t end_ns)
{
    for (uint32_t source = 0; source < SOURCES; source++) {
        if (!w->silent[source]) {
            report_of(w, source, w->second, end_ns);
        }
    }
    w->second++;
}

/* What a source that was silent has to tell of the seconds from..below-1. */
static inline void catch_up(struct world *w, uint32_t source, uint64_t from, uint64_t below)
{
    for (uint64_t second = from; second < below; second++) {
        report_of(w, source, second, w->grid_ns + (second + 1) * NS_PER_S);
    }
}

static inline void on_tick(struct send *s)
{
    struct world *w = list_entry(s, struct world, tick);

    report(w, w->grid_ns + (w->second + 1) * NS_PER_S);
    if (w->ticking) {
        loop_send_arm(w->loop, s, w->grid_ns + (w->second + 1) * NS_PER_S);
    }
}

static inline void on_answer_checks(struct defer *d)
{
    struct world *w = list_entry(d, struct world, answer_checks);
    struct check_list checks = {.count = 1, .items = {{.name = "handshake", .ok = true}}};

    if (w->check_fails) {
        checks.items[0].ok = false;
        snprintf(checks.items[0].message, sizeof checks.items[0].message, "no MCP server");
    }
    run_on_checks(w->run, &checks);
}

static inline void answer_drained(struct world *w)
{
    if (w->ticking) {
        w->ticking = false;
        loop_send_cancel(w->loop, &w->tick);
        w->ok = w->failed = w->failed_on[0] = w->failed_on[1] = 0;
        report(w, loop_now(w->loop));
    }
    for (uint32_t source = 0; source < SOURCES; source++) {
        if (!w->silent[source]) {
            run_on_drained(w->run, source);
        }
    }
}

static inline void on_answer_drained(struct defer *d)
{
    answer_drained(list_entry(d, struct world, answer_drained));
}

static inline void on_drained_at(struct send *s)
{
    answer_drained(list_entry(s, struct world, drained_at));
}

static inline void order_check(void *workers)
{
    struct world *w = workers;

    w->checks++;
    if (!w->silent_checks) {
        loop_defer(w->loop, &w->answer_checks);
    }
}

static inline void
order_stage(void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    struct world *w = workers;

    w->stages++;
    w->stage_start[stage] = start_ns;
    w->stage_end[stage] = end_ns;
    assert_true(start_ns >= loop_now(w->loop) + LEAD_NS); /* never too late to be kept */
    if (!w->ticking) {
        w->ticking = true;
        w->grid_ns = grid_ns;
        loop_send_arm(w->loop, &w->tick, grid_ns + NS_PER_S);
    }
    assert_int_equal(w->grid_ns, grid_ns); /* one grid for all stages */
}

static inline void order_drain(void *workers, bool natural)
{
    struct world *w = workers;

    w->drains++;
    w->natural_drains += natural;
    if (!w->never_drains) {
        loop_send_arm(w->loop, &w->drained_at, loop_now(w->loop) + w->drain_ns);
    }
}

static inline void order_stop(void *workers)
{
    struct world *w = workers;

    w->stops++;
    loop_send_cancel(w->loop, &w->drained_at);
    if (w->stops == 1) {
        loop_defer(w->loop, &w->answer_drained);
    }
}

/* A fleet far away: orders have to be earlier. */
static const char *const labels[SOURCES][2] = {{"zone=a", "disk=ssd"}, {"zone=b", "disk=ssd"}};
static const struct run_source sources[SOURCES] = {{"wkr_0000000000000001", labels[0], 2},
                                                   {"wkr_0000000000000002", labels[1], 2}};

static const struct run_workers workers = {
    .check = order_check,
    .stage = order_stage,
    .drain = order_drain,
    .stop = order_stop,
    .source_count = SOURCES,
    .sources = sources,
    .lead_ns = LEAD_NS,
};

/* ---- the observer -----------------------------------------------------------------------------
 */

static inline void on_event(void *owner, const struct run_event *event)
{
    struct world *w = owner;
    const char *to = json_string_value(json_object_get(event->payload, "to_state"));
    size_t len = strlen(w->events);

    char number[9];
    assert_int_equal(strncmp(event->id, "evt_", 4), 0);
    snprintf(number, sizeof number, "%08x", 40 + w->event_count++);
    assert_string_equal(event->id + 16, number); /* goes on where the owner was */
    assert_non_null(event->actor);
    assert_non_null(event->payload);
    if (strcmp(event->type, "STOP_CONDITION_TRIGGERED") == 0) {
        w->partial = json_is_true(json_object_get(event->payload, "partial"));
        snprintf(w->triggered_in, sizeof w->triggered_in, "%s %s",
                 json_string_value(json_object_get(event->payload, "stage")),
                 json_string_value(json_object_get(event->payload, "stage_id")));
    }
    if (strcmp(event->type, "STAGE_COMPLETED") == 0) { /* even when it was stopped too early */
        assert_in_range(json_integer_value(json_object_get(event->payload, "elapsed_ms")), 0,
                        now_ns / MS);
    }
    if (strcmp(event->type, "STOP_REQUESTED") == 0 || strcmp(event->type, "EMERGENCY_STOP") == 0) {
        assert_non_null(json_string_value(json_object_get(event->payload, "reason")));
        assert_non_null(json_string_value(json_object_get(event->payload, "actor")));
    }
    if (strcmp(event->type, "STAGE_FAILED") == 0) {
        json_decref(w->stage_failed);
        w->stage_failed = json_incref(event->payload);
    }
    snprintf(w->events + len, sizeof w->events - len, "%s%s", len > 0 ? " " : "",
             to != NULL ? to : event->type);
}

static inline void on_second(void *owner, uint64_t second)
{
    struct world *w = owner;

    assert_int_equal(second, w->seconds++); /* each once, in order */
}

static inline void on_end(void *owner)
{
    struct world *w = owner;

    w->ends++;
    assert_true(run_state_terminal(w->run->state));
}

/* ---- the world --------------------------------------------------------------------------------
 */

static const char *const metrics[] = {"error_rate", "latency_p99_ms"};

static inline void set_up(struct world *w, const char *safety, const char *stages)
{
    char text[2000];

    *w = (struct world){
        .ok = 10, .code = ERROR_CODE_HTTP_5XX, .drain_ns = 300 * MS, .workers = workers};
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
    struct run_parts parts = {.plan = w->planned.plan,
                              .identity = &w->planned.identity,
                              .workers = &w->workers,
                              .workers_owner = w,
                              .observer = {on_event, on_second, on_end, w},
                              .first_event = 40};
    assert_int_equal(run_new(w->loop, &parts, &w->run, NULL), 0);
    assert_int_equal(w->run->state, RUN_CREATED);
    run_emit_created(w->run);
    run_start(w->run);
}

static inline void run_for(struct world *w, uint64_t ns)
{
    loop_run_virtual(w->loop, &now_ns, now_ns + ns);
}

static inline void expect_end(struct world *w, enum run_state state, int exit_code)
{
    assert_string_equal(run_state_name(w->run->state), run_state_name(state));
    assert_int_equal(w->run->exit_code, exit_code);
    assert_int_equal(w->ends, 1);
}

static inline void tear_down(struct world *w)
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
#define LAST_BASELINE \
    "{'stage': 'baseline', 'stage_id': 'last', 'duration_ms': 2000, 'load': {'target_vus': 2}}"
#define GUARDED(what)                                                             \
    "{'stage': 'baseline', 'duration_ms': 20000, 'load': {'target_vus': 2}, "     \
    "'stop_conditions': [{'id': 'c', 'metric': 'error_rate', 'comparator': '>', " \
    "'threshold': 0.1, 'window_ms': 3000, 'sustain_windows': 1" what "}]}"

#endif
