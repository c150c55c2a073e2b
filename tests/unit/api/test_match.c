/* SPDX-License-Identifier: MIT */
#include "api/request.h"
#include "support/unit.h"
#include "unit/api/fake_hub.h"

static struct route_match find(const char *method, const char *path)
{
    struct route_match m;

    route_find(str_c(method), str_c(path), &m);
    return m;
}

/* Each row is found by its own pattern, and none is hidden by another. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route *route = &api_routes[i];
        struct route_match m = find(route->method, route->path);
        struct query q;
        json_t *warnings = NULL;
        struct query_error error;

        assert_ptr_equal(m.route, route);
        assert_non_null(route->handle);
        assert_true(route->status >= 200 && route->status < 600);
        assert_true(route->help[0] != '\0' && route->answer[0] != '\0' && route->group[0] != '\0');
        assert_true(route->body == BODY_NONE || strcmp(route->method, "POST") == 0);
        assert_true(strlen(m.allow) < ROUTE_ALLOW_MAX - 1);
        /* Its defaults are values; query_read asserts that. */
        assert_int_equal(
            query_read((struct str){0}, route->params, route->param_count, &q, &warnings, &error),
            0);
    }
}

static void test_paths(void **state)
{
    static const struct {
        const char *method, *path, *pattern, *allow;
        void (*handle)(struct api_request *r);
        const char *id;
    } cases[] = {
        {"GET", "/runs", "/runs", "GET, POST", runs_list, ""},
        {"HEAD", "/runs", "/runs", "GET, POST", runs_list, ""},
        {"PUT", "/runs", "/runs", "GET, POST", NULL, ""},
        {"get", "/runs", "/runs", "GET, POST", NULL, ""},
        {"GET", "/runs/x", "/runs/{run_id}", "GET, DELETE", runs_get, "x"},
        {"GET", "/runs/x%20y", "/runs/{run_id}", "GET, DELETE", runs_get, "x%20y"},
        {"POST", "/runs/validate", "/runs/validate", "POST", runs_validate, ""},
        {"GET", "/runs/validate", "/runs/validate", "POST", NULL, ""},
        {"DELETE", "/runs/validate", "/runs/validate", "POST", NULL, ""},
        {"POST", "/runs/x/validate", "/runs/{run_id}/validate", "POST", runs_validate, "x"},
        {"GET", "/runs/a/compare/b", "/runs/{run_id}/compare/{other_run_id}", "GET", absent_later,
         "a"},
        {"GET", "/workers/register", "/workers/register", "POST", NULL, ""},
        {"GET", "/ui/logs/a/b", "/ui/*", "GET", absent_later, ""},
        {"GET", "/ui/", "/ui/*", "GET", absent_later, ""},
        {"GET", "/", "/", "GET", absent_later, ""},
    };
    static const char *const unknown[] = {
        "/nope", "/runs/",          "//runs",       "/runs//",  "",
        "runs",  "/runsx",          "/ui",          "/runs/x/", "*",
        "/Runs", "/runs/x/start/y", "/runs//start", "/runs?x"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct route_match m = find(cases[i].method, cases[i].path);

        if (!m.path_known || strcmp(m.pattern, cases[i].pattern) != 0 ||
            strcmp(m.allow, cases[i].allow) != 0 ||
            (m.route != NULL ? m.route->handle : NULL) != cases[i].handle ||
            !str_eq(m.ids[0], str_c(cases[i].id))) {
            fail_msg("%s %s", cases[i].method, cases[i].path);
        }
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (find("GET", unknown[i]).path_known) {
            fail_msg("%s", unknown[i]);
        }
    }
}

static void test_ids(void **state)
{
    (void)state;
    assert_true(route_is_run_id(STR(RUN_A)));
    assert_true(route_is_worker_id(STR("wkr_01234567")));
    assert_false(route_is_run_id(STR("run_0123456789abcde")));
    assert_false(route_is_run_id(STR("run_0123456789abcdeF")));
    assert_false(route_is_run_id(STR("wkr_0123456789abcdef")));
    assert_false(route_is_worker_id(STR("wkr_0123456")));
    char longest[] = "run_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0";
    assert_false(route_is_run_id(str_c(longest)));
    assert_true(route_is_run_id((struct str){longest, sizeof longest - 2}));
    assert_true(sizeof longest - 1 < HUB_RUN_ID_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
