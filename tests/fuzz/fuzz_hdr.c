/* SPDX-License-Identifier: MIT */
/* Histograms in their exchange format: what was understood adds up, and what we write of it is
 * understood as the same. The first byte says whether a body or a text follows. */
#include "fuzz/fuzz.h"
#include "report/files/hdr.h"

static void check_round_trip(const struct hist_total *t)
{
    struct hist_total *back = hist_total_new();
    struct hdr h = {0};
    struct buf text;

    buf_init(&text, (size_t)1 << 20);
    fuzz_require(hdr_write_text(t, &text) == 0, "cannot be written");
    fuzz_require(hdr_read_text(buf_str(&text), &h, NULL) == 0, "cannot be read again");
    hdr_add_to(&h, back);
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        fuzz_require(hist_total_bucket(back, i) == hist_total_bucket(t, i), "other buckets");
    }
    hdr_clear(&h);
    buf_clear(&text);
    hist_total_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hdr h = {0};
    struct err err = {0};

    if (size == 0) {
        return 0;
    }
    struct str input = {(const char *)data + 1, size - 1};
    int rc = data[0] % 2 == 0 ? hdr_read_body(input, &h, &err) : hdr_read_text(input, &h, &err);
    if (rc != 0) {
        fuzz_require(err.code == rc && err.msg[0] != '\0', "an error without a text");
        fuzz_require(h.counts == NULL, "a histogram in spite of it");
        return 0;
    }
    struct hist_total *t = hist_total_new();
    uint64_t count = 0;
    for (uint32_t i = 0; i < h.count_len; i++) {
        count += h.counts[i];
    }
    hdr_add_to(&h, t);
    fuzz_require(t->head.count == count, "samples were lost");
    check_round_trip(t);
    hist_total_free(t);
    hdr_clear(&h);
    return 0;
}
