/* SPDX-License-Identifier: MIT */
#include "control/pace.h"

#include "base/mem.h"
#include "control/backlog.h"
#include "control/run_priv.h"

#include <math.h>

enum {
    QUICK_MIN = 10, /* operations that have to have ended before a silence means something */
    BEHIND_MIN = 5, /* fewer that wait are no backlog */
};
#define QUICK_NS ((double)NS_PER_S / 2)

struct silence {
    uint64_t first, seconds; /* 0: there is none */
    uint64_t waited;         /* most operations in flight at the end of one of them */
};

/* How a ramp goes. */
struct climb {
    double first_service_s; /* mean of the first that ended; 0: not known yet */
    double kept_up_rps;     /* what was due in the newest second in which the target kept up */
    double waiting;         /* at the end of the newest second; 0: the target kept up in it */
};

/* What is open of a stage, and how that went. */
struct stage_pace {
    int64_t waiting; /* due, and neither dropped nor ended */
    struct climb climb;
    struct backlog *backlog; /* made with the first second at the top of the rate */
};

struct pace {
    struct silence silence;
    uint64_t in_flight; /* at the end of the second before */
    uint32_t told;
    uint64_t more, more_seconds;
    uint32_t stage_count;
    struct stage_pace *stages;
};

struct pace *pace_new(uint32_t stage_count)
{
    struct pace *pace = xcalloc(1, sizeof *pace);

    pace->stage_count = stage_count;
    pace->stages = xcalloc(stage_count, sizeof *pace->stages);
    return pace;
}

void pace_free(struct pace *pace)
{
    if (pace == NULL) {
        return;
    }
    for (uint32_t i = 0; i < pace->stage_count; i++) {
        xfree(pace->stages[i].backlog);
    }
    xfree(pace->stages);
    xfree(pace);
}

static uint64_t ended(const struct metric_view *v)
{
    return v->count[COUNT_ENDED_OK] + v->count[COUNT_ENDED_FAILED] + v->count[COUNT_UNFINISHED];
}

/* Mean service time of what has ended so far in the stage, or (-1) in all; false: too few. */
static bool mean_service_ns(const struct run *r, int32_t stage, double *out)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    filter.stage_index = stage;
    filter.dists = 1u << DIST_SERVICE;
    aggregate_view_total(r->books, &filter, &view);
    const struct hist_total *service = view.dist[DIST_SERVICE];
    bool known = service != NULL && service->head.count >= QUICK_MIN && hist_mean(service, out);
    metric_view_clear(&view);
    return known;
}

/* ---- silences --------------------------------------------------------------------------------
 */

static void tell_silence(struct run *r)
{
    struct pace *pace = r->pace_;
    struct silence s = pace->silence;

    pace->silence = (struct silence){0};
    if (s.seconds == 0) {
        return;
    }
    if (pace->told == PACE_SILENCES_TOLD) {
        pace->more++;
        pace->more_seconds += s.seconds;
        return;
    }
    pace->told++;
    char last[32] = "";
    if (s.seconds > 1) {
        snprintf(last, sizeof last, "–%llu", (unsigned long long)(s.first + s.seconds - 1));
    }
    run_warn(r, "nothing ended in second%s %llu%s; %llu operation%s waited",
             s.seconds > 1 ? "s" : "", (unsigned long long)s.first, last,
             (unsigned long long)s.waited, s.waited == 1 ? "" : "s");
}

static void note_silence(struct run *r, uint64_t second, const struct metric_view *v)
{
    struct pace *pace = r->pace_;
    struct silence *s = &pace->silence;
    uint64_t before = pace->in_flight;
    double mean_ns;

    pace->in_flight = v->gauges.in_flight;
    if (ended(v) > 0 || before == 0 || v->gauges.in_flight == 0) {
        tell_silence(r);
        return;
    }
    if (s->seconds == 0 && (!mean_service_ns(r, -1, &mean_ns) || mean_ns > QUICK_NS)) {
        return;
    }
    s->first = s->seconds == 0 ? second : s->first;
    s->seconds++;
    s->waited = v->gauges.in_flight > s->waited ? v->gauges.in_flight : s->waited;
}

/* ---- backlogs --------------------------------------------------------------------------------
 */

/* A ramp has more in flight from second to second by design, and a target that slows down a little
 * with its load has more again. It has fallen behind when more waits than is due in a second and in
 * three times the first answers' time; it began to where more than twice that time's waited. */
static void note_climb(const struct run *r, uint32_t stage, double due_rps)
{
    struct stage_pace *s = &r->pace_->stages[stage];
    struct climb *c = &s->climb;
    double waiting = (double)s->waiting, mean_ns;

    if (c->first_service_s == 0 && mean_service_ns(r, (int32_t)stage, &mean_ns)) {
        c->first_service_s = mean_ns / (double)NS_PER_S;
    }
    bool known = c->first_service_s > 0 && waiting > BEHIND_MIN;
    bool behind = known && waiting > due_rps * (1 + 3 * c->first_service_s);
    c->waiting = behind ? waiting : 0;
    if (!known || waiting <= due_rps * 2 * c->first_service_s) {
        c->kept_up_rps = due_rps;
    }
}

static void note_top(struct stage_pace *s)
{
    if (s->backlog == NULL) {
        s->backlog = xcalloc(1, sizeof *s->backlog);
    }
    backlog_add(s->backlog, (double)s->waiting);
}

/* The second belongs to the climb when it is a whole one before its end, to the top when it is a
 * whole one behind it. */
static void note_level(const struct run *r, uint32_t stage, uint64_t second, double due_rps)
{
    const struct plan_stage *p = &r->plan->stages[stage];
    const struct run_stage *s = &r->stages[stage];
    uint64_t begin_ns = r->grid_ns + second * NS_PER_S, end_ns = begin_ns + NS_PER_S;
    uint64_t top_ns = s->start_ns + levels_rate_climb_ns(p->config, &p->levels);

    if (begin_ns < s->start_ns || end_ns > s->end_ns) {
        return;
    }
    if (begin_ns >= top_ns) {
        note_top(&r->pace_->stages[stage]);
    } else if (end_ns <= top_ns) {
        note_climb(r, stage, due_rps);
    }
}

static void note_backlog(struct run *r, uint32_t stage, uint64_t second)
{
    struct stage_pace *s = &r->pace_->stages[stage];
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};
    double due_rps = 0;

    filter.stage_index = (int32_t)stage;
    filter.only_keys = true;
    filter.dists = 0;
    if (aggregate_view_seconds(r->books, &filter, second, 1, &v)) {
        s->waiting += (int64_t)v.count[COUNT_DUE] -
                      (int64_t)(metric_dropped(&v) + v.count[COUNT_DROPPED_STOPPED] + ended(&v));
        due_rps = (double)v.count[COUNT_DUE];
    }
    metric_view_clear(&v);
    note_level(r, stage, second, due_rps);
}

void pace_second(struct run *r, uint64_t second)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};

    filter.dists = 0;
    if (aggregate_view_seconds(r->books, &filter, second, 1, &v) && v.has_gauges) {
        note_silence(r, second, &v);
    }
    metric_view_clear(&v);
    for (uint32_t i = 0; i < r->pace_->stage_count; i++) {
        const struct run_stage *s = &r->stages[i];
        bool over = s->ended && r->grid_ns + second * NS_PER_S >= s->end_ns;

        if (s->started && !over && r->plan->stages[i].levels.open_model) {
            note_backlog(r, i, second);
        }
    }
}

bool pace_falls_behind(const struct run *r, uint32_t stage, double *per_second)
{
    const struct backlog *backlog = r->pace_ != NULL ? r->pace_->stages[stage].backlog : NULL;
    double mean_ns;

    /* Until the first operations have been answered their number grows whatever the target does. */
    return backlog != NULL && mean_service_ns(r, (int32_t)stage, &mean_ns) &&
           backlog_grows(backlog, (uint64_t)ceil(3 * mean_ns / (double)NS_PER_S), per_second);
}

bool pace_fell_behind_from(const struct run *r, uint32_t stage, double *per_second)
{
    const struct climb *c = r->pace_ != NULL ? &r->pace_->stages[stage].climb : NULL;

    if (c == NULL || c->waiting == 0) {
        return false;
    }
    *per_second = c->kept_up_rps;
    return true;
}

static void tell_backlogs(struct run *r, uint32_t stage)
{
    const struct stage_pace *s = &r->pace_->stages[stage];
    const struct metric *unit = metric_find(STR("ops_per_second"));
    const char *id = r->plan->stages[stage].config->stage_id;
    double per_second;
    char rate[64];

    if (pace_fell_behind_from(r, stage, &per_second)) {
        metric_format(unit, per_second, rate, sizeof rate);
        run_warn(
            r,
            "stage %s: the target fell behind from %s on; %.0f operations waited in the ramp's "
            "last full second",
            id, rate, s->climb.waiting);
    }
    if (pace_falls_behind(r, stage, &per_second)) {
        metric_format(unit, per_second, rate, sizeof rate);
        run_warn(r, "stage %s: the target falls behind by %s; %.0f operations waited at its end",
                 id, rate, s->backlog->last);
    }
}

void pace_end(struct run *r)
{
    struct pace *pace = r->pace_;

    tell_silence(r);
    if (pace->more > 0) {
        run_warn(r, "nothing ended for a while %llu more times, %llu s in all",
                 (unsigned long long)pace->more, (unsigned long long)pace->more_seconds);
    }
    for (uint32_t i = 0; i < pace->stage_count; i++) {
        tell_backlogs(r, i);
    }
}
