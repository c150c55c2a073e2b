/* SPDX-License-Identifier: MIT */
#include "loop/sendheap.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

void send_init(struct send *s, void (*on_send)(struct send *s))
{
    *s = (struct send){.on_send = on_send};
}

void sendheap_clear(struct sendheap *h)
{
    xfree(h->items);
    *h = (struct sendheap){0};
}

static bool before(const struct send *a, const struct send *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order_ < b->order_;
}

static void put(struct sendheap *h, uint32_t i, struct send *s)
{
    h->items[i] = s;
    s->pos_ = i + 1;
}

static void sift_up(struct sendheap *h, uint32_t i)
{
    struct send *s = h->items[i];

    while (i > 0 && before(s, h->items[(i - 1) / 2])) {
        put(h, i, h->items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, i, s);
}

static void sift_down(struct sendheap *h, uint32_t i)
{
    struct send *s = h->items[i];

    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= h->count) {
            break;
        }
        if (child + 1 < h->count && before(h->items[child + 1], h->items[child])) {
            child++;
        }
        if (!before(h->items[child], s)) {
            break;
        }
        put(h, i, h->items[child]);
        i = child;
    }
    put(h, i, s);
}

void sendheap_cancel(struct sendheap *h, struct send *s)
{
    if (s->pos_ == 0) {
        return;
    }
    uint32_t i = s->pos_ - 1;
    struct send *last = h->items[--h->count];

    s->pos_ = 0;
    if (last != s) {
        put(h, i, last);
        sift_up(h, i);
        sift_down(h, last->pos_ - 1);
    }
}

void sendheap_arm(struct sendheap *h, struct send *s, uint64_t at_ns)
{
    sendheap_cancel(h, s);
    if (h->count == h->cap) {
        h->cap = h->cap == 0 ? 64 : h->cap * 2;
        h->items = xrealloc(h->items, h->cap * sizeof(struct send *));
    }
    s->at_ns = at_ns;
    s->order_ = h->order++;
    put(h, h->count++, s);
    sift_up(h, h->count - 1);
}

struct send *sendheap_pop(struct sendheap *h, uint64_t now_ns)
{
    if (h->count == 0 || h->items[0]->at_ns > now_ns) {
        return NULL;
    }
    struct send *s = h->items[0];
    sendheap_cancel(h, s);
    return s;
}
