/* SPDX-License-Identifier: MIT */
/* The strict profile: each field that the earlier implementation required is written down. */
#include "scenario/fields/fields.h"
#include "scenario/rules/rules.h"

/* An error at an object that says which of its members are missing, under a code of its own. */
static bool said_already(struct check *c, const char *key)
{
    static const struct {
        const char *place, *code, *keys;
    } rows[] = {
        {"/safety/hard_caps", "CAPS_REQUIRED", "max_vus max_duration_ms"},
        {"/environment/allowlist", "ALLOWLIST_REQUIRED", "allowed_targets"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(buf_c(&c->path), rows[i].place) == 0 && strstr(rows[i].keys, key) != NULL &&
            issue_has_code(c->issues, rows[i].place, rows[i].code)) {
            return true;
        }
    }
    return false;
}

/* The member is there under a wrong name, which has its error. */
static bool is_misnamed(const struct section *section, const char *key, json_t *object)
{
    const char *given, *near;
    json_t *value;

    json_object_foreach(object, given, value)
    {
        near = field_find(section, given) == NULL ? field_suggest(section, given) : NULL;
        if (near != NULL && strcmp(near, key) == 0) {
            return true;
        }
    }
    return false;
}

static void require(struct check *c, const struct section *section, json_t *object);

/* `known`: another error says that it is missing. */
static void require_field(struct check *c, const struct field *f, json_t *object, bool known)
{
    json_t *value = json_object_get(object, f->key), *element;
    size_t mark = check_enter(c, f->key), list = c->path.len, i;

    if (value == NULL && (f->flags & FIELD_STRICT) != 0 && !known && !check_has_error_below(c)) {
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

/* What should be an object and is none has an error already, which stands for all its fields. */
static void require(struct check *c, const struct section *section, json_t *object)
{
    if (!json_is_object(object)) {
        return;
    }
    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];

        require_field(c, f, object,
                      said_already(c, f->key) || is_misnamed(section, f->key, object));
    }
}

void rules_strict(struct check *c)
{
    if (c->options->strict) {
        require(c, &scenario_section, c->root);
    }
}
