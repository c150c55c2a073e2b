/* SPDX-License-Identifier: MIT */
#include "scenario/config/redaction.h"

#include <strings.h>

bool redacts_header(const struct reporting_config *reporting, const char *name)
{
    for (size_t i = 0; i < reporting->redact_count; i++) {
        if (strcasecmp(reporting->redact_headers[i], name) == 0) {
            return true;
        }
    }
    return false;
}
