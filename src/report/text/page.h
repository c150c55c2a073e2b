/* SPDX-License-Identifier: MIT */
/*
 * Writing text for people: labelled lines and aligned tables. The first failure to write sticks in
 * `rc` and later calls do nothing, so that callers need not look at each.
 */
#ifndef REPORT_TEXT_PAGE_H
#define REPORT_TEXT_PAGE_H

#include "base/json.h"
#include "report/text/text.h"

enum { PAGE_LABEL_COLUMNS = 13, PAGE_SENTENCE_MAX = 512 };

#define PAGE_RED    "\x1b[31m"
#define PAGE_GREEN  "\x1b[32m"
#define PAGE_YELLOW "\x1b[33m"
#define PAGE_BOLD   "\x1b[1m"
#define PAGE_PLAIN  "\x1b[0m"

struct page {
    struct buf *out;
    int rc;
    const struct text_style *style;
    const json_t *document;
};

void page_add(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void page_left(struct page *p, const char *text, size_t width);
void page_right(struct page *p, const char *text, size_t width);
/* A text that somebody else wrote, cut to so many columns. */
void page_foreign(struct page *p, struct str text, size_t columns);
/* Only where colours are welcome. */
void page_colour(struct page *p, const char *sequence);
/* The word in front of a line; rows below it have "". */
void page_label(struct page *p, const char *word);
/* "… and N more WHAT, in the result" behind the label's column, when there are any. */
void page_more(struct page *p, size_t count, const char *what);

/* ---- tables --------------------------------------------------------------------------------- */

enum { GRID_COLUMNS_MAX = 8, GRID_CELL_MAX = TEXT_NUMBER_MAX + 16, GRID_TITLE_MAX = 240 };

struct grid_row {
    char title[GRID_TITLE_MAX]; /* foreign; "" repeats the one above */
    char mark;                  /* one letter behind it; 0: the table has none */
    char cell[GRID_COLUMNS_MAX][GRID_CELL_MAX];
};

struct grid {
    const char *title;
    const char *const *heads;
    size_t columns;
    struct grid_row *rows;
    size_t count, max;
};

/* Room for `max` rows on the heap. */
void grid_init(
    struct grid *g, const char *title, const char *const *heads, size_t columns, size_t max);
void grid_clear(struct grid *g);
/* An empty row, or NULL when the table is full. */
struct grid_row *grid_add(struct grid *g);
/* Titles are cut to `title_columns`. Writes nothing when there is no row. */
void page_grid(struct page *p, const struct grid *g, size_t title_columns);

#endif
