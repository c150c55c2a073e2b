/* SPDX-License-Identifier: MIT */
#include "support/random_window.h"
#include "support/unit.h"
#include "wire/window.h"

enum { KEYS = 7, CUSTOMS = 4, STAGES = 3, ENCODED_MAX = 4 * 1024 * 1024 };

static const struct wire_window_limits limits = {
    .key_count = KEYS, .custom_count = CUSTOMS, .stage_count = STAGES};

static struct window *a_window(void)
{
    return window_new(KEYS, CUSTOMS, 0);
}

/* ---- the same again? ---------------------------------------------------------------------------
 */

static void same_hist(const struct hist *a, const struct hist *b)
{
    bool empty = a == NULL || a->head.count == 0;

    assert_int_equal(empty, b == NULL || b->head.count == 0);
    if (empty) {
        return;
    }
    struct hist_total *x = hist_total_new(), *y = hist_total_new();
    hist_total_add(x, a);
    hist_total_add(y, b);
    assert_int_equal(b->sum, a->sum);
    assert_true(hist_total_equal(x, y));
    hist_total_free(x);
    hist_total_free(y);
}

static void same_part(const struct window_part *a, const struct window_part *b)
{
    assert_memory_equal(a->count, b->count, sizeof a->count);
    assert_int_equal(a->other_failures, b->other_failures);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        same_hist(a->dist[i], b->dist[i]);
    }
}

static void
same_customs(const struct window_custom *a, const struct window_custom *b, uint64_t shift)
{
    for (unsigned i = 0; i < CUSTOMS; i++) {
        assert_int_equal(a[i].count, b[i].count);
        assert_int_equal(a[i].rejected, b[i].rejected);
        if (a[i].count > 0) {
            assert_memory_equal(&a[i].sum, &b[i].sum, 4 * sizeof(double)); /* sum .. last */
            assert_int_equal(a[i].last_ns + shift, b[i].last_ns);
        }
        same_hist(a[i].hist, b[i].hist);
    }
}

static uint64_t shifted(uint64_t t, uint64_t shift)
{
    return t != 0 ? t + shift : 0;
}

static void same_sample(const struct op_sample *a, const struct op_sample *b, uint64_t shift)
{
    struct op_sample want = *a, have = *b;
    struct outcome *o = &want.outcome;

    o->t_due = shifted(o->t_due, shift);
    o->t_free = shifted(o->t_free, shift);
    o->t_ready = shifted(o->t_ready, shift);
    o->t_send = shifted(o->t_send, shift);
    o->t_headers = shifted(o->t_headers, shift);
    o->t_first_event = shifted(o->t_first_event, shift);
    o->t_end = shifted(o->t_end, shift);
    assert_int_equal(want.message_len, have.message_len);
    assert_memory_equal(want.message, have.message, want.message_len);
    assert_memory_equal(&o->t_due, &have.outcome.t_due, 9 * sizeof(uint64_t)); /* .. bytes_in */
    assert_int_equal(o->key, have.outcome.key);
    assert_int_equal(o->vu, have.outcome.vu);
    assert_int_equal(o->n, have.outcome.n);
    assert_int_equal(o->session_serial, have.outcome.session_serial);
    assert_int_equal(o->cls, have.outcome.cls);
    assert_int_equal(o->unfinished, have.outcome.unfinished);
    assert_int_equal(o->is_late, have.outcome.is_late);
    assert_int_equal(o->heir, have.outcome.heir);
    assert_int_equal(o->http_status, have.outcome.http_status);
    assert_int_equal(o->error_type, have.outcome.error_type);
    assert_int_equal(o->error_code, have.outcome.error_code);
    assert_int_equal(o->origin, have.outcome.origin);
    assert_int_equal(o->error_number, have.outcome.error_number);
    assert_int_equal(have.outcome.message.len, 0);
    assert_int_equal(o->is_stream, have.outcome.is_stream);
    assert_int_equal(o->not_streamed, have.outcome.not_streamed);
    assert_int_equal(o->session_was_used, have.outcome.session_was_used);
    assert_int_equal(o->requests_sent, have.outcome.requests_sent);
    assert_int_equal(o->session_retries, have.outcome.session_retries);
    assert_int_equal(o->verified, have.outcome.verified);
    assert_int_equal(o->log_rank, have.outcome.log_rank);
    assert_int_equal(o->event_count, have.outcome.event_count);
    assert_int_equal(o->stall_ns, have.outcome.stall_ns);
}

static void same_list(const struct sample_list *a, const struct sample_list *b, uint64_t shift)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        same_sample(&a->items[i], &b->items[i], shift);
    }
}

static void same_log(const struct window *a, const struct window *b, uint64_t shift)
{
    bool empty = a->log == NULL || a->log->failures.count + a->log->successes.count == 0;

    assert_int_equal(empty,
                     b->log == NULL || b->log->failures.count + b->log->successes.count == 0);
    if (!empty) {
        assert_int_equal(a->log->rank_max, b->log->rank_max);
        same_list(&a->log->failures, &b->log->failures, shift);
        same_list(&a->log->successes, &b->log->successes, shift);
    }
}

static void same_failures(const struct window *a, const struct window *b)
{
    assert_int_equal(a->failure_count, b->failure_count);
    for (uint32_t i = 0; i < a->failure_count; i++) {
        const struct failure *f = &a->failures[i], *g = &b->failures[i];

        assert_true(f->key == g->key && failure_equal(f, g));
        assert_int_equal(f->count, g->count);
        assert_int_equal(f->unmasked, g->unmasked);
        assert_int_equal(f->sample_len, g->sample_len);
        assert_memory_equal(f->sample, g->sample, f->sample_len);
    }
}

static void same_window(const struct window *a, const struct window *b, uint64_t shift)
{
    assert_int_equal(a->second, b->second);
    assert_int_equal(a->start_ns + shift, b->start_ns);
    assert_int_equal(a->end_ns + shift, b->end_ns);
    assert_int_equal(a->stage_index, b->stage_index);
    assert_int_equal(a->silence_ns, b->silence_ns);
    assert_memory_equal(&a->gauges, &b->gauges, sizeof a->gauges);
    assert_memory_equal(&a->health, &b->health, sizeof a->health);
    assert_int_equal(a->busy_ns, b->busy_ns);
    assert_int_equal(a->wall_ns, b->wall_ns);
    assert_int_equal(a->wakeups, b->wakeups);
    assert_int_equal(a->samples_thinned, b->samples_thinned);
    assert_int_equal(a->samples_lost, b->samples_lost);
    assert_int_equal(a->other_failures, b->other_failures);
    assert_memory_equal(a->limits, b->limits, sizeof a->limits);
    same_part(&a->run, &b->run);
    for (uint32_t i = 0; i < KEYS; i++) {
        same_part(&a->keys[i], &b->keys[i]);
    }
    same_customs(a->customs, b->customs, shift);
    same_failures(a, b);
    assert_int_equal(a->slowest_count, b->slowest_count);
    for (uint32_t i = 0; i < a->slowest_count; i++) {
        same_sample(&a->slowest[i], &b->slowest[i], shift);
    }
    same_log(a, b, shift);
    assert_int_equal(a->later.used, b->later.used);
    if (a->later.used) {
        assert_int_equal(a->later.stage_index, b->later.stage_index);
        assert_int_equal(a->later.silence_ns, b->later.silence_ns);
        same_part(&a->later.run, &b->later.run);
        same_customs(a->later.customs, b->later.customs, shift);
    }
}

/* Nothing is left of a window that was refused. */
static void assert_empty(const struct window *w)
{
    struct window *empty = a_window();

    same_window(empty, w, 0);
    window_free(empty);
}

/* ---- round trips --------------------------------------------------------------------------------
 */

/* Into the same window each time: what was there before has no part in it. */
static void test_any_window_comes_back_as_it_was(void **state)
{
    struct window *w = a_window(), *back = a_window();
    struct buf out;

    (void)state;
    buf_init(&out, ENCODED_MAX);
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct dice d = {.seed = seed};
        int64_t shift = seed % 3 == 0 ? 0 : (int64_t)dice_number(&d) * (seed % 3 == 1 ? 1 : -1);
        struct err err;

        dice_window(&d, w, STAGES);
        if (w->start_ns + (uint64_t)shift > UINT64_MAX / 2) {
            shift = 0; /* no clock says that */
        }
        out.len = 0;
        assert_int_equal(wire_window_encode(w, shift, &out), 0);
        if (wire_window_decode(buf_str(&out), &limits, back, &err) != 0) {
            fail_msg("seed %d: %s", (int)seed, err.msg);
        }
        same_window(w, back, (uint64_t)shift);
    }
    buf_clear(&out);
    window_free(w);
    window_free(back);
}

static void test_an_empty_window_is_a_few_bytes(void **state)
{
    struct window *w = a_window(), *back = a_window();
    struct buf out;

    (void)state;
    buf_init(&out, ENCODED_MAX);
    assert_int_equal(wire_window_encode(w, 0, &out), 0);
    assert_int_equal(out.len, 15);
    assert_int_equal(wire_window_decode(buf_str(&out), &limits, back, NULL), 0);
    same_window(w, back, 0);
    buf_clear(&out);
    window_free(w);
    window_free(back);
}

/* One key, 1,000 calls a second with times as calls have them. */
static void test_an_ordinary_second_is_hundreds_of_bytes(void **state)
{
    const struct wire_window_limits one = {.key_count = 1, .stage_count = 1};
    struct window *w = window_new(1, 0, 0), *back = window_new(1, 0, 0);
    uint64_t start_ns = UINT64_C(86400000000000);
    struct dice d = {.seed = 5};
    struct buf out;

    (void)state;
    buf_init(&out, ENCODED_MAX);
    window_reset(w, 100, start_ns, start_ns + 1000000000);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t due = start_ns + i * 1000000, lag = 20000 + dice_below(&d, 20000);
        struct outcome o = {.heir = WINDOW_KEY_NONE,
                            .n = i,
                            .t_due = due,
                            .t_free = due,
                            .t_ready = due,
                            .t_send = due + lag,
                            .requests_sent = 1,
                            .bytes_in = 300,
                            .bytes_out = 200,
                            .session_was_used = true};

        o.t_end = o.t_send + 400000 + dice_below(&d, 200000);
        window_started(w, 0);
        window_outcome(w, &o);
    }
    assert_int_equal(wire_window_encode(w, 0, &out), 0);

    assert_in_range(out.len, 300, 800);
    assert_int_equal(wire_window_decode(buf_str(&out), &one, back, NULL), 0);
    assert_int_equal(back->keys[0].count[COUNT_ENDED_OK], 1000);
    same_hist(w->keys[0].dist[DIST_RESPONSE], back->keys[0].dist[DIST_RESPONSE]);
    buf_clear(&out);
    window_free(w);
    window_free(back);
}

static void test_texts_are_without_control_characters(void **state)
{
    struct window *w = a_window(), *back = a_window();
    struct buf out;

    (void)state;
    buf_init(&out, ENCODED_MAX);
    w->failure_count = 1;
    w->failures[0] = (struct failure){
        .count = 1, .message_len = 4, .sample_len = 4, .message = "a\x1b[m", .sample = "b\0\n\x7f"};
    assert_int_equal(wire_window_encode(w, 0, &out), 0);
    assert_int_equal(wire_window_decode(buf_str(&out), &limits, back, NULL), 0);
    assert_memory_equal(back->failures[0].message, "a [m", 4);
    assert_memory_equal(back->failures[0].sample, "b   ", 4);
    buf_clear(&out);
    window_free(w);
    window_free(back);
}

/* ---- what is refused ----------------------------------------------------------------------------
 */

/* What was understood is understood again, and stays. */
static void check_understood(const struct window *w)
{
    struct window *again = a_window();
    struct buf out;

    buf_init(&out, ENCODED_MAX);
    assert_int_equal(wire_window_encode(w, 0, &out), 0);
    assert_int_equal(wire_window_decode(buf_str(&out), &limits, again, NULL), 0);
    same_window(w, again, 0);
    buf_clear(&out);
    window_free(again);
}

static void decode_hostile(const char *p, size_t len, struct window *into, unsigned *understood)
{
    char *copy = xmalloc(len > 0 ? len : 1); /* a read beyond the end is seen */
    struct err err = {0};

    memcpy(copy, p, len);
    int rc = wire_window_decode((struct str){copy, len}, &limits, into, &err);
    xfree(copy);
    if (rc == 0) {
        ++*understood;
        check_understood(into);
    } else {
        assert_int_equal(rc, ERR_SYNTAX);
        assert_int_equal(err.code, rc);
        assert_true(strncmp(err.msg, "a window: ", 10) == 0);
    }
}

static void small_log(struct dice *d, struct window *w)
{
    struct outcome o = dice_outcome(d, w);

    o.message = STR("refused");
    w->slowest_count = 1;
    op_sample_fill(&w->slowest[0], &o);
    w->log = w->log != NULL ? w->log : sample_batch_new();
    sample_batch_failure(w->log, &o);
    o.message = STR("");
    sample_batch_success(w->log, &o, 10);
}

/* Small ones, so that all of their bytes can be tried. */
static void small_window(struct window *w, uint64_t seed)
{
    struct dice d = {.seed = seed};

    window_reset(w, 3, 1000, 2000);
    w->stage_index = 1;
    w->keys[2].count[COUNT_STARTED] = 300;
    w->keys[5].other_failures = 4;
    hist_record(window_dist(&w->keys[2], DIST_LAG), 1000);
    hist_record_censored(window_dist(&w->keys[2], DIST_LAG), 5000);
    for (unsigned i = 0; i < 2 * HIST_FEW; i++) {
        hist_record(window_dist(&w->run, DIST_TOOL_LAG), 1000 + dice_below(&d, 100));
    }
    window_custom(w, 1, 12.5, true, 1700);
    dice_health(&d, w);
    small_log(&d, w);
    w->failure_count = 1;
    w->failures[0] = (struct failure){.key = 3,
                                      .count = 5,
                                      .unmasked = 2,
                                      .message_len = 2,
                                      .message = "no",
                                      .sample_len = 1,
                                      .sample = "n",
                                      .code = ERROR_CODE_HTTP_5XX};
    window_enter_stage(w, 2, 1500);
    w->later.run.count[COUNT_CONNECT_ATTEMPTS] = 1;
    window_custom(w, 0, 1, false, 1600);
}

static void test_every_truncation_is_refused(void **state)
{
    struct window *w = a_window(), *back = a_window();
    struct buf out;

    (void)state;
    buf_init(&out, ENCODED_MAX);
    for (uint64_t seed = 0; seed < 6; seed++) {
        unsigned understood = 0;

        small_window(w, seed);
        out.len = 0;
        assert_int_equal(wire_window_encode(w, 0, &out), 0);
        for (size_t len = 0; len < out.len; len++) {
            decode_hostile(out.p, len, back, &understood);
            assert_empty(back);
        }
        assert_int_equal(understood, 0);
        buf_add_c(&out, "x");
        decode_hostile(out.p, out.len, back, &understood);
        assert_int_equal(understood, 0);
    }
    buf_clear(&out);
    window_free(w);
    window_free(back);
}

static void test_every_changed_byte_is_refused_or_does_no_harm(void **state)
{
    struct window *w = a_window(), *back = a_window();
    unsigned understood = 0, tried = 0;
    struct buf out;

    (void)state;
    buf_init(&out, ENCODED_MAX);
    for (uint64_t seed = 0; seed < 3; seed++) {
        small_window(w, seed);
        out.len = 0;
        assert_int_equal(wire_window_encode(w, 0, &out), 0);
        for (size_t at = 0; at < out.len; at++) {
            for (unsigned change = 1; change < 256; change = change < 8 ? change + 1 : change * 2) {
                out.p[at] = (char)((unsigned char)out.p[at] ^ change);
                decode_hostile(out.p, out.len, back, &understood);
                out.p[at] = (char)((unsigned char)out.p[at] ^ change);
                tried++;
            }
        }
    }
    assert_in_range(understood, 1, tried - 1); /* a count may well be another one */
    buf_clear(&out);
    window_free(w);
    window_free(back);
}

/* Each makes a window that no shard could have; what the decoder says to it. */
static struct hist *a_hist(struct window *w)
{
    return w->run.dist[DIST_TOOL_LAG];
}
static void more_samples(struct window *w)
{
    a_hist(w)->head.count++;
}
static void lower_minimum(struct window *w)
{
    a_hist(w)->head.min = 3;
}
static void higher_maximum(struct window *w)
{
    a_hist(w)->head.max = 1 << 20;
}
static void lower_maximum(struct window *w)
{
    a_hist(w)->head.max = a_hist(w)->head.min;
}
static void larger_sum(struct window *w)
{
    a_hist(w)->sum += 1 << 20;
}
static void smaller_sum(struct window *w)
{
    a_hist(w)->sum = a_hist(w)->head.count * a_hist(w)->head.min - 5000;
}
static void too_many_censored(struct window *w)
{
    a_hist(w)->head.censored_n = a_hist(w)->head.count + 1;
    a_hist(w)->head.censored_min = a_hist(w)->head.min;
}
static void censored_above(struct window *w)
{
    a_hist(w)->head.censored_n = 1;
    a_hist(w)->head.censored_min = a_hist(w)->head.max + 1;
}
static void beyond_the_range(struct window *w)
{
    a_hist(w)->head.max = HIST_VALUE_MAX + 1;
}
static void foreign_stage(struct window *w)
{
    w->stage_index = STAGES;
}
static void foreign_later_stage(struct window *w)
{
    w->later.stage_index = STAGES;
}
static void ends_early(struct window *w)
{
    w->end_ns = w->start_ns - 1;
}
static void begins_in_nothing(struct window *w)
{
    w->end_ns = w->start_ns;
}
static void foreign_key_of_a_failure(struct window *w)
{
    w->failures[0].key = KEYS;
}
static void too_many_unmasked(struct window *w)
{
    w->failures[0].unmasked = 6;
}
static void unknown_code(struct window *w)
{
    w->failures[0].code = ERROR_CODE_COUNT;
}
static void unknown_type(struct window *w)
{
    w->failures[0].type = ERROR_TYPE_COUNT;
}
static void unknown_origin(struct window *w)
{
    w->failures[0].origin = ERROR_ORIGIN_COUNT;
}
static void foreign_key_of_an_operation(struct window *w)
{
    w->slowest_count = 1;
    w->slowest[0].outcome = (struct outcome){.key = KEYS, .heir = WINDOW_KEY_NONE};
}
static void unknown_class(struct window *w)
{
    w->slowest_count = 1;
    w->slowest[0].outcome =
        (struct outcome){.cls = OUTCOME_UNFINISHED + 1, .heir = WINDOW_KEY_NONE};
}
static void rank_above(struct window *w)
{
    struct outcome o = {.log_rank = 100, .heir = WINDOW_KEY_NONE};

    w->log = w->log != NULL ? w->log : sample_batch_new();
    sample_batch_reset(w->log);
    sample_batch_success(w->log, &o, 10);
    w->log->rank_max = 99;
}
static void last_above_the_largest(struct window *w)
{
    w->customs[1].max = 12;
}
static void endless_number(struct window *w)
{
    w->customs[1].min = -1.0 / 0.0;
}
static void trend_of_others(struct window *w)
{
    w->customs[1].count = 2;
}
static void endless_pressure(struct window *w)
{
    w->health.has_process = true;
    w->health.pressure_cpu = 1.0 / 0.0;
}

static const struct contradiction {
    void (*make)(struct window *w);
    const char *text;
} contradictions[] = {
    {more_samples, "a window: a bucket beyond the maximum's"},
    {lower_minimum, "a window: a maximum that no bucket has"},
    {higher_maximum, "a window: a maximum that no bucket has"},
    {lower_maximum, "a window: a bucket beyond the maximum's"},
    {larger_sum, "a window: a sum that its buckets do not make up"},
    {smaller_sum, "a window: a sum that its buckets do not make up"},
    {too_many_censored, "a window: more censored samples than samples"},
    {censored_above, "a window: a censored sample above the maximum"},
    {beyond_the_range, "a window: a maximum beyond the range"},
    {foreign_stage, "a window: a stage that does not exist"},
    {foreign_later_stage, "a window: a stage that does not exist"},
    {ends_early, "a window: a second that ends before it begins"},
    {begins_in_nothing, "a window: a stage that begins inside nothing"},
    {foreign_key_of_a_failure, "a window: a failure of a key that does not exist"},
    {too_many_unmasked, "a window: more failures without a text than failures"},
    {unknown_code, "a window: an unknown error code"},
    {unknown_type, "a window: an unknown error type"},
    {unknown_origin, "a window: an unknown origin"},
    {foreign_key_of_an_operation, "a window: a key that does not exist"},
    {unknown_class, "a window: an unknown class"},
    {rank_above, "a window: a success above the highest rank"},
    {last_above_the_largest,
     "a window: a last number that is not between the least and the largest"},
    {endless_number, "a window: a number that is none"},
    {trend_of_others, "a window: a trend with more or fewer numbers than were found"},
    {endless_pressure, "a window: a number that is none"},
};

static void test_contradictions_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof contradictions / sizeof contradictions[0]; i++) {
        struct window *w = a_window(), *back = a_window();
        struct buf out;
        struct err err = {0};

        buf_init(&out, ENCODED_MAX);
        small_window(w, 1);
        contradictions[i].make(w);
        assert_int_equal(wire_window_encode(w, 0, &out), 0);
        wire_window_decode(buf_str(&out), &limits, back, &err);
        assert_string_equal(err.msg, contradictions[i].text);
        assert_empty(back);
        buf_clear(&out);
        window_free(w);
        window_free(back);
    }
}

/* A worker of another plan. */
static void test_what_the_plan_does_not_have_is_refused(void **state)
{
    static const struct wire_window_limits smaller[] = {
        {.key_count = 2, .custom_count = CUSTOMS, .stage_count = STAGES},
        {.key_count = KEYS, .custom_count = 1, .stage_count = STAGES},
        {.key_count = KEYS, .custom_count = CUSTOMS, .stage_count = 1},
    };
    struct window *w = a_window();
    struct buf out;

    (void)state;
    buf_init(&out, ENCODED_MAX);
    small_window(w, 1);
    assert_int_equal(wire_window_encode(w, 0, &out), 0);
    for (size_t i = 0; i < sizeof smaller / sizeof smaller[0]; i++) {
        struct window *back = window_new(smaller[i].key_count, smaller[i].custom_count, 0);

        assert_int_equal(wire_window_decode(buf_str(&out), &smaller[i], back, NULL), ERR_SYNTAX);
        window_free(back);
    }
    buf_clear(&out);
    window_free(w);
}

static void test_a_full_buffer_is_left_as_it_was(void **state)
{
    struct window *w = a_window();

    (void)state;
    small_window(w, 1);
    for (size_t max = 10; max < 200; max += 17) {
        struct buf out;

        buf_init(&out, max);
        buf_add_c(&out, "before");
        assert_int_equal(wire_window_encode(w, 0, &out), ERR_LIMIT);
        assert_int_equal(out.len, 6);
        buf_clear(&out);
    }
    window_free(w);
}

/* A new member of these structs would stay behind in silence. Give it its place in wire/ and in
 * same_window, and then its size here. */
static void test_no_member_is_forgotten(void **state)
{
    size_t known = sizeof(struct window_part) + sizeof(struct window_later) +
                   sizeof(uint64_t[LIMIT_COUNT]) + sizeof(struct op_sample[WINDOW_SLOWEST_MAX]) +
                   sizeof(struct failure[WINDOW_FAILURES_MAX]) +
                   sizeof(struct window_text[WINDOW_TEXT_PLACES]) + sizeof(struct window_gauges) +
                   sizeof(struct window_health);

    (void)state;
    assert_int_equal(sizeof(struct window), known + 152);
    assert_int_equal(sizeof(struct window_part),
                     sizeof(uint64_t[COUNT_ALL + 1]) + sizeof(void *[DIST_ALL]));
    assert_int_equal(sizeof(struct window_later), sizeof(struct window_part) + 24);
    assert_int_equal(sizeof(struct window_custom), 64);
    assert_int_equal(sizeof(struct outcome), 192);
    assert_int_equal(sizeof(struct op_sample), sizeof(struct outcome) + SAMPLE_MESSAGE_MAX + 8);
    assert_int_equal(sizeof(struct failure), 48 + SIGNATURE_MAX + SIGNATURE_SAMPLE_MAX);
    assert_int_equal(sizeof(struct sample_batch), 56);
    assert_int_equal(sizeof(struct hist_head), 56);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_window_comes_back_as_it_was),
        cmocka_unit_test(test_an_empty_window_is_a_few_bytes),
        cmocka_unit_test(test_an_ordinary_second_is_hundreds_of_bytes),
        cmocka_unit_test(test_texts_are_without_control_characters),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_every_changed_byte_is_refused_or_does_no_harm),
        cmocka_unit_test(test_contradictions_are_refused),
        cmocka_unit_test(test_what_the_plan_does_not_have_is_refused),
        cmocka_unit_test(test_a_full_buffer_is_left_as_it_was),
        cmocka_unit_test(test_no_member_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
