/* SPDX-License-Identifier: MIT */
#include "report/files/oplog.h"

#include "base/clock.h"
#include "base/json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 64, EVIDENCE_MAX = 256 };

/* The first failure to write sticks. */
struct line {
    struct buf *out;
    int rc;
    const struct oplog *log;
    const struct outcome *o;
    const struct plan_stage *stage;
};

/* ---- members ----------------------------------------------------------------------------------
 *
 * A thousand lines a second are made beside a load that is measured: no formats, and what is the
 * same in many lines is made once. A member without a value is left out.
 */

/* How a member begins. */
#define NAME(name) STR("\"" name "\":")

static void put(struct line *l, struct str text)
{
    if (l->rc == 0) {
        l->rc = buf_add_str(l->out, text);
    }
}

static void put_number(struct line *l, uint64_t n)
{
    char digits[24];

    put(l, (struct str){digits, str_put_u64(digits, n)});
}

static void add_string(struct line *l, struct str name, struct str text)
{
    put(l, name);
    if (l->rc == 0) {
        l->rc = json_add_string(l->out, text);
    }
    put(l, STR(","));
}

/* NULL: no member. */
static void add_text(struct line *l, struct str name, const char *text)
{
    if (text != NULL) {
        add_string(l, name, str_c(text));
    }
}

static void add_count(struct line *l, struct str name, uint64_t n)
{
    char digits[24];
    size_t len = str_put_u64(digits, n);

    digits[len] = ',';
    put(l, name);
    put(l, (struct str){digits, len + 1});
}

static void add_bool(struct line *l, struct str name, bool value)
{
    put(l, name);
    put(l, value ? STR("true,") : STR("false,"));
}

/* Milliseconds, with six decimals. */
static void add_ms(struct line *l, struct str name, uint64_t ns)
{
    char digits[32];
    size_t len = str_put_u64(digits, ns / NS_PER_MS);
    uint64_t rest = ns % NS_PER_MS;

    for (size_t i = 6; i > 0; i--, rest /= 10) {
        digits[len + i] = (char)('0' + rest % 10);
    }
    digits[len] = '.';
    digits[len + 7] = ',';
    put(l, name);
    put(l, (struct str){digits, len + 8});
}

/* From one moment to another; no member when one of them never came. */
static void add_span(struct line *l, struct str name, uint64_t from_ns, uint64_t to_ns)
{
    if (from_ns != 0 && to_ns != 0) {
        add_ms(l, name, to_ns > from_ns ? to_ns - from_ns : 0);
    }
}

/* Instead of the comma behind the last member. */
static void end_object(struct line *l, struct str close)
{
    if (l->rc == 0 && l->out->p[l->out->len - 1] == ',') {
        l->out->len--;
    }
    put(l, close);
}

/* ---- what many lines have in common -----------------------------------------------------------
 */

/* The text of the members that `write` adds; the arena's. */
static struct str
keep(struct oplog *log, void (*write)(struct line *l, const void *of), const void *of)
{
    struct buf text;
    struct line l = {.out = &text, .log = log};

    buf_init(&text, OPLOG_LINE_MAX);
    write(&l, of);
    struct str kept = {arena_copy(&log->arena_, buf_str(&text)), text.len};
    buf_clear(&text);
    return kept;
}

static void write_identity(struct line *l, const void *of)
{
    const struct plan_identity *identity = of;

    add_text(l, NAME("run_id"), identity->run_id);
    add_text(l, NAME("execution_id"), identity->execution_id);
    add_text(l, NAME("scenario_id"), l->log->plan->scenario->scenario_id);
}

static void write_worker(struct line *l, const void *of)
{
    add_text(l, NAME("worker_id"), of);
}

static void write_stage(struct line *l, const void *of)
{
    const struct plan_stage *stage = of;

    add_text(l, NAME("stage"), stage_kind_name(stage->config->kind));
    add_text(l, NAME("stage_id"), stage->config->stage_id);
}

static void write_operation(struct line *l, const void *of)
{
    const struct plan_operation *operation = of;

    add_text(l, NAME("operation"), operation_name(operation->kind));
    add_text(l, NAME("tool_name"), operation->tool_name);
    add_text(l, NAME("template_id"), operation->template_id);
}

/* The eight digits that a worker's id begins with, for ids made from it. */
static struct str worker_digits(const char *worker_id)
{
    struct str id = str_c(worker_id);
    const struct str prefix = STR("wkr_");

    if (str_starts(id, prefix)) {
        id = (struct str){id.p + prefix.len, id.len - prefix.len};
    }
    return (struct str){id.p, id.len < 8 ? id.len : 8};
}

static void keep_worker(struct oplog *log, uint32_t at, const char *worker_id)
{
    struct str digits = worker_digits(worker_id);

    digits.p = arena_copy(&log->arena_, digits);
    log->workers_[at] = (struct oplog_worker){keep(log, write_worker, worker_id), digits};
}

/* The sources of one worker stand side by side, and share its text. */
static void keep_workers(struct oplog *log, const struct oplog_origin *origin)
{
    const struct run_workers *w = origin->workers;
    const struct run_source *sources = w != NULL ? w->sources : NULL;

    log->worker_count_ = sources != NULL ? w->source_count : 1;
    log->workers_ = arena_array(&log->arena_, log->worker_count_, sizeof *log->workers_);
    for (uint32_t i = 0; i < log->worker_count_; i++) {
        const char *id = sources != NULL ? sources[i].worker_id : origin->identity->worker_id;
        if (i > 0 && sources != NULL && strcmp(id, sources[i - 1].worker_id) == 0) {
            log->workers_[i] = log->workers_[i - 1];
        } else {
            keep_worker(log, i, id);
        }
    }
}

void oplog_init(struct oplog *log, const struct oplog_origin *origin)
{
    const struct plan *plan = origin->plan;

    *log = (struct oplog){.plan = plan, .wall_offset_ns = origin->wall_offset_ns};
    log->identity_ = keep(log, write_identity, origin->identity);
    keep_workers(log, origin);
    log->stages_ = arena_array(&log->arena_, plan->stage_count, sizeof *log->stages_);
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        log->stages_[i] = keep(log, write_stage, &plan->stages[i]);
    }
    log->operations_ = arena_array(&log->arena_, plan->operation_count, sizeof *log->operations_);
    for (uint32_t i = 0; i < plan->operation_count; i++) {
        log->operations_[i] = keep(log, write_operation, &plan->operations[i]);
    }
}

void oplog_clear(struct oplog *log)
{
    arena_clear(&log->arena_);
}

/* ---- who and when -----------------------------------------------------------------------------
 */

static const struct oplog_worker *worker_of(const struct oplog *log, uint32_t source)
{
    uint32_t at = log->worker_count_ > 1 ? source : 0;

    assert(at < log->worker_count_);
    return &log->workers_[at];
}

static void add_who(struct line *l, uint32_t source)
{
    struct str digits = worker_of(l->log, source)->digits;
    char id[ID_MAX];

    put(l, STR("\"vu_id\":\"vu_"));
    put_number(l, l->o->vu);
    put(l, STR("\","));
    if (l->o->session_serial > 0) { /* a shard counts its own sessions */
        snprintf(id, sizeof id, "ses_%.*s_%u.%llu", STR_ARG(digits), source,
                 (unsigned long long)l->o->session_serial);
        add_text(l, NAME("session_id"), id);
    }
    snprintf(id, sizeof id, "op_%.*s%012llx", STR_ARG(digits), (unsigned long long)l->log->lines);
    add_text(l, NAME("op_id"), id);
}

static void add_when(struct line *l)
{
    uint64_t due = (uint64_t)((int64_t)l->o->t_due + l->log->wall_offset_ns);

    add_count(l, NAME("ts_ms"), due / NS_PER_MS);
    add_count(l, NAME("ts_ns_offset"), due % NS_PER_MS);
}

/* ---- what -------------------------------------------------------------------------------------
 */

static void add_operation(struct line *l)
{
    add_count(l, NAME("attempt"), (uint64_t)l->o->session_retries + 1);
    add_count(l, NAME("bytes_in"), l->o->bytes_in);
    add_count(l, NAME("bytes_out"), l->o->bytes_out);
    add_text(l, NAME("transport"), "streamable_http");
    if (l->o->http_status > 0) {
        add_count(l, NAME("http_status"), (uint64_t)l->o->http_status);
    }
    /* A success is one of these two; of what failed the type is not kept. */
    add_text(l, NAME("content_type"),
             l->o->is_stream           ? "text/event-stream"
             : l->o->cls == OUTCOME_OK ? "application/json"
                                       : NULL);
}

static void add_jsonrpc_code(struct line *l)
{
    static const int numbers[ERROR_CODE_COUNT] = {
        [ERROR_CODE_JSONRPC_PARSE_ERROR] = -32700,
        [ERROR_CODE_JSONRPC_INVALID_REQUEST] = -32600,
        [ERROR_CODE_JSONRPC_METHOD_NOT_FOUND] = -32601,
        [ERROR_CODE_JSONRPC_INVALID_PARAMS] = -32602,
        [ERROR_CODE_JSONRPC_INTERNAL_ERROR] = -32603,
    };
    int number = numbers[l->o->error_code];

    if (l->o->error_code == ERROR_CODE_JSONRPC_N) {
        number = l->o->error_number;
    }
    if (number != 0) {
        put(l, STR("\"jsonrpc_error_code\":"));
        put(l, number < 0 ? STR("-") : STR(""));
        put_number(l, (uint64_t)llabs((long long)number));
        put(l, STR(","));
    }
}

/* Did the response with our id come? It may have been an error, or not what a check wanted. */
static bool was_answered(const struct outcome *o)
{
    return o->cls == OUTCOME_OK || o->error_type == ERROR_TYPE_JSONRPC_ERROR ||
           o->error_type == ERROR_TYPE_TOOL_ERROR || o->error_type == ERROR_TYPE_CHECK_FAILED;
}

static void add_stream(struct line *l)
{
    const struct outcome *o = l->o;
    bool answered = was_answered(o);

    if (!o->is_stream) {
        return;
    }
    put(l, STR("\"stream\":{"));
    add_bool(l, NAME("is_streaming"), true);
    add_count(l, NAME("events_count"), o->event_count - (answered && o->event_count > 0));
    add_bool(l, NAME("ended_normally"), answered);
    add_bool(l, NAME("stalled"), o->stall_ns > 0);
    add_ms(l, NAME("stall_duration_ms"), o->stall_ns);
    end_object(l, STR("},"));
}

/* ---- how it ended -----------------------------------------------------------------------------
 */

/* Might it go well when it is tried again? */
static bool is_retryable(const struct outcome *o)
{
    switch (o->error_type) {
    case ERROR_TYPE_DNS_ERROR:
    case ERROR_TYPE_CONNECT_ERROR:
        return o->error_code != ERROR_CODE_ADDRESS_NOT_ALLOWED;
    case ERROR_TYPE_TIMEOUT:
    case ERROR_TYPE_RATE_LIMITED:
    case ERROR_TYPE_STREAM_STALL:
    case ERROR_TYPE_RESOURCE_EXHAUSTED:
        return true;
    case ERROR_TYPE_HTTP_ERROR:
        return o->http_status >= 500;
    case ERROR_TYPE_NONE:
    case ERROR_TYPE_TLS_ERROR:
    case ERROR_TYPE_PROTOCOL_ERROR:
    case ERROR_TYPE_JSONRPC_ERROR:
    case ERROR_TYPE_TOOL_ERROR:
    case ERROR_TYPE_MCP_ERROR:
    case ERROR_TYPE_CHECK_FAILED:
    case ERROR_TYPE_UNKNOWN:
    case ERROR_TYPE_COUNT:
        break;
    }
    return false;
}

static void add_error(struct line *l, const struct op_sample *op)
{
    char code[64];

    if (l->o->error_code == ERROR_CODE_NONE) {
        return;
    }
    put(l, STR("\"error\":{"));
    add_text(l, NAME("error_type"), error_type_name(l->o->error_type));
    add_text(l, NAME("error_code"),
             error_code_name(l->o->error_code, l->o->error_number, code, sizeof code));
    add_string(l, NAME("error_message"), (struct str){op->message, op->message_len});
    add_bool(l, NAME("retryable"), is_retryable(l->o));
    end_object(l, STR("},"));
}

/* The classes of older readers, and how sure the type of a failure alone makes them. */
static const struct {
    const char *classification;
    double confidence;
} attributions[ERROR_TYPE_COUNT] = {
    [ERROR_TYPE_DNS_ERROR] = {"client_network", 0.9},
    [ERROR_TYPE_CONNECT_ERROR] = {"client_network", 0.9},
    [ERROR_TYPE_TLS_ERROR] = {"client_network", 0.9},
    [ERROR_TYPE_TIMEOUT] = {"unknown", 0.3},
    [ERROR_TYPE_HTTP_ERROR] = {"gateway", 0.6},
    [ERROR_TYPE_RATE_LIMITED] = {"gateway", 0.8},
    [ERROR_TYPE_PROTOCOL_ERROR] = {"mcp_server", 0.6},
    [ERROR_TYPE_JSONRPC_ERROR] = {"mcp_server", 0.7},
    [ERROR_TYPE_TOOL_ERROR] = {"upstream_api", 0.7},
    [ERROR_TYPE_MCP_ERROR] = {"mcp_server", 0.8},
    [ERROR_TYPE_STREAM_STALL] = {"stream_stall", 0.9},
    [ERROR_TYPE_CHECK_FAILED] = {"upstream_api", 0.7},
    [ERROR_TYPE_RESOURCE_EXHAUSTED] = {"client_network", 1.0},
    [ERROR_TYPE_UNKNOWN] = {"unknown", 0.1},
};

static void add_origin(struct line *l)
{
    const struct outcome *o = l->o;

    if (o->error_code == ERROR_CODE_NONE) {
        return;
    }
    const char *classification = attributions[o->error_type].classification;
    double confidence = attributions[o->error_type].confidence;
    if (o->origin == ERROR_ORIGIN_POLICY) {
        classification = "unknown";
        confidence = 1.0;
    } else if (o->error_type == ERROR_TYPE_HTTP_ERROR && o->origin == ERROR_ORIGIN_SERVER) {
        classification = "mcp_server";
    }
    add_text(l, NAME("origin"), error_origin_name(o->origin));
    add_text(l, NAME("origin_classification"), classification);
    char text[EVIDENCE_MAX];
    int len = snprintf(text, sizeof text,
                       "\"origin_confidence\":%.1f,\"origin_evidence\":[{\"rule_id\":\"type.%s\","
                       "\"weight\":%.1f,\"note\":\"by the type of the failure\",\"refs\":[]}],",
                       confidence, error_type_name(o->error_type), confidence);
    put(l, (struct str){text, (size_t)len});
}

static void add_times(struct line *l)
{
    const struct outcome *o = l->o;
    bool open_model = l->stage->levels.open_model;

    add_span(l, NAME("latency_ms"), open_model || o->t_send == 0 ? o->t_due : o->t_send, o->t_end);
    add_span(l, NAME("first_byte_ms"), o->t_send, o->t_headers);
    add_span(l, NAME("lag_ms"), o->t_due, o->t_send != 0 ? o->t_send : o->t_end);
    add_span(l, NAME("service_ms"), o->t_send, o->t_end);
    add_span(l, NAME("response_ms"), o->t_due, o->t_end);
    add_span(l, NAME("first_event_ms"), o->t_send, o->t_first_event);
    if (o->t_send != 0 && o->t_headers != 0) {
        put(l, STR("\"phases\":{"));
        add_span(l, NAME("wait_ms"), o->t_send, o->t_headers);
        add_span(l, NAME("download_ms"), o->t_headers, o->t_end);
        end_object(l, STR("},"));
    }
}

static void add_end(struct line *l, const struct op_sample *op)
{
    static const char *const classes[] = {
        [OUTCOME_OK] = "ok",
        [OUTCOME_FAILED] = "failed",
        [OUTCOME_CUT] = "cut",
        [OUTCOME_UNFINISHED] = "unfinished",
    };
    static const char *const reasons[UNFINISHED_COUNT] = {
        [UNFINISHED_STOPPED] = "stopped",
        [UNFINISHED_DRAIN_OVER] = "drain_over",
        [UNFINISHED_WAITED] = "waiting_for_session",
    };

    add_text(l, NAME("class"), classes[l->o->cls]);
    add_bool(l, NAME("ok"), l->o->cls == OUTCOME_OK);
    add_bool(l, NAME("unfinished"), l->o->cls == OUTCOME_UNFINISHED);
    add_text(l, NAME("unfinished_reason"), reasons[l->o->unfinished]);
    add_error(l, op);
    add_origin(l);
    add_count(l, NAME("retries"), l->o->session_retries);
    add_count(l, NAME("reconnects"), l->o->session_retries);
}

int oplog_write(struct oplog *log, uint32_t source, const struct op_sample *op, struct buf *out)
{
    const struct plan *plan = log->plan;
    uint32_t key = op->outcome.key;
    size_t before = out->len;
    struct line l = {.out = out, .log = log, .o = &op->outcome};

    l.stage = &plan->stages[key / plan->operation_count];
    log->lines++;
    put(&l, STR("{\"schema_version\":\"op-log/v1\",\"record_type\":\"op\","));
    add_when(&l);
    put(&l, log->identity_);
    put(&l, worker_of(log, source)->member);
    put(&l, log->stages_[key / plan->operation_count]);
    add_who(&l, source);
    put(&l, log->operations_[key % plan->operation_count]);
    add_operation(&l);
    add_jsonrpc_code(&l);
    add_stream(&l);
    add_times(&l);
    add_end(&l, op);
    end_object(&l, STR("}\n"));
    if (l.rc != 0) {
        out->len = before;
    }
    return l.rc;
}
