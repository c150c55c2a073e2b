/* SPDX-License-Identifier: MIT */
/* Which runs a worker knows. What becomes of them is in tests/integration/test_remote.c; the parts
 * here are ones that no worker can take, whose answer is quick and costs no load. */
#include "support/unit.h"
#include "wire/order.h"
#include "wire/report.h"
#include "worker/remote.h"

#include <unistd.h>

static const struct clock real_clock = {0};

struct world {
    struct loop *loop;
    struct remote *remote;
    unsigned changes;
};

static void on_change(void *owner)
{
    ((struct world *)owner)->changes++;
}

static void set_up(struct world *w)
{
    *w = (struct world){0};
    assert_int_equal(loop_new(&real_clock, &w->loop, NULL), 0);
    w->remote = remote_new(&(struct remote_config){
        .loop = w->loop, .capacity = {.max_vus = 10}, .on_change = on_change, .owner = w});
}

static void tear_down(struct world *w)
{
    remote_free(w->remote);
    remote_free(NULL);
    loop_free(w->loop);
}

static void order(struct world *w, const char *kind, unsigned run, unsigned n)
{
    char text[400];
    struct err err = {0};

    snprintf(text, sizeof text,
             "{\"order\":\"%s\",\"run_id\":\"run_%u\",\"n\":%u,\"execution_id\":\"exe_1\","
             "\"worker_id\":\"wkr_1\",\"scenario\":{},\"seed\":0,\"base\":0,\"shards\":1,"
             "\"total\":1,\"log\":false,\"network\":\"local\"}",
             kind, run, n);
    if (remote_on_order(w->remote, str_c(text), &err) != 0) {
        fail_msg("%s", err.msg);
    }
}

/* Takes reports until there are `want`, and acknowledges them if that is wanted. */
static void take(struct world *w, unsigned want, bool ack)
{
    uint64_t until = loop_clock(w->loop) + 20 * NS_PER_S;
    unsigned got = 0;

    while (got < want) {
        struct wire_reader reader;
        struct wire_frame frame;
        struct buf bytes;

        assert_true(loop_clock(w->loop) < until);
        loop_turn(w->loop, loop_clock(w->loop) + NS_PER_MS);
        buf_init(&bytes, WIRE_FRAME_MAX);
        remote_take(w->remote, 10000, &bytes);
        wire_reader_init(&reader, WIRE_FRAME_MAX);
        const char *p = bytes.p, *end = bytes.p + bytes.len;
        while (bytes.len > 0 && wire_reader_next(&reader, &p, end, &frame, NULL) == WIRE_READ) {
            struct wire_report report;
            assert_int_equal(wire_report_decode(frame.payload, &report, NULL), 0);
            assert_int_equal(report.kind, WIRE_REPORT_REJECTED);
            got++;
            if (ack) {
                remote_on_ack(w->remote, report.run_id, report.seq);
            }
        }
        wire_reader_clear(&reader);
        buf_clear(&bytes);
    }
    assert_int_equal(got, want);
}

/* Whatever is on its way to be compiled would have reported by then. */
static void nothing_comes(struct world *w)
{
    uint64_t until = loop_clock(w->loop) + 50 * NS_PER_MS;

    while (loop_clock(w->loop) < until) {
        loop_turn(w->loop, until);
    }
    assert_false(remote_fresh(w->remote));
}

static void orders_that_come_again(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    order(&w, "assign", 1, 1);
    order(&w, "assign", 1, 1);
    assert_false(remote_done(w.remote));
    take(&w, 1, true);
    assert_true(remote_done(w.remote));
    order(&w, "assign", 1, 1);
    order(&w, "release", 1, 2);
    order(&w, "assign", 1, 1); /* after its end: it does not begin again */
    order(&w, "stop", 2, 1);   /* of a run that is not known */
    nothing_comes(&w);
    assert_true(remote_done(w.remote));
    assert_true(w.changes > 0);
    tear_down(&w);
}

static void what_is_no_order_is_dropped(void **state)
{
    struct world w;
    struct err err = {0};

    (void)state;
    set_up(&w);
    assert_true(remote_on_order(w.remote, STR("{\"order\":\"dance\"}"), &err) < 0);
    assert_true(remote_on_order(w.remote, STR("["), &err) < 0);
    assert_true(remote_on_frame(w.remote, WIRE_ACK, STR(""), &err) < 0);
    assert_int_equal(remote_on_frame(w.remote, WIRE_PULSE, STR(""), &err), 0);
    remote_on_ack(w.remote, "run_9", 1);
    remote_on_refused(w.remote, "run_9");
    remote_stop(w.remote, "run_9");
    assert_true(remote_done(w.remote));
    tear_down(&w);
}

/* Their releases were lost: they make room for others, and those that still owe something do not.
 */
static void runs_that_are_through_make_room(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    for (unsigned run = 0; run < REMOTE_RUNS_MAX; run += 64) {
        for (unsigned i = 0; i < 64; i++) {
            order(&w, "assign", run + i, 1);
        }
        take(&w, 64, run > 0);
    }
    order(&w, "assign", REMOTE_RUNS_MAX, 1);
    take(&w, 1, true);
    assert_false(remote_done(w.remote)); /* the first 64 */
    tear_down(&w);
}

static void a_worker_that_leaves_takes_nothing(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    remote_leave(w.remote);
    order(&w, "assign", 1, 1);
    take(&w, 1, true);
    assert_true(remote_done(w.remote));
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_that_come_again),
        cmocka_unit_test(what_is_no_order_is_dropped),
        cmocka_unit_test(runs_that_are_through_make_room),
        cmocka_unit_test(a_worker_that_leaves_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
