/* SPDX-License-Identifier: MIT */
/*
 * From the tree to the structs, by the rows. Reports everything that one row can know by itself:
 * unknown names, types, bounds, what is missing, what is not supported yet. A wrong value is
 * replaced by the default, so that later steps find a whole config.
 */
#ifndef SCENARIO_READ_H
#define SCENARIO_READ_H

#include "scenario/check.h"

/* Fills the struct `base` of a section from an object; NULL gives the defaults. */
void read_section(struct check *c, const struct section *section, json_t *object, void *base);

/* "an integer within 1..600000": what a row expects, for messages and for the reference page. */
void field_expected(const struct field *f, struct buf *out);

/* Parses the JSON text of a row (`def`, `only`), which is right by construction; never NULL. The
 * caller owns it. */
json_t *field_json(const char *text);

/* The values of a struct as the format writes them; NULL where there is none. Caller owns it. */
json_t *field_value(const struct field *f, const void *base);

#endif
