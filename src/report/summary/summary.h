/* SPDX-License-Identifier: MIT */
/*
 * The end of a run for people, verdict first, on one screen: answers to the wrong caller, why it
 * ended, criteria and conditions with expression and value, stages, rates, latencies per operation,
 * streams, sessions, errors by origin and signature, the generator, the check of the books. Of a
 * failed preflight: its checks and what to do.
 *
 * Made from the result/v1 document alone, so that a stored result prints what its run printed. The
 * document may be any JSON value: what it lacks is left out.
 *
 * Pure text: nothing is printed here.
 */
#ifndef REPORT_SUMMARY_SUMMARY_H
#define REPORT_SUMMARY_SUMMARY_H

#include "base/json.h"
#include "report/text/text.h"

#define SUMMARY_TEXT_MAX ((size_t)256 * 1024)

struct summary_options {
    struct text_style style;
    const char *result_path; /* where the result lies; NULL: nowhere */
};

/* The line with the verdict and, if it is "failed" or "invalid", what it is for: findings, the end,
 * failed checks or unmet criteria, evidence. 0 or ERR_LIMIT. */
int summary_verdict(const json_t *result, const struct text_style *style, struct buf *out);
/* The whole. 0 or ERR_LIMIT. */
int summary_write(const json_t *result, const struct summary_options *options, struct buf *out);

#endif
