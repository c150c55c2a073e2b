/* SPDX-License-Identifier: MIT */
#include "wire/window.h"

#include "wire/histogram.h"
#include "wire/sample.h"

#include <assert.h>
#include <math.h>

/*
 * window   second · start · length · stage · numbers · [shares] · limits · run · keys · customs ·
 *          failures · slowest · log · [later]
 * set      a varint whose bits say which of a list of numbers are not 0; those numbers
 * part     set of counts · bits of its distributions and, above them, of other_failures · those
 * keys     (distance to the key before, from 1 · part) … 0; customs likewise
 */
_Static_assert(COUNT_ALL <= 64 && LIMIT_COUNT <= 64 && DIST_ALL < 64, "sets have 64 bits");

enum { DIST_BIT_OTHERS = DIST_ALL }; /* of a part's other_failures */

#define BIT(n) (UINT64_C(1) << (n))

/* ---- numbers that stand alone ------------------------------------------------------------------
 */

#define OFFSET(member) offsetof(struct window, member)
static const size_t numbers[] = {
    OFFSET(silence_ns),
    OFFSET(gauges.active_vus),
    OFFSET(gauges.active_sessions),
    OFFSET(gauges.active_streams),
    OFFSET(gauges.open_connections),
    OFFSET(gauges.in_flight),
    OFFSET(gauges.oldest_event_age_ns),
    OFFSET(busy_ns),
    OFFSET(wall_ns),
    OFFSET(wakeups),
    OFFSET(samples_thinned),
    OFFSET(samples_lost),
    OFFSET(other_failures),
    OFFSET(health.run_delay_ns),
    OFFSET(health.turn_p99_ns),
    OFFSET(health.throttled_ns),
    OFFSET(health.rss_bytes),
    OFFSET(health.memory_limit_bytes),
    OFFSET(health.segments_sent),
    OFFSET(health.segments_retransmitted),
};
/* Of health.has_process. */
static const size_t shares[] = {OFFSET(health.steal), OFFSET(health.pressure_cpu),
                                OFFSET(health.pressure_memory)};
enum {
    NUMBER_COUNT = sizeof numbers / sizeof numbers[0],
    NUMBER_BIT_PROCESS = NUMBER_COUNT, /* health.has_process */
    SHARE_COUNT = sizeof shares / sizeof shares[0],
};
_Static_assert(sizeof(struct window_gauges) == 6 * sizeof(uint64_t), "a new gauge needs its row");
_Static_assert(sizeof(struct window_health) == 11 * sizeof(uint64_t),
               "so does a new sign of health");

static void pack_numbers(struct packer *p, const struct window *w)
{
    uint64_t bits = w->health.has_process ? BIT(NUMBER_BIT_PROCESS) : 0, values[NUMBER_COUNT];

    for (unsigned i = 0; i < NUMBER_COUNT; i++) {
        memcpy(&values[i], (const char *)w + numbers[i], sizeof values[i]);
        bits |= values[i] != 0 ? BIT(i) : 0;
    }
    pack_varint(p, bits);
    for (unsigned i = 0; i < NUMBER_COUNT; i++) {
        if (values[i] != 0) {
            pack_varint(p, values[i]);
        }
    }
    for (unsigned i = 0; w->health.has_process && i < SHARE_COUNT; i++) {
        double share;

        memcpy(&share, (const char *)w + shares[i], sizeof share);
        pack_double(p, share);
    }
}

static double unpack_finite(struct unpacker *u)
{
    double v = unpack_double(u);

    if (!isfinite(v)) {
        unpack_fail(u, "a number that is none");
        return 0;
    }
    return v;
}

static void unpack_numbers(struct unpacker *u, struct window *w)
{
    uint64_t bits = unpack_max(u, BIT(NUMBER_BIT_PROCESS + 1) - 1, "an unknown number");

    for (unsigned i = 0; i < NUMBER_COUNT; i++) {
        if ((bits & BIT(i)) != 0) {
            uint64_t v = unpack_not_zero(u);
            memcpy((char *)w + numbers[i], &v, sizeof v);
        }
    }
    w->health.has_process = (bits & BIT(NUMBER_BIT_PROCESS)) != 0;
    for (unsigned i = 0; w->health.has_process && i < SHARE_COUNT; i++) {
        double share = unpack_finite(u);
        memcpy((char *)w + shares[i], &share, sizeof share);
    }
}

/* ---- sets --------------------------------------------------------------------------------------
 */

static void pack_set(struct packer *p, const uint64_t *values, unsigned count)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < count; i++) {
        bits |= values[i] != 0 ? BIT(i) : 0;
    }
    pack_varint(p, bits);
    for (; bits != 0; bits &= bits - 1) {
        pack_varint(p, values[__builtin_ctzll(bits)]);
    }
}

/* Those that are not there stay 0. */
static void unpack_set(struct unpacker *u, uint64_t *values, unsigned count)
{
    uint64_t bits = unpack_max(u, UINT64_MAX >> (64 - count), "an unknown counter");

    for (; bits != 0; bits &= bits - 1) {
        values[__builtin_ctzll(bits)] = unpack_not_zero(u);
    }
}

/* ---- parts -------------------------------------------------------------------------------------
 */

static uint64_t dist_bits(const struct window_part *part)
{
    uint64_t bits = part->other_failures > 0 ? BIT(DIST_BIT_OTHERS) : 0;

    for (unsigned i = 0; i < DIST_ALL; i++) {
        bits |= part->dist[i] != NULL && part->dist[i]->head.count > 0 ? BIT(i) : 0;
    }
    return bits;
}

static bool part_is_empty(const struct window_part *part)
{
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        if (part->count[i] != 0) {
            return false;
        }
    }
    return dist_bits(part) == 0;
}

static void pack_part(struct packer *p, const struct window_part *part)
{
    uint64_t bits = dist_bits(part);

    pack_set(p, part->count, COUNT_ALL);
    pack_varint(p, bits);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if ((bits & BIT(i)) != 0) {
            pack_hist(p, part->dist[i]);
        }
    }
    if (part->other_failures > 0) {
        pack_varint(p, part->other_failures);
    }
}

static void unpack_part(struct unpacker *u, struct window_part *part)
{
    unpack_set(u, part->count, COUNT_ALL);
    uint64_t bits = unpack_max(u, BIT(DIST_BIT_OTHERS + 1) - 1, "an unknown distribution");

    for (unsigned i = 0; i < DIST_ALL && unpack_ok(u); i++) {
        if ((bits & BIT(i)) != 0) {
            unpack_hist(u, window_dist(part, (enum dist)i));
        }
    }
    if ((bits & BIT(DIST_BIT_OTHERS)) != 0) {
        part->other_failures = unpack_not_zero(u);
    }
}

/* The index behind `at` that the next distance leads to; `count` when there is none any more. */
static uint32_t unpack_step(struct unpacker *u, uint32_t at, uint32_t count)
{
    uint64_t step = unpack_varint(u);

    if (step == 0) {
        return count;
    }
    if (step > count - at) {
        unpack_fail(u, "a key or metric that does not exist");
        return count;
    }
    return at + (uint32_t)step - 1;
}

static void pack_keys(struct packer *p, const struct window *w)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < w->key_count; i++) {
        if (!part_is_empty(&w->keys[i])) {
            pack_varint(p, i - next + 1);
            pack_part(p, &w->keys[i]);
            next = i + 1;
        }
    }
    pack_varint(p, 0);
}

static void unpack_keys(struct unpacker *u, struct window *w)
{
    uint32_t i = unpack_step(u, 0, w->key_count);

    while (i < w->key_count) {
        unpack_part(u, &w->keys[i]);
        i = unpack_step(u, i + 1, w->key_count);
    }
}

/* ---- metrics of the scenario --------------------------------------------------------------------
 */

static void pack_custom(struct packer *p, const struct window_custom *c, uint64_t start_ns)
{
    bool trend = c->hist != NULL && c->hist->head.count > 0;

    pack_varint(p, c->count << 1 | trend);
    pack_varint(p, c->rejected);
    if (c->count == 0) {
        return;
    }
    pack_double(p, c->sum);
    pack_double(p, c->min);
    pack_double(p, c->max);
    pack_double(p, c->last);
    pack_signed(p, (int64_t)(c->last_ns - start_ns));
    if (trend) {
        pack_hist(p, c->hist);
    }
}

static void unpack_custom(struct unpacker *u, struct window_custom *c, uint64_t start_ns)
{
    uint64_t count = unpack_varint(u);
    bool trend = (count & 1) != 0;

    c->count = count >> 1;
    c->rejected = unpack_varint(u);
    if (c->count == 0) {
        return;
    }
    c->sum = unpack_double(u); /* of large numbers it may well have overflowed */
    c->min = unpack_finite(u);
    c->max = unpack_finite(u);
    c->last = unpack_finite(u);
    c->last_ns = start_ns + (uint64_t)unpack_signed(u);
    if (c->last < c->min || c->last > c->max) {
        unpack_fail(u, "a last number that is not between the least and the largest");
    }
    if (trend && unpack_ok(u)) {
        c->hist = c->hist != NULL ? c->hist : hist_new();
        unpack_hist(u, c->hist);
        if (unpack_ok(u) && c->hist->head.count != c->count) {
            unpack_fail(u, "a trend with more or fewer numbers than were found");
        }
    }
}

static void
pack_customs(struct packer *p, const struct window *w, const struct window_custom *customs)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < w->custom_count; i++) {
        if (customs[i].count > 0 || customs[i].rejected > 0) {
            pack_varint(p, i - next + 1);
            pack_custom(p, &customs[i], w->start_ns);
            next = i + 1;
        }
    }
    pack_varint(p, 0);
}

static void unpack_customs(struct unpacker *u, struct window *w, struct window_custom *customs)
{
    uint32_t i = unpack_step(u, 0, w->custom_count);

    while (i < w->custom_count) {
        unpack_custom(u, &customs[i], w->start_ns);
        i = unpack_step(u, i + 1, w->custom_count);
    }
}

/* ---- failures ----------------------------------------------------------------------------------
 */

static void pack_failure(struct packer *p, const struct failure *f)
{
    pack_varint(p, f->key == WINDOW_KEY_BESIDE ? 0 : (uint64_t)f->key + 1);
    pack_fixed(p, f->hash);
    pack_varint(p, f->count);
    pack_varint(p, f->unmasked);
    pack_varint(p, f->type);
    pack_varint(p, f->code);
    pack_varint(p, f->origin);
    pack_signed(p, f->number);
    pack_text(p, (struct str){f->message, f->message_len});
    pack_text(p, (struct str){f->sample, f->sample_len});
}

static void unpack_failure(struct unpacker *u, uint32_t key_count, struct failure *f)
{
    uint64_t key = unpack_max(u, key_count, "a failure of a key that does not exist");

    f->key = key == 0 ? WINDOW_KEY_BESIDE : (uint32_t)key - 1;
    f->hash = unpack_fixed(u);
    f->count = unpack_not_zero(u);
    f->unmasked = unpack_max(u, f->count, "more failures without a text than failures");
    f->type = (enum error_type)unpack_max(u, ERROR_TYPE_COUNT - 1, "an unknown error type");
    f->code = (enum error_code)unpack_max(u, ERROR_CODE_COUNT - 1, "an unknown error code");
    f->origin = (enum error_origin)unpack_max(u, ERROR_ORIGIN_COUNT - 1, "an unknown origin");
    int64_t number = unpack_signed(u);
    if (number < INT32_MIN || number > INT32_MAX) {
        unpack_fail(u, "a number of an error beyond 32 bits");
        number = 0;
    }
    f->number = (int)number;
    struct str message = unpack_text(u, SIGNATURE_MAX);
    f->message_len = (uint16_t)signature_sample(message, f->message, sizeof f->message);
    struct str sample = unpack_text(u, SIGNATURE_SAMPLE_MAX);
    f->sample_len = (uint16_t)signature_sample(sample, f->sample, sizeof f->sample);
}

static void pack_failures(struct packer *p, const struct window *w)
{
    pack_varint(p, w->failure_count);
    for (uint32_t i = 0; i < w->failure_count; i++) {
        pack_failure(p, &w->failures[i]);
    }
}

static void unpack_failures(struct unpacker *u, struct window *w)
{
    uint64_t count = unpack_max(u, WINDOW_FAILURES_MAX, "too many kinds of failures");

    for (uint64_t i = 0; i < count; i++) {
        unpack_failure(u, w->key_count, &w->failures[i]);
    }
    w->failure_count = (uint32_t)count;
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static void pack_slowest(struct packer *p, const struct window *w, const struct sample_frame *f)
{
    pack_varint(p, w->slowest_count);
    for (uint32_t i = 0; i < w->slowest_count; i++) {
        pack_sample(p, f, &w->slowest[i]);
    }
}

static void unpack_slowest(struct unpacker *u, struct window *w, const struct sample_frame *f)
{
    uint64_t count = unpack_max(u, WINDOW_SLOWEST_MAX, "too many of the slowest");

    for (uint64_t i = 0; i < count && unpack_ok(u); i++) {
        unpack_sample(u, f, &w->slowest[i]);
    }
    w->slowest_count = (uint32_t)count;
}

/* At the end of the message: is it there, and the rest of it. */
static void pack_later(struct packer *p, const struct window *w)
{
    pack_varint(p, w->later.used);
    if (w->later.used) {
        pack_varint(p, w->later.stage_index);
        pack_varint(p, w->later.silence_ns);
        pack_part(p, &w->later.run);
        pack_customs(p, w, w->later.customs);
    }
}

static uint32_t unpack_stage(struct unpacker *u, uint32_t stage_count)
{
    uint64_t stage = unpack_varint(u);

    if (stage >= stage_count) {
        unpack_fail(u, "a stage that does not exist");
        return 0;
    }
    return (uint32_t)stage;
}

static void unpack_later(struct unpacker *u, struct window *w, uint32_t stage_count)
{
    if (unpack_max(u, 1, "an unknown part") == 0) {
        return;
    }
    uint32_t stage = unpack_stage(u, stage_count);
    if (w->end_ns == w->start_ns) {
        unpack_fail(u, "a stage that begins inside nothing");
    }
    if (!unpack_ok(u)) {
        return;
    }
    window_enter_stage(w, stage, w->end_ns);
    w->later.silence_ns = unpack_varint(u);
    unpack_part(u, &w->later.run);
    unpack_customs(u, w, w->later.customs);
}

int wire_window_encode(const struct window *w, int64_t shift_ns, struct buf *out)
{
    struct sample_frame f = {.start_ns = w->start_ns, .key_count = w->key_count};
    struct packer p = pack_begin(out);

    pack_varint(&p, w->second);
    pack_varint(&p, w->start_ns + (uint64_t)shift_ns);
    pack_varint(&p, w->end_ns - w->start_ns);
    pack_varint(&p, w->stage_index);
    pack_numbers(&p, w);
    pack_set(&p, w->limits, LIMIT_COUNT);
    pack_part(&p, &w->run);
    pack_keys(&p, w);
    pack_customs(&p, w, w->customs);
    pack_failures(&p, w);
    pack_slowest(&p, w, &f);
    pack_batch(&p, &f, w->log);
    pack_later(&p, w);
    return pack_end(&p);
}

static void unpack_head(struct unpacker *u, struct window *w, uint32_t stage_count)
{
    uint64_t second = unpack_varint(u), start_ns = unpack_varint(u);
    uint64_t length_ns = unpack_max(u, INT64_MAX, "a second that ends before it begins");

    if (length_ns > UINT64_MAX - start_ns) {
        unpack_fail(u, "a second that ends before it begins");
    }
    window_reset(w, second, start_ns, start_ns + length_ns);
    w->stage_index = unpack_stage(u, stage_count);
}

int wire_window_decode(struct str in,
                       const struct wire_window_limits *limits,
                       struct window *into,
                       struct err *err)
{
    struct unpacker u = unpack_begin(in);

    assert(into->key_count == limits->key_count && into->custom_count == limits->custom_count);
    unpack_head(&u, into, limits->stage_count);
    struct sample_frame f = {.start_ns = into->start_ns, .key_count = into->key_count};
    unpack_numbers(&u, into);
    unpack_set(&u, into->limits, LIMIT_COUNT);
    unpack_part(&u, &into->run);
    unpack_keys(&u, into);
    unpack_customs(&u, into, into->customs);
    unpack_failures(&u, into);
    unpack_slowest(&u, into, &f);
    unpack_batch(&u, &f, &into->log);
    unpack_later(&u, into, limits->stage_count);
    int rc = unpack_end(&u, "a window", err);
    if (rc != 0) {
        window_reset(into, 0, 0, 0);
    }
    return rc;
}
