/* SPDX-License-Identifier: MIT */
/* The JSON Schema: the rows as a schema. */
#include "scenario/documents/documents.h"
#include "scenario/fields/fields.h"
#include "scenario/fields/fit.h"

static json_t *section_schema(const struct section *section);

static void set_length(json_t *out, const struct field *f, const char *min, const char *max)
{
    if (f->min > 0) {
        json_object_set_new(out, min, json_integer((json_int_t)f->min));
    }
    json_object_set_new(out, max, json_integer((json_int_t)f->max));
}

static void set_range(json_t *out, const struct field *f)
{
    json_object_set_new(out, "minimum", json_integer((json_int_t)f->min));
    json_object_set_new(out, "maximum", json_integer((json_int_t)f->max));
}

static void set_type(json_t *out, const struct field *f, const char *type)
{
    if ((f->flags & FIELD_NULL_OK) != 0) {
        json_object_set_new(out, "type", json_pack("[ss]", type, "null"));
    } else {
        json_object_set_new(out, "type", json_string(type));
    }
}

static json_t *choices_schema(const struct choice *choices)
{
    json_t *out = json_array();

    for (const struct choice *c = choices; c->name != NULL; c++) {
        if (c->unsupported) {
            continue;
        }
        json_array_append_new(out, json_string(c->name));
        if (c->same != NULL) {
            json_array_append_new(out, json_string(c->same));
        }
    }
    return out;
}

static void set_text(json_t *out, const struct field *f)
{
    struct buf pattern;

    set_type(out, f, "string");
    set_length(out, f, "minLength", "maxLength");
    if (f->characters == NULL) {
        return;
    }
    buf_init(&pattern, 512);
    buf_add_c(&pattern, "^[");
    for (const char *p = f->characters; *p != '\0'; p++) {
        buf_printf(&pattern, strchr("\\]^-", *p) != NULL ? "\\%c" : "%c", *p);
    }
    buf_add_c(&pattern, "]*$");
    json_object_set_new(out, "pattern", json_string(buf_c(&pattern)));
    buf_clear(&pattern);
}

static json_t *item_schema(const struct field *f)
{
    if (f->choices != NULL) {
        return json_pack("{so}", "enum", choices_schema(f->choices));
    }
    return json_pack("{ss sI}", "type", "string", "maxLength", (json_int_t)f->item_max);
}

static void set_shape(json_t *out, const struct field *f)
{
    switch (f->type) {
    case FIELD_BOOL:
        set_type(out, f, "boolean");
        break;
    case FIELD_INT:
    case FIELD_MS:
        set_type(out, f, "integer");
        set_range(out, f);
        break;
    case FIELD_NUMBER:
        set_type(out, f, "number");
        set_range(out, f);
        break;
    case FIELD_STRING:
        set_text(out, f);
        break;
    case FIELD_ENUM:
        json_object_set_new(out, "enum", choices_schema(f->choices));
        break;
    case FIELD_OBJECT:
        json_object_update_new(out, section_schema(f->section));
        set_type(out, f, "object");
        break;
    case FIELD_ARRAY:
        set_type(out, f, "array");
        set_length(out, f, "minItems", "maxItems");
        json_object_set_new(out, "items", section_schema(f->section));
        break;
    case FIELD_STRINGS:
        set_type(out, f, "array");
        set_length(out, f, "minItems", "maxItems");
        json_object_set_new(out, "items", item_schema(f));
        break;
    case FIELD_MAP:
        set_type(out, f, "object");
        set_length(out, f, "minProperties", "maxProperties");
        json_object_set_new(out, "additionalProperties", item_schema(f));
        break;
    case FIELD_WEIGHTS:
        set_type(out, f, "object");
        set_length(out, f, "minProperties", "maxProperties");
        json_object_set_new(
            out, "additionalProperties",
            json_pack("{sssisi}", "type", "integer", "minimum", 1, "maximum", FIELD_WEIGHT_MAX));
        break;
    case FIELD_JSON:
        set_type(out, f, "object");
        break;
    case FIELD_VALUE:
    case FIELD_ANY:
        break;
    }
}

static json_t *field_schema(const struct field *f)
{
    json_t *out = json_object();

    json_object_set_new(out, "description", json_string(f->help));
    if ((f->flags & FIELD_UNSUPPORTED) != 0) {
        json_object_set_new(out, "description", json_sprintf("Not supported yet. %s", f->help));
        json_object_set_new(out, "not", json_object());
        return out;
    }
    set_shape(out, f);
    json_t *def = f->def == NULL ? NULL : field_json(f->def);
    /* A default that is not supported yet makes the field required for now. */
    if (def != NULL &&
        !(f->type == FIELD_ENUM && choice_find(f->choices, json_string_value(def))->unsupported)) {
        json_object_set(out, "default", def);
    }
    json_decref(def);
    return out;
}

static bool has_no_default(const struct field *f)
{
    if ((f->flags & FIELD_REQUIRED) != 0) {
        return true;
    }
    if (f->type != FIELD_ENUM || f->def == NULL) {
        return false;
    }
    json_t *def = field_json(f->def);
    bool unsupported = choice_find(f->choices, json_string_value(def))->unsupported;
    json_decref(def);
    return unsupported;
}

/* An object is required when something in it is, unless it may be left out with all of it. */
static bool is_required(const struct field *f)
{
    if (f->type == FIELD_OBJECT && (f->flags & (FIELD_NULL_OK | FIELD_WHOLE)) == 0) {
        for (size_t i = 0; i < f->section->count; i++) {
            if (is_required(&f->section->fields[i])) {
                return true;
            }
        }
        return false;
    }
    return has_no_default(f);
}

/* An alias stands in another object than its row; the last part of its pointer is the key. `place`
 * is the pointer of the object without its first slash. */
static void add_aliases(json_t *properties, const struct section *section, const char *place)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];

        if (f->alias != NULL) {
            const char *key = strrchr(f->alias, '/');
            size_t len = key > f->alias ? (size_t)(key - f->alias) - 1 : 0;

            if (len == strlen(place) && strncmp(f->alias + 1, place, len) == 0) {
                json_t *schema = field_schema(f);
                json_object_set_new(schema, "deprecated", json_true());
                json_object_set_new(properties, key + 1, schema);
            }
        }
        if (f->type == FIELD_OBJECT) {
            add_aliases(properties, f->section, place);
        }
    }
}

/* Keys that are not in the table. The beginning of named texts is a word and a dot. */
static json_t *pattern_schema(const struct section *section)
{
    json_t *out = json_pack("{sb}", "^x-", 1);

    if (section->named != NULL) {
        size_t len = strlen(section->named_begin) - 1;
        json_t *pattern = json_sprintf("^%.*s[.]", (int)len, section->named_begin);

        json_object_set_new(out, json_string_value(pattern), field_schema(section->named));
        json_decref(pattern);
    }
    return out;
}

static json_t *section_schema(const struct section *section)
{
    json_t *properties = json_object(), *required = json_array();
    json_t *out = json_object();

    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];

        json_object_set_new(properties, f->key, field_schema(f));
        if (is_required(f)) {
            json_array_append_new(required, json_string(f->key));
        }
    }
    add_aliases(properties, section, section == &scenario_section ? "" : section->title);
    json_object_set_new(out, "type", json_string("object"));
    json_object_set_new(out, "properties", properties);
    json_object_set_new(out, "patternProperties", pattern_schema(section));
    json_object_set_new(out, "additionalProperties", json_false());
    if (json_array_size(required) > 0) {
        json_object_set(out, "required", required);
    }
    json_decref(required);
    return out;
}

int scenario_schema(struct buf *out)
{
    json_t *schema = json_object();

    json_object_set_new(schema, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title",
                        json_string("MCPDrill scenario, " SCENARIO_SCHEMA_VERSION));
    json_object_update_new(schema, section_schema(&scenario_section));
    int rc = json_write_pretty(schema, out);
    json_decref(schema);
    return rc;
}
