/* SPDX-License-Identifier: MIT */
/* Answers of the API: JSON, and errors in their one shape. Each ends the exchange, now or when what
 * it tells of is durable. */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include "api/request.h"

/* Takes `body`; with the request's warnings, if it is an object. NULL: no body. */
void answer_json(struct api_request *r, int status, json_t *body);
/* The same when everything that was done so far is durable. */
void answer_durable(struct api_request *r, int status, json_t *body);
/* What the hub has said; with the run's or worker's id of the path. Clears *why. */
void answer_refusal(struct api_request *r, struct hub_refusal *why);

struct answer_error {
    int status;
    const char *type, *code;
    bool retryable;
    json_t *details; /* taken; NULL: none */
};
/* The message says what was expected and what to do. */
void answer_error(struct api_request *r, const struct answer_error *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* 400 invalid_argument INVALID_REQUEST, the usual one. */
void answer_invalid(struct api_request *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The body of an error as text. `details` may be NULL, and stays the caller's. */
void answer_error_text(const struct answer_error *e, const char *message, struct buf *out);

/* Text of others as JSON; what is not UTF-8 becomes '?'. */
json_t *answer_text(const char *text, size_t len);

/* A scratch buffer that was large once must not stay large. */
void answer_trim(struct buf *b);

/* The head of a stream of events, then a comment for each warning. */
void answer_stream(struct api_request *r);

/* For api.c: answers that wait end with their exchanges. */
void pending_init(struct api *a);

#endif
