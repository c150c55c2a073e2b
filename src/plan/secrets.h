/* SPDX-License-Identifier: MIT */
/*
 * What must not be read: the values of the headers that `reporting.redaction.redact_headers` names,
 * and those in the query of the target's address whose names look like secrets (plan/masking.h).
 * They are sent, and nothing else: where a target repeats one (in an error's message, in its name),
 * the text is masked before it reaches results, logs, events or a screen.
 *
 * A value counts as a whole and word by word, so that a token is found without its "Bearer", and a
 * cookie without its name. All words count, however many there are; the scenario's limits bound
 * them. Placeholders that stand for the whole run (`${env:…}`) are resolved, and of
 * `${random_choice:…}` each text counts; numbers and ids that differ from operation to operation
 * are no secrets.
 *
 * Words of less than SECRET_MIN bytes are left alone: they could not be told from ordinary text.
 * Those of less than SECRET_SURE (a cookie's "true" or "dark") count where they are whole words,
 * longer ones anywhere. The escapes of JSON make no difference (plan/plain.h). Whoever repeats a
 * value in another spelling (in lower case, in base64) has made another text of it.
 *
 * Masking is done for each failed operation: its time grows with the text, not with the number of
 * words.
 */
#ifndef PLAN_SECRETS_H
#define PLAN_SECRETS_H

#include "base/arena.h"
#include "base/str.h"

enum { SECRET_MIN = 4, SECRET_SURE = 8 };

/* The words while they are collected; an empty list has its arena, and is zero otherwise. */
struct secrets_list {
    struct arena *arena; /* has the array */
    struct str *items;
    size_t count, size;
};

/* Immutable; lives as long as the list's arena. All zero: there are none. */
struct plan_secrets {
    const struct str *items; /* plain, in the order of their bytes, each once */
    const uint32_t *first;   /* [257]: those that begin with byte c are [first[c], first[c + 1]) */
    size_t count;
};

/* Appends the value, or the literal parts of one. The text must outlive the list. */
void secrets_add(struct secrets_list *list, struct str value);
/* Sorts the list and keeps a copy of its texts in its arena. */
struct plan_secrets secrets_keep(struct secrets_list *list);

/* Copies `text` (of which the first PLAIN_MAX bytes are looked at) into `out` (at most `size`
 * bytes, not terminated), each secret replaced by REDACTED (scenario/config/redaction.h), also one
 * of which the end of the text has only the beginning. The length. */
size_t secrets_mask(const struct plan_secrets *secrets, struct str text, char *out, size_t size);
/* The same for a text of any length; beyond PLAIN_MAX bytes escapes stay as they are. */
size_t
secrets_mask_long(const struct plan_secrets *secrets, struct str text, char *out, size_t size);
/* The same in place, in a C string that has `size` bytes of room. */
void secrets_mask_in(const struct plan_secrets *secrets, char *text, size_t size);

#endif
