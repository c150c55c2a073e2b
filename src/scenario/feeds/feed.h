/* SPDX-License-Identifier: MIT */
/*
 * The rows of a data feed: a CSV file with a head line (RFC 4180) or a file of JSON objects, one
 * per line. All in memory, immutable after loading, read by all threads.
 *
 * A value is kept as compact JSON text: strings with quotes and escapes, numbers and all else as
 * they stand. CSV fields are always strings. A field that a row lacks is the empty string "".
 *
 * CSV: lines end in LF or CR LF; an UTF-8 byte order mark and empty lines at the end are skipped;
 * each line has as many fields as the head line; a field with a quote, a comma or a line end stands
 * in quotes. JSON lines: the columns are the keys of all rows together; blank lines are skipped.
 */
#ifndef SCENARIO_FEEDS_FEED_H
#define SCENARIO_FEEDS_FEED_H

#include "base/err.h"
#include "base/str.h"
#include "scenario/config/config.h"

#include <stdint.h>

enum {
    FEED_BYTES_MAX = 256 * 1024 * 1024, /* of the file */
    FEED_ROWS_MAX = 10 * 1000 * 1000,
    FEED_COLUMNS_MAX = 256,
    FEED_CELLS_MAX = 64 * 1024 * 1024,  /* rows × columns */
    FEED_TEXT_MAX = 1024 * 1024 * 1024, /* of all values as JSON */
};

struct feed;

/* ERR_IO; ERR_LIMIT; ERR_INVALID or ERR_SYNTAX with the line of the mistake; a file without a row
 * is invalid, and so is what is no regular file. */
int feed_load(const char *path, enum feed_format format, struct feed **out, struct err *err);
/* The same of a text. */
int feed_parse(struct str text, enum feed_format format, struct feed **out, struct err *err);
/* NULL is fine. */
void feed_free(struct feed *f);

uint64_t feed_rows(const struct feed *f);
uint32_t feed_columns(const struct feed *f);
const char *feed_column_name(const struct feed *f, uint32_t column);
/* -1 when there is no such field. */
int32_t feed_column(const struct feed *f, struct str name);
/* JSON text; row and column must exist. */
struct str feed_value(const struct feed *f, uint64_t row, uint32_t column);

#endif
