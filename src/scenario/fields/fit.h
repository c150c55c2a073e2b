/* SPDX-License-Identifier: MIT */
/* Does a value fit its row, and how is that said? Pure functions of one row and one value. */
#ifndef SCENARIO_FIELDS_FIT_H
#define SCENARIO_FIELDS_FIT_H

#include "scenario/fields/fields.h"

enum fit {
    FIT,
    FIT_RANGE, /* the right type, out of its bounds; also a word that is no choice */
    FIT_TYPE,
};

/* Type and own bounds of a value; the elements of lists and objects are not looked at. Lengths of
 * texts count characters. */
enum fit field_fit(const struct field *f, const json_t *value);

/* A string without NUL inside, since the config holds C strings. */
bool field_is_text(const json_t *value);

/* "an integer within 1..600000": what a row expects, for messages and for the reference page. */
void field_expected(const struct field *f, struct buf *out);
/* "Write a list of objects, for example [{…}].": what to do about a value of another type. */
void field_action(const struct field *f, struct buf *out);
/* A value as the user wrote it, shortened. */
void field_found(const json_t *value, struct buf *out);
/* Only of what type and size it is. */
void field_found_kind(const json_t *value, struct buf *out);

/* Parses the JSON text of a row (`def`), which is right by construction; never NULL. The
 * caller owns it. */
json_t *field_json(const char *text);

#endif
