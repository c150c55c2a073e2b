/* SPDX-License-Identifier: MIT */
/* The API for people and for programs, from the table of routes. */
#ifndef API_DOCUMENTS_H
#define API_DOCUMENTS_H

#include "base/buf.h"
#include "base/json.h"

/* docs/api.md. 0 or ERR_LIMIT. */
int api_reference(struct buf *out);
/* OpenAPI 3.1; a new reference. */
json_t *api_openapi(void);

#endif
