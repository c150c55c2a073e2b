/* SPDX-License-Identifier: MIT */
#include "scenario/issues/check.h"

#include "scenario/config/redaction.h"

#include <stdarg.h>
#include <stdio.h>

enum { REPORT_MAX = 6000, TOKEN_MAX = 128, SET_SHOWN_MAX = 200, SHOWN_MAX = 2 * CHECK_PATH_MAX };

void check_init(struct check *c,
                const struct scenario_options *options,
                struct issue_list *issues,
                struct arena *arena)
{
    *c = (struct check){.options = options, .issues = issues, .arena = arena};
    buf_init(&c->path, CHECK_PATH_MAX);
}

void check_clear(struct check *c)
{
    buf_clear(&c->path);
    json_decref(c->origins);
}

/* RFC 6901 §3: `~` and `/` are written ~0 and ~1. */
size_t check_enter(struct check *c, const char *key)
{
    size_t mark = c->path.len;
    int rc = buf_add_c(&c->path, "/");

    for (const char *p = key; rc == 0 && *p != '\0'; p++) {
        rc = *p == '~'   ? buf_add_c(&c->path, "~0")
             : *p == '/' ? buf_add_c(&c->path, "~1")
                         : buf_add(&c->path, p, 1);
    }
    if (rc != 0) {
        c->path.len = mark;
    }
    return mark;
}

size_t check_enter_index(struct check *c, size_t index)
{
    size_t mark = c->path.len;

    if (buf_printf(&c->path, "/%zu", index) != 0) {
        c->path.len = mark;
    }
    return mark;
}

void check_leave(struct check *c, size_t mark)
{
    c->path.len = mark;
}

static bool is_below(const char *pointer, const char *base)
{
    size_t len = strlen(base);

    return strncmp(pointer, base, len) == 0 && (pointer[len] == '\0' || pointer[len] == '/');
}

/* The place as the user wrote it. */
static const char *written_place(struct check *c, const char *pointer)
{
    for (size_t i = 0; i < c->alias_count; i++) {
        const struct alias *a = &c->aliases[i];

        if (a->used && is_below(pointer, a->to)) {
            return check_text(c, "%s%s", a->from, pointer + strlen(a->to));
        }
    }
    return pointer;
}

/* The last override that set this value or something around it. */
static const struct override *overridden_by(const struct check *c, const char *pointer)
{
    for (size_t i = c->override_count; i > 0; i--) {
        if (is_below(pointer, c->overrides[i - 1].json_pointer)) {
            return &c->overrides[i - 1];
        }
    }
    return NULL;
}

/* The overlay that the value came from, or NULL. Lives as long as the options. */
static const char *overlay_of(const struct check *c, const char *pointer)
{
    if (c->overlay != NULL) {
        return c->overlay;
    }
    long index = origins_of(c->origins, pointer);
    return index >= 0 ? c->options->overlays[index].name : NULL;
}

struct str check_set_path(const char *set)
{
    size_t len = strcspn(set, "= \t:,;\"'{}");

    return (struct str){set, len < SET_SHOWN_MAX ? len : SET_SHOWN_MAX};
}

/* The pointer without what was mixed into a key by mistake and may be a secret. */
static const char *shown_place(struct check *c, const char *pointer)
{
    struct buf out;

    if (strncmp(pointer, "/target/", 8) != 0) {
        return pointer;
    }
    buf_init(&out, SHOWN_MAX);
    for (const char *p = pointer; *p == '/';) {
        struct str key = {p + 1, strcspn(p + 1, "/")};
        size_t len = shown_key_len(buf_c(&out), key);

        buf_printf(&out, "/%.*s%s", (int)len, key.p, len < key.len ? "…" : "");
        p = key.p + key.len;
    }
    const char *shown = check_text(c, "%s", buf_c(&out));
    buf_clear(&out);
    return shown;
}

const char *check_key(struct check *c, const char *key)
{
    size_t len = shown_key_len(buf_c(&c->path), str_c(key));

    return len == strlen(key) ? key : check_text(c, "%.*s…", (int)len, key);
}

static void report(struct check *c,
                   enum issue_level level,
                   const char *code,
                   const char *remediation,
                   const char *fmt,
                   va_list ap) __attribute__((format(printf, 5, 0)));

static void report(struct check *c,
                   enum issue_level level,
                   const char *code,
                   const char *remediation,
                   const char *fmt,
                   va_list ap)
{
    char text[REPORT_MAX];

    if (check_full(c)) {
        issue_addv(c->issues, &(struct issue){.level = level, .code = code}, fmt, ap);
        return;
    }
    const char *pointer = buf_c(&c->path);
    const struct override *o = overridden_by(c, pointer);
    const char *overlay = o == NULL ? overlay_of(c, pointer) : NULL;
    struct issue head = {
        .level = level,
        .code = code,
        .json_pointer = shown_place(c, written_place(c, pointer)),
        .remediation = remediation,
        .set = o != NULL ? o->number : 0,
        .place_ = written_place(c, pointer),
        .overridden_ = o != NULL || overlay != NULL,
    };
    vsnprintf(text, sizeof text, fmt, ap);
    if (o != NULL) {
        issue_add(c->issues, &head, "%s (from --set %.*s)", text,
                  STR_ARG(check_set_path(c->options->sets[o->number - 1])));
    } else if (overlay != NULL) {
        issue_add(c->issues, &head, "%s (from %.200s)", text, overlay);
    } else {
        issue_add(c->issues, &head, "%s", text);
    }
}

void check_error(struct check *c, const char *code, const char *remediation, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(c, ISSUE_ERROR, code, remediation, fmt, ap);
    va_end(ap);
}

void check_warning(struct check *c, const char *code, const char *remediation, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(c, ISSUE_WARNING, code, remediation, fmt, ap);
    va_end(ap);
}

const char *check_text(struct check *c, const char *fmt, ...)
{
    char text[REPORT_MAX];
    va_list ap;

    if (check_full(c)) {
        return "";
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return arena_strdup(&c->issues->arena_, text);
}

bool check_has_error(struct check *c)
{
    return !check_full(c) &&
           issue_has_error(c->issues, shown_place(c, written_place(c, buf_c(&c->path))));
}

bool check_has_error_below(struct check *c)
{
    const char *place = shown_place(c, written_place(c, buf_c(&c->path)));

    for (size_t i = 0; i < c->issues->count; i++) {
        const struct issue *issue = &c->issues->items[i];

        if (issue->level == ISSUE_ERROR && is_below(issue->json_pointer, place)) {
            return true;
        }
    }
    return false;
}

bool check_is_set(struct check *c)
{
    for (size_t i = 0; i < c->override_count; i++) {
        if (strcmp(c->overrides[i].json_pointer, buf_c(&c->path)) == 0) {
            return true;
        }
    }
    return false;
}

bool check_full(const struct check *c)
{
    return c->issues->count == ISSUES_MAX;
}

static json_t *member(json_t *container, const char *token, size_t len)
{
    uint64_t index;
    char key[TOKEN_MAX];

    if (json_is_array(container)) {
        return str_u64((struct str){token, len}, UINT32_MAX, &index)
                   ? json_array_get(container, (size_t)index)
                   : NULL;
    }
    if (len >= sizeof key) {
        return NULL;
    }
    memcpy(key, token, len);
    key[len] = '\0';
    return json_object_get(container, key);
}

json_t *check_value(const struct check *c, const char *json_pointer)
{
    json_t *value = c->root;

    for (const char *p = json_pointer; value != NULL && *p == '/';) {
        size_t len = strcspn(p + 1, "/");

        value = member(value, p + 1, len);
        p += 1 + len;
    }
    return value;
}

json_t *check_below(struct check *c, const char *rest)
{
    size_t mark = c->path.len;
    json_t *value = NULL;

    if (buf_add_c(&c->path, rest) == 0) {
        value = check_value(c, buf_c(&c->path));
    }
    check_leave(c, mark);
    return value;
}
