/* SPDX-License-Identifier: MIT */
/*
 * JSON lines. The JSON library checks each line and tells the keys; the values are taken from the
 * line itself, so that numbers keep the digits that the file gives them.
 */
#include "base/json.h"
#include "scenario/feeds/feed_priv.h"

#include <assert.h>

enum { LINE_BYTES_MAX = 16 * 1024 * 1024, ROW_END = FEED_COLUMNS_MAX };

/* A value that was found, or, as column ROW_END, the end of a row: the number of columns is known
 * only behind the last line. */
struct found {
    uint32_t column, start;
};

struct jsonl {
    struct feed *feed;
    struct buf found; /* of struct found */
    unsigned line;
    struct err *err;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct str skip_space(struct str s)
{
    while (s.len > 0 && is_space(s.p[0])) {
        s = (struct str){s.p + 1, s.len - 1};
    }
    return s;
}

/* Length of the string at the front, quotes included. */
static size_t string_len(struct str s)
{
    size_t i = 1;

    while (i < s.len && s.p[i] != '"') {
        i += s.p[i] == '\\' ? 2 : 1;
    }
    return i + 1;
}

/* Copies the value at the front of `*s` without spaces around its parts, and takes it off with the
 * comma or brace behind it. The line is known to be valid JSON. */
static int copy_value(struct str *s, struct buf *out)
{
    unsigned depth = 0;
    size_t i = 0;
    int rc = 0;

    while (rc == 0 && i < s->len) {
        char c = s->p[i];
        size_t len = c == '"' ? string_len((struct str){s->p + i, s->len - i}) : 1;

        if (depth == 0 && (c == ',' || c == '}')) {
            break;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        if (!is_space(c)) {
            rc = buf_add(out, s->p + i, len);
        }
        i += len;
    }
    assert(rc != 0 || i < s->len);
    *s = (struct str){s->p + i + 1, s->len - i - 1};
    return rc;
}

/* Rows mostly have their keys in the order of the row before: `expected` is asked first. */
static int column_of(struct jsonl *j, struct str key, uint32_t expected, uint32_t *out)
{
    struct feed *f = j->feed;

    if (expected < f->columns && str_eq(str_c(f->names[expected]), key)) {
        *out = expected;
        return 0;
    }
    int32_t column = feed_column(f, key);
    int rc = column < 0 ? feed_add_column(f, key, j->line, j->err) : 0;
    *out = column < 0 ? f->columns - 1 : (uint32_t)column;
    return rc;
}

static int note(struct jsonl *j, uint32_t column, uint32_t start)
{
    struct found found = {column, start};

    return buf_add(&j->found, &found, sizeof found) == 0 ? 0 : feed_too_large(j->line, j->err);
}

static int add_member(struct jsonl *j, const char *key, struct str *rest, uint32_t *column)
{
    struct feed *f = j->feed;
    int rc = column_of(j, str_c(key), *column, column);

    if (rc != 0) {
        return rc;
    }
    *rest = skip_space(*rest);
    size_t key_len = string_len(*rest);
    *rest = skip_space((struct str){rest->p + key_len, rest->len - key_len});
    *rest = skip_space((struct str){rest->p + 1, rest->len - 1}); /* the colon */
    uint32_t start = feed_begin_value(f, &rc);
    rc = rc == 0 ? copy_value(rest, &f->text) : rc;
    if (rc != 0) {
        return feed_too_large(j->line, j->err);
    }
    feed_end_value(f, start);
    return note(j, *column, start);
}

/* The library keeps the members of an object in the order of the text. */
static int add_members(struct jsonl *j, json_t *object, struct str line)
{
    struct str rest = {line.p + 1, line.len - 1};
    uint32_t column = UINT32_MAX;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        column++;
        int rc = add_member(j, key, &rest, &column);
        if (rc != 0) {
            return rc;
        }
    }
    int rc = note(j, ROW_END, 0);
    return rc == 0 ? feed_end_row(j->feed, j->line, j->err) : rc;
}

static int add_line(struct jsonl *j, struct str line)
{
    json_t *value = NULL;

    line = skip_space(line);
    if (line.len == 0) {
        return 0;
    }
    int rc = json_parse(line, LINE_BYTES_MAX, &value, j->err);
    if (rc != 0) {
        if (j->err != NULL) {
            j->err->line = j->line;
        }
        return rc;
    }
    if (json_is_object(value)) {
        rc = add_members(j, value, line);
    } else {
        rc = err_at(j->err, ERR_INVALID, j->line, 0, "each line has to be a JSON object");
    }
    json_decref(value);
    return rc;
}

/* What was found becomes rows of equal length. */
static int make_cells(struct jsonl *j)
{
    struct feed *f = j->feed;
    size_t row_bytes = f->columns * sizeof(uint32_t), row = 0;

    if (f->columns == 0 && f->rows > 0) {
        return err_set(j->err, ERR_INVALID, "no row has a field");
    }
    if (f->rows * f->columns > FEED_CELLS_MAX) {
        return err_set(j->err, ERR_LIMIT, "%llu rows of %u columns are more than %d values",
                       (unsigned long long)f->rows, f->columns, FEED_CELLS_MAX);
    }
    if (buf_reserve(&f->cells, f->rows * row_bytes) != 0) {
        return feed_too_large(j->line, j->err);
    }
    f->cells.len = f->rows * row_bytes;
    if (f->cells.len > 0) {
        memset(f->cells.p, 0, f->cells.len);
    }
    for (size_t at = 0; at < j->found.len; at += sizeof(struct found)) {
        struct found found;

        memcpy(&found, j->found.p + at, sizeof found);
        if (found.column == ROW_END) {
            row++;
        } else {
            memcpy(f->cells.p + row * row_bytes + found.column * sizeof found.start, &found.start,
                   sizeof found.start);
        }
    }
    return 0;
}

int feed_read_jsonl(struct feed *f, struct str text, struct err *err)
{
    struct jsonl j = {.feed = f, .err = err};
    int rc = 0;

    buf_init(&j.found, (FEED_CELLS_MAX + (size_t)FEED_ROWS_MAX) * sizeof(struct found));
    while (rc == 0 && text.len > 0) {
        const char *newline = memchr(text.p, '\n', text.len);
        size_t len = newline != NULL ? (size_t)(newline - text.p) : text.len;
        size_t used = newline != NULL ? len + 1 : len;

        j.line++;
        rc = add_line(&j, (struct str){text.p, len});
        text = (struct str){text.p + used, text.len - used};
    }
    rc = rc == 0 ? make_cells(&j) : rc;
    buf_clear(&j.found);
    return rc;
}
