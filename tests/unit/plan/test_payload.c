/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "base/json.h"
#include "base/rng.h"
#include "plan/payload.h"
#include "support/unit.h"

static const char *const kinds[] = {"text", "json", "binary"};

static struct plan_payload *
make(struct payload_config *c, enum payload_kind kind, uint64_t min, uint64_t max)
{
    *c = (struct payload_config){
        .profile_id = kinds[kind], .kind = kind, .min_bytes = min, .max_bytes = max};
    return payload_new(c, 7);
}

/* The bytes that a base64 text stands for; -1: it is none. */
static long raw_bytes(const char *s, size_t len)
{
    size_t padding = 0;

    for (size_t i = 0; i < len; i++) {
        bool letter = (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') ||
                      (s[i] >= '0' && s[i] <= '9') || s[i] == '+' || s[i] == '/';
        if (s[i] == '=' && i + 2 >= len) {
            padding++;
        } else if (!letter || padding > 0) {
            return -1;
        }
    }
    return len % 4 == 0 ? (long)(len / 4 * 3 - padding) : -1;
}

/* As a value, or as part of the string "<…>": valid JSON of the right size. */
static void check(const struct plan_payload *p, enum payload_kind kind, uint64_t draw, size_t size)
{
    struct buf out;
    json_t *whole = NULL, *part = NULL;

    buf_init(&out, 1 << 24);
    assert_int_equal(payload_write(p, draw, true, &out), 0);
    assert_int_equal(json_parse(buf_str(&out), 1 << 24, &whole, NULL), 0);
    size_t len = kind == PAYLOAD_JSON ? out.len : json_string_length(whole);
    if (kind == PAYLOAD_BINARY) {
        assert_int_equal(raw_bytes(json_string_value(whole), len), size);
    } else {
        assert_int_equal(len, size);
    }
    assert_int_equal(json_is_object(whole), kind == PAYLOAD_JSON);
    buf_clear(&out);
    buf_add_c(&out, "\"<");
    assert_int_equal(payload_write(p, draw, false, &out), 0);
    buf_add_c(&out, ">\"");
    assert_int_equal(json_parse(buf_str(&out), 1 << 24, &part, NULL), 0);
    assert_int_equal(json_string_length(part), len + 2);
    json_decref(whole);
    json_decref(part);
    buf_clear(&out);
}

static void sizes_are_exact(void **state)
{
    static const size_t sizes[] = {0,  1,  2,  3,   4,    5,      6,      7,      8,      9,
                                   10, 11, 64, 100, 4096, 262143, 262144, 262145, 1000001};

    (void)state;
    for (int kind = PAYLOAD_TEXT; kind <= PAYLOAD_BINARY; kind++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct payload_config c;
            struct plan_payload *p = make(&c, (enum payload_kind)kind, sizes[i], sizes[i]);
            size_t least = kind == PAYLOAD_JSON ? 2 : 0;

            check(p, c.kind, i, sizes[i] < least ? least : sizes[i]);
            payload_free(p);
        }
    }
}

static void sizes_spread_evenly(void **state)
{
    struct payload_config c;
    struct plan_payload *p = make(&c, PAYLOAD_TEXT, 10, 19);
    unsigned seen[10] = {0};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (uint64_t i = 0; i < 10000; i++) {
        out.len = 0;
        assert_int_equal(payload_write(p, rng_at(1, i), false, &out), 0);
        assert_in_range(out.len, 10, 19);
        seen[out.len - 10]++;
    }
    for (size_t i = 0; i < 10; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    buf_clear(&out);
    payload_free(p);
}

static void a_draw_says_what_is_in_it(void **state)
{
    struct payload_config c;
    struct plan_payload *p = make(&c, PAYLOAD_BINARY, 1000, 1000);
    struct buf a, b;

    (void)state;
    buf_init(&a, 1 << 16);
    buf_init(&b, 1 << 16);
    payload_write(p, 1, false, &a);
    payload_write(p, 1, false, &b);
    assert_true(str_eq(buf_str(&a), buf_str(&b)));
    b.len = 0;
    payload_write(p, 2, false, &b);
    assert_false(str_eq(buf_str(&a), buf_str(&b)));
    buf_clear(&a);
    buf_clear(&b);
    payload_free(p);
}

static void what_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    for (int kind = PAYLOAD_TEXT; kind <= PAYLOAD_BINARY; kind++) {
        struct payload_config c;
        struct plan_payload *p = make(&c, (enum payload_kind)kind, 100, 100);

        for (size_t max = 0; max < 100; max++) {
            struct buf out;

            buf_init(&out, max);
            assert_int_equal(payload_write(p, 1, max % 2 == 0, &out), ERR_LIMIT);
            assert_int_equal(out.len, 0);
            buf_clear(&out);
        }
        payload_free(p);
    }
    payload_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_exact),
        cmocka_unit_test(sizes_spread_evenly),
        cmocka_unit_test(a_draw_says_what_is_in_it),
        cmocka_unit_test(what_does_not_fit_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
