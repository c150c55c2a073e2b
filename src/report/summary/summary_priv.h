/* SPDX-License-Identifier: MIT */
/* The parts of a summary: each writes its lines, or nothing when there is nothing to tell. */
#ifndef REPORT_SUMMARY_SUMMARY_PRIV_H
#define REPORT_SUMMARY_SUMMARY_PRIV_H

#include "report/result/document.h"
#include "report/text/page.h"

/* " (0.42 %)" when there is a whole. */
void summary_ratio(struct page *p, uint64_t part, uint64_t whole);
/* The value of a metric with its unit, by the metric's name. */
const char *summary_value(struct str metric, double value, char *out, size_t size);
/* A quantile ("p95_ms", 950000), or the maximum (1000000), of a distribution of the document:
 * "12.0 ms", "≥ 10 s", "shed", "n/a (n=3)". */
void summary_cell(const json_t *distribution, const char *member, uint32_t ppm, char *out);
/* What tells an operation from the others of the document, in so many columns (at least 20): long
 * names are cut in their middle, and where that is not enough, it has its number in the list.
 * `size`: 4 bytes for each column. */
void summary_operation(
    const json_t *document, const json_t *operation, size_t columns, char *out, size_t size);

/* summary_load.c */
void summary_stages(struct page *p);
void summary_preflight(struct page *p);
void summary_rates(struct page *p);
void summary_latencies(struct page *p);
void summary_stage_table(struct page *p);

/* summary_parts.c */
void summary_streams(struct page *p);
void summary_sessions(struct page *p);
void summary_journey(struct page *p);
void summary_custom(struct page *p);
void summary_slowest(struct page *p);
void summary_errors(struct page *p);
void summary_generator(struct page *p);
void summary_evidence(struct page *p);
void summary_limits(struct page *p);

#endif
