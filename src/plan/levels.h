/* SPDX-License-Identifier: MIT */
/* Stages of the plan: levels of VUs over time, the schedule of arrivals. The rest of what this file
 * does is declared in plan/plan.h. */
#ifndef PLAN_LEVELS_H
#define PLAN_LEVELS_H

#include "plan/plan.h"

/* Fills stages, stage_count, max_vus, both_models and schedule from the scenario. */
void plan_compile_stages(struct plan *p);

#endif
