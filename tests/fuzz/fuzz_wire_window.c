/* SPDX-License-Identifier: MIT */
/* Bytes → a window, and the totals of a run, of a plan with a few keys and metrics: what was
 * understood is written and understood as the same again, and its histograms can be added. The
 * window is used twice, so that what a refused one leaves behind is seen. */
#include "fuzz/fuzz.h"
#include "wire/totals.h"
#include "wire/window.h"

enum { KEYS = 3, CUSTOMS = 3, STAGES = 4, ENCODED_MAX = 16 * 1024 * 1024 };

static const struct wire_window_limits limits = {
    .key_count = KEYS, .custom_count = CUSTOMS, .stage_count = STAGES};

static void check_hists(const struct window_part *part)
{
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (part->dist[i] == NULL) {
            continue;
        }
        struct hist_total *t = hist_total_new();
        uint64_t n = 0;

        hist_total_add(t, part->dist[i]);
        for (unsigned b = 0; b < HIST_BUCKETS; b++) {
            n += hist_total_bucket(t, b);
        }
        fuzz_require(n == part->dist[i]->head.count, "samples were lost");
        hist_total_free(t);
    }
}

static void check_window(const struct window *w)
{
    struct window *back = window_new(KEYS, CUSTOMS, 0);
    struct buf first, second;

    for (uint32_t i = 0; i < KEYS; i++) {
        check_hists(&w->keys[i]);
    }
    check_hists(&w->run);
    buf_init(&first, ENCODED_MAX);
    buf_init(&second, ENCODED_MAX);
    fuzz_require(wire_window_encode(w, 0, &first) == 0, "cannot be written");
    fuzz_require(wire_window_decode(buf_str(&first), &limits, back, NULL) == 0, "not read again");
    fuzz_require(wire_window_encode(back, 0, &second) == 0, "cannot be written again");
    fuzz_require(str_eq(buf_str(&first), buf_str(&second)), "read differently");
    buf_clear(&first);
    buf_clear(&second);
    window_free(back);
}

static void check_totals(struct str in)
{
    struct wire_totals t, back;
    struct err err = {0};

    wire_totals_init(&t, KEYS);
    wire_totals_init(&back, KEYS);
    if (wire_totals_decode(in, &t, &err) == 0) {
        struct buf out;

        buf_init(&out, ENCODED_MAX);
        fuzz_require(wire_totals_encode(&t, &out) == 0, "totals cannot be written");
        fuzz_require(wire_totals_decode(buf_str(&out), &back, NULL) == 0, "totals not read again");
        fuzz_require(wire_totals_equal(&t, &back, NULL), "totals read differently");
        buf_clear(&out);
    } else {
        fuzz_require(err.msg[0] != '\0', "an error without a text");
    }
    wire_totals_clear(&t);
    wire_totals_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    struct window *w = window_new(KEYS, CUSTOMS, 0);

    for (unsigned i = 0; i < 2; i++) {
        struct err err = {0};

        if (wire_window_decode(in, &limits, w, &err) == 0) {
            check_window(w);
        } else {
            fuzz_require(err.code == ERR_SYNTAX && err.msg[0] != '\0', "an error without a text");
            fuzz_require(w->end_ns == 0 && w->failure_count == 0, "a window in spite of it");
        }
    }
    window_free(w);
    check_totals(in);
    return 0;
}
