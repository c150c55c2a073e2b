/* SPDX-License-Identifier: MIT */
/*
 * The file of the log of operations (report/files/oplog.h). The windows' batches are handed to a
 * thread (report/files/spool.h), which makes and writes the lines: neither the load nor the control
 * plane waits for it.
 *
 * Without a sample_rate the file gets PLAN_LOG_SUCCESSES of each second of the whole run: those
 * with the lowest ranks, whichever shards they are of. So a second is held until all have brought
 * it, or until it is OPFILE_HELD_MAX seconds old: a shard that comes later than that has a sample
 * of its own.
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
#include "report/files/oplog.h"

#define OPFILE_BYTES_MAX ((uint64_t)1 << 30) /* a fast target fills a disk otherwise */

enum { OPFILE_HELD_MAX = 8 };

struct opfile;

/* `fd` is taken over, also after a failure; `path` is for messages. The origin's plan must outlive
 * the file. ERR_IO. */
int opfile_open(int fd,
                const char *path,
                const struct oplog_origin *origin,
                struct opfile **out,
                struct err *err);
/* Takes what the window has for the log; the window may be recycled then. */
void opfile_take(struct opfile *f, uint32_t source, struct window *w);
/* The seconds before `end` have come from all sources. */
void opfile_complete(struct opfile *f, uint64_t end);

struct opfile_end {
    uint64_t lost;    /* operations that windows had for the log, and that are not in the file */
    uint64_t thinned; /* besides: successes beyond those that a second of the run has in it */
    struct err err;   /* a write that failed, or a file that still hung: at most one of them */
};

/* Writes what waits, for as long as the patience lasts, and frees. */
void opfile_close(struct opfile *f, uint64_t patience_ns, struct opfile_end *end);

#endif
