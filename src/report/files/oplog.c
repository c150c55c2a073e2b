/* SPDX-License-Identifier: MIT */
#include "report/files/oplog.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>

/* The first failure to write sticks. */
struct line {
    struct buf *out;
    int rc;
    const struct oplog *log;
    const struct outcome *o;
    const struct plan_operation *operation;
    const struct plan_stage *stage;
};

/* ---- members ----------------------------------------------------------------------------------
 */

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (l->rc == 0) {
        l->rc = buf_vprintf(l->out, fmt, ap);
    }
    va_end(ap);
}

static void add_string(struct line *l, const char *name, struct str text)
{
    add(l, "\"%s\":", name);
    if (l->rc == 0) {
        l->rc = json_add_string(l->out, text);
    }
    add(l, ",");
}

/* NULL is null. */
static void add_text(struct line *l, const char *name, const char *text)
{
    if (text == NULL) {
        add(l, "\"%s\":null,", name);
    } else {
        add_string(l, name, str_c(text));
    }
}

static void add_count(struct line *l, const char *name, uint64_t n)
{
    add(l, "\"%s\":%llu,", name, (unsigned long long)n);
}

static void add_bool(struct line *l, const char *name, bool value)
{
    add(l, "\"%s\":%s,", name, value ? "true" : "false");
}

/* Members that this version has nothing to say for. */
static void add_null(struct line *l, const char *name)
{
    add(l, "\"%s\":null,", name);
}

/* Milliseconds from one moment to another; null when one of them never came. */
static void add_span(struct line *l, const char *name, uint64_t from_ns, uint64_t to_ns)
{
    if (from_ns == 0 || to_ns == 0) {
        add_null(l, name);
    } else {
        uint64_t ns = to_ns > from_ns ? to_ns - from_ns : 0;
        add(l, "\"%s\":%llu.%06llu,", name, (unsigned long long)(ns / NS_PER_MS),
            (unsigned long long)(ns % NS_PER_MS));
    }
}

/* The comma behind the last member, away. */
static void end_object(struct line *l, const char *close)
{
    if (l->rc == 0 && l->out->p[l->out->len - 1] == ',') {
        l->out->len--;
    }
    add(l, "%s", close);
}

/* ---- who and when -----------------------------------------------------------------------------
 */

/* The eight digits that a worker's id begins with, for ids made from it. */
static struct str worker_digits(const struct line *l)
{
    struct str id = str_c(l->log->identity->worker_id);
    const struct str prefix = STR("wkr_");

    if (str_starts(id, prefix)) {
        id = (struct str){id.p + prefix.len, id.len - prefix.len};
    }
    return (struct str){id.p, id.len < 8 ? id.len : 8};
}

static void add_identity(struct line *l, uint32_t source)
{
    const struct plan_identity *identity = l->log->identity;
    struct str digits = worker_digits(l);
    char id[64];

    add_text(l, "run_id", identity->run_id);
    add_text(l, "execution_id", identity->execution_id);
    add_text(l, "scenario_id", l->log->plan->scenario->scenario_id);
    add_text(l, "stage", stage_kind_name(l->stage->config->kind));
    add_text(l, "stage_id", l->stage->config->stage_id);
    add_text(l, "worker_id", identity->worker_id);
    add_null(l, "assignment_id");
    add_null(l, "lease_id");
    snprintf(id, sizeof id, "vu_%u", l->o->vu);
    add_text(l, "vu_id", id);
    /* A shard counts its own sessions. */
    snprintf(id, sizeof id, "ses_%.*s_%u.%llu", STR_ARG(digits), source,
             (unsigned long long)l->o->session_serial);
    add_text(l, "session_id", l->o->session_serial > 0 ? id : NULL);
    snprintf(id, sizeof id, "op_%.*s%012llx", STR_ARG(digits), (unsigned long long)l->log->lines);
    add_text(l, "op_id", id);
}

static void add_when(struct line *l)
{
    uint64_t due = (uint64_t)((int64_t)l->o->t_due + l->log->wall_offset_ns);

    add_count(l, "ts_ms", due / NS_PER_MS);
    add_count(l, "ts_ns_offset", due % NS_PER_MS);
}

/* ---- what -------------------------------------------------------------------------------------
 */

static void add_operation(struct line *l)
{
    add_count(l, "attempt", (uint64_t)l->o->session_retries + 1);
    add_text(l, "operation", operation_name(l->operation->kind));
    add_null(l, "operation_name");
    add_text(l, "tool_name", l->operation->tool_name);
    add_text(l, "template_id", l->operation->template_id);
    add_count(l, "bytes_in", l->o->bytes_in);
    add_count(l, "bytes_out", l->o->bytes_out);
    add_text(l, "transport", "streamable_http");
    if (l->o->http_status > 0) {
        add_count(l, "http_status", (uint64_t)l->o->http_status);
    } else {
        add_null(l, "http_status");
    }
    /* A success is one of these two; of what failed the type is not kept. */
    add_text(l, "content_type",
             l->o->is_stream           ? "text/event-stream"
             : l->o->cls == OUTCOME_OK ? "application/json"
                                       : NULL);
    add_null(l, "jsonrpc_id");
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
        add(l, "\"jsonrpc_error_code\":%d,", number);
    } else {
        add_null(l, "jsonrpc_error_code");
    }
    add_null(l, "mcp_error_code");
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
        add_null(l, "stream");
        return;
    }
    add(l, "\"stream\":{");
    add_bool(l, "is_streaming", true);
    add_count(l, "events_count", o->event_count - (answered && o->event_count > 0));
    add_bool(l, "ended_normally", answered);
    add_bool(l, "stalled", o->stall_ns > 0);
    add_span(l, "stall_duration_ms", 1, 1 + o->stall_ns);
    end_object(l, "},");
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
        add_null(l, "error");
        return;
    }
    add(l, "\"error\":{");
    add_text(l, "error_type", error_type_name(l->o->error_type));
    add_text(l, "error_code",
             error_code_name(l->o->error_code, l->o->error_number, code, sizeof code));
    add_string(l, "error_message", (struct str){op->message, op->message_len});
    add_bool(l, "retryable", is_retryable(l->o));
    add_null(l, "details");
    end_object(l, "},");
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
        add(l, "\"origin\":null,\"origin_classification\":null,\"origin_confidence\":null,"
               "\"origin_evidence\":[],");
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
    add_text(l, "origin", error_origin_name(o->origin));
    add_text(l, "origin_classification", classification);
    add(l, "\"origin_confidence\":%.1f,", confidence);
    add(l,
        "\"origin_evidence\":[{\"rule_id\":\"type.%s\",\"weight\":%.1f,\"note\":\"by the type of "
        "the failure\",\"refs\":[]}],",
        error_type_name(o->error_type), confidence);
}

static void add_times(struct line *l)
{
    const struct outcome *o = l->o;
    bool open_model = l->stage->levels.open_model;

    add_span(l, "latency_ms", open_model || o->t_send == 0 ? o->t_due : o->t_send, o->t_end);
    add_span(l, "first_byte_ms", o->t_send, o->t_headers);
    add_span(l, "lag_ms", o->t_due, o->t_send != 0 ? o->t_send : o->t_end);
    add_span(l, "service_ms", o->t_send, o->t_end);
    add_span(l, "response_ms", o->t_due, o->t_end);
    add_span(l, "first_event_ms", o->t_send, o->t_first_event);
    add(l, "\"phases\":{\"dns_ms\":null,\"connect_ms\":null,\"tls_ms\":null,\"send_ms\":null,");
    add_span(l, "wait_ms", o->t_send, o->t_headers);
    add_span(l, "download_ms", o->t_headers, o->t_end);
    end_object(l, "},");
}

static void add_end(struct line *l, const struct op_sample *op)
{
    static const char *const classes[] = {
        [OUTCOME_OK] = "ok",
        [OUTCOME_FAILED] = "failed",
        [OUTCOME_CUT] = "cut",
        [OUTCOME_UNFINISHED] = "unfinished",
    };

    add_text(l, "class", classes[l->o->cls]);
    add_bool(l, "ok", l->o->cls == OUTCOME_OK);
    add_bool(l, "unfinished", l->o->cls == OUTCOME_UNFINISHED);
    add_error(l, op);
    add_origin(l);
    add_count(l, "retries", l->o->session_retries);
    add_count(l, "reconnects", l->o->session_retries);
    add_null(l, "connection_reused");
    add_null(l, "token_index");
    add_null(l, "trace_id");
    add_null(l, "span_id");
}

int oplog_write(struct oplog *log, uint32_t source, const struct op_sample *op, struct buf *out)
{
    const struct plan *plan = log->plan;
    uint32_t key = op->outcome.key;
    size_t before = out->len;
    struct line l = {.out = out, .log = log, .o = &op->outcome};

    l.operation = &plan->operations[key % plan->operation_count];
    l.stage = &plan->stages[key / plan->operation_count];
    log->lines++;
    add(&l, "{\"schema_version\":\"op-log/v1\",\"record_type\":\"op\",");
    add_when(&l);
    add_identity(&l, source);
    add_operation(&l);
    add_jsonrpc_code(&l);
    add_stream(&l);
    add_times(&l);
    add_end(&l, op);
    end_object(&l, "}\n");
    if (l.rc != 0) {
        out->len = before;
    }
    return l.rc;
}
