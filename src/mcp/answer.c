/* SPDX-License-Identifier: MIT */
#include "mcp/answer.h"

#include <errno.h>

void mcp_fail(struct mcp_answer *out, enum error_code code, const char *message)
{
    out->code = code;
    out->origin = error_type_origin(error_code_type(code));
    out->message = str_c(message);
}

bool mcp_is_response(const struct jsonrpc_msg *msg, int64_t want_id)
{
    if (msg->kind == JSONRPC_RESULT) {
        return msg->id_kind == JSONRPC_ID_INT && msg->id == want_id;
    }
    if (msg->kind != JSONRPC_ERROR) {
        return false;
    }
    /* Servers that could not read a request answer without its id (JSON-RPC 2.0 §5). */
    return msg->id_kind == JSONRPC_ID_NONE || msg->id_kind == JSONRPC_ID_NULL ||
           (msg->id_kind == JSONRPC_ID_INT && msg->id == want_id);
}

void mcp_judge_message(const struct jsonrpc_msg *msg, int64_t want_id, struct mcp_answer *out)
{
    if (msg->kind == JSONRPC_NOT_JSON) {
        mcp_fail(out, ERROR_CODE_JSON_PARSE_ERROR, msg->fault);
        return;
    }
    if (msg->kind == JSONRPC_NOT_JSONRPC) {
        mcp_fail(out, ERROR_CODE_INVALID_JSONRPC, msg->fault);
        return;
    }
    if (msg->kind == JSONRPC_REQUEST || msg->kind == JSONRPC_NOTIFICATION) {
        mcp_fail(out, ERROR_CODE_INVALID_JSONRPC,
                 "a request or notification where the response belongs");
        return;
    }
    if (!mcp_is_response(msg, want_id)) {
        if (msg->kind == JSONRPC_RESULT && msg->id_kind == JSONRPC_ID_NONE) {
            mcp_fail(out, ERROR_CODE_MISSING_ID, "the response has no id");
        } else {
            mcp_fail(out, ERROR_CODE_ID_MISMATCH, "the response carries an id that is not ours");
        }
        return;
    }
    out->msg = msg;
    if (msg->kind == JSONRPC_ERROR) {
        mcp_fail(out, error_from_jsonrpc(msg->error_code), msg->text);
        out->number = msg->error_code > INT32_MAX   ? INT32_MAX
                      : msg->error_code < INT32_MIN ? INT32_MIN
                                                    : (int)msg->error_code;
    } else if (msg->is_error) {
        mcp_fail(out, ERROR_CODE_TOOL_ERROR, "the tool says isError");
    }
}

static bool mentions_session(struct str text)
{
    for (size_t i = 0; i + 7 <= text.len; i++) {
        if (strncasecmp(text.p + i, "session", 7) == 0) {
            return true;
        }
    }
    return false;
}

void mcp_judge_status(
    int status, bool via_proxy, bool had_session, struct str text, struct mcp_answer *out)
{
    out->code = error_from_http(status);
    out->number = status;
    out->origin = via_proxy ? ERROR_ORIGIN_GATEWAY : ERROR_ORIGIN_SERVER;
    out->message = text;
    if (status >= 300 && status < 400) {
        out->origin = ERROR_ORIGIN_POLICY;
        out->message = STR("the target redirects elsewhere; redirects are denied");
    }
    /* 404 says that the session is gone (MCP 2025-11-25, transports: session management); many
     * servers say 400 and mention it. */
    if (had_session && (status == 404 || (status == 400 && mentions_session(text)))) {
        mcp_fail(out, ERROR_CODE_SESSION_LOST, "the target does not know the session any more");
        out->number = status;
        out->session_lost = true;
    }
}

void mcp_judge_transport(const struct http_end *end, struct mcp_answer *out)
{
    switch (end->failure) {
    case HTTP_COMPLETE:
        return;
    case HTTP_NO_ANSWER:
    case HTTP_TRUNCATED:
        mcp_fail(out, ERROR_CODE_CONNECTION_EOF, end->text);
        return;
    case HTTP_READ_ERROR:
        mcp_fail(out, end->sys == ECONNRESET ? ERROR_CODE_CONNECTION_RESET : ERROR_CODE_READ_ERROR,
                 end->text);
        break;
    case HTTP_WRITE_ERROR:
        mcp_fail(out,
                 end->sys == ECONNRESET || end->sys == EPIPE ? ERROR_CODE_CONNECTION_RESET
                                                             : ERROR_CODE_WRITE_ERROR,
                 end->text);
        break;
    case HTTP_MALFORMED:
        mcp_fail(out, ERROR_CODE_INVALID_HTTP, end->text);
        return;
    }
    out->number = end->sys;
}

void mcp_judge_dial(const struct dial_failure *failure, struct mcp_answer *out)
{
    enum error_code code = ERROR_CODE_DNS_LOOKUP_FAILED;

    if (failure->step != DIAL_DNS) {
        code = failure->step == DIAL_FILTER ? ERROR_CODE_ADDRESS_NOT_ALLOWED
                                            : error_from_errno(failure->sys);
    }
    mcp_fail(out, code, failure->text);
    if (failure->step == DIAL_FILTER) {
        out->origin = ERROR_ORIGIN_POLICY;
    }
    out->number = failure->sys;
    out->connect_failed = true;
}
