/* SPDX-License-Identifier: MIT */
#include "cli/patch.h"
#include "support/unit.h"

static json_t *parse(const char *text)
{
    json_t *value = NULL;

    assert_int_equal(json_parse(str_c(text), 4096, &value, NULL), 0);
    return value;
}

/* RFC 7396 §2, as the receiving side does it. */
static void merge(json_t *into, json_t *patch)
{
    const char *key;
    json_t *value;

    json_object_foreach(patch, key, value)
    {
        if (json_is_null(value)) {
            json_object_del(into, key);
        } else if (json_is_object(value) && json_is_object(json_object_get(into, key))) {
            merge(json_object_get(into, key), value);
        } else {
            json_object_set(into, key, value);
        }
    }
}

#define DOCUMENT                                                                                \
    "{\"target\": {\"url\": \"http://a\", \"headers\": {\"Authorization\": \"[redacted]\"}}, "  \
    "\"stages\": [{\"stage\": \"baseline\", \"duration_ms\": 1000, \"load\": {\"target_vus\": " \
    "1}}, {\"stage\": \"soak\", \"duration_ms\": 2000}], \"workload\": {\"seed\": 1}}"

static void test_sets(void **state)
{
    static const char *const sets[] = {"stages[0].load.target_vus=20", "workload.seed=7",
                                       "safety.hard_caps.max_rps=5"};
    json_t *document = parse(DOCUMENT), *patch = NULL;
    json_t *expected = parse(
        "{\"stages\": [{\"stage\": \"baseline\", \"duration_ms\": 1000, \"load\": {\"target_vus\": "
        "20}}, {\"stage\": \"soak\", \"duration_ms\": 2000}], \"workload\": {\"seed\": 7}, "
        "\"safety\": {\"hard_caps\": {\"max_rps\": 5}}}");
    json_t *untouched = parse(DOCUMENT);

    (void)state;
    assert_int_equal(patch_of_sets(document, sets, 3, &patch, NULL), 0);
    assert_true(json_equal(patch, expected)); /* nothing of the target: its secret is not known */
    assert_true(json_equal(document, untouched));
    json_decref(patch);
    json_decref(expected);
    json_decref(untouched);
    json_decref(document);
}

static void test_refused(void **state)
{
    static const char *const cases[] = {"stages[9].duration_ms=1", "nothing", "=1", "stages[x]=1"};
    json_t *document = parse(DOCUMENT);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *patch = NULL;
        struct err err = {0};

        assert_int_equal(patch_of_sets(document, &cases[i], 1, &patch, &err), ERR_USAGE);
        assert_null(patch);
        assert_true(err.msg[0] != '\0');
    }
    json_decref(document);
}

/* A list goes as a whole; a secret in it, which is not known here, must not become its mask. */
static void test_secret_in_a_list(void **state)
{
    static const char *const near[] = {"list[0].a=2"}, *const beside[] = {"other=2"};
    json_t *document = parse("{\"list\": [{\"a\": 1}, {\"token\": \"x [redacted]\"}]}");
    json_t *patch = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(patch_of_sets(document, near, 1, &patch, &err), ERR_USAGE);
    assert_null(patch);
    assert_non_null(strstr(err.msg, "create a run from the file"));
    assert_int_equal(patch_of_sets(document, beside, 1, &patch, &err), 0);
    json_decref(patch);
    json_decref(document);
}

/* Whatever the two are, the patch makes one of the other. */
static void test_between(void **state)
{
    static const char *const documents[] = {
        "{}",
        "{\"a\": 1}",
        "{\"a\": {\"b\": 1, \"c\": [1, 2]}}",
        "{\"a\": {\"b\": {\"d\": 1}, \"c\": [1, 3]}, \"e\": \"x\"}",
        "{\"a\": [{\"b\": 1}]}",
        "{\"a\": \"text\", \"e\": {\"f\": {}}}",
    };
    enum { COUNT = sizeof documents / sizeof documents[0] };

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            json_t *from = parse(documents[i]), *to = parse(documents[j]);
            json_t *patch = patch_between(from, to);

            assert_int_equal(json_object_size(patch) == 0, i == j);
            merge(from, patch);
            assert_true(json_equal(from, to));
            json_decref(patch);
            json_decref(from);
            json_decref(to);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_secret_in_a_list),
        cmocka_unit_test(test_between),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
