/* SPDX-License-Identifier: MIT */
#include "measure/split.h"

#include "base/clock.h"
#include "base/rng.h"
#include "control/aggregate.h"

#include <math.h>
#include <stdio.h>

enum { KEYS = 3, STAGES = 2, SECONDS = 20, SOURCES_MAX = 7, DRAWS = 8 };

static const struct aggregate_key keys[KEYS] = {
    {0, "tools/call", "a", "first"},
    {1, "tools/call", "a", "first"},
    {1, "ping", NULL, NULL},
};

/* ---- samples ------------------------------------------------------------------------------ */

static double unit(uint64_t seed, uint64_t i, uint64_t k)
{
    return rng_unit(rng_at(seed, i * DRAWS + k));
}

/* From microseconds to minutes, so that many octaves of the histogram are in use. */
static uint64_t latency(uint64_t seed, uint64_t i, uint64_t k)
{
    return (uint64_t)(20e3 * pow(10, 5.5 * unit(seed, i, k)));
}

/* The i-th operation, which ends in `second`. */
static void record(struct window *w, uint64_t seed, uint64_t i)
{
    double fate = unit(seed, i, 0);
    struct outcome o = {
        .key = (uint32_t)(unit(seed, i, 1) * KEYS),
        .n = i,
        .cls = fate < 0.9    ? OUTCOME_OK
               : fate < 0.95 ? OUTCOME_FAILED
               : fate < 0.99 ? OUTCOME_CUT
                             : OUTCOME_UNFINISHED,
        .t_due = NS_PER_S,
        .bytes_in = 100 + i % 7,
        .bytes_out = 50,
        .requests_sent = 1,
    };
    o.t_free = o.t_due + (fate < 0.5 ? 0 : latency(seed, i, 2));
    o.t_ready = o.t_free + (fate < 0.7 ? 0 : latency(seed, i, 3));
    o.t_send = o.t_ready + latency(seed, i, 4) / 100;
    o.t_end = o.t_send + latency(seed, i, 5);
    if (o.cls == OUTCOME_FAILED) {
        o.error_type = ERROR_TYPE_HTTP_ERROR;
        o.error_code = ERROR_CODE_HTTP_5XX;
        o.error_number = 500;
        o.http_status = 500;
    } else if (o.cls == OUTCOME_CUT) {
        o.error_type = ERROR_TYPE_TIMEOUT;
        o.error_code = ERROR_CODE_REQUEST_TIMEOUT;
    }
    window_started(w, o.key);
    window_event(w, o.key, latency(seed, i, 6));
    window_outcome(w, &o);
    window_connect(w, latency(seed, i, 7), ERROR_CODE_NONE);
}

/* Which of `sources` gets operation i: in no order, and not evenly. */
static uint32_t source_of(uint64_t seed, uint64_t i, uint32_t sources)
{
    uint64_t a = rng_below(rng_at(seed ^ 0x5eed, 2 * i), sources);
    uint64_t b = rng_below(rng_at(seed ^ 0x5eed, 2 * i + 1), sources);

    return (uint32_t)(a < b ? a : b);
}

static struct aggregate *collect(uint64_t seed, uint64_t samples, uint32_t sources)
{
    struct aggregate *a = aggregate_new(keys, KEYS, STAGES, sources, 0, SECONDS);
    struct window *windows[SOURCES_MAX];
    uint64_t next = 0;

    for (uint32_t k = 0; k < sources; k++) {
        windows[k] = window_new(KEYS, 0, 0);
    }
    for (uint64_t second = 0; second < SECONDS; second++) {
        for (uint32_t k = 0; k < sources; k++) {
            window_reset(windows[k], second, second * NS_PER_S, (second + 1) * NS_PER_S);
            windows[k]->stage_index = second < SECONDS / 2 ? 0 : 1;
        }
        for (; next < samples * (second + 1) / SECONDS; next++) {
            record(windows[source_of(seed, next, sources)], seed, next);
        }
        /* They arrive in another order each second. */
        for (uint32_t k = 0; k < sources; k++) {
            uint32_t source = (k + (uint32_t)second) % sources;

            aggregate_add(a, source, windows[source]);
        }
    }
    for (uint32_t k = 0; k < sources; k++) {
        window_free(windows[k]);
    }
    return a;
}

/* ---- comparison --------------------------------------------------------------------------- */

static bool same_hist(const struct hist_total *a, const struct hist_total *b)
{
    bool empty_a = a == NULL || a->head.count == 0, empty_b = b == NULL || b->head.count == 0;

    if (empty_a || empty_b) {
        return empty_a && empty_b;
    }
    return hist_total_equal(a, b);
}

static bool same_view(const struct metric_view *a, const struct metric_view *b)
{
    bool same = memcmp(a->count, b->count, sizeof a->count) == 0;

    for (unsigned i = 0; i < DIST_ALL; i++) {
        same = same && same_hist(a->dist[i], b->dist[i]);
    }
    return same;
}

/* Everything, each stage, each key, and a stretch of seconds. Returns how many views differ. */
static unsigned compare(const struct aggregate *a, const struct aggregate *b, uint64_t *n)
{
    struct metric_view one = {0}, other = {0};
    unsigned different = 0;

    for (int32_t stage = -1; stage < STAGES; stage++) {
        for (int32_t key = -1; key < KEYS; key++) {
            struct aggregate_filter filter = aggregate_everything();

            filter.stage_index = stage;
            filter.key = key;
            aggregate_view_total(a, &filter, &one);
            aggregate_view_total(b, &filter, &other);
            different += !same_view(&one, &other);
            if (stage < 0 && key < 0) {
                *n = other.dist[DIST_RESPONSE]->head.count;
            }
            aggregate_view_seconds(a, &filter, 3, 7, &one);
            aggregate_view_seconds(b, &filter, 3, 7, &other);
            different += !same_view(&one, &other);
        }
    }
    metric_view_clear(&one);
    metric_view_clear(&other);
    return different;
}

int check_split(uint64_t seed, uint64_t samples)
{
    static const uint32_t splits[] = {1, 2, 3, SOURCES_MAX};
    struct aggregate *whole = collect(seed, samples, 1);
    int misses = 0;

    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        struct aggregate *parts = collect(seed, samples, splits[i]);
        struct aggregate_integrity integrity;
        uint64_t n = 0;
        unsigned different = compare(whole, parts, &n);

        aggregate_integrity(parts, &integrity);
        bool good = different == 0 && integrity.sums_agree && integrity.refused == 0;
        printf("merged from %u source%s   %9llu samples   %s\n", splits[i],
               splits[i] == 1 ? " " : "s", (unsigned long long)n,
               good ? "equal, count by count" : "DIFFERENT");
        misses += !good;
        aggregate_free(parts);
    }
    aggregate_free(whole);
    return misses;
}
