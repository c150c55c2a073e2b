/* SPDX-License-Identifier: MIT */
/*
 * Sorted by pointer tokens, all places that begin with one path are neighbours. While the text is
 * read, each open container remembers the range of places that go through it; a member narrows the
 * range by binary search, and an empty range needs no further look.
 */
#include "scenario/issues/locate.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOKEN_MAX = 512, STACK_MAX = JSON_DEPTH_MAX + 2 };

struct range {
    size_t low, high; /* places[low..high) */
};

struct level {
    bool is_object;
    size_t index; /* of the array element that comes next */
    struct range range;
};

struct walk {
    struct str text;
    size_t at;
    unsigned line, col;
    struct place *places;
    struct level stack[STACK_MAX];
    size_t depth;
    char token[TOKEN_MAX]; /* of the member being read, escaped as in a pointer */
    size_t token_len;
};

/* A separator sorts before every other character, the end before that. */
static int rank(char c)
{
    return c == '\0' ? 0 : c == '/' ? 1 : 2 + (unsigned char)c;
}

static int compare_places(const void *left, const void *right)
{
    const char *a = ((const struct place *)left)->json_pointer;
    const char *b = ((const struct place *)right)->json_pointer;

    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return rank(*a) - rank(*b);
}

/* The token number `depth` (0 is the first) of a pointer; empty when there is none. */
static struct str pointer_token(const char *pointer, size_t depth)
{
    for (size_t i = 0; i < depth && *pointer != '\0'; i++) {
        pointer += 1 + strcspn(pointer + 1, "/");
    }
    if (*pointer == '\0') {
        return (struct str){0};
    }
    return (struct str){pointer + 1, strcspn(pointer + 1, "/")};
}

static bool has_token(const char *pointer, size_t depth)
{
    for (size_t i = 0; i < depth && *pointer != '\0'; i++) {
        pointer += 1 + strcspn(pointer + 1, "/");
    }
    return *pointer == '/';
}

/* Same order as compare_places, for one token. A place without that token sorts first. */
static int compare_token(const char *pointer, size_t depth, struct str token)
{
    if (!has_token(pointer, depth)) {
        return -1;
    }
    struct str own = pointer_token(pointer, depth);
    size_t common = own.len < token.len ? own.len : token.len;
    for (size_t i = 0; i < common; i++) {
        if (own.p[i] != token.p[i]) {
            return rank(own.p[i]) - rank(token.p[i]);
        }
    }
    return own.len == token.len ? 0 : own.len < token.len ? -1 : 1;
}

static size_t first_not_below(const struct walk *w, struct range r, struct str token, int below)
{
    size_t depth = w->depth - 1;

    while (r.low < r.high) {
        size_t middle = r.low + (r.high - r.low) / 2;

        if (compare_token(w->places[middle].json_pointer, depth, token) < below) {
            r.low = middle + 1;
        } else {
            r.high = middle;
        }
    }
    return r.low;
}

/* The places of the innermost container that go through member `token`. */
static struct range narrow(const struct walk *w, struct str token)
{
    struct range all = w->stack[w->depth - 1].range;

    if (all.low == all.high) {
        return all;
    }
    return (struct range){first_not_below(w, all, token, 0), first_not_below(w, all, token, 1)};
}

static char peek(const struct walk *w)
{
    if (w->at >= w->text.len) {
        return '\0';
    }
    return w->text.p[w->at];
}

static void step(struct walk *w)
{
    unsigned char c = (unsigned char)w->text.p[w->at++];

    if (c == '\n') {
        w->line++;
        w->col = 1;
    } else if ((c & 0xc0) != 0x80) {
        w->col++;
    }
}

static void put_token(struct walk *w, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && w->token_len + 2 < TOKEN_MAX; i++) {
        if (bytes[i] == '~' || bytes[i] == '/') {
            w->token[w->token_len++] = '~';
            w->token[w->token_len++] = bytes[i] == '~' ? '0' : '1';
        } else {
            w->token[w->token_len++] = bytes[i];
        }
    }
}

/* Reads a string; with `keep` its value becomes the token. */
static void read_string(struct walk *w, bool keep)
{
    size_t start = w->at;

    step(w);
    while (w->at < w->text.len && peek(w) != '"') {
        if (peek(w) == '\\') {
            step(w);
        }
        if (w->at < w->text.len) {
            step(w);
        }
    }
    if (w->at < w->text.len) {
        step(w);
    }
    if (!keep) {
        return;
    }
    w->token_len = 0;
    struct str raw = {w->text.p + start, w->at - start};
    if (memchr(raw.p, '\\', raw.len) == NULL) {
        put_token(w, raw.p + 1, raw.len >= 2 ? raw.len - 2 : 0);
        return;
    }
    /* Escapes are rare in keys; the library decodes them. */
    json_t *value = json_loadb(raw.p, raw.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (value != NULL) {
        put_token(w, json_string_value(value), json_string_length(value));
    }
    json_decref(value);
}

static void mark(struct walk *w, struct range r)
{
    for (size_t i = r.low; i < r.high; i++) {
        w->places[i].line = w->line;
        w->places[i].col = w->col;
    }
}

/* The range of the value that begins here. */
static struct range enter_value(struct walk *w)
{
    if (w->depth == 0) {
        return w->stack[0].range;
    }
    struct level *inside = &w->stack[w->depth - 1];
    if (inside->is_object) {
        return narrow(w, (struct str){w->token, w->token_len});
    }
    char number[24];
    size_t len = str_put_u64(number, inside->index++);
    return narrow(w, (struct str){number, len});
}

static void skip_scalar(struct walk *w)
{
    while (w->at < w->text.len && strchr(",]} \t\r\n", peek(w)) == NULL) {
        step(w);
    }
}

/* Jumps over a NUL or another byte that cannot be here, so that every turn makes progress. */
static void walk_value(struct walk *w)
{
    size_t before = w->at;
    struct range range = enter_value(w);
    char c = peek(w);

    mark(w, range);
    if (c == '"') {
        read_string(w, false);
    } else if ((c == '{' || c == '[') && w->depth < STACK_MAX) {
        w->stack[w->depth++] = (struct level){.is_object = c == '{', .range = range};
        step(w);
    } else {
        skip_scalar(w);
        if (w->at == before) {
            step(w);
        }
    }
}

static void walk_text(struct walk *w)
{
    bool key_next = false;

    while (w->at < w->text.len) {
        char c = peek(w);

        if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ':') {
            step(w);
        } else if (c == ',') {
            key_next = w->depth > 0 && w->stack[w->depth - 1].is_object;
            step(w);
        } else if (c == '}' || c == ']') {
            w->depth -= w->depth > 0 ? 1 : 0;
            key_next = false;
            step(w);
        } else if (key_next && c == '"') {
            read_string(w, true);
            key_next = false;
        } else {
            size_t depth = w->depth;
            walk_value(w);
            key_next = w->depth > depth && w->stack[w->depth - 1].is_object;
        }
    }
}

void locate_places(struct str text, struct place *places, size_t count)
{
    if (count == 0) {
        return;
    }
    qsort(places, count, sizeof *places, compare_places);
    struct walk w = {.text = text, .line = 1, .col = 1, .places = places};
    w.stack[0].range = (struct range){0, count};
    walk_text(&w);
}
