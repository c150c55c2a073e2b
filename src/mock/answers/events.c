/* SPDX-License-Identifier: MIT */
/* Streams of events: exact times, many events in one write when they are due together. */
#include "base/json.h"
#include "mock/answers/answer.h"
#include "mock/answers/call.h"

enum { EVENT_MAX = 512 + REQUEST_ID_MAX };

static char *put(char *p, struct str s)
{
    memcpy(p, s.p, s.len);
    return p + s.len;
}

static char *put_number(char *p, uint64_t v)
{
    return p + str_put_u64(p, v);
}

/* The parts of an event around its number are the same for a whole batch. */
struct event_parts {
    char head[EVENT_MAX], tail[EVENT_MAX];
    size_t head_len, tail_len;
    bool numbered_id; /* "id: i" stands before the rest */
};

static void make_parts(const struct call *call, struct event_parts *parts)
{
    char *p = parts->head, *q = parts->tail;
    bool notification = call->events.form == EVENT_NOTIFICATION;

    if (call->events.form == EVENT_PROGRESS) {
        p = put(p, STR("event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                       "progress\",\"params\":{\"progressToken\":"));
        p = put(p, call->events.token);
        p = put(p, STR(",\"progress\":"));
        q = put(q, STR(",\"total\":"));
        q = put_number(q, call->events.total);
        q = put(q, STR("}}\n\n"));
    } else {
        p = put(p, notification ? STR("event: notification\ndata: {\"event\":")
                                : STR("event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":"
                                      "\"notifications/message\",\"params\":{\"level\":\"info\","
                                      "\"logger\":\"mock\",\"data\":{\"event\":"));
        q = put(q, STR(",\"total\":"));
        q = put_number(q, call->events.total);
        q = put(q, STR(",\"ts_ms\":"));
        q = put_number(q, clock_wall_ms());
        q = put(q, notification ? STR("}\n\n") : STR("}}}\n\n"));
    }
    parts->numbered_id = notification;
    parts->head_len = (size_t)(p - parts->head);
    parts->tail_len = (size_t)(q - parts->tail);
}

/* Event i, 1-based, appended; there is room. */
static void add_event(struct buf *out, const struct event_parts *parts, uint32_t i)
{
    char *p = out->p + out->len;

    if (parts->numbered_id) {
        p = put(p, STR("id: "));
        p = put_number(p, i);
        *p++ = '\n';
    }
    p = put(p, (struct str){parts->head, parts->head_len});
    p = put_number(p, i);
    p = put(p, (struct str){parts->tail, parts->tail_len});
    out->len = (size_t)(p - out->p);
}

static void add_final(struct buf *out, const struct call *call)
{
    if (call->events.form == EVENT_NOTIFICATION) {
        buf_add_str(out, STR("event: complete\ndata: {\"total\":"));
        buf_printf(out, "%u}\n\n", call->events.total);
        return;
    }
    buf_add_str(out, STR("event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":"));
    buf_add_str(out, call->events.id);
    buf_add_str(out, STR(",\"result\":{\"content\":[{\"type\":\"text\",\"text\":"));
    json_add_string(out, call->events.final);
    buf_add_str(out, STR("}]}}\n\n"));
}

/* How many of the remaining events may leave now. */
static uint32_t events_due(const struct call *call)
{
    uint64_t now = loop_now(call->m->loop), due = call->events.total;
    uint32_t limit = call->events.total;

    if (call->events.interval_ns > 0) {
        due = now < call->events.start_ns
                  ? 0
                  : (now - call->events.start_ns) / call->events.interval_ns + 1;
    }
    if (call->cut) {
        limit = (call->events.total + 1) / 2;
    }
    if (call->events.stall_at < limit) {
        limit = call->events.stall_at;
    }
    return (uint32_t)(due < limit ? due : limit);
}

/* Appends due events to the batch until it is full; true when more are due. */
static bool fill_batch(struct call *call, struct buf *batch)
{
    struct event_parts parts = {.head_len = 0};
    uint32_t due = events_due(call);

    batch->len = 0;
    buf_reserve(batch, CALL_BATCH_BYTES + 2 * EVENT_MAX);
    if (call->events.next < due) {
        make_parts(call, &parts);
    }
    while (call->events.next < due && batch->len < CALL_BATCH_BYTES) {
        add_event(batch, &parts, ++call->events.next);
        http_stat_add(&call->m->stats.events_sent, 1);
    }
    return call->events.next < due;
}

/* After all that is due: what comes next, and when. */
static void rest_events(struct call *call)
{
    struct mock *m = call->m;

    if (call->events.next >= call->events.stall_at) {
        return; /* silent, and open, until the client leaves */
    }
    loop_send_arm(m->loop, &call->send,
                  call->events.start_ns + call->events.next * call->events.interval_ns);
}

static bool events_done(const struct call *call)
{
    return call->events.next == call->events.total && call->events.stall_at > call->events.total;
}

/* Sends what is due until the socket is full or others must have their turn. */
void events_run(struct call *call)
{
    struct mock *m = call->m;
    bool more = true, done = false;

    if (!call->begun) {
        call->begun = true;
        call_dribble(m, call->x);
        call_begin_sse(m, call->x, HTTP_LENGTH_UNKNOWN);
    }
    for (int i = 0; more && i < CALL_TURN_BATCHES; i++) {
        more = fill_batch(call, &m->body);
        done = !more && events_done(call) && !call->cut;
        if (done) {
            add_final(&m->body, call);
            http_stat_add(&m->stats.events_sent, 1);
            http_stat_add(&m->stats.responses, call->events.form != EVENT_NOTIFICATION);
        }
        if (m->body.len > 0 && http_stream_write(call->x, buf_str(&m->body)) != HTTP_WRITE_SENT &&
            !done) {
            call->full = true;
            return;
        }
    }
    if (done) {
        call_end(call);
    } else if (more) {
        call_arm(call, loop_clock(m->loop));
    } else if (call->cut && call->events.next >= (call->events.total + 1) / 2) {
        call_cut(call);
    } else {
        rest_events(call);
    }
}

void events_start(struct op *op, const struct fault_draw *draw)
{
    struct mock *m = op->m;
    const struct mock_request *req = op->req;
    size_t bytes = req->id.len + req->progress_token.len + m->text.len, at = 0;
    struct call *call = call_new(m, op->x, CALL_EVENTS, bytes);
    double stall = m->faulty ? m->faults.stall_after_events : 0;

    call->sse = true;
    call->cut = draw->strike == STRIKE_CUT;
    call->events.id = call_put_text(call, &at, req->id);
    call->events.token = call_put_text(call, &at, req->progress_token);
    call->events.final = call_put_text(call, &at, buf_str(&m->text));
    call->events.form = req->progress_token.len > 0 ? EVENT_PROGRESS : EVENT_MESSAGE;
    call->events.total = op->event_count;
    call->events.interval_ns = op->interval_ns;
    call->events.stall_at = stall > 0 && stall <= op->event_count ? (uint32_t)stall : UINT32_MAX;
    call->events.start_ns = loop_clock(m->loop) + op->delay_ns;
    if (call->events.stall_at != UINT32_MAX) {
        http_stat_add(&m->stats.errors_injected, 1);
    }
    if (op->delay_ns == 0 && call_may_run(m)) {
        events_run(call);
    } else {
        call_arm(call, call->events.start_ns);
    }
}

void mock_notify(struct mock *m, struct http_exchange *x, uint32_t count, uint64_t interval_ns)
{
    struct call *call = call_new(m, x, CALL_EVENTS, 0);

    call->sse = true;
    call->events.form = EVENT_NOTIFICATION;
    call->events.total = count;
    call->events.interval_ns = interval_ns;
    call->events.stall_at = UINT32_MAX;
    call->events.start_ns = loop_clock(m->loop);
    call_arm(call, call->events.start_ns);
}
