/* SPDX-License-Identifier: MIT */
/* Insides that the files of the crew share. */
#ifndef FLEET_CREW_PRIV_H
#define FLEET_CREW_PRIV_H

#include "base/arena.h"
#include "fleet/crew.h"
#include "plan/deal.h"
#include "wire/totals.h"
#include "wire/window.h"

enum member_state {
    MEMBER_ASSIGNED,
    MEMBER_READY,
    MEMBER_CHECKED, /* it has answered the checks; the load follows */
    MEMBER_THROUGH, /* its totals have come */
    MEMBER_LOST,
};

/* An order that was given, as it is kept; ASSIGN is made anew each time. */
struct given {
    struct list node;
    struct wire_order order;
};

struct member {
    const char *worker_id;
    uint32_t base, sources, vus;
    enum member_state state;
    uint64_t applied;      /* seq of the last report */
    uint64_t applied_then; /* … when the farewell was looked at last */
    uint64_t ordered;      /* n of the last order */
    struct list orders;    /* struct given */
    uint32_t drained;      /* sources that have said so */
    bool *source_drained;  /* which */
    struct check_list *checks;
    struct wire_totals totals; /* of the windows that came */
};

struct crew {
    struct crew_config config;
    struct run *run;
    struct run_workers orders;
    struct run_source *sources;
    struct deal *deal; /* NULL: all alike */
    json_t *document;  /* the scenario's, everything applied */
    json_t *hashes;    /* of the files, by path; NULL: there are none */
    struct allocation allocation;
    struct member *members;
    uint32_t count;
    struct wire_window_limits limits;
    struct window *window; /* scratch */
    struct buf text;       /* likewise */
    bool check_wanted, checked;
    bool changed;          /* since it was saved */
    struct timer patience; /* until all are ready */
    struct timer farewell; /* until all have brought what they have */
    struct arena arena;
};

/* ---- crew_orders.c -------------------------------------------------------------------------- */

/* Keeps the order under the member's next number, and sends it. */
void crew_order(struct crew *c, uint32_t member, struct wire_order order);
void crew_order_all(struct crew *c, struct wire_order order);
/* The table that the run gives its orders by. */
void crew_orders_init(struct crew *c);
/* All are ready and the run wants the checks: they begin. */
void crew_try_check(struct crew *c);
/* After a restart: patience begins again. */
void crew_resume_check(struct crew *c);
void crew_resume_stop(struct crew *c);

/* ---- crew_checks.c -------------------------------------------------------------------------- */

/* What the members found as one list: that of the first one, and what failed elsewhere. */
void crew_merge_checks(const struct crew *c, struct check_list *out);

/* ---- crew_totals.c -------------------------------------------------------------------------- */

/* The member has told what it counted: agrees it with what came? Then its sources are done. */
void crew_settle(struct crew *c, uint32_t member, const struct wire_totals *said);

#endif
