/* SPDX-License-Identifier: MIT */
/* What is told about a run: what would be missing from it. */
#include "scenario/rules/rules.h"

#include <strings.h>

/* A file that repeats the default list means nothing by it. */
static bool is_default_name(const char *name)
{
    return strcasecmp(name, "Authorization") == 0 || strcasecmp(name, "Cookie") == 0 ||
           strcasecmp(name, "X-API-Key") == 0;
}

static bool is_sent(const struct target_config *target, const char *name)
{
    for (size_t i = 0; i < target->header_count; i++) {
        if (strcasecmp(target->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A misspelt name hides nothing. */
static void check_redaction(struct check *c, const struct scenario *s)
{
    const struct reporting_config *r = &s->reporting;
    size_t mark = c->path.len;

    buf_add_c(&c->path, "/reporting/redaction/redact_headers");
    for (size_t i = 0; i < r->redact_count; i++) {
        const char *name = r->redact_headers[i];
        size_t list = check_enter_index(c, i);

        if (check_has_error(c)) {
            /* It is no string. */
        } else if (!rules_is_token(name)) {
            check_error(c, "INVALID_HEADER", "Write the name alone, for example X-API-Key.",
                        "this is no valid header name");
        } else if (!is_default_name(name) && !is_sent(&s->target, name)) {
            check_warning(c, "FIELD_WITHOUT_EFFECT", "Correct the name, or remove it.",
                          "target.headers has no header %s", name);
        }
        check_leave(c, list);
    }
    check_leave(c, mark);
}

void rules_reporting(struct check *c, const struct scenario *s)
{
    const struct server_telemetry_config *t = &s->server_telemetry;

    check_redaction(c, s);
    size_t mark = check_enter(c, "server_telemetry");

    if (t->enabled && t->require_agent) {
        check_enter(c, "require_agent");
        check_error(
            c, "NOT_SUPPORTED", "Set require_agent or enabled to false.",
            "agents are not supported yet, so the one that the run requires cannot be there");
    } else if (t->enabled) {
        check_warning(c, "NOT_SUPPORTED", "Remove pair_key, or keep it: the run is the same.",
                      "agents are not supported yet: the target's host is not measured");
    }
    check_leave(c, mark);
}
