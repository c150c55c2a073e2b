/* SPDX-License-Identifier: MIT */
/*
 * Connections to one target: resolve (once; kept), ask the address filter, connect; an address that
 * refuses is followed by the next one, and the one that worked is tried first from then on. When
 * none works, the last failure is told, but not that this machine has no IPv6 if another address
 * has failed for a reason that says more. Where something of ours is used up (descriptors, ports,
 * memory), no further address is tried: its refusal would hide that the fault is ours.
 *
 * Ports. Towards a loopback address of IPv4 a dialer that has used up a good part of the local
 * ports, or finds none that is free, goes on with further source addresses (127.0.1.1, 127.0.1.2
 * …), each with a whole port range of its own: looking for one of the last free ports takes the
 * kernel long.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/dns.h"
#include "net/stream.h"

#include <stdbool.h>

enum dial_step { DIAL_DNS, DIAL_FILTER, DIAL_CONNECT };

struct dial_failure {
    enum dial_step step;
    int sys;          /* errno of DIAL_CONNECT */
    const char *text; /* one line for people; valid during the call */
};

/* May this address be connected to? 0, or an error whose text says why not. */
typedef int dial_filter_fn(const void *owner, const struct sockaddr *addr, struct err *err);

/* Instead of the network, for tests: gives a stream, or returns a negative errno. */
typedef int dial_opener_fn(void *owner, struct stream **out);

struct dialer {
    struct loop *loop;
    dial_opener_fn *opener; /* NULL: TCP */
    void *opener_owner;
    const char *host; /* without brackets */
    uint16_t port;
    dial_filter_fn *filter; /* NULL: all */
    const void *filter_owner;
    struct dns_answer addrs_; /* count 0: not resolved yet */
    unsigned preferred_;
    unsigned source_;       /* 0: the system chooses; n: 127.0.1.n */
    unsigned source_dials_; /* that began with this one */
};

void dialer_init(struct dialer *d,
                 struct loop *loop,
                 const char *host,
                 uint16_t port,
                 dial_filter_fn *filter,
                 const void *filter_owner);

/* A dial under way. */
struct dial;

/* Later, from the loop, on_dial is called once: with a stream, which the callee owns, or with NULL
 * and what failed. There is no time limit in here: cancel it. */
struct dial *
dial_start(struct dialer *dialer,
           void (*on_dial)(void *owner, struct stream *stream, const struct dial_failure *failure),
           void *owner);
/* on_dial does not come any more. */
void dial_cancel(struct dial *d);
/* What the dial is waiting for: a time-out while resolving is not one while connecting. */
enum dial_step dial_step(const struct dial *d);

#endif
