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
    struct hist *h = xcalloc(1, sizeof *h);

    h->head = empty_head;
    return h;
}

struct hist_total *hist_total_new(void)
{
    struct hist_total *t = xcalloc(1, sizeof *t);

    t->head = empty_head;
    return t;
}

void hist_init(struct hist *h)
{
    memset(h, 0, sizeof *h);
    h->head = empty_head;
}

void hist_total_init(struct hist_total *t)
{
    memset(t, 0, sizeof *t);
    t->head = empty_head;
}

/* How many buckets the used range has. */
static size_t span(const struct hist_head *head)
{
    return head->lo <= head->hi ? (size_t)(head->hi - head->lo) + 1 : 0;
}

void hist_reset(struct hist *h)
{
    if (h->head.count > 0) {
        memset(h->bucket + h->head.lo, 0, span(&h->head) * sizeof h->bucket[0]);
    }
    h->head = empty_head;
    h->sum = 0;
}

void hist_total_reset(struct hist_total *t)
{
    if (t->head.count > 0) {
        memset(t->bucket + t->head.lo, 0, span(&t->head) * sizeof t->bucket[0]);
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
    if (from->head.count == 0) {
        return;
    }
    head_add(&to->head, &from->head);
    to->sum += from->sum;
    for (unsigned i = from->head.lo; i <= from->head.hi; i++) {
        to->bucket[i] += from->bucket[i];
    }
}

void hist_total_merge(struct hist_total *to, const struct hist_total *from)
{
    if (from->head.count == 0) {
        return;
    }
    head_add(&to->head, &from->head);
    to->sum += from->sum;
    for (unsigned i = from->head.lo; i <= from->head.hi; i++) {
        to->bucket[i] += from->bucket[i];
    }
}

uint64_t hist_rank(uint64_t n, uint32_t ppm)
{
    assert(ppm <= PPM);
    /* ceil(n · ppm / 10^6) in two parts, so that the product never overflows. */
    uint64_t rank = n / PPM * ppm + (n % PPM * ppm + PPM - 1) / PPM;

    return rank == 0 ? 1 : rank;
}

struct hist_quantile hist_quantile(const struct hist_total *t, uint32_t ppm, uint64_t extra)
{
    uint64_t rank = hist_rank(t->head.count + extra, ppm);
    uint64_t seen = 0;
    unsigned i = t->head.lo;

    if (t->head.count + extra == 0) {
        return (struct hist_quantile){.kind = HIST_NONE};
    }
    if (rank > t->head.count) {
        return (struct hist_quantile){.kind = HIST_SHED};
    }
    for (; i <= t->head.hi; i++) {
        seen += t->bucket[i];
        if (seen >= rank) {
            break;
        }
    }
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

static uint32_t add_clamped(uint32_t a, uint32_t b)
{
    uint32_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

static size_t used_buckets(const struct hist *h)
{
    size_t n = 0;

    for (unsigned i = h->head.lo; i <= h->head.hi; i++) {
        n += h->bucket[i] != 0;
    }
    return n;
}

/* Merges two ascending sequences; the window's one is read straight from its buckets. */
static size_t
merge_pairs(struct hist_pair *out, const struct hist_sparse *old, const struct hist *from)
{
    size_t n = 0, at = 0;

    for (unsigned i = from->head.lo; i <= from->head.hi; i++) {
        if (from->bucket[i] == 0) {
            continue;
        }
        while (at < old->pair_count && old->pairs[at].index < i) {
            out[n++] = old->pairs[at++];
        }
        out[n] = (struct hist_pair){i, from->bucket[i]};
        if (at < old->pair_count && old->pairs[at].index == i) {
            out[n].count = add_clamped(out[n].count, old->pairs[at++].count);
        }
        n++;
    }
    while (at < old->pair_count) {
        out[n++] = old->pairs[at++];
    }
    return n;
}

void hist_sparse_add(struct hist_sparse *to, const struct hist *from)
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
        to->bucket[from->pairs[i].index] += from->pairs[i].count;
    }
}

void hist_sparse_clear(struct hist_sparse *s)
{
    xfree(s->pairs);
    *s = (struct hist_sparse){.pairs = NULL};
}
