/* SPDX-License-Identifier: MIT */
/* Windows in which anything may stand that a shard could have put there, at random but repeatable.
 */
#ifndef SUPPORT_RANDOM_WINDOW_H
#define SUPPORT_RANDOM_WINDOW_H

#include "base/mem.h"
#include "base/rng.h"
#include "metrics/window.h"

#include <string.h>

struct dice {
    uint64_t seed, thrown;
};

static inline uint64_t dice_any(struct dice *d)
{
    return rng_at(d->seed, d->thrown++);
}

static inline uint64_t dice_below(struct dice *d, uint64_t n)
{
    return rng_below(dice_any(d), n);
}

/* One time in `n`. */
static inline bool dice_one_in(struct dice *d, uint64_t n)
{
    return dice_below(d, n) == 0;
}

/* Of any size: small numbers as often as large ones. */
static inline uint64_t dice_number(struct dice *d)
{
    return dice_any(d) >> dice_below(d, 64);
}

static inline void dice_numbers(struct dice *d, uint64_t *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        values[i] = dice_one_in(d, 2) ? dice_number(d) : 0;
    }
}

/* What a sample of a target's text may be; its length. */
static inline uint16_t dice_text(struct dice *d, char *out, size_t size)
{
    size_t len = (size_t)dice_below(d, size + 1);

    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(' ' + dice_below(d, 0x5F));
        out[i] = dice_one_in(d, 9) ? (char)(0x80 + dice_below(d, 0x80)) : out[i];
    }
    return (uint16_t)len;
}

static inline void dice_hist(struct dice *d, struct hist *h)
{
    static const uint64_t counts[] = {1, 2, 20, HIST_FEW - 1, HIST_FEW, HIST_FEW + 1, 900};
    uint64_t n = counts[dice_below(d, sizeof counts / sizeof counts[0])];
    unsigned octaves = 1 + (unsigned)dice_below(d, 44),
             base = (unsigned)dice_below(d, 64 - octaves);

    for (uint64_t i = 0; i < n; i++) {
        uint64_t v = dice_any(d) >> (64 - octaves) << base;

        if (dice_one_in(d, 10)) {
            hist_record_censored(h, v);
        } else {
            hist_record(h, v);
        }
    }
}

static inline void dice_part(struct dice *d, struct window_part *part)
{
    dice_numbers(d, part->count, COUNT_ALL);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (dice_one_in(d, 3)) {
            dice_hist(d, window_dist(part, (enum dist)i));
        }
    }
    part->other_failures = dice_one_in(d, 3) ? dice_number(d) : 0;
}

static inline void dice_custom(struct dice *d, struct window_custom *c)
{
    c->rejected = dice_one_in(d, 2) ? dice_number(d) : 0;
    if (dice_one_in(d, 3)) {
        return;
    }
    c->last = (double)dice_number(d) / 1000.0;
    c->min = c->last - rng_unit(dice_any(d));
    c->max = c->last + rng_unit(dice_any(d));
    c->sum = c->last * 17;
    c->last_ns = dice_any(d);
    c->count = 1 + dice_below(d, 1000);
    if (dice_one_in(d, 2)) {
        c->hist = c->hist != NULL ? c->hist : hist_new();
        dice_hist(d, c->hist);
        c->count = c->hist->head.count;
    }
}

static inline void dice_times(struct dice *d, uint64_t start_ns, struct outcome *o)
{
    uint64_t *const times[] = {&o->t_due,     &o->t_free,        &o->t_ready, &o->t_send,
                               &o->t_headers, &o->t_first_event, &o->t_end};

    for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++) {
        *times[i] = dice_one_in(d, 4) ? 0 : start_ns - 1000 + dice_number(d) % 2000000;
    }
}

static inline struct outcome dice_outcome(struct dice *d, const struct window *w)
{
    struct outcome o = {
        .key = (uint32_t)dice_below(d, w->key_count),
        .vu = (uint32_t)dice_number(d),
        .n = dice_number(d),
        .session_serial = dice_number(d),
        .cls = (enum outcome_class)dice_below(d, OUTCOME_UNFINISHED + 1),
        .unfinished = (enum unfinished)dice_below(d, UNFINISHED_COUNT),
        .is_late = dice_one_in(d, 4),
        .heir = dice_one_in(d, 4) ? (uint32_t)dice_below(d, w->key_count) : WINDOW_KEY_NONE,
        .bytes_out = dice_number(d),
        .bytes_in = dice_number(d),
        .http_status = (int)dice_below(d, 600),
        .is_stream = dice_one_in(d, 2),
        .not_streamed = dice_one_in(d, 2),
        .session_was_used = dice_one_in(d, 2),
        .requests_sent = (uint32_t)dice_number(d),
        .verified = dice_one_in(d, 2),
        .log_rank = (uint32_t)dice_any(d),
    };

    dice_times(d, w->start_ns, &o);
    if (dice_one_in(d, 2)) {
        o.error_type = (enum error_type)dice_below(d, ERROR_TYPE_COUNT);
        o.error_code = (enum error_code)dice_below(d, ERROR_CODE_COUNT);
        o.origin = (enum error_origin)dice_below(d, ERROR_ORIGIN_COUNT);
        o.error_number = (int)(int32_t)dice_any(d);
    }
    if (dice_one_in(d, 2)) {
        o.session_retries = (uint32_t)dice_number(d);
        o.event_count = dice_number(d);
        o.stall_ns = dice_number(d);
    }
    return o;
}

static inline void dice_samples(struct dice *d, struct window *w)
{
    char text[SAMPLE_MESSAGE_MAX];
    uint64_t lines = dice_one_in(d, 2) ? dice_below(d, 40) : 0;

    w->slowest_count = (uint32_t)dice_below(d, WINDOW_SLOWEST_MAX + 1);
    for (uint32_t i = 0; i < w->slowest_count; i++) {
        struct outcome o = dice_outcome(d, w);

        o.message = (struct str){text, dice_text(d, text, sizeof text)};
        op_sample_fill(&w->slowest[i], &o);
    }
    for (uint64_t i = 0; i < lines; i++) {
        struct outcome o = dice_outcome(d, w);

        w->log = w->log != NULL ? w->log : sample_batch_new();
        o.message = (struct str){text, dice_text(d, text, sizeof text)};
        if (dice_one_in(d, 3)) {
            sample_batch_failure(w->log, &o);
        } else {
            sample_batch_success(w->log, &o, 20);
        }
    }
}

static inline void dice_failures(struct dice *d, struct window *w)
{
    w->failure_count = dice_one_in(d, 5) ? WINDOW_FAILURES_MAX : (uint32_t)dice_below(d, 4);
    for (uint32_t i = 0; i < w->failure_count; i++) {
        struct failure *f = &w->failures[i];

        f->key = dice_one_in(d, 4) ? WINDOW_KEY_BESIDE : (uint32_t)dice_below(d, w->key_count);
        f->hash = dice_any(d);
        f->count = 1 + (dice_number(d) >> 1);
        f->unmasked = dice_below(d, f->count);
        f->type = (enum error_type)dice_below(d, ERROR_TYPE_COUNT);
        f->code = (enum error_code)dice_below(d, ERROR_CODE_COUNT);
        f->origin = (enum error_origin)dice_below(d, ERROR_ORIGIN_COUNT);
        f->number = (int)(int32_t)dice_any(d);
        f->message_len = dice_text(d, f->message, sizeof f->message);
        f->sample_len = dice_text(d, f->sample, sizeof f->sample);
    }
}

static inline void dice_health(struct dice *d, struct window *w)
{
    dice_numbers(d, &w->gauges.active_vus, sizeof w->gauges / sizeof(uint64_t));
    w->health.run_delay_ns = dice_number(d);
    w->health.turn_p99_ns = dice_number(d);
    w->health.has_process = dice_one_in(d, 2);
    w->health.steal = w->health.has_process ? rng_unit(dice_any(d)) : 0;
    w->health.pressure_cpu = w->health.has_process ? 100 * rng_unit(dice_any(d)) : 0;
    w->health.pressure_memory = w->health.has_process ? 100 * rng_unit(dice_any(d)) : 0;
    w->health.throttled_ns = dice_number(d);
    w->health.rss_bytes = dice_number(d);
    w->health.memory_limit_bytes = dice_number(d);
    w->health.segments_sent = dice_number(d);
    w->health.segments_retransmitted = dice_number(d);
    w->busy_ns = dice_number(d);
    w->wall_ns = dice_number(d);
    w->wakeups = dice_number(d);
}

static inline void dice_window(struct dice *d, struct window *w, uint32_t stage_count)
{
    uint64_t start_ns = 1 + (dice_number(d) >> 1);

    window_reset(w, dice_number(d), start_ns, start_ns + 1 + dice_below(d, UINT32_MAX));
    w->stage_index = (uint32_t)dice_below(d, stage_count);
    w->silence_ns = dice_number(d);
    dice_health(d, w);
    dice_part(d, &w->run);
    for (uint32_t i = 0; i < w->key_count; i++) {
        if (dice_one_in(d, 2)) {
            dice_part(d, &w->keys[i]);
        }
    }
    for (uint32_t i = 0; i < w->custom_count; i++) {
        dice_custom(d, &w->customs[i]);
    }
    dice_failures(d, w);
    dice_samples(d, w);
    dice_numbers(d, w->limits, LIMIT_COUNT);
    w->samples_thinned = dice_number(d);
    w->samples_lost = dice_number(d);
    w->other_failures = dice_number(d);
    if (dice_one_in(d, 2)) {
        window_enter_stage(w, (uint32_t)dice_below(d, stage_count), w->end_ns);
        w->later.silence_ns = dice_number(d);
        dice_part(d, &w->later.run);
        for (uint32_t i = 0; i < w->custom_count; i++) {
            dice_custom(d, &w->later.customs[i]);
        }
    }
}

#endif
