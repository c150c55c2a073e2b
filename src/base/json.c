/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned depth_of(json_t *value, unsigned level);

static unsigned deeper(json_t *child, unsigned level, unsigned deepest)
{
    unsigned d = depth_of(child, level + 1);

    return d > deepest ? d : deepest;
}

/* Stops one level past the limit, so that the input cannot drive the recursion. */
static unsigned depth_of(json_t *value, unsigned level)
{
    unsigned deepest = level;
    const char *key;
    json_t *child;
    size_t i;

    if (level > JSON_DEPTH_MAX) {
        return level;
    }
    if (json_is_object(value)) {
        json_object_foreach(value, key, child)
        {
            deepest = deeper(child, level, deepest);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, child)
        {
            deepest = deeper(child, level, deepest);
        }
    }
    return deepest;
}

/* The library passes over a NUL behind a number or a word; in a proper text it is escaped. */
static int refuse_nul(struct str text, struct err *err)
{
    unsigned line = 1, column = 1;

    for (size_t i = 0; i < text.len && text.p[i] != '\0'; i++) {
        line += text.p[i] == '\n';
        column = text.p[i] == '\n' ? 1 : column + 1;
    }
    return err_at(err, ERR_SYNTAX, line, column, "a NUL byte");
}

/* Integers that 64 bits do not hold: an error of ours, not of the text. `wide` takes the whole text
 * once more with all numbers as doubles then. */
static json_t *load(struct str text, bool wide, json_error_t *at)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *value = json_loadb(text.p, text.len, flags, at);

    if (value == NULL && wide && json_error_code(at) == json_error_numeric_overflow) {
        value = json_loadb(text.p, text.len, flags | JSON_DECODE_INT_AS_REAL, at);
    }
    return value;
}

static int parse(struct str text, size_t max_bytes, bool wide, json_t **out, struct err *err)
{
    json_error_t at;

    if (text.len > max_bytes) {
        return err_set(err, ERR_LIMIT, "JSON text of %zu bytes, at most %zu are read", text.len,
                       max_bytes);
    }
    if (text.len == 0) {
        return err_at(err, ERR_SYNTAX, 1, 1, "the text is empty");
    }
    if (str_starts(text, STR("\xef\xbb\xbf"))) {
        /* Nobody sees it, so it has to be named (RFC 8259, section 8.1). */
        return err_at(err, ERR_SYNTAX, 1, 1,
                      "a byte order mark before the JSON text; save the file without it");
    }
    if (memchr(text.p, '\0', text.len) != NULL) {
        return refuse_nul(text, err);
    }
    json_t *value = load(text, wide, &at);
    if (value == NULL) {
        return err_at(err, ERR_SYNTAX, at.line > 0 ? (unsigned)at.line : 1,
                      at.column > 0 ? (unsigned)at.column : 1, "%s", at.text);
    }
    if (depth_of(value, 0) > JSON_DEPTH_MAX) {
        json_decref(value);
        return err_set(err, ERR_LIMIT, "JSON nested deeper than %u levels", JSON_DEPTH_MAX);
    }
    *out = value;
    return 0;
}

int json_parse(struct str text, size_t max_bytes, json_t **out, struct err *err)
{
    return parse(text, max_bytes, false, out, err);
}

int json_parse_wide(struct str text, size_t max_bytes, json_t **out, struct err *err)
{
    return parse(text, max_bytes, true, out, err);
}

int json_parse_file(const char *path, size_t max_bytes, json_t **out, struct err *err)
{
    struct buf text;

    buf_init(&text, max_bytes);
    int rc = file_read(path, &text, err);
    if (rc == 0) {
        rc = json_parse(buf_str(&text), max_bytes, out, err);
    }
    buf_clear(&text);
    return rc;
}

static int add_piece(const char *p, size_t len, void *out)
{
    return buf_add(out, p, len);
}

json_t *json_text(const char *s)
{
    json_t *out = json_string(s);
    struct buf quoted;

    if (out != NULL) {
        return out;
    }
    buf_init(&quoted, JSON_TEXT_MAX);
    if (json_add_string(&quoted, str_c(s)) != 0 ||
        json_parse(buf_str(&quoted), JSON_TEXT_MAX, &out, NULL) != 0) {
        out = json_string("");
    }
    buf_clear(&quoted);
    return out;
}

int json_write(const json_t *value, struct buf *out)
{
    size_t before = out->len;
    int rc = json_dump_callback(value, add_piece, out,
                                JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    if (rc != 0) {
        out->len = before;
    }
    return rc == 0 ? 0 : ERR_LIMIT;
}

int json_write_pretty(const json_t *value, struct buf *out)
{
    size_t before = out->len;
    int rc = json_dump_callback(value, add_piece, out,
                                JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    if (rc == 0) {
        rc = buf_add_c(out, "\n");
    }
    if (rc != 0) {
        out->len = before;
    }
    return rc == 0 ? 0 : ERR_LIMIT;
}

/* Length of the valid UTF-8 sequence at p (RFC 3629), 0 when there is none. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80) {
        return 1;
    }
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) {
        return 0;
    }
    return len;
}

static int add_escaped(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        return buf_add_c(out, "\\\"");
    case '\\':
        return buf_add_c(out, "\\\\");
    case '\n':
        return buf_add_c(out, "\\n");
    case '\r':
        return buf_add_c(out, "\\r");
    case '\t':
        return buf_add_c(out, "\\t");
    default:
        return buf_printf(out, "\\u%04x", c);
    }
}

int json_add_string(struct buf *out, struct str s)
{
    size_t before = out->len;
    const unsigned char *p = (const unsigned char *)s.p;
    int rc = buf_add_c(out, "\"");

    for (size_t i = 0; rc == 0 && i < s.len;) {
        size_t run = i;
        while (run < s.len && p[run] >= 0x20 && p[run] < 0x80 && p[run] != '"' && p[run] != '\\') {
            run++;
        }
        if (run > i) {
            rc = buf_add(out, s.p + i, run - i);
            i = run;
            continue;
        }
        size_t len = p[i] < 0x80 ? 0 : utf8_len(p + i, s.len - i);
        if (p[i] < 0x80) {
            rc = add_escaped(out, p[i]);
            len = 1;
        } else if (len > 0) {
            rc = buf_add(out, s.p + i, len);
        } else {
            rc = buf_add_c(out, "\xef\xbf\xbd");
            len = 1;
        }
        i += len;
    }
    if (rc == 0) {
        rc = buf_add_c(out, "\"");
    }
    if (rc != 0) {
        out->len = before;
    }
    return rc;
}

/* Does not wait for somebody who writes to a named pipe: whoever names one by mistake would see
 * nothing at all. One that a shell has made (`<(…)`) has its writer already. */
static int open_text(const char *path, FILE **out, bool *pipe, struct err *err)
{
    struct stat st;

    if (path[0] == '\0') {
        return err_set(err, ERR_IO, "cannot open a file without a name");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || fcntl(fd, F_SETFL, 0) != 0) {
        int sys = errno;
        if (fd >= 0) {
            close(fd);
        }
        return err_sys(err, ERR_IO, sys, "cannot open %s", path);
    }
    if (S_ISDIR(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_IO, "cannot read %s: it is a folder; name a file in it", path);
    }
    *pipe = S_ISFIFO(st.st_mode);
    *out = fdopen(fd, "r");
    assert(*out != NULL);
    return 0;
}

int file_read(const char *path, struct buf *out, struct err *err)
{
    size_t before = out->len;
    bool pipe = false;
    FILE *f = NULL;
    int rc = open_text(path, &f, &pipe, err);

    if (rc != 0) {
        return rc;
    }
    for (;;) {
        char piece[16 * 1024];
        size_t n = fread(piece, 1, sizeof piece, f);

        if (n == 0) {
            break;
        }
        if (buf_add(out, piece, n) != 0) {
            rc = err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, out->max);
            goto out;
        }
    }
    if (ferror(f)) {
        rc = err_sys(err, ERR_IO, errno, "cannot read %s", path);
    } else if (pipe && out->len == before) {
        rc = err_set(err, ERR_IO, "%s is a pipe, and nobody writes to it", path);
    }
out:
    fclose(f);
    return rc;
}

int file_write(const char *path, struct str text, struct err *err)
{
    struct buf tmp;
    int rc = 0;
    FILE *f = NULL;

    buf_init(&tmp, 8192);
    if (buf_printf(&tmp, "%s.tmp.%ld", path, (long)getpid()) != 0) {
        return err_set(err, ERR_LIMIT, "path too long");
    }
    f = fopen(tmp.p, "we");
    if (f == NULL) {
        rc = err_sys(err, ERR_IO, errno, "cannot write %s", path);
        goto out;
    }
    bool written = text.len == 0 || fwrite(text.p, 1, text.len, f) == text.len;
    int closed = fclose(f);
    if (!written || closed != 0 || rename(tmp.p, path) != 0) {
        rc = err_sys(err, ERR_IO, errno, "cannot write %s", path);
        unlink(tmp.p);
    }
out:
    buf_clear(&tmp);
    return rc;
}
