/* SPDX-License-Identifier: MIT */
#include "net/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

socklen_t addr_len(const union addr *a)
{
    return a->sa.sa_family == AF_INET6 ? sizeof a->in6 : sizeof a->in;
}

const char *addr_text(const union addr *a, char out[ADDR_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (a->sa.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof host);
        snprintf(out, ADDR_TEXT_MAX, "[%s]:%u", host, (unsigned)ntohs(a->in6.sin6_port));
    } else {
        inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof host);
        snprintf(out, ADDR_TEXT_MAX, "%s:%u", host, (unsigned)ntohs(a->in.sin_port));
    }
    return out;
}

bool addr_is_loopback(const union addr *a)
{
    if (a->sa.sa_family == AF_INET6) {
        const struct in6_addr *ip = &a->in6.sin6_addr;

        return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
    }
    return (ntohl(a->in.sin_addr.s_addr) >> 24) == 127;
}

bool addr_from_literal(struct str text, uint16_t port, union addr *out)
{
    char host[INET6_ADDRSTRLEN];
    union addr a = {0};

    if (text.len == 0 || text.len >= sizeof host) {
        return false;
    }
    memcpy(host, text.p, text.len);
    host[text.len] = '\0';
    if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1) {
        a.in.sin_family = AF_INET;
        a.in.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) == 1) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = htons(port);
    } else {
        return false;
    }
    *out = a;
    return true;
}

int addr_parse_listen(struct str text, union addr out[2], unsigned *count, struct err *err)
{
    size_t colon = text.len;
    uint64_t port;

    while (colon > 0 && text.p[colon - 1] != ':') {
        colon--;
    }
    if (colon == 0 || !str_u64((struct str){text.p + colon, text.len - colon}, UINT16_MAX, &port)) {
        return err_set(err, ERR_INVALID,
                       "listen address '%.*s': expected :PORT or HOST:PORT, port 0..65535",
                       STR_ARG(text));
    }
    struct str host = {text.p, colon - 1};
    if (host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
        host = (struct str){host.p + 1, host.len - 2};
    }
    if (host.len == 0 || str_ieq(host, STR("localhost"))) {
        addr_from_literal(STR("127.0.0.1"), (uint16_t)port, &out[0]);
        addr_from_literal(STR("::1"), (uint16_t)port, &out[1]);
        *count = 2;
        return 0;
    }
    if (!addr_from_literal(host, (uint16_t)port, &out[0])) {
        return err_set(err, ERR_INVALID,
                       "listen address '%.*s': '%.*s' is no IP address (localhost is understood)",
                       STR_ARG(text), STR_ARG(host));
    }
    *count = 1;
    return 0;
}
