/* SPDX-License-Identifier: MIT */
/*
 * The tables of a SQLite store, by numbered migrations. A file has the number of the last one that
 * it went through (its version) and a mark that says that it is ours.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "base/err.h"

#include <sqlite3.h>

/* The version that this program reads and writes. */
int schema_version(void);

/* Whether this program may use the file; `path` is for messages. A newer one and one of another
 * program are refused with ERR_UNSUPPORTED; ERR_IO. Changes nothing. */
int schema_check(sqlite3 *db, const char *path, struct err *err);

/* After schema_check: brings the file to schema_version(), each step as a whole or not at all.
 * ERR_IO. */
int schema_migrate(sqlite3 *db, struct err *err);

#endif
