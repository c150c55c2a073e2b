/* SPDX-License-Identifier: MIT */
/* The words of the format: what the values of its enumerations are called. */
#ifndef SCENARIO_CONFIG_CHOICES_H
#define SCENARIO_CONFIG_CHOICES_H

#include "scenario/config/config.h"

struct choice {
    const char *name;
    int value;
    const char *same;     /* another spelling that is just as good, or NULL */
    const char *misnamed; /* a wrong spelling that is met, or NULL */
    bool unsupported;     /* refused */
    const char *later;    /* accepted with a warning: what will not happen; or NULL */
};

/* The choice with this name or its other spelling; NULL when there is none. */
const struct choice *choice_find(const struct choice *choices, const char *name);
/* The name of a stored value. */
const char *choice_name(const struct choice *choices, int value);

/* Choices that other modules need to name. */
extern const struct choice operation_choices[], stage_choices[], comparator_choices[],
    protocol_choices[];

/* "tools/call": the name in logs, results and on the wire. */
const char *operation_name(enum operation_kind kind);
/* "preflight" … */
const char *stage_kind_name(enum stage_kind kind);

#endif
