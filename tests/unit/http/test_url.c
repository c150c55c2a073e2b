/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "http/url.h"
#include "support/unit.h"

struct url_case {
    const char *text;
    const char *facts; /* scheme, host, port, default port?, authority, target; NULL: ERR_INVALID */
};

static int parse_exact(const char *text, size_t len, struct url *url, struct err *err)
{
    char *copy = xmalloc(len);
    int rc;

    memcpy(copy, text, len);
    rc = url_parse((struct str){copy, len}, url, err);
    xfree(copy);
    return rc;
}

static void test_cases(void **state)
{
    static const struct url_case cases[] = {
        {"http://localhost:9000/mcp", "http localhost 9000 localhost:9000 /mcp"},
        {"http://localhost", "http localhost 80* localhost /"},
        {"http://localhost/", "http localhost 80* localhost /"},
        {"http://localhost:80/", "http localhost 80* localhost /"},
        {"http://localhost:443/", "http localhost 443 localhost:443 /"},
        {"http://localhost:/x", "http localhost 80* localhost /x"},
        {"http://localhost:00080", "http localhost 80* localhost /"},
        {"https://Example.ORG/a/b?c=d&e", "https example.org 443* example.org /a/b?c=d&e"},
        {"HTTPS://h:65535?q", "https h 65535 h:65535 /?q"},
        {"http://h#frag", "http h 80* h /"},
        {"http://h/a#frag?x", "http h 80* h /a"},
        {"http://h?a#b", "http h 80* h /?a"},
        {"http://a_b-c.d:1/%20", "http a_b-c.d 1 a_b-c.d:1 /%20"},
        {"http://[::1]:8080/mcp", "http ::1 6 8080 [::1]:8080 /mcp"},
        {"http://[2001:DB8::1]", "http 2001:db8::1 6 80* [2001:db8::1] /"},
        {"http://127.0.0.1:9000//x@y:z", "http 127.0.0.1 9000 127.0.0.1:9000 //x@y:z"},
        {"", NULL},
        {"localhost:9000", NULL},
        {"ftp://h/", NULL},
        {"http:/h/", NULL},
        {"http://", NULL},
        {"http:///mcp", NULL},
        {"http://:80/", NULL},
        {"http://h:0/", NULL},
        {"http://h:65536/", NULL},
        {"http://h:99999999999999999999/", NULL},
        {"http://h:8a/", NULL},
        {"http://h:-1/", NULL},
        {"http://a:b:1/", NULL},
        {"http://user@h/", NULL},
        {"http://user:secret@h/", NULL},
        {"http://h%41/", NULL},
        {"http://h/a b", NULL},
        {" http://h/", NULL},
        {"http://h/\n", NULL},
        {"http://h/\xc3\xa9", NULL},
        {"http://h\x7f/", NULL},
        {"http://[::1", NULL},
        {"http://[]/", NULL},
        {"http://[::1]x/", NULL},
        {"http://[127.0.0.1]/", NULL},
        {"http://[fe80::1%25eth0]/", NULL},
        {"http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/", NULL},
        {"http://::1/", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url url;
        struct err err = {0};
        char facts[2 * URL_MAX];
        int rc = parse_exact(cases[i].text, strlen(cases[i].text), &url, &err);

        if (cases[i].facts == NULL) {
            assert_int_equal(rc, ERR_INVALID);
            assert_int_equal(err.code, ERR_INVALID);
            continue;
        }
        assert_int_equal(rc, 0);
        snprintf(facts, sizeof facts, "%s %s%s %u%s %s %s", url.https ? "https" : "http", url.host,
                 url.ipv6_literal ? " 6" : "", (unsigned)url.port, url.default_port ? "*" : "",
                 url.authority, url.target);
        assert_string_equal(facts, cases[i].facts);
    }
}

static void test_lengths(void **state)
{
    char text[URL_MAX + 2];
    struct url url;

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "http://h/", 9);
    assert_int_equal(parse_exact(text, URL_MAX, &url, NULL), 0);
    assert_int_equal(strlen(url.target), URL_MAX - 8);
    assert_int_equal(parse_exact(text, URL_MAX + 1, &url, NULL), ERR_INVALID);
    /* The longest query without a path: one byte more than was given. */
    text[8] = '?';
    assert_int_equal(parse_exact(text, URL_MAX, &url, NULL), 0);
    assert_int_equal(strlen(url.target), URL_MAX - 7);
    text[8] = 'a';
    assert_int_equal(parse_exact(text, 7 + 255, &url, NULL), 0);
    assert_int_equal(strlen(url.host), 255);
    assert_int_equal(parse_exact(text, 7 + 256, &url, NULL), ERR_INVALID);
}

/* On failure the output is untouched. */
static void test_untouched(void **state)
{
    struct url url = {.port = 7};

    (void)state;
    assert_int_equal(url_parse(STR("http://x:y/"), &url, NULL), ERR_INVALID);
    assert_int_equal(url.port, 7);
    assert_int_equal(url.host[0], '\0');
    assert_int_equal(url_parse(STR("http://h/\0x"), &url, NULL), ERR_INVALID);
}

static void test_all_host_bytes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '-' || c == '.' || c == '_';
        char text[] = "http://a?b/";
        struct url url;

        text[8] = (char)c;
        if (c == '/' || c == '?' || c == '#') {
            continue; /* These end the host. */
        }
        assert_int_equal(parse_exact(text, sizeof text - 1, &url, NULL) == 0, good);
    }
}

static void test_escape(void **state)
{
    static const unsigned char all[] = {'a', 'Z', '0', '-', '.', '_', '~',  '/',  '?',
                                        '&', '=', '%', ' ', '+', 0,   0x0d, 0x7f, 0xff};
    struct buf out;

    (void)state;
    buf_init(&out, 46);
    assert_int_equal(url_escape(&out, (struct str){(const char *)all, sizeof all}), 0);
    assert_string_equal(buf_c(&out), "aZ0-._~%2F%3F%26%3D%25%20%2B%00%0D%7F%FF");
    assert_int_equal(url_escape(&out, STR("//")), 0);
    assert_int_equal(url_escape(&out, STR("/")), ERR_LIMIT);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),     cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_untouched), cmocka_unit_test(test_all_host_bytes),
        cmocka_unit_test(test_escape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
