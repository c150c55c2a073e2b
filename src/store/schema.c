/* SPDX-License-Identifier: MIT */
#include "store/schema.h"

#include "store/connection.h"

#include <stdint.h>
#include <stdio.h>

/* "mcpd" */
#define APPLICATION_ID 0x6d637064

/*
 * Rows point to their run by its number, which is never used twice: what is left of a deleted run
 * can be taken away later (store/litter.h) and never gets mixed up with another one. Tables whose
 * rows are small lie in the order of their key; the others have an index beside them.
 */
static const char *const migrations[] = {
    "CREATE TABLE runs ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  run_id TEXT NOT NULL UNIQUE,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL,"
    "  scenario_id TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  terminal INTEGER NOT NULL,"
    "  tags TEXT NOT NULL,"
    "  view TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX runs_by_creation ON runs (created_ms, run_id);"
    "CREATE INDEX runs_unfinished ON runs (number) WHERE terminal = 0;"
    "CREATE TABLE tags ("
    "  run INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    "  PRIMARY KEY (run, key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE documents ("
    "  run INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,"
    "  PRIMARY KEY (run, kind)"
    ") STRICT;"
    "CREATE TABLE events ("
    "  run INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  event_id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,"
    "  PRIMARY KEY (run, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX events_by_id ON events (run, event_id);"
    "CREATE TABLE windows ("
    "  position INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL, source INTEGER NOT NULL, second INTEGER NOT NULL,"
    "  body BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX windows_by_run ON windows (run);"
    "CREATE TABLE seconds ("
    "  run INTEGER NOT NULL, second INTEGER NOT NULL, body TEXT NOT NULL,"
    "  PRIMARY KEY (run, second)"
    ") STRICT;"
    "CREATE TABLE samples ("
    "  run INTEGER NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL,"
    "  PRIMARY KEY (run, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE totals ("
    "  run INTEGER NOT NULL, worker_id TEXT NOT NULL, body BLOB NOT NULL,"
    "  PRIMARY KEY (run, worker_id)"
    ") STRICT;"
    "CREATE TABLE applied ("
    "  run INTEGER NOT NULL, worker_id TEXT NOT NULL, seq INTEGER NOT NULL,"
    "  PRIMARY KEY (run, worker_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE workers ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  worker_id TEXT NOT NULL UNIQUE,"
    "  token_hash TEXT NOT NULL,"
    "  registered_ms INTEGER NOT NULL,"
    "  seen_ms INTEGER NOT NULL,"
    "  body TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE litter ("
    "  run INTEGER PRIMARY KEY, whole INTEGER NOT NULL"
    ") STRICT;",
};

enum { MIGRATIONS = sizeof migrations / sizeof migrations[0] };

int schema_version(void)
{
    return MIGRATIONS;
}

static int check_owner(sqlite3 *db, const char *path, struct err *err)
{
    int64_t id, tables;
    int rc = connection_number(db, "PRAGMA application_id", &id, err);

    rc = rc != 0 ? rc : connection_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (rc != 0) {
        return rc;
    }
    if (id != APPLICATION_ID && (id != 0 || tables != 0)) {
        return err_set(err, ERR_UNSUPPORTED, "%s is a database, but no store of mcpdrill", path);
    }
    return 0;
}

static int migrate_once(sqlite3 *db, int64_t to, struct err *err)
{
    char mark[128];

    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %lld; COMMIT",
             APPLICATION_ID, (long long)to);
    int rc = connection_run(db, "BEGIN IMMEDIATE", err);

    rc = rc != 0 ? rc : connection_run(db, migrations[to - 1], err);
    return rc != 0 ? rc : connection_run(db, mark, err);
}

int schema_check(sqlite3 *db, const char *path, struct err *err)
{
    int64_t version;
    int rc = check_owner(db, path, err);

    rc = rc != 0 ? rc : connection_number(db, "PRAGMA user_version", &version, err);
    if (rc != 0) {
        return rc;
    }
    if (version > MIGRATIONS || version < 0) {
        return err_set(err, ERR_UNSUPPORTED,
                       "the store %s has version %lld, written by a newer mcpdrill; this one knows "
                       "versions up to %d",
                       path, (long long)version, (int)MIGRATIONS);
    }
    return 0;
}

int schema_migrate(sqlite3 *db, struct err *err)
{
    int64_t version;
    int rc = connection_number(db, "PRAGMA user_version", &version, err);

    while (rc == 0 && version < MIGRATIONS) {
        rc = migrate_once(db, ++version, err);
    }
    return rc;
}
