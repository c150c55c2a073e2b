/* SPDX-License-Identifier: MIT */
/*
 * A pair of streams in memory, for tests: bytes written at one end are read at the other, over the
 * same loop and its virtual clock. Faults: short reads and writes, EAGAIN, resets.
 */
#ifndef NET_MEM_STREAM_H
#define NET_MEM_STREAM_H

#include "loop/loop.h"
#include "net/stream.h"

#include <stddef.h>

struct mem_faults {
    size_t read_max;  /* most bytes of one read; 0: no limit */
    size_t write_max; /* most bytes of one write; 0: no limit */
    size_t capacity;  /* bytes in flight before a write says EAGAIN; 0: 1 MiB */
};

/* Both ends get the faults (NULL: none). Either may be closed first; each frees its own half. */
void mem_pair(struct loop *loop,
              const struct mem_faults *faults,
              struct stream **a,
              struct stream **b);

#endif
