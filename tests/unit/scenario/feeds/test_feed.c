/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "scenario/feeds/feed.h"
#include "support/unit.h"

#include <sys/stat.h>
#include <unistd.h>

/* The feed as text: names, then the rows, `|` between values and `/` between lines. */
static void show(const struct feed *f, struct buf *out)
{
    buf_init(out, 1 << 20);
    for (uint32_t c = 0; c < feed_columns(f); c++) {
        buf_printf(out, "%s%s", c > 0 ? "|" : "", feed_column_name(f, c));
    }
    for (uint64_t r = 0; r < feed_rows(f); r++) {
        for (uint32_t c = 0; c < feed_columns(f); c++) {
            buf_add_c(out, c > 0 ? "|" : "/");
            buf_add_str(out, feed_value(f, r, c));
        }
    }
}

/* The text in a block of its own, so that a read beyond it is seen. */
static int parse(const char *text, enum feed_format format, struct feed **out, struct err *err)
{
    struct str all = str_c(text);
    char *copy = xmalloc(all.len > 0 ? all.len : 1);

    memcpy(copy, all.p, all.len);
    int rc = feed_parse((struct str){copy, all.len}, format, out, err);
    xfree(copy);
    return rc;
}

static void good_files(void **state)
{
    static const struct {
        enum feed_format format;
        const char *text, *expected;
    } cases[] = {
        {FEED_CSV, "a,b\n1,2\n", "a|b/\"1\"|\"2\""},
        {FEED_CSV, "a,b\r\n1,2\r\n3,4", "a|b/\"1\"|\"2\"/\"3\"|\"4\""},
        {FEED_CSV,
         "\xef\xbb\xbf"
         "a\n1",
         "a/\"1\""},
        {FEED_CSV, "a\n1\n\n\r\n", "a/\"1\""},
        {FEED_CSV, "a\n1\n\n2\n", "a/\"1\"/\"\"/\"2\""},
        {FEED_CSV, "a,b\n,\n", "a|b/\"\"|\"\""},
        {FEED_CSV, "a,b\n1,", "a|b/\"1\"|\"\""},
        {FEED_CSV, "\"a,b\",\"c\"\"d\"\n\"x\ny\",\"\"\n", "a,b|c\"d/\"x\\ny\"|\"\""},
        {FEED_CSV, "a\n\"\"\"\"\n\"\"\"x\"\"\"", "a/\"\\\"\"/\"\\\"x\\\"\""},
        {FEED_CSV, "a\n\"1\r\n2\"\r\n3", "a/\"1\\r\\n2\"/\"3\""},
        {FEED_CSV, "a\n \\t x \n", "a/\" \\\\t x \""},
        {FEED_CSV,
         "stra\xc3\x9f"
         "e\nM\xc3\xbcller\n",
         "stra\xc3\x9f"
         "e/\"M\xc3\xbcller\""},
        {FEED_JSONL, "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":2}", "a|b/1|\"x\"/2|\"y\""},
        {FEED_JSONL, "\xef\xbb\xbf{\"a\":true}\r\n\r\n  \n{\"a\":null}\n", "a/true/null"},
        {FEED_JSONL, "{\"a\":1}\n{\"b\":2}\n{}", "a|b/1|\"\"/\"\"|2/\"\"|\"\""},
        {FEED_JSONL, " { \"a\" : [ 1 , { \"x\" : \" , } \" } ] , \"b\" :\t-0.10 } ",
         "a|b/[1,{\"x\":\" , } \"}]|-0.10"},
        {FEED_JSONL, "{\"a\":0.30000000000000004,\"b\":1e2,\"c\":\"\\u00e4\\\"\\\\\"}",
         "a|b|c/0.30000000000000004|1e2|\"\\u00e4\\\"\\\\\""},
        {FEED_JSONL, "{\"k\\u0041\\\"\":{}}", "kA\"/{}"},
        {FEED_JSONL, "{\"\xc3\xa4\":\"\xf0\x9f\x98\x80\"}", "\xc3\xa4/\"\xf0\x9f\x98\x80\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feed *f = NULL;
        struct err err = {0};
        struct buf text;

        if (parse(cases[i].text, cases[i].format, &f, &err) != 0) {
            fail_msg("%s: %s", cases[i].text, err.msg);
        }
        show(f, &text);
        assert_string_equal(buf_c(&text), cases[i].expected);
        buf_clear(&text);
        feed_free(f);
    }
}

static void bad_files_name_the_line(void **state)
{
    static const struct {
        enum feed_format format;
        const char *text;
        int code;
        unsigned line;
        const char *says;
    } cases[] = {
        {FEED_CSV, "", ERR_INVALID, 1, "head line"},
        {FEED_CSV, "\n\n", ERR_INVALID, 1, "head line"},
        {FEED_CSV, "a,b\n", ERR_INVALID, 0, "no row"},
        {FEED_CSV, "a,\n1,2\n", ERR_INVALID, 1, "column 2 has no name"},
        {FEED_CSV, "a,b,a\n1,2,3\n", ERR_INVALID, 1, "two columns have the name 'a'"},
        {FEED_CSV, "a,b\n1,2\n3\n", ERR_INVALID, 3, "1 field, but the head line has 2"},
        {FEED_CSV, "a,b\n\"x\n\ny\",2\n3,4,5\n", ERR_INVALID, 5, "3 fields"},
        {FEED_CSV, "a,b\n1,2\n\n3,4\n", ERR_INVALID, 3, "1 field"},
        {FEED_CSV, "a\n\"x\n\n", ERR_INVALID, 2, "never closed"},
        {FEED_CSV, "a\n\"x\"y\n", ERR_INVALID, 2, "closing quote"},
        {FEED_CSV, "a\n1\nx\"y\n", ERR_INVALID, 3, "quote"},
        {FEED_CSV, "a\n1\rx\n", ERR_INVALID, 2, "carriage return"},
        {FEED_CSV, "a\n1\n\xff\n", ERR_INVALID, 3, "UTF-8"},
        {FEED_JSONL, "", ERR_INVALID, 0, "no row"},
        {FEED_JSONL, "\n \n", ERR_INVALID, 0, "no row"},
        {FEED_JSONL, "{}\n", ERR_INVALID, 0, "no row has a field"},
        {FEED_JSONL, "{\"a\":1}\n[1]\n", ERR_INVALID, 2, "object"},
        {FEED_JSONL, "{\"a\":1}\n\n{\"a\":1\n", ERR_SYNTAX, 3, ""},
        {FEED_JSONL, "{\"a\":1}{\"a\":2}\n", ERR_SYNTAX, 1, ""},
        {FEED_JSONL, "{\"a\":1,\"a\":2}\n", ERR_SYNTAX, 1, "uplicate"},
        {FEED_JSONL, "{\"\":1}\n", ERR_INVALID, 1, "no name"},
        {FEED_JSONL, "{\"a\":\"\xff\"}\n", ERR_SYNTAX, 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feed *f = NULL;
        struct err err = {0};

        int rc = parse(cases[i].text, cases[i].format, &f, &err);
        if (rc != cases[i].code || err.line != cases[i].line ||
            strstr(err.msg, cases[i].says) == NULL) {
            fail_msg("%s: %d, line %u: %s", cases[i].text, rc, err.line, err.msg);
        }
        assert_null(f);
        assert_int_equal(parse(cases[i].text, cases[i].format, &f, NULL), cases[i].code);
    }
}

static void a_nul_byte_is_refused(void **state)
{
    struct feed *f = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(feed_parse(STR("a\n1\n2\0\n"), FEED_CSV, &f, &err), ERR_INVALID);
    assert_int_equal(err.line, 3);
    assert_int_equal(feed_parse(STR("{\"a\":1\0}"), FEED_JSONL, &f, &err), ERR_INVALID);
}

static void columns_have_a_limit(void **state)
{
    struct buf text;
    struct feed *f = NULL;
    struct err err = {0};

    (void)state;
    buf_init(&text, 1 << 20);
    for (int i = 0; i <= FEED_COLUMNS_MAX; i++) {
        buf_printf(&text, "{\"c%d\":%d}\n", i, i);
    }
    assert_int_equal(feed_parse(buf_str(&text), FEED_JSONL, &f, &err), ERR_LIMIT);
    assert_int_equal(err.line, FEED_COLUMNS_MAX + 1);
    buf_clear(&text);
    for (int i = 0; i <= FEED_COLUMNS_MAX; i++) {
        buf_printf(&text, "c%d,", i);
    }
    assert_int_equal(feed_parse(buf_str(&text), FEED_CSV, &f, &err), ERR_LIMIT);
    buf_clear(&text);
}

static void sparse_rows_have_a_limit(void **state)
{
    struct buf text;
    struct feed *f = NULL;
    struct err err = {0};

    (void)state;
    buf_init(&text, 1 << 24);
    buf_add_c(&text, "{\"k\":1");
    for (int i = 1; i < FEED_COLUMNS_MAX; i++) {
        buf_printf(&text, ",\"c%d\":%d", i, i);
    }
    buf_add_c(&text, "}\n");
    for (int i = 0; i < FEED_CELLS_MAX / FEED_COLUMNS_MAX; i++) {
        buf_add_c(&text, "{}\n");
    }
    assert_int_equal(feed_parse(buf_str(&text), FEED_JSONL, &f, &err), ERR_LIMIT);
    buf_clear(&text);
}

static void fields_are_found(void **state)
{
    struct feed *f = NULL;

    (void)state;
    assert_int_equal(feed_parse(STR("id,name\n7,x\n"), FEED_CSV, &f, NULL), 0);
    assert_int_equal(feed_column(f, STR("name")), 1);
    assert_int_equal(feed_column(f, STR("nam")), -1);
    assert_int_equal(feed_column(f, STR("")), -1);
    feed_free(f);
    feed_free(NULL);
}

static void files_are_read(void **state)
{
    char dir[] = "/tmp/feed-XXXXXX";
    char path[64];
    struct feed *f = NULL;
    struct err err = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/users.csv", dir);
    assert_int_equal(feed_load(path, FEED_CSV, &f, &err), ERR_IO);
    assert_int_equal(file_write(path, STR("user\nalice\nbob\n"), &err), 0);
    assert_int_equal(feed_load(path, FEED_CSV, &f, &err), 0);
    assert_int_equal(feed_rows(f), 2);
    assert_int_equal(feed_columns(f), 1);
    feed_free(f);
    f = NULL;
    unlink(path);
    assert_int_equal(feed_load(dir, FEED_CSV, &f, &err), ERR_INVALID);
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody ever writes to it */
    assert_int_equal(feed_load(path, FEED_CSV, &f, &err), ERR_INVALID);
    assert_null(f);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files),
        cmocka_unit_test(bad_files_name_the_line),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(columns_have_a_limit),
        cmocka_unit_test(sparse_rows_have_a_limit),
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(files_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
