/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses, without ever blocking a loop: getaddrinfo runs in a helper thread, so that
 * /etc/hosts and nsswitch are honoured. "localhost" and the names under it need no resolver, which
 * a bare machine may not have: they are 127.0.0.1 and ::1 (RFC 6761 §6.3), and who dials tries
 * both. Literals answer at once, too (but never inside the call).
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/err.h"
#include "loop/loop.h"
#include "net/addr.h"

enum { DNS_ADDRS_MAX = 16 };

struct dns_answer {
    unsigned count; /* 0: failed, and `reason` says why */
    union addr addrs[DNS_ADDRS_MAX];
    unsigned left_out; /* further addresses */
    char reason[120];
};

/* A look-up under way. */
struct dns_query;

struct addrinfo;
/* Adds the addresses of a list of getaddrinfo. */
void dns_take(const struct addrinfo *list, struct dns_answer *out);

/*
 * Starts to resolve; later, from the loop, `on_answer` is called once (the answer is valid during
 * the call). ERR_IO when no thread or eventfd can be had.
 */
int dns_start(struct loop *loop,
              const char *host,
              uint16_t port,
              void (*on_answer)(void *owner, const struct dns_answer *answer),
              void *owner,
              struct dns_query **out,
              struct err *err);
/* on_answer does not come any more. The helper thread ends by itself. */
void dns_cancel(struct dns_query *q);

#endif
