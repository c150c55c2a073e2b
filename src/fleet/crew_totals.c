/* SPDX-License-Identifier: MIT */
/* Σ windows = totals: for each worker, and for all of them the run's books. */
#include "fleet/crew_priv.h"

#include <stdio.h>

void crew_settle(struct crew *c, uint32_t member, const struct wire_totals *said)
{
    struct member *m = &c->members[member];
    struct err err = {0};
    bool agree = wire_totals_equal(said, &m->totals, &err);

    m->state = MEMBER_THROUGH;
    run_on_totals(c->run, m->worker_id, agree, agree ? "" : err.msg);
}
