/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 messages (RFC 9112, RFC 9110), parsed without I/O. Both sides: responses for the client,
 * requests for the mock and the API.
 *
 * Heads are parsed from one contiguous piece: who reads keeps the bytes until the head is complete
 * (H1_HEAD_MAX bounds that). Bodies are decoded from any pieces.
 *
 * Reject, never repair: Content-Length together with Transfer-Encoding, several Content-Lengths
 * that differ, bare CR, NUL, folded headers, a transfer coding other than chunked are errors. A
 * bare LF as line end is an error in requests and accepted in responses only as the line end of a
 * head line.
 */
#ifndef HTTP_H1_PARSE_H
#define HTTP_H1_PARSE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    H1_HEAD_MAX = 64 * 1024,  /* bytes of a head, start line included */
    H1_HEADERS_MAX = 100,     /* header lines */
    H1_TARGET_MAX = 8192,     /* bytes of a request target */
    H1_TRAILER_MAX = 8192,    /* bytes of all trailer lines */
    H1_CHUNK_LINE_MAX = 1024, /* bytes of a chunk-size line with its extensions */
};

struct h1_header {
    struct str name, value; /* value without surrounding blanks */
};

enum h1_body {
    H1_BODY_NONE,   /* no body at all (1xx, 204, 304, requests without length) */
    H1_BODY_LENGTH, /* `content_length` bytes (may be 0) */
    H1_BODY_CHUNKED,
    H1_BODY_CLOSE, /* until the connection closes (responses only) */
};

/* Slices point into the parsed bytes. */
struct h1_head {
    int status;           /* responses: 100..999 */
    struct str reason;    /* responses */
    struct str method;    /* requests */
    struct str target;    /* requests: as sent, "/path?query" */
    int minor_version;    /* HTTP/1.x */
    bool keep_alive;      /* the connection may be used again after the body */
    bool expect_continue; /* requests: Expect: 100-continue */
    enum h1_body body;
    uint64_t content_length;
    unsigned header_count;
    struct h1_header headers[H1_HEADERS_MAX];
};

/*
 * Parses one response (or request) head at p. Returns its length in bytes, 0 when more bytes are
 * needed, ERR_INVALID (not HTTP/1.x, or a rule above is broken) or ERR_LIMIT; *err says what and
 * where.
 * `*seen` (start with 0) remembers how far the end of the head was looked for, so that a head that
 * arrives byte by byte costs linear time.
 * A response to HEAD has no body: the caller knows the method and ignores `body`.
 */
long h1_parse_response(
    const char *p, size_t len, size_t *seen, struct h1_head *out, struct err *err);
long h1_parse_request(
    const char *p, size_t len, size_t *seen, struct h1_head *out, struct err *err);

/* The first header of that name (any case), or NULL. */
const struct h1_header *h1_find(const struct h1_head *head, struct str name);

/* Is the media type of a Content-Type value (parameters ignored, any case) `type`? */
bool h1_media_type_is(struct str content_type, struct str type);

/* ---- bodies ------------------------------------------------------------------------------- */

struct h1_body_reader {
    enum h1_body kind;
    uint8_t state_;
    uint8_t digits_;
    uint32_t line_bytes_;
    uint64_t left_; /* bytes of the body or of the current chunk still to come */
};

enum h1_body_token {
    H1_MORE, /* all bytes are taken */
    H1_DATA, /* *piece is the next piece of the body */
    H1_DONE, /* the body is complete; the bytes left at *p belong to the next message */
    H1_BAD,  /* malformed chunk, or a limit is broken: close the connection */
};

void h1_body_init(struct h1_body_reader *b, const struct h1_head *head);

/* Takes bytes from *p (up to `end`). Call until H1_MORE, H1_DONE or H1_BAD. H1_BODY_NONE and length
 * 0 answer H1_DONE at once. H1_BODY_CLOSE never answers H1_DONE: the end of the stream is the end.
 */
enum h1_body_token
h1_body_next(struct h1_body_reader *b, const char **p, const char *end, struct str *piece);

/* The connection was closed by the peer: was the body complete? */
bool h1_body_eof_ok(const struct h1_body_reader *b);

#endif
