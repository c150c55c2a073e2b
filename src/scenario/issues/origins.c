/* SPDX-License-Identifier: MIT */
#include "scenario/issues/origins.h"

#include <stdio.h>
#include <string.h>

/*
 * A tree beside the tree: an integer is the index of the overlay that a whole value came from; an
 * object has the tokens of JSON pointers as keys, escaped as there. Two keys are no tokens: "/" has
 * the overlay that everything came from that is in no other member, and "~" the last one that made
 * a list longer.
 */
static const char whole[] = "/", longer[] = "~";

/* The next token of a pointer as a key; the rest, or NULL at the end. */
static const char *next_token(const char *pointer, char key[ORIGINS_PATH_MAX + 1])
{
    if (*pointer != '/') {
        return NULL;
    }
    size_t len = strcspn(pointer + 1, "/");
    snprintf(key, ORIGINS_PATH_MAX + 1, "%.*s", (int)len, pointer + 1);
    return pointer + 1 + len;
}

static json_t *child_node(json_t *node, const char *key)
{
    json_t *child = json_object_get(node, key);

    if (!json_is_object(child)) {
        json_t *made = json_object();
        if (child != NULL) {
            json_object_set(made, whole, child);
        }
        json_object_set_new(node, key, made);
        child = made;
    }
    return child;
}

void origins_note(json_t *origins, const char *json_pointer, size_t overlay)
{
    char buffers[2][ORIGINS_PATH_MAX + 1];
    char *key = buffers[0], *next = buffers[1];
    const char *rest = next_token(json_pointer, key);
    json_t *node = origins;

    if (rest == NULL) {
        return;
    }
    for (const char *after; (after = next_token(rest, next)) != NULL; rest = after) {
        char *used = key;

        node = child_node(node, key);
        key = next;
        next = used;
    }
    json_object_set_new(node, key, json_integer((json_int_t)overlay));
}

void origins_note_longer(json_t *origins, const char *json_pointer, size_t overlay)
{
    char place[ORIGINS_PATH_MAX + 1];

    if (snprintf(place, sizeof place, "%s/%s", json_pointer, longer) < (int)sizeof place) {
        origins_note(origins, place, overlay);
    }
}

long origins_of(const json_t *origins, const char *json_pointer)
{
    char key[ORIGINS_PATH_MAX + 1];
    const json_t *node = origins, *found = NULL;

    for (const char *rest = json_pointer; (rest = next_token(rest, key)) != NULL;) {
        node = json_object_get(node, key);
        const json_t *here = json_is_object(node) ? json_object_get(node, whole) : node;
        found = here != NULL ? here : found;
    }
    if (json_object_get(node, longer) != NULL) {
        found = json_object_get(node, longer);
    }
    return found != NULL ? (long)json_integer_value(found) : -1;
}
