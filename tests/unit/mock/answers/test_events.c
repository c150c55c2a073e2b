/* SPDX-License-Identifier: MIT */
/* Streams on exact times, and what faults make of answers. */
#include "unit/mock/rig.h"

#define SUBSCRIBE(count, interval)                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":\"s1\",\"method\":\"tools/call\",\"params\":{\"name\":" \
    "\"notifications_subscribe\",\"arguments\":{\"event_count\":" #count                 \
    ",\"interval_ms\":" #interval "}}}"
#define ECHO                                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":" \
    "\"fast_echo\",\"arguments\":{\"message\":\"hi\"}}}"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define INIT                                                               \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{" \
    "\"protocolVersion\":\"2025-11-25\"}}"

static unsigned count(struct peer *p, const char *what)
{
    unsigned n = 0;

    for (const char *at = buf_c(&p->in); (at = strstr(at, what)) != NULL; at++) {
        n++;
    }
    return n;
}

static void set_faults(struct rig *r, const char *json)
{
    char body[1024];

    if (rig_ask(r, "POST", "/faults", "", json, body, sizeof body) != 200) {
        fail_msg("%s: %s", json, body);
    }
}

/* The first event at once, then one each interval, the result directly behind the last. */
static void test_exact_times(void **state)
{
    enum { EVENTS = 50, INTERVAL_MS = 100 };
    struct rig r;
    struct peer p;

    (void)state;
    rig_start(&r, NULL);
    uint64_t began = r.now_ns;
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, SUBSCRIBE(50, 100));
    for (unsigned i = 0; i < EVENTS - 1; i++) {
        rig_run(&r, i == 0 ? 0 : 1);
        assert_int_equal(count(&p, "notifications/message"), i + 1);
        assert_int_equal(p.last_ns, began + i * INTERVAL_MS * NS_PER_MS);
        rig_run(&r, INTERVAL_MS - 1);
        assert_int_equal(count(&p, "notifications/message"), i + 1);
    }
    assert_int_equal(count(&p, "\"id\""), 0);
    rig_run(&r, 1);
    assert_int_equal(count(&p, "notifications/message"), EVENTS);
    assert_int_equal(count(&p,
                           "{\"jsonrpc\":\"2.0\",\"id\":\"s1\",\"result\":{\"content\":[{\"type\":"
                           "\"text\",\"text\":\"subscription complete: 50 events\"}]}}\n\n"),
                     1);
    assert_int_equal(p.last_ns, began + UINT64_C(4900) * NS_PER_MS);
    assert_string_equal(buf_c(&p.in) + p.in.len - 7, "\r\n0\r\n\r\n");
    peer_close(&p);
    assert_int_equal(rig_stat(&r, "events_sent", NULL), EVENTS + 1);
    assert_int_equal(rig_stat(&r, "responses", NULL), 1);
    assert_int_equal(rig_stat(&r, "streams_opened", NULL), 1);
    assert_int_equal(rig_stat(&r, "streams_open", NULL), 0);
    rig_stop(&r);
}

static void test_progress_token(void **state)
{
    struct rig r;
    struct peer p;

    (void)state;
    rig_start(&r, NULL);
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH,
              "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":{\"name\":"
              "\"streaming_tool\",\"_meta\":{\"progressToken\":17},\"arguments\":{\"chunks\":2,"
              "\"delay_ms\":5}}}");
    rig_run(&r, 5);
    assert_int_equal(count(&p,
                           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
                           "\"progressToken\":17,\"progress\":2,\"total\":2}}\n\n"),
                     1);
    assert_int_equal(count(&p, "\"text\":\"stream complete\""), 1);
    peer_close(&p);
    rig_stop(&r);
}

static void test_get_subscribe(void **state)
{
    struct rig r;
    struct peer p;

    (void)state;
    rig_start(&r, NULL);
    uint64_t began = r.now_ns;
    peer_open(&p, &r, NULL);
    peer_request(&p, "GET", "/notifications/subscribe?event_count=3&interval_ms=15000", "", NULL);
    rig_run(&r, 29999);
    assert_int_equal(count(&p, "event: notification\n"), 2);
    rig_run(&r, 1);
    assert_int_equal(
        count(&p, "id: 3\nevent: notification\ndata: {\"event\":3,\"total\":3,\"ts_ms\":"), 1);
    assert_int_equal(count(&p, "event: complete\n"), 1);
    assert_int_equal(p.last_ns, began + UINT64_C(30000) * NS_PER_MS);
    peer_close(&p);
    assert_int_equal(rig_stat(&r, "events_sent", NULL), 4);
    rig_stop(&r);
}

/* As fast as the client reads, with a small socket: every event arrives once, in order. */
static void test_full_speed(void **state)
{
    enum { EVENTS = 20000, NEAR = 1000 };
    struct rig r;
    struct peer p;
    char key[64];

    (void)state;
    rig_start(&r, NULL);
    peer_open(&p, &r, &(struct mem_faults){.capacity = 3000});
    peer_post(&p, BOTH, SUBSCRIBE(20000, 0));
    rig_run(&r, 1);
    const char *at = buf_c(&p.in), *end = at + p.in.len;
    unsigned seen = 0;
    for (unsigned i = 1; i <= EVENTS; i++) {
        /* A chunk's line may stand inside an event, but not at the place where we look. The next
         * event is near, and a search through all of the rest is what the address sanitizer makes
         * of strstr. */
        size_t near = end - at < NEAR ? (size_t)(end - at) : NEAR;
        int len = snprintf(key, sizeof key, "{\"event\":%u,", i);
        const char *next = memmem(at, near, key, (size_t)len);
        if (next != NULL) {
            seen++;
            at = next;
        }
    }
    assert_int_equal(seen, EVENTS);
    assert_int_equal(count(&p, "subscription complete: 20000 events"), 1);
    assert_int_equal(rig_stat(&r, "events_sent", NULL), EVENTS + 1);
    peer_close(&p);
    rig_stop(&r);
}

static void test_client_leaves(void **state)
{
    struct rig r;
    struct peer p;

    (void)state;
    rig_start(&r, NULL);
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, SUBSCRIBE(100, 10));
    rig_run(&r, 95);
    assert_int_equal(rig_stat(&r, "streams_open", NULL), 1);
    peer_close(&p);
    assert_int_equal(rig_stat(&r, "streams_open", NULL), 0);
    assert_int_equal(rig_stat(&r, "events_sent", NULL), 10);
    rig_stop(&r);
}

static void test_timeout_tool(void **state)
{
    struct rig r;
    struct peer p;

    (void)state;
    rig_start(&r, NULL);
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH,
              "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":{\"name\":"
              "\"timeout_tool\"}}");
    rig_run(&r, 599999);
    assert_int_equal(p.in.len, 0);
    assert_false(p.ended);
    rig_run(&r, 1);
    assert_true(p.ended);
    peer_close(&p);
    rig_stop(&r);
}

/* ---- faults ------------------------------------------------------------------------------- */

static void test_classes(void **state)
{
    static const struct {
        const char *faults;
        int status;
        const char *text;
    } classes[] = {
        {"{\"http_500\":1}", 500, "injected"},
        {"{\"http_429\":1,\"retry_after_s\":7}", 429, "Retry-After: 7\r\n"},
        {"{\"jsonrpc_error\":1}", 200, "-32603"},
        {"{\"is_error\":1}", 200, "\"isError\":true"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        struct rig r;
        struct peer p;

        rig_start(&r, NULL);
        set_faults(&r, classes[i].faults);
        peer_open(&p, &r, NULL);
        peer_post(&p, BOTH, ECHO);
        rig_run(&r, 0);
        assert_int_equal(peer_status(&p), classes[i].status);
        assert_non_null(strstr(buf_c(&p.in), classes[i].text));
        peer_close(&p);
        assert_int_equal(rig_stat(&r, "errors_injected", NULL), 1);
        assert_int_equal(rig_ask(&r, "POST", "/mcp", BOTH, PING, NULL, 0), 200);
        assert_int_equal(rig_stat(&r, "errors_injected", NULL), 1);
        rig_stop(&r);
    }
}

static void test_cut_and_reset(void **state)
{
    struct rig r;
    struct peer p;
    char length[128];

    (void)state;
    rig_start(&r, NULL);
    set_faults(&r, "{\"cut\":1}");
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, ECHO);
    rig_run(&r, 0);
    peer_header(&p, "Content-Length", length);
    assert_true(p.ended && !p.reset);
    assert_int_equal(strlen(peer_body(&p)), strtoul(length, NULL, 10) / 2);
    peer_close(&p);
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, SUBSCRIBE(10, 10));
    rig_run(&r, 200);
    assert_true(p.ended && !p.reset);
    assert_int_equal(count(&p, "notifications/message"), 5);
    assert_int_equal(count(&p, "\r\n0\r\n"), 0);
    peer_close(&p);
    set_faults(&r, "{\"cut\":0,\"reset\":1}");
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, ECHO);
    rig_run(&r, 0);
    assert_true(p.ended && p.reset);
    assert_int_equal(p.in.len, 0);
    peer_close(&p);
    assert_int_equal(rig_stat(&r, "errors_injected", NULL), 3);
    assert_int_equal(rig_stat(&r, "responses", NULL), 0);
    rig_stop(&r);
}

static void test_latency(void **state)
{
    static const struct {
        const char *faults;
        uint64_t least_ms, most_ms;
    } kinds[] = {
        {"{\"latency\":{\"kind\":\"fixed\",\"ms\":40}}", 40, 40},
        {"{\"latency\":{\"kind\":\"uniform\",\"min_ms\":20,\"max_ms\":60}}", 20, 60},
        {"{\"latency\":{\"kind\":\"lognormal\",\"median_ms\":30,\"sigma\":0.1}}", 15, 60},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rig r;

        rig_start(&r, NULL);
        set_faults(&r, kinds[i].faults);
        for (int k = 0; k < 20; k++) {
            struct peer p;
            uint64_t began = r.now_ns;

            peer_open(&p, &r, NULL);
            peer_post(&p, BOTH, ECHO);
            rig_run(&r, 100);
            assert_int_equal(peer_status(&p), 200);
            assert_in_range(p.last_ns - began, kinds[i].least_ms * NS_PER_MS,
                            kinds[i].most_ms * NS_PER_MS);
            peer_close(&p);
        }
        rig_stop(&r);
    }
}

/* Rates hold, and the same seed strikes the same requests. */
static void test_rates(void **state)
{
    enum { REQUESTS = 2000 };
    static char first[REQUESTS];

    (void)state;
    for (int round = 0; round < 2; round++) {
        struct mock_config config = mock_config_default();
        struct rig r;
        unsigned struck = 0;

        config.seed = 4711;
        config.faults.http_500 = 0.1;
        config.faults.http_429 = 0.2;
        rig_start(&r, &config);
        for (unsigned i = 0; i < REQUESTS; i++) {
            int status = rig_ask(&r, "POST", "/mcp", BOTH, ECHO, NULL, 0);
            char kind = status == 500 ? 'e' : status == 429 ? 'l' : '.';

            struck += kind != '.';
            assert_true(round == 0 || first[i] == kind);
            first[i] = kind;
        }
        assert_in_range(struck, REQUESTS * 3 / 10 - 80, REQUESTS * 3 / 10 + 80);
        assert_int_equal(rig_stat(&r, "errors_injected", NULL), struck);
        rig_stop(&r);
    }
}

static void test_stall(void **state)
{
    struct rig r;
    struct peer p;

    (void)state;
    rig_start(&r, NULL);
    set_faults(&r, "{\"stall_after_events\":3}");
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, SUBSCRIBE(10, 10));
    rig_run(&r, 60000);
    assert_int_equal(count(&p, "notifications/message"), 3);
    assert_false(p.ended);
    assert_int_equal(rig_stat(&r, "streams_open", NULL), 1);
    peer_close(&p);
    assert_int_equal(rig_stat(&r, "streams_open", NULL), 0);
    rig_stop(&r);
}

static void test_dribble(void **state)
{
    struct rig r;
    struct peer p;

    (void)state;
    rig_start(&r, NULL);
    set_faults(&r, "{\"dribble\":{\"bytes\":20,\"delay_ms\":10}}");
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, ECHO);
    rig_run(&r, 0);
    assert_int_equal(p.in.len, 20);
    rig_run(&r, 25);
    assert_int_equal(p.in.len, 60);
    rig_run(&r, 1000);
    assert_int_equal(count(&p, "echo: hi"), 1);
    peer_close(&p);
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, SUBSCRIBE(5, 0));
    rig_run(&r, 50);
    assert_int_equal(p.in.len, 120);
    rig_run(&r, 10000);
    assert_int_equal(count(&p, "\r\n0\r\n\r\n"), 1);
    peer_close(&p);
    rig_stop(&r);
}

static void test_freeze(void **state)
{
    struct rig r;
    struct peer p, stream;

    (void)state;
    rig_start(&r, NULL);
    peer_open(&stream, &r, NULL);
    peer_post(&stream, BOTH, SUBSCRIBE(100, 10));
    rig_run(&r, 15);
    set_faults(&r, "{\"freeze\":true}");
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, PING);
    rig_run(&r, 5000);
    assert_int_equal(p.in.len, 0);
    assert_int_equal(count(&stream, "notifications/message"), 2);
    set_faults(&r, "{\"freeze\":false}");
    rig_run(&r, 20);
    assert_int_equal(peer_status(&p), 200);
    assert_int_equal(count(&stream, "notifications/message"), 100); /* late ones leave at once */
    peer_close(&p);
    set_faults(&r, "{\"freeze_ms\":250}");
    uint64_t began = r.now_ns;
    peer_open(&p, &r, NULL);
    peer_post(&p, BOTH, PING);
    rig_run(&r, 1000);
    assert_int_equal(p.last_ns, began + 250 * NS_PER_MS);
    peer_close(&p);
    peer_close(&stream);
    rig_stop(&r);
}

static void test_refuse_sessions(void **state)
{
    struct rig r;

    (void)state;
    rig_start(&r, NULL);
    set_faults(&r, "{\"refuse_sessions\":1}");
    assert_int_equal(rig_ask(&r, "POST", "/mcp", BOTH, INIT, NULL, 0), 503);
    assert_int_equal(rig_ask(&r, "POST", "/mcp", BOTH, ECHO, NULL, 0), 200);
    assert_int_equal(rig_stat(&r, "sessions_opened", NULL), 0);
    set_faults(&r, "{\"refuse_sessions\":0,\"http_500\":1}");
    assert_int_equal(rig_ask(&r, "POST", "/mcp", BOTH, INIT, NULL, 0), 200);
    rig_stop(&r);
}

/* What GET shows can be sent back, and changes nothing. */
static void test_round_trip(void **state)
{
    struct rig r;
    char before[1024], after[1024];

    (void)state;
    rig_start(&r, NULL);
    set_faults(&r, "{\"latency\":{\"kind\":\"uniform\",\"min_ms\":0.5,\"max_ms\":2},\"cut\":0.25}");
    rig_ask(&r, "GET", "/faults", "", NULL, before, sizeof before);
    set_faults(&r, before);
    rig_ask(&r, "GET", "/faults", "", NULL, after, sizeof after);
    assert_string_equal(before, after);
    assert_non_null(strstr(after, "\"min_ms\":0.5"));
    rig_stop(&r);
}

static void test_flags(void **state)
{
    struct faults f = faults_none();
    struct err err;
    char flag[64];

    (void)state;
    assert_int_equal(faults_set(&f, "latency-kind", "lognormal", &err), 0);
    assert_int_equal(faults_set(&f, "latency-median-ms", "12.5", &err), 0);
    assert_int_equal(faults_set(&f, "freeze", NULL, &err), 0);
    assert_true(f.latency_kind == LATENCY_LOGNORMAL && f.latency_median_ms == 12.5 &&
                f.freeze == 1);
    assert_int_equal(faults_set(&f, "http-500", "x", &err), ERR_INVALID);
    assert_int_equal(faults_set(&f, "http-500", "nan", &err), ERR_INVALID);
    assert_int_equal(faults_set(&f, "http-500", "2", &err), ERR_INVALID);
    assert_int_equal(faults_set(&f, "dribble-bytes", "1.5", &err), ERR_INVALID);
    assert_int_equal(faults_set(&f, "http-501", "1", &err), ERR_NOT_FOUND);
    for (size_t i = 0; i < fault_field_count; i++) {
        assert_null(strchr(fault_flag(&fault_fields[i], flag), '_'));
        assert_true(strlen(fault_fields[i].help) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_times),   cmocka_unit_test(test_progress_token),
        cmocka_unit_test(test_get_subscribe), cmocka_unit_test(test_full_speed),
        cmocka_unit_test(test_client_leaves), cmocka_unit_test(test_timeout_tool),
        cmocka_unit_test(test_classes),       cmocka_unit_test(test_cut_and_reset),
        cmocka_unit_test(test_latency),       cmocka_unit_test(test_rates),
        cmocka_unit_test(test_stall),         cmocka_unit_test(test_dribble),
        cmocka_unit_test(test_freeze),        cmocka_unit_test(test_refuse_sessions),
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
