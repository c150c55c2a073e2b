/* SPDX-License-Identifier: MIT */
/* What a failed check means and what to do about it, in words for people. */
#ifndef ENGINE_ADVICE_H
#define ENGINE_ADVICE_H

#include "mcp/client.h"
#include "metrics/check.h"

/* Fills message and remediation. `during` is "connect", "initialize" or a method's name. */
void advice_write(const struct mcp_answer *answer,
                  const char *during,
                  const struct mcp_target *target,
                  struct check *out);

#endif
