/* SPDX-License-Identifier: MIT */
/* The sources of a run: which of them are waited for, and what becomes of a run that loses some. */
#include "control/run_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *run_source_worker(const struct run *r, uint32_t source)
{
    assert(source < r->workers_->source_count);
    return r->workers_->sources != NULL ? r->workers_->sources[source].worker_id
                                        : r->identity->worker_id;
}

void sources_end(struct run *r, uint32_t source, bool drained)
{
    struct run_source_state *state = &r->source_states_[source];

    assert(source < r->workers_->source_count);
    if (!state->drained && !state->lost) {
        replay_note_source(r, source);
    }
    state->drained = state->drained || drained;
    state->lost = state->lost || !drained;
    books_end_source(r, source, state->drained);
}

static bool is_whole(const struct run *r, uint32_t source)
{
    const struct run_source_state *state = &r->source_states_[source];

    return state->drained && (state->totals || !r->workers_->totals);
}

void sources_check(struct run *r)
{
    for (uint32_t i = 0; i < r->workers_->source_count; i++) {
        if (!is_whole(r, i) && !r->source_states_[i].lost) {
            return;
        }
    }
    if (r->state == RUN_STOPPING) {
        ending_finish(r);
    }
}

/* The plan was played to its end, but not by this one: nobody had told it to end before. That comes
 * to light late where the control plane was away meanwhile. */
static bool ended_early(const struct run *r, uint32_t source)
{
    const struct run_stage *last = &r->stages[r->plan->stage_count - 1];
    struct aggregate_source has;

    if (r->stop.kind != RUN_STOP_COMPLETED || !last->started) {
        return false;
    }
    aggregate_source(r->books, source, &has);
    return has.windows + has.missing < run_second_of(r, last->end_ns, true);
}

const char *sources_lost(const struct run *r, char *out, size_t size)
{
    /* Before the first stage there is nothing that could be missing. */
    for (uint32_t i = 0; r->grid_ns > 0 && i < r->workers_->source_count; i++) {
        if (r->source_states_[i].lost && !is_whole(r, i)) {
            snprintf(out, size, "worker %.64s was lost, and with it what it had not reported",
                     run_source_worker(r, i));
            return out;
        }
        if (ended_early(r, i)) {
            snprintf(out, size, "worker %.64s ended its part before the plan's end",
                     run_source_worker(r, i));
            return out;
        }
    }
    return r->totals_differ_[0] != '\0' ? r->totals_differ_ : NULL;
}

/* Sources of one worker stand side by side. */
struct run_worker_count run_count_workers(const struct run *r)
{
    struct run_worker_count n = {0};

    for (uint32_t i = 0, end; i < r->workers_->source_count; i = end) {
        bool whole = true;

        for (end = i; end < r->workers_->source_count &&
                      strcmp(run_source_worker(r, end), run_source_worker(r, i)) == 0;
             end++) {
            whole = whole && is_whole(r, end);
        }
        n.workers++;
        n.whole += whole;
    }
    return n;
}

void run_on_totals(struct run *r, const char *worker_id, bool agree, const char *text)
{
    if (run_is_over(r)) {
        return;
    }
    for (uint32_t i = 0; i < r->workers_->source_count; i++) {
        if (strcmp(run_source_worker(r, i), worker_id) == 0) {
            r->source_states_[i].totals = true;
        }
    }
    if (!agree && r->totals_differ_[0] == '\0') {
        snprintf(r->totals_differ_, sizeof r->totals_differ_,
                 "the totals of worker %.64s are not those of its windows: %.150s", worker_id,
                 text);
    }
    sources_check(r);
}

/* ---- loss ------------------------------------------------------------------------------------ */

static const char *policy_name(enum worker_failure_policy policy)
{
    static const char *const names[] = {[WORKER_FAILURE_FAIL_FAST] = "fail_fast",
                                        [WORKER_FAILURE_REPLACE] = "replace_if_possible",
                                        [WORKER_FAILURE_BEST_EFFORT] = "best_effort"};

    return names[policy];
}

/* `how` it went, for people. */
static void
stop_for_want_of(struct run *r, const char *worker_id, const char *how, uint32_t lost_vus)
{
    enum worker_failure_policy policy = r->plan->scenario->safety.worker_failure_policy;

    if (policy != WORKER_FAILURE_FAIL_FAST) {
        run_warn(r, "worker_failure_policy %s acts like fail_fast so far: the run ends",
                 policy_name(policy));
    }
    snprintf(r->stop.reason, sizeof r->stop.reason, "worker_failure: worker %.64s lost", worker_id);
    snprintf(r->stop.sentence, sizeof r->stop.sentence,
             "worker %.64s %s, and %u virtual user%s with it", worker_id, how, lost_vus,
             lost_vus == 1 ? "" : "s");
    ending_begin(r, RUN_STOP_WORKER_LOST, STOP_IMMEDIATE);
}

/* Those that had brought everything are no loss. */
static bool end_sources_of(struct run *r, const char *worker_id)
{
    bool lost = false;

    for (uint32_t i = 0; i < r->workers_->source_count; i++) {
        if (!is_whole(r, i) && !r->source_states_[i].lost &&
            strcmp(run_source_worker(r, i), worker_id) == 0) {
            sources_end(r, i, false);
            lost = true;
        }
    }
    return lost;
}

static void tell_loss(struct run *r, const char *worker_id, const char *how, uint32_t lost_vus)
{
    run_emit(r, "WORKER_CAPACITY_LOST",
             json_pack("{s[s]sIss}", "worker_ids", worker_id, "lost_vus", (json_int_t)lost_vus,
                       "policy", policy_name(r->plan->scenario->safety.worker_failure_policy)));
    if (run_is_running(r)) {
        stop_for_want_of(r, worker_id, how, lost_vus);
    }
}

void run_on_worker_leaving(struct run *r, const char *worker_id, uint32_t lost_vus)
{
    if (run_is_running(r)) {
        tell_loss(r, worker_id, "has ended its part before its time", lost_vus);
    }
}

void run_on_worker_lost(struct run *r, const char *worker_id, uint32_t lost_vus)
{
    if ((!run_is_running(r) && r->state != RUN_STOPPING) || !end_sources_of(r, worker_id)) {
        return;
    }
    tell_loss(r, worker_id, "was lost", lost_vus);
    seconds_take(r);
    sources_check(r);
}

void run_on_allocation_failed(struct run *r, const char *text)
{
    if (run_is_running(r)) {
        run_emit(r, "ALLOCATION_FAILED",
                 json_pack("{ssso}", "reason", "allocation_error", "details", run_text(text)));
        snprintf(r->stop.reason, sizeof r->stop.reason, "allocation_failed: %.200s", text);
        snprintf(r->stop.sentence, sizeof r->stop.sentence, "%s", text);
        ending_begin(r, RUN_STOP_ALLOCATION, STOP_IMMEDIATE);
    }
}
