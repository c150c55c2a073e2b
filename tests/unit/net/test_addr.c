/* SPDX-License-Identifier: MIT */
#include "net/addr.h"
#include "support/unit.h"

static void literals_become_addresses_and_texts(void **state)
{
    static const struct {
        const char *literal, *text;
        bool loopback;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1:80", true},
        {"127.9.8.7", "127.9.8.7:80", true},
        {"192.0.2.1", "192.0.2.1:80", false},
        {"::1", "[::1]:80", true},
        {"2001:db8::7", "[2001:db8::7]:80", false},
        {"::ffff:127.0.0.1", "[::ffff:127.0.0.1]:80", true},
        {"::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union addr a;
        char text[ADDR_TEXT_MAX];

        assert_true(addr_from_literal(str_c(cases[i].literal), 80, &a));
        assert_string_equal(addr_text(&a, text), cases[i].text);
        assert_int_equal(addr_is_loopback(&a), cases[i].loopback);
    }
}

static void what_is_no_literal_is_refused(void **state)
{
    static const char *const cases[] = {"",           "localhost", "1.2.3",     "1.2.3.4.5",
                                        "256.1.1.1",  "[::1]",     "::1::",     "1.2.3.4 ",
                                        "0x7f.0.0.1", ":",         "fe80::1%lo"};
    union addr a;
    char longer[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(addr_from_literal(str_c(cases[i]), 80, &a));
    }
    memset(longer, '1', sizeof longer);
    assert_false(addr_from_literal((struct str){longer, sizeof longer}, 80, &a));
}

static void listen_addresses(void **state)
{
    static const struct {
        const char *text;
        unsigned count;
        const char *first, *second;
    } cases[] = {
        {":9000", 2, "127.0.0.1:9000", "[::1]:9000"},
        {"localhost:0", 2, "127.0.0.1:0", "[::1]:0"},
        {"LOCALHOST:1", 2, "127.0.0.1:1", "[::1]:1"},
        {"0.0.0.0:65535", 1, "0.0.0.0:65535", NULL},
        {"[::1]:80", 1, "[::1]:80", NULL},
        {"[::]:80", 1, "[::]:80", NULL},
    };
    static const char *const bad[] = {"",      "9000",    ":",        ":65536",
                                      ":-1",   ":x",      "host:1:x", "example:80",
                                      "[::1]", "[::1:80", "127.0.0.1"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union addr a[2];
        unsigned count = 0;
        char text[ADDR_TEXT_MAX];

        assert_int_equal(addr_parse_listen(str_c(cases[i].text), a, &count, NULL), 0);
        assert_int_equal(count, cases[i].count);
        assert_string_equal(addr_text(&a[0], text), cases[i].first);
        if (count == 2) {
            assert_string_equal(addr_text(&a[1], text), cases[i].second);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        union addr a[2];
        unsigned count = 7;
        struct err err = {0};

        assert_int_equal(addr_parse_listen(str_c(bad[i]), a, &count, &err), ERR_INVALID);
        assert_int_equal(count, 7);
        assert_true(err.msg[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_become_addresses_and_texts),
        cmocka_unit_test(what_is_no_literal_is_refused),
        cmocka_unit_test(listen_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
