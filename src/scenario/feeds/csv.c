/* SPDX-License-Identifier: MIT */
/* CSV as RFC 4180 has it, with LF for CR LF as well. */
#include "base/json.h"
#include "scenario/feeds/feed_priv.h"

struct csv {
    struct feed *feed;
    struct str text;
    size_t at;
    unsigned line;
    struct buf field; /* the current one, without its quotes */
    struct err *err;
};

static int syntax_error(struct csv *c, unsigned line, const char *what)
{
    return err_at(c->err, ERR_INVALID, line, 0, "%s", what);
}

static bool at_end(const struct csv *c)
{
    return c->at == c->text.len;
}

/* Length of the line end here; 0: there is none. */
static size_t line_end(const struct csv *c)
{
    struct str rest = {c->text.p + c->at, c->text.len - c->at};

    return str_starts(rest, STR("\r\n")) ? 2 : str_starts(rest, STR("\n")) ? 1 : 0;
}

/* From behind the opening quote to behind the closing one. */
static int read_quoted(struct csv *c)
{
    unsigned begin = c->line;

    for (;;) {
        const char *p = c->text.p + c->at;
        const char *quote = memchr(p, '"', c->text.len - c->at);

        if (quote == NULL) {
            return syntax_error(c, begin, "a quote is opened here and never closed");
        }
        size_t len = (size_t)(quote - p);
        bool doubled = c->at + len + 1 < c->text.len && quote[1] == '"';
        for (size_t i = 0; i < len; i++) {
            c->line += p[i] == '\n';
        }
        if (buf_add(&c->field, p, len + doubled) != 0) {
            return feed_too_large(c->line, c->err);
        }
        c->at += len + 1 + doubled;
        if (!doubled) {
            break;
        }
    }
    if (!at_end(c) && c->text.p[c->at] != ',' && line_end(c) == 0) {
        return syntax_error(c, c->line,
                            "only a comma or the line's end may follow a closing quote");
    }
    return 0;
}

static int read_plain(struct csv *c)
{
    size_t begin = c->at;

    while (!at_end(c) && c->text.p[c->at] != ',' && line_end(c) == 0) {
        if (c->text.p[c->at] == '"') {
            return syntax_error(c, c->line, "a field with a quote in it has to stand in quotes");
        }
        if (c->text.p[c->at] == '\r') {
            return syntax_error(c, c->line, "a carriage return without a line feed");
        }
        c->at++;
    }
    return buf_add(&c->field, c->text.p + begin, c->at - begin) == 0
               ? 0
               : feed_too_large(c->line, c->err);
}

/* The next field of the line into c->field. */
static int read_field(struct csv *c)
{
    c->field.len = 0;
    if (!at_end(c) && c->text.p[c->at] == '"') {
        c->at++;
        return read_quoted(c);
    }
    return read_plain(c);
}

/* Takes the comma or the line's end behind a field. True: the line goes on. */
static bool take_comma(struct csv *c)
{
    if (!at_end(c) && c->text.p[c->at] == ',') {
        c->at++;
        return true;
    }
    size_t len = line_end(c);
    c->at += len;
    c->line += len > 0;
    return false;
}

static int read_head(struct csv *c)
{
    unsigned line = c->line;
    bool more;

    do {
        int rc = read_field(c);

        if (rc == 0) {
            rc = feed_add_column(c->feed, buf_str(&c->field), line, c->err);
        }
        if (rc != 0) {
            return rc;
        }
        more = take_comma(c);
    } while (more);
    return 0;
}

/* json_add_string() would put U+FFFD for what is not UTF-8; data that are not what the file says
 * are better refused. */
static bool is_utf8(struct str s)
{
    size_t i = 0;

    while (i < s.len && (unsigned char)s.p[i] < 0x80) {
        i++;
    }
    if (i == s.len) {
        return true;
    }
    json_t *value = json_stringn(s.p, s.len);
    bool valid = value != NULL;
    json_decref(value);
    return valid;
}

static int add_cell(struct csv *c, unsigned line)
{
    struct feed *f = c->feed;
    uint32_t start = 0;
    int rc = 0;

    if (!is_utf8(buf_str(&c->field))) {
        return syntax_error(c, line, "a field is not UTF-8");
    }
    if (c->field.len > 0) {
        start = feed_begin_value(f, &rc);
        rc = rc == 0 ? json_add_string(&f->text, buf_str(&c->field)) : rc;
        if (rc == 0) {
            feed_end_value(f, start);
        }
    }
    if (rc != 0 || buf_add(&f->cells, &start, sizeof start) != 0) {
        return feed_too_large(line, c->err);
    }
    return 0;
}

static int read_row(struct csv *c)
{
    unsigned line = c->line;
    uint32_t fields = 0;
    bool more;

    do {
        int rc = read_field(c);

        fields++;
        if (rc == 0 && fields <= c->feed->columns) {
            rc = add_cell(c, line);
        }
        if (rc != 0) {
            return rc;
        }
        more = take_comma(c);
    } while (more);
    if (fields != c->feed->columns) {
        return err_at(c->err, ERR_INVALID, line, 0, "%u field%s, but the head line has %u", fields,
                      fields == 1 ? "" : "s", c->feed->columns);
    }
    return feed_end_row(c->feed, line, c->err);
}

int feed_read_csv(struct feed *f, struct str text, struct err *err)
{
    struct csv c = {.feed = f, .text = text, .line = 1, .err = err};

    while (c.text.len > 0 &&
           (c.text.p[c.text.len - 1] == '\n' || c.text.p[c.text.len - 1] == '\r')) {
        c.text.len--;
    }
    buf_init(&c.field, FEED_BYTES_MAX);
    int rc = c.text.len > 0 ? read_head(&c) : syntax_error(&c, 1, "the head line is missing");
    while (rc == 0 && !at_end(&c)) {
        rc = read_row(&c);
    }
    buf_clear(&c.field);
    return rc;
}
