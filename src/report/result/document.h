/* SPDX-License-Identifier: MIT */
/*
 * Reading a result/v1 document that may come from anywhere: a file of today, of an older or a newer
 * version, or no result at all. What is missing or of another type is nothing: an empty text, 0, no
 * number. Paths are names with dots between them ("stop.sentence").
 */
#ifndef REPORT_RESULT_DOCUMENT_H
#define REPORT_RESULT_DOCUMENT_H

#include "base/json.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* NULL when there is nothing, also for null. Borrowed. `from` may be NULL. */
const json_t *document_at(const json_t *from, const char *path);
/* The text; empty when it is none. It is valid UTF-8 and may contain any character. */
struct str document_text(const json_t *from, const char *path);
/* A whole number that is not negative, else 0. */
uint64_t document_count(const json_t *from, const char *path);
/* False, *out untouched, when it is no finite number. */
bool document_number(const json_t *from, const char *path, double *out);
/* Milliseconds as nanoseconds; false when it is no time. */
bool document_ms(const json_t *from, const char *path, uint64_t *out_ns);
bool document_true(const json_t *from, const char *path);
/* Is the text one of an array's elements? */
bool document_lists(const json_t *array, const char *text);

/* Is it a result/v1? ERR_INVALID with a line that says what it is instead. */
int document_check(const json_t *document, struct err *err);

#endif
