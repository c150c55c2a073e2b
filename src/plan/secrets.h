/* SPDX-License-Identifier: MIT */
/*
 * What must not be read: the values of the headers that `reporting.redaction.redact_headers` names.
 * They are sent, and nothing else: where a target repeats one (in an error's message, in its name),
 * the text is masked before it reaches results, logs, events or a screen.
 *
 * A value counts as a whole and word by word, so that a token is found without its "Bearer", and a
 * cookie without its name. Placeholders that stand for the whole run (`${env:…}`) are resolved, and
 * of `${random_choice:…}` each text counts; numbers and ids that differ from operation to operation
 * are no secrets. Words of less than SECRET_MIN bytes are left alone: they could not be told from
 * ordinary text. A value is found as it was sent: whoever repeats it in another spelling (in lower
 * case, in base64) has made another text of it.
 */
#ifndef PLAN_SECRETS_H
#define PLAN_SECRETS_H

#include "base/arena.h"
#include "base/str.h"

/* As many words as one header of the most bytes can have (819), and some more. */
enum { SECRET_MIN = 4, SECRETS_MAX = 1024 };

struct plan_secrets {
    const struct str *items; /* longest first */
    size_t count;
};

/* Appends the value, or the literal parts of one, to a list of `*count` of SECRETS_MAX. */
void secrets_add(struct str value, struct str list[SECRETS_MAX], size_t *count);
/* Sorts the list and keeps a copy of it, and of its texts, in the arena. */
struct plan_secrets secrets_keep(struct str list[SECRETS_MAX], size_t count, struct arena *arena);

/* Copies `text` into `out` (at most `size` bytes, not terminated), each secret replaced by
 * REDACTED (scenario/config/redaction.h), also one of which the end of the text has only the
 * beginning. The length. */
size_t secrets_mask(const struct plan_secrets *secrets, struct str text, char *out, size_t size);
/* The same in place, in a C string that has `size` bytes of room. */
void secrets_mask_in(const struct plan_secrets *secrets, char *text, size_t size);

#endif
