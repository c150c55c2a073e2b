/* SPDX-License-Identifier: MIT */
/*
 * The end of a run for people, verdict first, on one screen: why it ended, conditions with
 * expression and value, rates, latencies per operation, streams, sessions, errors by signature,
 * the generator, the check of the books. Of a failed preflight: its checks and what to do.
 *
 * Pure text: nothing is printed here.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include "base/buf.h"
#include "control/run.h"
#include "report/text.h"

#define SUMMARY_TEXT_MAX ((size_t)256 * 1024)

struct summary_options {
    struct text_style style;
    const char *result_path; /* where the result lies; NULL: nowhere */
};

/* Only the line with the verdict. 0 or ERR_LIMIT. */
int summary_verdict(const struct run *r, const struct text_style *style, struct buf *out);
/* The whole. 0 or ERR_LIMIT. */
int summary_write(const struct run *r, const struct summary_options *options, struct buf *out);

#endif
