/* SPDX-License-Identifier: MIT */
#include "scenario/reading/override.h"

#include "base/json.h"

#include <stdio.h>

enum { TOKENS_MAX = 32, KEY_MAX = 256 };

struct token {
    char key[KEY_MAX];
    bool bracket; /* written [n] */
};

struct path {
    struct token tokens[TOKENS_MAX];
    size_t count;
};

static const char shape[] = "Write PATH=VALUE, for example stages[1].load.target_vus=20; a value "
                            "that is no JSON is a text.";

/* It has no place in the document. Of what was given, only the path is repeated: the value may be a
 * password. */
static void refuse(struct check *c, const char *set, const char *why)
{
    struct str path = check_set_path(set);
    const char *rest = path.len < strlen(set) ? "…" : "";
    const struct issue head = {
        .level = ISSUE_ERROR,
        .code = "INVALID_OVERRIDE",
        .remediation = shape,
        .file = check_text(c, "--set %.*s%s", STR_ARG(path), rest),
        .overridden_ = true,
    };

    issue_add(c->issues, &head, "%s", why);
}

/* One key or [index] off the front of *rest; NULL, or what is wrong. */
static const char *take_token(struct str *rest, bool first, struct path *out)
{
    bool bracket = rest->len > 0 && rest->p[0] == '[';
    size_t start = bracket || (!first && rest->p[0] == '.') ? 1 : 0;
    size_t end = start;
    uint64_t index;

    while (end < rest->len && strchr(bracket ? "]" : ".[", rest->p[end]) == NULL) {
        end++;
    }
    struct str text = {rest->p + start, end - start};
    if (text.len == 0) {
        return "a name is missing in the path";
    }
    if (text.len >= KEY_MAX || out->count == TOKENS_MAX) {
        return "the path is too long";
    }
    if (bracket &&
        (end == rest->len || (!str_eq(text, STR("-")) && !str_u64(text, UINT32_MAX, &index)))) {
        return "an index is a number in brackets, or [-] behind the last one";
    }
    end += bracket ? 1 : 0;
    if (bracket && end < rest->len && rest->p[end] != '.' && rest->p[end] != '[') {
        return "after an index comes a dot or another index";
    }
    struct token *token = &out->tokens[out->count++];
    memcpy(token->key, text.p, text.len);
    token->key[text.len] = '\0';
    token->bracket = bracket;
    *rest = (struct str){rest->p + end, rest->len - end};
    return NULL;
}

static const char *parse_path(struct str text, struct path *out)
{
    const char *why = NULL;

    out->count = 0;
    do {
        why = take_token(&text, out->count == 0, out);
    } while (why == NULL && text.len > 0);
    return why;
}

/* Does it begin as only JSON does? `{{run_id}}` and `[a-z]+` are texts. */
static bool begins_json(struct str text)
{
    struct str rest = str_trim(text);
    char first = '\0';

    if (rest.len > 0) {
        first = rest.p[0];
    }
    if (first != '{' && first != '[') {
        return first == '"';
    }
    rest = str_trim((struct str){rest.p + 1, rest.len - 1});
    return rest.len > 0 && (rest.p[0] == '"' || rest.p[0] == (first == '{' ? '}' : '{'));
}

/* The value as JSON, or else as a string. NULL, and why, when it can be neither. */
static json_t *parse_value(struct check *c, struct str text, const char **why)
{
    char said[ISSUE_SYNTAX_MAX];
    struct err syntax = {0};
    json_t *value = NULL;

    if (json_parse(text, JSON_TEXT_MAX, &value, &syntax) == 0) {
        return value;
    }
    if (begins_json(text)) {
        *why =
            check_text(c, "the value begins like JSON, and is none: line %u, column %u of it: %s",
                       syntax.line, syntax.col, issue_syntax_text(&syntax, said));
        return NULL;
    }
    *why = "the value is not valid UTF-8";
    return json_stringn(text.p, text.len);
}

static json_t *child_of(json_t *container, const struct token *token)
{
    uint64_t index;

    if (json_is_array(container)) {
        return str_u64(str_c(token->key), UINT32_MAX, &index)
                   ? json_array_get(container, (size_t)index)
                   : NULL;
    }
    return json_object_get(container, token->key);
}

/* Puts `value` (whose ownership it takes) into a container. NULL, or what is wrong. */
static const char *put(json_t *container, const struct token *token, json_t *value)
{
    uint64_t index;

    if (json_is_array(container)) {
        if (!str_u64(str_c(token->key), UINT32_MAX, &index)) {
            json_decref(value);
            return "a list has numbers for its elements, not names";
        }
        if (index > json_array_size(container)) {
            json_decref(value);
            return "the list has no element with this index";
        }
        bool append = index == json_array_size(container);
        int rc = append ? json_array_append_new(container, value)
                        : json_array_set_new(container, (size_t)index, value);
        return rc == 0 ? NULL : "the value cannot be put into the list";
    }
    if (!json_is_object(container) || token->bracket) {
        json_decref(value);
        return json_is_object(container) ? "the path has an index where the file has an object"
                                         : "the path runs through a value that has no members";
    }
    return json_object_set_new(container, token->key, value) == 0 ? NULL
                                                                  : "the name is not valid UTF-8";
}

static const char *apply(json_t *root, const struct path *path, json_t *value)
{
    json_t *container = root;

    for (size_t i = 0; i + 1 < path->count; i++) {
        json_t *child = child_of(container, &path->tokens[i]);

        /* Null means "not given", so members can be added there too. */
        if (child == NULL || json_is_null(child)) {
            json_t *made = path->tokens[i + 1].bracket ? json_array() : json_object();
            json_incref(made);
            const char *why = put(container, &path->tokens[i], made);
            json_decref(made);
            if (why != NULL) {
                json_decref(value);
                return why;
            }
            child = child_of(container, &path->tokens[i]);
        }
        container = child;
    }
    return put(container, &path->tokens[path->count - 1], value);
}

static const char *pointer_of(struct check *c, const struct path *path)
{
    size_t mark = c->path.len;

    for (size_t i = 0; i < path->count; i++) {
        check_enter(c, path->tokens[i].key);
    }
    const char *pointer = arena_strdup(c->arena, buf_c(&c->path));
    check_leave(c, mark);
    return pointer;
}

/* Does the path begin with the tokens of this pointer? How many they are; 0 when it does not. */
static size_t begins_with(const struct path *path, const char *pointer)
{
    size_t count = 0;

    for (const char *p = pointer; *p == '/'; count++) {
        size_t len = strcspn(p + 1, "/");
        struct str token = {p + 1, len};

        if (count == path->count || !str_eq(str_c(path->tokens[count].key), token)) {
            return 0;
        }
        p += 1 + len;
    }
    return count;
}

/* A path through an older spelling leads to the new place, where the value is by now. False when it
 * becomes too long. */
static bool translate(const struct check *c, struct path *path)
{
    for (size_t i = 0; i < c->alias_count; i++) {
        size_t old = begins_with(path, c->aliases[i].from), rest = path->count - old;
        char text[CHECK_PATH_MAX];
        struct path to;

        if (old == 0) {
            continue;
        }
        snprintf(text, sizeof text, "%s", c->aliases[i].to + 1);
        for (char *p = text; (p = strchr(p, '/')) != NULL;) {
            *p = '.';
        }
        if (parse_path(str_c(text), &to) != NULL || to.count + rest > TOKENS_MAX) {
            return false;
        }
        memmove(path->tokens + to.count, path->tokens + old, rest * sizeof *path->tokens);
        memcpy(path->tokens, to.tokens, to.count * sizeof *path->tokens);
        path->count = to.count + rest;
        return true;
    }
    return true;
}

/* [-] becomes the number of the element that comes next. */
static void resolve_ends(json_t *root, struct path *path)
{
    json_t *container = root;

    for (size_t i = 0; i < path->count; i++) {
        struct token *token = &path->tokens[i];

        if (token->bracket && strcmp(token->key, "-") == 0) {
            snprintf(token->key, sizeof token->key, "%zu", json_array_size(container));
        }
        container = child_of(container, token);
    }
}

/* One override; NULL, or why it cannot be applied. */
static const char *apply_set(struct check *c, size_t index)
{
    const char *set = c->options->sets[index], *equals = strchr(set, '='), *why;
    struct path path;

    if (equals == NULL) {
        return "there is no =";
    }
    why = parse_path((struct str){set, (size_t)(equals - set)}, &path);
    if (why != NULL) {
        return why;
    }
    if (!translate(c, &path)) {
        return "the path is too long";
    }
    resolve_ends(c->root, &path);
    json_t *value = parse_value(c, str_c(equals + 1), &why);
    if (value == NULL) {
        return why;
    }
    why = apply(c->root, &path, value);
    if (why == NULL) {
        c->overrides[c->override_count++] =
            (struct override){.json_pointer = pointer_of(c, &path), .number = index + 1};
    }
    return why;
}

void override_apply(struct check *c)
{
    c->overrides = arena_array(c->arena, c->options->set_count, sizeof *c->overrides);
    for (size_t i = 0; i < c->options->set_count; i++) {
        const char *why = apply_set(c, i);

        if (why != NULL) {
            refuse(c, c->options->sets[i], why);
        }
    }
}
