/* SPDX-License-Identifier: MIT */
#include "wire/histogram.h"

#include <assert.h>

/* ---- writing ----------------------------------------------------------------------------------
 */

static void pack_head(struct packer *p, const struct hist *h)
{
    const struct hist_head *head = &h->head;

    pack_varint(p, head->count);
    pack_varint(p, head->min);
    pack_varint(p, head->max - head->min);
    pack_varint(p, h->sum - head->count * head->min);
    pack_varint(p, head->censored_n);
    if (head->censored_n > 0) {
        pack_varint(p, head->censored_min - head->min);
    }
    if (head->max == HIST_VALUE_MAX) {
        pack_varint(p, head->overflow);
    }
}

/* What the two lowest bits of a bucket say. */
enum { TAG_BOTH, TAG_SINGLE, TAG_NEXT, TAG_NEXT_BUT_ONE };

static void pack_step(struct packer *p, uint64_t gap, uint64_t n)
{
    if (n == 1) {
        pack_varint(p, gap << 2 | TAG_SINGLE);
    } else if (gap <= 2) {
        pack_varint(p, n << 2 | (gap == 1 ? TAG_NEXT : TAG_NEXT_BUT_ONE));
    } else {
        pack_varint(p, gap << 2 | TAG_BOTH);
        pack_varint(p, n);
    }
}

/* `last` is the bucket before, moved on to this one; the first one has none. */
static void pack_bucket(struct packer *p, unsigned *last, unsigned i, uint32_t n)
{
    if (*last == HIST_BUCKETS) {
        pack_varint(p, n);
    } else {
        pack_step(p, i - *last, n);
    }
    *last = i;
}

/* Few and nearly always almost in order. */
static void sort(uint16_t *items, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        uint16_t item = items[i];
        unsigned at = i;

        for (; at > 0 && items[at - 1] > item; at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

static void pack_few(struct packer *p, const struct hist *h)
{
    unsigned count = (unsigned)h->head.count, last = HIST_BUCKETS, n;
    uint16_t few[HIST_FEW];

    memcpy(few, h->few, count * sizeof *few);
    sort(few, count);
    for (unsigned i = 0; i < count; i += n) {
        for (n = 1; i + n < count && few[i + n] == few[i]; n++) {
        }
        pack_bucket(p, &last, few[i], n);
    }
}

static void pack_pages(struct packer *p, const struct hist *h)
{
    unsigned last = HIST_BUCKETS;

    for (unsigned page = h->head.lo / HIST_PAGE; page <= h->head.hi / HIST_PAGE; page++) {
        for (unsigned i = 0; h->page[page] != NULL && i < HIST_PAGE; i++) {
            if (h->page[page][i] > 0) {
                pack_bucket(p, &last, page * HIST_PAGE + i, h->page[page][i]);
            }
        }
    }
}

void pack_hist(struct packer *p, const struct hist *h)
{
    assert(h->head.count > 0);
    pack_head(p, h);
    if (h->head.count <= HIST_FEW) {
        pack_few(p, h);
    } else {
        pack_pages(p, h);
    }
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static void unpack_head(struct unpacker *u, struct hist *h)
{
    struct hist_head head = {.count = unpack_varint(u), .censored_min = UINT64_MAX};

    head.min = unpack_max(u, HIST_VALUE_MAX, "a minimum beyond the range");
    head.max = head.min + unpack_max(u, HIST_VALUE_MAX - head.min, "a maximum beyond the range");
    h->sum = unpack_varint(u) + head.count * head.min;
    head.censored_n = unpack_max(u, head.count, "more censored samples than samples");
    if (head.censored_n > 0) {
        head.censored_min =
            head.min + unpack_max(u, head.max - head.min, "a censored sample above the maximum");
    }
    if (head.max == HIST_VALUE_MAX) {
        head.overflow = unpack_max(u, head.count, "more clamped samples than samples");
    }
    head.lo = hist_index(head.min);
    head.hi = hist_index(head.max);
    if (head.count == 0) {
        unpack_fail(u, "a histogram without a sample");
    }
    if (!unpack_ok(u)) {
        return;
    }
    if (head.count > HIST_FEW && (h->page == NULL || h->page[head.lo / HIST_PAGE] == NULL)) {
        hist_page_make(h, head.lo / HIST_PAGE); /* with such a count there are counters */
    }
    h->head = head;
}

static void put_bucket(struct hist *h, uint64_t seen, unsigned i, uint64_t n)
{
    if (h->head.count <= HIST_FEW) {
        for (uint64_t k = 0; k < n; k++) {
            h->few[seen + k] = (uint16_t)i;
        }
        return;
    }
    uint32_t *page = h->page != NULL ? h->page[i / HIST_PAGE] : NULL;
    page = page != NULL ? page : hist_page_make(h, i / HIST_PAGE);
    page[i % HIST_PAGE] = (uint32_t)n;
}

/* How many samples the next bucket has; *i moves on to it. */
static uint64_t unpack_bucket(struct unpacker *u, const struct hist_head *head, unsigned *i)
{
    uint64_t step = unpack_varint(u), n = step >> 2, gap = n;

    switch (step & 3) {
    case TAG_BOTH:
        n = unpack_varint(u);
        break;
    case TAG_SINGLE:
        n = 1;
        break;
    case TAG_NEXT:
        gap = 1;
        break;
    default:
        gap = 2;
    }
    if (gap == 0 || gap > head->hi - *i) {
        unpack_fail(u, "a bucket beyond the maximum's");
        return 0;
    }
    if (n > UINT32_MAX) {
        unpack_fail(u, "a bucket with too many samples");
        return 0;
    }
    *i += (unsigned)gap;
    return n;
}

__extension__ typedef unsigned __int128 u128;

/* Modulo 2^64 a sum may be anything; no second comes that far. */
static void check_sum(struct unpacker *u, const struct hist *h, u128 least, u128 most)
{
    if (most <= UINT64_MAX && (h->sum < least || h->sum > most)) {
        unpack_fail(u, "a sum that its buckets do not make up");
    }
}

void unpack_hist(struct unpacker *u, struct hist *h)
{
    u128 least = 0, most = 0;
    uint64_t seen = 0, n;

    assert(h->head.count == 0);
    unpack_head(u, h);
    unsigned i = h->head.lo;
    for (n = unpack_max(u, UINT32_MAX, "a bucket with too many samples"); unpack_ok(u);
         n = unpack_bucket(u, &h->head, &i)) {
        if (n == 0 || n > h->head.count - seen) {
            unpack_fail(u, "buckets that do not make up the count");
            return;
        }
        put_bucket(h, seen, i, n);
        seen += n;
        least += (u128)n * hist_low(i);
        most += (u128)n * hist_high(i);
        if (seen == h->head.count) {
            break;
        }
    }
    if (i != h->head.hi) {
        unpack_fail(u, "a maximum that no bucket has");
    }
    check_sum(u, h, least, most);
}
