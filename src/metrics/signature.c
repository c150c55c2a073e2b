/* SPDX-License-Identifier: MIT */
#include "metrics/signature.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* A pass may lengthen the text ("7" becomes "<NUM>"); what passes this size is cut. */
enum { WORK_MAX = 1024 };

struct text {
    char p[WORK_MAX];
    size_t len;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* True when the text has a character at `i` that continues a word. */
static bool word_at(const struct text *t, size_t i)
{
    return i < t->len && is_word(t->p[i]);
}

static bool word_before(const struct text *t, size_t i)
{
    return i > 0 && is_word(t->p[i - 1]);
}

/*
 * Does the text match `shape` at `at`? In a shape 'x' is a hexadecimal digit, '9' a decimal one,
 * any other character itself. Returns the shape's length or 0.
 */
static size_t match_shape(const struct text *t, size_t at, const char *shape)
{
    size_t n = 0;

    for (; shape[n] != '\0'; n++) {
        if (at + n >= t->len) {
            return 0;
        }
        char c = t->p[at + n];
        bool fits = shape[n] == 'x' ? is_hex(c) : shape[n] == '9' ? is_digit(c) : c == shape[n];
        if (!fits) {
            return 0;
        }
    }
    return n;
}

static size_t match_uuid(const struct text *t, size_t at)
{
    size_t n = match_shape(t, at, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");

    return n > 0 && !word_before(t, at) && !word_at(t, at + n) ? n : 0;
}

/* ISO 8601 date and time; seconds, fraction and offset are optional. */
static size_t match_time(const struct text *t, size_t at)
{
    size_t n = match_shape(t, at, "9999-99-99");

    if (n == 0 || word_before(t, at) || at + n >= t->len) {
        return 0;
    }
    char sep = t->p[at + n++];
    size_t time = match_shape(t, at + n, "99:99");
    if ((sep != 'T' && sep != 't' && sep != ' ') || time == 0) {
        return 0;
    }
    n += time;
    n += match_shape(t, at + n, ":99");
    if (match_shape(t, at + n, ".9") > 0 || match_shape(t, at + n, ",9") > 0) {
        n++;
        while (at + n < t->len && is_digit(t->p[at + n])) {
            n++;
        }
    }
    static const char *const offsets[] = {"Z", "z", "+99:99", "-99:99", "+9999", "-9999"};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        size_t offset = match_shape(t, at + n, offsets[i]);
        if (offset > 0) {
            n += offset;
            break;
        }
    }
    return word_at(t, at + n) ? 0 : n;
}

/* The longest run of characters that an address may have; a full stop or colon at its end belongs
 * to the sentence, unless it is the "::" of an address. */
static size_t address_run(const struct text *t, size_t at, bool v6)
{
    size_t n = 0;

    while (at + n < t->len && n < INET6_ADDRSTRLEN &&
           (t->p[at + n] == '.' ||
            (v6 ? is_hex(t->p[at + n]) || t->p[at + n] == ':' : is_digit(t->p[at + n])))) {
        n++;
    }
    while (n > 0 && (t->p[at + n - 1] == '.' ||
                     (t->p[at + n - 1] == ':' && (n < 2 || t->p[at + n - 2] != ':')))) {
        n--;
    }
    return n;
}

static size_t match_address(const struct text *t, size_t at)
{
    static const int families[] = {AF_INET, AF_INET6};
    bool inside = word_before(t, at) || (at > 0 && (t->p[at - 1] == '.' || t->p[at - 1] == ':'));

    /* After a colon only the port-like forms of other texts stand, never an address; a bracket or
     * a slash comes first in URLs. "error:10.0.0.1" is worth having, so IPv4 may follow one. */
    for (size_t i = 0; i < 2; i++) {
        bool v6 = families[i] == AF_INET6;
        char text[INET6_ADDRSTRLEN + 1];
        unsigned char address[sizeof(struct in6_addr)];
        size_t n = address_run(t, at, v6);

        if (n < 3 || (inside && (v6 || t->p[at - 1] != ':')) || word_at(t, at + n) ||
            n >= sizeof text) {
            continue;
        }
        memcpy(text, t->p + at, n);
        text[n] = '\0';
        if (inet_pton(families[i], text, address) == 1) {
            return n;
        }
    }
    return 0;
}

static bool is_path(char c)
{
    return is_word(c) || (c != '\0' && strchr("/.-~%+@?=&", c) != NULL);
}

/* Does the word that ends before `at` have a scheme, so that a path may follow its host? */
static bool in_url(const struct text *t, size_t at)
{
    while (at > 0 && t->p[at - 1] != ' ' && t->p[at - 1] != '"' && t->p[at - 1] != '\'') {
        at--;
        if (match_shape(t, at, "://") > 0) {
            return true;
        }
    }
    return false;
}

/* The length of one of the marks that an earlier pass left, such as "<UUID>". */
static size_t match_mark(const struct text *t, size_t at)
{
    static const char *const marks[] = {"<UUID>", "<TS>", "<IP>"};

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t n = strlen(marks[i]);
        if (t->len - at >= n && memcmp(t->p + at, marks[i], n) == 0) {
            return n;
        }
    }
    return 0;
}

static size_t match_path(const struct text *t, size_t at)
{
    size_t n = 1;

    if (t->p[at] != '/' || (at > 0 && (t->p[at - 1] == '/' || t->p[at - 1] == '<'))) {
        return 0;
    }
    /* "text/html" and "and/or" are no paths, "http://host/mcp" has one. */
    if ((word_before(t, at) || (at > 0 && t->p[at - 1] == '>')) && !in_url(t, at)) {
        return 0;
    }
    while (at + n < t->len) {
        size_t step = is_path(t->p[at + n]) ? 1 : match_mark(t, at + n);
        if (step == 0) {
            break;
        }
        n += step;
    }
    while (n > 1 && (t->p[at + n - 1] == '.' || t->p[at + n - 1] == '?')) {
        n--;
    }
    /* Two slashes begin the host of a URL. */
    return n > 1 && t->p[at + 1] != '/' ? n : 0;
}

static size_t match_number(const struct text *t, size_t at)
{
    size_t n = 0;

    while (at + n < t->len && is_digit(t->p[at + n])) {
        n++;
    }
    return n;
}

static const struct pass {
    size_t (*match)(const struct text *t, size_t at);
    const char *mark;
} passes[] = {
    {match_uuid, "<UUID>"}, {match_time, "<TS>"},    {match_address, "<IP>"},
    {match_path, "<PATH>"}, {match_number, "<NUM>"},
};

static void append(struct text *t, const char *p, size_t len)
{
    size_t n = len < WORK_MAX - t->len ? len : WORK_MAX - t->len;

    memcpy(t->p + t->len, p, n);
    t->len += n;
}

static void run_pass(const struct pass *pass, const struct text *in, struct text *out)
{
    out->len = 0;
    for (size_t i = 0; i < in->len;) {
        size_t n = pass->match(in, i);

        if (n > 0) {
            append(out, pass->mark, strlen(pass->mark));
            i += n;
        } else {
            append(out, &in->p[i++], 1);
        }
    }
}

/* How much of the text fits into `size` without cutting a character in two. */
static size_t whole_characters(const char *p, size_t len, size_t size)
{
    size_t n = len < size ? len : size;

    if (n == len) {
        return n;
    }
    /* A character has at most three continuation bytes; text that is not UTF-8 is cut as it is. */
    for (size_t back = 0; back < 4 && back <= n; back++) {
        if (((unsigned char)p[n - back] & 0xC0u) != 0x80u) {
            return n - back;
        }
    }
    return n;
}

size_t signature_sample(struct str message, char *out, size_t size)
{
    size_t n = whole_characters(message.p, message.len, size);

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)message.p[i];

        /* Such text ends up on terminals. */
        out[i] = message.p[i];
        if (c < 0x20 || c == 0x7F) {
            out[i] = ' ';
        }
    }
    return n;
}

size_t signature_mask(struct str message, char *out, size_t size)
{
    struct text a, b;
    struct text *in = &a, *masked = &b;

    in->len = signature_sample(message, in->p, SIGNATURE_INPUT_MAX);
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        run_pass(&passes[i], in, masked);
        struct text *swap = in;
        in = masked;
        masked = swap;
    }
    size_t n = whole_characters(in->p, in->len, size);
    memcpy(out, in->p, n);
    return n;
}
