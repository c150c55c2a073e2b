/* SPDX-License-Identifier: MIT */
#include "metrics/sample.h"

#include "base/mem.h"
#include "metrics/signature.h"

#include <assert.h>

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
