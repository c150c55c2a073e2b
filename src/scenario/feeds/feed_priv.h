/* SPDX-License-Identifier: MIT */
/*
 * What the files of scenario/feeds/ share: the rows as they are stored, and the readers of the two
 * formats.
 *
 * Each value stands in `text` once, with its length in four bytes before it. `cells` holds one
 * offset into `text` per row and column, row by row. Offset 0 is the empty string, which is also
 * what a row lacks.
 */
#ifndef SCENARIO_FEEDS_FEED_PRIV_H
#define SCENARIO_FEEDS_FEED_PRIV_H

#include "base/buf.h"
#include "scenario/feeds/feed.h"

struct feed {
    char *names[FEED_COLUMNS_MAX];
    uint32_t columns;
    uint64_t rows;
    struct buf text;
    struct buf cells; /* of uint32_t */
};

/* The name of another column. ERR_LIMIT; ERR_INVALID: empty or there already. */
int feed_add_column(struct feed *f, struct str name, unsigned line, struct err *err);
/* Between the two, the value is appended to f->text. The offset for `cells`. ERR_LIMIT in *rc. */
uint32_t feed_begin_value(struct feed *f, int *rc);
void feed_end_value(struct feed *f, uint32_t start);
/* Another row is complete. ERR_LIMIT. */
int feed_end_row(struct feed *f, unsigned line, struct err *err);
/* The rows do not fit. Returns ERR_LIMIT. */
int feed_too_large(unsigned line, struct err *err);

/* Fill an empty feed; `text` begins behind the byte order mark. ERR_INVALID, ERR_SYNTAX,
 * ERR_LIMIT. */
int feed_read_csv(struct feed *f, struct str text, struct err *err);
int feed_read_jsonl(struct feed *f, struct str text, struct err *err);

#endif
