/* SPDX-License-Identifier: MIT */
/* The load in a summary: stages, rates, latencies per operation. */
#include "base/clock.h"
#include "base/mem.h"
#include "metrics/histogram.h"
#include "report/summary/summary_priv.h"

#include <stdio.h>
#include <string.h>

enum {
    STAGES_SHOWN = 12,
    OPERATIONS_SHOWN = 8,
    STAGE_ROWS_SHOWN = 24,
    TITLE_COLUMNS = 36,
    ROW_COLUMNS = 46, /* a stage and an operation */
    OPERATION_COLUMNS = 40,
};

/* ---- cells -------------------------------------------------------------------------------------
 */

void summary_cell(const json_t *distribution, const char *member, uint32_t ppm, char *out)
{
    uint64_t n = document_count(distribution, "n"), ns;
    uint64_t ranked = n + document_count(distribution, "dropped");
    char text[TEXT_NUMBER_MAX];

    if (n > 0 && ppm < 1000000 && ranked < hist_samples_needed(ppm)) {
        snprintf(out, GRID_CELL_MAX, "n/a (n=%llu)", (unsigned long long)n);
    } else if (document_lists(document_at(distribution, "shed"), member)) {
        snprintf(out, GRID_CELL_MAX, "shed");
    } else if (n == 0 || !document_ms(distribution, member, &ns)) {
        snprintf(out, GRID_CELL_MAX, "n/a");
    } else {
        bool bound = document_lists(document_at(distribution, "lower_bounds"), member);
        snprintf(out, GRID_CELL_MAX, "%s%s", bound ? "≥ " : "", text_time(ns, text));
    }
}

/* What an operation is about: its tool, prompt or resource; empty for a list. */
static struct str subject_of(const json_t *operation)
{
    static const char *const members[] = {"tool_name", "prompt_name", "uri"};
    struct str subject = STR("");

    for (size_t i = 0; subject.len == 0 && i < sizeof members / sizeof members[0]; i++) {
        subject = document_text(operation, members[i]);
    }
    return subject;
}

struct label {
    struct str operation, subject,
        template_id; /* the last one only when the others are not enough */
};

static struct label label_of(const json_t *operation, bool twice)
{
    return (struct label){document_text(operation, "operation"), subject_of(operation),
                          twice ? document_text(operation, "template_id") : STR("")};
}

static bool is_same(const struct label *a, const struct label *b)
{
    return str_eq(a->operation, b->operation) && str_eq(a->subject, b->subject);
}

/* Two names share the room; the shorter one leaves the other what it does not need. */
static void share(size_t room, struct str a, struct str b, size_t *for_a, size_t *for_b)
{
    size_t half = room / 2, width_a = text_width(a), width_b = text_width(b);

    *for_a = width_a < half ? width_a : width_b < half ? room - width_b : half;
    *for_b = room - *for_a;
}

/* `number`: behind it, 0: none. */
static void write_label(const struct label *l, size_t number, size_t columns, struct buf *out)
{
    char tail[24] = "";
    size_t for_subject, for_template, room;

    if (number > 0) {
        snprintf(tail, sizeof tail, " #%zu", number);
    }
    (void)text_add_safe(out, l->operation, 20);
    room = text_width(buf_str(out)) + strlen(tail) + (l->subject.len > 0) +
           (l->template_id.len > 0 ? 3 : 0);
    room = columns > room ? columns - room : 0;
    share(room, l->subject, l->template_id, &for_subject, &for_template);
    if (l->subject.len > 0) {
        (void)buf_add_c(out, " ");
        (void)text_add_middle(out, l->subject, for_subject);
    }
    if (l->template_id.len > 0) {
        (void)buf_add_c(out, " [");
        (void)text_add_middle(out, l->template_id, for_template);
        (void)buf_add_c(out, "]");
    }
    (void)buf_add_c(out, tail);
}

/* Its number in the list, when another one looks like it; else 0. */
static size_t number_of(const json_t *all, const struct label *l, size_t columns)
{
    struct buf mine, other;
    size_t number = 0;
    bool alike = false;

    buf_init(&mine, (size_t)GRID_TITLE_MAX * 4);
    buf_init(&other, (size_t)GRID_TITLE_MAX * 4);
    write_label(l, 0, columns, &mine);
    for (size_t i = 0; i < json_array_size(all); i++) {
        struct label one = label_of(json_array_get(all, i), l->template_id.len > 0);

        if (is_same(&one, l) && str_eq(one.template_id, l->template_id)) {
            number = number > 0 ? number : i + 1;
            continue;
        }
        other.len = 0;
        write_label(&one, 0, columns, &other);
        alike = alike || str_eq(buf_str(&mine), buf_str(&other));
    }
    buf_clear(&mine);
    buf_clear(&other);
    return alike ? number : 0;
}

void summary_operation(
    const json_t *document, const json_t *operation, size_t columns, char *out, size_t size)
{
    const json_t *all = document_at(document, "operations");
    struct label l = label_of(operation, true);
    struct buf text;
    size_t same = 0;

    for (size_t i = 0; i < json_array_size(all); i++) {
        struct label other = label_of(json_array_get(all, i), false);
        same += is_same(&other, &l);
    }
    if (same < 2 || l.subject.len == 0) {
        l.template_id = STR("");
    }
    buf_init(&text, (size_t)GRID_TITLE_MAX * 4);
    write_label(&l, number_of(all, &l, columns), columns, &text);
    snprintf(out, size, "%s", buf_c(&text));
    buf_clear(&text);
}

/* ---- stages ------------------------------------------------------------------------------------
 */

static void add_levels(struct page *p, const json_t *stage)
{
    uint64_t vus = document_count(stage, "planned.vus");
    uint64_t start = document_count(stage, "planned.start_vus");
    bool sized = document_true(stage, "planned.sized");
    char text[TEXT_NUMBER_MAX], from[TEXT_NUMBER_MAX];
    double rps, start_rps, reached;

    page_add(p, ", ");
    if (document_number(stage, "planned.rps", &rps)) {
        if (document_number(stage, "planned.start_rps", &start_rps) && start_rps != rps) {
            page_add(p, "%s to ", text_rate(start_rps, from));
        }
        page_add(p, "%s ordered, ", text_rate(rps, text));
        if (document_number(stage, "achieved.reached_rps", &reached) && reached != rps) {
            page_add(p, "%s reached, ", text_rate(reached, text));
        }
    }
    if (document_at(stage, "planned.start_vus") != NULL && start != vus && !sized) {
        page_add(p, "%s to ", text_count(start, from));
    }
    page_add(p, "%s%s VUs", sized ? "from " : "", text_count(vus, text));
    bool ramp = document_at(stage, "planned.start_vus") != NULL && start != vus;
    if (document_at(stage, "achieved.max_vus") != NULL &&
        (ramp || document_count(stage, "achieved.max_vus") != vus)) {
        page_add(p, ", %s reached", text_count(document_count(stage, "achieved.max_vus"), text));
    }
}

static void add_stage(struct page *p, const json_t *stage)
{
    char lasted[TEXT_NUMBER_MAX], planned[TEXT_NUMBER_MAX], rate[TEXT_NUMBER_MAX];
    uint64_t lasted_ns = 0, planned_ns = 0;
    double rps;

    page_foreign(p, document_text(stage, "stage"), 40);
    page_add(p, " ");
    page_foreign(p, document_text(stage, "stage_id"), 60);
    if (!document_true(stage, "started")) {
        page_add(p, ": not started\n");
        return;
    }
    (void)document_ms(stage, "achieved.duration_ms", &lasted_ns);
    (void)document_ms(stage, "planned.duration_ms", &planned_ns);
    page_add(p, ": %s of %s", text_clock(lasted_ns, lasted), text_clock(planned_ns, planned));
    add_levels(p, stage);
    if (document_number(stage, "achieved.ops_per_second", &rps)) {
        page_add(p, ", %s", text_rate(rps, rate));
    }
    if (document_number(stage, "achieved.fell_behind_from_per_second", &rps)) {
        page_add(p, ", fell behind from %s on", text_rate(rps, rate));
    }
    if (document_number(stage, "achieved.falls_behind_per_second", &rps)) {
        page_add(p, ", falls behind by %s", text_rate(rps, rate));
    }
    page_add(p, "\n");
}

/* A ramp, or a backlog: there is more to say than what was ordered. */
static bool is_telling(const json_t *stage)
{
    double behind, rps, start_rps;

    return document_count(stage, "planned.start_vus") != document_count(stage, "planned.vus") ||
           document_number(stage, "achieved.falls_behind_per_second", &behind) ||
           (document_number(stage, "planned.rps", &rps) &&
            document_number(stage, "planned.start_rps", &start_rps) && rps != start_rps);
}

void summary_stages(struct page *p)
{
    const json_t *stages = document_at(p->document, "stages");
    size_t count = json_array_size(stages);

    /* Of a single stage that went as planned the other lines say all. */
    if (count == 0 || (count == 1 && !is_telling(json_array_get(stages, 0)))) {
        return;
    }
    for (size_t i = 0; i < count && i < STAGES_SHOWN; i++) {
        page_label(p, i == 0 ? "stages" : "");
        add_stage(p, json_array_get(stages, i));
    }
    page_more(p, count > STAGES_SHOWN ? count - STAGES_SHOWN : 0, "");
}

/* ---- rates -------------------------------------------------------------------------------------
 */

static void add_drops(struct page *p)
{
    static const struct {
        const char *path, *reason;
    } reasons[] = {
        {"counts.dropped_deadline", "after their deadline"},
        {"counts.dropped_no_slot", "without a free slot to the end"},
        {"counts.dropped_stopped", "because the run was stopped"},
    };
    char text[TEXT_NUMBER_MAX];
    size_t at = 0;

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        uint64_t count = document_count(p->document, reasons[i].path);

        if (count > 0) {
            if (at == 0) {
                page_label(p, "dropped");
            }
            page_add(p, "%s%s %s", at++ > 0 ? " · " : "", text_count(count, text),
                     reasons[i].reason);
        }
    }
    if (at > 0) {
        page_add(p, "\n");
    }
}

void summary_rates(struct page *p)
{
    const json_t *c = document_at(p->document, "counts");
    uint64_t failed = document_count(c, "ended_failed");
    uint64_t due = document_count(c, "due");
    uint64_t dropped = document_count(c, "dropped_deadline") +
                       document_count(c, "dropped_no_slot") + document_count(c, "dropped_stopped");
    char text[TEXT_NUMBER_MAX];
    double number;

    page_label(p, "rate");
    if (document_number(p->document, "totals.ops_per_second", &number)) {
        page_add(p, "%s · ", text_rate(number, text));
    }
    if (due > 0) {
        page_add(p, "%s due · ", text_count(due, text));
    }
    page_add(p, "%s started · ", text_count(document_count(c, "started"), text));
    if (due > 0) {
        page_add(p, "%s dropped · ", text_count(dropped, text));
    }
    page_add(p, "%s succeeded · ", text_count(document_count(c, "ended_ok"), text));
    page_add(p, "%s failed", text_count(failed, text));
    summary_ratio(p, failed, failed + document_count(c, "ended_ok"));
    page_add(p, " · %s unfinished", text_count(document_count(c, "unfinished"), text));
    if (due > 0 && document_number(p->document, "totals.rate_ratio", &number)) {
        page_add(p, " · started / due %s", text_percent(number, text));
    }
    page_add(p, "\n");
    add_drops(p);
}

/* ---- latencies ---------------------------------------------------------------------------------
 */

static const struct {
    const char *member;
    uint32_t ppm; /* 1000000: the maximum */
} quantiles[] = {
    {"p50_ms", 500000}, {"p90_ms", 900000},  {"p95_ms", 950000},
    {"p99_ms", 990000}, {"p999_ms", 999000}, {"max_ms", 1000000},
};
enum { QUANTILES = sizeof quantiles / sizeof quantiles[0] };

static void add_clocks(struct page *p, struct grid *g, const json_t *operation)
{
    static const struct {
        char letter;
        const char *member;
    } clocks[] = {{'S', "service"}, {'R', "response"}, {'L', "lag"}};
    char number[TEXT_NUMBER_MAX];
    bool first = true;

    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        const json_t *d = document_at(operation, clocks[i].member);
        struct grid_row *row = document_count(d, "n") > 0 ? grid_add(g) : NULL;

        if (row == NULL) {
            continue;
        }
        if (first) {
            summary_operation(p->document, operation, TITLE_COLUMNS, row->title, sizeof row->title);
        }
        first = false;
        row->mark = clocks[i].letter;
        for (size_t j = 0; j < QUANTILES; j++) {
            summary_cell(d, quantiles[j].member, quantiles[j].ppm, row->cell[j]);
        }
        snprintf(row->cell[QUANTILES], GRID_CELL_MAX, "%s",
                 text_count(document_count(d, "n"), number));
    }
}

void summary_latencies(struct page *p)
{
    static const char *const heads[] = {"p50", "p90", "p95", "p99", "p99.9", "max", "n"};
    const json_t *operations = document_at(p->document, "operations");
    bool response = str_eq(document_text(p->document, "latency_is"), STR("response"));
    size_t shown = 0, left = 0;
    struct grid g;

    grid_init(&g, "latency", heads, QUANTILES + 1, (size_t)OPERATIONS_SHOWN * 3);
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const json_t *operation = json_array_get(operations, i);

        if (document_count(operation, "lag.n") == 0) {
            continue;
        }
        if (shown < OPERATIONS_SHOWN) {
            shown++;
            add_clocks(p, &g, operation);
        } else {
            left++;
        }
    }
    if (g.count > 0) {
        page_add(p, "\n");
        page_grid(p, &g, TITLE_COLUMNS);
        if (left > 0) {
            page_add(p, "  … and %zu more operations, in the result\n", left);
        }
        page_add(p, "  S sent to ended, R due to ended, L due to sent; \"latency\" is %s\n\n",
                 response ? "R" : "S");
    }
    grid_clear(&g);
}

/* ---- stage by operation ------------------------------------------------------------------------
 */

/* `stage_id`: empty when all rows are of one stage. */
static void
name_stage_row(struct page *p, struct grid_row *row, const json_t *operation, struct str stage_id)
{
    size_t for_stage, for_operation, room = ROW_COLUMNS - (stage_id.len > 0 ? 2 : 0);
    char title[GRID_TITLE_MAX];
    struct buf out;

    summary_operation(p->document, operation, OPERATION_COLUMNS, title, sizeof title);
    share(room, stage_id, str_c(title), &for_stage, &for_operation);
    if (text_width(str_c(title)) > for_operation) {
        summary_operation(p->document, operation, for_operation, title, sizeof title);
    }
    buf_init(&out, sizeof row->title * 2);
    if (stage_id.len > 0) {
        (void)text_add_middle(&out, stage_id, for_stage);
        (void)buf_add_c(&out, ": ");
    }
    (void)buf_add_c(&out, title);
    snprintf(row->title, sizeof row->title, "%s", buf_c(&out));
    buf_clear(&out);
}

static void fill_stage_row(struct page *p,
                           struct grid_row *row,
                           const json_t *stage,
                           const json_t *operation,
                           bool one_stage)
{
    bool response = str_eq(document_text(stage, "latency_is"), STR("response"));
    const json_t *d = document_at(operation, response ? "response" : "service");
    uint64_t failed = document_count(operation, "counts.ended_failed");
    uint64_t ended = failed + document_count(operation, "counts.ended_ok");
    char text[TEXT_NUMBER_MAX];
    double rate;

    name_stage_row(p, row, operation, one_stage ? STR("") : document_text(stage, "stage_id"));
    row->mark = response ? 'R' : 'S';
    snprintf(row->cell[0], GRID_CELL_MAX, "%s", text_count(ended, text));
    if (document_number(operation, "totals.ops_per_second", &rate)) {
        snprintf(row->cell[1], GRID_CELL_MAX, "%s", text_rate(rate, text));
    }
    if (ended > 0) {
        char percent[TEXT_NUMBER_MAX];
        snprintf(row->cell[2], GRID_CELL_MAX, failed > 0 ? "%s (%s)" : "%s",
                 text_count(failed, text), text_percent((double)failed / (double)ended, percent));
    } else {
        snprintf(row->cell[2], GRID_CELL_MAX, "n/a");
    }
    summary_cell(d, "p50_ms", 500000, row->cell[3]);
    summary_cell(d, "p95_ms", 950000, row->cell[4]);
    summary_cell(d, "p99_ms", 990000, row->cell[5]);
}

/* A stage whose figures are those of the run. Documents of older versions do not say so. */
static bool is_loaded(const json_t *stage)
{
    const json_t *load = document_at(stage, "load");

    return document_count(stage, "counts.started") > 0 &&
           (load != NULL ? document_true(stage, "load")
                         : !str_eq(document_text(stage, "stage"), STR("preflight")));
}

/* A row of the table: an operation of a stage that was started there, or came due. */
struct stage_row {
    const json_t *stage, *operation;
    bool failed, shown;
};

static bool is_row(const json_t *operation)
{
    return document_count(operation, "counts.started") + document_count(operation, "counts.due") >
           0;
}

/* All rows, in the order of the document; the caller frees them. */
static struct stage_row *find_rows(const struct page *p, size_t *count)
{
    const json_t *stages = document_at(p->document, "stages");
    struct stage_row *rows = NULL;
    size_t cap = 0;

    *count = 0;
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);
        const json_t *operations = document_at(stage, "operations");

        for (size_t j = 0; is_loaded(stage) && j < json_array_size(operations); j++) {
            const json_t *operation = json_array_get(operations, j);

            if (!is_row(operation)) {
                continue;
            }
            if (*count == cap) {
                cap = cap == 0 ? STAGE_ROWS_SHOWN : cap * 2;
                rows = xrealloc(rows, cap * sizeof *rows);
            }
            rows[(*count)++] = (struct stage_row){
                stage, operation, document_count(operation, "counts.ended_failed") > 0, false};
        }
    }
    return rows;
}

/* Of more rows than fit those that failed come first. Returns how many are left out. */
static size_t choose_rows(struct stage_row *rows, size_t count)
{
    size_t chosen = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count && chosen < STAGE_ROWS_SHOWN; i++) {
            if (!rows[i].shown && rows[i].failed == (pass == 0)) {
                rows[i].shown = true;
                chosen++;
            }
        }
    }
    return count - chosen;
}

/* Wherever the figures of the run are the sum of several. */
void summary_stage_table(struct page *p)
{
    static const char *const heads[] = {"ended", "rate", "failed", "p50", "p95", "p99"};
    size_t count;
    struct stage_row *rows = find_rows(p, &count);
    struct grid g;

    if (count < 2) {
        xfree(rows);
        return;
    }
    bool one_stage = rows[0].stage == rows[count - 1].stage;
    size_t left = choose_rows(rows, count);
    grid_init(&g, "stage and operation", heads, sizeof heads / sizeof heads[0], STAGE_ROWS_SHOWN);
    for (size_t i = 0; i < count; i++) {
        struct grid_row *row = rows[i].shown ? grid_add(&g) : NULL;

        if (row != NULL) {
            fill_stage_row(p, row, rows[i].stage, rows[i].operation, one_stage);
        }
    }
    page_grid(p, &g, ROW_COLUMNS);
    if (left > 0) {
        page_add(p, "  … and %zu more rows, in the result\n", left);
    }
    page_add(p, "\n");
    grid_clear(&g);
    xfree(rows);
}

/* ---- preflight ---------------------------------------------------------------------------------
 */

/* Beside the figures of the load; nothing when there was none. */
void summary_preflight(struct page *p)
{
    const json_t *preflight = document_at(p->document, "preflight");
    const json_t *counts = document_at(preflight, "counts");
    uint64_t failed = document_count(counts, "ended_failed");
    uint64_t ended = failed + document_count(counts, "ended_ok");
    char text[TEXT_NUMBER_MAX];

    if (document_count(counts, "started") + document_count(counts, "sessions_created") == 0) {
        return;
    }
    page_label(p, "preflight");
    page_add(p, "%s operations ended · ", text_count(ended, text));
    page_add(p, "%s failed", text_count(failed, text));
    summary_ratio(p, failed, ended);
    page_add(p, " · %s sessions created",
             text_count(document_count(counts, "sessions_created"), text));
    page_add(p, " · in no other figure\n");
}
