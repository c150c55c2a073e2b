/* SPDX-License-Identifier: MIT */
/* What the files with the rows of the format share. Only for scenario/fields/. */
#ifndef SCENARIO_FIELDS_FIELDS_PRIV_H
#define SCENARIO_FIELDS_FIELDS_PRIV_H

#include "scenario/fields/fields.h"

#include <stddef.h>

#define COUNT(rows)        (sizeof(rows) / sizeof(rows)[0])
#define AT(name, member)   offsetof(struct name, member)
#define FIELDS_LETTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define FIELDS_DIGITS      "0123456789"
#define FIELDS_TOKEN       "!#$%&'*+-.^_`|~" FIELDS_DIGITS FIELDS_LETTERS /* RFC 9110 §5.6.2 */
#define FIELDS_COUNT_MAX   100000000.0
#define FIELDS_DAY_MS      86400000.0
#define FIELDS_HOUR_MS     3600000.0
#define FIELDS_PAYLOAD_MAX 104857600.0 /* 100 MiB */
#define FIELDS_EXACT_INT                                                    \
    9007199254740991.0 /* 2^53 - 1: such integers survive every JSON reader \
                        */
#define FIELDS_REFUSED     (FIELD_UNSUPPORTED | FIELD_NO_STORE)
#define FIELDS_NULL_UNUSED (FIELD_NULL_OK | FIELD_NO_STORE)

extern const struct section target_section, environment_section, session_section, workload_section,
    stage_section, safety_section, condition_section, criterion_section, streaming_section,
    check_section, payload_section, feed_section, custom_section, reporting_section,
    telemetry_section, server_telemetry_section;

#endif
