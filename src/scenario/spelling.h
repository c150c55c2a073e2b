/* SPDX-License-Identifier: MIT */
/*
 * What changes the tree before it is read: older places of fields (the `alias` of a row) and
 * overrides from the command line. Overlays come between the two (scenario/overlay.h).
 */
#ifndef SCENARIO_SPELLING_H
#define SCENARIO_SPELLING_H

#include "scenario/check.h"

/* Moves values from older places to where the rows expect them. DEPRECATED_FIELD for each, or
 * DUPLICATE_KEY when both are given. */
void spelling_apply(struct check *c);

/* The same within an overlay, after spelling_apply() and without advice: an overlay may be short.
 */
void spelling_apply_overlay(struct check *c, json_t *overlay);

/* Applies options->sets in order: "stages[1].load.target_vus=20", "stages.1.load.target_vus=20".
 * The index [-] is the place behind the last element of a list. INVALID_OVERRIDE for one that
 * cannot be applied. */
void override_apply(struct check *c);

#endif
