/* SPDX-License-Identifier: MIT */
/*
 * Parameters behind the '?' of a request: decoded, and checked against the rows of its route. Pure.
 *
 * A parameter that no row names fails nothing: the answer warns of it. One that is given twice, or
 * has no meaning as what its row says, is refused.
 */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "base/json.h"
#include "http/h1_parse.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    QUERY_PARAMS_MAX = 12,   /* of one route */
    QUERY_WARNINGS_MAX = 16, /* unknown names that are told */
    QUERY_TEXT_MAX = 512,    /* bytes of a value, unless its row says less */
};

enum query_type {
    QUERY_TEXT,
    QUERY_NUMBER, /* whole, within min..max */
    QUERY_FLAG,   /* true or false */
    QUERY_CHOICE,
};

struct query_param {
    const char *name;
    enum query_type type;
    uint64_t min, max;          /* QUERY_NUMBER; QUERY_TEXT: `max` bytes (0: QUERY_TEXT_MAX) */
    const char *const *choices; /* QUERY_CHOICE; NULL at the end */
    const char *def;            /* what holds when it is not given; NULL: nothing */
    const char *code;           /* of the error; NULL: INVALID_REQUEST */
    const char *help;
};

struct query_value {
    bool given;
    const char *text; /* NULL: not given, and no default */
    uint64_t number;
    bool flag;
};

struct query {
    const struct query_param *params;
    size_t count;
    struct query_value values[QUERY_PARAMS_MAX];
    size_t text_used_;
    char text_[H1_TARGET_MAX + QUERY_PARAMS_MAX];
};

struct query_error {
    const struct query_param *param; /* NULL: no parameter of the route */
    char message[400];
};

/* Appends a text to *warnings (made when needed) for each unknown name. 0, or ERR_INVALID with
 * *error. */
int query_read(struct str text,
               const struct query_param *params,
               size_t count,
               struct query *out,
               json_t **warnings,
               struct query_error *error);

/* The value of the parameter with this name, which the route has. */
const struct query_value *query_get(const struct query *q, const char *name);

/* Undoes %XX and '+' into `out`, which has room for text.len bytes. Its length, or -1: not
 * %XX, a NUL, or not UTF-8. */
long query_decode(struct str text, char *out);

#endif
