/* SPDX-License-Identifier: MIT */
/*
 * Reads the JSON-RPC message in a request's body: one pass that checks the whole text (RFC 8259,
 * UTF-8 included) and allocates nothing. Deliberately not the client's scanner (mcp/jsonrpc.h), so
 * that the two do not share a mistake.
 *
 * Slices point into the body. "Raw" means as written: of a string the text between its quotes,
 * escapes untouched, so that it can be copied into another JSON text as it stands.
 */
#ifndef MOCK_REQUEST_REQUEST_H
#define MOCK_REQUEST_REQUEST_H

#include "base/str.h"

#include <stdbool.h>

enum {
    REQUEST_DEPTH_MAX = 64,
    REQUEST_ID_MAX = 1024,    /* bytes of an id or a progress token */
    REQUEST_METHOD_MAX = 128, /* bytes of a method's name, unescaped */
};

enum request_kind {
    REQUEST_CALL,         /* method and id */
    REQUEST_NOTIFICATION, /* method without id */
    REQUEST_RESPONSE,     /* the client's answer to a request of ours */
    REQUEST_BAD_JSON,     /* no JSON text: -32700 */
    REQUEST_INVALID,      /* JSON, but no JSON-RPC 2.0 message: -32600 */
};

struct mock_request {
    struct str id;             /* JSON text, quotes included; empty when there is none usable */
    struct str method;         /* unescaped */
    bool has_params;           /* params is an object */
    bool bad_params;           /* params is something else */
    struct str params;         /* JSON text of the object */
    struct str name;           /* raw params.name; p is NULL when absent or no string */
    struct str cursor;         /* raw params.cursor, same */
    bool bad_cursor;           /* params.cursor is something else than a string */
    struct str arguments;      /* JSON text of params.arguments; empty when absent */
    struct str progress_token; /* JSON text of a string or number; empty when absent */
    char method_text_[REQUEST_METHOD_MAX];
};

enum request_kind request_read(struct str body, struct mock_request *out);

/* The raw text of a string member of an object that request_read has checked. False when there is
 * no such member or it is no string; the last one counts. */
bool request_string(struct str object, struct str name, struct str *raw);

/* Undoes the escapes of a raw string. False when the result is larger than `size`. */
bool request_unescape(struct str raw, char *out, size_t size, size_t *len);

#endif
