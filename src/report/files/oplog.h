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
#include "control/run.h"
#include "metrics/sample.h"
#include "plan/plan.h"

#include <stdint.h>

#define OPLOG_LINE_MAX ((size_t)64 * 1024)

/* What operations are of. */
struct oplog_origin {
    const struct plan *plan;
    const struct plan_identity *identity;
    const struct run_workers
        *workers;           /* say who played which source; NULL: the identity's worker */
    int64_t wall_offset_ns; /* wall clock minus monotonic clock */
};

/* A worker, as lines name it. */
struct oplog_worker {
    struct str member, digits;
};

struct oplog {
    const struct plan *plan;
    int64_t wall_offset_ns;
    uint64_t lines; /* written so far: the numbers of the operations */

    /* private: what lines have in common, as text */
    struct arena arena_;
    struct str identity_;
    struct str *stages_, *operations_;
    struct oplog_worker *workers_; /* by source; of one, if there is no difference */
    uint32_t worker_count_;
};

/* The plan must outlive the log. */
void oplog_init(struct oplog *log, const struct oplog_origin *origin);
void oplog_clear(struct oplog *log);

/* Appends the line of an operation that the source played, with its newline. 0, or ERR_LIMIT and
 * nothing is added. */
int oplog_write(struct oplog *log, uint32_t source, const struct op_sample *op, struct buf *out);

#endif
