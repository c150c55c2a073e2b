/* SPDX-License-Identifier: MIT */
/* What is easily overlooked at the end of a run: that something, or everything, never succeeded,
 * and what our own limits took away. */
#include "base/mem.h"
#include "control/run_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NOTICES_MAX = 8, NAME_MAX_BYTES = 256 };

/* How often the operation ended, if it never ended well; else 0. */
static uint64_t failures_only(const struct run *r, uint32_t operation)
{
    struct aggregate_filter filter = aggregate_load();
    struct metric_view view = {0};
    uint64_t *keys = xcalloc(r->plan->key_count / 64 + 1, sizeof *keys);

    for (uint32_t stage = 0; stage < r->plan->stage_count; stage++) {
        uint32_t key = plan_key(r->plan, stage, operation);
        keys[key / 64] |= UINT64_C(1) << key % 64;
    }
    filter.keys = keys;
    filter.dists = 0;
    aggregate_view_total(r->books, &filter, &view);
    uint64_t failed = view.count[COUNT_ENDED_OK] == 0 ? view.count[COUNT_ENDED_FAILED] : 0;
    metric_view_clear(&view);
    xfree(keys);
    return failed;
}

static const char *name_of(const struct plan_operation *op, char out[NAME_MAX_BYTES])
{
    const char *what = op->tool_name != NULL     ? op->tool_name
                       : op->prompt_name != NULL ? op->prompt_name
                       : op->uri != NULL         ? op->uri
                                                 : "";

    snprintf(out, NAME_MAX_BYTES, "%s%s%.100s%s%.100s%s", operation_name(op->kind),
             what[0] != '\0' ? " " : "", what, op->template_id != NULL ? " [" : "",
             op->template_id != NULL ? op->template_id : "", op->template_id != NULL ? "]" : "");
    return out;
}

static void notice_operations(struct run *r)
{
    unsigned told = 0, more = 0;
    char name[NAME_MAX_BYTES];

    for (uint32_t i = 0; i < r->plan->operation_count; i++) {
        uint64_t failed = failures_only(r, i);

        if (failed == 0) {
            continue;
        }
        if (told == NOTICES_MAX) {
            more++;
            continue;
        }
        told++;
        run_warn(r, "%s never succeeded: all %llu failed; the errors say why",
                 name_of(&r->plan->operations[i], name), (unsigned long long)failed);
    }
    if (more > 0) {
        run_warn(r, "%u further operations never succeeded", more);
    }
}

void notice_failures(struct run *r)
{
    struct aggregate_filter filter = aggregate_load();
    struct metric_view v = {0};

    aggregate_view_total(r->books, &filter, &v);
    bool some_ok = v.count[COUNT_ENDED_OK] > 0, some_failed = v.count[COUNT_ENDED_FAILED] > 0;
    metric_view_clear(&v);
    bool passed = r->verdict == RUN_PASSED && r->stop.kind == RUN_STOP_COMPLETED;
    if (some_ok && some_failed) {
        notice_operations(r);
    } else if (passed && !some_ok && !some_failed) {
        run_warn(r, "no operation ended in the load: nothing was measured");
    } else if (passed && some_failed && r->criterion_count == 0) {
        /* A run that nobody gave a measure passes whatever happens. */
        run_warn(r, "every operation failed; the run has passed because no criterion says that it "
                    "must not, for example --expect 'error_rate < 1 %%'");
    }
}

/* What the plan has less than was ordered: nothing of it happens, so that no window has it. */
static uint64_t planned_limit(const struct plan *plan, enum limit id)
{
    uint64_t most = 0, stages = 0;

    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const struct stage_config *c = plan->stages[i].config;
        uint64_t cut = id == LIMIT_CUT_VUS ? c->cut_vus : (uint64_t)ceil(c->cut_rps);

        most = cut > most ? cut : most;
        stages += id == LIMIT_PLAN_STEPS && plan_steps(plan, i, NULL) > PLAN_STEPS_MAX;
    }
    return id == LIMIT_PLAN_STEPS ? stages : most;
}

uint64_t run_limit(const struct run *r, enum limit id)
{
    if (id == LIMIT_CUT_VUS || id == LIMIT_CUT_RPS || id == LIMIT_PLAN_STEPS) {
        return planned_limit(r->plan, id);
    }
    return aggregate_limit(r->books, id) + (id == LIMIT_WARNINGS ? r->warnings_lost : 0);
}

void notice_limits(struct run *r)
{
    char bound[160];

    for (enum limit id = 0; id < LIMIT_COUNT; id++) {
        const struct limit_row *row = limit_row(id);
        uint64_t hits = run_limit(r, id);

        if (row->warns && hits > 0) {
            run_warn(r, "limit %s (%s): %llu %s: %s. What to do: %s", row->name,
                     limit_bound(row, bound, sizeof bound), (unsigned long long)hits, row->counted,
                     row->effect, row->remedy);
        }
    }
}
