/* SPDX-License-Identifier: MIT */
/* The verdict over a run that has ended: are its numbers whole, and what do they mean? */
#include "control/run_priv.h"

#include <signal.h>

/* Exit codes of `mcpdrill run`; the table is in the README and in `mcpdrill help run`. */
enum {
    EXIT_PASSED = 0,
    EXIT_INTERNAL = 1,
    EXIT_STOPPED = 4,
    EXIT_FAILED = 5,
    EXIT_INVALID = 6,
    EXIT_ABORTED = 7,
};

json_t *run_trigger_json(const struct run *r)
{
    const struct stop_trigger *t = &r->trigger;
    const struct stop_observation *o = &t->windows[0];
    json_t *also = json_array();

    for (size_t i = 0; i < t->also_count; i++) {
        json_array_append_new(also, json_string(r->specs_[t->also[i]].id));
    }
    return json_pack("{sssssssfsfsIsIsIsssbso}", "condition_id", t->spec->id, "metric",
                     t->spec->metric->name, "comparator", stop_comparator_name(t->spec->comparator),
                     "threshold", t->spec->threshold, "observed", o->value, "window_ms",
                     (json_int_t)t->window_s * 1000, "total_ops", (json_int_t)o->ended,
                     "failed_ops", (json_int_t)o->failed, "sentence", t->sentence, "partial",
                     (int)t->partial, "also", also);
}

/* Fills validity and evidence. False when the numbers cannot be trusted. */
static bool check_books(struct run *r)
{
    struct aggregate_integrity i;
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};

    filter.dists = 0;
    aggregate_integrity(r->books, &i);
    aggregate_view_total(r->books, &filter, &v);
    uint64_t ended =
        v.count[COUNT_ENDED_OK] + v.count[COUNT_ENDED_FAILED] + v.count[COUNT_UNFINISHED];
    bool balanced = v.count[COUNT_STARTED] == ended;
    bool whole = i.sums_agree && i.missing == 0 && i.duplicates == 0 && i.refused == 0 &&
                 i.unknown_source == 0;
    uint64_t own = v.count[COUNT_OWN_FAILURES], dials = v.count[COUNT_CONNECT_OWN];
    if (!balanced) {
        buf_printf(&r->evidence, "%llu operations started, %llu reported\n",
                   (unsigned long long)v.count[COUNT_STARTED], (unsigned long long)ended);
    }
    if (!whole) {
        buf_printf(&r->evidence,
                   "windows: %llu merged, %llu missing, %llu repeated, %llu refused\n",
                   (unsigned long long)i.windows, (unsigned long long)i.missing,
                   (unsigned long long)i.duplicates,
                   (unsigned long long)i.refused + (unsigned long long)i.unknown_source);
    }
    if (own + dials > 0) {
        buf_printf(&r->evidence,
                   "%llu operations and %llu connection attempts failed on our own side "
                   "(descriptors, ports, memory)\n",
                   (unsigned long long)own, (unsigned long long)dials);
    }
    metric_view_clear(&v);
    if (!balanced || !whole) {
        r->validity = "lost_data";
        return false;
    }
    r->validity = own + dials > 0 ? "generator_bound" : "valid";
    return own + dials == 0;
}

static int exit_code_of(const struct run *r)
{
    switch (r->stop.kind) {
    case RUN_STOP_SYSTEM:
        return EXIT_INTERNAL;
    case RUN_STOP_PREFLIGHT:
        return EXIT_FAILED;
    case RUN_STOP_EMERGENCY:
        return EXIT_ABORTED;
    case RUN_STOP_CONDITION:
        return r->trigger.spec->on_trigger == STOP_PASS ? EXIT_PASSED : EXIT_STOPPED;
    case RUN_STOP_MAX_DURATION:
    case RUN_STOP_MAX_ERRORS:
    case RUN_STOP_STAGE_TIMEOUT:
        return EXIT_STOPPED;
    case RUN_STOP_NONE:
    case RUN_STOP_COMPLETED:
    case RUN_STOP_REQUESTED:
    case RUN_STOP_COUNT:
        break;
    }
    if (r->stop.signo != 0) {
        return 128 + r->stop.signo;
    }
    return EXIT_PASSED;
}

/* Were there figures to judge? */
static bool played(const struct run *r)
{
    return r->stop.kind != RUN_STOP_PREFLIGHT && r->stop.kind != RUN_STOP_SYSTEM;
}

/* The exit code that criteria and findings make of one that says that all is well. */
static int exit_code_of_criteria(const struct run *r)
{
    int code = EXIT_PASSED;

    for (size_t i = 0; r->criteria_judged && i < r->criterion_count; i++) {
        enum criterion_state state = r->criteria[i].state;

        if (state == CRITERION_FAILED || state == CRITERION_NO_VALUE) {
            return EXIT_STOPPED;
        }
        code = state == CRITERION_UNDECIDED ? EXIT_INVALID : code;
    }
    return r->integrity_told_ ? EXIT_STOPPED : code;
}

void run_judge(struct run *r)
{
    bool valid = check_books(r);

    if (played(r)) {
        specs_judge(r);
    }
    r->exit_code = exit_code_of(r);
    if (r->exit_code == EXIT_PASSED) {
        r->exit_code = exit_code_of_criteria(r);
    }
    if (r->exit_code == EXIT_PASSED && !valid) {
        r->exit_code = EXIT_INVALID;
    }
    if (r->stop.signo != 0) {
        /* A partial result: nobody can say how it would have ended. */
        r->verdict = RUN_VERDICT_NONE;
    } else if (r->exit_code == EXIT_PASSED) {
        r->verdict = RUN_PASSED;
    } else {
        r->verdict = r->exit_code == EXIT_INVALID ? RUN_INVALID : RUN_VERDICT_FAILED;
    }
}
