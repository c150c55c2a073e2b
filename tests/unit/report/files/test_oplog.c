/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "report/files/oplog.h"
#include "unit/report/run_fixture.h"

static struct oplog log_by(const struct fixture *f, const struct run_workers *workers)
{
    struct oplog_origin origin = {.plan = f->plan,
                                  .identity = &f->identity,
                                  .workers = workers,
                                  .wall_offset_ns = INT64_C(1767225500000) * (int64_t)NS_PER_MS};
    struct oplog log;

    oplog_init(&log, &origin);
    return log;
}

static struct oplog log_of(const struct fixture *f)
{
    return log_by(f, NULL);
}

/* The line of an operation as a document; it ends with a newline and has no other. */
static json_t *line_of(struct oplog *log, uint32_t source, const struct op_sample *op)
{
    struct buf out;
    struct err err = {0};
    json_t *line = NULL;

    buf_init(&out, OPLOG_LINE_MAX);
    assert_int_equal(oplog_write(log, source, op, &out), 0);
    assert_ptr_equal(memchr(out.p, '\n', out.len), out.p + out.len - 1);
    if (json_parse(buf_str(&out), OPLOG_LINE_MAX, &line, &err) != 0) {
        fail_msg("%s in %s", err.msg, buf_c(&out));
    }
    buf_clear(&out);
    return line;
}

static void assert_text(const json_t *line, const char *name, const char *want)
{
    const char *text = json_string_value(json_object_get(line, name));

    if (text == NULL) {
        fail_msg("%s is no text", name);
    }
    assert_string_equal(text, want);
}

static void assert_number(const json_t *line, const char *name, double want)
{
    const json_t *value = json_object_get(line, name);

    if (!json_is_number(value) || json_number_value(value) != want) {
        fail_msg("%s is %f, not %f", name, json_number_value(value), want);
    }
}

static void assert_absent(const json_t *line, const char *name)
{
    if (json_object_get(line, name) != NULL) {
        fail_msg("%s is there", name);
    }
}

static struct outcome success(uint32_t key)
{
    uint64_t due = 100 * NS_PER_S + 250 * NS_PER_MS + 7;

    return (struct outcome){.key = key,
                            .vu = 3,
                            .n = 12,
                            .session_serial = 5,
                            .t_due = due,
                            .t_free = due,
                            .t_ready = due,
                            .t_send = due + 10 * NS_PER_US,
                            .t_headers = due + 210 * NS_PER_US,
                            .t_end = due + 260 * NS_PER_US,
                            .bytes_in = 400,
                            .bytes_out = 300,
                            .http_status = 200,
                            .requests_sent = 1};
}

static void test_a_success(void **state)
{
    static const char *const absent[] = {
        "assignment_id",
        "lease_id",
        "operation_name",
        "jsonrpc_id",
        "mcp_error_code",
        "stream",
        "error",
        "origin",
        "trace_id",
        "span_id",
        "origin_classification",
        "origin_confidence",
        "origin_evidence",
        "first_event_ms",
        "token_index",
        "connection_reused",
        "jsonrpc_error_code",
        "unfinished_reason",
    };
    struct fixture f;
    struct op_sample op = {.outcome = success(FIXTURE_ECHO)};

    (void)state;
    fixture_open(&f);
    struct oplog log = log_of(&f);
    json_t *line = line_of(&log, 1, &op);

    assert_text(line, "schema_version", "op-log/v1");
    assert_text(line, "record_type", "op");
    assert_number(line, "ts_ms", 1767225600250);
    assert_number(line, "ts_ns_offset", 7);
    assert_text(line, "run_id", f.identity.run_id);
    assert_text(line, "execution_id", f.identity.execution_id);
    assert_text(line, "scenario_id", "fixture");
    assert_text(line, "stage", "baseline");
    assert_text(line, "stage_id", "base");
    assert_text(line, "worker_id", f.identity.worker_id);
    assert_text(line, "vu_id", "vu_3");
    assert_text(line, "session_id", "ses_00000000_1.5");
    assert_text(line, "op_id", "op_00000000000000000001");
    assert_number(line, "attempt", 1);
    assert_text(line, "operation", "tools/call");
    assert_text(line, "tool_name", "fast_echo");
    assert_text(line, "template_id", "echo");
    assert_number(line, "latency_ms", 0.25);
    assert_number(line, "first_byte_ms", 0.2);
    assert_number(line, "lag_ms", 0.01);
    assert_number(line, "response_ms", 0.26);
    assert_text(line, "transport", "streamable_http");
    assert_number(line, "http_status", 200);
    assert_text(line, "content_type", "application/json");
    assert_text(line, "class", "ok");
    assert_true(json_is_true(json_object_get(line, "ok")));
    assert_number(json_object_get(line, "phases"), "wait_ms", 0.2);
    assert_number(json_object_get(line, "phases"), "download_ms", 0.05);
    assert_absent(json_object_get(line, "phases"), "dns_ms");
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        assert_absent(line, absent[i]);
    }
    assert_int_equal(json_object_size(line), 33);
    json_decref(line);
    oplog_clear(&log);
    fixture_close(&f);
}

static void test_a_hostile_failure(void **state)
{
    struct fixture f;
    struct op_sample op = {.outcome = success(FIXTURE_LIST), .message_len = 9};

    (void)state;
    fixture_open(&f);
    struct oplog log = log_of(&f);
    memcpy(op.message, "a\"\\\n\x01\xff\xc3<z", 9);
    op.outcome.cls = OUTCOME_FAILED;
    op.outcome.http_status = 503;
    op.outcome.error_number = 503;
    op.outcome.error_code = ERROR_CODE_HTTP_STATUS;
    op.outcome.error_type = ERROR_TYPE_HTTP_ERROR;
    op.outcome.origin = ERROR_ORIGIN_SERVER;
    op.outcome.session_serial = 0;
    op.outcome.session_retries = 1;
    json_t *line = line_of(&log, 0, &op);
    const json_t *error = json_object_get(line, "error");
    const json_t *evidence = json_object_get(line, "origin_evidence");

    assert_text(error, "error_type", "http_error");
    assert_text(error, "error_code", "HTTP_503");
    assert_text(error, "error_message", "a\"\\\n\x01\xef\xbf\xbd\xef\xbf\xbd<z");
    assert_true(json_is_true(json_object_get(error, "retryable")));
    assert_absent(error, "details");
    assert_text(line, "origin", "server");
    assert_text(line, "origin_classification", "mcp_server");
    assert_number(line, "origin_confidence", 0.6);
    assert_int_equal(json_array_size(evidence), 1);
    assert_absent(line, "session_id");
    assert_absent(line, "tool_name");
    assert_absent(line, "content_type");
    assert_number(line, "attempt", 2);
    assert_number(line, "retries", 1);
    assert_text(line, "class", "failed");
    assert_true(json_is_false(json_object_get(line, "ok")));
    json_decref(line);
    oplog_clear(&log);
    fixture_close(&f);
}

static void test_a_stalled_stream(void **state)
{
    struct fixture f;
    struct op_sample op = {.outcome = success(FIXTURE_ECHO)};

    (void)state;
    fixture_open(&f);
    struct oplog log = log_of(&f);
    op.outcome.cls = OUTCOME_CUT;
    op.outcome.is_stream = true;
    op.outcome.event_count = 4;
    op.outcome.stall_ns = 15 * NS_PER_S;
    op.outcome.error_code = ERROR_CODE_STREAM_STALL_TIMEOUT;
    op.outcome.error_type = ERROR_TYPE_STREAM_STALL;
    op.outcome.origin = ERROR_ORIGIN_STREAM_STALL;
    json_t *line = line_of(&log, 0, &op);
    const json_t *stream = json_object_get(line, "stream");

    assert_number(stream, "events_count", 4);
    assert_number(stream, "stall_duration_ms", 15000);
    assert_true(json_is_true(json_object_get(stream, "stalled")));
    assert_true(json_is_false(json_object_get(stream, "ended_normally")));
    assert_text(line, "content_type", "text/event-stream");
    assert_text(line, "class", "cut");
    json_decref(line);
    /* The final response is no event of the stream. */
    op.outcome = success(FIXTURE_ECHO);
    op.outcome.is_stream = true;
    op.outcome.event_count = 4;
    line = line_of(&log, 0, &op);
    assert_number(json_object_get(line, "stream"), "events_count", 3);
    assert_true(json_is_true(json_object_get(json_object_get(line, "stream"), "ended_normally")));
    json_decref(line);
    oplog_clear(&log);
    fixture_close(&f);
}

/* Nothing of a line that does not fit is left behind. */
/* It is no failure, and says why it has no end of its own. */
static void test_unfinished(void **state)
{
    static const struct {
        enum unfinished why;
        const char *word;
    } cases[] = {
        {UNFINISHED_STOPPED, "stopped"},
        {UNFINISHED_DRAIN_OVER, "drain_over"},
        {UNFINISHED_WAITED, "waiting_for_session"},
    };
    struct fixture f;

    (void)state;
    fixture_open(&f);
    struct oplog log = log_of(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct op_sample op = {.outcome = success(FIXTURE_ECHO)};

        op.outcome.cls = OUTCOME_UNFINISHED;
        op.outcome.unfinished = cases[i].why;
        op.outcome.t_headers = 0;
        json_t *line = line_of(&log, 0, &op);
        assert_text(line, "class", "unfinished");
        assert_true(json_is_false(json_object_get(line, "ok")));
        assert_true(json_is_true(json_object_get(line, "unfinished")));
        assert_text(line, "unfinished_reason", cases[i].word);
        assert_number(line, "service_ms", 0.25);
        assert_absent(line, "error");
        assert_absent(line, "origin");
        json_decref(line);
    }
    oplog_clear(&log);
    fixture_close(&f);
}

static void test_no_room(void **state)
{
    struct fixture f;
    struct op_sample op = {.outcome = success(FIXTURE_ECHO)};

    (void)state;
    fixture_open(&f);
    struct oplog log = log_of(&f);
    for (size_t max = 2; max < 700; max += 13) {
        struct buf out;

        buf_init(&out, max);
        assert_int_equal(buf_add_c(&out, "x\n"), 0);
        assert_int_equal(oplog_write(&log, 0, &op, &out), ERR_LIMIT);
        assert_int_equal(out.len, 2);
        buf_clear(&out);
    }
    oplog_clear(&log);
    fixture_close(&f);
}

/* Each line names the worker whose source it came from, and ids are made of that one's digits. */
static void test_workers_by_source(void **state)
{
    static const struct run_source sources[] = {
        {.worker_id = "wkr_aaaaaaaa11111111"},
        {.worker_id = "wkr_aaaaaaaa11111111"},
        {.worker_id = "wkr_bbbbbbbb22222222"},
    };
    static const char *const sessions[] = {"ses_aaaaaaaa_0.5", "ses_aaaaaaaa_1.5",
                                           "ses_bbbbbbbb_2.5"};
    static const char *const ids[] = {"op_aaaaaaaa000000000001", "op_aaaaaaaa000000000002",
                                      "op_bbbbbbbb000000000003"};
    const struct run_workers workers = {.sources = sources, .source_count = 3};
    struct op_sample op = {.outcome = success(FIXTURE_ECHO)};
    struct fixture f;

    (void)state;
    fixture_open(&f);
    struct oplog log = log_by(&f, &workers);
    for (uint32_t i = 0; i < 3; i++) {
        json_t *line = line_of(&log, i, &op);
        assert_text(line, "worker_id", sources[i].worker_id);
        assert_text(line, "session_id", sessions[i]);
        assert_text(line, "op_id", ids[i]);
        json_decref(line);
    }
    oplog_clear(&log);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_success),        cmocka_unit_test(test_a_hostile_failure),
        cmocka_unit_test(test_a_stalled_stream), cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_no_room),          cmocka_unit_test(test_workers_by_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
