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

struct allocate_need need_of(const struct plan *plan,
                             const struct placement_config *placement,
                             const struct allocate_worker *workers,
                             uint32_t count)
{
    struct allocate_need need = {0};
    uint32_t cores = 0, able = 0;

    if (placement != NULL) {
        need.shares = placement->shares;
        need.share_count = (uint32_t)placement->share_count;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (placement == NULL || workers[i].group < placement->share_count) {
            cores += workers[i].cores;
            able++;
        }
    }
    uint64_t room = allocate_most(workers, count, &need), least = least_vus(plan);
    uint64_t most = plan->max_vus > least ? plan->max_vus : least;
    uint32_t wanted = sharding_total(plan, cores > 0 ? cores : 1);

    wanted = able > wanted ? able : wanted;
    need.vus = (uint32_t)(room >= most ? most : room > least ? room : least);
    need.sources = sharding_choose(plan, wanted, cores);
    return need;
}
