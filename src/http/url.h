/* SPDX-License-Identifier: MIT */
/* http and https URLs (RFC 3986, the parts that a client needs). */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { URL_MAX = 2048 };

struct url {
    bool https;
    bool ipv6_literal;
    uint16_t port;            /* default filled in */
    bool default_port;        /* the port is the scheme's own */
    char host[256];           /* lower case, without brackets */
    char authority[300];      /* as a Host header wants it: "host", "host:8080", "[::1]:8080" */
    char target[URL_MAX + 2]; /* path and query, at least "/"; no fragment */
};

/* ERR_INVALID with what is wrong: scheme, user info, empty host, port, a blank or control byte. */
int url_parse(struct str text, struct url *out, struct err *err);

/* Appends `part` so that it is one part of a path, or one value of a query: all bytes but letters,
 * digits and - . _ ~ as %XX. 0 or ERR_LIMIT. */
int url_escape(struct buf *out, struct str part);

#endif
