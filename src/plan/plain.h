/* SPDX-License-Identifier: MIT */
/*
 * A text without the escapes that JSON puts into it, so that a secret is found in an answer that
 * nobody has parsed: a quote, a slash or an apostrophe behind backslashes stands for itself, \uXXXX
 * for its character, and any other run of backslashes for a single one. Escapes of escapes (JSON in
 * a string of JSON) come out the same. Both the secrets and the texts are read so, so that it does
 * not matter which of the two was escaped, or how often.
 */
#ifndef PLAN_PLAIN_H
#define PLAN_PLAIN_H

#include "base/str.h"

enum { PLAIN_MAX = 1024 };

struct plain {
    size_t len;
    char text[PLAIN_MAX]; /* may contain any byte; not terminated */
    uint16_t
        at[PLAIN_MAX + 1]; /* byte i came from this place of the text; at[len]: what was read */
};

/* Reads the first bytes of `text`: all of it, unless it has more than PLAIN_MAX. What an escape
 * that the end of the text cuts stands for is unknown: it is read, and adds nothing. */
void plain_read(struct str text, struct plain *out);
/* The same for a text of any length, without places. `out` needs text.len bytes. The length. */
size_t plain_copy(struct str text, char *out);

#endif
