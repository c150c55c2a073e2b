/* SPDX-License-Identifier: MIT */
/*
 * Error signatures: messages that differ only in ids, times, addresses, paths and numbers are one
 * kind of failure. Replaced, in this order: UUID -> <UUID>, ISO 8601 time -> <TS>, IPv4 and IPv6
 * address -> <IP>, absolute path -> <PATH>, run of digits -> <NUM>. (<MORE> is a text that was not
 * looked at: window.c.)
 *
 * Messages come from peers: any bytes, any length. Only the first SIGNATURE_INPUT_MAX bytes are
 * looked at, control characters become spaces, and output is cut at whole UTF-8 characters.
 */
#ifndef METRICS_SIGNATURE_H
#define METRICS_SIGNATURE_H

#include "base/str.h"

#include <stddef.h>

enum { SIGNATURE_INPUT_MAX = 512, SIGNATURE_MAX = 160, SIGNATURE_SAMPLE_MAX = 200 };

/* The masked message, at most `size` bytes, not terminated; returns its length. */
size_t signature_mask(struct str message, char *out, size_t size);
/* The message as it came, cut to `size` bytes at a whole character; returns its length. */
size_t signature_sample(struct str message, char *out, size_t size);

#endif
