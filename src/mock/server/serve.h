/* SPDX-License-Identifier: MIT */
/*
 * The mock as a server: a thread per core, each with a loop and listeners of its own on the same
 * port (SO_REUSEPORT). Started and stopped by one other thread.
 */
#ifndef MOCK_SERVER_SERVE_H
#define MOCK_SERVER_SERVE_H

#include "mock/server/mock.h"
#include "net/addr.h"

struct mock_serve_config {
    struct mock_config mock;
    union addr addresses[2];
    unsigned address_count;
    unsigned threads; /* 1..MOCK_THREADS_MAX */
};

struct mock_serve;

/* Listens and starts the threads. With port 0 the system chooses one, the same for all addresses.
 * An address family that this machine does not have is left out, if another one is there. ERR_IO.
 */
int mock_serve_start(const struct mock_serve_config *config,
                     struct mock_serve **out,
                     struct err *err);
/* Ends the threads and frees everything. NULL is fine. */
void mock_serve_stop(struct mock_serve *s);

unsigned mock_serve_port(const struct mock_serve *s);
/* The first address, as bound. */
const union addr *mock_serve_address(const struct mock_serve *s);

#endif
