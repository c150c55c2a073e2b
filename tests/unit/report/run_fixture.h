/* SPDX-License-Identifier: MIT */
/*
 * A finished run without a clock or a socket: a scenario from text, its plan, and books that a test
 * fills with made-up outcomes. Two sources; stage "base" begins at second 0.
 */
#ifndef UNIT_REPORT_RUN_FIXTURE_H
#define UNIT_REPORT_RUN_FIXTURE_H

#include "base/mem.h"
#include "control/run.h"
#include "support/unit.h"

enum { FIXTURE_SOURCES = 2 };

struct fixture {
    struct scenario *scenario;
    struct plan *plan;
    struct plan_identity identity;
    struct run_workers workers;
    struct run run;
    struct run_stage stages[4];
    struct stop_spec spec;
};

#define FIXTURE_SCENARIO                                                                          \
    "{\"scenario_id\": \"fixture\", \"metadata\": {\"name\": \"A fixture\", "                     \
    "\"description\": \"For tests\", \"created_by\": \"us\", \"tags\": {\"team\": \"a\"}},"       \
    " \"target\": {\"url\": \"http://localhost:9000\"},"                                          \
    " \"workload\": {\"seed\": 42, \"operation_mix\": [{\"operation\": \"tools_list\"},"          \
    "   {\"operation\": \"tools_call\", \"weight\": 5}],"                                         \
    "  \"tools\": {\"templates\": [{\"template_id\": \"echo\", \"tool_name\": \"fast_echo\"}]}}," \
    " \"stages\": [{\"stage_id\": \"base\", \"stage\": \"baseline\", \"duration_ms\": 10000,"     \
    "   \"load\": {\"target_vus\": 5}}]}"

enum { FIXTURE_LIST, FIXTURE_ECHO }; /* operations of the plan */

static inline void fixture_keys(const struct fixture *f, struct aggregate_key *keys)
{
    for (uint32_t k = 0; k < f->plan->key_count; k++) {
        const struct plan_operation *o = &f->plan->operations[k % f->plan->operation_count];

        keys[k] = (struct aggregate_key){.stage_index = k / f->plan->operation_count,
                                         .operation = operation_name(o->kind),
                                         .tool_name = o->tool_name,
                                         .template_id = o->template_id};
    }
}

/* As after run_new; the state is that of a run which has ended well after ten seconds. */
static inline void fixture_open(struct fixture *f)
{
    struct issue_list issues = {0};
    struct aggregate_key keys[8];
    struct err err = {0};

    memset(f, 0, sizeof *f);
    if (scenario_load_text(STR(FIXTURE_SCENARIO), NULL, &f->scenario, &issues, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    issue_list_clear(&issues);
    f->identity = (struct plan_identity){.run_id = "run_00000000000000010000",
                                         .execution_id = "exe_0000000000000002",
                                         .worker_id = "wkr_0000000000000003"};
    f->plan = plan_new(f->scenario, &f->identity, "localhost:9000", "/");
    f->workers.source_count = FIXTURE_SOURCES;
    fixture_keys(f, keys);
    f->spec = (struct stop_spec){.id = "too_slow",
                                 .metric = metric_find(STR("latency_p99_ms")),
                                 .comparator = STOP_GT,
                                 .threshold = 5000,
                                 .window_ms = 2000,
                                 .sustain_windows = 2,
                                 .stage_index = 0};
    f->run = (struct run){
        .plan = f->plan,
        .identity = &f->identity,
        .state = RUN_COMPLETED,
        .created_ms = UINT64_C(1767225600000),
        .started_ms = UINT64_C(1767225600250),
        .ended_ms = UINT64_C(1767225610750),
        .grid_ns = 100 * NS_PER_S,
        .end_ns = 110 * NS_PER_S,
        .stage = -1,
        .stages = f->stages,
        .books =
            aggregate_new(keys, f->plan->key_count, f->plan->stage_count, FIXTURE_SOURCES, 0, 60),
        .conditions = stop_new(&f->spec, 1),
        .condition_count = 1,
        .stop = {.kind = RUN_STOP_COMPLETED, .actor = "system"},
        .verdict = RUN_PASSED,
        .validity = "valid",
        .workers_ = &f->workers,
    };
    buf_init(&f->run.evidence, 4096);
    f->stages[0] = (struct run_stage){
        .started = true, .ended = true, .start_ns = 100 * NS_PER_S, .end_ns = 110 * NS_PER_S};
    stop_stage_begin(f->run.conditions, 0, 0);
}

static inline void fixture_close(struct fixture *f)
{
    buf_clear(&f->run.evidence);
    stop_free(f->run.conditions);
    aggregate_free(f->run.books);
    plan_free(f->plan);
    scenario_free(f->scenario);
}

/* One operation that was due, sent and ended in a second of a source. */
static inline void
fixture_operation(struct window *w, uint32_t key, uint64_t lag_ns, uint64_t service_ns)
{
    uint64_t due = w->start_ns + NS_PER_MS;
    struct outcome o = {.key = key,
                        .t_due = due,
                        .t_free = due,
                        .t_ready = due,
                        .t_send = due + lag_ns,
                        .t_end = due + lag_ns + service_ns,
                        .bytes_in = 400,
                        .bytes_out = 300,
                        .requests_sent = 1,
                        .session_was_used = true};

    window_started(w, key);
    window_outcome(w, &o);
}

static inline void fixture_failure(
    struct window *w, uint32_t key, enum error_code code, int number, const char *message)
{
    uint64_t due = w->start_ns + NS_PER_MS;
    struct outcome o = {.key = key,
                        .cls = OUTCOME_FAILED,
                        .t_due = due,
                        .t_free = due,
                        .t_ready = due,
                        .t_send = due,
                        .t_end = due + NS_PER_MS,
                        .error_type = error_code_type(code),
                        .error_code = code,
                        .origin = error_type_origin(error_code_type(code)),
                        .error_number = number,
                        .message = str_c(message),
                        .requests_sent = 1};

    window_started(w, key);
    window_outcome(w, &o);
}

/* A stream that brought one event after a millisecond and was ended after silence. */
static inline void fixture_stalled_stream(struct window *w, uint32_t key, uint64_t stall_ns)
{
    uint64_t due = w->start_ns;
    struct outcome o = {.key = key,
                        .cls = OUTCOME_CUT,
                        .t_due = due,
                        .t_free = due,
                        .t_ready = due,
                        .t_send = due,
                        .t_headers = due + NS_PER_MS,
                        .t_first_event = due + NS_PER_MS,
                        .t_end = due + NS_PER_MS + stall_ns,
                        .http_status = 200,
                        .error_type = ERROR_TYPE_STREAM_STALL,
                        .error_code = ERROR_CODE_STREAM_STALL_TIMEOUT,
                        .origin = ERROR_ORIGIN_STREAM_STALL,
                        .message = str_c("silent for 10 s"),
                        .is_stream = true,
                        .requests_sent = 1,
                        .event_count = 1,
                        .stall_ns = stall_ns};

    window_started(w, key);
    window_stream_started(w, key);
    window_event(w, key, 0);
    window_first_event(w, key, NS_PER_MS);
    window_outcome(w, &o);
}

/* An empty window of ten of `second`, busy for a tenth of it. */
static inline struct window *fixture_window(const struct fixture *f, uint64_t second)
{
    struct window *w = window_new(f->plan->key_count, 0, 0);

    window_reset(w, second, (100 + second) * NS_PER_S, (101 + second) * NS_PER_S);
    w->gauges = (struct window_gauges){.active_vus = 3, .active_sessions = 3, .in_flight = 1};
    w->busy_ns = NS_PER_S / 10;
    w->wall_ns = NS_PER_S;
    w->wakeups = 100;
    return w;
}

/* Frees the window. */
static inline void fixture_send(struct fixture *f, uint32_t source, struct window *w)
{
    assert_true(aggregate_add(f->run.books, source, w));
    window_free(w);
}

/*
 * Ten seconds of 40 echoes of 250 µs and one list of 12 ms on each source; in second 3 four
 * failures; sessions and connections; both sources finish.
 */
static inline void fixture_ordinary_run(struct fixture *f)
{
    for (uint64_t second = 0; second < 10; second++) {
        for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
            struct window *w = fixture_window(f, second);

            if (second == 0) {
                window_connect(w, 100 * NS_PER_US, ERROR_CODE_NONE);
                window_session(w, 2 * NS_PER_MS, NS_PER_MS, true);
            }
            for (int i = 0; i < 40; i++) {
                fixture_operation(w, FIXTURE_ECHO, 10 * NS_PER_US, 250 * NS_PER_US);
            }
            fixture_operation(w, FIXTURE_LIST, 10 * NS_PER_US, 12 * NS_PER_MS);
            for (int i = 0; second == 3 && i < 2; i++) {
                fixture_failure(w, FIXTURE_ECHO, ERROR_CODE_HTTP_STATUS, 503,
                                "busy \x1b[31mnow\xff");
            }
            fixture_send(f, source, w);
        }
    }
    for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
        aggregate_finish_source(f->run.books, source);
    }
    struct stop_trigger trigger;
    assert_false(stop_evaluate(f->run.conditions, f->run.books, 10, &trigger));
}

#endif
