/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/rng.h"
#include "support/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#define FFFD "\xef\xbf\xbd"

static void tells_the_place_of_a_fault(void **state)
{
    static const struct {
        const char *text;
        int code;
        unsigned line, col;
    } cases[] = {
        {"", ERR_SYNTAX, 1, 1},
        {"{\"a\":1,}", ERR_SYNTAX, 1, 8},
        {"{\n  \"a\": 1\n  \"b\": 2\n}", ERR_SYNTAX, 3, 5},
        {"{\"a\":1,\"a\":2}", ERR_SYNTAX, 1, 10},
        {"[1,2] x", ERR_SYNTAX, 1, 7},
        {"\"\xc3\"", ERR_SYNTAX, 1, 1},
        {"[01]", ERR_SYNTAX, 1, 2},
        {"[\"\xc3\xa4\xc3\xa4\", x]", ERR_SYNTAX, 1, 8}, /* columns count characters */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *out = NULL;
        struct err err = {0};

        assert_int_equal(json_parse(str_c(cases[i].text), 1000, &out, &err), cases[i].code);
        assert_null(out);
        assert_int_equal(err.line, cases[i].line);
        assert_in_range(err.col, cases[i].col, cases[i].col + 1);
        assert_true(strlen(err.msg) > 0);
        assert_int_equal(json_parse(str_c(cases[i].text), 1000, &out, NULL), cases[i].code);
    }
}

/* What an editor left out or put in unseen is named: nobody finds it by its place. */
static void names_what_cannot_be_seen(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "the text is empty"},
        {"\xef\xbb\xbf{}", "a byte order mark before the JSON text; save the file without it"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *out = NULL;
        struct err err = {0};

        assert_int_equal(json_parse(str_c(cases[i].text), 1000, &out, &err), ERR_SYNTAX);
        assert_string_equal(err.msg, cases[i].message);
        assert_int_equal(err.line, 1);
        assert_int_equal(err.col, 1);
    }
}

static void nest(struct buf *b, unsigned depth)
{
    b->len = 0;
    for (unsigned i = 0; i < depth; i++) {
        buf_add_c(b, "[");
    }
    for (unsigned i = 0; i < depth; i++) {
        buf_add_c(b, "]");
    }
}

static void limits_depth_and_size(void **state)
{
    struct buf b;
    json_t *out = NULL;
    struct err err;

    (void)state;
    buf_init(&b, 1 << 20);
    nest(&b, JSON_DEPTH_MAX);
    assert_int_equal(json_parse(buf_str(&b), 1 << 20, &out, &err), 0);
    json_decref(out);
    out = NULL;
    nest(&b, JSON_DEPTH_MAX + 2);
    assert_int_equal(json_parse(buf_str(&b), 1 << 20, &out, &err), ERR_LIMIT);
    nest(&b, 200000);
    assert_true(json_parse(buf_str(&b), 1 << 20, &out, &err) < 0);
    assert_int_equal(json_parse(STR("[1,2]"), 4, &out, &err), ERR_LIMIT);
    assert_null(out);
    assert_int_equal(json_parse(STR("[1,2]"), 5, &out, &err), 0);
    json_decref(out);
    buf_clear(&b);
}

static void replaces_what_is_no_utf8(void **state)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        {STR_INIT(""), "\"\""},
        {STR_INIT("a\"b\\c\n\r\t\x01\x1f"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\""},
        {STR_INIT("\0"), "\"\\u0000\""},
        {STR_INIT("\x7f"), "\"\x7f\""},
        {STR_INIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
         "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {STR_INIT("\x80"), "\"" FFFD "\""},
        {STR_INIT("\xc3"), "\"" FFFD "\""},
        {STR_INIT("\xc3x"), "\"" FFFD "x\""},
        {STR_INIT("\xc0\xaf"), "\"" FFFD FFFD "\""},                   /* overlong */
        {STR_INIT("\xed\xa0\x80"), "\"" FFFD FFFD FFFD "\""},          /* a surrogate */
        {STR_INIT("\xf4\x90\x80\x80"), "\"" FFFD FFFD FFFD FFFD "\""}, /* above U+10FFFF */
        {STR_INIT("\xff\xfe"), "\"" FFFD FFFD "\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b;

        buf_init(&b, 100);
        assert_int_equal(json_add_string(&b, cases[i].in), 0);
        assert_string_equal(buf_c(&b), cases[i].out);
        buf_clear(&b);
    }
}

/* Whatever bytes go in, what comes out is a JSON string. */
static void always_writes_valid_json(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10000);
    for (uint64_t n = 0; n < 3000; n++) {
        char bytes[24];
        json_t *out;

        for (size_t i = 0; i < sizeof bytes; i++) {
            uint64_t x = rng_at(n, i);
            static const char lead[] = "\xc3\xe0\xed\xf0\xf4\"\\a";
            bytes[i] = x % 2 == 0 ? lead[x / 2 % 8] : (char)(0x80 + x / 2 % 64);
        }
        b.len = 0;
        assert_int_equal(json_add_string(&b, (struct str){bytes, n % sizeof bytes}), 0);
        assert_int_equal(json_parse(buf_str(&b), 10000, &out, NULL), 0);
        json_decref(out);
    }
    buf_clear(&b);
}

static void a_string_that_does_not_fit_leaves_no_trace(void **state)
{
    (void)state;
    for (size_t max = 3; max < 3 + 8; max++) {
        struct buf b;

        buf_init(&b, max);
        buf_add_c(&b, "abc");
        assert_int_equal(json_add_string(&b, STR("1\n\xff\xc3\xa4")), ERR_LIMIT);
        assert_int_equal(b.len, 3);
        buf_clear(&b);
    }
}

static void writes_members_in_their_order(void **state)
{
    json_t *v = json_pack("{sisfsb}", "z", 1, "a", 0.1, "m", 1);
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_int_equal(json_write(v, &b), 0);
    assert_string_equal(buf_c(&b), "{\"z\":1,\"a\":0.1,\"m\":true}");
    b.len = 0;
    assert_int_equal(json_write_pretty(v, &b), 0);
    assert_string_equal(buf_c(&b), "{\n  \"z\": 1,\n  \"a\": 0.1,\n  \"m\": true\n}\n");
    buf_clear(&b);
    buf_init(&b, 5);
    assert_int_equal(json_write(v, &b), ERR_LIMIT);
    assert_int_equal(b.len, 0);
    buf_clear(&b);
    json_decref(v);
}

static void reads_and_replaces_files(void **state)
{
    char dir[] = "/tmp/mcpdrill-json-XXXXXX";
    struct buf path, text;
    struct err err;
    json_t *v = NULL;

    (void)state;
    assert_non_null(mkdtemp(dir));
    buf_init(&path, 200);
    buf_init(&text, 8);
    buf_printf(&path, "%s/file.json", dir);
    const char *p = buf_c(&path);
    assert_int_equal(file_read(p, &text, &err), ERR_IO);
    assert_true(err.sys != 0);
    assert_int_equal(file_write(p, STR("[1]"), &err), 0);
    assert_int_equal(json_parse_file(p, 100, &v, &err), 0);
    json_decref(v);
    assert_int_equal(file_write(p, STR("123456789"), &err), 0);
    assert_int_equal(file_read(p, &text, &err), ERR_LIMIT);
    assert_int_equal(file_write("/nonexistent/x", STR("a"), &err), ERR_IO);
    unlink(p);
    assert_int_equal(rmdir(dir), 0); /* no temporary file was left */
    buf_clear(&path);
    buf_clear(&text);
}

static void a_nul_byte_is_no_json(void **state)
{
    static const char text[] = "{\"a\":\n 1\0}";
    json_t *out = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(json_parse((struct str){text, sizeof text - 1}, 100, &out, &err), ERR_SYNTAX);
    assert_null(out);
    assert_non_null(strstr(err.msg, "NUL"));
    assert_int_equal(err.line, 2);
}

static void wide_integers_are_taken_from_others(void **state)
{
    static const char text[] = "{\"id\":18446744073709551615,\"n\":7}";
    json_t *out = NULL;

    (void)state;
    assert_int_equal(json_parse(str_c(text), 100, &out, NULL), ERR_SYNTAX);
    assert_int_equal(json_parse_wide(str_c(text), 100, &out, NULL), 0);
    assert_true(json_number_value(json_object_get(out, "id")) > 1.8e19);
    assert_true(json_number_value(json_object_get(out, "n")) > 6.9);
    json_decref(out);
    assert_int_equal(json_parse_wide(str_c("{\"n\":9007199254740993}"), 100, &out, NULL), 0);
    assert_int_equal(json_integer_value(json_object_get(out, "n")), 9007199254740993);
    json_decref(out);
    out = NULL;
    assert_int_equal(json_parse_wide(str_c("[1e999]"), 100, &out, NULL), ERR_SYNTAX);
    assert_int_equal(json_parse_wide(str_c("[1"), 100, &out, NULL), ERR_SYNTAX);
    assert_null(out);
}

/* What is no text says so, and a pipe without a writer does not keep us waiting. */
static void test_what_is_no_file(void **state)
{
    char dir[] = "/tmp/unit_json_XXXXXX", fifo[64];
    struct err err = {0};
    struct buf text;

    (void)state;
    buf_init(&text, 100);
    assert_non_null(mkdtemp(dir));
    snprintf(fifo, sizeof fifo, "%s/fifo", dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(file_read("", &text, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "without a name"));
    assert_int_equal(file_read(dir, &text, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "it is a folder"));
    assert_int_equal(file_read(fifo, &text, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "nobody writes to it"));
    /* One with a writer is read to its end. */
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "{}", 2), 2);
    close(fds[1]);
    snprintf(fifo, sizeof fifo, "/dev/fd/%d", fds[0]);
    assert_int_equal(file_read(fifo, &text, &err), 0);
    assert_true(str_eq(buf_str(&text), STR("{}")));
    close(fds[0]);
    buf_clear(&text);
    snprintf(fifo, sizeof fifo, "%s/fifo", dir);
    unlink(fifo);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(a_nul_byte_is_no_json),
        cmocka_unit_test(wide_integers_are_taken_from_others),
        cmocka_unit_test(tells_the_place_of_a_fault),
        cmocka_unit_test(names_what_cannot_be_seen),
        cmocka_unit_test(limits_depth_and_size),
        cmocka_unit_test(replaces_what_is_no_utf8),
        cmocka_unit_test(always_writes_valid_json),
        cmocka_unit_test(a_string_that_does_not_fit_leaves_no_trace),
        cmocka_unit_test(writes_members_in_their_order),
        cmocka_unit_test(reads_and_replaces_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
