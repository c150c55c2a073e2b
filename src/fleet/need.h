/* SPDX-License-Identifier: MIT */
/* How many users and sources a plan needs of the workers that there are (fleet/allocate.h). */
#ifndef FLEET_NEED_H
#define FLEET_NEED_H

#include "fleet/allocate.h"
#include "plan/plan.h"

/*
 * Users: the most that any stage has at once. Of a stage that makes its own by a rate only those
 * that it begins with have to fit; there the rest is as many as the workers have free.
 *
 * Sources: one for each worker and more where the load is worth them, as far as caps allow
 * (worker/sharding.h). Nothing is 0, also without workers.
 *
 * `placement` (NULL: none) has the shares of the workers' groups, and outlives the result.
 */
struct allocate_need need_of(const struct plan *plan,
                             const struct placement_config *placement,
                             const struct allocate_worker *workers,
                             uint32_t count);

#endif
