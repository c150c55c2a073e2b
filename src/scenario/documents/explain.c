/* SPDX-License-Identifier: MIT */
/* The effective config as a document again: the rows read backwards. */
#include "base/clock.h"
#include "scenario/config/redaction.h"
#include "scenario/documents/documents.h"
#include "scenario/fields/fields.h"
#include "scenario/fields/fit.h"

#include <math.h>

static const void *at(const struct field *f, const void *base)
{
    return (const char *)base + f->offset;
}

static json_t *section_value(const struct section *section, const void *base);

static size_t list_of(const struct field *f, const void *base, const void **items)
{
    size_t count;

    memcpy(items, at(f, base), sizeof *items);
    memcpy(&count, (const char *)base + f->count_offset, sizeof count);
    return count;
}

static json_t *strings_value(const struct field *f, const void *base)
{
    const void *items;
    size_t count = list_of(f, base, &items);
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(out, json_string(((const char *const *)items)[i]));
    }
    return out;
}

static json_t *map_value(const struct field *f, const void *base)
{
    const void *items;
    size_t count = list_of(f, base, &items);
    json_t *out = json_object();

    for (size_t i = 0; i < count; i++) {
        const struct named_text *text = (const struct named_text *)items + i;
        json_object_set_new(out, text->name, json_string(text->value));
    }
    return out;
}

static json_t *weights_value(const struct field *f, const void *base)
{
    const void *items;
    size_t count = list_of(f, base, &items);
    json_t *out = json_object();

    for (size_t i = 0; i < count; i++) {
        const struct named_weight *w = (const struct named_weight *)items + i;
        json_object_set_new(out, w->name, json_integer((json_int_t)w->weight));
    }
    return out;
}

static json_t *array_value(const struct field *f, const void *base)
{
    const void *items;
    size_t count = list_of(f, base, &items);
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(
            out, section_value(f->section, (const char *)items + i * f->section->size));
    }
    return out;
}

/* Null is stored as 0, or as FIELD_UNSET where the default is found later. */
static json_t *integer_value(const struct field *f, const void *base)
{
    uint64_t v;

    memcpy(&v, at(f, base), sizeof v);
    if (v == FIELD_UNSET || (v == 0 && f->def != NULL && (f->flags & FIELD_NULL_OK) != 0)) {
        return json_null();
    }
    return json_integer((json_int_t)(f->type == FIELD_MS ? v / NS_PER_MS : v));
}

static json_t *number_value(const struct field *f, const void *base)
{
    double v;

    memcpy(&v, at(f, base), sizeof v);
    if (isnan(v) || (v <= 0 && f->def != NULL && (f->flags & FIELD_NULL_OK) != 0)) {
        return json_null();
    }
    if (floor(v) == v && fabs(v) <= 1e15) {
        return json_integer((json_int_t)v);
    }
    return json_real(v);
}

static json_t *text_value(const struct field *f, const void *base)
{
    const char *text;

    memcpy(&text, at(f, base), sizeof text);
    if (text == NULL) {
        return (f->flags & FIELD_NULL_OK) != 0 ? json_null() : NULL;
    }
    return json_string(text);
}

static json_t *enum_value(const struct field *f, const void *base)
{
    int v;

    memcpy(&v, at(f, base), sizeof v);
    return json_string(choice_name(f->choices, v));
}

static json_t *object_value(const struct field *f, const void *base)
{
    struct json_text text;

    memcpy(&text, at(f, base), sizeof text);
    return json_deep_copy(text.json);
}

static json_t *any_value(const struct field *f, const void *base)
{
    json_t *value;

    memcpy(&value, at(f, base), sizeof(void *));
    return value == NULL ? NULL : json_deep_copy(value);
}

static bool was_given(const struct field *f, const void *base)
{
    bool given;

    memcpy(&given, (const char *)base + f->count_offset, sizeof given);
    return given;
}

static json_t *flag_value(const struct field *f, const void *base)
{
    bool v;

    memcpy(&v, at(f, base), sizeof v);
    return json_boolean(v);
}

static json_t *field_value(const struct field *f, const void *base)
{
    if ((f->flags & FIELD_NO_STORE) != 0) {
        return f->def == NULL ? NULL : field_json(f->def);
    }
    if ((f->flags & FIELD_OPTIONAL) != 0 && !was_given(f, base)) {
        return (f->flags & FIELD_NULL_OK) != 0 ? json_null() : NULL;
    }
    switch (f->type) {
    case FIELD_BOOL:
        return flag_value(f, base);
    case FIELD_INT:
    case FIELD_MS:
        return integer_value(f, base);
    case FIELD_NUMBER:
        return number_value(f, base);
    case FIELD_STRING:
        return text_value(f, base);
    case FIELD_ENUM:
        return enum_value(f, base);
    case FIELD_OBJECT:
        return section_value(f->section, at(f, base));
    case FIELD_ARRAY:
        return array_value(f, base);
    case FIELD_STRINGS:
        return strings_value(f, base);
    case FIELD_MAP:
        return map_value(f, base);
    case FIELD_WEIGHTS:
        return weights_value(f, base);
    case FIELD_JSON:
        return object_value(f, base);
    case FIELD_VALUE:
        return any_value(f, base);
    case FIELD_ANY:
        break;
    }
    return NULL;
}

static void add_named(json_t *out, const struct section *section, const void *base)
{
    const void *items;
    size_t count = list_of(section->named, base, &items);

    for (size_t i = 0; i < count; i++) {
        const struct named_text *text = (const struct named_text *)items + i;
        json_t *key = json_sprintf("%s%s", section->named_begin, text->name);

        json_object_set_new(out, json_string_value(key), json_string(text->value));
        json_decref(key);
    }
}

static json_t *section_value(const struct section *section, const void *base)
{
    json_t *out = json_object();

    for (size_t i = 0; i < section->count; i++) {
        json_t *value = field_value(&section->fields[i], base);

        if (value != NULL) {
            json_object_set_new(out, section->fields[i].key, value);
        }
    }
    if (section->named != NULL) {
        add_named(out, section, base);
    }
    return out;
}

static void redact_text(json_t *object, const char *key)
{
    if (json_is_string(json_object_get(object, key))) {
        json_object_set_new(object, key, json_string(REDACTED));
    }
}

/* A reference says where the secret is, unless somebody wrote the secret in its place. */
static bool is_reference(const json_t *value)
{
    const char *text = json_string_value(value);

    return text != NULL && (strncmp(text, "env:", 4) == 0 || strncmp(text, "file:", 5) == 0);
}

static void redact_auth(json_t *auth)
{
    static const char *const references[] = {"bearer_token_ref", "api_key_ref"};
    json_t *tokens = json_object_get(auth, "tokens");

    for (size_t i = 0; i < json_array_size(tokens); i++) {
        json_array_set_new(tokens, i, json_string(REDACTED));
    }
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        if (!is_reference(json_object_get(auth, references[i]))) {
            redact_text(auth, references[i]);
        }
    }
}

/* The document goes to screens and into reports of bugs. */
static void redact(const struct scenario *scenario, json_t *document)
{
    json_t *target = json_object_get(document, "target");
    json_t *headers = json_object_get(target, "headers");

    for (size_t i = 0; i < scenario->target.header_count; i++) {
        const char *name = scenario->target.headers[i].name;

        if (redacts_header(&scenario->reporting, name)) {
            json_object_set_new(headers, name, json_string(REDACTED));
        }
    }
    redact_auth(json_object_get(target, "auth"));
    redact_text(json_object_get(document, "server_telemetry"), "pair_key");
}

json_t *scenario_explain(const struct scenario *scenario)
{
    json_t *document = section_value(&scenario_section, scenario);

    redact(scenario, document);
    return document;
}
