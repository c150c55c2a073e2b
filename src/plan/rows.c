/* SPDX-License-Identifier: MIT */
#include "plan/rows.h"

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

struct rows rows_make(uint64_t count, uint32_t users, bool both_models)
{
    uint64_t all = users > 0 ? users : 1;

    /* A feed has 10^7 rows at most: this is no more than 2^56. */
    return (struct rows){.count = count,
                         .lap = count / common_divisor(count, all) * all,
                         .both_models = both_models};
}

/* The place'th of the rows in order of that parity, and behind them of the others. */
static uint64_t of_parity(const struct rows *r, uint64_t place, bool odd)
{
    uint64_t first = (r->count + !odd) / 2;

    return place < first ? 2 * place + odd : 2 * (place - first) + !odd;
}

uint64_t rows_of_user(const struct rows *r, uint64_t ordinal)
{
    uint64_t place = (ordinal % r->count + ordinal / r->lap % r->count) % r->count;

    return r->both_models ? of_parity(r, place, false) : place;
}

uint64_t rows_of_arrival(const struct rows *r, uint64_t arrival)
{
    uint64_t place = arrival % r->count;

    return r->both_models ? of_parity(r, place, true) : place;
}
