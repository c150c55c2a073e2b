/* SPDX-License-Identifier: MIT */
/* How many cores this process may use: its affinity. */
#ifndef WORKER_CORES_H
#define WORKER_CORES_H

#include <stdint.h>

/* At least 1. Any thread. */
uint32_t cores_of_process(void);

#endif
