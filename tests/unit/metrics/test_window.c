/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "metrics/window.h"
#include "support/unit.h"

#define MS UINT64_C(1000000)

/* The third row of the table that defines the clocks: queued, then set up, then sent. */
static struct outcome waited(enum outcome_class cls)
{
    return (struct outcome){.key = 1,
                            .cls = cls,
                            .t_due = 100 * MS,
                            .t_free = 180 * MS,
                            .t_ready = 400 * MS,
                            .t_send = 401 * MS,
                            .t_end = 451 * MS,
                            .bytes_in = 70,
                            .bytes_out = 30,
                            .requests_sent = 1};
}

static uint64_t only_sample(const struct window_part *part, enum dist id)
{
    assert_non_null(part->dist[id]);
    assert_int_equal(part->dist[id]->head.count, 1);
    return part->dist[id]->head.max;
}

static bool no_sample(const struct window_part *part, enum dist id)
{
    return part->dist[id] == NULL || part->dist[id]->head.count == 0;
}

static void test_names_are_complete_and_distinct(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_ALL; i++) {
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(count_name((enum count)i), count_name((enum count)j));
        }
    }
    for (int i = 0; i < DIST_ALL; i++) {
        assert_true(strlen(dist_name((enum dist)i)) > 0);
    }
    /* Filters keep sets of both as bits. */
    assert_true(COUNT_ALL <= 64 && DIST_ALL < 32);
}

static void test_clocks_of_one_operation(void **state)
{
    struct window *w = window_new(2, 0, 0);
    struct outcome o = waited(OUTCOME_OK);
    const struct window_part *part = &w->keys[1];

    (void)state;
    window_reset(w, 3, 3 * NS_PER_S, 4 * NS_PER_S);
    window_started(w, 1);
    window_outcome(w, &o);
    assert_int_equal(only_sample(part, DIST_LAG), 301 * MS);
    assert_int_equal(only_sample(part, DIST_SERVICE), 50 * MS);
    assert_int_equal(only_sample(part, DIST_RESPONSE), 351 * MS);
    assert_int_equal(only_sample(part, DIST_QUEUE), 80 * MS);
    assert_int_equal(only_sample(&w->run, DIST_TOOL_LAG), 1 * MS);
    assert_true(no_sample(part, DIST_FAILED));
    assert_int_equal(part->count[COUNT_STARTED], 1);
    assert_int_equal(part->count[COUNT_ENDED_OK], 1);
    assert_int_equal(part->count[COUNT_BYTES_IN], 70);
    assert_int_equal(part->count[COUNT_BYTES_OUT], 30);
    assert_int_equal(part->count[COUNT_REQUESTS_SENT], 1);
    assert_int_equal(w->keys[0].count[COUNT_STARTED], 0);
    assert_int_equal(w->second, 3);
    window_free(w);
}

static void test_failed_is_apart_and_cut_is_censored(void **state)
{
    struct window *w = window_new(2, 0, 0);
    struct outcome o = waited(OUTCOME_FAILED);
    const struct window_part *part = &w->keys[1];

    (void)state;
    o.error_type = ERROR_TYPE_TOOL_ERROR;
    o.error_code = ERROR_CODE_TOOL_ERROR;
    window_outcome(w, &o);
    assert_true(no_sample(part, DIST_SERVICE) && no_sample(part, DIST_LAG));
    assert_int_equal(only_sample(part, DIST_FAILED), 50 * MS);
    o = waited(OUTCOME_CUT);
    o.error_type = ERROR_TYPE_TIMEOUT;
    o.error_code = ERROR_CODE_REQUEST_TIMEOUT;
    window_outcome(w, &o);
    assert_int_equal(part->dist[DIST_SERVICE]->head.censored_n, 1);
    assert_int_equal(part->dist[DIST_SERVICE]->head.censored_min, 50 * MS);
    assert_int_equal(part->dist[DIST_RESPONSE]->head.censored_n, 1);
    /* It was sent: its lag is known exactly. */
    assert_int_equal(part->dist[DIST_LAG]->head.censored_n, 0);
    assert_int_equal(part->count[COUNT_ENDED_FAILED], 2);
    assert_int_equal(part->count[COUNT_TOOL_ERRORS], 1);
    assert_int_equal(part->count[COUNT_TIMEOUTS], 1);
    o = waited(OUTCOME_UNFINISHED);
    window_outcome(w, &o);
    assert_int_equal(part->count[COUNT_UNFINISHED], 1);
    assert_int_equal(part->count[COUNT_ENDED_FAILED], 2);
    assert_int_equal(part->dist[DIST_SERVICE]->head.censored_n, 2);
    window_free(w);
}

static void test_never_sent(void **state)
{
    struct window *w = window_new(2, 0, 0);
    struct outcome o = {.key = 0, .cls = OUTCOME_CUT, .t_due = 5 * MS, .t_end = 25 * MS};
    const struct window_part *part = &w->keys[0];

    (void)state;
    o.error_type = ERROR_TYPE_TIMEOUT;
    o.error_code = ERROR_CODE_CONNECT_TIMEOUT;
    window_started(w, 0);
    window_outcome(w, &o);
    assert_int_equal(part->count[COUNT_STARTED], 1);
    assert_int_equal(part->count[COUNT_REQUESTS_SENT], 0);
    assert_true(no_sample(part, DIST_SERVICE));
    assert_true(no_sample(&w->run, DIST_TOOL_LAG));
    assert_int_equal(only_sample(part, DIST_LAG), 20 * MS);
    assert_int_equal(part->dist[DIST_LAG]->head.censored_n, 1);
    assert_int_equal(part->dist[DIST_QUEUE]->head.censored_n, 1);
    assert_int_equal(only_sample(part, DIST_RESPONSE), 20 * MS);
    window_free(w);
}

/* What ended behind its stage stays among its counts; rates over stages learn whose time it was. */
static void test_what_is_late_is_told(void **state)
{
    struct window *w = window_new(2, 0, 0);
    struct outcome o = waited(OUTCOME_OK);
    const uint64_t *own = w->keys[1].count, *heir = w->keys[0].count;

    (void)state;
    o.is_late = true;
    o.heir = WINDOW_KEY_NONE;
    window_outcome(w, &o);
    window_event(w, 1, 0);
    window_late_event(w, 1, WINDOW_KEY_NONE);
    assert_int_equal(heir[COUNT_CARRIED_ENDED], 0);
    o.heir = 0;
    o.is_stream = true;
    o.cls = OUTCOME_CUT;
    o.error_type = ERROR_TYPE_STREAM_STALL;
    o.error_code = ERROR_CODE_STREAM_STALL_TIMEOUT;
    window_outcome(w, &o);
    window_event(w, 1, 0);
    window_late_event(w, 1, 0);
    assert_int_equal(own[COUNT_ENDED_OK] + own[COUNT_ENDED_FAILED], 2);
    assert_int_equal(own[COUNT_LATE_ENDED], 2);
    assert_int_equal(own[COUNT_LATE_STALLED], 1);
    assert_int_equal(own[COUNT_LATE_EVENTS], 2);
    assert_int_equal(own[COUNT_LATE_BYTES_IN], 140);
    assert_int_equal(own[COUNT_LATE_BYTES_OUT], 60);
    assert_int_equal(heir[COUNT_CARRIED_ENDED], 1);
    assert_int_equal(heir[COUNT_CARRIED_STALLED], 1);
    assert_int_equal(heir[COUNT_CARRIED_EVENTS], 1);
    assert_int_equal(heir[COUNT_CARRIED_BYTES_IN], 70);
    assert_int_equal(heir[COUNT_CARRIED_BYTES_OUT], 30);
    assert_int_equal(heir[COUNT_ENDED_OK] + heir[COUNT_ENDED_FAILED], 0);
    o.cls = OUTCOME_UNFINISHED; /* it has no end, but its bytes count */
    o.heir = WINDOW_KEY_NONE;
    window_outcome(w, &o);
    assert_int_equal(own[COUNT_LATE_ENDED], 2);
    assert_int_equal(own[COUNT_LATE_BYTES_IN], 210);
    window_free(w);
}

static void test_early_send_is_counted(void **state)
{
    struct window *w = window_new(2, 0, 0);
    struct outcome o = waited(OUTCOME_OK);

    (void)state;
    o.t_send = o.t_due - 1;
    window_outcome(w, &o);
    assert_int_equal(w->run.count[COUNT_EARLY_SENDS], 1);
    assert_int_equal(only_sample(&w->keys[1], DIST_LAG), 0);
    window_free(w);
}

static void test_error_classes(void **state)
{
    static const struct {
        enum error_code code;
        enum count count;
    } rows[] = {
        {ERROR_CODE_TOOL_ERROR, COUNT_TOOL_ERRORS},
        {ERROR_CODE_INVALID_JSONRPC, COUNT_PROTOCOL_ERRORS},
        {ERROR_CODE_REQUEST_TIMEOUT, COUNT_TIMEOUTS},
        {ERROR_CODE_HTTP_5XX, COUNT_HTTP_5XX},
        {ERROR_CODE_HTTP_429, COUNT_RATE_LIMITED},
        {ERROR_CODE_OUT_OF_PORTS, COUNT_OWN_FAILURES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct window *w = window_new(2, 0, 0);
        struct outcome o = waited(OUTCOME_FAILED);

        o.error_code = rows[i].code;
        o.error_type = error_code_type(o.error_code);
        window_outcome(w, &o);
        for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++) {
            assert_int_equal(w->keys[1].count[rows[j].count], i == j);
        }
        assert_int_equal(w->keys[1].count[COUNT_ENDED_FAILED], 1);
        window_free(w);
    }
}

static void test_how_streams_end(void **state)
{
    static const struct {
        enum outcome_class cls;
        enum error_code code;
        enum count count;
    } rows[] = {
        {OUTCOME_OK, ERROR_CODE_NONE, COUNT_STREAMS_COMPLETED},
        {OUTCOME_FAILED, ERROR_CODE_TOOL_ERROR, COUNT_STREAMS_COMPLETED},
        {OUTCOME_FAILED, ERROR_CODE_JSONRPC_N, COUNT_STREAMS_COMPLETED},
        {OUTCOME_FAILED, ERROR_CODE_SSE_DISCONNECT, COUNT_STREAMS_FAILED},
        {OUTCOME_CUT, ERROR_CODE_STREAM_STALL_TIMEOUT, COUNT_STREAMS_FAILED},
        {OUTCOME_CUT, ERROR_CODE_REQUEST_TIMEOUT, COUNT_STREAMS_FAILED},
        {OUTCOME_UNFINISHED, ERROR_CODE_NONE, COUNT_STREAMS_UNFINISHED},
    };
    struct window *w = window_new(2, 0, 0);
    uint64_t *count = w->keys[1].count;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o = waited(rows[i].cls);
        uint64_t before = count[rows[i].count];

        o.is_stream = true;
        o.error_code = rows[i].code;
        o.error_type = error_code_type(o.error_code);
        window_stream_started(w, 1);
        window_outcome(w, &o);
        assert_int_equal(count[rows[i].count], before + 1);
    }
    assert_int_equal(count[COUNT_STREAMS_STALLED], 1);
    assert_int_equal(count[COUNT_STREAMS_ENDED],
                     count[COUNT_STREAMS_COMPLETED] + count[COUNT_STREAMS_FAILED]);
    assert_int_equal(count[COUNT_STREAMS_STARTED],
                     count[COUNT_STREAMS_ENDED] + count[COUNT_STREAMS_UNFINISHED]);
    window_free(w);
}

static void test_events(void **state)
{
    struct window *w = window_new(1, 0, 0);

    (void)state;
    window_first_event(w, 0, 9 * MS);
    window_event(w, 0, 4 * MS);
    window_event(w, 0, 0);
    assert_int_equal(w->keys[0].count[COUNT_EVENTS], 2);
    assert_int_equal(w->keys[0].dist[DIST_GAP]->head.count, 2);
    assert_int_equal(only_sample(&w->keys[0], DIST_FIRST_EVENT), 9 * MS);
    window_free(w);
}

static void test_connections_and_sessions(void **state)
{
    struct window *w = window_new(0, 0, 0);

    (void)state;
    window_connect(w, 3 * MS, ERROR_CODE_NONE);
    window_connect(w, 9 * MS, ERROR_CODE_CONNECTION_REFUSED);
    window_connect(w, 9 * MS, ERROR_CODE_OUT_OF_FILES);
    window_session(w, 8 * MS, 5 * MS, true);
    window_session(w, 2 * MS, 0, false);
    window_session_lost(w);
    window_session_closed(w);
    assert_int_equal(w->run.count[COUNT_CONNECT_ATTEMPTS], 2);
    assert_int_equal(w->run.count[COUNT_CONNECT_FAILURES], 1);
    assert_int_equal(w->run.count[COUNT_CONNECT_OWN], 1);
    assert_int_equal(only_sample(&w->run, DIST_CONNECT), 3 * MS);
    assert_int_equal(only_sample(&w->run, DIST_SESSION), 8 * MS);
    assert_int_equal(only_sample(&w->run, DIST_INITIALIZE), 5 * MS);
    assert_int_equal(w->run.count[COUNT_SESSIONS_CREATED], 1);
    assert_int_equal(w->run.count[COUNT_SESSIONS_FAILED], 1);
    assert_int_equal(w->run.count[COUNT_SESSIONS_LOST], 1);
    assert_int_equal(w->run.count[COUNT_SESSIONS_CLOSED], 1);
    window_free(w);
}

static void fail_with(struct window *w, uint32_t key, const char *message)
{
    struct outcome o = waited(OUTCOME_FAILED);

    o.key = key;
    o.error_code = ERROR_CODE_TOOL_ERROR;
    o.error_type = ERROR_TYPE_TOOL_ERROR;
    o.origin = ERROR_ORIGIN_TOOL;
    o.message = str_c(message);
    window_outcome(w, &o);
}

static void test_failures_are_grouped(void **state)
{
    struct window *w = window_new(2, 0, 0);

    (void)state;
    fail_with(w, 0, "row 17 is missing");
    fail_with(w, 0, "row 17 is missing");
    fail_with(w, 0, "row 4711 is missing");
    fail_with(w, 1, "row 3 is missing");
    fail_with(w, 1, NULL);
    fail_with(w, 1, NULL);
    assert_int_equal(w->failure_count, 3);
    assert_int_equal(w->failures[0].count, 3);
    assert_int_equal(w->failures[0].message_len, strlen("row <NUM> is missing"));
    assert_memory_equal(w->failures[0].message, "row <NUM> is missing", 20);
    assert_memory_equal(w->failures[0].sample, "row 17 is missing", 17);
    assert_true(failure_equal(&w->failures[0], &w->failures[1]));
    assert_false(failure_equal(&w->failures[0], &w->failures[2]));
    assert_int_equal(w->failures[2].count, 2);
    window_free(w);
}

/* A text is masked once, however long it is, whatever bytes it has and whatever else fails. */
static void test_a_storm_of_equal_failures_is_one_row(void **state)
{
    static const char page[] = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
                               "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>"
                               "nginx/1.24.0</center>\r\n</body>\r\n</html>\r\n";
    enum { STORM = 2 * WINDOW_TEXTS_MAX };
    struct window *w = window_new(2, 0, 0);
    char text[SIGNATURE_INPUT_MAX + 1], other[SIGNATURE_INPUT_MAX + 1];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(other, text, sizeof text);
    other[sizeof other - 2] = 'y'; /* differs far behind what a row shows */
    for (int i = 0; i < STORM; i++) {
        fail_with(w, 0, page);
        fail_with(w, 0, text);
        fail_with(w, 0, other);
        fail_with(w, 1, page);
        fail_with(w, 1, NULL);
    }
    assert_int_equal(w->text_count, 5);
    assert_int_equal(w->failure_count, 4);
    assert_int_equal(w->failures[0].count, STORM);
    assert_memory_equal(w->failures[0].message, "<html>  <head>", 14);
    assert_int_equal(w->failures[1].count, 2 * STORM);
    assert_int_equal(w->failures[2].count, STORM);
    assert_int_equal(w->failures[3].count, STORM);
    assert_int_equal(w->limits[LIMIT_FAILURE_TEXTS], 0);
    window_reset(w, 1, 0, 1); /* another second masks anew */
    fail_with(w, 0, text);
    assert_int_equal(w->text_count, 1);
    assert_int_equal(w->failures[0].count, 1);
    window_free(w);
}

static void test_failures_beyond_the_log_are_counted(void **state)
{
    struct window *w = window_new(1, 0, 100);

    (void)state;
    for (int i = 0; i < WINDOW_FAILURE_SAMPLES + 5; i++) {
        fail_with(w, 0, "row 17 is missing");
    }
    assert_int_equal(w->log->failures.count, WINDOW_FAILURE_SAMPLES);
    assert_int_equal(w->samples_lost, 5);
    window_free(w);
    w = window_new(1, 0, 0); /* no log is kept: nothing is missing in it */
    for (int i = 0; i < WINDOW_FAILURE_SAMPLES + 5; i++) {
        fail_with(w, 0, "row 17 is missing");
    }
    assert_int_equal(w->samples_lost, 0);
    window_free(w);
}

static void test_the_failure_table_is_bounded(void **state)
{
    struct window *w = window_new(1, 0, 0);
    char text[300];

    (void)state;
    for (int i = 0; i < 200; i++) {
        memset(text, 'a' + i % 26, sizeof text - 1);
        text[sizeof text - 1] = '\0';
        text[i / 26] = '!';
        fail_with(w, 0, text);
    }
    assert_int_equal(w->failure_count, WINDOW_FAILURES_MAX);
    assert_int_equal(w->other_failures, 200 - WINDOW_FAILURES_MAX);
    assert_int_equal(w->failures[0].sample_len, SIGNATURE_SAMPLE_MAX);
    window_free(w);
}

static void test_reset_keeps_histograms_and_nothing_else(void **state)
{
    struct window *w = window_new(2, 0, 0);
    struct outcome o = waited(OUTCOME_OK);

    (void)state;
    window_outcome(w, &o);
    fail_with(w, 0, "no");
    w->gauges.active_vus = 3;
    w->busy_ns = 5;
    struct hist *kept = w->keys[1].dist[DIST_SERVICE];
    window_reset(w, 8, 1, 2);
    assert_ptr_equal(w->keys[1].dist[DIST_SERVICE], kept);
    assert_true(no_sample(&w->keys[1], DIST_SERVICE));
    for (int i = 0; i < COUNT_ALL; i++) {
        assert_int_equal(w->keys[0].count[i] + w->keys[1].count[i] + w->run.count[i], 0);
    }
    assert_int_equal(w->failure_count, 0);
    assert_int_equal(w->gauges.active_vus, 0);
    assert_int_equal(w->busy_ns, 0);
    assert_int_equal(w->second, 8);
    window_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_complete_and_distinct),
        cmocka_unit_test(test_clocks_of_one_operation),
        cmocka_unit_test(test_failed_is_apart_and_cut_is_censored),
        cmocka_unit_test(test_never_sent),
        cmocka_unit_test(test_what_is_late_is_told),
        cmocka_unit_test(test_early_send_is_counted),
        cmocka_unit_test(test_error_classes),
        cmocka_unit_test(test_how_streams_end),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_connections_and_sessions),
        cmocka_unit_test(test_failures_are_grouped),
        cmocka_unit_test(test_a_storm_of_equal_failures_is_one_row),
        cmocka_unit_test(test_failures_beyond_the_log_are_counted),
        cmocka_unit_test(test_the_failure_table_is_bounded),
        cmocka_unit_test(test_reset_keeps_histograms_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
