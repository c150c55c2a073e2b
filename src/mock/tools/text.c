/* SPDX-License-Identifier: MIT */
/* Tools that turn text into text. */
#include "base/digest.h"
#include "base/mem.h"
#include "mock/tools/number.h"
#include "mock/tools/tools.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <wctype.h>

/* ---- echo --------------------------------------------------------------------------------- */

/* The message is echoed as it was written, escapes and all: nothing is decoded on this path. */
void tool_fast_echo(struct op *op)
{
    struct buf *text = &op->m->text;
    struct str message;

    if (!request_string(op->req->arguments, STR("message"), &message)) {
        tool_error(op, "missing message");
        return;
    }
    op->kind = OP_TEXT;
    op->text_escaped = true;
    text->len = 0;
    buf_add_str(text, STR("echo: "));
    buf_add_str(text, message);
}

void tool_slow_echo(struct op *op)
{
    enum { DELAY_MS = 200 };

    tool_fast_echo(op);
    if (!op->is_error) {
        op->delay_ns = DELAY_MS * NS_PER_MS;
    }
}

void tool_error_tool(struct op *op, const json_t *arguments)
{
    struct str text;

    tool_error(op, "error_tool invoked");
    if (tool_string(arguments, "error_message", &text)) {
        op->m->text.len = 0;
        buf_add_str(&op->m->text, text);
    }
}

/* ---- Unicode ------------------------------------------------------------------------------ */

static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void open_unicode(void)
{
    /* Without this locale only ASCII letters have a case. */
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (unicode == (locale_t)0) {
        unicode = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
    }
}

/* Strings of the JSON library are valid UTF-8. */
static size_t read_char(const char *p, uint32_t *out)
{
    unsigned char c = (unsigned char)*p;
    size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint32_t v = len == 1 ? c : (uint32_t)(c & (0x7F >> len));

    for (size_t i = 1; i < len; i++) {
        v = v << 6 | ((unsigned char)p[i] & 0x3F);
    }
    *out = v;
    return len;
}

static void add_char(struct buf *out, uint32_t v)
{
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t len = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
    char text[4] = {(char)v};

    for (size_t i = len - 1; len > 1 && i > 0; i--) {
        text[i] = (char)(0x80 | (v & 0x3F));
        v >>= 6;
    }
    if (len > 1) {
        text[0] = (char)(lead[len] | v);
    }
    buf_add(out, text, len);
}

static void add_cased(struct buf *out, struct str text, bool upper)
{
    uint32_t c;

    pthread_once(&unicode_once, open_unicode);
    for (size_t at = 0; at < text.len;) {
        at += read_char(text.p + at, &c);
        add_char(out, (uint32_t)(upper ? towupper_l((wint_t)c, unicode)
                                       : towlower_l((wint_t)c, unicode)));
    }
}

static void add_reversed(struct buf *out, struct str text)
{
    size_t end = text.len;

    while (end > 0) {
        size_t start = end - 1;

        while (start > 0 && ((unsigned char)text.p[start] & 0xC0) == 0x80) {
            start--;
        }
        buf_add(out, text.p + start, end - start);
        end = start;
    }
}

void tool_text_processor(struct op *op, const json_t *arguments)
{
    struct str text, operation;

    if (!tool_string(arguments, "text", &text)) {
        tool_error(op, "missing text");
    } else if (!tool_string(arguments, "operation", &operation)) {
        tool_error(op, "missing operation");
    } else {
        tool_text(op, "%s", "");
        if (str_ieq(operation, STR("uppercase"))) {
            add_cased(&op->m->text, text, true);
        } else if (str_ieq(operation, STR("lowercase"))) {
            add_cased(&op->m->text, text, false);
        } else if (str_ieq(operation, STR("reverse"))) {
            add_reversed(&op->m->text, text);
        } else {
            tool_error(op, "unknown operation");
        }
    }
}

/* ---- json_transform ----------------------------------------------------------------------- */

struct transform {
    bool upper_keys, lower_values;
};

struct member {
    struct str key;
    json_t *value;
    char *owned; /* of an upper-case key */
};

static int by_key(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    size_t n = x->key.len < y->key.len ? x->key.len : y->key.len;
    int rc = memcmp(x->key.p, y->key.p, n);

    if (rc != 0) {
        return rc;
    }
    return x->key.len < y->key.len ? -1 : x->key.len > y->key.len;
}

static void write_value(struct buf *out, json_t *v, const struct transform *t);

static void set_key(struct member *m, struct str key, const struct transform *t)
{
    struct buf upper;

    m->key = key;
    m->owned = NULL;
    if (t->upper_keys) {
        buf_init(&upper, key.len * 4 + 1);
        add_cased(&upper, key, true);
        m->key = buf_str(&upper);
        m->owned = upper.p;
        if (m->key.p == NULL) {
            m->key = STR("");
        }
    }
}

static void write_object(struct buf *out, json_t *object, const struct transform *t)
{
    size_t count = json_object_size(object), n = 0;
    struct member *members = xcalloc(count + 1, sizeof *members);
    bool first = true;

    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
        struct str key = str_c(json_object_iter_key(it));

        set_key(&members[n], key, t);
        members[n++].value = json_object_iter_value(it);
    }
    qsort(members, n, sizeof *members, by_key);
    buf_add(out, "{", 1);
    for (size_t i = 0; i < n; i++) {
        /* Two keys may differ in case only: the last one stays. */
        if (i + 1 == n || by_key(&members[i], &members[i + 1]) != 0) {
            if (!first) {
                buf_add(out, ",", 1);
            }
            first = false;
            json_add_string(out, members[i].key);
            buf_add(out, ":", 1);
            write_value(out, members[i].value, t);
        }
    }
    buf_add(out, "}", 1);
    for (size_t i = 0; i < n; i++) {
        xfree(members[i].owned);
    }
    xfree(members);
}

static void write_string(struct buf *out, const json_t *v, const struct transform *t)
{
    struct str s = {json_string_value(v), json_string_length(v)};
    struct buf lower;

    if (!t->lower_values) {
        json_add_string(out, s);
        return;
    }
    buf_init(&lower, s.len * 4 + 1);
    add_cased(&lower, s, false);
    json_add_string(out, lower.p != NULL ? buf_str(&lower) : STR(""));
    buf_clear(&lower);
}

/* Recursion is as deep as the document, which json_parse bounds (JSON_DEPTH_MAX). */
static void write_value(struct buf *out, json_t *v, const struct transform *t)
{
    char number[NUMBER_TEXT_MAX];

    switch (json_typeof(v)) {
    case JSON_OBJECT:
        write_object(out, v, t);
        break;
    case JSON_ARRAY:
        buf_add(out, "[", 1);
        for (size_t i = 0; i < json_array_size(v); i++) {
            buf_add(out, ",", i > 0);
            write_value(out, json_array_get(v, i), t);
        }
        buf_add(out, "]", 1);
        break;
    case JSON_STRING:
        write_string(out, v, t);
        break;
    case JSON_INTEGER:
        buf_printf(out, "%lld", (long long)json_integer_value(v));
        break;
    case JSON_REAL:
        buf_add(out, number, number_text(json_real_value(v), number));
        break;
    case JSON_TRUE:
        buf_add_str(out, STR("true"));
        break;
    case JSON_FALSE:
        buf_add_str(out, STR("false"));
        break;
    case JSON_NULL:
        buf_add_str(out, STR("null"));
        break;
    }
}

static void filter_member(struct op *op, json_t *data, const json_t *arguments)
{
    static const struct transform as_is = {0};
    struct str key;

    if (!tool_string(arguments, "filter_key", &key)) {
        tool_error(op, "missing filter_key");
        return;
    }
    json_t *value = json_object_get(data, key.p);
    tool_text(op, "{");
    if (value != NULL) {
        json_add_string(&op->m->text, key);
        buf_add(&op->m->text, ":", 1);
        write_value(&op->m->text, value, &as_is);
    }
    buf_add(&op->m->text, "}", 1);
}

void tool_json_transform(struct op *op, const json_t *arguments)
{
    json_t *data = json_object_get(arguments, "data");
    struct transform t = {0};
    struct str operation;

    if (!tool_string(arguments, "operation", &operation)) {
        tool_error(op, "missing operation");
        return;
    }
    if (!json_is_object(data)) {
        tool_error(op, "invalid data");
        return;
    }
    if (str_ieq(operation, STR("filter"))) {
        filter_member(op, data, arguments);
        return;
    }
    t.upper_keys = str_ieq(operation, STR("uppercase_keys"));
    t.lower_values = str_ieq(operation, STR("lowercase_values"));
    if (!t.upper_keys && !t.lower_values) {
        tool_error(op, "unknown operation");
        return;
    }
    tool_text(op, "%s", "");
    write_object(&op->m->text, data, &t);
}

/* ---- one string in, one JSON text out ------------------------------------------------------ */

/* {"member":"value"tail */
static void one_string(struct op *op, const char *member, struct str value, const char *tail)
{
    tool_text(op, "{\"%s\":", member);
    json_add_string(&op->m->text, value);
    buf_add_c(&op->m->text, tail);
}

void tool_validate_email(struct op *op, const json_t *arguments)
{
    struct str email;

    if (!tool_string(arguments, "email", &email)) {
        tool_error(op, "missing email");
        return;
    }
    bool valid = memchr(email.p, '@', email.len) != NULL && memchr(email.p, '.', email.len) != NULL;
    one_string(op, "email", email, valid ? ",\"valid\":true}" : ",\"valid\":false}");
}

void tool_weather_api(struct op *op, const json_t *arguments)
{
    struct str city, units = STR("celsius");

    if (!tool_string(arguments, "city", &city)) {
        tool_error(op, "missing city");
        return;
    }
    tool_string(arguments, "units", &units);
    one_string(op, "city", city, ",\"units\":");
    json_add_string(&op->m->text, units);
    buf_add_c(&op->m->text, ",\"temp\":20}");
}

void tool_geocode(struct op *op, const json_t *arguments)
{
    struct str address;

    if (!tool_string(arguments, "address", &address)) {
        tool_error(op, "missing address");
        return;
    }
    one_string(op, "address", address, ",\"lat\":51.5074,\"lon\":-0.1278}");
}

void tool_read_file(struct op *op, const json_t *arguments)
{
    struct str path;

    if (!tool_string(arguments, "path", &path)) {
        tool_error(op, "missing path");
        return;
    }
    one_string(op, "path", path, ",\"content\":\"mock content\"}");
}

void tool_write_file(struct op *op, const json_t *arguments)
{
    struct str path, content;

    if (!tool_string(arguments, "path", &path)) {
        tool_error(op, "missing path");
    } else if (!tool_string(arguments, "content", &content)) {
        tool_error(op, "missing content");
    } else {
        tool_text(op, "success");
    }
}

void tool_list_directory(struct op *op, const json_t *arguments)
{
    struct str path;

    if (!tool_string(arguments, "path", &path)) {
        tool_error(op, "missing path");
        return;
    }
    one_string(op, "path", path, ",\"entries\":[\"file1.txt\",\"file2.txt\"]}");
}

void tool_hash_generator(struct op *op, const json_t *arguments)
{
    struct str data, algorithm;
    char hex[DIGEST_HEX_MAX + 1];

    if (!tool_string(arguments, "data", &data)) {
        tool_error(op, "missing data");
    } else if (!tool_string(arguments, "algorithm", &algorithm)) {
        tool_error(op, "missing algorithm");
    } else if ((str_ieq(algorithm, STR("md5")) && digest_hex("md5", data, hex)) ||
               (str_ieq(algorithm, STR("sha256")) && digest_hex("sha256", data, hex))) {
        tool_text(op, "%s", hex);
    } else {
        tool_error(op, "unknown algorithm");
    }
}
