/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/live.h"
#include "support/unit.h"

static const struct text_style unicode = {.utf8 = true, .columns = 100};
static const struct text_style ascii = {.columns = 100};

#define RUN                                                                                    \
    "{\"run_id\": \"run_1\", \"name\": \"night\\u001b\", \"state\": \"soak_running\", "        \
    "\"active_stage\": {\"stage\": \"soak\"}, \"progress\": {\"stage_index\": 1, \"stages\": " \
    "2, \"elapsed_ms\": 15000, \"planned_ms\": 20000, \"target_vus\": 8, \"active_vus\": 6}, " \
    "\"summary\": {\"total_ops\": 1000, \"failed_ops\": 5, \"throughput\": 66.6, "             \
    "\"latency_p50_ms\": 1.5, \"latency_p95_ms\": 2, \"latency_p99_ms\": 12}, \"workers\": "   \
    "[\"wkr_1\", \"wkr_2\"]}"

static json_t *parse(const char *text)
{
    json_t *value = NULL;

    assert_int_equal(json_parse(str_c(text), 1 << 20, &value, NULL), 0);
    return value;
}

/* The seconds from..to of a run that began at 1000 ms; `width_ms`: of each. */
static json_t *metrics(unsigned from, unsigned to, unsigned width_ms)
{
    json_t *m =
        parse("{\"latency_is\": \"service\", \"streams\": {\"started\": 7, \"stalled\": 1}}");
    json_t *series = json_array();

    json_object_set_new(m, "resolution_ms", json_integer(width_ms));
    json_object_set_new(m, "time_series", series);
    for (unsigned i = from; i < to; i++) {
        json_t *bucket = parse("{\"success_ops\": 99, \"failed_ops\": 1, \"throughput\": 100, "
                               "\"latency_p50\": 1.25, \"latency_p95\": 2, \"active_vus\": 6, "
                               "\"active_sessions\": 6, \"in_flight\": 3, \"events\": 40}");

        json_object_set_new(bucket, "timestamp",
                            json_integer((json_int_t)1000 + (json_int_t)i * width_ms));
        json_object_set_new(bucket, "second", json_integer((json_int_t)i * width_ms / 1000));
        json_object_set_new(bucket, "latency_p99", i % 2 == 0 ? json_real(4 + i) : json_null());
        json_array_append_new(series, bucket);
    }
    return m;
}

static void take(struct live *v, const char *run, json_t *m)
{
    json_t *view = parse(run);

    live_take(v, view, m);
    json_decref(view);
    json_decref(m);
}

static void frame_is(const struct live *v, const char *text)
{
    struct buf out;

    buf_init(&out, LIVE_FRAME_MAX);
    assert_int_equal(live_frame(v, &out), 0);
    assert_string_equal(buf_c(&out), text);
    buf_clear(&out);
}

static void since_is(const struct live *v, const char *run, uint64_t since_ms)
{
    json_t *view = parse(run);

    assert_int_equal(live_since_ms(v, view), since_ms);
    json_decref(view);
}

static void test_frame(void **state)
{
    struct live *v = live_new(&unicode);

    (void)state;
    take(v, "{\"run_id\": \"run_1\", \"scenario_id\": \"sse\", \"state\": \"created\"}", NULL);
    frame_is(v, "watching   run_1 · sse\nrun        created\n");
    since_is(v, "{\"updated_at_ms\": 59000}", 0);
    since_is(v, "{\"updated_at_ms\": 7200000}", 7140000); /* two hours: the minute that is shown */
    since_is(v, "{\"updated_at_ms\": 7200000, \"ended_at_ms\": 3600000}", 3540000);
    assert_false(live_is_over(v));
    take(v, RUN, metrics(0, 3, 2000));
    frame_is(v, "watching   run_1 · night \n"
                "run        soak_running · stage 2 of 2 · 15.0 s of 20.0 s [===============     ] "
                "75 %\n"
                "load       6 of 8 planned VUs · 6 sessions · 3 in flight · on 2 workers\n"
                "now        100/s         S p50 1.25 ms    p95 2 ms       p99 6 ms       failed 1 "
                "(1 %)\n"
                "in all     66.6/s        S p50 1.5 ms     p95 2 ms       p99 12 ms      failed 5 "
                "(0.50 %)\n"
                "streams    7 in all · 20/s events · 1 stalled\n"
                "p99        ▆ █ at most 6.00 ms\n");
    live_free(v);
    v = live_new(&ascii);
    take(v, RUN, metrics(0, 3, 1000));
    struct buf out;
    buf_init(&out, LIVE_FRAME_MAX);
    assert_int_equal(live_frame(v, &out), 0);
    for (size_t i = 0; i < out.len; i++) {
        assert_true((unsigned char)out.p[i] < 0x80);
    }
    buf_clear(&out);
    live_free(v);
}

/* Each second once, however often it comes, and none that is too old to be kept. */
static void test_lines(void **state)
{
    struct live *v = live_new(&unicode);
    struct buf out;

    (void)state;
    buf_init(&out, LIVE_FRAME_MAX);
    take(v, RUN, metrics(0, 2, 1000));
    since_is(v, "{\"updated_at_ms\": 7200000}", 2001);
    assert_int_equal(live_lines(v, &out), 0);
    assert_string_equal(buf_c(&out),
                        "   1 s  soak_running       100/s  failed 1 (1 %)  S p50 1.25 ms  p99 4 "
                        "ms  6 VUs  3 in flight\n"
                        "   2 s  soak_running       100/s  failed 1 (1 %)  S p50 1.25 ms  p99 -"
                        "  6 VUs  3 in flight\n");
    out.len = 0;
    take(v, RUN, metrics(0, 2, 1000));
    assert_int_equal(live_lines(v, &out), 0);
    assert_int_equal(out.len, 0);
    take(v, RUN, metrics(1, 100, 1000));
    assert_int_equal(live_lines(v, &out), 0);
    assert_int_equal(strncmp(buf_c(&out), "  41 s  ", 8), 0);
    assert_non_null(strstr(buf_c(&out), "\n 100 s  "));
    buf_clear(&out);
    live_free(v);
}

/* Who comes late sees the seconds under the numbers that they have in the run. */
static void test_late(void **state)
{
    struct live *v = live_new(&unicode);
    struct buf out;

    (void)state;
    buf_init(&out, LIVE_FRAME_MAX);
    take(v, RUN, metrics(7000, 7001, 1000));
    assert_int_equal(live_lines(v, &out), 0);
    assert_int_equal(strncmp(buf_c(&out), "7001 s  ", 8), 0);
    buf_clear(&out);
    live_free(v);
}

/* Whatever a control plane answers is shown or left out. */
static void test_nonsense(void **state)
{
    struct live *v = live_new(&unicode);
    struct buf out;

    (void)state;
    take(v, "7", parse("[]"));
    take(v, "{\"state\": [], \"active_stage\": 1, \"progress\": \"x\", \"terminal\": 1}",
         parse("{\"time_series\": [1, null, {\"timestamp\": \"a\"}, {\"timestamp\": -5}, "
               "{\"timestamp\": 5, \"latency_p99\": -7}]}"));
    assert_false(live_is_over(v));
    for (size_t max = 0; max < 200; max += 7) {
        buf_init(&out, max);
        assert_int_equal(live_frame(v, &out), ERR_LIMIT);
        buf_clear(&out);
    }
    take(v, "{\"terminal\": true}", NULL);
    assert_true(live_is_over(v));
    live_free(v);
    live_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
