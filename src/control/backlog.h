/* SPDX-License-Identifier: MIT */
/*
 * Is the target falling behind? The row of how many operations waited at the end of each second of
 * a stage of the open model, and the slope of that row.
 *
 * The slope is that of a line through ten batch means: neighbouring seconds are too much alike for
 * a test on each of them. The target falls behind when the slope is positive beyond doubt (t test,
 * 99 %) and adds up to more than five operations and a tenth of the mean.
 *
 * Memory: 8 KB, however long the stage: of a long one each cell is the mean of several seconds.
 * Pure; one thread.
 */
#ifndef CONTROL_BACKLOG_H
#define CONTROL_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

enum { BACKLOG_CELLS_MAX = 1000, BACKLOG_BATCHES = 10 };

/* Starts as all zero. */
struct backlog {
    double cells[BACKLOG_CELLS_MAX]; /* means over `per_cell` seconds */
    uint32_t count;
    uint32_t per_cell; /* 0: nothing came yet */
    double sum;        /* of the seconds of the cell that is being filled … */
    uint32_t filled;   /* … and how many they are */
    double last;       /* of the newest second */
};

/* The next second of the stage. */
void backlog_add(struct backlog *b, double waiting);

/* True when the target fell behind, *per_second: by how many operations. Without the first
 * `skip_seconds`, in which the load had not settled; at most half of the row is left out. False
 * also when less than ten seconds are left. */
bool backlog_grows(const struct backlog *b, uint64_t skip_seconds, double *per_second);

#endif
