/* SPDX-License-Identifier: MIT */
#include "store/statements.h"

#include "store/connection.h"

static const char *const writes[WRITE_KINDS] = {
    [WRITE_PUT_RUN] =
        "INSERT INTO runs (run_id, created_ms, updated_ms, scenario_id, name, state, terminal,"
        " tags, view) VALUES (?1, coalesce(?2, 0), ?3, coalesce(?4, ''), coalesce(?5, ''),"
        " coalesce(?6, ''), ?7, coalesce(?8, ''), coalesce(?9, ''))"
        " ON CONFLICT (run_id) DO UPDATE SET created_ms = coalesce(?2, created_ms),"
        " updated_ms = ?3, scenario_id = coalesce(?4, scenario_id), name = coalesce(?5, name),"
        " state = coalesce(?6, state), terminal = ?7, tags = coalesce(?8, tags),"
        " view = coalesce(?9, view)",
    [WRITE_CLEAR_TAGS] = "DELETE FROM tags WHERE run = (SELECT number FROM runs WHERE run_id = ?1)",
    [WRITE_ADD_TAG] = "INSERT INTO tags (run, key, value)"
                      " SELECT number, ?2, ?3 FROM runs WHERE run_id = ?1",
    [WRITE_PUT_DOCUMENT] = "INSERT INTO documents (run, kind, body)"
                           " SELECT number, ?2, ?3 FROM runs WHERE run_id = ?1"
                           " ON CONFLICT (run, kind) DO UPDATE SET body = ?3",
    [WRITE_DELETE_RUN] = "DELETE FROM runs WHERE run_id = ?1",
    [WRITE_LITTER_RUN] = "INSERT OR REPLACE INTO litter (run, whole)"
                         " SELECT number, 1 FROM runs WHERE run_id = ?1",
    [WRITE_LITTER_WINDOWS] = "INSERT OR IGNORE INTO litter (run, whole)"
                             " SELECT number, 0 FROM runs WHERE run_id = ?1",
    [WRITE_ADD_EVENT] = "INSERT INTO events (run, number, event_id, type, body)"
                        " SELECT number, ?2, ?3, ?4, ?5 FROM runs WHERE run_id = ?1",
    [WRITE_ADD_WINDOW] = "INSERT INTO windows (run, source, second, body)"
                         " SELECT number, ?2, ?3, ?4 FROM runs WHERE run_id = ?1",
    [WRITE_ADD_SECOND] = "INSERT INTO seconds (run, second, body)"
                         " SELECT number, ?2, ?3 FROM runs WHERE run_id = ?1"
                         " ON CONFLICT (run, second) DO UPDATE SET body = ?3",
    [WRITE_ADD_SAMPLE] = "INSERT INTO samples (run, number, body) SELECT r.number,"
                         " (SELECT coalesce(max(s.number) + 1, 0) FROM samples s"
                         "  WHERE s.run = r.number), ?2 FROM runs r WHERE r.run_id = ?1",
    [WRITE_PUT_TOTALS] = "INSERT INTO totals (run, worker_id, body)"
                         " SELECT number, ?2, ?3 FROM runs WHERE run_id = ?1"
                         " ON CONFLICT (run, worker_id) DO UPDATE SET body = ?3",
    [WRITE_PUT_APPLIED] = "INSERT INTO applied (run, worker_id, seq)"
                          " SELECT number, ?2, ?3 FROM runs WHERE run_id = ?1"
                          " ON CONFLICT (run, worker_id) DO UPDATE SET seq = ?3",
    [WRITE_PUT_WORKER] =
        "INSERT INTO workers (worker_id, token_hash, registered_ms, seen_ms, body)"
        " VALUES (?1, coalesce(?2, ''), coalesce(?3, 0), ?4, coalesce(?5, ''))"
        " ON CONFLICT (worker_id) DO UPDATE SET token_hash = coalesce(?2, token_hash),"
        " registered_ms = coalesce(?3, registered_ms), seen_ms = ?4, body = coalesce(?5, body)",
    [WRITE_DELETE_WORKER] = "DELETE FROM workers WHERE worker_id = ?1",
};

#define RUN_COLUMNS \
    "number, run_id, created_ms, updated_ms, scenario_id, name, state, terminal, tags, view"
#define RUN_DOCUMENT(kind) "(SELECT body FROM documents WHERE run = number AND kind = '" kind "')"
#define RUN_NUMBER         "(SELECT number FROM runs WHERE run_id = ?1)"
#define RUN_FILTER                                                                         \
    " FROM runs WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR scenario_id = ?2)"     \
    " AND (?3 IS NULL OR EXISTS"                                                           \
    " (SELECT 1 FROM tags WHERE run = runs.number AND key = ?3 AND value = ?4))"           \
    " AND (?5 IS NULL OR instr(lower(run_id), lower(?5)) OR instr(lower(name), lower(?5))" \
    " OR instr(lower(scenario_id), lower(?5)))"

static const char *const reads[READ_KINDS] = {
    [READ_RUN] = "SELECT " RUN_COLUMNS ", " RUN_DOCUMENT("config") ", " RUN_DOCUMENT(
        "saved") " FROM runs WHERE run_id = ?1",
    [READ_UNFINISHED] = "SELECT " RUN_COLUMNS ", " RUN_DOCUMENT("config") ", " RUN_DOCUMENT(
        "saved") " FROM runs WHERE terminal = 0 ORDER BY number",
    [READ_RUNS_UP] = "SELECT " RUN_COLUMNS ", NULL, NULL" RUN_FILTER
                     " ORDER BY created_ms, run_id LIMIT ?6 OFFSET ?7",
    [READ_RUNS_DOWN] = "SELECT " RUN_COLUMNS ", NULL, NULL" RUN_FILTER
                       " ORDER BY created_ms DESC, run_id DESC LIMIT ?6 OFFSET ?7",
    [READ_RUNS_COUNT] = "SELECT count(*)" RUN_FILTER,
    [READ_EVENTS] = "SELECT number, event_id, type, body FROM events WHERE run = " RUN_NUMBER
                    " AND number >= ?2 ORDER BY number LIMIT ?3",
    [READ_EVENT_NUMBER] = "SELECT number FROM events WHERE run = " RUN_NUMBER " AND event_id = ?2",
    [READ_EVENT_COUNT] = "SELECT coalesce(max(number) + 1, 0) FROM events WHERE run = " RUN_NUMBER,
    [READ_WINDOWS] = "SELECT source, second, body FROM windows WHERE run = " RUN_NUMBER
                     " AND run NOT IN (SELECT run FROM litter) ORDER BY position",
    [READ_SECONDS] = "SELECT second, body FROM seconds WHERE run = " RUN_NUMBER
                     " AND second >= ?2 ORDER BY second LIMIT ?3",
    [READ_SAMPLES] = "SELECT number, body FROM samples WHERE run = " RUN_NUMBER
                     " AND number >= ?2 ORDER BY number LIMIT ?3",
    [READ_TOTALS] =
        "SELECT worker_id, body FROM totals WHERE run = " RUN_NUMBER " ORDER BY worker_id",
    [READ_DOCUMENT] = "SELECT body FROM documents WHERE run = " RUN_NUMBER " AND kind = ?2",
    [READ_APPLIED] = "SELECT seq FROM applied WHERE run = " RUN_NUMBER " AND worker_id = ?2",
    [READ_WORKERS] = "SELECT worker_id, token_hash, registered_ms, seen_ms, body FROM workers"
                     " ORDER BY number",
};

_Static_assert((int)WRITE_KINDS <= (int)STATEMENTS_MAX, "a place for each write");
_Static_assert((int)READ_KINDS <= (int)STATEMENTS_MAX, "a place for each read");

static int
prepare(struct statements *s, sqlite3 *db, const char *const *sql, size_t count, struct err *err)
{
    for (s->count = 0; s->count < count; s->count++) {
        if (sqlite3_prepare_v3(db, sql[s->count], -1, SQLITE_PREPARE_PERSISTENT, &s->all[s->count],
                               NULL) != SQLITE_OK) {
            int rc = connection_error(db, "use the tables of the store", err);

            statements_clear(s);
            return rc;
        }
    }
    return 0;
}

int statements_prepare_writes(struct statements *s, sqlite3 *db, struct err *err)
{
    return prepare(s, db, writes, WRITE_KINDS, err);
}

int statements_prepare_reads(struct statements *s, sqlite3 *db, struct err *err)
{
    return prepare(s, db, reads, READ_KINDS, err);
}

void statements_clear(struct statements *s)
{
    for (size_t i = 0; i < s->count; i++) {
        sqlite3_finalize(s->all[i]);
    }
    s->count = 0;
}
