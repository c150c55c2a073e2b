/* SPDX-License-Identifier: MIT */
#include "api/ports.h"
#include "support/unit.h"
#include "unit/api/fake_hub.h"

#include <errno.h>
#include <unistd.h>

struct rig {
    struct clock clock;
    struct loop *loop;
    struct hub hub;
    struct api *api;
};

static void start(struct rig *r)
{
    *r = (struct rig){0};
    assert_int_equal(loop_new(&r->clock, &r->loop, NULL), 0);
    fake_init(&r->hub, r->loop);
    r->api =
        api_new(&(struct api_config){.loop = r->loop, .hub = &r->hub, .guard = {.local = true}});
}

static void stop(struct rig *r)
{
    api_free(r->api);
    loop_turn(r->loop, 0);
    loop_free(r->loop);
}

static bool has_ipv6(void)
{
    union addr addr;

    return addr_from_literal(STR("::1"), 0, &addr) && listener_probe(&addr, NULL) == 0;
}

/* Asks at the address and turns the loop until there is an answer; its status. */
static int ask(struct rig *r, const union addr *addr)
{
    static const char text[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[200] = "";
    int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval wait = {.tv_usec = 1000};

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &addr->sa, addr_len(addr)), 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (int i = 0; i < 2000 && read(fd, answer, sizeof answer - 1) <= 0; i++) {
        loop_turn(r->loop, loop_clock(r->loop) + NS_PER_MS);
    }
    close(fd);
    return (int)strtol(answer + 9, NULL, 10);
}

static void test_both_families(void **state)
{
    union addr addresses[2];
    struct ports ports, second;
    struct err err = {0};
    unsigned count;
    struct rig r;

    (void)state;
    start(&r);
    assert_int_equal(addr_parse_listen(STR(":0"), addresses, &count, NULL), 0);
    assert_int_equal(ports_open(&ports, r.loop, addresses, count, &err), 0);
    ports.api = r.api;
    assert_int_equal(ports.count, has_ipv6() ? 2 : 1);
    assert_true(ports.port != 0);
    for (unsigned i = 0; i < ports.count; i++) {
        assert_true(ports.entries[i].loopback);
        assert_int_equal(ask(&r, &ports.entries[i].listener.addr), 200);
    }
    /* Somebody else's port is an error that says so, and nothing stays open of it. */
    char text[20];
    snprintf(text, sizeof text, ":%u", ports.port);
    assert_int_equal(addr_parse_listen(str_c(text), addresses, &count, NULL), 0);
    assert_int_equal(ports_open(&second, r.loop, addresses, count, &err), ERR_IO);
    assert_int_equal(err.sys, EADDRINUSE);
    assert_int_equal(second.count, 0);
    ports_close(&ports);
    ports_close(&ports);
    assert_int_equal(ports_open(&second, r.loop, addresses, count, &err), 0);
    ports_close(&second);
    stop(&r);
}

/* Who comes by loopback is known as near, also where all addresses are listened on. */
static void test_everywhere(void **state)
{
    union addr addresses[2];
    struct ports ports;
    unsigned near = 0;
    struct rig r;

    (void)state;
    start(&r);
    ports_everywhere(0, addresses);
    assert_int_equal(ports_open(&ports, r.loop, addresses, 2, NULL), 0);
    ports.api = r.api;
    for (unsigned i = 0; i < ports.count; i++) {
        near += ports.entries[i].loopback;
    }
    assert_int_equal(ports.count, has_ipv6() ? 4 : 2);
    assert_int_equal(near, ports.count / 2);
    ports_close(&ports);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_families),
        cmocka_unit_test(test_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
