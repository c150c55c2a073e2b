/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/rng.h"
#include "metrics/signature.h"
#include "support/unit.h"

static void check(const char *in, const char *want)
{
    char out[SIGNATURE_MAX + 1];
    size_t n = signature_mask(str_c(in), out, SIGNATURE_MAX);

    out[n] = '\0';
    assert_string_equal(out, want);
}

static void test_masks(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"connection refused", "connection refused"},
        {"session 550e8400-e29b-41d4-a716-446655440000 is gone", "session <UUID> is gone"},
        {"{550E8400-E29B-41D4-A716-446655440000}", "{<UUID>}"},
        {"x550e8400-e29b-41d4-a716-446655440000", "x<NUM>e<NUM>-e<NUM>b-<NUM>d<NUM>-a<NUM>-<NUM>"},
        {"at 2026-03-01T12:00:05.123456Z", "at <TS>"},
        {"at 2026-03-01T12:00:05+01:00, late", "at <TS>, late"},
        {"at 2026-03-01 12:00 it broke", "at <TS> it broke"},
        {"version 2025-11-25", "version <NUM>-<NUM>-<NUM>"},
        {"dial 10.0.0.1:9000 failed", "dial <IP>:<NUM> failed"},
        {"error:10.0.0.1.", "error:<IP>."},
        {"host 999.1.1.1", "host <NUM>.<NUM>.<NUM>.<NUM>"},
        {"peer [::1]:80", "peer [<IP>]:<NUM>"},
        {"peer fe80::1ff:fe23:4567:890a down", "peer <IP> down"},
        {"mapped ::ffff:10.1.2.3", "mapped <IP>"},
        {"1:2:3:4:5:6:7:8", "<IP>"},
        {"std::dead::beef", "std::dead::beef"},
        {"at 12:30:45", "at <NUM>:<NUM>:<NUM>"},
        {"open /var/lib/data-1.db: no such file", "open <PATH>: no such file"},
        {"GET /users/550e8400-e29b-41d4-a716-446655440000/x?page=3 failed", "GET <PATH> failed"},
        {"http://10.0.0.1:9000/mcp", "http://<IP>:<NUM><PATH>"},
        {"http://host.example/mcp said no", "http://host.example<PATH> said no"},
        {"unexpected type text/html", "unexpected type text/html"},
        {"yes / no", "yes / no"},
        {"500 internal, retry 3", "<NUM> internal, retry <NUM>"},
        {"a\tb\nc\x1b[31m", "a b c [<NUM>m"},
        {"Größe 12", "Größe <NUM>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(rows[i][0], rows[i][1]);
    }
}

static void test_two_occurrences_are_one_signature(void **state)
{
    (void)state;
    check("order 17 of 10.1.1.1 at /srv/a timed out after 30 s",
          "order <NUM> of <IP> at <PATH> timed out after <NUM> s");
    check("order 4711 of fd00::7 at /srv/b/c timed out after 5 s",
          "order <NUM> of <IP> at <PATH> timed out after <NUM> s");
}

static void test_long_text_is_cut_at_a_character(void **state)
{
    char in[2000], out[SIGNATURE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof in; i++) {
        in[i] = "é"[i % 2];
    }
    /* 159 is odd: the last half of a character stays out. */
    assert_int_equal(signature_mask((struct str){in, sizeof in}, out, 159), 158);
    assert_int_equal(signature_sample((struct str){in, sizeof in}, out, 159), 158);
    memset(in, 0x80, sizeof in);
    assert_int_equal(signature_sample((struct str){in, sizeof in}, out, 159), 159);
    memset(in, '1', sizeof in);
    assert_int_equal(signature_mask((struct str){in, sizeof in}, out, sizeof out), 5);
    for (size_t i = 0; i < sizeof in; i++) {
        in[i] = i % 2 == 0 ? '1' : ' ';
    }
    assert_int_equal(signature_mask((struct str){in, sizeof in}, out, sizeof out), sizeof out);
}

static void test_no_message(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(signature_mask((struct str){NULL, 0}, out, sizeof out), 0);
    assert_int_equal(signature_sample((struct str){NULL, 0}, out, sizeof out), 0);
}

/* Any bytes: exact allocations let the sanitizer see each overrun. */
static void test_random_bytes(void **state)
{
    static const char alphabet[] = "0123456789abcdefF-:./<>T Z+[]\"\x01\x80\xC3";

    (void)state;
    for (uint64_t round = 0; round < 3000; round++) {
        uint64_t seed = rng_sub(5, round);
        size_t len = (size_t)rng_below(rng_at(seed, 0), 700);
        size_t size = (size_t)rng_below(rng_at(seed, 1), SIGNATURE_MAX + 1);
        char *in = xmalloc(len + 1), *out = xmalloc(size + 1);

        for (size_t i = 0; i < len; i++) {
            in[i] = alphabet[rng_below(rng_at(seed, 2 + i), sizeof alphabet)];
        }
        assert_true(signature_mask((struct str){in, len}, out, size) <= size);
        assert_true(signature_sample((struct str){in, len}, out, size) <= size);
        xfree(in);
        xfree(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_two_occurrences_are_one_signature),
        cmocka_unit_test(test_long_text_is_cut_at_a_character),
        cmocka_unit_test(test_no_message),
        cmocka_unit_test(test_random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
