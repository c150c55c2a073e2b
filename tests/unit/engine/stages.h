/* SPDX-License-Identifier: MIT */
/* Scenarios of three stages, for tests of the shard and of its sessions. */
#ifndef UNIT_ENGINE_STAGES_H
#define UNIT_ENGINE_STAGES_H

#include "unit/engine/world.h"

#define CALL "{'operation': 'tools_call', 'tool_name': 'echo'}"

/* A scenario of stages with these numbers of VUs, that all start at once. */
static inline const char *stages_scenario(
    const char *workload, const char *safety, unsigned first, unsigned second, unsigned third)
{
    static char text[4096];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'}, 'workload': {%s}, 'safety': {%s},"
             " 'stages': ["
             "{'stage': 'baseline', 'stage_id': 'a', 'duration_ms': 10000,"
             "  'load': {'target_vus': %u, 'start_spread_ms': 0}},"
             "{'stage': 'baseline', 'stage_id': 'b', 'duration_ms': 10000,"
             "  'load': {'target_vus': %u, 'start_spread_ms': 0}},"
             "{'stage': 'baseline', 'stage_id': 'c', 'duration_ms': 10000,"
             "  'load': {'target_vus': %u, 'start_spread_ms': 0}}]}",
             workload, safety, first, second, third);
    return text;
}

static inline const char *calls_scenario(unsigned vus)
{
    return stages_scenario("'operation_mix': [" CALL "]", "", vus, vus, vus);
}

#endif
