/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "engine/shard_priv.h"

#include <assert.h>

enum { LIST_PAGES_MAX = 1000 }; /* of one list operation */

static void slot_due(struct slot *slot, uint64_t due_ns);

static const struct plan_operation *operation_of(const struct slot *slot)
{
    return &slot->vu->shard->plan->operations[slot->operation];
}

/* ---- the request ---------------------------------------------------------------------------- */

static struct plan_values values_of(const struct slot *slot)
{
    const struct shard *s = slot->vu->shard;

    return (struct plan_values){
        .stage_id = s->plan->stages[slot->stage].config->stage_id,
        .vu = slot->vu->index,
        .op_seq = slot->n,
        .token = slot->token,
        .cursor = slot->cursor,
    };
}

static struct str write_text(const struct slot *slot, const struct plan_text *text, struct buf *out)
{
    struct plan_values values = values_of(slot);

    out->len = 0;
    int rc = plan_text_write(slot->vu->shard->plan, text, &values, out);
    assert(rc == 0); /* a scenario's texts are bounded */
    return buf_str(out);
}

static struct str call_tail(struct mcp_call *call)
{
    struct slot *slot = list_entry(call, struct slot, call);
    const struct plan_operation *op = operation_of(slot);

    if (op->tail.is_static) {
        return op->tail.parts[0].text;
    }
    return write_text(slot, &op->tail, &slot->vu->shard->tail);
}

static struct str call_head(struct mcp_call *call)
{
    struct slot *slot = list_entry(call, struct slot, call);
    struct shard *s = slot->vu->shard;

    return s->head_varies ? write_text(slot, &s->plan->head, &s->head) : slot->vu->head;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void stream_over(struct slot *slot)
{
    if (slot->streaming) {
        slot->streaming = false;
        slot->vu->shard->stream_count--;
    }
}

static void on_stream(struct mcp_call *call)
{
    struct slot *slot = list_entry(call, struct slot, call);
    struct shard *s = slot->vu->shard;

    if (!slot->had_stream) {
        slot->had_stream = true;
        window_stream_started(shard_window(s, call->t_headers), slot->key);
    }
    slot->streaming = true;
    s->stream_count++;
}

static void on_event(struct mcp_call *call, uint64_t gap_ns)
{
    struct slot *slot = list_entry(call, struct slot, call);
    struct window *w = shard_window(slot->vu->shard, call->t_last_event);

    window_event(w, slot->key, gap_ns);
    if (slot->t_first_event == 0) {
        slot->t_first_event = call->t_first_event;
        window_first_event(w, slot->key, call->t_first_event - call->t_send);
    }
}

static enum outcome_class class_of(const struct mcp_answer *answer)
{
    if (answer->code == ERROR_CODE_NONE) {
        return OUTCOME_OK;
    }
    return answer->cut ? OUTCOME_CUT : OUTCOME_FAILED;
}

/* The operation is over: its outcome, once. */
static void report(struct slot *slot, enum outcome_class cls, const struct mcp_answer *answer)
{
    struct shard *s = slot->vu->shard;
    const struct mcp_call *call = &slot->call;
    struct outcome o = {
        .key = slot->key,
        .vu = slot->vu->index,
        .cls = cls,
        .t_due = slot->t_due,
        .t_free = slot->t_free,
        .t_ready = slot->t_ready,
        .t_send = slot->t_send,
        .t_headers = slot->t_headers,
        .t_first_event = slot->t_first_event,
        .t_end = answer->end_ns,
        .bytes_out = slot->bytes_out,
        .bytes_in = slot->bytes_in,
        .http_status = slot->requests > 0 ? call->http_status : 0,
        .error_type = error_code_type(answer->code),
        .error_code = answer->code,
        .origin = answer->origin,
        .error_number = answer->number,
        .message = answer->message,
        .is_stream = slot->had_stream,
        .not_streamed =
            operation_of(slot)->expects_streaming && !slot->had_stream && cls == OUTCOME_OK,
        .session_was_used = slot->was_used,
        .requests_sent = slot->requests,
        .session_retries = slot->retried && slot->requests > 1,
        .event_count = slot->event_count,
        .stall_ns = slot->requests > 0 ? call->silence_ns : 0,
    };

    s->in_flight--;
    window_outcome(shard_window(s, o.t_end), &o);
}

/* Takes over what the ended call measured. */
static void take_call(struct slot *slot)
{
    const struct mcp_call *call = &slot->call;

    stream_over(slot);
    slot->bytes_out += call->bytes_out;
    slot->bytes_in += call->bytes_in;
    slot->event_count += call->event_count;
    if (call->t_send != 0) {
        slot->requests++;
        if (slot->t_send == 0) {
            slot->t_send = call->t_send;
            slot->t_headers = call->t_headers;
        }
    }
    if (slot->requests <= 1 && call->t_dial != 0) {
        if (call->waited) { /* for hard_caps.max_connections: queueing */
            slot->t_free = call->t_dial > slot->t_free ? call->t_dial : slot->t_free;
        }
        slot->t_ready = call->t_ready > slot->t_free ? call->t_ready : slot->t_free;
    }
}

void vu_hold(struct vu *vu)
{
    vu->active++;
}

void vu_let_go(struct vu *vu)
{
    vu->active--;
    if (vu->active == 0 && vu->ending && !vu->closing) {
        vu->closing = true;
        vu->shard->policy->end(vu);
    }
}

static void rest(struct slot *slot)
{
    slot->state = SLOT_IDLE;
    vu_let_go(slot->vu);
}

/* The operation that ended at end_ns is followed by the next one, after the think time. */
static void think(struct slot *slot, uint64_t end_ns)
{
    struct vu *vu = slot->vu;
    slot->freed_ns = loop_now(vu->shard->loop);
    uint64_t pause = plan_think_ns(vu->shard->plan, vu->index, slot->n);

    if (vu->ending) {
        rest(slot);
    } else if (pause == 0) {
        slot_due(slot, end_ns);
    } else {
        slot->state = SLOT_THINKING;
        slot->t_due = end_ns + pause;
        loop_send_arm(vu->shard->loop, &slot->due, slot->t_due);
    }
}

static bool names_page(const struct slot *slot, const struct mcp_answer *answer)
{
    return answer->code == ERROR_CODE_NONE && answer->msg != NULL && answer->msg->has_cursor &&
           operation_of(slot)->paged;
}

/* Another page, or the same request on a new session: the operation goes on. */
static bool goes_on(struct slot *slot, const struct mcp_answer *answer)
{
    struct vu *vu = slot->vu;

    if (names_page(slot, answer)) {
        if (answer->msg->cursor_too_long || slot->requests >= LIST_PAGES_MAX) {
            return false;
        }
        xfree(slot->cursor);
        slot->cursor = xstrdup(answer->msg->cursor);
    } else if (answer->session_lost && !slot->retried && !vu->ending) {
        slot->retried = true;
    } else {
        return false;
    }
    vu->shard->policy->acquire(vu, slot);
    return true;
}

static void on_done(struct mcp_call *call, const struct mcp_answer *answer)
{
    struct slot *slot = list_entry(call, struct slot, call);
    struct vu *vu = slot->vu;
    struct mcp_answer verdict = *answer;

    take_call(slot);
    slot->session->mcp.ops_served++;
    vu->shard->policy->release(vu, slot, answer->session_lost);
    if (goes_on(slot, answer)) {
        return;
    }
    if (names_page(slot, answer)) {
        mcp_fail(&verdict, ERROR_CODE_RESPONSE_TOO_LARGE,
                 "the list has more pages, or a longer cursor, than this client follows");
    }
    xfree(slot->cursor);
    slot->cursor = NULL;
    report(slot, class_of(&verdict), &verdict);
    think(slot, verdict.end_ns);
}

static const struct mcp_call_events call_events = {
    .tail = call_tail,
    .head = call_head,
    .on_stream = on_stream,
    .on_event = on_event,
    .on_done = on_done,
};

void slot_fail(struct slot *slot, const struct mcp_answer *answer)
{
    report(slot, class_of(answer), answer);
    think(slot, answer->end_ns);
}

void slot_give_up(struct slot *slot)
{
    struct mcp_answer answer = {.end_ns = loop_clock(slot->vu->shard->loop)};

    report(slot, OUTCOME_UNFINISHED, &answer);
    rest(slot);
}

/* ---- the operation's beginning --------------------------------------------------------------- */

void slot_go(struct slot *slot, struct vu_session *session, enum slot_wait wait)
{
    struct shard *s = slot->vu->shard;

    if (wait != SLOT_NO_WAIT && slot->requests == 0) {
        uint64_t now = loop_now(s->loop);
        slot->t_ready = now > slot->t_free ? now : slot->t_free;
        if (wait == SLOT_WAIT_BUSY) {
            slot->t_free = slot->t_ready;
        }
    }
    if (slot->requests == 0) {
        slot->was_used = session->mcp.ops_served > 0;
    }
    slot->state = SLOT_RUNNING;
    slot->session = session;
    session->in_flight++;
    mcp_call_start(&slot->call, &session->mcp);
}

static void begin(struct slot *slot, uint64_t now_ns)
{
    struct vu *vu = slot->vu;
    struct shard *s = vu->shard;

    slot->n = vu->next_n++;
    slot->stage = (uint32_t)s->stage;
    slot->operation = plan_pick(s->plan, vu->index, slot->n, &vu->turn);
    slot->key = plan_key(s->plan, slot->stage, slot->operation);
    slot->token = ++s->token;
    slot->t_free = slot->freed_ns > slot->t_due ? slot->freed_ns : slot->t_due;
    if (slot->capped) { /* there was no permission to start before */
        slot->t_free = now_ns;
        slot->capped = false;
    }
    slot->t_ready = slot->t_free;
    slot->t_send = slot->t_headers = slot->t_first_event = 0;
    slot->bytes_out = slot->bytes_in = slot->event_count = 0;
    slot->requests = 0;
    slot->retried = slot->had_stream = slot->was_used = false;
    slot->call.expects_stream = operation_of(slot)->expects_streaming;
    s->in_flight++;
    window_started(shard_window(s, now_ns), slot->key);
    s->policy->acquire(vu, slot);
}

/* The operation is due at slot->t_due, which has come. */
static void try_begin(struct slot *slot)
{
    struct vu *vu = slot->vu;
    struct shard *s = vu->shard;
    uint64_t now = loop_now(s->loop);

    if (vu->ending) {
        rest(slot);
        return;
    }
    /* What the cap held back until its stage was over waits for the next one. */
    if (!shard_accepts(s, slot->capped ? now : slot->t_due)) {
        slot->state = SLOT_PARKED;
        return;
    }
    uint64_t at = shard_cap_wait(s, now);
    if (at > now) {
        slot->state = SLOT_THINKING;
        slot->capped = true;
        loop_send_arm(s->loop, &slot->due, at);
        return;
    }
    begin(slot, now);
}

static void slot_due(struct slot *slot, uint64_t due_ns)
{
    slot->t_due = due_ns;
    try_begin(slot);
}

static void on_due(struct send *send)
{
    try_begin(list_entry(send, struct slot, due));
}

/* ---- the virtual user ------------------------------------------------------------------------ */

static void on_start(struct send *send)
{
    struct vu *vu = list_entry(send, struct vu, start);
    uint64_t due = send->at_ns;

    vu->active = vu->shard->plan->slots;
    for (uint32_t i = 0; i < vu->shard->plan->slots; i++) {
        slot_due(&vu->slots[i], due);
    }
}

static void init_slot(struct slot *slot, struct vu *vu)
{
    slot->vu = vu;
    mcp_call_init(&slot->call, &call_events);
    send_init(&slot->due, on_due);
    list_init(&slot->wait);
}

/* Of the requests that no operation makes (initialize, DELETE), and of all when nothing varies. */
static void make_head(struct vu *vu)
{
    const struct plan_text *text = &vu->shard->plan->head;
    int32_t stage = vu->shard->stage >= 0 ? vu->shard->stage : 0;
    struct plan_values values = {
        .stage_id = vu->shard->plan->stages[stage].config->stage_id,
        .vu = vu->index,
    };
    struct buf out;

    if (text->is_static) {
        vu->head = text->parts[0].text;
        return;
    }
    buf_init(&out, SIZE_MAX / 2);
    plan_text_write(vu->shard->plan, text, &values, &out);
    vu->own_head = out.p;
    vu->head = buf_str(&out);
}

struct vu *vu_new(struct shard *s, uint32_t index, uint64_t start_ns)
{
    struct vu *vu = xcalloc(1, sizeof *vu + s->plan->slots * sizeof vu->slots[0]);

    vu->shard = s;
    vu->index = index;
    make_head(vu);
    send_init(&vu->start, on_start);
    s->policy->init(vu);
    for (uint32_t i = 0; i < s->plan->slots; i++) {
        init_slot(&vu->slots[i], vu);
    }
    list_append(&s->vus, &vu->node);
    s->vu_count++;
    loop_send_arm(s->loop, &vu->start, start_ns);
    return vu;
}

static void free_vu(struct vu *vu)
{
    struct shard *s = vu->shard;

    loop_send_cancel(s->loop, &vu->start);
    for (uint32_t i = 0; i < s->plan->slots; i++) {
        xfree(vu->slots[i].cursor);
    }
    xfree(vu->own_head);
    list_remove(&vu->node);
    xfree(vu);
    s->vu_count--;
    shard_vu_gone(s);
}

void vu_closed(struct vu *vu)
{
    free_vu(vu);
}

void vu_end(struct vu *vu)
{
    struct shard *s = vu->shard;

    if (vu->closing) {
        return;
    }
    vu->ending = true;
    loop_send_cancel(s->loop, &vu->start);
    vu_hold(vu);
    for (uint32_t i = 0; i < s->plan->slots; i++) {
        struct slot *slot = &vu->slots[i];

        if (slot->state == SLOT_THINKING || slot->state == SLOT_PARKED) {
            loop_send_cancel(s->loop, &slot->due);
            rest(slot);
        } else if (slot->state == SLOT_WAITING && s->policy->withdraw(vu, slot)) {
            slot_give_up(slot);
        }
    }
    vu_let_go(vu);
}

void vu_cut(struct vu *vu)
{
    struct shard *s = vu->shard;

    vu->ending = vu->closing = true;
    for (uint32_t i = 0; i < s->plan->slots; i++) {
        struct slot *slot = &vu->slots[i];

        loop_send_cancel(s->loop, &slot->due);
        if (slot->state == SLOT_RUNNING) {
            mcp_call_cancel(&slot->call);
            take_call(slot);
            s->policy->release(vu, slot, false);
        }
        if (slot->state == SLOT_RUNNING || slot->state == SLOT_WAITING) {
            list_remove(&slot->wait);
            slot_give_up(slot);
        }
    }
    s->policy->cut(vu);
    free_vu(vu);
}

void vu_resume(struct vu *vu, uint64_t due_ns)
{
    uint32_t slots = vu->shard->plan->slots;

    vu_hold(vu); /* of one that is ending the last slot comes to rest here */
    for (uint32_t i = 0; i < slots; i++) {
        if (vu->slots[i].state == SLOT_PARKED) {
            slot_due(&vu->slots[i], due_ns);
        }
    }
    vu_let_go(vu);
}

uint64_t vu_silence_ns(const struct vu *vu, uint64_t now_ns)
{
    uint64_t longest = 0;

    for (uint32_t i = 0; i < vu->shard->plan->slots; i++) {
        const struct slot *slot = &vu->slots[i];

        if (slot->streaming && mcp_call_streaming(&slot->call)) {
            uint64_t since = mcp_call_silent_since(&slot->call);
            uint64_t silence = now_ns > since ? now_ns - since : 0;
            longest = silence > longest ? silence : longest;
        }
    }
    return longest;
}
