/* SPDX-License-Identifier: MIT */
#include "scenario/rules/ids.h"

#include <stdio.h>

enum { ID_MAX = 1024, NAMES_MAX = 500 };

static void *place_of(const struct id_list *list, size_t index)
{
    return (char *)list->items + index * list->stride + list->offset;
}

const char *id_of(const struct id_list *list, size_t index)
{
    const char *id;

    memcpy(&id, place_of(list, index), sizeof id);
    return id != NULL ? id : "";
}

size_t id_find(const struct id_list *list, struct str name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (id_of(list, i)[0] != '\0' && str_eq(str_c(id_of(list, i)), name)) {
            return i;
        }
    }
    return list->count;
}

void id_fill(struct check *c, const struct id_list *list, size_t index, const char *base)
{
    char id[ID_MAX];

    snprintf(id, sizeof id, "%s", base);
    for (size_t n = 2; id_find(list, str_c(id)) < list->count; n++) {
        snprintf(id, sizeof id, "%.800s_%zu", base, n);
    }
    const char *copy = arena_strdup(c->arena, id);
    memcpy(place_of(list, index), &copy, sizeof copy);
}

void id_check_unique(struct check *c, const struct id_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *id = id_of(list, i);

        if (id[0] == '\0' || id_find(list, str_c(id)) == i) {
            continue;
        }
        size_t mark = check_enter_index(c, i);
        check_enter(c, key);
        check_error(c, "DUPLICATE_ID", "Give each element an id of its own.",
                    "the %s \"%s\" is used before", key, id);
        check_leave(c, mark);
    }
}

const char *
id_advice(struct check *c, const struct id_list *list, struct str name, const char *otherwise)
{
    const char *names[NAMES_MAX];
    size_t count = 0;

    if (check_full(c)) {
        return otherwise;
    }
    for (size_t i = 0; i < list->count && count < NAMES_MAX; i++) {
        if (id_of(list, i)[0] != '\0') {
            names[count++] = id_of(list, i);
        }
    }
    const char *near = str_nearest(name, names, count);
    return near != NULL ? check_text(c, "Did you mean \"%s\"?", near) : otherwise;
}
