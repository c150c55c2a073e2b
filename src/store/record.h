/* SPDX-License-Identifier: MIT */
/*
 * A write as bytes, as it waits for the writer: which statement, and the values of its parameters.
 * A group is any number of them, one behind the other.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "base/buf.h"
#include "base/str.h"
#include "store/statements.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_VALUES_MAX = 9 };

enum value_type { VALUE_NULL, VALUE_NUMBER, VALUE_TEXT, VALUE_BLOB };

struct value {
    enum value_type type;
    uint64_t number;
    struct str bytes; /* of a text or blob */
};

struct record {
    enum write_kind kind;
    unsigned count;
    struct value values[RECORD_VALUES_MAX];
};

/* Below 2^63. */
struct value value_number(uint64_t number);
/* NULL where `p` is. */
struct value value_text(struct str text);
struct value value_blob(struct str bytes);

/* Copies the record behind what *to has. ERR_LIMIT: *to is as it was. */
int record_add(struct buf *to, const struct record *record);
/* Takes the first record off *rest, which came from record_add; its texts point into it. False when
 * nothing is left. */
bool record_next(struct str *rest, struct record *out);

#endif
