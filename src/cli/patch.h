/* SPDX-License-Identifier: MIT */
/*
 * `--set PATH=VALUE` for a document that lies elsewhere: as a JSON merge patch (RFC 7396), which is
 * what a control plane takes as `overrides`. A list in which something changes is in it as a whole.
 */
#ifndef CLI_PATCH_H
#define CLI_PATCH_H

#include "base/json.h"

/* `document` as others show it; it stays untouched. *out, the caller's: what makes the changed
 * document of it. ERR_USAGE when an override cannot be applied, or
 * when the patch would have a masked secret in place of the secret; the text says which and why. */
int patch_of_sets(
    const json_t *document, const char *const *sets, size_t count, json_t **out, struct err *err);

/* What turns `from` into `to`; the caller's. An empty object when they are equal. */
json_t *patch_between(const json_t *from, const json_t *to);

#endif
