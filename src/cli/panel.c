/* SPDX-License-Identifier: MIT */
#include "cli/panel.h"

#include "base/mem.h"
#include "metrics/histogram.h"

#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LABEL_COLUMNS = 11,
    CONDITIONS_SHOWN = 6,
    CONDITION_COLUMNS = 40,
    BAR_COLUMNS = 20,
    ORIGIN_COLUMNS = 200,
    LAG_PPM = 990000,
    SHORT_SECONDS = 2,       /* an open load that falls short for so long is worth a colour */
    EVERY_SECOND_UNTIL = 30, /* then a plain line each LINE_STEP seconds */
    LINE_STEP = 5,
};

/* Shares of a second that a thread was busy: hints of what the verdict on validity looks at. */
static const double busy_warning = 0.80, busy_alarm = 0.95;
static const double rate_alarm = 0.95; /* share of what was due */

/* In front of a line of a frame: it is drawn in red. */
static const char alarm_mark = '\x01';

struct busy_mark {
    uint64_t busy_ns, wall_ns;
};

struct panel {
    int fd;
    struct text_style style;
    size_t drawn_lines;       /* what stands on the terminal */
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

    p->fd = fd;
    p->style = *style;
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

struct lines {
    struct buf *out;
    const struct text_style *style;
    int rc;
};

static void add(struct lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct lines *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (l->rc == 0) {
        l->rc = buf_vprintf(l->out, fmt, ap);
    }
    va_end(ap);
}

/* Before the first text of a line. */
static void add_alarm(struct lines *l)
{
    if (l->style->terminal && l->style->colour) {
        add(l, "%c", alarm_mark);
    }
}

static void add_padded(struct lines *l, const char *text, size_t width)
{
    if (l->rc == 0) {
        l->rc = text_add_left(l->out, str_c(text), width);
    }
}

/* A metric with its unit; "-" without a value, "shed" when its rank lies among the operations that
 * never started. */
static void
add_metric(struct lines *l, const struct metric_view *view, const char *name, size_t width)
{
    const struct metric *m = metric_find(str_c(name));
    char text[64] = "-";
    double value;

    if (metric_value(m, view, &value)) {
        metric_format(m, value, text, sizeof text);
    } else if (metric_shed(m, view)) {
        snprintf(text, sizeof text, "shed");
    }
    add_padded(l, text, width);
}

static void add_ratio(struct lines *l, uint64_t part, uint64_t whole)
{
    char count[TEXT_NUMBER_MAX], percent[TEXT_NUMBER_MAX];

    add(l, "%s", text_count(part, count));
    if (whole > 0) {
        add(l, " (%s)", text_percent((double)part / (double)whole, percent));
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

static void add_bar(struct lines *l, double share)
{
    int full = (int)(share * BAR_COLUMNS);

    add(l, " [");
    for (int i = 0; i < BAR_COLUMNS; i++) {
        add(l, "%s", i < full ? "=" : " ");
    }
    add(l, "] %.0f %%", floor(share * 100));
}

static void add_head(struct lines *l, const struct run *r, uint64_t now_ns)
{
    char spent[TEXT_NUMBER_MAX], planned[TEXT_NUMBER_MAX];

    add_padded(l, "run", LABEL_COLUMNS);
    add(l, "%s", run_state_name(r->state));
    if (r->stage >= 0 && r->stages[r->stage].started) {
        const struct run_stage *s = &r->stages[r->stage];
        uint64_t planned_ns = s->end_ns - s->start_ns;
        uint64_t spent_ns = now_ns > s->start_ns ? now_ns - s->start_ns : 0;
        double share = planned_ns > 0 ? (double)spent_ns / (double)planned_ns : 1;

        /* The state names its kind; an id may be long. */
        add(l, " · stage %d of %u · %s of %s", r->stage + 1, r->plan->stage_count,
            text_clock(spent_ns, spent), text_clock(planned_ns, planned));
        add_bar(l, share < 1 ? share : 1);
    }
    add(l, "\n");
}

/* What is tested, when that is known. The texts are the scenario's, or somebody's on a command
 * line.
 */
static void add_origin(struct lines *l, const struct run *r)
{
    if (r->origin == NULL || l->rc != 0) {
        return;
    }
    add_padded(l, "target", LABEL_COLUMNS);
    if (l->rc == 0) {
        l->rc = text_add_safe(l->out, str_c(r->origin->target_url), ORIGIN_COLUMNS);
    }
    add(l, " · ");
    if (l->rc == 0) {
        l->rc = text_add_safe(l->out, str_c(run_name(r)), ORIGIN_COLUMNS);
    }
    add(l, "\n");
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

    add_padded(l, "load", LABEL_COLUMNS);
    add(l, "%s", text_count(g->active_vus, number));
    if (stage != NULL && !stage->levels.sized) {
        uint32_t level = plan_level(r->plan, (uint32_t)r->stage, t_ns);
        if (level != g->active_vus) {
            add(l, " of %s planned", text_count(level, number));
        }
    }
    add(l, " VUs · %s sessions", text_count(g->active_sessions, number));
    add(l, " · %s connections", text_count(g->open_connections, number));
    add(l, " · %s in flight\n", text_count(g->in_flight, number));
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
        add_alarm(l);
    }
    add_padded(l, "offered", LABEL_COLUMNS);
    if (stage != NULL) {
        add(l, "%s planned · ", text_rate(plan_rate(r->plan, (uint32_t)r->stage, t_ns), number));
    }
    double span_s = v->span_s > 0 ? v->span_s : 1;
    add(l, "%s due", text_rate((double)v->open_count[COUNT_DUE] / span_s, number));
    add(l, " · %s started", text_rate((double)v->open_count[COUNT_STARTED] / span_s, number));
    if (v->open_count[COUNT_DUE] > 0) {
        add(l, " (%s)", text_percent(started_share(v), number));
    }
    add(l, " · %s waiting", text_count(waiting(&p->total), number));
    add(l, " · %s dropped\n", text_count(metric_dropped(&p->total), number));
}

/* "Latency" is the response time R in the open model and the service time S in the closed one. */
static const char *latency_letter(const struct metric_view *v)
{
    return v->open_model ? "R" : "S";
}

/* One of the two: the last second, the run. */
static void add_figures(struct lines *l, const char *label, const struct metric_view *v)
{
    char number[TEXT_NUMBER_MAX];

    add_padded(l, label, LABEL_COLUMNS);
    add_padded(l, text_rate(rate(v), number), 12);
    add(l, "  %s p50 ", latency_letter(v));
    add_metric(l, v, "latency_p50_ms", 9);
    add(l, "  p95 ");
    add_metric(l, v, "latency_p95_ms", 9);
    add(l, "  p99 ");
    add_metric(l, v, "latency_p99_ms", 9);
    add(l, "  failed ");
    add_ratio(l, v->count[COUNT_ENDED_FAILED], ended(v));
    add(l, "\n");
}

static void add_total(struct lines *l, const struct panel *p)
{
    char number[TEXT_NUMBER_MAX];

    add_padded(l, "operations", LABEL_COLUMNS);
    add(l, "%s started", text_count(p->total.count[COUNT_STARTED], number));
    add(l, " · %s ended\n", text_count(ended(&p->total), number));
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
        add_alarm(l);
    }
    add_padded(l, "generator", LABEL_COLUMNS);
    add(l, "busiest thread %s", text_percent(p->busy, number));
    if (p->busy > busy_warning) {
        add(l, ", near its limit");
    }
    if (lag != NULL) {
        late = hist_quantile(lag, LAG_PPM, 0);
    }
    if (late.kind == HIST_VALUE) {
        add(l, " · sends late by %s (p99)", text_time(late.value_ns, number));
    }
    if (own > 0) {
        add(l, " · %s failures of its own", text_count(own, number));
    }
    add(l, "\n");
}

static void add_streams(struct lines *l, const struct panel *p)
{
    const uint64_t *c = p->total.count;
    char number[TEXT_NUMBER_MAX];

    if (c[COUNT_STREAMS_STARTED] == 0) {
        return;
    }
    add_padded(l, "streams", LABEL_COLUMNS);
    add(l, "%s open", text_count(p->last.gauges.active_streams, number));
    double rate = p->last.span_s > 0 ? (double)p->last.count[COUNT_EVENTS] / p->last.span_s : 0;
    add(l, " · %s events", text_rate(rate, number));
    add(l, " · %s stalled", text_count(c[COUNT_STREAMS_STALLED], number));
    add(l, " · longest silence %s\n", text_time(p->last.gauges.oldest_event_age_ns, number));
}

/* The p99 of each of the last seconds, the newest at the right. */
static void add_sparks(struct lines *l, const struct panel *p)
{
    static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    uint64_t count = p->second_count < PANEL_SPARKS ? p->second_count : PANEL_SPARKS;
    double most = 0;
    char text[TEXT_NUMBER_MAX];

    for (uint64_t i = 0; i < count; i++) {
        most = p->p99_ms[i] > most ? p->p99_ms[i] : most;
    }
    add_padded(l, "p99", LABEL_COLUMNS);
    for (uint64_t i = p->second_count - count; i < p->second_count; i++) {
        double value = p->p99_ms[i % PANEL_SPARKS];
        int level = most > 0 ? (int)(value / most * 7.999) : 0;

        add(l, "%s", value < 0 ? " " : levels[level]);
    }
    if (most > 0) {
        add(l, " at most %s", text_time((uint64_t)(most * (double)NS_PER_MS), text));
    }
    add(l, "\n");
}

/* How long the row of breaches is by now, and how long it has to be. */
static void add_breach(struct lines *l, const struct stop_state *s)
{
    uint64_t window_ns = s->spec->window_ms * NS_PER_MS;
    char so_far[TEXT_NUMBER_MAX], limit[TEXT_NUMBER_MAX];

    add(l, ", breached for %s of %s", text_clock(s->row * window_ns, so_far),
        text_clock(s->spec->sustain_windows * window_ns, limit));
}

static void add_condition(struct lines *l, const struct stop_state *s)
{
    const struct metric *m = s->spec->metric;
    const char *scope = s->spec->scope_text != NULL ? s->spec->scope_text : "";
    char value[64], text[256];

    if (s->triggered || (s->has_margin && s->margin < 0)) {
        add_alarm(l);
    }
    snprintf(text, sizeof text, "%s%s%s%s %s %s", m->name, scope[0] != '\0' ? "{" : "", scope,
             scope[0] != '\0' ? "}" : "", stop_comparator_name(s->spec->comparator),
             metric_format(m, s->spec->threshold, value, sizeof value));
    add_padded(l, s->spec->on_trigger == STOP_PASS ? "done if" : "stop if", LABEL_COLUMNS);
    add_padded(l, text, CONDITION_COLUMNS);
    if (s->triggered) {
        add(l, "  TRIGGERED");
    } else if (!s->active) {
        add(l, "  not now");
    } else if (s->waiting) {
        add(l, "  waits for a stream");
    }
    if (s->last.has_value) {
        add(l, "  now %s", metric_format(m, s->last.value, value, sizeof value));
    }
    if (s->has_margin && !s->triggered) {
        add(l, ", margin %s", metric_format(m, s->margin, value, sizeof value));
    }
    if (s->row > 0 && !s->triggered) {
        add_breach(l, s);
    }
    add(l, "\n");
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
        add_padded(l, "", LABEL_COLUMNS);
        add(l, "and %zu more\n", count - shown);
    }
}

int panel_frame(const struct panel *p, const struct run *r, uint64_t now_ns, struct buf *out)
{
    struct lines l = {.out = out, .style = &p->style};

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
        add_sparks(&l, p);
        add_conditions(&l, r);
    }
    if (l.rc == 0 && !p->style.utf8) {
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
    struct lines l = {.out = out, .style = &p->style};
    const struct metric_view *v = view_of_line(p, r, second);
    char text[TEXT_NUMBER_MAX];
    double span_s = v->span_s > 0 ? v->span_s : 1;

    add(&l, "%4llu s  ", (unsigned long long)second + 1);
    add_padded(&l, run_state_name(r->state), 17);
    add(&l, "  %s", text_rate((double)ended(v) / span_s, text));
    if (v->open_count[COUNT_DUE] > 0) {
        add(&l, " of %s due", text_rate((double)v->open_count[COUNT_DUE] / span_s, text));
    }
    add(&l, "  failed ");
    add_ratio(&l, v->count[COUNT_ENDED_FAILED], ended(v));
    add(&l, "  %s p50 ", latency_letter(v));
    add_metric(&l, v, "latency_p50_ms", 0);
    add(&l, "  p99 ");
    add_metric(&l, v, "latency_p99_ms", 0);
    add(&l, "  %s VUs", text_count(v->gauges.active_vus, text));
    add(&l, "  %s in flight", text_count(v->gauges.in_flight, text));
    if (p->total.count[COUNT_STREAMS_STARTED] > 0) {
        add(&l, "  %s streams", text_count(v->gauges.active_streams, text));
        add(&l, "  %s events", text_count(v->count[COUNT_EVENTS], text));
        add(&l, "  %s stalled in all", text_count(p->total.count[COUNT_STREAMS_STALLED], text));
    }
    if (p->skipped > 0) {
        add(&l, "  (%llu lines skipped)", (unsigned long long)p->skipped);
    }
    add(&l, "\n");
    if (l.rc == 0 && !p->style.utf8) {
        text_to_ascii(out);
    }
    return l.rc;
}

/* ---- on the terminal --------------------------------------------------------------------------
 */

/* True when the whole was taken. Asks first, because a terminal may be stopped (Ctrl-S). */
static bool put(const struct panel *p, const struct buf *text)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLOUT};

    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0 &&
           write(p->fd, text->p, text->len) == (ssize_t)text->len;
}

void panel_begin(struct panel *p, const struct run *r)
{
    struct buf line;
    struct lines l = {.out = &line, .style = &p->style};

    if (p->style.terminal) {
        return; /* its frames say it */
    }
    buf_init(&line, PANEL_FRAME_MAX);
    add_origin(&l, r);
    if (l.rc == 0 && line.len > 0) {
        if (!p->style.utf8) {
            text_to_ascii(&line);
        }
        (void)put(p, &line);
    }
    buf_clear(&line);
}

void panel_second(struct panel *p, const struct run *r, uint64_t second)
{
    take_second(p, r, second);
    if (p->style.terminal || (second >= EVERY_SECOND_UNTIL && (second + 1) % LINE_STEP != 0)) {
        return;
    }
    struct buf line;

    buf_init(&line, PANEL_FRAME_MAX);
    if (panel_line(p, r, second, &line) == 0) {
        p->skipped = put(p, &line) ? 0 : p->skipped + 1;
        p->told_seconds = second + 1;
    }
    buf_clear(&line);
}

/* One line over the one that stands there, no wider than the terminal. */
static int compose_line(const struct panel *p, struct str line, struct buf *out)
{
    bool alarm = line.len > 0 && line.p[0] == alarm_mark;

    if (alarm) {
        line = (struct str){line.p + 1, line.len - 1};
    }
    int rc = alarm ? buf_add_c(out, "\x1b[31m") : 0;
    if (rc == 0) {
        rc = text_add_safe(out, line, p->style.columns - 1);
    }
    return rc != 0 ? rc : buf_add_c(out, alarm ? "\x1b[0m\x1b[K\n" : "\x1b[K\n");
}

/* The lines of a frame over those of the frame before. */
static int compose(const struct panel *p, const struct buf *frame, struct buf *out, size_t *lines)
{
    int rc = p->drawn_lines > 0 ? buf_printf(out, "\r\x1b[%zuA", p->drawn_lines) : 0;
    size_t at = 0;

    for (*lines = 0; rc == 0 && at < frame->len; ++*lines) {
        const char *end = memchr(frame->p + at, '\n', frame->len - at);
        size_t len = end != NULL ? (size_t)(end - frame->p) - at : frame->len - at;

        rc = compose_line(p, (struct str){frame->p + at, len}, out);
        at += len + 1;
    }
    if (rc == 0) {
        rc = buf_add_c(out, "\x1b[J");
    }
    /* The frame is ASCII already; what marks a cut line is not. */
    if (rc == 0 && !p->style.utf8) {
        text_to_ascii(out);
    }
    return rc;
}

void panel_draw(struct panel *p, const struct run *r, uint64_t now_ns)
{
    struct buf frame, out;
    size_t lines;

    if (!p->style.terminal) {
        return;
    }
    p->style.columns = text_style_of(p->fd).columns;
    buf_init(&frame, PANEL_FRAME_MAX);
    buf_init(&out, (size_t)PANEL_FRAME_MAX * 2);
    if (panel_frame(p, r, now_ns, &frame) == 0 && compose(p, &frame, &out, &lines) == 0 &&
        put(p, &out)) {
        p->drawn_lines = lines;
    }
    buf_clear(&out);
    buf_clear(&frame);
}

void panel_clear(struct panel *p)
{
    struct buf out;

    if (p->drawn_lines == 0) {
        return;
    }
    buf_init(&out, 64);
    buf_printf(&out, "\r\x1b[%zuA\x1b[J", p->drawn_lines);
    (void)put(p, &out);
    buf_clear(&out);
    p->drawn_lines = 0;
}
