/* SPDX-License-Identifier: MIT */
/* Who this worker is, as it tells the control plane. */
#ifndef WORKER_INTRODUCE_H
#define WORKER_INTRODUCE_H

#include "wire/messages.h"
#include "worker/capacity.h"

/* Fills all of *out, without an id and token. `labels` (names and texts; NULL: none) is shared: the
 * caller keeps its reference, and wire_hello_clear gives up the message's. What cannot be found out
 * about the machine is "unknown". */
void introduce(const struct capacity *capacity, json_t *labels, struct wire_hello *out);

#endif
