/* SPDX-License-Identifier: MIT */
#include "net/dial.h"
#include "net/mem_stream.h"
#include "net/tcp.h"
#include "support/threads.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

static const struct clock real_clock = {0};

struct world {
    struct world *self; /* the filter's owner: it may not change what it is given */
    struct loop *loop;
    struct dialer dialer;
    unsigned calls, filtered;
    struct stream *stream;
    struct dial_failure failure;
    char text[240];
    struct listener listener;
    bool closed;
    const char *deny; /* a text in the address that the filter refuses */
    int opener_rc;
};

static void on_accept(struct listener *l, struct stream *s)
{
    (void)l;
    stream_close(s);
}

static void on_event(struct stream *s, unsigned events)
{
    (void)s;
    (void)events;
}

static void on_dial(void *owner, struct stream *stream, const struct dial_failure *failure)
{
    struct world *w = owner;

    w->calls++;
    w->stream = stream;
    if (stream != NULL) {
        stream->on_event = on_event;
    } else {
        w->failure = *failure;
        snprintf(w->text, sizeof w->text, "%s", failure->text);
    }
}

static int filter(const void *owner, const struct sockaddr *addr, struct err *err)
{
    struct world *w = *(struct world *const *)owner;
    union addr a = {0};
    char text[ADDR_TEXT_MAX];

    memcpy(&a, addr, addr->sa_family == AF_INET6 ? sizeof a.in6 : sizeof a.in);
    w->filtered++;
    addr_text(&a, text);
    if (w->deny != NULL && strstr(text, w->deny) != NULL) {
        return err_set(err, ERR_INVALID, "%s is not allowed", text);
    }
    return 0;
}

/* A port on which only the loopback address of one family listens; the other one refuses, or is not
 * there at all on a machine without IPv6. */
static bool listen_on(struct world *w, const char *literal, const char *host)
{
    union addr any;

    *w = (struct world){.self = w};
    assert_int_equal(loop_new(&real_clock, &w->loop, NULL), 0);
    assert_true(addr_from_literal(str_c(literal), 0, &any));
    if (listener_init(&w->listener, w->loop, &any, on_accept, NULL) != 0) {
        loop_free(w->loop);
        return false;
    }
    dialer_init(&w->dialer, w->loop, host, ntohs(w->listener.addr.in.sin_port), filter, &w->self);
    return true;
}

static void set_up(struct world *w, const char *host)
{
    assert_true(listen_on(w, "127.0.0.1", host));
}

static void tear_down(struct world *w)
{
    stream_close(w->stream);
    if (!w->closed) {
        listener_clear(&w->listener);
    }
    loop_turn(w->loop, 0);
    loop_free(w->loop);
    threads_settle();
}

/* The listener's port, with nobody behind it any more. */
static void close_port(struct world *w)
{
    listener_clear(&w->listener);
    w->closed = true;
}

static void wait_call(struct world *w)
{
    unsigned before = w->calls;
    uint64_t until = loop_clock(w->loop) + 60 * NS_PER_S; /* three servers that are silent */

    while (w->calls == before && loop_clock(w->loop) < until) {
        loop_turn(w->loop, until);
    }
    assert_int_equal(w->calls, before + 1);
}

static void dial_twice(struct world *w)
{
    dial_start(&w->dialer, on_dial, w);
    assert_int_equal(w->calls, 0);
    wait_call(w);
    assert_non_null(w->stream);
    assert_int_equal(w->filtered, 2);
    stream_close(w->stream);
    w->stream = NULL;
    dial_start(&w->dialer, on_dial, w);
    wait_call(w);
    assert_non_null(w->stream);
    assert_int_equal(w->filtered, 3); /* the one that worked comes first now */
    tear_down(w);
}

static void a_refused_address_is_followed_by_the_next(void **state)
{
    struct world w;

    (void)state;
    if (!listen_on(&w, "::1", "localhost")) {
        skip(); /* a machine without IPv6 */
    }
    dial_twice(&w);
}

/* ::1 comes first, which refuses, or which a machine without IPv6 cannot even try. */
static void without_the_first_address_the_second_is_dialled(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "localhost");
    w.dialer.preferred_ = 1;
    dial_twice(&w);
}

static void a_filtered_address_is_not_dialled(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "localhost");
    w.deny = ":";
    dial_start(&w.dialer, on_dial, &w);
    wait_call(&w);
    assert_null(w.stream);
    assert_int_equal(w.failure.step, DIAL_FILTER);
    assert_int_equal(w.failure.sys, EACCES);
    assert_non_null(strstr(w.text, "is not allowed"));
    assert_int_equal(w.filtered, 2);
    tear_down(&w);
}

static void a_refusal_names_address_and_cause(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "127.0.0.1");
    close_port(&w);
    dial_start(&w.dialer, on_dial, &w);
    wait_call(&w);
    assert_int_equal(w.failure.step, DIAL_CONNECT);
    assert_int_equal(w.failure.sys, ECONNREFUSED);
    assert_non_null(strstr(w.text, "127.0.0.1:"));
    assert_non_null(strstr(w.text, "refused"));
    tear_down(&w);
}

static void an_unknown_name_is_told(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "no-such-host.invalid");
    struct dial *d = dial_start(&w.dialer, on_dial, &w);
    assert_int_equal(dial_step(d), DIAL_DNS);
    wait_call(&w);
    assert_int_equal(w.failure.step, DIAL_DNS);
    assert_non_null(strstr(w.text, "no-such-host.invalid"));
    tear_down(&w);
}

static void a_cancelled_dial_is_silent_at_each_step(void **state)
{
    static const char *const hosts[] = {"localhost", "no-such-host.invalid", "127.0.0.1"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        /* After 0 turns it waits to begin, then for the name, then for the connection. */
        for (int turns = 0; turns < 4; turns++) {
            struct world w;

            set_up(&w, hosts[i]);
            struct dial *d = dial_start(&w.dialer, on_dial, &w);
            for (int t = 0; t < turns && w.calls == 0; t++) {
                loop_turn(w.loop, 0);
            }
            unsigned before = w.calls;
            if (before == 0) {
                dial_cancel(d);
            }
            loop_turn(w.loop, loop_clock(w.loop) + 2 * NS_PER_MS);
            loop_turn(w.loop, 0);
            assert_int_equal(w.calls, before);
            tear_down(&w);
        }
    }
}

static int opener(void *owner, struct stream **out)
{
    struct world *w = owner;
    struct stream *other;

    if (w->opener_rc == 0) {
        mem_pair(w->loop, NULL, out, &other);
        stream_close(other);
    }
    return w->opener_rc;
}

static void an_opener_stands_for_the_network(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "ignored.invalid");
    w.dialer.opener = opener;
    w.dialer.opener_owner = &w;
    dial_start(&w.dialer, on_dial, &w);
    wait_call(&w);
    assert_non_null(w.stream);
    stream_close(w.stream);
    w.stream = NULL;
    w.opener_rc = -EMFILE;
    dial_start(&w.dialer, on_dial, &w);
    wait_call(&w);
    assert_null(w.stream);
    assert_int_equal(w.failure.step, DIAL_CONNECT);
    assert_int_equal(w.failure.sys, EMFILE);
    tear_down(&w);
}

/* Gives this thread a network of its own, whose loopback interface is down. Only root may. */
static bool new_network(void)
{
    return unshare(CLONE_NEWNET) == 0;
}

static bool bring_loopback_up(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    int rc = ioctl(fd, SIOCSIFFLAGS, &lo);
    close(fd);
    return rc == 0;
}

/* False: this kernel has no such setting. */
static bool set_of_network(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0) {
        return false;
    }
    bool written = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    close(fd);
    return written;
}

/* With 127.0.0.1 and without IPv6. */
static bool lose_ipv6(void)
{
    static const char off[] = "/proc/sys/net/ipv6/conf/lo/disable_ipv6";

    if (!new_network()) {
        return false;
    }
    /* Not there: the kernel has no IPv6 at all. */
    if (access(off, F_OK) == 0) {
        assert_true(set_of_network(off, "1"));
    }
    return bring_loopback_up();
}

/* Dials until one fails; the streams stay open, and with them their ports. */
static void use_up_ports(struct world *w, struct stream *streams[], unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        dial_start(&w->dialer, on_dial, w);
        wait_call(w);
        streams[i] = w->stream;
        if (w->stream == NULL) {
            return;
        }
    }
    fail_msg("%u connections and still a port", most);
}

static void assert_out_of_ports(const struct world *w)
{
    assert_null(w->stream);
    assert_int_equal(w->failure.step, DIAL_CONNECT);
    assert_int_equal(w->failure.sys, EADDRNOTAVAIL);
    assert_non_null(strstr(w->text, "[::1]:"));
}

/* On ::1 somebody listens, on 127.0.0.1 nobody: its refusal must not stand for our lack of ports,
 * neither for a dialer that has been there nor for one of another thread, which has not. */
static void ports_that_are_used_up_are_no_refusal(void **state)
{
    struct stream *streams[16] = {NULL};
    struct world w;

    (void)state;
    if (!new_network() || !bring_loopback_up() ||
        !set_of_network("/proc/sys/net/ipv4/ip_local_port_range", "40000 40007") ||
        !listen_on(&w, "::1", "localhost")) {
        skip(); /* only root may, and only with IPv6 */
    }
    use_up_ports(&w, streams, 16);
    assert_non_null(streams[0]);
    assert_out_of_ports(&w);
    for (unsigned first = 0; first < 2; first++) {
        dialer_init(&w.dialer, w.loop, "localhost", w.dialer.port, NULL, NULL);
        w.dialer.preferred_ = first;
        dial_start(&w.dialer, on_dial, &w);
        wait_call(&w);
        assert_out_of_ports(&w);
    }
    for (unsigned i = 0; streams[i] != NULL; i++) {
        stream_close(streams[i]);
    }
    tear_down(&w);
}

/* Last, because this process does not get its network back. */
static void a_machine_without_ipv6_hides_no_refusal(void **state)
{
    struct world w;

    (void)state;
    if (!lose_ipv6()) {
        skip(); /* only root may */
    }
    assert_false(listen_on(&w, "::1", "localhost"));
    for (unsigned first = 0; first < 2; first++) {
        set_up(&w, "localhost");
        w.dialer.preferred_ = first;
        dial_start(&w.dialer, on_dial, &w);
        wait_call(&w);
        assert_non_null(w.stream);
        tear_down(&w);
        set_up(&w, "localhost");
        w.dialer.preferred_ = first;
        close_port(&w);
        dial_start(&w.dialer, on_dial, &w);
        wait_call(&w);
        assert_int_equal(w.filtered, 2);
        assert_int_equal(w.failure.step, DIAL_CONNECT);
        assert_int_equal(w.failure.sys, ECONNREFUSED);
        assert_non_null(strstr(w.text, "127.0.0.1:"));
        tear_down(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_address_is_followed_by_the_next),
        cmocka_unit_test(without_the_first_address_the_second_is_dialled),
        cmocka_unit_test(a_filtered_address_is_not_dialled),
        cmocka_unit_test(a_refusal_names_address_and_cause),
        cmocka_unit_test(an_unknown_name_is_told),
        cmocka_unit_test(a_cancelled_dial_is_silent_at_each_step),
        cmocka_unit_test(an_opener_stands_for_the_network),
        cmocka_unit_test(ports_that_are_used_up_are_no_refusal),
        cmocka_unit_test(a_machine_without_ipv6_hides_no_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
