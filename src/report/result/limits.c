/* SPDX-License-Identifier: MIT */
/* The member of a result that says which limits of ours were hit, and the page of all limits. */
#include "report/result/result_priv.h"

#include <inttypes.h>
#include <stdio.h>

enum { BOUND_MAX = 160 };

/* ---- the rows ----------------------------------------------------------------------------------
 */

static enum limit id_of(const struct result_place *p)
{
    return (enum limit)p->index;
}

static json_t *limit_name(const struct result_place *p)
{
    return json_string(limit_row(id_of(p))->name);
}

static json_t *limit_value(const struct result_place *p)
{
    uint64_t value = limit_row(id_of(p))->value;

    return value > 0 ? result_count(value) : json_null();
}

static json_t *bound(const struct result_place *p)
{
    char text[BOUND_MAX];

    return json_string(limit_bound(limit_row(id_of(p)), text, sizeof text));
}

static json_t *hits(const struct result_place *p)
{
    return result_count(run_limit(p->run, id_of(p)));
}

static json_t *counted(const struct result_place *p)
{
    return json_string(limit_row(id_of(p))->counted);
}

static json_t *effect(const struct result_place *p)
{
    return json_string(limit_row(id_of(p))->effect);
}

static json_t *remedy(const struct result_place *p)
{
    return json_string(limit_row(id_of(p))->remedy);
}

static json_t *warns(const struct result_place *p)
{
    return json_boolean(limit_row(id_of(p))->warns);
}

static const struct result_member limit_members[] = {
    {"name", "string", "Its name, as on the page of all limits.", limit_name, NULL},
    {"value", "integer or null", "Where it lies; null: a field of the scenario says so.",
     limit_value, NULL},
    {"bound", "string", "The value and its unit, or the scenario's field.", bound, NULL},
    {"hits", "integer", "How often it was hit, or how much it took, in the whole run.", hits, NULL},
    {"counted", "string", "What a hit is.", counted, NULL},
    {"effect", "string", "What that did to load or figures.", effect, NULL},
    {"remedy", "string", "What to do about it.", remedy, NULL},
    {"warns", "boolean", "Is it among the `warnings`, too?", warns, NULL},
};
const struct result_section result_section_limit = RESULT_SECTION("limits[]", limit_members);

json_t *result_limits(const struct result_place *p)
{
    struct result_place here = *p;
    json_t *out = json_array();

    for (here.index = 0; here.index < LIMIT_COUNT; here.index++) {
        if (run_limit(p->run, id_of(&here)) > 0) {
            json_array_append_new(out, result_object(&result_section_limit, &here));
        }
    }
    return out;
}

/* ---- the page ----------------------------------------------------------------------------------
 */

static int write_counted(enum limit id, struct buf *out)
{
    const struct limit_row *row = limit_row(id);
    char text[BOUND_MAX];

    return buf_printf(out, "| `%s` | %s | %s | %s | %s | %s |\n", row->name,
                      limit_bound(row, text, sizeof text), row->counted, row->effect, row->remedy,
                      row->warns ? "yes" : "");
}

static int write_outcome(const struct limit_outcome *row, struct buf *out)
{
    char code[64];

    return buf_printf(out, "| `%s` | %" PRIu64 " %s | %s%s` | %s |\n", row->name, row->value,
                      row->unit, row->code == ERROR_CODE_NONE ? "the run is `" : "outcome `",
                      row->code == ERROR_CODE_NONE
                          ? "lost_data"
                          : error_code_name(row->code, 0, code, sizeof code),
                      row->remedy);
}

int limits_reference(struct buf *out)
{
    const struct limit_outcome *outcomes;
    size_t count = limit_outcomes(&outcomes);
    int rc = buf_add_c(
        out, "# Limits\n\n"
             "Everything that comes from outside has a named maximum. This page lists the limits "
             "of our own that may hold\nload back or drop figures. Nothing does so silently.\n\n"
             "Generated from `src/metrics/limits.h`; `mcpdrill reference limits` prints it.\n\n"
             "## Counted\n\n"
             "The run goes on. Each hit is counted; those that were hit stand in `limits` of the "
             "[result](reference/result.md) and\nin the summary, and where load or figures suffer "
             "a warning says how often, what that did and what to do.\n\n"
             "| name | limit | a hit is counted in | what it does | what to do | warns |\n"
             "|---|---|---|---|---|---|\n");

    for (enum limit id = 0; rc == 0 && id < LIMIT_COUNT; id++) {
        rc = write_counted(id, out);
    }
    if (rc == 0) {
        rc = buf_add_c(out, "\n## Outcomes\n\n"
                            "The operation ends with an error code of its own, and is counted and "
                            "judged as every failure is.\n\n"
                            "| name | limit | what it ends in | what to do |\n|---|---|---|---|\n");
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = write_outcome(&outcomes[i], out);
    }
    return rc != 0 ? rc
                   : buf_add_c(out, "\nLimits of files (a scenario, a data feed, a variation) are "
                                    "errors of `validate` before anything runs. What the log\nof "
                                    "operations leaves out is counted in `losses`.\n");
}
