/* SPDX-License-Identifier: MIT */
/* Which words are secret; secrets_mask.c finds them in texts. */
#include "plan/secrets.h"

#include "plan/plain.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

static void grow(struct secrets_list *list)
{
    size_t size = list->size == 0 ? FIRST_SIZE : list->size * 2;
    struct str *items = arena_array(list->arena, size, sizeof *items);

    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof *items);
    }
    list->items = items;
    list->size = size;
}

static void add(struct secrets_list *list, struct str word)
{
    if (word.len < SECRET_MIN) {
        return;
    }
    if (list->count == list->size) {
        grow(list);
    }
    list->items[list->count++] = word;
}

/* With its quotes, if it has any, and without: a cookie's value may be quoted (RFC 6265 §4.1.1). */
static void add_value(struct secrets_list *list, struct str word)
{
    add(list, word);
    if (word.len > 2 && word.p[0] == '"' && word.p[word.len - 1] == '"') {
        add(list, (struct str){word.p + 1, word.len - 2});
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

static void add_word(struct secrets_list *list, struct str word, struct str value)
{
    const char *equals = memchr(word.p, '=', word.len);

    if (word.len < value.len && !is_scheme(word, value)) {
        add_value(list, word);
    }
    if (equals != NULL) {
        size_t name = (size_t)(equals - word.p) + 1;
        add_value(list, (struct str){word.p + name, word.len - name});
    }
}

void secrets_add(struct secrets_list *list, struct str value)
{
    while (value.len > 0 && separates(value.p[value.len - 1])) {
        value.len--;
    }
    while (value.len > 0 && separates(value.p[0])) {
        value.p++;
        value.len--;
    }
    add_value(list, value);
    for (size_t i = 0; i < value.len;) {
        size_t end = i;

        while (end < value.len && !separates(value.p[end])) {
            end++;
        }
        if (end > i) {
            add_word(list, (struct str){value.p + i, end - i}, value);
        }
        i = end + 1;
    }
}

static int by_bytes(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Plain copies of the words that are still long enough. */
static size_t copy_plain(const struct secrets_list *list, struct str *items)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        char *text = arena_alloc(list->arena, list->items[i].len);
        size_t len = plain_copy(list->items[i], text);
        if (len >= SECRET_MIN) {
            items[kept++] = (struct str){text, len};
        }
    }
    return kept;
}

static size_t drop_doubles(struct str *items, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !str_eq(items[kept - 1], items[i])) {
            items[kept++] = items[i];
        }
    }
    return kept;
}

struct plan_secrets secrets_keep(struct secrets_list *list)
{
    if (list->count == 0) {
        return (struct plan_secrets){0};
    }
    struct str *items = arena_array(list->arena, list->count, sizeof *items);
    uint32_t *first = arena_array(list->arena, 257, sizeof *first);
    size_t count = copy_plain(list, items);

    qsort(items, count, sizeof *items, by_bytes);
    count = drop_doubles(items, count);
    for (size_t i = 0; i < count; i++) {
        first[(unsigned char)items[i].p[0] + 1]++;
    }
    for (size_t c = 0; c < 256; c++) {
        first[c + 1] += first[c];
    }
    return (struct plan_secrets){items, first, count};
}
