/* SPDX-License-Identifier: MIT */
#include "plan/masking.h"
#include "support/unit.h"

static struct arena arena;
static struct plan_secrets secrets;

static int keep_secrets(void **state)
{
    struct secrets_list list = {.arena = &arena};

    (void)state;
    secrets_add(&list, STR("Bearer s3cret-value"));
    secrets_add(&list, STR("SEKRIT-314159265"));
    secrets = secrets_keep(&list);
    return 0;
}

static int forget_secrets(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

typedef int masking_fn(const struct plan_secrets *s, struct str text, struct buf *out);

static void assert_masked(masking_fn *mask, const char *text, const char *want)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_int_equal(mask(&secrets, str_c(text), &out), 0);
    assert_string_equal(buf_c(&out), want);
    buf_clear(&out);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"http://host:80/mcp", "http://host:80/mcp"},
        {"http://u:p@host/mcp", "http://[redacted]@host/mcp"},
        {"http://u@x:p@host", "http://[redacted]@host"},
        {"http://host/a@b?c=d@e", "http://host/a@b?c=d@e"},
        {"http://host/?key=1&page=2&access_token=3#s",
         "http://host/?key=[redacted]&page=2&access_token=[redacted]#s"},
        {"http://h/?KEY=a;sig=b;x", "http://h/?KEY=[redacted];sig=[redacted];x"},
        {"http://h/?token=", "http://h/?token="},
        {"http://h/?token=${env:T}", "http://h/?token=${env:T}"},
        {"http://h/#id_token=abc", "http://h/#id_token=[redacted]"},
        {"see http://u:p@a/ and https://b/?pwd=1 there",
         "see http://[redacted]@a/ and https://b/?pwd=[redacted] there"},
        {"://", "://"},
        {"a s3cret-value b", "a [redacted] b"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_masked(masking_add_text, cases[i].text, cases[i].want);
    }
}

static void test_words_of_a_command_line(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"--vus=10", "--vus=10"},
        {"--url=http://h/?token=a&b=c", "--url=http://h/?token=[redacted]&b=c"},
        {"--set=target.headers.X-Token=abc", "--set=target.headers.X-Token=[redacted]"},
        {"target.headers.X-Token=abc", "target.headers.X-Token=[redacted]"},
        {"X-Api-Key: abc", "X-Api-Key:[redacted]"},
        {"X-Api-Key: ${env:KEY}", "X-Api-Key: ${env:KEY}"},
        {"{\"user\":\"me\",\"password\":\"abc\"}", "{\"user\":\"me\",\"password\":\"[redacted]\"}"},
        {"{\"message\":\"x\",\"pwd\":\"hunter2\"}", "{\"message\":\"x\",\"pwd\":\"[redacted]\"}"},
        {"--args={\"jwt\":\"a.b.c\",\"n\":1}", "--args={\"jwt\":\"[redacted]\",\"n\":1}"},
        {"a.arguments={\"auth\":{\"pass\":\"a\",\"pin\":7}}",
         "a.arguments={\"auth\":{\"pass\":\"[redacted]\",\"pin\":\"[redacted]\"}}"},
        {"[{\"pwd\":\"a\"}, \"s3cret-value\"]", "[{\"pwd\":\"[redacted]\"},\"[redacted]\"]"},
        {"{\"max_tokens\": 7, \"author\": \"me\"}", "{\"max_tokens\": 7, \"author\": \"me\"}"},
        {"{\"p\\u0077d\":\"a\"}", "{\"pwd\":\"[redacted]\"}"},
        /* No JSON: all behind it goes. */
        {"{\"message\":\"x\",\"pwd\":\"hunter2\"", "{\"message\":\"x\",\"pwd\":[redacted]"},
        {"{'jwt' : 'abc'}", "{'jwt' :[redacted]"},
        {"X-Auth: abc", "X-Auth:[redacted]"},
        {"--header=X-Session-Auth: abc", "--header=X-Session-Auth:[redacted]"},
        {"X-Author: abc", "X-Author: abc"},
        {"target.headers.X_AUTH_V2=abc", "target.headers.X_AUTH_V2=[redacted]"},
        {"a.arguments.auth.pass=abc", "a.arguments.auth.pass=[redacted]"},
        {"a.secrets[0].x=abc", "a.secrets[0].x=[redacted]"},
        {"target.auth.type=none", "target.auth.type=none"},
        {"auth.example.com:8080", "auth.example.com:8080"},
        {"token=abc", "token=[redacted]"},
        {"oauth_mode: x", "oauth_mode:[redacted]"},
        {"{\"message\":\"a key: none\"}", "{\"message\":\"a key: none\"}"},
        {"latency_p95_ms < 5", "latency_p95_ms < 5"},
        {"Authorization=s3cret-value", "Authorization=[redacted]"},
        {"auth.bearer_token_ref=env:TOKEN", "auth.bearer_token_ref=env:TOKEN"},
        {"s3cret-value.json", "[redacted].json"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_masked(masking_add_argument, cases[i].text, cases[i].want);
    }
}

static void test_a_document(void **state)
{
    json_t *document = NULL, *want = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        json_parse(STR("{\"target\": {\"url\": \"http://h/?sig=1\", \"headers\":"
                       " {\"Authorization\": \"Bearer s3cret-value\", \"X-Secret\": \"a\","
                       "  \"X-Plain\": \"b\", \"X-Token\": \"${env:T}\"},"
                       " \"auth\": {\"bearer_token_ref\": \"env:T\", \"tokens\": [\"a\", \"b\"],"
                       "  \"plugin_config\": {\"a\": \"b\"}}},"
                       " \"list\": [1, 2.5, true, null, \"s3cret-value\", {\"max_tokens\": 7}],"
                       " \"arguments\": {\"key\": \"user:42\", \"password\": \"\"},"
                       " \"nested\": {\"auth\": {\"user\": \"a\", \"ids\": [{\"n\": 1}, true],"
                       "  \"from\": \"${env:T}\"}, \"X-Session-Auth\": \"b\", \"author\": \"c\","
                       "  \"pwd\": 1234, \"target\": {\"auth\": {\"a\": \"b\"}}}}"),
                   JSON_TEXT_MAX, &document, &err),
        0);
    assert_int_equal(
        json_parse(STR("{\"target\": {\"url\": \"http://h/?sig=[redacted]\", \"headers\":"
                       " {\"Authorization\": \"[redacted]\", \"X-Secret\": \"[redacted]\","
                       "  \"X-Plain\": \"b\", \"X-Token\": \"${env:T}\"},"
                       " \"auth\": {\"bearer_token_ref\": \"env:T\","
                       "  \"tokens\": [\"[redacted]\", \"[redacted]\"],"
                       "  \"plugin_config\": {\"a\": \"[redacted]\"}}},"
                       " \"list\": [1, 2.5, true, null, \"[redacted]\", {\"max_tokens\": 7}],"
                       " \"arguments\": {\"key\": \"user:42\", \"password\": \"\"},"
                       " \"nested\": {\"auth\": {\"user\": \"[redacted]\", \"ids\": [{\"n\":"
                       "  \"[redacted]\"}, true], \"from\": \"${env:T}\"},"
                       "  \"X-Session-Auth\": \"[redacted]\", \"author\": \"c\","
                       "  \"pwd\": \"[redacted]\", \"target\": {\"auth\": {\"a\":"
                       "  \"[redacted]\"}}}}"),
                   JSON_TEXT_MAX, &want, &err),
        0);
    json_t *masked = masking_document(&secrets, document);
    assert_true(json_equal(masked, want));
    json_decref(masked);
    json_decref(want);
    json_decref(document);
}

/* A scenario has texts of any length: none is cut short. */
static void test_long_texts(void **state)
{
    static char text[5000];
    struct buf out;

    (void)state;
    memset(text, '.', sizeof text);
    memcpy(text + 4000, "SEKRIT-314159265", 16);
    buf_init(&out, 1 << 20);
    assert_int_equal(masking_add_text(&secrets, (struct str){text, sizeof text}, &out), 0);
    assert_int_equal(out.len, sizeof text - 16 + strlen("[redacted]"));
    assert_null(memmem(out.p, out.len, "SEKRIT", 6));
    buf_clear(&out);
}

/* What an address carries is no news to others either. */
static void test_secrets_of_an_address(void **state)
{
    struct secrets_list list = {.arena = &arena};

    (void)state;
    masking_url_secrets(STR("http://h/mcp?page=long-enough&api_key=abcdef&key=ghijkl#x"), &list);
    assert_int_equal(list.count, 2);
    assert_true(str_eq(list.items[0], STR("abcdef")));
    assert_true(str_eq(list.items[1], STR("ghijkl")));
    list.count = 0;
    masking_url_secrets(STR("http://h/mcp"), &list);
    masking_url_secrets(STR("http://h/?token=${env:LONG_NAME}&token&secret="), &list);
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_words_of_a_command_line),
        cmocka_unit_test(test_a_document),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_secrets_of_an_address),
    };

    return cmocka_run_group_tests(tests, keep_secrets, forget_secrets);
}
