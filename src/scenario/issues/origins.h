/* SPDX-License-Identifier: MIT */
/*
 * Which values of the tree came from which overlay, kept while the overlays are merged, so that an
 * issue about such a value can name the file that it came from. Paths are JSON pointers of at most
 * ORIGINS_PATH_MAX bytes, as `struct check` keeps them.
 */
#ifndef SCENARIO_ISSUES_ORIGINS_H
#define SCENARIO_ISSUES_ORIGINS_H

#include "base/json.h"

#include <stddef.h>

enum { ORIGINS_PATH_MAX = 4096 };

/* The value at this place is that of the overlay with this index. `origins` is a JSON object. */
void origins_note(json_t *origins, const char *json_pointer, size_t overlay);
/* The list at this place has one more element by the overlay. */
void origins_note_longer(json_t *origins, const char *json_pointer, size_t overlay);
/* The index of the overlay that the value came from, or -1. `origins` may be NULL. */
long origins_of(const json_t *origins, const char *json_pointer);

#endif
