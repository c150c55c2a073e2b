/* SPDX-License-Identifier: MIT */
/*
 * Overlays: partial run-config/v1 documents that are merged into a scenario one after the other,
 * before its overrides (`--set`), so that a variation says only what is different.
 *
 * - Objects are merged member by member at any depth, `arguments` included. Any other value
 *   replaces what is there; null means "not given", as everywhere.
 * - Lists of the format are merged element by element (the table in overlay.c): an element is
 *   merged into the one of the scenario with the same identity and appended when there is none. An
 *   empty list empties the list. All other lists (plain values, lists within `arguments`) replace.
 * - The identity of a stage is its `stage_id`; of an element without one, its kind `stage`. Of a
 *   template: `template_id`, else `tool_name`, else its position. Of a condition or criterion:
 *   `id`, else `metric`. What has no id in the scenario goes by its tool_name or metric there, too.
 *   Payload profiles have `profile_id`, data feeds and metrics `name`, checks `id`; an entry of
 *   operation_mix is known by operation, tool_name, prompt_name and uri together, an allowed target
 *   by kind and value. Where an element without an id could mean several, INVALID_OVERLAY says so.
 * - A stage that names neither stage_id nor stage speaks of several: a stop condition or criterion
 *   in it goes to each stage that has one of the same identity; if none has, and with everything
 *   else, to each stage that is no preflight.
 *
 * Older places of fields are moved to the new ones in an overlay before it is merged, without
 * advice. An issue about a value that came from an overlay names it. Relative paths begin at the
 * folder of the scenario, whatever folder the overlay is in.
 *
 * Limits: each text as that of a scenario (base/json.h); OVERLAY_VALUES_MAX values in what is
 * merged and copied, all overlays together.
 */
#ifndef SCENARIO_READING_OVERLAY_H
#define SCENARIO_READING_OVERLAY_H

#include "scenario/issues/check.h"

enum { OVERLAY_VALUES_MAX = 1000000 };

/* Merges options->overlays into the tree, after spelling_apply(). False, with one issue, when one
 * of them cannot be read at all (SYNTAX_ERROR with line and column, SCHEMA_VIOLATION) or is beyond
 * the limit; INVALID_OVERLAY for elements that could not be placed does not make it false. */
bool overlay_apply(struct check *c);

#endif
