/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "support/unit.h"
#include "wire/report.h"
#include "worker/introduce.h"
#include "worker/uplink_pipe.h"

#include <sys/socket.h>
#include <unistd.h>

static const struct clock real_clock = {0};

/* A worker, and its control plane played by the test at the other end of the line. */
struct world {
    struct loop *loop;
    struct remote *remote;
    struct uplink_pipe *line;
    struct wire_hello hello;
    json_t *labels;
    int far; /* -1: closed */
    struct wire_reader reader;
    const char *at, *past; /* of what was read and not looked at */
    char bytes[4096];
    unsigned ends;
    char why[256];
};

static void on_change(void *owner)
{
    struct world *w = owner;

    if (w->line != NULL) {
        uplink_pipe_wake(w->line);
    }
}

static void on_end(void *owner, const char *why)
{
    struct world *w = owner;

    w->ends++;
    snprintf(w->why, sizeof w->why, "%s", why);
}

static void set_up(struct world *w)
{
    struct capacity capacity = {
        .max_vus = 7, .max_concurrent_ops = 14, .max_rps = 30.5, .cores = 2};
    int ends[2], small = 1; /* the kernel makes it its minimum, a few KB */

    *w = (struct world){.labels = json_pack("{s:s}", "region", "eu")};
    introduce(&capacity, w->labels, &w->hello);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    w->far = ends[0];
    assert_int_equal(loop_new(&real_clock, &w->loop, NULL), 0);
    w->remote = remote_new(&(struct remote_config){
        .loop = w->loop, .capacity = capacity, .on_change = on_change, .owner = w});
    wire_reader_init(&w->reader, WIRE_FRAME_MAX);
    struct uplink_pipe_config config = {.loop = w->loop,
                                        .remote = w->remote,
                                        .fd = ends[1],
                                        .hello = &w->hello,
                                        .on_end = on_end,
                                        .owner = w};
    assert_int_equal(uplink_pipe_new(&config, &w->line, NULL), 0);
}

static void tear_down(struct world *w)
{
    uplink_pipe_free(w->line);
    uplink_pipe_free(NULL);
    remote_free(w->remote);
    loop_free(w->loop);
    wire_reader_clear(&w->reader);
    wire_hello_clear(&w->hello);
    json_decref(w->labels);
    if (w->far >= 0) {
        close(w->far);
    }
}

static void turn(struct world *w, uint64_t ms)
{
    uint64_t until = loop_clock(w->loop) + ms * NS_PER_MS;

    while (loop_clock(w->loop) < until) {
        loop_turn(w->loop, until);
    }
}

/* The next frame from the worker. */
static struct wire_frame next(struct world *w)
{
    uint64_t until = loop_clock(w->loop) + 10 * NS_PER_S;
    struct wire_frame frame;

    while (wire_reader_next(&w->reader, &w->at, w->past, &frame, NULL) != WIRE_READ) {
        assert_true(loop_clock(w->loop) < until);
        ssize_t n = recv(w->far, w->bytes, sizeof w->bytes, MSG_DONTWAIT);
        w->at = w->bytes;
        w->past = w->bytes + (n > 0 ? n : 0);
        if (n < 0) {
            turn(w, 1);
        }
    }
    return frame;
}

static void say_bytes(const struct world *w, struct str bytes)
{
    assert_int_equal(send(w->far, bytes.p, bytes.len, MSG_NOSIGNAL), bytes.len);
}

static void say(struct world *w, enum wire_kind kind, struct str payload)
{
    struct buf bytes;

    buf_init(&bytes, WIRE_FRAME_MAX);
    assert_int_equal(wire_frame_add(&bytes, kind, payload), 0);
    for (size_t i = 0; i < bytes.len; i += 3) { /* as a line may bring it */
        size_t len = bytes.len - i < 3 ? bytes.len - i : 3;
        say_bytes(w, (struct str){bytes.p + i, len});
        loop_turn(w->loop, 0);
    }
    buf_clear(&bytes);
}

static void say_welcome(struct world *w)
{
    say(w, WIRE_WELCOME, STR("{\"worker_id\":\"wkr_1\",\"worker_token\":\"t\",\"now_ns\":1}"));
}

/* A part of a run that no worker can take: its answer is quick, and costs no load. */
static void say_order(struct world *w, unsigned run)
{
    struct wire_order order = {.kind = WIRE_ORDER_ASSIGN,
                               .n = 1,
                               .execution_id = "exe_1",
                               .worker_id = "wkr_1",
                               .scenario = json_pack("{s:s}", "no", "scenario"),
                               .shards = 1,
                               .total = 1};
    struct buf text;

    snprintf(order.run_id, sizeof order.run_id, "run_%u", run);
    buf_init(&text, WIRE_ORDER_BYTES_MAX);
    assert_int_equal(wire_order_encode(&order, &text), 0);
    say(w, WIRE_ORDER, buf_str(&text));
    buf_clear(&text);
    wire_order_clear(&order);
}

static void a_worker_introduces_itself(void **state)
{
    struct world w;
    struct wire_hello hello;

    (void)state;
    set_up(&w);
    struct wire_frame f = next(&w);
    assert_int_equal(f.kind, WIRE_HELLO);
    assert_int_equal(wire_hello_decode(f.payload, &hello, NULL, NULL), 0);
    assert_int_equal(hello.major, WIRE_MAJOR);
    assert_int_equal(hello.max_vus, 7);
    assert_int_equal(hello.max_rps, 31);
    assert_int_equal(hello.pid, getpid());
    assert_string_equal(json_string_value(json_object_get(hello.labels, "region")), "eu");
    assert_true(strlen(hello.hostname) > 0 && strlen(hello.boot_id) > 0);
    wire_hello_clear(&hello);
    tear_down(&w);
}

static void orders_and_reports(void **state)
{
    struct wire_report report;
    struct wire_rejected body;
    struct wire_frame f;
    struct world w;
    struct buf ack;

    (void)state;
    set_up(&w);
    assert_int_equal(next(&w).kind, WIRE_HELLO);
    say_welcome(&w);
    say_order(&w, 1);
    do {
        f = next(&w);
    } while (f.kind == WIRE_HEARTBEAT);
    assert_int_equal(f.kind, WIRE_REPORT);
    assert_int_equal(wire_report_decode(f.payload, &report, NULL), 0);
    assert_int_equal(report.kind, WIRE_REPORT_REJECTED);
    assert_int_equal(report.seq, 1);
    assert_string_equal(report.run_id, "run_1");
    assert_int_equal(wire_rejected_decode(report.body, &body, NULL, NULL), 0);
    assert_non_null(strstr(body.error, "the scenario is refused here"));
    assert_false(remote_done(w.remote));
    buf_init(&ack, 100);
    assert_int_equal(wire_ack_encode(&ack, "run_1", 1), 0);
    say(&w, WIRE_ACK, buf_str(&ack));
    buf_clear(&ack);
    turn(&w, 20);
    assert_true(remote_done(w.remote));
    assert_int_equal(w.ends, 0);
    tear_down(&w);
}

/* More than the socket takes: nothing is lost, and nothing comes before its turn. */
static void a_control_plane_that_does_not_read(void **state)
{
    enum { RUNS = 60 };
    struct wire_report report;
    struct world w;
    unsigned seen = 0;

    (void)state;
    set_up(&w);
    say_welcome(&w);
    for (unsigned i = 0; i < RUNS; i++) {
        say_order(&w, i);
        turn(&w, 2);
    }
    turn(&w, 100);
    assert_true(remote_fresh(w.remote)); /* it waits in the log, where it is bounded */
    while (seen < RUNS) {
        struct wire_frame f = next(&w);
        if (f.kind == WIRE_REPORT) {
            assert_int_equal(wire_report_decode(f.payload, &report, NULL), 0);
            seen++;
        }
    }
    assert_false(remote_fresh(w.remote));
    tear_down(&w);
}

static void heartbeats_come_each_second(void **state)
{
    struct wire_heartbeat beat;
    struct world w;
    struct wire_frame f;

    (void)state;
    set_up(&w);
    assert_int_equal(next(&w).kind, WIRE_HELLO);
    uint64_t before = loop_clock(w.loop);
    say_welcome(&w);
    f = next(&w);
    assert_int_equal(f.kind, WIRE_HEARTBEAT);
    assert_int_equal(wire_heartbeat_decode(f.payload, &beat, NULL, NULL), 0);
    assert_true(beat.sent_ns >= before + NS_PER_S);
    assert_true(beat.mem_bytes > 0);
    tear_down(&w);
}

static void the_end_of_the_line(void **state)
{
    struct world w;

    (void)state;
    for (int welcome = 0; welcome < 2; welcome++) {
        set_up(&w);
        assert_int_equal(next(&w).kind, WIRE_HELLO);
        if (welcome) {
            say_welcome(&w);
        }
        close(w.far);
        w.far = -1;
        turn(&w, 20);
        assert_int_equal(w.ends, 1);
        assert_string_equal(w.why, "");
        tear_down(&w);
    }
}

static void what_is_no_control_plane(void **state)
{
    static const struct {
        enum wire_kind kind;
        struct str payload;
        const char *text;
    } cases[] = {
        {WIRE_REFUSE, STR_INIT("{\"error\":\"too old\"}"),
         "the control plane refuses this worker: too old"},
        {WIRE_ORDER, STR_INIT("{}"), "the control plane did not say whether it takes us"},
    };
    struct world w;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_up(&w);
        say(&w, cases[i].kind, cases[i].payload);
        turn(&w, 20);
        assert_int_equal(w.ends, 1);
        assert_string_equal(w.why, cases[i].text);
        tear_down(&w);
    }
    set_up(&w);
    say_bytes(&w, STR("HTTP/1.1 400 Bad Request\r\n\r\n"));
    turn(&w, 20);
    assert_int_equal(w.ends, 1);
    assert_true(strlen(w.why) > 0);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_introduces_itself),
        cmocka_unit_test(orders_and_reports),
        cmocka_unit_test(a_control_plane_that_does_not_read),
        cmocka_unit_test(heartbeats_come_each_second),
        cmocka_unit_test(the_end_of_the_line),
        cmocka_unit_test(what_is_no_control_plane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
