/* SPDX-License-Identifier: MIT */
#include "fleet/allocate.h"

#include "base/mem.h"
#include "plan/deal.h"

#include <stdlib.h>
#include <string.h>

enum { EXACT_MAX = DEAL_SLOTS_MAX };

struct candidate {
    uint32_t worker;
    uint64_t room, capacity;
    uint32_t cores;
    uint64_t vus;
    uint32_t sources;
};

/* ---- who ------------------------------------------------------------------------------------- */

static int by_room(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->room != y->room) {
        return x->room < y->room ? 1 : -1;
    }
    return x->worker < y->worker ? -1 : x->worker > y->worker;
}

static int by_worker(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return x->worker < y->worker ? -1 : x->worker > y->worker;
}

/* What rounding may add must fit, too. */
static uint64_t room_of(const struct allocate_worker *w, uint32_t vus)
{
    return vus > EXACT_MAX ? w->free_vus - (w->free_vus + 99) / 100 : w->free_vus;
}

/* Those with something free, the most first. */
static uint32_t list_candidates(const struct allocate_worker *workers,
                                uint32_t count,
                                uint32_t vus,
                                struct candidate *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t room = room_of(&workers[i], vus);
        if (room > 0) {
            out[n++] = (struct candidate){.worker = i,
                                          .room = room,
                                          .capacity = workers[i].capacity_vus,
                                          .cores = workers[i].cores > 0 ? workers[i].cores : 1};
        }
    }
    qsort(out, n, sizeof *out, by_room);
    return n;
}

/* How many of them take part: one for each source, unless that is too little room. 0: all are. */
static uint32_t
choose_count(const struct candidate *c, uint32_t n, const struct allocate_need *need)
{
    uint32_t wanted = need->sources < need->vus ? need->sources : need->vus;
    uint64_t room = 0;

    for (uint32_t i = 0; i < n && i < ALLOCATE_SOURCES_MAX; i++) {
        room += c[i].room;
        if (room >= need->vus && (i + 1 >= wanted || i + 1 == n)) {
            return i + 1;
        }
    }
    return 0;
}

/* ---- how many users ---------------------------------------------------------------------------
 */

/* By capacity; who would get more than it has room for gets that, and the others share the rest. */
static void deal_users(struct candidate *c, uint32_t n, uint64_t vus)
{
    uint64_t left = vus, capacity = 0;
    bool full = true;

    for (uint32_t i = 0; i < n; i++) {
        capacity += c[i].capacity;
    }
    while (full) {
        full = false;
        for (uint32_t i = 0; i < n; i++) {
            if (c[i].vus == 0 && left * c[i].capacity > c[i].room * capacity) {
                c[i].vus = c[i].room;
                left -= c[i].room;
                capacity -= c[i].capacity;
                full = true;
            }
        }
    }
    uint64_t given = 0, sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (c[i].vus == 0) {
            sum += c[i].capacity;
            c[i].vus = left * sum / capacity - given; /* what rounding leaves goes on to the next */
            given += c[i].vus;
        }
    }
}

/* ---- how many sources -------------------------------------------------------------------------
 */

/* One each; each further one to the worker whose sources have the most to do. */
static uint32_t deal_sources(struct candidate *c, uint32_t n, uint32_t wanted)
{
    uint32_t total = n;

    for (uint32_t i = 0; i < n; i++) {
        c[i].sources = 1;
    }
    while (total < wanted) {
        struct candidate *most = NULL;

        for (uint32_t i = 0; i < n; i++) {
            bool may = c[i].sources < c[i].cores && c[i].sources < c[i].vus;
            if (may && (most == NULL || c[i].vus * most->sources > most->vus * c[i].sources)) {
                most = &c[i];
            }
        }
        if (most == NULL) {
            break;
        }
        most->sources++;
        total++;
    }
    return total;
}

/* Equal weights: each source may then have as many users as the next one. */
static bool fits_equally(const struct candidate *c, uint32_t n, uint32_t sources, uint32_t vus)
{
    uint64_t each = ((uint64_t)vus + sources - 1) / sources;

    for (uint32_t i = 0; i < n; i++) {
        if (c[i].capacity != c[0].capacity || c[i].sources != c[0].sources ||
            c[i].sources * each > c[i].room) {
            return false;
        }
    }
    return true;
}

/* Up to EXACT_MAX users a weight is a number of users; beyond it a part of the cycle. */
static void set_weights(const struct candidate *c, uint32_t n, uint32_t vus, struct allocation *out)
{
    uint64_t cycle = EXACT_MAX - out->source_count; /* a weight is at least 1 */
    uint32_t at = 0;

    out->weights = xcalloc(out->source_count, sizeof *out->weights);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < c[i].sources; k++) {
            uint64_t own = c[i].vus / c[i].sources + (k < c[i].vus % c[i].sources);
            uint64_t weight = vus > EXACT_MAX ? own * cycle / vus : own;
            out->weights[at++] = weight > 0 ? (uint32_t)weight : 1;
        }
    }
}

/* The most users that the part's sources get: each its share, rounded up. */
static uint64_t users_of(const struct allocation *a, const struct allocate_part *part, uint32_t vus)
{
    uint64_t sum = 0, most = 0;

    for (uint32_t i = 0; i < a->source_count; i++) {
        sum += a->weights != NULL ? a->weights[i] : 1;
    }
    for (uint32_t i = part->base; i < part->base + part->sources; i++) {
        uint64_t weight = a->weights != NULL ? a->weights[i] : 1;
        most += (vus * weight + sum - 1) / sum;
    }
    return most;
}

static int write_parts(const struct candidate *c,
                       uint32_t n,
                       const struct allocate_worker *workers,
                       uint32_t vus,
                       struct allocation *out)
{
    uint32_t base = 0;

    out->parts = xcalloc(n, sizeof *out->parts);
    out->part_count = n;
    for (uint32_t i = 0; i < n; i++) {
        struct allocate_part *part = &out->parts[i];

        *part =
            (struct allocate_part){.worker = c[i].worker, .base = base, .sources = c[i].sources};
        part->vus = (uint32_t)users_of(out, part, vus);
        base += part->sources;
        if (part->vus > workers[part->worker].free_vus) {
            return ERR_LIMIT;
        }
    }
    return 0;
}

int allocate(const struct allocate_worker *workers,
             uint32_t count,
             const struct allocate_need *need,
             struct allocation *out)
{
    struct candidate *c = xcalloc(count + 1, sizeof *c);
    uint32_t n = choose_count(c, list_candidates(workers, count, need->vus, c), need);

    *out = (struct allocation){0};
    if (n == 0) {
        xfree(c);
        return ERR_LIMIT;
    }
    qsort(c, n, sizeof *c, by_worker);
    deal_users(c, n, need->vus);
    uint32_t most = need->sources < ALLOCATE_SOURCES_MAX ? need->sources : ALLOCATE_SOURCES_MAX;
    out->source_count = deal_sources(c, n, most);
    if (!fits_equally(c, n, out->source_count, need->vus)) {
        set_weights(c, n, need->vus, out);
    }
    int rc = write_parts(c, n, workers, need->vus, out);
    xfree(c);
    if (rc != 0) {
        allocation_clear(out);
    }
    return rc;
}

void allocation_clear(struct allocation *a)
{
    xfree(a->parts);
    xfree(a->weights);
    *a = (struct allocation){0};
}
