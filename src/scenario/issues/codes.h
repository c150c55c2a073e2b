/* SPDX-License-Identifier: MIT */
/* The codes of issues, with a sentence each: one table for the reference page and for the check
 * that no other code is ever reported. */
#ifndef SCENARIO_ISSUES_CODES_H
#define SCENARIO_ISSUES_CODES_H

#include <stddef.h>

struct issue_code {
    const char *code;
    const char *meaning;
};

extern const struct issue_code issue_codes[];
extern const size_t issue_code_count;

/* NULL when there is no such code. */
const struct issue_code *issue_code_find(const char *code);

#endif
