/* SPDX-License-Identifier: MIT */
/*
 * The files of `--out DIR`, as far as `reporting` wants them:
 *
 *   events.ndjson     an event per line, format event/v1, as they come
 *   windows.ndjson    a complete second per line
 *   ops.ndjson        the log of operations (report/files/oplog.h), as their seconds come
 *   histograms.hlog   all latencies of the run (report/files/hlog.h), at the end
 *   result.json       format result/v1, at the end
 *
 * A line is in its file, as far as the kernel is concerned, before the next event, second or window
 * is taken.
 *
 * One thread. A write that fails is remembered; result_files_close reports the first.
 */
#ifndef REPORT_FILES_FILES_H
#define REPORT_FILES_FILES_H

#include "base/err.h"
#include "control/run.h"
#include "scenario/config/config.h"

struct result_files;

/* Makes the folder when it is not there. Files of an earlier run are emptied, or removed where
 * `reporting` does not want them. Both must outlive the files; `identity` stands in each event.
 * ERR_IO. */
int result_files_open(const char *dir,
                      const struct reporting_config *reporting,
                      const struct plan_identity *identity,
                      struct result_files **out,
                      struct err *err);

void result_files_event(struct result_files *f, const struct run_event *event);
/* Writes all complete seconds that were not written yet. */
void result_files_seconds(struct result_files *f, const struct run *r);

/* Writes the samples of a window into the log of operations. The window may be recycled then. A log
 * of OPLOG_BYTES_MAX takes no further successes, one of twice that no failures either; what is left
 * out is counted in r->log_lines_lost. */
void result_files_window(struct result_files *f,
                         struct run *r,
                         uint32_t source,
                         const struct window *w);

/* Writes what is left, the histograms and result.json as far as they are wanted, and frees. ERR_IO,
 * ERR_LIMIT. */
int result_files_close(struct result_files *f, const struct run *r, struct err *err);
/* Frees without writing. NULL is fine. */
void result_files_drop(struct result_files *f);

#endif
