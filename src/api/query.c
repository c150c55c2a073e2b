/* SPDX-License-Identifier: MIT */
#include "api/query.h"

#include <assert.h>
#include <stdio.h>

/* ---- decoding ----------------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_utf8(const char *p, size_t len)
{
    json_t *s = json_stringn(p, len);

    json_decref(s);
    return s != NULL;
}

long query_decode(struct str text, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < text.len ? hex(text.p[i + 1]) : -1;
            int low = i + 2 < text.len ? hex(text.p[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return -1;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0') {
            return -1;
        }
        out[n++] = c;
    }
    return is_utf8(out, n) ? (long)n : -1;
}

/* Decoded, with its NUL, in the query's own memory; NULL when it cannot be. */
static const char *keep(struct query *q, struct str text)
{
    char *out = q->text_ + q->text_used_;

    assert(q->text_used_ + text.len < sizeof q->text_);
    long n = query_decode(text, out);
    if (n < 0) {
        return NULL;
    }
    out[n] = '\0';
    q->text_used_ += (size_t)n + 1;
    return out;
}

/* ---- one parameter ------------------------------------------------------------------------ */

static int refuse(struct query_error *error, const struct query_param *p, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(struct query_error *error, const struct query_param *p, const char *format, ...)
{
    va_list ap;

    error->param = p;
    va_start(ap, format);
    vsnprintf(error->message, sizeof error->message, format, ap);
    va_end(ap);
    return ERR_INVALID;
}

static int read_number(const struct query_param *p,
                       const char *text,
                       struct query_value *v,
                       struct query_error *error)
{
    if (str_u64(str_c(text), p->max, &v->number) && v->number >= p->min) {
        return 0;
    }
    if (p->max == UINT64_MAX || p->max == INT64_MAX) {
        return refuse(error, p, "%s must be a whole number, at least %llu; \"%.40s\" is not",
                      p->name, (unsigned long long)p->min, text);
    }
    return refuse(error, p,
                  "%s must be a whole number, at least %llu and at most %llu; \"%.40s\" is not",
                  p->name, (unsigned long long)p->min, (unsigned long long)p->max, text);
}

static int read_choice(const struct query_param *p, const char *text, struct query_error *error)
{
    char list[300] = "";
    size_t n = 0, count = 0;

    for (; p->choices[count] != NULL; count++) {
        if (strcmp(p->choices[count], text) == 0) {
            return 0;
        }
        if (n < sizeof list) {
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", count > 0 ? ", " : "",
                                  p->choices[count]);
        }
    }
    return refuse(error, p, "%s must be one of %s; \"%.40s\" is not", p->name, list, text);
}

static int read_value(const struct query_param *p,
                      const char *text,
                      struct query_value *v,
                      struct query_error *error)
{
    size_t max = p->max > 0 ? (size_t)p->max : QUERY_TEXT_MAX;

    v->text = text;
    switch (p->type) {
    case QUERY_TEXT:
        return strlen(text) <= max
                   ? 0
                   : refuse(error, p, "%s must not be longer than %zu bytes", p->name, max);
    case QUERY_NUMBER:
        return read_number(p, text, v, error);
    case QUERY_FLAG:
        v->flag = strcmp(text, "true") == 0;
        return v->flag || strcmp(text, "false") == 0
                   ? 0
                   : refuse(error, p, "%s must be true or false; \"%.40s\" is not", p->name, text);
    case QUERY_CHOICE:
        return read_choice(p, text, error);
    }
    return ERR_INVALID;
}

/* ---- all of them -------------------------------------------------------------------------- */

static void warn_unknown(const struct query *q, const char *name, json_t **warnings)
{
    const char *names[QUERY_PARAMS_MAX];

    if (*warnings == NULL) {
        *warnings = json_array();
    }
    if (json_array_size(*warnings) >= QUERY_WARNINGS_MAX) {
        return;
    }
    for (size_t i = 0; i < q->count; i++) {
        names[i] = q->params[i].name;
    }
    const char *near = str_nearest(str_c(name), names, q->count);
    json_array_append_new(
        *warnings,
        near != NULL ? json_sprintf("unknown parameter \"%s\" has no effect; did you mean \"%s\"?",
                                    name, near)
                     : json_sprintf("unknown parameter \"%s\" has no effect", name));
}

static int read_one(struct query *q, struct str part, json_t **warnings, struct query_error *error)
{
    const char *equals = memchr(part.p, '=', part.len);
    size_t name_len = equals != NULL ? (size_t)(equals - part.p) : part.len;
    const char *name = keep(q, (struct str){part.p, name_len});
    const char *text = "";

    if (equals != NULL) {
        text = keep(q, (struct str){equals + 1, part.len - name_len - 1});
    }
    if (name == NULL || text == NULL) {
        return refuse(error, NULL, "the query is not percent-encoded UTF-8");
    }
    for (size_t i = 0; i < q->count; i++) {
        if (strcmp(q->params[i].name, name) != 0) {
            continue;
        }
        if (q->values[i].given) {
            return refuse(error, &q->params[i], "%s is given twice; leave one out", name);
        }
        q->values[i].given = true;
        return read_value(&q->params[i], text, &q->values[i], error);
    }
    warn_unknown(q, name, warnings);
    return 0;
}

/* Rows are checked by a test: their defaults are values. */
static void set_defaults(struct query *q)
{
    for (size_t i = 0; i < q->count; i++) {
        struct query_error unused;

        if (q->params[i].def != NULL) {
            int rc = read_value(&q->params[i], q->params[i].def, &q->values[i], &unused);
            assert(rc == 0);
            (void)rc;
        }
    }
}

int query_read(struct str text,
               const struct query_param *params,
               size_t count,
               struct query *out,
               json_t **warnings,
               struct query_error *error)
{
    int rc = 0;

    assert(count <= QUERY_PARAMS_MAX);
    out->params = params;
    out->count = count;
    out->text_used_ = 0;
    memset(out->values, 0, sizeof out->values);
    set_defaults(out);
    if (text.len > H1_TARGET_MAX) {
        return refuse(error, NULL, "the query is longer than %d bytes", H1_TARGET_MAX);
    }
    while (rc == 0 && text.len > 0) {
        const char *amp = memchr(text.p, '&', text.len);
        size_t len = amp != NULL ? (size_t)(amp - text.p) : text.len;

        if (len > 0) {
            rc = read_one(out, (struct str){text.p, len}, warnings, error);
        }
        len += amp != NULL;
        text.p += len;
        text.len -= len;
    }
    return rc;
}

const struct query_value *query_get(const struct query *q, const char *name)
{
    size_t i = 0;

    while (i < q->count && strcmp(q->params[i].name, name) != 0) {
        i++;
    }
    assert(i < q->count);
    return &q->values[i];
}
