/* SPDX-License-Identifier: MIT */
#include "cli/live.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/lines.h"
#include "metrics/registry.h"
#include "report/result/document.h"

#include <stdio.h>
#include <string.h>

enum { STATE_MAX = 40, MS_PER_S = 1000 };

/* A second as the series has it. */
struct second {
    uint64_t at_ms, number; /* in the run, from 0 */
    struct lines_figures figures;
    double p99_ms; /* negative: no value */
    uint64_t vus, sessions, in_flight, events;
};

struct live {
    struct text_style style;
    json_t *run;            /* the newest view */
    struct second *seconds; /* ring of LIVE_SPARKS */
    uint64_t count;         /* of all that have come */
    uint64_t told;          /* … of which plain lines have told */
    uint64_t streams, stalled;
    double width_s; /* of what the series calls a second: more in a very long run */
    char letter[2]; /* of the latencies */
};

struct live *live_new(const struct text_style *style)
{
    struct live *v = xcalloc(1, sizeof *v);

    v->style = *style;
    v->seconds = xcalloc(LIVE_SPARKS, sizeof *v->seconds);
    snprintf(v->letter, sizeof v->letter, "S");
    return v;
}

void live_free(struct live *v)
{
    if (v != NULL) {
        json_decref(v->run);
        xfree(v->seconds);
        xfree(v);
    }
}

/* ---- taking -----------------------------------------------------------------------------------
 */

/* As the view of a run in this process shows it; "-" without a value. */
static double latency(const json_t *from, const char *member, const char *metric, char *text)
{
    double ms = -1;

    snprintf(text, LINES_TEXT_MAX, "-");
    if (!document_number(from, member, &ms)) {
        return -1;
    }
    metric_format(metric_find(str_c(metric)), ms, text, LINES_TEXT_MAX);
    return ms;
}

static struct lines_figures figures_of(const struct live *v, const json_t *from, const char *suffix)
{
    struct lines_figures f = {.letter = v->letter};
    char p50[32], p95[32], p99[32];

    snprintf(p50, sizeof p50, "latency_p50%s", suffix);
    snprintf(p95, sizeof p95, "latency_p95%s", suffix);
    snprintf(p99, sizeof p99, "latency_p99%s", suffix);
    (void)document_number(from, "throughput", &f.rate);
    f.failed = document_count(from, "failed_ops");
    latency(from, p50, "latency_p50_ms", f.p50);
    latency(from, p95, "latency_p95_ms", f.p95);
    latency(from, p99, "latency_p99_ms", f.p99);
    return f;
}

static void take_second(struct live *v, const json_t *bucket)
{
    struct second *s = &v->seconds[v->count % LIVE_SPARKS];
    char text[LINES_TEXT_MAX];

    *s = (struct second){
        .at_ms = document_count(bucket, "timestamp"),
        .number = document_count(bucket, "second"),
        .figures = figures_of(v, bucket, ""),
        .p99_ms = latency(bucket, "latency_p99", "latency_p99_ms", text),
        .vus = document_count(bucket, "active_vus"),
        .sessions = document_count(bucket, "active_sessions"),
        .in_flight = document_count(bucket, "in_flight"),
        .events = document_count(bucket, "events"),
    };
    s->figures.ended = document_count(bucket, "success_ops") + s->figures.failed;
    v->count++;
}

static const struct second *newest(const struct live *v)
{
    return v->count > 0 ? &v->seconds[(v->count - 1) % LIVE_SPARKS] : NULL;
}

void live_take(struct live *v, const json_t *run, const json_t *metrics)
{
    const json_t *series = document_at(metrics, "time_series");
    bool response = str_eq(document_text(metrics, "latency_is"), STR("response"));

    json_decref(v->run);
    v->run = json_deep_copy(run);
    v->letter[0] = response ? 'R' : 'S';
    uint64_t width_ms = document_count(metrics, "resolution_ms");
    v->width_s = width_ms > 0 ? (double)width_ms / MS_PER_S : 1;
    v->streams = document_count(metrics, "streams.started");
    v->stalled = document_count(metrics, "streams.stalled");
    for (size_t i = 0; i < json_array_size(series); i++) {
        const json_t *bucket = json_array_get(series, i);

        if (newest(v) == NULL || document_count(bucket, "timestamp") > newest(v)->at_ms) {
            take_second(v, bucket);
        }
    }
}

/* A second that has been seen is not asked for again: its figures are final. Of one who comes late
 * to a run the whole of it would come in buckets that have no quantiles. */
uint64_t live_since_ms(const struct live *v, const json_t *run)
{
    const uint64_t shown_ms = (uint64_t)LIVE_SPARKS * MS_PER_S;
    uint64_t end_ms = document_count(run, "ended_at_ms");

    end_ms = end_ms > 0 ? end_ms : document_count(run, "updated_at_ms");
    return newest(v) != NULL ? newest(v)->at_ms + 1 : end_ms > shown_ms ? end_ms - shown_ms : 0;
}

bool live_is_over(const struct live *v)
{
    return document_true(v->run, "terminal");
}

/* ---- showing ----------------------------------------------------------------------------------
 */

static const char *state_of(const struct live *v, char out[STATE_MAX])
{
    struct str state = document_text(v->run, "state");

    snprintf(out, STATE_MAX, "%.*s", STR_ARG(state));
    return out;
}

/* Over the whole plan: the API says how long that is, not how long the stage. */
static void add_head(struct lines *l, const struct live *v)
{
    const json_t *progress = document_at(v->run, "progress");
    char state[STATE_MAX];
    struct lines_head head = {.state = state_of(v, state)};

    if (document_at(v->run, "active_stage") != NULL) {
        head.stage = document_count(progress, "stage_index") + 1;
        head.stages = document_count(progress, "stages");
        (void)document_ms(progress, "elapsed_ms", &head.spent_ns);
        (void)document_ms(progress, "planned_ms", &head.planned_ns);
    }
    lines_head(l, &head);
}

static void add_load(struct lines *l, const struct live *v)
{
    const struct second *s = newest(v);
    uint64_t target = document_count(v->run, "progress.target_vus");
    size_t workers = json_array_size(document_at(v->run, "workers"));
    char number[TEXT_NUMBER_MAX];

    lines_padded(l, "load", LINES_LABEL_COLUMNS);
    lines_add(l, "%s", text_count(s->vus, number));
    if (target > 0 && target != s->vus) {
        lines_add(l, " of %s planned", text_count(target, number));
    }
    lines_add(l, " VUs · %s sessions", text_count(s->sessions, number));
    lines_add(l, " · %s in flight", text_count(s->in_flight, number));
    if (workers > 0) {
        lines_add(l, " · on %zu worker%s", workers, workers == 1 ? "" : "s");
    }
    lines_add(l, "\n");
}

static void add_total(struct lines *l, const struct live *v)
{
    const json_t *summary = document_at(v->run, "summary");
    struct lines_figures f = figures_of(v, summary, "_ms");

    f.ended = document_count(summary, "total_ops");
    lines_figures(l, "in all", &f);
}

static void add_streams(struct lines *l, const struct live *v)
{
    char number[TEXT_NUMBER_MAX];

    if (v->streams == 0) {
        return;
    }
    lines_padded(l, "streams", LINES_LABEL_COLUMNS);
    lines_add(l, "%s in all", text_count(v->streams, number));
    lines_add(l, " · %s events", text_rate((double)newest(v)->events / v->width_s, number));
    lines_add(l, " · %s stalled\n", text_count(v->stalled, number));
}

static void add_sparks(struct lines *l, const struct live *v)
{
    double p99_ms[LIVE_SPARKS];

    for (size_t i = 0; i < LIVE_SPARKS; i++) {
        p99_ms[i] = v->seconds[i].p99_ms;
    }
    lines_sparks(l, p99_ms, LIVE_SPARKS, v->count);
}

static int end_of(struct lines *l)
{
    if (l->rc == 0 && !l->style->utf8) {
        text_to_ascii(l->out);
    }
    return l->rc;
}

int live_frame(const struct live *v, struct buf *out)
{
    struct lines l = {.out = out, .style = &v->style};
    struct str name = document_text(v->run, "name");

    if (name.len == 0) {
        name = document_text(v->run, "scenario_id");
    }
    lines_named(&l, "watching", document_text(v->run, "run_id"), name);
    add_head(&l, v);
    if (newest(v) != NULL) {
        add_load(&l, v);
        lines_figures(&l, "now", &newest(v)->figures);
        add_total(&l, v);
        add_streams(&l, v);
        add_sparks(&l, v);
    }
    return end_of(&l);
}

int live_lines(struct live *v, struct buf *out)
{
    struct lines l = {.out = out, .style = &v->style};
    uint64_t kept = v->count < LIVE_SPARKS ? v->count : LIVE_SPARKS;
    char state[STATE_MAX];

    if (v->told < v->count - kept) {
        v->told = v->count - kept;
    }
    for (; v->told < v->count; v->told++) {
        const struct second *s = &v->seconds[v->told % LIVE_SPARKS];
        struct lines_second line = {
            .second = s->number,
            .state = state_of(v, state),
            .figures = s->figures,
            .vus = s->vus,
            .in_flight = s->in_flight,
        };

        lines_second(&l, &line);
        lines_add(&l, "\n");
    }
    return end_of(&l);
}
