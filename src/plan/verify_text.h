/* SPDX-License-Identifier: MIT */
/* What a failed check says: its id, where it looked, what it found and what it expected. Whatever
 * comes from the answer is cut and holds no control characters. */
#ifndef PLAN_VERIFY_TEXT_H
#define PLAN_VERIFY_TEXT_H

#include "plan/verify.h"

/* `found`: NULL when nothing is there. */
void verify_say_value(const struct check_config *c, const json_t *found, char out[VERIFY_TEXT_MAX]);
void verify_say_size(const struct check_config *c, size_t bytes, char out[VERIFY_TEXT_MAX]);
/* The answer could not be read as JSON. */
void verify_say_unread(const struct check_config *c, const char *why, char out[VERIFY_TEXT_MAX]);
void verify_say_mismatch(const struct verify_caller *found,
                         const struct verify_caller *caller,
                         char out[VERIFY_TEXT_MAX]);

#endif
