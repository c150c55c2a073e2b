/* SPDX-License-Identifier: MIT */
/*
 * The workers of one run, as the run sees them: struct run_workers (control/run.h) over members,
 * each of which plays some of the run's sources in a process of its own.
 *
 *   assign ─► ready ─► check ─► checks ─► stage … drain ─► windows, drained ─► totals ─► release
 *
 * Orders of a member are numbered and kept, so that they can be given again after a reconnect;
 * reports are numbered by the member, and applied in order and once. Whoever owns the crew carries
 * both, acknowledges (crew_applied), and tells when a member is lost.
 *
 * Σ windows = totals: what a member counted is compared with what came (wire/totals.h) before its
 * sources count as drained, and the sum of all with the run's books at the end.
 *
 * Who was told to stop and brings nothing for half a minute is left behind, though it lives.
 *
 * One thread, that of the run's loop.
 */
#ifndef FLEET_CREW_H
#define FLEET_CREW_H

#include "base/json.h"
#include "control/run.h"
#include "fleet/allocate.h"
#include "wire/order.h"
#include "wire/report.h"

enum { CREW_MEMBERS_MAX = ALLOCATE_SOURCES_MAX };

struct crew_person {
    const char *worker_id;
    const char *const *labels; /* "name=value" each */
    size_t label_count;
};

struct crew_config {
    struct loop *loop;
    const struct plan *plan; /* with the identity, it outlives the crew */
    const struct plan_identity *identity;
    const struct allocation *allocation; /* copied */
    const struct crew_person *persons;   /* by part; copied */
    json_t *files;                       /* feeds by the path as written; borrowed, or NULL */
    bool network_public;                 /* addresses as for a service that others may reach */
    bool log;                            /* windows carry what the log of operations wants */
    uint64_t lead_ns; /* that orders travel before the moment that they are about */
    /* An order for a member. `urgent`: it goes out at once, and again when the store has what came
     * before it; where nothing waits for a store, once is enough. */
    void (*send)(void *owner, uint32_t member, struct str order, bool urgent);
    /* A window as it came, before the books have it: its log may be taken (window_swap_log). */
    void (*on_window)(void *owner, uint32_t source, struct window *w, struct str encoded);
    void *owner;
};

struct crew;

/* ERR_LIMIT. */
int crew_new(const struct crew_config *config, struct crew **out, struct err *err);
/* After run_free. NULL is fine. */
void crew_free(struct crew *c);
/* What the run is made with; lives as long as the crew. */
const struct run_workers *crew_orders(const struct crew *c);
/* After run_new, once. Gives the assignments out. */
void crew_begin(struct crew *c, struct run *run);

/* ---- members ----------------------------------------------------------------------------------
 */

uint32_t crew_count(const struct crew *c);
const char *crew_worker_id(const struct crew *c, uint32_t member);
/* -1: it is no member. */
int32_t crew_find(const struct crew *c, const char *worker_id);
/* Users that the member may have at once. */
uint32_t crew_vus(const struct crew *c, uint32_t member);

/* Applies a report. 0, also for one that was applied before; ERR_STATE: one before it is missing
 * (send from crew_applied + 1 on); ERR_SYNTAX, ERR_INVALID: it says what no worker of ours says. */
int crew_report(struct crew *c, uint32_t member, const struct wire_report *report, struct err *err);
/* The seq of the last report that was applied. */
uint64_t crew_applied(const struct crew *c, uint32_t member);
/* Was it told to stop at once, and has not brought everything yet? */
bool crew_must_stop(const struct crew *c, uint32_t member);
/* The member has reconnected: gives all its orders again. */
void crew_repeat(struct crew *c, uint32_t member);
/* It does not come back. */
void crew_lose(struct crew *c, uint32_t member);
bool crew_is_lost(const struct crew *c, uint32_t member);
/* Has it sent its last report, or is it lost? */
bool crew_is_through(const struct crew *c, uint32_t member);
/* The run is closed: every member may forget it. */
void crew_release(struct crew *c);

/* ---- after a restart (fleet/crew_save.c) ------------------------------------------------------
 */

/* A new reference. All but the windows, which are stored as they came, and how far reports are
 * applied, which changes with each of them: the owner keeps that. */
json_t *crew_save(struct crew *c);
/* Would crew_save say something else than when it was called last? */
bool crew_has_changed(const struct crew *c);
/* Instead of crew_begin, after run_new. `applied`: crew_applied of each member. ERR_INVALID. */
int crew_restore(
    struct crew *c, struct run *run, const json_t *saved, const uint64_t *applied, struct err *err);
/* A window as it is stored, into the run and the members' totals. ERR_SYNTAX. */
int crew_replay(struct crew *c, uint32_t source, struct str encoded, struct err *err);

#endif
