/* SPDX-License-Identifier: MIT */
#include "api/documents.h"
#include "api/routes.h"
#include "support/unit.h"
#include "unit/api/fake_hub.h"

/* docs/api.md is what the table says; scripts/docs.sh writes it. */
static void test_page_is_up_to_date(void **state)
{
    struct buf page, file;
    struct err err;

    (void)state;
    buf_init(&page, (size_t)1024 * 1024);
    buf_init(&file, (size_t)1024 * 1024);
    assert_int_equal(api_reference(&page), 0);
    assert_int_equal(file_read(SOURCE_DIR "/docs/api.md", &file, &err), 0);
    assert_string_equal(buf_c(&page), buf_c(&file));
    buf_clear(&page);
    buf_clear(&file);
}

static void test_openapi_has_every_route(void **state)
{
    json_t *doc = api_openapi();
    json_t *paths = json_object_get(doc, "paths");
    size_t there = 0, count = 0;
    const char *path;
    json_t *methods;

    (void)state;
    assert_non_null(doc);
    json_object_foreach(paths, path, methods)
    {
        there += json_object_size(methods);
    }
    for (size_t i = 0; i < api_route_count; i++) {
        count += strchr(api_routes[i].path, '*') == NULL;
    }
    assert_int_equal(there, count);
    json_t *list =
        json_object_get(json_object_get(json_object_get(paths, "/runs"), "get"), "parameters");
    json_t *limit = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(limit, "name")), "limit");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(limit, "schema"), "maximum")), 1000);
    json_t *start = json_object_get(json_object_get(paths, "/runs/{run_id}/start"), "post");
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(start, "parameters"), 0), "name")),
                        "run_id");
    assert_false(json_is_true(json_object_get(json_object_get(start, "requestBody"), "required")));
    json_t *view =
        json_object_get(json_object_get(json_object_get(doc, "components"), "schemas"), "RunView");
    assert_string_equal(
        json_string_value(json_object_get(
            json_object_get(json_object_get(view, "properties"), "terminal"), "type")),
        "boolean");
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_is_up_to_date),
        cmocka_unit_test(test_openapi_has_every_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
