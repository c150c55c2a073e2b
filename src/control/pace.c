/* SPDX-License-Identifier: MIT */
#include "control/pace.h"

#include "base/mem.h"
#include "control/backlog.h"
#include "control/run_priv.h"

#include <math.h>

enum { QUICK_MIN = 10 }; /* operations that have to have ended before a silence means something */
#define QUICK_NS ((double)NS_PER_S / 2)

struct silence {
    uint64_t first, seconds; /* 0: there is none */
    uint64_t waited;         /* most operations in flight at the end of one of them */
};

/* What is open of a stage, and how that went. */
struct stage_pace {
    int64_t waiting;         /* due, and neither dropped nor ended */
    struct backlog *backlog; /* made with the first second that counts */
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

/* Is the second a whole one of the stage, with the rate at its top? */
static bool counts(const struct run *r, uint32_t stage, uint64_t second)
{
    const struct plan_stage *p = &r->plan->stages[stage];
    uint64_t begin_ns = r->grid_ns + second * NS_PER_S;

    return begin_ns >= r->stages[stage].start_ns + levels_rate_climb_ns(p->config, &p->levels) &&
           begin_ns + NS_PER_S <= r->stages[stage].end_ns;
}

static void note_backlog(struct run *r, uint32_t stage, uint64_t second)
{
    struct stage_pace *s = &r->pace_->stages[stage];
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};

    filter.stage_index = (int32_t)stage;
    filter.only_keys = true;
    filter.dists = 0;
    if (aggregate_view_seconds(r->books, &filter, second, 1, &v)) {
        s->waiting += (int64_t)v.count[COUNT_DUE] -
                      (int64_t)(metric_dropped(&v) + v.count[COUNT_DROPPED_STOPPED] + ended(&v));
    }
    metric_view_clear(&v);
    if (counts(r, stage, second)) {
        if (s->backlog == NULL) {
            s->backlog = xcalloc(1, sizeof *s->backlog);
        }
        backlog_add(s->backlog, (double)s->waiting);
    }
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

void pace_end(struct run *r)
{
    struct pace *pace = r->pace_;
    double per_second;
    char rate[64];

    tell_silence(r);
    if (pace->more > 0) {
        run_warn(r, "nothing ended for a while %llu more times, %llu s in all",
                 (unsigned long long)pace->more, (unsigned long long)pace->more_seconds);
    }
    for (uint32_t i = 0; i < pace->stage_count; i++) {
        if (!pace_falls_behind(r, i, &per_second)) {
            continue;
        }
        metric_format(metric_find(STR("ops_per_second")), per_second, rate, sizeof rate);
        run_warn(r, "stage %s: the target falls behind by %s; %.0f operations waited at its end",
                 r->plan->stages[i].config->stage_id, rate, pace->stages[i].backlog->last);
    }
}
