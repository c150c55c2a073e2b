/* SPDX-License-Identifier: MIT */
#include "report/summary/summary.h"

#include "base/clock.h"
#include "metrics/registry.h"
#include "report/summary/summary_priv.h"

#include <stdio.h>
#include <string.h>

enum {
    CONDITIONS_SHOWN = 8,
    CRITERIA_SHOWN = 12,
    EXAMPLES_SHOWN = 3,
    TAGS_SHOWN = 8,
    TAG_COLUMNS = 40,
    EXPRESSION_COLUMNS = 44,
    EXPRESSION_COLUMNS_MAX = 72,
    EXPRESSION_BYTES = PAGE_SENTENCE_MAX * 4,
    VALUE_COLUMNS = 16,
};

/* ---- shared ------------------------------------------------------------------------------------
 */

void summary_ratio(struct page *p, uint64_t part, uint64_t whole)
{
    char percent[TEXT_NUMBER_MAX];

    if (whole > 0) {
        page_add(p, " (%s)", text_percent((double)part / (double)whole, percent));
    }
}

const char *summary_value(struct str metric, double value, char *out, size_t size)
{
    const struct metric *m = metric_find(metric);

    if (m != NULL) {
        return metric_format(m, value, out, size);
    }
    /* A metric of the scenario has no unit that we know. */
    snprintf(out, size, "%.6g", value);
    return out;
}

/* ---- the verdict -------------------------------------------------------------------------------
 */

/* Did something keep the load from beginning? */
static bool without_load(const json_t *document)
{
    const json_t *stages = document_at(document, "stages");

    for (size_t i = 0; i < json_array_size(stages); i++) {
        if (document_true(json_array_get(stages, i), "started")) {
            return false;
        }
    }
    return true;
}

static void add_verdict(struct page *p)
{
    static const struct {
        struct str verdict;
        const char *word, *colour;
    } verdicts[] = {
        {STR_INIT(""), "NO VERDICT", PAGE_YELLOW},
        {STR_INIT("passed"), "PASSED", PAGE_GREEN},
        {STR_INIT("failed"), "FAILED", PAGE_RED},
        {STR_INIT("invalid"), "INVALID", PAGE_YELLOW},
    };
    const json_t *d = p->document;
    struct str verdict = document_text(d, "verdict");
    char count[TEXT_NUMBER_MAX];
    size_t row = 0;

    for (size_t i = 1; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        row = str_eq(verdict, verdicts[i].verdict) ? i : row;
    }
    page_colour(p, PAGE_BOLD);
    page_colour(p, verdicts[row].colour);
    page_add(p, "%s", verdicts[row].word);
    page_colour(p, PAGE_PLAIN);
    if (document_text(d, "stop.signal").len > 0 ||
        (row == 0 && str_eq(document_text(d, "stop.kind"), STR("stop_requested")))) {
        page_add(p, " · interrupted, partial result");
    }
    if (without_load(d)) {
        bool preflight = str_eq(document_text(d, "stop.kind"), STR("preflight_failed"));
        page_add(p, "%s · no load was generated", preflight ? " · preflight" : "");
    } else {
        page_add(p, " · ");
        page_foreign(p, document_text(d, "validity.state"), PAGE_SENTENCE_MAX);
        page_add(p, " · %s operations",
                 text_count(document_count(d, "counts.ended_ok") +
                                document_count(d, "counts.ended_failed"),
                            count));
    }
    page_add(p, " · seed %llu\n", (unsigned long long)document_count(d, "seed"));
}

/* "stage=ci" for each, and how many there are beyond. */
static void add_tags(struct page *p)
{
    const json_t *tags = document_at(p->document, "tags"), *value;
    size_t shown = 0, count = json_object_size(tags);
    const char *key;

    if (count == 0) {
        return;
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    json_object_foreach((json_t *)(uintptr_t)tags, key, value)
    {
        if (shown++ == TAGS_SHOWN) {
            page_add(p, " · and %zu more", count - TAGS_SHOWN);
            return;
        }
        page_add(p, " · ");
        page_foreign(p, str_c(key), TAG_COLUMNS);
        page_add(p, "=");
        page_foreign(p, document_text(value, ""), TAG_COLUMNS);
    }
}

/* What was tested; results of earlier versions do not say it. */
static void add_origin(struct page *p)
{
    struct str target = document_text(p->document, "target_url");
    struct str name = document_text(p->document, "name");
    struct str id = document_text(p->document, "scenario_id");

    if (target.len == 0) {
        return;
    }
    page_label(p, "target");
    page_foreign(p, target, PAGE_SENTENCE_MAX);
    page_add(p, "\n");
    page_label(p, "scenario");
    page_foreign(p, name.len > 0 ? name : id, PAGE_SENTENCE_MAX);
    if (name.len > 0 && !str_eq(name, id)) {
        page_add(p, " (");
        page_foreign(p, id, PAGE_SENTENCE_MAX);
        page_add(p, ")");
    }
    add_tags(p);
    page_add(p, "\n");
}

static void add_reason(struct page *p)
{
    struct str sentence = document_text(p->document, "stop.sentence");
    struct str kind = document_text(p->document, "stop.kind");
    char took[TEXT_NUMBER_MAX];
    uint64_t ns;

    if (sentence.len == 0) {
        sentence = str_eq(kind, STR("completed")) ? STR("the plan ran to its end") : kind;
    }
    page_label(p, "ended");
    page_foreign(p, sentence, PAGE_SENTENCE_MAX);
    if (document_ms(p->document, "duration_ms", &ns)) {
        page_add(p, " · %s in all", text_clock(ns, took));
    }
    page_add(p, "\n");
}

/* What is worse than any figure: it comes before all of them. */
static void add_findings(struct page *p)
{
    const json_t *findings = document_at(p->document, "findings");

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        const json_t *examples = document_at(finding, "examples");
        size_t count = json_array_size(examples);

        page_label(p, i == 0 ? "FINDING" : "");
        page_colour(p, PAGE_BOLD);
        page_colour(p, PAGE_RED);
        page_foreign(p, document_text(finding, "sentence"), PAGE_SENTENCE_MAX);
        page_colour(p, PAGE_PLAIN);
        page_add(p, "\n");
        for (size_t j = 0; j < count && j < EXAMPLES_SHOWN; j++) {
            page_label(p, "");
            page_foreign(p, document_text(json_array_get(examples, j), ""), PAGE_SENTENCE_MAX);
            page_add(p, "\n");
        }
        page_more(p, count > EXAMPLES_SHOWN ? count - EXAMPLES_SHOWN : 0, "kinds");
    }
}

/* ---- checks before the load --------------------------------------------------------------------
 */

static void add_mark(struct page *p, bool ok)
{
    const char *mark = p->style->utf8 ? (ok ? "✓" : "✗") : (ok ? "ok  " : "FAIL");

    page_colour(p, ok ? PAGE_GREEN : PAGE_RED);
    page_add(p, "  %s ", mark);
    page_colour(p, PAGE_PLAIN);
}

static void add_check(struct page *p, const json_t *check)
{
    bool ok = document_true(check, "ok");
    struct str message = document_text(check, "message");
    struct str remediation = document_text(check, "remediation");
    struct buf name;
    char took[TEXT_NUMBER_MAX];
    uint64_t ns = 0;

    buf_init(&name, 256);
    (void)text_add_safe(&name, document_text(check, "name"), 40);
    (void)document_ms(check, "latency_ms", &ns);
    add_mark(p, ok);
    page_left(p, buf_c(&name), 14);
    page_add(p, "%s", text_time(ns, took));
    if (!ok) {
        page_add(p, " · ");
        page_foreign(p, document_text(check, "error_code"), 64);
    }
    page_add(p, "\n");
    if (message.len > 0) {
        page_add(p, "      ");
        page_foreign(p, message, PAGE_SENTENCE_MAX);
        page_add(p, "\n");
    }
    if (!ok && remediation.len > 0) {
        page_add(p, "      what to do: ");
        page_foreign(p, remediation, PAGE_SENTENCE_MAX);
        page_add(p, "\n");
    }
    buf_clear(&name);
}

static void add_checks(struct page *p)
{
    const json_t *checks = document_at(p->document, "checks");

    if (json_array_size(checks) == 0) {
        return;
    }
    page_add(p, "\nchecks\n");
    for (size_t i = 0; i < json_array_size(checks); i++) {
        add_check(p, json_array_get(checks, i));
    }
}

static void add_warnings(struct page *p)
{
    const json_t *warnings = document_at(p->document, "warnings");

    for (size_t i = 0; i < json_array_size(warnings); i++) {
        page_label(p, i == 0 ? "warning" : "");
        page_foreign(p, document_text(json_array_get(warnings, i), ""), PAGE_SENTENCE_MAX);
        page_add(p, "\n");
    }
}

/* ---- criteria and conditions -------------------------------------------------------------------
 */

/* The row's expression, and its stage where there are several, safe to print. */
static void write_expression(const struct page *p, const json_t *row, struct buf *out)
{
    struct str stage_id = document_text(row, "stage_id");

    out->len = 0;
    (void)text_add_safe(out, document_text(row, "expression"), PAGE_SENTENCE_MAX / 2);
    if (stage_id.len > 0 && json_array_size(document_at(p->document, "stages")) > 1) {
        (void)buf_add_c(out, " [");
        (void)text_add_safe(out, stage_id, PAGE_SENTENCE_MAX / 4);
        (void)buf_add_c(out, "]");
    }
}

/* Columns for the expressions of all rows; what is longer than the most is shown whole. */
static size_t expression_columns(const struct page *p, const json_t *rows)
{
    size_t columns = EXPRESSION_COLUMNS;
    struct buf text;

    buf_init(&text, EXPRESSION_BYTES);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        write_expression(p, json_array_get(rows, i), &text);
        size_t width = text_width(buf_str(&text));
        if (width > columns && width <= EXPRESSION_COLUMNS_MAX) {
            columns = width;
        }
    }
    buf_clear(&text);
    return columns;
}

static void add_expression(struct page *p, const json_t *row, size_t columns)
{
    struct buf text;

    buf_init(&text, EXPRESSION_BYTES);
    write_expression(p, row, &text);
    page_left(p, buf_c(&text), columns);
    page_add(p, " ");
    buf_clear(&text);
}

static void add_criterion(struct page *p, const json_t *criterion, size_t columns)
{
    static const struct {
        struct str state;
        const char *word, *colour;
    } states[] = {
        {STR_INIT("met"), "met", PAGE_GREEN},
        {STR_INIT("failed"), "FAILED", PAGE_RED},
        {STR_INIT("no_value"), "FAILED", PAGE_RED},
        {STR_INIT("undecided"), "undecided", PAGE_YELLOW},
    };
    struct str state = document_text(criterion, "state");
    char value[64], text[80] = "no value";
    double number;

    add_expression(p, criterion, columns);
    if (document_number(criterion, "value", &number)) {
        summary_value(document_text(criterion, "metric"), number, value, sizeof value);
        snprintf(text, sizeof text, "%s%s", document_true(criterion, "lower_bound") ? "≥ " : "",
                 value);
    }
    if (document_true(criterion, "shed")) {
        snprintf(text, sizeof text, "shed");
    }
    page_left(p, text, VALUE_COLUMNS);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (str_eq(state, states[i].state)) {
            page_colour(p, states[i].colour);
            page_add(p, " %s", states[i].word);
            page_colour(p, PAGE_PLAIN);
        }
    }
    uint64_t samples = document_count(criterion, "samples");
    uint64_t needed = document_count(criterion, "samples_needed");
    if (str_eq(state, STR("undecided")) && samples < needed) {
        page_add(p, ", n=%llu, %llu are needed", (unsigned long long)samples,
                 (unsigned long long)needed);
    }
    page_add(p, "\n");
}

static void add_condition(struct page *p, const json_t *condition, size_t columns)
{
    struct str metric = document_text(condition, "metric");
    bool passes = str_eq(document_text(condition, "on_trigger"), STR("pass"));
    char value[64], text[80] = "no value";
    double number;

    add_expression(p, condition, columns);
    if (document_number(condition, "worst", &number)) {
        snprintf(text, sizeof text, "worst %s", summary_value(metric, number, value, sizeof value));
    } else if (document_number(condition, "last", &number)) {
        snprintf(text, sizeof text, "last %s", summary_value(metric, number, value, sizeof value));
    }
    page_left(p, text, VALUE_COLUMNS);
    if (document_true(condition, "triggered")) {
        page_colour(p, passes ? PAGE_GREEN : PAGE_RED);
        page_add(p, " %s", passes ? "reached" : "TRIGGERED");
        page_colour(p, PAGE_PLAIN);
    } else {
        page_add(p, " %s",
                 document_true(condition, "breached") ? "passed the limit, not for long enough"
                                                      : "not reached");
    }
    page_add(p, "\n");
}

/* Rows of an array, those that decided something before the others, so that a cut list still
 * shows them. */
static void add_rows(struct page *p,
                     const char *member,
                     size_t shown,
                     bool (*first)(const json_t *row),
                     void (*add)(struct page *p, const json_t *row, size_t columns))
{
    const json_t *rows = document_at(p->document, member);
    size_t count = json_array_size(rows), columns = expression_columns(p, rows), at = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count && at < shown; i++) {
            const json_t *row = json_array_get(rows, i);
            if (first(row) == (pass == 0)) {
                page_label(p, at++ == 0 ? member : "");
                add(p, row, columns);
            }
        }
    }
    page_more(p, count - at, "");
}

static bool is_not_met(const json_t *criterion)
{
    return !str_eq(document_text(criterion, "state"), STR("met"));
}

static bool is_triggered(const json_t *condition)
{
    return document_true(condition, "triggered");
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static void add_integrity(struct page *p)
{
    uint64_t verified = document_count(p->document, "integrity.verified");
    char number[TEXT_NUMBER_MAX], mixed_up[TEXT_NUMBER_MAX];

    if (verified > 0) {
        page_label(p, "answers");
        page_add(p, "%s verified to belong to their caller · %s mixed up\n",
                 text_count(verified, number),
                 text_count(document_count(p->document, "integrity.mismatches"), mixed_up));
    }
    struct str line = document_text(p->document, "integrity.line");

    if (line.len > 0) {
        page_label(p, "integrity");
        page_foreign(p, line, PAGE_SENTENCE_MAX);
        page_add(p, "\n");
    }
}

/* What the log of operations does not have. */
static void add_log(struct page *p)
{
    uint64_t lost = document_count(p->document, "losses.op_log_lines");
    uint64_t thinned = document_count(p->document, "losses.op_log_thinned");
    char number[TEXT_NUMBER_MAX];

    if (thinned > 0) {
        page_label(p, "log");
        page_add(p, "a sample: %s successes were left out evenly\n", text_count(thinned, number));
    }
    if (lost > 0) {
        page_label(p, thinned > 0 ? "" : "log");
        page_add(p,
                 "%s operations were left out of the log: it has its limits, the figures do not\n",
                 text_count(lost, number));
    }
}

static void add_load(struct page *p)
{
    add_rows(p, "criteria", CRITERIA_SHOWN, is_not_met, add_criterion);
    add_rows(p, "conditions", CONDITIONS_SHOWN, is_triggered, add_condition);
    summary_stages(p);
    summary_preflight(p);
    summary_rates(p);
    summary_latencies(p);
    summary_stage_table(p);
    summary_streams(p);
    summary_sessions(p);
    summary_journey(p);
    summary_custom(p);
    summary_slowest(p);
    summary_errors(p);
    summary_generator(p);
    summary_evidence(p);
    add_integrity(p);
    add_log(p);
    summary_limits(p);
}

static int finish(struct page *p)
{
    if (p->rc == 0 && !p->style->utf8) {
        text_to_ascii(p->out);
    }
    return p->rc;
}

/* Which of all that is behind a verdict that is no "passed". */
static void add_why(struct page *p)
{
    const json_t *criteria = document_at(p->document, "criteria");
    size_t columns = expression_columns(p, criteria), shown = 0, left = 0;

    add_findings(p);
    add_reason(p);
    if (without_load(p->document)) {
        add_checks(p);
        return;
    }
    for (size_t i = 0; i < json_array_size(criteria); i++) {
        const json_t *criterion = json_array_get(criteria, i);

        if (!is_not_met(criterion)) {
            continue;
        }
        if (shown == CRITERIA_SHOWN) {
            left++;
            continue;
        }
        page_label(p, shown++ == 0 ? "criteria" : "");
        add_criterion(p, criterion, columns);
    }
    page_more(p, left, "");
    summary_evidence(p);
}

int summary_verdict(const json_t *result, const struct text_style *style, struct buf *out)
{
    struct page p = {.out = out, .style = style, .document = result};
    struct str verdict = document_text(result, "verdict");

    add_verdict(&p);
    if (str_eq(verdict, STR("failed")) || str_eq(verdict, STR("invalid"))) {
        add_why(&p);
    }
    return finish(&p);
}

int summary_write(const json_t *result, const struct summary_options *options, struct buf *out)
{
    struct page p = {.out = out, .style = &options->style, .document = result};

    add_verdict(&p);
    add_origin(&p);
    add_findings(&p);
    add_reason(&p);
    if (without_load(result)) {
        add_checks(&p);
    } else {
        add_load(&p);
    }
    add_warnings(&p);
    if (options->result_path != NULL) {
        page_label(&p, "result");
        page_add(&p, "%s\n", options->result_path);
    }
    return finish(&p);
}
