/* SPDX-License-Identifier: MIT */
/* Stages of the plan: levels of VUs over time, the schedule of arrivals. The rest of what this file
 * does is declared in plan/plan.h. */
#ifndef PLAN_LEVELS_H
#define PLAN_LEVELS_H

#include "base/clock.h"
#include "plan/plan.h"

/* The VUs that a step of a ramp adds are spread over so long at most. */
#define PLAN_STEP_SPREAD_NS (100 * NS_PER_MS)

/* Fills stages, stage_count, max_vus, both_models and schedule from the scenario. */
void plan_compile_stages(struct plan *p);

#endif
