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

/* What rounding may add must fit, too. `vus`: of the whole run. */
static uint64_t room_of(const struct allocate_worker *w, uint64_t vus)
{
    return vus > EXACT_MAX ? w->free_vus - (w->free_vus + 99) / 100 : w->free_vus;
}

static bool
belongs(const struct allocate_worker *w, const struct allocate_need *need, uint32_t group)
{
    return need->share_count == 0 || w->group == group;
}

/* Those of the group with something free, the most first. */
static uint32_t list_candidates(const struct allocate_worker *workers,
                                uint32_t count,
                                const struct allocate_need *need,
                                uint32_t group,
                                struct candidate *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t room = belongs(&workers[i], need, group) ? room_of(&workers[i], need->vus) : 0;
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
choose_count(const struct candidate *c, uint32_t n, uint32_t most, uint64_t vus, uint64_t sources)
{
    uint64_t wanted = sources < vus ? sources : vus, room = 0;

    for (uint32_t i = 0; i < n && i < most; i++) {
        room += c[i].room;
        if (room >= vus && (i + 1 >= wanted || i + 1 == n)) {
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

/* One so small beside the others that no user comes to it takes no part. */
static uint32_t drop_idle(struct candidate *c, uint32_t n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (c[i].vus > 0) {
            c[kept++] = c[i];
        }
    }
    return kept;
}

/* Adds who plays the part of a group behind the `n` that there are already; returns how many there
 * are then. ERR_LIMIT: the group has not enough. */
static int add_group(const struct allocate_worker *workers,
                     uint32_t count,
                     const struct allocate_need *need,
                     uint32_t group,
                     uint64_t vus,
                     uint64_t sources,
                     struct candidate *c,
                     uint32_t *n)
{
    uint32_t found = list_candidates(workers, count, need, group, c + *n);

    found = choose_count(c + *n, found, ALLOCATE_SOURCES_MAX - *n, vus, sources);
    if (found == 0) {
        return ERR_LIMIT;
    }
    qsort(c + *n, found, sizeof *c, by_worker);
    deal_users(c + *n, found, vus);
    *n += drop_idle(c + *n, found);
    return 0;
}

static void tell_shortage(const struct allocate_worker *workers,
                          uint32_t count,
                          const struct allocate_need *need,
                          uint32_t group,
                          uint64_t vus,
                          struct allocate_shortage *out)
{
    *out = (struct allocate_shortage){.group = group, .required = vus};
    for (uint32_t i = 0; i < count; i++) {
        if (belongs(&workers[i], need, group)) {
            out->available += workers[i].free_vus;
            out->workers++;
        }
    }
}

/* All groups that get users, each with its workers; then in the order of the workers. */
static int choose_workers(const struct allocate_worker *workers,
                          uint32_t count,
                          const struct allocate_need *need,
                          struct candidate *c,
                          uint32_t *n,
                          struct allocate_shortage *shortage)
{
    uint64_t users[SHARES_MAX] = {need->vus}, sources[SHARES_MAX] = {need->sources};
    uint32_t groups = need->share_count > 0 ? need->share_count : 1;

    if (need->share_count > 0) {
        shares_split(need->shares, groups, need->vus, users);
        shares_split(need->shares, groups, need->sources, sources);
    }
    *n = 0;
    for (uint32_t g = 0; g < groups; g++) {
        if (users[g] > 0 && add_group(workers, count, need, g, users[g], sources[g], c, n) != 0) {
            tell_shortage(workers, count, need, g, users[g], shortage);
            return ERR_LIMIT;
        }
    }
    qsort(c, *n, sizeof *c, by_worker);
    return 0;
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

/* The worker whose part rounding made too large, or NULL. */
static const struct candidate *write_parts(const struct candidate *c,
                                           uint32_t n,
                                           uint32_t vus,
                                           struct allocation *out,
                                           const struct allocate_worker *workers)
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
            return &c[i];
        }
    }
    return NULL;
}

int allocate(const struct allocate_worker *workers,
             uint32_t count,
             const struct allocate_need *need,
             struct allocation *out,
             struct allocate_shortage *shortage)
{
    struct candidate *c = xcalloc(count + 1, sizeof *c);
    uint32_t n;
    int rc = choose_workers(workers, count, need, c, &n, shortage);

    *out = (struct allocation){0};
    if (rc != 0) {
        xfree(c);
        return rc;
    }
    uint32_t most = need->sources < ALLOCATE_SOURCES_MAX ? need->sources : ALLOCATE_SOURCES_MAX;
    out->source_count = deal_sources(c, n, most);
    if (need->share_count > 0 || !fits_equally(c, n, out->source_count, need->vus)) {
        set_weights(c, n, need->vus, out);
    }
    const struct candidate *over = write_parts(c, n, need->vus, out, workers);
    if (over != NULL) {
        tell_shortage(workers, count, need, workers[over->worker].group, over->vus, shortage);
        allocation_clear(out);
        rc = ERR_LIMIT;
    }
    xfree(c);
    return rc;
}

/* Of a group whose part is w of all weights: room · all / w. */
static uint64_t most_at(const struct allocate_worker *workers,
                        uint32_t count,
                        const struct allocate_need *need,
                        uint64_t vus)
{
    uint32_t groups = need->share_count > 0 ? need->share_count : 1;
    uint64_t sum = 0, most = UINT32_MAX;

    for (uint32_t g = 0; g < need->share_count; g++) {
        sum += need->shares[g].weight;
    }
    for (uint32_t g = 0; g < groups; g++) {
        uint64_t room = 0;

        for (uint32_t i = 0; i < count; i++) {
            room += belongs(&workers[i], need, g) ? room_of(&workers[i], vus) : 0;
        }
        room = room < UINT32_MAX ? room : UINT32_MAX;
        room = need->share_count > 0 ? room * sum / need->shares[g].weight : room;
        most = room < most ? room : most;
    }
    return most;
}

uint64_t allocate_most(const struct allocate_worker *workers,
                       uint32_t count,
                       const struct allocate_need *need)
{
    uint64_t exact = most_at(workers, count, need, 0);
    uint64_t rounded = most_at(workers, count, need, UINT32_MAX);

    return exact <= EXACT_MAX ? exact : rounded > EXACT_MAX ? rounded : EXACT_MAX;
}

void allocation_clear(struct allocation *a)
{
    xfree(a->parts);
    xfree(a->weights);
    *a = (struct allocation){0};
}
