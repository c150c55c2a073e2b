/* SPDX-License-Identifier: MIT */
/* How far the books are whole: which sources are waited for, and what they lack. */
#include "control/aggregate_priv.h"

#include <assert.h>

void aggregate_finish_source(struct aggregate *a, uint32_t source)
{
    assert(source < a->source_count);
    a->sources[source].pub.finished = true;
}

void aggregate_leave_source(struct aggregate *a, uint32_t source)
{
    assert(source < a->source_count);
    a->sources[source].left = true;
}

uint64_t aggregate_complete(const struct aggregate *a)
{
    uint64_t complete = a->newest;

    for (uint32_t i = 0; i < a->source_count; i++) {
        if (aggregate_waits_for(&a->sources[i]) && a->sources[i].next < complete) {
            complete = a->sources[i].next;
        }
    }
    return complete;
}

static bool source_has(const struct source *s, uint64_t second)
{
    return second < s->next ||
           (second / 64 < s->seen_words && (s->seen[second / 64] >> (second % 64) & 1) != 0);
}

bool aggregate_source_lacks(const struct aggregate *a, uint32_t source, uint64_t second)
{
    assert(source < a->source_count);
    return aggregate_waits_for(&a->sources[source]) && !source_has(&a->sources[source], second);
}

bool aggregate_lacks(const struct aggregate *a, uint64_t first, uint64_t last)
{
    for (uint32_t i = 0; i < a->source_count; i++) {
        const struct source *s = &a->sources[i];
        uint64_t second = first > s->next ? first : s->next;

        for (; aggregate_waits_for(s) && second <= last; second++) {
            if (!source_has(s, second)) {
                return true;
            }
        }
    }
    return false;
}

uint64_t aggregate_watermark(const struct aggregate *a, uint64_t from, uint64_t overdue)
{
    uint64_t complete = aggregate_complete(a);
    uint64_t second = from > complete ? from : complete;

    while (second < a->newest && (second < overdue || !aggregate_lacks(a, second, second))) {
        second++;
    }
    return second;
}

/* One more than the newest second of the run: others have reported it, or a stage went so far. */
static uint64_t last_second(const struct aggregate *a)
{
    uint64_t last = a->newest;

    for (uint32_t i = 0; i < a->stage_count; i++) {
        uint64_t end = a->stages[i].end_second;
        last = end != UINT64_MAX && end > last ? end : last;
    }
    return last;
}

uint64_t aggregate_missing(const struct aggregate *a, const struct source *s)
{
    bool lost = s->left && !s->pub.finished;

    return (lost ? last_second(a) : s->newest) - s->pub.windows;
}
