/* SPDX-License-Identifier: MIT */
/* What is told about a run: what would be missing from it. */
#include "scenario/rules/rules.h"

void rules_reporting(struct check *c, const struct scenario *s)
{
    const struct server_telemetry_config *t = &s->server_telemetry;
    size_t mark = check_enter(c, "server_telemetry");

    if (t->enabled && t->require_agent) {
        check_enter(c, "require_agent");
        check_error(
            c, "NOT_SUPPORTED", "Set require_agent or enabled to false.",
            "agents are not supported yet, so the one that the run requires cannot be there");
    } else if (t->enabled) {
        check_warning(c, "NOT_SUPPORTED", NULL,
                      "agents are not supported yet: the target's host is not measured");
    }
    check_leave(c, mark);
}
