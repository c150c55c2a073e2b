/* SPDX-License-Identifier: MIT */
/*
 * What lies between the fields: defaults that depend on other fields, and the rules that no single
 * row can know. One cause gives one issue: a rule is silent where a row has spoken already.
 */
#ifndef SCENARIO_RULES_RULES_H
#define SCENARIO_RULES_RULES_H

#include "scenario/config/levels.h"
#include "scenario/issues/check.h"

/* Replaces every FIELD_UNSET, NULL and missing list by its computed default. */
void defaults_fill(struct check *c, struct scenario *s);

/* URL, headers, identification, allowlist. Compiles s->policy. */
void rules_target(struct check *c, struct scenario *s);
/* Operation mix, templates and their checks, sessions. */
void rules_workload(struct check *c, struct scenario *s);
/* Stages, caps; cuts stages to the caps. Then conditions and criteria, then the guard rules. */
void rules_stages(struct check *c, struct scenario *s);
/* Payload profiles, environment variables, metrics, data feeds, which it loads. After
 * rules_stages(): a feed needs a row for each VU. */
void rules_data(struct check *c, struct scenario *s);
/* Placeholders in all texts; that the run id is in a header; that integrity has a nonce. After
 * rules_data(). */
void rules_placeholders(struct check *c, struct scenario *s);

/* Of rules_stages(): `durations_ns` of each stage, 0 for a disabled one; `run_ns` of all. Adds the
 * short forms of conditions on streams to the stages. */
void rules_conditions(struct check *c,
                      struct scenario *s,
                      const uint64_t *durations_ns,
                      uint64_t run_ns);
/* Guard rules: what a careful scenario has. */
void rules_guards(struct check *c, const struct scenario *s);
void rules_guard(
    struct check *c, bool warn, const char *code, const char *remediation, const char *message);

/* The current path is that of a condition or criterion. `own`: the stage that it belongs to, NULL:
 * to the run. The operation of the scope is brought to the spelling with a slash. */
void rules_metric(struct check *c, const struct scenario *s, const char *metric);
void rules_scope(struct check *c,
                 const struct scenario *s,
                 const struct stage_config *own,
                 const char *metric,
                 struct scope_config *scope);

/* Which workers get which part of the users. After rules_stages(). */
void rules_placement(struct check *c, const struct scenario *s);

/* What is told about a run. */
void rules_reporting(struct check *c, const struct scenario *s);
/* After all others: what nobody has missed yet. */
void rules_strict(struct check *c);

/* Reports at the current path what is no JSON pointer. */
void rules_pointer(struct check *c, const char *pointer);

/* A name that a header can have (RFC 9110 §5.6.2). */
bool rules_is_token(const char *name);

#endif
