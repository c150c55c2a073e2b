/* SPDX-License-Identifier: MIT */
/* A plan from the text of a scenario, in one call. The text may have ' for each ". VUs make no
 * calls of their own (user_journey) unless the text says which. */
#ifndef SUPPORT_PLANNED_H
#define SUPPORT_PLANNED_H

#include "http/url.h"
#include "plan/plan.h"
#include "support/unit.h"

struct planned {
    struct scenario *scenario;
    struct plan *plan;
    struct plan_identity identity;
};

/* `metrics`: the names that stop conditions use, or NULL. */
static inline void
planned_make(struct planned *p, const char *text, const char *const *metrics, size_t metric_count)
{
    struct scenario_options options = {.metric_names = metrics, .metric_count = metric_count};
    struct issue_list issues = {0};
    struct err err = {0};
    struct buf json;

    buf_init(&json, 1 << 20);
    assert_int_equal(buf_add_c(&json, text), 0);
    for (size_t i = 0; i < json.len; i++) {
        json.p[i] = json.p[i] == '\'' ? '"' : json.p[i];
    }
    int rc = scenario_load_text(buf_str(&json), &options, &p->scenario, &issues, &err);
    if (rc != 0) {
        print_error("%s\n", err.msg);
    }
    assert_int_equal(rc, 0);
    if (strstr(text, "startup_sequence") == NULL && strstr(text, "periodic_ops") == NULL) {
        p->scenario->workload.journey = (struct journey_config){.list_on_start = false};
    }
    issue_list_clear(&issues);
    buf_clear(&json);
    p->identity = (struct plan_identity){"run_1", "exe_1", "worker_1"};
    p->plan = plan_new(p->scenario, &p->identity, "peer", "/mcp");
}

static inline void planned_clear(struct planned *p)
{
    plan_free(p->plan);
    scenario_free(p->scenario);
}

#endif
