/* SPDX-License-Identifier: MIT */
/* JSON-RPC and the protocol's methods. */
#ifndef MOCK_PROTOCOL_PROTOCOL_H
#define MOCK_PROTOCOL_PROTOCOL_H

#include "mock/request/op.h"

struct mock_method {
    struct str name;
    void (*fn)(struct op *op);
    bool faulted; /* the fault knobs apply */
};
extern const struct mock_method mock_methods[];
extern const size_t mock_method_count;

/* A protocol version that this server speaks? */
bool mock_version_known(struct str version);
/* The body of a POST: reads the message and answers it. `session` is the header's value, p is NULL
 * without one. */
void mock_message(struct op *op, struct str session, struct str body);
/* Is the session that the header names open? Without a header: `needed` decides. False when the
 * request was refused (400, 404). */
bool mock_session_ok(struct mock *m,
                     struct http_exchange *x,
                     struct str header,
                     bool needed,
                     struct mock_session_id *id);

#endif
