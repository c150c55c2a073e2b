/* SPDX-License-Identifier: MIT */
/*
 * Classes of IP addresses that a load test has no business with, as one table, and address blocks
 * (CIDR, RFC 4632). Pure functions; IPv4 inside IPv6 (mapped, NAT64, 6to4) is judged by its own
 * rows.
 */
#ifndef SCENARIO_POLICY_ADDRESS_H
#define SCENARIO_POLICY_ADDRESS_H

#include "base/str.h"

#include <sys/socket.h>

struct address {
    unsigned bits; /* 32 or 128; 0: no address */
    unsigned char bytes[16];
};

struct address_block {
    struct address base;
    unsigned prefix; /* leading bits that count */
};

struct address_class {
    struct address_block block;
    const char *code; /* "LOOPBACK_BLOCKED" … */
    const char *what; /* "a loopback address" */
    bool always;      /* blocked under the local network policy too */
    unsigned embeds;  /* where an IPv4 address stands in it; 0: nowhere */
};

/* An IP literal in any form that a resolver would take as one ("127.1" too). */
bool address_parse(const char *text, struct address *out);
/* "10.0.0.0/8", or a single address. */
bool address_block_parse(const char *text, struct address_block *out);
/* AF_INET and AF_INET6; false for another family. */
bool address_from_sockaddr(const struct sockaddr *sa, struct address *out);

bool address_equal(const struct address *a, const struct address *b);
bool address_in(const struct address *a, const struct address_block *block);

/* The first class after `last` (NULL: from the start) that holds the address; NULL at the end. */
const struct address_class *address_class_next(const struct address *a,
                                               const struct address_class *last);

/* The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64, 6to4. */
bool address_embedded(const struct address *a, struct address *out);

#endif
