/* SPDX-License-Identifier: MIT */
/*
 * The log of operations: a JSON object per line, format `op-log/v1`. A line tells of one operation:
 * who, when, how long, how it ended and whose fault that looks like. What does not apply or is not
 * known is left out.
 *
 * It is a sample: failures and what was not finished up to a bound per kind and second, and of the
 * successes the share that
 * the scenario asks for, or PLAN_LOG_SUCCESSES a second (metrics/sample.h). Figures never come from
 * it.
 *
 * Times of operations are monotonic; `wall_offset_ns` turns them into the wall clock's.
 */
#ifndef REPORT_FILES_OPLOG_H
#define REPORT_FILES_OPLOG_H

#include "base/arena.h"
#include "base/buf.h"
#include "metrics/sample.h"
#include "plan/plan.h"

#include <stdint.h>

#define OPLOG_LINE_MAX ((size_t)64 * 1024)

struct oplog {
    const struct plan *plan;
    int64_t wall_offset_ns; /* wall clock minus monotonic clock */
    uint64_t lines;         /* written so far: the numbers of the operations */

    /* private: what lines have in common, as text */
    struct arena arena_;
    struct str identity_, worker_;
    struct str *stages_, *operations_;
};

/* The plan and the identity must outlive the log. */
void oplog_init(struct oplog *log,
                const struct plan *plan,
                const struct plan_identity *identity,
                int64_t wall_offset_ns);
void oplog_clear(struct oplog *log);

/* Appends the line of an operation, with its newline. 0, or ERR_LIMIT and nothing is added. */
int oplog_write(struct oplog *log, uint32_t source, const struct op_sample *op, struct buf *out);

#endif
