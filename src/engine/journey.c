/* SPDX-License-Identifier: MIT */
/*
 * workload.user_journey: what a client does of its own accord. A VU lists the tools before its
 * first operation, from time to time, and after failures. These calls run on the VU's session but
 * are no part of the workload: they are counted apart, in the run's part of the windows.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "engine/shard_priv.h"

enum { JOURNEY_STREAM = 0x6a6f7572 }; /* a sub-stream of a VU's random numbers */

/* A list that failures asked for is followed by the next one of its kind after a quiet time of 1 s
 * at least. It grows, 2 s, 4 s … 64 s, until most of the user's last operations are good: single
 * ones do not mean that the target is well. */
#define QUIET_NS NS_PER_S
enum {
    QUIET_DOUBLINGS = 6,
    RECENT_OPERATIONS = 10,
};

static const struct journey_config *config_of(const struct vu *vu)
{
    return &vu->shard->plan->scenario->workload.journey;
}

/* One list at a time; what falls into it is not made up for. */
static void list_tools(struct vu *vu)
{
    struct vu_journey *j = vu->journey;

    if (vu->ending || vu->shard->draining || vu->shard->is_over) {
        return;
    }
    if (j->slot != NULL) {
        vu->shard->client.limits[LIMIT_JOURNEY_LISTS]++;
        return;
    }
    j->failures = 0;
    j->slot = xcalloc(1, sizeof *j->slot);
    slot_init(j->slot, vu);
    j->slot->journey = true;
    vu_hold(vu);
    slot_start_journey(j->slot);
}

static void on_time(struct send *send)
{
    struct vu_journey *j = list_entry(send, struct vu_journey, timer);
    struct vu *vu = j->vu;

    loop_send_arm(vu->shard->loop, &j->timer, send->at_ns + config_of(vu)->list_interval_ns);
    list_tools(vu);
}

void journey_init(struct vu *vu)
{
    if (!vu->shard->plan->journey) {
        return;
    }
    vu->journey = xcalloc(1, sizeof *vu->journey);
    vu->journey->vu = vu;
    send_init(&vu->journey->timer, on_time);
}

void journey_clear(struct vu *vu)
{
    if (vu->journey != NULL) {
        loop_send_cancel(vu->shard->loop, &vu->journey->timer);
        xfree(vu->journey);
        vu->journey = NULL;
    }
}

bool journey_start(struct vu *vu, uint64_t due_ns)
{
    struct vu_journey *j = vu->journey;

    if (j == NULL) {
        return false;
    }
    const struct journey_config *c = config_of(vu);
    if (c->list_interval_ns > 0) { /* the first ones are spread over the interval */
        uint64_t x = rng_at(rng_sub(vu->shard->plan->seed ^ JOURNEY_STREAM, vu->index), 0);
        loop_send_arm(vu->shard->loop, &j->timer, due_ns + 1 + rng_below(x, c->list_interval_ns));
    }
    if (!c->list_on_start) {
        return false;
    }
    /* A user who is made because an arrival waits for it lists beside its first operation. */
    j->starting = !shard_is_sized(vu->shard);
    list_tools(vu);
    return j->starting;
}

static bool is_quiet(const struct vu_journey *j, uint64_t now_ns)
{
    return j->asked_ns != 0 && now_ns < j->asked_ns + (QUIET_NS << j->doublings);
}

static bool mostly_good(const struct vu_journey *j)
{
    return __builtin_popcount(j->recent) > RECENT_OPERATIONS / 2;
}

/* A target that mostly fails is not asked for its tools all the time, too. */
static void ask(struct vu *vu, uint64_t now_ns)
{
    struct vu_journey *j = vu->journey;

    j->doublings += j->has_asked && j->doublings < QUIET_DOUBLINGS;
    j->has_asked = true;
    j->asked_ns = now_ns;
    list_tools(vu);
}

void journey_note(struct vu *vu, bool failed)
{
    struct vu_journey *j = vu->journey;
    uint64_t limit = config_of(vu)->list_after_errors, now = loop_now(vu->shard->loop);

    j->recent = (j->recent << 1 | !failed) & ((1u << RECENT_OPERATIONS) - 1);
    j->failures = failed ? j->failures + 1 : 0;
    if (mostly_good(j)) {
        j->doublings = 0;
        j->has_asked = false;
    }
    if (limit > 0 && j->failures >= limit && !is_quiet(j, now)) {
        ask(vu, now);
    }
}

static void note_reason(struct vu *vu, const struct mcp_answer *answer)
{
    char masked[SHARD_MASKED_MAX];
    const struct outcome why = {
        .error_type = error_code_type(answer->code),
        .error_code = answer->code,
        .origin = answer->origin,
        .error_number = answer->number,
        .message = shard_masked(vu->shard, answer->message, masked),
    };

    window_beside_failed(shard_window(vu->shard, answer->end_ns), &why);
}

static void count(struct vu *vu, enum outcome_class cls, const struct mcp_answer *answer)
{
    const struct slot *slot = vu->journey->slot;
    struct window_part *run = window_run(shard_window(vu->shard, answer->end_ns));

    run->count[COUNT_JOURNEY_REQUESTS] += slot->requests;
    if (cls == OUTCOME_UNFINISHED) {
        run->count[COUNT_JOURNEY_UNFINISHED]++;
        return;
    }
    run->count[cls == OUTCOME_OK ? COUNT_JOURNEY_OK : COUNT_JOURNEY_FAILED]++;
    if (cls != OUTCOME_OK) {
        note_reason(vu, answer);
    } else if (slot->t_send != 0) {
        hist_record(window_dist(run, DIST_JOURNEY), answer->end_ns - slot->t_send);
    }
}

void journey_done(struct vu *vu, enum outcome_class cls, const struct mcp_answer *answer)
{
    struct vu_journey *j = vu->journey;

    count(vu, cls, answer);
    slot_clear(j->slot);
    xfree(j->slot);
    j->slot = NULL;
    if (j->starting) {
        j->starting = false;
        if (!vu->ending) {
            vu_begin_slots(vu, answer->end_ns);
        }
    }
    vu_let_go(vu);
}

void journey_stop(struct vu *vu)
{
    if (vu->journey != NULL) {
        loop_send_cancel(vu->shard->loop, &vu->journey->timer);
    }
}
