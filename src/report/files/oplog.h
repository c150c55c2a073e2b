/* SPDX-License-Identifier: MIT */
/*
 * The log of operations: a JSON object per line, format `op-log/v1`. A line tells of one operation:
 * who, when, how long, how it ended and whose fault that looks like. All members are always there;
 * null where they do not apply or are not known.
 *
 * It is a sample: failures up to a bound per kind and second, and the share of the successes that
 * the scenario asks for (telemetry.structured_logs). Figures never come from it.
 *
 * Times of operations are monotonic; `wall_offset_ns` turns them into the wall clock's.
 */
#ifndef REPORT_FILES_OPLOG_H
#define REPORT_FILES_OPLOG_H

#include "base/buf.h"
#include "metrics/sample.h"
#include "plan/plan.h"

#include <stdint.h>

#define OPLOG_LINE_MAX ((size_t)64 * 1024)
#define OPLOG_BYTES_MAX                                                      \
    ((uint64_t)1 << 30) /* of the file: a fast target fills a disk otherwise \
                         */

struct oplog {
    const struct plan *plan;
    const struct plan_identity *identity;
    int64_t wall_offset_ns; /* wall clock minus monotonic clock */
    uint64_t lines;         /* written so far: the numbers of the operations */
};

/* Appends the line of an operation, with its newline. 0, or ERR_LIMIT and nothing is added. */
int oplog_write(struct oplog *log, uint32_t source, const struct op_sample *op, struct buf *out);

#endif
