/* SPDX-License-Identifier: MIT */
/*
 * Taking secrets out of what a result says of the run: its target, its scenario, its command line.
 *
 * Masked are
 *   - what plan/secrets.h knows, wherever it stands;
 *   - user and password of an address, and the values in its query whose names look like secrets;
 *   - a value whose name looks like one: a member of the scenario, `--set a.b.token=…`,
 *     `--header 'X-Api-Key: …'`; and whatever stands below such a name, but for `target.auth`,
 * whose members have names of their own. A name looks like a secret when it contains "token",
 * "secret", "password" or the like, or "auth", "pwd" and their like as a part between `-` and `_`;
 * names that end in `_ref` or `_name` tell where one is, and values with a placeholder (`${env:…}`)
 * do not have it. Numbers count as values, but not those of names with "token", which are amounts;
 * true, false and null do not.
 *
 * JSON in a command line stays JSON. Of other text all behind such a name goes.
 */
#ifndef PLAN_MASKING_H
#define PLAN_MASKING_H

#include "base/buf.h"
#include "base/json.h"
#include "plan/secrets.h"

#include <stdbool.h>

/* In addresses `key`, `sig` and the like count, too. */
bool masking_is_secret_name(struct str name);

/* Adds the values in the query of an address that look like secrets to a list (secrets_add). */
void masking_url_secrets(struct str url, struct secrets_list *list);

/* Appends the text without secrets: of addresses in it, and those that `secrets` knows. 0 or
 * ERR_LIMIT. */
int masking_add_text(const struct plan_secrets *secrets, struct str text, struct buf *out);
/* Appends one word of a command line without secrets. 0 or ERR_LIMIT. */
int masking_add_argument(const struct plan_secrets *secrets, struct str word, struct buf *out);

/* Appends the value of a label without secrets. 0 or ERR_LIMIT. */
int masking_add_label(const struct plan_secrets *secrets,
                      struct str name,
                      struct str value,
                      struct buf *out);

/* A copy of the document without secrets. The caller's. */
json_t *masking_document(const struct plan_secrets *secrets, const json_t *document);

#endif
