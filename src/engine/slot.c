/* SPDX-License-Identifier: MIT */
/* One operation on its way through a slot: due, session, request, answer, verdict, outcome. */
#include "base/mem.h"
#include "engine/shard_priv.h"

#include <assert.h>
#include <stdio.h>

enum {
    ANSWER_KEPT_BYTES = 64 * 1024, /* of a slot's buffer, from one operation to the next */
};

static const struct plan_operation *operation_of(const struct slot *slot)
{
    const struct plan *plan = slot->vu->shard->plan;

    return slot->journey ? &plan->journey_list : &plan->operations[slot->operation];
}

/* ---- the request ---------------------------------------------------------------------------- */

static uint64_t draw_of(const struct slot *slot)
{
    const struct plan *plan = slot->vu->shard->plan;

    if (slot->journey) {
        return plan_draw(plan, slot->vu->index, UINT64_MAX - slot->token);
    }
    return slot->arrival ? plan_draw_arrival(plan, slot->n)
                         : plan_draw(plan, slot->vu->index, slot->n);
}

/* The number that shows. */
static uint64_t number_of(const struct slot *slot)
{
    return plan_number(slot->vu->shard->plan, slot->n, slot->arrival);
}

static struct plan_values values_of(const struct slot *slot)
{
    const struct shard *s = slot->vu->shard;

    return (struct plan_values){
        .stage_id = s->plan->stages[slot->stage].config->stage_id,
        .vu = slot->vu->index,
        .op_seq = number_of(slot),
        .token = slot->token,
        .cursor = slot->cursor,
        .draw = draw_of(slot),
        .arrival = slot->arrival,
        .ordinal = slot->arrival ? slot->n : slot->n * s->plan->max_vus + slot->vu->index,
        .wall_ms = shard_wall_ms(s),
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

    if (slot->journey) {
        return;
    }
    if (!slot->had_stream) {
        slot->had_stream = true;
        window_stream_started(shard_window(s, call->t_headers), slot->key);
    }
    slot->streaming = true;
    s->stream_count++;
}

static uint32_t heir_of(const struct slot *slot, uint64_t at_ns)
{
    return shard_heir(slot->vu->shard, slot->stage, slot->operation, at_ns);
}

static void on_event(struct mcp_call *call, uint64_t gap_ns)
{
    struct slot *slot = list_entry(call, struct slot, call);

    if (slot->journey) {
        return;
    }
    struct window *w = shard_window(slot->vu->shard, call->t_last_event);
    window_event(w, slot->key, gap_ns);
    if (shard_is_late(slot->vu->shard, slot->stage, call->t_last_event)) {
        window_late_event(w, slot->key, heir_of(slot, call->t_last_event));
    }
    if (slot->t_first_event == 0) {
        slot->t_first_event = call->t_first_event;
        window_first_event(w, slot->key, call->t_first_event - call->t_send);
    }
}

static void on_silence(struct mcp_call *call, uint64_t ns, uint64_t at_ns)
{
    struct slot *slot = list_entry(call, struct slot, call);

    if (!slot->journey) {
        window_silence(shard_window(slot->vu->shard, at_ns), ns);
    }
}

static enum outcome_class class_of(const struct mcp_answer *answer)
{
    if (answer->code == ERROR_CODE_NONE) {
        return OUTCOME_OK;
    }
    return answer->cut ? OUTCOME_CUT : OUTCOME_FAILED;
}

/* What the cap held between requests stands before all of them. 0: it never happened. */
static uint64_t after_hold(const struct slot *slot, uint64_t t_ns)
{
    return t_ns == 0 ? 0 : t_ns + slot->held_ns;
}

static enum unfinished why_unfinished(const struct slot *slot, enum outcome_class cls)
{
    if (cls != OUTCOME_UNFINISHED) {
        return UNFINISHED_NOT;
    }
    return slot->state == SLOT_RUNNING ? slot->vu->shard->cut_as : UNFINISHED_WAITED;
}

/* The operation is over: its outcome, once. */
static void report(struct slot *slot, enum outcome_class cls, const struct mcp_answer *answer)
{
    struct shard *s = slot->vu->shard;
    const struct mcp_call *call = &slot->call;

    if (slot->journey) {
        return; /* journey_done has its own books */
    }
    struct outcome o = {
        .key = slot->key,
        .vu = slot->vu->index,
        .n = number_of(slot),
        .session_serial = slot->session_serial,
        .cls = cls,
        .unfinished = why_unfinished(slot, cls),
        .t_due = slot->t_due,
        .t_free = slot->t_free + slot->held_ns,
        .t_ready = slot->t_ready + slot->held_ns,
        .t_send = after_hold(slot, slot->t_send),
        .t_headers = after_hold(slot, slot->t_headers),
        .t_first_event = after_hold(slot, slot->t_first_event),
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
        .verified = slot->verified,
        .log_rank = s->config.log_successes > 0 && cls == OUTCOME_OK
                        ? plan_log_rank(s->plan, draw_of(slot))
                        : 0,
        .event_count = slot->event_count,
        .stall_ns = slot->requests > 0 ? call->silence_ns : 0,
    };

    char masked[SHARD_MASKED_MAX];
    o.message = shard_masked(s, o.message, masked);
    o.is_late = shard_is_late(s, slot->stage, o.t_end);
    if (o.is_late) {
        o.heir = heir_of(slot, o.t_end);
    }
    s->in_flight--;
    window_outcome(shard_window(s, o.t_end), &o);
    if (slot->vu->journey != NULL && cls != OUTCOME_UNFINISHED) {
        journey_note(slot->vu, cls != OUTCOME_OK);
    }
}

/* What limits of ours do is queueing: nobody's service, and not our lateness. */
static void take_hold(struct slot *slot)
{
    uint64_t held = slot->call.held_ns;

    if (slot->requests == 0) {
        slot->t_free += held;
        slot->t_ready += held;
    } else {
        slot->held_ns += held;
    }
}

/* Takes over what the ended call measured. */
static void take_call(struct slot *slot)
{
    const struct mcp_call *call = &slot->call;

    stream_over(slot);
    take_hold(slot);
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
        slot->t_ready = call->t_ready > slot->t_free ? call->t_ready : slot->t_free;
    }
}

static void rest(struct slot *slot)
{
    slot->state = SLOT_IDLE;
    vu_let_go(slot->vu);
}

/* The operation that ended at end_ns is followed by the next one: in the closed model after the
 * think time, in the open one when the schedule has it. */
static void think(struct slot *slot, uint64_t end_ns)
{
    struct vu *vu = slot->vu;

    slot->freed_ns = loop_now(vu->shard->loop);
    if (vu->ending) {
        rest(slot);
        return;
    }
    if (shard_is_open(vu->shard)) {
        arrivals_offer(vu->shard, slot);
        return;
    }
    uint64_t pause = plan_think_ns(vu->shard->plan, vu->index, slot->n);
    if (pause == 0) {
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

/* The list goes on, but we don't. */
static void judge_endless(const struct slot *slot, struct mcp_answer *verdict)
{
    if (!verdict->msg->cursor_too_long && trail_has(slot->trail, verdict->msg->cursor)) {
        mcp_fail(verdict, ERROR_CODE_CURSOR_REPEATED,
                 "the list leads in a circle: its cursor is one that was sent already");
    } else {
        mcp_fail(verdict, ERROR_CODE_RESPONSE_TOO_LARGE,
                 "the list has more pages, or a longer cursor, than this client follows");
    }
}

static void forget_pages(struct slot *slot)
{
    xfree(slot->cursor);
    xfree(slot->trail);
    slot->cursor = NULL;
    slot->trail = NULL;
}

/* Another page: the operation goes on, on the session to which the cursor belongs. */
static bool turns_page(struct slot *slot, const struct mcp_answer *answer)
{
    if (!names_page(slot, answer) || answer->msg->cursor_too_long ||
        slot->requests >= LIST_PAGES_MAX || trail_has(slot->trail, answer->msg->cursor)) {
        return false;
    }
    trail_add(&slot->trail, answer->msg->cursor);
    xfree(slot->cursor);
    slot->cursor = xstrdup(answer->msg->cursor);
    mcp_call_start(&slot->call, &slot->session->mcp);
    return true;
}

/* The deadline has come before a session. */
static void miss_deadline(struct slot *slot)
{
    struct mcp_answer answer = {.cut = true, .end_ns = loop_clock(slot->vu->shard->loop)};

    mcp_fail(&answer, ERROR_CODE_DEADLINE_EXCEEDED,
             "the operation could not be sent before its deadline");
    slot->vu->shard->policy->drop(slot->vu, slot);
    if (slot->requests == 0) {
        slot->t_free = 0; /* there never was a session for it */
    }
    slot_fail(slot, &answer);
}

/* Who waits for a session does so until its deadline at most, and what is late is not sent. */
static void acquire(struct slot *slot)
{
    struct shard *s = slot->vu->shard;

    if (slot->call.deadline_ns != 0 && loop_now(s->loop) >= slot->call.deadline_ns) {
        miss_deadline(slot);
        return;
    }
    s->policy->acquire(slot->vu, slot);
    if (slot->state == SLOT_WAITING && slot->call.deadline_ns != 0) {
        loop_send_arm(s->loop, &slot->due, slot->call.deadline_ns);
    }
}

/* The same operation on a new session, from its beginning: a cursor belongs to its session. */
static bool tries_again(struct slot *slot, const struct mcp_answer *answer)
{
    if (!answer->session_lost || slot->retried || slot->vu->ending) {
        return false;
    }
    slot->retried = true;
    forget_pages(slot);
    acquire(slot);
    return true;
}

/* ---- what the scenario wants of an answer -----------------------------------------------------
 */

/* The answer of an operation that has a verifier is kept. */
static void keep_answer(struct slot *slot)
{
    slot->call.capture = NULL;
    if (operation_of(slot)->verifier == NULL) {
        return;
    }
    if (slot->answer == NULL) {
        slot->answer = xmalloc(sizeof *slot->answer);
        buf_init(slot->answer, MCP_CAPTURE_MAX);
    }
    slot->answer->len = 0;
    slot->call.capture = slot->answer;
}

static void take_customs(struct slot *slot, const struct verify_result *r, uint64_t end_ns)
{
    struct shard *s = slot->vu->shard;
    const struct custom_config *customs = s->plan->scenario->workload.customs;

    for (uint32_t i = 0; i < r->custom_count; i++) {
        uint32_t custom = r->customs[i].custom;
        window_custom(shard_window(s, end_ns), custom, r->customs[i].value,
                      customs[custom].kind == CUSTOM_TREND, end_ns);
    }
}

/* Looks at a good answer; `r` holds the text of a failure. */
static void verify(struct slot *slot, struct mcp_answer *verdict, struct verify_result *r)
{
    struct shard *s = slot->vu->shard;
    const struct verify_caller caller = {
        .tag = s->plan->nonce_tag, .vu = slot->vu->index, .n = number_of(slot)};

    verifier_apply(operation_of(slot)->verifier, buf_str(slot->answer), &caller, r);
    take_customs(slot, r, verdict->end_ns);
    s->client.limits[LIMIT_MATCH_TEXT] += r->long_texts;
    s->client.limits[LIMIT_NUMBER_TEXT] += r->long_numbers;
    slot->verified = r->own_nonce;
    s->echoes[slot->operation] = s->echoes[slot->operation] || r->own_nonce;
    if (r->kind == VERIFY_MISMATCH) {
        mcp_fail(verdict, ERROR_CODE_INTEGRITY_MISMATCH, r->text);
    } else if (operation_of(slot)->has_nonce && !r->own_nonce && s->echoes[slot->operation]) {
        snprintf(r->text, sizeof r->text,
                 "the answer to VU %u, operation %llu lacks what the call sent, which the tool "
                 "repeats in other answers",
                 slot->vu->index, (unsigned long long)caller.n);
        mcp_fail(verdict, ERROR_CODE_INTEGRITY_MISMATCH, r->text);
    } else if (r->kind == VERIFY_CHECK_FAILED) {
        mcp_fail(verdict, ERROR_CODE_CHECK_FAILED, r->text);
    }
    if (slot->answer->cap > ANSWER_KEPT_BYTES) {
        buf_clear(slot->answer);
        buf_init(slot->answer, MCP_CAPTURE_MAX);
    }
}

static void conclude(struct slot *slot, const struct mcp_answer *verdict)
{
    if (slot->journey) {
        journey_done(slot->vu, class_of(verdict), verdict);
        return;
    }
    report(slot, class_of(verdict), verdict);
    think(slot, verdict->end_ns);
}

static void conclude_verified(struct slot *slot, struct mcp_answer *verdict)
{
    struct verify_result r;

    verify(slot, verdict, &r);
    conclude(slot, verdict);
}

static void on_done(struct mcp_call *call, const struct mcp_answer *answer)
{
    struct slot *slot = list_entry(call, struct slot, call);
    struct vu *vu = slot->vu;
    struct mcp_answer verdict = *answer;

    take_call(slot);
    if (turns_page(slot, answer)) {
        return;
    }
    slot->session->mcp.ops_served += !slot->journey;
    vu->shard->policy->release(vu, slot, answer->session_lost);
    if (tries_again(slot, answer)) {
        return;
    }
    if (names_page(slot, answer)) {
        judge_endless(slot, &verdict);
    }
    forget_pages(slot);
    if (verdict.code == ERROR_CODE_NONE && operation_of(slot)->verifier != NULL) {
        conclude_verified(slot, &verdict);
    } else {
        conclude(slot, &verdict);
    }
}

static const struct mcp_call_events call_events = {
    .tail = call_tail,
    .head = call_head,
    .on_stream = on_stream,
    .on_event = on_event,
    .on_silence = on_silence,
    .on_done = on_done,
};

void slot_fail(struct slot *slot, const struct mcp_answer *answer)
{
    loop_send_cancel(slot->vu->shard->loop, &slot->due);
    if (slot->journey) {
        journey_done(slot->vu, class_of(answer), answer);
        return;
    }
    report(slot, class_of(answer), answer);
    think(slot, answer->end_ns);
}

void slot_give_up(struct slot *slot)
{
    struct mcp_answer answer = {.end_ns = loop_clock(slot->vu->shard->loop)};

    loop_send_cancel(slot->vu->shard->loop, &slot->due);
    if (slot->journey) {
        journey_done(slot->vu, OUTCOME_UNFINISHED, &answer);
        return;
    }
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
    if (slot->requests == 0 || slot->retried) { /* it runs on the session that takes it at last */
        slot->was_used = session->mcp.ops_served > 0;
        slot->session_serial = session->serial;
    }
    if (wait != SLOT_NO_WAIT && slot->call.permitted) { /* a permission is for its moment */
        slot->call.permitted = false;
        gate_give_back_late(&s->client.gate);
    }
    loop_send_cancel(s->loop, &slot->due);
    slot->state = SLOT_RUNNING;
    slot->session = session;
    session->in_flight++;
    slot->call.begins = slot->journey && slot->requests == 0;
    mcp_call_start(&slot->call, &session->mcp);
}

/* stage, n, operation, key and t_due are set. The cap lets it begin. */
static void begin(struct slot *slot, uint64_t now_ns, bool capped)
{
    struct shard *s = slot->vu->shard;
    uint64_t deadline = s->plan->scenario->target.timeouts.deadline_ns;

    slot->token = ++s->token;
    slot->t_free = slot->freed_ns > slot->t_due ? slot->freed_ns : slot->t_due;
    if (capped) { /* there was no permission to start before */
        slot->t_free = now_ns;
    }
    slot->t_ready = slot->t_free;
    slot->t_send = slot->t_headers = slot->t_first_event = 0;
    slot->bytes_out = slot->bytes_in = slot->event_count = slot->session_serial = 0;
    slot->held_ns = 0;
    slot->requests = 0;
    slot->retried = slot->had_stream = slot->was_used = slot->verified = false;
    slot->call.expects_stream = operation_of(slot)->expects_streaming;
    slot->call.deadline_ns = deadline > 0 ? slot->t_due + deadline : 0;
    keep_answer(slot);
    if (slot->journey) {
        window_run(shard_window(s, now_ns))->count[COUNT_JOURNEY_STARTED]++;
    } else {
        s->in_flight++;
        window_started(shard_window(s, now_ns), slot->key);
    }
    slot->call.permitted = !slot->journey && !gate_is_open(&s->client.gate);
    acquire(slot);
}

/* The VU's own next operation, in the closed model. */
static void begin_pick(struct slot *slot, uint64_t now_ns)
{
    struct vu *vu = slot->vu;
    const struct plan *plan = vu->shard->plan;
    uint32_t turn = vu->progress.turn;
    bool capped = slot->capped;

    slot->n = vu->progress.next_n++;
    slot->stage = (uint32_t)vu->shard->stage;
    slot->operation = plan_pick(plan, vu->index, slot->n, &turn);
    vu->progress.turn = turn & 0xffffff;
    slot->key = plan_key(plan, slot->stage, slot->operation);
    slot->capped = slot->arrival = false;
    begin(slot, now_ns, capped);
}

void slot_start_arrival(struct slot *slot, const struct arrival *a, bool capped)
{
    const struct plan *plan = slot->vu->shard->plan;

    slot->n = a->own.i;
    slot->arrival = true;
    slot->stage = a->own.stage;
    slot->operation = plan_pick_arrival(plan, a->own.i);
    slot->key = plan_key(plan, slot->stage, slot->operation);
    slot->t_due = a->due_ns;
    begin(slot, loop_now(slot->vu->shard->loop), capped);
}

void slot_start_journey(struct slot *slot)
{
    struct shard *s = slot->vu->shard;

    slot->stage = s->stage > 0 ? (uint32_t)s->stage : 0;
    slot->n++;
    slot->t_due = loop_now(s->loop);
    begin(slot, slot->t_due, false);
}

/* The cap lets it begin, now. What it held back until its stage was over waits for the next one. */
static void on_permission(struct gate_wait *wait, uint64_t waited_ns)
{
    struct slot *slot = list_entry(wait, struct slot, call.gate);
    struct shard *s = slot->vu->shard;
    uint64_t now = loop_now(s->loop);

    (void)waited_ns; /* it will show in t_free */
    if (!shard_is_open(s) && shard_accepts(s, now)) {
        slot->capped = true;
        begin_pick(slot, now);
        return;
    }
    gate_give_back(&s->client.gate);
    if (shard_is_open(s)) {
        arrivals_offer(s, slot);
    } else {
        slot->state = SLOT_PARKED;
    }
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
    if (shard_is_open(s)) { /* the stage has changed while it thought */
        arrivals_offer(s, slot);
        return;
    }
    if (!shard_accepts(s, slot->t_due)) {
        slot->state = SLOT_PARKED;
        return;
    }
    slot->call.gate.go = on_permission;
    slot->call.gate.is_new = true;
    if (gate_enter(&s->client.gate, &slot->call.gate, now)) {
        begin_pick(slot, now);
    } else {
        slot->state = SLOT_HELD;
    }
}

void slot_due(struct slot *slot, uint64_t due_ns)
{
    slot->t_due = due_ns;
    try_begin(slot);
}

static void on_due(struct send *send)
{
    struct slot *slot = list_entry(send, struct slot, due);

    if (slot->state == SLOT_WAITING) {
        miss_deadline(slot);
    } else {
        try_begin(slot);
    }
}

/* ---- its beginning and its end
 * ---------------------------------------------------------------------------- */

void slot_init(struct slot *slot, struct vu *vu)
{
    slot->vu = vu;
    mcp_call_init(&slot->call, &call_events);
    send_init(&slot->due, on_due);
    list_init(&slot->wait);
}

void slot_clear(struct slot *slot)
{
    forget_pages(slot);
    if (slot->answer != NULL) {
        buf_clear(slot->answer);
        xfree(slot->answer);
    }
}

/* The call that runs ends here, for the target too. */
static void cut_call(struct slot *slot)
{
    mcp_call_cancel(&slot->call);
    take_call(slot);
    slot->vu->shard->policy->release(slot->vu, slot, false);
}

/* A list that nothing has been sent of would be new load, of a user that does no more. */
static bool is_unsent_list(const struct slot *slot)
{
    return slot->journey && slot->requests == 0 && mcp_call_held(&slot->call);
}

void slot_end(struct slot *slot)
{
    struct vu *vu = slot->vu;

    switch (slot->state) {
    case SLOT_THINKING:
    case SLOT_HELD:
    case SLOT_READY:
    case SLOT_PARKED:
        gate_leave(&slot->call.gate);
        loop_send_cancel(vu->shard->loop, &slot->due);
        list_remove(&slot->wait);
        rest(slot);
        break;
    case SLOT_WAITING:
        if (vu->shard->policy->withdraw(vu, slot)) {
            slot_give_up(slot);
        }
        break;
    case SLOT_RUNNING:
        if (is_unsent_list(slot)) {
            cut_call(slot);
            slot_give_up(slot);
        }
        break;
    case SLOT_IDLE:
        break;
    }
}

void slot_cut(struct slot *slot)
{
    struct shard *s = slot->vu->shard;

    loop_send_cancel(s->loop, &slot->due);
    gate_leave(&slot->call.gate);
    if (slot->state == SLOT_RUNNING) {
        cut_call(slot);
    }
    list_remove(&slot->wait);
    if (slot->state == SLOT_RUNNING || slot->state == SLOT_WAITING) {
        slot_give_up(slot);
    }
}
