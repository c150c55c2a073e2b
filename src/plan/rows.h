/* SPDX-License-Identifier: MIT */
/*
 * Which row of a sequential feed an operation gets: a pure function of its number, so that no
 * counter is shared, and the rows are the same on any number of threads.
 *
 * Arrivals take row after row. A user's n-th operation has the ordinal n × users + user, and takes
 * the row of that number, counted round; after each lap, when all users together would begin anew
 * with the rows they had, all move on by one. So all rows are used evenly, and each user comes to
 * all of them.
 *
 * Where a plan has both kinds, users take the even rows before the odd ones, and arrivals the odd
 * ones before the even ones: they meet after half of the rows.
 */
#ifndef PLAN_ROWS_H
#define PLAN_ROWS_H

#include <stdbool.h>
#include <stdint.h>

struct rows {
    uint64_t count;   /* at least 1 */
    uint64_t lap;     /* ordinals until the same user has the same row */
    bool both_models; /* users' operations and arrivals share them */
};

/* `count`: at least 1; `users`: the most of the plan. */
struct rows rows_make(uint64_t count, uint32_t users, bool both_models);

/* Both below count. */
uint64_t rows_of_user(const struct rows *r, uint64_t ordinal);
uint64_t rows_of_arrival(const struct rows *r, uint64_t arrival);

#endif
