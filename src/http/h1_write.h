/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 response heads and chunks (RFC 9112), written into a buffer without formatting
 * functions: this is on the path of every answer. */
#ifndef HTTP_H1_WRITE_H
#define HTTP_H1_WRITE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum h1_framing {
    H1_FRAMED_LENGTH,  /* Content-Length: `length` */
    H1_FRAMED_CHUNKED, /* Transfer-Encoding: chunked */
    H1_FRAMED_CLOSE,   /* the body ends with the connection */
    H1_FRAMED_NONE,    /* no framing header at all (1xx, 204, 304) */
};

struct h1_response {
    int status;
    bool close;              /* Connection: close */
    bool keep_alive_1_0;     /* Connection: keep-alive, which HTTP/1.0 wants to hear */
    enum h1_framing framing; /* how the body is delimited */
    uint64_t length;
    struct str content_type; /* empty: no such header */
    struct str headers;      /* further lines, each with its CRLF; may be empty */
};

/* "OK", "Not Found" …; "Status" for a code that has no phrase here. */
struct str h1_reason(int status);

/* The whole head with its blank line. 0 or ERR_LIMIT. */
int h1_write_response(struct buf *out, const struct h1_response *r);

/* The line before a chunk of `len` > 0 bytes; the chunk is followed by CRLF. */
enum { H1_CHUNK_HEAD_MAX = 18 };
size_t h1_chunk_head(char out[H1_CHUNK_HEAD_MAX], size_t len);

#endif
