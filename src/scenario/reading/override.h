/* SPDX-License-Identifier: MIT */
/* Overrides from the command line (`--set`), the last change of the tree before it is read. */
#ifndef SCENARIO_READING_OVERRIDE_H
#define SCENARIO_READING_OVERRIDE_H

#include "scenario/issues/check.h"

/* Applies options->sets in order: "stages[1].load.target_vus=20", "stages.1.load.target_vus=20".
 * The index [-] is the place behind the last element of a list. INVALID_OVERRIDE for one that
 * cannot be applied. */
void override_apply(struct check *c);

#endif
