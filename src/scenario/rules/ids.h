/* SPDX-License-Identifier: MIT */
/* Lists whose elements have a name: templates, conditions, criteria, checks, profiles, feeds. */
#ifndef SCENARIO_RULES_IDS_H
#define SCENARIO_RULES_IDS_H

#include "scenario/issues/check.h"

#include <stddef.h>

struct id_list {
    void *items;
    size_t count;
    size_t stride; /* size of an element */
    size_t offset; /* of its name, a const char *, NULL or "" when there is none */
};

#define ID_LIST(type, list, length, member) \
    ((struct id_list){(list), (length), sizeof(struct type), offsetof(struct type, member)})

const char *id_of(const struct id_list *list, size_t index);
/* The index of the element with this name; list->count when there is none. */
size_t id_find(const struct id_list *list, struct str name);
/* Gives an element a name: `base`, or "base_2" … when that is taken. */
void id_fill(struct check *c, const struct id_list *list, size_t index, const char *base);
/* DUPLICATE_ID for each name that came before; the current path is that of the list, `key` the
 * member with the name. */
void id_check_unique(struct check *c, const struct id_list *list, const char *key);
/* "Did you mean "…"?", else `otherwise`. */
const char *
id_advice(struct check *c, const struct id_list *list, struct str name, const char *otherwise);

#endif
