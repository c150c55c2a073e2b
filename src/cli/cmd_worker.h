/* SPDX-License-Identifier: MIT */
/*
 * `worker`: makes load on this machine as a control plane says. It dials out over HTTP, or is the
 * child of its control plane, which is at the other end of a pipe (--pipe, for `mcpdrill run
 * --workers`). With --procs it starts several of itself and waits for them.
 *
 * A first SIGTERM or SIGINT drains what runs and reports it, for at most 30 s; a second one ends it
 * at once.
 */
#ifndef CLI_CMD_WORKER_H
#define CLI_CMD_WORKER_H

#include "cli/opt.h"

int cmd_worker(const struct opt_args *args);

#endif
