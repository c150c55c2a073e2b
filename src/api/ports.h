/* SPDX-License-Identifier: MIT */
/* Where the API listens: one port on one or two addresses. */
#ifndef API_PORTS_H
#define API_PORTS_H

#include "api/api.h"
#include "net/addr.h"
#include "net/tcp.h"

enum { PORTS_MAX = 4 }; /* two addresses, and beside a wildcard the loopback one */

struct ports_entry {
    struct listener listener;
    struct ports *ports;
    bool loopback; /* who comes here is on this machine */
};

struct ports {
    struct loop *loop;
    struct api *api; /* set before the loop runs; what connects earlier waits */
    struct ports_entry entries[PORTS_MAX];
    unsigned count;
    uint16_t port;
};

/* Listens on all of them, with the port of the first (0: the system chooses one). A family that
 * this machine does not have is left out, if another one is there. ERR_IO; err->sys is EADDRINUSE
 * when somebody else has the port. */
int ports_open(struct ports *p,
               struct loop *loop,
               const union addr *addresses,
               unsigned count,
               struct err *err);
/* Again is fine. */
void ports_close(struct ports *p);

/* Every address of this machine, with this port. */
void ports_everywhere(uint16_t port, union addr out[2]);

#endif
