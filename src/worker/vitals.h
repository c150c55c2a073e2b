/* SPDX-License-Identifier: MIT */
/* What the process takes of its machine at present, for people who look at workers. Any thread. */
#ifndef WORKER_VITALS_H
#define WORKER_VITALS_H

#include <stdint.h>

struct vitals {
    uint64_t at_ns, cpu_ns; /* as of the last reading */
};

/* Growth counts from here on. */
void vitals_begin(struct vitals *v);
/* The share of one core since the last reading (two busy threads: 200), and the resident memory;
 * 0 where it cannot be read. */
void vitals_read(struct vitals *v, double *cpu_percent, uint64_t *mem_bytes);

#endif
