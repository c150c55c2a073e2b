/* SPDX-License-Identifier: MIT */
/*
 * Where do the values stand? JSON pointers (RFC 6901) to line and column, in one pass over the text
 * for any number of pointers, since the tree of the JSON library does not keep places.
 *
 * The text must have been accepted by json_parse() before; on any other text the result is
 * meaningless but the call is safe.
 */
#ifndef SCENARIO_ISSUES_LOCATE_H
#define SCENARIO_ISSUES_LOCATE_H

#include "base/str.h"

struct place {
    const char *json_pointer; /* in */
    unsigned line, col;       /* out: of the value, 1-based; columns count characters */
    size_t tag;               /* the caller's; carried along */
};

/* Sorts the places by pointer and fills them. A pointer that leads nowhere gets the place of the
 * nearest value on its way. */
void locate_places(struct str text, struct place *places, size_t count);

#endif
