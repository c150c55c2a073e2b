/* SPDX-License-Identifier: MIT */
/* The threads and listeners, over real loopback sockets; and the session table under threads. */
#include "mock/server/serve.h"
#include "mock/state/session.h"
#include "support/unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *literal, unsigned port)
{
    union addr to = {0};

    assert_true(addr_from_literal(str_c(literal), (uint16_t)port, &to));
    int fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, &to.sa, addr_len(&to)) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static void ask(int fd, const char *request, const char *expected)
{
    char answer[4096];
    size_t have = 0;

    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while (have < sizeof answer - 1) {
        ssize_t n = recv(fd, answer + have, sizeof answer - 1 - have, 0);

        assert_true(n > 0);
        have += (size_t)n;
        answer[have] = '\0';
        if (strstr(answer, expected) != NULL) {
            return;
        }
    }
    fail_msg("%s", answer);
}

#define BODY "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define PING                                                                                      \
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " \
    "40\r\n\r\n" BODY

static void test_threads(void **state)
{
    enum { CONNECTIONS = 32 };
    struct mock_serve_config config = {.mock = mock_config_default(), .threads = 3};
    struct mock_serve *s;
    struct err err;
    int fds[CONNECTIONS];

    (void)state;
    assert_int_equal(sizeof BODY - 1, 40);
    assert_int_equal(addr_parse_listen(STR(":0"), config.addresses, &config.address_count, &err),
                     0);
    assert_int_equal(mock_serve_start(&config, &s, &err), 0);
    unsigned port = mock_serve_port(s);
    assert_int_not_equal(port, 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = connect_to(i % 4 == 3 ? "::1" : "127.0.0.1", port);
        if (fds[i] < 0) {
            assert_int_equal(i % 4, 3); /* a machine without IPv6 */
            fds[i] = connect_to("127.0.0.1", port);
        }
        ask(fds[i], PING, "\"result\":{}");
    }
    ask(fds[0], "GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n", "\"ping\":32}");
    for (int i = 0; i < CONNECTIONS; i++) {
        close(fds[i]);
    }
    struct mock_serve *second;
    config.addresses[0] = *mock_serve_address(s);
    config.address_count = 1;
    /* Its threads share the port (SO_REUSEPORT); another server must not take half of it. */
    assert_int_equal(mock_serve_start(&config, &second, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "in use"));
    mock_serve_stop(s);
}

/* On all addresses; who comes by loopback may look at it, and turns its knobs. */
static void test_everywhere(void **state)
{
    struct mock_serve_config config = {.mock = mock_config_default(), .threads = 2};
    struct mock_serve *s, *second;
    struct err err;

    (void)state;
    config.mock.any_host = true;
    assert_int_equal(
        addr_parse_listen(STR("0.0.0.0:0"), config.addresses, &config.address_count, &err), 0);
    assert_int_equal(mock_serve_start(&config, &s, &err), 0);
    int fd = connect_to("127.0.0.1", mock_serve_port(s));
    assert_true(fd >= 0);
    ask(fd, PING, "\"result\":{}");
    ask(fd, "GET /stats HTTP/1.1\r\nHost: any\r\n\r\n", "\"ping\":1}");
    close(fd);
    config.addresses[0] = *mock_serve_address(s);
    assert_int_equal(mock_serve_start(&config, &second, &err), ERR_IO);
    mock_serve_stop(s);
}

static void test_bad_address(void **state)
{
    struct mock_serve_config config = {.mock = mock_config_default(), .threads = 2};
    struct mock_serve *s;
    struct err err;

    (void)state;
    /* TEST-NET-1 (RFC 5737): an address that this machine does not have. */
    assert_true(addr_from_literal(STR("192.0.2.1"), 0, &config.addresses[0]));
    config.address_count = 1;
    assert_int_equal(mock_serve_start(&config, &s, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "192.0.2.1"));
}

/* Tries until `wanted` attempts in a row were refused (or, with 0, until one succeeds); each thread
 * closes and opens its own listener when it comes to it. A connection, or -1. */
static int connect_until(unsigned port, unsigned wanted)
{
    unsigned refused = 0;
    int fd = -1;

    for (int i = 0; i < 2000; i++) {
        fd = connect_to("127.0.0.1", port);
        refused = fd < 0 ? refused + 1 : 0;
        if (wanted > 0 ? refused == wanted : fd >= 0) {
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
        usleep(wanted > 0 ? 1000 : 10000);
    }
    fail_msg("%u refusals in a row were not seen", wanted);
    return -1;
}

/* The port is closed and, after its time, opened again while an open connection is served on. */
static void test_refuse_connections(void **state)
{
    struct mock_serve_config config = {.mock = mock_config_default(), .threads = 2};
    struct mock_serve *s;
    struct err err;

    (void)state;
    assert_int_equal(addr_parse_listen(STR(":0"), config.addresses, &config.address_count, &err),
                     0);
    config.address_count = 1;
    assert_int_equal(mock_serve_start(&config, &s, &err), 0);
    unsigned port = mock_serve_port(s);
    int open = connect_to("127.0.0.1", port);
    ask(open,
        "POST /faults HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30\r\n\r\n"
        "{\"refuse_connections_ms\":2000}",
        "\"refuse_connections_ms\":2000");
    assert_int_equal(connect_until(port, 8), -1);
    ask(open, PING, "\"result\":{}");
    int fd = connect_until(port, 0);
    ask(fd, PING, "\"result\":{}");
    ask(fd, "GET /stats/history HTTP/1.1\r\nHost: localhost\r\n\r\n", "]]}");
    close(fd);
    close(open);
    mock_serve_stop(s);
}

/* ---- sessions ----------------------------------------------------------------------------- */

enum { THREADS = 4, EACH = 5000 };
static struct mock_sessions *table;

static void *churn(void *arg)
{
    uint64_t hi = (uint64_t)(uintptr_t)arg;
    uintptr_t bad = 0;

    for (uint64_t i = 0; i < EACH; i++) {
        struct mock_session_id id = {hi, i * 7};

        bad += !mock_sessions_open(table, id, 0);
        bad += !mock_sessions_alive(table, id, 0);
        bad += i % 2 == 0 && !mock_sessions_delete(table, id, 0);
    }
    return (void *)bad;
}

static void test_session_table(void **state)
{
    pthread_t threads[THREADS];
    void *bad;

    (void)state;
    table = mock_sessions_new(0);
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
    struct mock_session_counts n = mock_sessions_count(table, 0);
    assert_int_equal(n.opened, THREADS * EACH);
    assert_int_equal(n.deleted, THREADS * EACH / 2);
    assert_int_equal(n.expired, 0);
    assert_int_equal(mock_sessions_ended(table), THREADS * EACH / 2);
    mock_sessions_free(table);
}

static void test_session_ids(void **state)
{
    struct mock_session_id id = {UINT64_C(0x0123456789abcdef), 5}, back;
    char text[SESSION_ID_LEN];

    (void)state;
    mock_session_id_text(id, text);
    assert_memory_equal(text, "0123456789abcdef0000000000000005", SESSION_ID_LEN);
    assert_true(mock_session_id_read((struct str){text, SESSION_ID_LEN}, &back));
    assert_true(back.hi == id.hi && back.lo == id.lo);
    assert_false(mock_session_id_read(STR("0123"), &back));
    assert_false(mock_session_id_read(STR("0123456789ABCDEF0000000000000005"), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_everywhere),
        cmocka_unit_test(test_bad_address),   cmocka_unit_test(test_refuse_connections),
        cmocka_unit_test(test_session_table), cmocka_unit_test(test_session_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
