/* SPDX-License-Identifier: MIT */
/*
 * How a thread and its machine fared, second by second: what the verdict on the generator
 * (control/validity.h) rests on. Files of /proc and of the own cgroups are opened once and read
 * again each second, off the operations' path and without an allocation.
 *
 *   of the thread    run delay: it could have run, and did not        /proc/thread-self/schedstat
 *   of the process   steal, throttling by a cgroup's CPU quota, memory against its limit, pressure,
 *                    TCP segments that were sent again                one probe of a process only
 *
 * What cannot be read stays 0 for ever. A probe belongs to the thread that made it.
 */
#ifndef WORKER_HEALTH_H
#define WORKER_HEALTH_H

#include "metrics/window.h"

#include <stdbool.h>

struct health_probe;

/* `root`: see worker/limits.h. `process`: read what belongs to the process, too. */
struct health_probe *health_new(const char *root, bool process);
/* NULL is fine. */
void health_free(struct health_probe *p);

/* What has come since the last call, or since health_new, and the present state. turn_p99_ns is
 * left as it is: the loop knows it. Fits shard_config.health. */
void health_read(void *probe, struct window_health *out);

#endif
