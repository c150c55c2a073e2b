/* SPDX-License-Identifier: MIT */
/*
 * How an answer leaves. One that is due now, and whole, is written from the thread's scratch
 * buffers without any allocation. Everything else becomes a call (mock/answers/call.h).
 */
#include "mock/answers/answer.h"

#include "base/json.h"
#include "mock/answers/call.h"

#include <stdio.h>

/* ---- whole answers ------------------------------------------------------------------------ */

/* Announces the whole body and sends half of it. */
static void send_half(struct mock *m, struct http_exchange *x, const struct reply *r)
{
    struct str half = {r->body.p, r->body.len / 2};
    struct http_answer answer = {
        .status = r->status, .content_type = STR("application/json"), .headers = r->headers};

    if (r->sse) {
        call_begin_sse(m, x, HTTP_LENGTH_UNKNOWN);
        http_stat_add(&m->stats.streams_closed, 1);
    } else {
        http_stream_begin(x, &answer, (int64_t)r->body.len);
    }
    http_stream_write(x, half);
    http_abort(x, false);
}

void reply_send(struct mock *m, struct http_exchange *x, const struct reply *r)
{
    x->user = NULL;
    if (r->close || r->strike == STRIKE_RESET) {
        http_abort(x, r->strike == STRIKE_RESET);
        return;
    }
    if (r->faulted) {
        call_dribble(m, x);
    }
    if (r->strike == STRIKE_CUT) {
        send_half(m, x, r);
        return;
    }
    if (r->rpc) {
        http_stat_add(&m->stats.responses, 1);
    }
    if (r->sse) {
        http_stat_add(&m->stats.streams_opened, 1);
        http_stat_add(&m->stats.streams_closed, 1);
        http_stat_add(&m->stats.events_sent, 1);
    }
    http_reply(x, &(struct http_answer){
                      .status = r->status,
                      .content_type = r->sse    ? STR("text/event-stream")
                                      : r->json ? STR("application/json")
                                                : (struct str){0},
                      .headers = r->headers,
                      .body = r->body,
                  });
}

void reply_schedule(struct mock *m,
                    struct http_exchange *x,
                    const struct reply *r,
                    uint64_t delay_ns)
{
    if (delay_ns == 0 && call_may_run(m)) {
        reply_send(m, x, r);
        return;
    }
    struct call *call = call_new(m, x, CALL_REPLY, r->headers.len + r->body.len);
    size_t at = 0;
    call->reply = *r;
    call->reply.headers = call_put_text(call, &at, r->headers);
    call->reply.body = call_put_text(call, &at, r->body);
    call_arm(call, loop_clock(m->loop) + delay_ns);
}

/* ---- what the protocol says --------------------------------------------------------------- */

static void add_tool_result(struct op *op)
{
    struct mock *m = op->m;
    struct buf *out = &m->result;

    out->len = 0;
    buf_add_str(out, STR("\"result\":{\"content\":[{\"type\":\"text\",\"text\":"));
    if (op->text_escaped) {
        buf_add(out, "\"", 1);
        buf_add_str(out, buf_str(&m->text));
        buf_add(out, "\"", 1);
    } else {
        json_add_string(out, m->text.len > 0 ? buf_str(&m->text) : STR(""));
    }
    buf_add_str(out, op->is_error ? STR("}],\"isError\":true}") : STR("}]}"));
}

void reply_compose(struct mock *m, struct str id, bool sse)
{
    struct buf *out = &m->body;

    out->len = 0;
    if (sse) {
        buf_add_str(out, STR("event: message\ndata: "));
    }
    buf_add_str(out, STR("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_add_str(out, id.len > 0 ? id : STR("null"));
    buf_add(out, ",", 1);
    buf_add_str(out, buf_str(&m->result));
    buf_add_str(out, sse ? STR("}\n\n") : STR("}"));
}

void mock_refuse(struct mock *m,
                 struct http_exchange *x,
                 int status,
                 struct str headers,
                 struct str id,
                 int code,
                 const char *message)
{
    m->result.len = 0;
    buf_printf(&m->result, "\"error\":{\"code\":%d,\"message\":", code);
    json_add_string(&m->result, str_c(message));
    buf_add(&m->result, "}", 1);
    reply_compose(m, id, false);
    reply_schedule(
        m, x,
        &(struct reply){
            .status = status, .json = true, .headers = headers, .body = buf_str(&m->body)},
        0);
}

void mock_accepted(struct mock *m, struct http_exchange *x, int status)
{
    reply_schedule(m, x, &(struct reply){.status = status}, 0);
}

/* Decides what a fault makes of the answer; true when that is the answer. */
static bool strike(struct op *op, struct fault_draw *draw)
{
    struct mock *m = op->m;
    char header[64];

    if (!m->faulty || !op->faulted) {
        return false;
    }
    uint64_t index = atomic_fetch_add(&m->shared->fault_index, 1);
    *draw = faults_draw(&m->faults, m->shared->config.seed, index);
    op->delay_ns += draw->latency_ns;
    if (draw->strike == STRIKE_IS_ERROR && !op->is_tool) {
        draw->strike = STRIKE_NONE;
    }
    if (draw->strike == STRIKE_NONE) {
        return false;
    }
    if (draw->strike == STRIKE_SWAP) {
        return false; /* counted when there is somebody to exchange with */
    }
    http_stat_add(&m->stats.errors_injected, 1);
    struct reply r = {.strike = draw->strike, .status = 500, .json = true};
    switch (draw->strike) {
    case STRIKE_HTTP_429:
        r.status = 429;
        int n = snprintf(header, sizeof header, "Retry-After: %.0f\r\n", m->faults.retry_after_s);
        r.headers = (struct str){header, (size_t)n};
        /* fall through */
    case STRIKE_HTTP_500:
        r.body = STR("{\"error\":\"injected fault\"}");
        reply_schedule(m, op->x, &r, op->delay_ns);
        return true;
    case STRIKE_RESET:
        reply_schedule(m, op->x, &r, op->delay_ns);
        return true;
    case STRIKE_JSONRPC_ERROR:
        mock_op_error(op, -32603, "injected fault");
        break;
    case STRIKE_IS_ERROR:
        m->text.len = 0;
        buf_add_str(&m->text, STR("injected fault"));
        op->kind = OP_TEXT;
        op->is_error = true;
        op->text_escaped = false;
        break;
    case STRIKE_NONE:
    case STRIKE_CUT:
    case STRIKE_SWAP:
        break;
    }
    return false;
}

/* One answer as a body of its own. */
static void answer_whole(struct op *op, const struct fault_draw *draw)
{
    struct mock *m = op->m;
    bool sse = op->can_sse && (!op->can_json || m->shared->config.style == MOCK_STYLE_SSE);

    if (m->shared->config.style == MOCK_STYLE_JSON && op->can_json) {
        sse = false;
    }
    if (op->kind == OP_FILL) {
        fill_start(op, draw, sse);
        return;
    }
    if (op->kind == OP_TEXT) {
        add_tool_result(op);
    }
    if (op->is_tool && op->kind == OP_TEXT && draw->strike != STRIKE_CUT && !swap_take(op) &&
        draw->strike == STRIKE_SWAP) {
        swap_hold(op, sse);
        return;
    }
    reply_compose(m, op->req->id, sse);
    reply_schedule(m, op->x,
                   &(struct reply){
                       .status = 200,
                       .strike = draw->strike == STRIKE_CUT ? STRIKE_CUT : STRIKE_NONE,
                       .json = true,
                       .sse = sse,
                       .rpc = true,
                       .faulted = op->faulted,
                       .headers = op->headers,
                       .body = buf_str(&m->body),
                   },
                   op->delay_ns);
}

static void trim(struct buf *b)
{
    if (b->cap > MOCK_SCRATCH_KEEP) {
        buf_clear(b);
    }
}

void mock_answer(struct op *op)
{
    struct mock *m = op->m;
    struct fault_draw draw = {0};

    if (strike(op, &draw)) {
        return;
    }
    switch (op->kind) {
    case OP_ANSWER:
    case OP_TEXT:
    case OP_FILL:
        answer_whole(op, &draw);
        break;
    case OP_EVENTS:
        events_start(op, &draw);
        break;
    case OP_NEVER:
        mock_never(m, op->x);
        break;
    case OP_CLOSE:
    case OP_RESET:
        reply_schedule(m, op->x,
                       &(struct reply){
                           .close = true,
                           .strike = op->kind == OP_RESET ? STRIKE_RESET : STRIKE_NONE,
                       },
                       op->delay_ns);
        break;
    case OP_HTTP_429:
        mock_refuse(m, op->x, 429, STR("Retry-After: 1\r\n"), op->req->id, -32000, "rate limited");
        break;
    }
    trim(&m->text);
    trim(&m->result);
    trim(&m->body);
}
