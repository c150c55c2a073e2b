/* SPDX-License-Identifier: MIT */
#include "scenario/policy/address.h"
#include "scenario/policy/policy.h"
#include "support/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* The codes of all violations, separated by blanks. */
static void check(const struct environment_config *env,
                  bool network_public,
                  const char *text,
                  const char *expected)
{
    struct target_url url;
    struct policy_verdict verdict;
    char found[300] = "";

    assert_int_equal(target_url_parse(str_c(text), &url, NULL), 0);
    struct policy *p = policy_new(env, &url, network_public);
    policy_check_url(p, &url, &verdict);
    for (size_t i = 0; i < verdict.count; i++) {
        size_t len = strlen(found);
        snprintf(found + len, sizeof found - len, "%s%s", i == 0 ? "" : " ", verdict.items[i].code);
    }
    policy_free(p);
    if (strcmp(found, expected) != 0) {
        fail_msg("%s: %s, expected %s", text, found, expected);
    }
}

static void test_allowlist(void **state)
{
    static const struct {
        enum allow_kind kind;
        const char *value, *url;
        bool allowed;
    } cases[] = {
        {ALLOW_EXACT, "http://h/mcp", "http://h:80/mcp", true},
        {ALLOW_EXACT, "http://h/mcp", "http://h/other", false},
        {ALLOW_EXACT, "http://h", "http://H./any", true},
        {ALLOW_EXACT, "http://h:81", "http://h/", false},
        {ALLOW_EXACT, "https://h", "http://h:443/", false},
        {ALLOW_EXACT, "h", "http://h:9000/x", true},
        {ALLOW_EXACT, "h:9000", "http://h:9000/x", true},
        {ALLOW_EXACT, "h:9000", "http://h:9001/x", false},
        {ALLOW_EXACT, "::1", "http://[::1]:5/", true},
        {ALLOW_SUFFIX, ".example.com", "http://a.example.com/", true},
        {ALLOW_SUFFIX, "example.com", "http://example.com/", true},
        {ALLOW_SUFFIX, "example.com", "http://badexample.com/", false},
        {ALLOW_REGEX, "http://h:[0-9]{2,4}/.*", "http://h:900/x", true},
        {ALLOW_REGEX, "[a-z]+", "http://host/", true},
        {ALLOW_REGEX, "h", "http://host/", false},
        {ALLOW_CIDR, "10.0.0.0/8", "http://10.1.2.3/", true},
        {ALLOW_CIDR, "10.0.0.0/8", "http://11.1.2.3/", false},
        {ALLOW_CIDR, "10.0.0.0/8", "http://name/", true}, /* decided when it is dialled */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct allow_config entry = {cases[i].kind, cases[i].value};
        const struct environment_config env = {.allowed = &entry, .allowed_count = 1};

        check(&env, false, cases[i].url, cases[i].allowed ? "" : "ALLOWLIST_VIOLATION");
    }
}

static void test_entries(void **state)
{
    static const struct allow_config bad[] = {
        {ALLOW_REGEX, "("},        {ALLOW_REGEX, "(a)\\1"},     {ALLOW_REGEX, "(a{1,99}){1,99}"},
        {ALLOW_REGEX, "a{99999}"}, {ALLOW_CIDR, "10.0.0.0/33"}, {ALLOW_CIDR, "host"},
        {ALLOW_SUFFIX, "."},       {ALLOW_SUFFIX, "a:80"},      {ALLOW_EXACT, "host/path"},
        {ALLOW_EXACT, "http://"},  {ALLOW_EXACT, "a b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};

        if (policy_check_entry(&bad[i], &err) != ERR_INVALID) {
            fail_msg("%s is accepted", bad[i].value);
        }
        assert_true(err.msg[0] != '\0');
    }
}

static void test_addresses(void **state)
{
    static const struct environment_config all = {.mode = ALLOWLIST_ALLOW_ALL};
    static const struct {
        const char *url, *local, *public;
    } cases[] = {
        {"http://example.com/", "", ""},
        {"http://8.8.8.8/", "", "IP_LITERAL_BLOCKED"},
        {"http://localhost:1/", "", "LOCALHOST_BLOCKED"},
        {"http://a.local/", "", "LOCALHOST_BLOCKED"},
        {"http://127.1/", "", "IP_LITERAL_BLOCKED LOOPBACK_BLOCKED"},
        {"http://[::1]/", "", "IP_LITERAL_BLOCKED LOOPBACK_BLOCKED"},
        {"http://10.0.0.1/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://169.254.1.1/", "", "IP_LITERAL_BLOCKED LINK_LOCAL_BLOCKED"},
        {"http://169.254.169.254/", "METADATA_IP_BLOCKED",
         "IP_LITERAL_BLOCKED METADATA_IP_BLOCKED"},
        {"http://[fd00:ec2::254]/", "METADATA_IP_BLOCKED",
         "IP_LITERAL_BLOCKED METADATA_IP_BLOCKED"},
        {"http://[::ffff:169.254.169.254]/", "METADATA_IP_BLOCKED",
         "IP_LITERAL_BLOCKED IPV4_MAPPED_BLOCKED"},
        {"http://[fc00::1]/", "", "IP_LITERAL_BLOCKED UNIQUE_LOCAL_BLOCKED"},
        {"http://[64:ff9b::1]/", "", "IP_LITERAL_BLOCKED NAT64_BLOCKED"},
        {"http://[2001:db8::1]/", "", "IP_LITERAL_BLOCKED DOCUMENTATION_IP_BLOCKED"},
        /* IPv4 inside IPv6, and what else is no public address (RFC 6890, 8215, 9602, 9637). */
        {"http://[::127.0.0.1]/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[::2]/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[2002:7f00:1::]/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[fec0::1]/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[64:ff9b:1::7f00:1]/", "", "IP_LITERAL_BLOCKED NAT64_BLOCKED"},
        {"http://198.18.0.1/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://198.20.0.1/", "", "IP_LITERAL_BLOCKED"},
        {"http://192.88.99.1/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[100::1]/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[2001::1]/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[5f00::1]/", "", "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[3fff::1]/", "", "IP_LITERAL_BLOCKED DOCUMENTATION_IP_BLOCKED"},
        {"http://[2600::1]/", "", "IP_LITERAL_BLOCKED"},
        {"http://[::169.254.169.254]/", "METADATA_IP_BLOCKED",
         "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://[2002:a9fe:a9fe::]/", "METADATA_IP_BLOCKED",
         "IP_LITERAL_BLOCKED PRIVATE_ADDRESS_BLOCKED"},
        {"http://u:p@h/", "USERINFO_BLOCKED", "USERINFO_BLOCKED"},
        {"ftp://h/", "INVALID_URL_SCHEME", "INVALID_URL_SCHEME"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&all, false, cases[i].url, cases[i].local);
        check(&all, true, cases[i].url, cases[i].public);
    }
}

/* An entry for the very address opens public ones, and no others. */
static void test_listed_addresses(void **state)
{
    static const char *const closed[] = {"[::127.0.0.1]", "[::2]",      "[2002:7f00:1::]",
                                         "[fec0::1]",     "198.18.0.1", "[64:ff9b:1::7f00:1]"};
    struct allow_config entry = {ALLOW_EXACT, "8.8.8.8"};
    struct environment_config env = {.allowed = &entry, .allowed_count = 1};
    struct policy_verdict verdict;
    struct target_url url;

    (void)state;
    check(&env, true, "http://8.8.8.8/", "");
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        char text[80];

        snprintf(text, sizeof text, "http://%s", closed[i]);
        entry.value = text;
        assert_int_equal(target_url_parse(str_c(text), &url, NULL), 0);
        struct policy *p = policy_new(&env, &url, true);
        policy_check_url(p, &url, &verdict);
        policy_free(p);
        assert_int_equal(verdict.count, 2);
        assert_false(verdict.items[0].listable);
    }
    entry = (struct allow_config){ALLOW_REGEX, ".*"};
    assert_int_equal(target_url_parse(STR("http://8.8.8.8/"), &url, NULL), 0);
    struct policy *p = policy_new(&env, &url, true);
    policy_check_url(p, &url, &verdict);
    policy_free(p);
    assert_int_equal(verdict.count, 1);
    assert_true(verdict.items[0].listable);
}

static bool may_dial(const struct policy *p, const char *address)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};

    assert_int_equal(inet_pton(AF_INET, address, &sa.sin_addr), 1);
    return policy_check_address(p, (const struct sockaddr *)&sa, NULL) == 0;
}

/* What the operator opens, and no document can. */
static void test_open_networks(void **state)
{
    const struct environment_config env = {.mode = ALLOWLIST_ALLOW_ALL};
    static const struct {
        const char *block, *url;
        unsigned violations;
    } cases[] = {
        {"10.0.0.0/8", "http://10.1.2.3/", 0},   {"10.0.0.0/8", "http://192.168.0.1/", 2},
        {"127.0.0.0/8", "http://localhost/", 0}, {"127.0.0.0/8", "http://127.0.0.1/", 0},
        {"10.0.0.0/8", "http://localhost/", 1},  {"0.0.0.0/0", "http://169.254.169.254/", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct policy_verdict verdict;
        struct target_url url;

        assert_int_equal(target_url_parse(str_c(cases[i].url), &url, NULL), 0);
        struct policy *p = policy_new(&env, &url, true);
        assert_true(policy_open(p, cases[i].block));
        policy_check_url(p, &url, &verdict);
        assert_int_equal(verdict.count, cases[i].violations);
        policy_free(p);
    }
    struct policy *p = policy_new(&env, NULL, true);
    assert_false(may_dial(p, "10.1.2.3"));
    assert_true(policy_open(p, "10.0.0.0/8"));
    assert_true(may_dial(p, "10.1.2.3"));
    assert_false(may_dial(p, "11.0.0.1") && may_dial(p, "192.168.0.1"));
    assert_false(may_dial(p, "127.0.0.1"));
    assert_false(policy_open(p, "ten"));
    for (unsigned n = 1; n < POLICY_OPEN_MAX; n++) {
        assert_true(policy_open(p, "10.0.0.0/8"));
    }
    assert_false(policy_open(p, "10.0.0.0/8"));
    policy_free(p);
}

static void test_forbidden(void **state)
{
    static const struct {
        const char *pattern;
        bool matches;
    } cases[] = {
        {"prod", true},   {"PROD", true},         {"*prod*", true},   {"prod*", true},
        {"prod?", false}, {"*example.com", true}, {"staging", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *pattern = cases[i].pattern;
        const struct environment_config env = {
            .mode = ALLOWLIST_ALLOW_ALL, .forbidden = &pattern, .forbidden_count = 1};

        check(&env, false, "http://prod.example.com/mcp",
              cases[i].matches ? "FORBIDDEN_PATTERN_MATCHED" : "");
    }
}

static int dial(const struct policy *p, const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct err err = {0};

    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        return policy_check_address(p, (const struct sockaddr *)&v4, &err);
    }
    assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return policy_check_address(p, (const struct sockaddr *)&v6, &err);
}

static void test_dial(void **state)
{
    struct allow_config block = {ALLOW_CIDR, "10.0.0.0/8"};
    const struct environment_config by_block = {.allowed = &block, .allowed_count = 1};
    const struct environment_config all = {.mode = ALLOWLIST_ALLOW_ALL};
    struct target_url url;

    (void)state;
    assert_int_equal(target_url_parse(STR("http://name/"), &url, NULL), 0);
    struct policy *p = policy_new(&by_block, &url, false);
    assert_int_equal(dial(p, "10.9.9.9"), 0);
    assert_int_equal(dial(p, "192.168.0.1"), ERR_INVALID);
    policy_free(p);
    p = policy_new(&all, &url, false);
    assert_int_equal(dial(p, "127.0.0.1"), 0);
    assert_int_equal(dial(p, "::1"), 0);
    assert_int_equal(dial(p, "169.254.169.254"), ERR_INVALID);
    policy_free(p);
    p = policy_new(&all, &url, true);
    assert_int_equal(dial(p, "8.8.8.8"), 0);
    assert_int_equal(dial(p, "127.0.0.1"), ERR_INVALID);
    assert_int_equal(dial(p, "::ffff:10.0.0.1"), ERR_INVALID);
    policy_free(p);
    policy_free(NULL);
}

static void test_urls(void **state)
{
    static const char *const bad[] = {
        "",
        "h",
        "http:/h",
        "http://",
        "http://:80/",
        "http://h:0",
        "http://h:x",
        "http://h:65536",
        "http://[::1",
        "http://[::1]x",
        "http://a b/",
        "http://h\xc3\xa4/",
    };
    struct target_url url;
    char normal[3000];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};

        if (target_url_parse(str_c(bad[i]), &url, &err) != ERR_INVALID) {
            fail_msg("%s is accepted", bad[i]);
        }
    }
    assert_int_equal(target_url_parse(STR("HTTP://Host.:8080?q=1#f"), &url, NULL), 0);
    target_url_normal(&url, normal, sizeof normal);
    assert_string_equal(normal, "http://host:8080/?q=1");
    assert_int_equal(target_url_parse(STR("https://[::1]/a"), &url, NULL), 0);
    target_url_normal(&url, normal, sizeof normal);
    assert_string_equal(normal, "https://[::1]:443/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowlist), cmocka_unit_test(test_entries),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_open_networks),
        cmocka_unit_test(test_forbidden), cmocka_unit_test(test_listed_addresses),
        cmocka_unit_test(test_dial),      cmocka_unit_test(test_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
