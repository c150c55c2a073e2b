/* SPDX-License-Identifier: MIT */
/* Message digests, by OpenSSL. Not for secrets and not for the operation path. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/str.h"

enum { DIGEST_HEX_MAX = 128 };

/* `algorithm` is a name that OpenSSL knows ("md5", "sha256"), any case. False for another one.
 * Lower-case hex and a NUL; `out` has DIGEST_HEX_MAX + 1 bytes. */
bool digest_hex(const char *algorithm, struct str data, char *out);

/* SHA-256 in lower-case hex with its NUL. */
void digest_sha256_hex(struct str data, char out[65]);

#endif
