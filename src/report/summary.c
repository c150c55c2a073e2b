/* SPDX-License-Identifier: MIT */
#include "report/summary.h"

#include "base/mem.h"
#include "metrics/histogram.h"
#include "report/result_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMNS = 13, OPERATIONS_SHOWN = 8, ERRORS_SHOWN = 5, CONDITIONS_SHOWN = 8 };

#define RED    "\x1b[31m"
#define GREEN  "\x1b[32m"
#define YELLOW "\x1b[33m"
#define BOLD   "\x1b[1m"
#define PLAIN  "\x1b[0m"

/* The first failure to write sticks: the callers need not look at each. */
struct page {
    struct buf *out;
    int rc;
    const struct run *run;
    const struct text_style *style;
};

static void add(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct page *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (p->rc == 0) {
        p->rc = buf_vprintf(p->out, fmt, ap);
    }
    va_end(ap);
}

static void add_padded(struct page *p, const char *text, size_t width)
{
    if (p->rc == 0) {
        p->rc = text_add_left(p->out, str_c(text), width);
    }
}

/* A text that somebody else wrote. */
static void add_foreign(struct page *p, struct str text, size_t columns)
{
    if (p->rc == 0) {
        p->rc = text_add_safe(p->out, text, columns);
    }
}

static void add_colour(struct page *p, const char *sequence)
{
    if (p->style->colour) {
        add(p, "%s", sequence);
    }
}

/* The word in front of a line; rows below it have blanks there. */
static void label(struct page *p, const char *word)
{
    add_padded(p, word, LABEL_COLUMNS);
}

/* ---- the verdict ------------------------------------------------------------------------------
 */

/* Did the checks keep the load from beginning? */
static bool without_load(const struct run *r)
{
    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        if (r->stages[i].started) {
            return false;
        }
    }
    return true;
}

static void add_verdict(struct page *p)
{
    static const struct {
        const char *word, *colour;
    } verdicts[] = {
        [RUN_VERDICT_NONE] = {"NO VERDICT", YELLOW},
        [RUN_PASSED] = {"PASSED", GREEN},
        [RUN_VERDICT_FAILED] = {"FAILED", RED},
        [RUN_INVALID] = {"INVALID", YELLOW},
    };
    const struct run *r = p->run;
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {.span_s = 0};
    char count[TEXT_NUMBER_MAX];

    add_colour(p, BOLD);
    add_colour(p, verdicts[r->verdict].colour);
    add(p, "%s", verdicts[r->verdict].word);
    add_colour(p, PLAIN);
    if (r->stop.signo != 0) {
        add(p, " · interrupted, partial result");
    }
    if (without_load(r)) {
        add(p, "%s · no load was generated",
            r->stop.kind == RUN_STOP_PREFLIGHT ? " · preflight" : "");
    } else {
        filter.dists = 0;
        aggregate_view_total(r->books, &filter, &view);
        add(p, " · %s · %s operations", r->validity,
            text_count(view.count[COUNT_ENDED_OK] + view.count[COUNT_ENDED_FAILED], count));
        metric_view_clear(&view);
    }
    add(p, " · seed %llu\n", (unsigned long long)r->plan->seed);
}

static void add_reason(struct page *p)
{
    const struct run *r = p->run;
    const char *sentence = r->stop.sentence;
    char took[TEXT_NUMBER_MAX];

    if (sentence[0] == '\0') {
        sentence = r->stop.kind == RUN_STOP_COMPLETED ? "the plan ran to its end"
                                                      : run_stop_name(r->stop.kind);
    }
    label(p, "ended");
    add_foreign(p, str_c(sentence), sizeof r->stop.sentence);
    if (r->ended_ms >= r->started_ms && r->started_ms > 0) {
        add(p, " · %s in all", text_clock((r->ended_ms - r->started_ms) * NS_PER_MS, took));
    }
    add(p, "\n");
}

/* ---- checks before the load -------------------------------------------------------------------
 */

static void add_mark(struct page *p, bool ok)
{
    const char *mark = p->style->utf8 ? (ok ? "✓" : "✗") : (ok ? "ok  " : "FAIL");

    add_colour(p, ok ? GREEN : RED);
    add(p, "  %s ", mark);
    add_colour(p, PLAIN);
}

static void add_checks(struct page *p)
{
    const struct check_list *checks = &p->run->checks;
    char took[TEXT_NUMBER_MAX], code[64];

    if (!p->run->checked) {
        return;
    }
    add(p, "\nchecks\n");
    for (size_t i = 0; i < checks->count; i++) {
        const struct check *c = &checks->items[i];

        add_mark(p, c->ok);
        add_padded(p, c->name, 14);
        add(p, "%s", text_time(c->latency_ns, took));
        if (!c->ok) {
            add(p, " · %s", error_code_name(c->code, c->number, code, sizeof code));
        }
        add(p, "\n");
        if (c->message[0] != '\0') {
            add(p, "      ");
            add_foreign(p, str_c(c->message), sizeof c->message);
            add(p, "\n");
        }
        if (!c->ok && c->remediation[0] != '\0') {
            add(p, "      what to do: ");
            add_foreign(p, str_c(c->remediation), sizeof c->remediation);
            add(p, "\n");
        }
    }
}

static void add_warnings(struct page *p)
{
    for (size_t i = 0; p->run->checked && i < p->run->checks.warning_count; i++) {
        label(p, i == 0 ? "warning" : "");
        add_foreign(p, str_c(p->run->checks.warnings[i]), sizeof p->run->checks.warnings[i]);
        add(p, "\n");
    }
}

/* ---- conditions, stages, rates ----------------------------------------------------------------
 */

static void add_expression(struct page *p, const struct stop_spec *spec)
{
    char text[256], limit[64];
    int len = snprintf(text, sizeof text, "%s %s %s", spec->metric->name,
                       stop_comparator_name(spec->comparator),
                       metric_format(spec->metric, spec->threshold, limit, sizeof limit));

    if (spec->sustain_windows > 1 && len > 0 && (size_t)len < sizeof text) {
        snprintf(text + len, sizeof text - (size_t)len, " for %u x %llu s", spec->sustain_windows,
                 (unsigned long long)((spec->window_ms + 999) / 1000));
    } else if (!spec->metric->since_begin && len > 0 && (size_t)len < sizeof text) {
        snprintf(text + len, sizeof text - (size_t)len, " in %llu s",
                 (unsigned long long)((spec->window_ms + 999) / 1000));
    }
    add_padded(p, text, 44);
}

static void add_condition(struct page *p, const struct stop_state *s)
{
    char value[64], text[80] = "no value";

    add_expression(p, s->spec);
    if (s->has_worst || s->last.has_value) {
        metric_format(s->spec->metric, s->has_worst ? s->worst : s->last.value, value,
                      sizeof value);
        snprintf(text, sizeof text, "%s %s", s->has_worst ? "worst" : "last", value);
    }
    add(p, " ");
    add_padded(p, text, 16);
    if (s->triggered) {
        add_colour(p, s->spec->on_trigger == STOP_PASS ? GREEN : RED);
        add(p, " %s", s->spec->on_trigger == STOP_PASS ? "reached" : "TRIGGERED");
        add_colour(p, PLAIN);
    } else {
        add(p, " %s", s->breached ? "passed the limit, not for long enough" : "not reached");
    }
    add(p, "\n");
}

static void add_conditions(struct page *p)
{
    size_t count = stop_count(p->run->conditions);

    for (size_t i = 0; i < count && i < CONDITIONS_SHOWN; i++) {
        struct stop_state state;

        stop_state(p->run->conditions, i, &state);
        label(p, i == 0 ? "conditions" : "");
        add_condition(p, &state);
    }
    if (count > CONDITIONS_SHOWN) {
        label(p, "");
        add(p, "and %zu more, in the result\n", count - CONDITIONS_SHOWN);
    }
}

static void add_stage_rate(struct page *p, uint32_t stage)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {.span_s = 0};
    char rate[TEXT_NUMBER_MAX];

    filter.stage_index = (int32_t)stage;
    filter.dists = 0;
    aggregate_view_total(p->run->books, &filter, &view);
    if (view.span_s > 0) {
        uint64_t ended = view.count[COUNT_ENDED_OK] + view.count[COUNT_ENDED_FAILED];
        add(p, ", %s", text_rate((double)ended / view.span_s, rate));
    }
    metric_view_clear(&view);
}

static void add_stages(struct page *p)
{
    const struct run *r = p->run;
    char lasted[TEXT_NUMBER_MAX], planned[TEXT_NUMBER_MAX];

    for (uint32_t i = 0; r->plan->stage_count > 1 && i < r->plan->stage_count; i++) {
        const struct run_stage *s = &r->stages[i];
        const struct plan_stage *stage = &r->plan->stages[i];
        uint64_t end_ns = s->ended ? s->end_ns : r->end_ns;

        label(p, i == 0 ? "stages" : "");
        add(p, "%s %s: ", stage_kind_name(stage->config->kind), stage->config->stage_id);
        if (s->started) {
            add(p, "%s of %s, %u VUs",
                text_clock(end_ns > s->start_ns ? end_ns - s->start_ns : 0, lasted),
                text_clock(stage->config->duration_ns, planned), stage->levels.vus);
            add_stage_rate(p, i);
            add(p, "\n");
        } else {
            add(p, "not started\n");
        }
    }
}

static void add_ratio(struct page *p, uint64_t part, uint64_t whole)
{
    char percent[TEXT_NUMBER_MAX];

    if (whole > 0) {
        add(p, " (%s)", text_percent((double)part / (double)whole, percent));
    }
}

static void add_rates(struct page *p, const struct metric_view *view)
{
    const uint64_t *c = view->count;
    uint64_t ended = c[COUNT_ENDED_OK] + c[COUNT_ENDED_FAILED];
    char text[TEXT_NUMBER_MAX];

    label(p, "rate");
    if (view->span_s > 0) {
        add(p, "%s · ", text_rate((double)ended / view->span_s, text));
    }
    add(p, "%s started · ", text_count(c[COUNT_STARTED], text));
    add(p, "%s succeeded · ", text_count(c[COUNT_ENDED_OK], text));
    add(p, "%s failed", text_count(c[COUNT_ENDED_FAILED], text));
    add_ratio(p, c[COUNT_ENDED_FAILED], ended);
    add(p, " · %s unfinished\n", text_count(c[COUNT_UNFINISHED], text));
}

/* ---- latencies --------------------------------------------------------------------------------
 */

enum { LATENCY_COLUMNS = 7, LATENCY_ROWS = OPERATIONS_SHOWN * 3, CELL_MAX = TEXT_NUMBER_MAX + 8 };

struct latency_row {
    bool first; /* of its operation */
    uint32_t operation;
    char clock;
    char cell[LATENCY_COLUMNS][CELL_MAX];
};

struct latency_table {
    size_t count;
    size_t width[LATENCY_COLUMNS], name_width;
    struct latency_row rows[LATENCY_ROWS];
};

static const struct {
    const char *title;
    uint32_t ppm; /* 1000000: the maximum; 0: the number of samples */
} latency_columns[LATENCY_COLUMNS] = {
    {"p50", 500000},   {"p90", 900000},  {"p95", 950000}, {"p99", 990000},
    {"p99.9", 999000}, {"max", 1000000}, {"n", 0},
};

static void latency_cell(const struct hist_total *t, uint32_t ppm, char *out)
{
    char text[TEXT_NUMBER_MAX];
    uint64_t n = t->head.count;

    if (ppm == 0) {
        snprintf(out, CELL_MAX, "%s", text_count(n, text));
        return;
    }
    if (ppm < 1000000 && n < hist_samples_needed(ppm)) {
        snprintf(out, CELL_MAX, "n/a (n=%llu)", (unsigned long long)n);
        return;
    }
    struct hist_quantile q = hist_quantile(t, ppm, 0);
    snprintf(out, CELL_MAX, "%s%s", q.lower_bound ? "≥ " : "",
             text_time(ppm == 1000000 ? t->head.max : q.value_ns, text));
}

/* The name of an operation as far as it tells it from the others. */
static void operation_title(const struct run *r, uint32_t i, char *out, size_t size)
{
    const struct plan_operation *o = &r->plan->operations[i];
    const char *what = o->tool_name != NULL     ? o->tool_name
                       : o->prompt_name != NULL ? o->prompt_name
                                                : o->uri;
    bool twice = false;

    for (uint32_t j = 0; j < r->plan->operation_count && what != NULL; j++) {
        const char *other = r->plan->operations[j].tool_name;
        twice = twice || (j != i && other != NULL && strcmp(other, what) == 0);
    }
    snprintf(out, size, "%s%s%s%s%s%s", operation_name(o->kind), what != NULL ? " " : "",
             what != NULL ? what : "", twice && o->template_id != NULL ? " [" : "",
             twice && o->template_id != NULL ? o->template_id : "",
             twice && o->template_id != NULL ? "]" : "");
}

static void
add_latency_rows(struct latency_table *t, uint32_t operation, const struct metric_view *view)
{
    static const struct {
        char letter;
        enum dist dist;
    } clocks[] = {{'S', DIST_SERVICE}, {'R', DIST_RESPONSE}, {'L', DIST_LAG}};
    bool first = true;

    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        const struct hist_total *samples = view->dist[clocks[i].dist];

        if (samples == NULL || samples->head.count == 0) {
            continue;
        }
        struct latency_row *row = &t->rows[t->count++];
        row->first = first;
        row->operation = operation;
        row->clock = clocks[i].letter;
        first = false;
        for (size_t j = 0; j < LATENCY_COLUMNS; j++) {
            latency_cell(samples, latency_columns[j].ppm, row->cell[j]);
            size_t width = text_width(str_c(row->cell[j]));
            t->width[j] = width > t->width[j] ? width : t->width[j];
        }
    }
}

/* Returns how many operations had samples and found no place. */
static uint32_t fill_latencies(const struct run *r, struct latency_table *t)
{
    struct metric_view view = {.span_s = 0};
    uint32_t shown = 0, left = 0;
    char title[160];

    for (size_t i = 0; i < LATENCY_COLUMNS; i++) {
        t->width[i] = strlen(latency_columns[i].title);
    }
    for (uint32_t i = 0; i < r->plan->operation_count; i++) {
        result_operation_view(r, -1, i, &view);
        if (view.dist[DIST_LAG] == NULL || view.dist[DIST_LAG]->head.count == 0) {
            continue;
        }
        if (shown == OPERATIONS_SHOWN) {
            left++;
            continue;
        }
        shown++;
        operation_title(r, i, title, sizeof title);
        size_t width = text_width(str_c(title));
        t->name_width = width > t->name_width ? width : t->name_width;
        add_latency_rows(t, i, &view);
    }
    metric_view_clear(&view);
    return left;
}

enum { NAME_COLUMNS_MAX = 36 };

static void add_latency_name(struct page *p, const struct latency_row *row, size_t width)
{
    char title[160];
    struct buf cut;

    buf_init(&cut, sizeof title * 4);
    if (row->first) {
        operation_title(p->run, row->operation, title, sizeof title);
        (void)text_add_safe(&cut, str_c(title), width);
    }
    add(p, "  ");
    add_padded(p, buf_c(&cut), width);
    add(p, " %c", row->clock);
    buf_clear(&cut);
}

static void add_latencies(struct page *p, bool open_model)
{
    struct latency_table *t = xcalloc(1, sizeof *t);
    uint32_t left = fill_latencies(p->run, t);
    size_t width = t->name_width < NAME_COLUMNS_MAX ? t->name_width : NAME_COLUMNS_MAX;

    if (t->count > 0) {
        add(p, "\n");
        add_padded(p, "latency", 2 + width + 2);
        for (size_t i = 0; i < LATENCY_COLUMNS && p->rc == 0; i++) {
            add(p, "  ");
            p->rc = text_add_right(p->out, str_c(latency_columns[i].title), t->width[i]);
        }
        add(p, "\n");
    }
    for (size_t i = 0; i < t->count; i++) {
        add_latency_name(p, &t->rows[i], width);
        for (size_t j = 0; j < LATENCY_COLUMNS && p->rc == 0; j++) {
            add(p, "  ");
            p->rc = text_add_right(p->out, str_c(t->rows[i].cell[j]), t->width[j]);
        }
        add(p, "\n");
    }
    if (left > 0) {
        add(p, "  and %u more operations, in the result\n", left);
    }
    if (t->count > 0) {
        add(p, "  S sent to ended, R due to ended, L due to sent; \"latency\" is %s\n\n",
            open_model ? "R" : "S");
    }
    xfree(t);
}

/* ---- streams, sessions, generator --------------------------------------------------------------
 */

/* " · WHAT p95 VALUE", when there are samples enough; n/a otherwise. */
static void add_p95(struct page *p, const struct metric_view *view, enum dist id, const char *what)
{
    const struct hist_total *t = view->dist[id];
    char cell[CELL_MAX];

    if (t != NULL && t->head.count > 0) {
        latency_cell(t, 950000, cell);
        add(p, " · %s p95 %s", what, cell);
    }
}

static void add_streams(struct page *p, const struct metric_view *view)
{
    const uint64_t *c = view->count;
    char text[TEXT_NUMBER_MAX];

    if (c[COUNT_STREAMS_STARTED] == 0 && c[COUNT_NOT_STREAMED] == 0) {
        return;
    }
    label(p, "streams");
    add(p, "%s opened · ", text_count(c[COUNT_STREAMS_STARTED], text));
    add(p, "%s completed · ", text_count(c[COUNT_STREAMS_COMPLETED], text));
    add(p, "%s failed", text_count(c[COUNT_STREAMS_FAILED], text));
    add_ratio(p, c[COUNT_STREAMS_FAILED], c[COUNT_STREAMS_ENDED]);
    add(p, ", %s stalled", text_count(c[COUNT_STREAMS_STALLED], text));
    if (c[COUNT_NOT_STREAMED] > 0) {
        add(p, " · %s expected and not streamed", text_count(c[COUNT_NOT_STREAMED], text));
    }
    add(p, "\n");
    label(p, "events");
    add(p, "%s", text_count(c[COUNT_EVENTS], text));
    if (view->span_s > 0) {
        add(p, " · %s", text_rate((double)c[COUNT_EVENTS] / view->span_s, text));
    }
    add_p95(p, view, DIST_FIRST_EVENT, "first event");
    add_p95(p, view, DIST_GAP, "gap");
    add(p, "\n");
}

static void add_sessions(struct page *p, const struct metric_view *view)
{
    const uint64_t *c = view->count;
    char text[TEXT_NUMBER_MAX];

    label(p, "sessions");
    add(p, "%s created · ", text_count(c[COUNT_SESSIONS_CREATED], text));
    add(p, "%s failed to set up · ", text_count(c[COUNT_SESSIONS_FAILED], text));
    add(p, "%s lost", text_count(c[COUNT_SESSIONS_LOST], text));
    add_p95(p, view, DIST_SESSION, "set-up");
    add(p, "\n");
    label(p, "connections");
    add(p, "%s tried · ", text_count(c[COUNT_CONNECT_ATTEMPTS], text));
    add(p, "%s failed", text_count(c[COUNT_CONNECT_FAILURES], text));
    add_ratio(p, c[COUNT_CONNECT_FAILURES], c[COUNT_CONNECT_ATTEMPTS]);
    add_p95(p, view, DIST_CONNECT, "set-up");
    add(p, " · %s in", text_bytes((double)c[COUNT_BYTES_IN], text));
    add(p, " · %s out\n", text_bytes((double)c[COUNT_BYTES_OUT], text));
}

static void add_generator(struct page *p, const struct metric_view *view)
{
    uint32_t count = result_source_count(p->run);
    uint64_t busy_ns = 0, wall_ns = 0;
    double most = 0;
    char text[TEXT_NUMBER_MAX];

    for (uint32_t i = 0; i < count; i++) {
        struct aggregate_source source;

        aggregate_source(p->run->books, i, &source);
        busy_ns += source.busy_ns;
        wall_ns += source.wall_ns;
        most = source.busy_max > most ? source.busy_max : most;
    }
    label(p, "generator");
    add(p, "%u shard%s", count, count == 1 ? "" : "s");
    if (wall_ns > 0) {
        add(p, " · busy %s on average", text_percent((double)busy_ns / (double)wall_ns, text));
        add(p, ", %s at most", text_percent(most, text));
    }
    if (view->dist[DIST_TOOL_LAG] != NULL && view->dist[DIST_TOOL_LAG]->head.count > 0) {
        char cell[CELL_MAX];
        latency_cell(view->dist[DIST_TOOL_LAG], 990000, cell);
        add(p, " · own lateness p99 %s", cell);
    }
    add(p, "\n");
}

static void add_evidence(struct page *p)
{
    struct str rest = buf_str(&p->run->evidence);

    for (bool first = true; rest.len > 0; first = false) {
        const char *end = memchr(rest.p, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;

        label(p, first ? "validity" : "");
        add_foreign(p, (struct str){rest.p, len}, 240);
        add(p, "\n");
        len += end != NULL;
        rest = (struct str){rest.p + len, rest.len - len};
    }
}

/* ---- errors -----------------------------------------------------------------------------------
 */

static void add_error(struct page *p, const struct aggregate_failure *f, uint64_t failed)
{
    char count[TEXT_NUMBER_MAX], share[TEXT_NUMBER_MAX], code[64];

    add(p, "  %9s  %7s  ", text_count(f->failure.count, count),
        text_percent(failed > 0 ? (double)f->failure.count / (double)failed : 0, share));
    if (f->is_other) {
        add(p, "others, beyond the table\n");
        return;
    }
    add(p, "%s %s, origin %s\n", error_type_name(f->failure.type),
        error_code_name(f->failure.code, f->failure.number, code, sizeof code),
        error_origin_name(f->failure.origin));
    if (f->failure.sample_len > 0) {
        add(p, "                      ");
        add_foreign(p, (struct str){f->failure.sample, f->failure.sample_len}, 100);
        add(p, "\n");
    }
}

static void add_errors(struct page *p, const struct metric_view *view)
{
    const struct aggregate_failure *rows[ERRORS_SHOWN + 1];
    size_t count = aggregate_failures(p->run->books, rows, ERRORS_SHOWN + 1);
    uint64_t failed = view->count[COUNT_ENDED_FAILED];
    char number[TEXT_NUMBER_MAX];

    if (count == 0) {
        return;
    }
    add(p, "\nerrors of %s failed operations, by signature\n", text_count(failed, number));
    for (size_t i = 0; i < count && i < ERRORS_SHOWN; i++) {
        add_error(p, rows[i], failed);
    }
    if (count > ERRORS_SHOWN) {
        add(p, "  and more kinds, in the result\n");
    }
    add(p, "\n");
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static void add_load(struct page *p)
{
    struct aggregate_filter everything = aggregate_everything();
    struct metric_view view = {.span_s = 0};

    aggregate_view_total(p->run->books, &everything, &view);
    add_conditions(p);
    add_stages(p);
    add_rates(p, &view);
    add_latencies(p, view.open_model);
    add_streams(p, &view);
    add_sessions(p, &view);
    add_errors(p, &view);
    add_generator(p, &view);
    add_evidence(p);
    metric_view_clear(&view);
}

static int finish(struct page *p)
{
    if (p->rc == 0 && !p->style->utf8) {
        text_to_ascii(p->out);
    }
    return p->rc;
}

int summary_verdict(const struct run *r, const struct text_style *style, struct buf *out)
{
    struct page p = {.out = out, .run = r, .style = style};

    add_verdict(&p);
    return finish(&p);
}

int summary_write(const struct run *r, const struct summary_options *options, struct buf *out)
{
    struct page p = {.out = out, .run = r, .style = &options->style};
    char line[256];

    add_verdict(&p);
    add_reason(&p);
    if (without_load(r)) {
        add_checks(&p);
    } else {
        add_load(&p);
        result_integrity_line(r, line, sizeof line);
        label(&p, "integrity");
        add(&p, "%s\n", line);
    }
    add_warnings(&p);
    if (options->result_path != NULL) {
        label(&p, "result");
        add(&p, "%s\n", options->result_path);
    }
    return finish(&p);
}
