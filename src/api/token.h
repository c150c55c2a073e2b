/* SPDX-License-Identifier: MIT */
/* A worker shows by its token that it is the one that has registered. */
#ifndef API_TOKEN_H
#define API_TOKEN_H

#include "api/request.h"

/* Is the request's token that of the worker in its path? If not, it has been answered. */
bool token_ok(struct api_request *r);

#endif
