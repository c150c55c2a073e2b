/* SPDX-License-Identifier: MIT */
/*
 * The fault swap_answers: two clients get each other's result, each under its own request's id, so
 * that nothing but the content is wrong. Servers that keep an answer's text in a place shared by
 * all requests do this.
 *
 * A struck answer is held until the next tool call of another client on the same thread is
 * answered. One is held at a time; without a second client it leaves unchanged after a while.
 */
#include "mock/answers/answer.h"
#include "mock/answers/call.h"

enum { SWAP_HOLD_MS = 100 };

static bool same_client(const struct call *call, const struct op *op)
{
    if (!call->held.has_session || !op->has_session) {
        return false; /* an exchange occupies its connection, so two of them are two clients */
    }
    return call->held.session.hi == op->session.hi && call->held.session.lo == op->session.lo;
}

/* The held answer leaves with m->result, not before it is due. */
static void release(struct call *call)
{
    struct mock *m = call->m;
    struct http_exchange *x = call->x;
    uint64_t now = loop_clock(m->loop);
    uint64_t delay_ns = call->held.due_ns > now ? call->held.due_ns - now : 0;
    bool sse = call->held.sse;

    reply_compose(m, call->held.id, sse);
    call_free(call);
    reply_schedule(m, x,
                   &(struct reply){
                       .status = 200,
                       .json = true,
                       .sse = sse,
                       .rpc = true,
                       .faulted = true,
                       .body = buf_str(&m->body),
                   },
                   delay_ns);
}

void swap_hold(struct op *op, bool sse)
{
    struct mock *m = op->m;
    struct str id = op->req->id, result = buf_str(&m->result);
    size_t at = 0;

    struct call *call = call_new(m, op->x, CALL_HELD, id.len + result.len);
    uint64_t now = loop_clock(m->loop);
    call->held.id = call_put_text(call, &at, id);
    call->held.result = call_put_text(call, &at, result);
    call->held.due_ns = now + op->delay_ns;
    call->held.session = op->session;
    call->held.has_session = op->has_session;
    call->held.sse = sse;
    if (m->held == NULL) {
        m->held = call;
        call_arm(call, now + SWAP_HOLD_MS * NS_PER_MS);
    } else {
        call_arm(call, now); /* the client whose answer is held has sent a second request */
    }
}

bool swap_take(struct op *op)
{
    struct mock *m = op->m;
    struct call *call = m->held;

    if (call == NULL || same_client(call, op)) {
        return false;
    }
    /* m->text has done its work: op's own result stays there while m->result is the other's. */
    m->text.len = 0;
    buf_add_str(&m->text, call->held.result);
    release(call);
    m->result.len = 0;
    buf_add_str(&m->result, buf_str(&m->text));
    http_stat_add(&m->stats.errors_injected, 2);
    http_stat_add(&m->stats.answers_swapped, 2);
    return true;
}

void swap_give_up(struct call *call)
{
    struct mock *m = call->m;

    m->result.len = 0;
    buf_add_str(&m->result, call->held.result);
    release(call);
}
