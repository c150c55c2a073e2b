/* SPDX-License-Identifier: MIT */
/* A virtual user's life: it starts, its slots run (slot.c), it ends or is cut. */
#include "base/mem.h"
#include "engine/shard_priv.h"

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

void vu_begin_slots(struct vu *vu, uint64_t due_ns)
{
    uint32_t slots = vu->shard->plan->slots;

    vu_hold(vu); /* one that lingers may end here */
    vu->active += slots;
    for (uint32_t i = 0; i < slots; i++) {
        vu->slots[i].freed_ns = due_ns; /* no slot was there before */
        slot_due(&vu->slots[i], due_ns);
    }
    vu_let_go(vu);
}

static void on_start(struct send *send)
{
    struct vu *vu = list_entry(send, struct vu, start);
    uint64_t due = send->at_ns;

    if (!journey_start(vu, due)) {
        vu_begin_slots(vu, due);
    }
}

/* Of the requests that no operation makes (initialize, DELETE), and of all when nothing varies. */
static void make_head(struct vu *vu)
{
    const struct plan_text *text = &vu->shard->plan->head;
    int32_t stage = vu->shard->stage >= 0 ? vu->shard->stage : 0;
    struct plan_values values = {
        .stage_id = vu->shard->plan->stages[stage].config->stage_id,
        .vu = vu->index,
        .draw = shard_draw_beside(vu->shard, vu->index),
        .wall_ms = shard_wall_ms(vu->shard),
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
    vu->progress = *shard_progress(s, index);
    make_head(vu);
    send_init(&vu->start, on_start);
    s->policy->init(vu);
    for (uint32_t i = 0; i < s->plan->slots; i++) {
        slot_init(&vu->slots[i], vu);
    }
    journey_init(vu);
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
        slot_clear(&vu->slots[i]);
    }
    journey_clear(vu);
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
    if (!vu->ending) { /* it takes nothing up any more */
        *shard_progress(s, vu->index) = vu->progress;
    }
    vu->ending = true;
    s->lingering = s->lingering == vu ? NULL : s->lingering;
    loop_send_cancel(s->loop, &vu->start);
    vu_hold(vu);
    for (uint32_t i = 0; i < s->plan->slots; i++) {
        slot_end(&vu->slots[i]);
    }
    if (vu->journey != NULL) {
        journey_stop(vu);
    }
    if (vu->journey != NULL && vu->journey->slot != NULL) {
        slot_end(vu->journey->slot);
    }
    vu_let_go(vu);
}

void vu_cut(struct vu *vu)
{
    struct shard *s = vu->shard;

    vu->ending = vu->closing = true;
    s->lingering = NULL;
    for (uint32_t i = 0; i < s->plan->slots; i++) {
        slot_cut(&vu->slots[i]);
    }
    if (vu->journey != NULL && vu->journey->slot != NULL) {
        slot_cut(vu->journey->slot);
    }
    s->policy->cut(vu);
    free_vu(vu);
}

void vu_resume(struct vu *vu, uint64_t due_ns)
{
    uint32_t slots = vu->shard->plan->slots;

    vu_hold(vu); /* of one that is ending the last slot comes to rest here */
    for (uint32_t i = 0; i < slots; i++) {
        struct slot *slot = &vu->slots[i];

        if (slot->state == SLOT_READY && !shard_is_open(vu->shard)) {
            arrivals_withdraw(slot);
        }
        if (slot->state == SLOT_PARKED) {
            slot_due(slot, due_ns);
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
