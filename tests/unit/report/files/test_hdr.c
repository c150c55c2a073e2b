/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/rng.h"
#include "report/files/hdr.h"
#include "support/unit.h"

/* ---- numbers ----------------------------------------------------------------------------------
 */

static void test_numbers(void **state)
{
    static const struct {
        int64_t n;
        size_t len;
        unsigned char bytes[HDR_NUMBER_BYTES];
    } rows[] = {
        {0, 1, {0x00}},
        {1, 1, {0x02}},
        {-2, 1, {0x03}},
        {-3, 1, {0x05}},
        {63, 1, {0x7e}},
        {64, 2, {0x80, 0x01}},
        {-65, 2, {0x81, 0x01}},
        {300, 2, {0xd8, 0x04}},
        {-503, 2, {0xed, 0x07}},
        {8192, 3, {0x80, 0x80, 0x01}},
        {INT64_C(1) << 31, 5, {0x80, 0x80, 0x80, 0x80, 0x10}},
        {INT64_C(1) << 62, 9, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}},
        {INT64_MIN, 9, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
        {INT64_MAX, 9, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char bytes[HDR_NUMBER_BYTES];
        int64_t n = 77;

        assert_int_equal(hdr_put_number(rows[i].n, bytes), rows[i].len);
        assert_memory_equal(bytes, rows[i].bytes, rows[i].len);
        assert_int_equal(hdr_get_number(bytes, rows[i].len, &n), rows[i].len);
        assert_true(n == rows[i].n);
        /* Every beginning of it is no number. */
        for (size_t len = 0; len < rows[i].len; len++) {
            assert_int_equal(hdr_get_number(bytes, len, &n), 0);
        }
    }
}

/* ---- bodies -----------------------------------------------------------------------------------
 */

static struct hist_total *total_of(const uint64_t *values, size_t count)
{
    struct hist_total *t = hist_total_new();
    struct hist *h = hist_new();

    for (size_t i = 0; i < count; i++) {
        hist_record(h, values[i]);
    }
    hist_total_add(t, h);
    hist_free(h);
    return t;
}

static void assert_body(const struct hist_total *t, const char *payload, size_t len)
{
    static const unsigned char head[HDR_HEAD_BYTES] = {
        0x1c, 0x84, 0x93, 0x13, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0,
        0,    2,    0,    0,    0,    0,    0, 0, 0, 1, 0, 0, 3, 0xff,
        0xff, 0xff, 0xff, 0xff, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0};
    unsigned char want[HDR_HEAD_BYTES];
    struct buf body;

    memcpy(want, head, sizeof want);
    want[7] = (unsigned char)len;
    buf_init(&body, 1 << 16);
    assert_int_equal(hdr_write_body(t, &body), 0);
    assert_int_equal(body.len, HDR_HEAD_BYTES + len);
    assert_memory_equal(body.p, want, sizeof want);
    if (len > 0) {
        assert_memory_equal(body.p + HDR_HEAD_BYTES, payload, len);
    }
    buf_clear(&body);
}

/* Text and back: the same buckets. */
static void assert_round_trip(const struct hist_total *t)
{
    struct hist_total *back = hist_total_new();
    struct hdr h = {0};
    struct err err = {0};
    struct buf text;

    buf_init(&text, 1 << 20);
    assert_int_equal(hdr_write_text(t, &text), 0);
    assert_memory_equal(text.p, "HISTFAAA", 8);
    if (hdr_read_text(buf_str(&text), &h, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(h.digits, 2);
    assert_int_equal(h.count_len, HIST_BUCKETS);
    hdr_add_to(&h, back);
    assert_int_equal(back->head.count, t->head.count);
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        assert_int_equal(hist_total_bucket(back, i), hist_total_bucket(t, i));
    }
    assert_int_equal(back->head.overflow, 0);
    hdr_clear(&h);
    buf_clear(&text);
    hist_total_free(back);
}

static void test_bodies(void **state)
{
    static const uint64_t few[] = {1, 2, 2, 1000};
    uint64_t many[301];

    (void)state;
    struct hist_total *t = total_of(NULL, 0);
    assert_body(t, "", 0);
    assert_round_trip(t);
    hist_total_free(t);

    t = total_of(few, 4);
    assert_body(t, "\x00\x02\x04\xed\x07\x02", 6);
    assert_round_trip(t);
    hist_total_free(t);

    many[0] = 1000000;
    for (size_t i = 1; i < 301; i++) {
        many[i] = 1000000000;
    }
    t = total_of(many, 301);
    assert_body(t, "\xe7\x1b\x02\xf1\x13\xd8\x04", 7);
    assert_round_trip(t);
    hist_total_free(t);

    many[0] = 0;
    many[1] = HIST_VALUE_MAX;
    t = total_of(many, 2);
    assert_round_trip(t);
    hist_total_free(t);
}

static void test_a_known_text(void **state)
{
    struct hdr h = {0};
    struct err err = {0};
    struct hist_total *t = hist_total_new();

    (void)state;
    assert_int_equal(
        hdr_read_text(STR("HISTFAAAACR4nJNpmSzMwMDAxgABTFCakYGB+T8I2H+AybC8ZWcCAKGYCHk="), &h,
                      &err),
        0);
    hdr_add_to(&h, t);
    assert_int_equal(t->head.count, 4);
    assert_int_equal(t->head.min, 1);
    assert_int_equal(t->head.max, 1003);
    assert_int_equal(hist_quantile(t, 500000, 0).value_ns, 2);
    hdr_clear(&h);
    hist_total_free(t);
}

/* ---- other parameters -------------------------------------------------------------------------
 */

static void test_other_parameters(void **state)
{
    static const struct {
        unsigned digits;
        uint64_t highest;
        uint32_t counts;
    } rows[] = {
        {3, UINT64_C(60000000), 17408},
        {3, UINT64_C(3600000000), 23552},
        {2, UINT64_C(3600000000000), 4608},
        {2, HIST_VALUE_MAX, HIST_BUCKETS},
    };
    static const struct {
        uint64_t value;
        uint32_t index;
    } places[] = {{2047, 2047}, {2048, 2048}, {1000000, 11169}, {1000000000, 21363}};
    struct hdr h = {0};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(hdr_make(rows[i].digits, 1, rows[i].highest, &h, &err), 0);
        assert_int_equal(h.count_len, rows[i].counts);
        hdr_clear(&h);
    }
    assert_int_equal(hdr_make(3, 1, UINT64_C(3600000000), &h, &err), 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        assert_int_equal(hdr_index(&h, places[i].value), places[i].index);
    }
    assert_int_equal(hdr_low(&h, 11169), 999936);
    assert_int_equal(hdr_width(&h, 11169), 512);
    assert_int_equal(hdr_index(&h, UINT64_MAX), HDR_COUNTS_MAX);
    for (uint32_t i = 0; i < h.count_len; i++) {
        assert_int_equal(hdr_index(&h, hdr_low(&h, i)), i);
        assert_int_equal(hdr_index(&h, hdr_low(&h, i) + (hdr_width(&h, i) - 1)), i);
    }
    h.counts[11169] = 5;
    struct hist_total *t = hist_total_new();
    hdr_add_to(&h, t);
    assert_int_equal(t->head.count, 5);
    assert_int_equal(t->head.min, 999936);
    assert_int_equal(t->head.max, 1000447);
    assert_int_equal(hist_total_bucket(t, hist_index(1000192)), 5);
    hist_total_free(t);
    hdr_clear(&h);
}

static void test_our_layout_is_theirs(void **state)
{
    struct hdr h = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(hdr_make(2, 1, HIST_VALUE_MAX, &h, &err), 0);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        assert_true(hdr_low(&h, i) == hist_low(i));
        assert_int_equal(hdr_index(&h, hist_high(i)), i);
    }
    hdr_clear(&h);
}

/* ---- hostile texts ----------------------------------------------------------------------------
 */

static void make_head(unsigned char *head, uint32_t len, uint32_t digits, uint64_t highest)
{
    memset(head, 0, HDR_HEAD_BYTES);
    memcpy(head, "\x1c\x84\x93\x13", 4);
    head[4] = (unsigned char)(len >> 24);
    head[7] = (unsigned char)len;
    head[15] = (unsigned char)digits;
    head[23] = 1;
    for (int i = 0; i < 8; i++) {
        head[24 + i] = (unsigned char)(highest >> (56 - 8 * i));
    }
}

static void
assert_bad_body(uint32_t said, uint32_t digits, uint64_t highest, struct str payload, int want)
{
    unsigned char bytes[HDR_HEAD_BYTES + 64];
    struct hdr h = {0};
    struct err err = {0};

    make_head(bytes, said, digits, highest);
    memcpy(bytes + HDR_HEAD_BYTES, payload.p, payload.len);
    assert_int_equal(
        hdr_read_body((struct str){(char *)bytes, HDR_HEAD_BYTES + payload.len}, &h, &err), want);
    assert_null(h.counts);
}

static void test_hostile_bodies(void **state)
{
    (void)state;
    assert_bad_body(0, 0, 1000, STR(""), ERR_INVALID);
    assert_bad_body(0, 6, 1000, STR(""), ERR_INVALID);
    assert_bad_body(0, 200, 1000, STR(""), ERR_INVALID);
    assert_bad_body(0, 2, 1, STR(""), ERR_INVALID);
    assert_bad_body(0, 2, UINT64_MAX, STR(""), ERR_INVALID);
    assert_bad_body(1, 2, 1000, STR(""), ERR_SYNTAX);
    assert_bad_body(0, 2, 1000, STR("\x02"), ERR_SYNTAX);
    assert_bad_body(0xff000000u, 2, 1000, STR("\x02"), ERR_SYNTAX);
    /* A number without its end; a run past the last bucket, the largest one included. */
    assert_bad_body(1, 2, 1000, STR("\x80"), ERR_SYNTAX);
    assert_bad_body(3, 2, 1000, STR("\xff\xff\x7f"), ERR_SYNTAX);
    assert_bad_body(9, 2, 1000, STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), ERR_SYNTAX);
    /* Two counts whose sum is none. */
    assert_bad_body(18, 2, 1000,
                    STR("\xfe\xff\xff\xff\xff\xff\xff\xff\xff"
                        "\xfe\xff\xff\xff\xff\xff\xff\xff\xff"),
                    ERR_SYNTAX);
}

static void test_hostile_texts(void **state)
{
    static const char *const texts[] = {
        "",
        "=",
        "====",
        "HISTFAAA",
        "HISTFAAAAAA=",
        "HISTFAAA////",
        "not base64 at all!!!",
        "HISTFAAAACR4nJNpmSzMwMDAxgABTFCakYGB+T8I2H+AybC8ZWcCAKGYCHk",
        "HISTFAAAACR4nJNpmSzMwMDAxgABTFCakYGB+T8I2H+AybC8ZWcCAKGYCH==",
        "HISTFAAAACR4nJNpmSzMwMDAxgABTFCakYGB+T8I2H+AybC8ZWcAAAAAAAA=",
    };
    struct hdr h = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err err = {0};

        if (hdr_read_text(str_c(texts[i]), &h, &err) == 0) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
        assert_null(h.counts);
        assert_true(err.msg[0] != '\0');
    }
}

/* Whatever is done to the bytes: refused, or a histogram. */
static void test_mutations(void **state)
{
    static const uint64_t values[] = {1, 2, 2, 1000, 1000000, 77, 4000000000};
    struct hist_total *t = total_of(values, sizeof values / sizeof values[0]);
    struct buf body, text;
    unsigned taken = 0;

    (void)state;
    buf_init(&body, 1 << 16);
    buf_init(&text, 1 << 16);
    assert_int_equal(hdr_write_body(t, &body), 0);
    assert_int_equal(hdr_write_text(t, &text), 0);
    for (uint64_t i = 0; i < 4000; i++) {
        struct buf *b = i % 2 == 0 ? &body : &text;
        size_t at = rng_below(rng_at(1, i), b->len);
        char kept = b->p[at];
        struct hdr h = {0};
        struct err err = {0};

        b->p[at] = (char)rng_at(2, i);
        int rc =
            i % 2 == 0 ? hdr_read_body(buf_str(b), &h, &err) : hdr_read_text(buf_str(b), &h, &err);
        b->p[at] = kept;
        assert_true((rc == 0) == (h.counts != NULL));
        taken += rc == 0;
        hdr_clear(&h);
    }
    assert_true(taken > 0);
    buf_clear(&body);
    buf_clear(&text);
    hist_total_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_a_known_text),
        cmocka_unit_test(test_other_parameters),
        cmocka_unit_test(test_our_layout_is_theirs),
        cmocka_unit_test(test_hostile_bodies),
        cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_mutations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
