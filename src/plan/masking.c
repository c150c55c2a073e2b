/* SPDX-License-Identifier: MIT */
#include "plan/masking.h"

#include "scenario/config/redaction.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MAX_BYTES = 256, GROWTH = 3 }; /* a secret of four bytes becomes ten */

/* ---- names ------------------------------------------------------------------------------------
 */

static bool ends_with(struct str text, struct str end)
{
    return text.len >= end.len && memcmp(text.p + text.len - end.len, end.p, end.len) == 0;
}

static bool contains(struct str text, const char *word)
{
    return memmem(text.p, text.len, word, strlen(word)) != NULL;
}

/* Of the beginning of a long one. */
static struct str lower_case(struct str name, char lower[NAME_MAX_BYTES])
{
    struct str text = {lower, name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES};

    for (size_t i = 0; i < text.len; i++) {
        lower[i] = (char)tolower((unsigned char)name.p[i]);
    }
    return text;
}

/* Is the word one of the parts that `-` and `_` separate? */
static bool has_part(struct str text, struct str word)
{
    size_t from = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.p[i] != '-' && text.p[i] != '_') {
            continue;
        }
        if (str_eq((struct str){text.p + from, i - from}, word)) {
            return true;
        }
        from = i + 1;
    }
    return false;
}

bool masking_is_secret_name(struct str name)
{
    static const char *const parts[] = {
        "token",      "secret",  "passw",      "apikey",        "api_key", "api-key",   "accesskey",
        "access_key", "private", "credential", "authorization", "cookie",  "signature", "pair_key"};
    static const char *const words[] = {"auth", "oauth", "pwd", "jwt"};
    char lower[NAME_MAX_BYTES];
    struct str text = lower_case(name, lower);

    if (ends_with(text, STR("_ref")) || ends_with(text, STR("_name"))) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (has_part(text, str_c(words[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (contains(text, parts[i])) {
            return true;
        }
    }
    return false;
}

/* An empty value is none, and a placeholder stands for what comes from elsewhere. */
static bool has_secret(struct str value)
{
    return value.len > 0 && !contains(value, "${");
}

static bool hides(struct str name, struct str value)
{
    return has_secret(value) && masking_is_secret_name(name);
}

/* In addresses short names are common, and tools' arguments are not: there a `key` is often none.
 */
static bool hides_in_query(struct str name, struct str value)
{
    static const char *const words[] = {"key", "sig", "pass", "pin", "code"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_ieq(name, str_c(words[i]))) {
            return has_secret(value);
        }
    }
    return hides(name, value);
}

/* ---- addresses --------------------------------------------------------------------------------
 */

static struct str before(struct str text, const char *ends)
{
    size_t len = 0;

    while (len < text.len && strchr(ends, text.p[len]) == NULL) {
        len++;
    }
    return (struct str){text.p, len};
}

static struct str behind(struct str text, size_t len)
{
    return (struct str){text.p + len, text.len - len};
}

/* The front of `text` as it is; *text becomes the rest. */
static int pass(struct buf *out, struct str *text, size_t len)
{
    int rc = buf_add(out, text->p, len);

    *text = behind(*text, len);
    return rc;
}

/* Instead of so many bytes. */
static int hide(struct buf *out, struct str *text, size_t len)
{
    *text = behind(*text, len);
    return buf_add_c(out, REDACTED);
}

/* A query, or a fragment with the form of one. */
static int add_query(struct buf *out, struct str query)
{
    int rc = 0;

    while (rc == 0 && query.len > 0) {
        struct str pair = before(query, "&;#"), name = before(pair, "=");
        size_t front = name.len + (name.len < pair.len);

        rc = pass(out, &query, front);
        size_t value = pair.len - front;
        if (rc == 0) {
            rc = hides_in_query(name, (struct str){query.p, value}) ? hide(out, &query, value)
                                                                    : pass(out, &query, value);
        }
        if (rc == 0 && query.len > 0) {
            rc = pass(out, &query, 1);
        }
    }
    return rc;
}

/* The length of user and password, in front of the host; 0: none. */
static size_t userinfo_len(struct str text)
{
    struct str authority = before(text, "/?# \t\n\"'");

    for (size_t i = authority.len; i > 0; i--) {
        if (authority.p[i - 1] == '@') {
            return i - 1;
        }
    }
    return 0;
}

static int add_addresses(struct buf *out, struct str text)
{
    const char *at;
    int rc = 0;

    while (rc == 0 && (at = memmem(text.p, text.len, "://", 3)) != NULL) {
        rc = pass(out, &text, (size_t)(at - text.p) + 3);
        size_t user = userinfo_len(text);
        if (rc == 0 && user > 0) {
            rc = hide(out, &text, user);
        }
        struct str address = before(text, " \t\n\"'");
        struct str path = before(address, "?#");
        struct str query = behind(address, path.len);
        if (rc == 0) {
            rc = buf_add_str(out, path);
        }
        if (rc == 0 && query.len > 0) {
            rc = buf_add(out, query.p, 1);
            rc = rc != 0 ? rc : add_query(out, behind(query, 1));
        }
        text = behind(text, address.len);
    }
    return rc != 0 ? rc : buf_add_str(out, text);
}

void masking_url_secrets(struct str url, struct secrets_list *list)
{
    struct str query = behind(url, before(url, "?").len);

    while (query.len > 0) {
        query = behind(query, 1);
        struct str pair = before(query, "&;#"), name = before(pair, "=");

        if (name.len < pair.len && hides_in_query(name, behind(pair, name.len + 1))) {
            secrets_add(list, behind(pair, name.len + 1));
        }
        query = behind(query, pair.len);
    }
}

/* ---- texts ------------------------------------------------------------------------------------
 */

/* Without the secrets that are known; the caller clears the buffer. */
static void without_known(const struct plan_secrets *secrets, struct str text, struct buf *out)
{
    buf_init(out, text.len * GROWTH + sizeof REDACTED);
    if (buf_reserve(out, out->max) == 0) {
        out->len = secrets_mask_long(secrets, text, out->p, out->max);
    }
}

int masking_add_text(const struct plan_secrets *secrets, struct str text, struct buf *out)
{
    struct buf known;

    without_known(secrets, text, &known);
    int rc = add_addresses(out, buf_str(&known));
    buf_clear(&known);
    return rc;
}

/* ---- documents --------------------------------------------------------------------------------
 */

struct document {
    const struct plan_secrets *secrets;
    const json_t *auth; /* target.auth, whose members are judged one by one; NULL: there is none */
};

static json_t *mask_string(const struct plan_secrets *secrets, const json_t *value)
{
    struct str text = {json_string_value(value), json_string_length(value)};
    struct buf out;

    buf_init(&out, text.len * GROWTH * GROWTH + sizeof REDACTED);
    int rc = masking_add_text(secrets, text, &out);
    json_t *masked = rc == 0 ? json_stringn(out.len > 0 ? out.p : "", out.len) : NULL;
    buf_clear(&out);
    /* A mask may have cut a character in two; then nothing of the text is kept. */
    return masked != NULL ? masked : json_string(REDACTED);
}

static bool names_amount(struct str name)
{
    char lower[NAME_MAX_BYTES];

    return contains(lower_case(name, lower), "token");
}

/* A member's, or one of a list: is all of it, and of what is below it, a secret? */
static bool hides_member(const struct document *d, struct str name, const json_t *value)
{
    return value != d->auth && masking_is_secret_name(name) &&
           !(json_is_number(value) && names_amount(name));
}

static json_t *mask_value(const struct document *d, struct str name, bool hidden, const json_t *v);

/* NOLINTNEXTLINE(misc-no-recursion) */
static json_t *mask_object(const struct document *d, bool hidden, const json_t *value)
{
    const char *key;
    json_t *member, *out = json_object();

    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        bool hides_it = hidden || hides_member(d, str_c(key), member) ||
                        (value == d->auth && json_is_object(member)); /* of some plugin */

        json_object_set_new(out, key, mask_value(d, str_c(key), hides_it, member));
    }
    return out;
}

/* `name`: of the member, or of the list that it is in. `hidden`: it is below a secret's name. As
 * deep as the document, which json_parse bounds. NOLINTNEXTLINE(misc-no-recursion) */
static json_t *mask_value(const struct document *d, struct str name, bool hidden, const json_t *v)
{
    json_t *member, *out;
    size_t i;

    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return mask_object(d, hidden, v);
    case JSON_ARRAY:
        out = json_array();
        json_array_foreach(v, i, member)
        {
            json_array_append_new(out, mask_value(d, name, hidden, member));
        }
        return out;
    case JSON_STRING:
        return hidden && has_secret((struct str){json_string_value(v), json_string_length(v)})
                   ? json_string(REDACTED)
                   : mask_string(d->secrets, v);
    case JSON_INTEGER:
    case JSON_REAL:
        if (hidden) {
            return json_string(REDACTED);
        }
        break;
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        break;
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return json_copy((json_t *)(uintptr_t)v);
}

json_t *masking_document(const struct plan_secrets *secrets, const json_t *document)
{
    struct document d = {secrets, json_object_get(json_object_get(document, "target"), "auth")};

    return mask_value(&d, STR(""), false, document);
}

/* ---- a command line ---------------------------------------------------------------------------
 */

/* The last word of the text, without what JSON and options put around it. */
static struct str last_word(struct str text)
{
    size_t from = 0;

    while (text.len > 0 && strchr("\"' ", text.p[text.len - 1]) != NULL) {
        text.len--;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("{,\"' ", text.p[i]) != NULL) {
            from = i + 1;
        }
    }
    return behind(text, from);
}

/* What a path leads to is a secret when one of its names is; `target.auth` is none. */
static bool path_hides(struct str path)
{
    struct str name = before(path, ".");
    bool in_target = str_eq(name, STR("target"));

    if (ends_with(path, STR("_ref")) || ends_with(path, STR("_name"))) {
        return false;
    }
    for (size_t depth = 0;; depth++) {
        struct str word = before(name, "[");
        bool is_auth = depth == 1 && in_target && str_eq(word, STR("auth"));

        if (masking_is_secret_name(word) && !is_auth) {
            return true;
        }
        if (name.len == path.len) {
            return false;
        }
        path = behind(path, name.len + 1);
        name = before(path, ".");
    }
}

/* Does the text in front of a `=` or `:` name a secret? Names of hosts have dots, too. */
static bool names_secret(struct str text, char separator)
{
    struct str word = last_word(text);

    if (separator == '=') {
        return path_hides(word);
    }
    for (size_t i = word.len; i > 0; i--) {
        if (word.p[i - 1] == '.') {
            word = behind(word, i);
            break;
        }
    }
    return masking_is_secret_name(word);
}

/* How much of a word stands in front of a secret that a name in its first `len` bytes gives away;
 * all of it: nothing does. */
static size_t front_of_secret(struct str word, size_t len)
{
    const char *address = memmem(word.p, len, "://", 3);
    struct str rest = {word.p, address != NULL ? (size_t)(address - word.p) : len};

    while (rest.len > 0) {
        struct str name = before(rest, "=:");
        if (name.len == rest.len) {
            break;
        }
        rest = behind(rest, name.len + 1);
        struct str value = {rest.p, (size_t)(word.p + word.len - rest.p)};
        if (has_secret(value) && names_secret(name, rest.p[-1])) {
            return (size_t)(rest.p - word.p);
        }
    }
    return word.len;
}

/* Where an object or a list of JSON begins that goes on to the end; the word's length: nowhere. */
static size_t find_json(struct str word, json_t **out)
{
    struct err err;

    for (size_t i = 0; i < word.len; i++) {
        if ((word.p[i] == '{' || word.p[i] == '[') && (i == 0 || word.p[i - 1] == '=') &&
            json_parse(behind(word, i), word.len, out, &err) == 0) {
            return i;
        }
    }
    return word.len;
}

/* Its text as it is when there is nothing to hide. */
static int
add_json(const struct plan_secrets *secrets, struct str text, const json_t *value, struct buf *out)
{
    json_t *masked = masking_document(secrets, value);
    int rc = json_equal(masked, value) ? buf_add_str(out, text) : json_write(masked, out);

    json_decref(masked);
    return rc;
}

int masking_add_argument(const struct plan_secrets *secrets, struct str word, struct buf *out)
{
    json_t *value = NULL;
    size_t json = find_json(word, &value), front = front_of_secret(word, json);
    size_t shown = front < word.len ? front : json;
    int rc = masking_add_text(secrets, (struct str){word.p, shown}, out);

    if (rc == 0 && front < word.len) {
        rc = buf_add_c(out, REDACTED);
    } else if (rc == 0 && value != NULL) {
        rc = add_json(secrets, behind(word, json), value, out);
    }
    json_decref(value);
    return rc;
}

int masking_add_label(const struct plan_secrets *secrets,
                      struct str name,
                      struct str value,
                      struct buf *out)
{
    return hides(name, value) ? buf_add_c(out, REDACTED) : masking_add_text(secrets, value, out);
}
