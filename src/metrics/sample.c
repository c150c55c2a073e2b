/* SPDX-License-Identifier: MIT */
#include "metrics/sample.h"

#include "base/mem.h"
#include "metrics/signature.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64 };

void op_sample_fill(struct op_sample *s, const struct outcome *o)
{
    s->outcome = *o;
    s->outcome.message = STR("");
    s->message_len = 0;
    if (o->message.len > 0) {
        s->message_len = (uint16_t)signature_sample(o->message, s->message, sizeof s->message);
    }
}

struct sample_batch *sample_batch_new(void)
{
    struct sample_batch *b = xcalloc(1, sizeof *b);

    list_init(&b->node);
    sample_batch_reset(b);
    return b;
}

void sample_batch_free(struct sample_batch *b)
{
    if (b == NULL) {
        return;
    }
    xfree(b->failures.items);
    xfree(b->successes.items);
    xfree(b);
}

void sample_batch_reset(struct sample_batch *b)
{
    b->failures.count = b->successes.count = 0;
    b->rank_max = UINT32_MAX;
}

static void append(struct sample_list *list, const struct outcome *o)
{
    if (list->count == list->room) {
        list->room = list->room > 0 ? list->room * 2 : FIRST_ROOM;
        list->items = xrealloc(list->items, list->room * sizeof *list->items);
    }
    op_sample_fill(&list->items[list->count++], o);
}

void sample_batch_failure(struct sample_batch *b, const struct outcome *o)
{
    append(&b->failures, o);
}

/* Those above the rank go, the others close up. Returns how many went. */
static uint32_t drop_above(struct sample_list *list, uint32_t rank_max)
{
    uint32_t kept = 0, before = list->count;

    for (uint32_t i = 0; i < before; i++) {
        if (list->items[i].outcome.log_rank > rank_max) {
            continue;
        }
        if (kept != i) {
            list->items[kept] = list->items[i];
        }
        kept++;
    }
    list->count = kept;
    return before - kept;
}

uint32_t sample_batch_success(struct sample_batch *b, const struct outcome *o, uint32_t max)
{
    uint32_t gone = 0;

    assert(max > 0);
    /* Ends: no rank is below 1. */
    while (b->successes.count >= max && o->log_rank <= b->rank_max) {
        b->rank_max -= b->rank_max / 4 + 1;
        gone += drop_above(&b->successes, b->rank_max);
    }
    if (o->log_rank > b->rank_max) {
        return gone + 1;
    }
    append(&b->successes, o);
    return gone;
}

uint32_t sample_batch_cut(struct sample_batch *b, uint32_t rank_max)
{
    b->rank_max = rank_max < b->rank_max ? rank_max : b->rank_max;
    return drop_above(&b->successes, rank_max);
}

static int by_rank(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

uint32_t sample_common_rank(struct sample_batch *const *batches, size_t count, uint64_t max)
{
    uint64_t all = 0, n = 0;

    for (size_t i = 0; i < count; i++) {
        all += batches[i]->successes.count;
    }
    if (all <= max) {
        return UINT32_MAX;
    }
    uint32_t *ranks = xmalloc(all * sizeof *ranks);

    for (size_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < batches[i]->successes.count; k++) {
            ranks[n++] = batches[i]->successes.items[k].outcome.log_rank;
        }
    }
    qsort(ranks, all, sizeof *ranks, by_rank);
    /* Of those with the rank of the first that goes, none stays. */
    uint32_t rank_max = ranks[max] - 1;
    xfree(ranks);
    return rank_max;
}

uint32_t sample_batch_cut_failures(struct sample_batch *b, uint64_t max)
{
    uint32_t kept = 0, before = b->failures.count;

    if (before <= max) {
        return 0;
    }
    for (uint32_t i = 0; i < before; i++) {
        if (((uint64_t)i + 1) * max / before > (uint64_t)i * max / before) {
            b->failures.items[kept++] = b->failures.items[i];
        }
    }
    b->failures.count = kept;
    return before - kept;
}
