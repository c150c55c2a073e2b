/* SPDX-License-Identifier: MIT */
/* Socket addresses as values. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include "base/err.h"
#include "base/str.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { ADDR_TEXT_MAX = 64 };

union addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

socklen_t addr_len(const union addr *a);
/* "127.0.0.1:9000", "[::1]:9000"; returns `out`. */
const char *addr_text(const union addr *a, char out[ADDR_TEXT_MAX]);
bool addr_is_loopback(const union addr *a);
/* An IPv4 or IPv6 literal (no brackets). False when it is none. */
bool addr_from_literal(struct str text, uint16_t port, union addr *out);

/*
 * A listen address: ":PORT" means loopback, IPv4 and IPv6; "HOST:PORT" and "[IPV6]:PORT" take a
 * literal or "localhost". Port 0 lets the system choose. Fills up to two addresses; *count says how
 * many. ERR_INVALID.
 */
int addr_parse_listen(struct str text, union addr out[2], unsigned *count, struct err *err);

#endif
