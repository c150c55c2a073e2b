/* SPDX-License-Identifier: MIT */
#include "metrics/histogram.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { PPM = 1000000 };

static const struct hist_head empty_head = {
    .min = UINT64_MAX,
    .censored_min = UINT64_MAX,
    .lo = HIST_BUCKETS,
};

struct hist *hist_new(void)
{
    struct hist *h = xcalloc_lines(1, sizeof *h);

    h->head = empty_head;
    return h;
}

struct hist_total *hist_total_new(void)
{
    struct hist_total *t = xcalloc(1, sizeof *t);

    t->head = empty_head;
    return t;
}

void hist_free(struct hist *h)
{
    if (h == NULL) {
        return;
    }
    for (unsigned i = 0; h->page != NULL && i < HIST_PAGES; i++) {
        xfree(h->page[i]);
    }
    xfree(h->page);
    xfree(h);
}

void hist_total_free(struct hist_total *t)
{
    for (unsigned i = 0; t != NULL && i < HIST_PAGES; i++) {
        xfree(t->page[i]);
    }
    xfree(t);
}

static uint32_t *page_of(struct hist *h, unsigned page)
{
    if (h->page[page] == NULL) {
        h->page[page] = xcalloc(HIST_PAGE, sizeof *h->page[page]);
    }
    return h->page[page];
}

uint32_t *hist_page_make(struct hist *h, unsigned page)
{
    if (h->page == NULL) {
        /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
        h->page = xcalloc(HIST_PAGES, sizeof *h->page);
    }
    for (unsigned n = 0; h->head.count == HIST_FEW && n < HIST_FEW; n++) {
        page_of(h, h->few[n] / HIST_PAGE)[h->few[n] % HIST_PAGE]++;
    }
    return page_of(h, page);
}

uint32_t hist_bucket(const struct hist *h, unsigned i)
{
    uint32_t count = 0;

    if (h->head.count > HIST_FEW) {
        const uint32_t *page = h->page[i / HIST_PAGE];
        return page != NULL ? page[i % HIST_PAGE] : 0;
    }
    for (uint64_t n = 0; n < h->head.count; n++) {
        count += h->few[n] == i;
    }
    return count;
}

static uint64_t *total_page(struct hist_total *t, unsigned page)
{
    if (t->page[page] == NULL) {
        t->page[page] = xcalloc(HIST_PAGE, sizeof *t->page[page]);
    }
    return t->page[page];
}

/* The pages lo..hi of an empty histogram are none. */
static unsigned first_page(const struct hist_head *head)
{
    return head->count > 0 ? head->lo / HIST_PAGE : 1;
}

static unsigned last_page(const struct hist_head *head)
{
    return head->count > 0 ? head->hi / HIST_PAGE : 0;
}

void hist_reset(struct hist *h)
{
    bool counted = h->head.count > HIST_FEW;

    for (unsigned p = first_page(&h->head); counted && p <= last_page(&h->head); p++) {
        if (h->page[p] != NULL) {
            memset(h->page[p], 0, HIST_PAGE * sizeof *h->page[p]);
        }
    }
    h->head = empty_head;
    h->sum = 0;
}

void hist_total_reset(struct hist_total *t)
{
    for (unsigned p = first_page(&t->head); p <= last_page(&t->head); p++) {
        if (t->page[p] != NULL) {
            memset(t->page[p], 0, HIST_PAGE * sizeof *t->page[p]);
        }
    }
    t->head = empty_head;
    t->sum = 0;
}

static void head_add(struct hist_head *to, const struct hist_head *from)
{
    to->count += from->count;
    to->min = from->min < to->min ? from->min : to->min;
    to->max = from->max > to->max ? from->max : to->max;
    to->censored_n += from->censored_n;
    to->censored_min =
        from->censored_min < to->censored_min ? from->censored_min : to->censored_min;
    to->overflow += from->overflow;
    to->lo = from->lo < to->lo ? from->lo : to->lo;
    to->hi = from->hi > to->hi ? from->hi : to->hi;
}

void hist_total_add(struct hist_total *to, const struct hist *from)
{
    bool counted = from->head.count > HIST_FEW;

    if (from->head.count == 0) {
        return;
    }
    head_add(&to->head, &from->head);
    to->sum += from->sum;
    for (uint64_t n = 0; !counted && n < from->head.count; n++) {
        hist_total_count(to, from->few[n], 1);
    }
    for (unsigned p = first_page(&from->head); counted && p <= last_page(&from->head); p++) {
        const uint32_t *more = from->page[p];
        uint64_t *sums = more != NULL ? total_page(to, p) : NULL;

        for (unsigned i = 0; more != NULL && i < HIST_PAGE; i++) {
            sums[i] += more[i];
        }
    }
}

void hist_total_merge(struct hist_total *to, const struct hist_total *from)
{
    if (from->head.count == 0) {
        return;
    }
    head_add(&to->head, &from->head);
    to->sum += from->sum;
    for (unsigned p = first_page(&from->head); p <= last_page(&from->head); p++) {
        const uint64_t *more = from->page[p];
        uint64_t *sums = more != NULL ? total_page(to, p) : NULL;

        for (unsigned i = 0; more != NULL && i < HIST_PAGE; i++) {
            sums[i] += more[i];
        }
    }
}

void hist_total_count(struct hist_total *to, unsigned i, uint64_t count)
{
    assert(i < HIST_BUCKETS);
    total_page(to, i / HIST_PAGE)[i % HIST_PAGE] += count;
}

bool hist_total_equal(const struct hist_total *a, const struct hist_total *b)
{
    bool same = memcmp(&a->head, &b->head, sizeof a->head) == 0 && a->sum == b->sum;

    for (unsigned i = 0; same && i < HIST_BUCKETS; i++) {
        same = hist_total_bucket(a, i) == hist_total_bucket(b, i);
    }
    return same;
}

uint64_t hist_rank(uint64_t n, uint32_t ppm)
{
    assert(ppm <= PPM);
    /* ceil(n · ppm / 10^6) in two parts, so that the product never overflows. */
    uint64_t rank = n / PPM * ppm + (n % PPM * ppm + PPM - 1) / PPM;

    return rank == 0 ? 1 : rank;
}

/* The bucket in which the samples up to it become `rank`; HIST_BUCKETS when there are fewer. */
static unsigned bucket_of_rank(const struct hist_total *t, uint64_t rank)
{
    uint64_t seen = 0;

    for (unsigned p = first_page(&t->head); p <= last_page(&t->head); p++) {
        for (unsigned i = 0; t->page[p] != NULL && i < HIST_PAGE; i++) {
            seen += t->page[p][i];
            if (seen >= rank) {
                return p * HIST_PAGE + i;
            }
        }
    }
    return HIST_BUCKETS;
}

struct hist_quantile hist_quantile(const struct hist_total *t, uint32_t ppm, uint64_t extra)
{
    uint64_t rank = hist_rank(t->head.count + extra, ppm);

    if (t->head.count + extra == 0) {
        return (struct hist_quantile){.kind = HIST_NONE};
    }
    if (rank > t->head.count) {
        return (struct hist_quantile){.kind = HIST_SHED};
    }
    unsigned i = bucket_of_rank(t, rank);
    assert(i <= t->head.hi);
    uint64_t high = hist_high(i);
    return (struct hist_quantile){
        .kind = HIST_VALUE,
        .lower_bound = t->head.censored_n > 0 && i >= hist_index(t->head.censored_min),
        .value_ns = high < t->head.max ? high : t->head.max,
    };
}

bool hist_mean(const struct hist_total *t, double *out)
{
    if (t->head.count == 0) {
        return false;
    }
    *out = (double)t->sum / (double)t->head.count;
    return true;
}

uint64_t hist_samples_needed(uint32_t ppm)
{
    assert(ppm <= PPM);
    /* The extremes are order statistics of any sample. */
    if (ppm == 0 || ppm == PPM) {
        return 1;
    }
    return (uint64_t)ceil(log(0.05) / log((double)ppm / PPM));
}

static uint32_t add_clamped(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) || sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static size_t used_buckets(const struct hist_total *t)
{
    size_t n = 0;

    for (unsigned i = t->head.lo; i <= t->head.hi; i++) {
        n += hist_total_bucket(t, i) != 0;
    }
    return n;
}

/* Merges two ascending sequences; the new one is read straight from its buckets. */
static size_t
merge_pairs(struct hist_pair *out, const struct hist_sparse *old, const struct hist_total *from)
{
    size_t n = 0, at = 0;

    for (unsigned i = from->head.lo; i <= from->head.hi; i++) {
        uint64_t count = hist_total_bucket(from, i);

        if (count == 0) {
            continue;
        }
        while (at < old->pair_count && old->pairs[at].index < i) {
            out[n++] = old->pairs[at++];
        }
        out[n] = (struct hist_pair){i, add_clamped(count, 0)};
        if (at < old->pair_count && old->pairs[at].index == i) {
            out[n].count = add_clamped(count, old->pairs[at++].count);
        }
        n++;
    }
    while (at < old->pair_count) {
        out[n++] = old->pairs[at++];
    }
    return n;
}

void hist_sparse_add(struct hist_sparse *to, const struct hist_total *from)
{
    if (from->head.count == 0) {
        return;
    }
    if (to->head.count == 0) {
        to->head = empty_head;
    }
    struct hist_pair *pairs = xcalloc(to->pair_count + used_buckets(from), sizeof *pairs);

    to->pair_count = merge_pairs(pairs, to, from);
    xfree(to->pairs);
    to->pairs = pairs;
    to->sum += from->sum;
    head_add(&to->head, &from->head);
}

void hist_total_add_sparse(struct hist_total *to, const struct hist_sparse *from)
{
    if (from->head.count == 0) {
        return;
    }
    head_add(&to->head, &from->head);
    to->sum += from->sum;
    for (size_t i = 0; i < from->pair_count; i++) {
        hist_total_count(to, from->pairs[i].index, from->pairs[i].count);
    }
}

void hist_sparse_clear(struct hist_sparse *s)
{
    xfree(s->pairs);
    *s = (struct hist_sparse){.pairs = NULL};
}
