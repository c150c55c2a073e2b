/* SPDX-License-Identifier: MIT */
/*
 * Nonces: `mcpd-RRRRRRRR-VVVVVVVV-NNNNNNNNNNNN`, the run, the VU and its operation in lower case
 * hex. A call carries one, and the answer of a tool that echoes says by it whose answer it is.
 */
#ifndef PLAN_NONCE_H
#define PLAN_NONCE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { NONCE_LEN = 35 };

/* The caller, for nonces. */
struct verify_caller {
    uint32_t tag; /* of the run: plan.nonce_tag */
    uint64_t vu, n;
};

/* Writes NONCE_LEN bytes; not terminated. 32 bits of the VU and 48 of the operation count. */
void nonce_write(const struct verify_caller *caller, char out[NONCE_LEN]);
/* The next nonce in the text, of any run; what is behind it remains in `*text`. False at the end.
 * What only looks like a nonce is passed over. */
bool nonce_next(struct str *text, struct verify_caller *out);

#endif
