/* SPDX-License-Identifier: MIT */
/* Cases of test_limits.c: the limits of windows and of the books, without a load. */
#ifndef INTEGRATION_LIMITS_BOOKS_H
#define INTEGRATION_LIMITS_BOOKS_H

#include "control/run_priv.h"
#include "metrics/sample.h"
#include "support/planned.h"
#include "support/unit.h"

#include <stdio.h>

/* ---- windows -------------------------------------------------------------------------------- */

static inline struct window *new_window(void)
{
    struct window *w = window_new(1, 1, 8);

    window_reset(w, 0, 0, NS_PER_S);
    return w;
}

static inline uint64_t hits_of(struct window *w, enum limit id)
{
    uint64_t hits = w->limits[id];

    window_reset(w, 1, NS_PER_S, 2 * NS_PER_S);
    assert_int_equal(w->limits[id], 0);
    window_free(w);
    return hits;
}

static inline void
end_failed(struct window *w, enum error_code code, int number, struct str message)
{
    struct outcome o = {.cls = OUTCOME_FAILED,
                        .t_due = 1,
                        .t_send = 1,
                        .t_end = 2,
                        .error_type = error_code_type(code),
                        .error_code = code,
                        .error_number = number,
                        .message = message};

    window_started(w, 0);
    window_outcome(w, &o);
}

/* A failure whose text is `len` bytes of one letter. */
static inline struct window *window_of_text(size_t len)
{
    static char text[2048];
    struct window *w = new_window();

    memset(text, 'x', sizeof text);
    end_failed(w, ERROR_CODE_TOOL_ERROR, 0, (struct str){text, len});
    return w;
}

/* Just inside the limit nothing is counted. */
static inline uint64_t hits_of_text(enum limit id)
{
    size_t max = limit_row(id)->value;

    assert_int_equal(hits_of(window_of_text(max), id), 0);
    return hits_of(window_of_text(max + 1), id);
}

static inline uint64_t hit_signature(void)
{
    return hits_of_text(LIMIT_SIGNATURE);
}

static inline uint64_t hit_signature_sample(void)
{
    return hits_of_text(LIMIT_SIGNATURE_SAMPLE);
}

static inline uint64_t hit_log_message(void)
{
    return hits_of_text(LIMIT_LOG_MESSAGE);
}

static inline struct window *window_of_kinds(int count)
{
    struct window *w = new_window();

    for (int i = 0; i < count; i++) {
        end_failed(w, ERROR_CODE_HTTP_STATUS, 400 + i, STR("no"));
    }
    return w;
}

static inline uint64_t hit_failure_kinds(void)
{
    assert_int_equal(hits_of(window_of_kinds(WINDOW_FAILURES_MAX), LIMIT_FAILURE_KINDS), 0);
    struct window *w = window_of_kinds(WINDOW_FAILURES_MAX + 3);
    assert_int_equal(w->other_failures, 3);
    assert_int_equal(hits_of(w, LIMIT_FAILURE_KINDS), 3);
    return 3;
}

/* Texts that are all of one kind, but each new. */
static inline uint64_t hit_failure_texts(void)
{
    struct window *w = new_window();
    char text[64];

    for (unsigned i = 0; i < WINDOW_TEXTS_MAX + 50; i++) {
        snprintf(text, sizeof text, "no row %u", i);
        end_failed(w, ERROR_CODE_TOOL_ERROR, 0, str_c(text));
    }
    end_failed(w, ERROR_CODE_TOOL_ERROR, 0, STR("no row 0")); /* is known */
    assert_int_equal(w->failure_count, 2);
    assert_int_equal(w->failures[0].count, WINDOW_TEXTS_MAX + 1);
    assert_memory_equal(w->failures[0].message, "no row <NUM>", 12);
    assert_int_equal(w->failures[1].count, 50);
    assert_int_equal(w->failures[1].code, ERROR_CODE_TOOL_ERROR);
    assert_memory_equal(w->failures[1].message, "<MORE>", 6);
    return hits_of(w, LIMIT_FAILURE_TEXTS);
}

static inline struct window *window_of_time(uint64_t ns)
{
    struct window *w = new_window();
    struct outcome o = {.cls = OUTCOME_OK, .t_due = 1, .t_send = 1, .t_end = 1 + ns};

    window_started(w, 0);
    window_outcome(w, &o);
    return w;
}

static inline uint64_t hit_histogram(void)
{
    assert_int_equal(hits_of(window_of_time(HIST_VALUE_MAX), LIMIT_HISTOGRAM), 0);
    return hits_of(window_of_time(HIST_VALUE_MAX + 1), LIMIT_HISTOGRAM);
}

static inline uint64_t hit_trend(void)
{
    struct window *w = new_window();

    window_custom(w, 0, (double)(HIST_VALUE_MAX / 1000), true, 1);
    window_custom(w, 0, -1, false, 1); /* a gauge takes any */
    assert_int_equal(w->limits[LIMIT_TREND], 0);
    window_custom(w, 0, (double)(HIST_VALUE_MAX / 1000) + 1, true, 1);
    window_custom(w, 0, -1, true, 1);
    return hits_of(w, LIMIT_TREND);
}

/* ---- the books ------------------------------------------------------------------------------ */

static inline struct aggregate *new_books(uint32_t history_seconds)
{
    static const struct aggregate_key key;

    return aggregate_new(&key, 1, 1, 2, 0, history_seconds);
}

static inline void add_failures(struct aggregate *books, uint64_t second, int first, int count)
{
    struct window *w = window_new(1, 0, 0);

    window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
    for (int i = 0; i < count; i++) {
        end_failed(w, ERROR_CODE_HTTP_STATUS, first + i, STR("no"));
    }
    assert_true(aggregate_add(books, 0, w));
    window_free(w);
}

static inline uint64_t hit_failure_table(void)
{
    struct aggregate *books = new_books(10);

    for (int i = 0; i < AGGREGATE_SIGNATURES_MAX / 50; i++) {
        add_failures(books, (uint64_t)i, 1000 + i * 50, 50);
    }
    assert_int_equal(aggregate_limit(books, LIMIT_FAILURE_TABLE), 0);
    add_failures(books, 40, 9000, 2);
    uint64_t hits = aggregate_limit(books, LIMIT_FAILURE_TABLE);
    aggregate_free(books);
    return hits;
}

/* Failures of `kinds` codes, and a thousand of another one with texts that are all new. */
enum { STORM = 1000 };

static inline struct window *window_of_storm(int kinds, uint64_t second)
{
    struct window *w = window_new(1, 0, 0);
    char text[64];

    window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
    for (int i = 0; i < kinds; i++) {
        end_failed(w, ERROR_CODE_HTTP_STATUS, 400 + i, STR(""));
    }
    for (int i = 0; i < STORM; i++) {
        snprintf(text, sizeof text, "no row %d", i);
        end_failed(w, ERROR_CODE_TOOL_ERROR, 0, str_c(text));
    }
    end_failed(w, ERROR_CODE_REQUEST_TIMEOUT, 0, STR("")); /* no text: none is left out */
    return w;
}

/* Of a failure that several limits concern only one takes effect, and has it in its count: rows and
 * counts of a result say the same. */
static inline void a_failure_is_in_one_limit(void **state)
{
    enum { SOME = WINDOW_FAILURES_MAX - 3, MASKED = WINDOW_TEXTS_MAX - SOME };
    struct aggregate *books = new_books(10);

    (void)state;
    /* No row for their kind: nobody misses their texts. */
    struct window *w = window_of_storm(WINDOW_FAILURES_MAX, 0);
    assert_int_equal(w->other_failures, STORM + 1);
    assert_int_equal(w->limits[LIMIT_FAILURE_KINDS], STORM + 1);
    assert_int_equal(w->limits[LIMIT_FAILURE_TEXTS], 0);
    window_free(w);

    /* Rows for the masked text, for those that are not masked, and for the one without a text. */
    w = window_of_storm(SOME, 50);
    assert_int_equal(w->failure_count, WINDOW_FAILURES_MAX);
    assert_int_equal(w->failures[SOME].count, MASKED);
    assert_memory_equal(w->failures[SOME + 1].message, "<MORE>", 6);
    assert_int_equal(w->failures[SOME + 1].count, STORM - MASKED);
    assert_int_equal(w->failures[SOME + 2].message_len, 0);
    assert_int_equal(w->limits[LIMIT_FAILURE_KINDS], 0);
    assert_int_equal(w->limits[LIMIT_FAILURE_TEXTS], STORM - MASKED);

    /* The run has no row for them any more. */
    for (int i = 0; i < AGGREGATE_SIGNATURES_MAX / 50; i++) {
        add_failures(books, (uint64_t)i, 1000 + i * 50, 50);
    }
    assert_true(aggregate_add(books, 0, w));
    assert_int_equal(aggregate_limit(books, LIMIT_FAILURE_TABLE), SOME + STORM + 1);
    assert_int_equal(aggregate_limit(books, LIMIT_FAILURE_TEXTS), 0);
    assert_int_equal(aggregate_limit(books, LIMIT_FAILURE_KINDS), 0);
    static const struct aggregate_failure *rows[AGGREGATE_SIGNATURES_MAX + 1];
    size_t count = aggregate_failures(books, AGGREGATE_LOAD, rows, AGGREGATE_SIGNATURES_MAX + 1);
    const struct aggregate_failure *other = rows[count - 1];
    assert_true(other->is_other);
    assert_int_equal(other->seen[AGGREGATE_LOAD].count, SOME + STORM + 1);
    window_free(w);
    aggregate_free(books);
}

static inline uint64_t hit_late_windows(void)
{
    struct aggregate *books = new_books(0);
    struct window *w = window_new(1, 0, 0);

    add_failures(books, AGGREGATE_HISTORY_SLACK, 500, 1);
    window_reset(w, 1, NS_PER_S, 2 * NS_PER_S);
    assert_true(aggregate_add(books, 1, w));
    assert_int_equal(aggregate_limit(books, LIMIT_LATE_WINDOWS), 0);
    window_reset(w, 0, 0, NS_PER_S);
    assert_true(aggregate_add(books, 1, w));
    window_free(w);
    uint64_t hits = aggregate_limit(books, LIMIT_LATE_WINDOWS);
    aggregate_free(books);
    return hits;
}

static inline uint64_t hit_warnings(void)
{
    struct run run = {.books = new_books(0), .stage = -1};

    watch_init(&run);
    for (int i = 0; i < 4; i++) {
        run_warn(&run, "%0400d", i);
    }
    assert_int_equal(run_limit(&run, LIMIT_WARNINGS), 0);
    for (int i = 0; i < RUN_WARNINGS_MAX / 401; i++) {
        run_warn(&run, "%0400d", i);
    }
    uint64_t hits = run_limit(&run, LIMIT_WARNINGS);
    buf_clear(&run.warnings);
    aggregate_free(run.books);
    return hits;
}

/* ---- the plan -------------------------------------------------------------------------------- */

/* Of a run of these stages, one of which is not played. */
static inline uint64_t hits_of_plan(enum limit id, const char *caps, const char *stages)
{
    static char text[4096];
    struct planned planned;

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'},"
             " 'workload': {'operation_mix': [{'operation': 'ping'}]},"
             " 'safety': {'hard_caps': {%s}}, 'stages': [%s,"
             " {'stage': 'soak', 'enabled': false, 'duration_ms': 5000,"
             "  'load': {'target_vus': 500, 'target_rps': 50000}}]}",
             caps, stages);
    planned_make(&planned, text, NULL, 0);
    struct run run = {.plan = planned.plan};
    uint64_t hits = run_limit(&run, id);
    planned_clear(&planned);
    return hits;
}

#define STAGE_OF(kind, load) "{'stage': '" kind "', 'duration_ms': 5000, 'load': {" load "}}"

static inline uint64_t hit_cut_vus(void)
{
    static const char *const caps = "'max_vus': 8";

    assert_int_equal(hits_of_plan(LIMIT_CUT_VUS, caps, STAGE_OF("baseline", "'target_vus': 8")), 0);
    assert_int_equal(hits_of_plan(LIMIT_CUT_RPS, caps, STAGE_OF("baseline", "'target_vus': 20")),
                     0);
    /* The top of a ramp counts. */
    assert_int_equal(hits_of_plan(LIMIT_CUT_VUS, caps,
                                  "{'stage': 'ramp', 'duration_ms': 5000,"
                                  " 'load': {'target_vus': 5}, 'ramp': {'max_vus': 38}}"),
                     30);
    uint64_t hits = hits_of_plan(
        LIMIT_CUT_VUS, caps,
        STAGE_OF("baseline", "'target_vus': 20") "," STAGE_OF("soak", "'target_vus': 10"));
    assert_int_equal(hits, 12); /* of the larger one */
    return hits;
}

static inline uint64_t hit_cut_rps(void)
{
    static const char *const caps = "'max_rps': 100";

    assert_int_equal(hits_of_plan(LIMIT_CUT_RPS, caps,
                                  STAGE_OF("baseline", "'target_vus': 8, 'target_rps': 100")),
                     0);
    assert_int_equal(hits_of_plan(LIMIT_CUT_RPS, caps,
                                  STAGE_OF("baseline", "'target_vus': 8, 'target_rps': 100.5")),
                     1);
    uint64_t hits = hits_of_plan(LIMIT_CUT_RPS, caps,
                                 STAGE_OF("baseline", "'target_vus': 8, 'target_rps': 1000"));
    assert_int_equal(hits, 900);
    return hits;
}

static inline uint64_t hits_of_steps(unsigned vus)
{
    char stage[300];

    snprintf(stage, sizeof stage,
             "{'stage': 'ramp', 'duration_ms': 5000, 'load': {'target_vus': %u},"
             " 'ramp': {'mode': 'step', 'start_vus': 1, 'step_every_ms': 1, 'step_vus': 1}}",
             vus);
    return hits_of_plan(LIMIT_PLAN_STEPS, "'max_vus': 5000", stage);
}

static inline uint64_t hit_plan_steps(void)
{
    assert_int_equal(hits_of_steps(PLAN_STEPS_MAX), 0);
    return hits_of_steps(PLAN_STEPS_MAX + 1);
}

#endif
