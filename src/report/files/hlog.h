/* SPDX-License-Identifier: MIT */
/*
 * The histograms of a run in a log of HdrHistogram's format 1.3, which its plotters read: a line
 * per stage, operation and clock (response, service, lag), and lines of the run's totals. Values
 * are nanoseconds; times of lines count from the beginning of the first stage.
 *
 * What a line is about stands in its tag, `STAGE:OPERATION:TOOL:TEMPLATE:CLOCK` without the parts
 * that an operation does not have, or `run:DISTRIBUTION`. Everything but letters, digits, `/`, `.`,
 * `_` and `-` is written as `%` and two hex digits. Lines without a sample are left out.
 */
#ifndef REPORT_FILES_HLOG_H
#define REPORT_FILES_HLOG_H

#include "base/buf.h"
#include "control/run.h"

#define HLOG_TEXT_MAX ((size_t)64 * 1024 * 1024)

/* All sources should have finished. 0 or ERR_LIMIT. */
int hlog_write(const struct run *r, struct buf *out);

#endif
