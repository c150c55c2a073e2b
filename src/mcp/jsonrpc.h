/* SPDX-License-Identifier: MIT */
/*
 * JSON-RPC 2.0 envelopes, scanned in one pass, without allocation and without I/O.
 *
 * The scanner validates the whole text as JSON (RFC 8259, UTF-8 included, nesting at most
 * JSONRPC_DEPTH_MAX) and remembers what an MCP client needs to judge an answer. Keys may come in
 * any order. The text may be fed in pieces of any size: a message of many megabytes needs no
 * buffer.
 *
 * A message that has `method` is a request or a notification and never an answer, whatever its id
 * (requests of a server have an id space of their own).
 *
 * An array at the top level is a batch (protocol 2025-03-26): its elements are judged one by one
 * and the message is the (first) response that carries `want_id`, if there is one. If there is none
 * and an element is no JSON-RPC message, the batch is NOT_JSONRPC with the fault of that element.
 *
 * Of members with the same name the last one counts, save that two ids or `result` beside `error`
 * make a message NOT_JSONRPC. Responses without an id are told as such: an error may come so
 * (JSON-RPC 2.0 §5).
 */
#ifndef MCP_JSONRPC_H
#define MCP_JSONRPC_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JSONRPC_DEPTH_MAX = 256,   /* open brackets */
    JSONRPC_TEXT_MAX = 200,    /* bytes kept of error.message and of a method's name */
    JSONRPC_CURSOR_MAX = 1024, /* bytes kept of result.nextCursor; longer: cursor_too_long */
    JSONRPC_VERSION_MAX = 24,  /* bytes kept of result.protocolVersion */
};

enum jsonrpc_kind {
    JSONRPC_RESULT,       /* response with `result` */
    JSONRPC_ERROR,        /* response with `error` */
    JSONRPC_REQUEST,      /* `method` and `id` */
    JSONRPC_NOTIFICATION, /* `method`, no `id` */
    JSONRPC_BATCH,        /* an array in which no response carries want_id */
    JSONRPC_NOT_JSON,     /* not JSON, or nested too deep */
    JSONRPC_NOT_JSONRPC,  /* JSON, but no JSON-RPC 2.0 message: see `fault` */
};

enum jsonrpc_id_kind {
    JSONRPC_ID_NONE, /* no `id` member */
    JSONRPC_ID_NULL,
    JSONRPC_ID_INT,   /* a number with an integral value that fits int64_t */
    JSONRPC_ID_OTHER, /* a string, a fraction, anything else: never ours, we send integers */
};

/* What a finished message said. Texts are decoded (escapes resolved; U+0000 and lone surrogates
 * become U+FFFD), cut at the maxima above at a whole character, and NUL-terminated. */
struct jsonrpc_msg {
    enum jsonrpc_kind kind;
    const char *fault; /* for NOT_JSON and NOT_JSONRPC: a constant sentence for people, else NULL */
    enum jsonrpc_id_kind id_kind;
    int64_t id;
    bool is_error;   /* result.isError is true */
    bool has_cursor; /* result.nextCursor is a string (an empty one is a cursor) */
    bool cursor_too_long;
    bool text_cut;                       /* `text` is only the beginning */
    bool has_version;                    /* result.protocolVersion is a string */
    int64_t error_code;                  /* error.code; 0 when missing or no integer */
    uint32_t batch_count;                /* elements of a top-level array; 0 for a single message */
    char text[JSONRPC_TEXT_MAX + 4];     /* error.message, or the method's name */
    char cursor[JSONRPC_CURSOR_MAX + 4]; /* result.nextCursor */
    char version[JSONRPC_VERSION_MAX + 4]; /* result.protocolVersion */
};

/* About 2 KiB; lives in the shard, is lent to a connection only while a message is incomplete. */
struct jsonrpc_scan;

size_t jsonrpc_scan_size(void); /* watched by a test: at most 2,560 bytes */
struct jsonrpc_scan *jsonrpc_scan_new(void);
void jsonrpc_scan_free(struct jsonrpc_scan *s);

/* Starts a new message; nothing of the last one is left. Cheap: clears no buffers. */
void jsonrpc_scan_begin(struct jsonrpc_scan *s, int64_t want_id);
/* Takes the next bytes. After a fault the rest is ignored. */
void jsonrpc_scan_feed(struct jsonrpc_scan *s, const char *p, size_t len);
/* The message is complete; the answer is valid until the next begin. */
const struct jsonrpc_msg *jsonrpc_scan_end(struct jsonrpc_scan *s);

/* begin + feed + end for a text that is there as a whole. */
const struct jsonrpc_msg *
jsonrpc_scan_text(struct jsonrpc_scan *s, struct str text, int64_t want_id);

#endif
