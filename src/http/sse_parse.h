/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events (WHATWG HTML, "Server-sent events"), parsed without I/O and without buffering:
 * CR, LF and CRLF end lines, also when split between reads; one BOM at the start is skipped;
 * several data lines are joined by LF; lines that begin with ':' are comments. A data line may have
 * many megabytes: its value is handed out piece by piece as it arrives.
 *
 * A pull parser: the owner gives bytes and asks for tokens until SSE_MORE.
 *
 *     while ((tok = sse_next(&s, &p, end, &piece)) != SSE_MORE) …
 */
#ifndef HTTP_SSE_PARSE_H
#define HTTP_SSE_PARSE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SSE_ID_MAX = 63,            /* bytes kept of an event id; longer ids are ignored as a whole */
    SSE_NAME_MAX = 31,          /* bytes kept of an event's name */
    SSE_OTHER_LINE_MAX = 65536, /* longest comment, field name, id, event or retry line */
};

enum sse_token {
    SSE_MORE,     /* all bytes are taken; feed more */
    SSE_DATA,     /* *piece: the next bytes of the event's data (LF between lines included) */
    SSE_EVENT,    /* a blank line ended an event with data: SSE_DATA was answered for it */
    SSE_PRIMING,  /* a blank line ended an event with an id but without data (MCP 2025-11-25,
                     transports: resumability) */
    SSE_COMMENT,  /* a comment line is complete */
    SSE_TOO_LONG, /* a line other than data is above SSE_OTHER_LINE_MAX; the parser stays here */
};

struct sse_parser {
    /* After SSE_EVENT or SSE_PRIMING, until the next call of sse_next: */
    char event_name[SSE_NAME_MAX + 1]; /* "" when absent: then the type is "message" */
    /* As of the last blank line. An empty id takes the last one back. */
    char last_id[SSE_ID_MAX + 1];
    bool has_id;      /* last_id is not empty: there is a place to resume from */
    int64_t retry_ms; /* of the last valid retry line; -1: none yet */
    /* Of this stream so far: ids that were too long, names that were cut. */
    uint32_t ids_ignored, names_cut;

    /* private */
    uint8_t state_, field_, flags_, bom_;
    uint8_t name_len_, id_len_, id_pending_;
    bool cut_; /* the line's id or name is counted as too long */
    uint32_t line_len_;
    char id_[2][SSE_ID_MAX + 1];
    int64_t retry_new_;
};

/* For a new stream. */
void sse_init(struct sse_parser *s);

/*
 * Takes bytes from *p (up to `end`) and returns the next token; *p moves behind what was taken.
 * *piece points into the input (or at a constant LF) and is set for SSE_DATA only. An event that is
 * not ended by a blank line when the stream ends is discarded: its owner sees data without an
 * event.
 */
enum sse_token sse_next(struct sse_parser *s, const char **p, const char *end, struct str *piece);

/* True between events: no byte of a new event has been taken. */
bool sse_idle(const struct sse_parser *s);

#endif
