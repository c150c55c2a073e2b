/* SPDX-License-Identifier: MIT */
/*
 * Exact send times: a min-heap in nanoseconds. Few are pending and each one matters, so no wheel
 * with its ticks. Equal times leave in the order in which they were armed.
 */
#ifndef LOOP_SENDHEAP_H
#define LOOP_SENDHEAP_H

#include <stdint.h>

struct send {
    uint64_t at_ns;
    uint64_t order_;
    uint32_t pos_; /* 1-based place in the heap, 0 when not armed */
    void (*on_send)(struct send *s);
};

struct sendheap {
    struct send **items; /* items[0] is the next */
    uint32_t count, cap;
    uint64_t order;
};

void send_init(struct send *s, void (*on_send)(struct send *s));
static inline int send_armed(const struct send *s)
{
    return s->pos_ != 0;
}

/* An all-zero heap is empty. */
void sendheap_clear(struct sendheap *h);
/* Arms, or moves. */
void sendheap_arm(struct sendheap *h, struct send *s, uint64_t at_ns);
void sendheap_cancel(struct sendheap *h, struct send *s);
/* UINT64_MAX when empty. */
static inline uint64_t sendheap_next_ns(const struct sendheap *h)
{
    return h->count == 0 ? UINT64_MAX : h->items[0]->at_ns;
}
/* Removes and returns the first one that is due at `now_ns`, or NULL. */
struct send *sendheap_pop(struct sendheap *h, uint64_t now_ns);

#endif
