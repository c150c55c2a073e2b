/* SPDX-License-Identifier: MIT */
#include "scenario/reading/spelling.h"

#include "scenario/fields/fields.h"

#include <stdio.h>

/* Older places are few and all within objects, so lists are not entered. */
static void collect(struct check *c, const struct section *section)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];
        size_t mark = check_enter(c, f->key);

        if (f->alias != NULL && c->alias_count < CHECK_ALIASES_MAX) {
            c->aliases[c->alias_count++] =
                (struct alias){.from = f->alias, .to = arena_strdup(c->arena, buf_c(&c->path))};
        }
        if (f->type == FIELD_OBJECT) {
            collect(c, f->section);
        }
        check_leave(c, mark);
    }
}

/* The object that a pointer's last token is looked up in; missing ones are made. NULL when
 * something else stands in the way. *key is the last token. */
static json_t *make_parent(json_t *root, const char *pointer, const char **key)
{
    json_t *object = root;
    const char *p = pointer + 1;

    for (const char *slash; (slash = strchr(p, '/')) != NULL; p = slash + 1) {
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)(slash - p), p);
        json_t *child = json_object_get(object, name);
        if (child == NULL) {
            child = json_object();
            json_object_set_new(object, name, child);
        }
        if (!json_is_object(child)) {
            return NULL;
        }
        object = child;
    }
    *key = p;
    return object;
}

/* Within an overlay nothing is advised, and places are those of the merged document. */
static void move(struct check *c, struct alias *a, bool overlay)
{
    const char *last = strrchr(a->from, '/');
    char parent_place[CHECK_PATH_MAX];
    const char *key;

    snprintf(parent_place, sizeof parent_place, "%.*s", (int)(last - a->from), a->from);
    json_t *parent = check_value(c, parent_place);
    json_t *value = json_object_get(parent, last + 1);
    if (value == NULL) {
        return;
    }
    size_t mark = c->path.len;
    buf_add_c(&c->path, a->from);
    if (check_value(c, a->to) != NULL) {
        check_error(c, "DUPLICATE_KEY", check_text(c, "Remove %s.", a->from),
                    "this is another spelling of %s, and both are given", a->to);
    } else {
        if (!overlay) {
            check_warning(c, "DEPRECATED_FIELD", check_text(c, "Write %s.", a->to),
                          "this is an older spelling of %s", a->to);
        }
        json_t *object = make_parent(c->root, a->to, &key);
        if (object != NULL) {
            json_object_set(object, key, value);
            a->used = a->used || !overlay;
        }
    }
    check_leave(c, mark);
    json_object_del(parent, last + 1);
}

void spelling_apply(struct check *c)
{
    collect(c, &scenario_section);
    for (size_t i = 0; i < c->alias_count; i++) {
        move(c, &c->aliases[i], false);
    }
}

void spelling_apply_overlay(struct check *c, json_t *overlay)
{
    json_t *root = c->root;

    c->root = overlay;
    for (size_t i = 0; i < c->alias_count; i++) {
        move(c, &c->aliases[i], true);
    }
    c->root = root;
}
