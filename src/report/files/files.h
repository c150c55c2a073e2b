/* SPDX-License-Identifier: MIT */
/*
 * The files of `--out DIR`, as far as `reporting` wants them:
 *
 *   events.ndjson     an event per line, format event/v1, as they come
 *   windows.ndjson    a complete second per line
 *   ops.ndjson        the log of operations (report/files/oplog.h), as their seconds come
 *   histograms.hlog   all latencies of the run (report/files/hlog.h), at the end
 *   result.json       format result/v1, at the end
 *   scenario.json     the scenario that is played, without secrets, before the run
 * (control/origin.h)
 *
 * The first three are written by threads of their own (report/files/spool.h), lines in order and as
 * soon as the disk takes them: nothing here but result_files_end and result_files_close ever waits
 * for a file.
 *
 * One thread. A write that fails is remembered: result_files_close reports the first. The log of
 * operations is a sample anyway: what it lacks is counted and said in the result, and no failure.
 */
#ifndef REPORT_FILES_FILES_H
#define REPORT_FILES_FILES_H

#include "base/err.h"
#include "control/run.h"
#include "scenario/config/config.h"

/* Writes scenario.json, making the folder when it is not there. A file of that name that is no copy
 * of ours stays: `source` (NULL: none), the scenario that was read, and any in a folder without an
 * earlier run. ERR_IO, ERR_USAGE. */
int result_files_scenario(const char *dir, const char *source, struct str text, struct err *err);

struct result_files;

/* Makes the folder when it is not there. Files of an earlier run are emptied, or removed where
 * `reporting` does not want them. All of them must outlive the files, but for the workers, who say
 * who played which source (NULL: the identity's worker all of them); `identity` stands in each
 * event. ERR_IO. */
int result_files_open(const char *dir,
                      const struct reporting_config *reporting,
                      const struct plan *plan,
                      const struct plan_identity *identity,
                      const struct run_workers *workers,
                      struct result_files **out,
                      struct err *err);

void result_files_event(struct result_files *f, const struct run_event *event);
/* Writes all complete seconds that were not written yet. */
void result_files_seconds(struct result_files *f, const struct run *r);

/* Takes what a window has for the log of operations (report/files/opfile.h). */
void result_files_window(struct result_files *f, uint32_t source, struct window *w);

/* After the run and before its result is made: waits, ten seconds at most, until everything that
 * came so far is written, and sets r->log_lines_lost and
 * r->log_lines_thinned. A log of operations that has a gap is a warning of the run. */
void result_files_end(struct result_files *f, struct run *r);
/* After result_files_end: writes the histograms and result.json as far as they are wanted, and
 * frees. ERR_IO, ERR_LIMIT. */
int result_files_close(struct result_files *f, const struct run *r, struct err *err);
/* Frees without writing. NULL is fine. */
void result_files_drop(struct result_files *f);

#endif
