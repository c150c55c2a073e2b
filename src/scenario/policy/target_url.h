/* SPDX-License-Identifier: MIT */
/*
 * The parts of a target URL that the checks of a config look at (RFC 3986). Not for dialling: the
 * HTTP client has its own reader, which knows request targets and authorities.
 */
#ifndef SCENARIO_POLICY_TARGET_URL_H
#define SCENARIO_POLICY_TARGET_URL_H

#include "base/err.h"
#include "base/str.h"

enum { TARGET_URL_MAX = 2048, TARGET_HOST_MAX = 255 };

struct target_url {
    char scheme[16]; /* lower case */
    bool has_userinfo;
    bool has_port;                  /* written out */
    char host[TARGET_HOST_MAX + 1]; /* lower case, no brackets, no trailing dot */
    uint16_t port;                  /* default of the scheme filled in; 0 when unknown */
    char path[TARGET_URL_MAX + 1];  /* at least "/"; with the query, without the fragment */
};

/* ERR_INVALID with what is wrong. The scheme is not judged. */
int target_url_parse(struct str text, struct target_url *out, struct err *err);

/* "http://host:port/path", the normal form that patterns are compared with; IPv6 in brackets. */
void target_url_normal(const struct target_url *url, char *out, size_t size);

/* http or https, the schemes that a target may have. */
bool target_url_is_http(const struct target_url *url);

#endif
