/* SPDX-License-Identifier: MIT */
#include "scenario/policy/target_url.h"

#include <stdio.h>

static bool is_scheme_char(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    return letter || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c;
}

static void copy_lower(char *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        out[i] = lower(s.p[i]);
    }
    out[s.len] = '\0';
}

static int take_scheme(struct str *rest, struct target_url *out, struct err *err)
{
    size_t n = 0;

    while (n < rest->len && is_scheme_char(rest->p[n], n == 0)) {
        n++;
    }
    struct str after = {rest->p + n, rest->len - n};
    if (n == 0 || !str_starts(after, STR("://"))) {
        return err_set(err, ERR_INVALID, "a URL begins with a scheme, for example http://");
    }
    if (n >= sizeof out->scheme) {
        return err_set(err, ERR_INVALID, "the scheme of the URL is too long");
    }
    copy_lower(out->scheme, (struct str){rest->p, n});
    *rest = (struct str){after.p + 3, after.len - 3};
    return 0;
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static bool is_ipv6_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
           c == '.';
}

static int take_host(struct str host, bool brackets, struct target_url *out, struct err *err)
{
    if (host.len > 1 && !brackets && host.p[host.len - 1] == '.') {
        host.len--;
    }
    if (host.len == 0) {
        return err_set(err, ERR_INVALID, "the URL has no host");
    }
    if (host.len > TARGET_HOST_MAX) {
        return err_set(err, ERR_INVALID, "the host has %zu characters, at most %d are possible",
                       host.len, TARGET_HOST_MAX);
    }
    for (size_t i = 0; i < host.len; i++) {
        if (brackets ? !is_ipv6_char(host.p[i]) : !is_host_char(host.p[i])) {
            return err_set(err, ERR_INVALID,
                           "the host may not contain the byte 0x%02x; names in other scripts are "
                           "written in their ASCII form (xn--…)",
                           (unsigned)(unsigned char)host.p[i]);
        }
    }
    copy_lower(out->host, host);
    return 0;
}

static int take_port(struct str port, struct target_url *out, struct err *err)
{
    uint64_t value;

    if (port.len == 0) {
        return 0;
    }
    if (!str_u64(port, 65535, &value) || value == 0) {
        return err_set(err, ERR_INVALID, "the port is a number within 1..65535");
    }
    out->has_port = true;
    out->port = (uint16_t)value;
    return 0;
}

/* user:password@host:port, RFC 3986 §3.2 */
static int take_authority(struct str authority, struct target_url *out, struct err *err)
{
    for (size_t i = authority.len; i > 0; i--) {
        if (authority.p[i - 1] == '@') {
            out->has_userinfo = true;
            authority = (struct str){authority.p + i, authority.len - i};
            break;
        }
    }
    bool brackets = authority.len > 0 && authority.p[0] == '[';
    const char *close = brackets ? memchr(authority.p, ']', authority.len) : NULL;
    if (brackets && close == NULL) {
        return err_set(err, ERR_INVALID, "the IPv6 address has no closing bracket");
    }
    size_t host_end = brackets ? (size_t)(close - authority.p) + 1 : 0;
    while (!brackets && host_end < authority.len && authority.p[host_end] != ':') {
        host_end++;
    }
    struct str host = brackets ? (struct str){authority.p + 1, host_end - 2}
                               : (struct str){authority.p, host_end};
    int rc = take_host(host, brackets, out, err);
    if (rc != 0 || host_end == authority.len) {
        return rc;
    }
    if (authority.p[host_end] != ':') {
        return err_set(err, ERR_INVALID, "only a port may follow the host");
    }
    return take_port((struct str){authority.p + host_end + 1, authority.len - host_end - 1}, out,
                     err);
}

static void take_path(struct str path, struct target_url *out)
{
    const char *fragment = path.len > 0 ? memchr(path.p, '#', path.len) : NULL;
    size_t len = fragment == NULL ? path.len : (size_t)(fragment - path.p);
    const char *slash = len > 0 && path.p[0] == '/' ? "" : "/";

    snprintf(out->path, sizeof out->path, "%s%.*s", slash, (int)len, path.p);
}

int target_url_parse(struct str text, struct target_url *out, struct err *err)
{
    struct target_url url = {0};
    struct str rest = text;

    if (text.len == 0 || text.len > TARGET_URL_MAX) {
        return err_set(err, ERR_INVALID, "a URL has 1..%d characters", TARGET_URL_MAX);
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f) {
            return err_set(err, ERR_INVALID, "blanks and control characters are not part of a URL");
        }
    }
    int rc = take_scheme(&rest, &url, err);
    if (rc != 0) {
        return rc;
    }
    size_t end = 0;
    while (end < rest.len && strchr("/?#", rest.p[end]) == NULL) {
        end++;
    }
    rc = take_authority((struct str){rest.p, end}, &url, err);
    if (rc != 0) {
        return rc;
    }
    if (url.port == 0) {
        url.port = strcmp(url.scheme, "http") == 0    ? 80
                   : strcmp(url.scheme, "https") == 0 ? 443
                                                      : 0;
    }
    take_path((struct str){rest.p + end, rest.len - end}, &url);
    *out = url;
    return 0;
}

bool target_url_is_http(const struct target_url *url)
{
    return strcmp(url->scheme, "http") == 0 || strcmp(url->scheme, "https") == 0;
}

void target_url_normal(const struct target_url *url, char *out, size_t size)
{
    bool ipv6 = strchr(url->host, ':') != NULL;

    snprintf(out, size, "%s://%s%s%s:%u%s", url->scheme, ipv6 ? "[" : "", url->host,
             ipv6 ? "]" : "", (unsigned)url->port, url->path);
}
