/* SPDX-License-Identifier: MIT */
/* Was the machine quiet while something was measured? Others had so much of its cores: what all
 * processes used by /proc/stat, which every Linux has, less what this process and its children
 * used. */
#ifndef MEASURE_QUIET_H
#define MEASURE_QUIET_H

#include <stdint.h>

/* Of one core, on average over some seconds. Two seconds on an idle machine with two cores show a
 * tenth of that; one neighbour that computes shows several times as much. */
#define QUIET_CORES_MAX 0.15

struct quiet {
    uint64_t began_ns;
    double foreign_s;
};

void quiet_begin(struct quiet *q);
/* Cores that others had since. Children must have been waited for. */
double quiet_foreign_cores(const struct quiet *q);

/* Waits until a second was quiet, at most ten seconds. The cores that others had in the last one.
 */
double quiet_wait(void);

#endif
