/* SPDX-License-Identifier: MIT */
/*
 * A finished run without a clock or a socket: a scenario from text, its plan, and books that a test
 * fills with made-up outcomes. Two sources; stage "base" begins at second 0.
 */
#ifndef UNIT_REPORT_RUN_FIXTURE_H
#define UNIT_REPORT_RUN_FIXTURE_H

#include "base/mem.h"
#include "control/criteria.h"
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
    struct custom_config customs[3];
    struct criterion_spec criterion_specs[3];
    struct criterion_result criteria[3];
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

static inline void fixture_load(struct fixture *f, struct str text)
{
    struct issue_list issues = {0};
    struct err err = {0};

    memset(f, 0, sizeof *f);
    if (scenario_load_text(text, NULL, &f->scenario, &issues, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    issue_list_clear(&issues);
}

/* As after run_new; the state is that of a run which has ended well, after ten seconds of each
 * stage. */
static inline void fixture_begin(struct fixture *f)
{
    struct aggregate_key keys[8];

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
        .books = aggregate_new(keys, f->plan->key_count, f->plan->stage_count, FIXTURE_SOURCES,
                               (uint32_t)f->scenario->workload.custom_count, 60),
        .conditions = stop_new(&f->spec, 1),
        .condition_count = 1,
        .stop = {.kind = RUN_STOP_COMPLETED, .actor = "system"},
        .verdict = RUN_PASSED,
        .validity = "valid",
        .workers_ = &f->workers,
    };
    buf_init(&f->run.evidence, 4096);
    buf_init(&f->run.warnings, 4096);
    for (uint32_t i = 0; i < f->plan->stage_count; i++) {
        f->stages[i] = (struct run_stage){.started = true,
                                          .ended = true,
                                          .start_ns = (100 + 10 * i) * NS_PER_S,
                                          .end_ns = (110 + 10 * i) * NS_PER_S,
                                          .max_vus = f->plan->stages[i].levels.vus};
        aggregate_set_open_model(f->run.books, i, f->plan->stages[i].levels.open_model);
    }
    stop_stage_begin(f->run.conditions, 0, 0);
}

static inline void fixture_open(struct fixture *f)
{
    fixture_load(f, STR(FIXTURE_SCENARIO));
    fixture_begin(f);
}

#define FIXTURE_RICH                                                                          \
    "{\"scenario_id\": \"rich\", \"metadata\": {\"name\": \"Rich\", \"description\": \"\"},"  \
    " \"target\": {\"url\": \"http://localhost:9000\"},"                                      \
    " \"workload\": {\"seed\": 7, \"operation_mix\": [{\"operation\": \"tools_call\"}],"      \
    "  \"tools\": {\"templates\": [{\"template_id\": \"one\", \"tool_name\": \"fast_echo\"}," \
    "   {\"template_id\": \"two\", \"tool_name\": \"fast_echo\"}]}},"                         \
    " \"stages\": [{\"stage_id\": \"calm\", \"stage\": \"baseline\", \"duration_ms\": 10000," \
    "   \"load\": {\"target_vus\": 5}}, {\"stage_id\": \"storm\", \"stage\": \"baseline\","   \
    "   \"duration_ms\": 10000, \"load\": {\"target_vus\": 20}}]}"

/* A closed stage and an open one of 100/s, three metrics of the scenario, two criteria. */
static inline void fixture_open_rich(struct fixture *f)
{
    fixture_load(f, STR(FIXTURE_RICH));
    f->customs[0] = (struct custom_config){.name = "tokens", .kind = CUSTOM_COUNTER};
    f->customs[1] = (struct custom_config){.name = "depth", .kind = CUSTOM_GAUGE};
    f->customs[2] = (struct custom_config){.name = "score", .kind = CUSTOM_TREND};
    f->scenario->workload.customs = f->customs;
    f->scenario->workload.custom_count = 3;
    f->scenario->stages[1].target_rps = 100;
    f->scenario->metadata.name = "A \x1b[31m\"rich\xff\" <run>";
    fixture_begin(f);
    f->run.ended_ms += 10000;
    f->run.end_ns += 10 * NS_PER_S;
    f->criterion_specs[0] = (struct criterion_spec){.id = "fast",
                                                    .metric = metric_find(STR("latency_p95_ms")),
                                                    .comparator = STOP_LT,
                                                    .threshold = 500,
                                                    .stage_index = 0,
                                                    .scope_text = "tool_name=fast_echo"};
    f->criterion_specs[1] = (struct criterion_spec){.id = "clean",
                                                    .metric = metric_find(STR("error_rate")),
                                                    .comparator = STOP_LT,
                                                    .threshold = 0.001,
                                                    .stage_index = -1};
    f->criterion_specs[2] =
        (struct criterion_spec){.id = "streams",
                                .metric = metric_find(STR("stream_completion_rate")),
                                .comparator = STOP_GE,
                                .threshold = 1,
                                .stage_index = -1};
    f->run.criteria = f->criteria;
    f->run.criterion_count = 3;
}

static inline void fixture_close(struct fixture *f)
{
    buf_clear(&f->run.evidence);
    buf_clear(&f->run.warnings);
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
                        .log_rank = 1,
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
    struct window *w =
        window_new(f->plan->key_count, (uint32_t)f->scenario->workload.custom_count, 1000);

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

/* The mark of another caller came back. */
static inline void fixture_mismatch(struct window *w, uint32_t key)
{
    fixture_failure(w, key, ERROR_CODE_INTEGRITY_MISMATCH, 0,
                    "answer of VU 12, operation 77 came to VU 5, operation 80");
}

/* What the second stage brings beside operations. */
static inline void fixture_storm(struct window *w, uint32_t key)
{
    struct window_part *part = window_key(w, key);

    part->count[COUNT_DUE] += 52;
    part->count[COUNT_DROPPED_NO_SLOT] += 1;
    part->count[COUNT_DROPPED_DEADLINE] += 1;
    w->run.count[COUNT_JOURNEY_STARTED] += 2;
    w->run.count[COUNT_JOURNEY_OK] += 1;
    w->run.count[COUNT_JOURNEY_FAILED] += 1;
    w->run.count[COUNT_JOURNEY_REQUESTS] += 3;
    w->run.count[COUNT_SESSIONS_EXPIRED] += 1;
    w->run.count[COUNT_VUS_GAVE_UP] += 1;
    window_custom(w, 0, 10, false, w->start_ns);
    window_custom(w, 1, -2.5, false, w->start_ns);
    window_custom(w, 2, 0.125, true, w->start_ns);
    window_custom(w, 2, -1, true, w->start_ns);
    window_limit(w, LIMIT_SSE_NAME);
}

/*
 * Ten seconds of 50 echoes a second on each source in the closed stage, ten of the same in the
 * open one, where 52 were due and 2 were dropped. In second 13 an answer goes to the wrong caller
 * on each source.
 */
static inline void fixture_rich_run(struct fixture *f)
{
    struct stop_trigger trigger;

    for (uint64_t second = 0; second < 20; second++) {
        for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
            struct window *w = fixture_window(f, second);
            uint32_t stage = second < 10 ? 0 : 1;
            bool wrong = second == 13;

            w->stage_index = stage;
            for (int i = wrong ? 1 : 0; i < 50; i++) {
                fixture_operation(w, stage * 2 + (uint32_t)(i % 2), 10 * NS_PER_US,
                                  (250 + stage * 250) * NS_PER_US);
            }
            if (wrong) {
                fixture_mismatch(w, 2);
            }
            if (stage == 1) {
                fixture_storm(w, 2);
            }
            fixture_send(f, source, w);
        }
    }
    for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
        aggregate_finish_source(f->run.books, source);
    }
    assert_false(stop_evaluate(f->run.conditions, f->run.books, 20, &trigger));
    for (size_t i = 0; i < f->run.criterion_count; i++) {
        criterion_judge(f->run.books, &f->criterion_specs[i], &f->criteria[i]);
    }
    f->run.criteria_judged = true;
}

#endif
