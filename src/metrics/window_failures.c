/* SPDX-License-Identifier: MIT */
/*
 * The failures of a second by kind. Masking a text costs microseconds, so that each one is masked
 * when it is new and found by its hash when it comes again: a storm of equal failures costs as
 * little as its hash. Texts that are all different share one row of their error code from some
 * number on.
 */
#include "base/rng.h"
#include "metrics/window_priv.h"

#include <string.h>

/* Where failures beyond the rows are counted. */
enum { ROW_BEYOND = WINDOW_FAILURES_MAX + 1 };

static uint64_t
kind_hash(enum error_type type, enum error_code code, enum error_origin origin, int number)
{
    return rng_mix64((uint64_t)type << 48 ^ (uint64_t)code << 40 ^ (uint64_t)origin << 32 ^
                     (uint32_t)number);
}

/* Only to tell rows apart quickly; equal hashes are compared in full. */
static uint64_t failure_hash(const struct failure *f)
{
    return str_hash(kind_hash(f->type, f->code, f->origin, f->number),
                    (struct str){f->message, f->message_len});
}

bool failure_equal(const struct failure *a, const struct failure *b)
{
    return a->hash == b->hash && a->type == b->type && a->code == b->code &&
           (a->key == WINDOW_KEY_BESIDE) == (b->key == WINDOW_KEY_BESIDE) &&
           a->origin == b->origin && a->number == b->number && a->message_len == b->message_len &&
           memcmp(a->message, b->message, a->message_len) == 0;
}

/* ---- texts ------------------------------------------------------------------------------------
 */

/* Eight bytes at a step: it is taken of each failure's whole text. */
static uint64_t words_hash(uint64_t hash, struct str s)
{
    for (; s.len >= sizeof hash; s.p += sizeof hash, s.len -= sizeof hash) {
        uint64_t word;

        memcpy(&word, s.p, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return rng_mix64(str_hash(hash, s));
}

static uint64_t text_hash(const struct outcome *o)
{
    uint64_t kind = kind_hash(o->error_type, o->error_code, o->origin, o->error_number);

    return words_hash(rng_mix64(kind + o->key), o->message);
}

/* The place of this text, or the free one where it belongs. More than half of them are free. */
static struct window_text *text_place(struct window *w, uint64_t hash, size_t len)
{
    for (uint64_t at = hash;; at++) {
        struct window_text *t = &w->texts[at % WINDOW_TEXT_PLACES];

        if (t->row == 0 || (t->hash == hash && t->len == len)) {
            return t;
        }
    }
}

/* ---- rows -------------------------------------------------------------------------------------
 */

/* Fills in the masked text. */
static void mask_text(struct window *w, struct str message, struct failure *f)
{
    char masked[SIGNATURE_MAX + 4]; /* a character more shows that it was cut */
    size_t len = signature_mask(message, masked, sizeof masked);

    w->limits[LIMIT_SIGNATURE_INPUT] += message.len > SIGNATURE_INPUT_MAX;
    w->limits[LIMIT_SIGNATURE] += len > SIGNATURE_MAX;
    f->message_len =
        (uint16_t)signature_sample((struct str){masked, len}, f->message, sizeof f->message);
}

/* Stands for what is not masked any more. */
static void leave_text_out(struct failure *f)
{
    static const char more[] = "<MORE>";

    f->message_len = sizeof more - 1;
    memcpy(f->message, more, sizeof more - 1);
}

/* The number of the row of this kind, which is made if there is room. */
static uint32_t row_of(struct window *w, struct failure *f, struct str message)
{
    f->hash = failure_hash(f);
    for (uint32_t i = 0; i < w->failure_count; i++) {
        if (w->failures[i].key == f->key && failure_equal(&w->failures[i], f)) {
            return i + 1;
        }
    }
    if (w->failure_count == WINDOW_FAILURES_MAX) {
        return ROW_BEYOND;
    }
    w->limits[LIMIT_SIGNATURE_SAMPLE] += message.len > SIGNATURE_SAMPLE_MAX;
    f->sample_len = (uint16_t)signature_sample(message, f->sample, sizeof f->sample);
    w->failures[w->failure_count++] = *f;
    return w->failure_count;
}

static uint64_t count_in(struct window *w, uint32_t row, uint32_t key)
{
    if (row == ROW_BEYOND) {
        struct window_part *part = key == WINDOW_KEY_BESIDE ? &w->run : window_key(w, key);

        part->other_failures++;
        window_limit(w, LIMIT_FAILURE_KINDS);
        return ++w->other_failures;
    }
    return ++w->failures[row - 1].count;
}

uint64_t window_failures_add(struct window *w, const struct outcome *o)
{
    uint64_t hash = text_hash(o);
    struct window_text *text = text_place(w, hash, o->message.len);

    if (text->row != 0) {
        return count_in(w, text->row, o->key);
    }
    struct failure f = {.key = o->key,
                        .type = o->error_type,
                        .code = o->error_code,
                        .origin = o->origin,
                        .number = o->error_number};
    bool room = w->text_count < WINDOW_TEXTS_MAX, masks = room || o->message.len == 0;
    if (masks) {
        mask_text(w, o->message, &f);
    } else {
        leave_text_out(&f);
    }
    uint32_t row = row_of(w, &f, o->message);
    if (room) {
        w->text_count++;
        *text = (struct window_text){.hash = hash, .len = (uint32_t)o->message.len, .row = row};
    }
    /* Where there is no row for it either, that is what took effect. */
    if (!masks && row != ROW_BEYOND) {
        w->failures[row - 1].unmasked++;
        window_limit(w, LIMIT_FAILURE_TEXTS);
    }
    return count_in(w, row, o->key);
}

void window_beside_failed(struct window *w, const struct outcome *o)
{
    struct outcome beside = *o;

    beside.key = WINDOW_KEY_BESIDE;
    window_failures_add(w, &beside);
}

void window_failures_reset(struct window *w)
{
    w->failure_count = 0;
    w->other_failures = 0;
    if (w->text_count > 0) {
        memset(w->texts, 0, sizeof w->texts);
        w->text_count = 0;
    }
}
