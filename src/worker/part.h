/* SPDX-License-Identifier: MIT */
/*
 * A worker's part of a run, compiled from an order to take it: scenario, plan, and which segments
 * of it are played here. The plan is a pure function of document and identity, so nothing else has
 * to travel, and all workers have the same. Variables that the scenario names are resolved here,
 * within what the worker's owner allows.
 *
 * Compiling can take a second for a large document: do it on a thread of its own. Immutable then.
 */
#ifndef WORKER_PART_H
#define WORKER_PART_H

#include "base/err.h"
#include "http/url.h"
#include "plan/plan.h"
#include "wire/order.h"

/* What a scenario may do with this machine. Texts must outlive the use. */
struct part_rules {
    /* The control plane is elsewhere, and others may reach it: public addresses only, and only
     * variables whose names begin with MCPDRILL_ … */
    bool guarded;
    const char *const *patterns; /* … or match one of these, as a shell does it … */
    size_t pattern_count;
    const char *const *networks; /* … and addresses of these blocks, too: "10.0.0.0/8" */
    size_t network_count;
};

struct part {
    struct wire_order assign; /* owned; the identity's texts are in it */
    struct plan_identity identity;
    struct scenario *scenario;
    struct url url;
    struct plan *plan;
    struct deal *deal; /* NULL: all sources have the same weight */
};

/* Takes the order's contents over (`assign` is empty then), also when it fails. ERR_INVALID, and
 * what scenario_load_text says; the text is for people. `out` does not move afterwards. */
int part_compile(struct wire_order *assign,
                 const struct part_rules *rules,
                 struct part *out,
                 struct err *err);
void part_clear(struct part *p);

/* How many virtual users are played here: at least `least`, by the levels of its stages, and up to
 * `most`, where a stage that is sized by its rate makes as many as it needs. */
void part_vus(const struct part *p, uint64_t *least, uint64_t *most);

#endif
