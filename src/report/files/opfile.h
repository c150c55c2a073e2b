/* SPDX-License-Identifier: MIT */
/*
 * The file of the log of operations (report/files/oplog.h). The windows' batches are handed to a
 * thread (report/files/spool.h), which makes and writes the lines: neither the load nor the control
 * plane waits for it.
 *
 * What waits because the file is slow is bounded by safety.hard_caps.max_telemetry_q_depth
 * operations, and by twice that for failures; the file by OPFILE_BYTES_MAX, and by twice that for
 * failures. A second of which the earlier ones are written is taken whatever it has (the window has
 * bounds); else as much of it as there is room for, failures first and both evenly. What is left
 * out, and what cannot be written, is counted.
 */
#ifndef REPORT_FILES_OPFILE_H
#define REPORT_FILES_OPFILE_H

#include "base/err.h"
#include "metrics/window.h"
#include "plan/plan.h"

#define OPFILE_BYTES_MAX ((uint64_t)1 << 30) /* a fast target fills a disk otherwise */

struct opfile;

/* `fd` is taken over, also after a failure; `path` is for messages. Plan and identity must outlive
 * the file. ERR_IO. */
int opfile_open(int fd,
                const char *path,
                const struct plan *plan,
                const struct plan_identity *identity,
                int64_t wall_offset_ns,
                struct opfile **out,
                struct err *err);
/* Takes what the window has for the log; the window may be recycled then. */
void opfile_take(struct opfile *f, uint32_t source, struct window *w);

struct opfile_end {
    uint64_t lost;  /* operations that windows had for the log, and that are not in the file */
    struct err err; /* a write that failed, or a file that still hung: at most one of them */
};

/* Writes what waits, for as long as the patience lasts, and frees. */
void opfile_close(struct opfile *f, uint64_t patience_ns, struct opfile_end *end);

#endif
