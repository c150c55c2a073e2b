/* SPDX-License-Identifier: MIT */
#include "api/guard.h"
#include "support/unit.h"

static struct h1_head head;

/* Lines "Name: value\r\n"; the slices point into `lines`. */
static const struct h1_head *with(const char *lines)
{
    static char text[1000];
    size_t seen = 0;
    struct err err;

    snprintf(text, sizeof text, "POST / HTTP/1.1\r\n%s\r\n", lines);
    if (h1_parse_request(text, strlen(text), &seen, &head, &err) <= 0) {
        fail_msg("%s: %s", lines, err.msg);
    }
    return &head;
}

static void test_host(void **state)
{
    static const struct {
        const char *host;
        bool ok;
    } cases[] = {
        {"localhost", true},
        {"localhost:8080", true},
        {"LocalHost:1", true},
        {"127.0.0.1", true},
        {"127.0.0.1:8080", true},
        {"127.1.2.3:80", true},
        {"[::1]", true},
        {"[::1]:8080", true},
        {"example.com", false},
        {"example.com:80", false},
        {"127.0.0.1.evil.com", false},
        {"127.evil.com:80", false},
        {"10.0.0.1", false},
        {"[::2]:80", false},
        {"localhost.evil.com", false},
        {"", false},
        {":80", false},
        {"0.0.0.0", false},
    };
    const struct guard local = {.local = true}, open = {.local = false};
    char line[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(line, sizeof line, "Host: %s\r\n", cases[i].host);
        if (guard_host_ok(&local, with(line)) != cases[i].ok) {
            fail_msg("%s", line);
        }
        assert_true(guard_host_ok(&open, with(line)));
    }
}

static void test_origin(void **state)
{
    static const char *const list[] = {"https://drill.example", "http://localhost:3000"};
    const struct guard g = {.local = true, .origins = list, .origin_count = 2};
    static const struct {
        const char *lines;
        enum guard_origin is;
    } cases[] = {
        {"Host: localhost:8080\r\n", GUARD_NONE},
        {"Host: localhost:8080\r\nOrigin: http://localhost:8080\r\n", GUARD_NONE},
        {"Host: LOCALHOST:8080\r\nOrigin: http://localhost:8080\r\n", GUARD_NONE},
        {"Host: localhost:8080\r\nOrigin: http://localhost:3000\r\n", GUARD_ALLOWED},
        {"Host: localhost:8080\r\nOrigin: https://drill.example\r\n", GUARD_ALLOWED},
        {"Host: localhost:8080\r\nOrigin: https://drill.example.evil\r\n", GUARD_FOREIGN},
        {"Host: localhost:8080\r\nOrigin: http://localhost:9\r\n", GUARD_FOREIGN},
        {"Host: localhost:8080\r\nOrigin: https://localhost:8080\r\n", GUARD_FOREIGN},
        {"Host: localhost:8080\r\nOrigin: null\r\n", GUARD_FOREIGN},
        {"Host: localhost:8080\r\nOrigin: \r\n", GUARD_FOREIGN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (guard_origin(&g, with(cases[i].lines)) != cases[i].is) {
            fail_msg("%s", cases[i].lines);
        }
    }
}

/* What a form of any page can send is not JSON, unless no browser has sent it. */
static void test_json(void **state)
{
    static const struct {
        const char *lines;
        bool ok;
    } cases[] = {
        {"Content-Type: application/json\r\n", true},
        {"Content-Type: application/json; charset=utf-8\r\nOrigin: null\r\n", true},
        {"", true},
        {"Content-Type: application/x-www-form-urlencoded\r\n", true},
        {"Content-Type: text/plain\r\n", false},
        {"Content-Type: multipart/form-data; boundary=x\r\n", false},
        {"Origin: http://localhost\r\n", false},
        {"Sec-Fetch-Site: none\r\n", false},
        {"Sec-Fetch-Mode: no-cors\r\nContent-Type: application/x-www-form-urlencoded\r\n", false},
        {"Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://x\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (guard_json_ok(with(cases[i].lines)) != cases[i].ok) {
            fail_msg("%s", cases[i].lines);
        }
    }
}

static void test_is_origin(void **state)
{
    static const char *const good[] = {"http://a", "https://a.b:80", "http://[::1]:8080"};
    static const char *const bad[] = {
        "",          "*",          "null",         "http://",
        "http://a/", "ftp://a",    "http://a b",   "http://a,http://b",
        "a.b",       "http://u@h", "http://a\r\nX"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(guard_is_origin(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(guard_is_origin(bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_is_origin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
