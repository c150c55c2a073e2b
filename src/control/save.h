/* SPDX-License-Identifier: MIT */
/*
 * A run outlives the process that leads it: its state as a document, and the way back.
 *
 *   in the first process, whenever something has happened, together with the windows that came
 *       run_save
 *   in the next one
 *       run_new ─► run_restore ─► run_replay_window … ─► run_resume
 *
 * The document has all that is not in windows. What windows made of the books, of validity, pace
 * and conditions is made again from them: each that run_on_window was given, refused ones included,
 * in the same order. Document and windows have to be of the same moment. Up to run_resume nothing
 * is told, ordered or decided, and the run must not be given anything else.
 *
 * Times are of the loop's clock, which goes on while the machine does: a document of another boot
 * is refused. A run that has ended is not saved.
 *
 * Size: some KB; the largest parts are warnings (RUN_WARNINGS_MAX) and checks.
 */
#ifndef CONTROL_SAVE_H
#define CONTROL_SAVE_H

#include "control/run.h"

/* The state is not terminal. The caller owns it (json_decref). */
json_t *run_save(const struct run *r);

/* Of the same plan, identity and sources; `r` is as run_new made it. ERR_INVALID for a document
 * that is none or of another plan, ERR_STATE for one of another boot; the run can then only be
 * freed. */
int run_restore(struct run *r, const json_t *saved, struct err *err);
/* The window stays the caller's. */
void run_replay_window(struct run *r, uint32_t source, const struct window *w);
/* The run goes on: what became due meanwhile happens at the loop's next turn. No second is looked
 * at without a source for the next `patience_ns`, in which workers may come back. */
void run_resume(struct run *r, uint64_t patience_ns);
/* The event SYSTEM_RECOVERY, after run_resume: `reason` says in a line what had happened. */
void run_emit_recovered(struct run *r, const char *reason);

#endif
