/* SPDX-License-Identifier: MIT */
#include "worker/cores.h"

#include <sched.h>

uint32_t cores_of_process(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    int n = CPU_COUNT(&set);
    return n > 0 ? (uint32_t)n : 1;
}
