/* SPDX-License-Identifier: MIT */
/*
 * Payloads of workload.payload_profiles: bytes that were made once and are only copied per
 * operation. Size and content follow from the random bits of the operation, so the same seed sends
 * the same bytes.
 *
 *   text    printable ASCII, nothing of it needs an escape in JSON
 *   json    an object of that size, two bytes at least; as part of a longer text it is escaped
 *   binary  random bytes in base64; the size is that of the raw bytes
 *
 * A profile keeps a block of 256 KiB. A payload begins anywhere in it; a longer one repeats it.
 */
#ifndef PLAN_PAYLOAD_H
#define PLAN_PAYLOAD_H

#include "base/buf.h"
#include "scenario/config/config.h"

#include <stdbool.h>
#include <stdint.h>

struct plan_payload;

/* `config` outlives it. */
struct plan_payload *payload_new(const struct payload_config *config, uint64_t seed);
/* NULL is fine. */
void payload_free(struct plan_payload *p);
/* `whole`: it is a JSON value of its own (text and binary with quotes). 0 or ERR_LIMIT. */
int payload_write(const struct plan_payload *p, uint64_t draw, bool whole, struct buf *out);

#endif
