/* SPDX-License-Identifier: MIT */
#include "http/url.h"

#include <arpa/inet.h>
#include <stdio.h>

struct scheme {
    struct str prefix;
    bool https;
    uint16_t port;
};

static const struct scheme schemes[] = {
    {STR_INIT("http://"), false, 80},
    {STR_INIT("https://"), true, 443},
};

static int bad(struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, "URL: %s", what);
}

/* First of `chars` in `s`, or its end. */
static size_t find_any(struct str s, const char *chars)
{
    size_t i = 0;

    while (i < s.len && (s.p[i] == '\0' || strchr(chars, s.p[i]) == NULL)) {
        i++;
    }
    return i;
}

static struct str skip(struct str s, size_t n)
{
    return (struct str){s.p + n, s.len - n};
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static void copy_lower(char *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        out[i] = lower(s.p[i]);
    }
    out[s.len] = '\0';
}

static int check_bytes(struct str s, struct err *err)
{
    if (s.len > URL_MAX) {
        return err_set(err, ERR_INVALID, "URL: longer than %d bytes", URL_MAX);
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == ' ' || c == '\t') {
            return bad(err, "a blank (write it as %20)");
        }
        if (c < 0x20 || c >= 0x7f) {
            return bad(err, "a byte that is not visible ASCII (write it as %XX)");
        }
    }
    return 0;
}

static const struct scheme *find_scheme(struct str s)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const struct scheme *scheme = &schemes[i];

        if (s.len >= scheme->prefix.len &&
            str_ieq((struct str){s.p, scheme->prefix.len}, scheme->prefix)) {
            return scheme;
        }
    }
    return NULL;
}

/* A registered name or an IPv4 address (RFC 3986 §3.2.2), without percent-encoding: no resolver
 * takes that. Underscores do occur in the names of containers. */
static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static int parse_name(struct str name, struct url *out, struct err *err)
{
    if (name.len == 0) {
        return bad(err, "no host");
    }
    if (name.len >= sizeof out->host) {
        return bad(err, "the host is too long");
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_host_byte(name.p[i])) {
            return err_set(err, ERR_INVALID, "URL: '%c' in the host", name.p[i]);
        }
    }
    copy_lower(out->host, name);
    return 0;
}

static int parse_ipv6(struct str text, struct url *out, struct err *err)
{
    struct in6_addr addr;

    if (text.len >= INET6_ADDRSTRLEN) {
        return bad(err, "no IPv6 address between the brackets");
    }
    copy_lower(out->host, text);
    if (inet_pton(AF_INET6, out->host, &addr) != 1) {
        return bad(err, "no IPv6 address between the brackets");
    }
    out->ipv6_literal = true;
    return 0;
}

/* ":8080", ":" (RFC 3986 allows it) or nothing. */
static int parse_port(struct str text, uint16_t usual, struct url *out, struct err *err)
{
    uint64_t port = usual;

    if (text.len > 0 && text.p[0] != ':') {
        return bad(err, "something else than a port behind the host");
    }
    if (text.len > 1 && (!str_u64(skip(text, 1), UINT16_MAX, &port) || port == 0)) {
        return bad(err, "the port is not within 1..65535");
    }
    out->port = (uint16_t)port;
    out->default_port = port == usual;
    return 0;
}

static int
parse_authority(struct str text, const struct scheme *scheme, struct url *out, struct err *err)
{
    struct str rest;
    int rc;

    if (find_any(text, "@") < text.len) {
        return bad(err, "user names and passwords are not supported here; use headers");
    }
    if (text.len > 0 && text.p[0] == '[') {
        size_t close = find_any(text, "]");

        if (close == text.len) {
            return bad(err, "'[' without ']'");
        }
        rc = parse_ipv6((struct str){text.p + 1, close - 1}, out, err);
        rest = skip(text, close + 1);
    } else {
        size_t colon = find_any(text, ":");

        rc = parse_name((struct str){text.p, colon}, out, err);
        rest = skip(text, colon);
    }
    return rc != 0 ? rc : parse_port(rest, scheme->port, out, err);
}

static void write_authority(struct url *out)
{
    const char *open = out->ipv6_literal ? "[" : "", *close = out->ipv6_literal ? "]" : "";

    if (out->default_port) {
        snprintf(out->authority, sizeof out->authority, "%s%s%s", open, out->host, close);
    } else {
        snprintf(out->authority, sizeof out->authority, "%s%s%s:%u", open, out->host, close,
                 (unsigned)out->port);
    }
}

/* Path and query as sent; the fragment stays with the client (RFC 9112 §3.2.1). */
static void write_target(struct str text, struct url *out)
{
    size_t len = find_any(text, "#"), at = 0;

    if (len == 0 || text.p[0] != '/') {
        out->target[at++] = '/';
    }
    if (len > 0) {
        memcpy(out->target + at, text.p, len);
    }
    out->target[at + len] = '\0';
}

int url_parse(struct str text, struct url *out, struct err *err)
{
    const struct scheme *scheme;
    struct url url = {0};
    size_t authority_len;
    struct str rest;
    int rc = check_bytes(text, err);

    if (rc != 0) {
        return rc;
    }
    scheme = find_scheme(text);
    if (scheme == NULL) {
        return bad(err, "it must begin with http:// or https://");
    }
    url.https = scheme->https;
    rest = skip(text, scheme->prefix.len);
    authority_len = find_any(rest, "/?#");
    rc = parse_authority((struct str){rest.p, authority_len}, scheme, &url, err);
    if (rc != 0) {
        return rc;
    }
    write_authority(&url);
    write_target(skip(rest, authority_len), &url);
    *out = url;
    return 0;
}

static bool unreserved(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

int url_escape(struct buf *out, struct str part)
{
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.p[i];
        int rc = unreserved(c) ? buf_add(out, &c, 1) : buf_printf(out, "%%%02X", c);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}
