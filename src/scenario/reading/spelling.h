/* SPDX-License-Identifier: MIT */
/*
 * What changes the tree before it is read: older places of fields (the `alias` of a row) become new
 * ones. Overlays and overrides come after it (overlay.h, override.h).
 */
#ifndef SCENARIO_READING_SPELLING_H
#define SCENARIO_READING_SPELLING_H

#include "scenario/issues/check.h"

/* Moves values from older places to where the rows expect them. DEPRECATED_FIELD for each, or
 * DUPLICATE_KEY when both are given. */
void spelling_apply(struct check *c);

/* The same within an overlay, after spelling_apply() and without advice: an overlay may be short.
 */
void spelling_apply_overlay(struct check *c, json_t *overlay);

#endif
