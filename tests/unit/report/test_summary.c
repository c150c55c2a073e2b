/* SPDX-License-Identifier: MIT */
#include "report/summary.h"
#include "unit/report/run_fixture.h"

#include <signal.h>

static const struct text_style unicode = {.utf8 = true, .columns = 100};
static const struct text_style ascii = {.columns = 100};

static void assert_summary(const struct run *r, const struct text_style *style, const char *want)
{
    struct summary_options options = {.style = *style, .result_path = "result.json"};
    struct buf out;

    buf_init(&out, SUMMARY_TEXT_MAX);
    assert_int_equal(summary_write(r, &options, &out), 0);
    assert_string_equal(buf_c(&out), want);
    buf_clear(&out);
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
        "sessions     2 created · 0 failed to set up · 0 lost · set-up p95 n/a (n=2)\n"
        "connections  2 tried · 0 failed (0 %) · set-up p95 n/a (n=2) · 328 kB in · 246 kB out\n"
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
        "sessions     2 created - 0 failed to set up - 0 lost - set-up p95 n/a (n=2)\n"
        "connections  2 tried - 0 failed (0 %) - set-up p95 n/a (n=2) - 328 kB in - 246 kB out\n"
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
        "sessions     0 created · 0 failed to set up · 0 lost\n"
        "connections  0 tried · 0 failed · 0 B in · 0 B out\n"
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

static void test_verdict_line(void **state)
{
    static const struct text_style coloured = {.utf8 = true, .colour = true};
    struct fixture f;
    struct buf out;

    (void)state;
    fixture_open(&f);
    buf_init(&out, SUMMARY_TEXT_MAX);
    f.run.verdict = RUN_VERDICT_NONE;
    f.run.stop = (struct run_stop){.kind = RUN_STOP_REQUESTED, .signo = SIGINT};
    assert_int_equal(summary_verdict(&f.run, &unicode, &out), 0);
    assert_string_equal(
        buf_c(&out), "NO VERDICT · interrupted, partial result · valid · 0 operations · seed 42\n");
    out.len = 0;
    f.run.stop.signo = 0;
    f.run.verdict = RUN_INVALID;
    f.run.validity = "lost_data";
    assert_int_equal(summary_verdict(&f.run, &coloured, &out), 0);
    assert_string_equal(buf_c(&out), "\x1b[1m\x1b[33mINVALID\x1b[0m · lost_data · 0 operations · "
                                     "seed 42\n");
    buf_clear(&out);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_run),
        cmocka_unit_test(test_ascii_keeps_the_columns),
        cmocka_unit_test(test_stalled_streams_and_a_condition),
        cmocka_unit_test(test_failed_preflight),
        cmocka_unit_test(test_verdict_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
