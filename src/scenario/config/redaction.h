/* SPDX-License-Identifier: MIT */
/* What nobody may read: values of headers, and what stands in certain places of the document. */
#ifndef SCENARIO_CONFIG_REDACTION_H
#define SCENARIO_CONFIG_REDACTION_H

#include "base/str.h"
#include "scenario/config/config.h"

/* What stands in the place of a value. */
#define REDACTED "[redacted]"

/* Does `reporting.redaction.redact_headers` name this header? */
bool redacts_header(const struct reporting_config *reporting, const char *name);

/* Places whose values no message quotes, whatever is wrong with them: headers, credentials, the
 * URL (it may have a password), the key of an agent. Is this pointer one of them, or below one? */
bool place_is_secret(const char *json_pointer);
/* Or above one: then the value may have one inside. */
bool place_holds_secret(const char *json_pointer);

/* Of a key that stands at or in such a place, what may be shown: somebody who forgot a quote or a
 * colon made the secret a part of it. As long as the key when it is a name and nothing more. */
size_t shown_key_len(const char *json_pointer, struct str key);

#endif
