/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "cli/remote/endpoint.h"
#include "support/unit.h"

#include <unistd.h>

static void test_config_path(void **state)
{
    static const struct {
        const char *xdg, *home, *path;
    } cases[] = {
        {"/x", "/h", "/x/mcpdrill/config.json"},
        {NULL, "/h", "/h/.config/mcpdrill/config.json"},
        {"", "/h", "/h/.config/mcpdrill/config.json"},
        {"relative", "/h", "/h/.config/mcpdrill/config.json"},
        {NULL, "relative", NULL},
        {NULL, "", NULL},
        {NULL, NULL, NULL},
    };
    char out[ENDPOINT_PATH_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path = endpoint_config_path(cases[i].xdg, cases[i].home, out);

        if (cases[i].path == NULL) {
            assert_null(path);
        } else {
            assert_string_equal(path, cases[i].path);
        }
    }
}

/* Chooses with that text in the config file; NULL: there is no file. */
static int
choose(const char *file, const char *url, const char *actor, struct endpoint *out, struct err *err)
{
    char path[] = "/tmp/unit_endpoint_XXXXXX";
    struct endpoint_sources from = {.url = url,
                                    .actor = actor,
                                    .url_label = "MCPDRILL_ENDPOINT",
                                    .actor_label = "--actor",
                                    .config_path = path};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    if (file == NULL) {
        unlink(path);
    } else {
        assert_int_equal(file_write(path, str_c(file), NULL), 0);
    }
    *err = (struct err){0};
    int rc = endpoint_choose(&from, out, err);
    if (file != NULL && rc != 0 && url == NULL && actor == NULL) {
        assert_non_null(strstr(err->msg, path)); /* a bad file is named */
    }
    unlink(path);
    return rc;
}

static void test_order(void **state)
{
    static const struct {
        const char *file, *url, *actor;        /* given */
        const char *chosen_url, *chosen_actor; /* expected */
    } cases[] = {
        {NULL, NULL, NULL, ENDPOINT_URL, ENDPOINT_ACTOR},
        {"{}", "", NULL, ENDPOINT_URL, ENDPOINT_ACTOR},
        {"{\"endpoint\":\"http://f\",\"actor\":\"fay\",\"x-note\":1}", NULL, NULL, "http://f",
         "fay"},
        {"{\"endpoint\":\"http://f\",\"actor\":\"fay\"}", "http://o", NULL, "http://o", "fay"},
        {"{\"endpoint\":\"http://f\"}", NULL, "otto", "http://f", "otto"},
    };
    struct endpoint e;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(choose(cases[i].file, cases[i].url, cases[i].actor, &e, &err), 0);
        assert_string_equal(e.url, cases[i].chosen_url);
        assert_string_equal(e.actor, cases[i].chosen_actor);
    }
}

static void test_bad_files(void **state)
{
    static const struct {
        const char *file, *says;
    } cases[] = {
        {"{\"endpoint\": 8080}", "\"endpoint\" is a text"},
        {"{\"endpoint\": \"a\\u0000b\"}", ""},
        {"{\"endpiont\": \"http://f\"}", "did you mean \"endpoint\"?"},
        {"{\"colour\": \"red\"}", "known are endpoint and actor"},
        {"{\"endpoint\": ", ":1:"},
        {"[]", "an object is expected"},
        {"{\"actor\": \"a\\nb\"}", "in one line"},
    };
    struct endpoint e;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(choose(cases[i].file, NULL, NULL, &e, &err) < 0);
        if (strstr(err.msg, cases[i].says) == NULL) {
            fail_msg("%s: %s", cases[i].file, err.msg);
        }
    }
}

/* Whoever gave the wrong text is named, be it an option or a variable. */
static void test_bad_options(void **state)
{
    char longest[ENDPOINT_URL_MAX + 2];
    struct endpoint e;
    struct err err;

    (void)state;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(choose(NULL, longest, NULL, &e, &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "MCPDRILL_ENDPOINT: "));
    longest[sizeof longest - 2] = '\0';
    assert_int_equal(choose(NULL, longest, NULL, &e, &err), 0);
    longest[ENDPOINT_ACTOR_MAX + 1] = '\0';
    assert_int_equal(choose(NULL, NULL, longest, &e, &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "--actor: "));
    assert_int_equal(choose(NULL, NULL, "a\tb", &e, &err), ERR_USAGE);
    assert_int_equal(choose(NULL, NULL, "\xff", &e, &err), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_path),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
