/* SPDX-License-Identifier: MIT */
#include "plan/deal.h"

#include "base/arena.h"
#include "base/mem.h"
#include "plan/rotation.h"

#include <assert.h>

/* The tables of a deal, while they are made and until they are freed. */
struct tables {
    struct deal deal; /* first: what the outside sees */
    struct arena arena;
};

static_assert((int)DEAL_SLOTS_MAX == (int)ROTATION_SUM_MAX, "the cycle is the rotation's");
static_assert(DEAL_SLOTS_MAX + DEAL_SOURCES_MAX < UINT16_MAX, "slots and sources have 16 bits");

static int check_weights(const uint64_t *weights, uint32_t count, struct err *err)
{
    if (count == 0 || count > DEAL_SOURCES_MAX) {
        return err_set(err, ERR_LIMIT, "a run has 1 to %d sources, not %u", (int)DEAL_SOURCES_MAX,
                       count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (weights[i] == 0) {
            return err_set(err, ERR_INVALID, "source %u has no weight", i);
        }
    }
    return 0;
}

/* The places of each source's slots: first how many it has, then where they begin. */
static uint32_t *place_sources(struct tables *t, const struct rotation *turns, uint32_t count)
{
    uint32_t *first = arena_array(&t->arena, (size_t)count + 1, sizeof *first);

    for (uint32_t slot = 0; slot < turns->length; slot++) {
        first[turns->turns[slot] + 1]++;
    }
    for (uint32_t i = 0; i < count; i++) {
        first[i + 1] += first[i];
    }
    return first;
}

static void fill(struct tables *t, const struct rotation *turns, uint32_t count)
{
    uint32_t slots = turns->length, *first = place_sources(t, turns, count);
    uint16_t *owner = arena_array(&t->arena, slots, sizeof *owner);
    uint16_t *rank = arena_array(&t->arena, slots, sizeof *rank);
    uint16_t *own = arena_array(&t->arena, slots, sizeof *own);
    uint32_t *had = xcalloc(count, sizeof *had);

    for (uint32_t slot = 0; slot < slots; slot++) {
        uint32_t source = turns->turns[slot];

        owner[slot] = (uint16_t)source;
        rank[slot] = (uint16_t)had[source];
        own[first[source] + had[source]++] = (uint16_t)slot;
    }
    xfree(had);
    t->deal = (struct deal){.count = count,
                            .slots = slots,
                            .owner_ = owner,
                            .rank_ = rank,
                            .own_ = own,
                            .first_ = first};
}

int deal_new(const uint64_t *weights, uint32_t count, struct deal **out, struct err *err)
{
    int rc = check_weights(weights, count, err);

    if (rc != 0) {
        return rc;
    }
    struct tables *t = xcalloc(1, sizeof *t);
    struct arena scratch = {0};
    struct rotation turns;

    rotation_init(&turns, &scratch, weights, count);
    fill(t, &turns, count);
    arena_clear(&scratch);
    *out = &t->deal;
    return 0;
}

void deal_free(struct deal *deal)
{
    if (deal != NULL) {
        struct tables *t = (struct tables *)deal;

        arena_clear(&t->arena);
        xfree(t);
    }
}
