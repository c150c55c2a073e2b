/* SPDX-License-Identifier: MIT */
/*
 * The tables behind result/v1. A section is a JSON object, a member one of its rows: its name, what
 * it means, and the function that makes its value. docs/reference/result.md is written from the
 * same rows.
 */
#ifndef REPORT_RESULT_RESULT_PRIV_H
#define REPORT_RESULT_RESULT_PRIV_H

#include "report/result/result.h"

#include <stdint.h>

/* What a row is asked about. */
struct result_place {
    const struct run *run;
    const struct metric_view *view; /* of the object's part of the load, where it has one */
    bool whole;                     /* the view includes connections, sessions and gauges */
    enum aggregate_share share;     /* of the run, where an object is about one */
    uint32_t stage, operation;      /* indices of the plan */
    size_t index;                   /* of an array's element */
    const void *item;               /* what else the section is about */
};

struct result_section;

struct result_member {
    const char *name, *type, *meaning;
    json_t *(*value)(const struct result_place *place); /* NULL means null */
    /* Whose members the value has, for the page; NULL when they need no table. */
    const struct result_section *section;
};

struct result_section {
    const char *path; /* "stages[].operations[]"; "" is the document */
    const struct result_member *members;
    size_t count;
};

#define RESULT_SECTION(path_, members_)                                                         \
    {                                                                                           \
        .path = (path_), .members = (members_), .count = sizeof(members_) / sizeof(members_)[0] \
    }

/* The object, every member present. */
json_t *result_object(const struct result_section *section, const struct result_place *place);
/* A row of `operations` or a part of one: members that have nothing to say (null, a count of 0, an
 * empty list) are left out. Both functions take the values. */
json_t *result_row(const struct result_section *section, const struct result_place *place);
void result_row_set(json_t *row, const char *name, json_t *value);

/* Values; all of them new. A text may be NULL and need not be UTF-8. */
json_t *result_text(const char *s);
json_t *result_slice(struct str s);
json_t *result_count(uint64_t n);
json_t *result_real(double value, double places); /* rounded: 1000 keeps three digits */
json_t *result_ms(uint64_t ns);
/* Each line of the text as an element of the array. */
void result_append_lines(json_t *to, struct str rest);
json_t *result_metric(const struct metric *m, const struct metric_view *view);

/* Row functions shared between sections. */
json_t *result_totals(const struct result_place *p);
json_t *result_counts(const struct result_place *p);
json_t *result_distributions(const struct result_place *p);
json_t *result_operations(const struct result_place *p); /* of the run */
json_t *result_stages(const struct result_place *p);
json_t *result_errors(const struct result_place *p);
json_t *result_conditions(const struct result_place *p);
json_t *result_integrity(const struct result_place *p);
json_t *result_workers(const struct result_place *p);
json_t *result_labels(const struct result_place *p);
json_t *result_environment(const struct result_place *p);
json_t *result_findings(const struct result_place *p);
json_t *result_criteria(const struct result_place *p);
json_t *result_custom(const struct result_place *p); /* of the view */
json_t *result_slowest(const struct result_place *p);
json_t *result_journey(const struct result_place *p);
json_t *result_preflight(const struct result_place *p);
json_t *result_losses(const struct result_place *p);
json_t *result_limits(const struct result_place *p);
json_t *result_latency_is(const struct result_place *p); /* of the view */

/* One distribution of the view; null without a sample. */
json_t *result_distribution(const struct result_place *p, enum dist id);
/* The operations of one stage, or of the load stages (-1). */
json_t *result_operation_rows(const struct result_place *p, int32_t stage);
/* "tool_name=search", or null. */
json_t *result_scope(const char *scope_text);
/* "latency_p99_ms{tool_name=search} > 5 s"; returns out. */
const char *result_expression(const struct metric *metric,
                              const char *scope_text,
                              enum stop_comparator comparator,
                              double threshold,
                              char *out,
                              size_t size);

extern const struct result_section result_section_root, result_section_validity,
    result_section_stop, result_section_observed, result_section_server, result_section_check,
    result_section_stage, result_section_planned, result_section_achieved, result_section_operation,
    result_section_latency, result_section_error, result_section_error_operation,
    result_section_condition, result_section_integrity, result_section_worker, result_section_share,
    result_section_thread, result_section_label, result_section_environment, result_section_step,
    result_section_finding, result_section_criterion, result_section_custom, result_section_slowest,
    result_section_journey, result_section_losses, result_section_signal, result_section_preflight,
    result_section_limit;

/* Members of a line of windows.ndjson that are metrics over the second. */
enum { RESULT_SECOND_COLUMNS = 18, RESULT_SECOND_APART = 3 };
struct result_column {
    const char *name, *metric;
};
extern const struct result_column result_second_columns[RESULT_SECOND_COLUMNS];
/* The same of the preflight stages, beside those of the load stages. */
extern const struct result_column result_second_apart[RESULT_SECOND_APART];

/* How many sources of windows the run has. */
uint32_t result_source_count(const struct run *r);

/*
 * The sum of one operation, over one stage or (-1) the load stages, without what belongs to no
 * operation: connections, sessions, gauges. The view was all zero or used before.
 */
void result_operation_view(const struct run *r,
                           int32_t stage,
                           uint32_t operation,
                           struct metric_view *view);

#endif
