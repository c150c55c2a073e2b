/* SPDX-License-Identifier: MIT */
/* Any answer against verifiers that look everywhere: what they say of it is one safe line. */
#include "base/json.h"
#include "fuzz/fuzz.h"
#include "plan/verify.h"

static const struct check_config checks[] = {
    {.id = "range", .pointer = "/content/0/text/value", .has_min = true, .min = 0},
    {.id = "there", .pointer = "/content/0/text", .has_exists = true, .exists = true},
    {.id = "gone", .pointer = "/content/1", .has_exists = true},
    {.id = "match", .pointer = "/content/0/text", .matches = "^(ok|[0-9]+)$"},
    {.id = "type", .pointer = "/content/0/type/a~1b/~0", .matches = "."},
    {.id = "size", .pointer = "", .max_bytes = 100},
    {.id = "all", .pointer = "", .matches = "x"},
};
static const struct custom_config customs[] = {
    {.name = "value", .pointer = "/content/0/text/value"},
    {.name = "text", .pointer = "/content/0/text"},
    {.name = "none", .pointer = "/a/b"},
};

static void require_safe(const char *text)
{
    size_t len = strnlen(text, VERIFY_TEXT_MAX);

    fuzz_require(len < VERIFY_TEXT_MAX, "the text has no end");
    for (size_t i = 0; i < len; i++) {
        fuzz_require((unsigned char)text[i] >= 0x20 && text[i] != 0x7f, "a control character");
    }
    json_t *value = json_stringn(text, len);
    fuzz_require(value != NULL, "the text is not UTF-8");
    json_decref(value);
}

static void apply(struct verifier *v, struct str answer)
{
    static const struct verify_caller caller = {.tag = 0xabcd, .vu = 5, .n = 80};
    struct verify_result r;

    verifier_apply(v, answer, &caller, &r);
    fuzz_require((r.kind == VERIFY_OK) == (r.text[0] == '\0'), "a text without a failure");
    fuzz_require(r.kind != VERIFY_MISMATCH || !r.own_nonce, "ours and not ours");
    fuzz_require(r.custom_count <= 3, "too many numbers");
    require_safe(r.text);
    verifier_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str answer = {(const char *)data, size};
    json_t *expected = json_pack("{s:[i,b,n]}", "a", 1, 1);
    const struct check_config equals = {.id = "equals", .pointer = "/o", .equals = expected};

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        apply(verifier_new(&checks[i], 1, NULL, 0, false), answer);
    }
    apply(verifier_new(&equals, 1, customs, 7, true), answer);
    json_decref(expected);
    return 0;
}
