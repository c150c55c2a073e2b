/* SPDX-License-Identifier: MIT */
#include "cli/panel.h"
#include "unit/report/run_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
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
        "load       6 of 5 planned VUs · 6 sessions · 0 connections · 2 in flight\n"
        "now        82/s          S p50 251 µs     p95 251 µs     p99 12 ms      failed 0 (0 %)\n"
        "in all     82.4/s        S p50 251 µs     p95 251 µs     p99 12 ms      failed 4 (0.49 "
        "%)\n"
        "operations 824 started · 824 ended\n"
        "generator  busiest thread 10 % · sends late by 10.0 µs (p99)\n"
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
        "load       6 of 5 planned VUs - 6 sessions - 0 connections - 2 in flight\n"
        "now        82/s          S p50 251 us     p95 251 us     p99 12 ms      failed 0 (0 %)\n"
        "in all     82.4/s        S p50 251 us     p95 251 us     p99 12 ms      failed 4 (0.49 "
        "%)\n"
        "operations 824 started - 824 ended\n"
        "generator  busiest thread 10 % - sends late by 10.0 us (p99)\n"
        "p99        ##### at most 12.0 ms\n"
        "stop if    latency_p99_ms > 5 s                      now 12 ms, margin 4.99 s\n");
}

/* A hundred operations a second are due, eighty are started. */
static void open_load(struct fixture *f)
{
    fixture_open(f);
    f->plan->stages[0].levels.open_model = true;
    f->plan->stages[0].levels.sized = true;
    f->plan->stages[0].levels.rps = 100;
    aggregate_set_open_model(f->run.books, 0, true);
    for (uint64_t second = 0; second < 3; second++) {
        for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
            struct window *w = fixture_window(f, second);

            for (int i = 0; i < 40; i++) {
                fixture_operation(w, FIXTURE_ECHO, 10 * NS_PER_US, 250 * NS_PER_US);
            }
            window_key(w, FIXTURE_ECHO)->count[COUNT_DUE] += 50;
            window_key(w, FIXTURE_ECHO)->count[COUNT_DROPPED_DEADLINE] += source;
            w->busy_ns = source == 0 ? NS_PER_S / 2 : NS_PER_S * 97 / 100;
            fixture_send(f, source, w);
        }
    }
    f->run.state = RUN_SOAK_RUNNING;
    f->run.stage = 0;
    f->stages[0].ended = false;
}

static void test_frame_of_an_open_load(void **state)
{
    static const struct text_style red = {
        .utf8 = true, .colour = true, .terminal = true, .columns = 100};
    struct fixture f;
    struct buf out;
    struct panel *p = panel_new(-1, &red);

    (void)state;
    open_load(&f);
    for (uint64_t second = 0; second < 3; second++) {
        panel_second(p, &f.run, second);
    }
    buf_init(&out, PANEL_FRAME_MAX);
    assert_int_equal(panel_frame(p, &f.run, 103 * NS_PER_S, &out), 0);
    assert_string_equal(
        buf_c(&out),
        "run        soak_running · stage 1 of 1 · 3.0 s of 10.0 s [======              ] 30 %\n"
        "load       6 VUs · 6 sessions · 0 connections · 2 in flight\n"
        "\x01"
        "offered    100/s planned · 100/s due · 80/s started (80 %) · 57 waiting · 3 dropped\n"
        "now        80/s          R p50 260 µs     p95 260 µs     p99 shed       failed 0 (0 %)\n"
        "in all     80/s          R p50 260 µs     p95 260 µs     p99 shed       failed 0 (0 %)\n"
        "operations 240 started · 240 ended\n"
        "\x01"
        "generator  busiest thread 97 %, near its limit · sends late by 10.0 µs (p99)\n"
        "p99           \n"
        "stop if    latency_p99_ms > 5 s                      not now\n");
    out.len = 0;
    assert_int_equal(panel_line(p, &f.run, 2, &out), 0);
    assert_string_equal(buf_c(&out),
                        "   3 s  soak_running       80/s of 100/s due  failed 0 (0 %)  R "
                        "p50 260 µs  p99 shed  6 VUs  2 in flight\n");
    buf_clear(&out);
    panel_free(p);
    fixture_close(&f);
}

/* The last window of a run: 20 operations and 10 events in a tenth of a second are 20/s and 10/s.
 */
static void test_a_fragment_is_no_second(void **state)
{
    struct fixture f;
    struct buf out;
    struct panel *p = panel_new(-1, &unicode);

    (void)state;
    running(&f);
    for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
        struct window *w = fixture_window(&f, 10);

        w->end_ns = w->start_ns + NS_PER_S / 10;
        for (int i = 0; i < 10; i++) {
            fixture_operation(w, FIXTURE_ECHO, 10 * NS_PER_US, 250 * NS_PER_US);
        }
        window_stream_started(w, FIXTURE_ECHO);
        window_key(w, FIXTURE_ECHO)->count[COUNT_EVENTS] += 5;
        fixture_send(&f, source, w);
    }
    panel_second(p, &f.run, 9);
    panel_second(p, &f.run, 10);
    buf_init(&out, PANEL_FRAME_MAX);
    assert_int_equal(panel_frame(p, &f.run, 111 * NS_PER_S, &out), 0);
    assert_non_null(strstr(buf_c(&out), "\nnow        20/s "));
    assert_non_null(strstr(buf_c(&out), " · 10/s events"));
    out.len = 0;
    assert_int_equal(panel_line(p, &f.run, 10, &out), 0);
    assert_non_null(strstr(buf_c(&out), "  20/s  "));
    buf_clear(&out);
    panel_free(p);
    fixture_close(&f);
}

/* A condition that is breached is in front of those that are not, and says for how long. */
static void test_conditions(void **state)
{
    struct stop_spec specs[8];
    struct stop_trigger trigger;
    struct fixture f;
    struct buf out;
    struct panel *p = panel_new(-1, &unicode);

    (void)state;
    running(&f);
    stop_free(f.run.conditions);
    for (size_t i = 0; i < 8; i++) {
        specs[i] = f.spec;
    }
    specs[6] = (struct stop_spec){.id = "slow",
                                  .metric = metric_find(STR("latency_p50_ms")),
                                  .comparator = STOP_GE,
                                  .threshold = 0.1,
                                  .window_ms = 2000,
                                  .sustain_windows = 15,
                                  .stage_index = 0,
                                  .scope_text = "tool_name=fast_echo",
                                  .on_trigger = STOP_PASS};
    f.run.conditions = stop_new(specs, 8);
    stop_stage_begin(f.run.conditions, 0, 0);
    assert_false(stop_evaluate(f.run.conditions, f.run.books, 10, &trigger));
    panel_second(p, &f.run, 9);
    buf_init(&out, PANEL_FRAME_MAX);
    assert_int_equal(panel_frame(p, &f.run, 110 * NS_PER_S, &out), 0);
    const char *text = buf_c(&out);
    assert_non_null(strstr(text, "\ndone if    latency_p50_ms{tool_name=fast_echo} >= 100 µs  now "
                                 "251 µs, margin -151 µs, breached for 10.0 s of 30.0 s\n"
                                 "stop if    latency_p99_ms > 5 s "));
    assert_non_null(strstr(text, "\n           and 2 more\n"));
    buf_clear(&out);
    panel_free(p);
    fixture_close(&f);
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
    assert_string_equal(text,
                        "   4 s  baseline_running   83/s  failed 4 (1.20 %)  S p50 251 us  p99 "
                        "12 ms  6 VUs  2 in flight\n"); /* of all four seconds */
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

/* The mark of a line becomes its colour, and only there. */
static void test_colour(void **state)
{
    static const struct text_style red = {
        .utf8 = true, .colour = true, .terminal = true, .columns = 100};
    struct fixture f;
    int fds[2];
    char text[8192];

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    open_load(&f);
    struct panel *p = panel_new(fds[1], &red);
    for (uint64_t second = 0; second < 3; second++) {
        panel_second(p, &f.run, second);
    }
    panel_draw(p, &f.run, 103 * NS_PER_S);
    read_all(fds[0], text, sizeof text);
    assert_non_null(strstr(text, "\x1b[31moffered "));
    assert_non_null(strstr(text, "3 dropped\x1b[0m\x1b[K\n"));
    assert_null(strchr(text, '\x01'));
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
    assert_memory_equal(second, "\r\x1b[8A", 5);
    assert_string_equal(second + 5, first);
    panel_clear(p);
    read_all(fds[0], gone, sizeof gone);
    assert_string_equal(gone, "\r\x1b[8A\x1b[J");
    panel_clear(p);
    assert_int_equal(read_all(fds[0], gone, sizeof gone), 0);
    panel_free(p);
    close(fds[0]);
    close(fds[1]);
    fixture_close(&f);
}

/* A terminal of so many columns; what is written to `*terminal` is read from the result. */
static int open_terminal(unsigned short columns, int *terminal)
{
    struct winsize size = {.ws_row = 20, .ws_col = columns};
    char name[64];
    int control = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_true(control >= 0);
    assert_int_equal(grantpt(control), 0);
    assert_int_equal(unlockpt(control), 0);
    assert_int_equal(ptsname_r(control, name, sizeof name), 0);
    *terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*terminal >= 0);
    assert_int_equal(ioctl(*terminal, TIOCSWINSZ, &size), 0);
    return control;
}

/* Lines that the terminal is too narrow for are cut, with a sign that it knows. */
static void test_narrow_ascii(void **state)
{
    static const struct text_style plain = {.terminal = true, .columns = 100};
    struct fixture f;
    char text[8192];
    int terminal;

    (void)state;
    setenv("TERM", "xterm", 1);
    int control = open_terminal(40, &terminal);
    running(&f);
    struct panel *p = panel_new(terminal, &plain);
    panel_second(p, &f.run, 3);
    panel_draw(p, &f.run, 105 * NS_PER_S);
    read_all(control, text, sizeof text);
    assert_non_null(strstr(text, "run        baseline_running - stage 1 ~\x1b[K"));
    for (const char *at = text; *at != '\0'; at++) {
        assert_true((unsigned char)*at < 0x80);
    }
    panel_free(p);
    close(terminal);
    close(control);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_frame_in_ascii),
        cmocka_unit_test(test_frame_of_an_open_load),
        cmocka_unit_test(test_a_fragment_is_no_second),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_frame_before_the_first_second),
        cmocka_unit_test(test_plain_lines),
        cmocka_unit_test(test_reader_that_does_not_read),
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_redraw_in_place),
        cmocka_unit_test(test_narrow_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
