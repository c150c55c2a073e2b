/* SPDX-License-Identifier: MIT */
/*
 * How an answer leaves. One that is due now, and whole, is written from the thread's scratch
 * buffers without any allocation. Everything else becomes a `struct call`, which lives until the
 * exchange is over: an answer that waits for its time, a stream of events, a large text, silence.
 *
 * Times are exact: a call sits in the loop's heap of sends, event i of a stream is due at
 * start + i · interval, whatever happened to the one before.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "mock/mock_priv.h"

#include <stdio.h>

enum {
    BATCH_BYTES = 64 * 1024, /* events written at once */
    TURN_BATCHES = 4,        /* of one stream, before others have their turn */
    EVENT_MAX = 512 + REQUEST_ID_MAX,
    FROZEN_LOOK_MS = 10,
    NEVER_MS = 600000,
    SWEEP_MS = 100,
};

enum call_kind { CALL_REPLY, CALL_EVENTS, CALL_FILL, CALL_NEVER, CALL_LISTEN };

/* What a stream's events look like. */
enum event_form { EVENT_MESSAGE, EVENT_PROGRESS, EVENT_NOTIFICATION };

struct reply {
    int status;
    enum fault_strike strike; /* CUT and RESET break it */
    bool sse, json;
    bool rpc;     /* a JSON-RPC response: counted */
    bool faulted; /* may be dribbled */
    bool close;   /* the connection is closed instead of any answer */
    struct str headers;
    struct str body;
};

struct call {
    struct send send;
    struct http_exchange *x;
    struct mock *m;
    enum call_kind kind;
    bool begun; /* CALL_EVENTS, CALL_FILL, CALL_LISTEN: the head is sent */
    bool sse;
    bool full; /* the socket does not take more: on_drain */
    bool cut;  /* breaks off half way */
    union {
        struct reply reply;
        struct {
            uint64_t start_ns, interval_ns;
            uint32_t total, next; /* events before the last one; of these, sent */
            uint32_t stall_at;    /* silent from there on; UINT32_MAX: never */
            enum event_form form;
            struct str id, token, final; /* in text[] */
        } events;
        struct {
            uint64_t left;
            struct str head, tail; /* in text[] */
            uint64_t cut_left;     /* breaks off when so much is left */
        } fill;
        struct {
            struct mock_session_id id;
            struct list node; /* of m->listeners */
            bool attached;
        } listen;
    };
    char text[];
};

static const struct str type_json = STR_INIT("application/json");
static const struct str type_sse = STR_INIT("text/event-stream");
static const struct str sse_headers = STR_INIT("Cache-Control: no-store\r\n");

/* ---- life of a call ----------------------------------------------------------------------- */

static void on_due(struct send *send);

static struct call *
make_call(struct mock *m, struct http_exchange *x, enum call_kind kind, size_t text_bytes)
{
    struct call *call = xmalloc(sizeof *call + text_bytes);

    memset(call, 0, sizeof *call);
    send_init(&call->send, on_due);
    call->m = m;
    call->x = x;
    call->kind = kind;
    x->user = call;
    return call;
}

static struct str put_text(struct call *call, size_t *at, struct str s)
{
    struct str out = {call->text + *at, s.len};

    if (s.len > 0) {
        memcpy(call->text + *at, s.p, s.len);
    }
    *at += s.len;
    return out;
}

static void count_stream_end(struct mock *m)
{
    http_stat_add(&m->stats.streams_closed, 1);
}

static void free_call(struct call *call)
{
    struct mock *m = call->m;

    loop_send_cancel(m->loop, &call->send);
    if (call->sse && call->begun) {
        count_stream_end(m);
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
        free_call(x->user);
    }
}

/* Until when nothing may be answered; 0 when the mock is not frozen. */
static uint64_t frozen_until(const struct mock *m)
{
    uint64_t until = atomic_load_explicit(&m->shared->frozen_until_ns, memory_order_relaxed);

    return until > loop_now(m->loop) ? until : 0;
}

/* ---- whole answers ------------------------------------------------------------------------ */

static void begin_stream(struct mock *m, struct http_exchange *x, int64_t length)
{
    http_stat_add(&m->stats.streams_opened, 1);
    http_stream_begin(
        x, &(struct http_answer){.status = 200, .content_type = type_sse, .headers = sse_headers},
        length);
}

static void dribble(const struct mock *m, struct http_exchange *x)
{
    if (m->faulty && m->faults.dribble_bytes > 0) {
        http_pace(x, (size_t)m->faults.dribble_bytes,
                  (uint64_t)(m->faults.dribble_delay_ms * (double)NS_PER_MS));
    }
}

/* Announces the whole body and sends half of it. */
static void send_half(struct mock *m, struct http_exchange *x, const struct reply *r)
{
    struct str half = {r->body.p, r->body.len / 2};
    struct http_answer answer = {
        .status = r->status, .content_type = type_json, .headers = r->headers};

    if (r->sse) {
        begin_stream(m, x, HTTP_LENGTH_UNKNOWN);
        count_stream_end(m);
    } else {
        http_stream_begin(x, &answer, (int64_t)r->body.len);
    }
    http_stream_write(x, half);
    http_abort(x, false);
}

static void send_reply(struct mock *m, struct http_exchange *x, const struct reply *r)
{
    x->user = NULL;
    if (r->close || r->strike == STRIKE_RESET) {
        http_abort(x, r->strike == STRIKE_RESET);
        return;
    }
    if (r->faulted) {
        dribble(m, x);
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
        count_stream_end(m);
        http_stat_add(&m->stats.events_sent, 1);
    }
    http_reply(x, &(struct http_answer){
                      .status = r->status,
                      .content_type = r->sse    ? type_sse
                                      : r->json ? type_json
                                                : (struct str){0},
                      .headers = r->headers,
                      .body = r->body,
                  });
}

/* Now, or `delay_ns` after the request came. */
static void
schedule_reply(struct mock *m, struct http_exchange *x, const struct reply *r, uint64_t delay_ns)
{
    if (delay_ns == 0 && frozen_until(m) == 0) {
        send_reply(m, x, r);
        return;
    }
    struct call *call = make_call(m, x, CALL_REPLY, r->headers.len + r->body.len);
    size_t at = 0;
    call->reply = *r;
    call->reply.headers = put_text(call, &at, r->headers);
    call->reply.body = put_text(call, &at, r->body);
    loop_send_arm(m->loop, &call->send, loop_clock(m->loop) + delay_ns);
}

/* ---- streams of events -------------------------------------------------------------------- */

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
    struct event_parts parts;
    uint32_t due = events_due(call);

    batch->len = 0;
    buf_reserve(batch, BATCH_BYTES + 2 * EVENT_MAX);
    if (call->events.next < due) {
        make_parts(call, &parts);
    }
    while (call->events.next < due && batch->len < BATCH_BYTES) {
        add_event(batch, &parts, ++call->events.next);
        http_stat_add(&call->m->stats.events_sent, 1);
    }
    return call->events.next < due;
}

static void end_events(struct call *call)
{
    struct http_exchange *x = call->x;

    free_call(call);
    x->user = NULL;
    http_stream_end(x);
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

static void cut_call(struct call *call)
{
    struct http_exchange *x = call->x;

    free_call(call);
    x->user = NULL;
    http_abort(x, false);
}

static bool events_done(const struct call *call)
{
    return call->events.next == call->events.total && call->events.stall_at > call->events.total;
}

/* Sends what is due until the socket is full or others must have their turn. */
static void run_events(struct call *call)
{
    struct mock *m = call->m;
    bool more = true, done = false;

    if (!call->begun) {
        call->begun = true;
        dribble(m, call->x);
        begin_stream(m, call->x, HTTP_LENGTH_UNKNOWN);
    }
    for (int i = 0; more && i < TURN_BATCHES; i++) {
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
        end_events(call);
    } else if (more) {
        loop_send_arm(m->loop, &call->send, loop_clock(m->loop));
    } else if (call->cut && call->events.next >= (call->events.total + 1) / 2) {
        cut_call(call);
    } else {
        rest_events(call);
    }
}

static void start_events(struct op *op, const struct fault_draw *draw)
{
    struct mock *m = op->m;
    const struct mock_request *req = op->req;
    size_t bytes = req->id.len + req->progress_token.len + m->text.len, at = 0;
    struct call *call = make_call(m, op->x, CALL_EVENTS, bytes);
    double stall = m->faulty ? m->faults.stall_after_events : 0;

    call->sse = true;
    call->cut = draw->strike == STRIKE_CUT;
    call->events.id = put_text(call, &at, req->id);
    call->events.token = put_text(call, &at, req->progress_token);
    call->events.final = put_text(call, &at, buf_str(&m->text));
    call->events.form = req->progress_token.len > 0 ? EVENT_PROGRESS : EVENT_MESSAGE;
    call->events.total = op->event_count;
    call->events.interval_ns = op->interval_ns;
    call->events.stall_at = stall > 0 && stall <= op->event_count ? (uint32_t)stall : UINT32_MAX;
    call->events.start_ns = loop_clock(m->loop) + op->delay_ns;
    if (call->events.stall_at != UINT32_MAX) {
        http_stat_add(&m->stats.errors_injected, 1);
    }
    if (op->delay_ns == 0 && frozen_until(m) == 0) {
        run_events(call);
    } else {
        loop_send_arm(m->loop, &call->send, call->events.start_ns);
    }
}

void mock_notify(struct mock *m, struct http_exchange *x, uint32_t count, uint64_t interval_ns)
{
    struct call *call = make_call(m, x, CALL_EVENTS, 0);

    call->sse = true;
    call->events.form = EVENT_NOTIFICATION;
    call->events.total = count;
    call->events.interval_ns = interval_ns;
    call->events.stall_at = UINT32_MAX;
    call->events.start_ns = loop_clock(m->loop);
    loop_send_arm(m->loop, &call->send, call->events.start_ns);
}

/* ---- large texts -------------------------------------------------------------------------- */

/* One letter, many times; filled once. */
static char letters[BATCH_BYTES];
static pthread_once_t letters_once = PTHREAD_ONCE_INIT;

static void fill_letters(void)
{
    memset(letters, 'a', sizeof letters);
}

static void begin_fill(struct call *call)
{
    struct http_answer answer = {.status = 200, .content_type = type_json};
    uint64_t length = call->fill.head.len + call->fill.left + call->fill.tail.len;

    call->begun = true;
    dribble(call->m, call->x);
    if (call->sse) {
        begin_stream(call->m, call->x, (int64_t)length);
    } else {
        http_stream_begin(call->x, &answer, (int64_t)length);
    }
    call->full = http_stream_write(call->x, call->fill.head) != HTTP_WRITE_SENT;
}

static void end_fill(struct call *call)
{
    struct http_exchange *x = call->x;
    struct mock *m = call->m;

    http_stat_add(&m->stats.responses, 1);
    http_stat_add(&m->stats.events_sent, call->sse);
    http_stream_write(x, call->fill.tail);
    free_call(call);
    x->user = NULL;
    http_stream_end(x);
}

static void run_fill(struct call *call)
{
    if (!call->begun) {
        begin_fill(call);
    }
    for (int i = 0; !call->full && call->fill.left > call->fill.cut_left; i++) {
        uint64_t left = call->fill.left - call->fill.cut_left;
        size_t n = left < sizeof letters ? (size_t)left : sizeof letters;

        if (i == TURN_BATCHES) {
            loop_send_arm(call->m->loop, &call->send, loop_clock(call->m->loop));
            return;
        }
        call->full = http_stream_write(call->x, (struct str){letters, n}) != HTTP_WRITE_SENT;
        call->fill.left -= n;
    }
    if (call->fill.left > call->fill.cut_left) {
        return; /* on_drain goes on */
    }
    if (call->cut) {
        cut_call(call);
    } else if (!call->full) {
        end_fill(call);
    }
}

static void start_fill(struct op *op, const struct fault_draw *draw, bool sse)
{
    struct mock *m = op->m;
    struct buf *head = &m->body;
    struct str tail = sse ? STR("\"}]}}\n\n") : STR("\"}]}}");
    size_t at = 0;

    pthread_once(&letters_once, fill_letters);
    head->len = 0;
    buf_add_c(head, sse ? "event: message\ndata: " : "");
    buf_add_str(head, STR("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_add_str(head, op->req->id);
    buf_add_str(head, STR(",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\""));
    struct call *call = make_call(m, op->x, CALL_FILL, head->len + tail.len);
    call->sse = sse;
    call->cut = draw->strike == STRIKE_CUT;
    call->fill.left = op->fill_bytes;
    call->fill.cut_left = call->cut ? op->fill_bytes / 2 : 0;
    call->fill.head = put_text(call, &at, buf_str(head));
    call->fill.tail = put_text(call, &at, tail);
    if (op->delay_ns == 0 && frozen_until(m) == 0) {
        run_fill(call);
    } else {
        loop_send_arm(m->loop, &call->send, loop_clock(m->loop) + op->delay_ns);
    }
}

/* ---- silence ------------------------------------------------------------------------------ */

static void never(struct mock *m, struct http_exchange *x)
{
    struct call *call = make_call(m, x, CALL_NEVER, 0);

    loop_send_arm(m->loop, &call->send, loop_clock(m->loop) + NEVER_MS * NS_PER_MS);
}

void mock_listen(struct mock *m, struct http_exchange *x, const struct mock_session_id *id)
{
    struct call *call = make_call(m, x, CALL_LISTEN, 0);

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
    begin_stream(m, call->x, HTTP_LENGTH_UNKNOWN);
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
                end_events(call);
            }
        }
    }
    if (!list_empty(&m->listeners)) {
        loop_send_arm(m->loop, &m->sweep, now + SWEEP_MS * NS_PER_MS);
    }
}

/* ---- running ------------------------------------------------------------------------------ */

static void run_call(struct call *call)
{
    struct http_exchange *x = call->x;

    switch (call->kind) {
    case CALL_REPLY:
        send_reply(call->m, x, &call->reply);
        free_call(call);
        break;
    case CALL_EVENTS:
        run_events(call);
        break;
    case CALL_FILL:
        run_fill(call);
        break;
    case CALL_NEVER:
        cut_call(call);
        break;
    case CALL_LISTEN:
        run_listen(call);
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

static void compose(struct mock *m, struct str id, bool sse)
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

void mock_op_error(struct op *op, int code, const char *fmt, ...)
{
    struct buf *out = &op->m->result, *text = &op->m->text;
    va_list ap;

    text->len = 0;
    va_start(ap, fmt);
    buf_vprintf(text, fmt, ap);
    va_end(ap);
    out->len = 0;
    buf_printf(out, "\"error\":{\"code\":%d,\"message\":", code);
    json_add_string(out, buf_str(text));
    buf_add(out, "}", 1);
    op->kind = OP_ANSWER;
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
    compose(m, id, false);
    schedule_reply(
        m, x,
        &(struct reply){
            .status = status, .json = true, .headers = headers, .body = buf_str(&m->body)},
        0);
}

void mock_accepted(struct mock *m, struct http_exchange *x, int status)
{
    schedule_reply(m, x, &(struct reply){.status = status}, 0);
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
        schedule_reply(m, op->x, &r, op->delay_ns);
        return true;
    case STRIKE_RESET:
        schedule_reply(m, op->x, &r, op->delay_ns);
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
        start_fill(op, draw, sse);
        return;
    }
    if (op->kind == OP_TEXT) {
        add_tool_result(op);
    }
    compose(m, op->req->id, sse);
    schedule_reply(m, op->x,
                   &(struct reply){
                       .status = 200,
                       .strike = draw->strike,
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
        start_events(op, &draw);
        break;
    case OP_NEVER:
        never(m, op->x);
        break;
    case OP_CLOSE:
    case OP_RESET:
        schedule_reply(m, op->x,
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
