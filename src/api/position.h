/* SPDX-License-Identifier: MIT */
/* Where a stream of events begins, and which of them it has: the texts that say so. Pure. */
#ifndef API_POSITION_H
#define API_POSITION_H

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    POSITION_TYPES_MAX = 64,
    POSITION_ID_MAX = 80, /* of an event's id with its NUL */
};

/* "evt_" and 8 to 64 hexadecimal digits. */
bool position_is_event_id(struct str id);

/* Bit i stands for api_event_types[i]. */
struct position_types {
    bool all;
    uint64_t bits;
};

/* Names with commas between; NULL: all. A name that is no event's is told in *warnings. */
struct position_types position_types(const char *text, json_t **warnings);
bool position_wants(const struct position_types *types, const char *type);

#endif
