/* SPDX-License-Identifier: MIT */
#include "report/result/result.h"
#include "report/summary/summary.h"
#include "unit/report/run_fixture.h"

#include <signal.h>

static const struct text_style unicode = {.utf8 = true, .columns = 100};
static const struct text_style ascii = {.columns = 100};

static void assert_text(const json_t *result, const struct text_style *style, const char *want)
{
    struct summary_options options = {.style = *style, .result_path = "result.json"};
    struct buf out;

    buf_init(&out, SUMMARY_TEXT_MAX);
    assert_int_equal(summary_write(result, &options, &out), 0);
    assert_string_equal(buf_c(&out), want);
    buf_clear(&out);
}

/* The same from the run's document and from the file that becomes of it. */
static void assert_summary(const struct run *r, const struct text_style *style, const char *want)
{
    struct buf text;
    struct err err = {0};
    json_t *result = result_json(r), *read = NULL;

    assert_text(result, style, want);
    json_decref(result);
    buf_init(&text, RESULT_TEXT_MAX);
    assert_int_equal(result_render(r, &text, &err), 0);
    assert_int_equal(json_parse(buf_str(&text), RESULT_TEXT_MAX, &read, &err), 0);
    assert_text(read, style, want);
    json_decref(read);
    buf_clear(&text);
}

static void assert_says(const struct run *r, const char *line)
{
    struct summary_options options = {.style = unicode};
    json_t *result = result_json(r);
    struct buf out;

    buf_init(&out, SUMMARY_TEXT_MAX);
    assert_int_equal(summary_write(result, &options, &out), 0);
    if (strstr(buf_c(&out), line) == NULL) {
        fail_msg("no \"%s\" in %s", line, out.p);
    }
    buf_clear(&out);
    json_decref(result);
}

/* What the log of operations lacks has its words: by number, and by limits and disks. */
static void test_a_log_with_gaps(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
        struct window *w = fixture_window(&f, 0);

        fixture_operation(w, FIXTURE_ECHO, NS_PER_US, NS_PER_MS);
        w->samples_thinned = 617;
        w->samples_lost = source;
        fixture_send(&f, source, w);
    }
    f.run.log_lines_lost = 20;
    assert_says(&f.run, "log          a sample: 1,234 successes were left out evenly\n"
                        "             21 operations were left out of the log: it has its limits");
    fixture_close(&f);
}

static void test_ordinary_run(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_ordinary_run(&f);
    assert_summary(
        &f.run, &unicode,
        "PASSED · valid · 824 operations · seed 42\n"
        "ended        the plan ran to its end · 10.5 s in all\n"
        "conditions   latency_p99_ms > 5 s for 2 x 2 s             worst 12 ms      not reached\n"
        "rate         82.4/s · 824 started · 820 succeeded · 4 failed (0.49 %) · 0 unfinished\n"
        "\n"
        "latency                       p50         p90         p95         p99        p99.9      "
        "max    n\n"
        "  tools/list           S  12.0 ms  n/a (n=20)  n/a (n=20)  n/a (n=20)   n/a (n=20)  12.0 "
        "ms   20\n"
        "                       R  12.0 ms  n/a (n=20)  n/a (n=20)  n/a (n=20)   n/a (n=20)  12.0 "
        "ms   20\n"
        "                       L  10.0 µs  n/a (n=20)  n/a (n=20)  n/a (n=20)   n/a (n=20)  10.0 "
        "µs   20\n"
        "  tools/call fast_echo S   250 µs      250 µs      250 µs      250 µs  n/a (n=800)   250 "
        "µs  800\n"
        "                       R   260 µs      260 µs      260 µs      260 µs  n/a (n=800)   260 "
        "µs  800\n"
        "                       L  10.0 µs     10.0 µs     10.0 µs     10.0 µs  n/a (n=800)  10.0 "
        "µs  800\n"
        "  S sent to ended, R due to ended, L due to sent; \"latency\" is S\n"
        "\n"
        "stage and operation       ended    rate      failed      p50         p95         p99\n"
        "  tools/list           S     20     2/s           0  12.0 ms  n/a (n=20)  n/a (n=20)\n"
        "  tools/call fast_echo S    804  80.4/s  4 (0.50 %)   250 µs      250 µs      250 µs\n"
        "\n"
        "sessions     2 created · 0 failed to set up · 0 lost · reuse 99.5 % · set-up p95 n/a "
        "(n=2)\n"
        "connections  2 tried · 0 failed (0 %) · set-up p95 n/a (n=2) · 328 kB in · 246 kB out\n"
        "slowest      12.0 ms tools/list, VU 0, operation 0, at 0.0 s\n"
        "             12.0 ms tools/list, VU 0, operation 0, at 0.0 s\n"
        "             12.0 ms tools/list, VU 0, operation 0, at 1.0 s\n"
        "\n"
        "errors of 4 failed operations, by signature\n"
        "          4    100 %  http_error HTTP_503, origin gateway\n"
        "                      busy  [31mnow�\n"
        "\n"
        "generator    2 shards · busy 10 % on average, 10 % at most · own lateness p99 10.0 µs\n"
        "integrity    merge verified: 2/2 sources, 0 windows lost, started = succeeded + failed + "
        "unfinished\n"
        "result       result.json\n");
    fixture_close(&f);
}

static void test_ascii_keeps_the_columns(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_ordinary_run(&f);
    assert_summary(
        &f.run, &ascii,
        "PASSED - valid - 824 operations - seed 42\n"
        "ended        the plan ran to its end - 10.5 s in all\n"
        "conditions   latency_p99_ms > 5 s for 2 x 2 s             worst 12 ms      not reached\n"
        "rate         82.4/s - 824 started - 820 succeeded - 4 failed (0.49 %) - 0 unfinished\n"
        "\n"
        "latency                       p50         p90         p95         p99        p99.9      "
        "max    n\n"
        "  tools/list           S  12.0 ms  n/a (n=20)  n/a (n=20)  n/a (n=20)   n/a (n=20)  12.0 "
        "ms   20\n"
        "                       R  12.0 ms  n/a (n=20)  n/a (n=20)  n/a (n=20)   n/a (n=20)  12.0 "
        "ms   20\n"
        "                       L  10.0 us  n/a (n=20)  n/a (n=20)  n/a (n=20)   n/a (n=20)  10.0 "
        "us   20\n"
        "  tools/call fast_echo S   250 us      250 us      250 us      250 us  n/a (n=800)   250 "
        "us  800\n"
        "                       R   260 us      260 us      260 us      260 us  n/a (n=800)   260 "
        "us  800\n"
        "                       L  10.0 us     10.0 us     10.0 us     10.0 us  n/a (n=800)  10.0 "
        "us  800\n"
        "  S sent to ended, R due to ended, L due to sent; \"latency\" is S\n"
        "\n"
        "stage and operation       ended    rate      failed      p50         p95         p99\n"
        "  tools/list           S     20     2/s           0  12.0 ms  n/a (n=20)  n/a (n=20)\n"
        "  tools/call fast_echo S    804  80.4/s  4 (0.50 %)   250 us      250 us      250 us\n"
        "\n"
        "sessions     2 created - 0 failed to set up - 0 lost - reuse 99.5 % - set-up p95 n/a "
        "(n=2)\n"
        "connections  2 tried - 0 failed (0 %) - set-up p95 n/a (n=2) - 328 kB in - 246 kB out\n"
        "slowest      12.0 ms tools/list, VU 0, operation 0, at 0.0 s\n"
        "             12.0 ms tools/list, VU 0, operation 0, at 0.0 s\n"
        "             12.0 ms tools/list, VU 0, operation 0, at 1.0 s\n"
        "\n"
        "errors of 4 failed operations, by signature\n"
        "          4    100 %  http_error HTTP_503, origin gateway\n"
        "                      busy  [31mnow?\n"
        "\n"
        "generator    2 shards - busy 10 % on average, 10 % at most - own lateness p99 10.0 us\n"
        "integrity    merge verified: 2/2 sources, 0 windows lost, started = succeeded + failed + "
        "unfinished\n"
        "result       result.json\n");
    fixture_close(&f);
}

static void test_rich_run(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open_rich(&f);
    fixture_rich_run(&f);
    assert_summary(
        &f.run, &unicode,
        "PASSED · valid · 2,000 operations · seed 7\n"
        "FINDING      2 answers went to the wrong caller\n"
        "             answer of VU 12, operation 77 came to VU 5, operation 80\n"
        "ended        the plan ran to its end · 20.5 s in all\n"
        "criteria     error_rate < 0.1 %                                  0.1 %            FAILED\n"
        "             stream_completion_rate >= 100 %                     no value         FAILED\n"
        "             latency_p95_ms{tool_name=fast_echo} < 500 ms [calm] 250 µs           met\n"
        "conditions   latency_p99_ms > 5 s for 2 x 2 s [calm]      worst 250 µs     not reached\n"
        "stages       baseline calm: 10.0 s of 10.0 s, 5 VUs, 100/s\n"
        "             baseline storm: 10.0 s of 10.0 s, 100/s ordered, 20 VUs, 100/s\n"
        "rate         100/s · 1,040 due · 2,000 started · 40 dropped · 1,998 succeeded · 2 failed "
        "(0.10 %) · 0 unfinished · started / due 96.2 %\n"
        "dropped      20 after their deadline · 20 without a free slot to the end\n"
        "\n"
        "latency                             p50      p90      p95      p99         p99.9       "
        "max      n\n"
        "  tools/call fast_echo [one] S   251 µs   500 µs   500 µs   500 µs   n/a (n=998)    500 "
        "µs    998\n"
        "                             R   510 µs   510 µs   510 µs     shed   n/a (n=998)  ≥ 510 "
        "µs    998\n"
        "                             L  10.0 µs  10.0 µs  10.0 µs  10.0 µs   n/a (n=998)   10.0 "
        "µs    998\n"
        "  tools/call fast_echo [two] S   251 µs   500 µs   500 µs   500 µs  n/a (n=1000)    500 "
        "µs  1,000\n"
        "                             R   260 µs   510 µs   510 µs   510 µs  n/a (n=1000)    510 "
        "µs  1,000\n"
        "                             L  10.0 µs  10.0 µs  10.0 µs  10.0 µs  n/a (n=1000)   10.0 "
        "µs  1,000\n"
        "  S sent to ended, R due to ended, L due to sent; \"latency\" is R\n"
        "\n"
        "stage and operation                    ended  rate      failed     p50     p95     p99\n"
        "  calm: tools/call fast_echo [one]  S    500  50/s           0  250 µs  250 µs  250 µs\n"
        "  calm: tools/call fast_echo [two]  S    500  50/s           0  250 µs  250 µs  250 µs\n"
        "  storm: tools/call fast_echo [one] R    500  50/s  2 (0.40 %)  510 µs    shed    shed\n"
        "  storm: tools/call fast_echo [two] R    500  50/s           0  510 µs  510 µs  510 µs\n"
        "\n"
        "sessions     0 created · 0 failed to set up · 0 lost · 20 expired · 20 VUs gave up · "
        "reuse 99.9 %\n"
        "connections  0 tried · 0 failed · 799 kB in · 599 kB out\n"
        "journey      40 lists beside the workload · 20 succeeded · 20 failed (50 %) · 60 "
        "requests\n"
        "custom       tokens: n=20 · sum 200\n"
        "             depth: n=20 · last -2.5 · min -2.5 · max -2.5\n"
        "             score: n=20 · mean 0.125 · min 0.125 · p50 0.125 · p95 0.125 · p99 0.125 · "
        "max 0.125 · 20 rejected\n"
        "slowest      1.00 ms tools/call fast_echo [one], VU 0, operation 0, at 13.0 s, "
        "INTEGRITY_MISMATCH\n"
        "             1.00 ms tools/call fast_echo [one], VU 0, operation 0, at 13.0 s, "
        "INTEGRITY_MISMATCH\n"
        "             510 µs tools/call fast_echo [one], VU 0, operation 0, at 10.0 s\n"
        "\n"
        "errors of 2 failed operations, by signature\n"
        "          2    100 %  check_failed INTEGRITY_MISMATCH, origin tool\n"
        "                      answer of VU 12, operation 77 came to VU 5, operation 80\n"
        "\n"
        "generator    2 shards · busy 10 % on average, 10 % at most · own lateness p99 10.0 µs\n"
        "integrity    merge verified: 2/2 sources, 0 windows lost, due = started + dropped, "
        "started = succeeded + failed + unfinished\n"
        "limits       sse_name (31 bytes of an event's name): 20 names: they were cut; only "
        "`message` "
        "means something\n"
        "             trend (4398046511 at most in a trend, 0 at least): 20 numbers\n"
        "result       result.json\n");
    fixture_close(&f);
}

static void assert_in(const char *text, const char *wanted, bool is_there)
{
    if ((strstr(text, wanted) != NULL) != is_there) {
        fail_msg("\"%s\" %s in\n%s", wanted, is_there ? "is missing" : "stands", text);
    }
}

/* A stage that is counted apart has a line of its own, and is nowhere else. */
static void test_preflight_stands_beside(void **state)
{
    static const struct {
        const char *text;
        bool is_there;
    } rows[] = {
        {"PASSED · valid · 1,000 operations", true},
        {"baseline calm: 10.0 s of 10.0 s, 5 VUs, 100/s\n", true},
        {"\npreflight    1,000 operations ended · 0 failed (0 %) · 0 sessions created · in no "
         "other "
         "figure\n",
         true},
        {"\nrate         100/s · 1,040 due · 1,000 started", true},
        {"calm: tools/call", false},
        {"\n  tools/call fast_echo [one] R    500  50/s  2 (0.40 %)", true},
        {"250 µs", false}, /* the service time of the stage apart */
        {"FINDING      2 answers", true},
    };
    struct summary_options options = {.style = unicode};
    struct fixture f;
    struct buf out;

    (void)state;
    fixture_open_rich(&f);
    aggregate_set_apart(f.run.books, 0);
    fixture_rich_run(&f);
    buf_init(&out, SUMMARY_TEXT_MAX);
    json_t *result = result_json(&f.run);
    assert_int_equal(summary_write(result, &options, &out), 0);
    char *conditions = strstr(buf_c(&out), "\nstages"); /* those of the stage itself come before */
    assert_non_null(conditions);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_in(i == 0 || i + 1 == sizeof rows / sizeof rows[0] ? buf_c(&out) : conditions,
                  rows[i].text, rows[i].is_there);
    }
    json_decref(result);
    buf_clear(&out);
    fixture_close(&f);
}

/* The same ids in the table of the run and in those of its stages. */
static void rename_operations(json_t *operations, const char *tool, const char *const ids[2])
{
    for (size_t i = 0; i < 2; i++) {
        json_t *operation = json_array_get(operations, i);

        json_object_set_new(operation, "tool_name", json_string(tool));
        json_object_set_new(operation, "template_id", json_string(ids[i]));
    }
}

/* Names that are too long are cut so that rows can be told apart. */
static void test_rows_differ(void **state)
{
    static const struct {
        const char *tool, *ids[2], *rows[4];
    } cases[] = {
        {"fast_echo",
         {"operation_mix[0]", "operation_mix[1]"},
         {"  tools/call fast_echo [operat…mix[0]] S ", "  tools/call fast_echo [operat…mix[1]] S ",
          "  calm: tools/call fast_echo [operation_mix[0]]  S ",
          "  storm: tools/call fast_echo [operation_mix[1]] R "}},
        {"a_tool_with_a_very_long_name_v2",
         {"operation_mix[10]", "operation_mix[11]"},
         {"  tools/call a_too…me_v2 [opera…x[10]] S ", "  tools/call a_too…me_v2 [opera…x[11]] S ",
          "[11]] S ", "[10]] R "}},
        {"e",
         {"the-first-of-all-that-are-in-here-is-this",
          "the-first-of-all-that-are-in-there-is-this"},
         {" #1 S ", " #2 S ", " #1 S ", " #2 R "}},
    };
    struct summary_options options = {.style = unicode};
    struct fixture f;

    (void)state;
    fixture_open_rich(&f);
    fixture_rich_run(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *result = result_json(&f.run), *stage;
        struct buf out;
        size_t k;

        rename_operations(json_object_get(result, "operations"), cases[i].tool, cases[i].ids);
        json_array_foreach(json_object_get(result, "stages"), k, stage)
        {
            rename_operations(json_object_get(stage, "operations"), cases[i].tool, cases[i].ids);
        }
        buf_init(&out, SUMMARY_TEXT_MAX);
        assert_int_equal(summary_write(result, &options, &out), 0);
        for (k = 0; k < 4; k++) {
            assert_in(buf_c(&out), cases[i].rows[k], true);
        }
        buf_clear(&out);
        json_decref(result);
    }
    fixture_close(&f);
}

static void test_stalled_streams_and_a_condition(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    for (uint64_t second = 0; second < 4; second++) {
        for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
            struct window *w = fixture_window(&f, second);

            fixture_stalled_stream(w, FIXTURE_ECHO, 10 * NS_PER_S);
            fixture_send(&f, source, w);
        }
    }
    for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
        aggregate_finish_source(f.run.books, source);
    }
    f.run.triggered = stop_evaluate(f.run.conditions, f.run.books, 4, &f.run.trigger);
    assert_true(f.run.triggered);
    f.run.state = RUN_STOPPED;
    f.run.verdict = RUN_VERDICT_FAILED;
    f.run.exit_code = 4;
    f.run.stop.kind = RUN_STOP_CONDITION;
    snprintf(f.run.stop.sentence, sizeof f.run.stop.sentence, "%s", f.run.trigger.sentence);
    assert_summary(
        &f.run, &unicode,
        "FAILED · valid · 8 operations · seed 42\n"
        "ended        latency_p99_ms was at least 10 s (n=4), limit 5 s, for 4 s: 2 windows of 2 s "
        "· 10.5 s in all\n"
        "conditions   latency_p99_ms > 5 s for 2 x 2 s             worst 10 s       TRIGGERED\n"
        "rate         2/s · 8 started · 0 succeeded · 8 failed (100 %) · 0 unfinished\n"
        "\n"
        "latency                        p50        p90        p95        p99      p99.9       max  "
        "n\n"
        "  tools/call fast_echo S  ≥ 10.0 s  n/a (n=8)  n/a (n=8)  n/a (n=8)  n/a (n=8)  ≥ 10.0 s  "
        "8\n"
        "                       R  ≥ 10.0 s  n/a (n=8)  n/a (n=8)  n/a (n=8)  n/a (n=8)  ≥ 10.0 s  "
        "8\n"
        "                       L   0.00 µs  n/a (n=8)  n/a (n=8)  n/a (n=8)  n/a (n=8)   0.00 µs  "
        "8\n"
        "  S sent to ended, R due to ended, L due to sent; \"latency\" is S\n"
        "\n"
        "streams      8 opened · 0 completed · 8 failed (100 %), 8 stalled\n"
        "events       8 · 2/s · first event p95 n/a (n=8) · gap p95 n/a (n=8)\n"
        "sessions     0 created · 0 failed to set up · 0 lost · reuse 0 %\n"
        "connections  0 tried · 0 failed · 0 B in · 0 B out\n"
        "slowest      10.0 s tools/call fast_echo, VU 0, operation 0, at 0.0 s, "
        "STREAM_STALL_TIMEOUT\n"
        "             10.0 s tools/call fast_echo, VU 0, operation 0, at 0.0 s, "
        "STREAM_STALL_TIMEOUT\n"
        "             10.0 s tools/call fast_echo, VU 0, operation 0, at 1.0 s, "
        "STREAM_STALL_TIMEOUT\n"
        "\n"
        "errors of 8 failed operations, by signature\n"
        "          8    100 %  stream_stall STREAM_STALL_TIMEOUT, origin stream_stall\n"
        "                      silent for 10 s\n"
        "\n"
        "generator    2 shards · busy 10 % on average, 10 % at most · own lateness p99 n/a (n=8)\n"
        "integrity    merge verified: 2/2 sources, 0 windows lost, started = succeeded + failed + "
        "unfinished\n"
        "result       result.json\n");
    fixture_close(&f);
}

static void failed_checks(struct fixture *f)
{
    f->run.stages[0].started = false;
    f->run.verdict = RUN_VERDICT_FAILED;
    f->run.exit_code = 5;
    f->run.stop.kind = RUN_STOP_PREFLIGHT;
    snprintf(f->run.stop.sentence, sizeof f->run.stop.sentence,
             "the target refused the connection");
    f->run.ended_ms = f->run.started_ms + 12;
    f->run.checked = true;
    f->run.checks.count = 2;
    f->run.checks.items[0] =
        (struct check){.name = "network", .ok = true, .latency_ns = 320 * NS_PER_US};
    f->run.checks.items[1] = (struct check){.name = "handshake",
                                            .latency_ns = 1500 * NS_PER_US,
                                            .code = ERROR_CODE_HTTP_STATUS,
                                            .number = 404,
                                            .message = "POST / was answered with 404 Not\x1b Found",
                                            .remediation = "Name the path of the MCP endpoint."};
    f->run.checks.warning_count = 1;
    snprintf(f->run.checks.warnings[0], sizeof f->run.checks.warnings[0], "the server is old");
}

static void test_failed_preflight(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    failed_checks(&f);
    assert_summary(&f.run, &unicode,
                   "FAILED · preflight · no load was generated · seed 42\n"
                   "ended        the target refused the connection · 0.0 s in all\n"
                   "\n"
                   "checks\n"
                   "  ✓ network       320 µs\n"
                   "  ✗ handshake     1.50 ms · HTTP_404\n"
                   "      POST / was answered with 404 Not  Found\n"
                   "      what to do: Name the path of the MCP endpoint.\n"
                   "warning      the server is old\n"
                   "result       result.json\n");
    assert_summary(&f.run, &ascii,
                   "FAILED - preflight - no load was generated - seed 42\n"
                   "ended        the target refused the connection - 0.0 s in all\n"
                   "\n"
                   "checks\n"
                   "  ok   network       320 us\n"
                   "  FAIL handshake     1.50 ms - HTTP_404\n"
                   "      POST / was answered with 404 Not  Found\n"
                   "      what to do: Name the path of the MCP endpoint.\n"
                   "warning      the server is old\n"
                   "result       result.json\n");
    fixture_close(&f);
}

static void assert_verdict(const struct run *r, const struct text_style *style, const char *want)
{
    json_t *result = result_json(r);
    struct buf out;

    buf_init(&out, SUMMARY_TEXT_MAX);
    assert_int_equal(summary_verdict(result, style, &out), 0);
    assert_string_equal(buf_c(&out), want);
    buf_clear(&out);
    json_decref(result);
}

/* Who asks for the verdict alone still wants to know what it is for. */
static void test_verdict_with_its_reason(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    failed_checks(&f);
    assert_verdict(&f.run, &unicode,
                   "FAILED · preflight · no load was generated · seed 42\n"
                   "ended        the target refused the connection · 0.0 s in all\n"
                   "\n"
                   "checks\n"
                   "  ✓ network       320 µs\n"
                   "  ✗ handshake     1.50 ms · HTTP_404\n"
                   "      POST / was answered with 404 Not  Found\n"
                   "      what to do: Name the path of the MCP endpoint.\n");
    fixture_close(&f);
    fixture_open(&f);
    fixture_ordinary_run(&f);
    assert_verdict(&f.run, &unicode, "PASSED · valid · 824 operations · seed 42\n");
    fixture_close(&f);
}

static void test_verdict_line(void **state)
{
    static const struct text_style coloured = {.utf8 = true, .colour = true};
    struct fixture f;

    (void)state;
    fixture_open(&f);
    f.run.verdict = RUN_VERDICT_NONE;
    f.run.stop = (struct run_stop){.kind = RUN_STOP_REQUESTED, .signo = SIGINT};
    assert_verdict(&f.run, &unicode,
                   "NO VERDICT · interrupted, partial result · valid · 0 operations · seed 42\n");
    f.run.stop.signo = 0;
    f.run.verdict = RUN_INVALID;
    f.run.validity = "lost_data";
    assert_verdict(&f.run, &coloured,
                   "\x1b[1m\x1b[33mINVALID\x1b[0m · lost_data · 0 operations · seed 42\n"
                   "ended        stop_requested · 10.5 s in all\n");
    fixture_close(&f);
}

/* ---- documents that nobody of ours wrote --------------------------------------------------------
 */

static void test_hostile_documents(void **state)
{
    static const char *const documents[] = {
        "null",
        "[]",
        "\"text\"",
        "{}",
        "{\"stages\": [{\"started\": true}]}",
        "{\"stages\": [null, 1, {\"started\": true, \"planned\": [], \"achieved\": \"x\"}],"
        " \"operations\": [{\"lag\": {\"n\": 9}, \"service\": {\"n\": 1e300}}, 7, null],"
        " \"counts\": [], \"totals\": {\"ops_per_second\": \"many\"}, \"errors\": [[], {}, 4],"
        " \"criteria\": [{}, null, 3], \"conditions\": [{\"expression\": \"\\u0000\\u001b[2J\"}],"
        " \"findings\": [{\"examples\": {}}, 1], \"slowest\": [0, {}], \"custom\": {\"a\": 1,"
        " \"b\": {\"kind\": \"trend\", \"p50\": -1e308}}, \"workers\": [1, {\"busy_ms\": 1,"
        " \"wall_ms\": 1e-300}], \"validity\": {\"evidence\": [1, \"\\u009b\"]}, \"warnings\": "
        "[{}]}",
        "{\"stages\": [{\"started\": true, \"counts\": {\"started\": 1}, \"operations\": "
        "[{\"counts\":"
        " {\"started\": 1}, \"totals\": {\"ops_per_second\": 1e300}}]}, {\"started\": true, "
        "\"counts\":"
        " {\"started\": 1}, \"stage\": 4, \"operations\": [{\"counts\": {\"started\": 1}}]}],"
        " \"duration_ms\": 1e18, \"seed\": -4}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        struct summary_options options = {.style = unicode};
        json_t *document = NULL;
        struct err err = {0};
        struct buf out;

        if (json_parse(str_c(documents[i]), JSON_TEXT_MAX, &document, &err) != 0) {
            fail_msg("%zu: %s", i, err.msg);
        }
        buf_init(&out, SUMMARY_TEXT_MAX);
        assert_int_equal(summary_write(document, &options, &out), 0);
        assert_int_equal(strncmp(buf_c(&out), "NO VERDICT", 10), 0);
        assert_null(memchr(out.p, '\x1b', out.len));
        buf_clear(&out);
        json_decref(document);
    }
}

/* A full buffer is said, whatever the place. */
static void test_no_room(void **state)
{
    struct summary_options options = {.style = ascii};
    struct fixture f;

    (void)state;
    fixture_open_rich(&f);
    fixture_rich_run(&f);
    json_t *result = result_json(&f.run);
    for (size_t max = 0; max < 600; max += 7) {
        struct buf out;

        buf_init(&out, max);
        assert_int_equal(summary_write(result, &options, &out), ERR_LIMIT);
        buf_clear(&out);
    }
    json_decref(result);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_run),
        cmocka_unit_test(test_a_log_with_gaps),
        cmocka_unit_test(test_ascii_keeps_the_columns),
        cmocka_unit_test(test_rich_run),
        cmocka_unit_test(test_preflight_stands_beside),
        cmocka_unit_test(test_rows_differ),
        cmocka_unit_test(test_stalled_streams_and_a_condition),
        cmocka_unit_test(test_failed_preflight),
        cmocka_unit_test(test_verdict_line),
        cmocka_unit_test(test_verdict_with_its_reason),
        cmocka_unit_test(test_hostile_documents),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
