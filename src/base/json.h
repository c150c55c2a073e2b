/* SPDX-License-Identifier: MIT */
/*
 * The only place that knows the JSON library. For scenario files, results, schemas, the mock's
 * control endpoint and preflight: never on the operation path (that is mcp/jsonrpc.h).
 *
 * This header includes the library's own on purpose: a thin wrapper around each of its calls would
 * add nothing. Changing the library touches this file and the folders that build documents.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

#define JSON_TEXT_MAX  ((size_t)10 * 1024 * 1024) /* of a scenario file */
#define JSON_DEPTH_MAX 64u

/*
 * Parses a whole text. Duplicate keys, depth above JSON_DEPTH_MAX, bytes that are not UTF-8, and
 * texts above `max_bytes` are errors with line and column (1-based; columns count characters).
 * ERR_SYNTAX or ERR_LIMIT; *out is untouched then. The caller owns *out (json_decref).
 */
int json_parse(struct str text, size_t max_bytes, json_t **out, struct err *err);

/* Likewise for texts of others, who may well use integers that 64 bits do not hold: where one
 * occurs, all numbers of the text are doubles. */
int json_parse_wide(struct str text, size_t max_bytes, json_t **out, struct err *err);

/* Reads a file of at most `max_bytes` and parses it. ERR_IO, ERR_SYNTAX, ERR_LIMIT. */
int json_parse_file(const char *path, size_t max_bytes, json_t **out, struct err *err);

/* Compact text, members in the order in which they were set. 0 or ERR_LIMIT. */
int json_write(const json_t *value, struct buf *out);
/* Indented by two spaces, one final newline. */
int json_write_pretty(const json_t *value, struct buf *out);

/* A new string of any bytes; those that are not UTF-8 (a text that was cut, say) become U+FFFD. */
json_t *json_text(const char *s);
/* Appends `s` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
 * 0 or ERR_LIMIT. */
int json_add_string(struct buf *out, struct str s);

/* Reads a whole file into `out`. ERR_IO or ERR_LIMIT (above out->max). */
int file_read(const char *path, struct buf *out, struct err *err);
/* Replaces a file by way of a temporary one beside it. ERR_IO. */
int file_write(const char *path, struct str text, struct err *err);

#endif
