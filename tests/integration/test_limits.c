/* SPDX-License-Identifier: MIT */
/*
 * The inventory of limits (metrics/limits.h), walked: each has a case here that hits it and says
 * how often it was counted, and the value in the inventory is the one that holds. A limit without a
 * case fails.
 */
#include "control/run_priv.h"
#include "engine/shard_priv.h"
#include "http/h1_parse.h"
#include "http/sse_parse.h"
#include "integration/limits_books.h"
#include "mcp/session.h"
#include "metrics/sample.h"
#include "plan/verify.h"
#include "unit/engine/stages.h"

#include <netdb.h>

/* ---- connections ---------------------------------------------------------------------------- */

static uint64_t hits_in(const struct world *w, enum limit id)
{
    return w->limits[id];
}

static uint64_t hit_addresses(void)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct addrinfo list[DNS_ADDRS_MAX + 2] = {0};
    struct dns_answer answer = {0};
    struct world w;

    for (unsigned i = 0; i < DNS_ADDRS_MAX + 2; i++) {
        list[i] = (struct addrinfo){.ai_family = AF_INET,
                                    .ai_addr = (struct sockaddr *)&v4,
                                    .ai_addrlen = sizeof v4,
                                    .ai_next = i < DNS_ADDRS_MAX + 1 ? &list[i + 1] : NULL};
    }
    dns_take(&list[2], &answer);
    assert_int_equal(answer.count, DNS_ADDRS_MAX);
    assert_int_equal(answer.left_out, 0);
    answer.count = 0;
    dns_take(list, &answer);
    assert_int_equal(answer.count, DNS_ADDRS_MAX);
    world_init(&w, calls_scenario(1));
    w.shard->client.dialer.addrs_ = answer; /* as after its look-up */
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, 3 * NS_PER_S);
    finish(&w);
    world_clear(&w);
    return hits_in(&w, LIMIT_ADDRESSES);
}

/* A hundred users begin at the same moment. */
static uint64_t hit_turn_calls(void)
{
    struct world w;

    world_init(&w, calls_scenario(LOOP_DEFERRED_MAX + 36));
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, NS_PER_S);
    finish(&w);
    world_clear(&w);
    return hits_in(&w, LIMIT_TURN_CALLS);
}

static uint64_t hits_of_sse(const char *before, size_t len, uint32_t *ids, uint32_t *names)
{
    struct sse_parser s;
    char line[200];
    struct str piece;
    int n = snprintf(
        line, sizeof line, "%s%.*s\n", before, (int)len,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

    sse_init(&s);
    for (int i = 0; i < n; i++) { /* in pieces it is counted once, too */
        const char *p = line + i;
        (void)sse_next(&s, &p, line + i + 1, &piece);
    }
    *ids = s.ids_ignored;
    *names = s.names_cut;
    return s.ids_ignored + s.names_cut;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* What the peer answers to a call, and how. */
static struct {
    int status;
    const char *type;
    char body[100000]; /* '#' stands for the id */
} odd;

static bool answer_oddly(void *owner, const struct peer_request *r)
{
    static char body[sizeof odd.body + 100];
    int before = (int)strcspn(odd.body, "#");
    const char *after = odd.body + before;

    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    if (*after == '#') {
        snprintf(body, sizeof body, "%.*s%lld%s", before, odd.body, (long long)r->id, after + 1);
    } else {
        snprintf(body, sizeof body, "%s", odd.body);
    }
    peer_respond(r->conn, 10 * MS, odd.status, odd.type, NULL, body);
    return true;
}

/* Hits of a run of one user that calls a tool. `body`: '#' stands for the id. */
static uint64_t
hits_of_answers(enum limit id, const char *workload, int status, const char *type, const char *body)
{
    struct world w;

    odd.status = status;
    odd.type = type;
    snprintf(odd.body, sizeof odd.body, "%s", body);
    world_init(&w, stages_scenario(workload, "", 1, 1, 1));
    w.peer.on_request = answer_oddly;
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    assert_true(total(&w, COUNT_STARTED) > 1);
    world_clear(&w);
    assert_true(w.limits[id] == 0 || w.limits[id] == total(&w, COUNT_STARTED));
    return w.limits[id];
}

#define CALLS "'operation_mix': [" CALL "]"

/* Two texts of this kind live at a time. */
static const char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static const char *text_of(const char *fmt, ...)
{
    static char texts[2][sizeof odd.body];
    static unsigned at;
    va_list ap;

    at = (at + 1) % 2;
    va_start(ap, fmt);
    assert_true(vsnprintf(texts[at], sizeof texts[at], fmt, ap) < (int)sizeof texts[at]);
    va_end(ap);
    return texts[at];
}

static const char *letters(size_t n)
{
    static char text[100000];

    assert_true(n < sizeof text);
    memset(text, 'y', n);
    text[n] = '\0';
    return text;
}

static const char *event_with(const char *line, size_t n)
{
    return text_of("%s: %s\n\nevent: message\n"
                   "data: {\"jsonrpc\":\"2.0\",\"id\":#,\"result\":{}}\n\n",
                   line, letters(n));
}

static uint64_t hit_sse_id(void)
{
    uint32_t ids, names;

    assert_int_equal(hits_of_sse("id: ", SSE_ID_MAX, &ids, &names), 0);
    assert_int_equal(hits_of_sse("id: ", SSE_ID_MAX + 10, &ids, &names), 1);
    assert_int_equal(ids, 1);
    return hits_of_answers(LIMIT_SSE_ID, CALLS, 200, "text/event-stream",
                           event_with("id", SSE_ID_MAX + 1));
}

static uint64_t hit_sse_name(void)
{
    uint32_t ids, names;

    assert_int_equal(hits_of_sse("event: ", SSE_NAME_MAX, &ids, &names), 0);
    assert_int_equal(hits_of_sse("event: ", SSE_NAME_MAX + 10, &ids, &names), 1);
    assert_int_equal(names, 1);
    return hits_of_answers(LIMIT_SSE_NAME, CALLS, 200, "text/event-stream",
                           event_with("event", SSE_NAME_MAX + 1));
}

static uint64_t hit_error_body(void)
{
    assert_int_equal(
        hits_of_answers(LIMIT_ERROR_BODY, CALLS, 500, "text/plain", letters(MCP_ERROR_TEXT_MAX)),
        0);
    return hits_of_answers(LIMIT_ERROR_BODY, CALLS, 500, "text/plain",
                           letters(MCP_ERROR_TEXT_MAX + 1));
}

/* The target repeats our secret of eight bytes so often; its mark has ten. */
static uint64_t hits_of_secrets(unsigned times)
{
    static const char *const scenario =
        "{'target': {'url': 'http://localhost/mcp', 'headers': {'Authorization': 'wertvoll'}},"
        " 'workload': {'operation_mix': [" CALL "]},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 1}}]}";
    struct world w;

    odd.status = 500;
    odd.type = "text/plain";
    for (unsigned i = 0; i < times; i++) {
        snprintf(odd.body + i * 8, 9, "wertvoll");
    }
    world_init(&w, scenario);
    w.peer.on_request = answer_oddly;
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    assert_true(w.failures[ERROR_CODE_HTTP_5XX] > 50);
    assert_int_equal(w.limits[LIMIT_ERROR_BODY], 0);
    world_clear(&w);
    return w.limits[LIMIT_SIGNATURE_INPUT];
}

static uint64_t hit_signature_input(void)
{
    assert_int_equal(hits_of_secrets(SIGNATURE_INPUT_MAX / 10), 0);
    return hits_of_secrets(SIGNATURE_INPUT_MAX / 10 + 1); /* by the second: it is one text */
}

static uint64_t hits_of_message(int status, size_t len)
{
    return hits_of_answers(
        LIMIT_ERROR_MESSAGE, CALLS, status, "application/json",
        text_of("{\"jsonrpc\":\"2.0\",\"id\":#,\"error\":{\"code\":-32000,\"message\":\"%s\"}}",
                letters(len)));
}

static uint64_t hit_error_message(void)
{
    assert_int_equal(hits_of_message(200, JSONRPC_TEXT_MAX), 0);
    assert_true(hits_of_message(400, JSONRPC_TEXT_MAX + 1) > 0);
    return hits_of_message(200, JSONRPC_TEXT_MAX + 1);
}

static uint64_t hits_of_check(enum limit id, const char *rule, const char *value)
{
    const char *workload =
        text_of("'operation_mix': [{'operation': 'tools_call'}], 'tools': {'templates': ["
                "{'template_id': 't', 'tool_name': 'echo', 'arguments': {}, 'checks': ["
                "{'id': 'c', 'pointer': '/structuredContent/v', %s}]}]}",
                rule);
    const char *body = text_of("{\"jsonrpc\":\"2.0\",\"id\":#,\"result\":{\"content\":[],"
                               "\"structuredContent\":{\"v\":\"%s\"}}}",
                               value);

    return hits_of_answers(id, workload, 200, "application/json", body);
}

static uint64_t hit_match_text(void)
{
    assert_int_equal(hits_of_check(LIMIT_MATCH_TEXT, "'matches': 'z'", letters(VERIFY_MATCH_MAX)),
                     0);
    return hits_of_check(LIMIT_MATCH_TEXT, "'matches': 'z'", letters(VERIFY_MATCH_MAX + 1));
}

static const char *digits(size_t n)
{
    static char text[200];

    memset(text, '1', n);
    text[n] = '\0';
    return text;
}

static uint64_t hit_number_text(void)
{
    static const char *const rule = "'min': 1";

    assert_int_equal(hits_of_check(LIMIT_NUMBER_TEXT, rule, digits(VERIFY_NUMBER_MAX)), 0);
    assert_int_equal(hits_of_check(LIMIT_NUMBER_TEXT, rule, letters(VERIFY_NUMBER_MAX + 1)), 0);
    return hits_of_check(LIMIT_NUMBER_TEXT, rule, digits(VERIFY_NUMBER_MAX + 1));
}

/* The response has come, and the stream stays open. */
static bool leave_open(void *owner, const struct peer_request *r)
{
    char body[300];

    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    snprintf(body, sizeof body,
             "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
             "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}\n\n",
             (long long)r->id);
    peer_bytes(r->conn, 10 * MS, "%s", body);
    return true;
}

static uint64_t hits_of_script(enum limit id,
                               bool (*script)(void *owner, const struct peer_request *r),
                               const char *scenario)
{
    struct world w;

    world_init(&w, scenario);
    w.peer.on_request = script;
    begin_stage(&w, 0, 5 * NS_PER_S);
    run_for(&w, 6 * NS_PER_S);
    finish(&w);
    world_clear(&w);
    return hits_in(&w, id);
}

static uint64_t hit_stream_grace(void)
{
    assert_int_equal(hits_of_script(LIMIT_STREAM_GRACE, NULL, calls_scenario(1)), 0);
    return hits_of_script(LIMIT_STREAM_GRACE, leave_open, calls_scenario(1));
}

static bool ignore_goodbyes(void *owner, const struct peer_request *r)
{
    (void)owner;
    return strcmp(r->verb, "DELETE") == 0;
}

static uint64_t hit_goodbye(void)
{
    assert_int_equal(hits_of_script(LIMIT_GOODBYE, NULL, calls_scenario(3)), 0);
    return hits_of_script(LIMIT_GOODBYE, ignore_goodbyes, calls_scenario(3));
}

/* ---- load ------------------------------------------------------------------------------------ */

static uint64_t hit_max_rps(void)
{
    return hits_of_script(LIMIT_MAX_RPS, NULL,
                          stages_scenario(CALLS, "'hard_caps': {'max_rps': 10}", 5, 5, 5));
}

static uint64_t hit_max_connections(void)
{
    return hits_of_script(LIMIT_MAX_CONNECTIONS, NULL,
                          stages_scenario(CALLS, "'hard_caps': {'max_connections': 2}", 5, 5, 5));
}

/* Fifty answers of 10 ms each second keep one user busy for half of it, but a thousand do not. */
static uint64_t hit_max_vus(void)
{
    static const char *const scenario =
        "{'target': {'url': 'http://localhost/mcp'}, 'workload': {" CALLS "},"
        " 'safety': {'hard_caps': {'max_vus': 2}},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 5000, 'load': {'target_rps': 1000}}]}";

    return hits_of_script(LIMIT_MAX_VUS, NULL, scenario);
}

static bool refuse_sessions(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (strcmp(r->method, "initialize") != 0) {
        return false;
    }
    peer_respond(r->conn, MS, 503, "text/plain", NULL, "no");
    return true;
}

static uint64_t hit_gave_up(void)
{
    static const char *const scenario =
        "{'target': {'url': 'http://localhost/mcp'}, 'workload': {" CALLS ","
        "  'user_journey': {'startup_sequence': null, 'reconnect_policy': {'max_retries': 1}}},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 5000, 'load': {'target_vus': 3}}]}";

    return hits_of_script(LIMIT_GAVE_UP, refuse_sessions, scenario);
}

/* A list takes three intervals. */
static bool list_slowly(void *owner, const struct peer_request *r)
{
    char body[100];

    (void)owner;
    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[]}}",
             (long long)r->id);
    peer_respond(r->conn, 3100 * MS, 200, "application/json", NULL, body);
    return true;
}

static uint64_t hit_journey_lists(void)
{
    static const char *const scenario =
        "{'target': {'url': 'http://localhost/mcp'}, 'workload': {" CALLS ","
        "  'user_journey': {'startup_sequence': null,"
        "   'periodic_ops': {'tools_list_interval_ms': 1000}}},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 5000, 'load': {'target_vus': 1}}]}";

    return hits_of_script(LIMIT_JOURNEY_LISTS, list_slowly, scenario);
}

/* ---- the checks ----------------------------------------------------------------------------- */

/* How the list of tools is given: pages, and names on the first one. */
static struct {
    unsigned pages, names;
    size_t cursor_len;
} listing;

static bool list_tools(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    struct buf body;

    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    unsigned page = (unsigned)++w->script;
    buf_init(&body, 1 << 20);
    buf_printf(&body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[", (long long)r->id);
    for (unsigned i = 0; page == 1 && i < listing.names; i++) {
        buf_printf(&body, "%s{\"name\":\"t%u\"}", i > 0 ? "," : "", i);
    }
    buf_add_c(&body, "]");
    if (page < listing.pages) {
        buf_printf(&body, ",\"nextCursor\":\"%0*u\"", (int)listing.cursor_len, page);
    }
    buf_add_c(&body, "}}");
    peer_respond(r->conn, MS, 200, "application/json", NULL, buf_c(&body));
    buf_clear(&body);
    return true;
}

/* The workload's tool is in no page: that is a failure only if all of the list was read. */
static uint64_t hits_of_list(enum limit id, unsigned pages, unsigned names, size_t cursor_len)
{
    struct world w;

    listing.pages = pages;
    listing.names = names;
    listing.cursor_len = cursor_len;
    world_init(&w, calls_scenario(1));
    w.peer.on_request = list_tools;
    give(&w, (struct message){.kind = ORDER_CHECK, .lists = true});
    run_for(&w, 60 * NS_PER_S);
    assert_non_null(w.checks);
    const struct check *last = &w.checks->items[w.checks->count - 1];
    uint64_t hits = w.shard->client.limits[id];
    assert_string_equal(last->name, "names");
    assert_int_equal(last->ok, hits > 0);
    assert_int_equal(w.checks->warning_count, hits > 0);
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    world_clear(&w);
    assert_int_equal(w.limits[id], hits); /* the first window takes them along */
    return hits;
}

static uint64_t hit_check_names(void)
{
    assert_int_equal(hits_of_list(LIMIT_CHECK_NAMES, 1, PREFLIGHT_NAMES_MAX, 1), 0);
    return hits_of_list(LIMIT_CHECK_NAMES, 1, PREFLIGHT_NAMES_MAX + 2, 1);
}

static uint64_t hit_check_pages(void)
{
    assert_int_equal(hits_of_list(LIMIT_CHECK_PAGES, PREFLIGHT_PAGES_MAX, 1, 1), 0);
    return hits_of_list(LIMIT_CHECK_PAGES, PREFLIGHT_PAGES_MAX + 1, 1, 1);
}

static uint64_t hit_check_cursor(void)
{
    assert_int_equal(hits_of_list(LIMIT_CHECK_CURSOR, 2, 1, JSONRPC_CURSOR_MAX), 0);
    return hits_of_list(LIMIT_CHECK_CURSOR, 2, 1, JSONRPC_CURSOR_MAX + 1);
}

/* Resources that the target does not list. */
static uint64_t hit_check_warnings(void)
{
    char mix[4096] = "";
    size_t len = 0;
    struct world w;

    for (unsigned i = 0; i < CHECKS_MAX + 3; i++) {
        len += (size_t)snprintf(mix + len, sizeof mix - len,
                                "%s{'operation': 'resources_read', 'uri': 'mem://x%u'}",
                                i > 0 ? ", " : "", i);
    }
    char scenario[8192];
    snprintf(scenario, sizeof scenario,
             "{'target': {'url': 'http://localhost/mcp'}, 'workload': {'operation_mix': [%s]},"
             " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 1}}]}",
             mix);
    world_init(&w, scenario);
    give(&w, (struct message){.kind = ORDER_CHECK, .lists = true});
    run_for(&w, 60 * NS_PER_S);
    assert_int_equal(w.checks->warning_count, CHECKS_MAX);
    uint64_t hits = w.shard->client.limits[LIMIT_CHECK_WARNINGS];
    world_clear(&w);
    return hits;
}

/* ---- the walk ------------------------------------------------------------------------------- */

#define CONFIGURED 0

static const struct {
    uint64_t (*hit)(void);
    uint64_t value; /* of the code; the inventory must say the same */
} cases[LIMIT_COUNT] = {
    [LIMIT_MAX_RPS] = {hit_max_rps, CONFIGURED},
    [LIMIT_MAX_CONNECTIONS] = {hit_max_connections, CONFIGURED},
    [LIMIT_MAX_VUS] = {hit_max_vus, CONFIGURED},
    [LIMIT_CUT_VUS] = {hit_cut_vus, CONFIGURED},
    [LIMIT_CUT_RPS] = {hit_cut_rps, CONFIGURED},
    [LIMIT_PLAN_STEPS] = {hit_plan_steps, PLAN_STEPS_MAX},
    [LIMIT_GAVE_UP] = {hit_gave_up, CONFIGURED},
    [LIMIT_JOURNEY_LISTS] = {hit_journey_lists, 1},
    [LIMIT_TURN_CALLS] = {hit_turn_calls, LOOP_DEFERRED_MAX},
    [LIMIT_STREAM_GRACE] = {hit_stream_grace, MCP_STREAM_END_GRACE_NS / NS_PER_MS},
    [LIMIT_GOODBYE] = {hit_goodbye, MCP_CLOSE_TIMEOUT_NS / NS_PER_MS},
    [LIMIT_ADDRESSES] = {hit_addresses, DNS_ADDRS_MAX},
    [LIMIT_SSE_ID] = {hit_sse_id, SSE_ID_MAX},
    [LIMIT_SSE_NAME] = {hit_sse_name, SSE_NAME_MAX},
    [LIMIT_ERROR_BODY] = {hit_error_body, MCP_ERROR_TEXT_MAX},
    [LIMIT_ERROR_MESSAGE] = {hit_error_message, JSONRPC_TEXT_MAX},
    [LIMIT_SIGNATURE_INPUT] = {hit_signature_input, SIGNATURE_INPUT_MAX},
    [LIMIT_SIGNATURE] = {hit_signature, SIGNATURE_MAX},
    [LIMIT_SIGNATURE_SAMPLE] = {hit_signature_sample, SIGNATURE_SAMPLE_MAX},
    [LIMIT_LOG_MESSAGE] = {hit_log_message, SAMPLE_MESSAGE_MAX},
    [LIMIT_FAILURE_KINDS] = {hit_failure_kinds, WINDOW_FAILURES_MAX},
    [LIMIT_FAILURE_TEXTS] = {hit_failure_texts, WINDOW_TEXTS_MAX},
    [LIMIT_FAILURE_TABLE] = {hit_failure_table, AGGREGATE_SIGNATURES_MAX},
    [LIMIT_HISTOGRAM] = {hit_histogram, HIST_VALUE_MAX / NS_PER_S},
    [LIMIT_TREND] = {hit_trend, HIST_VALUE_MAX / 1000},
    [LIMIT_MATCH_TEXT] = {hit_match_text, VERIFY_MATCH_MAX},
    [LIMIT_NUMBER_TEXT] = {hit_number_text, VERIFY_NUMBER_MAX},
    [LIMIT_CHECK_NAMES] = {hit_check_names, PREFLIGHT_NAMES_MAX},
    [LIMIT_CHECK_PAGES] = {hit_check_pages, PREFLIGHT_PAGES_MAX},
    [LIMIT_CHECK_CURSOR] = {hit_check_cursor, JSONRPC_CURSOR_MAX},
    [LIMIT_CHECK_WARNINGS] = {hit_check_warnings, CHECKS_MAX},
    [LIMIT_LATE_WINDOWS] = {hit_late_windows, AGGREGATE_HISTORY_SLACK},
    [LIMIT_WARNINGS] = {hit_warnings, RUN_WARNINGS_MAX},
};

static void each_limit_is_hit_and_counted(void **state)
{
    (void)state;
    for (enum limit id = 0; id < LIMIT_COUNT; id++) {
        const struct limit_row *row = limit_row(id);

        if (cases[id].hit == NULL) {
            fail_msg("limit %s has no case that hits it", row->name);
        }
        assert_int_equal(row->value, cases[id].value);
        if (cases[id].hit() == 0) {
            fail_msg("limit %s was hit and not counted", row->name);
        }
    }
}

/* Limits whose hit is an outcome: the page says what holds. */
static void outcomes_say_what_holds(void **state)
{
    static const struct {
        const char *name;
        uint64_t value;
    } held[] = {
        {"answer", MCP_MESSAGE_MAX},         {"kept_answer", MCP_CAPTURE_MAX},
        {"list_cursor", JSONRPC_CURSOR_MAX}, {"json_depth", JSONRPC_DEPTH_MAX},
        {"sse_line", SSE_OTHER_LINE_MAX},    {"head", H1_HEAD_MAX},
        {"header_lines", H1_HEADERS_MAX},    {"trailers", H1_TRAILER_MAX},
        {"chunk_line", H1_CHUNK_LINE_MAX},   {"interim", HTTP_INTERIM_MAX},
        {"session_id", MCP_SESSION_ID_MAX},  {"seconds", AGGREGATE_SECONDS_MAX},
    };
    const struct limit_outcome *rows;
    size_t count = limit_outcomes(&rows), found = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sizeof held / sizeof held[0]; j++) {
            if (strcmp(rows[i].name, held[j].name) == 0) {
                assert_int_equal(rows[i].value, held[j].value);
                found++;
            }
        }
    }
    assert_int_equal(found, sizeof held / sizeof held[0]);
}

static void names_are_distinct_and_rows_complete(void **state)
{
    (void)state;
    for (enum limit id = 0; id < LIMIT_COUNT; id++) {
        const struct limit_row *row = limit_row(id);

        assert_true(row->counted[0] != '\0' && row->effect[0] != '\0' && row->remedy[0] != '\0');
        for (enum limit other = 0; other < id; other++) {
            assert_string_not_equal(row->name, limit_row(other)->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_is_hit_and_counted),
        cmocka_unit_test(a_failure_is_in_one_limit),
        cmocka_unit_test(outcomes_say_what_holds),
        cmocka_unit_test(names_are_distinct_and_rows_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
