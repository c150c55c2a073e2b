/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "support/unit.h"
#include "support/wire_examples.h"
#include "wire/report.h"

enum { TEXT_MAX = 64 * 1024 };

static const char run_id[] = "run_0123456789abcdef";

static void test_heads_come_back(void **state)
{
    static const uint64_t seqs[] = {1, 127, 128, UINT32_MAX, UINT64_MAX};
    struct wire_report r;
    struct buf out;

    (void)state;
    buf_init(&out, TEXT_MAX);
    for (unsigned kind = WIRE_REPORT_READY; kind <= WIRE_REPORT_TOTALS; kind++) {
        for (size_t i = 0; i < sizeof seqs / sizeof seqs[0]; i++) {
            out.len = 0;
            assert_int_equal(wire_report_begin(&out, (enum wire_report_kind)kind, seqs[i], run_id),
                             0);
            buf_add_c(&out, "body");
            assert_int_equal(wire_report_decode(buf_str(&out), &r, NULL), 0);
            assert_int_equal(r.kind, kind);
            assert_true(r.seq == seqs[i]);
            assert_string_equal(r.run_id, run_id);
            assert_true(str_eq(r.body, STR("body")));
            assert_non_null(wire_report_name(kind));
        }
    }
    assert_null(wire_report_name(0));
    assert_null(wire_report_name(7));
    buf_clear(&out);
}

static void test_every_truncation_of_a_head_is_refused(void **state)
{
    struct wire_report r;
    struct wire_ack ack;
    struct buf out;

    (void)state;
    buf_init(&out, TEXT_MAX);
    wire_report_begin(&out, WIRE_REPORT_WINDOW, 1000, run_id);
    for (size_t len = 0; len < out.len; len++) {
        assert_int_equal(wire_report_decode((struct str){out.p, len}, &r, NULL), ERR_SYNTAX);
    }
    assert_int_equal(wire_report_decode((struct str){NULL, 0}, &r, NULL), ERR_SYNTAX);
    out.len = 0;
    wire_ack_encode(&out, run_id, 1000);
    for (size_t len = 0; len < out.len; len++) {
        assert_int_equal(wire_ack_decode((struct str){out.p, len}, &ack, NULL), ERR_SYNTAX);
    }
    assert_int_equal(wire_ack_decode(buf_str(&out), &ack, NULL), 0);
    assert_int_equal(ack.seq, 1000);
    assert_string_equal(ack.run_id, run_id);
    buf_add_c(&out, "x");
    assert_int_equal(wire_ack_decode(buf_str(&out), &ack, NULL), ERR_SYNTAX);
    buf_clear(&out);
}

static const struct refused {
    const char *bytes;
    size_t len;
    const char *text;
} refused[] = {
    {"\0\x01\x01r", 4, "a report: an unknown kind"},
    {"\x07\x01\x01r", 4, "a report: an unknown kind"},
    {"\x01\0\x01r", 4, "a report: it has no number"},
    {"\x01\x01\0", 3, "a report: a run id that is none"},
    {"\x01\x01\x02r\x1b", 5, "a report: a run id that is none"},
    {"\x01\x01\x02r\0", 5, "a report: a run id that is none"},
    {"\x01\x01\x03r/1", 6, "a report: a run id that is none"},
    {"\x01\x01\x41r", 4, "a report: a text that is too long"},
};

static void test_what_is_no_head_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct wire_report r;
        struct err err;
        struct str in = {refused[i].bytes, refused[i].len};

        assert_int_equal(wire_report_decode(in, &r, &err), ERR_SYNTAX);
        assert_string_equal(err.msg, refused[i].text);
    }
}

static void test_a_source_is_one_of_the_run(void **state)
{
    uint32_t source = 0;
    struct buf out;

    (void)state;
    buf_init(&out, TEXT_MAX);
    wire_source_encode(&out, 300);
    buf_add_c(&out, "window");
    struct str body = buf_str(&out);
    assert_int_equal(wire_source_decode(&body, 300, &source, NULL), ERR_SYNTAX);
    assert_int_equal(body.len, out.len);
    assert_int_equal(wire_source_decode(&body, 301, &source, NULL), 0);
    assert_int_equal(source, 300);
    assert_true(str_eq(body, STR("window")));
    body.len = 0;
    assert_int_equal(wire_source_decode(&body, 301, &source, NULL), ERR_SYNTAX);
    buf_clear(&out);
}

static void test_checks_come_back(void **state)
{
    struct check_list c = example_checks(), back;
    struct buf text;

    (void)state;
    buf_init(&text, TEXT_MAX);
    assert_int_equal(wire_checks_encode(&c, &text), 0);
    assert_int_equal(wire_checks_decode(buf_str(&text), &back, NULL), 0);
    buf_clear(&text); /* nothing points into it */
    assert_int_equal(back.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(back.items[i].name, c.items[i].name);
        assert_int_equal(back.items[i].ok, c.items[i].ok);
        assert_int_equal(back.items[i].latency_ns, c.items[i].latency_ns);
        assert_int_equal(back.items[i].code, c.items[i].code);
        assert_int_equal(back.items[i].number, c.items[i].number);
        assert_string_equal(back.items[i].message, c.items[i].message);
        assert_string_equal(back.items[i].remediation, c.items[i].remediation);
        assert_string_equal(back.requests[i].method, c.requests[i].method);
        assert_int_equal(back.requests[i].count, c.requests[i].count);
    }
    assert_int_equal(back.warning_count, 1);
    assert_string_equal(back.warnings[0], c.warnings[0]);
    assert_int_equal(back.request_count, 2);
    assert_string_equal(back.protocol_version, c.protocol_version);
    assert_string_equal(back.server_name, c.server_name);
    assert_string_equal(back.server_version, c.server_version);
}

/* Of a list that is as long as it can be, with the longest texts that a target can cause. */
static void test_the_longest_checks_come_back(void **state)
{
    static struct check_list c, back;
    struct buf text;

    (void)state;
    buf_init(&text, 1024 * 1024);
    c.count = c.warning_count = CHECKS_MAX;
    for (unsigned i = 0; i < CHECKS_MAX; i++) {
        c.items[i].name = "names";
        memset(c.items[i].message, 0xFF, sizeof c.items[i].message - 1);
        memset(c.items[i].remediation, '"', sizeof c.items[i].remediation - 1);
        memset(c.warnings[i], 0x01, sizeof c.warnings[i] - 1);
    }
    assert_int_equal(wire_checks_encode(&c, &text), 0);
    assert_int_equal(wire_checks_decode(buf_str(&text), &back, NULL), 0);
    assert_int_equal(strlen(back.items[15].remediation), 511);
    assert_int_equal(strlen(back.warnings[15]), 255);
    buf_clear(&text);
}

static int try_checks(const char *text, struct err *err)
{
    static struct check_list back;

    return wire_checks_decode(str_c(text), &back, err);
}

static void test_unknown_checks_are_refused(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(try_checks("{\"checks\":[],\"warnings\":[],\"requests\":[]}", &err), 0);
    assert_int_equal(try_checks("{\"checks\":[{\"name\":\"luck\",\"ok\":true,\"latency_ns\":1}],"
                                "\"warnings\":[],\"requests\":[]}",
                                &err),
                     ERR_INVALID);
    assert_string_equal(err.msg, "a check: \"name\" is not a word that is known there");
    assert_int_equal(
        try_checks("{\"checks\":[],\"warnings\":[],\"requests\":[1,2,3,4,5,6,7,8,9]}", &err),
        ERR_INVALID);
    assert_string_equal(err.msg, "checks: \"requests\" is not an array, or has too many members");
}

static void check_word(struct str word, bool is_method)
{
    char text[256];
    struct err err;

    if (is_method) {
        snprintf(text, sizeof text,
                 "{\"checks\":[],\"warnings\":[],\"requests\":[{\"method\":\"%.*s\",\"count\":1}]}",
                 STR_ARG(word));
    } else {
        snprintf(text, sizeof text,
                 "{\"checks\":[{\"name\":\"%.*s\",\"ok\":true,\"latency_ns\":1}],"
                 "\"warnings\":[],\"requests\":[]}",
                 STR_ARG(word));
    }
    if (try_checks(text, &err) != 0) {
        fail_msg("a word of engine/preflight.c is not in wire/report.c: %s in %s", err.msg, text);
    }
}

/* Each text in quotes behind `call`; how many there are. */
static unsigned each_word(const char *source, const char *call, bool is_method)
{
    unsigned count = 0;

    for (const char *p = source; (p = strstr(p, call)) != NULL; count++) {
        p += strlen(call);
        check_word((struct str){p, strcspn(p, "\"")}, is_method);
    }
    return count;
}

/* What the checks say has to be a word of the messages: both are written by hand. */
static void test_the_words_of_the_checks_are_known(void **state)
{
    struct buf source;

    (void)state;
    buf_init(&source, 1024 * 1024);
    assert_int_equal(file_read(SOURCE_DIR "/src/engine/preflight.c", &source, NULL), 0);
    const char *text = buf_c(&source);
    assert_true(each_word(text, "pass(p, \"", false) >= 4);
    assert_true(each_word(text, "fail(p, \"", false) >= 3);
    assert_true(each_word(text, "add_check(p, \"", false) >= 2);
    assert_true(each_word(text, "count_request(p, \"", true) >= 3);
    assert_true(each_word(text, "\n    {\"", true) >= 3); /* the rows of its lists */
    buf_clear(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_come_back),
        cmocka_unit_test(test_every_truncation_of_a_head_is_refused),
        cmocka_unit_test(test_what_is_no_head_is_refused),
        cmocka_unit_test(test_a_source_is_one_of_the_run),
        cmocka_unit_test(test_checks_come_back),
        cmocka_unit_test(test_the_longest_checks_come_back),
        cmocka_unit_test(test_unknown_checks_are_refused),
        cmocka_unit_test(test_the_words_of_the_checks_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
