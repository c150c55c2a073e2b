/* SPDX-License-Identifier: MIT */
/* What the books know of each source for itself. */
#include "base/clock.h"
#include "base/mem.h"
#include "control/aggregate_priv.h"

#include <assert.h>
#include <string.h>

void aggregate_source_clear(struct source *s)
{
    if (s->load != NULL) {
        aggregate_total_clear(&s->load->sum);
    }
    xfree(s->load);
    xfree(s->seen);
}

bool aggregate_source_see(struct source *s, uint64_t second)
{
    size_t word = (size_t)(second / 64);
    uint64_t bit = UINT64_C(1) << (second % 64);

    if (word >= s->seen_words) {
        size_t words = word + 64;
        s->seen = xrealloc(s->seen, words * sizeof *s->seen);
        memset(s->seen + s->seen_words, 0, (words - s->seen_words) * sizeof *s->seen);
        s->seen_words = words;
    }
    if ((s->seen[word] & bit) != 0) {
        return false;
    }
    s->seen[word] |= bit;
    s->newest = second + 1 > s->newest ? second + 1 : s->newest;
    while (s->next / 64 < s->seen_words && (s->seen[s->next / 64] >> (s->next % 64) & 1) != 0) {
        s->next++;
    }
    return true;
}

static void add_busy(struct source *s, const struct window *w)
{
    double busy = w->wall_ns > 0 ? (double)w->busy_ns / (double)w->wall_ns : 0;

    /* The last window of a run may last a millisecond, and says nothing about a second. */
    if (w->end_ns - w->start_ns < NS_PER_S / 2) {
        busy = 0;
    }
    s->pub.busy_ns += w->busy_ns;
    s->pub.wall_ns += w->wall_ns;
    s->pub.wakeups += w->wakeups;
    s->pub.busy_max = busy > s->pub.busy_max ? busy : s->pub.busy_max;
    s->pub.busy_seconds_over_80 += busy > 0.80;
    s->pub.busy_seconds_over_95 += busy > 0.95;
    s->busy_row = busy > 0.95 ? s->busy_row + 1 : 0;
    if (s->busy_row > s->pub.busy_over_95_row) {
        s->pub.busy_over_95_row = s->busy_row;
    }
}

/* Of a load stage. */
static void load_add(struct source_load *to, const struct window_part *part, bool open_model)
{
    counts_add(to->sum.count, part->count);
    if (open_model) {
        counts_add(to->open_count, part->count);
    }
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if ((AGGREGATE_SOURCE_DISTS >> i & 1) == 0 || part->dist[i] == NULL ||
            part->dist[i]->head.count == 0) {
            continue;
        }
        if (to->sum.dist[i] == NULL) {
            to->sum.dist[i] = hist_total_new();
        }
        hist_total_add(to->sum.dist[i], part->dist[i]);
    }
}

static void add_keys(struct aggregate *a, struct source *s, const struct window *w)
{
    for (uint32_t i = 0; i < w->key_count; i++) {
        const struct stage *stage = &a->stages[a->keys[i].stage_index];

        if (aggregate_part_is_empty(&w->keys[i])) {
            continue;
        }
        counts_add(s->pub.count, w->keys[i].count);
        if (s->load != NULL && !stage->apart) {
            load_add(s->load, &w->keys[i], stage->open_model);
        }
    }
}

void aggregate_source_add(struct aggregate *a, struct source *s, const struct window *w)
{
    s->pub.windows++;
    s->pub.samples_lost += w->samples_lost;
    s->pub.samples_thinned += w->samples_thinned;
    add_busy(s, w);
    counts_add(s->pub.count, w->run.count);
    counts_add(s->pub.count, w->later.run.count);
    add_keys(a, s, w);
}

void aggregate_source(const struct aggregate *a, uint32_t source, struct aggregate_source *out)
{
    assert(source < a->source_count);
    const struct source *s = &a->sources[source];

    *out = s->pub;
    out->missing = aggregate_missing(a, s);
}
