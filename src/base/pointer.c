/* SPDX-License-Identifier: MIT */
#include "base/pointer.h"

int pointer_check(const char *pointer, struct err *err)
{
    size_t tokens = 0, len = strnlen(pointer, POINTER_BYTES_MAX + 1);

    if (len > POINTER_BYTES_MAX) {
        return err_set(err, ERR_INVALID, "a JSON pointer has at most %d bytes", POINTER_BYTES_MAX);
    }
    if (len > 0 && pointer[0] != '/') {
        return err_set(err, ERR_INVALID, "a JSON pointer begins with a slash");
    }
    for (size_t i = 0; i < len; i++) {
        tokens += pointer[i] == '/';
        if (pointer[i] == '~' && pointer[i + 1] != '0' && pointer[i + 1] != '1') {
            return err_set(err, ERR_INVALID, "only ~0 (for ~) and ~1 (for /) may follow a ~");
        }
    }
    return tokens <= POINTER_TOKENS_MAX
               ? 0
               : err_set(err, ERR_INVALID, "a JSON pointer has at most %d parts",
                         POINTER_TOKENS_MAX);
}

/* Takes the token behind the slash at the front, without its escapes. */
static void take_token(const char **p, char out[POINTER_BYTES_MAX + 1])
{
    size_t len = 0;

    for ((*p)++; **p != '\0' && **p != '/'; (*p)++) {
        char c = **p;

        if (c == '~') {
            (*p)++;
            c = **p == '1' ? '/' : '~';
        }
        out[len++] = c;
    }
    out[len] = '\0';
}

/* No leading zeros, no sign. */
static json_t *element(json_t *array, const char *token)
{
    uint64_t index;

    if ((token[0] == '0' && token[1] != '\0') || !str_u64(str_c(token), SIZE_MAX, &index)) {
        return NULL;
    }
    return json_array_get(array, index);
}

static json_t *child(json_t *value, const char *token)
{
    return json_is_array(value) ? element(value, token) : json_object_get(value, token);
}

/* One step down from `value`, which is given up; the result is owned. */
static json_t *step(json_t *value, const char *token, size_t max_bytes)
{
    json_t *document = NULL;

    if (json_is_string(value)) {
        struct str text = {json_string_value(value), json_string_length(value)};

        if (json_parse_wide(text, max_bytes, &document, NULL) != 0) {
            document = NULL;
        }
        json_decref(value);
        value = document;
    }
    json_t *found = json_incref(child(value, token));
    json_decref(value);
    return found;
}

json_t *pointer_get(const char *pointer, json_t *root, size_t max_bytes)
{
    char token[POINTER_BYTES_MAX + 1];
    json_t *value = json_incref(root);

    while (value != NULL && *pointer != '\0') {
        take_token(&pointer, token);
        value = step(value, token, max_bytes);
    }
    return value;
}
