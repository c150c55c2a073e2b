/* SPDX-License-Identifier: MIT */
/*
 * Does the target keep pace? What is noticed of that, second by second, and told as warnings:
 * silences, in which operations waited and none ended, and backlogs that grow.
 *
 * A silence is a row of whole seconds in which nothing ended although operations were in flight all
 * the time, and which is more than twice as long as the median of what operations take. It is told
 * when it is over; or at the end of the run, where the median is not known before.
 *
 * A backlog is looked at in stages of the open model: its slope while the rate is at its top, or
 * its size where that was short; and in a ramp, which changes it by design, its size. Where a hard
 * cap of ours held requests back in most of the seconds, it is named and not the target.
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
