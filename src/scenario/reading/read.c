/* SPDX-License-Identifier: MIT */
#include "scenario/reading/read.h"

#include "base/clock.h"
#include "scenario/config/redaction.h"
#include "scenario/fields/fit.h"

#include <assert.h>
#include <math.h>

enum { EXPECTED_MAX = 400, LIST_MAX = 2000, KEY_SHOWN_MAX = 200 };

/* What to write for a value of the wrong type, "did you mean …" for a wrong choice, else the
 * sentence about the field. */
static const char *advice(struct check *c, const struct field *f, const json_t *value, enum fit fit)
{
    const char *names[16];
    size_t count = 0;

    if (fit == FIT_TYPE && !check_full(c)) {
        struct buf action;

        buf_init(&action, EXPECTED_MAX);
        field_action(f, &action);
        const char *text = check_text(c, "%s", buf_c(&action));
        buf_clear(&action);
        return text;
    }
    if (f->type != FIELD_ENUM || !field_is_text(value) || check_full(c)) {
        return check_text(c, "%s", f->help);
    }
    for (const struct choice *choice = f->choices; choice->name != NULL && count < 16; choice++) {
        if (choice->misnamed != NULL && strcmp(choice->misnamed, json_string_value(value)) == 0) {
            return check_text(c, "Did you mean `%s`?", choice->name);
        }
        names[count++] = choice->name;
    }
    const char *near = str_nearest(str_c(json_string_value(value)), names, count);
    return near != NULL ? check_text(c, "Did you mean `%s`?", near) : check_text(c, "%s", f->help);
}

/* A list that is too short may have a code of its own; one that is too long is a plain bound. */
static const char *misfit_code(const struct field *f, const json_t *value, enum fit fit)
{
    if (f->code == NULL || (fit == FIT_TYPE && f->type != FIELD_ENUM) ||
        (json_is_array(value) && (double)json_array_size(value) > f->max)) {
        return "SCHEMA_VIOLATION";
    }
    return f->code;
}

/* What was found at the current path: quoted, unless nobody may read it. */
static void describe(struct check *c, const json_t *value, struct buf *out)
{
    if (place_holds_secret(buf_c(&c->path))) {
        field_found_kind(value, out);
    } else {
        field_found(value, out);
    }
}

static void report_misfit(struct check *c, const struct field *f, const json_t *value, enum fit fit)
{
    struct buf expected, found;

    buf_init(&expected, EXPECTED_MAX);
    buf_init(&found, EXPECTED_MAX);
    field_expected(f, &expected);
    describe(c, value, &found);
    check_error(c, misfit_code(f, value, fit), advice(c, f, value, fit), "found %s, expected %s%s",
                buf_c(&found), buf_c(&expected),
                f->characters != NULL && json_is_string(value) ? " of the allowed characters" : "");
    buf_clear(&expected);
    buf_clear(&found);
}

/* What later versions will do with the value, and this one does not. */
static void report_later(struct check *c, const json_t *value, const char *later)
{
    struct buf found;

    buf_init(&found, EXPECTED_MAX);
    describe(c, value, &found);
    check_warning(c, "NOT_SUPPORTED", "Remove it, or keep it: the run is the same.",
                  "%s is accepted, but not supported yet: %s", buf_c(&found), later);
    buf_clear(&found);
}

/* A choice that is refused: the supported ones, for the remedy. */
static void refuse_choice(struct check *c, const struct field *f, const char *name, bool given)
{
    const char *first = NULL;

    for (const struct choice *choice = f->choices; choice->name != NULL; choice++) {
        /* The last supported one: the most useful where there are several (baseline, newest). */
        first = choice->unsupported ? first : choice->name;
    }
    check_error(c, "NOT_SUPPORTED", check_text(c, "Write \"%s\": \"%s\".", f->key, first),
                given ? "`%s` is not supported yet"
                      : "not given, and the default `%s` is not "
                        "supported yet",
                name);
}

/* A choice that was given, and is one. */
static void report_choice(struct check *c, const struct field *f, const json_t *value)
{
    const struct choice *choice = choice_find(f->choices, json_string_value(value));

    if (choice->unsupported) {
        refuse_choice(c, f, choice->name, true);
    } else if (choice->later != NULL) {
        report_later(c, value, choice->later);
    }
}

static bool same_value(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return json_number_value(a) >= json_number_value(b) &&
               json_number_value(a) <= json_number_value(b);
    }
    return json_equal(a, b) != 0;
}

static bool is_default(const struct field *f, const json_t *value)
{
    json_t *def = field_json(f->def);
    bool same = same_value(def, value);

    json_decref(def);
    return same;
}

static void *at(const struct field *f, void *base)
{
    return (char *)base + f->offset;
}

static void store_u64(const struct field *f, void *base, uint64_t v)
{
    memcpy(at(f, base), &v, sizeof v);
}

static void store_list(const struct field *f, void *base, void *items, size_t count)
{
    memcpy(at(f, base), &items, sizeof items);
    memcpy((char *)base + f->count_offset, &count, sizeof count);
}

static void read_strings(struct check *c, const struct field *f, json_t *list, void *base)
{
    size_t count = json_array_size(list);
    const char **items = arena_array(c->arena, count, sizeof *items);

    for (size_t i = 0; i < count; i++) {
        json_t *value = json_array_get(list, i);
        size_t mark = check_enter_index(c, i);
        const struct field item = {.type = f->choices != NULL ? FIELD_ENUM : FIELD_STRING,
                                   .max = (double)f->item_max,
                                   .choices = f->choices,
                                   .help = f->help};

        enum fit fit = field_fit(&item, value);
        if (fit != FIT) {
            report_misfit(c, &item, value, fit);
        } else if (f->choices != NULL) {
            report_choice(c, &item, value);
        }
        items[i] = fit == FIT ? arena_strdup(c->arena, json_string_value(value)) : "";
        check_leave(c, mark);
    }
    if ((f->flags & FIELD_NO_STORE) == 0) {
        store_list(f, base, items, count);
    }
}

/* A member of an object of texts or weights, at the current path. Reports what is wrong with it;
 * true when it may be stored. */
static bool accept_member(struct check *c,
                          const struct field *f,
                          const struct field *item,
                          const char *key,
                          const json_t *value)
{
    enum fit fit = field_fit(item, value);

    if (strlen(key) > f->item_max) {
        check_error(c, "SCHEMA_VIOLATION", NULL, "a name of %zu bytes, at most %zu are possible",
                    strlen(key), f->item_max);
        return false;
    }
    if (fit != FIT) {
        report_misfit(c, item, value, fit);
    }
    return fit == FIT;
}

static void read_map(struct check *c, const struct field *f, json_t *object, void *base)
{
    struct named_text *items = arena_array(c->arena, json_object_size(object), sizeof *items);
    const struct field item = {.type = FIELD_STRING, .max = (double)f->item_max, .help = f->help};
    size_t count = 0;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        size_t mark = check_enter(c, key);

        if (accept_member(c, f, &item, key, value)) {
            items[count++] = (struct named_text){arena_strdup(c->arena, key),
                                                 arena_strdup(c->arena, json_string_value(value))};
        }
        check_leave(c, mark);
    }
    if ((f->flags & FIELD_NO_STORE) == 0) {
        store_list(f, base, items, count);
    }
}

static void read_weights(struct check *c, const struct field *f, json_t *object, void *base)
{
    struct named_weight *items = arena_array(c->arena, json_object_size(object), sizeof *items);
    const struct field item = {
        .type = FIELD_INT, .min = 1, .max = FIELD_WEIGHT_MAX, .help = f->help};
    size_t count = 0;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        size_t mark = check_enter(c, key);

        bool fits = accept_member(c, f, &item, key, value);

        /* What names it should not miss it beside the error. */
        items[count++] = (struct named_weight){arena_strdup(c->arena, key),
                                               fits ? (uint64_t)json_number_value(value) : 1};
        check_leave(c, mark);
    }
    store_list(f, base, items, count);
}

static void read_array(struct check *c, const struct field *f, json_t *list, void *base)
{
    size_t count = json_array_size(list);
    char *items = arena_array(c->arena, count, f->section->size);

    for (size_t i = 0; i < count; i++) {
        json_t *value = json_array_get(list, i);
        size_t mark = check_enter_index(c, i);
        const struct field item = {.type = FIELD_OBJECT, .section = f->section, .help = f->help};

        if (!json_is_object(value)) {
            report_misfit(c, &item, value, FIT_TYPE);
            c->silent++;
            value = NULL;
        }
        read_section(c, f->section, value, items + i * f->section->size);
        c->silent -= value == NULL ? 1 : 0;
        check_leave(c, mark);
    }
    store_list(f, base, items, count);
}

static void read_json(struct check *c, const struct field *f, json_t *object, void *base)
{
    struct json_text out = {.json = object};
    struct buf text;

    buf_init(&text, 2 * JSON_TEXT_MAX);
    if (json_write(object, &text) != 0) {
        check_error(c, "SCHEMA_VIOLATION", NULL, "the object is too large");
        buf_clear(&text);
        buf_add_c(&text, "{}");
    }
    out.text = (struct str){arena_copy(c->arena, buf_str(&text)), text.len};
    buf_clear(&text);
    memcpy(at(f, base), &out, sizeof out);
}

static void store_enum(const struct field *f, const json_t *value, void *base)
{
    int v = choice_find(f->choices, json_string_value(value))->value;

    memcpy(at(f, base), &v, sizeof v);
}

/* A scalar that fits, into its member. */
static void store_scalar(struct check *c, const struct field *f, const json_t *value, void *base)
{
    double number = json_number_value(value);
    bool flag = json_is_true(value);
    const char *text = NULL;

    switch (f->type) {
    case FIELD_BOOL:
        memcpy(at(f, base), &flag, sizeof flag);
        break;
    case FIELD_INT:
        store_u64(f, base, (uint64_t)number);
        break;
    case FIELD_MS:
        store_u64(f, base, (uint64_t)number * NS_PER_MS);
        break;
    case FIELD_NUMBER:
        memcpy(at(f, base), &number, sizeof number);
        break;
    case FIELD_STRING:
        text = arena_strdup(c->arena, json_string_value(value));
        memcpy(at(f, base), &text, sizeof text);
        break;
    case FIELD_ENUM:
        store_enum(f, value, base);
        break;
    case FIELD_OBJECT:
    case FIELD_ARRAY:
    case FIELD_STRINGS:
    case FIELD_MAP:
    case FIELD_WEIGHTS:
    case FIELD_JSON:
    case FIELD_VALUE:
    case FIELD_ANY:
        assert(false); /* store() hands over scalars only */
    }
}

static void store(struct check *c, const struct field *f, json_t *value, void *base)
{
    switch (f->type) {
    case FIELD_OBJECT:
        read_section(c, f->section, value, at(f, base));
        return;
    case FIELD_STRINGS:
        read_strings(c, f, value, base);
        return;
    case FIELD_MAP:
        read_map(c, f, value, base);
        return;
    case FIELD_WEIGHTS:
        read_weights(c, f, value, base);
        return;
    case FIELD_ARRAY:
        read_array(c, f, value, base);
        return;
    case FIELD_JSON:
        read_json(c, f, value, base);
        return;
    case FIELD_VALUE:
        memcpy(at(f, base), &value, sizeof(json_t *));
        return;
    case FIELD_ANY:
        return;
    case FIELD_BOOL:
    case FIELD_INT:
    case FIELD_MS:
    case FIELD_NUMBER:
    case FIELD_STRING:
    case FIELD_ENUM:
        if ((f->flags & FIELD_NO_STORE) == 0) {
            store_scalar(c, f, value, base);
        }
        return;
    }
}

/* What stands in a member until a default that depends on other fields is known. */
static void store_unset(const struct field *f, void *base)
{
    double nan_value = NAN;

    if ((f->flags & (FIELD_NO_STORE | FIELD_OPTIONAL)) != 0) {
        return;
    }
    if (f->type == FIELD_INT || f->type == FIELD_MS) {
        store_u64(f, base, FIELD_UNSET);
    } else if (f->type == FIELD_NUMBER) {
        memcpy(at(f, base), &nan_value, sizeof nan_value);
    } else if (f->type == FIELD_STRING && (f->flags & FIELD_REQUIRED) != 0) {
        const char **text = at(f, base);
        *text = "";
    }
}

static void store_default(struct check *c, const struct field *f, void *base)
{
    if (f->type == FIELD_OBJECT) {
        if ((f->flags & FIELD_WHOLE) == 0) {
            read_section(c, f->section, NULL, at(f, base));
        }
        return;
    }
    if (f->def == NULL) {
        store_unset(f, base);
        return;
    }
    if ((f->flags & FIELD_NO_STORE) != 0 || f->type == FIELD_ANY) {
        return;
    }
    json_t *value = field_json(f->def);
    if (json_is_null(value)) {
        memset(at(f, base), 0, sizeof(uint64_t));
    } else {
        store(c, f, value, base);
    }
    if (f->type == FIELD_JSON) {
        /* The scenario keeps one empty object for all of them. */
        struct json_text *text = at(f, base);
        text->json = NULL;
    }
    json_decref(value);
}

static void report_absent(struct check *c, const struct field *f)
{
    if ((f->flags & FIELD_REQUIRED) != 0) {
        /* A list that has to be there has a code for that. */
        check_error(c,
                    f->type == FIELD_ARRAY && f->code != NULL ? f->code : "REQUIRED_FIELD_MISSING",
                    check_text(c, "Add `%s`: %s", f->key, f->help), "`%s` is required", f->key);
    } else if (f->type == FIELD_ENUM && f->def != NULL) {
        json_t *value = field_json(f->def);

        if (choice_find(f->choices, json_string_value(value))->unsupported) {
            refuse_choice(c, f, json_string_value(value), false);
        }
        json_decref(value);
    }
}

/* Reports what is wrong with a value that is there. True when it may be stored. */
static bool accept(struct check *c, const struct field *f, const json_t *value)
{
    if ((f->flags & FIELD_UNSUPPORTED) != 0) {
        check_error(c, "NOT_SUPPORTED", check_text(c, "Leave `%s` out.", f->key),
                    "`%s` is not supported yet", f->key);
        return false;
    }
    enum fit fit = field_fit(f, value);
    if (fit != FIT) {
        report_misfit(c, f, value, fit);
        return false;
    }
    if (f->later != NULL && !is_default(f, value)) {
        report_later(c, value, f->later);
    }
    if (f->type == FIELD_ENUM) {
        report_choice(c, f, value);
    }
    return true;
}

static void store_given(const struct field *f, void *base)
{
    const bool given = true;

    if ((f->flags & FIELD_OPTIONAL) != 0) {
        memcpy((char *)base + f->count_offset, &given, sizeof given);
    }
}

static void read_field(struct check *c, const struct field *f, json_t *object, void *base)
{
    json_t *value = json_object_get(object, f->key);
    size_t mark = check_enter(c, f->key);

    if (json_is_null(value) && (f->flags & FIELD_NULL_OK) != 0) {
        store_default(c, f, base);
    } else if (value == NULL) {
        if (c->silent == 0) {
            report_absent(c, f);
        }
        store_default(c, f, base);
    } else if (accept(c, f, value)) {
        store(c, f, value, base);
        store_given(f, base);
    } else {
        c->silent++;
        store_default(c, f, base);
        c->silent--;
    }
    check_leave(c, mark);
}

/* A key that would be right one level below: "`workload`". */
static const char *belongs_into(const struct section *section, const char *key)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];

        if (f->type == FIELD_OBJECT && field_find(f->section, key) != NULL) {
            return f->key;
        }
    }
    return NULL;
}

static const char *
unknown_advice(struct check *c, const struct section *section, const char *key, const char *known)
{
    const char *near = field_suggest(section, key);
    const char *inside = belongs_into(section, key);

    if (section->unknown_code != NULL) {
        return near != NULL ? check_text(c, "Did you mean `%s`? Known here: %s.", near, known)
                            : check_text(c, "Known here: %s.", known);
    }
    return near != NULL     ? check_text(c, "did you mean `%s`?", near)
           : inside != NULL ? check_text(c, "It belongs into `%s`.", inside)
                            : check_text(c, "Known here: %s.", known);
}

static void report_unknown(struct check *c, const struct section *section, const char *key)
{
    const char *code = section->unknown_code != NULL ? section->unknown_code : "UNKNOWN_FIELD";
    bool shown = strlen(key) <= KEY_SHOWN_MAX;
    struct buf known;

    if (check_full(c)) {
        check_error(c, code, NULL, "unknown field");
        return;
    }
    buf_init(&known, LIST_MAX);
    for (size_t i = 0; i < section->count; i++) {
        buf_printf(&known, "%s`%s`", i == 0 ? "" : ", ", section->fields[i].key);
    }
    if (section->named != NULL) {
        buf_printf(&known, ", `%s`", section->named->key);
    }
    const char *key_shown = check_key(c, key);
    size_t mark = shown ? check_enter(c, key) : c->path.len;
    check_error(c, code,
                shown ? unknown_advice(c, section, key, buf_c(&known))
                      : check_text(c, "Known here: %s.", buf_c(&known)),
                section->unknown_code != NULL ? "unknown key `%.*s`" : "unknown field `%.*s`",
                KEY_SHOWN_MAX, key_shown);
    check_leave(c, mark);
    buf_clear(&known);
}

/* What stands behind the beginning that keys of the section's named texts have; NULL: it is none.
 */
static const char *name_of(const struct section *section, const char *key)
{
    size_t begin = section->named != NULL ? strlen(section->named_begin) : 0;
    size_t len = strlen(key);

    return begin > 0 && len > begin && len - begin <= section->named->item_max &&
                   strncmp(key, section->named_begin, begin) == 0
               ? key + begin
               : NULL;
}

/* Keys that begin with x- are the user's own. */
static void check_unknown(struct check *c, const struct section *section, const char *key)
{
    if (field_find(section, key) == NULL && strncmp(key, "x-", 2) != 0 &&
        name_of(section, key) == NULL) {
        report_unknown(c, section, key);
    }
}

static void read_named(struct check *c, const struct section *section, json_t *object, void *base)
{
    const struct field *f = section->named;
    struct named_text *items = arena_array(c->arena, json_object_size(object), sizeof *items);
    size_t count = 0;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        const char *name = name_of(section, key);
        enum fit fit = field_fit(f, value);
        size_t mark = name != NULL ? check_enter(c, key) : c->path.len;

        if (name != NULL && fit != FIT) {
            report_misfit(c, f, value, fit);
        } else if (name != NULL) {
            items[count++] = (struct named_text){arena_strdup(c->arena, name),
                                                 arena_strdup(c->arena, json_string_value(value))};
        }
        check_leave(c, mark);
    }
    store_list(f, base, items, count);
}

void read_section(struct check *c, const struct section *section, json_t *object, void *base)
{
    const char *key;
    json_t *value;

    for (size_t i = 0; i < section->count; i++) {
        read_field(c, &section->fields[i], object, base);
    }
    if (section->named != NULL) {
        read_named(c, section, object, base);
    }
    json_object_foreach(object, key, value)
    {
        check_unknown(c, section, key);
    }
}
