/* SPDX-License-Identifier: MIT */
#include "scenario/fields/fit.h"

#include <assert.h>
#include <math.h>

enum { SHOWN_MAX = 80 };

/* Above this a double no longer tells neighbouring integers apart. */
static const double exact_max = 9007199254740992.0;

json_t *field_json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

    assert(value != NULL);
    return value;
}

static void write_range(struct buf *out, const char *what, double min, double max)
{
    buf_printf(out, "%s within %.15g..%.15g", what, min, max);
}

static void write_choices(const struct choice *choices, struct buf *out)
{
    buf_add_c(out, "one of ");
    for (const struct choice *c = choices; c->name != NULL; c++) {
        buf_printf(out, "%s`%s`", c == choices ? "" : ", ", c->name);
    }
}

void field_expected(const struct field *f, struct buf *out)
{
    switch (f->type) {
    case FIELD_BOOL:
        buf_add_c(out, "true or false");
        break;
    case FIELD_INT:
    case FIELD_MS:
        write_range(out, "an integer", f->min, f->max);
        break;
    case FIELD_NUMBER:
        write_range(out, "a number", f->min, f->max);
        break;
    case FIELD_STRING:
        write_range(out, "a string with a length", f->min, f->max);
        break;
    case FIELD_ENUM:
        write_choices(f->choices, out);
        break;
    case FIELD_OBJECT:
    case FIELD_JSON:
        buf_add_c(out, "an object");
        break;
    case FIELD_ARRAY:
        write_range(out, "a list of objects with a length", f->min, f->max);
        break;
    case FIELD_STRINGS:
        write_range(out, "a list of strings with a length", f->min, f->max);
        if (f->choices != NULL) {
            buf_add_c(out, ", each ");
            write_choices(f->choices, out);
        }
        break;
    case FIELD_MAP:
        buf_printf(out, "an object of strings with at most %.15g members", f->max);
        break;
    case FIELD_WEIGHTS:
        buf_printf(out, "an object of %.15g to %.15g integers, each within 1..%d", f->min, f->max,
                   FIELD_WEIGHT_MAX);
        break;
    case FIELD_VALUE:
    case FIELD_ANY:
        buf_add_c(out, "any value");
        break;
    }
    if ((f->flags & FIELD_NULL_OK) != 0) {
        buf_add_c(out, ", or null");
    }
}

/* A value that the row might have, as JSON: its default where that says something. */
static void write_example(const struct field *f, struct buf *out);

/* The members that a careful file gives, or else the first ones; a few of them. */
static void write_members(const struct section *section, struct buf *out)
{
    enum { SHOWN = 2 };
    size_t shown = 0;

    for (int needed = 1; needed >= 0 && shown == 0; needed--) {
        for (size_t i = 0; i < section->count && shown < SHOWN; i++) {
            const struct field *f = &section->fields[i];
            bool is_needed = (f->flags & (FIELD_REQUIRED | FIELD_STRICT)) != 0;

            if (is_needed == (needed == 1) && f->type != FIELD_OBJECT && f->type != FIELD_ANY) {
                buf_printf(out, "%s\"%s\": ", shown++ == 0 ? "{" : ", ", f->key);
                write_example(f, out);
            }
        }
    }
    buf_add_c(out, shown == 0 ? "{}" : "}");
}

static void write_example(const struct field *f, struct buf *out)
{
    static const char empty[] = "null [] {} \"\"";

    if (f->def != NULL && strstr(empty, f->def) == NULL) {
        buf_add_c(out, f->def);
        return;
    }
    switch (f->type) {
    case FIELD_BOOL:
        buf_add_c(out, "true");
        break;
    case FIELD_INT:
    case FIELD_MS:
    case FIELD_NUMBER:
        buf_printf(out, "%.15g", f->min > 0 ? f->min : f->max < 1 ? f->max : 1);
        break;
    case FIELD_ENUM:
        buf_printf(out, "\"%s\"", f->choices[0].name);
        break;
    case FIELD_STRINGS:
        buf_printf(out, "[\"%s\"]", f->choices != NULL ? f->choices[0].name : "…");
        break;
    case FIELD_ARRAY:
        buf_add_c(out, "[");
        write_members(f->section, out);
        buf_add_c(out, "]");
        break;
    case FIELD_OBJECT:
        write_members(f->section, out);
        break;
    case FIELD_MAP:
        buf_add_c(out, "{\"NAME\": \"…\"}");
        break;
    case FIELD_WEIGHTS:
    case FIELD_JSON:
        buf_add_c(out, "{\"NAME\": 1}");
        break;
    case FIELD_STRING:
    case FIELD_VALUE:
    case FIELD_ANY:
        buf_add_c(out, "\"…\"");
        break;
    }
}

void field_action(const struct field *f, struct buf *out)
{
    buf_add_c(out, "Write ");
    if (f->type == FIELD_BOOL || f->type == FIELD_ENUM) {
        field_expected(f, out);
    } else {
        static const char *const kinds[] = {
            [FIELD_INT] = "an integer",
            [FIELD_MS] = "milliseconds",
            [FIELD_NUMBER] = "a number",
            [FIELD_STRING] = "a string",
            [FIELD_OBJECT] = "an object",
            [FIELD_ARRAY] = "a list of objects",
            [FIELD_STRINGS] = "a list of strings",
            [FIELD_MAP] = "an object of strings",
            [FIELD_WEIGHTS] = "an object of integers",
            [FIELD_JSON] = "an object",
            [FIELD_VALUE] = "a value",
            [FIELD_ANY] = "a value",
        };

        buf_printf(out, "%s, for example ", kinds[f->type]);
        write_example(f, out);
    }
    buf_add_c(out, ".");
}

void field_found(const json_t *value, struct buf *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        buf_printf(out, "an object of %zu", json_object_size(value));
        break;
    case JSON_ARRAY:
        buf_printf(out, "a list of %zu", json_array_size(value));
        break;
    case JSON_STRING:
        if (json_string_length(value) > SHOWN_MAX) {
            buf_printf(out, "a string of %zu bytes", json_string_length(value));
            break;
        }
        json_add_string(out, (struct str){json_string_value(value), json_string_length(value)});
        break;
    case JSON_INTEGER:
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        buf_printf(out, "%.15g", json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        buf_add_c(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
        break;
    }
}

void field_found_kind(const json_t *value, struct buf *out)
{
    if (json_is_string(value)) {
        buf_printf(out, "a string of %zu bytes", json_string_length(value));
    } else if (json_is_number(value)) {
        buf_add_c(out, "a number");
    } else {
        field_found(value, out);
    }
}

static bool read_number(const json_t *value, double *out)
{
    if (!json_is_number(value)) {
        return false;
    }
    *out = json_number_value(value);
    return true;
}

static bool read_whole(const json_t *value, double *out)
{
    return read_number(value, out) && floor(*out) == *out && fabs(*out) <= exact_max;
}

static size_t characters(const char *p, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        n += ((unsigned char)p[i] & 0xc0) != 0x80;
    }
    return n;
}

bool field_is_text(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static bool text_fits(const struct field *f, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t bytes = json_string_length(value);
    size_t len = characters(text, bytes);

    return (double)len >= f->min && (double)len <= f->max &&
           (f->characters == NULL || strspn(text, f->characters) == bytes);
}

static bool size_fits(const struct field *f, size_t size)
{
    return (double)size >= f->min && (double)size <= f->max;
}

static enum fit fit_number(const struct field *f, const json_t *value, bool whole)
{
    double v;

    if (whole ? !read_whole(value, &v) : !read_number(value, &v)) {
        return FIT_TYPE;
    }
    return v >= f->min && v <= f->max ? FIT : FIT_RANGE;
}

enum fit field_fit(const struct field *f, const json_t *value)
{
    switch (f->type) {
    case FIELD_BOOL:
        return json_is_boolean(value) ? FIT : FIT_TYPE;
    case FIELD_INT:
    case FIELD_MS:
        return fit_number(f, value, true);
    case FIELD_NUMBER:
        return fit_number(f, value, false);
    case FIELD_STRING:
        return !field_is_text(value) ? FIT_TYPE : text_fits(f, value) ? FIT : FIT_RANGE;
    case FIELD_ENUM:
        return field_is_text(value) && choice_find(f->choices, json_string_value(value)) != NULL
                   ? FIT
                   : FIT_RANGE;
    case FIELD_OBJECT:
    case FIELD_JSON:
        return json_is_object(value) ? FIT : FIT_TYPE;
    case FIELD_ARRAY:
    case FIELD_STRINGS:
        return !json_is_array(value)                  ? FIT_TYPE
               : size_fits(f, json_array_size(value)) ? FIT
                                                      : FIT_RANGE;
    case FIELD_MAP:
    case FIELD_WEIGHTS:
        return !json_is_object(value)                  ? FIT_TYPE
               : size_fits(f, json_object_size(value)) ? FIT
                                                       : FIT_RANGE;
    case FIELD_VALUE:
    case FIELD_ANY:
        return FIT;
    }
    return FIT_TYPE;
}
