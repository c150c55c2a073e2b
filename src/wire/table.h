/* SPDX-License-Identifier: MIT */
/*
 * JSON messages as tables: a row per member, from which encoder, decoder, bounds and error texts
 * come. A message is a plain struct; what it owns (WIRE_JSON, WIRE_TEXTS, WIRE_U32S) is freed by
 * its clear function.
 *
 * A member's name is its path: "capacity.max_vus" stands in an object "capacity". Decoding ignores
 * members that no row names; one that is missing, of another type or out of its bounds is one
 * error, which names it. Texts come from others: control characters become blanks, and a free text
 * is cut at its maximum at a whole character.
 */
#ifndef WIRE_TABLE_H
#define WIRE_TABLE_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_type {
    WIRE_BOOL,   /* bool */
    WIRE_U32,    /* uint32_t in min..max */
    WIRE_INT,    /* int */
    WIRE_U64,    /* uint64_t in min..max; max at most 2^63 - 1 */
    WIRE_NUMBER, /* double, finite, not negative */
    WIRE_ID,     /* char[max]: a NUL-terminated word of letters, digits and _ - . : */
    WIRE_TEXT,   /* char[max]: any text, NUL-terminated, not empty unless it is optional */
    WIRE_WORD,   /* an enum, by its `words` */
    WIRE_NAME,   /* const char *: one of `words`, which live forever */
    WIRE_TEXTS,  /* json_t *: an object of at most `max` texts; owned, NULL: none */
    WIRE_JSON,   /* json_t *: any object; owned, and shared with the object that it came from */
    WIRE_U32S,   /* struct wire_u32s: at most `size` numbers in min..max; owned */
    WIRE_ROWS,   /* an array of at most `max` structs of `rows`, in place; count at count_offset */
    WIRE_LINES,  /* likewise, of texts: char[max][size] */
};

struct wire_u32s {
    uint32_t *items; /* owned; NULL when there are none */
    uint32_t count;
};

struct wire_table;

struct wire_field {
    const char *name;
    enum wire_type type;
    size_t offset;
    bool optional; /* not sent when it is 0, "" or NULL, and 0, "" or NULL when it did not come */
    uint64_t min, max;
    const char *const *words; /* `max` of them; a NULL is a number that is not used */
    const struct wire_table *rows;
    size_t size; /* of a row or line in bytes; WIRE_U32S: numbers */
    size_t count_offset;
};

struct wire_table {
    const char *name;
    const struct wire_field *fields;
    size_t field_count;
    size_t size;      /* of the struct */
    size_t bytes_max; /* of the JSON text */
};

/* WIRE_TEXTS: longest name and value in bytes. */
enum { WIRE_TEXTS_NAME_MAX = 128, WIRE_TEXTS_VALUE_MAX = 256 };

/* May it be an id? Not empty, nothing but letters, digits and _ - . : */
bool wire_is_id(struct str text);

/* A new object; the caller owns it. Values beyond the bounds of their rows are our own bug. */
json_t *wire_table_to_json(const struct wire_table *t, const void *message);
/* Appends compact JSON. 0 or ERR_LIMIT (nothing is added). */
int wire_table_encode(const struct wire_table *t, const void *message, struct buf *out);

/* Fills all of *message, whatever it was before; after a failure it is all zero. `member` may be
 * NULL; it gets the path of the member that is wrong (it lives forever), or NULL when the text is
 * no JSON object. ERR_SYNTAX, ERR_INVALID, ERR_LIMIT. */
int wire_table_from_json(const struct wire_table *t,
                         json_t *object,
                         void *message,
                         const char **member,
                         struct err *err);
int wire_table_decode(const struct wire_table *t,
                      struct str text,
                      void *message,
                      const char **member,
                      struct err *err);
/* Frees what it owns; all zero again. */
void wire_table_clear(const struct wire_table *t, void *message);

/* The same functions for one message, by its type: wire_hello_encode(…) and so on. */
#define WIRE_TABLE_FUNCTIONS(name)                                                       \
    extern const struct wire_table wire_##name##_table;                                  \
    static inline json_t *wire_##name##_to_json(const struct wire_##name *m)             \
    {                                                                                    \
        return wire_table_to_json(&wire_##name##_table, m);                              \
    }                                                                                    \
    static inline int wire_##name##_encode(const struct wire_##name *m, struct buf *out) \
    {                                                                                    \
        return wire_table_encode(&wire_##name##_table, m, out);                          \
    }                                                                                    \
    static inline int wire_##name##_from_json(json_t *object, struct wire_##name *m,     \
                                              const char **member, struct err *err)      \
    {                                                                                    \
        return wire_table_from_json(&wire_##name##_table, object, m, member, err);       \
    }                                                                                    \
    static inline int wire_##name##_decode(struct str text, struct wire_##name *m,       \
                                           const char **member, struct err *err)         \
    {                                                                                    \
        return wire_table_decode(&wire_##name##_table, text, m, member, err);            \
    }                                                                                    \
    static inline void wire_##name##_clear(struct wire_##name *m)                        \
    {                                                                                    \
        wire_table_clear(&wire_##name##_table, m);                                       \
    }

#endif
