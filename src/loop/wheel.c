/* SPDX-License-Identifier: MIT */
#include "loop/wheel.h"

#include <stdbool.h>

enum { SLOT_BITS = 8, SLOT_MASK = WHEEL_SLOTS - 1 };

void timer_init(struct timer *t, void (*on_timer)(struct timer *t))
{
    list_init(&t->node);
    t->at_ns = 0;
    t->on_timer = on_timer;
}

void wheel_init(struct wheel *w, uint64_t now_ns)
{
    w->tick = now_ns >> WHEEL_TICK_SHIFT;
    w->count = 0;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        for (unsigned i = 0; i < WHEEL_SLOTS / 64; i++) {
            w->used[level][i] = 0;
        }
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) {
            list_init(&w->slots[level][slot]);
        }
    }
}

/* First tick that begins at or after the time: a timer is never early. */
static uint64_t tick_of(uint64_t at_ns)
{
    uint64_t tick = at_ns >> WHEEL_TICK_SHIFT;

    return tick + ((tick << WHEEL_TICK_SHIFT) != at_ns);
}

static void place(struct wheel *w, struct timer *t)
{
    uint64_t tick = tick_of(t->at_ns);

    if (tick <= w->tick) {
        tick = w->tick + 1;
    }
    unsigned level = 0;
    /* The level on which the tick and now differ only in that level's digit or below. */
    while (level < WHEEL_LEVELS - 1 &&
           (tick >> (SLOT_BITS * (level + 1))) != (w->tick >> (SLOT_BITS * (level + 1)))) {
        level++;
    }
    uint64_t horizon = (w->tick >> (SLOT_BITS * (WHEEL_LEVELS - 1))) + SLOT_MASK;
    uint64_t digit = tick >> (SLOT_BITS * level);
    if (level == WHEEL_LEVELS - 1 && digit > horizon) {
        digit = horizon; /* comes round again and is placed anew */
    }
    unsigned slot = (unsigned)(digit & SLOT_MASK);
    list_append(&w->slots[level][slot], &t->node);
    w->used[level][slot / 64] |= UINT64_C(1) << (slot % 64);
}

void wheel_arm(struct wheel *w, struct timer *t, uint64_t at_ns)
{
    if (timer_armed(t)) {
        list_remove(&t->node);
    } else {
        w->count++;
    }
    t->at_ns = at_ns;
    place(w, t);
}

void wheel_cancel(struct wheel *w, struct timer *t)
{
    if (timer_armed(t)) {
        list_remove(&t->node);
        w->count--;
    }
}

/* Distance (1..256) from `from` to the next used slot of the level, going round; 0: none. The bit
 * of a slot whose timers were all cancelled stays set until somebody passes: then it costs one
 * look. */
static unsigned next_used(const struct wheel *w, unsigned level, unsigned from)
{
    for (unsigned d = 1; d <= WHEEL_SLOTS; d++) {
        unsigned slot = (from + d) & SLOT_MASK;
        uint64_t word = w->used[level][slot / 64] >> (slot % 64);

        if (word != 0) {
            unsigned jump = (unsigned)__builtin_ctzll(word);
            return d + jump <= WHEEL_SLOTS ? d + jump : 0;
        }
        d += 63 - slot % 64;
    }
    return 0;
}

uint64_t wheel_next_ns(const struct wheel *w)
{
    uint64_t best = UINT64_MAX;

    if (w->count == 0) {
        return best;
    }
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = SLOT_BITS * level;
        uint64_t digit = w->tick >> shift;
        unsigned d = next_used(w, level, (unsigned)(digit & SLOT_MASK));

        if (d != 0) {
            uint64_t tick = (digit + d) << shift;
            best = tick < best ? tick : best;
        }
    }
    return best == UINT64_MAX ? best : best << WHEEL_TICK_SHIFT;
}

static bool take_slot(struct wheel *w, unsigned level, unsigned slot, struct list *out)
{
    uint64_t bit = UINT64_C(1) << (slot % 64);

    if ((w->used[level][slot / 64] & bit) == 0) {
        return false;
    }
    w->used[level][slot / 64] &= ~bit;
    list_splice(out, &w->slots[level][slot]);
    return true;
}

/* A higher level's digit has advanced: its timers are placed again, nearer. */
static void cascade(struct wheel *w)
{
    for (unsigned level = WHEEL_LEVELS - 1; level >= 1; level--) {
        unsigned shift = SLOT_BITS * level;
        struct list moved;

        if ((w->tick & ((UINT64_C(1) << shift) - 1)) != 0) {
            continue;
        }
        list_init(&moved);
        take_slot(w, level, (unsigned)((w->tick >> shift) & SLOT_MASK), &moved);
        list_foreach_safe (node, &moved) {
            struct timer *t = list_entry(node, struct timer, node);

            list_remove(node);
            /* Due at this very tick: place() would push it one tick further. */
            if (tick_of(t->at_ns) <= w->tick) {
                unsigned slot = (unsigned)(w->tick & SLOT_MASK);
                list_append(&w->slots[0][slot], &t->node);
                w->used[0][slot / 64] |= UINT64_C(1) << (slot % 64);
            } else {
                place(w, t);
            }
        }
    }
}

void wheel_expire(struct wheel *w, uint64_t now_ns, struct list *expired)
{
    uint64_t until = now_ns >> WHEEL_TICK_SHIFT;

    while (w->tick < until) {
        uint64_t next = wheel_next_ns(w);

        if (next == UINT64_MAX || (next >> WHEEL_TICK_SHIFT) > until) {
            w->tick = until;
            break;
        }
        w->tick = next >> WHEEL_TICK_SHIFT;
        cascade(w);
        take_slot(w, 0, (unsigned)(w->tick & SLOT_MASK), expired);
    }
}
