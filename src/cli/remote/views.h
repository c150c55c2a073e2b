/* SPDX-License-Identifier: MIT */
/*
 * What a control plane answers, as texts for people: one run (RunView), the list of runs, the list
 * of workers. Pure; what a document lacks is left out, or "-" in a table. 0 or ERR_LIMIT.
 */
#ifndef CLI_REMOTE_VIEWS_H
#define CLI_REMOTE_VIEWS_H

#include "base/buf.h"
#include "base/json.h"

#define VIEW_TEXT_MAX ((size_t)4 * 1024 * 1024)

/* A handful of labelled lines. */
int view_run(const json_t *run, struct buf *out);
/* One line each, with a head; and how many there are when not all of them are here. */
int view_runs(const json_t *answer, struct buf *out);
int view_workers(const json_t *answer, struct buf *out);

#endif
