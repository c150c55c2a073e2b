/* SPDX-License-Identifier: MIT */
/*
 * Log-linear histograms of nanoseconds, one layout everywhere: HdrHistogram with two significant
 * digits, unit 1 ns, highest value 2^42 - 1 ns (73 minutes). 128 buckets per octave, so that a
 * value is known to 0.78 %; exact below 256 ns; 4,608 buckets.
 *
 *   struct hist        u32 counters: what one thread fills during one second
 *   struct hist_total  u64 counters: sums of the above, over threads, seconds and keys
 *
 * Hundreds of tool templates have several histograms each, most of them with a few samples a second
 * within a few octaves. The first HIST_FEW samples of a second are therefore a list, in 336 bytes
 * with the head; after that, and in totals, counters lie in *pages* of one octave, made at its
 * first sample and kept until the histogram is freed: 0.5 KiB each (u32) or 1 KiB (u64).
 *
 * Both remember the range lo..hi of the buckets they used, so that clearing and adding touch only
 * that. Count, sum, minimum and maximum are exact and never made from buckets. Adding is
 * commutative and associative on integers: the result does not depend on how samples were split.
 *
 * A *censored* sample is one that a limit of ours ended: the true value is at least the recorded
 * one. A quantile that reaches the bucket of the smallest censored sample is a lower bound.
 *
 * A value above the range is clamped and counted in `overflow`.
 */
#ifndef METRICS_HISTOGRAM_H
#define METRICS_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HIST_BUCKETS = 4608,
    HIST_PAGE = 128, /* buckets */
    HIST_PAGES = HIST_BUCKETS / HIST_PAGE,
    HIST_FEW = 128, /* samples */
};
#define HIST_VALUE_MAX ((UINT64_C(1) << 42) - 1)

/* One bucket's index, for a value that is not above HIST_VALUE_MAX. */
static inline unsigned hist_index(uint64_t v_ns)
{
    if (v_ns < 128) {
        return (unsigned)v_ns;
    }
    unsigned e = 63u - (unsigned)__builtin_clzll(v_ns);
    return ((e - 6u) << 7) + (unsigned)((v_ns >> (e - 7u)) & 127u);
}

/* The smallest value of bucket `i`. */
static inline uint64_t hist_low(unsigned i)
{
    return i < 256 ? i : (uint64_t)(128u + (i & 127u)) << ((i >> 7) - 1u);
}

/* The largest value of bucket `i`; it is what quantiles report. */
static inline uint64_t hist_high(unsigned i)
{
    return hist_low(i) + (i < 256 ? 0 : (UINT64_C(1) << ((i >> 7) - 1u)) - 1u);
}

/* What both kinds keep beside the buckets. */
struct hist_head {
    uint64_t count;
    uint64_t min, max; /* exact; UINT64_MAX and 0 when empty */
    uint64_t censored_n;
    uint64_t censored_min; /* UINT64_MAX without a censored sample */
    uint64_t overflow;     /* values that were clamped */
    uint32_t lo, hi;       /* used buckets lie in lo..hi; HIST_BUCKETS and 0 when empty */
};

/* Of hundreds in turn each is cold: a sample touches the first line and the one that the list has
 * come to. */
struct hist {
    struct hist_head head;
    uint64_t sum;           /* enough for the samples of one window */
    uint16_t few[HIST_FEW]; /* the buckets of the first samples; all there is, if no more came … */
    uint32_t **page; /* … else counters, HIST_PAGES of them; a page that is NULL is zeros */
};

struct hist_total {
    struct hist_head head;
    /* 10^6 samples a second of 30 s each pass 2^64 within ten minutes. */
    __extension__ unsigned __int128 sum;
    uint64_t *page[HIST_PAGES]; /* NULL: nothing but zeros */
};

/* An empty histogram on the heap. */
struct hist *hist_new(void);
struct hist_total *hist_total_new(void);
/* With its pages; NULL is fine. */
void hist_free(struct hist *h);
void hist_total_free(struct hist_total *t);
/* Empties it and keeps its pages; touches used buckets only. */
void hist_reset(struct hist *h);
void hist_total_reset(struct hist_total *t);

/* Makes the page that is not there, and turns the list into counters when that is the reason. Slow
 * path of hist_record. */
uint32_t *hist_page_make(struct hist *h, unsigned page);
/* How many samples the bucket has; for tests, slow. */
uint32_t hist_bucket(const struct hist *h, unsigned i);

static inline uint64_t hist_total_bucket(const struct hist_total *t, unsigned i)
{
    const uint64_t *page = t->page[i / HIST_PAGE];

    return page != NULL ? page[i % HIST_PAGE] : 0;
}

static inline void hist_record(struct hist *h, uint64_t v_ns)
{
    if (v_ns > HIST_VALUE_MAX) {
        v_ns = HIST_VALUE_MAX;
        h->head.overflow++;
    }
    unsigned i = hist_index(v_ns);
    if (h->head.count < HIST_FEW) {
        h->few[h->head.count] = (uint16_t)i;
    } else {
        uint32_t *page = h->head.count > HIST_FEW ? h->page[i / HIST_PAGE] : NULL;
        page = page != NULL ? page : hist_page_make(h, i / HIST_PAGE);
        page[i % HIST_PAGE]++;
    }
    h->head.count++;
    h->sum += v_ns;
    h->head.min = v_ns < h->head.min ? v_ns : h->head.min;
    h->head.max = v_ns > h->head.max ? v_ns : h->head.max;
    h->head.lo = i < h->head.lo ? i : h->head.lo;
    h->head.hi = i > h->head.hi ? i : h->head.hi;
}

/* A sample that we cut at `v_ns`: it would have been at least that. */
static inline void hist_record_censored(struct hist *h, uint64_t v_ns)
{
    uint64_t v = v_ns > HIST_VALUE_MAX ? HIST_VALUE_MAX : v_ns;

    hist_record(h, v_ns);
    h->head.censored_n++;
    h->head.censored_min = v < h->head.censored_min ? v : h->head.censored_min;
}

void hist_total_add(struct hist_total *to, const struct hist *from);
void hist_total_merge(struct hist_total *to, const struct hist_total *from);
/* `count` samples of bucket `i` that are known by their bucket only: the head is the caller's. */
void hist_total_count(struct hist_total *to, unsigned i, uint64_t count);
/* The same samples, as far as a histogram knows them? */
bool hist_total_equal(const struct hist_total *a, const struct hist_total *b);

enum hist_quantile_kind {
    HIST_NONE,  /* no samples: there is no value, in particular not 0 */
    HIST_VALUE, /* value_ns */
    HIST_SHED,  /* the rank lies among the operations that were never started */
};

struct hist_quantile {
    enum hist_quantile_kind kind;
    bool lower_bound; /* print it with "at least" */
    uint64_t value_ns;
};

/*
 * The smallest value v such that at least ceil(p·n) samples are <= v (rank at least 1), reported
 * as the upper edge of its bucket, or the maximum if that is smaller. `ppm` is p in parts per
 * million, 0..1,000,000. `extra` samples rank above all: what was due and never started.
 */
struct hist_quantile hist_quantile(const struct hist_total *t, uint32_t ppm, uint64_t extra);
/* The rank that the definition names, at least 1. */
uint64_t hist_rank(uint64_t n, uint32_t ppm);
/* Arithmetic mean in nanoseconds, from the exact sum. False without samples. */
bool hist_mean(const struct hist_total *t, double *out);
/* How many samples a quantile needs before it may be printed: the least n for which the largest
 * of n samples is an upper bound of the quantile with 95 % confidence. */
uint64_t hist_samples_needed(uint32_t ppm);

/*
 * A histogram in a few hundred bytes, for keeping seconds: only the buckets that were used, by
 * index. Counts stop at 2^32 - 1 per bucket, more than a second can bring.
 */
struct hist_pair {
    uint32_t index, count;
};

struct hist_sparse {
    struct hist_head head;
    __extension__ unsigned __int128 sum;
    struct hist_pair *pairs; /* ascending by index; owned */
    size_t pair_count;
};

/* Adds to a sparse histogram, which starts as all zero. */
void hist_sparse_add(struct hist_sparse *to, const struct hist_total *from);
void hist_total_add_sparse(struct hist_total *to, const struct hist_sparse *from);
/* Frees the pairs; all zero again. */
void hist_sparse_clear(struct hist_sparse *s);

#endif
