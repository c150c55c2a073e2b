/* SPDX-License-Identifier: MIT */
#include "scenario/feeds/feed.h"

#include "base/json.h"
#include "base/mem.h"
#include "scenario/feeds/feed_priv.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>

/* ---- storing --------------------------------------------------------------------------------- */

int feed_add_column(struct feed *f, struct str name, unsigned line, struct err *err)
{
    if (name.len == 0) {
        return err_at(err, ERR_INVALID, line, 0, "column %u has no name", f->columns + 1);
    }
    if (feed_column(f, name) >= 0) {
        return err_at(err, ERR_INVALID, line, 0, "two columns have the name '%.*s'",
                      name.len < 100 ? (int)name.len : 100, name.p);
    }
    if (f->columns == FEED_COLUMNS_MAX) {
        return err_at(err, ERR_LIMIT, line, 0, "more than %d columns", FEED_COLUMNS_MAX);
    }
    f->names[f->columns++] = xstrndup(name.p, name.len);
    return 0;
}

uint32_t feed_begin_value(struct feed *f, int *rc)
{
    static const char length[sizeof(uint32_t)] = {0};
    size_t start = f->text.len;

    *rc = buf_add(&f->text, length, sizeof length);
    return (uint32_t)start;
}

void feed_end_value(struct feed *f, uint32_t start)
{
    uint32_t len = (uint32_t)(f->text.len - start - sizeof len);

    memcpy(f->text.p + start, &len, sizeof len);
}

int feed_end_row(struct feed *f, unsigned line, struct err *err)
{
    if (f->rows == FEED_ROWS_MAX) {
        return err_at(err, ERR_LIMIT, line, 0, "more than %d rows", FEED_ROWS_MAX);
    }
    f->rows++;
    return 0;
}

int feed_too_large(unsigned line, struct err *err)
{
    return err_at(err, ERR_LIMIT, line, 0,
                  "the rows up to here take more than %d values or %d bytes", FEED_CELLS_MAX,
                  FEED_TEXT_MAX);
}

/* ---- loading --------------------------------------------------------------------------------- */

static struct feed *feed_new(void)
{
    struct feed *f = xcalloc(1, sizeof *f);
    int rc;

    buf_init(&f->text, FEED_TEXT_MAX);
    buf_init(&f->cells, FEED_CELLS_MAX * sizeof(uint32_t));
    uint32_t start = feed_begin_value(f, &rc);
    rc = rc == 0 ? buf_add_c(&f->text, "\"\"") : rc;
    assert(rc == 0 && start == 0);
    feed_end_value(f, start);
    return f;
}

/* A text file of another encoding is full of them, and the JSON library skips some. */
static int check_nul(struct str text, struct err *err)
{
    const char *nul = text.len > 0 ? memchr(text.p, '\0', text.len) : NULL;
    unsigned line = 1;

    if (nul == NULL) {
        return 0;
    }
    for (const char *p = text.p; p < nul; p++) {
        line += *p == '\n';
    }
    return err_at(err, ERR_INVALID, line, 0, "a NUL byte; the file has to be UTF-8 text");
}

int feed_parse(struct str text, enum feed_format format, struct feed **out, struct err *err)
{
    struct feed *f = feed_new();
    int rc = check_nul(text, err);

    if (str_starts(text, STR("\xef\xbb\xbf"))) {
        text = (struct str){text.p + 3, text.len - 3};
    }
    if (rc == 0) {
        rc = format == FEED_CSV ? feed_read_csv(f, text, err) : feed_read_jsonl(f, text, err);
    }
    if (rc == 0 && f->rows == 0) {
        rc = err_set(err, ERR_INVALID, "there is no row in it");
    }
    if (rc != 0) {
        feed_free(f);
        return rc;
    }
    *out = f;
    return 0;
}

/* Reading a pipe could wait for ever. */
static int check_regular(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return err_sys(err, ERR_IO, errno, "cannot open %s", path);
    }
    return S_ISREG(st.st_mode) ? 0 : err_set(err, ERR_INVALID, "%s is no regular file", path);
}

int feed_load(const char *path, enum feed_format format, struct feed **out, struct err *err)
{
    struct buf text;
    int rc = check_regular(path, err);

    buf_init(&text, FEED_BYTES_MAX);
    if (rc == 0) {
        rc = file_read(path, &text, err);
    }
    if (rc == 0) {
        rc = feed_parse(buf_str(&text), format, out, err);
    }
    buf_clear(&text);
    return rc;
}

void feed_free(struct feed *f)
{
    if (f == NULL) {
        return;
    }
    for (uint32_t i = 0; i < f->columns; i++) {
        xfree(f->names[i]);
    }
    buf_clear(&f->text);
    buf_clear(&f->cells);
    xfree(f);
}

/* ---- reading --------------------------------------------------------------------------------- */

uint64_t feed_rows(const struct feed *f)
{
    return f->rows;
}

uint32_t feed_columns(const struct feed *f)
{
    return f->columns;
}

const char *feed_column_name(const struct feed *f, uint32_t column)
{
    assert(column < f->columns);
    return f->names[column];
}

int32_t feed_column(const struct feed *f, struct str name)
{
    for (uint32_t i = 0; i < f->columns; i++) {
        if (str_eq(str_c(f->names[i]), name)) {
            return (int32_t)i;
        }
    }
    return -1;
}

struct str feed_value(const struct feed *f, uint64_t row, uint32_t column)
{
    uint32_t start, len;

    assert(row < f->rows && column < f->columns);
    memcpy(&start, f->cells.p + (row * f->columns + column) * sizeof start, sizeof start);
    memcpy(&len, f->text.p + start, sizeof len);
    return (struct str){f->text.p + start + sizeof len, len};
}
