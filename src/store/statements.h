/* SPDX-License-Identifier: MIT */
/*
 * The SQL of writes and reads, and the statements of one connection, prepared once. Writes about a
 * run find its number by its id, so that they do nothing where the run is not there.
 */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

#include "base/err.h"

#include <sqlite3.h>
#include <stddef.h>

enum write_kind {
    WRITE_PUT_RUN,
    WRITE_CLEAR_TAGS,
    WRITE_ADD_TAG,
    WRITE_PUT_DOCUMENT,
    WRITE_DELETE_RUN,
    WRITE_LITTER_RUN, /* before DELETE_RUN */
    WRITE_LITTER_WINDOWS,
    WRITE_ADD_EVENT,
    WRITE_ADD_WINDOW,
    WRITE_ADD_SECOND,
    WRITE_ADD_SAMPLE,
    WRITE_PUT_TOTALS,
    WRITE_PUT_APPLIED,
    WRITE_PUT_WORKER,
    WRITE_DELETE_WORKER,
    WRITE_KINDS,
};

enum read_kind {
    READ_RUN,
    READ_UNFINISHED,
    READ_RUNS_UP,
    READ_RUNS_DOWN,
    READ_RUNS_COUNT,
    READ_EVENTS,
    READ_EVENT_NUMBER,
    READ_EVENT_COUNT,
    READ_WINDOWS,
    READ_SECONDS,
    READ_SAMPLES,
    READ_TOTALS,
    READ_DOCUMENT,
    READ_APPLIED,
    READ_WORKERS,
    READ_KINDS,
};

enum { STATEMENTS_MAX = 16 };

struct statements {
    size_t count;
    sqlite3_stmt *all[STATEMENTS_MAX]; /* by write_kind or read_kind */
};

/* ERR_IO; nothing to clear then. */
int statements_prepare_writes(struct statements *s, sqlite3 *db, struct err *err);
int statements_prepare_reads(struct statements *s, sqlite3 *db, struct err *err);
void statements_clear(struct statements *s);

#endif
