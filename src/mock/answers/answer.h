/* SPDX-License-Identifier: MIT */
/* How answers leave: at once, later, as a stream, or not at all. */
#ifndef MOCK_ANSWERS_ANSWER_H
#define MOCK_ANSWERS_ANSWER_H

#include "mock/request/op.h"

/* Everything about the op's answer is known: it leaves, now or later. */
void mock_answer(struct op *op);
/* An answer without JSON-RPC result: status, and an error object as body unless `code` is 0. */
void mock_refuse(struct mock *m,
                 struct http_exchange *x,
                 int status,
                 struct str headers,
                 struct str id,
                 int code,
                 const char *message);
/* 202 or 200 without a body. */
void mock_accepted(struct mock *m, struct http_exchange *x, int status);
/* GET: a server stream, silent; attached to the session unless `id` is NULL. */
void mock_listen(struct mock *m, struct http_exchange *x, const struct mock_session_id *id);
/* GET /notifications/subscribe: events without JSON-RPC. */
void mock_notify(struct mock *m, struct http_exchange *x, uint32_t count, uint64_t interval_ns);
/* No answer, until the client leaves or ten minutes have passed. */
void mock_never(struct mock *m, struct http_exchange *x);
void mock_on_gone(struct http_exchange *x);
void mock_on_drain(struct http_exchange *x);
void mock_on_sweep(struct send *send);

#endif
