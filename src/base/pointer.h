/* SPDX-License-Identifier: MIT */
/*
 * JSON pointers (RFC 6901) into results. MCP servers often put a JSON document into a text of their
 * result, so a pointer may go on below a string: the string is read as JSON then.
 *
 *   /content/0/text         the text
 *   /content/0/text/total   the member of the document that the text is
 */
#ifndef BASE_POINTER_H
#define BASE_POINTER_H

#include "base/err.h"
#include "base/json.h"

enum { POINTER_BYTES_MAX = 1024, POINTER_TOKENS_MAX = 64 };

/* 0, or ERR_INVALID: it does not begin with a slash, has a `~` that is neither ~0 nor ~1, or is too
 * long. "" is valid. */
int pointer_check(const char *pointer, struct err *err);

/* The value that a valid pointer leads to, or NULL. The caller owns it (json_decref). Strings on
 * the way are parsed within the bounds of base/json.h and `max_bytes`. */
json_t *pointer_get(const char *pointer, json_t *root, size_t max_bytes);

#endif
