/* SPDX-License-Identifier: MIT */
#include "store/litter.h"

#include "store/connection.h"

#include <stdint.h>
#include <stdio.h>

/* Windows come first: they are all that is taken of a run that is over. */
static const struct {
    const char *table, *key;
} swept[] = {
    {"windows", "position"}, {"samples", "number"},    {"seconds", "second"},
    {"events", "number"},    {"documents", "kind"},    {"tags", "key"},
    {"totals", "worker_id"}, {"applied", "worker_id"},
};

enum { TABLES = sizeof swept / sizeof swept[0] };

static int sweep_table(sqlite3 *db, unsigned i, int64_t run, bool *swept_some, struct err *err)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "DELETE FROM %s WHERE run = %lld AND %s IN (SELECT %s FROM %s WHERE run = %lld LIMIT "
             "%d)",
             swept[i].table, (long long)run, swept[i].key, swept[i].key, swept[i].table,
             (long long)run, (int)LITTER_ROWS);
    int rc = connection_run(db, sql, err);

    *swept_some = rc == 0 && sqlite3_changes(db) > 0;
    return rc;
}

/* The first table that has something; with nothing left anywhere the run is forgotten. */
static int sweep_run(sqlite3 *db, int64_t run, bool whole, struct err *err)
{
    char sql[64];

    for (unsigned i = 0; i < (whole ? TABLES : 1u); i++) {
        bool some;
        int rc = sweep_table(db, i, run, &some, err);

        if (rc != 0 || some) {
            return rc;
        }
    }
    snprintf(sql, sizeof sql, "DELETE FROM litter WHERE run = %lld", (long long)run);
    return connection_run(db, sql, err);
}

int litter_sweep(sqlite3 *db, bool *more, struct err *err)
{
    int64_t run, whole;
    int rc = connection_number(db, "SELECT run FROM litter ORDER BY run LIMIT 1", &run, err);

    *more = rc == 0 && run != 0;
    if (!*more) {
        return rc;
    }
    rc = connection_number(db, "SELECT whole FROM litter ORDER BY run LIMIT 1", &whole, err);
    rc = rc != 0 ? rc : connection_run(db, "BEGIN IMMEDIATE", err);
    if (rc != 0) {
        return rc;
    }
    rc = sweep_run(db, run, whole != 0, err);
    rc = rc != 0 ? rc : connection_run(db, "COMMIT", err);
    if (rc != 0) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return rc;
}
