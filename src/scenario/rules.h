/* SPDX-License-Identifier: MIT */
/*
 * What lies between the fields: defaults that depend on other fields, and the rules that no single
 * row can know. One cause gives one issue: a rule is silent where a row has spoken already.
 */
#ifndef SCENARIO_RULES_H
#define SCENARIO_RULES_H

#include "scenario/check.h"

/* Replaces every FIELD_UNSET, NULL and missing list by its computed default. */
void defaults_fill(struct check *c, struct scenario *s);

/* Texts: URL, headers, identification, placeholders, allowlist. Compiles s->policy. */
void rules_target(struct check *c, struct scenario *s);
/* Operation mix, templates, sessions. */
void rules_workload(struct check *c, struct scenario *s);
/* Stages, stop conditions, caps, guard rules; cuts stages to the caps. */
void rules_stages(struct check *c, struct scenario *s);

#endif
