/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "support/unit.h"
#include "wire/frame.h"

enum { STREAM_MAX = 1024 };

/* Three frames: an empty payload, a short one, one with bytes that look like a head. */
static void make_stream(struct buf *out)
{
    buf_init(out, STREAM_MAX);
    assert_int_equal(wire_frame_add(out, WIRE_PULSE, STR("")), 0);
    assert_int_equal(wire_frame_add(out, WIRE_HELLO, STR("{\"a\":1}")), 0);
    assert_int_equal(wire_frame_add(out, WIRE_REPORT, STR("\x01\0\0\0\x05")), 0);
}

/* Each frame as "kind:payload;", and whether the stream may end there. */
static void feed(struct wire_reader *r, const char *p, size_t len, struct buf *log)
{
    char *copy = xmalloc(len > 0 ? len : 1); /* a read beyond the piece is seen */
    const char *at = copy, *end = copy + len;
    struct wire_frame frame;
    struct err err;
    int rc;

    memcpy(copy, p, len);
    while ((rc = wire_reader_next(r, &at, end, &frame, &err)) == WIRE_READ) {
        assert_true(wire_reader_idle(r));
        buf_printf(log, "%s:", wire_kind_name(frame.kind));
        buf_add_str(log, frame.payload);
        buf_add_c(log, ";");
    }
    assert_int_equal(rc, WIRE_MORE);
    assert_ptr_equal(at, end);
    xfree(copy);
}

static void test_every_split(void **state)
{
    static const char expected[] = "pulse:;hello:{\"a\":1};report:\x01\0\0\0\x05;";
    struct buf stream;

    (void)state;
    make_stream(&stream);
    for (size_t a = 0; a <= stream.len; a++) {
        for (size_t b = a; b <= stream.len; b++) {
            struct wire_reader r;
            struct buf log;

            buf_init(&log, STREAM_MAX);
            wire_reader_init(&r, WIRE_FRAME_MAX);
            feed(&r, stream.p, a, &log);
            feed(&r, stream.p + a, b - a, &log);
            feed(&r, stream.p + b, stream.len - b, &log);
            assert_int_equal(log.len, sizeof expected - 1);
            assert_memory_equal(log.p, expected, log.len);
            assert_true(wire_reader_idle(&r));
            wire_reader_clear(&r);
            buf_clear(&log);
        }
    }
    buf_clear(&stream);
}

static void test_an_incomplete_frame_is_no_end(void **state)
{
    struct buf stream, log;

    (void)state;
    make_stream(&stream);
    buf_init(&log, STREAM_MAX);
    for (size_t len = 0; len <= stream.len; len++) {
        struct wire_reader r;
        bool at_boundary = len == 0 || len == 5 || len == 17 || len == stream.len;

        wire_reader_init(&r, WIRE_FRAME_MAX);
        feed(&r, stream.p, len, &log);
        assert_int_equal(wire_reader_idle(&r), at_boundary);
        wire_reader_clear(&r);
    }
    buf_clear(&log);
    buf_clear(&stream);
}

static const struct refused {
    const char *bytes;
    size_t len, max;
    int code;
    const char *text;
} refused[] = {
    {"\0\0\0\0", 4, 100, ERR_SYNTAX, "a frame without a kind"},
    {"\x65\0\0\0", 4, 100, ERR_LIMIT, "a frame of 101 bytes, at most 100 are read"},
    {"\xff\xff\xff\xff", 4, WIRE_FRAME_MAX, ERR_LIMIT,
     "a frame of 4294967295 bytes, at most 67108864 are read"},
    {"\x64\0\0\0\x09", 5, 100, ERR_SYNTAX, "a frame of the unknown kind 9"},
    {"\x01\0\0\0\0", 5, 100, ERR_SYNTAX, "a frame of the unknown kind 0"},
};

/* As soon as it is known, in pieces of any size, and from then on. */
static void test_what_is_no_frame_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        for (size_t split = 0; split < refused[i].len; split++) {
            struct wire_reader r;
            struct wire_frame frame;
            struct err err = {0};
            const char *p = refused[i].bytes, *end = p + refused[i].len;

            wire_reader_init(&r, refused[i].max);
            assert_int_equal(wire_reader_next(&r, &p, p + split, &frame, &err), WIRE_MORE);
            assert_int_equal(wire_reader_next(&r, &p, end, &frame, &err), refused[i].code);
            assert_string_equal(err.msg, refused[i].text);
            p = end;
            assert_int_equal(wire_reader_next(&r, &p, end, &frame, &err), ERR_SYNTAX);
            wire_reader_clear(&r);
        }
    }
}

/* A length alone costs nothing, and what a large frame needed is given back. */
static void test_memory_follows_what_came(void **state)
{
    size_t size = (size_t)8 * 1024 * 1024;
    struct wire_reader r;
    struct wire_frame frame;
    struct buf stream;

    (void)state;
    buf_init(&stream, 2 * size);
    char *payload = xcalloc(size, 1);
    assert_int_equal(wire_frame_add(&stream, WIRE_REPORT, (struct str){payload, size}), 0);
    wire_reader_init(&r, WIRE_FRAME_MAX);
    const char *p = stream.p, *end = stream.p + stream.len;
    assert_int_equal(wire_reader_next(&r, &p, p + 100, &frame, NULL), WIRE_MORE);
    assert_true(r.rest.cap < 1024);
    assert_int_equal(wire_reader_next(&r, &p, end, &frame, NULL), WIRE_READ);
    assert_int_equal(frame.payload.len, size);
    assert_int_equal(wire_reader_next(&r, &p, end, &frame, NULL), WIRE_MORE);
    assert_int_equal(r.rest.cap, 0);
    wire_reader_clear(&r);
    buf_clear(&stream);
    xfree(payload);
}

static void test_a_full_buffer_is_left_as_it_was(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 20);
    assert_int_equal(wire_frame_add(&out, WIRE_ACK, STR("12345")), 0);
    assert_int_equal(wire_frame_add(&out, WIRE_ACK, STR("123456")), ERR_LIMIT);
    assert_int_equal(wire_frame_add(&out, WIRE_ACK, STR("12345")), 0);
    assert_int_equal(out.len, 20);
    buf_clear(&out);
}

static void test_another_major_version_is_refused(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(wire_check_major(WIRE_MAJOR, &err), 0);
    assert_int_equal(wire_check_major(7, &err), ERR_UNSUPPORTED);
    assert_string_equal(err.msg,
                        "messages of version 7.x on one side and 1.0 on the other do not fit; take "
                        "the same version of mcpdrill for control plane and workers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_an_incomplete_frame_is_no_end),
        cmocka_unit_test(test_what_is_no_frame_is_refused),
        cmocka_unit_test(test_memory_follows_what_came),
        cmocka_unit_test(test_a_full_buffer_is_left_as_it_was),
        cmocka_unit_test(test_another_major_version_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
