/* SPDX-License-Identifier: MIT */
/*
 * The master copy of the format run-config/v1: one row per field, one section per JSON object. The
 * reader, the unknown-field check, defaults, bounds, `explain`, the JSON Schema and the reference
 * page all walk these rows; nothing about a field stands anywhere else.
 *
 * To add a field: add a member to scenario/config/config.h, a row to its section, regenerate the
 * two documents (`mcpdrill schema`, `mcpdrill schema --reference`).
 */
#ifndef SCENARIO_FIELDS_FIELDS_H
#define SCENARIO_FIELDS_FIELDS_H

#include "base/json.h"
#include "base/str.h"
#include "scenario/config/choices.h"
#include "scenario/config/config.h"

enum field_type {
    FIELD_BOOL,    /* bool */
    FIELD_INT,     /* uint64_t */
    FIELD_MS,      /* uint64_t, milliseconds in the file, nanoseconds in the struct */
    FIELD_NUMBER,  /* double */
    FIELD_STRING,  /* const char * */
    FIELD_ENUM,    /* an enum with the value of the choice */
    FIELD_OBJECT,  /* the members of another section */
    FIELD_ARRAY,   /* array of objects of another section, and its count */
    FIELD_STRINGS, /* const char **, and its count; of the names of `choices`, if there are any */
    FIELD_MAP,     /* object of strings: struct named_text *, and its count */
    FIELD_WEIGHTS, /* object of integers: struct named_weight *, and its count */
    FIELD_JSON,    /* any object: struct json_text */
    FIELD_VALUE,   /* any value: json_t *, of the scenario's tree; NULL: not given */
    FIELD_ANY,     /* any value; never stored */
};

enum field_flag {
    FIELD_REQUIRED = 1,
    FIELD_NULL_OK = 2,     /* null means "not given"; stored as 0 */
    FIELD_NO_STORE = 4,    /* checked and explained, but nobody reads it */
    FIELD_UNSUPPORTED = 8, /* known, and refused when given */
    FIELD_OPTIONAL = 16,   /* count_offset is that of a bool which says whether it was given */
    FIELD_STRICT = 32,     /* the strict profile requires it */
    FIELD_WHOLE = 64,      /* an object that, when it is not given, has no members either */
};

enum { FIELD_WEIGHT_MAX = 1000000 }; /* each weight is 1 to this */

struct section;

struct field {
    const char *key;
    enum field_type type;
    unsigned flags;
    size_t offset, count_offset; /* in the struct of the section; count: of lists and maps */
    double min, max;             /* value; length of a text; number of elements */
    size_t item_max;             /* length of each text of a list or map, of a weight's name */
    const char *def;             /* the default as JSON; NULL: required, computed or none */
    const char *computed;        /* the default in words, when it depends on other fields */
    const char *later;           /* a value other than the default is accepted with the warning
                                  * that this will not happen yet; NULL: it works */
    const struct choice *choices;
    const struct section *section;
    const char *characters; /* the only characters that a text may have; NULL: all */
    const char *alias;      /* JSON pointer of an accepted older place */
    const char *misnamed;   /* wrong keys that are met, separated by blanks */
    const char *code;       /* of a value out of bounds; NULL: SCHEMA_VIOLATION */
    const char *help;       /* one sentence */
};

struct section {
    const char *title; /* "stages[]": what the reference page calls it */
    const struct field *fields;
    size_t count;
    size_t size;              /* of the struct, for arrays */
    const char *unknown_code; /* of a key that it does not know; NULL: UNKNOWN_FIELD */
    /* Keys that begin with `named_begin` hold texts, which fit the row `named`; its offsets are
     * those of a list of struct named_text, with the rest of the key as name, and its count;
     * `item_max` is that of the name. NULL: there are none. */
    const struct field *named;
    const char *named_begin;
};

/* The whole document; its struct is struct scenario. */
extern const struct section scenario_section;

/* NULL when the section has no such key (aliases do not count). */
const struct field *field_find(const struct section *section, const char *key);
/* A key to suggest for one that is not there, or NULL. */
const char *field_suggest(const struct section *section, const char *key);
#endif
