/* SPDX-License-Identifier: MIT */
/* Every tool against its exact text, through the whole mock. */
#include "mock/tools/tools.h"
#include "unit/mock/rig.h"

/* Calls a tool; `text` gets its result's text. Returns 1 for isError, 0 without, -1 for a JSON-RPC
 * error (its message is the text then). */
static int call_tool(
    struct rig *r, const char *name, const char *arguments, uint64_t ms, char *text, size_t size)
{
    struct peer p;
    struct buf body;
    json_t *doc;
    int rc;

    buf_init(&body, 1 << 20);
    buf_printf(&body,
               "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":"
               "\"%s\"%s%s}}",
               name, arguments != NULL ? ",\"arguments\":" : "",
               arguments != NULL ? arguments : "");
    peer_open(&p, r, NULL);
    peer_post(&p, JSON_ONLY, buf_c(&body));
    rig_run(r, ms);
    assert_int_equal(peer_status(&p), 200);
    struct err err;
    if (json_parse(str_c(peer_body(&p)), 1 << 20, &doc, &err) != 0) {
        fail_msg("%s %s: %s: %s", name, arguments, peer_body(&p), err.msg);
    }
    assert_int_equal(json_integer_value(json_object_get(doc, "id")), 7);
    const json_t *error = json_object_get(doc, "error");
    if (error != NULL) {
        snprintf(text, size, "%s", json_string_value(json_object_get(error, "message")));
        rc = -1;
    } else {
        const json_t *result = json_object_get(doc, "result");
        const json_t *block = json_array_get(json_object_get(result, "content"), 0);

        assert_string_equal(json_string_value(json_object_get(block, "type")), "text");
        snprintf(text, size, "%s", json_string_value(json_object_get(block, "text")));
        rc = json_is_true(json_object_get(result, "isError"));
    }
    json_decref(doc);
    peer_close(&p);
    buf_clear(&body);
    return rc;
}

struct tool_case {
    const char *tool, *arguments, *text;
    int error;
    uint64_t ms; /* answered after so long */
};

static const struct tool_case cases[] = {
    {"fast_echo", "{\"message\":\"hello\"}", "echo: hello", 0, 0},
    {"fast_echo", "{\"message\":\"\"}", "echo: ", 0, 0},
    {"fast_echo", "{\"message\":\"q\\\"b\\\\n\\nt\\tu\\u00e9\\ud83d\\ude00\"}",
     "echo: q\"b\\n\nt\tu\xc3\xa9\xf0\x9f\x98\x80", 0, 0},
    {"fast_echo", "{\"message\":\"\xf0\x9f\x98\x80\"}", "echo: \xf0\x9f\x98\x80", 0, 0},
    {"fast_echo", "{\"message\":5}", "missing message", 1, 0},
    {"fast_echo", "{}", "missing message", 1, 0},
    {"fast_echo", NULL, "missing message", 1, 0},
    {"fast_echo", "[1]", "invalid params", 1, 0},
    {"slow_echo", "{\"message\":\"x\"}", "echo: x", 0, 200},
    {"slow_echo", "{}", "missing message", 1, 0},
    {"error_tool", NULL, "error_tool invoked", 1, 0},
    {"error_tool", "{\"error_message\":\"say \\\"why\\\"\"}", "say \"why\"", 1, 0},
    {"streaming_tool", NULL, "streaming complete", 0, 0},
    {"streaming_tool", "{\"chunks\":0}", "chunks must be an integer within 1..100000", -1, 0},
    {"streaming_tool", "{\"delay_ms\":\"5\"}", "delay_ms must be an integer within 0..600000", -1,
     0},
    {"json_transform",
     "{\"operation\":\"uppercase_keys\",\"data\":{\"b\":{\"x\":[{\"y\":1}]},\"a\":1.50}}",
     "{\"A\":1.5,\"B\":{\"X\":[{\"Y\":1}]}}", 0, 0},
    {"json_transform",
     "{\"operation\":\"lowercase_values\",\"data\":{\"k\":\"AB\",\"a\":[\"C\",true,null]}}",
     "{\"a\":[\"c\",true,null],\"k\":\"ab\"}", 0, 0},
    {"json_transform",
     "{\"operation\":\"filter\",\"data\":{\"a\":\"q\\\"\",\"b\":2},\"filter_key\":\"a\"}",
     "{\"a\":\"q\\\"\"}", 0, 0},
    {"json_transform", "{\"operation\":\"filter\",\"data\":{\"a\":1},\"filter_key\":\"z\"}", "{}",
     0, 0},
    {"json_transform", "{\"operation\":\"filter\",\"data\":{\"a\":1}}", "missing filter_key", 1, 0},
    {"json_transform", "{\"data\":{}}", "missing operation", 1, 0},
    {"json_transform", "{\"operation\":\"filter\",\"data\":[]}", "invalid data", 1, 0},
    {"json_transform", "{\"operation\":\"x\",\"data\":{}}", "unknown operation", 1, 0},
    {"json_transform", "{\"operation\":\"uppercase_keys\",\"data\":{\"\":1}}", "{\"\":1}", 0, 0},
    /* The words of an enumeration in any case. */
    {"text_processor", "{\"text\":\"ab\",\"operation\":\"UpperCase\"}", "AB", 0, 0},
    {"list_operations", "{\"list\":[1,2],\"operation\":\"SUM\"}", "3", 0, 0},
    {"json_transform", "{\"operation\":\"Uppercase_Keys\",\"data\":{\"a\":1}}", "{\"A\":1}", 0, 0},
    {"text_processor",
     "{\"text\":\"stra\xc3\x9f"
     "e \xc3\xa4\",\"operation\":\"uppercase\"}",
     "STRA\xc3\x9f"
     "E \xc3\x84",
     0, 0},
    {"text_processor", "{\"text\":\"\xc3\x84Z\",\"operation\":\"lowercase\"}", "\xc3\xa4z", 0, 0},
    {"text_processor", "{\"text\":\"a\xf0\x9f\x98\x80\xc3\xa9\",\"operation\":\"reverse\"}",
     "\xc3\xa9\xf0\x9f\x98\x80"
     "a",
     0, 0},
    {"text_processor", "{\"operation\":\"reverse\"}", "missing text", 1, 0},
    {"text_processor", "{\"text\":\"a\"}", "missing operation", 1, 0},
    {"text_processor", "{\"text\":\"a\",\"operation\":\"x\"}", "unknown operation", 1, 0},
    {"list_operations", "{\"list\":[1,2,3,4,5],\"operation\":\"sum\"}", "15", 0, 0},
    {"list_operations", "{\"list\":[1,4],\"operation\":\"avg\"}", "2.5", 0, 0},
    {"list_operations", "{\"list\":[2,1],\"operation\":\"sort\"}", "[1,2]", 0, 0},
    {"list_operations", "{\"list\":[2,1e21,0.1],\"operation\":\"sort\"}", "[0.1,2,1e+21]", 0, 0},
    {"list_operations", "{\"list\":[-0.0],\"operation\":\"max\"}", "0", 0, 0},
    {"list_operations", "{\"list\":[1,2,3],\"operation\":\"filter\",\"filter_value\":1}", "[2,3]",
     0, 0},
    {"list_operations", "{\"list\":[1],\"operation\":\"filter\"}", "missing filter_value", 1, 0},
    {"list_operations", "{\"list\":[],\"operation\":\"sum\"}", "invalid list", 1, 0},
    {"list_operations", "{\"list\":[\"1\"],\"operation\":\"sum\"}", "invalid list", 1, 0},
    {"list_operations", "{\"list\":[1]}", "missing operation", 1, 0},
    {"list_operations", "{\"list\":[1],\"operation\":\"x\"}", "unknown operation", 1, 0},
    {"validate_email", "{\"email\":\"a@b.c\"}", "{\"email\":\"a@b.c\",\"valid\":true}", 0, 0},
    {"validate_email", "{\"email\":\"\\\"\\n\"}", "{\"email\":\"\\\"\\n\",\"valid\":false}", 0, 0},
    {"validate_email", "{}", "missing email", 1, 0},
    {"calculate", "{\"expression\":\"2 + 3 * (4 - 1) / 2\"}", "6.5", 0, 0},
    {"calculate", "{\"expression\":\"0.1+0.2\"}", "0.30000000000000004", 0, 0},
    {"calculate", "{\"expression\":\"1/0\"}", "invalid expression", 1, 0},
    {"calculate", "{\"expression\":\"-1\"}", "invalid expression", 1, 0},
    {"calculate", "{\"expression\":\"(1\"}", "invalid expression", 1, 0},
    {"calculate", "{\"expression\":\"()\"}", "invalid expression", 1, 0},
    {"calculate", "{\"expression\":\"1 2\"}", "invalid expression", 1, 0},
    {"calculate", "{\"expression\":\"\"}", "invalid expression", 1, 0},
    {"calculate", "{}", "missing expression", 1, 0},
    {"hash_generator", "{\"data\":\"abc\",\"algorithm\":\"MD5\"}",
     "900150983cd24fb0d6963f7d28e17f72", 0, 0},
    {"hash_generator", "{\"data\":\"abc\",\"algorithm\":\"sha256\"}",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 0, 0},
    {"hash_generator", "{\"data\":\"abc\",\"algorithm\":\"sha1\"}", "unknown algorithm", 1, 0},
    {"hash_generator", "{\"algorithm\":\"md5\"}", "missing data", 1, 0},
    {"hash_generator", "{\"data\":\"\"}", "missing algorithm", 1, 0},
    {"weather_api", "{\"city\":\"S\xc3\xa3o \\\"P\\\"\"}",
     "{\"city\":\"S\xc3\xa3o \\\"P\\\"\",\"units\":\"celsius\",\"temp\":20}", 0, 0},
    {"weather_api", "{\"city\":\"x\",\"units\":\"fahrenheit\"}",
     "{\"city\":\"x\",\"units\":\"fahrenheit\",\"temp\":20}", 0, 0},
    {"weather_api", "{}", "missing city", 1, 0},
    {"geocode", "{\"address\":\"a\"}", "{\"address\":\"a\",\"lat\":51.5074,\"lon\":-0.1278}", 0, 0},
    {"geocode", "{}", "missing address", 1, 0},
    {"currency_convert", "{\"amount\":100,\"from\":\"USD\",\"to\":\"EUR\"}",
     "{\"amount\":100,\"from\":\"USD\",\"to\":\"EUR\",\"converted\":90}", 0, 0},
    {"currency_convert", "{\"amount\":2.5,\"from\":\"GBP\",\"to\":\"USD\"}",
     "{\"amount\":2.5,\"from\":\"GBP\",\"to\":\"USD\",\"converted\":3.125}", 0, 0},
    {"currency_convert", "{\"amount\":1,\"from\":\"GBP\",\"to\":\"EUR\"}", "unsupported currency",
     1, 0},
    {"currency_convert", "{\"amount\":1,\"from\":\"XXX\",\"to\":\"XXX\"}", "unsupported currency",
     1, 0},
    {"currency_convert", "{\"amount\":\"1\",\"from\":\"USD\",\"to\":\"EUR\"}", "missing amount", 1,
     0},
    {"currency_convert", "{\"amount\":1,\"to\":\"EUR\"}", "missing from", 1, 0},
    {"currency_convert", "{\"amount\":1,\"from\":\"EUR\"}", "missing to", 1, 0},
    {"read_file", "{\"path\":\"/a\\\"b\"}", "{\"path\":\"/a\\\"b\",\"content\":\"mock content\"}",
     0, 0},
    {"read_file", "{}", "missing path", 1, 0},
    {"write_file", "{\"path\":\"/a\",\"content\":\"\"}", "success", 0, 0},
    {"write_file", "{\"content\":\"\"}", "missing path", 1, 0},
    {"write_file", "{\"path\":\"/a\"}", "missing content", 1, 0},
    {"list_directory", "{\"path\":\"/\"}",
     "{\"path\":\"/\",\"entries\":[\"file1.txt\",\"file2.txt\"]}", 0, 0},
    {"list_directory", "{\"path\":null}", "missing path", 1, 0},
    {"large_payload", "{\"size_kb\":0.001}", "a", 0, 0},
    {"large_payload", "{\"size_kb\":0.005}", "aaaaa", 0, 0},
    {"large_payload", "{\"size_kb\":0}", "invalid size_kb", 1, 0},
    {"large_payload", "{\"size_kb\":65537}", "invalid size_kb", 1, 0},
    {"large_payload", "{}", "invalid size_kb", 1, 0},
    {"random_latency", "{\"min_ms\":30,\"max_ms\":30}", "slept 30ms", 0, 30},
    {"random_latency", "{\"max_ms\":30}", "missing min_ms", 1, 0},
    {"random_latency", "{\"min_ms\":30}", "missing max_ms", 1, 0},
    {"random_latency", "{\"min_ms\":30,\"max_ms\":20}", "invalid range", 1, 0},
    {"conditional_error", "{\"error_probability\":1}", "conditional error", 1, 0},
    {"conditional_error", "{\"error_probability\":0}", "ok", 0, 0},
    {"conditional_error", "{}", "missing error_probability", 1, 0},
    {"degrading_performance", "{}", "degraded step 1", 0, 20},
    {"degrading_performance", "{}", "degraded step 2", 0, 40},
    {"degrading_performance", "{\"base_latency_ms\":100,\"increment_ms\":5}", "degraded step 3", 0,
     110},
    {"degrading_performance", "{\"reset\":true}", "degraded step 1", 0, 20},
    {"flaky_connection", "{\"failure_rate\":0}", "ok", 0, 0},
    {"flaky_connection", "{\"failure_rate\":1}", "flaky connection", 1, 0},
    {"rate_limited", NULL, "ok", 0, 0},
    {"rate_limited", "{\"requests_per_minute\":1}", "ok", 0, 0},
    {"rate_limited", "{\"requests_per_minute\":1}", "rate limited", 1, 0},
    {"rate_limited", NULL, "ok", 0, 0},
    {"rate_limited", NULL, "ok", 0, 0},
    {"rate_limited", NULL, "ok", 0, 0},
    {"rate_limited", NULL, "ok", 0, 0},
    {"rate_limited", NULL, "rate limited", 1, 0},
    {"circuit_breaker", "{}", "ok", 0, 0},
    {"circuit_breaker", "{\"force_error\":true,\"failure_threshold\":2}", "ok", 0, 0},
    {"circuit_breaker", "{\"force_error\":true,\"failure_threshold\":2}", "circuit open", 1, 0},
    {"circuit_breaker", "{}", "circuit open", 1, 0},
    {"backpressure", "{\"queue_depth\":5,\"max_queue\":5}", "backpressure", 1, 0},
    {"backpressure", "{}", "ok", 0, 50},
    {"stateful_counter", NULL, "1", 0, 0},
    {"stateful_counter", "{\"amount\":10}", "11", 0, 0},
    {"stateful_counter", "{\"operation\":\"decrement\",\"amount\":12}", "-1", 0, 0},
    {"stateful_counter", "{\"operation\":\"get\"}", "-1", 0, 0},
    {"stateful_counter", "{\"operation\":\"reset\"}", "0", 0, 0},
    {"stateful_counter", "{\"operation\":\"x\"}", "unknown operation", 1, 0},
    {"realistic_latency", "{\"mean_ms\":70,\"stddev_ms\":0}", "slept 70ms", 0, 70},
    {"notifications_subscribe", "{\"event_count\":3,\"interval_ms\":20}",
     "subscription complete: 3 events", 0, 40},
    {"notifications_subscribe", "{\"event_count\":0}",
     "event_count must be an integer within 1..1000000", -1, 0},
    {"notifications_subscribe", "{\"interval_ms\":1.5}",
     "interval_ms must be an integer within 0..3600000", -1, 0},
    {"no_such_tool", "{}", "unknown tool", 1, 0},
};

static void test_texts(void **state)
{
    struct rig r;
    char text[1024];

    (void)state;
    rig_start(&r, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tool_case *c = &cases[i];
        int error = call_tool(&r, c->tool, c->arguments, c->ms, text, sizeof text);

        if (strcmp(text, c->text) != 0 || error != c->error) {
            fail_msg("%s %s: '%s' (%d), expected '%s' (%d)", c->tool, c->arguments, text, error,
                     c->text, c->error);
        }
    }
    rig_stop(&r);
}

/* Not a moment earlier. */
static void test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tool_case *c = &cases[i];
        struct rig r;
        struct peer p;
        char body[512];

        if (c->ms == 0 || strcmp(c->tool, "degrading_performance") == 0) {
            continue;
        }
        rig_start(&r, NULL);
        snprintf(body, sizeof body,
                 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":"
                 "\"%s\",\"arguments\":%s}}",
                 c->tool, c->arguments);
        peer_open(&p, &r, NULL);
        peer_post(&p, JSON_ONLY, body);
        rig_run(&r, c->ms - 1);
        assert_int_equal(p.in.len, 0);
        rig_run(&r, 1);
        assert_int_equal(peer_status(&p), 200);
        peer_close(&p);
        rig_stop(&r);
    }
}

static void test_table(void **state)
{
    static const char *const names[] = {"fast_echo",
                                        "slow_echo",
                                        "error_tool",
                                        "timeout_tool",
                                        "streaming_tool",
                                        "json_transform",
                                        "text_processor",
                                        "list_operations",
                                        "validate_email",
                                        "calculate",
                                        "hash_generator",
                                        "weather_api",
                                        "geocode",
                                        "currency_convert",
                                        "read_file",
                                        "write_file",
                                        "list_directory",
                                        "large_payload",
                                        "random_latency",
                                        "conditional_error",
                                        "degrading_performance",
                                        "flaky_connection",
                                        "rate_limited",
                                        "circuit_breaker",
                                        "backpressure",
                                        "stateful_counter",
                                        "realistic_latency",
                                        "notifications_subscribe"};

    (void)state;
    assert_int_equal(mock_tool_count, 28);
    for (size_t i = 0; i < mock_tool_count; i++) {
        json_t *schema;
        bool tested = strcmp(names[i], "timeout_tool") == 0; /* test_protocol */

        assert_string_equal(mock_tools[i].name.p, names[i]);
        assert_int_equal(json_parse(str_c(mock_tools[i].schema), 4096, &schema, NULL), 0);
        assert_string_equal(json_string_value(json_object_get(schema, "type")), "object");
        assert_true(json_is_object(json_object_get(schema, "properties")));
        json_decref(schema);
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            tested = tested || strcmp(cases[k].tool, names[i]) == 0;
        }
        assert_true(tested);
    }
}

static void test_broken_connections(void **state)
{
    static const struct {
        const char *mode;
        bool reset;
    } modes[] = {{"close", false}, {"reset", true}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;
        struct peer p;
        char body[256];

        rig_start(&r, NULL);
        peer_open(&p, &r, NULL);
        snprintf(body, sizeof body,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                 "\"flaky_connection\",\"arguments\":{\"failure_rate\":1,\"mode\":\"%s\"}}}",
                 modes[i].mode);
        peer_post(&p, JSON_ONLY, body);
        rig_run(&r, 0);
        assert_int_equal(p.in.len, 0);
        assert_true(p.ended);
        assert_int_equal(p.reset, modes[i].reset);
        peer_close(&p);
        rig_stop(&r);
    }
}

static void test_large_payload(void **state)
{
    struct rig r;
    struct peer p;
    char length[128];

    (void)state;
    rig_start(&r, NULL);
    peer_open(&p, &r, &(struct mem_faults){.capacity = 10000});
    peer_post(&p, JSON_ONLY,
              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
              "\"large_payload\",\"arguments\":{\"size_kb\":1000}}}");
    rig_run(&r, 1);
    peer_header(&p, "Content-Length", length);
    assert_int_equal(strlen(peer_body(&p)), strtoul(length, NULL, 10));
    assert_true(strlen(peer_body(&p)) > 1024000);
    peer_close(&p);
    rig_stop(&r);
}

/* Five at once are served, ten more wait, the rest is told after 100 ms. */
static void test_backpressure_queue(void **state)
{
    enum { CALLS = 20 };
    struct rig r;
    struct peer p[CALLS];
    unsigned ok = 0, told = 0;

    (void)state;
    rig_start(&r, NULL);
    for (int i = 0; i < CALLS; i++) {
        peer_open(&p[i], &r, NULL);
        peer_post(&p[i], JSON_ONLY,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                  "\"backpressure\"}}");
    }
    rig_run(&r, 200);
    for (int i = 0; i < CALLS; i++) {
        ok += strstr(peer_body(&p[i]), "\"ok\"") != NULL;
        told += strstr(peer_body(&p[i]), "\"backpressure\"") != NULL;
        peer_close(&p[i]);
    }
    assert_int_equal(ok, 15);
    assert_int_equal(told, 5);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),         cmocka_unit_test(test_times),
        cmocka_unit_test(test_table),         cmocka_unit_test(test_broken_connections),
        cmocka_unit_test(test_large_payload), cmocka_unit_test(test_backpressure_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
