/* SPDX-License-Identifier: MIT */
#include "fleet/need.h"

#include "worker/sharding.h"

static uint32_t least_vus(const struct plan *p)
{
    uint32_t least = 1;

    for (uint32_t i = 0; i < p->stage_count; i++) {
        const struct plan_stage *s = &p->stages[i];
        uint32_t vus = s->levels.sized ? s->levels.vus : s->most_vus;
        least = vus > least ? vus : least;
    }
    return least;
}

struct allocate_need
need_of(const struct plan *plan, const struct allocate_worker *workers, uint32_t count)
{
    uint64_t room = 0, least = least_vus(plan);
    uint32_t cores = 0;

    for (uint32_t i = 0; i < count; i++) {
        room += workers[i].free_vus;
        cores += workers[i].cores;
    }
    uint64_t most = plan->max_vus > least ? plan->max_vus : least;
    uint64_t vus = room >= most ? most : room > least ? room : least;
    uint32_t wanted = sharding_total(plan, cores > 0 ? cores : 1);
    wanted = count > wanted ? count : wanted;
    return (struct allocate_need){.vus = (uint32_t)vus,
                                  .sources = sharding_choose(plan, wanted, cores)};
}
