/* SPDX-License-Identifier: MIT */
/*
 * From the tree to the structs, by the rows. Reports everything that one row can know by itself:
 * unknown names, types, bounds, what is missing, what is not supported yet. A wrong value is
 * replaced by the default, so that later steps find a whole config.
 */
#ifndef SCENARIO_READING_READ_H
#define SCENARIO_READING_READ_H

#include "scenario/fields/fields.h"
#include "scenario/issues/check.h"

/* Fills the struct `base` of a section from an object; NULL gives the defaults. */
void read_section(struct check *c, const struct section *section, json_t *object, void *base);

#endif
