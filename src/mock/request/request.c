/* SPDX-License-Identifier: MIT */
#include "mock/request/request.h"

#include <stdint.h>

/* ---- JSON values -------------------------------------------------------------------------- */

struct scan {
    const char *p, *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) {
        s->p++;
    }
}

static bool take_char(struct scan *s, char c)
{
    if (s->p < s->end && *s->p == c) {
        s->p++;
        return true;
    }
    return false;
}

static bool take_hex4(struct scan *s, unsigned *out)
{
    unsigned v = 0;

    if (s->end - s->p < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = *s->p++;
        unsigned digit;

        if (is_digit(c)) {
            digit = (unsigned)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (unsigned)((c | 0x20) - 'a') + 10;
        } else {
            return false;
        }
        v = v << 4 | digit;
    }
    *out = v;
    return true;
}

/* Behind "\u". Half a surrogate pair is no character: nobody could read our echo of it. */
static bool take_unicode(struct scan *s, unsigned *out)
{
    unsigned hi, lo;

    if (!take_hex4(s, &hi)) {
        return false;
    }
    if (hi < 0xD800 || hi > 0xDFFF) {
        *out = hi;
        return true;
    }
    if (hi > 0xDBFF || !take_char(s, '\\') || !take_char(s, 'u') || !take_hex4(s, &lo) ||
        lo < 0xDC00 || lo > 0xDFFF) {
        return false;
    }
    *out = 0x10000 + ((hi - 0xD800) << 10) + (lo - 0xDC00);
    return true;
}

static bool skip_escape(struct scan *s)
{
    unsigned ignored;

    if (s->p == s->end) {
        return false;
    }
    switch (*s->p++) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    case 'u':
        return take_unicode(s, &ignored);
    default:
        return false;
    }
}

/* One character of several bytes (RFC 3629: shortest form, no surrogates, at most U+10FFFF). */
static bool skip_utf8(struct scan *s)
{
    unsigned char lead = (unsigned char)*s->p;
    unsigned count, low = 0x80, high = 0xBF;

    if (lead >= 0xC2 && lead <= 0xDF) {
        count = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        count = 2;
        low = lead == 0xE0 ? 0xA0 : 0x80;
        high = lead == 0xED ? 0x9F : 0xBF;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        count = 3;
        low = lead == 0xF0 ? 0x90 : 0x80;
        high = lead == 0xF4 ? 0x8F : 0xBF;
    } else {
        return false;
    }
    if ((size_t)(s->end - s->p) <= count) {
        return false;
    }
    for (unsigned i = 1; i <= count; i++) {
        unsigned char c = (unsigned char)s->p[i];

        if (c < low || c > high) {
            return false;
        }
        low = 0x80;
        high = 0xBF;
    }
    s->p += count + 1;
    return true;
}

/* A string with its quotes; `raw` is what stands between them. */
static bool take_string(struct scan *s, struct str *raw)
{
    if (!take_char(s, '"')) {
        return false;
    }
    const char *start = s->p;
    while (s->p < s->end) {
        unsigned char c = (unsigned char)*s->p;

        if (c == '"') {
            *raw = (struct str){start, (size_t)(s->p - start)};
            s->p++;
            return true;
        }
        if (c == '\\') {
            s->p++;
            if (!skip_escape(s)) {
                return false;
            }
        } else if (c >= 0x80) {
            if (!skip_utf8(s)) {
                return false;
            }
        } else if (c < 0x20) {
            return false;
        } else {
            s->p++;
        }
    }
    return false;
}

static bool skip_digits(struct scan *s)
{
    const char *start = s->p;

    while (s->p < s->end && is_digit(*s->p)) {
        s->p++;
    }
    return s->p > start;
}

static bool skip_number(struct scan *s)
{
    take_char(s, '-');
    if (take_char(s, '0')) {
        if (s->p < s->end && is_digit(*s->p)) {
            return false;
        }
    } else if (!skip_digits(s)) {
        return false;
    }
    if (take_char(s, '.') && !skip_digits(s)) {
        return false;
    }
    if (take_char(s, 'e') || take_char(s, 'E')) {
        if (!take_char(s, '+')) {
            take_char(s, '-');
        }
        return skip_digits(s);
    }
    return true;
}

static bool skip_word(struct scan *s, struct str word)
{
    if ((size_t)(s->end - s->p) < word.len || memcmp(s->p, word.p, word.len) != 0) {
        return false;
    }
    s->p += word.len;
    return true;
}

/* A value that contains no other. */
static bool skip_scalar(struct scan *s)
{
    struct str raw;

    if (s->p == s->end) {
        return false;
    }
    switch (*s->p) {
    case '"':
        return take_string(s, &raw);
    case 't':
        return skip_word(s, STR("true"));
    case 'f':
        return skip_word(s, STR("false"));
    case 'n':
        return skip_word(s, STR("null"));
    default:
        return skip_number(s);
    }
}

static bool skip_key(struct scan *s)
{
    struct str raw;

    skip_blanks(s);
    if (!take_string(s, &raw)) {
        return false;
    }
    skip_blanks(s);
    if (!take_char(s, ':')) {
        return false;
    }
    skip_blanks(s);
    return true;
}

/* What open containers we are in: bit i of `objects` for level i, no recursion. */
struct nest {
    uint64_t objects;
    unsigned depth;
};

static bool nest_enter(struct nest *n, bool object)
{
    if (n->depth == REQUEST_DEPTH_MAX) {
        return false;
    }
    n->objects = n->objects << 1 | (object ? 1u : 0u);
    n->depth++;
    return true;
}

/* Behind a value inside containers: closes those that end here. True when a value follows. */
static bool next_value(struct scan *s, struct nest *n, bool *ok)
{
    while (n->depth > 0) {
        bool object = (n->objects & 1) != 0;

        skip_blanks(s);
        if (take_char(s, ',')) {
            *ok = !object || skip_key(s);
            skip_blanks(s);
            return *ok;
        }
        if (!take_char(s, object ? '}' : ']')) {
            *ok = false;
            return false;
        }
        n->objects >>= 1;
        n->depth--;
    }
    *ok = true;
    return false;
}

/* 1: a container was opened and its first value follows; 0: a value is passed, a scalar or an empty
 * container; -1: malformed. */
static int pass_value(struct scan *s, struct nest *n)
{
    bool object = s->p < s->end && *s->p == '{';

    if (!object && !(s->p < s->end && *s->p == '[')) {
        return skip_scalar(s) ? 0 : -1;
    }
    s->p++;
    skip_blanks(s);
    if (take_char(s, object ? '}' : ']')) {
        return n->depth < REQUEST_DEPTH_MAX ? 0 : -1;
    }
    return nest_enter(n, object) && (!object || skip_key(s)) ? 1 : -1;
}

/* Any value; `text` is all of it. */
static bool take_value(struct scan *s, struct str *text)
{
    const char *start = s->p;
    struct nest nest = {0};
    bool more = true, ok = true;

    while (more) {
        int opened = pass_value(s, &nest);

        if (opened < 0) {
            return false;
        }
        if (opened == 0) {
            more = next_value(s, &nest, &ok);
        }
    }
    *text = (struct str){start, (size_t)(s->p - start)};
    return ok;
}

/* Walks the members of an object, s->p at its brace first. 1: *key, and s->p is at the value; 0:
 * the object is over; -1: malformed. */
static int next_member(struct scan *s, bool *first, struct str *key)
{
    skip_blanks(s);
    if (*first) {
        s->p++;
        skip_blanks(s);
        *first = false;
        if (take_char(s, '}')) {
            return 0;
        }
    } else {
        if (take_char(s, '}')) {
            return 0;
        }
        if (!take_char(s, ',')) {
            return -1;
        }
        skip_blanks(s);
    }
    if (!take_string(s, key)) {
        return -1;
    }
    skip_blanks(s);
    if (!take_char(s, ':')) {
        return -1;
    }
    skip_blanks(s);
    return 1;
}

static bool at_object(const struct scan *s)
{
    return s->p < s->end && *s->p == '{';
}

/* ---- strings ------------------------------------------------------------------------------ */

static size_t put_utf8(char out[4], unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* The character of the escape at s->p (behind the backslash). */
static size_t take_escape(struct scan *s, char out[4])
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    unsigned c;

    if (s->p == s->end) {
        return 0;
    }
    char kind = *s->p++;
    if (kind == 'u') {
        return take_unicode(s, &c) ? put_utf8(out, c) : 0;
    }
    const char *at = strchr(names, kind);
    out[0] = (char)(at != NULL && kind != '\0' ? values[at - names] : kind);
    return 1;
}

bool request_unescape(struct str raw, char *out, size_t size, size_t *len)
{
    struct scan s = {raw.p, raw.p + raw.len};
    size_t n = 0;

    while (s.p < s.end) {
        char c[4] = {*s.p++};
        size_t bytes = c[0] == '\\' ? take_escape(&s, c) : 1;

        if (bytes == 0 || size - n < bytes) {
            return false;
        }
        memcpy(out + n, c, bytes);
        n += bytes;
    }
    *len = n;
    return true;
}

bool request_string(struct str object, struct str name, struct str *raw)
{
    bool first = true, found = false;
    struct str key, value;

    if (object.len == 0) {
        return false;
    }
    struct scan s = {object.p, object.p + object.len};
    while (next_member(&s, &first, &key) == 1 && take_value(&s, &value)) {
        if (str_eq(key, name)) {
            found = value.p[0] == '"';
            if (found) {
                *raw = (struct str){value.p + 1, value.len - 2};
            }
        }
    }
    return found;
}

/* ---- JSON-RPC ----------------------------------------------------------------------------- */

/* What the members say, beside what goes into the request itself. */
struct envelope {
    bool version_ok, has_id, has_method, has_answer;
};

static bool take_id_like(struct str text, struct str *out)
{
    bool usable =
        text.len <= REQUEST_ID_MAX && (text.p[0] == '"' || text.p[0] == '-' || is_digit(text.p[0]));

    *out = usable ? text : (struct str){0};
    return usable;
}

static bool read_meta(struct scan *s, struct mock_request *out)
{
    bool first = true;
    struct str key, value;
    int rc;

    while ((rc = next_member(s, &first, &key)) == 1) {
        if (!take_value(s, &value)) {
            return false;
        }
        if (str_eq(key, STR("progressToken"))) {
            take_id_like(value, &out->progress_token);
        }
    }
    return rc == 0;
}

static struct str raw_string(struct str value)
{
    return value.p[0] == '"' ? (struct str){value.p + 1, value.len - 2} : (struct str){0};
}

static bool read_params(struct scan *s, struct mock_request *out)
{
    bool first = true;
    struct str key, value;
    int rc;

    while ((rc = next_member(s, &first, &key)) == 1) {
        if (str_eq(key, STR("_meta")) && at_object(s)) {
            if (!read_meta(s, out)) {
                return false;
            }
            continue;
        }
        if (!take_value(s, &value)) {
            return false;
        }
        if (str_eq(key, STR("name"))) {
            out->name = raw_string(value);
        } else if (str_eq(key, STR("arguments"))) {
            out->arguments = value;
        } else if (str_eq(key, STR("cursor"))) {
            out->cursor = raw_string(value);
            out->bad_cursor = value.p[0] != '"';
        }
    }
    return rc == 0;
}

/* Names of methods are short and rarely escaped; PHP writes "tools\/call". */
static void set_method(struct str value, struct mock_request *out, struct envelope *e)
{
    struct str raw = raw_string(value);
    size_t len;

    e->has_method = raw.p != NULL;
    out->method = raw;
    if (raw.p != NULL && memchr(raw.p, '\\', raw.len) != NULL &&
        request_unescape(raw, out->method_text_, sizeof out->method_text_, &len)) {
        out->method = (struct str){out->method_text_, len};
    }
}

static bool
read_member(struct scan *s, struct str key, struct mock_request *out, struct envelope *e)
{
    struct str value;

    if (str_eq(key, STR("params"))) {
        const char *start = s->p;

        out->has_params = at_object(s);
        out->bad_params = !out->has_params;
        if (out->has_params) {
            bool ok = read_params(s, out);
            out->params = (struct str){start, (size_t)(s->p - start)};
            return ok;
        }
        return take_value(s, &value);
    }
    if (!take_value(s, &value)) {
        return false;
    }
    if (str_eq(key, STR("jsonrpc"))) {
        e->version_ok = str_eq(value, STR("\"2.0\""));
    } else if (str_eq(key, STR("id"))) {
        e->has_id = true;
        take_id_like(value, &out->id);
    } else if (str_eq(key, STR("method"))) {
        set_method(value, out, e);
    } else if (str_eq(key, STR("result")) || str_eq(key, STR("error"))) {
        e->has_answer = true;
    }
    return true;
}

static bool only_blanks(struct scan *s)
{
    skip_blanks(s);
    return s->p == s->end;
}

static enum request_kind judge(const struct envelope *e, const struct mock_request *out)
{
    if (!e->version_ok) {
        return REQUEST_INVALID;
    }
    if (e->has_method) {
        if (!e->has_id) {
            return REQUEST_NOTIFICATION;
        }
        return out->id.len > 0 ? REQUEST_CALL : REQUEST_INVALID;
    }
    return e->has_answer && out->id.len > 0 ? REQUEST_RESPONSE : REQUEST_INVALID;
}

enum request_kind request_read(struct str body, struct mock_request *out)
{
    struct envelope e = {0};
    struct str key, value;
    bool first = true;
    int rc;

    memset(out, 0, offsetof(struct mock_request, method_text_));
    if (body.len == 0) {
        return REQUEST_BAD_JSON;
    }
    struct scan s = {body.p, body.p + body.len};
    skip_blanks(&s);
    if (!at_object(&s)) {
        return take_value(&s, &value) && only_blanks(&s) ? REQUEST_INVALID : REQUEST_BAD_JSON;
    }
    while ((rc = next_member(&s, &first, &key)) == 1) {
        if (!read_member(&s, key, out, &e)) {
            return REQUEST_BAD_JSON;
        }
    }
    return rc == 0 && only_blanks(&s) ? judge(&e, out) : REQUEST_BAD_JSON;
}
