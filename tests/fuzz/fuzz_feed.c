/* SPDX-License-Identifier: MIT */
/* Bytes → the rows of a feed, as CSV and as JSON lines. Each value is JSON; the rows, written as
 * CSV with all fields in quotes, are read as the same rows again. */
#include "base/json.h"
#include "fuzz/fuzz.h"
#include "scenario/feeds/feed.h"

static void add_quoted(struct buf *out, const char *p, size_t len)
{
    buf_add_c(out, "\"");
    for (size_t i = 0; i < len; i++) {
        buf_add(out, p + i, 1);
        if (p[i] == '"') {
            buf_add_c(out, "\"");
        }
    }
    buf_add_c(out, "\"");
}

/* A string's own text; the JSON text of all else. False: no CSV file can hold it. */
static bool add_field(struct buf *out, struct str json)
{
    json_t *value = NULL;
    bool possible = true;

    fuzz_require(json_parse(json, SIZE_MAX, &value, NULL) == 0, "a value is no JSON");
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        size_t len = json_string_length(value);

        possible = memchr(text, '\0', len + 1) == text + len;
        add_quoted(out, text, len);
    } else {
        add_quoted(out, json.p, json.len);
    }
    json_decref(value);
    return possible;
}

static bool add_row(struct buf *out, const struct feed *f, uint64_t row)
{
    bool possible = true;

    for (uint32_t c = 0; c < feed_columns(f); c++) {
        buf_add_c(out, c == 0 ? "\r\n" : ",");
        possible = add_field(out, feed_value(f, row, c)) && possible;
    }
    return possible;
}

static bool as_csv(const struct feed *f, struct buf *out)
{
    bool possible = true;

    for (uint32_t c = 0; c < feed_columns(f); c++) {
        const char *name = feed_column_name(f, c);

        fuzz_require(feed_column(f, str_c(name)) == (int32_t)c, "a column is not found");
        buf_add_c(out, c == 0 ? "" : ",");
        add_quoted(out, name, strlen(name));
    }
    for (uint64_t row = 0; row < feed_rows(f); row++) {
        possible = add_row(out, f, row) && possible;
    }
    return possible;
}

static void check_again(const struct feed *f)
{
    struct feed *again = NULL;
    struct buf first, second;

    buf_init(&first, SIZE_MAX / 2);
    buf_init(&second, SIZE_MAX / 2);
    if (as_csv(f, &first)) {
        fuzz_require(feed_parse(buf_str(&first), FEED_CSV, &again, NULL) == 0, "not read again");
        as_csv(again, &second);
        fuzz_require(str_eq(buf_str(&first), buf_str(&second)), "read differently");
        feed_free(again);
    }
    buf_clear(&first);
    buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum feed_format formats[] = {FEED_CSV, FEED_JSONL};

    for (size_t i = 0; i < 2; i++) {
        struct feed *f = NULL;
        struct err err = {0};

        if (feed_parse((struct str){(const char *)data, size}, formats[i], &f, &err) == 0) {
            fuzz_require(feed_rows(f) > 0 && feed_columns(f) > 0, "an empty feed");
            check_again(f);
            feed_free(f);
        } else {
            fuzz_require(f == NULL && err.code != 0 && err.msg[0] != '\0', "no message");
        }
    }
    return 0;
}
