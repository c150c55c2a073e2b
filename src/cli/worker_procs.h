/* SPDX-License-Identifier: MIT */
/* `worker --procs N`: N processes of this program, each a worker that registers on its own. */
#ifndef CLI_WORKER_PROCS_H
#define CLI_WORKER_PROCS_H

#include "cli/opt.h"

#include <stdint.h>

enum { WORKER_PROCS_MAX = 64 };

/* Starts them with the options of this one, passes SIGINT and SIGTERM on, and returns when all have
 * ended: EXIT_PASSED, or EXIT_INTERNAL when one ended otherwise. One that dies is told, and not
 * started again: the runs that it had are over for it. */
int worker_procs(const struct opt_args *args, uint32_t count);

#endif
