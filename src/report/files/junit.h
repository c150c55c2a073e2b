/* SPDX-License-Identifier: MIT */
/*
 * A result as a JUnit report, for build servers: one test suite per run, a case for each check
 * before the load, stop condition and success criterion, one for whether the figures can be trusted
 * (validity) and one for whether the books are whole (books). What failed has its sentence; what
 * was never looked at is skipped.
 *
 * Made from the document alone, which may be any JSON value. Texts of targets are foreign: what XML
 * 1.0 does not allow becomes U+FFFD, the rest is escaped.
 */
#ifndef REPORT_FILES_JUNIT_H
#define REPORT_FILES_JUNIT_H

#include "base/json.h"

#define JUNIT_TEXT_MAX ((size_t)16 * 1024 * 1024)

/* 0 or ERR_LIMIT. */
int junit_write(const json_t *result, struct buf *out);

#endif
