/* SPDX-License-Identifier: MIT */
#include "mcp/client.h"
#include "mcp/scratch.h"
#include "mcp/session.h"

#include <assert.h>

enum call_state {
    CALL_IDLE,
    CALL_HELD,    /* at the gate */
    CALL_WAITING, /* for max_connections */
    CALL_DIALING,
    CALL_SENT,
    CALL_ANSWERED, /* the response was read; the stream has not ended yet */
};

enum body_mode {
    BODY_IGNORED, /* accepted notifications */
    BODY_JSON,
    BODY_SSE,
    BODY_TEXT, /* of a failed status */
};

/* ---- ends ---------------------------------------------------------------------------------- */

static struct mcp_client *client_of(const struct mcp_call *call)
{
    return call->session_->client;
}

static void send_request(struct mcp_call *call);

/* It need not wait for max_connections any more. Returns the time. */
static uint64_t end_waiting(struct mcp_call *call)
{
    uint64_t now = loop_now(client_of(call)->loop);

    if (call->state_ == CALL_WAITING) {
        call->held_ns += now - call->gate.since_ns;
        list_remove(&call->gate.node);
        list_remove(&call->node_);
    }
    return now;
}

/* It waits; its deadline goes on. */
static void wait_as(struct mcp_call *call, enum call_state state)
{
    call->state_ = (uint8_t)state;
    if (call->deadline_ns != 0) {
        loop_timer_arm(client_of(call)->loop, &call->timer_, call->deadline_ns);
    }
}

/* It has waited for a connection, and has given its permission back meanwhile. False: not yet. */
static bool passes_again(struct mcp_call *call)
{
    uint64_t now = end_waiting(call);

    if (gate_enter(&client_of(call)->gate, &call->gate, now)) {
        return true;
    }
    wait_as(call, CALL_HELD);
    return false;
}

/* A connection of the session is idle. A call of the same session that waits for permission to
 * dial needs none then, and goes first: who was served may not starve it. */
static void serve_waiting(struct mcp_session *session)
{
    if (list_empty(&session->waiting_)) {
        return;
    }
    struct mcp_call *call = list_entry(session->waiting_.next, struct mcp_call, node_);
    if (passes_again(call)) {
        call->t_dial = call->t_ready = loop_now(session->client->loop);
        call->conn_ = mcp_session_take(session);
        send_request(call);
    }
}

/* The place for a connection that was kept for it is free again. */
static void release_place(struct mcp_call *call)
{
    if (call->has_place_) {
        call->has_place_ = false;
        client_of(call)->dialing_--;
        mcp_client_admit(client_of(call));
    }
}

static void hit(const struct mcp_call *call, enum limit id)
{
    client_of(call)->limits[id]++;
}

/* What the answer had too much of. */
static void count_limits(const struct mcp_call *call)
{
    uint64_t *limits = client_of(call)->limits;

    if (call->is_stream) {
        limits[LIMIT_SSE_ID] += call->sse_.ids_ignored;
        limits[LIMIT_SSE_NAME] += call->sse_.names_cut;
    }
    if (call->answer_.msg != NULL && call->answer_.code != ERROR_CODE_NONE) {
        limits[LIMIT_ERROR_MESSAGE] += call->answer_.msg->text_cut;
    }
}

/* The owner may look at the stream while it is told: it is still silent then. */
static void end_silence(struct mcp_call *call, uint64_t now_ns)
{
    uint64_t ns = now_ns > call->silence_since_ns_ ? now_ns - call->silence_since_ns_ : 0;

    if (ns > 0 && call->events->on_silence != NULL) {
        call->events->on_silence(call, ns, now_ns);
    }
    call->silence_since_ns_ = now_ns;
}

/* Leaves the connection and tells the owner. call->answer_ is complete. */
static void finish(struct mcp_call *call, bool reusable)
{
    struct mcp_client *client = client_of(call);
    struct mcp_scratch *scratch = call->scratch_;
    struct mcp_answer answer = call->answer_;
    struct http_conn *conn = call->conn_;

    if (mcp_call_streaming(call)) {
        end_silence(call, answer.end_ns);
    }
    loop_timer_cancel(client->loop, &call->timer_);
    count_limits(call);
    call->state_ = CALL_IDLE;
    call->scratch_ = NULL;
    call->conn_ = NULL;
    if (conn != NULL) {
        call->t_send = conn->sent_ns;
        call->bytes_out += conn->bytes_out;
        call->bytes_in += conn->bytes_in;
        if (reusable) {
            mcp_session_give_back(call->session_, conn);
            serve_waiting(call->session_);
        } else {
            mcp_client_hang_up(client, conn, false);
        }
    }
    call->events->on_done(call, &answer);
    /* The answer's texts stand in the scratch: it is lent until now. */
    mcp_scratch_give_back(client, scratch);
}

static void fail_now(struct mcp_call *call, enum error_code code, const char *message)
{
    mcp_fail(&call->answer_, code, message);
    call->answer_.end_ns = loop_clock(client_of(call)->loop);
    finish(call, false);
}

/* ---- time-outs ----------------------------------------------------------------------------- */

static uint64_t stall_deadline(const struct mcp_call *call)
{
    return call->silence_since_ns_ + client_of(call)->target->stall_ns;
}

static void arm_timer(struct mcp_call *call)
{
    uint64_t at = call->request_deadline_ns_;

    if (call->is_stream && stall_deadline(call) < at) {
        at = stall_deadline(call);
    }
    loop_timer_arm(client_of(call)->loop, &call->timer_, at);
}

static const char late_text[] = "the operation was not done by its deadline";

static bool past_deadline(const struct mcp_call *call, uint64_t now_ns)
{
    return call->deadline_ns != 0 && now_ns >= call->deadline_ns;
}

/* The earlier of a limit and the operation's deadline. */
static uint64_t bounded(const struct mcp_call *call, uint64_t at_ns)
{
    return call->deadline_ns != 0 && call->deadline_ns < at_ns ? call->deadline_ns : at_ns;
}

static void time_out_dial(struct mcp_call *call)
{
    struct mcp_client *client = client_of(call);
    bool dns = dial_step(call->dial_) == DIAL_DNS;
    uint64_t now = loop_clock(client->loop);
    bool late = past_deadline(call, now) && now < call->t_dial + client->target->connect_ns;
    enum error_code code = late  ? ERROR_CODE_DEADLINE_EXCEEDED
                           : dns ? ERROR_CODE_DNS_TIMEOUT
                                 : ERROR_CODE_CONNECT_TIMEOUT;

    dial_cancel(call->dial_);
    call->dial_ = NULL;
    client->dialing_--;
    mcp_client_admit(client);
    if (!late) { /* else the attempt was given up, which says nothing of it */
        client->observer.on_connect(client->observer.owner, now - call->t_dial, code);
    }
    call->answer_.cut = true;
    call->answer_.connect_failed = true;
    fail_now(call, code,
             late  ? late_text
             : dns ? "the name was not resolved in time"
                   : "the connection was not made in time");
}

static void time_out_held(struct mcp_call *call)
{
    call->answer_.cut = true;
    call->answer_.connect_failed = true;
    fail_now(call, ERROR_CODE_DEADLINE_EXCEEDED, late_text);
}

static void on_timer(struct timer *t)
{
    struct mcp_call *call = list_entry(t, struct mcp_call, timer_);
    uint64_t now = loop_clock(client_of(call)->loop);

    switch ((enum call_state)call->state_) {
    case CALL_IDLE:
        return;
    case CALL_HELD:
        call->held_ns += now - call->gate.since_ns;
        gate_leave(&call->gate);
        release_place(call);
        time_out_held(call);
        return;
    case CALL_WAITING:
        end_waiting(call);
        time_out_held(call);
        return;
    case CALL_DIALING:
        time_out_dial(call);
        return;
    case CALL_ANSWERED:
        hit(call, LIMIT_STREAM_GRACE);
        finish(call, false); /* the response is complete, only the stream does not end */
        return;
    case CALL_SENT:
        break;
    }
    if (call->is_stream && now >= stall_deadline(call)) {
        call->silence_ns = now - call->silence_since_ns_;
        end_silence(call, stall_deadline(call)); /* our timer's lateness is none of it */
        call->answer_.cut = true;
        fail_now(call, ERROR_CODE_STREAM_STALL_TIMEOUT, "no event for the stream stall time-out");
    } else if (past_deadline(call, now)) {
        call->answer_.cut = true;
        fail_now(call, ERROR_CODE_DEADLINE_EXCEEDED, late_text);
    } else if (now >= call->request_deadline_ns_) {
        if (call->is_delete) {
            hit(call, LIMIT_GOODBYE);
        }
        call->answer_.cut = true;
        fail_now(call, ERROR_CODE_REQUEST_TIMEOUT, "no response within the request time-out");
    } else {
        arm_timer(call); /* events moved the deadline */
    }
}

/* ---- reading the answer --------------------------------------------------------------------- */

static struct mcp_scratch *need_scratch(struct mcp_call *call)
{
    if (call->scratch_ == NULL) {
        call->scratch_ = mcp_scratch_take(client_of(call));
        jsonrpc_scan_begin(call->scratch_->scan, call->id_);
        call->message_bytes_ = 0;
        if (call->capture != NULL) {
            call->capture->len = 0;
        }
    }
    return call->scratch_;
}

static void drop_scratch(struct mcp_call *call)
{
    mcp_scratch_give_back(client_of(call), call->scratch_);
    call->scratch_ = NULL;
}

/* The next bytes of the message. False: too large, and the call is over. */
static bool feed(struct mcp_call *call, struct str piece)
{
    struct mcp_scratch *scratch = need_scratch(call);

    call->message_bytes_ += piece.len;
    bool fits = call->capture == NULL || buf_add(call->capture, piece.p, piece.len) == 0;
    if (call->message_bytes_ > MCP_MESSAGE_MAX || !fits) {
        fail_now(call, ERROR_CODE_RESPONSE_TOO_LARGE,
                 fits ? "the answer is larger than this client reads"
                      : "the answer is too large to be kept for checks, nonces or metrics");
        return false;
    }
    jsonrpc_scan_feed(scratch->scan, piece.p, piece.len);
    return true;
}

static void keep_text(struct mcp_call *call, struct str piece)
{
    struct mcp_scratch *s = need_scratch(call);
    size_t room = sizeof s->text - s->text_len;
    size_t n = piece.len < room ? piece.len : room;

    memcpy(s->text + s->text_len, piece.p, n);
    s->text_len += n;
}

static void count_event(struct mcp_call *call, uint64_t now_ns)
{
    uint64_t before = call->t_last_event != 0 ? call->t_last_event : call->t_headers;

    end_silence(call, now_ns);
    call->event_count++;
    call->t_last_event = now_ns;
    if (call->t_first_event == 0) {
        call->t_first_event = now_ns;
    }
    if (call->events->on_event != NULL) {
        call->events->on_event(call, now_ns - before);
    }
}

static bool comment_ends_silence(const struct mcp_call *call)
{
    enum mcp_stall_rule rule = client_of(call)->target->stall_rule;

    return rule == MCP_STALL_ANY || (rule == MCP_STALL_AUTO && !call->expects_stream);
}

/* A complete event. False: the call is over. */
static bool take_event(struct mcp_call *call, uint64_t now_ns)
{
    const char *name = call->sse_.event_name;

    count_event(call, now_ns);
    if (name[0] != '\0' && strcmp(name, "message") != 0) {
        drop_scratch(call); /* an event of another kind carries no message for us */
        return true;
    }
    const struct jsonrpc_msg *msg = jsonrpc_scan_end(need_scratch(call)->scan);
    if (msg->kind == JSONRPC_NOT_JSON || msg->kind == JSONRPC_NOT_JSONRPC) {
        mcp_judge_message(msg, call->id_, &call->answer_);
        call->answer_.end_ns = now_ns;
        finish(call, false);
        return false;
    }
    if (mcp_is_response(msg, call->id_)) {
        mcp_judge_message(msg, call->id_, &call->answer_);
        call->answer_.end_ns = now_ns;
        call->state_ = CALL_ANSWERED;
        loop_timer_arm(client_of(call)->loop, &call->timer_, now_ns + MCP_STREAM_END_GRACE_NS);
        return true; /* the scratch stays lent: the answer points into it */
    }
    if (msg->kind == JSONRPC_RESULT || msg->kind == JSONRPC_ERROR || msg->kind == JSONRPC_BATCH) {
        call->foreign_id_ = call->foreign_id_ || msg->kind != JSONRPC_BATCH;
    }
    drop_scratch(call);
    return true;
}

static void take_sse(struct mcp_call *call, struct str body, uint64_t now_ns)
{
    const char *p = body.p, *end = body.p + body.len;
    struct str piece;

    for (;;) {
        enum sse_token token = sse_next(&call->sse_, &p, end, &piece);

        if (token == SSE_MORE) {
            return;
        }
        if (call->state_ == CALL_ANSWERED) {
            if (token == SSE_TOO_LONG) {
                finish(call, false);
                return;
            }
            continue; /* what follows the response is read for the connection's sake only */
        }
        if (token == SSE_TOO_LONG) {
            fail_now(call, ERROR_CODE_SSE_LINE_TOO_LONG, "a line of the event stream is too long");
            return;
        }
        if (token == SSE_DATA) {
            if (!feed(call, piece)) {
                return;
            }
        } else if (token == SSE_EVENT) {
            if (!take_event(call, now_ns)) {
                return;
            }
        } else if (comment_ends_silence(call)) { /* SSE_COMMENT, SSE_PRIMING */
            end_silence(call, now_ns);
        }
    }
}

/* ---- the exchange --------------------------------------------------------------------------- */

static enum body_mode choose_mode(struct mcp_call *call, const struct h1_head *head)
{
    if (head->status < 200 || head->status > 299) {
        return BODY_TEXT;
    }
    if (call->is_notification || call->is_delete) {
        return BODY_IGNORED;
    }
    struct mcp_client *client = client_of(call);
    uint64_t id = http_head_id(&client->http, head);
    if (id != 0 && id == client->json_head_id_) {
        return BODY_JSON;
    }
    const struct h1_header *type = h1_find(head, STR("content-type"));
    if (type != NULL && h1_media_type_is(type->value, STR("application/json"))) {
        client->json_head_id_ = id;
        return BODY_JSON;
    }
    if (type != NULL && h1_media_type_is(type->value, STR("text/event-stream"))) {
        return BODY_SSE;
    }
    call->bad_text_ = true;
    keep_text(call, STR("expected application/json or text/event-stream, got "));
    keep_text(call, type == NULL ? STR("no content type") : type->value);
    return BODY_IGNORED;
}

static void on_head(void *owner, const struct h1_head *head, uint64_t now_ns)
{
    struct mcp_call *call = owner;

    call->t_headers = now_ns;
    call->t_send = call->conn_->sent_ns;
    call->http_status = head->status;
    call->mode_ = (uint8_t)choose_mode(call, head);
    if (call->mode_ == BODY_SSE) {
        call->is_stream = true;
        call->silence_since_ns_ = now_ns;
        sse_init(&call->sse_);
        arm_timer(call);
        if (call->events->on_stream != NULL) {
            call->events->on_stream(call);
        }
    } else if (call->mode_ == BODY_TEXT) {
        call->via_proxy_ = client_of(call)->target->is_gateway || h1_find(head, STR("via")) != NULL;
    }
    if (call->session_->state == MCP_SESSION_OPENING && !call->is_notification) {
        const struct h1_header *id = h1_find(head, STR("mcp-session-id"));

        if (id != NULL && !mcp_session_note_id(call->session_, id->value)) {
            fail_now(call, ERROR_CODE_INVALID_HTTP, "the session id is not 1 to 256 visible ASCII");
        }
    }
}

static void on_body(void *owner, struct str piece, uint64_t now_ns)
{
    struct mcp_call *call = owner;

    switch ((enum body_mode)call->mode_) {
    case BODY_IGNORED:
        call->message_bytes_ += piece.len;
        if (call->message_bytes_ > MCP_MESSAGE_MAX) {
            fail_now(call, ERROR_CODE_RESPONSE_TOO_LARGE, "an answer without an end");
        }
        return;
    case BODY_JSON:
        (void)feed(call, piece);
        return;
    case BODY_SSE:
        take_sse(call, piece, now_ns);
        return;
    case BODY_TEXT:
        keep_text(call, piece);
        (void)feed(call, piece);
        return;
    }
}

static void judge_text(struct mcp_call *call)
{
    struct mcp_scratch *s = need_scratch(call);
    const struct jsonrpc_msg *msg = jsonrpc_scan_end(s->scan);
    struct str text = {s->text, s->text_len};

    if (msg->kind == JSONRPC_ERROR && msg->text[0] != '\0') {
        text = str_c(msg->text);
        client_of(call)->limits[LIMIT_ERROR_MESSAGE] += msg->text_cut;
    } else if (call->message_bytes_ > s->text_len) {
        hit(call, LIMIT_ERROR_BODY);
    }
    mcp_judge_status(call->http_status, call->via_proxy_, call->session_->has_id, text,
                     &call->answer_);
    if (call->is_delete && call->http_status == 405) {
        call->answer_ = (struct mcp_answer){.end_ns = call->answer_.end_ns}; /* allowed to refuse */
    }
}

/* The body is complete. */
static void judge_body(struct mcp_call *call)
{
    switch ((enum body_mode)call->mode_) {
    case BODY_IGNORED:
        if (call->bad_text_) {
            mcp_fail(&call->answer_, ERROR_CODE_UNEXPECTED_CONTENT_TYPE, NULL);
            call->answer_.message = (struct str){call->scratch_->text, call->scratch_->text_len};
        }
        return;
    case BODY_JSON:
        if (call->scratch_ == NULL) {
            mcp_fail(&call->answer_, ERROR_CODE_INVALID_JSONRPC, "the answer is empty");
            return;
        }
        mcp_judge_message(jsonrpc_scan_end(call->scratch_->scan), call->id_, &call->answer_);
        return;
    case BODY_SSE:
        if (call->foreign_id_) {
            mcp_fail(&call->answer_, ERROR_CODE_ID_MISMATCH,
                     "the stream ended with responses to other ids only");
        } else {
            mcp_fail(&call->answer_, ERROR_CODE_SSE_DISCONNECT,
                     "the stream ended without the response");
        }
        return;
    case BODY_TEXT:
        judge_text(call);
        return;
    }
}

static void on_done(void *owner, const struct http_end *end)
{
    struct mcp_call *call = owner;

    if (call->state_ == CALL_ANSWERED) {
        finish(call, end->reusable);
        return;
    }
    call->answer_.end_ns = end->now_ns;
    if (end->failure == HTTP_COMPLETE) {
        judge_body(call);
    } else if (call->is_stream && end->failure == HTTP_TRUNCATED) {
        mcp_fail(&call->answer_, ERROR_CODE_SSE_DISCONNECT,
                 "the connection was closed in the middle of the stream");
    } else {
        mcp_judge_transport(end, &call->answer_);
    }
    finish(call, end->reusable);
}

static const struct http_handler handler = {
    .on_head = on_head,
    .on_body = on_body,
    .on_done = on_done,
};

/* ---- sending -------------------------------------------------------------------------------- */

static char *put(char *out, struct str s)
{
    if (s.len > 0) {
        memcpy(out, s.p, s.len);
    }
    return out + s.len;
}

static char *put_body_length(char *out, size_t len)
{
    out = put(out, STR("Content-Length: "));
    out += str_put_u64(out, len);
    return put(out, STR("\r\n\r\n"));
}

static void send_request(struct mcp_call *call)
{
    struct mcp_session *s = call->session_;
    struct mcp_client *client = s->client;
    struct str tail = call->is_delete ? STR("") : call->events->tail(call);
    struct str head = call->events->head != NULL ? call->events->head(call) : s->head;
    struct str begin =
        call->is_notification ? STR("{\"jsonrpc\":\"2.0\"") : STR("{\"jsonrpc\":\"2.0\",\"id\":");
    char id[20];
    size_t id_len = 0;

    if (!call->is_notification && !call->is_delete) {
        call->id_ = s->next_id_++;
        id_len = str_put_u64(id, (uint64_t)call->id_);
    }
    client->out_.len = 0;
    /* Texts of a scenario are below 10 MB, so this cannot fail. */
    int rc = buf_reserve(&client->out_, head.len + s->lines_len_ + tail.len + 128);
    assert(rc == 0);
    char *out = put(client->out_.p, call->is_delete ? STR("DELETE") : STR("POST"));
    out = put(out, head);
    out = put(out, (struct str){s->lines_, s->lines_len_});
    if (call->is_delete) {
        out = put(out, STR("\r\n"));
    } else {
        out = put_body_length(out, begin.len + id_len + tail.len);
        out = put(out, begin);
        out = put(out, (struct str){id, id_len});
        out = put(out, tail);
    }
    call->state_ = CALL_SENT;
    http_conn_send(call->conn_, client->out_.p, (size_t)(out - client->out_.p), &handler, call);
    uint64_t from = call->conn_->sent_ns != 0 ? call->conn_->sent_ns : loop_clock(client->loop);
    call->request_deadline_ns_ =
        bounded(call, from + (call->is_delete ? MCP_CLOSE_TIMEOUT_NS : client->target->request_ns));
    loop_timer_arm(client->loop, &call->timer_, call->request_deadline_ns_);
}

static void on_dial(void *owner, struct stream *stream, const struct dial_failure *failure)
{
    struct mcp_call *call = owner;
    struct mcp_client *client = client_of(call);
    uint64_t now = loop_clock(client->loop);

    call->dial_ = NULL;
    client->dialing_--;
    if (stream == NULL) {
        mcp_judge_dial(failure, &call->answer_);
    }
    client->observer.on_connect(client->observer.owner, now - call->t_dial, call->answer_.code);
    if (stream == NULL) {
        call->answer_.end_ns = now;
        mcp_client_admit(client);
        finish(call, false);
        return;
    }
    call->t_ready = now;
    call->conn_ = mcp_session_adopt(call->session_, stream);
    send_request(call);
}

static void dial(struct mcp_call *call)
{
    struct mcp_client *client = client_of(call);
    uint64_t now = loop_now(client->loop);

    call->state_ = CALL_DIALING;
    call->t_dial = now;
    call->dial_ = dial_start(&client->dialer, on_dial, call);
    loop_timer_arm(client->loop, &call->timer_, bounded(call, now + client->target->connect_ns));
}

void mcp_call_admit(struct mcp_call *call)
{
    client_of(call)->dialing_++;
    call->has_place_ = !passes_again(call);
    if (!call->has_place_) {
        dial(call);
    }
}

/* ---- the call ------------------------------------------------------------------------------- */

void mcp_call_init(struct mcp_call *call, const struct mcp_call_events *events)
{
    memset(call, 0, sizeof *call);
    call->events = events;
    list_init(&call->node_);
    list_init(&call->gate.node);
    timer_init(&call->timer_, on_timer);
}

/* May it connect before those that wait for a connection? What is half done and the goodbyes may:
 * they make room. */
static bool goes_first(const struct mcp_call *call)
{
    return list_empty(&client_of(call)->waiting_) || call->is_notification || call->is_delete;
}

/* The gate has let it pass. */
static void go(struct mcp_call *call)
{
    struct mcp_client *client = client_of(call);

    call->conn_ = mcp_session_take(call->session_);
    if (call->conn_ != NULL) {
        send_request(call);
    } else if (mcp_client_may_dial(client) && goes_first(call)) {
        client->dialing_++;
        dial(call);
    } else {
        gate_give_back(&client->gate); /* a permission is for its moment */
        call->waited = true;
        call->gate.since_ns = loop_now(client->loop);
        client->held++;
        list_append(&client->waiting_, &call->gate.node);
        list_append(&call->session_->waiting_, &call->node_);
        wait_as(call, CALL_WAITING);
    }
}

static void on_permission(struct gate_wait *wait, uint64_t waited_ns)
{
    struct mcp_call *call = list_entry(wait, struct mcp_call, gate);

    loop_timer_cancel(client_of(call)->loop, &call->timer_);
    call->held_ns += waited_ns;
    if (call->has_place_) {
        call->has_place_ = false;
        dial(call);
    } else {
        go(call);
    }
}

void mcp_call_start(struct mcp_call *call, struct mcp_session *session)
{
    struct mcp_client *client = session->client;
    bool permitted = call->permitted;

    assert(call->state_ == CALL_IDLE);
    call->session_ = session;
    call->t_dial = call->t_ready = call->t_send = call->t_headers = call->t_first_event =
        call->t_last_event = 0;
    call->bytes_out = call->bytes_in = call->event_count = call->silence_ns = 0;
    call->held_ns = 0;
    call->permitted = false;
    call->http_status = 0;
    call->is_stream = call->waited = call->via_proxy_ = call->foreign_id_ = call->bad_text_ = false;
    call->message_bytes_ = 0;
    call->answer_ = (struct mcp_answer){0};
    call->gate.go = on_permission;
    call->gate.is_new = call->begins;
    call->begins = false;
    if (permitted || gate_enter(&client->gate, &call->gate, loop_now(client->loop))) {
        go(call);
    } else {
        wait_as(call, CALL_HELD);
    }
}

void mcp_call_cancel(struct mcp_call *call)
{
    if (call->state_ == CALL_IDLE) {
        return;
    }
    struct mcp_client *client = client_of(call);
    if (mcp_call_streaming(call)) {
        end_silence(call, loop_clock(client->loop));
    }
    loop_timer_cancel(client->loop, &call->timer_);
    gate_leave(&call->gate);
    end_waiting(call);
    release_place(call);
    if (call->dial_ != NULL) {
        dial_cancel(call->dial_);
        call->dial_ = NULL;
        client->dialing_--;
    }
    if (call->conn_ != NULL) {
        call->t_send = call->conn_->sent_ns;
        call->bytes_out += call->conn_->bytes_out;
        call->bytes_in += call->conn_->bytes_in;
        mcp_client_hang_up(client, call->conn_, false);
        call->conn_ = NULL;
    }
    drop_scratch(call);
    call->state_ = CALL_IDLE;
    mcp_client_admit(client);
}

bool mcp_call_running(const struct mcp_call *call)
{
    return call->state_ != CALL_IDLE;
}

bool mcp_call_held(const struct mcp_call *call)
{
    return call->state_ == CALL_HELD || call->state_ == CALL_WAITING;
}

bool mcp_call_streaming(const struct mcp_call *call)
{
    return call->state_ == CALL_SENT && call->is_stream;
}

uint64_t mcp_call_silent_since(const struct mcp_call *call)
{
    return call->silence_since_ns_;
}
