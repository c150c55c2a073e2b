/* SPDX-License-Identifier: MIT */
#include "report/text/page.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

void page_add(struct page *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (p->rc == 0) {
        p->rc = buf_vprintf(p->out, fmt, ap);
    }
    va_end(ap);
}

void page_left(struct page *p, const char *text, size_t width)
{
    if (p->rc == 0) {
        p->rc = text_add_left(p->out, str_c(text), width);
    }
}

void page_right(struct page *p, const char *text, size_t width)
{
    if (p->rc == 0) {
        p->rc = text_add_right(p->out, str_c(text), width);
    }
}

void page_foreign(struct page *p, struct str text, size_t columns)
{
    if (p->rc == 0) {
        p->rc = text_add_safe(p->out, text, columns);
    }
}

void page_colour(struct page *p, const char *sequence)
{
    if (p->style->colour) {
        page_add(p, "%s", sequence);
    }
}

void page_label(struct page *p, const char *word)
{
    page_left(p, word, PAGE_LABEL_COLUMNS);
}

void page_more(struct page *p, size_t count, const char *what)
{
    if (count > 0) {
        page_label(p, "");
        page_add(p, "… and %zu more%s%s, in the result\n", count, what[0] != '\0' ? " " : "", what);
    }
}

/* ---- tables ------------------------------------------------------------------------------------
 */

void grid_init(
    struct grid *g, const char *title, const char *const *heads, size_t columns, size_t max)
{
    assert(columns <= GRID_COLUMNS_MAX);
    *g = (struct grid){.title = title,
                       .heads = heads,
                       .columns = columns,
                       .rows = xcalloc(max, sizeof *g->rows),
                       .max = max};
}

void grid_clear(struct grid *g)
{
    xfree(g->rows);
    *g = (struct grid){.rows = NULL};
}

struct grid_row *grid_add(struct grid *g)
{
    return g->count < g->max ? &g->rows[g->count++] : NULL;
}

static size_t cell_width(const struct grid *g, size_t column)
{
    size_t width = text_width(str_c(g->heads[column]));

    for (size_t i = 0; i < g->count; i++) {
        size_t one = text_width(str_c(g->rows[i].cell[column]));
        width = one > width ? one : width;
    }
    return width;
}

/* The title as it can be printed, in `out`. */
static const char *safe_title(const struct grid_row *row, size_t columns, struct buf *out)
{
    out->len = 0;
    (void)text_add_safe(out, str_c(row->title), columns);
    return buf_c(out);
}

static size_t title_width(const struct grid *g, size_t columns, struct buf *scratch)
{
    size_t width = 0;

    for (size_t i = 0; i < g->count; i++) {
        size_t one = text_width(str_c(safe_title(&g->rows[i], columns, scratch)));
        width = one > width ? one : width;
    }
    return width;
}

void page_grid(struct page *p, const struct grid *g, size_t title_columns)
{
    struct buf scratch;
    bool marks = g->count > 0 && g->rows[0].mark != 0;

    if (g->count == 0) {
        return;
    }
    buf_init(&scratch, (size_t)GRID_TITLE_MAX * 4);
    size_t width = title_width(g, title_columns, &scratch);
    size_t head = text_width(str_c(g->title));
    width = head > width + 2 ? head - 2 : width;
    page_left(p, g->title, 2 + width + (marks ? 2 : 0));
    for (size_t j = 0; j < g->columns; j++) {
        page_add(p, "  ");
        page_right(p, g->heads[j], cell_width(g, j));
    }
    page_add(p, "\n");
    for (size_t i = 0; i < g->count; i++) {
        page_add(p, "  ");
        page_left(p, safe_title(&g->rows[i], title_columns, &scratch), width);
        if (marks) {
            page_add(p, " %c", g->rows[i].mark);
        }
        for (size_t j = 0; j < g->columns; j++) {
            page_add(p, "  ");
            page_right(p, g->rows[i].cell[j], cell_width(g, j));
        }
        page_add(p, "\n");
    }
    buf_clear(&scratch);
}
