/* SPDX-License-Identifier: MIT */
#include "net/tcp.h"
#include "support/unit.h"

#include <errno.h>
#include <unistd.h>

static const struct clock real_clock = {0};

struct world {
    struct loop *loop;
    struct listener listener;
    struct stream *accepted, *connected;
    unsigned accept_count, connect_count;
    int connect_sys;
    char got[64];
    size_t got_len;
    int error; /* -1: the end */
};

static void on_event(struct stream *s, unsigned events)
{
    struct world *w = s->owner;

    if (w == NULL || (events & STREAM_READABLE) == 0) {
        return;
    }
    for (;;) {
        ssize_t n = stream_read(s, w->got + w->got_len, sizeof w->got - w->got_len);

        if (n <= 0) {
            w->error = n == 0 ? -1 : n == -EAGAIN ? w->error : (int)-n;
            return;
        }
        w->got_len += (size_t)n;
    }
}

static void on_accept(struct listener *l, struct stream *s)
{
    struct world *w = list_entry(l, struct world, listener);

    w->accept_count++;
    if (w->accepted != NULL) {
        stream_close(s);
        return;
    }
    w->accepted = s;
    s->owner = w;
    s->on_event = on_event;
}

static void on_connect(void *owner, struct stream *s, int sys)
{
    struct world *w = owner;

    w->connect_count++;
    w->connected = s;
    w->connect_sys = sys;
    if (s != NULL) {
        s->on_event = on_event;
    }
}

static union addr loopback(uint16_t port)
{
    union addr a;

    assert_true(addr_from_literal(STR("127.0.0.1"), port, &a));
    return a;
}

static void set_up(struct world *w)
{
    union addr any = loopback(0);

    *w = (struct world){0};
    assert_int_equal(loop_new(&real_clock, &w->loop, NULL), 0);
    assert_int_equal(listener_init(&w->listener, w->loop, &any, on_accept, NULL), 0);
    assert_true(w->listener.addr.in.sin_port != 0);
}

static void tear_down(struct world *w)
{
    stream_close(w->accepted);
    stream_close(w->connected);
    listener_clear(&w->listener);
    loop_turn(w->loop, 0);
    loop_free(w->loop);
}

static void spin(struct world *w, unsigned ms)
{
    uint64_t until = loop_clock(w->loop) + ms * NS_PER_MS;

    while (loop_clock(w->loop) < until) {
        loop_turn(w->loop, until);
    }
}

static void connect_both(struct world *w)
{
    struct tcp_connect *c;

    assert_int_equal(tcp_connect_start(w->loop, &w->listener.addr, NULL, on_connect, w, &c), 0);
    assert_int_equal(w->connect_count, 0);
    uint64_t until = loop_clock(w->loop) + 10 * NS_PER_S;
    while ((w->connected == NULL || w->accepted == NULL) && loop_clock(w->loop) < until) {
        loop_turn(w->loop, until);
    }
    assert_non_null(w->connected);
    assert_non_null(w->accepted);
}

static void bytes_and_the_end_arrive(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    connect_both(&w);
    assert_int_equal(stream_write(w.connected, "hello", 5), 5);
    stream_close(w.connected);
    w.connected = NULL;
    uint64_t until = loop_clock(w.loop) + 10 * NS_PER_S;
    while (w.error == 0 && loop_clock(w.loop) < until) {
        loop_turn(w.loop, until);
    }
    assert_int_equal(w.error, -1);
    assert_int_equal(w.got_len, 5);
    assert_memory_equal(w.got, "hello", 5);
    tear_down(&w);
}

static void a_reset_is_seen_as_one(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    connect_both(&w);
    stream_reset(w.connected);
    w.connected = NULL;
    uint64_t until = loop_clock(w.loop) + 10 * NS_PER_S;
    while (w.error == 0 && loop_clock(w.loop) < until) {
        loop_turn(w.loop, until);
    }
    assert_int_equal(w.error, ECONNRESET);
    tear_down(&w);
}

static void a_refusal_has_its_errno(void **state)
{
    struct world w;
    struct tcp_connect *c;

    (void)state;
    set_up(&w);
    union addr closed = w.listener.addr;
    listener_clear(&w.listener);
    int rc = tcp_connect_start(w.loop, &closed, NULL, on_connect, &w, &c);
    if (rc == 0) {
        uint64_t until = loop_clock(w.loop) + 10 * NS_PER_S;
        while (w.connect_count == 0 && loop_clock(w.loop) < until) {
            loop_turn(w.loop, until);
        }
        rc = -w.connect_sys;
    }
    assert_int_equal(rc, -ECONNREFUSED);
    assert_null(w.connected);
    loop_turn(w.loop, 0);
    loop_free(w.loop);
}

static void a_cancelled_connect_is_silent(void **state)
{
    struct world w;
    struct tcp_connect *c;

    (void)state;
    set_up(&w);
    assert_int_equal(tcp_connect_start(w.loop, &w.listener.addr, NULL, on_connect, &w, &c), 0);
    tcp_connect_cancel(c);
    spin(&w, 20);
    assert_int_equal(w.connect_count, 0);
    tear_down(&w);
}

static void a_source_address_is_used(void **state)
{
    struct world w;
    struct tcp_connect *c;
    union addr source, peer;
    socklen_t len = sizeof peer;

    (void)state;
    set_up(&w);
    assert_true(addr_from_literal(STR("127.0.1.5"), 0, &source));
    assert_int_equal(tcp_connect_start(w.loop, &w.listener.addr, &source, on_connect, &w, &c), 0);
    /* The kernel has accepted it already; its address is what the listener's side sees. */
    int fd = accept4(w.listener.io.fd, &peer.sa, &len, SOCK_CLOEXEC);
    for (int i = 0; fd < 0 && errno == EAGAIN && i < 1000; i++) {
        usleep(1000);
        fd = accept4(w.listener.io.fd, &peer.sa, &len, SOCK_CLOEXEC);
    }
    assert_true(fd >= 0);
    assert_int_equal(ntohl(peer.in.sin_addr.s_addr), 0x7f000105);
    close(fd);
    tcp_connect_cancel(c);
    loop_turn(w.loop, 0);
    tear_down(&w);
}

static void many_connections_are_accepted(void **state)
{
    enum { MANY = 200 };
    struct world w, clients[MANY];
    struct tcp_connect *c;

    (void)state;
    set_up(&w);
    for (int i = 0; i < MANY; i++) {
        clients[i] = (struct world){0};
        assert_int_equal(
            tcp_connect_start(w.loop, &w.listener.addr, NULL, on_connect, &clients[i], &c), 0);
    }
    uint64_t until = loop_clock(w.loop) + 10 * NS_PER_S;
    while (w.accept_count < MANY && loop_clock(w.loop) < until) {
        loop_turn(w.loop, until);
    }
    assert_int_equal(w.accept_count, MANY);
    assert_int_equal(w.listener.accept_failures, 0);
    loop_turn(w.loop, 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(clients[i].connect_count, 1);
        stream_close(clients[i].connected);
    }
    tear_down(&w);
}

static void a_taken_port_is_an_error(void **state)
{
    struct world w;
    struct err err = {0};
    struct listener second;
    union addr foreign;

    (void)state;
    set_up(&w);
    assert_true(addr_from_literal(STR("192.0.2.1"), 0, &foreign)); /* not ours */
    assert_int_equal(listener_init(&second, w.loop, &foreign, on_accept, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "192.0.2.1"));
    /* The same port again is fine: each thread has a listener of its own. */
    assert_int_equal(listener_init(&second, w.loop, &w.listener.addr, on_accept, &err), 0);
    listener_clear(&second);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_the_end_arrive), cmocka_unit_test(a_reset_is_seen_as_one),
        cmocka_unit_test(a_refusal_has_its_errno),  cmocka_unit_test(a_cancelled_connect_is_silent),
        cmocka_unit_test(a_source_address_is_used), cmocka_unit_test(many_connections_are_accepted),
        cmocka_unit_test(a_taken_port_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
