/* SPDX-License-Identifier: MIT */
#include "cli/panel.h"

#include "base/mem.h"
#include "cli/lines.h"
#include "cli/screen.h"
#include "metrics/histogram.h"

#include <stdio.h>
#include <string.h>

enum {
    CONDITIONS_SHOWN = 6,
    CONDITION_COLUMNS = 40,
    LAG_PPM = 990000,
    SHORT_SECONDS = 2,       /* an open load that falls short for so long is worth a colour */
    EVERY_SECOND_UNTIL = 30, /* then a plain line each LINE_STEP seconds */
    LINE_STEP = 5,
};

/* Shares of a second that a thread was busy: hints of what the verdict on validity looks at. */
static const double busy_warning = 0.80, busy_alarm = 0.95;
static const double rate_alarm = 0.95; /* share of what was due */

struct busy_mark {
    uint64_t busy_ns, wall_ns;
};

struct panel {
    struct screen screen;
    uint64_t skipped;         /* plain lines that nobody took */
    struct metric_view last;  /* the newest complete second */
    struct metric_view line;  /* the seconds that the next plain line tells of … */
    uint64_t told_seconds;    /* … which are those behind these */
    struct metric_view total; /* the run so far */
    bool has_second;
    double p99_ms[PANEL_SPARKS]; /* ring by second; negative: no value */
    uint64_t second_count;
    struct busy_mark *marks; /* of each source, so far; made at the first second */
    double busy;             /* of the busiest source, since the second before; negative: unknown */
    unsigned short_seconds;  /* in a row in which an open load fell short */
};

struct panel *panel_new(int fd, const struct text_style *style)
{
    struct panel *p = xcalloc(1, sizeof *p);

    screen_init(&p->screen, fd, style);
    p->busy = -1;
    return p;
}

void panel_free(struct panel *p)
{
    if (p != NULL) {
        metric_view_clear(&p->last);
        metric_view_clear(&p->line);
        metric_view_clear(&p->total);
        xfree(p->marks);
        xfree(p);
    }
}

/* ---- taking a second --------------------------------------------------------------------------
 */

static void take_busy(struct panel *p, const struct run *r)
{
    uint32_t count = r->workers_->source_count;

    if (p->marks == NULL) {
        p->marks = xcalloc(count, sizeof *p->marks);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct busy_mark *before = &p->marks[i];
        struct aggregate_source source;

        aggregate_source(r->books, i, &source);
        if (source.wall_ns > before->wall_ns) {
            double share = (double)(source.busy_ns - before->busy_ns) /
                           (double)(source.wall_ns - before->wall_ns);
            p->busy = i == 0 || share > p->busy ? share : p->busy;
        }
        *before = (struct busy_mark){source.busy_ns, source.wall_ns};
    }
}

/* What was started of the operations that came due in the last second. */
static double started_share(const struct metric_view *v)
{
    return (double)v->open_count[COUNT_STARTED] / (double)v->open_count[COUNT_DUE];
}

static void take_second(struct panel *p, const struct run *r, uint64_t second)
{
    struct aggregate_filter filter = aggregate_everything();
    double value;

    filter.dists = 1u << DIST_SERVICE | 1u << DIST_RESPONSE | 1u << DIST_TOOL_LAG;
    if (!aggregate_view_seconds(r->books, &filter, second, 1, &p->last)) {
        metric_view_reset(&p->last);
    }
    metric_view_whole_second(&p->last);
    /* While preflight runs its own sums, then those of the load alone: the result's totals. */
    bool apart = r->stage >= 0 && !aggregate_is_load(r->books, (uint32_t)r->stage);
    filter.share = apart ? AGGREGATE_APART : AGGREGATE_LOAD;
    aggregate_view_total(r->books, &filter, &p->total);
    p->has_second = true;
    bool has = metric_value(metric_find(STR("latency_p99_ms")), &p->last, &value);
    p->p99_ms[p->second_count++ % PANEL_SPARKS] = has ? value : -1;
    bool falls_short = p->last.open_count[COUNT_DUE] > 0 && started_share(&p->last) < rate_alarm;
    p->short_seconds = falls_short ? p->short_seconds + 1 : 0;
    take_busy(p, r);
}

/* ---- pieces -----------------------------------------------------------------------------------
 */

/* A metric with its unit; "-" without a value, "shed" when its rank lies among the operations that
 * never started. */
static void metric_text(const struct metric_view *view, const char *name, char out[LINES_TEXT_MAX])
{
    const struct metric *m = metric_find(str_c(name));
    double value;

    snprintf(out, LINES_TEXT_MAX, "%s", metric_shed(m, view) ? "shed" : "-");
    if (metric_value(m, view, &value)) {
        metric_format(m, value, out, LINES_TEXT_MAX);
    }
}

static uint64_t ended(const struct metric_view *v)
{
    return v->count[COUNT_ENDED_OK] + v->count[COUNT_ENDED_FAILED];
}

/* Over the run it is that of its load: what the drain brought is not in it. */
static double rate(const struct metric_view *v)
{
    double per_second;

    return metric_value(metric_find(STR("ops_per_second")), v, &per_second) ? per_second : 0;
}

/* ---- the lines of the panel -------------------------------------------------------------------
 */

static void add_head(struct lines *l, const struct run *r, uint64_t now_ns)
{
    struct lines_head head = {.state = run_state_name(r->state)};

    if (r->stage >= 0 && r->stages[r->stage].started) {
        const struct run_stage *s = &r->stages[r->stage];

        head.stage = (uint64_t)r->stage + 1;
        head.stages = r->plan->stage_count;
        head.planned_ns = s->end_ns - s->start_ns;
        head.spent_ns = now_ns > s->start_ns ? now_ns - s->start_ns : 0;
    }
    lines_head(l, &head);
}

/* What is tested, when that is known. */
static void add_origin(struct lines *l, const struct run *r)
{
    if (r->origin != NULL) {
        lines_named(l, "target", str_c(r->origin->target_url), str_c(run_name(r)));
    }
}

/* The stage that runs, NULL when there is none; *t_ns: how far it is. */
static const struct plan_stage *running_stage(const struct run *r, uint64_t now_ns, uint64_t *t_ns)
{
    if (r->stage < 0 || !r->stages[r->stage].started || r->stages[r->stage].ended) {
        return NULL;
    }
    *t_ns = now_ns > r->stages[r->stage].start_ns ? now_ns - r->stages[r->stage].start_ns : 0;
    return &r->plan->stages[r->stage];
}

/* VUs beside the level that is planned, where they differ. */
static void add_load(struct lines *l, const struct panel *p, const struct run *r, uint64_t now_ns)
{
    const struct window_gauges *g = &p->last.gauges;
    char number[TEXT_NUMBER_MAX];
    uint64_t t_ns;
    const struct plan_stage *stage = running_stage(r, now_ns, &t_ns);

    lines_padded(l, "load", LINES_LABEL_COLUMNS);
    lines_add(l, "%s", text_count(g->active_vus, number));
    if (stage != NULL && !stage->levels.sized) {
        uint32_t level = plan_level(r->plan, (uint32_t)r->stage, t_ns);
        if (level != g->active_vus) {
            lines_add(l, " of %s planned", text_count(level, number));
        }
    }
    lines_add(l, " VUs · %s sessions", text_count(g->active_sessions, number));
    lines_add(l, " · %s connections", text_count(g->open_connections, number));
    lines_add(l, " · %s in flight\n", text_count(g->in_flight, number));
}

/* Due and not taken up: as the books have it, whatever has ended since. */
static uint64_t waiting(const struct metric_view *v)
{
    uint64_t left = v->open_count[COUNT_STARTED] + v->open_count[COUNT_DROPPED_DEADLINE] +
                    v->open_count[COUNT_DROPPED_NO_SLOT] + v->open_count[COUNT_DROPPED_STOPPED];

    return v->open_count[COUNT_DUE] > left ? v->open_count[COUNT_DUE] - left : 0;
}

static bool is_open(const struct panel *p, const struct plan_stage *stage)
{
    return stage != NULL ? stage->levels.open_model : p->last.open_count[COUNT_DUE] > 0;
}

/* The open model: what the schedule offers, and what of it the VUs can take up. */
static void
add_offered(struct lines *l, const struct panel *p, const struct run *r, uint64_t now_ns)
{
    const struct metric_view *v = &p->last;
    char number[TEXT_NUMBER_MAX];
    uint64_t t_ns;
    const struct plan_stage *stage = running_stage(r, now_ns, &t_ns);

    if (!is_open(p, stage)) {
        return;
    }
    if (p->short_seconds >= SHORT_SECONDS) {
        lines_alarm(l);
    }
    lines_padded(l, "offered", LINES_LABEL_COLUMNS);
    if (stage != NULL) {
        lines_add(l, "%s planned · ",
                  text_rate(plan_rate(r->plan, (uint32_t)r->stage, t_ns), number));
    }
    double span_s = v->span_s > 0 ? v->span_s : 1;
    lines_add(l, "%s due", text_rate((double)v->open_count[COUNT_DUE] / span_s, number));
    lines_add(l, " · %s started", text_rate((double)v->open_count[COUNT_STARTED] / span_s, number));
    if (v->open_count[COUNT_DUE] > 0) {
        lines_add(l, " (%s)", text_percent(started_share(v), number));
    }
    lines_add(l, " · %s waiting", text_count(waiting(&p->total), number));
    lines_add(l, " · %s dropped\n", text_count(metric_dropped(&p->total), number));
}

/* "Latency" is the response time R in the open model and the service time S in the closed one. */
static const char *latency_letter(const struct metric_view *v)
{
    return v->open_model ? "R" : "S";
}

static struct lines_figures figures_of(const struct metric_view *v)
{
    struct lines_figures f = {
        .letter = latency_letter(v),
        .rate = rate(v),
        .ended = ended(v),
        .failed = v->count[COUNT_ENDED_FAILED],
    };

    metric_text(v, "latency_p50_ms", f.p50);
    metric_text(v, "latency_p95_ms", f.p95);
    metric_text(v, "latency_p99_ms", f.p99);
    return f;
}

/* One of the two: the last second, the run. */
static void add_figures(struct lines *l, const char *label, const struct metric_view *v)
{
    struct lines_figures f = figures_of(v);

    lines_figures(l, label, &f);
}

static void add_total(struct lines *l, const struct panel *p)
{
    char number[TEXT_NUMBER_MAX];

    lines_padded(l, "operations", LINES_LABEL_COLUMNS);
    lines_add(l, "%s started", text_count(p->total.count[COUNT_STARTED], number));
    lines_add(l, " · %s ended\n", text_count(ended(&p->total), number));
}

/* Hints for the validity of the run: is it us who are slow? */
static void add_generator(struct lines *l, const struct panel *p)
{
    const struct hist_total *lag = p->last.dist[DIST_TOOL_LAG];
    struct hist_quantile late = {.kind = HIST_NONE};
    uint64_t own = p->total.count[COUNT_OWN_FAILURES] + p->total.count[COUNT_CONNECT_OWN];
    char number[TEXT_NUMBER_MAX];

    if (p->busy < 0) {
        return;
    }
    if (p->busy > busy_alarm || own > 0) {
        lines_alarm(l);
    }
    lines_padded(l, "generator", LINES_LABEL_COLUMNS);
    lines_add(l, "busiest thread %s", text_percent(p->busy, number));
    if (p->busy > busy_warning) {
        lines_add(l, ", near its limit");
    }
    if (lag != NULL) {
        late = hist_quantile(lag, LAG_PPM, 0);
    }
    if (late.kind == HIST_VALUE) {
        lines_add(l, " · sends late by %s (p99)", text_time(late.value_ns, number));
    }
    if (own > 0) {
        lines_add(l, " · %s failures of its own", text_count(own, number));
    }
    lines_add(l, "\n");
}

static void add_streams(struct lines *l, const struct panel *p)
{
    const uint64_t *c = p->total.count;
    char number[TEXT_NUMBER_MAX];

    if (c[COUNT_STREAMS_STARTED] == 0) {
        return;
    }
    lines_padded(l, "streams", LINES_LABEL_COLUMNS);
    lines_add(l, "%s open", text_count(p->last.gauges.active_streams, number));
    double rate = p->last.span_s > 0 ? (double)p->last.count[COUNT_EVENTS] / p->last.span_s : 0;
    lines_add(l, " · %s events", text_rate(rate, number));
    lines_add(l, " · %s stalled", text_count(c[COUNT_STREAMS_STALLED], number));
    lines_add(l, " · longest silence %s\n", text_time(p->last.gauges.oldest_event_age_ns, number));
}

/* How long the row of breaches is by now, and how long it has to be. */
static void add_breach(struct lines *l, const struct stop_state *s)
{
    uint64_t window_ns = s->spec->window_ms * NS_PER_MS;
    char so_far[TEXT_NUMBER_MAX], limit[TEXT_NUMBER_MAX];

    lines_add(l, ", breached for %s of %s", text_clock(s->row * window_ns, so_far),
              text_clock(s->spec->sustain_windows * window_ns, limit));
}

static void add_condition(struct lines *l, const struct stop_state *s)
{
    const struct metric *m = s->spec->metric;
    const char *scope = s->spec->scope_text != NULL ? s->spec->scope_text : "";
    char value[64], text[256];

    if (s->triggered || (s->has_margin && s->margin < 0)) {
        lines_alarm(l);
    }
    snprintf(text, sizeof text, "%s%s%s%s %s %s", m->name, scope[0] != '\0' ? "{" : "", scope,
             scope[0] != '\0' ? "}" : "", stop_comparator_name(s->spec->comparator),
             metric_format(m, s->spec->threshold, value, sizeof value));
    lines_padded(l, s->spec->on_trigger == STOP_PASS ? "done if" : "stop if", LINES_LABEL_COLUMNS);
    lines_padded(l, text, CONDITION_COLUMNS);
    if (s->triggered) {
        lines_add(l, "  TRIGGERED");
    } else if (!s->active) {
        lines_add(l, "  not now");
    } else if (s->waiting) {
        lines_add(l, "  waits for a stream");
    }
    if (s->last.has_value) {
        lines_add(l, "  now %s", metric_format(m, s->last.value, value, sizeof value));
    }
    if (s->has_margin && !s->triggered) {
        lines_add(l, ", margin %s", metric_format(m, s->margin, value, sizeof value));
    }
    if (s->row > 0 && !s->triggered) {
        add_breach(l, s);
    }
    lines_add(l, "\n");
}

/* What is most pressing: 0, 1, 2 … as classes, so that lines move as little as possible. */
static int pressing(const struct stop_state *s)
{
    return s->triggered                     ? 0
           : s->row > 0                     ? 1
           : s->has_margin && s->margin < 0 ? 2
           : s->active                      ? 3
                                            : 4;
}

static void add_conditions(struct lines *l, const struct run *r)
{
    enum { CLASSES = 5 };
    size_t count = stop_count(r->conditions), shown = 0;

    for (int class = 0; class < CLASSES; class ++) {
        for (size_t i = 0; i < count && shown < CONDITIONS_SHOWN; i++) {
            struct stop_state state;

            stop_state(r->conditions, i, &state);
            if (pressing(&state) == class) {
                add_condition(l, &state);
                shown++;
            }
        }
    }
    if (count > shown) {
        lines_padded(l, "", LINES_LABEL_COLUMNS);
        lines_add(l, "and %zu more\n", count - shown);
    }
}

int panel_frame(const struct panel *p, const struct run *r, uint64_t now_ns, struct buf *out)
{
    struct lines l = {.out = out, .style = &p->screen.style};

    add_origin(&l, r);
    add_head(&l, r, now_ns);
    if (p->has_second) {
        add_load(&l, p, r, now_ns);
        add_offered(&l, p, r, now_ns);
        add_figures(&l, "now", &p->last);
        add_figures(&l, "in all", &p->total);
        add_total(&l, p);
        add_generator(&l, p);
        add_streams(&l, p);
        lines_sparks(&l, p->p99_ms, PANEL_SPARKS, p->second_count);
        add_conditions(&l, r);
    }
    if (l.rc == 0 && !p->screen.style.utf8) {
        text_to_ascii(out);
    }
    return l.rc;
}

/* A line stands for all seconds since the one before it, so that nothing falls between lines. */
static const struct metric_view *view_of_line(struct panel *p, const struct run *r, uint64_t second)
{
    struct aggregate_filter filter = aggregate_everything();
    uint64_t first = p->told_seconds <= second ? p->told_seconds : second;

    filter.dists = 1u << DIST_SERVICE | 1u << DIST_RESPONSE;
    if (!aggregate_view_seconds(r->books, &filter, first, second - first + 1, &p->line)) {
        return &p->last;
    }
    metric_view_whole_second(&p->line);
    return &p->line;
}

int panel_line(struct panel *p, const struct run *r, uint64_t second, struct buf *out)
{
    struct lines l = {.out = out, .style = &p->screen.style};
    const struct metric_view *v = view_of_line(p, r, second);
    char text[TEXT_NUMBER_MAX];
    double span_s = v->span_s > 0 ? v->span_s : 1;
    struct lines_second line = {
        .second = second,
        .state = run_state_name(r->state),
        .figures = figures_of(v),
        .due_rate = (double)v->open_count[COUNT_DUE] / span_s,
        .vus = v->gauges.active_vus,
        .in_flight = v->gauges.in_flight,
    };

    line.figures.rate = (double)ended(v) / span_s;
    lines_second(&l, &line);
    if (p->total.count[COUNT_STREAMS_STARTED] > 0) {
        lines_add(&l, "  %s streams", text_count(v->gauges.active_streams, text));
        lines_add(&l, "  %s events", text_count(v->count[COUNT_EVENTS], text));
        lines_add(&l, "  %s stalled in all",
                  text_count(p->total.count[COUNT_STREAMS_STALLED], text));
    }
    if (p->skipped > 0) {
        lines_add(&l, "  (%llu lines skipped)", (unsigned long long)p->skipped);
    }
    lines_add(&l, "\n");
    if (l.rc == 0 && !p->screen.style.utf8) {
        text_to_ascii(out);
    }
    return l.rc;
}

/* ---- on the terminal --------------------------------------------------------------------------
 */

void panel_begin(struct panel *p, const struct run *r)
{
    struct buf line;
    struct lines l = {.out = &line, .style = &p->screen.style};

    if (p->screen.style.terminal) {
        return; /* its frames say it */
    }
    buf_init(&line, PANEL_FRAME_MAX);
    add_origin(&l, r);
    if (l.rc == 0 && line.len > 0) {
        if (!p->screen.style.utf8) {
            text_to_ascii(&line);
        }
        (void)screen_put(&p->screen, &line);
    }
    buf_clear(&line);
}

void panel_second(struct panel *p, const struct run *r, uint64_t second)
{
    take_second(p, r, second);
    if (p->screen.style.terminal ||
        (second >= EVERY_SECOND_UNTIL && (second + 1) % LINE_STEP != 0)) {
        return;
    }
    struct buf line;

    buf_init(&line, PANEL_FRAME_MAX);
    if (panel_line(p, r, second, &line) == 0) {
        p->skipped = screen_put(&p->screen, &line) ? 0 : p->skipped + 1;
        p->told_seconds = second + 1;
    }
    buf_clear(&line);
}

void panel_draw(struct panel *p, const struct run *r, uint64_t now_ns)
{
    struct buf frame;

    if (!p->screen.style.terminal) {
        return;
    }
    buf_init(&frame, PANEL_FRAME_MAX);
    if (panel_frame(p, r, now_ns, &frame) == 0) {
        screen_draw(&p->screen, &frame);
    }
    buf_clear(&frame);
}

void panel_clear(struct panel *p)
{
    screen_clear(&p->screen);
}
