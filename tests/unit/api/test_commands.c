/* SPDX-License-Identifier: MIT */
#include "unit/api/rig.h"

#define COMMANDS "/workers/" WORKER_A "/commands"
#define HEADERS  LOCAL "X-Worker-Token: " TOKEN_A "\r\n"

static void attach(struct peer *p, struct rig *r)
{
    peer_open(p, r);
    peer_request(p, "GET", COMMANDS, HEADERS, NULL);
    rig_run(r, 0);
}

static void test_orders(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    r.hub.orders_at_once = true;
    attach(&p, &r);
    assert_int_equal(peer_status(&p), 200);
    assert_int_equal(peer_count(&p, "Content-Type: text/event-stream"), 1);
    assert_int_equal(peer_count(&p, "event: order\ndata: {\"n\":1}\n\n"), 1);
    assert_int_equal(peer_count(&p, "event: order\ndata: {\"n\":2}\n\n"), 1);
    r.hub.link->send(r.hub.link, STR("{\"n\":3}"));
    rig_run(&r, 0);
    assert_int_equal(peer_count(&p, "event: order\n"), 3);
    rig_run(&r, 5100);
    assert_int_equal(peer_count(&p, ":keepalive\n\n"), 1);
    assert_int_equal(r.hub.detached, 0);
    peer_close(&p);
    assert_int_equal(r.hub.detached, 1);
    assert_null(r.hub.link);
    rig_stop(&r);
}

static void test_a_second_stream_replaces_the_first(void **state)
{
    struct peer first, second;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    attach(&first, &r);
    attach(&second, &r);
    assert_int_equal(peer_count(&first, "\r\n0\r\n\r\n"), 1);
    assert_int_equal(r.hub.detached, 0); /* the hub knows */
    r.hub.link->send(r.hub.link, STR("{\"n\":1}"));
    rig_run(&r, 0);
    assert_int_equal(peer_count(&first, "event: order\n"), 0);
    assert_int_equal(peer_count(&second, "event: order\n"), 1);
    peer_close(&first);
    assert_int_equal(r.hub.detached, 0);
    peer_close(&second);
    assert_int_equal(r.hub.detached, 1);
    rig_stop(&r);
}

/* What waits for a worker is bounded: one that reads nothing is cut off, and the hub hears of it
 * after its call. */
static void test_worker_that_does_not_read(void **state)
{
    struct buf order;
    struct peer p;
    struct rig r;

    (void)state;
    buf_init(&order, (size_t)64 * 1024 * 1024);
    for (size_t i = 0; i < (size_t)8 * 1024 * 1024; i++) {
        buf_add(&order, "x", 1);
    }
    rig_start(&r, false);
    attach(&p, &r);
    p.deaf = true;
    struct worker_link *link = r.hub.link;
    for (size_t i = 0; i < 20; i++) {
        link->send(link, buf_str(&order));
        assert_int_equal(r.hub.detached, 0);
    }
    rig_run(&r, 0);
    assert_int_equal(r.hub.detached, 1);
    p.deaf = false;
    peer_on_event(p.stream, STREAM_READABLE);
    rig_run(&r, 0);
    assert_true(p.ended);
    peer_close(&p);
    attach(&p, &r);
    p.deaf = true;
    link = r.hub.link;
    for (size_t i = 0; i < 20; i++) {
        link->send(link, buf_str(&order)); /* cut off, and replaced before the hub has heard */
    }
    r.hub.link = NULL;
    link->replaced(link);
    rig_run(&r, 10000);
    assert_int_equal(r.hub.detached, 1);
    peer_close(&p);
    buf_clear(&order);
    rig_stop(&r);
}

static void test_refused_attach(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    r.hub.refuse_status = 404;
    attach(&p, &r);
    assert_true(p.ended);
    assert_int_equal(r.hub.detached, 0);
    peer_close(&p);
    rig_stop(&r);
}

static void test_end_of_the_server(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    attach(&p, &r);
    api_close(r.api);
    assert_int_equal(r.hub.detached, 1);
    rig_run(&r, 6000);
    assert_true(p.ended);
    peer_close(&p);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_a_second_stream_replaces_the_first),
        cmocka_unit_test(test_worker_that_does_not_read),
        cmocka_unit_test(test_refused_attach),
        cmocka_unit_test(test_end_of_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
