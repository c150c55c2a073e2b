/* SPDX-License-Identifier: MIT */
#include "wire/totals.h"

#include "base/mem.h"
#include "base/rng.h"
#include "wire/pack.h"

#include <assert.h>
#include <stdio.h>

#define BIT(n) (UINT64_C(1) << (n))

void wire_totals_init(struct wire_totals *t, uint32_t key_count)
{
    *t = (struct wire_totals){.key_count = key_count};
    t->keys = key_count > 0 ? xcalloc(key_count, sizeof *t->keys) : NULL;
}

void wire_totals_clear(struct wire_totals *t)
{
    xfree(t->keys);
    *t = (struct wire_totals){.keys = NULL};
}

/* ---- adding ------------------------------------------------------------------------------------
 */

/* Of the samples of one bucket. */
static uint64_t check_of(unsigned bucket, uint64_t count)
{
    return count * rng_mix64(bucket + 1);
}

static void add_page(struct wire_total_dist *d, const uint32_t *page, unsigned first)
{
    for (unsigned i = 0; page != NULL && i < HIST_PAGE; i++) {
        d->check += page[i] > 0 ? check_of(first + i, page[i]) : 0;
    }
}

void wire_total_dist_add(struct wire_total_dist *d, const struct hist *h)
{
    if (h == NULL || h->head.count == 0) {
        return;
    }
    d->count += h->head.count;
    d->sum += h->sum;
    if (h->head.count <= HIST_FEW) {
        for (unsigned i = 0; i < h->head.count; i++) {
            d->check += check_of(h->few[i], 1);
        }
        return;
    }
    for (unsigned page = h->head.lo / HIST_PAGE; page <= h->head.hi / HIST_PAGE; page++) {
        add_page(d, h->page[page], page * HIST_PAGE);
    }
}

void wire_total_dist_add_total(struct wire_total_dist *d, const struct hist_total *h)
{
    if (h == NULL || h->head.count == 0) {
        return;
    }
    d->count += h->head.count;
    d->sum += (uint64_t)h->sum;
    for (unsigned i = h->head.lo; i <= h->head.hi; i++) {
        uint64_t n = hist_total_bucket(h, i);
        d->check += n > 0 ? check_of(i, n) : 0;
    }
}

static void part_add(struct wire_total_part *to, const struct window_part *from)
{
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        to->count[i] += from->count[i];
    }
    for (unsigned i = 0; i < DIST_ALL; i++) {
        wire_total_dist_add(&to->dist[i], from->dist[i]);
    }
}

void wire_totals_add(struct wire_totals *t, const struct window *w)
{
    assert(t->key_count == w->key_count);
    for (uint32_t i = 0; i < w->key_count; i++) {
        part_add(&t->keys[i], &w->keys[i]);
    }
    part_add(&t->run, &w->run);
    if (w->later.used) {
        part_add(&t->run, &w->later.run);
    }
}

static void part_merge(struct wire_total_part *to, const struct wire_total_part *from)
{
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        to->count[i] += from->count[i];
    }
    for (unsigned i = 0; i < DIST_ALL; i++) {
        to->dist[i].count += from->dist[i].count;
        to->dist[i].sum += from->dist[i].sum;
        to->dist[i].check += from->dist[i].check;
    }
}

void wire_totals_merge(struct wire_totals *to, const struct wire_totals *from)
{
    assert(to->key_count == from->key_count);
    for (uint32_t i = 0; i < to->key_count; i++) {
        part_merge(&to->keys[i], &from->keys[i]);
    }
    part_merge(&to->run, &from->run);
}

/* ---- comparing ---------------------------------------------------------------------------------
 */

static bool
differs(const char *where, const char *what, uint64_t here, uint64_t there, struct err *err)
{
    if (here == there) {
        return false;
    }
    err_set(err, ERR_INVALID, "%s: %s is %llu here and %llu there", where, what,
            (unsigned long long)here, (unsigned long long)there);
    return true;
}

static bool dist_differs(const char *where,
                         enum dist id,
                         const struct wire_total_dist *a,
                         const struct wire_total_dist *b,
                         struct err *err)
{
    char what[64];

    snprintf(what, sizeof what, "the number of samples of %s", dist_name(id));
    if (differs(where, what, a->count, b->count, err)) {
        return true;
    }
    snprintf(what, sizeof what, "the sum of %s in ns", dist_name(id));
    if (differs(where, what, a->sum, b->sum, err)) {
        return true;
    }
    if (a->check != b->check) {
        err_set(err, ERR_INVALID, "%s: the samples of %s lie in other buckets", where,
                dist_name(id));
        return true;
    }
    return false;
}

static bool part_differs(const char *where,
                         const struct wire_total_part *a,
                         const struct wire_total_part *b,
                         struct err *err)
{
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        if (differs(where, count_name((enum count)i), a->count[i], b->count[i], err)) {
            return true;
        }
    }
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (dist_differs(where, (enum dist)i, &a->dist[i], &b->dist[i], err)) {
            return true;
        }
    }
    return false;
}

bool wire_totals_equal(const struct wire_totals *a, const struct wire_totals *b, struct err *err)
{
    assert(a->key_count == b->key_count);
    for (uint32_t i = 0; i < a->key_count; i++) {
        char where[32];

        snprintf(where, sizeof where, "key %u", i);
        if (part_differs(where, &a->keys[i], &b->keys[i], err)) {
            return false;
        }
    }
    return !part_differs("the run", &a->run, &b->run, err);
}

/* ---- on the wire -------------------------------------------------------------------------------
 */

/*
 * totals   run · (distance to the key before, from 1 · part) … 0
 * part     bits of the counters that are not 0 · those · bits of the distributions · of each of
 *          those count · sum · check (8 bytes)
 */
static uint64_t count_bits(const struct wire_total_part *part)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < COUNT_ALL; i++) {
        bits |= part->count[i] != 0 ? BIT(i) : 0;
    }
    return bits;
}

static uint64_t dist_bits(const struct wire_total_part *part)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < DIST_ALL; i++) {
        bits |= part->dist[i].count != 0 ? BIT(i) : 0;
    }
    return bits;
}

static void pack_part(struct packer *p, const struct wire_total_part *part)
{
    uint64_t counts = count_bits(part), dists = dist_bits(part);

    pack_varint(p, counts);
    for (; counts != 0; counts &= counts - 1) {
        pack_varint(p, part->count[__builtin_ctzll(counts)]);
    }
    pack_varint(p, dists);
    for (; dists != 0; dists &= dists - 1) {
        const struct wire_total_dist *d = &part->dist[__builtin_ctzll(dists)];

        pack_varint(p, d->count);
        pack_varint(p, d->sum);
        pack_fixed(p, d->check);
    }
}

static void unpack_part(struct unpacker *u, struct wire_total_part *part)
{
    uint64_t counts = unpack_max(u, BIT(COUNT_ALL) - 1, "an unknown counter");

    for (; counts != 0; counts &= counts - 1) {
        part->count[__builtin_ctzll(counts)] = unpack_not_zero(u);
    }
    uint64_t dists = unpack_max(u, BIT(DIST_ALL) - 1, "an unknown distribution");
    for (; dists != 0; dists &= dists - 1) {
        struct wire_total_dist *d = &part->dist[__builtin_ctzll(dists)];

        d->count = unpack_not_zero(u);
        d->sum = unpack_varint(u);
        d->check = unpack_fixed(u);
    }
}

int wire_totals_encode(const struct wire_totals *t, struct buf *out)
{
    struct packer p = pack_begin(out);
    uint32_t next = 0;

    pack_part(&p, &t->run);
    for (uint32_t i = 0; i < t->key_count; i++) {
        if (count_bits(&t->keys[i]) != 0 || dist_bits(&t->keys[i]) != 0) {
            pack_varint(&p, i - next + 1);
            pack_part(&p, &t->keys[i]);
            next = i + 1;
        }
    }
    pack_varint(&p, 0);
    return pack_end(&p);
}

static void zero(struct wire_totals *t)
{
    memset(&t->run, 0, sizeof t->run);
    for (uint32_t i = 0; i < t->key_count; i++) {
        memset(&t->keys[i], 0, sizeof t->keys[i]);
    }
}

int wire_totals_decode(struct str in, struct wire_totals *into, struct err *err)
{
    struct unpacker u = unpack_begin(in);
    uint32_t next = 0;
    uint64_t step;

    zero(into);
    unpack_part(&u, &into->run);
    while ((step = unpack_varint(&u)) != 0) {
        if (step > into->key_count - next) {
            unpack_fail(&u, "a key that does not exist");
            break;
        }
        next += (uint32_t)step;
        unpack_part(&u, &into->keys[next - 1]);
    }
    int rc = unpack_end(&u, "totals", err);
    if (rc != 0) {
        zero(into);
    }
    return rc;
}
