/* SPDX-License-Identifier: MIT */
#include "wire/sample.h"

#include "metrics/window.h"

#include <assert.h>

/* In the order in which they happen. */
#define OFFSET(member) offsetof(struct outcome, member)
static const size_t times[] = {OFFSET(t_due),  OFFSET(t_free),    OFFSET(t_ready),
                               OFFSET(t_send), OFFSET(t_headers), OFFSET(t_first_event),
                               OFFSET(t_end)};
enum { TIME_COUNT = sizeof times / sizeof times[0] };

/* What of it is there; the times' bits come first. */
enum {
    BIT_LATE = TIME_COUNT,
    BIT_HEIR,
    BIT_STREAM,
    BIT_NOT_STREAMED,
    BIT_SESSION_USED,
    BIT_VERIFIED,
    BIT_WRONG, /* it has a story of why it is no success */
    BIT_MORE,  /* retries, events, a stall */
    BIT_ALL,
};
#define BIT(n) (UINT64_C(1) << (n))

static uint64_t time_at(const struct outcome *o, unsigned i)
{
    uint64_t t;

    memcpy(&t, (const char *)o + times[i], sizeof t);
    return t;
}

static uint64_t bits_of(const struct op_sample *s)
{
    const struct outcome *o = &s->outcome;
    bool wrong = o->unfinished != UNFINISHED_NOT || o->error_type != ERROR_TYPE_NONE ||
                 o->error_code != ERROR_CODE_NONE || o->origin != ERROR_ORIGIN_NONE ||
                 o->error_number != 0 || s->message_len > 0;
    uint64_t bits = 0;

    for (unsigned i = 0; i < TIME_COUNT; i++) {
        bits |= time_at(o, i) != 0 ? BIT(i) : 0;
    }
    bits |= o->is_late ? BIT(BIT_LATE) : 0;
    bits |= o->heir != WINDOW_KEY_NONE ? BIT(BIT_HEIR) : 0;
    bits |= o->is_stream ? BIT(BIT_STREAM) : 0;
    bits |= o->not_streamed ? BIT(BIT_NOT_STREAMED) : 0;
    bits |= o->session_was_used ? BIT(BIT_SESSION_USED) : 0;
    bits |= o->verified ? BIT(BIT_VERIFIED) : 0;
    bits |= wrong ? BIT(BIT_WRONG) : 0;
    bits |= o->session_retries > 0 || o->event_count > 0 || o->stall_ns > 0 ? BIT(BIT_MORE) : 0;
    return bits;
}

static void pack_wrong(struct packer *p, const struct op_sample *s)
{
    const struct outcome *o = &s->outcome;

    pack_varint(p, o->unfinished);
    pack_varint(p, o->error_type);
    pack_varint(p, o->error_code);
    pack_varint(p, o->origin);
    pack_signed(p, o->error_number);
    pack_text(p, (struct str){s->message, s->message_len});
}

void pack_sample(struct packer *p, const struct sample_frame *f, const struct op_sample *s)
{
    const struct outcome *o = &s->outcome;
    uint64_t bits = bits_of(s), before = f->start_ns;

    pack_varint(p, bits);
    pack_varint(p, o->cls);
    pack_varint(p, o->key);
    pack_varint(p, o->vu);
    pack_varint(p, o->n);
    pack_varint(p, o->session_serial);
    pack_varint(p, o->bytes_out);
    pack_varint(p, o->bytes_in);
    pack_signed(p, o->http_status);
    pack_varint(p, o->requests_sent);
    pack_varint(p, o->log_rank);
    for (unsigned i = 0; i < TIME_COUNT; i++) {
        if ((bits & BIT(i)) != 0) {
            pack_signed(p, (int64_t)(time_at(o, i) - before));
            before = time_at(o, i);
        }
    }
    if ((bits & BIT(BIT_HEIR)) != 0) {
        pack_varint(p, o->heir);
    }
    if ((bits & BIT(BIT_WRONG)) != 0) {
        pack_wrong(p, s);
    }
    if ((bits & BIT(BIT_MORE)) != 0) {
        pack_varint(p, o->session_retries);
        pack_varint(p, o->event_count);
        pack_varint(p, o->stall_ns);
    }
}

static int unpack_int(struct unpacker *u)
{
    int64_t v = unpack_signed(u);

    if (v < INT32_MIN || v > INT32_MAX) {
        unpack_fail(u, "a number of an error beyond 32 bits");
        return 0;
    }
    return (int)v;
}

static uint32_t unpack_u32(struct unpacker *u)
{
    return (uint32_t)unpack_max(u, UINT32_MAX, "a number beyond 32 bits");
}

static uint32_t unpack_key(struct unpacker *u, const struct sample_frame *f)
{
    uint64_t key = unpack_varint(u);

    if (key >= f->key_count) {
        unpack_fail(u, "a key that does not exist");
        return 0;
    }
    return (uint32_t)key;
}

static void unpack_wrong(struct unpacker *u, struct outcome *o)
{
    o->unfinished = (enum unfinished)unpack_max(u, UNFINISHED_COUNT - 1, "an unknown reason");
    o->error_type = (enum error_type)unpack_max(u, ERROR_TYPE_COUNT - 1, "an unknown error type");
    o->error_code = (enum error_code)unpack_max(u, ERROR_CODE_COUNT - 1, "an unknown error code");
    o->origin = (enum error_origin)unpack_max(u, ERROR_ORIGIN_COUNT - 1, "an unknown origin");
    o->error_number = unpack_int(u);
    o->message = unpack_text(u, SAMPLE_MESSAGE_MAX);
}

static void
unpack_times(struct unpacker *u, const struct sample_frame *f, uint64_t bits, struct outcome *o)
{
    uint64_t before = f->start_ns;

    for (unsigned i = 0; i < TIME_COUNT; i++) {
        if ((bits & BIT(i)) != 0) {
            before += (uint64_t)unpack_signed(u);
            memcpy((char *)o + times[i], &before, sizeof before);
        }
    }
}

/* The message is a part of the input. */
static void unpack_outcome(struct unpacker *u, const struct sample_frame *f, struct outcome *o)
{
    uint64_t bits = unpack_max(u, BIT(BIT_ALL) - 1, "an operation with unknown members");

    *o = (struct outcome){
        .is_late = (bits & BIT(BIT_LATE)) != 0,
        .is_stream = (bits & BIT(BIT_STREAM)) != 0,
        .not_streamed = (bits & BIT(BIT_NOT_STREAMED)) != 0,
        .session_was_used = (bits & BIT(BIT_SESSION_USED)) != 0,
        .verified = (bits & BIT(BIT_VERIFIED)) != 0,
    };
    o->cls = (enum outcome_class)unpack_max(u, OUTCOME_UNFINISHED, "an unknown class");
    o->key = unpack_key(u, f);
    o->vu = unpack_u32(u);
    o->n = unpack_varint(u);
    o->session_serial = unpack_varint(u);
    o->bytes_out = unpack_varint(u);
    o->bytes_in = unpack_varint(u);
    o->http_status = unpack_int(u);
    o->requests_sent = unpack_u32(u);
    o->log_rank = unpack_u32(u);
    unpack_times(u, f, bits, o);
    o->heir = (bits & BIT(BIT_HEIR)) != 0 ? unpack_key(u, f) : WINDOW_KEY_NONE;
    if ((bits & BIT(BIT_WRONG)) != 0) {
        unpack_wrong(u, o);
    }
    if ((bits & BIT(BIT_MORE)) != 0) {
        o->session_retries = unpack_u32(u);
        o->event_count = unpack_varint(u);
        o->stall_ns = unpack_varint(u);
    }
}

void unpack_sample(struct unpacker *u, const struct sample_frame *f, struct op_sample *s)
{
    struct outcome o;

    unpack_outcome(u, f, &o);
    op_sample_fill(s, &o);
}

static void
pack_list(struct packer *p, const struct sample_frame *f, const struct sample_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        pack_sample(p, f, &list->items[i]);
    }
}

void pack_batch(struct packer *p, const struct sample_frame *f, const struct sample_batch *b)
{
    if (b == NULL || b->failures.count + b->successes.count == 0) {
        pack_varint(p, 0);
        pack_varint(p, 0);
        return;
    }
    pack_varint(p, b->failures.count);
    pack_varint(p, b->successes.count);
    pack_varint(p, b->rank_max);
    pack_list(p, f, &b->failures);
    pack_list(p, f, &b->successes);
}

/* Memory grows with the bytes that are there, whatever the counts say. */
void unpack_batch(struct unpacker *u, const struct sample_frame *f, struct sample_batch **b)
{
    uint64_t failures = unpack_max(u, WIRE_SAMPLES_MAX, "too many lines of the log");
    uint64_t successes = unpack_max(u, WIRE_SAMPLES_MAX, "too many lines of the log");
    struct outcome o;

    if (!unpack_ok(u) || (failures == 0 && successes == 0)) {
        return;
    }
    uint32_t rank_max = unpack_u32(u);
    *b = *b != NULL ? *b : sample_batch_new();
    assert((*b)->failures.count + (*b)->successes.count == 0);
    for (uint64_t i = 0; i < failures; i++) {
        unpack_outcome(u, f, &o);
        if (!unpack_ok(u)) {
            return;
        }
        sample_batch_failure(*b, &o);
    }
    for (uint64_t i = 0; i < successes; i++) {
        unpack_outcome(u, f, &o);
        if (!unpack_ok(u)) {
            return;
        }
        if (o.log_rank > rank_max) {
            unpack_fail(u, "a success above the highest rank");
            return;
        }
        sample_batch_success(*b, &o, UINT32_MAX);
    }
    (*b)->rank_max = rank_max;
}
