/* SPDX-License-Identifier: MIT */
/*
 * Rows of runs that are deleted, and windows of runs that are over, are taken away in small
 * portions between other writes: a long run has gigabytes, and nobody may wait for them. Which runs
 * they are stands in the store, so that the work goes on after a restart.
 */
#ifndef STORE_LITTER_H
#define STORE_LITTER_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>

enum { LITTER_ROWS = 200 }; /* of a portion */

/* Takes away one portion, in a transaction of its own. *more: something is left. ERR_IO. */
int litter_sweep(sqlite3 *db, bool *more, struct err *err);

#endif
