/* SPDX-License-Identifier: MIT */
/* Each route: what it asks of the hub, and how it refuses. */
#include "api/request.h"
#include "unit/api/rig.h"

#define JSON "Content-Type: application/json\r\n"
#define T_OK "X-Worker-Token: " TOKEN_A "\r\n"

static void test_calls(void **state)
{
    static const struct {
        const char *method, *path, *headers, *body;
        int status;
        const char *called, *answer;
    } cases[] = {
        {"GET", "/runs", "", NULL, 200, "list 0+100 desc state=- scenario=- tag=-:- q=-",
         "{\"runs\":[],\"total\":0,\"limit\":100,\"offset\":0}"},
        {"GET", "/runs?limit=5&offset=2&order=asc&state=stopped&scenario_id=s&tag=a:b:c&q=x+y", "",
         NULL, 200, "list 2+5 asc state=stopped scenario=s tag=a:b:c q=x y", "\"limit\":5"},
        {"POST", "/runs", JSON, "{\"config\":{\"a\":1}}", 201,
         "create {\"a\":1} files=- tags=- name=- actor=api",
         "{\"run_id\":\"" RUN_A "\",\"warnings\":[{\"code\":\"SOME_CODE\"}]}"},
        {"POST", "/runs", "",
         "{\"config\":{},\"actor\":\"me\",\"name\":\"n\",\"tags\":{\"k\":\"v\"},\"files\":{\"f\":"
         "\"t"
         "\"}}",
         201, "create {} files={\"f\":\"t\"} tags={\"k\":\"v\"} name=n actor=me", RUN_A},
        {"POST", "/runs", "", "{\"config\":{},\"actor\":null,\"name\":null}", 201,
         "create {} files=- tags=- name=- actor=api", RUN_A},
        {"POST", "/runs", JSON, "{\"target\":{},\"name\":7,\"files\":1}", 201,
         "create {\"target\":{},\"name\":7,\"files\":1} files=- tags=- name=- actor=api", RUN_A},
        {"POST", "/runs/validate", JSON, "{\"config\":{}}", 200, "validate {} files=- strict=0",
         "{\"ok\":true}"},
        {"POST", "/runs/validate?profile=strict", JSON, "{\"stages\":[]}", 200,
         "validate {\"stages\":[]} files=- strict=1", "{\"ok\":true}"},
        {"POST", "/runs/" RUN_A "/validate", JSON, "{\"config\":{},\"files\":{}}", 200,
         "validate {} files={} strict=0", "{\"ok\":true}"},
        {"GET", "/runs/" RUN_A, "", NULL, 200, "", "\"state\":\"created\""},
        {"GET", "/runs/" RUN_A "/config", "", NULL, 200, "config " RUN_A " effective=0", "{}"},
        {"GET", "/runs/" RUN_A "/config?effective=true", "", NULL, 200,
         "config " RUN_A " effective=1", "{}"},
        {"GET", "/runs/" RUN_A "/result", "", NULL, 200, "result " RUN_A, "{}"},
        {"GET", "/runs/" RUN_A "/metrics", "", NULL, 200,
         "metrics " RUN_A " series=0 stage=- 0..ffffffffffffffff by 0", "{}"},
        {"GET",
         "/runs/" RUN_A
         "/metrics?include_time_series=true&stage_id=s&from=1&to=2&resolution_ms=5000",
         "", NULL, 200, "metrics " RUN_A " series=1 stage=s 1..2 by 5000", "{}"},
        {"POST", "/runs/" RUN_A "/start", "", NULL, 200, "start " RUN_A " actor=api",
         "{\"run_id\":\"" RUN_A "\",\"state\":\"preflight_running\"}"},
        {"POST", "/runs/" RUN_A "/start", JSON, "{\"actor\":\"cli\"}", 200,
         "start " RUN_A " actor=cli", RUN_A},
        {"POST", "/runs/" RUN_A "/stop", "", NULL, 200, "stop " RUN_A " mode= actor=api",
         "{\"run_id\":\"" RUN_A "\",\"state\":\"stopping\"}"},
        {"POST", "/runs/" RUN_A "/stop", JSON, "{\"mode\":\"immediate\"}", 200,
         "stop " RUN_A " mode=immediate actor=api", "stopping"},
        {"POST", "/runs/" RUN_A "/emergency-stop", JSON, "{}", 200, "emergency " RUN_A " actor=api",
         "stopping"},
        {"POST", "/runs/" RUN_A "/clone", "", NULL, 201, "clone " RUN_A " - actor=api",
         "{\"run_id\":\"" RUN_B "\"}"},
        {"POST", "/runs/" RUN_A "/clone", JSON, "{\"overrides\":{\"x\":null}}", 201,
         "clone " RUN_A " {\"x\":null} actor=api", RUN_B},
        {"DELETE", "/runs/" RUN_A, "", NULL, 204, "delete " RUN_A, ""},
        {"GET", "/workers", "", NULL, 200, "", "{\"workers\":[]}"},
        {"POST", "/workers/register", JSON, "{\"any\":[1]}", 201, "register {\"any\":[1]}",
         "\"worker_token\":\"" TOKEN_A "\""},
        {"POST", "/workers/" WORKER_A "/heartbeat", JSON T_OK, "{\"health\":{}}", 200,
         "heartbeat " WORKER_A " {\"health\":{}}",
         "{\"ok\":true,\"stop_run_ids\":[],\"sent_ns\":1,\"now_ns\":2}"},
        {"POST", "/workers/" WORKER_A "/telemetry",
         "Content-Type: application/octet-stream\r\n" T_OK, "12345", 200,
         "telemetry " WORKER_A " 5", "{\"acked\":[],\"refused\":[]}"},
        {"GET", "/healthz", "", NULL, 200, "", "{\"status\":\"ok\"}"},
        {"GET", "/readyz", "", NULL, 200, "", "{\"status\":\"ready\",\"ready\":true}"},
        {"GET", "/version", "", NULL, 200, "", "\"version\":\"" MCPDRILL_VERSION "\",\"commit\":"},
        {"GET", "/openapi.json", "", NULL, 200, "", "\"openapi\":\"3.1.0\""},
        {"HEAD", "/healthz", "", NULL, 200, "", "Content-Length: 16\r\n\r\n"},
        {"GET", "/agents", "", NULL, 200, "", "{\"agents\":[]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static char text[200000];
        struct rig r;

        rig_start(&r, false);
        int status = rig_ask(&r, cases[i].method, cases[i].path, cases[i].headers, cases[i].body,
                             text, sizeof text);
        if (status != cases[i].status || strcmp(r.hub.called, cases[i].called) != 0 ||
            strstr(text, cases[i].answer) == NULL || strstr(text, "warnings\":[\"") != NULL) {
            fail_msg("%s %s: %s\n%s", cases[i].method, cases[i].path, r.hub.called, text);
        }
        rig_stop(&r);
    }
}

#define FRAMES "Content-Type: application/octet-stream\r\n"
#define RUN    "/runs/" RUN_A
#define WORKER "/workers/" WORKER_A

static void test_errors(void **state)
{
    static const struct {
        const char *method, *path, *headers, *body;
        int status;
        const char *code, *text;
    } cases[] = {
        /* nothing there */
        {"GET", "/nope", "", NULL, 404, "ENDPOINT_NOT_FOUND", "\"details\":{\"path\":\"/nope\"}"},
        {"GET", "/runs/nope", "", NULL, 404, "RUN_NOT_FOUND", "\"run_id\":\"nope\""},
        {"POST", "/runs/RUN_1/start", "", NULL, 404, "RUN_NOT_FOUND", "\"run_id\":\"RUN_1\""},
        {"GET", "/runs/run_ffffffffffffffff", "", NULL, 404, "RUN_NOT_FOUND",
         "\"run_id\":\"run_ffffffffffffffff\""},
        {"GET", "/runs/run_ffffffffffffffff/events", "", NULL, 404, "RUN_NOT_FOUND", "not_found"},
        {"POST", "/runs/run_ffffffffffffffff/validate", "", "{\"config\":{}}", 404, "RUN_NOT_FOUND",
         "not_found"},
        {"GET", "/agents/x", "", NULL, 404, "AGENT_NOT_FOUND", "not_found"},
        /* methods */
        {"PUT", "/runs", "", NULL, 405, "METHOD_NOT_ALLOWED",
         "\"details\":{\"method\":\"PUT\",\"allowed\":\"GET, POST\"}"},
        {"PATCH", RUN, "", NULL, 405, "METHOD_NOT_ALLOWED", "Allow: GET, DELETE\r\n"},
        {"GET", RUN "/start", "", NULL, 405, "METHOD_NOT_ALLOWED", "Allow: POST\r\n"},
        {"POST", RUN "/events", "", NULL, 405, "METHOD_NOT_ALLOWED", "Allow: GET\r\n"},
        {"OPTIONS", "/runs", "", NULL, 405, "METHOD_NOT_ALLOWED", "Allow: GET, POST\r\n"},
        /* queries */
        {"GET", "/runs?limit=0", "", NULL, 400, "INVALID_REQUEST",
         "limit must be a whole number, at least 1"},
        {"GET", "/runs?order=up", "", NULL, 400, "INVALID_REQUEST", "one of asc, desc"},
        {"GET", "/runs?state=runing", "", NULL, 400, "INVALID_REQUEST", "baseline_running"},
        {"GET", "/runs?tag=x", "", NULL, 400, "INVALID_REQUEST", "key:value"},
        {"GET", "/runs?tag=:x", "", NULL, 400, "INVALID_REQUEST", "key:value"},
        {"GET", "/runs?q=%ff", "", NULL, 400, "INVALID_REQUEST", "percent-encoded"},
        {"GET", RUN "/config?effective=1", "", NULL, 400, "INVALID_REQUEST", "true or false"},
        {"GET", RUN "/metrics?resolution_ms=10", "", NULL, 400, "INVALID_REQUEST", "at least 1000"},
        {"GET", RUN "/events?since=-1", "", NULL, 400, "INVALID_SINCE_PARAM",
         "\"details\":{\"run_id\":\"" RUN_A "\",\"since\":\"-1\"}"},
        {"GET", RUN "/events?cursor=foo", "", NULL, 400, "INVALID_CURSOR", "\"cursor\":\"foo\""},
        {"GET", RUN "/events?cursor=evt_00000000000000", "", NULL, 400, "INVALID_CURSOR", "evt_"},
        {"GET", RUN "/events", "Last-Event-ID: foo\r\n", NULL, 400, "INVALID_LAST_EVENT_ID",
         "\"last_event_id\":\"foo\""},
        {"GET", RUN "/events", "Last-Event-ID: evt_ffffffffffff\r\n", NULL, 400,
         "INVALID_LAST_EVENT_ID", "evt_"},
        /* bodies */
        {"POST", "/runs", JSON, "", 400, "INVALID_REQUEST", "the body is missing"},
        {"POST", "/runs", JSON, "{", 400, "INVALID_REQUEST", "not valid JSON"},
        {"POST", "/runs", JSON, "{\"config\":{},\"config\":{}}", 400, "INVALID_REQUEST", "line 1"},
        {"POST", "/runs", JSON, "{\"config\":{}} x", 400, "INVALID_REQUEST", "not valid JSON"},
        {"POST", "/runs", JSON, "[]", 400, "INVALID_REQUEST", "must be a JSON object"},
        {"POST", "/runs", JSON, "{}", 400, "INVALID_REQUEST", "member config"},
        {"POST", "/runs", JSON, "{\"config\":7}", 400, "INVALID_REQUEST", "config must be"},
        {"POST", "/runs", JSON, "{\"config\":{},\"actor\":\"a\\nb\"}", 400, "INVALID_REQUEST",
         "actor must be a text"},
        {"POST", "/runs", JSON, "{\"config\":{},\"name\":1}", 400, "INVALID_REQUEST", "name must"},
        {"POST", "/runs", JSON, "{\"config\":{},\"tags\":{\"a\":1}}", 400, "INVALID_REQUEST",
         "tags.a must be a text"},
        {"POST", "/runs", JSON, "{\"config\":{},\"files\":[]}", 400, "INVALID_REQUEST",
         "files must be an object"},
        {"POST", "/runs/validate", JSON, "{\"x\":1}", 400, "INVALID_REQUEST", "member config"},
        {"POST", RUN "/start", JSON, "7", 400, "INVALID_REQUEST", "must be a JSON object"},
        {"POST", RUN "/stop", JSON, "{\"mode\":\"now\"}", 400, "INVALID_STOP_MODE",
         "\"mode\":\"now\",\"allowed_modes\":[\"drain\",\"immediate\"]"},
        {"POST", RUN "/clone", JSON, "{\"overrides\":[]}", 400, "INVALID_REQUEST",
         "overrides must"},
        {"POST", "/runs", "Content-Type: text/plain\r\n", "{}", 415, "UNSUPPORTED_MEDIA_TYPE",
         "application/json"},
        {"POST", WORKER "/telemetry", JSON T_OK, "x", 415, "UNSUPPORTED_MEDIA_TYPE",
         "application/octet-stream"},
        /* pages of others */
        {"GET", "/runs", "Origin: http://evil.example\r\n", NULL, 403, "ORIGIN_NOT_ALLOWED",
         "\"origin\":\"http://evil.example\""},
        {"POST", RUN "/start", "Origin: null\r\n", NULL, 403, "ORIGIN_NOT_ALLOWED", "forbidden"},
        {"OPTIONS", "/runs", "Origin: http://evil.example\r\n", NULL, 403, "ORIGIN_NOT_ALLOWED",
         "forbidden"},
        {"POST", "/runs", "Origin: http://localhost:8080\r\n", "{}", 415, "UNSUPPORTED_MEDIA_TYPE",
         "none"},
        /* workers */
        {"POST", WORKER "/heartbeat", JSON, "{}", 401, "WORKER_AUTH_REQUIRED", "X-Worker-Token"},
        {"POST", WORKER "/heartbeat", JSON "X-Worker-Token: no\r\n", "{}", 401,
         "INVALID_WORKER_TOKEN", "\"worker_id\":\"" WORKER_A "\""},
        {"POST", "/workers/wkr_ffffffffffffffff/heartbeat", JSON T_OK, "{}", 404,
         "WORKER_NOT_FOUND", "not_found"},
        {"POST", "/workers/me/heartbeat", JSON T_OK, "{}", 404, "WORKER_NOT_FOUND",
         "\"worker_id\":\"me\""},
        {"GET", WORKER "/commands", "", NULL, 401, "WORKER_AUTH_REQUIRED", "unauthorized"},
        {"POST", WORKER "/telemetry", FRAMES, "x", 401, "WORKER_AUTH_REQUIRED", "unauthorized"},
        {"POST", "/workers/register", JSON, "", 400, "INVALID_REQUEST", "the body is missing"},
        /* not there yet */
        {"GET", RUN "/logs", "", NULL, 501, "NOT_IMPLEMENTED", "not_implemented"},
        {"GET", RUN "/stability", "", NULL, 501, "NOT_IMPLEMENTED", "the result"},
        {"GET", RUN "/errors/signatures", "", NULL, 501, "NOT_IMPLEMENTED", "result"},
        {"GET", RUN "/compare/" RUN_B, "", NULL, 501, "NOT_IMPLEMENTED", "results"},
        {"GET", RUN "/server-metrics", "", NULL, 501, "NOT_IMPLEMENTED", "yet"},
        {"GET", RUN "/report?format=html", "", NULL, 501, "NOT_IMPLEMENTED", "mcpdrill report"},
        {"POST", "/discover-tools", JSON, "{}", 501, "NOT_IMPLEMENTED", "mcpdrill run --url"},
        {"POST", "/test-connection", JSON, "{}", 501, "NOT_IMPLEMENTED", "doctor"},
        {"POST", "/test-tool", JSON, "{}", 501, "NOT_IMPLEMENTED", "yet"},
        {"GET", "/ui/logs/", "", NULL, 501, "NOT_IMPLEMENTED", "pages"},
        {"GET", "/", "", NULL, 501, "NOT_IMPLEMENTED", "pages"},
        {"GET", "/metrics", "", NULL, 503, "METRICS_NOT_CONFIGURED", "unavailable"},
        {"POST", "/agents/v1/register", JSON, "{}", 503, "AGENT_INGEST_DISABLED", "unavailable"},
        {"POST", "/agents/v1/metrics", JSON, "{}", 503, "AGENT_INGEST_DISABLED", "unavailable"},
        {"GET", WORKER "/assignments", T_OK, NULL, 410, "ENDPOINT_GONE", "410 Gone\r\n"},
        {"POST", WORKER "/assignments/ack", JSON T_OK, "{}", 410, "ENDPOINT_GONE", "/telemetry"},
        /* without the mock its paths are nobody's */
        {"POST", "/mcp", JSON, "{}", 404, "ENDPOINT_NOT_FOUND", "/mcp"},
        {"POST", "/", JSON, "{}", 405, "METHOD_NOT_ALLOWED", "Allow: GET\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[6000], code[100];
        struct rig r;

        rig_start(&r, false);
        int status = rig_ask(&r, cases[i].method, cases[i].path, cases[i].headers, cases[i].body,
                             text, sizeof text);
        snprintf(code, sizeof code, "\"error_code\":\"%s\"", cases[i].code);
        if (status != cases[i].status || strstr(text, code) == NULL ||
            strstr(text, cases[i].text) == NULL ||
            strstr(text, "Content-Type: application/json\r\n") == NULL || r.hub.called[0] != '\0') {
            fail_msg("%s %s: %s\n%s", cases[i].method, cases[i].path, r.hub.called, text);
        }
        rig_stop(&r);
    }
}

/* What the hub refuses leaves as an error, whatever the route. */
static void test_refusals_of_the_hub(void **state)
{
    static const struct {
        const char *method, *path, *headers, *body, *id;
    } cases[] = {
        {"GET", "/runs", "", NULL, ""},
        {"POST", "/runs", JSON, "{\"config\":{}}", ""},
        {"POST", RUN "/start", "", NULL, RUN_A},
        {"POST", RUN "/stop", "", NULL, RUN_A},
        {"POST", RUN "/emergency-stop", "", NULL, RUN_A},
        {"POST", RUN "/clone", "", NULL, RUN_A},
        {"DELETE", RUN, "", NULL, RUN_A},
        {"GET", RUN "/config", "", NULL, RUN_A},
        {"GET", RUN "/result", "", NULL, RUN_A},
        {"GET", RUN "/metrics", "", NULL, RUN_A},
        {"POST", "/workers/register", JSON, "{}", ""},
        {"POST", WORKER "/heartbeat", JSON T_OK, "{}", WORKER_A},
        {"POST", WORKER "/telemetry", FRAMES T_OK, "x", WORKER_A},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2000];
        struct rig r;

        rig_start(&r, false);
        r.hub.refuse_status = 409;
        int status = rig_ask(&r, cases[i].method, cases[i].path, cases[i].headers, cases[i].body,
                             text, sizeof text);
        if (status != 409 || strstr(text, cases[i].id) == NULL ||
            strstr(text,
                   "\"error_code\":\"INVALID_STATE\",\"error_message\":\"as the test wants\","
                   "\"retryable\":false,\"details\":{\"current_state\":\"created\"") == NULL) {
            fail_msg("%s %s: %s", cases[i].method, cases[i].path, text);
        }
        rig_stop(&r);
    }
}

static void test_warnings(void **state)
{
    static const struct {
        const char *method, *path, *body, *text;
    } cases[] = {
        {"GET", "/runs?stat=failed", NULL,
         "\"warnings\":[\"unknown parameter \\\"stat\\\" has no effect; did you mean "
         "\\\"state\\\"?\"]"},
        {"GET", "/healthz?x", NULL, "\"warnings\":[\"unknown parameter"},
        {"GET", "/runs/nope", NULL, "RUN_NOT_FOUND"},
        {"GET", RUN "/report?fomat=html", NULL, "\"warnings\":[\"unknown parameter"},
        {"POST", RUN "/stop", "{\"mod\":\"drain\"}",
         "\"warnings\":[\"unknown member \\\"mod\\\" has no effect; did you mean \\\"mode\\\"?\"]"},
        {"POST", "/runs?x=1", "{\"config\":{}}",
         "\"warnings\":[{\"code\":\"SOME_CODE\"},{\"code\":\"UNKNOWN_PARAMETER\",\"level\":"
         "\"warning\",\"message\":\"unknown"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2000];
        struct rig r;

        rig_start(&r, false);
        rig_ask(&r, cases[i].method, cases[i].path, JSON, cases[i].body, text, sizeof text);
        if (strstr(text, cases[i].text) == NULL) {
            fail_msg("%s %s: %s", cases[i].method, cases[i].path, text);
        }
        rig_stop(&r);
    }
}

/* A page that was let in sees its answers, and its browser may ask first. */
static void test_allowed_origin(void **state)
{
    char text[2000];
    struct rig r;

    (void)state;
    rig_start(&r, false);
    assert_int_equal(
        rig_ask(&r, "GET", "/runs", "Origin: https://drill.example\r\n", NULL, text, sizeof text),
        200);
    assert_non_null(strstr(text, "Access-Control-Allow-Origin: https://drill.example\r\nVary: "
                                 "Origin\r\n"));
    assert_int_equal(rig_ask(&r, "POST", RUN "/start", "Origin: https://drill.example\r\n", NULL,
                             text, sizeof text),
                     200);
    assert_non_null(strstr(text, "Access-Control-Allow-Origin: "));
    assert_int_equal(rig_ask(&r, "OPTIONS", "/runs", "Origin: https://drill.example\r\n", NULL,
                             text, sizeof text),
                     204);
    assert_non_null(strstr(text, "Access-Control-Allow-Methods: GET, POST, DELETE\r\n"));
    assert_int_equal(
        rig_ask(&r, "PUT", "/runs", "Origin: https://drill.example\r\n", NULL, text, sizeof text),
        405);
    assert_non_null(strstr(text, "Access-Control-Allow-Origin: "));
    assert_non_null(strstr(text, "Allow: GET, POST\r\n"));
    assert_int_equal(rig_ask(&r, "GET", "/healthz", "", NULL, text, sizeof text), 200);
    assert_null(strstr(text, "Access-Control"));
    rig_stop(&r);
}

static void test_host(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, true);
    peer_open(&p, &r);
    peer_request(&p, "GET", "/healthz", "Host: evil.example\r\n", NULL);
    rig_run(&r, 0);
    assert_int_equal(peer_status(&p), 403);
    assert_int_equal(peer_count(&p, "HOST_NOT_ALLOWED"), 1);
    peer_request(&p, "GET", "/stats", "Host: 127.evil.example\r\n", NULL);
    rig_run(&r, 0);
    assert_int_equal(peer_count(&p, "HOST_NOT_ALLOWED"), 2);
    peer_close(&p);
    rig_stop(&r);
}

/* ---- sizes and times ------------------------------------------------------------------------ */

static void test_large_bodies(void **state)
{
    static const struct {
        const char *path, *headers;
        long long length;
        bool taken;
    } cases[] = {
        {"/runs", JSON, API_BODY_MAX, true},
        {"/runs", JSON, API_BODY_MAX + 1, false},
        {WORKER "/heartbeat", JSON T_OK, API_BODY_MAX + 1, false},
        {WORKER "/telemetry", FRAMES T_OK, API_BODY_MAX + 1, true},
        {WORKER "/telemetry?x", FRAMES T_OK, API_TELEMETRY_MAX, true},
        {WORKER "/telemetry", FRAMES T_OK, API_TELEMETRY_MAX + 1, false},
        {WORKER "/telemetry", FRAMES "X-Worker-Token: no\r\n", API_BODY_MAX + 1, false},
        {WORKER "/telemetry", FRAMES, API_BODY_MAX + 1, false},
        {"/mcp", JSON, API_BODY_MAX + 1, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char headers[300];
        struct peer p;
        struct rig r;

        rig_start(&r, true);
        peer_open(&p, &r);
        snprintf(headers, sizeof headers, LOCAL "%sContent-Length: %lld\r\n", cases[i].headers,
                 cases[i].length);
        peer_request(&p, "POST", cases[i].path, headers, NULL);
        rig_run(&r, 0);
        if ((peer_status(&p) == 0) != cases[i].taken) {
            fail_msg("%s %lld: %s", cases[i].path, cases[i].length, buf_c(&p.in));
        }
        if (!cases[i].taken) {
            assert_int_equal(peer_status(&p), 413);
            assert_int_equal(peer_count(&p, "\"error_code\":\"REQUEST_TOO_LARGE\""), 1);
            assert_int_equal(peer_count(&p, "at most 10485760 bytes"), 1);
        }
        peer_close(&p);
        rig_stop(&r);
    }
}

static void test_own_refusals(void **state)
{
    static const struct {
        const char *text;
        uint64_t after_ms;
        int status;
        const char *code;
    } cases[] = {
        {"nonsense\r\n\r\n", 0, 400, "INVALID_REQUEST"},
        {"GET /runs HTTP/1.1\r\n", 10100, 408, "REQUEST_TIMEOUT"},
        {"POST /runs HTTP/1.1\r\n" LOCAL "Content-Length: 5\r\n\r\n", 30100, 408,
         "REQUEST_TIMEOUT"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer p;
        struct rig r;

        rig_start(&r, false);
        peer_open(&p, &r);
        peer_send(&p, str_c(cases[i].text));
        if (cases[i].after_ms > 0) {
            rig_run(&r, cases[i].after_ms - 200);
            assert_int_equal(peer_status(&p), 0);
        }
        rig_run(&r, 200);
        assert_int_equal(peer_status(&p), cases[i].status);
        assert_int_equal(peer_count(&p, cases[i].code), 1);
        assert_int_equal(peer_count(&p, "\"retryable\":"), 1);
        peer_close(&p);
        rig_stop(&r);
    }
}

/* ---- durable answers ------------------------------------------------------------------------ */

static void test_answers_wait_for_the_disk(void **state)
{
    static const struct {
        const char *method, *path, *headers, *body;
        bool waits;
    } cases[] = {
        {"POST", "/runs", JSON, "{\"config\":{}}", true},
        {"POST", RUN "/start", "", NULL, true},
        {"POST", RUN "/stop", "", NULL, true},
        {"POST", RUN "/emergency-stop", "", NULL, true},
        {"POST", RUN "/clone", "", NULL, true},
        {"DELETE", RUN, "", NULL, true},
        {"POST", "/workers/register", JSON, "{}", true},
        {"POST", WORKER "/telemetry", FRAMES T_OK, "x", true},
        {"POST", WORKER "/heartbeat", JSON T_OK, "{}", false},
        {"GET", RUN, "", NULL, true},
        {"GET", "/runs", "", NULL, true},
        {"GET", RUN "/metrics", "", NULL, true},
        {"GET", RUN "/result", "", NULL, false},
        {"GET", RUN "/config", "", NULL, false},
        {"POST", "/runs/validate", JSON, "{\"config\":{}}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char headers[300];
        struct peer p;
        struct rig r;

        rig_start(&r, false);
        r.hub.slow_store = true;
        peer_open(&p, &r);
        snprintf(headers, sizeof headers, LOCAL "%s", cases[i].headers);
        peer_request(&p, cases[i].method, cases[i].path, headers, cases[i].body);
        rig_run(&r, 2500);
        if ((peer_status(&p) == 0) != cases[i].waits) {
            fail_msg("%s %s: %s", cases[i].method, cases[i].path, buf_c(&p.in));
        }
        fake_durable(&r.hub);
        rig_run(&r, 0);
        assert_in_range(peer_status(&p), 200, 204);
        peer_close(&p);
        rig_stop(&r);
    }
}

static void test_client_that_does_not_wait(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    r.hub.slow_store = true;
    peer_open(&p, &r);
    peer_request(&p, "POST", RUN "/start", LOCAL, NULL);
    rig_run(&r, 0);
    assert_false(list_empty(&r.hub.waits));
    peer_close(&p);
    assert_true(list_empty(&r.hub.waits));
    peer_open(&p, &r);
    peer_request(&p, "POST", RUN "/start", LOCAL, NULL);
    rig_run(&r, 0);
    assert_false(list_empty(&r.hub.waits));
    api_close(r.api); /* and the server that ends does not, either */
    assert_true(list_empty(&r.hub.waits));
    peer_close(&p);
    rig_stop(&r);
}

static void test_store_that_fails(void **state)
{
    char text[2000];
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    r.hub.slow_store = true;
    peer_open(&p, &r);
    peer_request(&p, "POST", RUN "/start", LOCAL, NULL);
    rig_run(&r, 500);
    r.hub.store_failed = true;
    rig_run(&r, 1000);
    assert_int_equal(peer_status(&p), 500);
    assert_int_equal(peer_count(&p, "\"error_code\":\"INTERNAL_ERROR\""), 1);
    assert_int_equal(peer_count(&p, "the disk is full"), 1);
    peer_request(&p, "GET", "/healthz", LOCAL, NULL); /* the connection goes on */
    rig_run(&r, 0);
    assert_int_equal(peer_count(&p, "HTTP/1.1 200"), 1);
    assert_int_equal(rig_ask(&r, "GET", "/readyz", "", NULL, text, sizeof text), 503);
    assert_non_null(strstr(text, "\"ready\":false,\"message\":\"the disk is full\""));
    peer_close(&p);
    rig_stop(&r);
}

/* ---- the mock on the same port -------------------------------------------------------------- */

static void test_mock_beside(void **state)
{
    static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    static const char *const paths[] = {"/", "/mcp", "/notifications/subscribe"};
    char text[4000];
    struct rig r;

    (void)state;
    rig_start(&r, true);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rig_ask(&r, "POST", paths[i], JSON "Accept: application/json\r\n", ping,
                                 text, sizeof text),
                         200);
        assert_non_null(strstr(text, "\"jsonrpc\":\"2.0\""));
    }
    assert_int_equal(rig_ask(&r, "GET", "/stats", "", NULL, text, sizeof text), 200);
    assert_non_null(strstr(text, "\"ping\":3"));
    rig_run(&r, 200);
    assert_int_equal(rig_ask(&r, "GET", "/stats/history", "", NULL, text, sizeof text), 200);
    assert_non_null(strstr(text, ",3,0,0,0,0,")); /* requests, calls, sessions, streams */
    assert_int_equal(rig_ask(&r, "GET", "/runs", "", NULL, text, sizeof text), 200);
    assert_int_equal(rig_ask(&r, "GET", "/", "", NULL, text, sizeof text), 501);
    /* Its own rule about pages: those of this machine may use it, ours they may not. */
    assert_int_equal(rig_ask(&r, "POST", "/mcp",
                             JSON "Accept: application/json\r\nOrigin: http://localhost:6274\r\n",
                             ping, text, sizeof text),
                     200);
    assert_int_equal(
        rig_ask(&r, "GET", "/runs", "Origin: http://localhost:6274\r\n", NULL, text, sizeof text),
        403);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_refusals_of_the_hub),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_allowed_origin),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_large_bodies),
        cmocka_unit_test(test_own_refusals),
        cmocka_unit_test(test_answers_wait_for_the_disk),
        cmocka_unit_test(test_client_that_does_not_wait),
        cmocka_unit_test(test_store_that_fails),
        cmocka_unit_test(test_mock_beside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
