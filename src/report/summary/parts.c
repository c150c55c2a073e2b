/* SPDX-License-Identifier: MIT */
/* What stands behind the latencies in a summary: streams, sessions, errors, the generator. */
#include "base/clock.h"
#include "metrics/histogram.h"
#include "report/summary/summary_priv.h"

#include <stdio.h>
#include <string.h>

enum {
    ERRORS_SHOWN = 5,
    SLOWEST_SHOWN = 3,
    CUSTOM_SHOWN = 8,
    ORIGINS_MAX = 16,
    SAMPLE_COLUMNS = 100,
    TITLE_COLUMNS = 56, /* of 4 bytes */
};

static uint64_t count_of(const struct page *p, const char *name)
{
    return document_count(document_at(p->document, "counts"), name);
}

/* " · WHAT p95 VALUE", when there are samples; n/a when there are too few. */
static void add_p95(struct page *p, const char *distribution, const char *what)
{
    const json_t *d = document_at(document_at(p->document, "distributions"), distribution);
    char cell[GRID_CELL_MAX];

    if (document_count(d, "n") > 0) {
        summary_cell(d, "p95_ms", 950000, cell);
        page_add(p, " · %s p95 %s", what, cell);
    }
}

static void add_count(struct page *p, uint64_t count, const char *what)
{
    char text[TEXT_NUMBER_MAX];

    page_add(p, "%s %s", text_count(count, text), what);
}

/* " · 12 expired", only when there were some. */
static void add_some(struct page *p, uint64_t count, const char *what)
{
    if (count > 0) {
        page_add(p, " · ");
        add_count(p, count, what);
    }
}

/* ---- streams -----------------------------------------------------------------------------------
 */

void summary_streams(struct page *p)
{
    char text[TEXT_NUMBER_MAX];
    double rate;

    if (count_of(p, "streams_started") == 0 && count_of(p, "not_streamed") == 0) {
        return;
    }
    page_label(p, "streams");
    add_count(p, count_of(p, "streams_started"), "opened · ");
    add_count(p, count_of(p, "streams_completed"), "completed · ");
    add_count(p, count_of(p, "streams_failed"), "failed");
    summary_ratio(p, count_of(p, "streams_failed"), count_of(p, "streams_ended"));
    page_add(p, ", ");
    add_count(p, count_of(p, "streams_stalled"), "stalled");
    add_some(p, count_of(p, "not_streamed"), "expected and not streamed");
    page_add(p, "\n");
    page_label(p, "events");
    page_add(p, "%s", text_count(count_of(p, "events"), text));
    if (document_number(p->document, "totals.events_per_second", &rate)) {
        page_add(p, " · %s", text_rate(rate, text));
    }
    add_p95(p, "first_event", "first event");
    add_p95(p, "event_gap", "gap");
    page_add(p, "\n");
}

/* ---- sessions, connections, journey ------------------------------------------------------------
 */

void summary_sessions(struct page *p)
{
    char text[TEXT_NUMBER_MAX];
    double reuse;

    page_label(p, "sessions");
    add_count(p, count_of(p, "sessions_created"), "created · ");
    add_count(p, count_of(p, "sessions_failed"), "failed to set up · ");
    add_count(p, count_of(p, "sessions_lost"), "lost");
    add_some(p, count_of(p, "sessions_expired"), "expired");
    add_some(p, count_of(p, "vus_gave_up"), "VUs gave up");
    if (document_number(p->document, "totals.session_reuse_rate", &reuse)) {
        page_add(p, " · reuse %s", text_percent(reuse, text));
    }
    add_p95(p, "session", "set-up");
    page_add(p, "\n");
    page_label(p, "connections");
    add_count(p, count_of(p, "connect_attempts"), "tried · ");
    add_count(p, count_of(p, "connect_failures"), "failed");
    summary_ratio(p, count_of(p, "connect_failures"), count_of(p, "connect_attempts"));
    add_p95(p, "connect", "set-up");
    page_add(p, " · %s in", text_bytes((double)count_of(p, "bytes_in"), text));
    page_add(p, " · %s out\n", text_bytes((double)count_of(p, "bytes_out"), text));
}

void summary_journey(struct page *p)
{
    if (count_of(p, "journey_started") == 0) {
        return;
    }
    page_label(p, "journey");
    add_count(p, count_of(p, "journey_started"), "lists beside the workload · ");
    add_count(p, count_of(p, "journey_ok"), "succeeded · ");
    add_count(p, count_of(p, "journey_failed"), "failed");
    summary_ratio(p, count_of(p, "journey_failed"),
                  count_of(p, "journey_failed") + count_of(p, "journey_ok"));
    add_some(p, count_of(p, "journey_unfinished"), "unfinished");
    page_add(p, " · ");
    add_count(p, count_of(p, "journey_requests"), "requests");
    add_p95(p, "journey", "list");
    page_add(p, "\n");
}

/* ---- metrics of the scenario -------------------------------------------------------------------
 */

/* " · p95 0.9" for the members that the metric has, in this order. */
static void add_figures(struct page *p, const json_t *metric, const char *const *members)
{
    double value;

    for (size_t i = 0; members[i] != NULL; i++) {
        if (document_number(metric, members[i], &value)) {
            page_add(p, " · %s %.6g", members[i], value);
        }
    }
}

void summary_custom(struct page *p)
{
    static const struct {
        struct str kind;
        const char *members[7];
    } kinds[] = {
        {STR_INIT("counter"), {"sum", NULL}},
        {STR_INIT("gauge"), {"last", "min", "max", NULL}},
        {STR_INIT("trend"), {"mean", "min", "p50", "p95", "p99", "max", NULL}},
    };
    const json_t *custom = document_at(p->document, "custom"), *metric;
    const char *name;
    size_t at = 0;

    /* The library walks objects by a pointer that is not const, and writes nothing. */
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    json_object_foreach((json_t *)(uintptr_t)custom, name, metric)
    {
        if (at++ >= CUSTOM_SHOWN) {
            continue;
        }
        page_label(p, at == 1 ? "custom" : "");
        page_foreign(p, str_c(name), 60);
        page_add(p, ": n=%llu", (unsigned long long)document_count(metric, "count"));
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            if (str_eq(document_text(metric, "kind"), kinds[i].kind)) {
                add_figures(p, metric, kinds[i].members);
            }
        }
        add_some(p, document_count(metric, "rejected"), "rejected");
        page_add(p, "\n");
    }
    page_more(p, at > CUSTOM_SHOWN ? at - CUSTOM_SHOWN : 0, "");
}

/* ---- the slowest -------------------------------------------------------------------------------
 */

void summary_slowest(struct page *p)
{
    const json_t *rows = document_at(p->document, "slowest");
    char title[GRID_TITLE_MAX], text[TEXT_NUMBER_MAX];

    for (size_t i = 0; i < json_array_size(rows) && i < SLOWEST_SHOWN; i++) {
        const json_t *row = json_array_get(rows, i);
        struct str error = document_text(row, "error_code");
        uint64_t ns = 0;

        (void)document_ms(row, "response_ms", &ns);
        summary_operation(p->document, row, TITLE_COLUMNS, title, sizeof title);
        page_label(p, i == 0 ? "slowest" : "");
        page_add(p, "%s ", text_time(ns, text));
        page_foreign(p, str_c(title), SAMPLE_COLUMNS);
        page_add(p, ", VU %llu, operation %llu, at %s",
                 (unsigned long long)document_count(row, "vu"),
                 (unsigned long long)document_count(row, "n"),
                 document_ms(row, "at_ms", &ns) ? text_clock(ns, text) : "?");
        if (error.len > 0) {
            page_add(p, ", ");
            page_foreign(p, error, 64);
        }
        page_add(p, "\n");
    }
}

/* ---- errors ------------------------------------------------------------------------------------
 */

struct origin {
    struct str name;
    uint64_t count;
};

/* The sums of the rows by origin, the largest first. */
static size_t sum_origins(const json_t *errors, struct origin *out)
{
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *row = json_array_get(errors, i);
        struct str name = document_text(row, "origin");
        size_t at = 0;

        while (at < count && !str_eq(out[at].name, name)) {
            at++;
        }
        if (at == ORIGINS_MAX) {
            continue;
        }
        if (at == count) {
            out[count++] = (struct origin){.name = name};
        }
        out[at].count += document_count(row, "count");
    }
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0 && out[j].count > out[j - 1].count; j--) {
            struct origin swap = out[j];
            out[j] = out[j - 1];
            out[j - 1] = swap;
        }
    }
    return count;
}

static void add_origins(struct page *p, const json_t *errors)
{
    struct origin origins[ORIGINS_MAX];
    size_t count = sum_origins(errors, origins);
    char text[TEXT_NUMBER_MAX];

    if (count < 2) {
        return;
    }
    page_add(p, "  by origin: ");
    for (size_t i = 0; i < count; i++) {
        page_add(p, "%s", i > 0 ? " · " : "");
        page_foreign(p, origins[i].name.len > 0 ? origins[i].name : STR("others"), 40);
        page_add(p, " %s", text_count(origins[i].count, text));
    }
    page_add(p, "\n");
}

static void add_error(struct page *p, const json_t *error, uint64_t failed)
{
    char count[TEXT_NUMBER_MAX], share[TEXT_NUMBER_MAX];
    uint64_t n = document_count(error, "count");
    struct str sample = document_text(error, "sample");

    page_add(p, "  %9s  %7s  ", text_count(n, count),
             text_percent(failed > 0 ? (double)n / (double)failed : 0, share));
    if (document_at(error, "type") == NULL) {
        page_add(p, "others, beyond the table\n");
        return;
    }
    page_foreign(p, document_text(error, "type"), 64);
    page_add(p, " ");
    page_foreign(p, document_text(error, "code"), 64);
    page_add(p, ", origin ");
    page_foreign(p, document_text(error, "origin"), 64);
    page_add(p, "\n");
    if (sample.len > 0) {
        page_add(p, "                      ");
        page_foreign(p, sample, SAMPLE_COLUMNS);
        page_add(p, "\n");
    }
}

static void
add_error_table(struct page *p, const json_t *errors, uint64_t failed, const char *where)
{
    size_t count = json_array_size(errors);
    char number[TEXT_NUMBER_MAX];

    if (count == 0) {
        return;
    }
    page_add(p, "\nerrors of %s failed operations%s, by signature\n", text_count(failed, number),
             where);
    add_origins(p, errors);
    for (size_t i = 0; i < count && i < ERRORS_SHOWN; i++) {
        add_error(p, json_array_get(errors, i), failed);
    }
    if (count > ERRORS_SHOWN) {
        page_add(p, "  … and %zu more kinds, in the result\n", count - ERRORS_SHOWN);
    }
    page_add(p, "\n");
}

void summary_errors(struct page *p)
{
    add_error_table(p, document_at(p->document, "errors"), count_of(p, "ended_failed"), "");
    add_error_table(p, document_at(p->document, "preflight.errors"),
                    document_count(p->document, "preflight.counts.ended_failed"), " in preflight");
    add_error_table(p, document_at(p->document, "journey.errors"),
                    document_count(p->document, "journey.failed"), " beside the workload");
}

/* ---- the generator -----------------------------------------------------------------------------
 */

void summary_generator(struct page *p)
{
    const json_t *workers = document_at(p->document, "workers");
    const json_t *lateness = document_at(p->document, "distributions.tool_lag");
    size_t count = json_array_size(workers), threads = 0;
    double busy_ms = 0, wall_ms = 0, most = 0;
    char cell[GRID_CELL_MAX];

    for (size_t i = 0; i < count; i++) {
        const json_t *worker = json_array_get(workers, i);
        double busy = 0, wall = 0, max = 0;

        (void)document_number(worker, "busy_ms", &busy);
        (void)document_number(worker, "wall_ms", &wall);
        (void)document_number(worker, "busy_max", &max);
        /* Results of earlier versions have a row for each thread. */
        size_t own = json_array_size(json_object_get(worker, "threads"));
        threads += own > 0 ? own : 1;
        busy_ms += busy;
        wall_ms += wall;
        most = max > most ? max : most;
    }
    page_label(p, "generator");
    if (count > 1 && threads > count) {
        page_add(p, "%zu workers · ", count);
    }
    page_add(p, "%zu shard%s", threads, threads == 1 ? "" : "s");
    if (wall_ms > 0) {
        page_add(p, " · busy %s on average", text_percent(busy_ms / wall_ms, cell));
        page_add(p, ", %s at most", text_percent(most, cell));
    }
    if (document_count(lateness, "n") > 0) {
        summary_cell(lateness, "p99_ms", 990000, cell);
        page_add(p, " · own lateness p99 %s", cell);
    }
    page_add(p, "\n");
}

void summary_evidence(struct page *p)
{
    const json_t *evidence = document_at(p->document, "validity.evidence");

    for (size_t i = 0; i < json_array_size(evidence); i++) {
        page_label(p, i == 0 ? "validity" : "");
        page_foreign(p, document_text(json_array_get(evidence, i), ""), 240);
        page_add(p, "\n");
    }
}

void summary_limits(struct page *p)
{
    const json_t *limits = document_at(p->document, "limits");

    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *row = json_array_get(limits, i);
        char text[TEXT_NUMBER_MAX];

        page_label(p, i == 0 ? "limits" : "");
        page_foreign(p, document_text(row, "name"), 64);
        page_add(p, " (");
        page_foreign(p, document_text(row, "bound"), 100);
        page_add(p, "): %s ", text_count(document_count(row, "hits"), text));
        page_foreign(p, document_text(row, "counted"), 64);
        if (!document_true(row, "warns")) { /* else the warning says it */
            page_add(p, ": ");
            page_foreign(p, document_text(row, "effect"), 160);
        }
        page_add(p, "\n");
    }
}
