/* SPDX-License-Identifier: MIT */
/*
 * Does the target keep pace? What is noticed of that, second by second, and told as warnings:
 * silences, in which operations waited and none ended, and backlogs that grow.
 *
 * A silence is a row of whole seconds in which nothing ended although operations were in flight all
 * the time, of a target that answers within half a second on average. Who is slower than that may
 * well have seconds without an end.
 *
 * A backlog is looked at in stages of the open model: its slope while the rate is at its top, and
 * in a ramp, which changes it by design, its size.
 *
 * One thread, the run's.
 */
#ifndef CONTROL_PACE_H
#define CONTROL_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct run;
struct pace;

enum { PACE_SILENCES_TOLD = 5 }; /* further ones are counted, and told together at the end */

struct pace *pace_new(uint32_t stage_count);
/* NULL is fine. */
void pace_free(struct pace *pace);

/* The second is complete; in order. */
void pace_second(struct run *r, uint64_t second);
/* All seconds have come. */
void pace_end(struct run *r);

/* Of a stage: by how many operations a second the target fell behind; false: it did not, or nobody
 * can say. */
bool pace_falls_behind(const struct run *r, uint32_t stage, double *per_second);

/* Of a stage: the rate of its ramp beyond which the target fell behind and stayed so until the ramp
 * ended; false: it did not, or nobody can say. */
bool pace_fell_behind_from(const struct run *r, uint32_t stage, double *per_second);

#endif
