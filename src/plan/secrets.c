/* SPDX-License-Identifier: MIT */
#include "plan/secrets.h"

#include "scenario/config/redaction.h"

#include <stdlib.h>
#include <string.h>

enum { MASK_IN_MAX = 512 };

static const char mask[] = REDACTED;

static void add(struct str word, struct str list[SECRETS_MAX], size_t *count)
{
    if (word.len >= SECRET_MIN && *count < SECRETS_MAX) {
        list[(*count)++] = word;
    }
}

static bool separates(char c)
{
    return c == ' ' || c == '\t' || c == ';' || c == ',';
}

/* "Bearer" in "Bearer abc": the name of a scheme is no secret (RFC 9110 §11.1). */
static bool is_scheme(struct str word, struct str value)
{
    return word.p == value.p && word.len < value.len && value.p[word.len] == ' ' &&
           memchr(word.p, '=', word.len) == NULL;
}

void secrets_add(struct str value, struct str list[SECRETS_MAX], size_t *count)
{
    while (value.len > 0 && separates(value.p[value.len - 1])) {
        value.len--;
    }
    while (value.len > 0 && separates(value.p[0])) {
        value.p++;
        value.len--;
    }
    add(value, list, count);
    for (size_t i = 0; i < value.len;) {
        size_t end = i;

        while (end < value.len && !separates(value.p[end])) {
            end++;
        }
        struct str word = {value.p + i, end - i};
        const char *equals = memchr(word.p, '=', word.len);
        if (word.len < value.len && !is_scheme(word, value)) {
            add(word, list, count);
        }
        if (equals != NULL) {
            size_t name = (size_t)(equals - word.p) + 1;
            add((struct str){word.p + name, word.len - name}, list, count);
        }
        i = end + 1;
    }
}

/* The longest first, so that a value is masked as a whole where it stands as a whole. */
static int longer(const void *a, const void *b)
{
    size_t x = ((const struct str *)a)->len, y = ((const struct str *)b)->len;

    return (x < y) - (x > y);
}

struct plan_secrets secrets_keep(struct str list[SECRETS_MAX], size_t count, struct arena *arena)
{
    struct str *items = arena_array(arena, count, sizeof *items);

    qsort(list, count, sizeof *list, longer);
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct str){arena_copy(arena, list[i]), list[i].len};
    }
    return (struct plan_secrets){items, count};
}

/* How many bytes at the front of `text` are a secret, or the beginning of one that was cut off. */
static size_t secret_at(const struct plan_secrets *secrets, struct str text)
{
    for (size_t i = 0; i < secrets->count; i++) {
        size_t len = secrets->items[i].len < text.len ? secrets->items[i].len : text.len;

        if (len >= SECRET_MIN && memcmp(secrets->items[i].p, text.p, len) == 0) {
            return len;
        }
    }
    return 0;
}

size_t secrets_mask(const struct plan_secrets *secrets, struct str text, char *out, size_t size)
{
    size_t used = 0;

    while (text.len > 0 && used < size) {
        size_t len = secret_at(secrets, text);

        if (len == 0) {
            out[used++] = text.p[0];
            len = 1;
        } else {
            size_t room = size - used;
            size_t put = sizeof mask - 1 < room ? sizeof mask - 1 : room;

            memcpy(out + used, mask, put);
            used += put;
        }
        text = (struct str){text.p + len, text.len - len};
    }
    return used;
}

void secrets_mask_in(const struct plan_secrets *secrets, char *text, size_t size)
{
    char masked[MASK_IN_MAX];
    size_t most = size - 1 < sizeof masked ? size - 1 : sizeof masked;

    if (secrets->count > 0) {
        size_t len = secrets_mask(secrets, str_c(text), masked, most);
        memcpy(text, masked, len);
        text[len] = '\0';
    }
}
