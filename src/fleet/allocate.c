/* SPDX-License-Identifier: MIT */
#include "fleet/allocate.h"

#include "base/mem.h"
#include "plan/deal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_MAX = DEAL_SLOTS_MAX };

/* What allocate() was given. */
struct question {
    const struct allocate_worker *workers;
    uint32_t count;
    const struct allocate_need *need;
};

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

static bool belongs(const struct question *q, uint32_t worker, uint32_t group)
{
    return q->need->share_count == 0 || q->workers[worker].group == group;
}

/* Those of the group with something free, the most first. */
static uint32_t list_candidates(const struct question *q, uint32_t group, struct candidate *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < q->count; i++) {
        const struct allocate_worker *w = &q->workers[i];
        uint64_t room = belongs(q, i, group) ? room_of(w, q->need->vus) : 0;
        if (room > 0) {
            out[n++] = (struct candidate){.worker = i,
                                          .room = room,
                                          .capacity = w->capacity_vus,
                                          .cores = w->cores > 0 ? w->cores : 1};
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

/* What a group has to carry. */
struct portion {
    uint32_t group;
    uint64_t vus, sources;
};

/* Who plays it, from c on, in the order of the workers; `most`: so many at most. Returns how many
 * they are, 0: the group has not enough. */
static uint32_t deal_portion(const struct question *q,
                             const struct portion *portion,
                             uint32_t most,
                             struct candidate *c)
{
    uint32_t n = list_candidates(q, portion->group, c);

    n = choose_count(c, n, most, portion->vus, portion->sources);
    qsort(c, n, sizeof *c, by_worker);
    deal_users(c, n, portion->vus);
    return drop_idle(c, n);
}

static void
tell_shortage(const struct question *q, uint32_t group, uint64_t vus, struct allocate_shortage *out)
{
    *out = (struct allocate_shortage){.group = group, .required = vus};
    for (uint32_t i = 0; i < q->count; i++) {
        if (belongs(q, i, group)) {
            out->available += q->workers[i].free_vus;
            out->workers++;
        }
    }
}

/* All groups that get users, each with its workers; then in the order of the workers. Returns how
 * many workers they are, 0: *shortage says what is missing. */
static uint32_t
choose_workers(const struct question *q, struct candidate *c, struct allocate_shortage *shortage)
{
    const struct allocate_need *need = q->need;
    uint64_t users[SHARES_MAX] = {need->vus}, sources[SHARES_MAX] = {need->sources};
    uint32_t groups = need->share_count > 0 ? need->share_count : 1, n = 0;

    if (need->share_count > 0) {
        shares_split(need->shares, groups, need->vus, users);
        shares_split(need->shares, groups, need->sources, sources);
    }
    for (uint32_t g = 0; g < groups; g++) {
        struct portion portion = {.group = g, .vus = users[g], .sources = sources[g]};
        uint32_t more =
            users[g] > 0 ? deal_portion(q, &portion, ALLOCATE_SOURCES_MAX - n, c + n) : 0;

        if (more == 0 && users[g] > 0) {
            tell_shortage(q, g, users[g], shortage);
            return 0;
        }
        n += more;
    }
    qsort(c, n, sizeof *c, by_worker);
    return n;
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

    assert(vus > 0);
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
    assert(sum > 0);
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
    const struct question q = {.workers = workers, .count = count, .need = need};
    struct candidate *c = xcalloc(count + 1, sizeof *c);
    int rc = 0;

    assert(need->vus > 0 && need->share_count <= SHARES_MAX);
    *out = (struct allocation){0};
    uint32_t n = choose_workers(&q, c, shortage);
    if (n == 0) {
        xfree(c);
        return ERR_LIMIT;
    }
    uint32_t most = need->sources < ALLOCATE_SOURCES_MAX ? need->sources : ALLOCATE_SOURCES_MAX;
    out->source_count = deal_sources(c, n, most);
    if (need->share_count > 0 || !fits_equally(c, n, out->source_count, need->vus)) {
        set_weights(c, n, need->vus, out);
    }
    const struct candidate *over = write_parts(c, n, need->vus, out, workers);
    if (over != NULL) {
        tell_shortage(&q, workers[over->worker].group, over->vus, shortage);
        allocation_clear(out);
        rc = ERR_LIMIT;
    }
    xfree(c);
    return rc;
}

/* Of a group whose part is w of all weights: room · all / w. */
static uint64_t most_at(const struct question *q, uint64_t vus)
{
    const struct allocate_need *need = q->need;
    uint32_t groups = need->share_count > 0 ? need->share_count : 1;
    uint64_t sum = 0, most = UINT32_MAX;

    for (uint32_t g = 0; g < need->share_count; g++) {
        sum += need->shares[g].weight;
    }
    for (uint32_t g = 0; g < groups; g++) {
        uint64_t room = 0;

        for (uint32_t i = 0; i < q->count; i++) {
            room += belongs(q, i, g) ? room_of(&q->workers[i], vus) : 0;
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
    const struct question q = {.workers = workers, .count = count, .need = need};
    uint64_t exact = most_at(&q, 0), rounded = most_at(&q, UINT32_MAX);

    return exact <= EXACT_MAX ? exact : rounded > EXACT_MAX ? rounded : EXACT_MAX;
}

void allocation_clear(struct allocation *a)
{
    xfree(a->parts);
    xfree(a->weights);
    *a = (struct allocation){0};
}
