/* SPDX-License-Identifier: MIT */
#include "mock/answers/call.h"

#include "base/mem.h"
#include "mock/answers/answer.h"

enum {
    FROZEN_LOOK_MS = 10,
    NEVER_MS = 600000,
    SWEEP_MS = 100,
};

/* ---- life of a call ----------------------------------------------------------------------- */

static void on_due(struct send *send);

struct call *
call_new(struct mock *m, struct http_exchange *x, enum call_kind kind, size_t text_bytes)
{
    struct call *call = xmalloc(sizeof *call + text_bytes);

    memset(call, 0, sizeof *call);
    send_init(&call->send, on_due);
    call->m = m;
    call->x = x;
    call->kind = kind;
    x->user = call;
    http_stat_add(&m->stats.calls_opened, 1);
    return call;
}

struct str call_put_text(struct call *call, size_t *at, struct str s)
{
    struct str out = {call->text + *at, s.len};

    if (s.len > 0) {
        memcpy(call->text + *at, s.p, s.len);
    }
    *at += s.len;
    return out;
}

void call_free(struct call *call)
{
    struct mock *m = call->m;

    loop_send_cancel(m->loop, &call->send);
    http_stat_add(&m->stats.calls_closed, 1);
    if (m->held == call) {
        m->held = NULL;
    }
    if (call->sse && call->begun) {
        http_stat_add(&m->stats.streams_closed, 1);
    }
    if (call->kind == CALL_LISTEN) {
        list_remove(&call->listen.node);
        if (call->listen.attached) {
            mock_sessions_detach(m->shared->sessions, call->listen.id);
        }
    }
    xfree(call);
}

void mock_on_gone(struct http_exchange *x)
{
    if (x->user != NULL) {
        call_free(x->user);
    }
}

/* Until when nothing may be answered; 0 when the mock is not frozen. */
static uint64_t frozen_until(const struct mock *m)
{
    uint64_t until = atomic_load_explicit(&m->shared->frozen_until_ns, memory_order_relaxed);

    return until > loop_now(m->loop) ? until : 0;
}

bool call_may_run(const struct mock *m)
{
    return frozen_until(m) == 0;
}

void call_arm(struct call *call, uint64_t at_ns)
{
    loop_send_arm(call->m->loop, &call->send, at_ns);
}

void call_begin_sse(struct mock *m, struct http_exchange *x, int64_t length)
{
    http_stat_add(&m->stats.streams_opened, 1);
    http_stream_begin(x,
                      &(struct http_answer){.status = 200,
                                            .content_type = STR("text/event-stream"),
                                            .headers = STR("Cache-Control: no-store\r\n")},
                      length);
}

void call_dribble(const struct mock *m, struct http_exchange *x)
{
    if (m->faulty && m->faults.dribble_bytes > 0) {
        http_pace(x, (size_t)m->faults.dribble_bytes,
                  (uint64_t)(m->faults.dribble_delay_ms * (double)NS_PER_MS));
    }
}

void call_end(struct call *call)
{
    struct http_exchange *x = call->x;

    call_free(call);
    x->user = NULL;
    http_stream_end(x);
}

void call_cut(struct call *call)
{
    struct http_exchange *x = call->x;

    call_free(call);
    x->user = NULL;
    http_abort(x, false);
}

/* ---- silence ------------------------------------------------------------------------------ */

void mock_never(struct mock *m, struct http_exchange *x)
{
    struct call *call = call_new(m, x, CALL_NEVER, 0);

    loop_send_arm(m->loop, &call->send, loop_clock(m->loop) + NEVER_MS * NS_PER_MS);
}

void mock_listen(struct mock *m, struct http_exchange *x, const struct mock_session_id *id)
{
    struct call *call = call_new(m, x, CALL_LISTEN, 0);

    call->sse = true;
    list_init(&call->listen.node);
    if (id != NULL) {
        call->listen.id = *id;
        call->listen.attached = true;
    }
    loop_send_arm(m->loop, &call->send, loop_clock(m->loop));
}

static void run_listen(struct call *call)
{
    struct mock *m = call->m;

    call->begun = true;
    call_begin_sse(m, call->x, HTTP_LENGTH_UNKNOWN);
    if (call->listen.attached) {
        list_append(&m->listeners, &call->listen.node);
        if (!send_armed(&m->sweep)) {
            loop_send_arm(m->loop, &m->sweep, loop_clock(m->loop) + SWEEP_MS * NS_PER_MS);
        }
    }
}

/* A session may be ended over a connection of another thread: its server stream ends soon after. */
void mock_on_sweep(struct send *send)
{
    struct mock *m = list_entry(send, struct mock, sweep);
    uint64_t now = loop_now(m->loop);
    uint64_t ended = mock_sessions_ended(m->shared->sessions);
    bool expiring = m->shared->config.session_ttl_ns > 0;

    if (ended != m->sessions_ended || expiring) {
        m->sessions_ended = ended;
        list_foreach_safe (node, &m->listeners) {
            struct call *call = list_entry(node, struct call, listen.node);

            if (!mock_sessions_alive(m->shared->sessions, call->listen.id, now)) {
                call_end(call);
            }
        }
    }
    if (!list_empty(&m->listeners)) {
        loop_send_arm(m->loop, &m->sweep, now + SWEEP_MS * NS_PER_MS);
    }
}

/* ---- running ------------------------------------------------------------------------------ */

/* A test that takes the mock's latency for the truth must be able to see how true it was. */
static void note_lateness(const struct call *call)
{
    struct mock *m = call->m;
    uint64_t now = loop_clock(m->loop);
    uint64_t late = now > call->send.at_ns ? now - call->send.at_ns : 0;

    http_stat_add(&m->stats.timed_answers, 1);
    http_stat_add(&m->stats.timed_late_50us, late > 50 * NS_PER_US);
    http_stat_add(&m->stats.timed_late_1ms, late > NS_PER_MS);
}

static void run_call(struct call *call)
{
    struct http_exchange *x = call->x;

    switch (call->kind) {
    case CALL_REPLY:
        note_lateness(call);
        reply_send(call->m, x, &call->reply);
        call_free(call);
        break;
    case CALL_EVENTS:
        events_run(call);
        break;
    case CALL_FILL:
        fill_run(call);
        break;
    case CALL_NEVER:
        call_cut(call);
        break;
    case CALL_LISTEN:
        run_listen(call);
        break;
    case CALL_HELD:
        swap_give_up(call);
        break;
    }
}

static void on_due(struct send *send)
{
    struct call *call = list_entry(send, struct call, send);
    uint64_t frozen = frozen_until(call->m);

    if (frozen > 0) {
        uint64_t look = loop_now(call->m->loop) + FROZEN_LOOK_MS * NS_PER_MS;
        loop_send_arm(call->m->loop, send, frozen < look ? frozen : look);
    } else {
        run_call(call);
    }
}

void mock_on_drain(struct http_exchange *x)
{
    struct call *call = x->user;

    if (call != NULL && call->full) {
        call->full = false;
        /* By way of the heap: a frozen mock does not go on. */
        loop_send_arm(call->m->loop, &call->send, loop_now(call->m->loop));
    }
}
