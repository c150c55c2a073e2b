/* SPDX-License-Identifier: MIT */
#include "support/random_window.h"
#include "support/unit.h"
#include "wire/totals.h"

enum { KEYS = 5, STAGES = 2, WINDOWS = 40, ENCODED_MAX = 1024 * 1024 };

static struct window *windows[WINDOWS];

static int make_windows(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct dice d = {.seed = 1000 + i};

        windows[i] = window_new(KEYS, 0, 0);
        dice_window(&d, windows[i], STAGES);
    }
    return 0;
}

static int free_windows(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WINDOWS; i++) {
        window_free(windows[i]);
    }
    return 0;
}

/* Of every `step`-th window from `first` on. */
static struct wire_totals total_of(unsigned first, unsigned step)
{
    struct wire_totals t;

    wire_totals_init(&t, KEYS);
    for (unsigned i = first; i < WINDOWS; i += step) {
        wire_totals_add(&t, windows[i]);
    }
    return t;
}

static void test_parts_make_up_the_whole(void **state)
{
    struct wire_totals whole = total_of(0, 1), sum = total_of(2, 3);

    (void)state;
    for (unsigned part = 0; part < 2; part++) {
        struct wire_totals t = total_of(part, 3);

        assert_false(wire_totals_equal(&whole, &sum, NULL));
        wire_totals_merge(&sum, &t);
        wire_totals_clear(&t);
    }
    assert_true(wire_totals_equal(&whole, &sum, NULL));
    wire_totals_clear(&whole);
    wire_totals_clear(&sum);
}

/* As the control plane does it: histograms are merged first. */
static void books_part(struct wire_total_part *to, bool run, uint32_t key)
{
    for (unsigned id = 0; id < DIST_ALL; id++) {
        struct hist_total *sum = hist_total_new();

        for (unsigned i = 0; i < WINDOWS; i++) {
            const struct window *w = windows[i];
            const struct hist *h = run ? w->run.dist[id] : w->keys[key].dist[id];

            if (h != NULL) {
                hist_total_add(sum, h);
            }
            if (run && w->later.used && w->later.run.dist[id] != NULL) {
                hist_total_add(sum, w->later.run.dist[id]);
            }
        }
        wire_total_dist_add_total(&to->dist[id], sum);
        hist_total_free(sum);
    }
    for (unsigned id = 0; id < COUNT_ALL; id++) {
        for (unsigned i = 0; i < WINDOWS; i++) {
            const struct window *w = windows[i];

            to->count[id] += run ? w->run.count[id] : w->keys[key].count[id];
            to->count[id] += run && w->later.used ? w->later.run.count[id] : 0;
        }
    }
}

static void test_merged_histograms_have_the_same_totals(void **state)
{
    struct wire_totals reported = total_of(0, 1), books;
    struct err err = {.msg = ""};

    (void)state;
    wire_totals_init(&books, KEYS);
    for (uint32_t key = 0; key < KEYS; key++) {
        books_part(&books.keys[key], false, key);
    }
    books_part(&books.run, true, 0);
    if (!wire_totals_equal(&reported, &books, &err)) {
        fail_msg("%s", err.msg);
    }
    wire_totals_clear(&reported);
    wire_totals_clear(&books);
}

static const struct difference {
    bool run, count, sum, check;
    const char *text;
} differences[] = {
    {.text = "key 3: ended_ok is 120 here and 118 there"},
    {.run = true, .text = "the run: ended_ok is 120 here and 118 there"},
    {.count = true, .text = "key 3: the number of samples of response is 3 here and 2 there"},
    {.sum = true, .text = "key 3: the sum of response in ns is 3000 here and 2000 there"},
    {.check = true, .text = "key 3: the samples of response lie in other buckets"},
};

static void test_the_first_difference_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
        const struct difference *d = &differences[i];
        struct wire_totals a, b;
        struct err err;

        wire_totals_init(&a, KEYS);
        wire_totals_init(&b, KEYS);
        struct wire_total_part *x = d->run ? &a.run : &a.keys[3], *y = d->run ? &b.run : &b.keys[3];
        bool of_samples = d->count || d->sum || d->check;
        x->count[COUNT_ENDED_OK] = 120;
        y->count[COUNT_ENDED_OK] = of_samples ? 120 : 118;
        x->dist[DIST_RESPONSE] = y->dist[DIST_RESPONSE] = (struct wire_total_dist){3, 3000, 9};
        y->dist[DIST_RESPONSE].count -= d->count;
        y->dist[DIST_RESPONSE].sum -= d->sum ? 1000 : 0;
        y->dist[DIST_RESPONSE].check -= d->check;
        assert_false(wire_totals_equal(&a, &b, &err));
        assert_string_equal(err.msg, d->text);
        wire_totals_clear(&a);
        wire_totals_clear(&b);
    }
}

/* Count and sum are the same; only the buckets tell. */
static void test_a_sample_in_another_bucket_is_seen(void **state)
{
    struct wire_total_dist a = {0}, b = {0};
    struct hist *x = hist_new(), *y = hist_new();

    (void)state;
    hist_record(x, 1000);
    hist_record(x, 3000);
    hist_record(y, 2000);
    hist_record(y, 2000);
    wire_total_dist_add(&a, x);
    wire_total_dist_add(&b, y);
    assert_int_equal(a.count, b.count);
    assert_int_equal(a.sum, b.sum);
    assert_true(a.check != b.check);
    hist_free(x);
    hist_free(y);
}

static void test_totals_come_back(void **state)
{
    struct wire_totals t = total_of(0, 7), back = total_of(1, 1); /* what was there goes */
    struct err err = {.msg = ""};
    struct buf out;

    (void)state;
    buf_init(&out, ENCODED_MAX);
    memset(&t.keys[1], 0, sizeof t.keys[1]);
    assert_int_equal(wire_totals_encode(&t, &out), 0);
    assert_int_equal(wire_totals_decode(buf_str(&out), &back, &err), 0);
    if (!wire_totals_equal(&t, &back, &err)) {
        fail_msg("%s", err.msg);
    }
    wire_totals_clear(&t);
    wire_totals_clear(&back);
    buf_clear(&out);
}

static void test_every_truncation_is_refused(void **state)
{
    struct wire_totals t = total_of(0, 9), back, none;
    struct buf out;
    struct err err;

    (void)state;
    wire_totals_init(&back, KEYS);
    wire_totals_init(&none, KEYS);
    buf_init(&out, ENCODED_MAX);
    wire_totals_encode(&t, &out);
    for (size_t len = 0; len < out.len; len++) {
        char *copy = xmalloc(len + 1); /* a read beyond the end is seen */

        memcpy(copy, out.p, len);
        assert_int_equal(wire_totals_decode((struct str){copy, len}, &back, &err), ERR_SYNTAX);
        assert_true(wire_totals_equal(&back, &none, NULL));
        xfree(copy);
    }
    buf_add_c(&out, "x");
    assert_int_equal(wire_totals_decode(buf_str(&out), &back, &err), ERR_SYNTAX);
    wire_totals_clear(&back);
    wire_totals_init(&back, KEYS - 1);
    out.len--;
    assert_int_equal(wire_totals_decode(buf_str(&out), &back, &err), ERR_SYNTAX);
    assert_string_equal(err.msg, "totals: a key that does not exist");
    wire_totals_clear(&t);
    wire_totals_clear(&back);
    wire_totals_clear(&none);
    buf_clear(&out);
}

/* Samples without a number would be left out when they are written again. */
static void test_a_zero_is_refused(void **state)
{
    static const char counter[] = "\x01\0\0\0", samples[] = "\0\x01\0\x05"
                                                            "12345678\0";
    struct wire_totals back;
    struct err err;

    (void)state;
    wire_totals_init(&back, KEYS);
    assert_int_equal(wire_totals_decode((struct str){counter, sizeof counter - 1}, &back, &err),
                     ERR_SYNTAX);
    assert_string_equal(err.msg, "totals: a zero that should not be there");
    assert_int_equal(wire_totals_decode((struct str){samples, sizeof samples - 1}, &back, &err),
                     ERR_SYNTAX);
    assert_string_equal(err.msg, "totals: a zero that should not be there");
    assert_int_equal(back.run.dist[0].sum, 0);
    wire_totals_clear(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_make_up_the_whole),
        cmocka_unit_test(test_merged_histograms_have_the_same_totals),
        cmocka_unit_test(test_the_first_difference_is_named),
        cmocka_unit_test(test_a_sample_in_another_bucket_is_seen),
        cmocka_unit_test(test_totals_come_back),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_a_zero_is_refused),
    };
    return cmocka_run_group_tests(tests, make_windows, free_windows);
}
