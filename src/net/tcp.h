/* SPDX-License-Identifier: MIT */
/* TCP sockets as streams. Always without delay (TCP_NODELAY). */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "base/err.h"
#include "loop/loop.h"
#include "net/addr.h"
#include "net/stream.h"

/* A connection attempt that is under way. */
struct tcp_connect;

/*
 * Starts to connect. `source`, when not NULL, is the local address; its port is chosen at connect
 * (IP_BIND_ADDRESS_NO_PORT), so that each source address has the whole range for each target.
 * Returns 0 or a negative errno (EMFILE, EADDRNOTAVAIL …). Later, from the loop, `on_connect` is
 * called once: with a stream that the callee owns from then on, or with NULL and the errno.
 */
int tcp_connect_start(struct loop *loop,
                      const union addr *to,
                      const union addr *source,
                      void (*on_connect)(void *owner, struct stream *stream, int sys),
                      void *owner,
                      struct tcp_connect **out);
/* on_connect does not come any more. */
void tcp_connect_cancel(struct tcp_connect *c);

/* An accepted, non-blocking socket becomes a stream, which owns it. ERR_IO (the socket is closed).
 */
int tcp_wrap(struct loop *loop, int fd, struct stream **out, struct err *err);

/* ---- listening ---------------------------------------------------------------------------- */

struct listener {
    struct loop *loop;
    struct io io;
    struct defer more;
    union addr addr; /* as bound: port filled in */
    void (*on_accept)(struct listener *l, struct stream *stream);
    /* Accepts fail for want of descriptors: counted, tried again at the next turn or event. */
    uint64_t accept_failures;
};

/*
 * Listens with SO_REUSEPORT: each thread has a listener of its own on the same address, and the
 * kernel spreads connections over them. on_accept owns its stream. ERR_IO.
 */
int listener_init(struct listener *l,
                  struct loop *loop,
                  const union addr *addr,
                  void (*on_accept)(struct listener *l, struct stream *stream),
                  struct err *err);
void listener_clear(struct listener *l);
/* Is the address free? Before the first listener of a process: SO_REUSEPORT would not tell. ERR_IO.
 */
int listener_probe(const union addr *addr, struct err *err);

#endif
