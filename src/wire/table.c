/* SPDX-License-Identifier: MIT */
#include "wire/table.h"

#include "base/mem.h"
#include "metrics/signature.h"

#include <assert.h>
#include <math.h>

enum { PATH_PART_MAX = 32 };

/* The part of a path up to the next dot, with its NUL; returns what follows, NULL at the end. */
static const char *next_part(const char *path, char part[PATH_PART_MAX])
{
    size_t len = strcspn(path, ".");

    assert(len < PATH_PART_MAX);
    memcpy(part, path, len);
    part[len] = '\0';
    return path[len] == '.' ? path + len + 1 : NULL;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

/* Bytes that are not UTF-8 become U+FFFD. */
static json_t *text_value(const char *text)
{
    json_t *value = json_string(text);
    struct buf quoted;

    if (value != NULL) {
        return value;
    }
    buf_init(&quoted, JSON_TEXT_MAX);
    int rc = json_add_string(&quoted, str_c(text));
    rc = rc != 0 ? rc : json_parse(buf_str(&quoted), quoted.max, &value, NULL);
    assert(rc == 0); /* texts are short */
    buf_clear(&quoted);
    return value;
}

static json_t *u32s_value(const struct wire_u32s *numbers)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < numbers->count; i++) {
        json_array_append_new(array, json_integer(numbers->items[i]));
    }
    return array;
}

static uint32_t count_at(const struct wire_field *f, const void *message)
{
    uint32_t count;

    memcpy(&count, (const char *)message + f->count_offset, sizeof count);
    assert(count <= f->max);
    return count;
}

static json_t *array_value(const struct wire_field *f, const void *message)
{
    json_t *array = json_array();
    const char *at = (const char *)message + f->offset;
    uint32_t count = count_at(f, message);

    for (uint32_t i = 0; i < count; i++, at += f->size) {
        json_array_append_new(array, f->type == WIRE_ROWS ? wire_table_to_json(f->rows, at)
                                                          : text_value(at));
    }
    return array;
}

static json_t *word_value(const struct wire_field *f, unsigned word)
{
    assert(word < f->max && f->words[word] != NULL);
    return json_string(f->words[word]);
}

/* Of a number as the struct has it. */
static uint64_t number_at(const struct wire_field *f, const void *at)
{
    uint32_t small;
    uint64_t number;

    if (f->type == WIRE_U32) {
        memcpy(&small, at, sizeof small);
        number = small;
    } else {
        memcpy(&number, at, sizeof number);
    }
    assert(number <= f->max && (number >= f->min || (f->optional && number == 0)));
    return number;
}

/* Is it not sent? */
static bool left_out(const struct wire_field *f, const void *at)
{
    static const char zero[sizeof(uint64_t)];

    switch (f->type) {
    case WIRE_BOOL:
        return f->optional && !*(const bool *)at;
    case WIRE_U32:
    case WIRE_INT:
    case WIRE_WORD:
        return f->optional && memcmp(at, zero, sizeof(uint32_t)) == 0;
    case WIRE_U64:
    case WIRE_NUMBER:
        return f->optional && memcmp(at, zero, sizeof(uint64_t)) == 0;
    case WIRE_ID:
    case WIRE_TEXT:
        return f->optional && *(const char *)at == '\0';
    case WIRE_TEXTS:
    case WIRE_JSON:
        return f->optional && *(json_t *const *)at == NULL;
    case WIRE_U32S:
        return f->optional && ((const struct wire_u32s *)at)->count == 0;
    case WIRE_NAME:
    case WIRE_ROWS:
    case WIRE_LINES:
        break;
    }
    return false;
}

static json_t *value_at(const struct wire_field *f, const void *message)
{
    const void *at = (const char *)message + f->offset;

    switch (f->type) {
    case WIRE_BOOL:
        return json_boolean(*(const bool *)at);
    case WIRE_U32:
    case WIRE_U64:
        return json_integer((json_int_t)number_at(f, at));
    case WIRE_INT:
        return json_integer(*(const int *)at);
    case WIRE_NUMBER:
        assert(isfinite(*(const double *)at));
        return json_real(*(const double *)at);
    case WIRE_ID:
    case WIRE_TEXT:
        return text_value(at);
    case WIRE_WORD:
        return word_value(f, *(const unsigned *)at);
    case WIRE_NAME:
        return json_string(*(const char *const *)at);
    case WIRE_TEXTS:
    case WIRE_JSON:
        return json_incref(*(json_t *const *)at);
    case WIRE_U32S:
        return u32s_value(at);
    case WIRE_ROWS:
    case WIRE_LINES:
        return array_value(f, message);
    }
    return NULL;
}

/* Makes the objects on the way. */
static void set(json_t *object, const char *path, json_t *value)
{
    char part[PATH_PART_MAX];

    assert(value != NULL);
    for (path = next_part(path, part); path != NULL; path = next_part(path, part)) {
        json_t *inner = json_object_get(object, part);

        if (inner == NULL) {
            inner = json_object();
            json_object_set_new(object, part, inner);
        }
        object = inner;
    }
    json_object_set_new(object, part, value);
}

json_t *wire_table_to_json(const struct wire_table *t, const void *message)
{
    json_t *object = json_object();

    for (size_t i = 0; i < t->field_count; i++) {
        const struct wire_field *f = &t->fields[i];

        if (!left_out(f, (const char *)message + f->offset)) {
            set(object, f->name, value_at(f, message));
        }
    }
    return object;
}

int wire_table_encode(const struct wire_table *t, const void *message, struct buf *out)
{
    json_t *object = wire_table_to_json(t, message);
    size_t before = out->len;
    int rc = json_write(object, out);

    json_decref(object);
    if (rc != 0) {
        out->len = before;
    }
    return rc;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* Where a value goes, and for whom. */
struct reading {
    const struct wire_table *table;
    const struct wire_field *field;
    struct err *err;
};

static int wrong(const struct reading *r, const char *what)
{
    return err_set(r->err, ERR_INVALID, "%s: \"%s\" %s", r->table->name, r->field->name, what);
}

static int read_integer(const struct reading *r, const json_t *v, uint64_t *out)
{
    const struct wire_field *f = r->field;

    if (!json_is_integer(v) || json_integer_value(v) < 0 ||
        (uint64_t)json_integer_value(v) < f->min || (uint64_t)json_integer_value(v) > f->max) {
        return err_set(r->err, ERR_INVALID, "%s: \"%s\" is not an integer of %llu .. %llu",
                       r->table->name, f->name, (unsigned long long)f->min,
                       (unsigned long long)f->max);
    }
    *out = (uint64_t)json_integer_value(v);
    return 0;
}

static int read_number(const struct reading *r, const json_t *v, void *at)
{
    uint64_t number = 0;
    int rc = read_integer(r, v, &number);

    if (rc == 0 && r->field->type == WIRE_U32) {
        uint32_t small = (uint32_t)number;
        memcpy(at, &small, sizeof small);
    } else if (rc == 0) {
        memcpy(at, &number, sizeof number);
    }
    return rc;
}

static int read_int(const struct reading *r, const json_t *v, int *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < INT32_MIN ||
        json_integer_value(v) > INT32_MAX) {
        return wrong(r, "is not an integer of 32 bits");
    }
    *out = (int)json_integer_value(v);
    return 0;
}

static int read_double(const struct reading *r, const json_t *v, double *out)
{
    if (!json_is_number(v) || !(json_number_value(v) >= 0)) {
        return wrong(r, "is not a number from 0 on");
    }
    *out = json_number_value(v);
    return 0;
}

bool wire_is_id(struct str text)
{
    static const char others[] = {'_', '-', '.', ':'};

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && memchr(others, c, sizeof others) == NULL) {
            return false;
        }
    }
    return text.len > 0;
}

static int read_id(const struct reading *r, const json_t *v, char *out)
{
    struct str id = {json_string_value(v), json_string_length(v)};

    if (!wire_is_id(id) || id.len >= r->field->max) {
        return wrong(r, "is not an id");
    }
    memcpy(out, id.p, id.len);
    out[id.len] = '\0';
    return 0;
}

/* The same as texts of targets are treated: they end up on terminals. */
static int read_text(const struct reading *r, const json_t *v, char *out, size_t size)
{
    if (!json_is_string(v) || (!r->field->optional && json_string_length(v) == 0)) {
        return wrong(r, "is not a text");
    }
    struct str text = {json_string_value(v), json_string_length(v)};
    out[signature_sample(text, out, size - 1)] = '\0';
    return 0;
}

/* The number of the word. */
static int read_word(const struct reading *r, const json_t *v, unsigned *out)
{
    const struct wire_field *f = r->field;

    for (unsigned i = 0; json_is_string(v) && i < f->max; i++) {
        if (f->words[i] != NULL &&
            str_eq(str_c(f->words[i]), (struct str){json_string_value(v), json_string_length(v)})) {
            *out = i;
            return 0;
        }
    }
    return wrong(r, "is not a word that is known there");
}

static int read_name(const struct reading *r, const json_t *v, const char **out)
{
    unsigned i = 0;
    int rc = read_word(r, v, &i);

    *out = r->field->words[i];
    return rc;
}

static int read_texts(const struct reading *r, json_t *v, json_t **out)
{
    const char *key;
    json_t *value;

    if (!json_is_object(v) || json_object_size(v) > r->field->max) {
        return wrong(r, "is not an object, or has too many members");
    }
    json_object_foreach(v, key, value)
    {
        if (!json_is_string(value) || strlen(key) > WIRE_TEXTS_NAME_MAX ||
            json_string_length(value) > WIRE_TEXTS_VALUE_MAX) {
            return wrong(r, "has a member that is no text, or is too long");
        }
    }
    *out = json_incref(v);
    return 0;
}

static int read_object(const struct reading *r, json_t *v, json_t **out)
{
    if (!json_is_object(v)) {
        return wrong(r, "is not an object");
    }
    *out = json_incref(v);
    return 0;
}

static int read_u32s(const struct reading *r, const json_t *v, struct wire_u32s *out)
{
    size_t count = json_array_size(v);

    if (!json_is_array(v) || count > r->field->size) {
        return wrong(r, "is not an array, or has too many members");
    }
    out->items = count > 0 ? xcalloc(count, sizeof *out->items) : NULL;
    out->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        uint64_t number = 0;
        int rc = read_integer(r, json_array_get(v, i), &number);

        if (rc != 0) {
            return rc; /* the message is cleared */
        }
        out->items[i] = (uint32_t)number;
    }
    return 0;
}

static int read_array(const struct reading *r, json_t *v, void *message)
{
    const struct wire_field *f = r->field;
    char *at = (char *)message + f->offset;
    uint32_t count = (uint32_t)json_array_size(v);
    int rc = 0;

    if (!json_is_array(v) || json_array_size(v) > f->max) {
        return wrong(r, "is not an array, or has too many members");
    }
    for (size_t i = 0; i < count && rc == 0; i++, at += f->size) {
        json_t *item = json_array_get(v, i);

        rc = f->type == WIRE_ROWS ? wire_table_from_json(f->rows, item, at, NULL, r->err)
                                  : read_text(r, item, at, f->size);
    }
    memcpy((char *)message + f->count_offset, &count, sizeof count);
    return rc;
}

static int read_value(const struct reading *r, json_t *v, void *message)
{
    void *at = (char *)message + r->field->offset;

    switch (r->field->type) {
    case WIRE_BOOL:
        *(bool *)at = json_is_true(v);
        return json_is_boolean(v) ? 0 : wrong(r, "is neither true nor false");
    case WIRE_U32:
    case WIRE_U64:
        return read_number(r, v, at);
    case WIRE_INT:
        return read_int(r, v, at);
    case WIRE_NUMBER:
        return read_double(r, v, at);
    case WIRE_ID:
        return read_id(r, v, at);
    case WIRE_TEXT:
        return read_text(r, v, at, r->field->max);
    case WIRE_WORD:
        return read_word(r, v, at);
    case WIRE_NAME:
        return read_name(r, v, at);
    case WIRE_TEXTS:
        return read_texts(r, v, at);
    case WIRE_JSON:
        return read_object(r, v, at);
    case WIRE_U32S:
        return read_u32s(r, v, at);
    case WIRE_ROWS:
    case WIRE_LINES:
        return read_array(r, v, message);
    }
    return 0;
}

/* NULL when it is not there, or null. */
static json_t *find(json_t *object, const char *path)
{
    char part[PATH_PART_MAX];

    while (path != NULL) {
        path = next_part(path, part);
        object = json_object_get(object, part); /* of what is no object: NULL */
    }
    return json_is_null(object) ? NULL : object;
}

int wire_table_from_json(
    const struct wire_table *t, json_t *object, void *message, const char **member, struct err *err)
{
    struct reading r = {.table = t, .err = err};
    const char *ignored;

    member = member != NULL ? member : &ignored;
    *member = NULL;
    memset(message, 0, t->size);
    if (!json_is_object(object)) {
        return err_set(err, ERR_INVALID, "%s: it is not a JSON object", t->name);
    }
    for (size_t i = 0; i < t->field_count; i++) {
        r.field = &t->fields[i];
        json_t *value = find(object, r.field->name);
        if (value == NULL && r.field->optional) {
            continue;
        }
        int rc = value != NULL ? read_value(&r, value, message) : wrong(&r, "is missing");
        if (rc != 0) {
            *member = r.field->name;
            wire_table_clear(t, message);
            return rc;
        }
    }
    return 0;
}

int wire_table_decode(const struct wire_table *t,
                      struct str text,
                      void *message,
                      const char **member,
                      struct err *err)
{
    json_t *object = NULL;

    memset(message, 0, t->size);
    if (member != NULL) {
        *member = NULL;
    }
    int rc = json_parse(text, t->bytes_max, &object, err);
    if (rc == 0) {
        rc = wire_table_from_json(t, object, message, member, err);
    }
    json_decref(object);
    return rc;
}

void wire_table_clear(const struct wire_table *t, void *message)
{
    for (size_t i = 0; i < t->field_count; i++) {
        void *at = (char *)message + t->fields[i].offset;

        if (t->fields[i].type == WIRE_JSON || t->fields[i].type == WIRE_TEXTS) {
            json_decref(*(json_t **)at);
        } else if (t->fields[i].type == WIRE_U32S) {
            xfree(((struct wire_u32s *)at)->items);
        }
    }
    memset(message, 0, t->size);
}
