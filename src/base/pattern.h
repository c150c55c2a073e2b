/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions that come from a file: POSIX extended, without back-references and with
 * bounded repetitions, so that neither compiling nor matching one can take for ever.
 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/err.h"

#include <regex.h>

enum { PATTERN_MAX = 256 }; /* bytes */

/* `flags` are those of regcomp() beside REG_EXTENDED. 0, and the caller calls regfree(); or
 * ERR_INVALID. */
int pattern_compile(const char *pattern, int flags, regex_t *out, struct err *err);
/* The same without a result. */
int pattern_check(const char *pattern, struct err *err);

#endif
