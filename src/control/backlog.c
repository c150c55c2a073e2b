/* SPDX-License-Identifier: MIT */
#include "control/backlog.h"

#include <math.h>
#include <stddef.h>

/* The quantile of Student's distribution with eight degrees of freedom, 99 % on one side. */
static const double certain = 2.90;

/* Two seconds a cell instead of one, and so on. */
static void halve(struct backlog *b)
{
    for (size_t i = 0; i < BACKLOG_CELLS_MAX / 2; i++) {
        b->cells[i] = (b->cells[2 * i] + b->cells[2 * i + 1]) / 2;
    }
    b->count = BACKLOG_CELLS_MAX / 2;
    b->per_cell *= 2;
}

void backlog_add(struct backlog *b, double waiting)
{
    b->per_cell = b->per_cell == 0 ? 1 : b->per_cell;
    b->last = waiting;
    b->sum += waiting;
    b->filled++;
    if (b->filled < b->per_cell) {
        return;
    }
    if (b->count == BACKLOG_CELLS_MAX) {
        halve(b);
        return; /* the cell is now half full */
    }
    b->cells[b->count++] = b->sum / b->per_cell;
    b->sum = 0;
    b->filled = 0;
}

struct line {
    double slope, error, mean, span; /* the slope's standard error; seconds that it covers */
};

/* The line through the means of ten batches of `size` cells, the last of which is the newest. */
static struct line fit(const struct backlog *b, uint32_t size)
{
    const double *from = b->cells + b->count - (size_t)size * BACKLOG_BATCHES;
    double step = (double)size * b->per_cell, middle = (BACKLOG_BATCHES - 1) / 2.0;
    double means[BACKLOG_BATCHES] = {0}, tt = 0, tq = 0, rest = 0;
    struct line line = {.span = step * BACKLOG_BATCHES};

    for (uint32_t i = 0; i < BACKLOG_BATCHES; i++) {
        for (uint32_t j = 0; j < size; j++) {
            means[i] += from[i * size + j] / size;
        }
        line.mean += means[i] / BACKLOG_BATCHES;
    }
    for (uint32_t i = 0; i < BACKLOG_BATCHES; i++) {
        double t = (i - middle) * step;
        tt += t * t;
        tq += t * (means[i] - line.mean);
    }
    line.slope = tq / tt;
    for (uint32_t i = 0; i < BACKLOG_BATCHES; i++) {
        double e = means[i] - line.mean - line.slope * (i - middle) * step;
        rest += e * e;
    }
    line.error = sqrt(rest / (BACKLOG_BATCHES - 2) / tt);
    return line;
}

bool backlog_grows(const struct backlog *b, uint64_t skip_seconds, double *per_second)
{
    uint64_t skip = b->per_cell > 0 ? (skip_seconds + b->per_cell - 1) / b->per_cell : 0;

    skip = skip < b->count / 2 ? skip : b->count / 2;
    uint32_t size = (b->count - (uint32_t)skip) / BACKLOG_BATCHES;
    if (size == 0) {
        return false;
    }
    struct line line = fit(b, size);
    double least = line.mean / 10 > 5 ? line.mean / 10 : 5;
    if (line.slope <= certain * line.error || line.slope * line.span <= least) {
        return false;
    }
    *per_second = line.slope;
    return true;
}
