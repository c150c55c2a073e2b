/* SPDX-License-Identifier: MIT */
/* The strict profile: each field that the earlier implementation required is written down. */
#include "scenario/fields/fields.h"
#include "scenario/rules/rules.h"

/* Has something at the current path, or below it, an error that says as much already? */
static bool has_error_below(struct check *c)
{
    const char *place = buf_c(&c->path);
    size_t len = strlen(place);

    for (size_t i = 0; i < c->issues->count; i++) {
        const struct issue *issue = &c->issues->items[i];

        if (issue->level == ISSUE_ERROR && strncmp(issue->json_pointer, place, len) == 0 &&
            (issue->json_pointer[len] == '\0' || issue->json_pointer[len] == '/')) {
            return true;
        }
    }
    return false;
}

static void require(struct check *c, const struct section *section, const json_t *object);

static void require_field(struct check *c, const struct field *f, const json_t *object)
{
    const json_t *value = json_object_get(object, f->key), *element;
    size_t mark = check_enter(c, f->key), list = c->path.len, i;

    if (value == NULL && (f->flags & FIELD_STRICT) != 0 && !has_error_below(c)) {
        check_error(c, "REQUIRED_FIELD_MISSING", check_text(c, "Add `%s`: %s", f->key, f->help),
                    "the strict profile requires `%s`", f->key);
    }
    if (f->type == FIELD_OBJECT && json_is_object(value)) {
        require(c, f->section, value);
    }
    if (f->type == FIELD_ARRAY && json_is_array(value)) {
        json_array_foreach(value, i, element)
        {
            check_enter_index(c, i);
            require(c, f->section, element);
            check_leave(c, list);
        }
    }
    check_leave(c, mark);
}

static void require(struct check *c, const struct section *section, const json_t *object)
{
    for (size_t i = 0; i < section->count; i++) {
        require_field(c, &section->fields[i], object);
    }
}

void rules_strict(struct check *c)
{
    if (c->options->strict) {
        require(c, &scenario_section, c->root);
    }
}
