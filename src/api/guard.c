/* SPDX-License-Identifier: MIT */
#include "api/guard.h"

#include "net/addr.h"

/* "host", "host:port", "[v6]:port" without the port. */
static struct str host_of(struct str authority)
{
    struct str host = authority;
    size_t at = host.len;

    while (at > 0 && host.p[at - 1] >= '0' && host.p[at - 1] <= '9') {
        at--;
    }
    if (at > 0 && host.p[at - 1] == ':') {
        host.len = at - 1;
    }
    return host;
}

static bool is_local(struct str authority)
{
    struct str host = host_of(authority);
    union addr addr;

    if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
        host = (struct str){host.p + 1, host.len - 2};
    }
    return str_ieq(host, STR("localhost")) ||
           (addr_from_literal(host, 0, &addr) && addr_is_loopback(&addr));
}

bool guard_host_ok(const struct guard *g, const struct h1_head *head)
{
    const struct h1_header *host = h1_find(head, STR("host"));

    return !g->local || host == NULL || is_local(host->value);
}

enum guard_origin guard_origin(const struct guard *g, const struct h1_head *head)
{
    const struct h1_header *origin = h1_find(head, STR("origin"));
    const struct h1_header *host = h1_find(head, STR("host"));
    const struct str scheme = STR_INIT("http://");

    if (origin == NULL) {
        return GUARD_NONE;
    }
    if (host != NULL && str_starts(origin->value, scheme) &&
        str_ieq((struct str){origin->value.p + scheme.len, origin->value.len - scheme.len},
                host->value)) {
        return GUARD_NONE;
    }
    for (size_t i = 0; i < g->origin_count; i++) {
        if (str_ieq(origin->value, str_c(g->origins[i]))) {
            return GUARD_ALLOWED;
        }
    }
    return GUARD_FOREIGN;
}

/* Browsers tell on themselves. */
static bool is_browser(const struct h1_head *head)
{
    const struct str prefix = STR_INIT("sec-fetch-");

    for (unsigned i = 0; i < head->header_count; i++) {
        struct str name = head->headers[i].name;

        if (str_ieq(name, STR("origin")) ||
            (name.len >= prefix.len && str_ieq((struct str){name.p, prefix.len}, prefix))) {
            return true;
        }
    }
    return false;
}

bool guard_json_ok(const struct h1_head *head)
{
    const struct h1_header *type = h1_find(head, STR("content-type"));

    if (type != NULL && h1_media_type_is(type->value, STR("application/json"))) {
        return true;
    }
    return !is_browser(head) &&
           (type == NULL || type->value.len == 0 ||
            h1_media_type_is(type->value, STR("application/x-www-form-urlencoded")));
}

bool guard_is_origin(const char *text)
{
    struct str rest = str_c(text);
    const struct str plain = STR_INIT("http://"), safe = STR_INIT("https://");

    if (rest.len > GUARD_ORIGIN_MAX) {
        return false;
    }
    size_t skip = str_starts(rest, safe) ? safe.len : str_starts(rest, plain) ? plain.len : 0;
    rest = (struct str){rest.p + skip, rest.len - skip};
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.p[i] <= ' ' || strchr("/?#@,\"\\", rest.p[i]) != NULL || rest.p[i] == 0x7f) {
            return false;
        }
    }
    return skip > 0 && rest.len > 0;
}
