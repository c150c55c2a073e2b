/* SPDX-License-Identifier: MIT */
/*
 * The result of a run as a document: format `result/v1`. One table per JSON object says the name,
 * the type and the meaning of each member and how it is made; the document and its reference page
 * (docs/reference/result.md) walk the same rows. Members are added, never renamed.
 *
 * A number without a value is null, never 0 by accident; a count of something that did not happen
 * is 0. Rows of `operations` leave both out: there may be hundreds. Times are milliseconds, to the
 * nanosecond where they were measured; ratios 0..1.
 */
#ifndef REPORT_RESULT_RESULT_H
#define REPORT_RESULT_RESULT_H

#include "base/json.h"
#include "control/run.h"

#define RESULT_SCHEMA_VERSION "result/v1"
#define RESULT_TEXT_MAX       ((size_t)256 * 1024 * 1024)

/* The whole result; the state should be terminal, but any is fine. The caller owns it. */
json_t *result_json(const struct run *r);

/* The text of a result, also of one that was read: indented, each row of an array `operations` in a
 * line of its own, with a final newline. ERR_LIMIT. */
int result_text_of(const json_t *document, struct buf *out);

/* The same of a run; out->max bounds it. ERR_LIMIT. */
int result_render(const struct run *r, struct buf *out, struct err *err);

/* Writes the text by way of a temporary file. ERR_IO or ERR_LIMIT. */
int result_write(const struct run *r, const char *path, struct err *err);

/* One complete second as windows.ndjson has it; NULL when the second is no longer kept. */
json_t *result_second_json(const struct run *r, uint64_t second);

/* docs/reference/result.md and docs/reference/metrics.md. 0 or ERR_LIMIT. */
int result_reference(struct buf *out);
int metrics_reference(struct buf *out);
/* … and docs/limits.md. */
int limits_reference(struct buf *out);

#endif
