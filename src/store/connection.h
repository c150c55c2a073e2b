/* SPDX-License-Identifier: MIT */
/*
 * A connection to the file of a SQLite store, with the settings that all of them need. One thread
 * at a time; a thread has its own.
 */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdint.h>

/* Makes the file when it is not there, for this user alone; one that is there stays as it is.
 * ERR_IO. */
int connection_open(const char *path, sqlite3 **out, struct err *err);
/* The settings. `max_bytes` 0: the file may be as large as the disk allows. ERR_IO. */
int connection_set_up(sqlite3 *db, uint64_t max_bytes, struct err *err);
/* NULL is fine. Statements must be finalized. */
void connection_close(sqlite3 *db);

/* Fills *err with what SQLite says about its last call; `doing` is what failed, as in "cannot
 * `doing`". ERR_IO. */
int connection_error(sqlite3 *db, const char *doing, struct err *err);
/* Statements without results or parameters. ERR_IO. */
int connection_run(sqlite3 *db, const char *sql, struct err *err);
/* The first column of the first row; 0 without a row. ERR_IO. */
int connection_number(sqlite3 *db, const char *sql, int64_t *out, struct err *err);

#endif
