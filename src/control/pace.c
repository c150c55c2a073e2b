/* SPDX-License-Identifier: MIT */
#include "control/pace.h"

#include "base/mem.h"
#include "control/backlog.h"
#include "control/run_priv.h"

#include <math.h>

enum {
    TYPICAL_MIN = 10, /* operations whose median tells while the run goes on */
    PENDING_MAX = 8,
    BEHIND_MIN = 5, /* fewer that wait are no backlog */
};

struct silence {
    uint64_t first, seconds; /* 0: there is none */
    uint64_t waited;         /* most operations in flight at the end of one of them */
    bool at_first;           /* nothing had ended before */
};

/* What is open of a stage, and how that went. All over its whole seconds. */
struct stage_pace {
    int64_t waiting, waited; /* due, and neither dropped nor ended; a second earlier */
    double first_service_s;  /* median of the first that ended; 0: not known yet */
    double kept_up_rps;      /* what was due in the newest second in which the target kept up */
    double behind;           /* that waited in the newest second; 0: the target kept up in it */
    double ramp_behind;      /* likewise in the ramp's last second */
    uint32_t seconds, capped_seconds; /* in the latter a cap of ours held requests back */
    double top_waiting;               /* when the rate had reached its top … */
    uint32_t top_seconds;             /* … and how long it has stayed there */
    struct backlog *backlog;          /* made with the first second at the top of the rate */
};

struct pace {
    struct silence silence;
    struct silence pending[PENDING_MAX]; /* nobody can say yet whether they are long */
    uint32_t pending_count;
    bool has_ended;          /* any operation */
    uint64_t in_flight;      /* at the end of the second before */
    uint64_t held, held_now; /* requests that max_rps has held back: so far, in this second */
    bool is_full;            /* there are as many connections as max_connections allows */
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

/* The median service time so far in the stage, or (-1) in all; false: less than `least` ended. */
static bool typical_service_s(const struct run *r, int32_t stage, uint64_t least, double *out)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    filter.stage_index = stage;
    filter.dists = 1u << DIST_SERVICE;
    aggregate_view_total(r->books, &filter, &view);
    const struct hist_total *service = view.dist[DIST_SERVICE];
    bool known = service != NULL && service->head.count >= least;
    if (known) {
        *out = (double)hist_quantile(service, 500000, 0).value_ns / (double)NS_PER_S;
    }
    metric_view_clear(&view);
    return known;
}

/* ---- silences --------------------------------------------------------------------------------
 */

static void tell_silence(struct run *r, struct silence s)
{
    struct pace *pace = r->pace_;

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
    run_warn(r, "nothing ended in second%s %llu%s; %llu operation%s waited%s",
             s.seconds > 1 ? "s" : "", (unsigned long long)s.first, last,
             (unsigned long long)s.waited, s.waited == 1 ? "" : "s",
             s.at_first ? " for sessions and first answers" : "");
}

/* Who usually takes long may well have seconds without an end. */
static bool is_long(struct silence s, double typical_s)
{
    return (double)s.seconds > 2 * typical_s;
}

/* The silence is over. What the frozen operations took is in the median, too: a silence that is
 * not long beside it may turn out to be so at the end. */
static void end_silence(struct run *r)
{
    struct pace *pace = r->pace_;
    struct silence s = pace->silence;
    double typical_s;

    pace->silence = (struct silence){0};
    if (s.seconds == 0) {
        return;
    }
    if (typical_service_s(r, -1, TYPICAL_MIN, &typical_s) && is_long(s, typical_s)) {
        tell_silence(r, s);
    } else if (pace->pending_count < PENDING_MAX) {
        pace->pending[pace->pending_count++] = s;
    }
}

/* Nothing at all has ended: that is a silence, however slow the target may be. */
static void tell_pending(struct run *r)
{
    struct pace *pace = r->pace_;
    double typical_s = 0;

    typical_service_s(r, -1, 1, &typical_s);
    for (uint32_t i = 0; i < pace->pending_count; i++) {
        if (is_long(pace->pending[i], typical_s)) {
            tell_silence(r, pace->pending[i]);
        }
    }
}

static void note_silence(struct run *r, uint64_t second, const struct metric_view *v)
{
    struct pace *pace = r->pace_;
    struct silence *s = &pace->silence;
    uint64_t before = pace->in_flight;

    pace->in_flight = v->gauges.in_flight;
    pace->has_ended = pace->has_ended || ended(v) > 0;
    if (ended(v) > 0 || before == 0 || v->gauges.in_flight == 0) {
        end_silence(r);
        return;
    }
    s->first = s->seconds == 0 ? second : s->first;
    s->at_first = !pace->has_ended;
    s->seconds++;
    s->waited = v->gauges.in_flight > s->waited ? v->gauges.in_flight : s->waited;
}

/* ---- backlogs --------------------------------------------------------------------------------
 */

/* Caps held back at least half of what the second has left over. Here and there a request waits at
 * any cap. */
static bool is_capped(const struct run *r, const struct stage_pace *s)
{
    double left_over = (double)(s->waiting - s->waited);

    return left_over > 0 && (r->pace_->is_full || 2 * (double)r->pace_->held_now >= left_over);
}

/* A ramp has more in flight from second to second by design, and a target that slows down a little
 * with its load has more again. It has fallen behind when more waits than is due in a second and in
 * three times the first answers' time; it began to where more than twice that time's waited. */
static void note_size(const struct run *r, uint32_t stage, double due_rps)
{
    struct stage_pace *s = &r->pace_->stages[stage];
    double waiting = (double)s->waiting;

    if (s->first_service_s == 0) {
        typical_service_s(r, (int32_t)stage, TYPICAL_MIN, &s->first_service_s);
    }
    bool known = s->first_service_s > 0 && waiting > BEHIND_MIN;
    bool behind = known && waiting > due_rps * (1 + 3 * s->first_service_s);
    s->behind = behind ? waiting : 0;
    if (!known || waiting <= due_rps * 2 * s->first_service_s) {
        s->kept_up_rps = due_rps;
    }
    s->seconds++;
    s->capped_seconds += is_capped(r, s) ? 1 : 0;
}

static void note_top(struct stage_pace *s)
{
    if (s->backlog == NULL) {
        s->backlog = xcalloc(1, sizeof *s->backlog);
        s->top_waiting = (double)s->waiting;
    }
    s->top_seconds++;
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
    note_size(r, stage, due_rps);
    if (begin_ns >= top_ns) {
        note_top(&r->pace_->stages[stage]);
    } else if (end_ns <= top_ns) {
        r->pace_->stages[stage].ramp_behind = r->pace_->stages[stage].behind;
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
        s->waited = s->waiting;
        s->waiting += (int64_t)v.count[COUNT_DUE] -
                      (int64_t)(metric_dropped(&v) + v.count[COUNT_DROPPED_STOPPED] + ended(&v));
        due_rps = (double)v.count[COUNT_DUE];
    }
    metric_view_clear(&v);
    note_level(r, stage, second, due_rps);
}

static void note_caps(struct run *r, const struct metric_view *v)
{
    struct pace *pace = r->pace_;
    uint64_t held = aggregate_limit(r->books, LIMIT_MAX_RPS);
    uint64_t most = r->plan->scenario->safety.caps.max_connections;

    pace->held_now = held - pace->held;
    pace->held = held;
    pace->is_full = v->has_gauges && most > 0 && v->gauges.open_connections >= most;
}

void pace_second(struct run *r, uint64_t second)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view v = {0};

    filter.dists = 0;
    if (aggregate_view_seconds(r->books, &filter, second, 1, &v) && v.has_gauges) {
        note_silence(r, second, &v);
    }
    note_caps(r, &v);
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
    const struct stage_pace *s = r->pace_ != NULL ? &r->pace_->stages[stage] : NULL;

    /* Until the first operations have been answered their number grows whatever the target does. */
    if (s == NULL || s->backlog == NULL || s->first_service_s == 0) {
        return false;
    }
    uint64_t skip_seconds = (uint64_t)ceil(3 * s->first_service_s);
    if (s->top_seconds >= BACKLOG_BATCHES + skip_seconds) {
        return backlog_grows(s->backlog, skip_seconds, per_second);
    }
    /* Too short for a slope, but not for what is there. */
    *per_second =
        s->top_seconds > 1 ? (s->backlog->last - s->top_waiting) / (double)(s->top_seconds - 1) : 0;
    return s->behind > 0 && *per_second > 0;
}

bool pace_fell_behind_from(const struct run *r, uint32_t stage, double *per_second)
{
    const struct stage_pace *s = r->pace_ != NULL ? &r->pace_->stages[stage] : NULL;

    if (s == NULL || s->ramp_behind == 0) {
        return false;
    }
    *per_second = s->kept_up_rps;
    return true;
}

/* Whose doing it is. */
static const char *who_falls_behind(const struct stage_pace *s)
{
    return 2 * s->capped_seconds > s->seconds ? "a hard cap holds requests back, and the load"
                                              : "the target";
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
        run_warn(r,
                 "stage %s: %s fell behind from %s on; %.0f operations waited in the ramp's last "
                 "full second",
                 id, who_falls_behind(s), rate, s->ramp_behind);
    }
    if (pace_falls_behind(r, stage, &per_second)) {
        metric_format(unit, per_second, rate, sizeof rate);
        run_warn(r, "stage %s: %s falls behind by %s; %.0f operations waited at its end", id,
                 who_falls_behind(s), rate, s->backlog->last);
    }
}

void pace_end(struct run *r)
{
    struct pace *pace = r->pace_;

    end_silence(r);
    tell_pending(r);
    if (pace->more > 0) {
        run_warn(r, "nothing ended for a while %llu more times, %llu s in all",
                 (unsigned long long)pace->more, (unsigned long long)pace->more_seconds);
    }
    for (uint32_t i = 0; i < pace->stage_count; i++) {
        tell_backlogs(r, i);
    }
}
