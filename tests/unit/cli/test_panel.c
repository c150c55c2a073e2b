/* SPDX-License-Identifier: MIT */
#include "cli/panel.h"
#include "unit/report/run_fixture.h"

#include <fcntl.h>
#include <unistd.h>

static const struct text_style unicode = {.utf8 = true, .columns = 100};
static const struct text_style ascii = {.columns = 100};

static void running(struct fixture *f)
{
    fixture_open(f);
    fixture_ordinary_run(f);
    f->run.state = RUN_BASELINE_RUNNING;
    f->run.stage = 0;
    f->stages[0].ended = false;
}

static void assert_frame(const struct text_style *style, const char *want)
{
    struct fixture f;
    struct buf out;
    struct panel *p = panel_new(-1, style);

    running(&f);
    for (uint64_t second = 0; second < 5; second++) {
        panel_second(p, &f.run, second);
    }
    buf_init(&out, PANEL_FRAME_MAX);
    assert_int_equal(panel_frame(p, &f.run, 105 * NS_PER_S + 500 * NS_PER_MS, &out), 0);
    assert_string_equal(buf_c(&out), want);
    buf_clear(&out);
    panel_free(p);
    fixture_close(&f);
}

static void test_frame(void **state)
{
    (void)state;
    assert_frame(
        &unicode,
        "run        baseline_running · stage 1 of 1 · 5.5 s of 10.0 s [===========         ] "
        "55 %\n"
        "load       6 VUs · 6 sessions · 0 connections · 2 in flight\n"
        "now        82/s          p50 251 µs     p95 251 µs     p99 12 ms      failed 0 (0 %)\n"
        "in all     82.4/s        p50 251 µs     p95 251 µs     p99 12 ms      failed 4 (0.49 %)\n"
        "operations 824 started · 824 ended · generator busy 10 %\n"
        "p99        █████ at most 12.0 ms\n"
        "stop if    latency_p99_ms > 5 s                      now 12 ms, margin 4.99 s\n");
}

static void test_frame_in_ascii(void **state)
{
    (void)state;
    assert_frame(
        &ascii,
        "run        baseline_running - stage 1 of 1 - 5.5 s of 10.0 s [===========         ] "
        "55 %\n"
        "load       6 VUs - 6 sessions - 0 connections - 2 in flight\n"
        "now        82/s          p50 251 us     p95 251 us     p99 12 ms      failed 0 (0 %)\n"
        "in all     82.4/s        p50 251 us     p95 251 us     p99 12 ms      failed 4 (0.49 %)\n"
        "operations 824 started - 824 ended - generator busy 10 %\n"
        "p99        ##### at most 12.0 ms\n"
        "stop if    latency_p99_ms > 5 s                      now 12 ms, margin 4.99 s\n");
}

static void test_frame_before_the_first_second(void **state)
{
    struct fixture f;
    struct buf out;
    struct panel *p = panel_new(-1, &unicode);

    (void)state;
    fixture_open(&f);
    f.run.state = RUN_PREFLIGHT_RUNNING;
    buf_init(&out, PANEL_FRAME_MAX);
    assert_int_equal(panel_frame(p, &f.run, 0, &out), 0);
    assert_string_equal(buf_c(&out), "run        preflight_running\n");
    buf_clear(&out);
    panel_free(p);
    panel_free(NULL);
    fixture_close(&f);
}

static size_t read_all(int fd, char *out, size_t size)
{
    ssize_t n = read(fd, out, size - 1);

    n = n < 0 ? 0 : n;
    out[n] = '\0';
    return (size_t)n;
}

static void test_plain_lines(void **state)
{
    struct fixture f;
    int fds[2];
    char text[4096];

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    running(&f);
    struct panel *p = panel_new(fds[1], &ascii);
    panel_second(p, &f.run, 3);
    panel_draw(p, &f.run, 0);
    panel_clear(p);
    read_all(fds[0], text, sizeof text);
    assert_string_equal(text, "   4 s  baseline_running   86/s  failed 4 (4.65 %)  p50 251 us  p99 "
                              "12 ms  6 VUs  2 in flight\n");
    /* Later only each fifth second. */
    panel_second(p, &f.run, 33);
    assert_int_equal(read_all(fds[0], text, sizeof text), 0);
    panel_second(p, &f.run, 34);
    assert_true(read_all(fds[0], text, sizeof text) > 0);
    panel_free(p);
    close(fds[0]);
    close(fds[1]);
    fixture_close(&f);
}

/* A reader that takes nothing must not hold the run up. */
static void test_reader_that_does_not_read(void **state)
{
    struct fixture f;
    int fds[2];
    char text[4096];
    static const char filler[4096];

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    running(&f);
    struct panel *p = panel_new(fds[1], &ascii);
    while (write(fds[1], filler, sizeof filler) > 0) {
    }
    panel_second(p, &f.run, 3);
    panel_second(p, &f.run, 4);
    while (read(fds[0], text, sizeof text) > 0) {
    }
    panel_second(p, &f.run, 5);
    read_all(fds[0], text, sizeof text);
    assert_non_null(strstr(text, "(2 lines skipped)"));
    panel_free(p);
    close(fds[0]);
    close(fds[1]);
    fixture_close(&f);
}

static void test_redraw_in_place(void **state)
{
    static const struct text_style terminal = {.utf8 = true, .terminal = true, .columns = 60};
    struct fixture f;
    int fds[2];
    char first[8192], second[8192], gone[64];

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    running(&f);
    struct panel *p = panel_new(fds[1], &terminal);
    panel_second(p, &f.run, 3);
    assert_int_equal(read_all(fds[0], first, sizeof first), 0);
    panel_draw(p, &f.run, 105 * NS_PER_S);
    read_all(fds[0], first, sizeof first);
    panel_draw(p, &f.run, 105 * NS_PER_S);
    read_all(fds[0], second, sizeof second);
    assert_memory_equal(second, "\r\x1b[7A", 5);
    assert_string_equal(second + 5, first);
    panel_clear(p);
    read_all(fds[0], gone, sizeof gone);
    assert_string_equal(gone, "\r\x1b[7A\x1b[J");
    panel_clear(p);
    assert_int_equal(read_all(fds[0], gone, sizeof gone), 0);
    panel_free(p);
    close(fds[0]);
    close(fds[1]);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_frame_in_ascii),
        cmocka_unit_test(test_frame_before_the_first_second),
        cmocka_unit_test(test_plain_lines),
        cmocka_unit_test(test_reader_that_does_not_read),
        cmocka_unit_test(test_redraw_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
