/* SPDX-License-Identifier: MIT */
#include "base/digest.h"
#include "support/unit.h"

/* FIPS 180-2 and RFC 1321 publish these. */
static void knows_published_digests(void **state)
{
    char out[DIGEST_HEX_MAX + 1], sha[65];

    (void)state;
    digest_sha256_hex(STR("abc"), sha);
    assert_string_equal(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256_hex((struct str){NULL, 0}, sha);
    assert_string_equal(sha, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(digest_hex("MD5", STR("abc"), out));
    assert_string_equal(out, "900150983cd24fb0d6963f7d28e17f72");
    assert_true(digest_hex("sha512", STR("abc"), out));
    assert_int_equal(strlen(out), DIGEST_HEX_MAX);
    assert_false(digest_hex("no-such-digest", STR("abc"), out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(knows_published_digests)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
