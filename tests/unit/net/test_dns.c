/* SPDX-License-Identifier: MIT */
#include "net/dns.h"
#include "support/threads.h"
#include "support/unit.h"

static const struct clock real_clock = {0};

struct asked {
    unsigned calls;
    struct dns_answer answer;
};

static void on_answer(void *owner, const struct dns_answer *answer)
{
    struct asked *a = owner;

    a->calls++;
    a->answer = *answer;
}

static struct loop *new_loop(void)
{
    struct loop *l = NULL;

    assert_int_equal(loop_new(&real_clock, &l, NULL), 0);
    return l;
}

static void ask(const char *host, uint16_t port, struct asked *out)
{
    struct loop *l = new_loop();
    struct dns_query *q;

    *out = (struct asked){0};
    assert_int_equal(dns_start(l, host, port, on_answer, out, &q, NULL), 0);
    assert_int_equal(out->calls, 0);                /* never inside the call */
    uint64_t until = loop_clock(l) + 60 * NS_PER_S; /* three servers that are silent */
    while (out->calls == 0 && loop_clock(l) < until) {
        loop_turn(l, until);
    }
    loop_turn(l, 0);
    assert_int_equal(out->calls, 1);
    loop_free(l);
}

static void localhost_is_both_loopback_addresses(void **state)
{
    static const char *const names[] = {"localhost", "LocalHost", "localhost.", "mcp.localhost",
                                        "a.b.LOCALHOST."};
    struct asked a;
    char text[ADDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct loop *l = new_loop();
        struct dns_query *q;

        /* One turn without a wait: nobody was asked. */
        a = (struct asked){0};
        assert_int_equal(dns_start(l, names[i], 9000, on_answer, &a, &q, NULL), 0);
        assert_int_equal(a.calls, 0);
        loop_turn(l, 0);
        assert_int_equal(a.calls, 1);
        loop_free(l);
        assert_int_equal(a.answer.count, 2);
        assert_string_equal(addr_text(&a.answer.addrs[0], text), "127.0.0.1:9000");
        assert_string_equal(addr_text(&a.answer.addrs[1], text), "[::1]:9000");
    }
}

static void a_literal_is_its_own_answer(void **state)
{
    struct asked a;
    char text[ADDR_TEXT_MAX];

    (void)state;
    ask("192.0.2.7", 80, &a);
    assert_int_equal(a.answer.count, 1);
    assert_string_equal(addr_text(&a.answer.addrs[0], text), "192.0.2.7:80");
    ask("2001:db8::1", 80, &a);
    assert_string_equal(addr_text(&a.answer.addrs[0], text), "[2001:db8::1]:80");
}

static void an_unknown_name_has_a_reason(void **state)
{
    struct asked a;

    (void)state;
    ask("no-such-host.invalid", 80, &a);
    assert_int_equal(a.answer.count, 0);
    assert_true(a.answer.reason[0] != '\0');
    /* These only look like it. */
    ask("localhost.invalid", 80, &a);
    assert_int_equal(a.answer.count, 0);
    ask("notlocalhost.invalid", 80, &a);
    assert_int_equal(a.answer.count, 0);
    threads_settle();
}

static void a_cancelled_question_is_never_answered(void **state)
{
    static const char *const hosts[] = {"localhost", "no-such-host.invalid"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct loop *l = new_loop();
        struct asked a = {0};
        struct dns_query *q;

        assert_int_equal(dns_start(l, hosts[i], 80, on_answer, &a, &q, NULL), 0);
        dns_cancel(q);
        loop_turn(l, loop_clock(l) + 20 * NS_PER_MS);
        assert_int_equal(a.calls, 0);
        loop_free(l);
    }
    threads_settle();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(localhost_is_both_loopback_addresses),
        cmocka_unit_test(a_literal_is_its_own_answer),
        cmocka_unit_test(an_unknown_name_has_a_reason),
        cmocka_unit_test(a_cancelled_question_is_never_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
