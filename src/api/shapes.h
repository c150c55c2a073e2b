/* SPDX-License-Identifier: MIT */
/* What the documents that the hub answers with are made of, for docs/api.md and /openapi.json. An
 * end-to-end test compares them with real answers. */
#ifndef API_SHAPES_H
#define API_SHAPES_H

#include <stddef.h>

struct shape_member {
    const char *name;
    const char *type; /* of JSON Schema; "any" when there are several */
    const char *help;
};

struct shape {
    const char *name; /* "RunView" */
    const char *help;
    const struct shape_member *members;
    size_t count;
};

extern const struct shape api_shapes[];
extern const size_t api_shape_count;

#endif
