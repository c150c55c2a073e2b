/* SPDX-License-Identifier: MIT */
#include "store/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 5000, WAL_BYTES_KEPT = 64 * 1024 * 1024 };

/* The path comes last: it may be long, and a message is cut at its end. */
int connection_error(sqlite3 *db, const char *doing, struct err *err)
{
    int kind = sqlite3_extended_errcode(db) & 0xff;
    const char *path = sqlite3_db_filename(db, "main");
    int sys = sqlite3_system_errno(db);

    path = path == NULL ? "" : path;
    /* SQLite's texts for failures of the system name no cause: the system's own does. */
    if (sys != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN)) {
        return err_set(err, ERR_IO, "cannot %s: %s, %s (%s)", doing, sqlite3_errmsg(db),
                       strerrordesc_np(sys), path);
    }
    return err_set(err, ERR_IO, "cannot %s: %s (%s)", doing, sqlite3_errmsg(db), path);
}

int connection_run(sqlite3 *db, const char *sql, struct err *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return connection_error(db, "use the store", err);
    }
    return 0;
}

int connection_number(sqlite3 *db, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *st;

    *out = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
        return connection_error(db, "read the store", err);
    }
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        *out = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return connection_error(db, "read the store", err);
    }
    return 0;
}

/* SQLite gives the modes of the file to those that it makes beside it. */
static int make_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        return err_sys(err, ERR_IO, errno, "cannot open the store %s", path);
    }
    close(fd);
    return 0;
}

/*
 * synchronous=FULL: a commit is on the disk when it returns, and visible to readers no sooner. No
 * memory map: a disk that fails under one would kill the process. The page size counts for a new
 * file alone: rows of some KB should lie in one page.
 */
static int set_pragmas(sqlite3 *db, struct err *err)
{
    char sql[320];

    snprintf(sql, sizeof sql,
             "PRAGMA synchronous = FULL;"
             "PRAGMA journal_size_limit = %d;"
             "PRAGMA mmap_size = 0;"
             "PRAGMA trusted_schema = OFF;"
             "PRAGMA cell_size_check = ON;"
             "PRAGMA temp_store = MEMORY;",
             WAL_BYTES_KEPT);
    return connection_run(db, sql, err);
}

/* Some file systems cannot: then the mode stays what it was. */
static int begin_wal(sqlite3 *db, struct err *err)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &st, NULL) != SQLITE_OK) {
        return connection_error(db, "use the store", err);
    }
    int rc = sqlite3_step(st) == SQLITE_ROW ? 0 : connection_error(db, "use the store", err);
    const char *mode = rc == 0 ? (const char *)sqlite3_column_text(st, 0) : NULL;

    if (rc == 0 && (mode == NULL || strcmp(mode, "wal") != 0)) {
        rc = err_set(err, ERR_IO, "the store cannot have a write-ahead log here");
    }
    sqlite3_finalize(st);
    return rc;
}

/* In pages; SQLite has none below 512 bytes. */
static int limit_size(sqlite3 *db, uint64_t max_bytes, struct err *err)
{
    int64_t page_bytes;
    char sql[64];
    int rc = connection_number(db, "PRAGMA page_size", &page_bytes, err);

    if (rc != 0 || max_bytes == 0) {
        return rc;
    }
    page_bytes = page_bytes < 512 ? 512 : page_bytes;
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %llu",
             (unsigned long long)(max_bytes / (uint64_t)page_bytes));
    return connection_run(db, sql, err);
}

int connection_set_up(sqlite3 *db, uint64_t max_bytes, struct err *err)
{
    int rc = connection_run(db, "PRAGMA page_size = 8192", err); /* before anything is in it */

    rc = rc != 0 ? rc : begin_wal(db, err);
    rc = rc != 0 ? rc : set_pragmas(db, err);
    return rc != 0 ? rc : limit_size(db, max_bytes, err);
}

int connection_open(const char *path, sqlite3 **out, struct err *err)
{
    sqlite3 *db = NULL;
    int rc = make_file(path, err);

    if (rc != 0) {
        return rc;
    }
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        rc = db == NULL ? err_set(err, ERR_IO, "cannot open the store %s", path)
                        : connection_error(db, "open the store", err);
        connection_close(db);
        return rc;
    }
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, BUSY_MS);
    *out = db;
    return 0;
}

void connection_close(sqlite3 *db)
{
    sqlite3_close(db);
}
