/* SPDX-License-Identifier: MIT */
#include "cli/remote/views.h"

#include "report/result/document.h"
#include "report/text/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMNS = 11, TEXT_COLUMNS = 200, CELL_MAX = 256, CLOCK_CUT = 19 };

struct out {
    struct buf *to;
    int rc;
};

__attribute__((format(printf, 2, 3))) static void add(struct out *o, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (o->rc == 0) {
        o->rc = buf_vprintf(o->to, fmt, ap);
    }
    va_end(ap);
}

static void add_foreign(struct out *o, struct str text, size_t columns)
{
    if (o->rc == 0) {
        o->rc = text_add_safe(o->to, text, columns);
    }
}

static void label(struct out *o, const char *name)
{
    if (o->rc == 0) {
        o->rc = text_add_left(o->to, str_c(name), LABEL_COLUMNS);
    }
}

/* A cell of a table; `right`: a number. */
static void cell(struct out *o, struct str text, size_t columns, bool right)
{
    struct buf safe;

    if (o->rc != 0) {
        return;
    }
    buf_init(&safe, (size_t)CELL_MAX * 4);
    o->rc = text_add_safe(&safe, text.len > 0 ? text : STR("-"), columns);
    if (o->rc == 0) {
        o->rc = right ? text_add_right(o->to, buf_str(&safe), columns)
                      : text_add_left(o->to, buf_str(&safe), columns);
    }
    if (o->rc == 0) {
        o->rc = buf_add_c(o->to, "  ");
    }
    buf_clear(&safe);
}

static void end_row(struct out *o)
{
    while (o->to->len > 0 && o->to->p[o->to->len - 1] == ' ') {
        o->to->len--;
    }
    add(o, "\n");
}

/* "2026-01-31 12:00:00", UTC. */
static const char *moment(const json_t *from, const char *name, char text[TEXT_NUMBER_MAX])
{
    uint64_t ms = document_count(from, name);

    if (ms == 0) {
        return "-";
    }
    text_timestamp(ms, text);
    if (strlen(text) > CLOCK_CUT) {
        text[CLOCK_CUT] = '\0';
        text[CLOCK_CUT - 9] = ' ';
    }
    return text;
}

/* ---- one run ----------------------------------------------------------------------------------
 */

static void add_identity(struct out *o, const json_t *run)
{
    struct str name = document_text(run, "name"), scenario = document_text(run, "scenario_id");

    label(o, "run");
    add_foreign(o, document_text(run, "run_id"), TEXT_COLUMNS);
    if (name.len > 0) {
        add(o, " · ");
        add_foreign(o, name, TEXT_COLUMNS);
    }
    if (scenario.len > 0 && !str_eq(scenario, name)) {
        add(o, " · ");
        add_foreign(o, scenario, TEXT_COLUMNS);
    }
    add(o, "\n");
}

static void add_state(struct out *o, const json_t *run)
{
    const json_t *progress = document_at(run, "progress");
    uint64_t stages = document_count(progress, "stages"), spent, planned;
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];

    label(o, "state");
    add_foreign(o, document_text(run, "state"), TEXT_COLUMNS);
    if (document_at(run, "active_stage") != NULL && stages > 0) {
        add(o, " · stage %llu of %llu",
            (unsigned long long)document_count(progress, "stage_index") + 1,
            (unsigned long long)stages);
    }
    if (document_ms(progress, "elapsed_ms", &spent)) {
        add(o, " · %s", text_clock(spent, a));
        if (document_ms(progress, "planned_ms", &planned) && planned > 0) {
            add(o, " of %s", text_clock(planned, b));
        }
    }
    add(o, "\n");
}

static void add_times(struct out *o, const json_t *run)
{
    char text[TEXT_NUMBER_MAX];

    label(o, "created");
    add(o, "%s", moment(run, "created_at_ms", text));
    if (document_text(run, "created_by").len > 0) {
        add(o, " by ");
        add_foreign(o, document_text(run, "created_by"), TEXT_COLUMNS);
    }
    if (document_count(run, "started_at_ms") > 0) {
        add(o, " · started %s", moment(run, "started_at_ms", text));
    }
    if (document_count(run, "ended_at_ms") > 0) {
        add(o, " · ended %s", moment(run, "ended_at_ms", text));
    }
    add(o, "\n");
}

static void add_load(struct out *o, const json_t *run)
{
    const json_t *progress = document_at(run, "progress");
    size_t workers = json_array_size(document_at(run, "workers"));
    char text[TEXT_NUMBER_MAX];

    if (document_at(progress, "active_vus") != NULL && document_at(run, "active_stage") != NULL) {
        label(o, "load");
        add(o, "%s", text_count(document_count(progress, "active_vus"), text));
        add(o, " of %s VUs\n", text_count(document_count(progress, "target_vus"), text));
    }
    if (workers > 0) {
        label(o, "workers");
        for (size_t i = 0; i < workers; i++) {
            add(o, "%s", i > 0 ? ", " : "");
            add_foreign(o, str_c(json_string_value(json_array_get(document_at(run, "workers"), i))),
                        TEXT_COLUMNS);
        }
        add(o, "\n");
    }
}

static void add_figures(struct out *o, const json_t *run)
{
    static const char *const quantiles[] = {"p50", "p95", "p99"};
    const json_t *s = document_at(run, "summary");
    char text[TEXT_NUMBER_MAX], name[32];
    double rate;
    uint64_t ns;

    if (document_at(s, "total_ops") == NULL) {
        return;
    }
    label(o, "operations");
    add(o, "%s", text_count(document_count(s, "total_ops"), text));
    add(o, " · %s failed", text_count(document_count(s, "failed_ops"), text));
    if (document_number(s, "error_rate", &rate) && document_count(s, "total_ops") > 0) {
        add(o, " (%s)", text_percent(rate, text));
    }
    if (document_number(s, "throughput", &rate)) {
        add(o, " · %s", text_rate(rate, text));
    }
    add(o, "\n");
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        snprintf(name, sizeof name, "latency_%s_ms", quantiles[i]);
        if (i == 0) {
            label(o, "latency");
        }
        add(o, "%s%s %s", i > 0 ? " · " : "", quantiles[i],
            document_ms(s, name, &ns) ? text_time(ns, text) : "-");
    }
    add(o, "\n");
}

static void add_end(struct out *o, const json_t *run)
{
    struct str message = document_text(run, "stop_reason.message");
    const json_t *evidence = document_at(run, "validity.evidence");

    if (message.len == 0) {
        message = document_text(run, "stop_reason.reason");
    }
    if (message.len > 0) {
        label(o, "stop");
        add_foreign(o, message, TEXT_COLUMNS);
        add(o, "\n");
    }
    if (!document_true(run, "terminal")) {
        return;
    }
    label(o, "verdict");
    struct str verdict = document_text(run, "verdict");
    add_foreign(o, verdict.len > 0 ? verdict : STR("none"), TEXT_COLUMNS);
    if (document_text(run, "validity.state").len > 0) {
        add(o, " · ");
        add_foreign(o, document_text(run, "validity.state"), TEXT_COLUMNS);
    }
    if (json_is_integer(document_at(run, "exit_code"))) {
        add(o, " · exit code %llu", (unsigned long long)document_count(run, "exit_code"));
    }
    add(o, "\n");
    for (size_t i = 0; i < json_array_size(evidence); i++) {
        label(o, "");
        add_foreign(o, str_c(json_string_value(json_array_get(evidence, i))), TEXT_COLUMNS);
        add(o, "\n");
    }
}

int view_run(const json_t *run, struct buf *out)
{
    struct out o = {.to = out};

    add_identity(&o, run);
    add_state(&o, run);
    add_times(&o, run);
    add_load(&o, run);
    add_figures(&o, run);
    add_end(&o, run);
    return o.rc;
}

/* ---- tables -----------------------------------------------------------------------------------
 */

enum {
    ID_COLUMNS = 24,
    STATE_COLUMNS = 17,
    SHORT_COLUMNS = 9,
    TIME_COLUMNS = 19,
    COUNT_COLUMNS = 11,
    HOST_COLUMNS = 16
};

static void number_cell(struct out *o, const json_t *from, const char *name)
{
    char text[TEXT_NUMBER_MAX];
    bool has = document_at(from, name) != NULL;

    cell(o, has ? str_c(text_count(document_count(from, name), text)) : STR("-"), COUNT_COLUMNS,
         true);
}

static void add_run_row(struct out *o, const json_t *run)
{
    char text[TEXT_NUMBER_MAX];
    struct str name = document_text(run, "name");
    uint64_t ns;

    cell(o, document_text(run, "run_id"), ID_COLUMNS, false);
    cell(o, document_text(run, "state"), STATE_COLUMNS, false);
    cell(o, document_text(run, "verdict"), SHORT_COLUMNS, false);
    cell(o, str_c(moment(run, "created_at_ms", text)), TIME_COLUMNS, false);
    bool has = document_ms(run, "duration_ms", &ns);
    cell(o, has ? str_c(text_clock(ns, text)) : STR("-"), SHORT_COLUMNS, true);
    number_cell(o, run, "summary.total_ops");
    number_cell(o, run, "summary.failed_ops");
    cell(o, name.len > 0 ? name : document_text(run, "scenario_id"), TEXT_COLUMNS, false);
    end_row(o);
}

int view_runs(const json_t *answer, struct buf *out)
{
    const json_t *runs = document_at(answer, "runs");
    size_t count = json_array_size(runs);
    uint64_t total = document_count(answer, "total");
    struct out o = {.to = out};

    if (count == 0) {
        add(&o, total > 0 ? "none of %llu runs\n" : "no runs\n", (unsigned long long)total);
        return o.rc;
    }
    cell(&o, STR("RUN"), ID_COLUMNS, false);
    cell(&o, STR("STATE"), STATE_COLUMNS, false);
    cell(&o, STR("VERDICT"), SHORT_COLUMNS, false);
    cell(&o, STR("CREATED (UTC)"), TIME_COLUMNS, false);
    cell(&o, STR("TIME"), SHORT_COLUMNS, true);
    cell(&o, STR("OPERATIONS"), COUNT_COLUMNS, true);
    cell(&o, STR("FAILED"), COUNT_COLUMNS, true);
    cell(&o, STR("NAME"), TEXT_COLUMNS, false);
    end_row(&o);
    for (size_t i = 0; i < count; i++) {
        add_run_row(&o, json_array_get(runs, i));
    }
    if (total > count) {
        add(&o, "%zu of %llu; --limit shows more\n", count, (unsigned long long)total);
    }
    return o.rc;
}

/* "region=eu tier=a" behind the host. */
static void add_labels(struct out *o, const json_t *labels)
{
    const char *name;
    json_t *value;
    bool first = true;

    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read */
    json_object_foreach((json_t *)(uintptr_t)labels, name, value)
    {
        add(o, "%s", first ? "" : " ");
        add_foreign(o, str_c(name), TEXT_COLUMNS);
        add(o, "=");
        if (json_is_string(value)) {
            add_foreign(o, (struct str){json_string_value(value), json_string_length(value)},
                        TEXT_COLUMNS);
        }
        first = false;
    }
}

static void add_worker_row(struct out *o, const json_t *w)
{
    /* What one that is lost has said last is no longer so. */
    const json_t *health =
        str_eq(document_text(w, "state"), STR("lost")) ? NULL : document_at(w, "health");
    char text[CELL_MAX];
    double cpu;

    cell(o, document_text(w, "worker_id"), ID_COLUMNS, false);
    cell(o, document_text(w, "state"), SHORT_COLUMNS, false);
    number_cell(o, health, "active_vus");
    number_cell(o, w, "capacity.max_vus");
    snprintf(text, sizeof text, "%zu", json_array_size(document_at(w, "runs")));
    cell(o, str_c(text), 4, true);
    bool has = document_number(health, "cpu_percent", &cpu);
    snprintf(text, sizeof text, "%.0f %%", has ? cpu : 0);
    cell(o, has ? str_c(text) : STR("-"), 6, true);
    cell(o, document_text(w, "version"), SHORT_COLUMNS, false);
    cell(o, document_text(w, "host_info.hostname"), HOST_COLUMNS, false);
    add_labels(o, document_at(w, "labels"));
    end_row(o);
}

int view_workers(const json_t *answer, struct buf *out)
{
    const json_t *workers = document_at(answer, "workers");
    struct out o = {.to = out};

    if (json_array_size(workers) == 0) {
        add(&o, "no workers (\"mcpdrill worker --control-plane URL\" adds one)\n");
        return o.rc;
    }
    cell(&o, STR("WORKER"), ID_COLUMNS, false);
    cell(&o, STR("STATE"), SHORT_COLUMNS, false);
    cell(&o, STR("VUS"), COUNT_COLUMNS, true);
    cell(&o, STR("OF"), COUNT_COLUMNS, true);
    cell(&o, STR("RUNS"), 4, true);
    cell(&o, STR("CPU"), 6, true);
    cell(&o, STR("VERSION"), SHORT_COLUMNS, false);
    cell(&o, STR("HOST"), HOST_COLUMNS, false);
    cell(&o, STR("LABELS"), SHORT_COLUMNS, false);
    end_row(&o);
    for (size_t i = 0; i < json_array_size(workers); i++) {
        add_worker_row(&o, json_array_get(workers, i));
    }
    return o.rc;
}
