/* SPDX-License-Identifier: MIT */
/* The body of a request: its type, its text as JSON, its members against the rows of the route. */
#ifndef API_BODY_H
#define API_BODY_H

#include "api/request.h"

enum {
    BODY_TEXTS_MAX = 64,
    BODY_KEY_MAX = 100
}; /* of an object of texts: entries, a name's bytes */

/* Fills r->body. False: it is refused, and answered. */
bool body_read(struct api_request *r);

#endif
