/* SPDX-License-Identifier: MIT */
/* The format and a config as documents: the rows of the field tables, read by others. */
#ifndef SCENARIO_DOCUMENTS_DOCUMENTS_H
#define SCENARIO_DOCUMENTS_DOCUMENTS_H

#include "base/buf.h"
#include "scenario/config/config.h"

/* The effective config as a run-config/v1 document with every default shown, and without the values
 * of redacted headers; the caller owns it. */
json_t *scenario_explain(const struct scenario *scenario);

/* The JSON Schema (draft 2020-12) of run-config/v1. 0 or ERR_LIMIT. */
int scenario_schema(struct buf *out);
/* docs/reference/run-config.md. 0 or ERR_LIMIT. */
int scenario_reference(struct buf *out);

#endif
