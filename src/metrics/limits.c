/* SPDX-License-Identifier: MIT */
#include "metrics/limits.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define LIMIT_ROW_(id, name_, value_, unit_, warns_, counted_, effect_, remedy_) \
    [LIMIT_##id] = {.name = (name_),                                             \
                    .value = (value_),                                           \
                    .unit = (unit_),                                             \
                    .warns = (warns_),                                           \
                    .counted = (counted_),                                       \
                    .effect = (effect_),                                         \
                    .remedy = (remedy_)},
static const struct limit_row rows[LIMIT_COUNT] = {LIMIT_MAP(LIMIT_ROW_)};

static const struct limit_outcome outcomes[] = {
    {"answer", 268435456, "bytes of one message", ERROR_CODE_RESPONSE_TOO_LARGE,
     "let the tool answer less"},
    {"kept_answer", 33554432, "bytes of an answer with checks, nonces or metrics",
     ERROR_CODE_RESPONSE_TOO_LARGE, "let the tool answer less, or leave its checks out"},
    {"list_pages", 1000, "pages of a list operation", ERROR_CODE_RESPONSE_TOO_LARGE,
     "make the pages larger; see that cursors come to an end"},
    {"list_cursor", 1024, "bytes of a list's cursor", ERROR_CODE_RESPONSE_TOO_LARGE,
     "make the cursors shorter"},
    {"json_depth", 256, "open brackets of a message", ERROR_CODE_JSON_PARSE_ERROR,
     "nest the answer less"},
    {"sse_line", 65536, "bytes of an event stream's line other than data",
     ERROR_CODE_SSE_LINE_TOO_LONG, "send such text as data"},
    {"head", 65536, "bytes of a response's head", ERROR_CODE_INVALID_HTTP, "send fewer headers"},
    {"header_lines", 100, "header lines of a response", ERROR_CODE_INVALID_HTTP,
     "send fewer headers"},
    {"trailers", 8192, "bytes of a response's trailers", ERROR_CODE_INVALID_HTTP,
     "send fewer trailers"},
    {"chunk_line", 1024, "bytes of a chunk's size line", ERROR_CODE_INVALID_HTTP,
     "leave chunk extensions out"},
    {"interim", 32, "1xx responses before an answer", ERROR_CODE_INVALID_HTTP, "answer sooner"},
    {"session_id", 256, "visible characters of a session's id", ERROR_CODE_INVALID_HTTP,
     "make the ids shorter"},
    {"sources", 254, "source addresses towards a loopback target, each with the local ports",
     ERROR_CODE_OUT_OF_PORTS, "keep connections: another session policy, or less churn"},
    {"seconds", 700000, "seconds of a run", ERROR_CODE_NONE, "make several runs"},
};

const struct limit_row *limit_row(enum limit id)
{
    assert(id < LIMIT_COUNT);
    return &rows[id];
}

const char *limit_bound(const struct limit_row *row, char *out, size_t size)
{
    if (row->value == 0) {
        snprintf(out, size, "%s", row->unit);
    } else {
        snprintf(out, size, "%" PRIu64 " %s", row->value, row->unit);
    }
    return out;
}

size_t limit_outcomes(const struct limit_outcome **out)
{
    *out = outcomes;
    return sizeof outcomes / sizeof outcomes[0];
}
