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
    CONDITIONS_SHOWN = 4,
    BAR_COLUMNS = 20,
    EVERY_SECOND_UNTIL = 30, /* then a plain line each LINE_STEP seconds */
    LINE_STEP = 5,
};

struct panel {
    int fd;
    struct text_style style;
    size_t drawn_lines;       /* what stands on the terminal */
    uint64_t skipped;         /* plain lines that nobody took */
    struct metric_view last;  /* the newest complete second */
    struct metric_view total; /* the run so far */
    bool has_second;
    double p99_ms[PANEL_SPARKS]; /* ring by second; negative: no value */
    uint64_t second_count;
    uint64_t busy_ns, wall_ns; /* of all sources, so far */
    double busy;               /* share, since the second before; negative: unknown */
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
        metric_view_clear(&p->total);
        xfree(p);
    }
}

/* ---- taking a second --------------------------------------------------------------------------
 */

static void take_busy(struct panel *p, const struct run *r)
{
    uint64_t busy_ns = 0, wall_ns = 0;

    for (uint32_t i = 0; i < r->workers_->source_count; i++) {
        struct aggregate_source source;

        aggregate_source(r->books, i, &source);
        busy_ns += source.busy_ns;
        wall_ns += source.wall_ns;
    }
    if (wall_ns > p->wall_ns) {
        p->busy = (double)(busy_ns - p->busy_ns) / (double)(wall_ns - p->wall_ns);
    }
    p->busy_ns = busy_ns;
    p->wall_ns = wall_ns;
}

static void take_second(struct panel *p, const struct run *r, uint64_t second)
{
    struct aggregate_filter filter = aggregate_everything();
    double value;

    filter.dists = 1u << DIST_SERVICE | 1u << DIST_RESPONSE;
    if (!aggregate_view_seconds(r->books, &filter, second, 1, &p->last)) {
        metric_view_reset(&p->last);
    }
    aggregate_view_total(r->books, &filter, &p->total);
    p->has_second = true;
    bool has = metric_value(metric_find(STR("latency_p99_ms")), &p->last, &value);
    p->p99_ms[p->second_count++ % PANEL_SPARKS] = has ? value : -1;
    take_busy(p, r);
}

/* ---- pieces -----------------------------------------------------------------------------------
 */

struct lines {
    struct buf *out;
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

static void add_padded(struct lines *l, const char *text, size_t width)
{
    if (l->rc == 0) {
        l->rc = text_add_left(l->out, str_c(text), width);
    }
}

/* A metric with its unit; "-" without a value. */
static void
add_metric(struct lines *l, const struct metric_view *view, const char *name, size_t width)
{
    const struct metric *m = metric_find(str_c(name));
    char text[64] = "-";
    double value;

    if (metric_value(m, view, &value)) {
        metric_format(m, value, text, sizeof text);
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
        const struct stage_config *config = r->plan->stages[r->stage].config;
        uint64_t spent_ns = now_ns > s->start_ns ? now_ns - s->start_ns : 0;
        double share = (double)spent_ns / (double)config->duration_ns;

        /* The state names its kind; an id may be long. */
        add(l, " · stage %d of %u · %s of %s", r->stage + 1, r->plan->stage_count,
            text_clock(spent_ns, spent), text_clock(config->duration_ns, planned));
        add_bar(l, share < 1 ? share : 1);
    }
    add(l, "\n");
}

static void add_load(struct lines *l, const struct panel *p)
{
    const struct window_gauges *g = &p->last.gauges;
    char number[TEXT_NUMBER_MAX];

    add_padded(l, "load", LABEL_COLUMNS);
    add(l, "%s VUs", text_count(g->active_vus, number));
    add(l, " · %s sessions", text_count(g->active_sessions, number));
    add(l, " · %s connections", text_count(g->open_connections, number));
    add(l, " · %s in flight\n", text_count(g->in_flight, number));
}

/* One of the two: the last second, the run. */
static void add_figures(struct lines *l, const char *label, const struct metric_view *v)
{
    char rate[TEXT_NUMBER_MAX];

    add_padded(l, label, LABEL_COLUMNS);
    add_padded(l, text_rate(v->span_s > 0 ? (double)ended(v) / v->span_s : 0, rate), 12);
    add(l, "  p50 ");
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
    add(l, " · %s ended", text_count(ended(&p->total), number));
    if (p->busy >= 0) {
        add(l, " · generator busy %s", text_percent(p->busy, number));
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

static void add_condition(struct lines *l, const struct stop_state *s)
{
    const struct metric *m = s->spec->metric;
    char value[64], text[256];

    snprintf(text, sizeof text, "%s %s %s", m->name, stop_comparator_name(s->spec->comparator),
             metric_format(m, s->spec->threshold, value, sizeof value));
    add_padded(l, "stop if", LABEL_COLUMNS);
    add_padded(l, text, 40);
    if (s->triggered) {
        add(l, "  TRIGGERED");
    } else if (!s->active) {
        add(l, "  not now");
    }
    if (s->last.has_value) {
        add(l, "  now %s", metric_format(m, s->last.value, value, sizeof value));
    }
    if (s->has_margin && !s->triggered) {
        add(l, ", margin %s", metric_format(m, s->margin, value, sizeof value));
    }
    if (s->row > 0 && !s->triggered) {
        add(l, ", %u of %u windows", s->row, s->spec->sustain_windows);
    }
    add(l, "\n");
}

static void add_conditions(struct lines *l, const struct run *r)
{
    size_t count = stop_count(r->conditions);

    for (size_t i = 0; i < count && i < CONDITIONS_SHOWN; i++) {
        struct stop_state state;

        stop_state(r->conditions, i, &state);
        add_condition(l, &state);
    }
    if (count > CONDITIONS_SHOWN) {
        add_padded(l, "", LABEL_COLUMNS);
        add(l, "and %zu more\n", count - CONDITIONS_SHOWN);
    }
}

int panel_frame(const struct panel *p, const struct run *r, uint64_t now_ns, struct buf *out)
{
    struct lines l = {.out = out};

    add_head(&l, r, now_ns);
    if (p->has_second) {
        add_load(&l, p);
        add_figures(&l, "now", &p->last);
        add_figures(&l, "in all", &p->total);
        add_total(&l, p);
        add_streams(&l, p);
        add_sparks(&l, p);
        add_conditions(&l, r);
    }
    if (l.rc == 0 && !p->style.utf8) {
        text_to_ascii(out);
    }
    return l.rc;
}

int panel_line(const struct panel *p, const struct run *r, uint64_t second, struct buf *out)
{
    struct lines l = {.out = out};
    const struct metric_view *v = &p->last;
    char text[TEXT_NUMBER_MAX];

    add(&l, "%4llu s  ", (unsigned long long)second + 1);
    add_padded(&l, run_state_name(r->state), 17);
    add(&l, "  %s", text_rate(v->span_s > 0 ? (double)ended(v) / v->span_s : 0, text));
    add(&l, "  failed ");
    add_ratio(&l, v->count[COUNT_ENDED_FAILED], ended(v));
    add(&l, "  p50 ");
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
    }
    buf_clear(&line);
}

/* The lines of a frame, none wider than the terminal, over those of the frame before. */
static int compose(struct panel *p, const struct buf *frame, struct buf *out, size_t *lines)
{
    int rc = p->drawn_lines > 0 ? buf_printf(out, "\r\x1b[%zuA", p->drawn_lines) : 0;
    size_t at = 0;

    for (*lines = 0; rc == 0 && at < frame->len; ++*lines) {
        const char *end = memchr(frame->p + at, '\n', frame->len - at);
        size_t len = end != NULL ? (size_t)(end - frame->p) - at : frame->len - at;

        rc = text_add_safe(out, (struct str){frame->p + at, len}, p->style.columns - 1);
        if (rc == 0) {
            rc = buf_add_c(out, "\x1b[K\n");
        }
        at += len + 1;
    }
    return rc != 0 ? rc : buf_add_c(out, "\x1b[J");
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
