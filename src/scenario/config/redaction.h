/* SPDX-License-Identifier: MIT */
/* Which headers have values that nobody may read. */
#ifndef SCENARIO_CONFIG_REDACTION_H
#define SCENARIO_CONFIG_REDACTION_H

#include "scenario/config/config.h"

/* What stands in the place of a value. */
#define REDACTED "[redacted]"

/* Does `reporting.redaction.redact_headers` name this header? */
bool redacts_header(const struct reporting_config *reporting, const char *name);

#endif
